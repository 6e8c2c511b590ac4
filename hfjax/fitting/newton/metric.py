"""The Fisher matrix, which measures steps in standard deviations, and its inverse.

    M = C + J diag(w) J',

a diagonal plus a matrix of rank ``n_bins``, inverted in the smaller space: of bins
(Woodbury), or of the parameters that act in several bins, once those that act in one
bin alone are eliminated (Schur complement).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float

from hfjax.arrays import Array, Params, ParamsMask, Scalar, ScalarInt
from hfjax.fitting.objective import Expansion
from hfjax.model.jacobian import Jacobian, Rows, by_parameter
from hfjax.model.local_parameters import LocalParameters
from hfjax.model.lookup import read

FEW = 8
"""Most bins that are solved without LAPACK: loading it costs a new process a tenth of a
second, more than the fits of such a model."""
MIN_CURVATURE = 1e-8
"""Least curvature of an unconstrained parameter, relative to its Fisher information."""
MOST_WEIGHT = 1e4
"""Largest weight, one over a rate, with which a bin counts in that information."""


class InverseByBins(NamedTuple):
    """Inverse of a `Metric` on some of the parameters, zero on the others.

    Attributes:
        diagonal: inverse of the metric's diagonal part.
        scaled: its product with the metric's factor.
        root: Cholesky factor of the matrix in the space of bins; of at most `FEW` bins
            the inverse of that factor.
    """

    diagonal: Params
    scaled: Rows
    root: Float[Array, "bin bin"]

    def __call__(self, vector: Params) -> Params:
        """Apply the inverse to a vector (Woodbury's formula)."""
        middle = _solved(self.root, vector @ self.scaled)
        return self.diagonal * vector - self.scaled @ middle


class InverseByParameters(NamedTuple):
    """The same, by elimination of the parameters that act in one bin alone.

    With ``A = diag(c) + f f'`` of the local parameters of a bin, their factor ``f`` and
    ``s = sum f^2 / c``, the others see the bin with its factor over ``sqrt(1 + s)``.

    Attributes:
        diagonal: inverse of the metric's diagonal part.
        places: which parameters are local, and which the others.
        unit: root of ``diagonal`` of the others.
        rows: factor of the others, in these units.
        pull: ``f / c`` of each local one.
        push: the same over ``1 + s``.
        own: inverse of ``A`` on its diagonal. Sums in it are over the other slots: a
            difference would lose what is not constrained.
        root: as in `InverseByBins`, in the space of the others.
    """

    diagonal: Params
    places: LocalParameters
    unit: Float[Array, " row"]
    rows: Rows
    pull: Float[Array, "slot bin"]
    push: Float[Array, "slot bin"]
    own: Float[Array, "slot bin"]
    root: Float[Array, "row row"]

    def __call__(self, vector: Params) -> Params:
        """Apply the inverse to a vector: others first, then bin by bin."""
        given = read(vector, self.places.index)
        seen = self.rows @ jnp.sum(self.push * given, axis=0)
        right = self.unit * read(vector, self.places.others) - seen
        others = _solved(self.root, right)
        beside = _of_other_slots(self.pull * given)
        local = self.own * given - self.push * (beside + others @ self.rows)
        idle = self.diagonal * vector
        return by_parameter(self.places, self.unit * others, local, idle)


def _of_other_slots(each: Float[Array, "slot bin"]) -> Float[Array, "slot bin"]:
    """Sum over the other slots of a bin, for each slot."""
    return (1.0 - jnp.eye(each.shape[0], dtype=each.dtype)) @ each


Inverse = InverseByBins | InverseByParameters


def _solved(root: Float[Array, "n n"], right: Float[Array, " n"]) -> Float[Array, " n"]:
    """Solve with the root that `_root` has made."""
    if right.size <= FEW:
        return (root @ right) @ root
    return jax.scipy.linalg.cho_solve((root, True), right)


def _root(matrix: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """Cholesky factor; of at most `FEW` rows the inverse of that factor."""
    if matrix.shape[0] <= FEW:
        return inverse_root(matrix)
    return jnp.linalg.cholesky(matrix)


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
        return jnp.sqrt(own + jnp.sum(self.factor.pushed(vector) ** 2))

    def diagonal(self) -> Params:
        """Diagonal of the matrix."""
        return self.curvature + self.factor.squares().row_sums()

    def inverse(self, free: ParamsMask) -> Inverse:
        """The inverse on the free parameters."""
        diagonal = jnp.where(free, 1.0 / self.curvature, 0.0)
        if self.factor.places is None:
            return _inverse_by_bins(diagonal, self.factor.rows)
        return _inverse_by_parameters(diagonal, self.factor, self.factor.places)


def _inverse_by_bins(diagonal: Params, factor: Rows) -> InverseByBins:
    scaled = diagonal[:, None] * factor
    # a transpose that is written out makes the product three times as fast on a CPU
    by_bin = jax.lax.optimization_barrier(factor.T)
    one = jnp.eye(factor.shape[1], dtype=diagonal.dtype)
    return InverseByBins(diagonal, scaled, _root(one + by_bin @ scaled))


def _inverse_by_parameters(
    diagonal: Params, factor: Jacobian, places: LocalParameters
) -> InverseByParameters:
    local, inverse = jnp.asarray(factor.local), read(diagonal, places.index)
    pull = local * inverse
    share = pull * local
    bare = 1.0 + jnp.sum(share, axis=0)
    unit = jnp.sqrt(read(diagonal, places.others))
    rows = unit[:, None] * factor.rows
    one = jnp.eye(rows.shape[0], dtype=rows.dtype)
    # written out, as above
    root = _root(one + rows / bare @ jax.lax.optimization_barrier(rows.T))
    own = inverse * (1.0 + _of_other_slots(share)) / bare
    return InverseByParameters(
        diagonal, places, unit, rows, pull, pull / bare, own, root
    )


def fisher(at: Expansion) -> Metric:
    """Fisher matrix of an expansion, positive definite by construction."""
    jacobian = at.rates.jacobian
    # an empty bin whose rate falls to zero would hold its parameters where they are
    weight = jnp.minimum(at.fisher_weight, MOST_WEIGHT)
    floor = MIN_CURVATURE * jacobian.squares().pulled(weight)
    tiny = jnp.finfo(floor.dtype).tiny
    curvature = at.prior + jnp.maximum(at.own_curvature, 0.0) + floor + tiny**0.5
    return Metric(curvature, jacobian.scaled(jnp.sqrt(at.weight)))
