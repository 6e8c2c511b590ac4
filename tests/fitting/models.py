"""Small models for the tests of fits, tests and scans, and what is known of them."""

import contextlib
import json
import logging
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import pytest

from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.workspace.workspace import Workspace

Document = dict[str, Any]


def modifier(kind: str, name: str, data: Any = None) -> Document:
    """A modifier; without data where its type has none."""
    return {"type": kind, "name": name, "data": data}


def normsys(name: str, lo: float, hi: float) -> Document:
    """A factor on a sample in a channel."""
    return modifier("normsys", name, {"lo": lo, "hi": hi})


def histosys(name: str, lo: list, hi: list) -> Document:
    """A variation of every bin."""
    return modifier("histosys", name, {"lo_data": lo, "hi_data": hi})


MU = modifier("normfactor", "mu")


def sample(name: str, data: list, *modifiers: Document) -> Document:
    """A sample of a channel."""
    return {"name": name, "data": data, "modifiers": list(modifiers)}


def document(
    channels: dict[str, list[Document]],
    observed: dict[str, list],
    poi: str = "mu",
    *parameters: Document,
) -> Document:
    """A workspace with one measurement, from samples by channel."""
    config = {"poi": poi, "parameters": list(parameters)}
    return {
        "channels": [{"name": c, "samples": s} for c, s in channels.items()],
        "observations": [{"name": c, "data": d} for c, d in observed.items()],
        "measurements": [{"name": "m", "config": config}],
        "version": "1.0.0",
    }


def workspace(*args: Any) -> Workspace:
    """The same, parsed."""
    return Workspace.parse(document(*args))


def shapesys(
    signal: list, background: list, uncertainty: list, observed: list, **mu: Any
) -> Workspace:
    """The textbook: a signal, and a background with one gamma a bin.

    Keywords are settings of mu, such as its bounds.
    """
    samples = [
        sample("signal", signal, MU),
        sample("bkg", background, modifier("shapesys", "gamma", uncertainty)),
    ]
    config = [{"name": "mu", **mu}] if mu else []
    return workspace({"SR": samples}, {"SR": observed}, "mu", *config)


HELLO = ([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
"""Signal, background and its uncertainty of the example that everybody knows."""


def load_likelihood(name: str, data_dir) -> tuple[Workspace, PatchSet]:
    """A published background-only workspace and its patchset."""
    folder = data_dir / "likelihoods" / name
    background = Workspace.load(folder / "BkgOnly.json")
    return background, PatchSet.load(folder / "patchset.json")


def reference_rows(name: str, reference_dir) -> list[Document]:
    """Reference results of some patches of a likelihood."""
    return json.loads((reference_dir / f"{name}.json").read_text())["rows"]


def row(name: str, patch: str, reference_dir) -> Document:
    """Reference results of one patch."""
    (found,) = [r for r in reference_rows(name, reference_dir) if r["patch"] == patch]
    return found


def best_known(results: Document) -> Document:
    """What a reference row knows of the lowest physical minima, and CLs from them.

    Where nobody has looked for other valleys, what the initial values lead to.
    """
    return results.get("lowest", results["witness"])


FITS = {
    "free": "free",
    "background": "mu=0",
    "fixed": "mu=1",
    "asimov_fixed": "asimov mu=1",
}
"""Fits of a test at mu = 1, as a result and as the reference rows call them."""
MINIMA = 1e-6
"""How far, in units of 2NLL, a minimum may be above the lowest that is known."""

ROWS = {
    "staus": (
        *("TStauStau_100_1", "TStauStau_160_80", "TStauStau_220_1"),
        *("TStauStau_260_40", "TStauStau_300_40", "TStauStau_340_40"),
        *("TStauStau_400_1", "TStauStau_440_120"),
    ),
    "sbottomA": (
        *("T6bbHH_300_205_60", "T6bbHH_600_300_60", "T6bbHH_800_480_350"),
        *("T6bbHH_1000_630_500", "T6bbHH_1200_550_60", "T6bbHH_1300_950_60"),
        *("T6bbHH_1500_230_100", "T6bbHH_1600_1150_60"),
    ),
    "sleptons": (
        *("TSlepSlep_50_48", "TSlepSlep_105_65", "TSlepSlep_145_135"),
        *("TSlepSlep_210_209", "TSlepSlep_300_290"),
    ),
    "offshell": ("TChiWZoff_100_30", "TChiWZoff_215_195", "TChiWZoff_390_380"),
}
"""Patches with reference results."""
UNPHYSICAL = "TChiWZoff_100_30"
"""One without a physical minimum at mu = 1: 130 starts lead to unphysical ones."""
SURPASSED = (UNPHYSICAL, "TChiWZoff_215_195")
"""Patches whose lowest minima are not those of the references."""
SINGLE = {
    "staus": "TStauStau_220_1",
    "sbottomA": "T6bbHH_800_480_350",
    "sleptons": "TSlepSlep_105_65",
    "offshell": "TChiWZoff_215_195",
}
"""One of each likelihood; but for sleptons, several valleys are known."""


@contextlib.contextmanager
def no_compilation(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is compiled inside; what is called there must have been called before."""
    caplog.clear()
    with caplog.at_level(logging.WARNING), jax.log_compiles():
        yield
    messages = [record.getMessage() for record in caplog.records]
    assert [text for text in messages if "Compiling" in text] == []


def assert_close(found: Any, known: Any, rtol: float, atol: float = 0.0) -> None:
    """Both agree within a relative tolerance, and none is NaN."""
    np.testing.assert_allclose(
        np.asarray(found), np.asarray(known), rtol, atol, equal_nan=False
    )
