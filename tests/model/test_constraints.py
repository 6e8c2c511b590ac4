"""The Poisson density at its edges, and constraint terms."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from hfjax.model.constraints import (
    GaussianConstraints,
    PoissonConstraints,
    poisson_logpdf,
)
from tests.reference.histfactory import log_normal, log_poisson

density = jax.jit(poisson_logpdf)
slope = jax.jit(jax.grad(poisson_logpdf, 1))


@settings(deadline=None)
@given(
    n=st.one_of(st.just(0.0), st.floats(0, 1e6, allow_subnormal=False)),
    rate=st.one_of(st.just(0.0), st.floats(-10, 1e6, allow_subnormal=False)),
)
def test_t13_poisson_density_of_any_count_not_only_integers(n, rate):
    known = log_poisson(n, rate)
    # terms of the size of n ln(rate) cancel, and n + 1 is rounded: a few ulp of each
    size = 1 + abs(n * math.log(rate)) + math.lgamma(n + 1) + rate if rate > 0 else 1
    assert float(density(n, rate)) == pytest.approx(known, rel=1e-12, abs=1e-12 * size)


def test_t13_auxiliary_counts_are_not_rounded():
    tau = (50.0 / 7.0) ** 2
    terms = PoissonConstraints(
        *index_and_position(1), np.array([tau]), np.zeros(1), np.ones(1, bool)
    )
    found = terms.logpdf(jnp.array([0.8]), jnp.array([tau]))
    known = tau * math.log(0.8 * tau) - 0.8 * tau - math.lgamma(tau + 1)
    assert float(found) == pytest.approx(known, rel=1e-12)


def test_t18_nothing_expected_and_nothing_seen():
    assert float(density(0.0, 0.0)) == 0.0
    assert float(slope(0.0, 0.0)) == -1.0
    assert float(jax.jit(jax.grad(jax.grad(poisson_logpdf, 1), 1))(0.0, 0.0)) == 0.0


@pytest.mark.parametrize("count", [0, 3])
def test_t18_counts_may_be_integers(count):
    """Where xlogy is differentiated with an integer in it."""
    counts, rate = jnp.array(count), jnp.array(2.5)
    assert float(poisson_logpdf(counts, rate)) == pytest.approx(log_poisson(count, 2.5))
    found = jax.grad(poisson_logpdf, 1)(counts, rate)
    assert float(found) == pytest.approx(count / 2.5 - 1.0)


@pytest.mark.parametrize(("n", "rate"), [(2.0, 0.0), (2.0, -1.0), (0.0, -1.0)])
def test_impossible_rates_have_no_density_and_a_finite_gradient(n, rate):
    assert float(density(n, rate)) == -math.inf
    assert math.isfinite(slope(n, rate))


@settings(deadline=None)
@given(n=st.floats(0, 1e4), rate=st.floats(1e-3, 1e4))
def test_slope_of_the_density(n, rate):
    assert float(slope(n, rate)) == pytest.approx(n / rate - 1, rel=1e-12, abs=1e-12)


def index_and_position(size):
    """Parameters in reverse order of the auxiliary data."""
    position = np.arange(size, dtype=np.int32)
    return position[::-1].copy(), position


def gaussian(present=(True, True, True)):
    width = np.array([0.5, 1.0, 3.0])
    return GaussianConstraints(*index_and_position(3), width, np.array(present))


PARAMS, AUX = np.array([1.5, 0.3, 0.9]), np.array([1.0, -0.2, 2.0])


def test_gaussian_terms():
    known = [
        log_normal(a, theta, sigma)
        for a, theta, sigma in zip(AUX, PARAMS[::-1], (0.5, 1.0, 3.0), strict=True)
    ]
    assert float(gaussian().logpdf(PARAMS, AUX)) == pytest.approx(sum(known), rel=1e-12)
    some = gaussian((True, False, True)).logpdf(PARAMS, AUX)
    assert float(some) == pytest.approx(known[0] + known[2], rel=1e-12)
    assert gaussian().expected(PARAMS).tolist() == [0.9, 0.3, 1.5]


def test_poisson_terms():
    factor, aux = np.array([2.0, 8.5, 4.0]), np.array([3.0, 0.0, 2.5])
    known = [
        log_poisson(float(a), float(theta) * tau)
        for a, theta, tau in zip(aux, PARAMS[::-1], factor, strict=True)
    ]
    for present in ([True, True, True], [True, False, True]):
        terms = PoissonConstraints(
            *index_and_position(3), factor, 0 * factor, np.array(present)
        )
        expected = sum(k for k, p in zip(known, present, strict=True) if p)
        assert float(terms.logpdf(PARAMS, aux)) == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(terms.expected(PARAMS), [1.8, 2.55, 6.0], rtol=1e-12)


def test_terms_that_do_not_count_may_hold_anything():
    """Padding of a batch: neither its width nor its data reach value or gradient."""
    terms = gaussian((True, True, False))
    aux = np.array([1.0, -0.2, np.inf])
    assert math.isfinite(terms.logpdf(PARAMS, aux))
    assert bool(jnp.all(jnp.isfinite(jax.grad(terms.logpdf)(PARAMS, AUX))))


@pytest.mark.slow
def test_samples_have_the_mean_and_the_width_of_their_terms():
    keys = jax.random.split(jax.random.key(3), 4000)
    draws = jax.vmap(gaussian().sample, (0, None))(keys, PARAMS)
    # standard error of mean and width: sigma / sqrt(4000) = 0.016 sigma; four of them
    np.testing.assert_allclose(draws.mean(0), PARAMS[::-1], atol=4 * 0.016 * 3)
    np.testing.assert_allclose(draws.std(0), [0.5, 1.0, 3.0], rtol=0.05)
    present = np.ones(3, bool)
    factor = np.array([2.0, 8.5, 40.0])
    terms = PoissonConstraints(*index_and_position(3), factor, 0 * factor, present)
    counts = jax.vmap(terms.sample, (0, None))(keys, PARAMS)
    assert counts.dtype == float
    assert bool(jnp.all(counts == jnp.round(counts)))
    np.testing.assert_allclose(counts.mean(0), [1.8, 2.55, 60.0], rtol=0.05)
    np.testing.assert_allclose(counts.var(0), [1.8, 2.55, 60.0], rtol=0.1)
