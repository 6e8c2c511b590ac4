"""First and second derivatives of the rates, in the factored form that fits need.

Each cell's rate is ``N = F D`` with a product ``F`` of factors, one parameter each, and
a sum ``D`` of shifts. With ``u = d ln F`` and ``G = d D``

    dN  = F G + N u
    d2N = F (G u' + u G') + N u u' + diagonal,

so that a curvature times a vector costs a few small matrix products, and no matrix of
parameters by parameters is ever formed. Automatic differentiation gives the same
numbers, an order of magnitude slower; tests hold the two against each other.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float, Int

from hfjax.arrays import Array, Params, Rates, SampleRates
from hfjax.model.derivation import Slopes, Values
from hfjax.model.interpolation import derivatives, polynomial_derivatives
from hfjax.model.jacobian import Jacobian, Rows
from hfjax.model.lookup import add_at, read
from hfjax.model.model import Model
from hfjax.model.modifiers import Cells, HistoSys, NormSys, Variations, gather
from hfjax.model.sample_block import SampleBlock

# Factors are kept this far from zero where they divide. A polynomial is known to 1e-17
# at best; a parameter may be exactly zero.
NEAR_ZERO_POLYNOMIAL = 1e-18
NEAR_ZERO_PARAMETER = 1e-60


class BlockDerivatives(eqx.Module):
    """Derivatives of the rates of one block of samples, at given parameters.

    Attributes:
        block: the samples.
        factor: product ``F`` of all factors.
        rates: expected events ``N``.
        shift: derivative ``G`` of each histosys' shift.
        bend: second derivative of each histosys' basis function.
        normsys_slope: ``u = f' / f`` of each normsys on each cell.
        normsys_bend: ``f'' / f`` likewise.
        slope: ``u`` as a table of modifiers and cells.
        inverse: ``1 / theta`` of each scaling factor, in its slot.
    """

    block: SampleBlock
    factor: SampleRates
    rates: SampleRates
    shift: Float[Array, "modifier sample bin"]
    bend: Float[Array, " modifier"]
    normsys_slope: Variations
    normsys_bend: Variations
    slope: Float[Array, "normsys sample channel"]
    inverse: Float[Array, "scaling sample bin"]


def away_from_zero(factor: Array, distance: float) -> Array:
    """Replace factors closer to zero by that distance, so that they can divide.

    Where numbers do not reach so low, the distance is what they can still divide by.
    """
    distance = max(distance, 2.0**24 * float(jnp.finfo(factor.dtype).tiny))
    return jnp.where(jnp.abs(factor) < distance, distance, factor)


def normsys_derivatives(
    normsys: NormSys, params: Params
) -> tuple[Cells, Variations, Variations]:
    """Product of all factors, and ``f'/f`` and ``f''/f`` of each."""
    if not normsys.index.size:
        return normsys.factor(params), normsys.log_hi, normsys.log_hi
    alpha = normsys.alpha(params)
    inside = jnp.abs(alpha) < normsys.edge
    value, first, second = polynomial_derivatives(
        jnp.where(inside, alpha, 0.0), normsys.coefficients
    )
    safe = away_from_zero(value, NEAR_ZERO_POLYNOMIAL)
    log = jnp.where(alpha > 0.0, normsys.log_hi, -normsys.log_lo)
    slope = jnp.where(inside, first / safe, log)
    bend = jnp.where(inside, second / safe, log * log)
    exponents = gather(normsys.exponent(alpha), 0.0, normsys.slot)
    factors = gather(safe, 1.0, normsys.slot)
    total = jnp.prod(factors, axis=0) * jnp.exp(jnp.sum(exponents, axis=0))
    if normsys.positive:
        moving = (total > 0.0).reshape(-1)[normsys.cell]
        total = normsys.factor(params)
        slope, bend = jnp.where(moving, slope, 0.0), jnp.where(moving, bend, 0.0)
    return total, slope, bend


def block_derivatives(
    block: SampleBlock, params: Params, model: Model
) -> BlockDerivatives:
    """Differentiate the rates of a block at ``params``."""
    by_channel, normsys_slope, normsys_bend = normsys_derivatives(block.normsys, params)
    scaling = away_from_zero(block.scaling.factors(params), NEAR_ZERO_PARAMETER)
    factor = by_channel[:, model.bin_channel] * jnp.prod(scaling, axis=0)
    shift, delta, bend = histosys_derivatives(block.histosys, params)
    return BlockDerivatives(
        block=block,
        factor=factor,
        rates=factor * (block.nominal + delta),
        shift=shift,
        bend=bend,
        normsys_slope=normsys_slope,
        normsys_bend=normsys_bend,
        slope=gather(normsys_slope, 0.0, block.normsys.table),
        inverse=1.0 / scaling,
    )


def histosys_derivatives(
    histosys: HistoSys, params: Params
) -> tuple[Float[Array, "modifier sample bin"], SampleRates, Float[Array, " modifier"]]:
    """Derivative of each shift, the sum of all shifts, and ``h''`` of each."""
    alpha = params[histosys.index]
    if not alpha.size:
        return histosys.odd, histosys.delta(params), alpha
    basis, tilt, bend = derivatives(histosys.basis, alpha)
    even = jnp.tensordot(basis, histosys.even, 1)
    delta = jnp.tensordot(alpha, histosys.odd, 1) + even
    return histosys.odd + tilt[:, None, None] * histosys.even, delta, bend


def block_jacobian(at: BlockDerivatives, size: int, model: Model) -> Jacobian:
    """The derivative of the summed rates of a block in so many factors."""
    scaling, bins = at.rates * at.inverse, jnp.arange(model.bin_channel.size)
    index, places = at.block.scaling.index, model.local
    own = model.lookup.histosys, model.lookup.normsys
    if places is None:
        rows = _block_rows(at, own, model)
        return Jacobian(add_at(rows, (index, bins), scaling))
    kinds = zip(own, (at.block.histosys, at.block.normsys), strict=True)
    own = tuple(read(each, places.others, kind.index.size) for each, kind in kinds)
    rows = _block_rows(at, own, model)
    where = read(places.row, index, len(rows))
    rows = add_at(rows, (where, bins), scaling)
    local = jnp.where(index == places.index[:, None, None], scaling, 0.0)
    return Jacobian(rows, jnp.sum(local, axis=(1, 2)), places, size)


def _block_rows(
    at: BlockDerivatives, own: tuple[Int[Array, " row"], ...], model: Model
) -> Rows:
    """Derivatives in the histosys and the normsys of each row's parameter.

    Products that are summed, not matrix products: with the bin in both, compilers copy
    the factors first, which takes several times as long.
    """
    block, (histosys, normsys) = at.block, own
    out = jnp.zeros((histosys.size, model.bin_channel.size), at.rates.dtype)
    if block.histosys.index.size:
        out = out + read(jnp.sum(at.shift * at.factor, axis=1), histosys)
    if block.normsys.index.size:
        by_bin = at.slope[:, :, model.bin_channel]
        out = out + read(jnp.sum(by_bin * at.rates, axis=1), normsys)
    return out


def block_curvature(
    at: BlockDerivatives, weights: Rates, vector: Params, into: Params, model: Model
) -> Params:
    """Add ``sum_sb weights_b d2N_sb`` times a vector to a vector."""
    block, look, out = at.block, model.lookup, jnp.asarray(into)
    weighted, own = weights * at.factor, weights * at.rates
    moved = tilted = jnp.zeros_like(at.rates)
    if block.histosys.index.size:
        moved = jnp.tensordot(vector[block.histosys.index], at.shift, 1)
    if block.normsys.index.size:
        tilted = jnp.tensordot(vector[block.normsys.index], at.slope, 1)
        tilted = tilted[:, model.bin_channel]
    scaled = read(vector, block.scaling.index) * at.inverse
    turned = tilted + jnp.sum(scaled, axis=0)
    if block.histosys.index.size:
        shifts = jnp.tensordot(at.shift, weighted * turned, 2)
        out = out + read(shifts, look.histosys)
    if block.normsys.index.size:
        force = look.by_channel(weighted * moved + own * turned)
        out = out + read(jnp.tensordot(at.slope, force, 2), look.normsys)
    others = 1.0 - jnp.eye(scaled.shape[0], dtype=scaled.dtype)
    pairs = jnp.einsum("kl,lsb->ksb", others, scaled)
    scaling = at.inverse * (weighted * moved + own * (tilted + pairs))
    return add_at(out, (block.scaling.index,), scaling)


class Bends(NamedTuple):
    """Curvature of the rates in each parameter alone.

    Attributes:
        own: of modifiers that bend by themselves.
        square: products of modifiers with themselves, which `block_curvature` has too
            much.
    """

    own: Params
    square: Params


def block_bends(at: BlockDerivatives, weights: Rates, size: int, model: Model) -> Bends:
    """``sum_sb weights_b d2N_sb`` in each parameter alone, and with ``N u_j^2``."""
    block, look = at.block, model.lookup
    own = square = jnp.zeros(size, weights.dtype)
    if block.histosys.index.size:
        bend = at.bend * jnp.tensordot(block.histosys.even, weights * at.factor, 2)
        own = own + read(bend, look.histosys)
    if block.normsys.index.size:
        normsys = block.normsys
        cells = look.by_channel(weights * at.rates).reshape(-1)[normsys.cell]
        both = jnp.stack([at.normsys_bend, at.normsys_slope**2], axis=1)
        each = both * cells[:, None]
        sums = jax.ops.segment_sum(each, normsys.modifier, normsys.index.size)
        found = read(sums, look.normsys)
        own, square = own + found[:, 0], square + found[:, 1]
    return Bends(own, square)


class RateDerivatives(eqx.Module):
    """First and second derivatives of a model's rates at given parameters.

    Attributes:
        model: the model.
        block: derivatives of the samples.
        rates: expected events of each bin.
        jacobian: derivative of each bin's rate in each parameter.
    """

    model: Model
    block: BlockDerivatives
    rates: Rates
    jacobian: Jacobian

    def curvature(self, weights: Rates, diagonal: Params, vector: Params) -> Params:
        """``sum_b weights_b d2nu_b`` times a vector.

        Args:
            weights: of the bins.
            diagonal: both `bends` with these weights, the second from the first.
            vector: to be multiplied.
        """
        return block_curvature(
            self.block, weights, vector, diagonal * vector, self.model
        )

    def bends(self, weights: Rates) -> Bends:
        """``sum_b weights_b d2nu_b`` in each parameter alone."""
        return block_bends(self.block, weights, self.jacobian.count, self.model)


class ChainedDerivatives(eqx.Module):
    """Derivatives of rates whose factors may be functions of parameters.

    Attributes:
        inner: derivatives in the parameters and in derived ones, as if all were free.
        slopes: derivatives of the derived parameters.
        jacobian: derivative of each bin's rate in each parameter.
    """

    inner: RateDerivatives
    slopes: Slopes
    jacobian: Jacobian

    @property
    def rates(self) -> Rates:
        """Expected events of each bin."""
        return self.inner.rates

    def curvature(self, weights: Rates, diagonal: Params, vector: Params) -> Params:
        """``sum_b weights_b d2nu_b`` times a vector; see `RateDerivatives`."""
        full = self.slopes.jvp(vector)
        inner = self.inner.curvature(weights, jnp.zeros_like(full), full)
        index, cross = self.slopes.index, self.slopes.cross
        turned = jnp.tensordot(self._forces(weights), cross, 1) @ vector[index]
        own = self.slopes.vjp(inner) + diagonal * vector
        return jnp.asarray(own).at[index].add(turned)

    def bends(self, weights: Rates) -> Bends:
        """Curvature in each parameter alone, that of expressions as well."""
        inner = self.inner.bends(weights)
        own, square = (part[: self.jacobian.count] for part in inner)
        bend = self._forces(weights) @ self.slopes.bend
        return Bends(jnp.asarray(own).at[self.slopes.index].add(bend), square)

    def _forces(self, weights: Rates) -> Values:
        """``sum_b weights_b dnu_b`` in each derived parameter."""
        return self.inner.jacobian.rows[self.jacobian.count :] @ weights


def differentiate(model: Model, params: Params) -> RateDerivatives | ChainedDerivatives:
    """Rates, their Jacobian, and what second derivatives need.

    Args:
        model: the model; names are not needed.
        params: parameter values.
    """
    factors = model.with_derived(params)
    inner = differentiate_factors(model, factors)
    if model.derivation is None:
        return inner
    slopes = model.derivation.slopes(params)
    return ChainedDerivatives(inner, slopes, Jacobian(slopes.vjp(inner.jacobian.rows)))


def differentiate_factors(model: Model, params: Params) -> RateDerivatives:
    """The same with respect to all factors, as if no expression gave any of them."""
    at = block_derivatives(model.block, params, model)
    jacobian = block_jacobian(at, params.size, model)
    return RateDerivatives(model, at, jnp.sum(at.rates, axis=0), jacobian)
