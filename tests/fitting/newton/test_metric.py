"""The Fisher matrix and its inverse, with and without LAPACK."""

import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.fitting.newton.metric import FEW, Metric, inverse_root


def metric(bins, seed):
    """A Fisher matrix of ten parameters, and which of them are free."""
    random = np.random.default_rng(seed)
    scale = 10.0 ** random.uniform(-2.0, 2.0, bins)
    curvature = 10.0 ** random.uniform(-2.0, 2.0, 10)
    factor = random.normal(size=(10, bins)) * scale
    return Metric(jnp.asarray(curvature), jnp.asarray(factor)), random.random(10) < 0.7


@pytest.mark.slow
@pytest.mark.parametrize("bins", [1, 2, FEW, FEW + 1, 30])
@pytest.mark.parametrize("seed", range(3))
def test_the_inverse_is_that_of_the_free_parameters(bins, seed):
    given, free = metric(bins, seed)
    dense = np.diag(given.curvature) + given.factor @ given.factor.T
    known = np.zeros((10, 10))
    known[np.ix_(free, free)] = np.linalg.inv(dense[np.ix_(free, free)])
    inverse = given.inverse(jnp.asarray(free))
    found = np.stack([inverse(row) for row in jnp.eye(10)])
    np.testing.assert_allclose(found, known, atol=1e-9 * np.abs(known).max())


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
