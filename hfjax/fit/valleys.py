"""Where other valleys of a likelihood may be, as seen from a minimum.

Parameters that may give the likelihood several valleys are known from the model. One
that the data are far enough for is looked at on a grid, all others following; so are
pairs of those that come off best. Local minima on the grid that are hardly higher than
the minimum are worth a fit.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from hfjax.arrays import (
    Array,
    Params,
    ParamsMask,
    Rates,
    Scalar,
    ScalarBool,
    ScalarInt,
)
from hfjax.fit.found import Found
from hfjax.fit.landscape import (
    LocalModel,
    follow,
    heights,
    held_together,
    look_around,
)
from hfjax.fit.minimize import Minimum
from hfjax.fit.objective import Objective
from hfjax.fit.physical import is_physical
from hfjax.fit.status import FitStatus
from hfjax.fit.valley_grid import (
    MOST,
    Candidates,
    alone,
    grid_of,
    no_candidates,
)
from hfjax.fit.valley_pairs import CHUNK, partners, with_pairs
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
"""How far below that it is, at least..."""
CLOSELY = 0.5
"""...or above it at most, where no more parameters are lopsided than one look takes."""
BAD_FIT = 0.06
"""How far above it may be for each unit of the deviance beyond the number of bins."""
PATIENCE = 2.0
"""A fit is given up if this many times the gain of its last step is not enough."""
ELSEWHERE = 0.15
"""How far apart a lopsided parameter is in two valleys, at least."""


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
    apart = jnp.abs(places - now)
    weight = jnp.maximum(1.0 - apart / _SPACING, 0.0)
    weight = weight / jnp.sum(weight, axis=1, keepdims=True)
    # sums that are written out are one loop each, and products of matrices are not
    rise, bend = (own.curve[..., k] for k in (0, 1))
    rise = rise - jnp.sum(weight * rise, axis=1, keepdims=True)
    bend = bend - jnp.sum(weight * bend, axis=1, keepdims=True)
    gain = 2.0 * (rise * residual[:, :1] + bend * residual[:, 1:])
    stiff = own.stiff[..., None]
    square = stiff[:, 0, 0] * rise**2 + stiff[:, 1, 1] * bend**2
    mixed = (stiff[:, 0, 1] + stiff[:, 1, 0]) * rise * bend
    cost = places**2 - now**2 - gain + square + mixed
    excess = jnp.maximum(deviance - jnp.sum(model.bin_present), 0.0)
    rough = CLOSELY if _are_few(model) else -ROUGH
    limit = jnp.minimum(STRAIGHT * apart**2 + rough, 2.0 * worth) + BAD_FIT * excess
    least = jnp.where(apart >= ELSEWHERE, limit - cost, -jnp.inf)
    exists = jnp.asarray(own.index) < params.size
    return jnp.where(exists, jnp.max(least, axis=1), -jnp.inf)


def _are_few(model: Model) -> bool:
    """Whether one look takes all lopsided parameters."""
    return model.lopsided.index.size <= CHUNK


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
    number, few = jnp.sum(gain >= 0.0), _are_few(objective.model)

    def look(state: tuple[ScalarInt, Candidates]) -> tuple[ScalarInt, Candidates]:
        start, found = state
        chosen = jax.lax.dynamic_slice(index, (start,), (CHUNK,))
        grid = grid_of(objective, at, chosen, bounds)
        value, single = alone(objective, at, grid, worth)
        pairs = partners(at, grid, value, worth, few)
        pairs = pairs._replace(number=jnp.where(start == 0, pairs.number, 0))
        return start + CHUNK, with_pairs(
            objective, at, grid, pairs, (found, single), worth
        )

    nothing, none = no_candidates(params, at), jnp.int32(0)
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
    near = jax.vmap(lambda how: follow(rest, how, moved, bounds))
    apart = jnp.max(jnp.where(moved, jnp.abs(places - at.params), 0.0), axis=1)
    return Valleys(
        jnp.where(moved, places, near(found.following)),
        jnp.isfinite(told[:, 0]) & (apart > ELSEWHERE) & (found.value < TOLD * worth),
    )


def is_near(model: Model, one: Params, other: Params) -> ScalarBool:
    """Whether two points are in one valley, as far as lopsided parameters tell."""
    apart = jnp.abs(one - other)
    far = apart.at[model.lopsided.index].get(mode="fill", fill_value=0.0)
    return jnp.all(far < ELSEWHERE)  # NaN is near nothing


def leads_nowhere(
    objective: Objective, found: Found, at: Minimum, gain: Scalar
) -> ScalarBool:
    """Whether a fit from a place that was seen will not end in a better minimum."""
    model, best = objective.model, found.best
    known = (best.status == FitStatus.CONVERGED) & (at.steps > 0)
    above = at.value > best.value + PATIENCE * gain
    back = (at.value > best.value) & is_near(model, at.params, best.params)
    above = above & jax.lax.cond(
        found.physical | ~above, lambda: True, lambda: ~is_physical(model, at.params)
    )
    return known & (above | back)


def _starts(
    at: LocalModel, found: Candidates, bounds: tuple[Params, Params]
) -> Valleys:
    """Parameters at the places: the moved ones there, the others following."""

    def start(one: Candidates) -> Params:
        moved = jnp.zeros(at.params.size, bool).at[one.index].set(True, mode="drop")
        near = jnp.asarray(follow(at, one.following, moved, bounds))
        return near.at[one.index].set(one.places, mode="drop")

    return Valleys(jax.vmap(start)(found), jnp.isfinite(found.value))
