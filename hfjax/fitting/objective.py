"""What a fit minimizes: half the deviance of a data set, with its derivatives.

    f(theta) = sum_b [nu_b - n_b + n_b ln(n_b / nu_b)] + constraint terms alike

is the negative log-likelihood less its value for a saturated model, so that differences
survive in floating point where the log-likelihood itself is large. Its Hessian

    sum_b [n_b / nu_b^2 dnu_b dnu_b' + (1 - n_b / nu_b) d2nu_b] + diag(constraints)

is a matrix of rank ``n_bins`` plus a diagonal (the Fisher part), plus a small rest.
"""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln, xlogy
from jaxtyping import Bool, Float

from hfjax.arrays import Array, Params, Rates, Scalar
from hfjax.model.constraints import LogNormalConstraints
from hfjax.model.data import Data
from hfjax.model.derivatives import (
    ChainedDerivatives,
    RateDerivatives,
    differentiate,
)
from hfjax.model.lookup import read
from hfjax.model.model import Model

Matrix = Float[Array, "par par"]


@jax.custom_jvp
def half_deviance(count: Array, rate: Array) -> Array:
    """``nu - n + n ln(n / nu)``, +inf where the rate is impossible.

    Written as ``n (x - ln(1 + x))`` with ``x = (nu - n) / n``, which keeps its digits
    where the rate is close to a large count. Its slope in the rate, ``1 - n / nu``, has
    a derivative in the count also where that is zero; its own derivative in a count of
    zero, infinite, is taken for zero.

    Example:
        >>> round(float(half_deviance(jnp.array(4.0), jnp.array(5.0))), 12)
        0.107425794743
    """
    positive = count > 0.0
    excess = (rate - count) / jnp.where(positive, count, 1.0)
    possible = excess > -1.0
    inside = jnp.where(possible, excess, 0.0)
    terms = jnp.where(possible, count * (inside - jnp.log1p(inside)), jnp.inf)
    without_counts = jnp.where(rate >= 0.0, rate, jnp.inf)
    return jnp.where(positive, terms, without_counts)


@half_deviance.defjvp
def _half_deviance_jvp(
    primals: tuple[Array, Array], tangents: tuple[Array, Array]
) -> tuple[Array, Array]:
    (count, rate), (count_dot, rate_dot) = primals, tangents
    positive, above = count > 0.0, rate > 0.0
    safe = jnp.where(above, rate, 1.0)
    slope = jnp.where(above, 1.0 - count / safe, jnp.where(positive, 0.0, 1.0))
    inside = positive & above
    in_count = jnp.where(
        inside, jnp.log(jnp.where(inside, count, 1.0) / jnp.where(inside, rate, 1.0)), 0
    )
    return half_deviance(count, rate), slope * rate_dot + in_count * count_dot


def saturated(count: Array) -> Array:
    """Poisson log-density of a count at its own value, ``n ln n - n - ln Gamma(n+1)``.

    Example:
        >>> round(float(saturated(jnp.array(2.0))), 12)
        -1.30685281944
    """
    return xlogy(count, count) - count - gammaln(count + 1.0)


IMPOSSIBLE = 1e12
"""Merit from which on a likelihood is zero: some rate is impossible."""
LEAST_EVENTS = 0.1
"""Rate that an impossible one is lifted to, in events, and in parts of the count."""
LIFT = 0.1
"""Uncertainty of that lift, in parts of the rate: smaller than all that opposes it."""


def symmetric_matrix(product: Callable[[Params], Params], params: Params) -> Matrix:
    """The matrix of a product, row by row: the memory of one product is enough.

    Args:
        product: the matrix times a vector.
        params: a vector of the size and precision wanted.

    Example:
        >>> symmetric_matrix(lambda vector: 2.0 * vector, jnp.ones(2)).tolist()
        [[2.0, 0.0], [0.0, 2.0]]
    """
    return jax.lax.map(product, jnp.eye(params.size, dtype=params.dtype))


class Objective(eqx.Module):
    """Half the deviance of ``data`` as a function of the parameters of ``model``."""

    model: Model
    data: Data

    def value(self, params: Params) -> Scalar:
        """Half the deviance; +inf where a rate is impossible."""
        return self.value_at(params, self.rates(params))

    def rates(self, params: Params) -> Rates:
        """Expected events of each bin."""
        return jnp.sum(self.model.expected_rates(params), axis=0)

    def value_at(self, params: Params, rates: Rates) -> Scalar:
        """Half the deviance at parameters whose rates are known."""
        model, aux = self.model, self.data.aux
        gaussian, poisson = model.gaussian, model.poisson
        main = half_deviance(self.data.main, rates)
        pulls = gaussian.pulls(params, aux)
        counts = half_deviance(aux[poisson.position], poisson.expected(params))
        total = (
            jnp.sum(jnp.where(model.bin_present, main, 0.0))
            + 0.5 * jnp.sum(jnp.where(gaussian.present, pulls**2, 0.0))
            + jnp.sum(jnp.where(poisson.present, counts, 0.0))
        )
        if model.lognormal.index.size:
            pulls = model.lognormal.pulls(params, aux)
            present = model.lognormal.present
            total = total + 0.5 * jnp.sum(jnp.where(present, pulls**2, 0.0))
        return total

    def merit_at(self, params: Params, rates: Rates) -> Scalar:
        """Half the deviance, or how far the rates are from where it is finite.

        From `IMPOSSIBLE` on, the lower one of two points is nearer to a likelihood that
        is not zero, so that a fit may begin where it is.
        """
        value = self.value_at(params, rates)
        target = self._lifted()
        lack = jnp.where(self._impossible(rates), 1.0 - rates / target, 0.0)
        merit = IMPOSSIBLE * (1.0 + jnp.sum(lack**2))
        return jnp.where(value == jnp.inf, merit, value)

    def _impossible(self, rates: Rates) -> Bool[Array, " bin"]:
        """Bins whose rate makes the likelihood zero."""
        none = jnp.where(self.data.main > 0.0, rates <= 0.0, rates < 0.0)
        return none & self.model.bin_present

    def _lifted(self) -> Rates:
        """Rates that impossible ones are lifted to."""
        return jnp.maximum(LEAST_EVENTS * self.data.main, LEAST_EVENTS)

    def deviance(self, params: Params) -> Scalar:
        """The deviance: 2NLL less its value for a saturated model."""
        return 2.0 * self.value(params)

    def offset(self) -> Scalar:
        """``-ln L`` of the saturated model: what the deviance leaves out."""
        model, aux = self.model, self.data.aux
        norm = jnp.log(model.gaussian.width * jnp.sqrt(2.0 * jnp.pi))
        poisson = saturated(aux[model.poisson.position])
        logs = model.lognormal.log_norm(aux)
        return (
            -jnp.sum(jnp.where(model.bin_present, saturated(self.data.main), 0.0))
            + jnp.sum(jnp.where(model.gaussian.present, norm, 0.0))
            - jnp.sum(jnp.where(model.poisson.present, poisson, 0.0))
            + jnp.sum(jnp.where(model.lognormal.present, logs, 0.0))
        )

    def hessian(self, params: Params) -> Matrix:
        """Second derivatives of half the deviance."""
        return symmetric_matrix(self.expand(params).hessian_product, params)

    def expand(self, params: Params) -> "Expansion":
        """Second-order expansion around ``params``."""
        model, aux = self.model, self.data.aux
        gaussian, poisson = model.gaussian, model.poisson
        rates = differentiate(model, params)
        count = self.data.main
        safe = jnp.where(rates.rates > 0.0, rates.rates, 1.0)
        present = model.bin_present
        pull = jnp.where(gaussian.present, gaussian.pulls(params, aux), 0.0)
        tight = jnp.where(gaussian.present, gaussian.width**-2, 0.0)
        gamma = jnp.maximum(poisson.gamma(params), 1e-100)
        events = jnp.where(poisson.present, aux[poisson.position], 0.0)
        factor = jnp.where(poisson.present, poisson.factor, 0.0)
        impossible, target = self._impossible(rates.rates), self._lifted()
        strong = (LIFT * target) ** -2
        rate_gradient = jnp.where(present, 1.0 - count / safe, 0.0)
        rate_gradient = jnp.where(
            impossible, strong * (rates.rates - target), rate_gradient
        )
        weight = jnp.where(impossible, strong, count / safe**2)
        look = model.lookup
        prior = read(tight, look.gaussian) + read(events / gamma**2, look.poisson)
        gradient = rates.jacobian.pulled(rate_gradient)
        gradient = gradient + read(pull / gaussian.width, look.gaussian)
        gradient = gradient + read(factor - events / gamma, look.poisson)
        own_curvature, square = rates.bends(rate_gradient)
        if model.lognormal.index.size:
            terms = log_normal_terms(model.lognormal, params, aux)
            gradient = gradient + read(terms.gradient, look.lognormal)
            prior = prior + read(terms.prior, look.lognormal)
            own_curvature = own_curvature + read(terms.rest, look.lognormal)
        return Expansion(
            rates=rates,
            gradient=gradient,
            prior=prior,
            weight=jnp.where(present, weight, 0.0),
            fisher_weight=jnp.where(present, 1.0 / safe, 0.0),
            rate_gradient=rate_gradient,
            own_curvature=own_curvature,
            diagonal=own_curvature - square,
        )


class LogNormalTerms(NamedTuple):
    """Derivatives of ``pull^2 / 2`` of log-normal constraint terms.

    Attributes:
        gradient: first derivative.
        prior: second derivative where ``beta`` is below its datum, and what is expected
            of it above: positive.
        rest: what is left of the second derivative, which may be negative.
    """

    gradient: Array
    prior: Array
    rest: Array


def log_normal_terms(
    lognormal: LogNormalConstraints, params: Params, aux: Array
) -> LogNormalTerms:
    """Differentiate log-normal constraint terms.

    With ``l = ln(beta / aux)`` and ``w = scale / (width beta)``, the derivatives are
    ``w l / width`` and ``w^2 (1 - l)``.
    """
    beta = lognormal.expected(params)
    possible = lognormal.present & (beta > 0.0)
    pull = jnp.where(possible, lognormal.pulls(params, aux), 0.0)
    slope = lognormal.scale / (lognormal.width * jnp.where(possible, beta, 1.0))
    square, log = jnp.where(possible, slope**2, 0.0), pull * lognormal.width
    return LogNormalTerms(
        gradient=slope * pull,
        prior=square * (1.0 - jnp.minimum(log, 0.0)),
        rest=-square * jnp.maximum(log, 0.0),
    )


class Expansion(eqx.Module):
    """Gradient and Hessian of half a deviance, in factored form.

    Attributes:
        rates: derivatives of the rates.
        gradient: first derivative.
        prior: second derivative of the constraint terms, not negative.
        weight: ``n / nu^2`` of each bin.
        fisher_weight: ``1 / nu`` of each bin.
        rate_gradient: ``1 - n / nu`` of each bin.
        own_curvature: curvature of the rates in each parameter alone, and of constraint
            terms what may be negative.
        diagonal: the same less what products of modifiers have too much.
    """

    rates: RateDerivatives | ChainedDerivatives
    gradient: Params
    prior: Params
    weight: Rates
    fisher_weight: Rates
    rate_gradient: Rates
    own_curvature: Params
    diagonal: Params

    def hessian_product(self, vector: Params) -> Params:
        """The exact Hessian times a vector."""
        jacobian = self.rates.jacobian
        fisher = jacobian.pulled(self.weight * jacobian.pushed(vector))
        bent = self.rates.curvature(self.rate_gradient, self.diagonal, vector)
        return fisher + bent + self.prior * vector
