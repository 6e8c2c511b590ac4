r"""Asymptotic p-values of the test statistics, in log space.

The distributions are those of G. Cowan, K. Cranmer, E. Gross, O. Vitells,
arXiv:1007.1727, section 3 (CCGV below). With :math:`s = \sqrt q`,
:math:`a = \sqrt{q_A}` (the statistic on the Asimov data, where :math:`a = \mu/\sigma`)
they need only

.. math::
    T = \begin{cases} (q - q_A) / 2a & \text{bounded statistic and } s > a > 0 \\
    s - a & \text{else} \end{cases}

and then :math:`CL_{s+b} = \Phi(-(T + a))`, :math:`CL_b = \Phi(-T)`,
:math:`CL_s = CL_{s+b} / CL_b`. Two-sided statistics have a second tail, of best fits
above the tested value: :math:`\Phi(-s)` more in :math:`CL_{s+b}`,
:math:`\Phi(-(s + a))` more in :math:`CL_b`. Their p-value is :math:`CL_{s+b}`; the
ratio is given too, but it is no protection against insensitive searches, and it can
exceed one.

"Expected" means expected from background that looks like the observed data: the
Asimov data set, which gives :math:`q_A`, is made at the nuisance parameters that
fit the *observed* data best. Other data in the control regions of an analysis, other
expected limits.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from hfjax.arrays import Array, Band, Scalar
from hfjax.errors import unknown_name
from hfjax.inference.normal_tail import log_normal_tail, log_tail_ratio
from hfjax.inference.test_statistics import TestStatistic

# An upward fluctuation of the background (+2 sigma, the last) has T = -2.
_BAND = (2.0, 1.0, 0.0, -1.0, -2.0)


class AsymptoticTails(eqx.Module):
    r"""Tail probabilities of one hypothesis test, observed and expected.

    Kept as logarithms, which stay finite where the probabilities underflow
    (:math:`CL_{s+b}` at q = 2000 is :math:`10^{-437}`). Bands are in the order
    -2, -1, 0, +1, +2 standard deviations of the background.

    For `q0` there is no :math:`CL_s`: `CLs_obs` and `CLs_exp` hold the p-value
    :math:`p_0` of the background, which is `CLsb`.

    Attributes:
        log_CLsb: log of the observed p-value of the tested hypothesis.
        log_CLb: log of the observed p-value of the Asimov hypothesis.
        log_CLs_obs: log of their ratio, more precise than their difference.
        log_CLsb_exp: the band of log_CLsb.
        log_CLb_exp: the band of log_CLb.
        log_CLs_exp: the band of log_CLs_obs.
    """

    log_CLsb: Scalar
    log_CLb: Scalar
    log_CLs_obs: Scalar
    log_CLsb_exp: Band
    log_CLb_exp: Band
    log_CLs_exp: Band

    @property
    def CLsb(self) -> Float[Array, "*shape"]:
        """Observed p-value of the tested hypothesis."""
        return jnp.exp(self.log_CLsb)

    @property
    def CLb(self) -> Float[Array, "*shape"]:
        """Observed p-value of the Asimov hypothesis (background, for exclusion)."""
        return jnp.exp(self.log_CLb)

    @property
    def CLs_obs(self) -> Float[Array, "*shape"]:
        """Observed CLs; p0 for `q0`."""
        return jnp.exp(self.log_CLs_obs)

    @property
    def CLsb_exp(self) -> Float[Array, "*shape"]:
        """Expected CLsb at -2, -1, 0, +1, +2 sigma."""
        return jnp.exp(self.log_CLsb_exp)

    @property
    def CLb_exp(self) -> Float[Array, "*shape"]:
        """Expected CLb at -2, -1, 0, +1, +2 sigma."""
        return jnp.exp(self.log_CLb_exp)

    @property
    def CLs_exp(self) -> Float[Array, "*shape"]:
        """Expected CLs (p0 for `q0`) at -2, -1, 0, +1, +2 sigma."""
        return jnp.exp(self.log_CLs_exp)


def asymptotic_tails(
    q: Scalar, q_asimov: Scalar, test_stat: TestStatistic
) -> AsymptoticTails:
    r"""Compute observed and expected tail probabilities.

    The band at N standard deviations has T = -N:
    :math:`CL_s = \Phi(-(T + a)) / \Phi(-T)`. No data lead to T < -a, where s would be
    negative; the base "clipped_normal" puts such a T at -a.

    For :math:`q_A = 0` (no signal to test) the limit is taken: CLs = 1.

    Args:
        q: the statistic on the observed data, zero or more.
        q_asimov: the statistic on the Asimov data, zero or more.
        test_stat: the test statistic of both.

    Raises:
        UnknownNameError: there is no base as its own.

    >>> import jax.numpy as jnp
    >>> from hfjax.inference.test_statistics import qmu_tilde
    >>> q, q_asimov = jnp.asarray(3.938244933376), jnp.asarray(3.418869071611)
    >>> tails = asymptotic_tails(q, q_asimov, qmu_tilde)
    >>> print([round(float(p), 6) for p in (tails.CLs_obs, tails.CLsb, tails.CLb)])
    [0.052516, 0.023325, 0.444154]
    >>> print([round(float(p), 6) for p in tails.CLs_exp])
    [0.002606, 0.013821, 0.064455, 0.235261, 0.573042]
    """
    shift = _safe_sqrt(q_asimov)
    observed = _distance(q, q_asimov, test_stat)
    distances = jnp.append(observed, _band(shift, test_stat))
    logs = _log_tails(distances, jnp.broadcast_to(shift, distances.shape), test_stat)
    return AsymptoticTails(*(log[0] for log in logs), *(log[1:] for log in logs))


def _safe_sqrt(q: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Square root with the gradient 0 at 0.

    A statistic of exactly zero is one that is zero nearby (too much signal), or one
    at the minimum of a parabola: a gradient of infinity times zero would be NaN.
    """
    zero = q == 0.0
    return jnp.where(zero, 0.0, jnp.sqrt(jnp.where(zero, 1.0, q)))


def _distance(q: Scalar, q_asimov: Scalar, test_stat: TestStatistic) -> Scalar:
    """T of the module's docstring: -N where the data are N sigma above background."""
    s, a = _safe_sqrt(q), _safe_sqrt(q_asimov)
    if not test_stat.bounded:
        return s - a
    beyond = (q > q_asimov) & (a > 0.0)
    return jnp.where(beyond, (q - q_asimov) / (2.0 * jnp.where(beyond, a, 1.0)), s - a)


def _band(shift: Scalar, test_stat: TestStatistic) -> Band:
    """T at -2, -1, 0, +1, +2 sigma.

    A fluctuation beyond the tested signal, T < -a, counts against it in a two-sided
    statistic: s = |T + a|.
    """
    band, base = jnp.asarray(_BAND, dtype=shift.dtype), test_stat.base
    if base == "clipped_normal":
        return jnp.maximum(band, -shift)
    if base != "normal":
        error = unknown_name("base distribution", base, ("normal", "clipped_normal"))
        raise error
    if test_stat.two_sided:
        return jnp.abs(band + shift) - shift
    return jnp.where(jnp.isnan(shift), shift, band)


def _log_tails(
    distance: Float[Array, "*shape"],
    shift: Float[Array, "*shape"],
    test_stat: TestStatistic,
) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"], Float[Array, "*shape"]]:
    """Compute log CLsb, log CLb and log CLs at a distance T."""
    log_clsb = log_normal_tail(distance + shift)
    log_clb = log_normal_tail(distance)
    log_cls = log_tail_ratio(distance, shift)
    if test_stat.two_sided:
        s = _root_statistic(distance, shift, test_stat)
        log_clsb = jnp.logaddexp(log_clsb, log_normal_tail(s))
        log_clb = jnp.logaddexp(log_clb, log_normal_tail(s + shift))
        log_cls = log_clsb - log_clb
    if test_stat.discovery:
        log_cls = log_clsb
    return log_clsb, log_clb, log_cls


def _root_statistic(
    distance: Float[Array, "*shape"],
    shift: Float[Array, "*shape"],
    test_stat: TestStatistic,
) -> Float[Array, "*shape"]:
    """Square root of the statistic at a distance T: the inverse of `_distance`."""
    if not test_stat.bounded:
        return distance + shift
    beyond = (distance > 0.0) & (shift > 0.0)
    q = shift * (shift + 2.0 * jnp.where(beyond, distance, 0.0))
    return jnp.where(beyond, _safe_sqrt(q), distance + shift)
