"""Lanes: one by one, in batches, on several devices."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.compiled import lanes
from hfjax.compiled.lanes import lanes_per_call, map_lanes, workers


def test_only_cores_that_the_process_may_use_count(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert workers() == 3


def test_without_word_of_the_system_all_cores_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert workers() == 1


def test_a_call_takes_lanes_for_each_device(monkeypatch):
    assert lanes_per_call(4, 256) == 4
    monkeypatch.setattr(lanes, "on_cpu", lambda: False)
    monkeypatch.setattr(lanes, "lane_devices", lambda: (1, 2, 3))
    assert lanes_per_call(4, 256) == 768


def test_lanes_behind_the_count_are_not_run():
    found = map_lanes(lambda i: jnp.sqrt(1.0 * i), jnp.array([4, 9, -1]), jnp.int32(2))
    assert found[:2].tolist() == [2.0, 3.0]


# -- batches, as on accelerators ---------------------------------------------------


@pytest.fixture
def batches(monkeypatch):
    """Lanes as on accelerators, with room for so many bytes."""

    def room(most):
        monkeypatch.setattr(lanes, "on_cpu", lambda: False)
        monkeypatch.setattr(lanes, "room_for_lanes", lambda: most)

    return room


def collatz(start):
    """Steps of a loop that each lane has another number of, and its highest value."""

    def turn(s):
        n, most, steps = s
        n = jnp.where(n % 2 == 0, n // 2, 3 * n + 1)
        return n, jnp.maximum(n, most), steps + 1

    begin = jnp.asarray(start, jnp.int64), jnp.int64(0), jnp.int64(0)
    _, most, steps = jax.lax.while_loop(lambda s: s[0] > 1, turn, begin)
    return {"most": most, "steps": steps}


def known(positions):
    return jax.tree.map(np.asarray, jax.lax.map(collatz, jnp.asarray(positions)))


@pytest.mark.parametrize("total", [1, 2, 7, 16])
@pytest.mark.parametrize("room", [0, 200, 1 << 30])
def test_batches_have_the_results_of_lanes_alone(batches, total, room):
    batches(room)
    positions = np.arange(27, 27 + total)
    found = map_lanes(collatz, jnp.asarray(positions), jnp.int32(total))
    alone = known(positions)
    assert all(np.array_equal(found[name], alone[name]) for name in alone)


def test_as_many_lanes_are_in_a_batch_as_there_is_room_for(batches):
    """Alive at once are two arrays of ten numbers, and the position as a float."""

    def function(i):
        return jnp.sin(jnp.cos(jnp.full(10, 1.0) * i))

    def size(room, most):
        batches(room)
        return lanes.batch_size(function, jnp.arange(100), most)

    each = 2 * 80 + 8
    rooms = (0, 2 * each - 1, 2 * each, 99 * each, 1 << 30)
    assert [size(room, 100) for room in rooms] == [1, 1, 2, 99, 100]
    assert size(99 * each, 30) == 30


def test_lanes_behind_the_count_hold_no_batch_up(batches):
    """Those of a last batch are what the first lane is, those of others are not run."""
    batches(0)
    endless = jnp.array([6, 7, -1, -1])
    found = map_lanes(
        lambda i: jax.lax.while_loop(lambda n: n != 9, lambda n: n + 1, i),
        endless,
        jnp.int32(2),
    )
    assert found[:2].tolist() == [9, 9]


def test_lanes_none_of_which_counts_are_not_run(batches):
    batches(0)
    found = map_lanes(collatz, jnp.array([27, 9]), jnp.int32(0))
    assert found["steps"].tolist() == [0, 0]


def test_there_may_be_no_lane(batches):
    batches(1 << 30)
    assert map_lanes(collatz, jnp.zeros(0, int), jnp.int32(0))["steps"].shape == (0,)


def test_a_batch_of_batches_is_a_batch(batches):
    batches(200)

    def scaled(scale):
        some = jnp.arange(1, 6)
        return map_lanes(lambda i: scale * collatz(i)["steps"], some, jnp.int32(5))

    found = jax.vmap(scaled)(jnp.array([1, 2]))
    alone = known(range(1, 6))["steps"]
    assert np.array_equal(found, np.outer([1, 2], alone))


ON_DEVICES = """
import jax, jax.numpy as jnp, numpy as np
from hfjax.compiled import lanes
from hfjax.compiled.program import Program
from tests.compiled.test_lanes import collatz, known

jax.config.update("jax_enable_x64", True)
lanes.on_cpu = lambda: False

@jax.jit
def many(scale, positions, count):
    one = lambda i: {**collatz(i), "scaled": scale * i}
    return lanes.map_lanes(one, positions, count)

def check(total, room, place):
    lanes.room_for_lanes = lambda: room
    positions = np.arange(27, 27 + total)
    program = Program(many, (place(jnp.float64(0.5)), positions, np.int32(total)), {})
    found, alone = program(), known(positions)
    assert all(np.array_equal(found[name], alone[name]) for name in alone)
    assert np.array_equal(found["scaled"], 0.5 * positions)
    # what comes next may be on any device
    assert not any(leaf.committed for leaf in found.values())

total = jax.device_count()
for size in (1, total - 1, total, 2 * total + 1, 5 * total):
    jax.clear_caches()
    check(size, 1 << 30, jnp.asarray)
    jax.clear_caches()
    check(size, 200, jnp.asarray)
check(size, 200, lambda x: jax.device_put(x, jax.devices()[1]))

def scaled(scale):
    return many(scale, np.arange(5), np.int32(5))["scaled"]

scales = jnp.array([1.0, 2.0, 3.0])
assert np.array_equal(jax.vmap(scaled)(scales), np.outer(scales, np.arange(5)))
assert np.array_equal(jax.jit(scaled)(2.0), 2.0 * np.arange(5))
assert np.array_equal(jax.jvp(scaled, (2.0,), (1.0,))[1], np.arange(5.0))
print(total, "devices")
"""


@pytest.mark.parametrize("devices", [3, 4])
def test_several_devices_have_the_same_results(devices):
    flags = f"--xla_force_host_platform_device_count={devices}"
    environment = os.environ | {"XLA_FLAGS": flags}
    command = [sys.executable, "-c", ON_DEVICES]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{devices} devices\n"
