"""Sort the parts of a workspace by name."""

import dataclasses
from collections.abc import Iterable

from hfjax.documents.reading.records import Record
from hfjax.documents.workspace.channel import Channel, Sample
from hfjax.documents.workspace.measurement import Measurement
from hfjax.documents.workspace.workspace import Workspace


def sort(workspace: Workspace) -> Workspace:
    """Return a workspace in alphabetical order, which has the same meaning.

    Channels, their samples, observations, measurements and their parameters are sorted
    by name, modifiers by name and type. Patches count channels and samples, so a
    patchset for the workspace does not fit the result: its digest differs.

    Args:
        workspace: the workspace, which stays as it is.

    >>> from hfjax.documents.workspace.workspace import Observation
    >>> channels = tuple(Channel(name, (Sample("top", (4,)),)) for name in ("SR", "CR"))
    >>> observations = (Observation("SR", (4,)), Observation("CR", (5,)))
    >>> sort(Workspace(channels, (Measurement("m"),), observations)).channel_names
    ('CR', 'SR')
    """
    return dataclasses.replace(
        workspace,
        channels=_by_name(map(_sorted_channel, workspace.channels)),
        measurements=_by_name(map(_sorted_measurement, workspace.measurements)),
        observations=_by_name(workspace.observations),
    )


def _sorted_channel(channel: Channel) -> Channel:
    return dataclasses.replace(
        channel, samples=_by_name(map(_sorted_sample, channel.samples))
    )


def _sorted_sample(sample: Sample) -> Sample:
    modifiers = sorted(sample.modifiers, key=lambda found: (found.name, found.type))
    return dataclasses.replace(sample, modifiers=tuple(modifiers))


def _sorted_measurement(measurement: Measurement) -> Measurement:
    return dataclasses.replace(measurement, parameters=_by_name(measurement.parameters))


def _by_name(records: Iterable[Record]) -> tuple[Record, ...]:
    return tuple(sorted(records, key=lambda record: record.name))
