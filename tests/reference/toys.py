"""p-values of toys and their expected band as slow loops, from the formulas."""

import math

import numpy as np

SIGMAS = (-2, -1, 0, 1, 2)


def p_value(statistics, at):
    """The part of toys that are at a value or above it."""
    above = [q for q in statistics if q >= at]
    return len(above) / len(statistics)


def p_value_error(statistics, at):
    """Standard deviation of the Beta distribution of a part, counted k of n times."""
    n, k = len(statistics), sum(1 for q in statistics if q >= at)
    a, b = k + 1, n - k + 1
    return math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))


def CLs(signal, background, at):
    """The ratio of two p-values."""
    return p_value(signal, at) / p_value(background, at)


def CLs_error(signal, background, at):
    """Propagated from two independent p-values."""
    below = p_value(background, at)
    parts = [
        p_value_error(signal, at) / below,
        CLs(signal, background, at) * p_value_error(background, at) / below,
    ]
    return math.sqrt(sum(part**2 for part in parts))


def quantile(values, part):
    """Linear between the sorted values, of which the first is at 0, the last at 1."""
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    low = min(int(place), len(ordered) - 2)
    return ordered[low] + (place - low) * (ordered[low + 1] - ordered[low])


def band(signal, background):
    """CLs at each toy of the background, and its quantiles at -2 to +2 sigma."""
    values = [CLs(signal, background, q) for q in background]
    parts = [0.5 * (1.0 + math.erf(n / math.sqrt(2.0))) for n in SIGMAS]
    return np.array([quantile(values, part) for part in parts])


def counting_p_value(rate, signal, background, observed, tested):
    """Exact p-value of q-tilde of one bin without uncertainties, count by count.

    `rate` is that of the data: a count has a statistic, which is zero where its best
    signal is above the tested one, and a probability.
    """
    statistic = {n: q_tilde(n, signal, background, tested) for n in range(400)}
    total = 0.0
    for n, q in statistic.items():
        if q >= statistic[observed] - 1e-9:
            total += math.exp(n * math.log(rate) - rate - math.lgamma(n + 1))
    return total


def q_tilde(count, signal, background, tested):
    """q-tilde of a count, by its closed form."""
    best = max((count - background) / signal, 0.0)
    if best > tested:
        return 0.0
    return minus_two_log(count, background + tested * signal) - minus_two_log(
        count, background + best * signal
    )


def minus_two_log(count, rate):
    """-2 ln of a Poisson probability, but for what does not depend on the rate."""
    return 2.0 * (rate - (count * math.log(rate) if count else 0.0))
