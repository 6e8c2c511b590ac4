"""Templates: what a model is made of, and what follows from them.

Published uncertainties are absolute: where the nominal events of a sample change, its
variations stay where they are, and so do the uncertainties of its bins. So a change of
yields changes the even parts of histosys, the widths of staterror, and the auxiliary
events of shapesys. All of it is traced: yields may be what a network gives.
"""

from typing import NamedTuple, TypeVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from hfjax.arrays import Array, ParamsMask, SampleRates
from hfjax.model.constraints import (
    Aux,
    GaussianConstraints,
    LogNormalConstraints,
    PoissonConstraints,
)
from hfjax.model.interpolation import code4_coefficients, safe_log
from hfjax.model.modifiers import HistoSys, NormSys, Variations
from hfjax.model.parameters import Parameters
from hfjax.model.places import Places
from hfjax.model.sample_block import SampleBlock


class Templates(eqx.Module):
    """What a model is made of: events, variations and uncertainties.

    Attributes:
        nominal: events of each sample in each bin.
        hi: events with a histosys at +1; nominal where it does not act.
        lo: events with it at -1.
        factor_hi: factor of each normsys on a sample in a channel, at +1.
        factor_lo: the same at -1.
        uncertainty: of the events in each cell of a staterror or shapesys, absolute.
    """

    nominal: SampleRates
    hi: Float[Array, "modifier sample bin"]
    lo: Float[Array, "modifier sample bin"]
    factor_hi: Variations
    factor_lo: Variations
    uncertainty: Float[Array, " cell"]


class Sources(eqx.Module):
    """How a model follows from its templates.

    Attributes:
        varies: where each histosys acts.
        factor_hi: factor of each normsys on a sample in a channel, at +1.
        factor_lo: the same at -1.
        uncertainty: of the events in each cell of a staterror or shapesys, absolute.
        cell: position of each such cell, samples by bins in one row.
        term: position of its constraint term in the auxiliary data.
        parameter: position of its parameter.
        wide: terms whose width follows from uncertainties.
        centred: terms whose auxiliary datum does.
        least: relative uncertainty below which the parameter of a term is fixed.
        fixed: parameters that are fixed whatever the uncertainties.
        aux: nominal auxiliary data.
        places: which entries belong to which modifier, channel and sample.
    """

    varies: Bool[Array, "modifier sample bin"]
    factor_hi: Variations
    factor_lo: Variations
    uncertainty: Float[Array, " cell"]
    cell: Int[Array, " cell"]
    term: Int[Array, " cell"]
    parameter: Int[Array, " cell"]
    wide: Bool[Array, " aux"]
    centred: Bool[Array, " aux"]
    least: Float[Array, " aux"]
    fixed: ParamsMask
    aux: Aux
    places: Places = eqx.field(static=True)


class Parts(NamedTuple):
    """What follows from templates, by the names that it has in a model."""

    block: SampleBlock
    gaussian: GaussianConstraints
    poisson: PoissonConstraints
    lognormal: LogNormalConstraints
    parameters: Parameters
    sources: Sources


def templates_of(block: SampleBlock, sources: Sources) -> Templates:
    """Templates that a model is made of.

    Args:
        block: its samples.
        sources: how it follows.
    """
    own, nominal = block.histosys, block.nominal
    return Templates(
        nominal=nominal,
        hi=nominal + jnp.where(sources.varies, own.even + own.odd, 0.0),
        lo=nominal + jnp.where(sources.varies, own.even - own.odd, 0.0),
        factor_hi=sources.factor_hi,
        factor_lo=sources.factor_lo,
        uncertainty=sources.uncertainty,
    )


def following(parts: Parts, templates: Templates) -> Parts:
    """What follows from other templates.

    Args:
        parts: of a model.
        templates: the others, of the same shapes.
    """
    own = parts.sources
    relative = relative_uncertainties(own, templates)
    known = relative > 0.0
    safe = jnp.where(known, relative, 1.0)
    tau = (1.0 / safe) ** 2
    still = jnp.asarray(own.fixed).at[own.parameter].max(~known[own.term])
    parameters = eqx.tree_at(lambda p: p.fixed, parts.parameters, still)
    sources = eqx.tree_at(
        lambda s: (s.factor_hi, s.factor_lo, s.uncertainty, s.aux),
        own,
        (
            templates.factor_hi,
            templates.factor_lo,
            templates.uncertainty,
            jnp.where(own.centred, tau, own.aux),
        ),
    )
    return Parts(
        block=_block(parts.block, own, templates),
        gaussian=_wide(parts.gaussian, own, safe),
        poisson=_counting(parts.poisson, own, tau),
        lognormal=_wide(parts.lognormal, own, jnp.log1p(safe)),
        parameters=parameters,
        sources=sources,
    )


def relative_uncertainties(
    sources: Sources, templates: Templates
) -> Float[Array, " aux"]:
    """Relative uncertainty of each constraint term; 0 where there is none.

    ``sqrt(sum_s u_s^2) / sum_s nu_s`` over the samples that share the parameter; none
    below the threshold of a measurement.
    """
    nothing = jnp.zeros(sources.aux.shape, templates.nominal.dtype)
    events = jnp.ravel(templates.nominal)[sources.cell]
    total = nothing.at[sources.term].add(events)
    square = nothing.at[sources.term].add(templates.uncertainty**2)
    known = (total > 0.0) & (square > 0.0)
    root = jnp.sqrt(jnp.where(known, square, 1.0))
    relative = root / jnp.where(known, total, 1.0)
    return jnp.where(known & (relative >= sources.least), relative, 0.0)


def _block(block: SampleBlock, sources: Sources, templates: Templates) -> SampleBlock:
    """Samples of these templates."""
    hi, lo, nominal = templates.hi, templates.lo, templates.nominal
    one, other = block.histosys, block.normsys
    up, down = templates.factor_hi, templates.factor_lo
    odd = jnp.where(sources.varies, 0.5 * (hi - lo), 0.0)
    even = jnp.where(sources.varies, 0.5 * (hi + lo) - nominal, 0.0)
    normsys = NormSys(
        *(other.index, other.modifier, other.cell, other.slot, other.table),
        coefficients=code4_coefficients(up, down),
        log_hi=safe_log(up),
        log_lo=safe_log(down),
        code=other.code,
        positive=other.positive,
    )
    histosys = HistoSys(one.index, odd, even, one.code)
    return SampleBlock(nominal, histosys, normsys, block.scaling)


Wide = TypeVar("Wide", GaussianConstraints, LogNormalConstraints)


def _wide(terms: Wide, sources: Sources, width: Aux) -> Wide:
    """Terms with the widths that follow; others keep theirs."""
    at = terms.position
    changed = jnp.where(sources.wide[at], width[at], terms.width)
    return eqx.tree_at(lambda t: t.width, terms, changed)


def _counting(
    terms: PoissonConstraints, sources: Sources, tau: Aux
) -> PoissonConstraints:
    """Poisson terms with the factors that follow; others keep theirs."""
    at = terms.position
    changed = jnp.where(sources.wide[at], tau[at], terms.factor)
    return eqx.tree_at(lambda t: t.factor, terms, changed)
