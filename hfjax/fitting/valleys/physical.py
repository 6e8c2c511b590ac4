"""Which minima are physical: no sample has been turned negative by its systematics.

The likelihood of a workspace is defined wherever the rate of each bin is positive, also
where one sample is expected to have less than no events. A little of that is ordinary:
linear extrapolation ends somewhere. A minimum that needs a lot of it is an accident of
the interpolation, not a description of data.
"""

import jax.numpy as jnp
from jaxtyping import Float

from hfjax.arrays import Array, Params, Scalar, ScalarBool
from hfjax.model.model import Model
from hfjax.model.sample_block import SampleBlock

TURNED_PART = 0.1
"""Part of its bin's rate that a sample may be negative by."""
TURNED_EVENTS = 0.1
"""Events that a sample may be negative by."""
FAR = 25.0, 0.25
"""A physical minimum is no alternative to an unphysical one that it is further above,
in ``-2 ln L``: so many units, and this part of the deviance."""

Excess = Float[Array, "sample bin"]


def is_physical(model: Model, params: Params) -> ScalarBool:
    """Whether no sample is beyond what `unphysical_rates` allows."""
    return ~jnp.any(unphysical_rates(model, params) != 0.0)


def is_alternative(physical: Scalar, unphysical: Scalar) -> ScalarBool:
    """Whether a physical minimum is taken, and not a lower one that is unphysical.

    One that is far above describes nothing. The likelihood is lower everywhere on the
    way out of the other one, where samples are still physical.

    Args:
        physical: deviance of a physical minimum.
        unphysical: deviance of one that is not.

    Example:
        >>> is_alternative(jnp.array(9.0), jnp.array(4.0)).item()
        True
    """
    units, part = FAR
    return physical <= unphysical + units + part * unphysical


def is_better(
    new: tuple[Scalar, ScalarBool],
    old: tuple[Scalar, ScalarBool],
    lower: ScalarBool,
) -> ScalarBool:
    """Whether a minimum is to be preferred: a physical one, then a lower one.

    Args:
        new: deviance of a minimum, and whether it is physical.
        old: the same of another.
        lower: whether the first is lower than the other.
    """
    (value, physical), (known, was) = new, old
    gains = physical & ~was & (is_alternative(value, known) | lower)
    loses = was & ~physical & ~is_alternative(known, value)
    return gains | loses | ((physical == was) & lower)


def unphysical_rates(model: Model, params: Params) -> Excess:
    """Rates of samples that constrained modifiers have turned too far; zero elsewhere.

    A sample is turned where the product of its normsys factors and its nominal rate
    with its histosys shifts has the other sign than the nominal rate. It is too far
    beyond `TURNED_PART` of the rate of its bin and beyond `TURNED_EVENTS`. Samples that
    are negative by nominal, or by a normfactor, are what their author meant.

    Args:
        model: a model; names are not needed.
        params: parameter values.

    Returns:
        Events of each sample in each bin, those of physical ones set to zero.
    """
    rates, turned = _turned(model.block, model.with_derived(params), model)
    total = jnp.abs(jnp.sum(rates, axis=0))
    far = (jnp.abs(rates) > TURNED_PART * total) & (jnp.abs(rates) > TURNED_EVENTS)
    return jnp.where(turned & far & model.bin_present, rates, 0.0)


def _turned(block: SampleBlock, params: Params, model: Model) -> tuple[Excess, Array]:
    """Rates of a block, and whether constrained modifiers have turned their sign."""
    base = block.nominal + block.histosys.delta(params)
    moved = block.normsys.factor(params)[:, model.bin_channel] * base
    sign = jnp.where(block.nominal < 0.0, -1.0, 1.0)
    return moved * block.scaling.factor(params), sign * moved < 0.0
