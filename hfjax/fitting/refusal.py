"""Fits that are refused inside ``jit`` and ``vmap``, where no error can be raised.

Their status says why, and all their numbers are NaN.
"""

from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from hfjax.arrays import Array, Number, Params, Scalar, ScalarBool, ScalarInt
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitStatus
from hfjax.model.constraints import LogNormalConstraints, PoissonConstraints
from hfjax.model.data import Data
from hfjax.model.model import Constraints, Model

Tree = TypeVar("Tree")


def refusal(objective: Objective, start: Params) -> ScalarInt:
    """Judge where a fit is to start, and its data.

    Args:
        objective: what is to be minimized.
        start: values of all parameters, also of those that the fit holds.

    Returns:
        ``CONVERGED`` if there is nothing wrong; ``OUT_OF_BOUNDS`` if a value is that
        the measurement does not fix; ``NOT_FINITE`` if a value or a datum is none.
    """
    model, own = objective.model, objective.model.parameters
    beyond = (start < own.lower) | (start > own.upper)
    outside = jnp.any(beyond & ~own.fixed)
    bins, aux = usable_terms(model.bin_present, model.constraints, objective.data)
    terms = [jnp.all(usable) for usable in (bins, *aux, jnp.isfinite(start))]
    usable = jnp.all(jnp.stack(terms))
    ok, bad = jnp.int32(FitStatus.CONVERGED), jnp.int32(FitStatus.NOT_FINITE)
    bounds = jnp.int32(FitStatus.OUT_OF_BOUNDS)
    return jnp.where(outside, bounds, jnp.where(usable, ok, bad))


def held_value(model: Model, value: Number) -> Scalar:
    """A value for the parameter of interest; NaN, which no fit has, if there is none.

    Args:
        model: a model whose names are gone, or that is traced.
        value: what the parameter of interest is to be held at.
    """
    return jnp.where(model.poi < 0, jnp.nan, value)


def usable_terms(
    present: Array, constraints: tuple[Constraints, ...], data: Data
) -> tuple[Array, list[Array]]:
    """Which data the terms of a likelihood can have; for NumPy and JAX alike.

    Args:
        present: bins that count.
        constraints: constraint terms.
        data: main and auxiliary data.

    Returns:
        Of each bin, and of the terms of each kind; true where a term does not count.
    """
    bins = ~present | ((data.main >= 0.0) & (data.main < jnp.inf))
    return bins, [_usable(terms, data.aux[terms.position]) for terms in constraints]


def _usable(terms: Constraints, values: Array) -> Array:
    usable = abs(values) < jnp.inf
    if isinstance(terms, PoissonConstraints):
        usable = usable & (values >= 0.0)
    if isinstance(terms, LogNormalConstraints):
        usable = usable & (values > 0.0)
    return ~terms.present | usable


def blanked(tree: Tree, blank: ScalarBool) -> Tree:
    """Make every number of a pytree NaN, if it is to be; masks and counts stay.

    Example:
        >>> blanked([jnp.ones(1), jnp.int32(3)], jnp.array(True))[0].tolist()
        [nan]
    """

    def one(leaf: Any) -> Array:
        real = jnp.issubdtype(jnp.result_type(leaf), jnp.floating)
        return jnp.where(blank, jnp.nan, leaf) if real else leaf

    return jax.tree.map(one, tree)
