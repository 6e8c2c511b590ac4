"""Numbers that lanes find, run as on accelerators in a process of its own.

`python -m tests.scanning.lane_cases CASE BYTES` forces batches, with room for so many
bytes on a device, and prints the numbers as JSON. `XLA_FLAGS` says how many devices
there are.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

import hfjax
from hfjax.compiled import lanes
from hfjax.inference import toy_lanes
from tests.building.patchsets import VARIED, background, patchset
from tests.likelihoods import load_likelihood
from tests.scanning.test_run import IMPOSSIBLE
from tests.workspaces import HELLO, shapesys

Numbers = dict[str, list]


def hello() -> tuple[hfjax.Model, hfjax.Data]:
    """The model of two bins."""
    return hfjax.build(shapesys(*HELLO, [51.0, 48.0]))


def few_toys() -> Numbers:
    """So few that a batch of them is soon done."""
    found = hfjax.toys(*hello(), 1.0, 64, key=1)
    return {"q": found.q.tolist(), "codes": found.codes.tolist()}


def profiled() -> Numbers:
    """Held fits of a plane, one of them at the best fit."""
    found = hfjax.profile(
        *hello(), {"mu": [0.0, 0.4, 1.0], "gamma[1]": [0.9, 1.0, 1.1]}
    )
    return {"delta": found.delta.tolist(), "status": found.status.tolist()}


def curve() -> Numbers:
    """CLs of an odd number of values."""
    found = hfjax.limit_curve(*hello(), np.linspace(0.0, 3.0, 7))
    return {"CLs_obs": found.CLs_obs.tolist(), "CLs_exp": found.CLs_exp.tolist()}


def ends() -> Numbers:
    """Profile intervals of all parameters, which start where other fits have ended."""
    found = hfjax.intervals(*hello()).to_dict()["intervals"]
    return {name: each["ends"] for name, each in found.items()}


def _scanned(batch: hfjax.ScanBatch) -> Numbers:
    points = hfjax.scan(batch)
    kept = {p.name: [p.CLs_obs, *p.CLs_exp] for p in points if p.converged}
    return {**kept, "failed": [p.name for p in points.failed]}


def varied() -> Numbers:
    """Points of a small patchset with all modifiers, one of them impossible."""
    patches = {**VARIED, "impossible": IMPOSSIBLE}
    return _scanned(hfjax.build_scan(background(), patchset(patches)))


def staus(data_dir: Path) -> Numbers:
    """Four points of a published search."""
    workspace, patches = load_likelihood("staus", data_dir)
    names = [patch.name for patch in patches][::15][:4]
    return _scanned(hfjax.build_scan(workspace, patches, names=names))


CASES: dict[str, Callable[..., Numbers]] = {
    "toys": few_toys,
    "profile": profiled,
    "curve": curve,
    "intervals": ends,
    "scan": varied,
    "staus": staus,
}


def force_batches(room: int) -> None:
    """Run lanes as on accelerators from now on."""
    lanes.on_cpu = lambda: False
    lanes.room_for_lanes = lambda: room
    toy_lanes.DEVICE_TOYS = 16


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    name, room, *folders = sys.argv[1:]
    force_batches(int(room))
    print(json.dumps(CASES[name](*map(Path, folders))))
