r"""Test statistics made of best fits, as values to be passed around.

All are built from the profile likelihood ratio
:math:`-2 \ln \lambda(\mu) = 2NLL(\mu, \hat{\hat\theta}) - 2NLL(\hat\mu, \hat\theta)`
and are named as in G. Cowan, K. Cranmer, E. Gross, O. Vitells, "Asymptotic formulae
for likelihood-based tests of new physics", arXiv:1007.1727 (CCGV below):
`q0`, `qmu`, `qmu_tilde`, `tmu`, `tmu_tilde`.

Each is called with the tested value of the parameter of interest, its best fit and
three minima of 2NLL: with the parameter of interest fixed at the tested value, free,
and fixed at zero. The tilde versions replace a negative best fit by zero *here*,
not through a lower bound of the parameter, so they mean the same whatever the bounds
of the free fit are.

A statistic is never negative: rounding below zero is cut off. A free fit that ended
above the fixed one is a failed fit, and it is the fits that must say so.
"""

import dataclasses
from collections.abc import Callable

import jax.numpy as jnp

from hfjax.arrays import Scalar
from hfjax.errors import unknown_name


@dataclasses.dataclass(frozen=True)
class TestStatistic:
    """A test statistic, and what its asymptotic distribution depends on.

    It is called like a function. It is hashable, so it can be a static argument of
    a compiled function.

    Attributes:
        name: the name in this module, such as "qmu_tilde".
        spelling: the name on the command line, such as "qtilde".
        function: computes the statistic; arguments as in `__call__`.
        asimov_poi: parameter of interest of the Asimov data: 0 for exclusion, 1 for
            discovery.
        bounded: whether a best fit below zero is replaced by zero.
        two_sided: whether a best fit above the tested value counts against it.

    >>> qmu_tilde.spelling, qmu_tilde.asimov_poi
    ('qtilde', 0.0)
    """

    __test__ = False  # for pytest: the name begins with Test, but it is none

    name: str
    spelling: str
    function: Callable[[Scalar, Scalar, Scalar, Scalar, Scalar], Scalar] = (
        dataclasses.field(repr=False)
    )
    asimov_poi: float = 0.0
    bounded: bool = False
    two_sided: bool = False

    def __call__(
        self,
        poi: Scalar,
        mu_hat: Scalar,
        twice_nll_fixed: Scalar,
        twice_nll_free: Scalar,
        twice_nll_zero: Scalar,
    ) -> Scalar:
        """Compute the statistic.

        Args:
            poi: the tested value of the parameter of interest.
            mu_hat: its best fit.
            twice_nll_fixed: lowest 2NLL with the parameter of interest at `poi`.
            twice_nll_free: lowest 2NLL.
            twice_nll_zero: lowest 2NLL with the parameter of interest at zero.

        Returns:
            The statistic, zero or more; NaN if a minimum it needs is NaN.

        >>> import jax.numpy as jnp
        >>> minima = [jnp.asarray(x) for x in (28.5, 25.0, 25.5)]
        >>> float(qmu_tilde(jnp.asarray(1.0), jnp.asarray(-0.2), *minima))
        3.0
        """
        return self.function(
            poi, mu_hat, twice_nll_fixed, twice_nll_free, twice_nll_zero
        )

    @property
    def discovery(self) -> bool:
        """Whether the background-only hypothesis is the one tested.

        >>> q0.discovery, qmu.discovery
        (True, False)
        """
        return self.asimov_poi != 0.0


def _tmu(
    poi: Scalar,
    mu_hat: Scalar,
    twice_nll_fixed: Scalar,
    twice_nll_free: Scalar,
    twice_nll_zero: Scalar,
) -> Scalar:
    r"""Distance of the tested value from the best fit, CCGV eq. 8.

    .. math:: t_\mu = -2 \ln \lambda(\mu)

    >>> import jax.numpy as jnp
    >>> poi, mu_hat, fixed, free, zero = map(jnp.asarray, (1.0, 2.0, 28.5, 25.0, 32.0))
    >>> float(_tmu(poi, mu_hat, fixed, free, zero))
    3.5
    """
    del poi, mu_hat, twice_nll_zero
    return jnp.maximum(0.0, twice_nll_fixed - twice_nll_free)


def _tmu_tilde(
    poi: Scalar,
    mu_hat: Scalar,
    twice_nll_fixed: Scalar,
    twice_nll_free: Scalar,
    twice_nll_zero: Scalar,
) -> Scalar:
    r"""Distance from the best fit among :math:`\mu \ge 0`, CCGV eqs. 10 and 11.

    .. math::
        \tilde t_\mu = 2NLL(\mu) - \begin{cases}
        2NLL(\hat\mu) & \hat\mu \ge 0 \\ 2NLL(0) & \hat\mu < 0 \end{cases}

    >>> import jax.numpy as jnp
    >>> poi, mu_hat, fixed, free, zero = map(jnp.asarray, (1.0, -1.0, 28.5, 25.0, 26.0))
    >>> float(_tmu_tilde(poi, mu_hat, fixed, free, zero))
    2.5
    """
    lowest = jnp.where(mu_hat < 0.0, twice_nll_zero, twice_nll_free)
    return _tmu(poi, mu_hat, twice_nll_fixed, lowest, twice_nll_zero)


def _qmu(
    poi: Scalar,
    mu_hat: Scalar,
    twice_nll_fixed: Scalar,
    twice_nll_free: Scalar,
    twice_nll_zero: Scalar,
) -> Scalar:
    r"""Upper limits: too much signal does not speak against less, CCGV eq. 14.

    .. math:: q_\mu = t_\mu \text{ if } \hat\mu \le \mu \text{, else } 0

    >>> import jax.numpy as jnp
    >>> poi, mu_hat, fixed, free, zero = map(jnp.asarray, (1.0, 2.0, 28.5, 25.0, 32.0))
    >>> float(_qmu(poi, mu_hat, fixed, free, zero))
    0.0
    """
    distance = _tmu(poi, mu_hat, twice_nll_fixed, twice_nll_free, twice_nll_zero)
    return jnp.where(mu_hat > poi, jnp.zeros_like(distance), distance)


def _qmu_tilde(
    poi: Scalar,
    mu_hat: Scalar,
    twice_nll_fixed: Scalar,
    twice_nll_free: Scalar,
    twice_nll_zero: Scalar,
) -> Scalar:
    r"""Upper limits on a signal that cannot be negative, CCGV eq. 16.

    .. math::
        \tilde q_\mu = \tilde t_\mu \text{ if } \hat\mu \le \mu \text{, else } 0

    >>> import jax.numpy as jnp
    >>> poi, mu_hat, fixed, free, zero = map(jnp.asarray, (1.0, -1.0, 28.5, 25.0, 26.0))
    >>> float(_qmu_tilde(poi, mu_hat, fixed, free, zero))
    2.5
    """
    distance = _tmu_tilde(poi, mu_hat, twice_nll_fixed, twice_nll_free, twice_nll_zero)
    return jnp.where(mu_hat > poi, jnp.zeros_like(distance), distance)


def _q0(
    poi: Scalar,
    mu_hat: Scalar,
    twice_nll_fixed: Scalar,
    twice_nll_free: Scalar,
    twice_nll_zero: Scalar,
) -> Scalar:
    r"""Discovery: the background alone against more events, CCGV eq. 12.

    .. math:: q_0 = t_0 \text{ if } \hat\mu \ge 0 \text{, else } 0

    The tested value is always zero; the argument `poi` has no say.

    >>> import jax.numpy as jnp
    >>> poi, mu_hat, fixed, free, zero = map(jnp.asarray, (1.0, 2.0, 28.5, 25.0, 32.0))
    >>> float(_q0(poi, mu_hat, fixed, free, zero))
    7.0
    """
    del twice_nll_fixed
    distance = _tmu(poi, mu_hat, twice_nll_zero, twice_nll_free, twice_nll_zero)
    return jnp.where(mu_hat < 0.0, jnp.zeros_like(distance), distance)


q0 = TestStatistic("q0", "q0", _q0, asimov_poi=1.0)
"""Discovery, CCGV eq. 12: 0 if mu_hat < 0, else 2NLL(0) - 2NLL(mu_hat)."""

qmu = TestStatistic("qmu", "q", _qmu)
"""Upper limits, CCGV eq. 14: 0 if mu_hat > mu, else 2NLL(mu) - 2NLL(mu_hat)."""

qmu_tilde = TestStatistic("qmu_tilde", "qtilde", _qmu_tilde, bounded=True)
"""Upper limits for mu >= 0, CCGV eq. 16: as `qmu` with mu_hat < 0 replaced by 0."""

tmu = TestStatistic("tmu", "t", _tmu, two_sided=True)
"""Two-sided intervals, CCGV eq. 8: 2NLL(mu) - 2NLL(mu_hat)."""

tmu_tilde = TestStatistic(
    "tmu_tilde", "ttilde", _tmu_tilde, bounded=True, two_sided=True
)
"""Two-sided for mu >= 0, CCGV eq. 11: as `tmu` with mu_hat < 0 replaced by 0."""

TEST_STATISTICS = {
    statistic.spelling: statistic for statistic in (qmu_tilde, qmu, q0, tmu_tilde, tmu)
}
"""All test statistics by their name on the command line."""


def named_test_statistic(spelling: str) -> TestStatistic:
    """Return the test statistic with this name on the command line.

    Args:
        spelling: "qtilde", "q", "q0", "ttilde" or "t".

    Raises:
        UnknownNameError: there is none of this name; close names are suggested.

    >>> named_test_statistic("qtilde").name
    'qmu_tilde'
    """
    if spelling not in TEST_STATISTICS:
        error = unknown_name("test statistic", spelling, TEST_STATISTICS)
        raise error
    return TEST_STATISTICS[spelling]
