"""Where fits of models with expressions start: more than one place.

An expression may make a valley of each sign of a parameter, and a point between them
where no derivative is left: ``mu**2`` at zero, from where no step leads away.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hfjax.arrays import Array, Params, ParamsMask
from hfjax.model.model import Model


def several_starts(
    model: Model, starts: Float[Array, "start par"], fixed: ParamsMask
) -> Float[Array, "more par"]:
    """Add starts that differ from the first in the parameters that expressions use.

    They stand at their initial values, half way from there to either bound, and at the
    bounds: where a root begins, its slope is infinite, and a valley as narrow as that.
    A start that would repeat the first is NaN, which no fit follows.

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
    ends = [_reachable(init, bound) for bound in (own.lower, own.upper)]
    places = [init, *(0.5 * (init + end) for end in ends), *ends]
    more = jnp.where(moves, jnp.stack(places), first)
    repeats = jnp.all(more == first, axis=1, keepdims=True)
    return jnp.concatenate([starts, jnp.where(repeats, jnp.nan, more)])


def _reachable(init: Params, bound: Params) -> Params:
    """A bound; a place at a standard distance where it is infinite."""
    far = init + jnp.sign(bound) * (2.0 + jnp.abs(init))
    return jnp.where(jnp.isfinite(bound), bound, far)
