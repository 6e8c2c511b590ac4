"""The options of the commands that edit workspaces."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from hfjax.cli.options import OutputOption, WorkspaceArgument, number, report_file
from hfjax.documents.edit.combine import Join
from hfjax.documents.edit.prune import Place

_PART = re.compile(r"(?:^|,)(channel|sample|modifier|type)=")


class ModifierType(StrEnum):
    """The types of modifiers, as they are called on the command line."""

    HISTOSYS = "histosys"
    LUMI = "lumi"
    NORMFACTOR = "normfactor"
    NORMSYS = "normsys"
    SHAPEFACTOR = "shapefactor"
    SHAPESYS = "shapesys"
    STATERROR = "staterror"


def place(text: str | Place) -> Place:
    """Read a place, such as "channel=SR,sample=top,modifier=JES".

    Raises:
        typer.BadParameter: It is none, or names something twice.

    Example:
        >>> place("channel=SR,modifier=JES,type=normsys").modifier
        'JES'
    """
    if isinstance(text, Place):
        return text
    before, *found = _PART.split(text)
    keys, values = found[::2], found[1::2]
    if before or not keys or len(set(keys)) < len(keys):
        message = (
            f"'{text}' is no place: give some of channel=, sample=, modifier= and "
            "type=, each once, with commas between them"
        )
        raise typer.BadParameter(message)
    return Place(**dict(zip(keys, values, strict=True)))


def pair(value: Any) -> Any:
    """Take an old and a new name as they are."""
    return value


@dataclass(frozen=True)
class CombineOptions:
    """Options of `hfjax combine`."""

    workspace_one: Annotated[
        str, typer.Argument(metavar="WORKSPACE", help="File, or - for standard input.")
    ] = "-"
    workspace_two: Annotated[
        str, typer.Argument(metavar="WORKSPACE", help="File, or - for standard input.")
    ] = "-"
    join: Annotated[
        Join,
        typer.Option(
            "--join",
            "-j",
            metavar="HOW",
            help="What becomes of names that both have: none, outer, left outer or "
            "right outer.",
        ),
    ] = Join.NONE
    merge_channels: Annotated[
        bool,
        typer.Option(
            "--merge-channels/--no-merge-channels",
            help="Bring the samples of a channel that both have together; not by "
            "default.",
        ),
    ] = False
    output: OutputOption = None


@dataclass(frozen=True)
class NameOptions:
    """Names of what is removed."""

    channel: Annotated[
        list[str] | None,
        typer.Option("--channel", "-c", help="Channel to remove; repeatable."),
    ] = None
    sample: Annotated[
        list[str] | None,
        typer.Option("--sample", "-s", help="Sample to remove; repeatable."),
    ] = None
    modifier: Annotated[
        list[str] | None,
        typer.Option("--modifier", "-m", help="Modifier to remove; repeatable."),
    ] = None
    modifier_type: Annotated[
        list[ModifierType] | None,
        typer.Option(
            "--modifier-type",
            "-t",
            metavar="TYPE",
            help="Type to remove, such as staterror; repeatable.",
        ),
    ] = None
    measurement: Annotated[
        list[str] | None, typer.Option(help="Measurement to remove; repeatable.")
    ] = None


@dataclass(frozen=True)
class PruneOptions:
    """Options of `hfjax prune`."""

    names: NameOptions
    workspace: WorkspaceArgument = "-"
    where: Annotated[
        list[Place] | None,
        typer.Option(
            parser=place,
            metavar="PLACE",
            help="Only what is at a channel, sample, modifier or type, or at several "
            "of them; repeatable.",
        ),
    ] = None
    smaller_than: Annotated[
        float | None,
        typer.Option(
            parser=number,
            metavar="NUMBER",
            help="Systematics too whose relative effect on every bin is smaller.",
        ),
    ] = None
    report: Annotated[
        Path | None,
        typer.Option(
            callback=report_file, help="File for what --smaller-than removed."
        ),
    ] = None
    output: OutputOption = None


@dataclass(frozen=True)
class RenameOptions:
    """Options of `hfjax rename`."""

    workspace: WorkspaceArgument = "-"
    channel: Annotated[
        list[tuple] | None,
        typer.Option(
            "--channel",
            "-c",
            parser=pair,
            metavar="OLD NEW",
            help="Channel to rename; repeatable.",
        ),
    ] = None
    sample: Annotated[
        list[tuple] | None,
        typer.Option(
            "--sample",
            "-s",
            parser=pair,
            metavar="OLD NEW",
            help="Sample to rename; repeatable.",
        ),
    ] = None
    modifier: Annotated[
        list[tuple] | None,
        typer.Option(
            "--modifier",
            "-m",
            parser=pair,
            metavar="OLD NEW",
            help="Modifier to rename; repeatable.",
        ),
    ] = None
    measurement: Annotated[
        list[tuple] | None,
        typer.Option(
            parser=pair, metavar="OLD NEW", help="Measurement to rename; repeatable."
        ),
    ] = None
    output: OutputOption = None


@dataclass(frozen=True)
class SelectOptions:
    """Options of `hfjax select`."""

    workspace: WorkspaceArgument = "-"
    channel: Annotated[
        list[str] | None,
        typer.Option(
            "--channel", "-c", metavar="REGEX", help="Channels to keep; repeatable."
        ),
    ] = None
    sample: Annotated[
        list[str] | None,
        typer.Option(
            "--sample", "-s", metavar="REGEX", help="Samples to keep; repeatable."
        ),
    ] = None
    modifier: Annotated[
        list[str] | None,
        typer.Option(
            "--modifier", "-m", metavar="REGEX", help="Modifiers to keep; repeatable."
        ),
    ] = None
    measurement: Annotated[
        list[str] | None,
        typer.Option(metavar="REGEX", help="Measurements to keep; repeatable."),
    ] = None
    output: OutputOption = None


@dataclass(frozen=True)
class SortOptions:
    """Options of `hfjax sort`."""

    workspace: WorkspaceArgument = "-"
    output: OutputOption = None
