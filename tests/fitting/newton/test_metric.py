"""The Fisher matrix and its inverse, with and without LAPACK."""

import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.fitting.newton.metric import FEW, Metric, inverse_root
from hfjax.model.jacobian import Jacobian
from tests.model.test_jacobian import jacobian_with_places


def metric(bins, seed):
    """A Fisher matrix of ten parameters, and which of them are free."""
    random = np.random.default_rng(seed)
    scale = 10.0 ** random.uniform(-2.0, 2.0, bins)
    curvature = 10.0 ** random.uniform(-2.0, 2.0, 10)
    factor = random.normal(size=(10, bins)) * scale
    given = Metric(jnp.asarray(curvature), Jacobian(jnp.asarray(factor)))
    return given, random.random(10) < 0.7


def assert_inverse(given, free):
    """Its inverse is that of the dense matrix of the free parameters, else zero."""
    factor = given.factor.matrix()
    dense, size = np.diag(given.curvature) + factor @ factor.T, free.size
    known = np.zeros((size, size))
    known[np.ix_(free, free)] = np.linalg.inv(dense[np.ix_(free, free)])
    inverse = given.inverse(jnp.asarray(free))
    found = np.stack([inverse(row) for row in jnp.eye(size)])
    np.testing.assert_allclose(found, known, atol=1e-9 * np.abs(known).max())


@pytest.mark.slow
@pytest.mark.parametrize("bins", [1, 2, FEW, FEW + 1, 30])
@pytest.mark.parametrize("seed", range(3))
def test_the_inverse_is_that_of_the_free_parameters(bins, seed):
    given, free = metric(bins, seed)
    assert_inverse(given, free)


@pytest.mark.parametrize("others", [3, FEW + 2])
@pytest.mark.parametrize("seed", range(3))
def test_parameters_of_one_bin_are_eliminated(others, seed):
    factor, random = jacobian_with_places(others, seed), np.random.default_rng(seed)
    curvature = 10.0 ** random.uniform(-2.0, 2.0, factor.size)
    free = random.random(factor.size) < 0.7
    assert_inverse(Metric(jnp.asarray(curvature), factor), free)


def test_parameters_of_one_bin_without_constraint_keep_their_digits():
    """Where almost nothing holds them, differences of large numbers would not."""
    factor = jacobian_with_places(3, 0)
    curvature = np.full(factor.size, 1e-9)
    curvature[np.asarray(factor.places.index)[0]] = 1.0  # its slots are all taken
    curvature[np.asarray(factor.places.others)[:-1]] = 1.0
    given = Metric(jnp.asarray(curvature), factor)
    inverse = given.inverse(jnp.ones(factor.size, bool))
    dense = np.diag(curvature) + factor.matrix() @ factor.matrix().T
    for row in np.eye(factor.size):
        back = dense @ np.asarray(inverse(jnp.asarray(row)))
        np.testing.assert_allclose(back, row, atol=1e-9)


@pytest.mark.parametrize("size", [1, 3, FEW])
def test_inverse_root_is_that_of_cholesky(size):
    random = np.random.default_rng(size)
    factor = random.normal(size=(size, 2 * size))
    matrix = factor @ factor.T
    known = np.linalg.inv(np.linalg.cholesky(matrix))
    # rounding times the condition of the matrix, 1e3 or less
    rounding = 1e-11 * np.abs(known).max()
    found = inverse_root(jnp.asarray(matrix))
    np.testing.assert_allclose(found, known, rtol=0, atol=rounding)
