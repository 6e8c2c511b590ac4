"""Toys have the distribution of all possible counts; intervals cover what they say."""

import itertools
import math

import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.inference.intervals import ONE_SIGMA, intervals
from hfjax.inference.toy_settings import ToySettings
from hfjax.inference.toys import toys
from tests.reference.shapesys import ShapesysModel
from tests.workspaces import HELLO, shapesys

Z = 4.5
"""Errors that a number of toys may be away from what is right."""
OBSERVED = [51, 48]
TESTED = 1.0
LEAST = 1e-12
"""Probability below which a count is left out."""
ROUNDING = 1e-7


@pytest.fixture(scope="module")
def exact():
    return ShapesysModel(*HELLO)


def q_tilde(exact, counts):
    """The test statistic of two counts, with auxiliary data as observed."""
    tested, best, held, free, background = exact.minima(TESTED, counts, exact.tau)
    del background
    return max(held - free, 0.0) if best <= tested else 0.0


def probabilities(rate):
    """Counts of a bin that are likely enough, with their probabilities."""
    counts = range(int(rate + 12 * math.sqrt(rate)) + 12)
    found = {
        k: math.exp(k * math.log(rate) - rate - math.lgamma(k + 1)) for k in counts
    }
    return {k: p for k, p in found.items() if p > LEAST}


@pytest.fixture(scope="module")
def distributions(exact):
    """Of all pairs of counts, with and without a signal: statistic and probability."""
    rates = [
        exact.expected(mu, exact.gammas(mu, OBSERVED, exact.tau))[0]
        for mu in (TESTED, 0.0)
    ]
    known = {}

    def statistic(counts):
        if counts not in known:
            known[counts] = q_tilde(exact, counts)
        return known[counts]

    found = []
    for bins in rates:
        first, second = map(probabilities, bins)
        pairs = list(itertools.product(first, second))
        weights = [first[a] * second[b] for a, b in pairs]
        found.append((np.array([statistic(pair) for pair in pairs]), np.array(weights)))
    return found


@pytest.mark.long
def test_toys_of_two_bins_have_the_distribution_of_all_counts(distributions):
    """Auxiliary data stay as observed, so that two counts are all that may differ."""
    settings = ToySettings(auxiliary="fixed")
    result = toys(*build(shapesys(*HELLO, OBSERVED)), TESTED, 20_000, 5, settings)
    result.raise_if_failed()
    for drawn, (statistics, weights) in zip(result.q, distributions, strict=True):
        assert weights.sum() == pytest.approx(1.0, abs=1e-8)
        for value in (ROUNDING, 0.1, 0.5, 1.0, 2.0, 4.0, 6.0, float(result.q_obs)):
            known = weights[statistics >= value - ROUNDING].sum()
            part = float(np.mean(np.asarray(drawn) >= value - ROUNDING))
            assert abs(part - known) < Z * math.sqrt(known * (1.0 - known) / drawn.size)


@pytest.mark.long
def test_intervals_of_2000_toys_cover_as_often_as_they_say():
    """The signal and all factors are drawn as they are; auxiliary data, too."""
    model, data = build(shapesys(*HELLO, OBSERVED))
    truth = np.asarray(model.parameters.pack({"mu": TESTED}))
    rates = model.expected_data(truth)
    rng = np.random.default_rng(11)
    covered, number = 0, 2000
    for _ in range(number):
        main, aux = (rng.poisson(np.asarray(each)) for each in (rates.main, rates.aux))
        drawn = type(data)(main.astype(float), aux.astype(float))
        found = intervals(model, drawn, ["mu"], level=ONE_SIGMA).raise_if_failed()
        below, above = np.asarray(found["mu"])
        covered += bool(below <= TESTED <= above)
    error = math.sqrt(ONE_SIGMA * (1.0 - ONE_SIGMA) / number)
    assert abs(covered / number - ONE_SIGMA) < Z * error
