"""Exact profile likelihoods of one scaled signal and one background with a shapesys.

At fixed mu each gamma is the positive root of

    b (tau + b) g^2 + [(tau + b) mu s - n b - a b] g - a mu s = 0,

tau = (b/db)^2, a the auxiliary count; only mu_hat needs a root, found by bisection of
the slope. No minimiser is involved.
"""

import math
from collections.abc import Sequence


class ShapesysModel:
    """Signal s, background b +- db in each bin, and a lower bound of mu."""

    def __init__(self, signal: Sequence, background: Sequence, uncertainty: Sequence):
        self.s, self.b = list(map(float, signal)), list(map(float, background))
        self.tau = [(b / db) ** 2 for b, db in zip(self.b, uncertainty, strict=True)]

    def gammas(self, mu: float, n: Sequence, aux: Sequence) -> list[float]:
        """The best gammas at fixed mu."""
        found = []
        for s, b, tau, k, m in zip(self.s, self.b, self.tau, n, aux, strict=True):
            square, constant = b * (tau + b), -m * mu * s
            linear = (tau + b) * mu * s - b * k - b * m
            root = math.sqrt(linear * linear - 4 * square * constant)
            found.append((-linear + root) / (2 * square))
        return found

    def expected(self, mu: float, gammas: Sequence) -> tuple[list[float], list[float]]:
        """Rates of the bins and of the auxiliary counts."""
        rates = [mu * s + g * b for s, g, b in zip(self.s, gammas, self.b, strict=True)]
        return rates, [g * tau for g, tau in zip(gammas, self.tau, strict=True)]

    def twice_nll(self, mu: float, n: Sequence, aux: Sequence) -> float:
        """2NLL at mu and the best gammas."""
        rates, aux_rates = self.expected(mu, self.gammas(mu, n, aux))
        counts = zip([*n, *aux], [*rates, *aux_rates], strict=True)
        return -2 * math.fsum(
            k * math.log(r) - r - math.lgamma(k + 1) for k, r in counts
        )

    def slope(self, mu: float, n: Sequence, aux: Sequence) -> float:
        """Derivative of 2NLL with respect to mu."""
        rates, _ = self.expected(mu, self.gammas(mu, n, aux))
        return -2 * math.fsum(
            (k / r - 1) * s for k, r, s in zip(n, rates, self.s, strict=True)
        )

    def mu_hat(self, n: Sequence, aux: Sequence, lower: float = 0.0) -> float:
        """The best mu between `lower` and 10."""
        low, high = lower, 10.0
        if self.slope(low, n, aux) >= 0:
            return low
        for _ in range(200):
            middle = (low + high) / 2
            if self.slope(middle, n, aux) < 0:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    def minima(
        self, mu: float, n: Sequence, aux: Sequence, lower: float = 0.0
    ) -> tuple[float, float, float, float, float]:
        """What a test statistic is made of: mu, mu_hat and 2NLL at mu, mu_hat, 0."""
        best = self.mu_hat(n, aux, lower)
        return (mu, best, *(self.twice_nll(m, n, aux) for m in (mu, best, 0.0)))

    def asimov(self, mu: float, n: Sequence) -> tuple[list[float], list[float]]:
        """Main and auxiliary Asimov data at the fit of mu to the data n."""
        return self.expected(mu, self.gammas(mu, n, self.tau))
