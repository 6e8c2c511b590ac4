"""Check what names share: effects that differ, systematics that are the same twice."""

import re
import statistics
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from hfjax.documents.check.finding import Finding, Places, Spot, report
from hfjax.documents.check.templates import SAME, finite
from hfjax.documents.parameters.uses import Use, bin_count, collect
from hfjax.documents.workspace.workspace import Workspace

LARGE, OUTLYING = 0.5, 30.0
"""An effect this large, and larger than most by this factor, is an outlier."""

Uses = dict[str, list[Use]]


def name_findings(workspace: Workspace, places: Places) -> Iterator[Finding]:
    """Check modifiers of one name against one another, and names that look alike."""
    found = collect(workspace)
    alphas: Uses = {}
    for kind in ("histosys", "normsys"):
        for name, uses in found[kind].items():
            alphas.setdefault(name, []).extend(uses)
    yield from _duplicates(alphas, places)
    for name, uses in alphas.items():
        yield from _outlier(name, uses, places)
        yield from _opposite(name, uses, places)
    for name, uses in found["shapefactor"].items():
        yield from _widths(name, uses, places)
    yield from _alike(workspace, places)


def effects(use: Use) -> tuple[float, float]:
    """Relative change of a sample's events by a normsys or histosys, down and up.

    Zero where the sample has no events, or the numbers are not finite.
    """
    _, sample, modifier = use
    data = modifier.data
    if modifier.type == "normsys":
        return (
            (data["lo"] - 1.0, data["hi"] - 1.0)
            if finite(data.values())
            else (0.0, 0.0)
        )
    total = sum(map(float, sample.data))
    down, up = (sum(map(float, data[key])) - total for key in ("lo_data", "hi_data"))
    if not finite((down, up, total)) or total <= 0:
        return (0.0, 0.0)
    return (down / total, up / total)


def _size(use: Use) -> float:
    size = max(map(abs, effects(use)))
    return size if size > SAME else 0.0


def _outlier(name: str, uses: list[Use], places: Places) -> Iterator[Finding]:
    """Find the one place where a shared name does far more than elsewhere."""
    sizes = [size for use in uses if (size := _size(use))]
    if len(sizes) < 2:
        return
    worst = max(uses, key=_size)
    typical = statistics.median_low(sizes)
    if _size(worst) >= LARGE and _size(worst) > OUTLYING * typical:
        why = (
            f"{name!r} changes this sample by {100 * _size(worst):.3g} %, and in most "
            f"of its {len(sizes)} places by less than {100 * typical:.2g} %"
        )
        yield report("effects-differ", places.modifier(*worst), why)


def _opposite(name: str, uses: list[Use], places: Places) -> Iterator[Finding]:
    """Find histosys and normsys of one name that pull a sample in two directions."""
    pairs: dict[tuple[str, str], list[Use]] = {}
    for use in uses:
        pairs.setdefault((use[0].name, use[1].name), []).append(use)
    for pair in pairs.values():
        if len(pair) == 2:
            ups = [effects(use)[1] for use in pair]
            if min(ups) < -0.01 and max(ups) > 0.01:
                why = (
                    f"at +1, histosys and normsys {name!r} change this sample by "
                    f"{100 * ups[0]:+.3g} % and {100 * ups[1]:+.3g} %"
                )
                yield report("shared-opposite", places.modifier(*pair[1]), why)


def _duplicates(alphas: Uses, places: Places) -> Iterator[Finding]:
    """Find systematics that do the same everywhere under two names."""
    known: dict[Hashable, str] = {}
    for name, uses in alphas.items():
        if not any(map(_size, uses)):
            continue
        first = known.setdefault(frozenset(map(_content, uses)), name)
        if first != name:
            why = f"{name!r} does everywhere what {first!r} does"
            spot = places.modifier(*uses[0])
            yield report("duplicate-systematics", spot, why)


def _content(use: Use) -> Hashable:
    channel, sample, modifier = use
    data: dict[str, Any] = modifier.data
    values = tuple(data[key] for key in sorted(data))
    return (channel.name, sample.name, modifier.type, values)


def _widths(name: str, uses: list[Use], places: Places) -> Iterator[Finding]:
    sizes = {channel.name: bin_count(channel) for channel, _, _ in uses}
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{size} in {key}" for key, size in sizes.items())
        why = f"shapefactor {name!r} is shared by channels of different bins: {shown}"
        odd = next(c for c in uses if bin_count(c[0]) != bin_count(uses[0][0]))
        yield report("shapefactor-widths", places.modifier(*odd), why)


def _alike(workspace: Workspace, places: Places) -> Iterator[Finding]:
    """Find names that differ in capitals, spaces and separators only."""
    spots: dict[str, dict[str, Spot]] = {"channel": {}, "sample": {}, "modifier": {}}
    for channel in workspace.channels:
        spots["channel"].setdefault(channel.name, places.channel(channel))
        for sample in channel.samples:
            spots["sample"].setdefault(sample.name, places.sample(channel, sample))
            for modifier in sample.modifiers:
                if modifier.name not in spots["modifier"]:
                    spot = places.modifier(channel, sample, modifier)
                    spots["modifier"][modifier.name] = spot
    for kind, by_name in spots.items():
        for first, second in _pairs_alike(by_name):
            why = f"there is also a {kind} named {first!r}"
            yield report("names-alike", by_name[second], why)


def _pairs_alike(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    known: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[\s_-]+", "_", name.casefold().strip())
        first = known.setdefault(plain, name)
        if first != name:
            yield first, name
