"""What a search for the lowest minimum has found."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Bool, Float

from hfjax.arrays import Array, Params, Scalar, ScalarBool
from hfjax.fitting.newton.descend import Minimum

Starts = Float[Array, "start par"]
"""Parameters from which fits start; NaN where there is no start."""


class Valleys(NamedTuple):
    """Places to fit from: those told by others, and those seen.

    Attributes:
        starts: parameters there.
        worth: whether a fit from there is worth it.
    """

    starts: Starts
    worth: Bool[Array, " start"]


def no_valleys(params: Params, room: int) -> Valleys:
    """Nothing that is worth a fit."""
    return Valleys(jnp.zeros((room, params.size), params.dtype), jnp.zeros(room, bool))


class Found(eqx.Module):
    """What a search has found.

    Attributes:
        best: the lowest minimum, of physical ones if there is any.
        initial: half the deviance where the first start leads.
        initial_params: parameters there.
        passed: the lowest unphysical minimum that was seen; infinite without any.
        passed_params: parameters there.
        physical: whether the best is physical.
    """

    best: Minimum
    initial: Scalar
    initial_params: Params
    passed: Scalar
    passed_params: Params
    physical: ScalarBool


class Told(NamedTuple):
    """What other fits have found.

    Attributes:
        minima: theirs, whose valleys are looked at; NaN for none.
        looks: whether others are looked for where the first start leads; if not, then
            only from a lower minimum.
    """

    minima: Float[Array, "told par"]
    looks: ScalarBool | bool = True


def only_found(minimum: Minimum, physical: ScalarBool) -> Found:
    """What has been found by a fit that looks into one valley."""
    far = jnp.full_like(minimum.value, jnp.inf)
    params, value = minimum.params, minimum.value
    return Found(minimum, value, params, far, params, physical)
