"""From an unphysical minimum to a physical one: samples that are turned back.

Where systematics have turned a sample negative, a factor without a constraint that
scales it may turn it back: that is what its author allows. A fit is repeated with such
factors held at a little of the other sign (or on their bound), and released there.
Others start with the systematics that turn samples on their other side, and with all
that may make valleys. Where none of them leads to a physical minimum, or only to one
far above, scattered starts are tried.
"""

import jax
import jax.numpy as jnp
import numpy as np

from hfjax.arrays import Params, ParamsMask
from hfjax.fitting.box import Domain
from hfjax.fitting.valleys.found import Starts
from hfjax.fitting.valleys.physical import unphysical_rates
from hfjax.model.model import Model

REVERSALS = 4
"""Fits: held, and released; with some systematics on their other side, and with all."""
SCATTERED = 8
"""Scattered starts, until one leads to a physical minimum that is not far above."""
SCATTER = 1.0, 0.4
"""How far they reach: parameters that may be negative, and others..."""
REACH = np.linspace(0.75, 1.75, SCATTERED)
"""...and how many times as far each of them does, the nearest first."""
SEED = 7
"""Of their order."""
SHARE = 0.1
"""Part of what the first does that a systematic must do to turn samples."""
A_LITTLE = -0.1
"""Part of its value at which a factor is held."""


def may_turn(model: Model) -> bool:
    """Whether a model has systematics that may turn samples."""
    return bool(model.block.histosys.index.size or model.block.normsys.index.size)


def turning_slope(model: Model, params: Params) -> Params:
    """Derivative of the events of samples that are turned too far."""
    return jax.grad(lambda at: jnp.sum(unphysical_rates(model, at)))(params)


def turned_by(model: Model, slope: Params, fixed: ParamsMask) -> ParamsMask:
    """Which free factors without a constraint scale samples that are turned too far."""
    constrained = jnp.zeros(slope.size, bool)
    for terms in model.constraints:
        constrained = constrained.at[terms.index].set(True, mode="drop")
    return (slope != 0.0) & ~constrained & ~fixed


def reversed_factors(params: Params, turned: ParamsMask, domain: Domain) -> Params:
    """Parameters with the factors that turn samples at a little of the other sign."""
    bounds, _ = domain
    return jnp.where(turned, jnp.clip(A_LITTLE * params, *bounds), params)


def other_sides(model: Model, params: Params, slope: Params, domain: Domain) -> Starts:
    """Starts with systematics on the other side of their initial values.

    First those that turn samples too far, then all that are lopsided.

    Args:
        model: a model; names are not needed.
        params: an unphysical minimum.
        slope: `turning_slope` there.
        domain: bounds of the parameters, and which of them must not move.
    """
    bounds, fixed = domain
    init = jnp.asarray(model.parameters.init)
    turns = jnp.abs(slope * (params - init))
    lopsided = jnp.zeros_like(fixed).at[model.lopsided.index].set(True, mode="drop")
    which = jnp.stack([turns > SHARE * jnp.max(turns), lopsided]) & ~fixed
    return jnp.clip(jnp.where(which, 2.0 * init - params, params), *bounds)


def scattered_starts(model: Model, params: Params, domain: Domain) -> Starts:
    """Starts with all parameters away from their initial values.

    As a Latin hypercube, each parameter is once in every part of its range; the starts
    are ever further away, since far ones often have no likelihood.

    Args:
        model: a model; names are not needed.
        params: a minimum; what must not move stays there.
        domain: bounds of the parameters, and which of them must not move.
    """
    (lower, upper), fixed = domain
    init = jnp.asarray(model.parameters.init)
    parts = (2.0 * np.arange(SCATTERED) + 1.0) / SCATTERED - 1.0
    cube = np.tile(parts[:, None], init.size)
    cube = np.random.default_rng(SEED).permuted(cube, axis=0) * REACH[:, None]
    apart = jnp.asarray(cube, init.dtype) * jnp.where(lower < 0.0, *SCATTER)
    return jnp.where(fixed, params, jnp.clip(init + apart, lower, upper))
