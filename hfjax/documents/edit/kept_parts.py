"""Keep parts of a workspace: what all edits that remove something come down to."""

import dataclasses
import operator
from collections.abc import Callable
from typing import Any, TypeVar

from hfjax.documents.parameters.derived import unknown_in_expressions
from hfjax.documents.workspace.channel import Channel, Modifier, Sample
from hfjax.documents.workspace.measurement import Measurement
from hfjax.documents.workspace.workspace import Workspace, format_version
from hfjax.errors import EditError

Record = TypeVar("Record", Channel, Sample, Measurement)


def _always(*_: Any) -> bool:
    return True


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """What stays in a workspace; everything, where a rule is not given.

    Attributes:
        channel: whether the channel of this name stays, and its observation.
        sample: whether the sample of this name stays, given the name of its channel.
        modifier: whether a modifier stays, given the names of its channel and sample.
        parameter: whether the settings of the parameter set of this name stay.
        measurement: whether the measurement of this name stays.
    """

    channel: Callable[[str], bool] = _always
    sample: Callable[[str, str], bool] = _always
    modifier: Callable[[str, str, Modifier], bool] = _always
    parameter: Callable[[str], bool] = _always
    measurement: Callable[[str], bool] = _always


def keep_parts(workspace: Workspace, rules: Rules) -> Workspace:
    """Return a workspace with only what the rules keep_parts, in the order it had.

    Observations of channels that the workspace does not have follow the rule for
    channels. What stays whole is the same object in the result. Its version is the
    plain one where no measurement that is left uses the extended format.

    Args:
        workspace: the workspace, which stays as it is.
        rules: what stays.

    Raises:
        EditError: No channel or measurement would be left, a channel would be left
            without samples, or an expression without a parameter that it needs.

    >>> from hfjax.documents.workspace.workspace import Observation
    >>> channel = Channel("SR", (Sample("signal", (5,)), Sample("top", (4,))))
    >>> observation = Observation("SR", (4,))
    >>> ws = Workspace((channel,), (Measurement("search", "mu"),), (observation,))
    >>> keep_parts(ws, Rules(sample=lambda _, name: name == "top")).sample_names
    ('top',)
    """
    channels = tuple(
        [
            _channel(found, rules)
            for found in workspace.channels
            if rules.channel(found.name)
        ]
    )
    measurements = tuple(
        [
            _measurement(found, rules)
            for found in workspace.measurements
            if rules.measurement(found.name)
        ]
    )
    _refuse_emptiness(channels, measurements)
    observations = tuple([o for o in workspace.observations if rules.channel(o.name)])
    smaller = dataclasses.replace(
        workspace,
        channels=channels,
        measurements=measurements,
        observations=observations,
        version=format_version(measurements),
    )
    _refuse_gaps(workspace, smaller)
    return smaller


def _channel(channel: Channel, rules: Rules) -> Channel:
    samples = tuple(
        [
            _sample(channel.name, sample, rules)
            for sample in channel.samples
            if rules.sample(channel.name, sample.name)
        ]
    )
    if not samples:
        message = (
            f"no sample would be left in channel {channel.name!r}: leave it one, or "
            "remove the channel as well"
        )
        raise EditError(message)
    return _changed(channel, "samples", samples)


def _sample(channel: str, sample: Sample, rules: Rules) -> Sample:
    modifiers = tuple(
        [m for m in sample.modifiers if rules.modifier(channel, sample.name, m)]
    )
    return _changed(sample, "modifiers", modifiers)


def _measurement(measurement: Measurement, rules: Rules) -> Measurement:
    parameters = tuple([p for p in measurement.parameters if rules.parameter(p.name)])
    return _changed(measurement, "parameters", parameters)


def _changed(record: Record, name: str, part: tuple[Any, ...]) -> Record:
    """Return a record with one part replaced; itself, where nothing was removed."""
    before = getattr(record, name)
    if len(part) == len(before) and all(map(operator.is_, part, before)):
        return record
    return dataclasses.replace(record, **{name: part})


def _refuse_gaps(before: Workspace, after: Workspace) -> None:
    """Refuse to take away a parameter that an expression needs."""
    for measurement in after.measurements:
        if not measurement.expressions:
            continue
        old = before.measurement(measurement.name)
        known = unknown_in_expressions(old, _modifiers(before))
        gaps = unknown_in_expressions(measurement, _modifiers(after)) - known
        for name, needed in sorted(gaps):
            text = measurement.expressions[name].text
            message = (
                f"parameter {needed!r} cannot go: the expression {text!r} of parameter "
                f"{name!r} in measurement {measurement.name!r} needs it; remove "
                f"{name!r} as well"
            )
            raise EditError(message)


def _modifiers(workspace: Workspace) -> set[str]:
    return {name for name, _ in workspace.modifiers}


def _refuse_emptiness(
    channels: tuple[Channel, ...], measurements: tuple[Measurement, ...]
) -> None:
    for kind, left in (("channel", channels), ("measurement", measurements)):
        if not left:
            message = f"no {kind} would be left: a workspace needs one or more"
            raise EditError(message)
