"""Commands on one workspace that need no JAX: inspect, digest."""

from dataclasses import dataclass
from typing import Annotated

import typer

from hfjax.cli.options import OutputOption, WorkspaceArgument, takes
from hfjax.cli.streams import write_json, write_text
from hfjax.cli.tables import JsonOption, write_result
from hfjax.documents.inspect.workspace import summary
from hfjax.documents.workspace.workspace import Workspace
from hfjax.tables.workspace import workspace_parts


@dataclass(frozen=True)
class InspectOptions:
    """Options of `hfjax inspect`."""

    workspace: WorkspaceArgument = "-"
    measurement: Annotated[
        str | None, typer.Option(help="Measurement to show; all by default.")
    ] = None
    as_json: JsonOption = False
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
            help="JSON, or a line algorithm:digest for each algorithm, the default.",
        ),
    ] = False
    output: OutputOption = None


@takes(InspectOptions)
def inspect(options: InspectOptions) -> None:
    """Show what a workspace contains: parts, yields and largest systematics.

    Tables on a terminal; JSON with --json, in a pipe or in a file:

    hfjax inspect BkgOnly.json
    hfjax inspect BkgOnly.json --json | less
    """
    workspace = Workspace.load(options.workspace)
    found = summary(workspace, options.measurement)
    write_result(found, options.output, options.as_json, workspace_parts)


@takes(DigestOptions)
def digest(options: DigestOptions) -> None:
    """Show the digest that ties patchsets to a workspace.

    Example: hfjax digest BkgOnly.json
    """
    workspace = Workspace.load(options.workspace)
    algorithms = options.algorithm or ["sha256"]
    digests = {name: workspace.digest(name) for name in algorithms}
    if options.as_json:
        write_json(digests, options.output)
    else:
        lines = [f"{name}:{value}" for name, value in digests.items()]
        write_text("\n".join([*lines, ""]), options.output)
