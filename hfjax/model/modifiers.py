"""Modifiers as stacked arrays: one pytree for each way of acting on a rate.

The rate of sample ``s`` in bin ``b`` is

    nu_sb = [prod_k kappa_ksb] * (nominal_sb + sum_j delta_jsb)

(CERN-OPEN-2012-016, eq. 2). ``HistoSys`` holds every delta; ``NormSys`` and
``Scaling`` every kappa: normsys factors are interpolated, those of lumi, normfactor,
shapefactor, shapesys and staterror are the parameter itself. The modifiers that act on
one cell stand in its *slots*; an empty slot points behind the last of what slots count,
at a constant that changes nothing, so that no cell needs a loop of its own.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float, Int

from hfjax.arrays import Array, Params, SampleRates
from hfjax.model.interpolation import (
    ADDITIVE_BASES,
    MULTIPLICATIVE_EDGES,
    Elementwise,
    polynomial,
)

Cells = Float[Array, "sample channel"]
Variations = Float[Array, " variation"]


@jax.custom_jvp
def product(factors: Array) -> Array:
    """Product over the first axis, with derivatives that are right at zeros.

    Example:
        >>> jax.grad(product)(jnp.array([0.0, 3.0])).tolist()
        [3.0, 0.0]
    """
    return jnp.prod(factors, axis=0)


@product.defjvp
def _product_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    """``d prod = sum_k (product of the others) d x_k``."""
    (factors,), (tangent,) = primals, tangents
    return product(factors), jnp.sum(exclusive_product(factors) * tangent, axis=0)


def exclusive_product(factors: Array) -> Array:
    """For each factor, the product of all the others along the first axis.

    Correct in value and in first derivative with up to two zeros, so that ``product``
    has right second derivatives where a parameter of interest and a gamma are zero.

    Example:
        >>> exclusive_product(jnp.array([0.0, 3.0, 4.0])).tolist()
        [12.0, 0.0, 0.0]
    """
    zero = factors == 0.0
    zeros = jnp.sum(zero, axis=0)
    others = product(jnp.where(zero, 1.0, factors))
    null = jnp.sum(jnp.where(zero, factors, 0.0), axis=0)
    ratio = others / jnp.where(zero, 1.0, factors)
    at_zero = jnp.where(zeros == 1, others, others * (null - factors))
    elsewhere = ratio * jnp.where(zeros == 0, 1.0, null)
    value = jnp.where(zero, at_zero, elsewhere)
    return jnp.where(zeros - zero > 1, 0.0, value)


class HistoSys(eqx.Module):
    """Additive shape variations: ``delta = odd alpha + even h(alpha)``.

    Attributes:
        index: position of each nuisance parameter.
        odd: half the difference of the variations, in events.
        even: mean of the variations less the nominal, in events.
        code: interpolation code, a key of ``ADDITIVE_BASES``.
    """

    index: Int[Array, " modifier"]
    odd: Float[Array, "modifier sample bin"]
    even: Float[Array, "modifier sample bin"]
    code: str = eqx.field(static=True)

    @property
    def basis(self) -> Elementwise:
        """The basis function ``h`` of the code."""
        return ADDITIVE_BASES[self.code]

    def delta(self, params: Params) -> SampleRates:
        """Change of every sample's rate, in events.

        Products with matrices: of anything else, compilers copy the variations before
        they differentiate it.
        """
        cells = self.odd.shape[1:]
        if not self.index.size:
            return jnp.zeros(cells, params.dtype)
        alpha, flat = params[self.index], (self.index.size, -1)
        odd, even = jnp.reshape(self.odd, flat), jnp.reshape(self.even, flat)
        return jnp.reshape(alpha @ odd + self.basis(alpha) @ even, cells)


class NormSys(eqx.Module):
    """Multiplicative variations of a sample in a whole channel.

    Most modifiers act on few cells. What each of them does to one cell is a variation:
    these are stored and interpolated in a list without gaps, and gather to tables.

    Attributes:
        index: position of each nuisance parameter.
        modifier: which of them each variation belongs to; their number in an empty one.
        cell: position of its cell, samples by channels in one row.
        slot: variation in each slot; their number in an empty one.
        table: variation by which each modifier acts on a cell; their number where it
            does not.
        coefficients: the six polynomial coefficients of code 4 of each variation.
        log_hi: logarithm of the factor at +1.
        log_lo: logarithm of the factor at -1.
        code: interpolation code, a key of ``MULTIPLICATIVE_EDGES``.
        positive: ROOT's rule, which sets a product at or below zero to the smallest
            positive number; without it such products stand, as in pyhf.
    """

    index: Int[Array, " modifier"]
    modifier: Int[Array, " variation"]
    cell: Int[Array, " variation"]
    slot: Int[Array, "slot sample channel"]
    table: Int[Array, "modifier sample channel"]
    coefficients: Float[Array, "6 variation"]
    log_hi: Variations
    log_lo: Variations
    code: str = eqx.field(static=True)
    positive: bool = eqx.field(static=True)

    @property
    def edge(self) -> float:
        """``|alpha|`` from which on the code is exponential."""
        return MULTIPLICATIVE_EDGES[self.code]

    def polynomial(self, alpha: Variations) -> Variations:
        """Each variation's polynomial factor, 1 where the code is exponential."""
        return inner_factor(alpha, self.coefficients, self.edge)

    def exponent(self, alpha: Variations) -> Variations:
        """Each variation's exponent, 0 where the code is polynomial."""
        return outer_exponent(alpha, (self.log_hi, self.log_lo), self.edge)

    def alpha(self, params: Params) -> Variations:
        """Nuisance parameter of each variation, 0 of empty ones."""
        return gather(params[self.index], 0.0, self.modifier)

    def factor(self, params: Params) -> Cells:
        """Product of all normsys factors of each sample and channel.

        Polynomial factors may be zero or negative and are multiplied; exponential ones
        are positive and their exponents are added.
        """
        if not self.index.size:
            return jnp.ones(self.slot.shape[1:], params.dtype)
        alpha = self.alpha(params)
        exponents = gather(self.exponent(alpha), 0.0, self.slot)
        factors = gather(self.polynomial(alpha), 1.0, self.slot)
        factor = product(factors) * jnp.exp(jnp.sum(exponents, axis=0))
        if self.positive:
            return jnp.maximum(factor, jnp.finfo(factor.dtype).tiny)
        return factor


def inner_factor(alpha: Array, coefficients: Array, edge: Array | float) -> Array:
    """A normsys factor where it is a polynomial, 1 where it is exponential."""
    inside = jnp.abs(alpha) < edge
    return polynomial(jnp.where(inside, alpha, 0.0), coefficients)


def outer_exponent(
    alpha: Array, logs: tuple[Array, Array], edge: Array | float
) -> Array:
    """The exponent of a normsys factor, 0 where it is a polynomial.

    Args:
        alpha: nuisance parameters.
        logs: logarithms of the factors at +1 and at -1.
        edge: ``|alpha|`` from which on they are exponential.
    """
    outside = jnp.abs(alpha) >= edge
    steep = jnp.where(alpha > 0.0, alpha * logs[0], -alpha * logs[1])
    return jnp.where(outside, steep, 0.0)


def gather(
    values: Float[Array, " value"], empty: float, where: Int[Array, "*place"]
) -> Float[Array, "*place"]:
    """Write values into a table of their positions, ``empty`` where there is none.

    The barrier keeps compilers from computing a value again in each of its places.

    Example:
        >>> gather(jnp.array([3.0, 5.0]), 1.0, jnp.array([[0, 2], [1, 0]])).tolist()
        [[3.0, 1.0], [5.0, 3.0]]
    """
    padded = jnp.append(values, jnp.full(1, empty, values.dtype))
    held = jax.lax.optimization_barrier(padded)
    places = held.at[where]
    return places.get(mode="promise_in_bounds", wrap_negative_indices=False)


class Scaling(eqx.Module):
    """Factors that are parameters: lumi, normfactor, shapefactor, shapesys, staterror.

    Attributes:
        index: position of the parameter in each slot; their number in an empty one.
    """

    index: Int[Array, "slot sample bin"]

    def factors(self, params: Params) -> Float[Array, "slot sample bin"]:
        """The parameter in each slot, 1 in empty ones."""
        return gather(params, 1.0, self.index)

    def factor(self, params: Params) -> SampleRates:
        """Product of all such factors of each sample and bin."""
        return product(self.factors(params))
