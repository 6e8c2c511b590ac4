"""p-values as counts of toys, their errors, and the expected band; in plain NumPy.

No tail is fitted: a p-value is a number of toys over a number of toys.
"""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

SAME = 1e-8
"""Statistics that differ by less are equal: fits are as near to their minima."""
PARTS = np.array([NormalDist().cdf(sigma) for sigma in (-2.0, -1.0, 0.0, 1.0, 2.0)])
"""Of toys that are below each line of the band."""

Statistics = Float[np.ndarray, " _"]
Values = Float[np.ndarray, "..."]


class Estimate(NamedTuple):
    """A number, or a band of them, with its statistical error.

    Attributes:
        value: the number; NaN where no toy tells it.
        error: one standard deviation.
    """

    value: np.ndarray
    error: np.ndarray


class Tails(NamedTuple):
    """p-values with the tested signal and of the background, and their ratio."""

    CLsb: Estimate
    CLb: Estimate
    CLs: Estimate


def p_value(statistics: Statistics, at: Values) -> Estimate:
    """The part of toys whose test statistic is not below a value.

    ``p = k / n``. The error is the standard deviation of ``p`` after ``k`` of ``n``,
    ``sqrt((k + 1) (n - k + 1) / ((n + 2)^2 (n + 3)))``: the binomial one, but not zero
    where no toy, or each, is there.

    Args:
        statistics: of toys that have one.
        at: values.

    Example:
        >>> found = p_value(np.array([0.0, 1.0, 2.0, 3.0]), np.array(2.0))
        >>> float(found.value), round(float(found.error), 3)
        (0.5, 0.189)
    """
    n = statistics.size
    below = np.searchsorted(np.sort(statistics), np.asarray(at) - SAME)
    k = np.where(np.isnan(at), np.nan, n - below)
    value = k / n if n else np.full_like(k, np.nan)
    error = np.sqrt((k + 1.0) * (n - k + 1.0) / ((n + 2.0) ** 2 * (n + 3.0)))
    return Estimate(value, error)


def tails(signal: Statistics, background: Statistics, at: Values) -> Tails:
    """p-values at values of the test statistic.

    ``CLs = CLsb / CLb``, with ``sqrt(e_sb^2 + CLs^2 e_b^2) / CLb`` for its error: the
    toys of the two samples are independent. It is NaN where CLb is zero.

    Args:
        signal: statistics of toys with the tested signal.
        background: statistics of toys of the background.
        at: values.

    Example:
        >>> found = tails(np.array([0.0, 2.0]), np.array([2.0, 3.0]), np.array(1.0))
        >>> float(found.CLsb.value), float(found.CLb.value), float(found.CLs.value)
        (0.5, 1.0, 0.5)
    """
    CLsb, CLb = p_value(signal, at), p_value(background, at)
    some = np.where(CLb.value > 0.0, CLb.value, np.nan)
    CLs = CLsb.value / some
    error = np.sqrt(CLsb.error**2 + (CLs * CLb.error) ** 2) / some
    return Tails(CLsb, CLb, Estimate(CLs, error))


def expected_tails(signal: Statistics, background: Statistics) -> Tails:
    """What toys of the background have for CLsb, CLb and CLs, at -2 to +2 sigma.

    The p-values at each toy of the background, and of each kind the quantiles
    ``Phi(-2)`` to ``Phi(2)``, interpolated linearly: quantiles of p-values, not of the
    test statistic. The errors are those of the quantiles, from the finite number of
    toys of the background, and those of CLsb there, from that of the others.

    Args:
        signal: statistics of toys with the tested signal.
        background: statistics of toys of the background.
    """
    at = tails(signal, background, background)
    exactly = np.zeros_like(background)  # the quantiles' errors are those of CLb
    some = np.where(at.CLb.value > 0.0, at.CLb.value, np.nan)
    return Tails(
        _band(at.CLsb.value, at.CLsb.error),
        _band(at.CLb.value, exactly),
        _band(at.CLs.value, at.CLsb.error / some),
    )


def _band(values: Statistics, errors: Statistics) -> Estimate:
    """Quantiles of values that have errors of their own."""
    n = values.size
    if n == 0:
        return Estimate(np.full(5, np.nan), np.full(5, np.nan))
    order = np.argsort(values, kind="stable")
    width = np.sqrt(PARTS * (1.0 - PARTS) / n)
    found, low, high = (
        np.quantile(values, np.clip(PARTS + side * width, 0.0, 1.0))
        for side in (0.0, -1.0, 1.0)
    )
    own = np.interp(PARTS * (n - 1), np.arange(n), errors[order])
    return Estimate(found, np.hypot(0.5 * (high - low), own))
