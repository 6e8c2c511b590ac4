"""Where fits of models with expressions start: more than one place.

An expression may make a valley of each sign of a parameter, and a point between them
where no derivative is left: ``mu**2`` at zero, from where no step leads away.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hfjax.arrays import Array, Params, ParamsMask
from hfjax.model.model import Model


def spread_starts(
    model: Model, starts: Float[Array, "start par"], fixed: ParamsMask
) -> Float[Array, "more par"]:
    """Add starts that differ from the first in the parameters that expressions use.

    They stand at their initial values, and half way from there to either bound. A start
    that would repeat the first is NaN, which no fit follows.

    Args:
        model: a model; without expressions, nothing is added.
        starts: where fits start anyway.
        fixed: parameters that must not move.
    """
    if model.derivation is None:
        return starts
    own, first = model.parameters, jnp.asarray(starts[0])
    used = np.isin(np.arange(fixed.size), model.derivation.index)
    moves = used & ~fixed
    init = jnp.asarray(own.init)
    places = [init, *(_half_way(init, end) for end in (own.lower, own.upper))]
    more = jnp.where(moves, jnp.stack(places), first)
    repeats = jnp.all(more == first, axis=1, keepdims=True)
    return jnp.concatenate([starts, jnp.where(repeats, jnp.nan, more)])


def _half_way(init: Params, bound: Params) -> Params:
    """Half way to a bound; a standard length where it is infinite."""
    far = init + jnp.sign(bound) * (2.0 + jnp.abs(init))
    return 0.5 * (init + jnp.where(jnp.isfinite(bound), bound, far))
