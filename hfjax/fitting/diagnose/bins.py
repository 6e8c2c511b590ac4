"""Bins by name in which a likelihood is zero, or ends."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from hfjax.arrays import Params, Rates
from hfjax.compiled.program import Program, Run, run_directly
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.names import Names

EDGE = 1e-6
"""Events below which a bin is at the edge of the likelihood."""


@dataclasses.dataclass(frozen=True)
class Bin:
    """A bin, what was counted in it, and what is expected.

    Attributes:
        channel: name of the channel.
        bin: position in the channel.
        events: that were counted.
        rate: expected events.
        position: among the bins of all channels joined.
    """

    channel: str
    bin: int
    events: float
    rate: float
    position: int = dataclasses.field(default=0, compare=False, repr=False)

    @property
    def place(self) -> str:
        """Where it is.

        Example:
            >>> Bin("SR", 0, 24.0, 0.0).place
            "bin 0 of channel 'SR'"
        """
        return f"bin {self.bin} of channel {self.channel!r}"


def bin_place(names: Names, position: int) -> tuple[str, int]:
    """Channel of a bin of all channels joined, and its position there.

    Args:
        names: of a model.
        position: of the bin.

    Example:
        >>> bin_place(Names(("CR", "SR"), (1, 3)), 2)
        ('SR', 1)
    """
    ends = np.cumsum(names.bins)
    channel = int(np.searchsorted(ends, position, side="right"))
    first = int(ends[channel]) - names.bins[channel]
    return names.channels[channel], position - first


@jax.jit
def _rates(model: Model, params: Params) -> Rates:
    return jnp.sum(model.expected_rates(params), axis=0)


def bin_rates(model: Model, params: Params, run: Run = run_directly) -> np.ndarray:
    """Expected events of each bin.

    Args:
        model: a model.
        params: parameter values.
        run: calls a compiled program, as in `FitSettings`.
    """
    arguments = model.anonymous(), jnp.asarray(params)
    return np.asarray(run(Program(_rates, arguments, {})))


def impossible_bins(
    model: Model, data: Data, params: Params, run: Run = run_directly
) -> tuple[Bin, ...]:
    """Bins whose expected rate makes the likelihood zero.

    Args:
        model: a model with names.
        data: a data set.
        params: parameter values.
        run: calls a compiled program, as in `FitSettings`.

    Returns:
        Bins with events and no rate, and bins with a negative rate.
    """
    rates, events = bin_rates(model, params, run), np.asarray(data.main)
    zero = np.where(events > 0.0, ~(rates > 0.0), rates < 0.0)
    return _named(model, events, rates, zero & np.asarray(model.bin_present))


def edge_bins(
    model: Model,
    data: Data,
    params: Params,
    start: Params,
    run: Run = run_directly,
) -> tuple[Bin, ...]:
    """Bins without events whose rate a fit has taken to zero, where likelihoods end.

    Args:
        model: a model with names.
        data: a data set.
        params: parameters where the fit ended.
        start: parameters with a rate in all bins that have one anywhere, such as the
            initial values.
        run: calls a compiled program, as in `FitSettings`.

    Returns:
        The bins; those that have no rate at the start either are left out.

    Example:
        >>> import hfjax
        >>> workspace = hfjax.uncorrelated_background([3.0], [0.0], [0.0], [0.0])
        >>> model, data = hfjax.build(workspace)
        >>> best = hfjax.fit(model, data).params
        >>> [bin.place for bin in edge_bins(model, data, best, model.parameters.init)]
        ["bin 0 of channel 'singlechannel'"]
    """
    events = np.asarray(data.main)
    empty = (events == 0.0) & np.asarray(model.bin_present)
    if not empty.any():
        return ()
    rates = bin_rates(model, params, run)
    low = empty & (rates < EDGE)
    if low.any():
        low &= bin_rates(model, start, run) >= EDGE
    return _named(model, events, rates, low)


def _named(
    model: Model, events: np.ndarray, rates: np.ndarray, chosen: np.ndarray
) -> tuple[Bin, ...]:
    return tuple(
        Bin(*bin_place(model.names, i), float(events[i]), float(rates[i]), i)
        for i in np.flatnonzero(chosen).tolist()
    )
