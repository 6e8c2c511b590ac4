"""Commands that edit workspaces, none of which needs JAX."""

from collections.abc import Sequence
from typing import Any

import typer

from hfjax.cli.commands.edit_options import (
    CombineOptions,
    PruneOptions,
    RenameOptions,
    SelectOptions,
    SortOptions,
)
from hfjax.cli.options import takes
from hfjax.cli.plain_help import PlainCommand
from hfjax.cli.streams import refuse_shared_input, say, write_json
from hfjax.documents.edit import (
    combine as combining,
    prune as pruning,
    rename as renaming,
    select as selecting,
    sort as sorting,
)
from hfjax.documents.edit.prune_small import prune_small
from hfjax.documents.workspace.workspace import Workspace


class RenameCommand(PlainCommand):
    """A command whose repeatable options take two values each; typer knows one only."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        PlainCommand.__init__(self, *arguments, **settings)
        for option in self.params:
            if getattr(option, "multiple", False):
                option.nargs = 2


@takes(CombineOptions)
def combine(options: CombineOptions) -> None:
    """Write the combination of two workspaces.

    Example: hfjax combine one.json other.json --join outer -o both.json
    """
    refuse_shared_input(options.workspace_one, options.workspace_two)
    first = Workspace.load(options.workspace_one)
    second = Workspace.load(options.workspace_two)
    both = combining.combine(first, second, options.join, options.merge_channels)
    if shared := combining.shared_parameters(first, second):
        say(f"both workspaces share the parameters {', '.join(shared)}", quiet=False)
    write_json(both.dump(), options.output)


@takes(PruneOptions)
def prune(options: PruneOptions) -> None:
    """Write a workspace without what has a name, is at a place, or is small.

    hfjax prune BkgOnly.json --channel CR --modifier-type staterror -o less.json
    hfjax prune BkgOnly.json --where channel=SR,sample=top,modifier=JES
    hfjax prune BkgOnly.json --smaller-than 0.005 --report small.json -o less.json
    """
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
    """Write a workspace with other names; all names change at once.

    Example: hfjax rename BkgOnly.json --modifier mu_SIG mu -o renamed.json
    """
    renamed = renaming.rename(
        Workspace.load(options.workspace),
        channels=_new_names("--channel", options.channel),
        samples=_new_names("--sample", options.sample),
        modifiers=_new_names("--modifier", options.modifier),
        measurements=_new_names("--measurement", options.measurement),
    )
    write_json(renamed.dump(), options.output)


@takes(SelectOptions)
def select(options: SelectOptions) -> None:
    """Write the parts of a workspace whose whole names match regular expressions.

    Example: hfjax select BkgOnly.json --channel 'SR.*' -o regions.json
    """
    selected = selecting.select(
        Workspace.load(options.workspace),
        channels=options.channel or (),
        samples=options.sample or (),
        modifiers=options.modifier or (),
        measurements=options.measurement or (),
    )
    write_json(selected.dump(), options.output)


@takes(SortOptions)
def sort(options: SortOptions) -> None:
    """Write a workspace in alphabetical order.

    Example: hfjax sort BkgOnly.json -o sorted.json
    """
    workspace = Workspace.load(options.workspace)
    write_json(sorting.sort(workspace).dump(), options.output)


def _new_names(option: str, pairs: Sequence[tuple] | None) -> dict[str, str]:
    """New names by old ones; nothing can be renamed twice."""
    new = dict(pairs or ())
    if len(new) < len(pairs or ()):
        message = "gives one name two new names"
        raise typer.BadParameter(message, param_hint=option)
    return new
