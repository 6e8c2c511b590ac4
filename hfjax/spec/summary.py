"""What a workspace contains: its parts, yields and largest systematics, as JSON."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from hfjax.errors import ModelError
from hfjax.spec.channel import Channel, Modifier, Sample
from hfjax.spec.parameters import (
    KINDS,
    Cell,
    collect,
    parameter_groups,
    parameter_of_interest,
    relative_uncertainty,
)
from hfjax.spec.strict import Number
from hfjax.spec.workspace import Measurement, Workspace

CONSTRAINTS = {
    "histosys": "normal",
    "lumi": "normal",
    "normfactor": "none",
    "normsys": "normal",
    "shapefactor": "none",
    "shapesys": "poisson",
    "staterror": "normal",
}
"""The constraint term of the parameters of each type of modifier."""

Effect = tuple[float, float]
"""Change of events by a systematic, down and up."""


def summary(workspace: Workspace, measurement: str | None = None) -> dict[str, Any]:
    """What a workspace contains, as JSON values.

    Args:
        workspace: any workspace, a background-only one as well, and one that has no
            model.
        measurement: name of the one measurement to show; all by default.

    Returns:
        Version, digest, channels, samples, parameters, measurements; the number of
        modifiers of each type; the model that each measurement makes; yields and data
        of each channel; the systematics of each type, largest first. Effects are
        relative changes of events.

    Raises:
        UnknownNameError: There is no such measurement.
    """
    shown = workspace.measurements
    if measurement is not None:
        shown = (workspace.measurement(measurement),)
    return {
        "version": workspace.version,
        "digest": {"sha256": workspace.digest()},
        "channels": [_channel(workspace, name) for name in workspace.channel_names],
        "samples": list(workspace.sample_names),
        "parameters": _parameters(workspace),
        "measurements": [_measurement(workspace, found) for found in shown],
        "modifiers": _modifiers(workspace),
        "models": [_model(workspace, found) for found in shown],
        "yields": [_yields(workspace, channel) for channel in workspace.channels],
        "systematics": systematics(workspace, shown),
    }


def _channel(workspace: Workspace, name: str) -> dict[str, Any]:
    channel = workspace.channel(name)
    return {
        "name": name,
        "bins": channel.bins,
        "observed": list(workspace.observation(name).data),
        "samples": list(channel.sample_names),
    }


def _parameters(workspace: Workspace) -> list[dict[str, Any]]:
    """Each parameter set: the types of its modifiers and the channels they are in."""
    types: dict[str, set[str]] = {}
    channels: dict[str, set[str]] = {}
    for channel in workspace.channels:
        for sample in channel.samples:
            for modifier in sample.modifiers:
                types.setdefault(modifier.name, set()).add(modifier.type)
                channels.setdefault(modifier.name, set()).add(channel.name)
    return [
        {
            "name": name,
            "types": sorted(types[name]),
            "constraint": CONSTRAINTS[min(types[name])],
            "channels": sorted(channels[name]),
        }
        for name in sorted(types)
    ]


def _measurement(workspace: Workspace, measurement: Measurement) -> dict[str, Any]:
    """A measurement; published workspaces leave its POI to the patches."""
    names = {name for name, _ in workspace.modifiers}
    return {
        "name": measurement.name,
        "poi": measurement.poi,
        "poi_in_workspace": measurement.poi in names,
        "configured": [config.name for config in measurement.parameters],
    }


def _modifiers(workspace: Workspace) -> dict[str, dict[str, int]]:
    """Of each type that there is: how many names, in how many samples of channels."""
    found = collect(workspace)
    return {
        kind: {"names": len(found[kind]), "places": sum(map(len, found[kind].values()))}
        for kind in KINDS
        if found[kind]
    }


def _model(workspace: Workspace, measurement: Measurement) -> dict[str, Any]:
    """The parameters that a measurement makes, or why there are none."""
    try:
        groups = parameter_groups(workspace, measurement)
    except ModelError as error:
        return {"measurement": measurement.name, "problem": str(error)}
    poi = parameter_of_interest(groups, measurement)
    known = {group.name: group for group in groups}
    return {
        "measurement": measurement.name,
        "problem": None,
        "bins": sum(channel.bins for channel in workspace.channels),
        "parameters": sum(group.size for group in groups),
        "constrained": sum(group.size for group in groups if group.constraint),
        "fixed": sum(sum(group.fixed) for group in groups),
        "poi": poi if poi in known else None,
        "poi_bounds": list(known[poi].bounds[0]) if poi in known else None,
    }


def _yields(workspace: Workspace, channel: Channel) -> dict[str, Any]:
    """Nominal events of a channel and its samples, and what was observed."""
    columns = zip(*(sample.data for sample in channel.samples), strict=True)
    nominal = [sum(map(float, column)) for column in columns]
    return {
        "channel": channel.name,
        "observed": _sum(workspace.observation(channel.name).data),
        "nominal": _sum(nominal),
        "nominal_bins": [_finite(value) for value in nominal],
        "samples": {sample.name: _sum(sample.data) for sample in channel.samples},
    }


def systematics(
    workspace: Workspace, measurements: Sequence[Measurement]
) -> dict[str, list[dict[str, Any]]]:
    """The systematics of each type with their largest effects, largest first.

    Args:
        workspace: any workspace.
        measurements: those that say how uncertain the luminosity is.

    Returns:
        For histosys and normsys, relative changes at -1 and +1 standard deviation of
        the channel and of the sample that they change most; for staterror and shapesys
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
        "histosys": [_alpha(*item, _histosys) for item in found["histosys"].items()],
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
    name: str, cells: list[Cell], effect: Callable[[Sample, Modifier], Effect]
) -> dict[str, Any]:
    """The channel and the sample that a histosys or normsys changes most."""
    changes: dict[str, list[float]] = {}
    samples, totals = [], {}
    for channel, sample, modifier in cells:
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
        "places": len(cells),
        "channel": max(channels, key=_size),
        "sample": max(samples, key=_size),
    }


def _events(channel: Channel) -> float:
    return sum(sum(map(float, sample.data)) for sample in channel.samples)


def _relative(down: float, up: float, nominal: float) -> dict[str, float | None]:
    """A change relative to a number of events; null where there are none."""
    if nominal == 0:
        return {"down": None, "up": None}
    return {"down": _finite(down / nominal), "up": _finite(up / nominal)}


def _normsys(sample: Sample, modifier: Modifier) -> Effect:
    nominal = sum(map(float, sample.data))
    return (modifier.data["lo"] - 1.0) * nominal, (modifier.data["hi"] - 1.0) * nominal


def _histosys(sample: Sample, modifier: Modifier) -> Effect:
    nominal = sum(map(float, sample.data))
    down, up = (sum(map(float, modifier.data[key])) for key in ("lo_data", "hi_data"))
    return down - nominal, up - nominal


def _gamma(name: str, cells: list[Cell]) -> dict[str, Any]:
    """The bin with the largest relative uncertainty of a staterror or shapesys."""
    bins = [
        {"channel": channel, "bin": i, "uncertainty": uncertainty}
        for channel, samples in _by_channel(cells)
        for i, uncertainty in enumerate(_uncertainties(samples))
    ]
    return {
        "name": name,
        "places": len(cells),
        "bin": max(bins, key=_size),
    }


def _lumi(name: str, cells: list[Cell], measurement: Measurement) -> dict[str, Any]:
    """The relative uncertainty of the luminosity; null where it is not configured."""
    config = measurement.parameter(name)
    row = {"name": name, "places": len(cells), "measurement": measurement.name}
    if config is None or not config.sigmas or not config.auxdata:
        return row | {"uncertainty": None}
    return row | _relative_width(config.sigmas[0], config.auxdata[0])


def _relative_width(sigma: Number, centre: Number) -> dict[str, float | None]:
    return {"uncertainty": _finite(float(sigma) / centre) if centre else None}


def _by_channel(cells: list[Cell]) -> Iterator[tuple[str, list[Cell]]]:
    for name in dict.fromkeys(channel.name for channel, _, _ in cells):
        yield name, [cell for cell in cells if cell[0].name == name]


def _uncertainties(cells: list[Cell]) -> Iterator[float | None]:
    nominals = zip(*(sample.data for _, sample, _ in cells), strict=True)
    errors = zip(*(modifier.data for _, _, modifier in cells), strict=True)
    for nominal, error in zip(nominals, errors, strict=True):
        yield _finite(relative_uncertainty(nominal, error))


def _size(place: dict[str, Any]) -> float:
    """How large the effect in one place is."""
    values = [place.get(key) for key in ("down", "up", "uncertainty")]
    return max((abs(value) for value in values if value is not None), default=0.0)


def _largest(row: dict[str, Any]) -> float:
    return _size(row.get("channel") or row.get("bin") or row)


def _sum(values: Iterable[Number]) -> float | None:
    return _finite(sum(map(float, values)))


def _finite(value: float) -> float | None:
    """A number as JSON has it: null where it is not finite."""
    return value if math.isfinite(value) else None
