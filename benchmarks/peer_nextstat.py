"""NextStat's side of the comparison; runs in NextStat's own environment."""

from functools import cache
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import Any

import nextstat
from protocol import Reply, Request, serve


@cache
def text(path: str) -> str:
    """A document as text, read once: loading is no part of a point's time."""
    return Path(path).read_text(encoding="utf-8")


def about(request: Request) -> Reply:
    """Versions."""
    del request
    return {"nextstat": metadata.version("nextstat")}


def point(request: Request) -> Reply:
    """One hypothesis test, from the patch to CLs.

    Its function for hypothesis tests gives the observed CLs only. The expected band and
    the minima come from calls of their own that are not timed, and the minima are those
    of its likelihood scan: its hypothesis test does not show the ones it found.
    """
    base, patches = text(request["workspace"]), text(request["patchset"])
    start = perf_counter()
    workspace = nextstat.apply_patchset(base, patches, patch_name=request["name"])
    patched = perf_counter()
    model = nextstat.HistFactoryModel.from_workspace(workspace)
    built = perf_counter()
    cls_obs = nextstat.hypotest(request["poi"], model)
    tested = perf_counter()
    return {
        "seconds": {
            "patch": patched - start,
            "build": built - patched,
            "hypotest": tested - built,
        },
        "CLs_obs": cls_obs,
        **_details(model, request["poi"]),
    }


def _details(model: Any, poi: float) -> Reply:
    curve = nextstat.cls_curve(model, [poi, poi])  # refuses fewer than two values
    profile = nextstat.profile_scan(model, [0.0, poi])
    fixed = {f"mu={row['mu']:g}": 2 * row["nll_mu"] for row in profile["points"]}
    return {
        "CLs_exp": [band[0] for band in curve["cls_exp"]],
        "twice_nll": {"free": 2 * profile["nll_hat"], **fixed},
        "unconverged": [row["mu"] for row in profile["points"] if not row["converged"]],
    }


if __name__ == "__main__":
    serve({"about": about, "point": point})
