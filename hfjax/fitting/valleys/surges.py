"""Surges: several systematics together that raise one sample many times over.

See `hfjax.building.surges`. A sample of ``S = size prod_j f_j`` standard deviations,
with factors ``f_j`` of nuisance parameters that are ``d_j`` away from a minimum, costs
about

    sum_j d_j^2 + stiff T^2 - 2 r (T - S' d)

there, if it changes by ``T`` and all other parameters follow; ``r`` is the residual,
and ``S' d`` what is linear in ``d``, which others balance at a minimum. How the sample
is raised (or given up) most cheaply can be said for each parameter alone: it is where
``p log f_j - d_j^2`` is largest, with one pressure ``p`` on all.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hfjax.arrays import Array, Params, Rates, Scalar, ScalarInt
from hfjax.fitting.box import Domain
from hfjax.fitting.objective import Objective
from hfjax.fitting.valleys.found import Valleys
from hfjax.fitting.valleys.landscape import LocalModel, follow, heights, held_along
from hfjax.model.lookup import read
from hfjax.model.model import Model
from hfjax.model.modifiers import inner_factor, outer_exponent
from hfjax.model.valley_sources import Surges

LESS = 0.9
"""Part of the square of its distance that a place costs, below which it is tried..."""
HIGHER = 2.0
"""...and how many times higher than other places it may be: estimates are rough."""
NEAREST = 0.3
"""Least distance of a place."""
MOST_SURGES = 4
"""Most of them that are tried, as seen from one minimum."""

_SIDE = np.cumsum([*[0.025] * 4, *[0.05] * 4, *[0.1] * 3, 0.2, 0.2, 0.3, 0.4, 0.6, 0.7])
AWAY = np.concatenate([-_SIDE[::-1], [0.0], _SIDE])
"""How far away from a minimum each parameter is looked at."""
HERE = _SIDE.size
"""Position of the minimum among them."""
WANTED = np.array([0.3, 0.6, 1.0])
"""Parts of the best change of a sample, could it be had for nothing."""
GIVEN_UP = -0.3
"""Pressure with which a sample is given up."""

_LEAST_PRESSURE, _RATIO, _NUMBER = 0.01, 1.6, 13
_PRESSURES = _LEAST_PRESSURE * _RATIO ** np.arange(_NUMBER)
_LEAST, _LARGEST = 1e-100, 100.0  # factor, and exponent

Logs = Float[Array, "place factor"]
"""Places come first: sums and maxima over them are over whole rows of factors."""
Factors = Float[Array, " factor"]


class SurgePromise(NamedTuple):
    """What surges promise.

    Attributes:
        gain: of each, from 0 on another valley is possible.
        away: how far away the parameters of its factors are there.
    """

    gain: Float[Array, " surge"]
    away: Factors


def surge_promise(
    model: Model, params: Params, residual: Rates, worth: Scalar
) -> SurgePromise:
    """How much less than the square of its distance each surge may cost.

    Args:
        model: a model; names are not needed.
        params: a minimum.
        residual: counts less rates there, in standard deviations.
        worth: how high a place may be.
    """
    own = model.surges
    logs = _logarithms(own, params, jnp.asarray(AWAY, params.dtype))
    pull = jnp.asarray(own.along) @ residual
    best = jnp.maximum(pull, 0.0) / jnp.where(own.size > 0.0, own.stiff, jnp.inf)
    wanted = _sizes(own, logs[HERE]) + WANTED[:, None] * best
    raised = _pressures(own, logs, wanted)
    given_up = jnp.full_like(raised[:1], GIVEN_UP)
    pressures = jnp.concatenate([raised, given_up])
    moved = jax.vmap(lambda pressure: _raised(logs, _of_factors(own, pressure)))
    there, away = moved(pressures)
    there = jnp.concatenate([there, jnp.zeros_like(there[:1])])  # as by nominal
    away = jnp.concatenate([away, -_now(own, params)[None]])
    look = jax.vmap(lambda place: _gain(own, logs, place, (pull, worth)))
    gain = look((there, away))
    which = jnp.argmax(gain, axis=0)
    gain = jnp.take_along_axis(gain, which[None], axis=0)[0]
    place = _of_factors(own, which)[None]
    return SurgePromise(gain, jnp.take_along_axis(away, place, axis=0)[0])


def _of_factors(own: Surges, each: Array) -> Array:
    """What each surge has, for each of its factors."""
    return jnp.asarray(each).at[own.member].get(mode="clip")


def _sums(own: Surges, factors: Factors) -> Float[Array, " surge"]:
    """Sums over the factors of each surge: they are few, and this is one loop."""
    mine = own.member == jnp.arange(own.size.size)[:, None]
    return jnp.sum(jnp.where(mine, factors, 0.0), axis=1)


def _pressures(
    own: Surges, logs: Logs, wanted: Float[Array, "look surge"]
) -> Float[Array, "look surge"]:
    """Pressures by which samples become about as large as wanted.

    Their sizes are known at a few pressures; between these, both are interpolated by
    their logarithms.
    """
    steps = jnp.asarray(_PRESSURES, logs.dtype)
    sizes = jax.lax.map(lambda one: _sizes(own, _raised(logs, one)[0]), steps)
    heights = jnp.log(jnp.maximum(sizes, _LEAST))
    target = jnp.log(jnp.maximum(wanted, _LEAST))
    above = jnp.clip(jnp.sum(sizes[:, None] < wanted, axis=0), 1, steps.size - 1)
    high, low = (jnp.take_along_axis(heights, above - k, axis=0) for k in (0, 1))
    part = (target - low) / jnp.where(high > low, high - low, jnp.inf)
    place = above - 1 + jnp.clip(part, 0.0, 1.0)
    return _LEAST_PRESSURE * jnp.asarray(_RATIO, logs.dtype) ** place


def _raised(logs: Logs, pressure: Factors | Scalar) -> tuple[Factors, Factors]:
    """Logarithms of the factors under a pressure, and how far away that is."""
    steps = jnp.asarray(AWAY, logs.dtype)[:, None]
    height = pressure * logs - steps**2
    best = height == jnp.max(height, axis=0)
    both = (jnp.where(best, each, -jnp.inf) for each in (logs, steps))
    there, away = (jnp.max(each, axis=0) for each in both)
    return there, away


def _logarithms(own: Surges, params: Params, away: Float[Array, " place"]) -> Logs:
    """Logarithms of the factors, with each parameter away from a minimum."""
    smooth, exponents = _factors(own, params, away)
    return jnp.log(jnp.maximum(smooth, _LEAST)) + exponents


def _factors(
    own: Surges, params: Params, away: Float[Array, " place"]
) -> tuple[Logs, Logs]:
    """Polynomials, or 1, and exponents, or 0, of factors away from a minimum."""
    alpha = _now(own, params) + away[:, None]
    terms, logs = jnp.asarray(own.coefficients), (own.log_hi, own.log_lo)
    return inner_factor(alpha, terms, own.edge), outer_exponent(alpha, logs, own.edge)


def _now(own: Surges, params: Params) -> Factors:
    """Where the parameters of the factors stand; 0 for padded ones."""
    return read(params, own.index)


def _gain(
    own: Surges,
    logs: Logs,
    place: tuple[Factors, Factors],
    scale: tuple[Float[Array, " surge"], Scalar],
) -> Float[Array, " surge"]:
    """What is gained at a place; nothing where factors are zero or negative."""
    (there, away), (pull, worth) = place, scale
    slope = (logs[HERE + 1] - logs[HERE - 1]) / (2.0 * _SIDE[0])
    before, after = (_sizes(own, each) for each in (logs[HERE], there))
    change = after - before
    bent = change - before * _sums(own, slope * away)
    apart = _sums(own, away**2)
    cost = apart + own.stiff * change**2 - 2.0 * pull * bent
    gain = jnp.minimum(LESS * apart, HIGHER * worth) - cost
    none = _sums(own, jnp.where(there > 1.0 + np.log(_LEAST), 0.0, 1.0))
    exists = (apart > NEAREST**2) & (own.size > 0.0) & (none == 0.0)
    return jnp.where(exists, gain, -jnp.inf)


def _sizes(own: Surges, logs: Factors) -> Float[Array, " surge"]:
    """How large the samples are, in standard deviations."""
    return own.size * jnp.exp(jnp.minimum(_sums(own, logs), _LARGEST))


def surge_sizes(own: Surges, params: Params) -> Float[Array, " surge"]:
    """How large each sample that may surge is, in standard deviations of its counts.

    Args:
        own: of a model.
        params: parameter values.

    Returns:
        Sizes, negative where factors turn the sample.
    """
    smooth, exponents = _factors(own, params, jnp.zeros(1, params.dtype))
    logs = jnp.log(jnp.maximum(jnp.abs(smooth), _LEAST)) + exponents
    turns = _sums(own, jnp.where(smooth[0] < 0.0, 1.0, 0.0)) % 2.0
    return jnp.where(turns == 1.0, -1.0, 1.0) * _sizes(own, logs[0])


def surge_starts(
    objective: Objective, at: LocalModel, promised: SurgePromise, domain: Domain
) -> Valleys:
    """Where the surges lead that promise most; all other parameters follow linearly.

    Args:
        objective: half a deviance.
        at: what is known at its minimum.
        promised: what the surges promise.
        domain: bounds of the parameters, and which of them must not move.
    """
    number = min(MOST_SURGES, promised.gain.size)
    gain, which = jax.lax.top_k(promised.gain, number)

    def start(k: ScalarInt) -> Params:
        own = objective.model.surges
        index = jnp.where(own.member == k, own.index, at.params.size)
        away = jnp.zeros_like(at.params).at[index].set(promised.away, mode="drop")
        return jax.lax.cond(
            promised.gain[k] >= 0.0,
            lambda: _start(objective, at, away, domain),
            lambda: at.params,
        )

    return Valleys(jax.lax.map(start, which), gain >= 0.0)


def _start(
    objective: Objective, at: LocalModel, away: Params, domain: Domain
) -> Params:
    """Parameters at a place of a surge."""
    bounds, fixed = domain
    there = jnp.clip(at.params + jnp.where(fixed, 0.0, away), *bounds)
    shift = objective.rates(there) - at.derivatives.rates
    rest = held_along(at, there - at.params)
    none = jnp.zeros((0, shift.size), shift.dtype)
    found = heights(objective, rest, shift, jnp.zeros((), shift.dtype), none)
    near = follow(rest, found.following, jnp.zeros_like(fixed), bounds)
    return jnp.clip(near + there - at.params, *bounds)
