"""Time and memory of large models against their size, each in a new process.

    python benchmarks/large.py                     # all sizes, with slopes
    python benchmarks/large.py --sizes 60x12x3     # bins x systematics x samples
    python benchmarks/large.py --sizes 1000x400x20x3      # histosys on 3 samples alone

Half of the systematics are histosys and half normsys, each on every sample of every
channel; with a fourth number, each histosys acts on so many samples of one channel, of
25 bins instead of 100. All bins have a staterror: so many parameters, and one of
interest. The first fit compiles; those after it are warm. The gradient of the
log-density is told in evaluations. The memory is what the process had at most, less
what it had before the document was there; templates are what histosys, nominal yields
and staterror hold.
"""

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from report import circumstances, heading, save, table

Document = dict[str, Any]
Row = dict[str, float]
SIZES = ("125x50x20", "250x100x20", "500x200x20", "1000x400x20", "10000x1000x2")
TIMES = ("check", "build", "first fit", "fit", "evaluation")
COLUMNS = ("size", "parameters", *TIMES, "gradient", "memory", "templates")


def document_of(
    bins: int, systematics: int, samples: int, acts: int = 0, seed: int = 1
) -> Document:
    """A workspace of so many bins.

    Args:
        bins: in all channels.
        systematics: on every sample.
        samples: of which the first is the signal.
        acts: number of samples on which each histosys acts, in one channel; 0 is all,
            in all channels.
        seed: of yields, variations and counts.
    """
    random = np.random.default_rng(seed)
    channels, observations = [], []
    width = 25 if acts else 100
    for first in range(0, bins, width):
        size, name = min(width, bins - first), f"channel_{first}"
        made = [
            _sample(random, which, size, systematics, name) for which in range(samples)
        ]
        if acts:
            _keep(made, acts, (first // width, -(-bins // width)))
        expected = np.sum([each["data"] for each in made[1:]], axis=0)
        counts = random.poisson(expected + 0.5 * np.array(made[0]["data"]))
        channels.append({"name": name, "samples": made})
        observations.append({"name": name, "data": counts.astype(float).tolist()})
    config = {"poi": "mu", "parameters": []}
    return {
        "channels": channels,
        "observations": observations,
        "measurements": [{"name": "measurement", "config": config}],
        "version": "1.0.0",
    }


def _keep(samples: list[Document], acts: int, channel: tuple[int, int]) -> None:
    """Keep each histosys in one channel alone, on so many samples."""
    own, channels = channel
    for which, sample in enumerate(samples):
        sample["modifiers"] = [
            each
            for j, each in enumerate(sample["modifiers"])
            if each["type"] != "histosys"
            or (j // 2 % channels == own and (which - j // 2) % len(samples) < acts)
        ]


def _sample(
    random: np.random.Generator, which: int, size: int, systematics: int, channel: str
) -> Document:
    events = random.uniform(5.0, 100.0, size) * (1.0 if which else 0.1)
    modifiers = [_systematic(random, events, j) for j in range(systematics)]
    widths = (0.05 * events).tolist()
    modifiers.append({"name": f"stat_{channel}", "type": "staterror", "data": widths})
    if which == 0:
        modifiers.append({"name": "mu", "type": "normfactor", "data": None})
    return {"name": f"s{which}", "data": events.tolist(), "modifiers": modifiers}


def _systematic(random: np.random.Generator, events: np.ndarray, j: int) -> Document:
    """A variation of some per cent, a little less to one side."""
    bins = events.size if j % 2 else 1
    up, more = random.normal(0.0, (0.03, 0.003), (bins, 2)).T
    if j % 2:
        data = {"hi_data": events * (1.0 + up), "lo_data": events * (1.0 - up + more)}
        lists = {side: np.round(values, 6).tolist() for side, values in data.items()}
        return {"name": f"shape_{j}", "type": "histosys", "data": lists}
    data = {"hi": float(1.0 + up[0]), "lo": float(1.0 - up[0] + more[0])}
    return {"name": f"norm_{j}", "type": "normsys", "data": data}


def alone(size: str) -> Row:
    """Measure one size in this process."""
    import jax

    import hfjax

    jax.config.update("jax_enable_x64", True)
    jax.block_until_ready(jax.numpy.zeros(1))
    bins, systematics, samples, *acts = map(int, size.split("x"))
    document = document_of(bins, systematics, samples, *acts)
    before = _peak()
    check, workspace = _timed(lambda: hfjax.Workspace.parse(document))
    build, (model, data) = _timed(lambda: hfjax.build(workspace))
    first, result = _timed(lambda: hfjax.fit(model, data))
    if not result.converged:
        message = f"{size}: the fit is {result.status}"
        raise SystemExit(message)
    fit = _median(lambda: hfjax.fit(model, data).params)
    value = jax.jit(hfjax.Model.logpdf)
    slope = jax.jit(jax.grad(hfjax.Model.logpdf, argnums=1))
    evaluation = _median(lambda: value(model, result.params, data))
    gradient = _median(lambda: slope(model, result.params, data))
    cells = bins * samples
    acting = 25.0 / bins * acts[0] / samples if acts else 1.0
    return {
        "parameters": model.parameters.init.size,
        "check": check,
        "build": build,
        "first fit": first,
        "fit": fit,
        "evaluation": evaluation,
        "gradient": gradient / evaluation,
        "memory": _peak() - before,
        "templates": 8e-6 * cells * (2.0 * (systematics // 2) * acting + 2.0),
    }


def _peak() -> float:
    """Most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def _timed(function: Callable[[], Any]) -> tuple[float, Any]:
    import jax

    begin = perf_counter()
    result = jax.block_until_ready(function())
    return perf_counter() - begin, result


def _median(function: Callable[[], Any], repeats: int = 5) -> float:
    function()
    return statistics.median(_timed(function)[0] for _ in range(repeats))


def slopes(rows: list[Row]) -> Row:
    """Powers with which times and memory grow with the templates, by least squares."""
    size = [math.log(row["templates"]) for row in rows]
    return {
        name: float(np.polyfit(size, [math.log(row[name]) for row in rows], 1)[0])
        for name in (*TIMES, "memory")
    }


def main() -> int:
    """Measure all sizes, and print a table."""
    parser = argparse.ArgumentParser(description="Time and memory against size.")
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    parser.add_argument("--json", type=Path, help="write everything measured")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(alone(options.alone)))
        return 0
    result = circumstances()
    print(heading(result), flush=True)
    result["sizes"] = {}
    for size in options.sizes:
        command = [sys.executable, __file__, "--alone", size]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        result["sizes"][size] = json.loads(done.stdout)
    rows = list(result["sizes"].values())
    lines = [
        (size, *(f"{row[name]:.4g}" for name in COLUMNS[1:]))
        for size, row in result["sizes"].items()
    ]
    if len(rows) > 1:
        grown = slopes(rows)
        lines.append(
            ("power", *(f"{grown[n]:.2f}" if n in grown else "" for n in COLUMNS[1:]))
        )
    print(f"\n{table(COLUMNS, lines)}")
    save(options.json, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
