"""The command fit."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

import hfjax
from hfjax.cli.commands.endings import FREE_FIT, tell_endings
from hfjax.cli.commands.opening import finish, opened, tell_constraint
from hfjax.cli.commands.uncertainties import (
    tell_intervals,
    tell_uncertainties,
)
from hfjax.cli.options import (
    FitOptions,
    HoldOption,
    OutputOption,
    POIOption,
    SignalOptions,
    StartOption,
    WorkspaceArgument,
    number,
    takes,
)
from hfjax.cli.runtime import (
    ADVICE,
)
from hfjax.cli.tables import JsonOption
from hfjax.results.fit_document import fit_document, uncertainty_document
from hfjax.tables.parts import Document
from hfjax.tables.results import fitted_tables


class Uncertainties(StrEnum):
    """How uncertainties of a best fit are found, in the words of Minuit."""

    HESSE = "hesse"
    PROFILE = "profile"


@dataclass(frozen=True, kw_only=True)
class FitCommandOptions:
    """Options of `hfjax fit`."""

    workspace: WorkspaceArgument = "-"
    as_json: JsonOption = False
    output: OutputOption = None
    signal: SignalOptions
    poi: POIOption = None
    poi_value: Annotated[
        float | None,
        typer.Option(
            "--poi-value",
            "--test-poi",
            parser=number,
            metavar="NUMBER",
            help="Value to hold the parameter of interest at; free by default.",
        ),
    ] = None
    correlations: Annotated[
        bool,
        typer.Option(
            "--correlations",
            help="The correlation matrix too; on a terminal, the largest correlations.",
        ),
    ] = False
    uncertainties: Annotated[
        Uncertainties,
        typer.Option(
            help="How they are found: hesse, from the second derivatives at the best "
            "fit; or profile, where -2 ln L has risen by 1 with all else refitted."
        ),
    ] = Uncertainties.HESSE
    start: StartOption = None
    hold: HoldOption = None
    fit: FitOptions


@takes(FitCommandOptions)
def fit(options: FitCommandOptions) -> None:
    """Find the best fit: parameters with uncertainties, and twice_nll = -2 ln L.

    A table on a terminal; JSON with --json, in a pipe or in a file:

    hfjax fit workspace.json
    hfjax fit BkgOnly.json --patch signal.json --poi-value 0 -o fit.json
    """
    at = opened("fit", options, options.poi)
    model, data, settings = at.model, at.data, at.settings
    at_value, label = options.poi_value is not None, FREE_FIT
    if options.poi_value is not None:
        result = hfjax.fixed_poi_fit(model, data, options.poi_value, settings=settings)
        label = f"the fit at {model.poi_name} = {options.poi_value:g}"
    else:
        result = hfjax.fit(model, data, settings=settings)
    tell_constraint(model, options.poi, options.fit.quiet)
    ending = hfjax.fit_ending(model, data, result, held=at_value, run=settings.run)
    # several components may have that name
    poi = model.poi_name if int(model.poi) >= 0 else None
    tell_endings({label: ending}, poi, options.fit)
    pulled = hfjax.pulls(model, data, result) if result.converged else {}
    document = fit_document(model, result, pulled) | ending.dump()
    if result.converged:
        document |= _uncertainties(model, data, result, options, settings)
    else:
        document["message"] = hfjax.explain(
            model, data, result, which=label, advice=ADVICE, run=settings.run
        )
    asked = {
        "poi": options.poi,
        "test_poi": options.poi_value,
        "uncertainties": options.uncertainties.value,
        **options.fit.settings,
    }
    document |= at.provenance(asked)
    parts = fitted_tables(model, poi, at_value).parts
    finish(document, options.output, options.as_json, parts)


def _uncertainties(
    model: Any, data: Any, result: Any, options: FitCommandOptions, settings: Any
) -> Document:
    """Uncertainties of a best fit as JSON values, those asked for."""
    poi_value = options.poi_value
    held = {} if poi_value is None else {model.poi_name: poi_value}
    found = hfjax.covariance(model, data, result, fixed=list(held), run=settings.run)
    tell_uncertainties(found, options.fit.quiet)
    pulled = hfjax.pull_uncertainties(model, data, found)
    document = uncertainty_document(found, pulled)
    if options.correlations:
        document["correlations"] = found.matrix("correlation")
    if options.uncertainties is Uncertainties.PROFILE:
        ends = hfjax.intervals(model, data, fixed=held, settings=settings)
        tell_intervals(ends, options.fit.quiet)
        document["intervals"] = ends.to_dict()["intervals"]
    return document
