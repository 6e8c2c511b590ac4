"""The command contour: closed curves in the plane of two parameters."""

from dataclasses import dataclass
from typing import Annotated

import typer

import hfjax
from hfjax.cli.commands.opening import opened
from hfjax.cli.commands.plot import level_of
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
from hfjax.tables.results import contour_parts

_LEVELS = (0.68, 0.95)


@dataclass(frozen=True, kw_only=True)
class ContourOptions:
    """Options of `hfjax contour`."""

    workspace: WorkspaceArgument = "-"
    as_json: JsonOption = False
    output: OutputOption = None
    signal: SignalOptions
    parameter: Annotated[
        list[str],
        typer.Option(
            "--parameter",
            metavar="NAME",
            help="Parameter, or component, of the plane; twice.",
        ),
    ]
    level: Annotated[
        list[float] | None,
        typer.Option(
            "--level",
            parser=level_of,
            metavar="NUMBER",
            help="Confidence level of a curve; repeatable; 0.68 and 0.95 by default.",
        ),
    ] = None
    rays: Annotated[
        int,
        typer.Option(
            metavar="N", help="Points of each curve, a multiple of 4; and its corners."
        ),
    ] = 64
    start: StartOption = None
    hold: HoldOption = None
    fit: FitOptions


@takes(ContourOptions)
def contour(options: ContourOptions) -> None:
    """Find confidence contours of two parameters, all others fitted.

    Closed curves on which -2 ln L has risen by 2.28 at 68 %, by 5.99 at 95 %,
    above the best fit. No parameter of interest is needed. A table on a
    terminal; JSON with --json, in a pipe or in a file, of which hfjax plot makes
    a picture:

    hfjax contour workspace.json --parameter mu --parameter JES -o contour.json
    hfjax contour workspace.json --parameter mu --parameter JES --level 0.9
    """
    levels = options.level or list(_LEVELS)
    at = opened("contour", options, None)
    result = hfjax.contour(
        at.model,
        at.data,
        options.parameter,
        levels=levels,
        rays=options.rays,
        settings=at.settings,
    )
    asked = {
        "parameters": list(options.parameter),
        "levels": levels,
        "rays": options.rays,
        **options.fit.settings,
    }
    document = result.to_dict() | at.provenance(asked)
    write_result(document, options.output, options.as_json, contour_parts)
    if not result.converged:
        complain(result.message)
        raise typer.Exit(NOT_CONVERGED)
