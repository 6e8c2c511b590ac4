"""`hfjax cls` and `pyhf cls` on the 2-bin example, each time in a new process.

    python benchmarks/cold_start.py

Three ways of hfjax: with an empty compilation cache, with a filled one, without one;
pyhf with its NumPy backend. The ways take turns, so that a busy moment of the machine
hits all of them; each is run once before, for the byte code of the packages.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from agreement import relative
from environments import default_cache, environment, program
from report import circumstances, heading, save, seconds, table
from workloads import TWO_BINS


class Way(NamedTuple):
    """A command, and the cache folder it may use (emptied before each run or not)."""

    name: str
    command: list[str]
    cache: Path | None = None
    empty: bool = False


def main() -> int:
    """Run the comparison and print medians and ratios."""
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        ways = _ways(Path(scratch), options)
        runs = measure(ways, options.repeats)
    result = circumstances() | {"repeats": options.repeats, "ways": runs}
    print(heading(result), summary(runs), sep="\n\n")
    save(options.json, result)
    return int(any(run["error"] for run in runs.values()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--no-pyhf", action="store_true", help="measure hfjax alone")
    parser.add_argument("--cache", type=Path, default=default_cache())
    parser.add_argument("--json", type=Path, help="write everything measured")
    return parser.parse_args()


def _ways(scratch: Path, options: argparse.Namespace) -> list[Way]:
    document = scratch / "two_bins.json"
    document.write_text(json.dumps(TWO_BINS), encoding="utf-8")
    ours = [_our_program(), "cls", str(document)]
    ways = [
        Way("hfjax, cache warm", ours, scratch / "warm"),
        Way("hfjax, cache cold", ours, scratch / "cold", empty=True),
        Way("hfjax, no cache", [*ours, "--no-cache"]),
    ]
    if not options.no_pyhf:
        theirs = str(program(environment("pyhf", options.cache), "pyhf"))
        ways.append(Way("pyhf, NumPy", [theirs, "cls", str(document)]))
    return ways


def _our_program() -> str:
    beside = Path(sys.executable).with_name("hfjax")
    return str(beside) if beside.exists() else shutil.which("hfjax") or "hfjax"


def measure(ways: list[Way], repeats: int) -> dict[str, dict[str, Any]]:
    """Run every way once unmeasured, then in turns."""
    runs = {way.name: _first(way) for way in ways}
    for _ in range(repeats):
        for way in ways:
            if not runs[way.name]["error"]:
                elapsed, used, _ = _run(way)
                runs[way.name]["seconds"].append(elapsed)
                runs[way.name]["cpu"].append(used)
    return runs


def _first(way: Way) -> dict[str, Any]:
    *_, done = _run(way)
    answer = {} if done.returncode else json.loads(done.stdout)
    last = [f"exit code {done.returncode}", *done.stderr.strip().splitlines()][-1:]
    error = last if done.returncode else []
    return {
        "seconds": [],
        "cpu": [],
        "error": error,
        "CLs_obs": answer.get("CLs_obs"),
    }


def _run(way: Way) -> tuple[float, float, subprocess.CompletedProcess[str]]:
    environ = dict(os.environ)
    if way.cache is not None:
        if way.empty:
            shutil.rmtree(way.cache, ignore_errors=True)
        environ["XDG_CACHE_HOME"] = str(way.cache)  # of programs for CPUs, on Linux
        environ["JAX_COMPILATION_CACHE_DIR"] = str(way.cache)
    before, start = os.times(), perf_counter()
    done = subprocess.run(way.command, env=environ, capture_output=True, text=True)
    after, elapsed = os.times(), perf_counter() - start
    user = after.children_user - before.children_user
    system = after.children_system - before.children_system
    return elapsed, user + system, done


def summary(runs: dict[str, dict[str, Any]]) -> str:
    """Medians, spread, processor time, ratios to pyhf and agreement with it."""
    pyhf = runs.get("pyhf, NumPy", {"seconds": [], "cpu": [], "CLs_obs": None})
    rows = [_row(name, run, pyhf) for name, run in runs.items()]
    head = ["command", "median", "fastest", "slowest", "CPU", "over pyhf", "of CPU"]
    failed = [f"{name}: {line}" for name, run in runs.items() for line in run["error"]]
    apart = [
        f"{name}: CLs_obs {relative(run['CLs_obs'], pyhf['CLs_obs']):.1e} from pyhf"
        for name, run in runs.items()
        if pyhf["CLs_obs"] is not None and not run["error"]
    ]
    return "\n".join([table(head, rows), *failed, *apart])


def _row(name: str, run: dict[str, Any], pyhf: dict[str, Any]) -> list[str]:
    times = run["seconds"]
    if not times:
        return [name, "not measured", *["-"] * 5]
    spread = [seconds(value) for value in (min(times), max(times))]
    cpu = seconds(statistics.median(run["cpu"]))
    ratios = [_ratio(run[kind], pyhf[kind]) for kind in ("seconds", "cpu")]
    return [name, seconds(statistics.median(times)), *spread, cpu, *ratios]


def _ratio(ours: list[float], theirs: list[float]) -> str:
    if not theirs:
        return "-"
    return f"{statistics.median(ours) / statistics.median(theirs):.2f}"


if __name__ == "__main__":
    sys.exit(main())
