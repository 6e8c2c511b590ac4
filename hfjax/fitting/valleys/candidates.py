"""Where other valleys of a likelihood may be, as seen from a minimum.

Parameters that may give the likelihood several valleys are known from the model. One
that the data are far enough for is looked at on a grid, all others following; so are
pairs of those that come off best. Local minima on the grid that are hardly higher than
the minimum are worth a fit. So are places where several parameters together raise one
sample many times over, if they cost less than the distance to them.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from hfjax.arrays import (
    Array,
    Params,
    Rates,
    Scalar,
    ScalarBool,
    ScalarInt,
)
from hfjax.fitting.box import Box, Domain
from hfjax.fitting.newton.descend import Minimum
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitStatus
from hfjax.fitting.valleys.found import Found, Valleys
from hfjax.fitting.valleys.grid import (
    MOST,
    Candidates,
    alone,
    grid_of,
    no_candidates,
)
from hfjax.fitting.valleys.landscape import (
    LocalModel,
    constraint_cost,
    follow,
    heights,
    held_together,
    look_around,
)
from hfjax.fitting.valleys.pairs import CHUNK, partners, with_pairs
from hfjax.fitting.valleys.surges import (
    MOST_SURGES,
    SurgePromise,
    surge_promise,
    surge_sizes,
    surge_starts,
)
from hfjax.model.curves import PLACES
from hfjax.model.lookup import read
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
"""How far above it may be for each unit of the deviance beyond the number of bins, one
standard deviation away or more; nearer by, for its square."""
PATIENCE = 2.0
"""A fit is given up if this many times the gain of its last step is not enough."""
ELSEWHERE = 0.15
"""How far apart a lopsided parameter is in two valleys, at least."""

_SPACING = np.gradient(PLACES)


class Promise(NamedTuple):
    """How much may be gained elsewhere: from 0 on, it is worth a look.

    Attributes:
        alone: of each lopsided parameter.
        surges: of surges.
    """

    alone: Float[Array, " lopsided"]
    surges: SurgePromise

    def some(self) -> ScalarBool:
        """Whether anything is worth a look."""
        return jnp.any(self.alone >= 0.0) | jnp.any(self.surges.gain >= 0.0)

    def or_all(self, all_: ScalarBool) -> "Promise":
        """The same; with all that exist worth a look if all are looked at."""

        def kept(gain: Array) -> Array:
            least = jnp.where(all_ & (gain > -jnp.inf), 0.0, -jnp.inf)
            return jnp.maximum(gain, least)

        surges = self.surges._replace(gain=kept(self.surges.gain))
        return Promise(kept(self.alone), surges)


def nothing_promised(model: Model) -> Promise:
    """Nothing is worth a look."""
    dtype, own = model.parameters.init.dtype, model.surges
    gain = jnp.full(own.size.shape, -jnp.inf, dtype)
    surges = SurgePromise(gain, jnp.zeros(own.index.shape, dtype))
    return Promise(jnp.full(model.lopsided.index.size, -jnp.inf, dtype), surges)


def explores(model: Model) -> bool:
    """Whether a model has anything that other valleys can be seen by."""
    return bool(model.lopsided.index.size or model.surges.stiff.size)


def has_valleys(model: Model) -> bool:
    """Whether a model has anything that may make several valleys."""
    return bool(explores(model) or _makers(model).size)


def promise(objective: Objective, at: Minimum, worth: Scalar) -> Promise:
    """Look where other valleys are possible.

    Args:
        objective: half a deviance.
        at: its minimum so far.
        worth: how high a place may be.
    """
    model, params, counts = objective.model, at.params, objective.data.main
    rates, deviance = objective.rates(params), 2.0 * at.value
    larger = jnp.maximum(jnp.maximum(rates, counts), 1.0)
    residual = jnp.where(model.bin_present, (counts - rates) / jnp.sqrt(larger), 0.0)
    excess = jnp.maximum(deviance - jnp.sum(model.bin_present), 0.0)
    return Promise(
        lopsided_promise(objective, params, residual, excess, worth),
        surge_promise(model, params, residual, worth),
    )


def lopsided_promise(
    objective: Objective,
    params: Params,
    residual: Rates,
    excess: Scalar,
    worth: Scalar,
) -> Float[Array, " lopsided"]:
    """How much each lopsided parameter may gain elsewhere.

    With the change ``T`` of the rates in its plane, in standard deviations, and the
    residuals ``r``, a place that is ``d`` away costs about

        c(alpha) - c(alpha_0) - 2 T r + T' stiff T

    with the constraint term ``c``, which is at least ``d^2`` if the rates are straight
    in the parameter.

    Args:
        objective: half a deviance.
        params: a minimum.
        residual: counts less rates there, in standard deviations.
        excess: by how much the deviance exceeds the number of bins.
        worth: how high a place may be.
    """
    model, own = objective.model, objective.model.lopsided
    beside = jnp.asarray(own.plane) @ residual
    now = read(params, own.index)[:, None]
    places = jnp.asarray(PLACES, now.dtype)
    apart = jnp.abs(places - now)
    both = jnp.append(jnp.broadcast_to(places, (now.size, places.size)), now, axis=1)
    term = 2.0 * jnp.asarray(constraint_cost(objective, own.index, both))
    weight = jnp.maximum(1.0 - apart / _SPACING, 0.0)
    weight = weight / jnp.sum(weight, axis=1, keepdims=True)
    # sums that are written out are one loop each, and products of matrices are not
    rise, bend = (own.curve[..., k] for k in (0, 1))
    rise = rise - jnp.sum(weight * rise, axis=1, keepdims=True)
    bend = bend - jnp.sum(weight * bend, axis=1, keepdims=True)
    gain = 2.0 * (rise * beside[:, :1] + bend * beside[:, 1:])
    stiff = own.stiff[..., None]
    square = stiff[:, 0, 0] * rise**2 + stiff[:, 1, 1] * bend**2
    mixed = (stiff[:, 0, 1] + stiff[:, 1, 0]) * rise * bend
    cost = term[:, :-1] - term[:, -1:] - gain + square + mixed
    rough = CLOSELY if _are_few(model) else -ROUGH
    limit = jnp.minimum(STRAIGHT * apart**2 + rough, 2.0 * worth)
    limit = limit + BAD_FIT * excess * jnp.minimum(apart**2, 1.0)
    least = jnp.where(apart >= ELSEWHERE, limit - cost, -jnp.inf)
    exists = jnp.asarray(own.index) < params.size
    return jnp.where(exists, jnp.max(least, axis=1), -jnp.inf)


def _are_few(model: Model) -> bool:
    """Whether one look takes all lopsided parameters."""
    return model.lopsided.index.size <= CHUNK


def other_valleys(
    objective: Objective,
    params: Params,
    gain: Promise,
    told: Float[Array, "told par"],
    domain: Domain,
    worth: Scalar,
) -> Valleys:
    """Find places from which a fit may lead to a lower minimum.

    Args:
        objective: half a deviance.
        params: its minimum so far.
        gain: of `promise`.
        told: minima of other fits, which are looked at as well; NaN for none.
        domain: bounds of the parameters, and which of them must not move.
        worth: how high a place may be.
    """
    bounds, fixed = domain
    model, at = objective.model, look_around(objective, params, bounds, fixed)
    heard = jax.lax.cond(
        jnp.any(jnp.isfinite(told)),
        lambda: _told(objective, at, told, domain, worth),
        lambda: Valleys(told, jnp.zeros(told.shape[0], bool)),
    )
    found = [heard]
    if model.lopsided.index.size:
        found.append(_seen(objective, at, gain.alone, domain, worth))
    if model.surges.stiff.size:
        found.append(surge_starts(objective, at, gain.surges, domain))
    return jax.tree.map(lambda *parts: jnp.concatenate(parts), *found)


def number_of_valleys(model: Model, told: int) -> int:
    """Room for places to fit from.

    Args:
        model: a model; names are not needed.
        told: how many other fits tell of theirs.
    """
    seen = MOST if model.lopsided.index.size else 0
    surges = _number_of_surges(model)
    return told + seen + surges if seen or surges else 0


def _number_of_surges(model: Model) -> int:
    """Places among them that surges lead to: the last."""
    return min(MOST_SURGES, model.surges.stiff.size)


def _seen(
    objective: Objective,
    at: LocalModel,
    gain: Float[Array, " lopsided"],
    domain: Domain,
    worth: Scalar,
) -> Valleys:
    """Look at lopsided parameters alone and in pairs, a few at a time."""
    bounds, fixed = domain
    number, few = at.params.size, _are_few(objective.model)
    order = jnp.argsort(-gain)
    index = jnp.asarray(objective.model.lopsided.index)[order]
    index = jnp.append(index, jnp.full(-index.size % CHUNK, number, index.dtype))
    held = jnp.append(fixed, True)[jnp.minimum(index, number)]
    index = jnp.where(held, number, index)
    last = jnp.sum(gain >= 0.0)

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

    begin = jnp.int32(0), no_candidates(at.params, at)
    found = jax.lax.while_loop(lambda s: s[0] < last, look, begin)[1]
    return _starts(at, found, bounds)


def _told(
    objective: Objective,
    at: LocalModel,
    told: Float[Array, "told par"],
    domain: Domain,
    worth: Scalar,
) -> Valleys:
    """Look at the minima of other fits: lopsided parameters there, the rest follow."""
    bounds, fixed = domain
    model = objective.model
    index = jnp.append(model.surges.index, model.lopsided.index)
    moved = jnp.zeros_like(fixed).at[index].set(True, mode="drop") & ~fixed
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
    low = (apart > ELSEWHERE) & (found.value < TOLD * worth)
    starts = jnp.where(moved, places, near(found.following))
    return Valleys(starts, jnp.isfinite(told[:, 0]) & low)


def valley_marks(model: Model, params: Params) -> Float[Array, " mark"]:
    """What tells in which valley parameters are, as far as can be told.

    The parameters that may make valleys, those that expressions use, and the logarithms
    of what surges add.
    """
    own = read(params, _makers(model))
    sizes = surge_sizes(model.surges, params)
    return jnp.concatenate([own, jnp.sign(sizes) * jnp.log1p(jnp.abs(sizes))])


def number_of_marks(model: Model) -> int:
    """How many marks there are of a valley."""
    return _makers(model).size + model.surges.size.size


def is_near(
    one: Float[Array, "*place mark"], other: Float[Array, "*place mark"]
) -> Bool[Array, "*place"]:
    """Whether places with these marks are in one valley; NaN is near nothing."""
    return jnp.all(jnp.abs(one - other) < ELSEWHERE, axis=-1)


def are_known(
    model: Model,
    places: Float[Array, "start mark"],
    ends: Float[Array, "end mark"],
    physical: ScalarBool,
) -> Bool[Array, " start"]:
    """Which places of `other_valleys` are in valleys that a fit has ended in.

    Those that surges lead to are told apart by what surges add alone, unless no end is
    physical.

    Args:
        model: a model; names are not needed.
        places: their marks.
        ends: marks of where fits have ended.
        physical: whether the best of them is.
    """
    number, marks = places.shape
    surge = np.arange(number) >= number - _number_of_surges(model)
    single = np.arange(marks) < _makers(model).size
    alike = (surge[:, None] & single) & physical
    near = jnp.abs(places[:, None] - ends) < ELSEWHERE
    return jnp.any(jnp.all(near | alike[:, None], axis=2), axis=1)


def _makers(model: Model) -> Array:
    """Positions of single parameters that may make valleys."""
    derived = () if model.derivation is None else model.derivation.index
    parts = [model.lopsided.index, model.crossings.index, np.array(derived, np.int32)]
    return jnp.concatenate([jnp.asarray(part, jnp.int32) for part in parts])


def leads_nowhere(
    model: Model,
    known: tuple[Found, Float[Array, " mark"]],
    at: Minimum,
    gain: Scalar,
    left: ScalarBool | bool,
) -> ScalarBool:
    """Whether a fit from a place that was seen will not end in a better minimum.

    Args:
        model: a model; names are not needed.
        known: what has been found, and `valley_marks` of the best of that.
        at: where the fit is.
        gain: of its last step.
        left: whether it has left a crossing, near which valleys may be narrow.
    """
    (found, marks), best = known, known[0].best
    if not marks.size:
        return jnp.array(False)
    settled = (best.status == FitStatus.CONVERGED) & (at.steps > 0)
    # whatever is physical will be better than what is not
    above = (at.value > best.value + PATIENCE * gain) & found.physical
    back = is_near(valley_marks(model, at.params), marks) & left
    return settled & (above | (back & (at.value > best.value)))


def _starts(at: LocalModel, found: Candidates, bounds: Box) -> Valleys:
    """Parameters at the places: the moved ones there, the others following."""

    def start(one: Candidates) -> Params:
        moved = jnp.zeros(at.params.size, bool).at[one.index].set(True, mode="drop")
        near = jnp.asarray(follow(at, one.following, moved, bounds))
        return near.at[one.index].set(one.places, mode="drop")

    return Valleys(jax.vmap(start)(found), jnp.isfinite(found.value))
