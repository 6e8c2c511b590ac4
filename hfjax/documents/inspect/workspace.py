"""What a workspace contains: its parts, yields and largest systematics, as JSON."""

import math
from collections.abc import Iterable
from typing import Any

from hfjax.documents.inspect.systematics import systematics
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.parameters.parameter_sets import (
    parameter_groups,
    parameter_of_interest,
)
from hfjax.documents.parameters.uses import KINDS, collect
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.channel import Channel
from hfjax.documents.workspace.workspace import Measurement, Workspace
from hfjax.errors import ModelError
from hfjax.json_text import finite_or_none

CONSTRAINTS = {
    "histosys": "normal",
    "lumi": "normal",
    "normfactor": "none",
    "normsys": "normal",
    "shapefactor": "none",
    "shapesys": "poisson",
    "staterror": "normal",
}
"""Kind of constraint term of each type of modifier, where no measurement says it."""


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
        relative changes of events. A measurement's `constraints` and `thresholds`
        replace those of the type of modifier; its `expressions` give parameters.

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
        "observed": [_written(n) for n in workspace.observation(name).data],
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
        "constraints": _stated(measurement, "constraint"),
        "thresholds": _stated(measurement, "threshold"),
        "expressions": _stated(measurement, "expression"),
    }


def _stated(measurement: Measurement, key: str) -> dict[str, Any]:
    """What a measurement says of parameters with one key of the extended format."""
    configs = measurement.parameters
    return {c.name: _written(getattr(c, key)) for c in configs if key in c.extension}


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
        "poi_bounds": _bounds(known[poi]) if poi in known else None,
    }


def _bounds(group: ParameterGroup) -> list[Number | None]:
    return [_written(bound) for bound in group.bounds[0]]


def _written(value: Any) -> Any:
    """A value as it is, or None for a number that JSON does not have."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _yields(workspace: Workspace, channel: Channel) -> dict[str, Any]:
    """Nominal events of a channel and its samples, and what was observed."""
    columns = zip(*(sample.data for sample in channel.samples), strict=True)
    nominal = [sum(map(float, column)) for column in columns]
    return {
        "channel": channel.name,
        "observed": _sum(workspace.observation(channel.name).data),
        "nominal": _sum(nominal),
        "nominal_bins": [finite_or_none(value) for value in nominal],
        "samples": {sample.name: _sum(sample.data) for sample in channel.samples},
    }


def _sum(values: Iterable[Number]) -> float | None:
    return finite_or_none(sum(map(float, values)))
