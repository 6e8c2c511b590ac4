"""The Fisher matrix, which measures steps in standard deviations, and its inverse.

    M = C + J diag(w) J',

a diagonal plus a matrix of rank ``n_bins``, inverted in the smaller space of bins
(Woodbury).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float

from hfjax.arrays import Array, Params, ParamsMask, Scalar, ScalarInt
from hfjax.fitting.objective import Expansion
from hfjax.model.derivatives import Jacobian

FEW = 8
"""Most bins that are solved without LAPACK: loading it costs a new process a tenth of a
second, more than the fits of such a model."""
MIN_CURVATURE = 1e-8
"""Least curvature of an unconstrained parameter, relative to its Fisher information."""


class Inverse(NamedTuple):
    """Inverse of a `Metric` on some of the parameters, zero on the others.

    Attributes:
        diagonal: inverse of the metric's diagonal part.
        scaled: its product with the metric's factor.
        root: Cholesky factor of the matrix in the space of bins; of at most `FEW` bins
            the inverse of that factor.
    """

    diagonal: Params
    scaled: Jacobian
    root: Float[Array, "bin bin"]

    def __call__(self, vector: Params) -> Params:
        """Apply the inverse to a vector (Woodbury's formula)."""
        right = vector @ self.scaled
        if right.size <= FEW:
            middle = (self.root @ right) @ self.root
        else:
            middle = jax.scipy.linalg.cho_solve((self.root, True), right)
        return self.diagonal * vector - self.scaled @ middle


def inverse_root(matrix: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """Inverse of the Cholesky factor of a positive definite matrix, by elimination.

    Example:
        >>> inverse_root(jnp.array([[4.0, 2.0], [2.0, 5.0]])).tolist()
        [[0.5, 0.0], [-0.25, 0.5]]
    """
    size = matrix.shape[0]
    rows = jnp.arange(size)

    def eliminate(i: ScalarInt, table: Array) -> Array:
        column = table[:, i] / jnp.sqrt(table[i, i])
        row = table[i] / jnp.sqrt(table[i, i])
        below = table - jnp.where(rows > i, column, 0.0)[:, None] * row
        return jnp.where((rows == i)[:, None], row, below)

    both = jnp.concatenate([matrix, jnp.eye(size, dtype=matrix.dtype)], axis=1)
    return jax.lax.fori_loop(0, size, eliminate, both)[:, size:]


class Metric(NamedTuple):
    """The Fisher matrix ``diag(curvature) + factor factor'``.

    Attributes:
        curvature: diagonal part: constraints, and curvature in one parameter alone.
        factor: derivative of the rates over their uncertainties.
    """

    curvature: Params
    factor: Jacobian

    def norm(self, vector: Params) -> Scalar:
        """Length of a vector, in standard deviations."""
        own = vector @ (self.curvature * vector)
        return jnp.sqrt(own + jnp.sum((vector @ self.factor) ** 2))

    def diagonal(self) -> Params:
        """Diagonal of the matrix."""
        return self.curvature + jnp.sum(self.factor**2, axis=1)

    def inverse(self, free: ParamsMask) -> Inverse:
        """The inverse on the free parameters."""
        diagonal = jnp.where(free, 1.0 / self.curvature, 0.0)
        scaled = diagonal[:, None] * self.factor
        bins = self.factor.shape[1]
        # a transpose that is written out makes the product three times as fast on a CPU
        by_bin = jax.lax.optimization_barrier(self.factor.T)
        small = jnp.eye(bins, dtype=diagonal.dtype) + by_bin @ scaled
        root = inverse_root(small) if bins <= FEW else jnp.linalg.cholesky(small)
        return Inverse(diagonal, scaled, root)


def fisher(at: Expansion) -> Metric:
    """Fisher matrix of an expansion, positive definite by construction."""
    jacobian = at.rates.jacobian
    floor = MIN_CURVATURE * ((jacobian * jacobian) @ at.fisher_weight)
    tiny = jnp.finfo(floor.dtype).tiny
    curvature = at.prior + jnp.maximum(at.own_curvature, 0.0) + floor + tiny**0.5
    return Metric(curvature, jacobian * jnp.sqrt(at.weight))
