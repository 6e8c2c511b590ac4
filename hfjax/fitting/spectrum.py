"""The exact Hessian in the free parameters: its curvatures, and what is flat."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float

from hfjax.arrays import Array, Params, ParamsMask
from hfjax.fitting.objective import Expansion, Matrix, Objective, symmetric_matrix

FLAT = 1e-6
"""Curvature that counts as none, where each parameter by itself has curvature 1: what
is left of none where a fit has ended, a little beside the minimum."""
UNINFORMED = 1e-10
"""The same, of the part of the Hessian that is never negative. It is none wherever the
rates and constraint terms stand still, at the minimum or beside it."""


class Spectrum(NamedTuple):
    """A Hessian in units in which each parameter by itself has curvature 1.

    Attributes:
        unit: of each parameter; 1 where it has no curvature of its own.
        scaled: the Hessian in these units; that of one where a parameter is not free.
        curvatures: its eigenvalues.
        vectors: its eigenvectors, one in each column.
        flat: those along which the likelihood does not change.
    """

    unit: Params
    scaled: Matrix
    curvatures: Float[Array, " par"]
    vectors: Matrix
    flat: Bool[Array, " par"]


def spectrum(objective: Objective, params: Params, free: ParamsMask) -> Spectrum:
    """Find the curvatures of half a deviance in the free parameters.

    Curvatures, vectors and units have no derivatives, the Hessian does.

    Args:
        objective: half a deviance.
        params: where its Hessian is taken.
        free: parameters that could move.
    """
    expansion = objective.expand(params)
    hessian = among(symmetric_matrix(expansion.hessian_product, params), free)
    unit = jax.lax.stop_gradient(_unit(jnp.diagonal(hessian)))
    scaled = hessian * unit * unit[:, None]
    fixed_scaled, fixed_expansion = jax.lax.stop_gradient((scaled, expansion))
    curvatures, vectors = jnp.linalg.eigh(fixed_scaled)
    informed = _informed(fixed_expansion, unit[:, None] * vectors)
    flat = (jnp.abs(curvatures) < FLAT) & (informed < UNINFORMED)
    return Spectrum(unit, scaled, curvatures, vectors, flat)


def inverse(found: Spectrum) -> Matrix:
    """The inverse of a Hessian, in units of the parameters.

    Flat directions are given a curvature of 1, which changes nothing in parameters that
    have no part in them.

    Args:
        found: of `spectrum`.
    """
    along = jnp.where(found.flat, found.vectors, 0.0)
    scaled = jnp.linalg.inv(found.scaled + along @ along.T)
    return scaled * found.unit * found.unit[:, None]


def among(hessian: Matrix, free: ParamsMask) -> Matrix:
    """A Hessian of the free parameters, and that of one in all others.

    Example:
        >>> free = jnp.array([True, False])
        >>> among(jnp.array([[4.0, 2.0], [2.0, 4.0]]), free).tolist()
        [[4.0, 0.0], [0.0, 1.0]]
    """
    one = jnp.eye(hessian.shape[0], dtype=hessian.dtype)
    return jnp.where(free[:, None] & free, hessian, one)


def _unit(own: Params) -> Params:
    """How far parameters move for a curvature of 1."""
    bent = own > 0.0
    return jnp.where(bent, jnp.where(bent, own, 1.0) ** -0.5, 1.0)


def _informed(expansion: Expansion, along: Matrix) -> Float[Array, " par"]:
    """What bins and constraint terms say along directions: never negative."""
    slopes = jax.vmap(expansion.rates.jacobian.pushed, 1, 1)(along)
    return expansion.weight @ slopes**2 + expansion.prior @ along**2
