"""Commands that edit workspaces, none of which needs JAX."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from hfjax.cli.options import OutputOption, WorkspaceArgument, number, takes, writable
from hfjax.cli.streams import say, write_json
from hfjax.spec import combine as combining
from hfjax.spec import edit
from hfjax.spec import prune as pruning
from hfjax.spec.prune_small import prune_small
from hfjax.spec.workspace import Workspace

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


class PairsCommand(TyperCommand):
    """A command whose repeatable options take two values each; typer knows one only."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        TyperCommand.__init__(self, *arguments, **settings)
        for option in self.params:
            if getattr(option, "multiple", False):
                option.nargs = 2


def place(text: str | pruning.Place) -> pruning.Place:
    """Read a place, such as "channel=SR,sample=top,modifier=JES".

    Raises:
        typer.BadParameter: It is none, or names something twice.

    Example:
        >>> place("channel=SR,modifier=JES,type=normsys").modifier
        'JES'
    """
    if isinstance(text, pruning.Place):
        return text
    before, *found = _PART.split(text)
    keys, values = found[::2], found[1::2]
    if before or not keys or len(set(keys)) < len(keys):
        message = (
            f"'{text}' is no place: give some of channel=, sample=, modifier= and "
            "type=, each once, with commas between them"
        )
        raise typer.BadParameter(message)
    return pruning.Place(**dict(zip(keys, values, strict=True)))


def report_file(path: Path | None) -> Path | None:
    """Check that a report can be written; standard output is for the workspace.

    Raises:
        typer.BadParameter: It cannot; the message says why.
    """
    if path is not None and str(path) == "-":
        message = "standard output is for the workspace: give a file"
        raise typer.BadParameter(message)
    return writable(path)


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
        combining.Join,
        typer.Option("--join", "-j", help="What becomes of names that both have."),
    ] = combining.Join.NONE
    merge_channels: Annotated[
        bool,
        typer.Option(
            "--merge-channels/--no-merge-channels",
            help="Bring the samples of a channel that both have together.",
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
        typer.Option("--modifier-type", "-t", help="Type to remove; repeatable."),
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
        list[pruning.Place] | None,
        typer.Option(
            parser=place,
            metavar="PLACE",
            help="Only what is at channel=SR,sample=top,modifier=JES,type=normsys, or "
            "some of these; repeatable.",
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
            "--channel", "-c", parser=pair, metavar="OLD NEW", help="Repeatable."
        ),
    ] = None
    sample: Annotated[
        list[tuple] | None,
        typer.Option(
            "--sample", "-s", parser=pair, metavar="OLD NEW", help="Repeatable."
        ),
    ] = None
    modifier: Annotated[
        list[tuple] | None,
        typer.Option(
            "--modifier", "-m", parser=pair, metavar="OLD NEW", help="Repeatable."
        ),
    ] = None
    measurement: Annotated[
        list[tuple] | None,
        typer.Option(parser=pair, metavar="OLD NEW", help="Repeatable."),
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


@takes(CombineOptions)
def combine(options: CombineOptions) -> None:
    """Write the combination of two workspaces."""
    if options.workspace_one == options.workspace_two == "-":
        message = "the two workspaces cannot both be standard input"
        raise typer.BadParameter(message)
    first = Workspace.load(options.workspace_one)
    second = Workspace.load(options.workspace_two)
    both = combining.combine(first, second, options.join, options.merge_channels)
    if shared := combining.shared_parameters(first, second):
        say(f"both workspaces share the parameters {', '.join(shared)}", quiet=False)
    write_json(both.dump(), options.output)


@takes(PruneOptions)
def prune(options: PruneOptions) -> None:
    """Write a workspace without what has a name, is at a place, or is small."""
    threshold, report = options.smaller_than, options.report
    if report is not None and (threshold is None or report == options.output):
        message = "give --smaller-than with it, and a file of its own"
        raise typer.BadParameter(message, param_hint="--report")
    names = options.names
    left = pruning.prune(
        Workspace.load(options.workspace),
        *(options.where or ()),
        channels=names.channel or (),
        samples=names.sample or (),
        modifiers=names.modifier or (),
        modifier_types=[kind.value for kind in names.modifier_type or ()],
        measurements=names.measurement or (),
    )
    if threshold is not None:
        small = prune_small(left, threshold)
        left = small.workspace
        if report is not None:
            write_json(small.dump(), report)
    write_json(left.dump(), options.output)


@takes(RenameOptions)
def rename(options: RenameOptions) -> None:
    """Write a workspace with other names; all names change at once."""
    renamed = edit.rename(
        Workspace.load(options.workspace),
        channels=_new_names("--channel", options.channel),
        samples=_new_names("--sample", options.sample),
        modifiers=_new_names("--modifier", options.modifier),
        measurements=_new_names("--measurement", options.measurement),
    )
    write_json(renamed.dump(), options.output)


@takes(SelectOptions)
def select(options: SelectOptions) -> None:
    """Write the parts of a workspace whose whole names match regular expressions."""
    selected = edit.select(
        Workspace.load(options.workspace),
        channels=options.channel or (),
        samples=options.sample or (),
        modifiers=options.modifier or (),
        measurements=options.measurement or (),
    )
    write_json(selected.dump(), options.output)


@takes(SortOptions)
def sort(options: SortOptions) -> None:
    """Write a workspace in alphabetical order."""
    workspace = Workspace.load(options.workspace)
    write_json(edit.sort(workspace).dump(), options.output)


def _new_names(option: str, pairs: Sequence[tuple] | None) -> dict[str, str]:
    """New names by old ones; nothing can be renamed twice."""
    new = dict(pairs or ())
    if len(new) < len(pairs or ()):
        message = "gives one name two new names"
        raise typer.BadParameter(message, param_hint=option)
    return new
