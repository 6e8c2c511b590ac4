"""Derivatives of rates without their zeros are those of the whole matrix."""

import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.model.jacobian import Jacobian
from hfjax.model.local_parameters import local_parameters

BINS = 12


def jacobian_with_places(others, seed):
    """Some rows, up to two parameters in each bin, one that does nothing, padding."""
    random = np.random.default_rng(seed)
    size = others + 2 * BINS + 1
    order = random.permutation(size).astype(np.int32)
    index = order[others : others + 2 * BINS].reshape(2, BINS).copy()
    index[1, ::3] = size
    rows = np.append(order[:others], np.int32(size))
    local = np.where(index < size, random.normal(size=(2, BINS)), 0.0)
    matrix = np.vstack([random.normal(size=(others, BINS)), np.zeros(BINS)])
    places = local_parameters(index, rows, size)
    return Jacobian(jnp.asarray(matrix), jnp.asarray(local), places, size)


@pytest.mark.parametrize("others", [0, 3])
def test_products_are_those_of_the_whole_matrix(others):
    jacobian, random = jacobian_with_places(others, 1), np.random.default_rng(2)
    matrix = np.asarray(jacobian.matrix())
    vector, bins = random.normal(size=jacobian.count), random.normal(size=BINS)
    pushed = jacobian.pushed(jnp.asarray(vector))
    np.testing.assert_allclose(pushed, vector @ matrix, rtol=1e-12, atol=1e-12)
    for found, known in [
        (jacobian, matrix),
        (jacobian.squares(), matrix**2),
        (jacobian.scaled(jnp.asarray(bins)), matrix * bins),
    ]:
        pulled = found.pulled(jnp.asarray(bins))
        np.testing.assert_allclose(pulled, known @ bins, rtol=1e-12, atol=1e-12)
        sums = found.row_sums()
        np.testing.assert_allclose(sums, known.sum(axis=1), rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(found.matrix(), known)
