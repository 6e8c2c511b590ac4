"""Check the uncertainties of single bins: staterror and shapesys."""

import math
from collections.abc import Iterator

from hfjax.documents.check.finding import Finding, Places, Spot, report
from hfjax.documents.check.templates import bins, finite, in_bins
from hfjax.documents.parameters.bin_uncertainties import relative_uncertainty
from hfjax.documents.parameters.uses import Use, collect
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.channel import Channel, Modifier, Sample
from hfjax.documents.workspace.workspace import Workspace

Carriers = list[tuple[Sample, Modifier]]


def uncertainty_findings(workspace: Workspace, places: Places) -> Iterator[Finding]:
    """Check staterror and shapesys where they lose their meaning."""
    found = collect(workspace)
    for name, uses in found["staterror"].items():
        yield from _signs(uses, places)
        yield from _spans(name, uses, places)
        for channel, carriers in _by_channel(uses):
            yield from _staterror(channel, carriers, places)
    for uses in found["shapesys"].values():
        yield from _signs(uses, places)
        for use in uses:
            yield from _shapesys(*use[1:], places.modifier(*use))


def _by_channel(uses: list[Use]) -> Iterator[tuple[Channel, Carriers]]:
    channels = {channel.name: channel for channel, _, _ in uses}
    for name, channel in channels.items():
        yield channel, [(s, m) for c, s, m in uses if c.name == name]


def _signs(uses: list[Use], places: Places) -> Iterator[Finding]:
    for use in uses:
        kind, data = use[2].type, use[2].data
        if negative := bins(value < 0 for value in data):
            first = negative[0]
            why = f"this {kind} has {data[first]:g} events{in_bins(negative)}"
            spot = places.modifier(*use).inside(f"/data/{first}")
            yield report("uncertainty-negative", spot, why)


def _spans(name: str, uses: list[Use], places: Places) -> Iterator[Finding]:
    channels = sorted({channel.name for channel, _, _ in uses})
    if len(channels) > 1:
        why = (
            f"staterror {name!r} is in channels {', '.join(channels)}, where it has "
            "parameters of its own for every bin of each: nothing is correlated"
        )
        spot = places.modifier(*uses[0])
        yield report("staterror-across-channels", spot, why)


def _staterror(
    channel: Channel, carriers: Carriers, places: Places
) -> Iterator[Finding]:
    """Check the bins of a staterror in one channel, where its samples are summed."""
    spot = places.modifier(channel, *carriers[0])
    nominals = list(zip(*(sample.data for sample, _ in carriers), strict=True))
    errors = list(zip(*(modifier.data for _, modifier in carriers), strict=True))
    none = []
    for i, (nominal, error) in enumerate(zip(nominals, errors, strict=True)):
        if not (finite(nominal) and finite(error)):
            continue
        place = spot.inside(f"/data/{i}")
        total = sum(map(float, nominal))
        if total <= 0 and any(error):
            why = (
                f"the samples of this staterror have {total:g} events in bin {i}: "
                "their uncertainty is dropped, and its parameter fixed"
            )
            yield report("staterror-lost", place, why)
        elif not any(error):
            none += [i] if total > 0 else []
        else:
            yield from _summed(i, nominal, error, place)
    if none:
        why = f"this staterror is zero{in_bins(none)}"
        yield report("uncertainty-zero", spot.inside("/data"), why)


def _summed(
    i: int, nominal: tuple[Number, ...], error: tuple[Number, ...], place: Spot
) -> Iterator[Finding]:
    """Check a bin of a staterror whose sum is positive."""
    if (width := relative_uncertainty(nominal, error)) > 1:
        why = f"the statistical uncertainty of bin {i} is {100 * width:.0f} %"
        yield report("staterror-wide", place, why)
    if min(nominal) < 0:
        why = (
            f"a sample of this staterror has {min(nominal):g} events in bin {i}, "
            "which lowers the sum and widens the uncertainty"
        )
        yield report("staterror-negative-nominal", place, why)


def _shapesys(sample: Sample, modifier: Modifier, spot: Spot) -> Iterator[Finding]:
    none = []
    pairs = zip(sample.data, modifier.data, strict=True)
    for i, (nominal, error) in enumerate(pairs):
        place = spot.inside(f"/data/{i}")
        if not math.isfinite(error):  # told with all others that are not
            continue
        if error > 0 and nominal <= 0:
            why = (
                f"bin {i} has {nominal:g} events: its uncertainty is dropped, and its "
                "parameter fixed"
            )
            yield report("shapesys-lost", place, why)
        elif error > nominal > 0:
            why = f"the uncertainty of bin {i} is {100 * (error / nominal):.0f} %"
            yield report("shapesys-wide", place, why)
        elif error == 0 and nominal > 0:
            none.append(i)
    if none:
        why = f"this shapesys is zero{in_bins(none)}"
        yield report("uncertainty-zero", spot.inside("/data"), why)
