"""Small workspaces with patchsets for the tests of scans."""

from typing import Any

from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.workspace.workspace import Workspace
from tests import workspaces
from tests.workspaces import (
    MU,
    Document,
    histosys,
    modifier,
    normsys,
    sample,
    workspace,
)

Operation = dict[str, Any]


def add(channel: int, added: Document) -> Operation:
    """Add a sample to a channel."""
    path = f"/channels/{channel}/samples/-"
    return {"op": "add", "path": path, "value": added}


def remove(channel: int) -> list[Operation]:
    """Remove a channel and what was observed in it."""
    paths = (f"/channels/{channel}", f"/observations/{channel}")
    return [{"op": "remove", "path": path} for path in paths]


def patchset(patches: dict[str, list[Operation]]) -> PatchSet:
    """Patches by name; their values are their positions."""
    found = [workspaces.patch(n, i, p) for i, (n, p) in enumerate(patches.items())]
    return PatchSet.parse(workspaces.patchset(found, label="position"))


def stat(name: str, data: list) -> Document:
    """Uncertainties of simulated samples."""
    return modifier("staterror", name, data)


def background() -> Workspace:
    """Three channels; one set of gammas for the first two, one for the last."""
    mc = "mc"
    channels = {
        "A": [
            sample("top", [100.0, 60.0], stat(mc, [6.0, 5.0]), normsys("xs", 0.9, 1.2)),
            sample("fakes", [9.0, 4.0], modifier("shapesys", "fakes", [3.0, 2.0])),
        ],
        "B": [
            sample("top", [30.0], stat(mc, [3.0]), histosys("jes", [27.0], [32.0])),
            sample("multijet", [12.0], modifier("shapefactor", "free")),
        ],
        "C": [
            sample("top", [8.0, 3.0, 2.0], stat("mc_C", [0.8, 0.5, 0.4])),
            sample("multijet", [50.0, 40.0, 30.0], modifier("normfactor", "k")),
        ],
    }
    observed = {"A": [112.0, 61.0], "B": [45.0], "C": [60.0, 41.0, 33.0]}
    return Workspace.parse(workspace(channels, observed, poi="mu"))


VARIED = {
    # sorts before all other samples, and brings its own parameters first
    "first": [
        add(0, sample("aa", [10.0, 2.0], MU, normsys("isr", 0.8, 1.3))),
        add(2, sample("aa", [1.0, 5.0, 9.0], MU, normsys("fsr", 0.9, 1.1))),
    ],
    # sorts last, and takes part in the staterrors of the background
    "last": [
        add(
            0,
            sample(
                *("zz", [4.0, 7.0], MU),
                *(stat("mc", [1.0, 1.5]), normsys("isr", 0.9, 1.3)),
            ),
        ),
        add(1, sample("zz", [9.0], MU, stat("mc", [1.5]), normsys("xs", 0.7, 1.4))),
        add(2, sample("zz", [2.0, 3.0, 4.0], MU, stat("mc_C", [0.3, 0.4, 0.5]))),
    ],
    # in one channel only, with a shape of its own and one of the background's
    "shapes": [
        add(
            0,
            sample(
                "signal",
                [12.0, 6.0],
                MU,
                histosys("jes", [11.0, 5.0], [14.0, 6.5]),
                histosys("own", [10.0, 6.5], [13.0, 5.0]),
                stat("mc_signal", [2.0, 1.0]),
            ),
        )
    ],
    # without the first channel, and so without half of its gammas
    "without_A": [
        add(1, sample("s", [20.0], MU, normsys("isr", 0.7, 1.2))),
        *remove(0),
    ],
    # without the last channel
    "without_C": [
        add(0, sample("s", [3.0, 9.0], MU, modifier("shapesys", "sig", [1.0, 2.0]))),
        *remove(2),
    ],
    # the background itself changes
    "replaced": [
        {"op": "replace", "path": "/channels/0/samples/0/data", "value": [90.0, 70.0]},
        add(1, sample("s", [8.0], MU)),
    ],
}
"""Patches that differ in all that patches may differ in."""
