"""The command fit, and what commands on one model share."""

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import hfjax
from hfjax.cli.commands.endings import FREE_FIT, tell_endings
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
    TestOptions,
    TestStat,
    WorkspaceArgument,
    named_values,
    number,
    takes,
)
from hfjax.cli.runtime import (
    ADVICE,
    NOT_CONVERGED,
    Stages,
    command_line,
    start_jax,
)
from hfjax.cli.streams import complain, refuse_shared_input
from hfjax.cli.tables import Document, JsonOption, Parts, write_result
from hfjax.documents.patchset.patchset import PatchSet, apply_patch
from hfjax.documents.reading.json_files import naming, read_json
from hfjax.documents.workspace.compose import compose_document
from hfjax.documents.workspace.workspace import Workspace
from hfjax.json_text import finite_or_none
from hfjax.provenance import this_run
from hfjax.results.scan import CONVERGED


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
    stages, start = Stages(), named_values(options.start, "--start")
    held = named_values(options.hold, "--hold")
    background, workspace = signal_workspace(options.workspace, options.signal)
    settings = start_fits(f"fit {background.digest()}", options.fit, stages)
    model, data = build_model(background, workspace, options.fit, stages, options.poi)
    model = model.with_start(start).with_fixed(held)
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
    stages.end("fit")
    used = {
        "measurement": options.fit.measurement,
        "poi": options.poi,
        "test_poi": options.poi_value,
        "uncertainties": options.uncertainties.value,
        **options.fit.settings,
        "start": start,
        "hold": held,
    }
    document |= provenance_of(workspace, used, stages)
    parts = _fitted(model, poi, at_value).parts
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


def signal_workspace(source: str, signal: SignalOptions) -> tuple[Workspace, Workspace]:
    """Read a workspace, and add the signal that the options ask for.

    Returns:
        The workspace as it is read, and with the signal.

    Raises:
        typer.BadParameter: The options contradict one another.
        HfjaxError: A file cannot be read, or a patch not be applied.
    """
    if (signal.patchset is None) != (signal.name is None):
        message = "--patchset FILE and --name NAME belong together: give both"
        raise typer.BadParameter(message)
    refuse_shared_input(source, signal.patchset, *(signal.patch or []))
    workspace = background = Workspace.load(source, signal.compose)
    if signal.patchset is not None and signal.name is not None:
        patchset = PatchSet.load(signal.patchset, signal.compose)
        verify = not signal.no_verify
        workspace = patchset.apply(workspace, signal.name, verify=verify)
    for path in signal.patch or []:
        operations = read_json(path)
        if signal.compose:
            with naming(path):
                operations = compose_document(operations).document
        workspace = apply_patch(workspace, operations, path)
    return background, workspace


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


def start_fits(purpose: str, options: FitOptions, stages: Stages) -> Any:
    """Start JAX, and make the settings of all fits."""
    stages.end("load")
    settings = start_jax(purpose, not options.no_cache, options.settings)
    stages.end("start")
    return settings


def build_model(
    background: Workspace,
    workspace: Workspace,
    options: FitOptions,
    stages: Stages,
    poi: str | None,
) -> Any:
    """Build model and data, and say which parameter of interest is taken."""
    model, data = hfjax.build(
        workspace, measurement=options.measurement, background=background
    )
    if poi is not None:
        model = model.with_poi(poi)
    tell_replacement(model.names, poi, options.quiet)
    stages.end("build")
    return model, data


def tell_unused(test: TestOptions) -> None:
    """Say that a value is given which the test statistic does not use."""
    if test.unused:
        complain(test.unused)


def tell_constraint(model: Any, poi: str | None, quiet: bool) -> None:
    """Say what a result means if the parameter that was asked for is constrained."""
    if poi is not None and model.poi_constrained and not quiet:
        complain(
            f"{poi!r} has a constraint term: the result is about all data, its "
            "auxiliary measurement included"
        )


def tell_negative(model: Any, test: TestOptions, quiet: bool) -> None:
    """Say what qtilde means where the parameter of interest may be negative."""
    low = float(model.parameters.lower[model.poi])
    if test.test_stat is TestStat.QTILDE and low < 0 and not quiet:
        complain(
            f"{model.poi_name!r} may be as low as {low:g}: qtilde is that of its "
            "definition, with zero for a negative best fit; pyhf takes the lower bound "
            "for that zero, and has another CLs"
        )


def tell_replacement(names: Any, poi: str | None, quiet: bool) -> None:
    """Say which parameter is of interest if the measurement names one that is missing.

    Args:
        names: what a model has: `poi`, and `announced` by the measurement.
        poi: the parameter of interest that was asked for.
        quiet: whether messages are not wanted.
    """
    replaced = poi is None and names.announced not in (None, names.poi)
    if replaced and not quiet:
        complain(
            f"the measurement's parameter of interest {names.announced!r} is not in "
            f"the model: {names.poi!r} is taken for it; --poi NAME chooses another"
        )


def provenance_of(
    workspace: Workspace, settings: dict[str, Any], stages: Stages
) -> dict[str, Any]:
    """Where a result comes from, as JSON values."""
    provenance = dataclasses.replace(
        this_run(command_line()),
        workspace_digest=workspace.digest(),
        settings=settings,
        seconds=stages.seconds(),
    )
    return {"hfjax": provenance.dump()}  # the digest is the patched workspace's


def _fitted(model: Any, poi: str | None, held: bool) -> Fitted:
    """What the tables of a fit show besides its result."""
    own = model.parameters
    pairs = zip(own.names, own.fixed, strict=True)
    fixed = frozenset(name for name, flag in pairs if flag)
    return Fitted(own.names, fixed, poi, held)


def finish(
    document: Document,
    output: Path | None,
    as_json: bool,
    parts: Callable[[Document], Parts],
) -> None:
    """Write a result, and say so if it is none.

    Args:
        document: the result.
        output: a file for it.
        as_json: whether JSON is wanted on a terminal, too.
        parts: makes titles and tables of the result.

    Raises:
        typer.Exit: It is none.
    """
    write_result(document, output, as_json, parts)
    if document["status"] != CONVERGED:
        complain(f"{document['status']}: {document['message']}")
        raise typer.Exit(NOT_CONVERGED)
