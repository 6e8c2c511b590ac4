"""p-values of toys are counts, as slow loops count them."""

import numpy as np
import pytest

from hfjax.inference.toy_counts import expected_tails, p_value, tails
from tests.reference import toys as reference


@pytest.fixture(params=[1, 2])
def samples(request):
    """Statistics as they are: half of them zero, some equal, never sorted."""
    random = np.random.default_rng(request.param)
    signal = np.maximum(random.normal(size=301), 0.0) ** 2
    background = np.round(np.maximum(random.normal(1.2, 1.0, size=200), 0.0) ** 2, 1)
    return signal, background


@pytest.mark.parametrize("at", [0.0, 0.4, 1.3, 4.0, 30.0])
def test_p_values_and_errors_are_those_of_loops(samples, at):
    found = tails(*samples, np.array(at))
    for estimate, sample in zip(found[:2], samples, strict=True):
        assert float(estimate.value) == reference.p_value(sample, at)
        known = reference.p_value_error(sample, at)
        np.testing.assert_allclose(estimate.error, known, rtol=1e-12)
    if at < 30.0:
        np.testing.assert_allclose(found.CLs.value, reference.CLs(*samples, at))
        np.testing.assert_allclose(found.CLs.error, reference.CLs_error(*samples, at))


def test_the_band_is_of_p_values_and_not_of_statistics(samples):
    found = expected_tails(*samples)
    np.testing.assert_allclose(found.CLs.value, reference.band(*samples), rtol=1e-12)
    assert np.all(np.diff(found.CLs.value) >= 0.0)
    assert np.all(found.CLs.error > 0.0)


def test_the_errors_of_the_band_are_the_spread_of_bands():
    """Of 300 bands, each of other toys; within 30 % but where they are discrete."""
    random = np.random.default_rng(0)
    bands, errors = [], []
    for _ in range(300):
        signal = random.chisquare(1, size=2000)
        background = random.noncentral_chisquare(1, 3.0, size=2000)
        found = expected_tails(signal, background).CLs
        bands.append(found.value)
        errors.append(found.error)
    spread, told = np.std(bands, axis=0), np.mean(errors, axis=0)
    np.testing.assert_allclose(told[1:], spread[1:], rtol=0.3)


def test_statistics_that_differ_by_rounding_are_equal():
    """T20: with few counts many toys have the statistic of the data."""
    found = p_value(np.array([1.0, 2.0 - 1e-12, 2.0 + 1e-12, 3.0]), np.array(2.0))
    assert float(found.value) == 0.75


def test_no_toy_above_is_not_an_error_of_zero():
    """T7: a tail without toys is not known to be empty; without CLb there is no CLs."""
    none, all_ = np.zeros(100), np.full(100, 9.0)
    found = tails(none, all_, np.array(4.0))
    assert float(found.CLs.value) == 0.0
    assert 0.005 < float(found.CLs.error) < 0.02
    assert np.isnan(tails(all_, none, np.array(4.0)).CLs.value)


def test_without_toys_there_are_no_p_values():
    nothing = np.zeros(0)
    assert np.isnan(tails(nothing, nothing, np.array(1.0)).CLs.value)
    assert np.isnan(expected_tails(nothing, nothing).CLs.value).all()
