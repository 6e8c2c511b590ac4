"""Samples whose arrays are stacked."""

import equinox as eqx
from jaxtyping import Int

from hfjax.arrays import Array, Params, SampleRates
from hfjax.model.modifiers import HistoSys, NormSys, Scaling


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
