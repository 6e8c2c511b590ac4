"""Check templates: the numbers of samples, their systematics, and observations."""

import math
from collections.abc import Iterable, Iterator, Sequence

from hfjax.documents.check.finding import Finding, Places, Spot, report
from hfjax.documents.check.rates import code4_lowest
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.channel import Modifier, Sample
from hfjax.documents.workspace.workspace import Workspace

ENORMOUS = 3.0
"""A variation by this factor or more, up or down, is called enormous."""

EXTREME = math.exp(0.5)
"""Only factors beyond this, or below its inverse, let code 4 cross zero."""

SAME = 1e-9
"""Relative difference below which two numbers are the same."""

Variations = Sequence[tuple[Number, Number, Number]]
"""Down, nominal and up of each bin."""


def observation_findings(workspace: Workspace) -> Iterator[Finding]:
    """Check observed events."""
    channels = set(workspace.channel_names)
    for index, observation in enumerate(workspace.observations):
        spot = Spot(f"/observations/{index}", {"channel": observation.name})
        if observation.name not in channels:
            why = "there is an observation, and no such channel"
            yield report("observation-without-channel", spot, why)
        for i, value in enumerate(observation.data):
            place = spot.inside(f"/data/{i}")
            if not math.isfinite(value):
                yield report("data-not-finite", place, f"bin {i} has {value} events")
            elif value < 0:
                yield report("data-negative", place, f"bin {i} has {value:g} events")
        parts = [math.isfinite(n) and n != round(n) for n in observation.data]
        if any(parts):
            why = f"the events are not whole numbers{in_bins(bins(parts))}"
            yield report("data-fractional", spot.inside("/data"), why)


def template_findings(workspace: Workspace, places: Places) -> Iterator[Finding]:
    """Check the nominal events and the systematics of every sample."""
    for channel in workspace.channels:
        for sample in channel.samples:
            spot = places.sample(channel, sample)
            yield from _nominal(sample, spot)
            for modifier in sample.modifiers:
                where = places.modifier(channel, sample, modifier)
                yield from _modifier(modifier, sample, where)
            yield from _normsys_product(sample, spot)


def _nominal(sample: Sample, spot: Spot) -> Iterator[Finding]:
    data, place = sample.data, spot.inside("/data")
    infinite = bins(not math.isfinite(value) for value in data)
    if infinite:
        why = f"the nominal events are not finite{in_bins(infinite)}"
        yield report("not-finite", place.inside(f"/{infinite[0]}"), why)
    if negative := bins(value < 0 for value in data):
        worst = min(negative, key=data.__getitem__)
        why = f"{data[worst]:g} events are expected{in_bins(negative)}"
        yield report("nominal-negative", place.inside(f"/{worst}"), why)
    zero = bins(value == 0 for value in data)
    if len(zero) == len(data):
        filled = any(m.type == "histosys" for m in sample.modifiers)
        why = "no bin of this sample has nominal events" + (
            ", only its histosys do" if filled else ""
        )
        yield report("sample-empty", place, why)
    elif zero:
        why = f"no nominal events are expected{in_bins(zero)}"
        yield report("nominal-zero", place, why)


def _modifier(modifier: Modifier, sample: Sample, spot: Spot) -> Iterator[Finding]:
    """Check one modifier; what is not finite has no other property."""
    values = _numbers(modifier)
    if wrong := [key for key, found in values.items() if not finite(found)]:
        why = f"{modifier.type} {modifier.name!r} is not finite in {wrong[0]}"
        yield report("not-finite", spot.inside(f"/{wrong[0]}"), why)
    elif modifier.type == "normsys":
        lo, hi = modifier.data["lo"], modifier.data["hi"]
        if lo >= 0 and hi >= 0:  # others are refused by name
            yield from _variations("normsys", [(lo, 1.0, hi)], spot)
            yield from _normsys(lo, hi, spot)
    elif modifier.type == "histosys" and finite(sample.data):
        data = modifier.data
        each = zip(data["lo_data"], sample.data, data["hi_data"], strict=True)
        yield from _histosys(list(each), spot)


def _numbers(modifier: Modifier) -> dict[str, Sequence[Number]]:
    """The numbers of a modifier by the part of the document they are in."""
    data = modifier.data
    if isinstance(data, dict):
        parts = data.items()
        return {f"data/{k}": v if isinstance(v, tuple) else (v,) for k, v in parts}
    return {} if data is None else {"data": data}


def _normsys(lo: Number, hi: Number, spot: Spot) -> Iterator[Finding]:
    place = spot.inside("/data")
    if lo == 0 or hi == 0:
        why = f"lo is {lo:g} and hi is {hi:g}: nothing is left of the sample"
        yield report("normsys-zero", place, why)
    elif _factor(lo) >= ENORMOUS or _factor(hi) >= ENORMOUS:
        why = f"lo is {lo:g} and hi is {hi:g}"
        yield report("enormous", place, why)
    if crossing := _crossing(lo, hi):
        why = (
            f"with lo {lo:g} and hi {hi:g}, the interpolation is {crossing[1]:.3g} at "
            f"alpha = {crossing[0]:g}"
        )
        yield report("normsys-crosses-zero", place, why)


def _factor(value: Number) -> float:
    """By how much a variation changes, up or down."""
    return float(max(value, 1 / value)) if value else math.inf


def _crossing(lo: Number, hi: Number) -> tuple[float, float] | None:
    """Where code 4 is lowest if it crosses zero inside (-1, 1), and how low."""
    if max(_factor(lo), _factor(hi)) <= EXTREME:
        return None
    place, value = code4_lowest(lo, hi)
    return (place, value) if value < -SAME and abs(place) < 1 else None


def _normsys_product(sample: Sample, spot: Spot) -> Iterator[Finding]:
    """Find normsys of one sample that multiply to far more than each."""
    largest, crossing = {}, []
    for modifier in sample.modifiers:
        if modifier.type != "normsys" or not finite(modifier.data.values()):
            continue
        lo, hi = modifier.data["lo"], modifier.data["hi"]
        if min(lo, hi) >= 0 and max(lo, hi) >= ENORMOUS:
            largest[modifier.name] = float(max(lo, hi))
            crossing += [modifier.name] if _crossing(lo, hi) else []
    if len(largest) > 1:
        names = sorted(largest, key=largest.__getitem__, reverse=True)
        shown = ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
        why = (
            f"{len(names)} normsys beyond a factor of {ENORMOUS:g} multiply one "
            f"another ({shown}), up to {math.prod(largest.values()):.3g}"
        )
        if crossing:
            why += f", with either sign since that of {crossing[0]} crosses zero"
        yield report("normsys-product", spot.inside("/modifiers"), why)


def _histosys(each: Variations, spot: Spot) -> Iterator[Finding]:
    yield from _variations("histosys", each, spot)
    empty = bins(n == 0 and (lo or hi) for lo, n, hi in each)
    if empty:
        why = f"it adds events where the nominal has none{in_bins(empty)}"
        yield report("histosys-zero-nominal", spot.inside("/data"), why)
    ratios = [max(_ratio(lo, nominal), _ratio(hi, nominal)) for lo, nominal, hi in each]
    worst = max(range(len(each)), key=ratios.__getitem__)
    if ratios[worst] >= ENORMOUS:
        lo, nominal, hi = each[worst]
        why = f"bin {worst} has nominal {nominal:g}, lo {lo:g} and hi {hi:g}"
        yield report("enormous", spot.inside("/data"), why)


def _ratio(value: Number, nominal: Number) -> float:
    """By how much a bin changes; 1 where there is no ratio to speak of."""
    return _factor(value / nominal) if nominal > 0 and value > 0 else 1.0


def _variations(kind: str, each: Variations, spot: Spot) -> Iterator[Finding]:
    """Check the directions of a systematic: nothing, one side, the same side."""
    place = spot.inside("/data")
    moved = [(_moves(lo, n), _moves(hi, n)) for lo, n, hi in each]
    down, up = any(lo for lo, _ in moved), any(hi for _, hi in moved)
    if not down and not up:
        yield report("zero-effect", place, f"this {kind} changes nothing")
    elif all(math.isclose(lo, hi, rel_tol=SAME) for lo, _, hi in each):
        why = f"hi and lo of this {kind} are the same, and not the nominal"
        yield report("variations-equal", place, why)
    elif not (down and up):
        why = f"this {kind} changes something on the {'hi' if up else 'lo'} side only"
        yield report("one-sided", place, why)
    elif {lo * hi for lo, hi in moved} in ({1}, {0, 1}):
        why = f"hi and lo of this {kind} are on the same side of the nominal"
        yield report("same-side", place, why)


def _moves(value: Number, nominal: Number) -> int:
    """The direction of a variation: -1, 0 or 1."""
    if math.isclose(value, nominal, rel_tol=SAME):
        return 0
    return 1 if value > nominal else -1


def bins(flags: Iterable[object]) -> list[int]:
    """Return the positions of what is true.

    >>> bins([True, False, True])
    [0, 2]
    """
    return [index for index, flag in enumerate(flags) if flag]


def in_bins(found: list[int]) -> str:
    """Say which bins are meant.

    >>> in_bins([0, 2]), in_bins([7])
    (' in bins 0, 2', ' in bin 7')
    """
    shown = ", ".join(map(str, found[:8])) + (", ..." if len(found) > 8 else "")
    return f" in bin{'s' if len(found) > 1 else ''} {shown}"


def finite(values: Iterable[Number]) -> bool:
    """Whether all of several numbers are finite."""
    return all(map(math.isfinite, values))
