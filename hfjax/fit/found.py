"""What a search for the lowest minimum has found."""

import equinox as eqx
import jax.numpy as jnp

from hfjax.arrays import Params, Scalar, ScalarBool
from hfjax.fit.minimize import Minimum


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


def only_found(minimum: Minimum, physical: ScalarBool) -> Found:
    """What has been found by a fit that looks into one valley."""
    far = jnp.full_like(minimum.value, jnp.inf)
    params, value = minimum.params, minimum.value
    return Found(minimum, value, params, far, params, physical)
