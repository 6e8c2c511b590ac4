"""Surges: several systematics together that raise one sample many times over.

See `hfjax.model.surges`. What a place costs grows with the square of its distance as
long as nothing gives way; where it grows less, another valley may be near.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float

from hfjax.arrays import Array, Params, Rates, Scalar, ScalarInt
from hfjax.fit.found import Box, Valleys
from hfjax.fit.landscape import LocalModel, follow, heights, held_along
from hfjax.fit.objective import Objective
from hfjax.model.model import Model

LESS = 0.9
"""Part of the square of its distance that a place costs, below which it is tried..."""
HIGHER = 2.0
"""...and how many times higher than other places it may be: estimates are rough."""
NEAREST = 0.3
"""Least distance of a place."""
MOST_SURGES = 2
"""Most of them that are tried, as seen from one minimum."""


class SurgePromise(NamedTuple):
    """What surges promise.

    Attributes:
        gain: of each, from 0 on another valley is possible.
        place: where, along its direction.
    """

    gain: Float[Array, " surge"]
    place: Float[Array, " surge"]


def surge_promise(
    model: Model, params: Params, residual: Rates, worth: Scalar
) -> SurgePromise:
    """How much less than the square of its distance each surge may cost.

    With the change ``T`` of the rates along its direction, in standard deviations, the
    residual ``r`` there, and no slope at the minimum, a place at ``t`` costs about

        (t - t_0)^2 + T stiff T - 2 r (T - T' (t - t_0))

    Args:
        model: a model; names are not needed.
        params: a minimum.
        residual: counts less rates there, in standard deviations.
        worth: how high a place may be.
    """
    own = model.surges
    along = (jnp.asarray(own.along) @ residual)[:, None]
    now = (jnp.asarray(own.direction) @ params)[:, None]
    places, curve = _with_origin(own.places), _with_origin(own.curve)
    here, slope = jax.vmap(_on_curve)(now[:, 0], places, curve)
    change = curve - here[:, None]
    bent = change - slope[:, None] * (places - now)
    cost = (places - now) ** 2 + own.stiff[:, None] * change**2 - 2.0 * along * bent
    apart = jnp.abs(places - now)
    limit = jnp.minimum(LESS * apart**2, HIGHER * worth)
    gain = jnp.where(apart > NEAREST, limit - cost, -jnp.inf)
    best = jnp.argmax(gain, axis=1)[:, None]
    gain, place = (jnp.take_along_axis(of, best, axis=1)[:, 0] for of in (gain, places))
    exists = jnp.asarray(own.places)[:, -1] > 0.0
    return SurgePromise(jnp.where(exists, gain, -jnp.inf), place)


def _on_curve(
    now: Scalar, places: Float[Array, " place"], curve: Float[Array, " place"]
) -> tuple[Scalar, Scalar]:
    """Value and slope where a surge stands."""
    return jax.value_and_grad(jnp.interp)(now, places, curve)


def _with_origin(values: Float[Array, "surge place"]) -> Float[Array, "surge more"]:
    return jnp.pad(values, ((0, 0), (1, 0)))


def surge_starts(
    objective: Objective, at: LocalModel, promised: SurgePromise, box: Box
) -> Valleys:
    """Where the surges lead that promise most; all other parameters follow linearly.

    Args:
        objective: half a deviance.
        at: what is known at its minimum.
        promised: what the surges promise.
        box: lower and upper bound of each parameter, and those that must not move.
    """
    number = min(MOST_SURGES, promised.gain.size)
    gain, which = jax.lax.top_k(promised.gain, number)

    def start(k: ScalarInt) -> Params:
        surge = objective.model.surges.direction[k], promised.place[k]
        return jax.lax.cond(
            promised.gain[k] >= 0.0,
            lambda: _start(objective, at, surge, box),
            lambda: at.params,
        )

    return Valleys(jax.lax.map(start, which), gain >= 0.0)


def _start(
    objective: Objective, at: LocalModel, surge: tuple[Params, Scalar], box: Box
) -> Params:
    """Parameters at a place of a surge."""
    (direction, place), (bounds, fixed) = surge, box
    direction = jnp.where(fixed, 0.0, direction)
    apart = place - direction @ at.params
    there = jnp.clip(at.params + apart * direction, *bounds)
    shift = objective.rates(there) - at.derivatives.rates
    rest = held_along(at, direction)
    none = jnp.zeros((0, shift.size), shift.dtype)
    found = heights(objective, rest, shift, jnp.zeros_like(place), none)
    near = follow(rest, found.following, jnp.zeros_like(fixed), bounds)
    return jnp.clip(near + there - at.params, *bounds)
