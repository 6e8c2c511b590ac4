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

from hfjax.arrays import (
    Array,
    Params,
    ParamsMask,
    Rates,
    Scalar,
    ScalarBool,
    ScalarInt,
)
from hfjax.fit.landscape import (
    Heights,
    LocalModel,
    constraint_cost,
    follow,
    heights,
    held_direction,
    held_together,
    look_around,
    moved_rates,
)
from hfjax.fit.objective import Objective
from hfjax.model.lopsided import PLACES
from hfjax.model.model import Model

WORTH = 1.0
"""A place is worth a fit if it is at most this much higher in ``-2 ln L``..."""
WORTH_PART = 0.1
"""...and this part of the deviance, as estimates are worse where data fit badly."""
TOLD = 0.5
"""Part of that for minima of other fits, which are judged better than a grid is."""
STRAIGHT = 0.5
"""Part of what a place costs where rates are straight, below which it is looked at."""
ROUGH = 0.05
"""How far below that it is, at least."""
BAD_FIT = 0.06
"""How far above it may be for each unit of the deviance beyond the number of bins."""
NEARLY = 1.0
"""How far above that a place may be for pairs to be looked at."""
CHUNK = 8
"""Parameters that are looked at together."""
STRONG = 0.5
"""Least length of a unit of a parameter, in sigma, for its pairs to be looked at."""
PARTNERS = 4
"""Parameters whose pairs are looked at."""
ELSEWHERE = 0.4
"""How far apart a lopsided parameter is in two valleys, at least."""
MOST = 6
"""Most places that are fitted from, as seen from one minimum."""


Box = tuple[tuple[Params, Params], ParamsMask]
"""Lower and upper bound of each parameter, and which of them must not move."""


class Valleys(NamedTuple):
    """Places to fit from: those told by others, and those seen, the lowest first.

    Attributes:
        starts: parameters there.
        worth: whether a fit from there is worth it.
    """

    starts: Float[Array, "start par"]
    worth: Bool[Array, " start"]


_SPACING = np.gradient(PLACES)


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


def promise(
    model: Model,
    params: Params,
    expected: tuple[Rates, Rates],
    deviance: Scalar,
    worth: Scalar,
) -> Array:
    """How much each lopsided parameter may gain elsewhere: a first, cheap look.

    With the change ``T`` of the rates in its plane, in standard deviations, and the
    residuals ``r``, a place that is ``d`` away costs about

        alpha^2 - alpha_0^2 - 2 T r + T' stiff T

    which is at least ``d^2`` if the rates are straight in the parameter.

    Args:
        model: a model; names are not needed.
        params: a minimum.
        expected: events that are expected there, and those observed.
        deviance: at the minimum.
        worth: how high a place may be.

    Returns:
        From 0 on, another valley is possible.
    """
    own, (rates, counts) = model.lopsided, expected
    larger = jnp.maximum(jnp.maximum(rates, counts), 1.0)
    off = jnp.where(model.bin_present, (counts - rates) / jnp.sqrt(larger), 0.0)
    residual = jnp.asarray(own.plane) @ off
    now = jnp.asarray(params).at[own.index].get(mode="fill", fill_value=0.0)[:, None]
    places = jnp.asarray(PLACES, now.dtype)
    weight = jnp.maximum(1.0 - jnp.abs(now - places) / _SPACING, 0.0)
    weight = weight / jnp.sum(weight, axis=1, keepdims=True)
    change = (
        jnp.asarray(own.curve) - jnp.einsum("jg,jgk->jk", weight, own.curve)[:, None]
    )
    change = jnp.where(jnp.abs(places - now)[..., None] < 1e-9, 0.0, change)
    gain = 2.0 * jnp.einsum("jgk,jk->jg", change, residual)
    stiff = jnp.einsum("jgk,jkl,jgl->jg", change, own.stiff, change)
    cost = places**2 - now**2 - gain + stiff
    apart = jnp.abs(places - now)
    excess = jnp.maximum(deviance - jnp.sum(model.bin_present), 0.0)
    limit = jnp.minimum(STRAIGHT * apart**2 - ROUGH, 2.0 * worth) + BAD_FIT * excess
    least = jnp.where(apart >= ELSEWHERE, limit - cost, -jnp.inf)
    exists = jnp.asarray(own.index) < params.size
    return jnp.where(exists, jnp.max(least, axis=1), -jnp.inf)


def other_valleys(
    objective: Objective,
    params: Params,
    hints: tuple[Float[Array, " lopsided"], Float[Array, "told par"]],
    box: Box,
    worth: Scalar,
) -> Valleys:
    """Find places from which a fit may lead to a lower minimum.

    Args:
        objective: half a deviance.
        params: its minimum so far.
        hints: of `promise`, and minima of other fits, which are looked at as well; NaN
            for none.
        box: lower and upper bound of each parameter, and those that must not move.
        worth: how high a place may be.
    """
    (gain, told), (bounds, fixed) = hints, box
    at = look_around(objective, params, bounds, fixed)
    order = jnp.argsort(-gain)
    index = jnp.asarray(objective.model.lopsided.index)[order]
    index = jnp.append(index, jnp.full(-index.size % CHUNK, params.size, index.dtype))
    held = jnp.append(fixed, True)[jnp.minimum(index, params.size)]
    index = jnp.where(held, params.size, index)
    number = jnp.sum(gain >= 0.0)
    strong = (gain >= -NEARLY) & (objective.model.lopsided.rise >= STRONG)

    def look(state: tuple[ScalarInt, _Found]) -> tuple[ScalarInt, _Found]:
        start, found = state
        chosen = jax.lax.dynamic_slice(index, (start,), (CHUNK,))
        grid = _grid(objective, at, chosen, bounds)
        found = _best(found, _alone(objective, at, grid, worth))
        found = jax.lax.cond(
            (start == 0) & (jnp.sum(strong) > 1),
            lambda: _best(found, _pairs(objective, at, grid, worth)),
            lambda: found,
        )
        return start + CHUNK, found

    nothing, none = _nothing(params, at), jnp.int32(0)
    found = jax.lax.while_loop(lambda s: s[0] < number, look, (none, nothing))[1]
    seen = _starts(at, found, bounds)
    heard = jax.lax.cond(
        jnp.any(jnp.isfinite(told)),
        lambda: _told(objective, at, told, box, worth),
        lambda: Valleys(told, jnp.zeros(told.shape[0], bool)),
    )
    return jax.tree.map(lambda a, b: jnp.concatenate([a, b]), heard, seen)


def no_valleys(params: Params, told: int) -> Valleys:
    """Nothing that is worth a fit."""
    room = MOST + told
    return Valleys(jnp.zeros((room, params.size), params.dtype), jnp.zeros(room, bool))


def _told(
    objective: Objective,
    at: LocalModel,
    told: Float[Array, "told par"],
    box: Box,
    worth: Scalar,
) -> Valleys:
    """Look at the minima of other fits: lopsided parameters there, the rest follow."""
    bounds, fixed = box
    own = jnp.zeros(at.params.size, bool)
    moved = own.at[objective.model.lopsided.index].set(True, mode="drop") & ~fixed
    rest = held_together(at, moved)
    places = jnp.where(moved & jnp.isfinite(told), told, at.params)
    before = at.derivatives.rates
    cost = jax.lax.map(lambda one: objective.value_at(one, before), places)
    found = heights(
        objective,
        rest,
        jax.lax.map(objective.rates, places) - before,
        cost - objective.value_at(at.params, before),
        jnp.zeros((told.shape[0], 0, before.size), before.dtype),
    )
    near = jax.vmap(lambda response: follow(rest, response, moved, bounds))
    apart = jnp.max(jnp.where(moved, jnp.abs(places - at.params), 0.0), axis=1)
    return Valleys(
        jnp.where(moved, places, near(found.response)),
        jnp.isfinite(told[:, 0]) & (apart > ELSEWHERE) & (found.value < TOLD * worth),
    )


def is_near(model: Model, one: Params, other: Params) -> ScalarBool:
    """Whether two points are in one valley, as far as lopsided parameters tell."""
    apart = jnp.abs(one - other)
    far = apart.at[model.lopsided.index].get(mode="fill", fill_value=0.0)
    return jnp.all(far < ELSEWHERE)  # NaN is near nothing


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


def _alone(objective: Objective, at: LocalModel, grid: _Grid, worth: Scalar) -> _Found:
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
    grid: _Grid,
    worth: Scalar,
) -> _Found:
    """Local minima of pairs of the first parameters."""
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
        near = jnp.asarray(follow(at, one.response, moved, bounds))
        return near.at[one.index].set(one.places, mode="drop")

    return Valleys(jax.vmap(start)(found), jnp.isfinite(found.value))
