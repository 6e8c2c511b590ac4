"""Directions in which the likelihood does not change: what data cannot tell apart."""

import dataclasses

import jax
import numpy as np
from jaxtyping import Float

from hfjax.arrays import Array, Params, ParamsMask
from hfjax.fitting.objective import Objective
from hfjax.fitting.spectrum import spectrum
from hfjax.model.data import Data
from hfjax.model.model import Model

_VISIBLE = 1e-3

Vectors = Float[Array, "par flat"]


@dataclasses.dataclass(frozen=True)
class FlatDirection:
    """A direction in parameter space along which the likelihood does not change.

    Attributes:
        weights: how far each parameter moves, by name; the largest is 1.
        curvature: of the likelihood along it, in units in which every parameter by
            itself has curvature 1.
    """

    weights: dict[str, float]
    curvature: float


def flat_directions(model: Model, data: Data, params: Params) -> list[FlatDirection]:
    """Find the null space of the Hessian of ``-ln L``.

    Parameters that are fixed, or that stand at a bound, take no part.

    Args:
        model: a model with names.
        data: a data set.
        params: where to look, which is at a best fit.

    Returns:
        As many directions as the null space has dimensions, each with as few
        parameters as elimination leaves.

    Example:
        >>> import hfjax
        >>> scale = {"type": "normfactor", "data": None}
        >>> both = [{"name": name, **scale} for name in ("mu", "k")]
        >>> signal = {"name": "signal", "data": [4.0], "modifiers": both}
        >>> config = {"poi": "mu", "parameters": []}
        >>> workspace = {
        ...     "channels": [{"name": "SR", "samples": [signal]}],
        ...     "observations": [{"name": "SR", "data": [4.0]}],
        ...     "measurements": [{"name": "search", "config": config}],
        ...     "version": "1.0.0",
        ... }
        >>> model, data = hfjax.build(hfjax.Workspace.parse(workspace))
        >>> (flat,) = flat_directions(model, data, model.parameters.init)
        >>> {name: round(weight, 6) for name, weight in sorted(flat.weights.items())}
        {'k': 1.0, 'mu': -1.0}
    """
    own, params = jax.tree.map(np.asarray, (model.parameters, params))
    held = own.fixed | at_bound(params, own.lower) | at_bound(params, own.upper)
    if held.all():
        return []
    objective = Objective(model.anonymous(), data.anonymous())
    found = jax.tree.map(np.asarray, _spectrum(objective, params, ~held))
    vectors, names = _sparse(found.vectors[:, found.flat]).T, list(own.names)
    return [_direction(v, found.unit, names, found.scaled) for v in vectors]


def at_bound(params: Params, bound: Params) -> ParamsMask:
    """Which parameters stand at a bound, up to rounding.

    >>> at_bound(np.array([0.0, 1.0, 1.0]), np.array([1e-10, 0.5, np.inf])).tolist()
    [True, False, False]
    """
    return abs(params - bound) < 1e-9 * (1.0 + abs(bound))  # false of infinite ones


_spectrum = jax.jit(spectrum)


def _sparse(basis: Vectors) -> Vectors:
    """Another basis of the same space, in which each vector has a parameter of its own.

    Gauss-Jordan elimination with the largest entry as pivot.
    """
    basis = np.array(basis)
    rows = np.ones(basis.shape[0], bool)
    for k in range(basis.shape[1]):
        left = np.abs(basis[:, k:]) * rows[:, None]
        row, column = np.unravel_index(np.argmax(left), left.shape)
        basis[:, [k, k + column]] = basis[:, [k + column, k]]
        basis[:, k] /= basis[row, k]
        others = np.arange(basis.shape[1]) != k
        basis[:, others] -= np.outer(basis[:, k], basis[row, others])
        rows[row] = False
    return basis


def _direction(
    vector: np.ndarray, unit: np.ndarray, names: list[str], scaled: np.ndarray
) -> FlatDirection:
    """Name a direction, largest weights first; those that are rounding are left out."""
    curvature = float(vector @ scaled @ vector / (vector @ vector))
    moved = np.where(np.abs(vector) > _VISIBLE * np.abs(vector).max(), vector, 0) * unit
    size = np.round(np.abs(moved) / np.abs(moved).max(), 9)  # equal but for rounding
    order = np.argsort(-size, kind="stable")
    moved = moved / moved[order[0]]
    weights = {names[i]: float(moved[i]) for i in order if moved[i]}
    return FlatDirection(weights, curvature)
