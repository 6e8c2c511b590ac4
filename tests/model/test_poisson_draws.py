"""Poisson counts are drawn exactly, from no events to as many as float64 counts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chisquare, kstest, poisson

from hfjax.model.poisson_draws import draw_poisson

NUMBER = 40_000


@jax.jit
def drawn(rate, seed):
    keys = jax.random.split(jax.random.key(seed), NUMBER)
    return jax.vmap(lambda key: draw_poisson(key, rate))(keys)


@pytest.mark.parametrize("rate", [0.02, 0.7, 4.0, 9.99, 10.0, 23.0, 300.0])
def test_counts_have_the_probabilities_of_the_formula(rate):
    """A chi-square test; counts of which few are expected are taken together."""
    counts = np.asarray(drawn(jnp.array(rate), 1))
    assert np.all(counts == np.floor(counts))
    low, high = poisson.ppf(3e-4, rate), poisson.isf(3e-4, rate)
    known = np.arange(low, high + 1)
    seen = np.array([np.sum(np.clip(counts, low, high) == n) for n in known])
    part = poisson.pmf(known, rate)
    part[0], part[-1] = poisson.cdf(low, rate), poisson.sf(high - 1, rate)
    assert chisquare(seen, NUMBER * part).pvalue > 1e-3


@pytest.mark.parametrize("rate", [1e5, 1e7, 1e9, 1e12])
def test_large_counts_are_not_rounded(rate):
    """Those of JAX's own function, in float32, are mostly even at 1e9."""
    counts = np.asarray(drawn(jnp.array(rate), 2))
    assert abs(np.mean(counts % 2) - 0.5) < 4.0 * 0.5 / np.sqrt(NUMBER)
    assert kstest((counts - rate) / np.sqrt(rate), "norm").pvalue > 1e-3


@pytest.mark.parametrize("rate", [0.0, -1.0, np.nan])
def test_no_rate_has_no_events(rate):
    assert not np.any(drawn(jnp.array(rate), 3))


def test_the_dependence_on_the_key_only():
    """A count is the same beside others or by itself."""
    rates = jnp.array([0.0, 3.0, 50.0, 1e6])
    keys = jax.random.split(jax.random.key(4), 4)
    together = jax.vmap(draw_poisson)(keys, rates)
    alone = [draw_poisson(key, rate) for key, rate in zip(keys, rates, strict=True)]
    np.testing.assert_array_equal(together, alone)
