"""Where the time goes: every stage of an analysis apart, likelihood by likelihood.

    python benchmarks/stages.py                        # all likelihoods, whole scans
    python benchmarks/stages.py staus --points 8
    python benchmarks/stages.py --smoke                # one quick pass, as CI does

A stage's first call compiles; it is kept apart from the warm ones, whose median is
given. Every call ends with `block_until_ready`. Beside the times: steps and status of
the fits, and how far their results are from the reference values.
"""

import argparse
import json
import statistics
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import agreement
import jax
from report import circumstances, heading, save, seconds, table
from workloads import LIKELIHOODS, Workload, example, workloads

import hfjax
from hfjax.documents.reading.schema import WORKSPACE, validate

Result = dict[str, Any]


class Stopwatch:
    """Times calls, the first one apart from the others.

    Args:
        repeats: warm calls of a stage, if they fit in the time.
        longest: no further warm call after so many seconds of them.
    """

    def __init__(self, repeats: int, longest: float = 10.0) -> None:
        self.repeats = repeats
        self.longest = longest
        self.stages: dict[str, Result] = {}

    def once(self, stage: str, call: Callable[[], Any]) -> Any:
        """Time one call and hand on what it returns."""
        elapsed, value = _timed(call)
        self.stages[stage] = {"first": elapsed, "warm": None, "repeats": 0}
        return value

    def warm(self, stage: str, call: Callable[[], Any]) -> Any:
        """Time a first call and then warm ones."""
        value = self.once(stage, call)
        times: list[float] = []
        while len(times) < self.repeats and sum(times) < self.longest:
            times.append(_timed(call)[0])
        median = statistics.median(times)
        self.stages[stage] |= {"warm": median, "repeats": len(times)}
        return value


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = perf_counter()
    value = jax.block_until_ready(call())
    return perf_counter() - start, value


def main() -> int:
    """Measure every likelihood that is there and print a table for each."""
    options = _options()
    jax.config.update("jax_enable_x64", True)
    result = circumstances() | {"device": str(jax.devices()[0]), "likelihoods": {}}
    print(heading(result), f"device {result['device']}", sep="\n")
    for workload in _workloads(options):
        measured = measure(workload, options)
        result["likelihoods"][workload.name] = measured
        print(f"\n{summary(workload, measured)}", flush=True)
        save(options.json, result)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("likelihoods", nargs="*", help=", ".join(LIKELIHOODS))
    parser.add_argument("--points", type=int, help="scan so many points, not all")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--smoke", action="store_true", help="one quick pass")
    parser.add_argument("--json", type=Path, help="write everything measured")
    options = parser.parse_args()
    if options.smoke:
        options.points, options.repeats = 2, 1
    return options


def _workloads(options: argparse.Namespace) -> list[Workload]:
    if options.smoke and not options.likelihoods:
        return [example()]
    return workloads(options.likelihoods or LIKELIHOODS)


def measure(workload: Workload, options: argparse.Namespace) -> Result:
    """All stages of one likelihood."""
    watch = Stopwatch(options.repeats)
    name = workload.names()[0]
    workspace, patchset = _read(workload, watch)
    found = _one_point(workspace, patchset[name], watch)
    names = workload.names(options.points) if options.points else None
    scanned = _scan(workspace, patchset, names, watch)
    return {
        "patch": name,
        "stages": watch.stages,
        "point": found,
        "scan": scanned,
        "agreement": _agreement(workload, name, found, scanned),
    }


def _read(workload: Workload, watch: Stopwatch) -> tuple[Any, Any]:
    def load() -> Any:
        return json.loads(workload.workspace.read_text(encoding="utf-8"))

    document = watch.warm("load", load)
    watch.warm("validate", lambda: validate(document, WORKSPACE))
    workspace = watch.warm("parse", lambda: hfjax.Workspace.parse(document))
    path = workload.patchset
    patchset = watch.once("load patchset", lambda: hfjax.PatchSet.load(path))
    return workspace, patchset


def _one_point(workspace: Any, patch: Any, watch: Stopwatch) -> Result:
    model, data = watch.warm("build", lambda: hfjax.build(workspace, patch=patch))
    params = model.parameters.init
    logpdf = jax.jit(type(model).logpdf)
    gradient = jax.jit(jax.grad(lambda p, m, d: m.logpdf(p, d)))
    watch.warm("log-density", lambda: logpdf(model, params, data))
    watch.warm("gradient", lambda: gradient(params, model, data))
    best = watch.warm("fit", lambda: hfjax.fit(model, data))
    test = watch.warm("hypotest", lambda: hfjax.hypotest(model, data, 1.0))
    fits = {"free": test.free, "mu=1": test.fixed, "mu=0": test.background}
    return {
        "parameters": len(model.parameters.names),
        "fit": _fit_record(best),
        "fits": {fit: _fit_record(one) for fit, one in fits.items()},
        "twice_nll": {fit: float(one.twice_nll) for fit, one in fits.items()},
        "CLs_obs": float(test.CLs_obs),
        "CLs_exp": [float(value) for value in test.CLs_exp],
        "status": int(test.status),
    }


def _fit_record(best: Any) -> Result:
    return {
        "twice_nll": float(best.twice_nll),
        "status": int(best.status),
        "steps": int(best.steps),
        "edm": float(best.edm),
    }


def _scan(
    workspace: Any, patchset: Any, names: list[str] | None, watch: Stopwatch
) -> Result:
    batch = watch.once(
        "stack patches", lambda: hfjax.build_scan(workspace, patchset, names=names)
    )
    scanned = watch.warm("scan", lambda: hfjax.scan(batch, 1.0))
    return {
        "statuses": dict(Counter(point.status for point in scanned.points)),
        "steps": [point.steps for point in scanned.points],
        "points": {
            point.name: {"CLs_obs": point.CLs_obs, "CLs_exp": point.CLs_exp}
            for point in scanned.points
        },
    }


def _agreement(
    workload: Workload, name: str, found: Result, scanned: Result
) -> dict[str, str]:
    witness = workload.witness
    both = [
        point
        for point in scanned["points"]
        if witness.get(point, {}).get("CLs_obs", 0) > agreement.TINY
    ]
    compared: dict[str, Any] = {}
    if name in witness:
        compared["2NLL of hypotest above the reference"] = agreement.worst(
            [(name, agreement.excess(witness[name], found))]
        )
    for quantity, compare in (
        ("CLs_obs", agreement.cls_obs),
        ("CLs_exp", agreement.cls_exp),
    ):
        values = [(p, compare(witness[p], scanned["points"][p])) for p in both]
        if values:
            points = f"{len(values)} points above {agreement.TINY:g}"
            key = f"{quantity} of the scan, relative, {points}"
            compared[key] = agreement.worst(values)
    return {key: str(value) for key, value in compared.items()}


def summary(workload: Workload, measured: Result) -> str:
    """Table of the stages, and what the fits did."""
    rows = [
        [stage, seconds(times["first"]), seconds(times["warm"]), str(times["repeats"])]
        for stage, times in measured["stages"].items()
    ]
    points = len(measured["scan"]["points"])
    warm = measured["stages"]["scan"]["warm"]
    rows.append(["scan, a point", "-", seconds(warm and warm / points), "-"])
    best = measured["point"]["fit"]
    lines = [
        f"## {workload.name}: {measured['patch']}, scan of {points} points",
        "",
        table(["stage", "first call", "warm median", "repeats"], rows),
        "",
        f"fit: status {best['status']}, {best['steps']} steps, EDM {best['edm']:.1e}, "
        f"{measured['point']['parameters']} parameters",
        f"scan: {measured['scan']['statuses']}, at most "
        f"{max(measured['scan']['steps'], default=0)} steps",
    ]
    lines += [f"{key}: {value}" for key, value in measured["agreement"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
