"""Which values are known, and which are traced by ``jit`` and ``vmap``."""

from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from hfjax.model.model import Model


def is_traced(model: Model) -> bool:
    """Whether a model is inside ``jit`` or ``vmap``, or a batch: no value is known."""
    own = model.parameters
    known = (model.poi, own.fixed, own.lower, own.upper)
    return np.ndim(model.poi) > 0 or not is_known(known)


def is_known(tree: Any) -> bool:
    """Whether no array of a pytree is traced.

    Example:
        >>> is_known([1.0, np.ones(2)])
        True
        >>> bool(jax.jit(lambda x: 1.0 * is_known([x, 1.0]))(2.0))
        False
    """
    return not any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(tree))
