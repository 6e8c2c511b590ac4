"""The command fit."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

import hfjax
from hfjax.cli.commands.endings import FREE_FIT, tell_endings
from hfjax.cli.commands.opening import finish, opened, tell_constraint
from hfjax.cli.commands.result_tables import Fitted
from hfjax.cli.commands.uncertainties import (
    tell_intervals,
    tell_uncertainties,
    uncertainty_document,
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
from hfjax.cli.tables import Document, JsonOption
from hfjax.json_text import finite_or_none


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
    poi = model.poi_name if model.poi >= 0 else None  # several components may have it
    tell_endings({label: ending}, poi, options.fit)
    document = fit_document(model, data, result) | ending.dump()
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
    document = uncertainty_document(model, data, found, options.correlations)
    if options.uncertainties is Uncertainties.PROFILE:
        ends = hfjax.intervals(model, data, fixed=held, settings=settings)
        tell_intervals(ends, options.fit.quiet)
        document["intervals"] = ends.to_dict()["intervals"]
    return document


def fit_document(model: Any, data: Any, result: Any) -> dict[str, Any]:
    """A fit result as JSON values, with bounds, pulls, and what expressions give."""
    derived = model.derived_parameters(result.params)
    given = {name: [float(value)] for name, value in derived.items()}
    pulls = hfjax.pulls(model, data, result) if result.converged else {}
    own = model.parameters
    lower, upper = (own.unpack(ends) for ends in (own.lower, own.upper))
    return result.to_dict() | {
        "bounds": {
            name: list(map(_numbers, zip(lower[name], upper[name], strict=True)))
            for name in lower
        },
        "pulls": {name: _numbers(each) for name, each in pulls.items()},
        **({"derived_parameters": given} if given else {}),
    }


def _numbers(values: Iterable[Any]) -> list[float | None]:
    return [finite_or_none(value) for value in values]


def fitted_tables(model: Any, poi: str | None, held: bool) -> Fitted:
    """What the tables of a fit show besides its result.

    Args:
        model: that was fitted.
        poi: its parameter of interest; None if there is none.
        held: whether that was held.
    """
    own = model.parameters
    pairs = zip(own.names, own.fixed.tolist(), strict=True)  # at once, not one by one
    fixed = frozenset(name for name, flag in pairs if flag)
    return Fitted(own.names, fixed, poi, held)
