"""The systematics of a workspace with their largest effects, as JSON."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hfjax.documents.parameters.bin_uncertainties import relative_uncertainty
from hfjax.documents.parameters.uses import Use, collect
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.channel import Channel, Modifier, Sample
from hfjax.documents.workspace.workspace import Measurement, Workspace
from hfjax.json_text import finite_or_none

Effect = tuple[float, float]
"""Change of events by a systematic, down and up."""


def systematics(
    workspace: Workspace, measurements: Sequence[Measurement]
) -> dict[str, list[dict[str, Any]]]:
    """The systematics of each type with their largest effects, largest first.

    Args:
        workspace: any workspace.
        measurements: those that say how uncertain the luminosity is.

    Returns:
        For histosys and normsys, relative changes at -1 and +1 standard deviation of
        the channel and of the sample that they change most, and for histosys of the
        bin of a channel, by which they are sorted; for staterror and shapesys
        the bin with the largest relative uncertainty; for lumi that of the luminosity
        in each measurement.
    """
    found = collect(workspace)
    tables = {
        "lumi": [
            _lumi(*item, each)
            for item in found["lumi"].items()
            for each in measurements
        ],
        "histosys": [_shape(*item) for item in found["histosys"].items()],
        "normsys": [_alpha(*item, _normsys) for item in found["normsys"].items()],
        "shapesys": [_gamma(*item) for item in found["shapesys"].items()],
        "staterror": [_gamma(*item) for item in found["staterror"].items()],
    }
    return {
        kind: sorted(rows, key=_largest, reverse=True)
        for kind, rows in tables.items()
        if rows
    }


def _alpha(
    name: str, uses: list[Use], effect: Callable[[Sample, Modifier], Effect]
) -> dict[str, Any]:
    """The channel and the sample that a histosys or normsys changes most."""
    changes: dict[str, list[float]] = {}
    samples, totals = [], {}
    for channel, sample, modifier in uses:
        down, up = effect(sample, modifier)
        change = changes.setdefault(channel.name, [0.0, 0.0])
        change[0] += down
        change[1] += up
        totals[channel.name] = channel
        nominal = sum(map(float, sample.data))
        place = {"channel": channel.name, "sample": sample.name}
        samples.append(place | _relative(down, up, nominal))
    channels = [
        {"channel": key} | _relative(changes[key][0], changes[key][1], _events(channel))
        for key, channel in totals.items()
    ]
    return {
        "name": name,
        "places": len(uses),
        "channel": max(channels, key=_size),
        "sample": max(samples, key=_size),
    }


def _shape(name: str, uses: list[Use]) -> dict[str, Any]:
    """The same of a histosys, and the bin that it changes most.

    What moves events from bin to bin changes no sum.
    """
    bins = [each for _, members in _by_channel(uses) for each in _bins(members)]
    return _alpha(name, uses, _histosys) | {"bin": max(bins, key=_size)}


def _bins(uses: list[Use]) -> Iterator[dict[str, Any]]:
    """The change of each bin of a channel, relative to all its events."""
    channel = uses[0][0]
    for i in range(channel.bins):
        ends = [
            sum(float(m.data[key][i]) - float(s.data[i]) for _, s, m in uses)
            for key in ("lo_data", "hi_data")
        ]
        nominal = sum(float(sample.data[i]) for sample in channel.samples)
        place = {"channel": channel.name, "bin": i}
        yield place | _relative(ends[0], ends[1], nominal)


def _events(channel: Channel) -> float:
    return sum(sum(map(float, sample.data)) for sample in channel.samples)


def _relative(down: float, up: float, nominal: float) -> dict[str, float | None]:
    """A change relative to a number of events; null where there are none."""
    if nominal == 0:
        return {"down": None, "up": None}
    return {"down": finite_or_none(down / nominal), "up": finite_or_none(up / nominal)}


def _normsys(sample: Sample, modifier: Modifier) -> Effect:
    nominal = sum(map(float, sample.data))
    return (modifier.data["lo"] - 1.0) * nominal, (modifier.data["hi"] - 1.0) * nominal


def _histosys(sample: Sample, modifier: Modifier) -> Effect:
    nominal = sum(map(float, sample.data))
    down, up = (sum(map(float, modifier.data[key])) for key in ("lo_data", "hi_data"))
    return down - nominal, up - nominal


def _gamma(name: str, uses: list[Use]) -> dict[str, Any]:
    """The bin with the largest relative uncertainty of a staterror or shapesys."""
    bins = [
        {"channel": channel, "bin": i, "uncertainty": uncertainty}
        for channel, samples in _by_channel(uses)
        for i, uncertainty in enumerate(_uncertainties(samples))
    ]
    return {
        "name": name,
        "places": len(uses),
        "bin": max(bins, key=_size),
    }


def _lumi(name: str, uses: list[Use], measurement: Measurement) -> dict[str, Any]:
    """The relative uncertainty of the luminosity; null where it is not configured."""
    config = measurement.parameter(name)
    row = {"name": name, "places": len(uses), "measurement": measurement.name}
    if config is None or not config.sigmas or not config.auxdata:
        return row | {"uncertainty": None}
    return row | _relative_width(config.sigmas[0], config.auxdata[0])


def _relative_width(sigma: Number, centre: Number) -> dict[str, float | None]:
    return {"uncertainty": finite_or_none(float(sigma) / centre) if centre else None}


def _by_channel(uses: list[Use]) -> Iterator[tuple[str, list[Use]]]:
    for name in dict.fromkeys(channel.name for channel, _, _ in uses):
        yield name, [use for use in uses if use[0].name == name]


def _uncertainties(uses: list[Use]) -> Iterator[float | None]:
    nominals = zip(*(sample.data for _, sample, _ in uses), strict=True)
    errors = zip(*(modifier.data for _, _, modifier in uses), strict=True)
    for nominal, error in zip(nominals, errors, strict=True):
        yield finite_or_none(relative_uncertainty(nominal, error))


def _size(place: dict[str, Any]) -> float:
    """How large the effect in one place is."""
    values = [place.get(key) for key in ("down", "up", "uncertainty")]
    return max((abs(value) for value in values if value is not None), default=0.0)


def _largest(row: dict[str, Any]) -> float:
    return _size(row.get("bin") or row.get("channel") or row)
