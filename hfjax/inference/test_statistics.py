r"""Test statistics made of best fits, as values to be passed around.

All are built from the profile likelihood ratio
:math:`-2 \ln \lambda(\mu) = 2NLL(\mu, \hat{\hat\theta}) - 2NLL(\hat\mu, \hat\theta)`
and are named as in G. Cowan, K. Cranmer, E. Gross, O. Vitells, "Asymptotic formulae
for likelihood-based tests of new physics", arXiv:1007.1727 (CCGV below):
`q0`, `qmu`, `qmu_tilde`, `tmu`, `tmu_tilde`. Three choices make them: whether the
background or a signal is tested, whether a negative best fit is replaced by zero, and
whether a best fit above the tested value counts against it.
"""

import dataclasses

import jax.numpy as jnp

from hfjax.arrays import Scalar
from hfjax.errors import unknown_name


@dataclasses.dataclass(frozen=True)
class TestStatistic:
    r"""A test statistic, and what its asymptotic distribution depends on.

    .. math::
        t_\mu = 2NLL(\mu) - 2NLL(\hat\mu), \quad
        \tilde t_\mu = 2NLL(\mu) - \begin{cases}
        2NLL(\hat\mu) & \hat\mu \ge 0 \\ 2NLL(0) & \hat\mu < 0 \end{cases}

    (CCGV eqs. 8 and 11) count on both sides. The one-sided :math:`q_\mu` and
    :math:`\tilde q_\mu` (eqs. 14 and 16) are the same, but zero for
    :math:`\hat\mu > \mu`, since too much signal does not speak against less;
    :math:`q_0` (eq. 12) is :math:`t_0`, but zero for :math:`\hat\mu < 0`. A negative
    best fit is replaced by zero *here*, not through a lower bound of the parameter, so
    that a statistic means the same whatever the bounds of the free fit are.

    It is called like a function. It is hashable, so it can be a static argument of
    a compiled function.

    Attributes:
        name: the name in this module, such as "qmu_tilde".
        spelling: the name as text, here and on the command line, such as "qtilde".
        discovery: whether the background-only hypothesis is the one tested.
        bounded: whether a best fit below zero is replaced by zero.
        two_sided: whether a best fit above the tested value counts against it.
        base: "normal", or "clipped_normal", which puts data that no signal leads to
            at the end of the expected band.

    >>> qmu_tilde.spelling, qmu_tilde.asimov_poi
    ('qtilde', 0.0)
    """

    __test__ = False  # for pytest: the name begins with Test, but it is none

    name: str
    spelling: str
    discovery: bool = False
    bounded: bool = False
    two_sided: bool = False
    base: str = "normal"

    def __call__(
        self,
        poi: Scalar,
        mu_hat: Scalar,
        twice_nll_fixed: Scalar,
        twice_nll_free: Scalar,
        twice_nll_zero: Scalar,
    ) -> Scalar:
        """Compute the statistic.

        It is never negative: rounding below zero is cut off. A free fit that ended
        above the fixed one is a failed fit, and it is the fits that must say so.

        Args:
            poi: the tested value of the parameter of interest; `q0` tests zero.
            mu_hat: its best fit.
            twice_nll_fixed: lowest 2NLL with the parameter of interest at `poi`.
            twice_nll_free: lowest 2NLL.
            twice_nll_zero: lowest 2NLL with the parameter of interest at zero.

        Returns:
            The statistic, zero or more; NaN if a minimum it needs is NaN.

        >>> import jax.numpy as jnp
        >>> minima = [jnp.asarray(x) for x in (28.5, 25.0, 25.5)]
        >>> values = jnp.asarray(1.0), jnp.asarray(-0.2)
        >>> [float(stat(*values, *minima)) for stat in (tmu, tmu_tilde, qmu, q0)]
        [3.5, 3.0, 3.5, 0.0]
        """
        tested = twice_nll_zero if self.discovery else twice_nll_fixed
        lowest = twice_nll_free
        if self.bounded:
            lowest = jnp.where(mu_hat < 0.0, twice_nll_zero, twice_nll_free)
        distance = jnp.maximum(0.0, tested - lowest)
        if self.two_sided:
            return distance
        other_side = mu_hat < 0.0 if self.discovery else mu_hat > poi
        return jnp.where(other_side, jnp.zeros_like(distance), distance)

    @property
    def asimov_poi(self) -> float:
        """Parameter of interest of the Asimov data: 0 for exclusion, 1 for discovery.

        >>> q0.asimov_poi, qmu.asimov_poi
        (1.0, 0.0)
        """
        return 1.0 if self.discovery else 0.0


q0 = TestStatistic("q0", "q0", discovery=True)
"""Discovery, CCGV eq. 12: 0 if mu_hat < 0, else 2NLL(0) - 2NLL(mu_hat)."""

qmu = TestStatistic("qmu", "q")
"""Upper limits, CCGV eq. 14: 0 if mu_hat > mu, else 2NLL(mu) - 2NLL(mu_hat)."""

qmu_tilde = TestStatistic("qmu_tilde", "qtilde", bounded=True)
"""Upper limits for mu >= 0, CCGV eq. 16: as `qmu` with mu_hat < 0 replaced by 0."""

tmu = TestStatistic("tmu", "t", two_sided=True)
"""Two-sided intervals, CCGV eq. 8: 2NLL(mu) - 2NLL(mu_hat)."""

tmu_tilde = TestStatistic("tmu_tilde", "ttilde", bounded=True, two_sided=True)
"""Two-sided for mu >= 0, CCGV eq. 11: as `tmu` with mu_hat < 0 replaced by 0."""

TEST_STATISTICS = {
    statistic.spelling: statistic for statistic in (qmu_tilde, qmu, q0, tmu_tilde, tmu)
}
"""All test statistics by their name as text."""


def find_test_statistic(test_stat: TestStatistic | str) -> TestStatistic:
    """Return the test statistic of a name, or what is one already.

    Args:
        test_stat: "qtilde", "q", "q0", "ttilde" or "t", or a test statistic.

    Raises:
        UnknownNameError: there is none of this name; close names are suggested.

    >>> find_test_statistic("qtilde").name
    'qmu_tilde'
    """
    if isinstance(test_stat, TestStatistic):
        return test_stat
    if not isinstance(test_stat, str) or test_stat not in TEST_STATISTICS:
        error = unknown_name("test statistic", str(test_stat), TEST_STATISTICS)
        raise error
    return TEST_STATISTICS[test_stat]
