"""The command profile: the likelihood with one or two parameters held."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

import hfjax
from hfjax.cli.commands.opening import Opened, opened
from hfjax.cli.commands.profile_grid import MOST, Wanted, around, evenly, wanted
from hfjax.cli.options import (
    FitOptions,
    HoldOption,
    OutputOption,
    SignalOptions,
    StartOption,
    WorkspaceArgument,
    takes,
)
from hfjax.cli.runtime import ADVICE, NOT_CONVERGED
from hfjax.cli.streams import complain
from hfjax.cli.tables import JsonOption, write_result
from hfjax.tables.results import profile_parts


@dataclass(frozen=True, kw_only=True)
class ProfileOptions:
    """Options of `hfjax profile`."""

    workspace: WorkspaceArgument = "-"
    as_json: JsonOption = False
    output: OutputOption = None
    signal: SignalOptions
    parameter: Annotated[
        list[str],
        typer.Option(
            "--parameter",
            metavar="NAME[=LOW:HIGH:NUMBER]",
            help="Parameter, or component, that is held at so many values; 3 "
            "uncertainties on both sides of its best fit if no range is given. Once "
            "for a curve, twice for a plane.",
        ),
    ]
    start: StartOption = None
    hold: HoldOption = None
    fit: FitOptions


@takes(ProfileOptions)
def profile(options: ProfileOptions) -> None:
    """Find the profile likelihood of one parameter or two, of any kind.

    -2 ln L above its minimum at each value, all other parameters fitted. No
    parameter of interest is needed. A table on a terminal; JSON with --json, in
    a pipe or in a file, of which hfjax plot makes a picture:

    hfjax profile workspace.json --parameter mu=0:3:31 -o profile.json
    hfjax profile workspace.json --parameter mu --parameter JES
    """
    asked = wanted(options.parameter)
    at = opened("profile", options, None)
    result = hfjax.profile(at.model, at.data, _grid(at, asked), settings=at.settings)
    document = result.to_dict()
    document |= at.provenance(
        {"parameters": list(options.parameter), **options.fit.settings}
    )
    write_result(document, options.output, options.as_json, profile_parts)
    if not result.converged:
        codes = [hfjax.FitStatus(code) for code in result.status.ravel().tolist()]
        failed = sum(code is not hfjax.FitStatus.CONVERGED for code in codes)
        why = max(codes).sentence
        complain(f"{failed} of {len(codes)} points have no result: {why}")
        raise typer.Exit(NOT_CONVERGED)


def _grid(at: Opened, asked: list[Wanted]) -> dict[str, Any]:
    """The values of each parameter, those around the best fit where none are given."""
    open_ended = [name for name, values in asked if not values]
    ranges = {}
    if open_ended:
        fit = _best_fit(at)
        ranges = around(at.model, at.data, fit, open_ended, at.settings)
    count = MOST[len(asked)]
    return {name: list(v or evenly(*ranges[name], count)) for name, v in asked}


def _best_fit(at: Opened) -> Any:
    """The best fit, around which values are.

    Raises:
        typer.Exit: it did not converge.
    """
    fit = hfjax.fit(at.model, at.data, settings=at.settings)
    if not fit.converged:
        run = at.settings.run
        complain(hfjax.explain(at.model, at.data, fit, advice=ADVICE, run=run))
        raise typer.Exit(NOT_CONVERGED)
    return fit
