"""Many lanes of one function: one by one on CPUs, all at once on accelerators.

Loops of a batch run at the pace of its slowest lane. On a CPU that costs more than a
batch saves; accelerators need one to be busy at all.
"""

import os
from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Int

from hfjax.arrays import Array, ScalarInt

Result = TypeVar("Result")


def one_by_one() -> bool:
    """Whether lanes run one after the other: on CPUs."""
    return jax.default_backend() == "cpu"


def workers() -> int:
    """How many programs run side by side: one for each core that runs lanes.

    Only cores that the process may use count, where the system says which.
    """
    if not one_by_one():
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_lanes(
    function: Callable[[ScalarInt], Result],
    positions: Int[Array, " lane"],
    count: ScalarInt,
) -> Result:
    """Run a function of a lane's position for many lanes.

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
    if not one_by_one():
        return jax.vmap(function)(positions)
    kinds = jax.eval_shape(lambda: function(positions[0]))
    blank = jax.tree.map(
        lambda kind: jnp.zeros((positions.size, *kind.shape), kind.dtype), kinds
    )

    def run(i: ScalarInt, done: Result) -> Result:
        one = function(positions[i])
        return jax.tree.map(lambda all_, value: all_.at[i].set(value), done, one)

    return jax.lax.fori_loop(0, count, run, blank)
