"""Published likelihoods, and what is known of them beforehand."""

import json

from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.workspace.workspace import Workspace
from tests.workspaces import Document


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
