"""Constraint terms: what auxiliary measurements say about nuisance parameters.

A Gaussian term constrains histosys, normsys, lumi and staterror parameters, a Poisson
term those of shapesys, unless the measurement of an extended workspace says otherwise;
a log-normal term is always such an extension. All are densities of the auxiliary data,
all constants included. ``present`` masks terms that one signal hypothesis of a batch
does not have.
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln, xlogy
from jaxtyping import Bool, Float, Int, PRNGKeyArray

from hfjax.arrays import Array, Params, Scalar

Terms = Float[Array, " set"]
Aux = Float[Array, " aux"]


def poisson_logpdf(count: Array, rate: Array) -> Array:
    """Logarithm of the Poisson density, continued to counts that are no integers.

    ``n ln(nu) - nu - ln Gamma(n + 1)``, with its limits at ``nu = 0``: 0 without
    counts, -inf with counts. A negative rate has no density: -inf. The gradient is
    finite everywhere and right wherever the value is finite.

    Args:
        count: observed events, not negative; may be integers.
        rate: expected events, of the same shape.

    Example:
        >>> round(float(poisson_logpdf(jnp.array(2.0), jnp.array(3.0))), 12)
        -1.495922603224
        >>> float(jax.grad(poisson_logpdf, 1)(jnp.array(0.0), jnp.array(0.0)))
        -1.0
    """
    count = jnp.asarray(count).astype(rate.dtype)  # xlogy cannot derive with integers
    positive = rate > 0.0
    safe = jnp.where(positive, rate, 1.0)
    density = xlogy(count, safe) - safe - gammaln(count + 1.0)
    at_zero = jnp.where((rate == 0.0) & (count == 0.0), -rate, -jnp.inf)
    return jnp.where(positive, density, at_zero)


class GaussianConstraints(eqx.Module):
    """Terms ``Normal(aux; theta, width)``.

    Attributes:
        index: position of each constrained parameter.
        position: position of each term in the auxiliary data.
        width: standard deviation, in units of the parameter.
        present: terms that count.
    """

    index: Int[Array, " set"]
    position: Int[Array, " set"]
    width: Terms
    present: Bool[Array, " set"]

    def pulls(self, params: Params, aux: Aux) -> Terms:
        """``(theta - aux) / width`` for each term."""
        return (params[self.index] - aux[self.position]) / self.width

    def deviation(self, datum: Terms) -> Terms:
        """Standard deviation of each parameter, whatever the auxiliary datum."""
        del datum
        return self.width

    def logpdf(self, params: Params, aux: Aux) -> Scalar:
        """Sum of ``-ln(width sqrt(2 pi)) - pull^2 / 2`` over the terms."""
        norm = jnp.log(self.width) + 0.5 * math.log(2.0 * math.pi)
        terms = -norm - 0.5 * self.pulls(params, aux) ** 2
        return jnp.sum(jnp.where(self.present, terms, 0.0))

    def expected(self, params: Params) -> Terms:
        """Expected auxiliary data: the parameters themselves."""
        return params[self.index]

    def sample(self, key: PRNGKeyArray, params: Params) -> Terms:
        """Draw auxiliary data."""
        noise = jax.random.normal(key, self.width.shape, self.width.dtype)
        return self.moved(params, noise)

    def moved(self, params: Params, noise: Terms) -> Terms:
        """Auxiliary data so many standard deviations above the expected ones."""
        return self.expected(params) + noise * self.width


class PoissonConstraints(eqx.Module):
    """Terms ``Poisson(aux; (theta + shift) factor)``, continued to real counts.

    Attributes:
        index: position of each constrained parameter.
        position: position of each term in the auxiliary data.
        factor: expected auxiliary events for each unit of the parameter.
        shift: what is added to the parameter; 0 for a gamma.
        present: terms that count.
    """

    index: Int[Array, " set"]
    position: Int[Array, " set"]
    factor: Terms
    shift: Terms
    present: Bool[Array, " set"]

    def gamma(self, params: Params) -> Terms:
        """What the expected events are proportional to, ``theta + shift``."""
        return params[self.index] + self.shift

    def deviation(self, datum: Terms) -> Terms:
        """Standard deviation of each parameter, that of so many auxiliary events."""
        return datum**0.5 / self.factor

    def logpdf(self, params: Params, aux: Aux) -> Scalar:
        """Sum of the Poisson log-densities over the terms."""
        terms = poisson_logpdf(aux[self.position], self.expected(params))
        return jnp.sum(jnp.where(self.present, terms, 0.0))

    def expected(self, params: Params) -> Terms:
        """Expected auxiliary data, in events."""
        return self.gamma(params) * self.factor

    def sample(self, key: PRNGKeyArray, params: Params) -> Terms:
        """Draw auxiliary data."""
        return jax.random.poisson(key, self.expected(params)).astype(self.factor.dtype)


class LogNormalConstraints(eqx.Module):
    """Terms ``ln aux ~ Normal(ln beta, width)`` with ``beta = scale (theta + shift)``.

    ``width`` is the logarithm of ``kappa``. Terms are densities of the auxiliary data,
    not of ``beta``, so that the maximum of a term is at ``beta = aux``.

    Attributes:
        index: position of each constrained parameter.
        position: position of each term in the auxiliary data.
        width: standard deviation of ``ln aux``.
        scale: change of ``beta`` for each unit of the parameter.
        shift: what is added to the parameter.
        present: terms that count.
    """

    index: Int[Array, " set"]
    position: Int[Array, " set"]
    width: Terms
    scale: Terms
    shift: Terms
    present: Bool[Array, " set"]

    def pulls(self, params: Params, aux: Aux) -> Terms:
        """``ln(beta / aux) / width`` for each term; inf where either is not positive.

        The gradient is finite everywhere and right wherever the pull is finite.
        """
        beta, datum = self.expected(params), aux[self.position]
        possible = (beta > 0.0) & (datum > 0.0)
        ratio = jnp.where(possible, beta, 1.0) / jnp.where(possible, datum, 1.0)
        return jnp.where(possible, jnp.log(ratio) / self.width, jnp.inf)

    def deviation(self, datum: Terms) -> Terms:
        """Standard deviation of each parameter, where ``beta`` is the datum."""
        return self.width * datum / self.scale

    def log_norm(self, aux: Aux) -> Terms:
        """``ln(aux width sqrt(2 pi))`` for each term."""
        datum = aux[self.position]
        positive = jnp.where(datum > 0.0, datum, 1.0)
        return jnp.log(positive * self.width) + 0.5 * math.log(2.0 * math.pi)

    def logpdf(self, params: Params, aux: Aux) -> Scalar:
        """Sum of ``-ln(aux width sqrt(2 pi)) - pull^2 / 2`` over the terms."""
        terms = -self.log_norm(aux) - 0.5 * self.pulls(params, aux) ** 2
        return jnp.sum(jnp.where(self.present, terms, 0.0))

    def expected(self, params: Params) -> Terms:
        """Median of the auxiliary data, ``beta``: the data that reproduce it."""
        return self.scale * (params[self.index] + self.shift)

    def sample(self, key: PRNGKeyArray, params: Params) -> Terms:
        """Draw auxiliary data."""
        noise = jax.random.normal(key, self.width.shape, self.width.dtype)
        return self.moved(params, noise)

    def moved(self, params: Params, noise: Terms) -> Terms:
        """Auxiliary data whose logarithms are so many widths above the median's."""
        return self.expected(params) * jnp.exp(noise * self.width)
