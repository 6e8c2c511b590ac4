"""The command significance: p0 and Z, observed and expected."""

import functools
from dataclasses import dataclass
from typing import Annotated

import typer

import hfjax
from hfjax.cli.commands.cls import tell_fits
from hfjax.cli.commands.opening import finish, opened, tell_constraint
from hfjax.cli.options import (
    Expected,
    ExpectedOption,
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
from hfjax.cli.runtime import ADVICE
from hfjax.cli.tables import JsonOption
from hfjax.tables.results import significance_parts


@dataclass(frozen=True, kw_only=True)
class SignificanceOptions:
    """Options of `hfjax significance`."""

    workspace: WorkspaceArgument = "-"
    as_json: JsonOption = False
    output: OutputOption = None
    signal: SignalOptions
    poi: POIOption = None
    signed: Annotated[
        bool,
        typer.Option(
            "--signed",
            help="A deficit has a negative Z and a p0 above 0.5; the parameter of "
            "interest needs a negative lower bound.",
        ),
    ] = False
    injected: Annotated[
        float,
        typer.Option(
            "--injected",
            parser=number,
            metavar="NUMBER",
            help="Strength of the signal that is expected.",
        ),
    ] = 1.0
    expected: ExpectedOption = Expected.OBSERVED_PROFILE
    start: StartOption = None
    hold: HoldOption = None
    fit: FitOptions


@takes(SignificanceOptions)
def significance(options: SignificanceOptions) -> None:
    """Find p0 and its Z: how improbable the data are without a signal.

    Observed, and expected with a signal, at -2 to +2 standard deviations. A table
    on a terminal; JSON with --json, in a pipe or in a file:

    hfjax significance BkgOnly.json --patchset patchset.json --name m_600_240
    hfjax significance workspace.json --injected 0.5 -o significance.json
    """
    at = opened("significance", options, options.poi, options.expected)
    model, data, settings = at.model, at.data, at.settings
    result = hfjax.significance(
        model,
        data,
        signed=options.signed,
        injected=options.injected,
        settings=settings,
    )
    document, test = result.to_dict(), result.test
    if not result.converged:
        document["message"] = hfjax.explain(
            model, data, test, advice=ADVICE, run=settings.run
        )
    tell_constraint(model, options.poi, options.fit.quiet)
    document |= tell_fits(model, data, test, settings.run, options.fit)
    asked = {
        "poi": options.poi,
        "signed": options.signed,
        "injected": options.injected,
        "expected": options.expected.value,
        **options.fit.settings,
    }
    document |= at.provenance(asked)
    what = f"discovery of {model.poi_name}, expected for {options.injected:g}"
    parts = functools.partial(significance_parts, what=what)
    finish(document, options.output, options.as_json, parts)
