"""Lanes as on accelerators, run on several devices of a CPU: the same numbers.

A process has its devices from its beginning, so each case runs in one of its own, with
three devices or four, and with room for all lanes at once or for few.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from tests.scanning.lane_cases import CASES

REPOSITORY = Path(__file__).parents[2]
ROOMY, NARROW = 1 << 30, 30_000
"""Bytes on a device: for all lanes at once, and for a few of a small model."""
SAME = 1e-9
"""Fits are converged to 1e-10 in -2 ln L, whatever the order of their sums."""


def in_batches(name: str, devices: int, room: int, *folders: Path):
    """Numbers of a case, as on so many devices."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    module, arguments = "tests.scanning.lane_cases", map(str, (name, room, *folders))
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=os.environ | {"XLA_FLAGS": flags},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_same(found, known):
    """Equal names and words, and numbers that are nearly equal."""
    assert jax.tree.structure(found) == jax.tree.structure(known)
    for one, other in zip(*map(jax.tree.leaves, (found, known)), strict=True):
        if isinstance(other, str):
            assert one == other
        else:
            np.testing.assert_allclose(one, other, rtol=SAME, atol=SAME)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "devices", "room"),
    [
        ("curve", 3, NARROW),
        ("intervals", 3, NARROW),
        ("profile", 4, ROOMY),
        ("toys", 4, ROOMY),
        ("scan", 3, NARROW),
    ],
)
def test_devices_have_the_numbers_of_lanes_alone(name, devices, room):
    assert_same(in_batches(name, devices, room), CASES[name]())


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "devices", "room"),
    [
        ("curve", 4, ROOMY),
        ("intervals", 4, ROOMY),
        ("profile", 3, NARROW),
        ("toys", 3, NARROW),
        ("scan", 4, ROOMY),
    ],
)
def test_other_devices_have_them_too(name, devices, room):
    assert_same(in_batches(name, devices, room), CASES[name]())


@pytest.mark.long
def test_a_published_scan_on_devices_has_the_numbers_of_points_alone(data_dir):
    found = in_batches("staus", 3, ROOMY, data_dir)
    assert_same(found, CASES["staus"](data_dir))
