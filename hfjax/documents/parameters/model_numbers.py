"""Numbers that a document may have and no model can: refused with place and names.

Reading and editing leave them alone, and a check lists all of them; a model would turn
them into NaN without a word.
"""

import math
from collections.abc import Collection, Sequence
from typing import NoReturn

from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.channel import Sample
from hfjax.documents.workspace.measurement import Measurement
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import ModelError

_SETTINGS = ("inits", "auxdata", "sigmas", "factors")


def refuse_numbers(workspace: Workspace) -> None:
    """Refuse events and uncertainties that are not finite, and negative counts.

    Args:
        workspace: observations of channels that it does not have are left alone.

    Raises:
        ModelError: there is such a number.

    >>> from hfjax.documents.workspace.workspace import Channel, Observation, Sample
    >>> channel = Channel("SR", (Sample("top", (4.0, math.nan)),))
    >>> refuse_numbers(Workspace((channel,), (), (Observation("SR", (3, 5)),)))
    Traceback (most recent call last):
    ...
    hfjax.errors.ModelError: sample 'top' of channel 'SR' has nan events in bin 1: \
write finite numbers (at /channels/0/samples/0/data/1)
    """
    _refuse_counts(workspace)
    for i, channel in enumerate(workspace.channels):
        for j, sample in enumerate(channel.samples):
            if sample.is_finite:
                continue
            where = f"sample {sample.name!r} of channel {channel.name!r}"
            _refuse_sample(sample, where, f"/channels/{i}/samples/{j}")


def refuse_settings(
    workspace: Workspace, measurement: Measurement, names: Collection[str]
) -> None:
    """Refuse settings of parameters that are not finite; bounds may be infinite.

    Args:
        workspace: what the measurement is one of.
        measurement: the measurement.
        names: the parameters that the model has.

    Raises:
        ModelError: there is such a number.
    """
    for index, config in enumerate(measurement.parameters):
        for key in _SETTINGS if config.name in names else ():
            for place, value in _not_finite(getattr(config, key) or ()):
                at = workspace.measurements.index(measurement)
                pointer = f"/measurements/{at}/config/parameters/{index}/{key}/{place}"
                what = f"parameter {config.name!r} has {value} in its {key}"
                _refuse(what, "write finite numbers", pointer)


def _refuse_counts(workspace: Workspace) -> None:
    channels = set(workspace.channel_names)
    for index, found in enumerate(workspace.observations):
        if found.name not in channels:
            continue
        for place, value in enumerate(found.data):
            if not 0 <= value < math.inf:
                what = f"channel {found.name!r} has {value} observed events in bin"
                advice = "write the number of events, which is zero or more"
                pointer = f"/observations/{index}/data/{place}"
                _refuse(f"{what} {place}", advice, pointer)


def _refuse_sample(sample: Sample, where: str, pointer: str) -> None:
    for place, value in _not_finite(sample.data):
        what = f"{where} has {value} events in bin {place}"
        _refuse(what, "write finite numbers", f"{pointer}/data/{place}")
    for index, modifier in enumerate(sample.modifiers):
        for part, values in modifier.numbers():
            for place, value in _not_finite(values):
                what = f"{modifier.type} {modifier.name!r} of {where} has {value}"
                end = f"{part}/{place}" if modifier.type != "normsys" else part
                _refuse(
                    what, "write finite numbers", f"{pointer}/modifiers/{index}/{end}"
                )


def _not_finite(values: Sequence[Number]) -> list[tuple[int, Number]]:
    if all(map(math.isfinite, values)):  # nearly always, and there are many
        return []
    return [(i, value) for i, value in enumerate(values) if not math.isfinite(value)]


def _refuse(what: str, advice: str, pointer: str) -> NoReturn:
    message = f"{what}: {advice} (at {pointer})"
    raise ModelError(message)
