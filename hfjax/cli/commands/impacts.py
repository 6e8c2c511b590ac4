"""The command impacts: which nuisance parameters shift a parameter, and by how much."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

import hfjax
from hfjax.cli.commands.groups import (
    GroupForm,
    check_equals_signs,
    groups_of,
    parts_of,
)
from hfjax.cli.commands.opening import opened
from hfjax.cli.options import (
    FitOptions,
    HoldOption,
    OutputOption,
    SignalOptions,
    StartOption,
    WorkspaceArgument,
    takes,
)
from hfjax.cli.runtime import NOT_CONVERGED
from hfjax.cli.streams import complain
from hfjax.cli.tables import JsonOption, write_result
from hfjax.errors import FitError
from hfjax.tables.impacts import impact_parts

_GROUPS = GroupForm(
    "NAME=PATTERN, such as 'jets=JES_*,JER_*'", "join its patterns by commas"
)


class Method(StrEnum):
    """How impacts are found."""

    FITS = "fits"
    COVARIANCE = "covariance"


@dataclass(frozen=True, kw_only=True)
class ImpactsOptions:
    """Options of `hfjax impacts`."""

    workspace: WorkspaceArgument = "-"
    as_json: JsonOption = False
    output: OutputOption = None
    signal: SignalOptions
    parameter: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Parameter, or component, that is shifted; the parameter of interest "
            "by default.",
        ),
    ] = None
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN[,PATTERN]",
            help="Nuisance parameters, by names or patterns such as 'JES_*'; "
            "repeatable; all by default.",
        ),
    ] = None
    group: Annotated[
        list[str] | None,
        typer.Option(
            "--group",
            metavar="NAME=PATTERN[,PATTERN]",
            help="Group of nuisance parameters in the breakdown of the uncertainty, "
            "such as 'jets=JES_*,JER_*'; repeatable.",
        ),
    ] = None
    method: Annotated[
        Method,
        typer.Option(
            help="How impacts are found: fits, with each nuisance parameter held at "
            "four values; or covariance, as it is where -2 ln L is a parabola."
        ),
    ] = Method.FITS
    top: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Nuisance parameters in the table."),
    ] = 20
    start: StartOption = None
    hold: HoldOption = None
    fit: FitOptions


@takes(ImpactsOptions)
def impacts(options: ImpactsOptions) -> None:
    """Find the impacts of nuisance parameters, and the uncertainty by its sources.

    How far the best fit of a parameter moves where a nuisance parameter is held
    at its own best fit plus or minus its uncertainty: post-fit, and pre-fit that
    of its constraint term. The uncertainty is broken down into data statistics,
    MC statistics of the bins, systematics, and groups of these. A table on a
    terminal, largest impact first; JSON with --json, in a pipe or in a file, of
    which hfjax plot makes a picture:

    hfjax impacts workspace.json -o impacts.json
    hfjax impacts workspace.json --group 'jets=JES_*,JER_*' --top 10
    """
    groups = groups_of(options.group, _GROUPS)
    patterns = patterns_of(options.parameters)
    at = opened("impacts", options, None)
    check_equals_signs(groups, at.model.parameters.names, _GROUPS)
    sources = hfjax.uncertainty_breakdown(
        at.model, at.data, options.parameter, groups=groups, settings=at.settings
    )
    found = hfjax.impacts(
        at.model,
        at.data,
        options.parameter,
        parameters=patterns,
        method=options.method.value,
        settings=at.settings,
    )
    asked = {
        "parameter": options.parameter,
        "parameters": patterns,
        "groups": groups,
        "method": options.method.value,
        **options.fit.settings,
    }
    document = found.to_dict() | {"breakdown": sources.to_dict()}
    write_result(
        document | at.provenance(asked),
        options.output,
        options.as_json,
        lambda whole: impact_parts(whole, options.top),
    )
    if sources.message and not options.fit.quiet:
        complain(f"no uncertainty of {found.parameter} by sources: {sources.message}")
    try:
        found.raise_if_failed()
    except FitError as error:
        complain(str(error))
        raise typer.Exit(NOT_CONVERGED) from None


def patterns_of(texts: list[str] | None) -> list[str] | None:
    """Read patterns of names; None for all.

    >>> patterns_of(["JES_*,JER_*", "lumi"])
    ['JES_*', 'JER_*', 'lumi']
    """
    return [part for text in texts for part in parts_of(text)] if texts else None
