"""From an unphysical minimum to a physical one: samples turned back by their factors.

Where systematics have turned a sample negative, a factor without a constraint that
scales it may turn it back: that is what its author allows. A fit is repeated with such
factors held at a little of the other sign (or on their bound), and released there.
"""

import jax
import jax.numpy as jnp

from hfjax.arrays import Params, ParamsMask
from hfjax.fit.found import Box
from hfjax.fit.physical import unphysical_rates
from hfjax.model.model import Model

REVERSALS = 2
"""Fits: held, and released."""
A_LITTLE = -0.1
"""Part of its value at which a factor is held."""


def turned_by(model: Model, params: Params, fixed: ParamsMask) -> ParamsMask:
    """Which free factors without a constraint scale samples that are turned too far."""
    constrained = jnp.zeros(params.size, bool)
    for terms in (model.gaussian, model.poisson, model.lognormal):
        constrained = constrained.at[terms.index].set(True, mode="drop")
    slope = jax.grad(lambda at: jnp.sum(unphysical_rates(model, at)))(params)
    return (slope != 0.0) & ~constrained & ~fixed


def reversed_factors(params: Params, turned: ParamsMask, box: Box) -> Params:
    """Parameters with the factors that turn samples at a little of the other sign."""
    bounds, _ = box
    return jnp.where(turned, jnp.clip(A_LITTLE * params, *bounds), params)
