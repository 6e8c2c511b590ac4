"""Fits have no derivatives yet: who asks for one gets an error, no wrong number.

Derivatives of the iterations are not those of the minimum: a fit that starts at its
minimum takes no step, and has the derivative zero.
"""

from typing import Any, TypeVar

import jax

from hfjax.errors import DerivativeError

Tree = TypeVar("Tree")


def undifferentiated(tree: Tree) -> Tree:
    """Return the arguments of a fit as they are; derivatives in them are refused.

    Nothing is added to a compiled program. Where no derivative is asked for, or only
    one in something else, nothing happens.

    Args:
        tree: pytree of arrays.

    Returns:
        The same.

    Raises:
        DerivativeError: a derivative is taken, in forward or in reverse mode.

    Example:
        >>> import jax
        >>> float(jax.jit(undifferentiated)(2.0))
        2.0
        >>> float(jax.grad(lambda x, y: x**2 + undifferentiated(y))(3.0, 2.0))
        6.0
        >>> try:
        ...     jax.grad(undifferentiated)(2.0)
        ... except DerivativeError as error:
        ...     str(error).partition(",")[0]
        'a fit has no derivative yet'
    """
    return _as_it_is(tree)


@jax.custom_jvp
def _as_it_is(tree: Any) -> Any:
    return tree


@_as_it_is.defjvp
def _refuse(primals: Any, tangents: Any) -> Any:
    """What JAX calls where an argument has a derivative that is not zero for sure."""
    del primals, tangents
    message = (
        "a fit has no derivative yet, nor have best fits, test statistics and CLs: "
        "differentiate `model.logpdf` at parameters that stay fixed, take differences "
        "of fits, or put `jax.lax.stop_gradient` around the arguments of the fit if it "
        "is to count as constant"
    )
    raise DerivativeError(message)
