"""Pairs of nuisance parameters at places of their grids, all others following."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from hfjax.arrays import Array, Scalar, ScalarInt
from hfjax.fitting.objective import Objective
from hfjax.fitting.valleys.grid import (
    Candidates,
    Grid,
    best_of,
    chosen_of,
    is_here,
    is_low,
)
from hfjax.fitting.valleys.landscape import LocalModel, heights, held_direction

CHUNK = 8
"""Parameters that are looked at together."""
BOTH = 0.3
"""How far two parameters must be moved if neither matters alone, at least."""
PAIRS = 6
"""Most pairs of them that are looked at closely."""
TOGETHER = 1.5
"""How many times better than it seems a pair may be..."""
MARGIN = 0.3
"""...and which part higher than one of its parameters alone, to be looked at."""


class Pairs(NamedTuple):
    """Pairs of parameters, the most promising first.

    Attributes:
        first: their rows in a `Grid`.
        second: the same.
        number: so many are worth a look.
    """

    first: Int[Array, " pair"]
    second: Int[Array, " pair"]
    number: ScalarInt


_FIRST, _SECOND = np.triu_indices(CHUNK, 1)


def partners(
    at: LocalModel,
    grid: Grid,
    value: Float[Array, "moved place"],
    worth: Scalar,
    few: bool,
) -> Pairs:
    """Find pairs that may be low together where neither is alone.

    What both cost is nearly what each costs, and twice the product of the changes of
    the rates, weighed as the other parameters leave it: below either alone if one makes
    up for the other. Where few parameters are lopsided, the best pairs are looked at
    however they seem.
    """
    moved = jnp.asarray(grid.shift) * at.root
    both = 2.0 * _cross(at, grid, moved)
    now = jnp.append(at.params, 0.0)[jnp.minimum(grid.index, at.params.size)]
    far = jnp.abs(grid.places - now[:, None]) >= BOTH
    far = far & (grid.index < at.params.size)[:, None]
    away = jnp.where(far & jnp.isfinite(value), value, jnp.inf)
    first, second = away[_FIRST, :, None], away[_SECOND, None]
    alone = jnp.minimum(jnp.minimum(first, second), worth)
    together = first + second + TOGETHER * jnp.minimum(both, 0.0)
    least = alone + MARGIN * jnp.abs(alone)
    gain = jnp.where(jnp.isfinite(together), least - together, -jnp.inf)
    most, order = jax.lax.top_k(jnp.max(gain, axis=(1, 2)), PAIRS)
    number = jnp.sum(jnp.isfinite(most) if few else most >= 0.0)
    return Pairs(jnp.array(_FIRST)[order], jnp.array(_SECOND)[order], number)


def _cross(
    at: LocalModel, grid: Grid, moved: Float[Array, "moved place bin"]
) -> Float[Array, "pair place place"]:
    """Products of the changes of the rates by two parameters that do not follow."""
    second = jnp.minimum(grid.index[_SECOND], at.params.size - 1)
    held = jnp.asarray(grid.held)[_FIRST]
    held = jnp.stack([held, held_direction(at, second, held[:, None])], axis=1)
    one, other = (
        jnp.einsum("pab,pkb->pak", moved[which], held) for which in (_FIRST, _SECOND)
    )
    whole = jnp.einsum("iab,jcb->ijac", moved @ at.still, moved)[_FIRST, _SECOND]
    return whole + jnp.einsum("pak,pck->pac", one, other)


def with_pairs(
    objective: Objective,
    at: LocalModel,
    grid: Grid,
    pairs: Pairs,
    found: tuple[Candidates, Candidates],
    worth: Scalar,
) -> Candidates:
    """The lowest places, those of pairs included."""

    def add(state: tuple[ScalarInt, Candidates]) -> tuple[ScalarInt, Candidates]:
        turn, found = state
        rows = pairs.first[turn], pairs.second[turn]
        one, other = (jax.tree.map(lambda x, r=r: x[r][None], grid) for r in rows)
        return turn + 1, best_of(found, _pair(objective, at, (one, other), worth))

    start = jnp.int32(0), best_of(*found)
    return jax.lax.while_loop(lambda s: s[0] < pairs.number, add, start)[1]


def _pair(
    objective: Objective, at: LocalModel, grids: tuple[Grid, Grid], worth: Scalar
) -> Candidates:
    """Local minima of two parameters."""
    first, second = grids
    known = jnp.minimum(second.index, at.params.size - 1)
    held = jnp.stack([first.held, held_direction(at, known, first.held[:, None])], 1)
    shift = first.shift[:, :, None] + second.shift[:, None]
    cost = first.cost[:, :, None] + second.cost[:, None]
    wide = jnp.broadcast_to(held[:, None, None], (*cost.shape, *held.shape[1:]))
    found = heights(objective, at, shift, cost, wide)
    apart = ~is_here(at, first)[:, :, None] & ~is_here(at, second)[:, None]
    stays = is_here(at, first)[:, :, None] & is_here(at, second)[:, None]
    value = jnp.where(stays, 0.0, found.value)
    low = is_low(value) & apart & (value < worth)
    places = jnp.broadcast_arrays(first.places[:, :, None], second.places[:, None])
    index = jnp.stack([first.index, second.index], axis=-1)[:, None, None]
    return chosen_of(
        jnp.where(low, value, jnp.inf),
        jnp.broadcast_to(index, (*value.shape, 2)),
        jnp.stack(places, axis=-1),
        found,
    )
