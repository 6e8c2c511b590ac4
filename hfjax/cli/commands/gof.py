"""The command gof: how well a model describes the data."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

import hfjax
from hfjax.cli.commands.opening import opened, tell_free_fit
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
from hfjax.tables.yields import goodness_parts

_MANY_EVENTS = 5.0
"""Expected events in each bin from which on chi2 is near enough."""


@dataclass(frozen=True, kw_only=True)
class GofOptions:
    """Options of `hfjax gof`."""

    workspace: WorkspaceArgument = "-"
    as_json: JsonOption = False
    output: OutputOption = None
    signal: SignalOptions
    toys: Annotated[
        int,
        typer.Option(
            "--toys", min=0, metavar="N", help="Toys to draw; none by default."
        ),
    ] = 0
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of the toys.")] = 0
    start: StartOption = None
    hold: HoldOption = None
    fit: FitOptions


@takes(GofOptions)
def gof(options: GofOptions) -> None:
    """Test how well the best fit describes the data: goodness of fit.

    -2 ln L of the best fit above that of the saturated model, which expects in
    each bin what is observed; its p-value from chi2, and with --toys from data
    drawn at the best fit, right with few events too. A table on a terminal; JSON
    with --json, in a pipe or in a file:

    hfjax gof workspace.json
    hfjax gof workspace.json --hold mu=0 --toys 2000 --seed 1 -o gof.json
    """
    at = opened("gof", options, None)
    result = hfjax.goodness_of_fit(
        at.model, at.data, toys=options.toys, key=options.seed, settings=at.settings
    )
    asked = {"toys": options.toys, "seed": options.seed, **options.fit.settings}
    document = result.to_dict() | at.provenance(asked)
    write_result(document, options.output, options.as_json, goodness_parts)
    run = at.settings.run
    if not result.free.converged:
        complain(hfjax.explain(at.model, at.data, result.free, advice=ADVICE, run=run))
    else:
        tell_free_fit(at.model, at.data, result.free, options.fit, run)
    if result.free.converged and document["message"]:
        complain(document["message"])
    _tell(result, options)
    if not result.converged:
        raise typer.Exit(NOT_CONVERGED)


def _tell(result: Any, options: GofOptions) -> None:
    """Say how many toys failed, and where chi2 is not to be trusted."""
    if result.failures:
        failed = ", ".join(f"{count} {why}" for why, count in result.failures.items())
        complain(f"p is over the toys whose fits converged: {failed} of {options.toys}")
    few = float(result.fewest) < _MANY_EVENTS
    if few and result.free.converged and not (options.toys or options.fit.quiet):
        complain(
            f"a bin expects {float(result.fewest):.2g} events, and chi2 is for many: "
            "--toys 2000 needs no such limit"
        )
