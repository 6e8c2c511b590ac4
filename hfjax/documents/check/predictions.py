"""Check expected events: where a fit starts, and with one systematic moved."""

from collections.abc import Iterator
from dataclasses import dataclass

from hfjax.documents.check.finding import Finding, Places, report
from hfjax.documents.check.rates import StartingSample, channel_values, starting_sample
from hfjax.documents.check.refusals import Groups
from hfjax.documents.check.settings import component
from hfjax.documents.check.templates import SAME, bins
from hfjax.documents.parameters.parameter_group import Numbers, ParameterGroup
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.channel import Channel
from hfjax.documents.workspace.workspace import Workspace

STEPS = (1, -1, 2, -2)
"""Standard deviations by which each systematic is moved."""


@dataclass(frozen=True, slots=True)
class StartingChannel:
    """A channel where a fit starts.

    Attributes:
        channel: the channel.
        samples: its samples, by name.
        rates: their expected events in each bin, by name.
        total: sum over the samples.
        observed: observed events in each bin.
    """

    channel: Channel
    samples: dict[str, StartingSample]
    rates: dict[str, list[float]]
    total: list[float]
    observed: Numbers


def starting_channels(workspace: Workspace, groups: Groups) -> list[StartingChannel]:
    """Evaluate all channels where a fit starts.

    Args:
        workspace: the workspace.
        groups: the parameters, with their settings.
    """
    found = []
    for channel in workspace.channels:
        samples = {s.name: starting_sample(channel, s, groups) for s in channel.samples}
        rates = {name: sample.rates() for name, sample in samples.items()}
        total = [sum(each, 0.0) for each in zip(*rates.values(), strict=True)]
        observed = workspace.observation(channel.name).data
        found.append(StartingChannel(channel, samples, rates, total, observed))
    return found


def systematic_findings(
    channels: list[StartingChannel], groups: Groups, places: Places
) -> Iterator[Finding]:
    """Check expected events with one systematic after the other moved."""
    for group in groups.values():
        if not (group.scalar and group.constraint and group.widths):
            continue
        if group.fixed[0]:
            continue
        effect = False
        for start in channels:
            users = [n for n, s in start.samples.items() if group.name in s.modifiers]
            if users:
                moved = _Moved.of(group, start, users)
                effect = effect or moved.changes
                yield from moved.findings(places)
        if not effect:
            yield _without_effect(group, channels, places)


def _without_effect(
    group: ParameterGroup, channels: list[StartingChannel], places: Places
) -> Finding:
    channel, sample, modifier = next(
        (start.channel, sample, modifier)
        for start in channels
        for sample in start.channel.samples
        for modifier in sample.modifiers
        if modifier.name == group.name
    )
    spot = places.modifier(channel, sample, modifier).inside("", parameter=group.name)
    why = f"{group.name!r} changes no expected events anywhere"
    return report("parameter-no-effect", spot, why)


@dataclass(frozen=True, slots=True)
class _Moved:
    """A channel with one systematic moved by each of `STEPS`."""

    group: ParameterGroup
    start: StartingChannel
    rates: list[dict[str, list[float]]]
    totals: list[list[float]]

    @classmethod
    def of(
        cls, group: ParameterGroup, start: StartingChannel, users: list[str]
    ) -> "_Moved":
        rates, totals = [], []
        for value in _moved_values(group):
            own = {n: start.samples[n].rates(group.name, (value,)) for n in users}
            columns = zip(*(start.rates | own).values(), strict=True)
            rates.append(own)
            totals.append([sum(column, 0.0) for column in columns])
        return cls(group, start, rates, totals)

    @property
    def changes(self) -> bool:
        return any(
            rates != self.start.rates[name]
            for step in self.rates
            for name, rates in step.items()
        )

    def findings(self, places: Places) -> Iterator[Finding]:
        """Yield what turns negative first: the channel, and each of its samples."""
        start, name = self.start, self.group.name
        spot = places.channel(start.channel).inside("", parameter=name)
        found = _first_negative(self.totals, start.total)
        if found:
            yield report("channel-negative", spot, _why(name, "the channel", *found))
        for sample in start.channel.samples:
            steps = [step[sample.name] for step in self.rates if sample.name in step]
            found = _first_negative(steps, start.rates[sample.name])
            if found:
                modifier = start.samples[sample.name].modifiers[name][0]
                place = places.modifier(start.channel, sample, modifier)
                place = place.inside("", parameter=name)
                why = _why(name, "the sample", *found)
                yield report("sample-negative", place, why)


def _moved_values(group: ParameterGroup) -> list[Number]:
    """The values of a systematic at `STEPS`, inside of its bounds."""
    (low, high), centre, width = group.bounds[0], group.auxdata[0], group.widths[0]
    return [min(max(centre + step * width, low), high) for step in STEPS]


def _first_negative(
    steps: list[list[float]], start: list[float]
) -> tuple[int, int, float] | None:
    """The first step with a bin below zero that is not so from the start.

    Returns:
        Standard deviations, bin and events; None if there is no such step.
    """
    for step, rates in zip(STEPS, steps, strict=False):
        fallen = bins(
            rate < -SAME * abs(begin) and begin >= 0
            for rate, begin in zip(rates, start, strict=True)
        )
        if fallen:
            worst = min(fallen, key=rates.__getitem__)
            return step, worst, rates[worst]
    return None


def _why(name: str, what: str, step: int, place: int, events: float) -> str:
    return (
        f"with {name!r} at {step:+d} sigma, {what} has {events:.3g} expected events in "
        f"bin {place}"
    )


def flat_findings(
    channels: list[StartingChannel], groups: Groups, poi: str | None, places: Places
) -> Iterator[Finding]:
    """Find free parameters without a constraint that change nothing."""
    for group in groups.values():
        if group.constraint or all(group.fixed):
            continue
        moving = [False] * group.size
        for start in channels:
            _mark_moving(group, start, moving)
        for index in bins(not moves for moves in moving):
            name = component(group, index)
            start = next(s for s in channels if _users(group, s))
            sample = start.channel.sample(_users(group, start)[0])
            spot = places.sample(start.channel, sample).inside("", parameter=name)
            if group.name == poi:
                why = f"no expected events change with {name!r}: every value fits alike"
                yield report("poi-no-effect", spot, why)
            else:
                why = f"{name!r} is free and changes no expected events"
                yield report("parameter-flat", spot, why)


def _users(group: ParameterGroup, start: StartingChannel) -> list[str]:
    return [name for name, s in start.samples.items() if group.name in s.modifiers]


def _mark_moving(
    group: ParameterGroup, start: StartingChannel, moving: list[bool]
) -> None:
    """Mark the parameters of a set that change something in a channel."""
    width = len(start.total)
    for name in _users(group, start):
        values = channel_values(group, start.channel.name, width)
        rates = start.samples[name].rates(
            group.name, tuple(value + 1 for value in values)
        )
        begin = start.rates[name]
        offset = 0 if group.scalar else group.offsets[start.channel.name]
        for i in bins(a != b for a, b in zip(rates, begin, strict=True)):
            moving[0 if group.scalar else offset + i] = True
