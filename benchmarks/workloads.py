"""What is measured: published likelihoods, their reference values, a 2-bin example."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIKELIHOODS = ("staus", "sbottomA", "sleptons", "offshell")

TWO_BINS: dict[str, Any] = {
    "channels": [
        {
            "name": "singlechannel",
            "samples": [
                {
                    "name": "signal",
                    "data": [5.0, 10.0],
                    "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
                },
                {
                    "name": "background",
                    "data": [50.0, 60.0],
                    "modifiers": [
                        {
                            "name": "uncorr_bkguncrt",
                            "type": "shapesys",
                            "data": [5.0, 12.0],
                        }
                    ],
                },
            ],
        }
    ],
    "observations": [{"name": "singlechannel", "data": [50.0, 60.0]}],
    "measurements": [{"name": "meas", "config": {"poi": "mu", "parameters": []}}],
    "version": "1.0.0",
}


@dataclass(frozen=True)
class Workload:
    """A published likelihood: its files and the reference values of some patches.

    Attributes:
        name: the folder's name.
        workspace: the background-only workspace.
        patchset: the signal patches.
        witness: best known minima and CLs by patch name; empty without references.
    """

    name: str
    workspace: Path
    patchset: Path
    witness: dict[str, dict[str, Any]]

    def names(self, count: int | None = None) -> list[str]:
        """Patch names: evenly spaced ones, or all that have reference values.

        Args:
            count: how many; None for those with reference values.
        """
        if count is None and self.witness:
            return list(self.witness)
        document = json.loads(self.patchset.read_text(encoding="utf-8"))
        names = [patch["metadata"]["name"] for patch in document["patches"]]
        count = min(count or 8, len(names))
        return [names[i * len(names) // count] for i in range(count)]


def data_folder() -> Path:
    """``$HFJAX_DATA``, or ``../shared/data`` beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("HFJAX_DATA") or beside)


def example() -> Workload:
    """The self-made likelihood of `examples/`: always there, no reference values."""
    folder = Path(__file__).resolve().parents[1] / "examples"
    return Workload(
        "example", folder / "BkgOnly.json", folder / "patchset.json", witness={}
    )


def workloads(names: Sequence[str]) -> list[Workload]:
    """The likelihoods that are there; the others are named with the reason.

    Args:
        names: folder names, or "example" for the self-made one.
    """
    asked = [example() if name == "example" else _published(name) for name in names]
    for workload in asked:
        if not workload.workspace.exists():
            print(f"{workload.name}: skipped, no {workload.workspace}; set HFJAX_DATA")
    return [workload for workload in asked if workload.workspace.exists()]


def _published(name: str) -> Workload:
    folder = data_folder() / "likelihoods" / name
    return Workload(
        name, folder / "BkgOnly.json", folder / "patchset.json", _witness(name)
    )


def _witness(name: str) -> dict[str, dict[str, Any]]:
    path = data_folder().parent / "reference" / f"{name}.json"
    if not path.exists():
        return {}
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return {row["patch"]: row.get("lowest", row["witness"]) for row in rows}
