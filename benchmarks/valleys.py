"""Is the lowest valley found? Every fit of a test against fits from many other starts.

    python benchmarks/valleys.py                          # 40 points of each likelihood
    python benchmarks/valleys.py staus --points 8 --starts 30
    python benchmarks/valleys.py --peers                  # what other tools miss there
    python benchmarks/valleys.py --times --points 8       # what finding them costs
    python benchmarks/valleys.py --smoke                  # one quick pass, as CI does

The fits are the four of `hypotest`: free, mu = 0, mu = 1, and mu = 1 on the Asimov
data. Other starts are random ones, and those with each nuisance parameter alone at
several values, all others at the initial values or at the fit's own end. From each of
them a fit goes down into one valley. A fit of ours is missed if one of theirs has
converged at a physical minimum that is lower by more than 1e-5 in 2NLL, or if it has
failed. The exit code is 1 if any is.

Other tools are compared on the fits that all of them show, without that of the Asimov
data: by how many of their minima are above the lowest known one.

Times are those of warm tests, each after one that looks into the first valley only: the
shortest of several. A test that ends in a lower valley has more to do.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from environments import default_cache, environment, program
from protocol import Tool
from report import circumstances, heading, save, table
from starts import random_starts, single_starts
from workloads import LIKELIHOODS, Workload, example, workloads

import hfjax
from hfjax.fitting.best_fit import best_fit
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.fitting.valleys.physical import is_physical
from hfjax.inference.test_result import HypotestResult
from hfjax.model.data import Data
from hfjax.model.model import Model

MISSED = 1e-5
"""How much lower, in 2NLL, another minimum is that was missed."""
ONE_VALLEY = FitSettings(valleys="initial")
FITS = {
    "free": ("free", None),
    "mu=0": ("background", 0.0),
    "mu=1": ("fixed", 1.0),
    "Asimov mu=1": ("asimov_fixed", 1.0),
}
"""Fits of a test: the name in its result, and the parameter of interest there."""
PEERS = {
    "pyhf, SciPy": ("pyhf", "peer_pyhf.py", "scipy"),
    "pyhf, Minuit": ("pyhf-minuit", "peer_pyhf.py", "minuit"),
    "NextStat": ("nextstat", "peer_nextstat.py", None),
}
"""Other tools: environment, script and optimizer."""

Result = dict[str, Any]


class Judged(NamedTuple):
    """What is known of a fit.

    Attributes:
        point: name of the patch.
        fit: of `FITS`.
        starts: how many other fits there were.
        ours: 2NLL of ours.
        lowest: lowest 2NLL of physical minima, ours among them.
        failed: how ours ended if it did not converge, or is not physical.
    """

    point: str
    fit: str
    starts: int
    ours: float
    lowest: float
    failed: str

    @property
    def above(self) -> float:
        """How much ours is above the lowest."""
        return self.ours - self.lowest

    @property
    def missed(self) -> bool:
        """Whether another minimum is lower, or ours is no minimum at all."""
        return bool(self.failed) or not self.above <= MISSED


@jax.jit
def descents(
    model: Model, data: Data, starts: jax.Array, fixed: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Fit from each start, into one valley.

    Returns:
        Deviances, and which of them are of physical minima that a fit converged to.
    """
    objective = Objective(model, data)

    def descend(start: jax.Array) -> tuple[jax.Array, jax.Array]:
        end = best_fit(objective, start[None], fixed, ONE_VALLEY)
        good = end.status == FitStatus.CONVERGED
        return end.deviance, good & is_physical(model, end.params)

    return jax.lax.map(descend, starts)


def judge(
    name: str, model: Model, data: Data, options: argparse.Namespace
) -> Iterator[Judged]:
    """All fits of the test of one point."""
    tested = hfjax.hypotest(model, data, 1.0)
    for fit, (attribute, poi) in FITS.items():
        seen = tested.asimov_data if attribute == "asimov_fixed" else data
        yield judge_fit(name, fit, (model, seen, poi), (tested, attribute), options)


def judge_fit(
    name: str,
    fit: str,
    problem: tuple[Model, Data, float | None],
    found: tuple[HypotestResult, str],
    options: argparse.Namespace,
) -> Judged:
    """One fit against those from many starts."""
    (model, data, poi), (tested, attribute) = problem, found
    ours = getattr(tested, attribute)
    starts, fixed = other_starts(model, poi, np.asarray(ours.params), options)
    values, good = descents(
        model.anonymous(), data.anonymous(), jnp.asarray(starts), jnp.asarray(fixed)
    )
    lowest = np.min(np.asarray(values)[np.asarray(good)], initial=np.inf)
    failed = ""
    if int(ours.status) != FitStatus.CONVERGED:
        failed = FitStatus(int(ours.status)).name.lower()
    elif not bool(ours.physical) and np.isfinite(lowest):
        failed = "not physical"
    elif bool(ours.physical):
        lowest = min(lowest, float(ours.deviance))
    constant = float(ours.twice_nll - ours.deviance)
    return Judged(
        name, fit, len(starts), float(ours.twice_nll), lowest + constant, failed
    )


def other_starts(
    model: Model, poi: float | None, end: np.ndarray, options: argparse.Namespace
) -> tuple[np.ndarray, np.ndarray]:
    """Where other fits start, and which parameters they hold."""
    fixed, at = np.array(model.parameters.fixed), int(model.poi)
    init = np.array(model.parameters.init)
    random = np.random.default_rng(options.seed)
    fixed[at] |= poi is not None
    parts = [random_starts(model, fixed, options.starts, random)]
    singles = [single_starts(model, fixed, base) for base in (init, end)]
    parts += [each[:: options.every] for each in singles]
    starts = np.concatenate(parts)
    if poi is not None:
        starts[:, at] = poi
    return starts, fixed


def measure(workload: Workload, options: argparse.Namespace) -> list[Judged]:
    """All fits of the points of a likelihood; points of equal shape share programs."""
    workspace = hfjax.Workspace.load(workload.workspace)
    patchset = hfjax.PatchSet.load(workload.patchset)
    names = workload.names(options.points)
    judged = []
    for group in hfjax.build_scan(workspace, patchset, names=names).groups:
        for i, member in enumerate(group.members):
            model, data = group.point(i)
            judged += judge(member.name, model, data, options)
            print(f"{workload.name} {member.name}", file=sys.stderr, flush=True)
    return judged


# -- other tools -------------------------------------------------------------------


def start_peers(options: argparse.Namespace) -> dict[str, Tool]:
    """Processes of the other tools, in environments of their own."""
    logs = options.cache / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    tools = {}
    for name, (home, script, _) in PEERS.items():
        python = options.python or program(environment(home, options.cache), "python")
        tools[name] = Tool(python, script, logs / f"valleys {name}.log")
    return tools


def peer_rows(
    workload: Workload, judged: list[Judged], tools: dict[str, Tool]
) -> list[list[str]]:
    """How many minima of the other tools are above the lowest known ones."""
    lowest: dict[str, dict[str, float]] = {}
    for each in judged:
        lowest.setdefault(each.point, {})[each.fit] = each.lowest
    rows = []
    for name, tool in tools.items():
        asked = {
            "workspace": str(workload.workspace),
            "patchset": str(workload.patchset),
            "poi": 1.0,
            "optimizer": PEERS[name][2],
        }
        above, failed = [], 0
        for point, known in lowest.items():
            reply = tool.ask("point", name=point, **asked)
            failed += "error" in reply
            found = reply.get("twice_nll", {})
            above += [found[fit] - known[fit] for fit in found if fit in known]
        missed = [value for value in above if value > MISSED]
        most = f"{max(missed, default=0.0):.2g}"
        row = [workload.name, name, str(len(above)), str(len(missed)), most]
        rows.append([*row, str(failed)])
    return rows


# -- what it costs ------------------------------------------------------------------


def times(workload: Workload, options: argparse.Namespace) -> list[str]:
    """Warm tests of one valley and of all, in turn: a row of the table."""
    workspace = hfjax.Workspace.load(workload.workspace)
    patchset = hfjax.PatchSet.load(workload.patchset)
    names = workload.names(options.points)
    ratios, sums, steps = [], np.zeros(2), np.zeros(2, int)
    for name in names:
        point = hfjax.build(workspace, patch=patchset[name])
        taken = np.full(2, np.inf)
        for _ in range(options.repeats + 1):
            both = [timed(*point, settings) for settings in (ONE_VALLEY, FitSettings())]
            taken = np.minimum(taken, [seconds for seconds, _ in both])
        steps += [number for _, number in both]
        sums += taken
        ratios.append(taken[1] / taken[0])
        print(f"{workload.name} {name}", file=sys.stderr, flush=True)
    means = [f"{1e3 * each / len(names):.2f} ms" for each in sums]
    means += [f"{each / len(names):.1f}" for each in steps]
    spread = [f"{np.median(ratios):.2f}", f"{min(ratios):.2f}", f"{max(ratios):.2f}"]
    return [workload.name, str(len(names)), *means, *spread]


def timed(model: Model, data: Data, settings: FitSettings) -> tuple[float, int]:
    """Seconds that a test takes, and its steps."""
    start = time.perf_counter()
    tested = jax.block_until_ready(hfjax.hypotest(model, data, 1.0, settings=settings))
    return time.perf_counter() - start, int(tested.steps)


# -- reports -----------------------------------------------------------------------

HEAD = ["likelihood", "points", "fits", "starts", "missed", "largest miss"]
PEER_HEAD = ["likelihood", "tool", "fits", "above", "by at most", "points failed"]
COSTS = ["likelihood", "points", "one valley", "all", "steps", "steps, all"]
COSTS += ["ratio, median", "least", "most"]


def row(name: str, judged: list[Judged]) -> list[str]:
    """A likelihood in the table."""
    missed = [each.above for each in judged if each.missed]
    points, starts = {each.point for each in judged}, sum(e.starts for e in judged)
    most = f"{max(missed):.2g}" if missed else "-"
    counts = len(points), len(judged), starts, len(missed)
    return [name, *map(str, counts), most]


def missed_lines(judged: list[Judged]) -> list[str]:
    """The fits that are missed, each in a line."""
    return [
        f"- {each.point}, {each.fit}: {each.above:.6g} above {each.lowest:.6f} "
        f"{each.failed}".rstrip()
        for each in judged
        if each.missed
    ]


def main() -> int:
    """Run the comparison; the exit code says whether a minimum was missed."""
    options = _options()
    jax.config.update("jax_enable_x64", True)
    result: Result = circumstances()
    print(heading(result), flush=True)
    names = options.likelihoods or LIKELIHOODS
    chosen = [example()] if options.smoke else workloads(names)
    if options.times or options.smoke:
        print(f"\n{table(COSTS, [times(each, options) for each in chosen])}")
    if options.times:
        return 0
    tools = start_peers(options) if options.peers else {}
    rows, lines, others = [], [], []
    for workload in chosen:
        judged = measure(workload, options)
        rows.append(row(workload.name, judged))
        lines += missed_lines(judged)
        others += peer_rows(workload, judged, tools) if tools else []
        result[workload.name] = [each._asdict() for each in judged]
        save(options.json, result)
    for tool in tools.values():
        tool.close()
    print(f"\n{table(HEAD, rows)}")
    print("\n".join(["", *lines]))
    if others:
        print(f"{table(PEER_HEAD, others)}")
    return int(bool(lines))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("likelihoods", nargs="*", help=", ".join(LIKELIHOODS))
    parser.add_argument("--points", type=int, default=40, help="evenly spaced")
    parser.add_argument("--starts", type=int, default=100, help="random ones, a fit")
    parser.add_argument("--every", type=int, default=1, help="so many single starts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="one point, few starts")
    parser.add_argument("--peers", action="store_true", help="run other tools as well")
    parser.add_argument("--times", action="store_true", help="only what it costs")
    parser.add_argument("--repeats", type=int, default=20, help="tests that are timed")
    parser.add_argument("--cache", type=Path, default=default_cache())
    parser.add_argument("--python", type=Path, help="an interpreter with all the peers")
    parser.add_argument("--json", type=Path, help="write everything measured")
    options = parser.parse_args()
    if options.smoke:
        options.points, options.starts, options.every = 1, 4, 16
        options.repeats = 1
    return options


if __name__ == "__main__":
    sys.exit(main())
