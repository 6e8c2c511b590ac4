"""Toys a second of hfjax, NextStat and pyhf, in one process and one after the other.

    python benchmarks/toys.py      # all models and tools
    python benchmarks/toys.py --models two-bin --toys 500

A toy is drawn with its auxiliary data and fitted twice, with the signal free and held;
each tool tests a signal of 1 with so many toys of both hypotheses. hfjax compiles
before that, which is told apart. CLs of all agree within the errors of so many toys,
unless their minima differ.
"""

import argparse
import importlib
import json
from collections.abc import Callable
from time import perf_counter
from typing import Any

import jax
from report import table
from workloads import TWO_BINS, data_folder

import hfjax

jax.config.update("jax_enable_x64", True)

Document = dict[str, Any]
COLUMNS = ("model", "tool", "toys", "seconds", "toys a second", "CLs", "error")
FEWER = {"hfjax": 1, "nextstat": 10, "pyhf": 50}
"""How many times fewer toys a tool draws than are asked for."""


def many_bins() -> Document:
    """50 channels of 4 bins with one shapesys a bin: 201 parameters."""
    channels, data = [], {}
    for i in range(50):
        signal = [2.0 + 0.05 * (j % 3) for j in range(4)]
        background = [50.0 + 0.25 * j + 0.1 * (i % 5) for j in range(4)]
        widths = hfjax.shapesys(f"u{i}", [5.0] * 4)
        samples = (
            hfjax.sample("signal", signal, hfjax.normfactor("mu")),
            hfjax.sample("background", background, widths),
        )
        channels.append(hfjax.channel(f"c{i:02d}", *samples))
        data[f"c{i:02d}"] = background
    return hfjax.workspace(channels, data, poi="mu").dump()


def published(name: str, patch: str | None) -> Callable[[], Document]:
    """A published likelihood, with a signal if one is named."""

    def load() -> Document:
        folder = data_folder() / "likelihoods" / name
        if patch is None:
            return hfjax.Workspace.load(folder / "workspace.json").dump()
        background = hfjax.Workspace.load(folder / "BkgOnly.json")
        patches = hfjax.PatchSet.load(folder / "patchset.json")
        return patches.apply(background, patch).dump()

    return load


MODELS: dict[str, Callable[[], Document]] = {
    "two-bin": lambda: TWO_BINS,
    "staus": published("staus", "TStauStau_240_40"),
    "tHu": published("tHu", None),
    "201 parameters": many_bins,
}


def of_hfjax(document: Document, number: int) -> tuple[float, float, float]:
    """Seconds of a second call, CLs and its error."""
    model, data = hfjax.build(hfjax.Workspace.parse(document))
    settings = hfjax.ToySettings()
    start = perf_counter()
    hfjax.toys(model, data, 1.0, number, 1, settings)
    print(f"# hfjax: first call {perf_counter() - start:.1f} s", flush=True)
    start = perf_counter()
    found = hfjax.toys(model, data, 1.0, number, 2, settings)
    seconds = perf_counter() - start
    if found.message:
        print(f"# hfjax: {found.message}", flush=True)
    CLs = found.observed.CLs
    return seconds, float(CLs.value), float(CLs.error)


def of_nextstat(document: Document, number: int) -> tuple[float, float, float]:
    """Seconds, CLs, and no error."""
    nextstat = importlib.import_module("nextstat")
    model = nextstat.HistFactoryModel.from_workspace(json.dumps(document))
    start = perf_counter()
    CLs = nextstat.hypotest_toys(1.0, model, n_toys=number, seed=2)
    return perf_counter() - start, float(CLs), float("nan")


def of_pyhf(document: Document, number: int) -> tuple[float, float, float]:
    """Seconds with SciPy's minimizer, CLs, and no error."""
    pyhf = importlib.import_module("pyhf")
    pyhf.set_backend("numpy")  # with JAX, toys of pyhf 0.7.6 fail on its new versions
    workspace = pyhf.Workspace(document)
    model = workspace.model()
    data = workspace.data(model)
    toys = {"calctype": "toybased", "ntoys": number, "track_progress": False}
    start = perf_counter()
    CLs = pyhf.infer.hypotest(1.0, data, model, test_stat="qtilde", **toys)
    return perf_counter() - start, float(CLs), float("nan")


TOOLS = {"hfjax": of_hfjax, "nextstat": of_nextstat, "pyhf": of_pyhf}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Toys a second of three tools.")
    parser.add_argument("--models", nargs="+", choices=[*MODELS], default=[*MODELS])
    parser.add_argument("--tools", nargs="+", choices=list(TOOLS), default=[*TOOLS])
    parser.add_argument("--toys", type=int, default=1000, help="of each hypothesis")
    options = parser.parse_args()
    rows = []
    for name in options.models:
        document = MODELS[name]()
        for tool in options.tools:
            number = max(options.toys // FEWER[tool], 2)
            try:
                seconds, CLs, error = TOOLS[tool](document, number)
            except ImportError as missing:
                print(f"# {tool} is left out: {missing}")
                continue
            speed = f"{2 * number / seconds:.3g}"
            figures = (f"{seconds:.2f}", speed, f"{CLs:.4f}", f"{error:.4f}")
            rows.append([name, tool, f"{number} + {number}", *figures])
            print(table(COLUMNS, rows[-1:]), flush=True)
    print(table(COLUMNS, rows))


if __name__ == "__main__":
    main()
