"""Which values are known, and which are traced by ``jit`` and ``vmap``."""

from typing import Any

import jax
from jax.core import Tracer


def is_known(tree: Any) -> bool:
    """Whether no array of a pytree is traced.

    Example:
        >>> is_known([1.0, 2.0])
        True
        >>> bool(jax.jit(lambda x: 1.0 * is_known([x, 1.0]))(2.0))
        False
    """
    return not any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(tree))
