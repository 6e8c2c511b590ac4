"""Samples whose arrays are stacked."""

from types import ModuleType

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from hfjax.arrays import Array, Params, SampleRates
from hfjax.model.modifiers import HistoSys, NormSys, Scaling
from hfjax.model.tracing import is_known


class SampleBlock(eqx.Module):
    """Samples whose arrays are stacked: all of a model, or one side of a scan.

    Attributes:
        nominal: events of each sample in each bin before any modifier.
        histosys: additive variations.
        normsys: interpolated factors.
        scaling: factors that are parameters.
    """

    nominal: SampleRates
    histosys: HistoSys
    normsys: NormSys
    scaling: Scaling

    def rates(self, params: Params, bin_channel: Int[Array, " bin"]) -> SampleRates:
        """Expected events of each sample in each bin."""
        factor = self.normsys.factor(params)[:, bin_channel]
        base = self.nominal + self.histosys.delta(params)
        return factor * self.scaling.factor(params) * base


def join_blocks(first: SampleBlock, second: SampleBlock) -> SampleBlock:
    """The samples of two blocks in one, those of the first before the others.

    Args:
        first: the one side of a scan.
        second: the other side, with the same modifiers and numbers of slots.
    """
    array = np if is_known((first, second)) else jnp
    one, other = first.histosys, second.histosys
    histosys = HistoSys(
        index=one.index,
        odd=array.concatenate([one.odd, other.odd], axis=1),
        even=array.concatenate([one.even, other.even], axis=1),
        code=one.code,
    )
    slots = [first.scaling.index, second.scaling.index]
    return SampleBlock(
        nominal=array.concatenate([first.nominal, second.nominal]),
        histosys=histosys,
        normsys=_join_normsys(first.normsys, second.normsys, array),
        scaling=Scaling(array.concatenate(slots, axis=1)),
    )


def _join_normsys(one: NormSys, other: NormSys, array: ModuleType) -> NormSys:
    """The variations of two blocks, one list behind the other."""
    number, behind = one.log_hi.size, one.log_hi.size + other.log_hi.size
    cells = one.slot.shape[1] * one.slot.shape[2]

    def joined(first: Array, second: Array) -> Array:
        moved = array.where(first == number, behind, first).astype(first.dtype)
        return array.concatenate([moved, second + number], axis=1)

    def both(first: Array, second: Array) -> Array:
        return array.concatenate([first, second], axis=-1)

    return NormSys(
        index=one.index,
        modifier=both(one.modifier, other.modifier),
        cell=both(one.cell, other.cell + cells),
        slot=joined(one.slot, other.slot),
        table=joined(one.table, other.table),
        coefficients=both(one.coefficients, other.coefficients),
        log_hi=both(one.log_hi, other.log_hi),
        log_lo=both(one.log_lo, other.log_lo),
        code=one.code,
        positive=one.positive,
    )
