"""What is wrong with a best fit: bounds, flat directions, negative rates."""

import dataclasses

import numpy as np

from hfjax.arrays import Params
from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.fitting.diagnose.flat_directions import (
    FlatDirection,
    at_bound,
    flat_directions,
)
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.sample_block import SampleBlock

MAX_CAUSES = 3
"""Most histosys that are named for a negative rate."""


@dataclasses.dataclass(frozen=True)
class NegativeRate:
    """A sample that is expected to have less than no events in a bin.

    Attributes:
        channel: name of the channel.
        sample: name of the sample.
        bin: position of the bin in the channel.
        rate: expected events.
        parameters: names of the parameters that turned it negative; none if the
            nominal is negative by itself.
    """

    channel: str
    sample: str
    bin: int
    rate: float
    parameters: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """A best fit, and what is wrong with it.

    Attributes:
        fit: the best fit; look at its ``status``.
        flat: directions in which the likelihood does not change there.
        at_bounds: parameters that stand at a bound, with its value, by name.
        negative: samples with negative expected events.
    """

    fit: FitResult
    flat: tuple[FlatDirection, ...]
    at_bounds: dict[str, float]
    negative: tuple[NegativeRate, ...]


def diagnose(
    model: Model,
    data: Data,
    poi_value: float | None = None,
    settings: FitSettings = FitSettings(),
) -> Diagnosis:
    """Fit, and look at what the best fit says about the model.

    Args:
        model: a model with names.
        data: a data set.
        poi_value: value to hold the parameter of interest at; free by default.
        settings: minimizer, steps and tolerance.

    Raises:
        DataError: the data have the wrong shape.
        MissingPOIError: a value is given, and the model has no parameter of interest.
        ParameterError: the value is out of bounds.

    Example:
        >>> import hfjax
        >>> mu = {"name": "mu", "type": "normfactor", "data": None}
        >>> signal = {"name": "signal", "data": [4.0], "modifiers": [mu]}
        >>> config = {"poi": "mu", "parameters": [{"name": "mu", "bounds": [[0, 1]]}]}
        >>> workspace = {
        ...     "channels": [{"name": "SR", "samples": [signal]}],
        ...     "observations": [{"name": "SR", "data": [9.0]}],
        ...     "measurements": [{"name": "search", "config": config}],
        ...     "version": "1.0.0",
        ... }
        >>> diagnose(*hfjax.build(hfjax.Workspace.parse(workspace))).at_bounds
        {'mu': 1.0}
    """
    if poi_value is None:
        result = fit(model, data, settings=settings)
    else:
        result = fixed_poi_fit(model, data, poi_value, settings=settings)
        fixed = np.array(model.parameters.fixed)
        fixed[model.poi] = True
        held = dataclasses.replace(model.parameters, fixed=fixed)
        model = dataclasses.replace(model, parameters=held)
    return Diagnosis(
        fit=result,
        flat=tuple(flat_directions(model, data, result.params)),
        at_bounds=parameters_at_bounds(model, result.params),
        negative=negative_rates(model, result.params),
    )


def parameters_at_bounds(
    model: Model, params: Params, held: bool = False
) -> dict[str, float]:
    """Find the parameters that stand at a bound and could move.

    Args:
        model: a model with names.
        params: parameter values.
        held: whether the parameter of interest is held.

    Returns:
        The bounds by name of the parameter.
    """
    own, found = model.parameters, {}
    free, values, poi = ~np.asarray(own.fixed), np.asarray(params), int(model.poi)
    for bound in (np.asarray(own.lower), np.asarray(own.upper)):
        for i in np.flatnonzero(at_bound(values, bound) & free):
            if not (held and i == poi):
                found[own.names[i]] = float(bound[i])
    return found


def negative_rates(model: Model, params: Params) -> tuple[NegativeRate, ...]:
    """Find the samples with negative expected events, and the parameters behind it.

    Args:
        model: a model with names.
        params: parameter values.
    """
    found, params = [], model.with_derived(params)
    names = (*model.parameters.names, *model.names.derived)
    rates = np.asarray(model.block.rates(params, model.bin_channel))
    for row, position in np.argwhere(rates < 0.0).tolist():
        index = _causes(model.block, params, row, position, model)
        channel = int(np.asarray(model.bin_channel)[position])
        found.append(
            NegativeRate(
                channel=model.names.channels[channel],
                sample=model.names.samples[row],
                bin=position - sum(model.names.bins[:channel]),
                rate=float(rates[row, position]),
                parameters=tuple(names[i] for i in index),
            )
        )
    return tuple(found)


def _causes(
    block: SampleBlock, params: Params, row: int, position: int, model: Model
) -> list[int]:
    """Parameters whose factor is negative, and histosys that pull below zero."""
    channel = np.asarray(model.bin_channel)[position]
    normsys = block.normsys
    factors = np.asarray(normsys.polynomial(normsys.alpha(params)))
    negative = np.append(factors < 0.0, False)
    acts = negative[np.asarray(normsys.table)[:, row, channel]]
    found = np.asarray(normsys.index)[acts].tolist()
    scaling = np.asarray(block.scaling.factors(params))[:, row, position]
    found += np.asarray(block.scaling.index)[:, row, position][scaling < 0.0].tolist()
    return found + _negative_shifts(block, params, row, position)


def _negative_shifts(
    block: SampleBlock, params: Params, row: int, position: int
) -> list[int]:
    """The histosys that lower a bin most, if they lower it below zero."""
    histosys = block.histosys
    alpha = np.asarray(params)[np.asarray(histosys.index)]
    odd, even = (
        np.asarray(part)[:, row, position] for part in (histosys.odd, histosys.even)
    )
    shifts = alpha * odd + np.asarray(histosys.basis(alpha)) * even
    if np.asarray(block.nominal)[row, position] + shifts.sum() >= 0.0:
        return []
    lowest = np.argsort(shifts)[:MAX_CAUSES]
    return [int(histosys.index[i]) for i in lowest if shifts[i] < 0.0]
