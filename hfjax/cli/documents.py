"""Commands on one workspace that need no JAX: inspect, digest."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from hfjax.cli.options import OutputOption, WorkspaceArgument, takes
from hfjax.cli.streams import write_json, write_text
from hfjax.spec.workspace import Measurement, Workspace


@dataclass(frozen=True)
class InspectOptions:
    """Options of `hfjax inspect`."""

    workspace: WorkspaceArgument = "-"
    measurement: Annotated[
        str | None, typer.Option(help="Measurement to show; all by default.")
    ] = None
    output: OutputOption = None


@dataclass(frozen=True)
class DigestOptions:
    """Options of `hfjax digest`."""

    workspace: WorkspaceArgument = "-"
    algorithm: Annotated[
        list[str] | None,
        typer.Option(
            "--algorithm", "-a", help="Hash algorithm, sha256 by default; repeatable."
        ),
    ] = None
    as_json: Annotated[
        bool,
        typer.Option(
            "--json/--plaintext",
            "-j/-p",
            help="JSON, or a line algorithm:digest for each algorithm.",
        ),
    ] = False
    output: OutputOption = None


@takes(InspectOptions)
def inspect(options: InspectOptions) -> None:
    """Show what a workspace contains."""
    workspace = Workspace.load(options.workspace)
    write_json(summary(workspace, options.measurement), options.output)


@takes(DigestOptions)
def digest(options: DigestOptions) -> None:
    """Show the digest that ties patchsets to a workspace."""
    workspace = Workspace.load(options.workspace)
    algorithms = options.algorithm or ["sha256"]
    digests = {name: workspace.digest(name) for name in algorithms}
    if options.as_json:
        write_json(digests, options.output)
    else:
        lines = [f"{name}:{value}" for name, value in digests.items()]
        write_text("\n".join([*lines, ""]), options.output)


def summary(workspace: Workspace, measurement: str | None = None) -> dict[str, Any]:
    """What a workspace contains, as JSON values.

    Args:
        workspace: any workspace, a background-only one as well.
        measurement: name of the one measurement to show; all by default.
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
        {"name": name, "types": sorted(types[name]), "channels": sorted(channels[name])}
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
