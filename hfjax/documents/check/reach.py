"""Which bins can have events at all, wherever in their bounds the parameters are."""

import dataclasses
import math
from collections.abc import Collection, Iterator

from hfjax.documents.check.finding import Finding, Places, report
from hfjax.documents.check.predictions import StartingChannel
from hfjax.documents.check.rates import histosys_shift, normsys_factor
from hfjax.documents.check.refusals import Groups
from hfjax.documents.check.templates import bins, in_bins
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.channel import Channel, Modifier, Sample

_INSIDE = (-1e-3, 1e-3, *(step / 4 for step in range(-4, 5)))
"""Where a histosys is looked at between -1 and 1; beyond, it is a straight line."""

Range = tuple[Number, Number]


def start_findings(
    channels: list[StartingChannel], groups: Groups, places: Places
) -> Iterator[Finding]:
    """Check that the likelihood is not zero where a fit starts, nor everywhere."""
    for start in channels:
        spot = places.channel(start.channel)
        pairs = list(zip(start.total, start.observed, strict=True))
        if none := bins(total == 0 and count > 0 for total, count in pairs):
            never = _without_events(start.channel, none, groups)
            if never:
                why = f"no events are expected and some observed{in_bins(never)}"
                yield report("no-prediction", spot, why)
            if some := [index for index in none if index not in never]:
                why = (
                    "where a fit starts, no events are expected and some observed"
                    f"{in_bins(some)}"
                )
                yield report("start-without-prediction", spot, why)
        if empty := bins(total == 0 and count == 0 for total, count in pairs):
            why = f"no events are expected and none observed{in_bins(empty)}"
            yield report("empty-bin", spot, why)
        if negative := bins(total < 0 for total in start.total):
            worst = min(negative, key=start.total.__getitem__)
            never = _without_events(start.channel, negative, groups)
            kind = "prediction-negative" if never else "start-negative"
            why = f"{start.total[worst]:g} events are expected{in_bins(negative)}"
            yield report(kind, spot, why)


def background_findings(
    channels: list[StartingChannel], groups: Groups, poi: str | None, places: Places
) -> Iterator[Finding]:
    """Check that without a signal, every bin that has events can expect some.

    Args:
        channels: the channels where a fit starts.
        groups: the parameters, with their settings.
        poi: the parameter of interest.
        places: the places of the workspace.
    """
    group = groups.get(poi) if poi is not None else None
    if group is None or group.kind != "normfactor" or group.fixed[0]:
        return
    held = dataclasses.replace(group, inits=(0.0,), fixed=(True,))
    without = {**groups, group.name: held}
    for start in channels:
        others = [n for n, s in start.samples.items() if group.name not in s.modifiers]
        rates = [start.rates[name] for name in others]
        total = [sum(row[i] for row in rates) for i in range(start.channel.bins)]
        pairs = zip(total, start.observed, strict=True)
        doubtful = bins(rate <= 0 and count > 0 for rate, count in pairs)
        lost = _without_events(start.channel, doubtful, without)
        never = _without_events(start.channel, lost, groups)  # which is told already
        if found := [index for index in lost if index not in never]:
            why = (
                f"with {group.name!r} = 0 no events can be expected, and some are "
                f"observed{in_bins(found)}: there is no fit of the background, which "
                "every test needs (CLs, limits, p0)"
            )
            yield report("no-background", places.channel(start.channel), why)


def _without_events(
    channel: Channel, doubtful: Collection[int], groups: Groups
) -> list[int]:
    """The bins, of those that are doubtful, in which no events can be expected.

    Every sample is taken where it is highest, whatever the others need.
    """
    return [
        index
        for index in doubtful
        if not sum(_range(channel, s, index, groups)[1] for s in channel.samples) > 0
    ]


def _range(channel: Channel, sample: Sample, index: int, groups: Groups) -> Range:
    """The lowest and the highest rate of a sample in a bin."""
    nominal = float(sample.data[index])
    found: Range = (nominal, nominal)
    factors: list[Range] = []
    for modifier in sample.modifiers:
        group = groups.get(modifier.name)
        if group is None:  # refused for another reason
            return (-math.inf, math.inf)
        if modifier.type == "histosys":
            low, high = _shifts(modifier, sample, index, group)
            found = (found[0] + low, found[1] + high)
        else:
            factors.append(_factors(modifier, channel, index, group))
    for factor in factors:
        ends = [a * b for a in found for b in factor]
        found = (min(ends), max(ends))
    return found


def _values(group: ParameterGroup) -> list[Number]:
    """Values of a systematic that reach the extremes of what it does."""
    (low, high), (start,) = group.bounds[0], group.inits
    inside = [value for value in _INSIDE if low <= value <= high]
    return [start] if group.fixed[0] else [low, high, start, *inside]


def _shifts(
    modifier: Modifier, sample: Sample, index: int, group: ParameterGroup
) -> Range:
    data = modifier.data
    triple = (data["lo_data"][index], sample.data[index], data["hi_data"][index])
    found = [histosys_shift(*triple, value) for value in _values(group)]
    return (min(found), max(found))


def _factors(
    modifier: Modifier, channel: Channel, index: int, group: ParameterGroup
) -> Range:
    if modifier.type == "normsys":
        lo, hi = modifier.data["lo"], modifier.data["hi"]
        found = [normsys_factor(lo, hi, value) for value in _values(group)]
        return (min(found), max(found))
    place = 0 if group.scalar else group.offsets[channel.name] + index
    if group.fixed[place]:
        return (group.inits[place], group.inits[place])
    return group.bounds[place]
