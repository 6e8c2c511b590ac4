"""The side of hfjax in the comparison: one scan of all the points, warm and cold."""

import math
from time import perf_counter
from typing import Any

import jax
from protocol import Reply, Request, serve
from report import OURS, versions

import hfjax


class Scan:
    """The documents and the batch between two requests."""

    def __init__(self) -> None:
        self._poi = 1.0
        self._names: list[str] = []
        self._documents: Any = None
        self._batch: Any = None
        self._result: Any = None

    def about(self, request: Request) -> Reply:
        """Versions and device."""
        del request
        return {**versions(OURS), "device": str(jax.devices()[0])}

    def prepare(self, request: Request) -> Reply:
        """Load, stack the patches, and scan once: compilation is here."""
        self._poi, self._names = request["poi"], request["names"]
        start = perf_counter()
        workspace = hfjax.Workspace.load(request["workspace"])
        patchset = hfjax.PatchSet.load(request["patchset"])
        loaded = perf_counter()
        self._documents = workspace, patchset
        self._batch = hfjax.build_scan(workspace, patchset, names=self._names)
        built = perf_counter()
        self._result = hfjax.scan(self._batch, self._poi)
        done = perf_counter()
        stages = {"load": loaded - start, "build": built - loaded}
        return {"seconds": {**stages, "first scan": done - built}}

    def scan(self, request: Request) -> Reply:
        """One warm scan of all the points."""
        del request
        start = perf_counter()
        self._result = hfjax.scan(self._batch, self._poi)
        return {"seconds": perf_counter() - start}

    def points(self, request: Request) -> Reply:
        """What the last scan found, and the minima of every point's fits."""
        del request
        return {
            "points": {
                point.name: self._point(point)
                for point in (self._result.points if self._result else [])
            }
        }

    def _point(self, point: Any) -> Reply:
        if point.status != "converged":
            return {"error": f"{point.status}: {point.message}"}
        return {
            "CLs_obs": point.CLs_obs,
            "CLs_exp": list(point.CLs_exp),
            "twice_nll": self._twice_nll(point.name),
            "steps": point.steps,
            "edm": point.edm,
        }

    def _twice_nll(self, name: str) -> dict[str, float]:
        workspace, patchset = self._documents
        model, data = hfjax.build(workspace, patch=patchset[name])
        found = hfjax.hypotest(model, data, self._poi)
        fits = {
            "free": found.free,
            f"mu={self._poi:g}": found.fixed,
            "mu=0": found.background,
        }
        values = {fit: float(best.twice_nll) for fit, best in fits.items()}
        return {fit: value for fit, value in values.items() if math.isfinite(value)}


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    ours = Scan()
    serve(
        {
            "about": ours.about,
            "prepare": ours.prepare,
            "scan": ours.scan,
            "points": ours.points,
        }
    )
