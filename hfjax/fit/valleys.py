"""Where other valleys of a likelihood may be, as seen from a minimum.

Parameters that may give the likelihood several valleys are known from the model. One
that the data are far enough for is looked at on a grid, all others following; so are
pairs of those that come off best. Local minima on the grid that are hardly higher than
the minimum are worth a fit.
"""

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from hfjax.arrays import Array, Params, ParamsMask, Rates, Scalar, ScalarInt
from hfjax.fit.landscape import (
    Heights,
    LocalModel,
    constraint_cost,
    follow,
    held_direction,
    heights,
    look_around,
    moved_rates,
)
from hfjax.fit.minimize import Minimum
from hfjax.fit.objective import Objective
from hfjax.model.lopsided import PLACES
from hfjax.model.model import Model

WORTH = 1.0
"""A place is worth a fit if it is at most this much higher in ``-2 ln L``..."""
WORTH_PART = 0.1
"""...and this part of the deviance, as estimates are worse where data fit badly."""
PAIRS_WORTH = 4.0
"""All places of pairs are looked at if some place is at most that much higher."""
SLACK = 1.0
"""How much further data may lie once other parameters have moved, in sigma."""
CHUNK = 8
"""Parameters that are looked at together."""
PARTNERS = 6
"""Parameters whose pairs are looked at."""
MOST = 6
"""Most places that are fitted from, as seen from one minimum."""


class Valleys(NamedTuple):
    """Places to fit from, the most promising first.

    Attributes:
        starts: parameters there.
        number: how many there are.
    """

    starts: Float[Array, "start par"]
    number: ScalarInt


class _Grid(NamedTuple):
    """Parameters on their own grids, where they stand at the minimum included.

    Attributes:
        index: positions of the parameters; their number where there is none.
        places: values, ascending.
        shift: change of the rates there.
        cost: half the deviance of the constraint term, less that at the minimum.
        held: what holding the parameter changes; see `held_direction`.
    """

    index: Int[Array, " moved"]
    places: Float[Array, "moved place"]
    shift: Float[Array, "moved place bin"]
    cost: Float[Array, "moved place"]
    held: Float[Array, "moved bin"]


class _Found(NamedTuple):
    """Places that are worth a fit; two parameters each, or one twice.

    Attributes:
        value: how high the place is.
        index: positions of the parameters that stand elsewhere.
        places: their values.
        response: from which the other parameters follow.
    """

    value: Float[Array, " start"]
    index: Int[Array, "start 2"]
    places: Float[Array, "start 2"]
    response: Float[Array, "start bin"]


def reach(model: Model, params: Params, rates: Rates, counts: Rates) -> Array:
    """How far data lie for each lopsided parameter, over how far they must.

    The data's distance is that in the plane in which the parameter moves the rates,
    with what it takes of it itself.

    Args:
        model: a model; names are not needed.
        params: a minimum.
        rates: expected events there.
        counts: observed events.

    Returns:
        From 1 on, two valleys are possible; 0 for padded parameters.
    """
    own = model.lopsided
    larger = jnp.maximum(jnp.maximum(rates, counts), 1.0)
    off = jnp.where(model.bin_present, (counts - rates) / jnp.sqrt(larger), 0.0)
    within = jnp.sqrt(jnp.sum((jnp.asarray(own.plane) @ off) ** 2, axis=1))
    alpha = jnp.asarray(params).at[own.index].get(mode="fill", fill_value=0.0)
    return (within + jnp.abs(alpha) * own.rise + SLACK) / own.least


def other_valleys(
    objective: Objective,
    best: Minimum,
    far: Float[Array, " lopsided"],
    bounds: tuple[Params, Params],
    fixed: ParamsMask,
    worth: Scalar,
) -> Valleys:
    """Find places from which a fit may lead to a lower minimum.

    Args:
        objective: half a deviance.
        best: its minimum so far.
        far: of `reach`.
        bounds: lower and upper bound of each parameter.
        fixed: parameters that must not move.
        worth: how much higher than usual a place may be.
    """
    params = jnp.asarray(best.params)
    at = look_around(objective, params, bounds, fixed)
    worth = worth + WORTH + WORTH_PART * 2.0 * best.value
    order = jnp.argsort(-far)
    index = jnp.asarray(objective.model.lopsided.index)[order]
    room = -index.size % CHUNK
    index = jnp.append(index, jnp.full(room, params.size, index.dtype))
    held = jnp.append(fixed, True)[jnp.minimum(index, params.size)]
    index = jnp.where(held, params.size, index)
    number = jnp.sum(far >= 1.0)

    def look(state: tuple[ScalarInt, _Found]) -> tuple[ScalarInt, _Found]:
        start, found = state
        chosen = jax.lax.dynamic_slice(index, (start,), (CHUNK,))
        grid = _grid(objective, at, chosen, bounds)
        return start + CHUNK, _best(found, _alone(objective, at, grid, worth))

    nothing = _nothing(params, at)
    none = jnp.int32(0)
    found = jax.lax.while_loop(lambda s: s[0] < number, look, (none, nothing))[1]
    partners = jnp.where(jnp.arange(PARTNERS) < number, index[:PARTNERS], params.size)
    found = jax.lax.cond(
        number > 1,
        lambda: _best(found, _pairs(objective, at, partners, bounds, worth)),
        lambda: found,
    )
    return _starts(at, found, bounds)


def no_valleys(params: Params) -> Valleys:
    """Nothing that is worth a fit."""
    return Valleys(jnp.zeros((MOST, params.size), params.dtype), jnp.int32(0))


def _nothing(params: Params, at: LocalModel) -> _Found:
    far = jnp.full(MOST, jnp.inf, params.dtype)
    none = jnp.full((MOST, 2), params.size, jnp.int32)
    places = jnp.zeros((MOST, 2), params.dtype)
    return _Found(far, none, places, jnp.zeros((MOST, at.root.size), params.dtype))


def _best(first: _Found, second: _Found) -> _Found:
    """The lowest places of both, `MOST` of them."""
    both = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), first, second)
    order = jnp.argsort(both.value)[:MOST]
    return jax.tree.map(lambda leaf: leaf[order], both)


def _grid(
    objective: Objective,
    at: LocalModel,
    index: Int[Array, " moved"],
    bounds: tuple[Params, Params],
) -> _Grid:
    """Look at parameters alone; one that does not exist has a grid of no change."""
    real = index < at.params.size
    chosen = jnp.where(real, index, 0)
    now = at.params[chosen]
    low, high = (jnp.asarray(bound)[chosen][:, None] for bound in bounds)
    places = jnp.broadcast_to(jnp.asarray(PLACES, now.dtype), (index.size, PLACES.size))
    places = jnp.where(real[:, None], jnp.clip(places, low, high), now[:, None])
    places = jnp.sort(jnp.concatenate([places, now[:, None]], axis=1), axis=1)
    shift = moved_rates(at, chosen, places) - at.derivatives.rates
    stays = places == now[:, None]
    before = constraint_cost(objective, chosen, now[:, None])
    alone = jnp.zeros((index.size, 0, at.root.size), now.dtype)
    return _Grid(
        index=index,
        places=places,
        shift=jnp.where(stays[..., None], 0.0, shift),
        cost=constraint_cost(objective, chosen, places) - before,
        held=held_direction(at, chosen, alone),
    )


def _alone(
    objective: Objective, at: LocalModel, grid: _Grid, worth: Scalar
) -> _Found:
    """Local minima of single parameters."""
    held = jnp.broadcast_to(
        grid.held[:, None, None], (*grid.places.shape, 1, at.root.size)
    )
    found = heights(objective, at, grid.shift, grid.cost, held)
    stays = _stays(at, grid)
    value = jnp.where(stays, 0.0, found.value)
    low = _is_low(value[:, None])[:, 0] & ~stays & (value < worth)
    index = jnp.broadcast_to(grid.index[:, None], value.shape)
    return _chosen(
        jnp.where(low, value, jnp.inf),
        jnp.stack([index, index], axis=-1),
        jnp.stack([grid.places, grid.places], axis=-1),
        found,
    )


def _stays(at: LocalModel, grid: _Grid) -> Bool[Array, "moved place"]:
    own = jnp.append(at.params, 0.0)[jnp.minimum(grid.index, at.params.size)]
    return (grid.places == own[:, None]) | (grid.index == at.params.size)[:, None]


def _is_low(value: Float[Array, "table row place"]) -> Bool[Array, "table row place"]:
    """Which places of tables are no higher than their neighbours, corners included."""
    value = jnp.nan_to_num(value, nan=jnp.inf, posinf=jnp.inf)
    padded = jnp.pad(value, ((0, 0), (1, 1), (1, 1)), constant_values=jnp.inf)
    rows, places = value.shape[1:]
    low = jnp.isfinite(value)
    for i, k in itertools.product(range(3), range(3)):
        other = padded[:, i : i + rows, k : k + places]
        if (i, k) < (1, 1):
            low = low & (value <= other)
        elif (i, k) > (1, 1):  # of equal neighbours, one is enough
            low = low & (value < other)
    return low


def _chosen(value: Array, index: Array, places: Array, found: Heights) -> _Found:
    """The lowest of many places."""
    flat = jnp.ravel(value)
    _, where = jax.lax.top_k(-flat, min(MOST, flat.size))
    return _Found(
        value=flat[where],
        index=index.reshape(-1, 2)[where],
        places=places.reshape(-1, 2)[where],
        response=found.response.reshape(flat.size, -1)[where],
    )


_FIRST, _SECOND = np.triu_indices(PARTNERS, 1)


def _pairs(
    objective: Objective,
    at: LocalModel,
    index: Int[Array, " partner"],
    bounds: tuple[Params, Params],
    worth: Scalar,
) -> _Found:
    """Local minima of pairs of parameters, if the best places let expect any."""
    grid = _grid(objective, at, index, bounds)
    first, second = (jax.tree.map(lambda x, w=w: x[w], grid) for w in (_FIRST, _SECOND))
    both = (first.index < at.params.size) & (second.index < at.params.size)
    known = jnp.minimum(second.index, at.params.size - 1)
    held = jnp.stack([first.held, held_direction(at, known, first.held[:, None])], 1)
    shift = first.shift[:, :, None] + second.shift[:, None]
    cost = first.cost[:, :, None] + second.cost[:, None]
    wide = jnp.broadcast_to(held[:, None, None], (*cost.shape, *held.shape[1:]))
    found = heights(objective, at, shift, cost, wide)
    stays = _stays(at, first)[:, :, None] & _stays(at, second)[:, None]
    value = jnp.where(stays, 0.0, found.value)
    low = _is_low(value) & ~_stays(at, first)[:, :, None] & ~_stays(at, second)[:, None]
    low = low & (value < worth) & both[:, None, None]
    places = jnp.broadcast_arrays(first.places[:, :, None], second.places[:, None])
    index = jnp.stack([first.index, second.index], axis=-1)[:, None, None]
    return _chosen(
        jnp.where(low, value, jnp.inf),
        jnp.broadcast_to(index, (*value.shape, 2)),
        jnp.stack(places, axis=-1),
        found,
    )


def _starts(at: LocalModel, found: _Found, bounds: tuple[Params, Params]) -> Valleys:
    """Parameters at the places: the moved ones there, the others following."""

    def start(one: _Found) -> Params:
        moved = jnp.zeros(at.params.size, bool).at[one.index].set(True, mode="drop")
        near = follow(at, one.response, moved, bounds)
        return near.at[one.index].set(one.places, mode="drop")

    number = jnp.sum(jnp.isfinite(found.value)).astype(jnp.int32)
    return Valleys(jax.vmap(start)(found), number)
