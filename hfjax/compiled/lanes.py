"""Many lanes of one function: one by one on CPUs, in batches on accelerators.

Loops of a batch run at the pace of its slowest lane. On a CPU that costs more than a
batch saves; accelerators need one to be busy at all. There, lanes are shared out to all
devices, each of which has loops of its own and waits for no other; and what does not
fit into their memory at once is cut into batches, one after the other.
"""

import os
from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, PartitionSpec
from jaxtyping import Bool, Int

from hfjax.arrays import Array, ScalarInt
from hfjax.compiled.devices import lane_devices, on_cpu, room_for_lanes
from hfjax.compiled.memory import most_bytes

Result = TypeVar("Result")
LaneFunction = Callable[[ScalarInt], Result]
"""A pure function of a lane's position."""


def one_by_one() -> bool:
    """Whether lanes run one after the other: on CPUs."""
    return on_cpu()


def workers() -> int:
    """How many programs run side by side: one for each core that runs lanes.

    Only cores that the process may use count, where the system says which.
    """
    if not one_by_one():
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def lanes_per_call(on_cpu: int, on_device: int) -> int:
    """Lanes that one call of a program takes, so that progress is seen between calls.

    Args:
        on_cpu: so many on a CPU.
        on_device: so many for each device on accelerators.
    """
    return on_cpu if one_by_one() else on_device * len(lane_devices())


def map_lanes(
    function: LaneFunction[Result], positions: Int[Array, " lane"], count: ScalarInt
) -> Result:
    """Run a function of a lane's position for many lanes.

    Results do not depend on the number of devices, nor on how many lanes fit into a
    batch, but for rounding.

    Args:
        function: pure; its results have the same shapes in all lanes.
        positions: of the lanes.
        count: number of lanes that count: what is behind them may be anything.

    Returns:
        The results, lanes on the first axis.

    Example:
        >>> map_lanes(lambda i: i * i, jnp.arange(4), jnp.int32(3)).tolist()
        [0, 1, 4, 0]
    """
    if one_by_one():
        return in_turn(function, positions, count)
    devices, total = len(lane_devices()), positions.size
    each = batch_size(function, positions, -(-total // devices))
    turns = max(1, -(-total // (each * devices)))
    each = -(-total // (turns * devices))  # the last batch is no smaller than others
    lane = jnp.arange(turns * devices * each)
    # What does not count is what the first lane is: no batch waits for it.
    known = positions[jnp.where(lane < count, lane, 0)] if total else positions
    rows = known.reshape(turns, devices, each)
    needed = jnp.arange(turns) * devices * each < count
    found = _on_devices(jax.vmap(function), rows, needed)
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[3:])[:total], found)


def in_turn(function: Callable[..., Result], given: Array, count: ScalarInt) -> Result:
    """Call a function for the first of what is given, one after the other.

    Args:
        function: pure; its results have the same shapes in all calls.
        given: what each call is given, on the first axis.
        count: number of calls.

    Returns:
        The results on a new first axis, zero where there was no call.
    """
    kinds = jax.eval_shape(function, jax.ShapeDtypeStruct(given.shape[1:], given.dtype))
    blank = jax.tree.map(
        lambda kind: jnp.zeros((given.shape[0], *kind.shape), kind.dtype), kinds
    )

    def run(i: ScalarInt, done: Result) -> Result:
        one = function(given[i])
        return jax.tree.map(lambda all_, value: all_.at[i].set(value), done, one)

    return jax.lax.fori_loop(0, count, run, blank)


def _on_devices(
    batch: Callable[..., Result],
    rows: Int[Array, "turn device lane"],
    needed: Bool[Array, " turn"],
) -> Result:
    """Call a function of a batch on each device, as many times as there are turns."""
    count = jnp.sum(needed, dtype=jnp.int32)

    def on_one(own: Int[Array, "turn 1 lane"]) -> Result:
        found = in_turn(batch, own[:, 0], count)
        return jax.tree.map(lambda leaf: leaf[:, None], found)

    if rows.shape[1] == 1:
        return on_one(rows)
    kind, place = (AxisType.Auto,), PartitionSpec(None, "device")
    mesh = jax.make_mesh(rows.shape[1:2], ("device",), kind, devices=lane_devices())
    return jax.shard_map(
        on_one, mesh=mesh, in_specs=place, out_specs=place, check_vma=False
    )(rows)


def batch_size(
    function: LaneFunction[Result], positions: Int[Array, " lane"], most: int
) -> int:
    """Lanes that one device takes at once: as many as its memory has room for.

    Args:
        function: of a lane.
        positions: of all lanes.
        most: lanes that there are for the device.
    """
    traced = jax.make_jaxpr(function)(jax.ShapeDtypeStruct((), positions.dtype))
    each = max(1, most_bytes(traced.jaxpr))
    return max(1, min(most, room_for_lanes() // each))
