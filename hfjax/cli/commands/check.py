"""The command `check`: what is valid in a workspace and will hurt."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

import hfjax
from hfjax.cli.commands.opening import signal_workspace
from hfjax.cli.options import (
    NoCacheOption,
    OutputOption,
    POIValueOption,
    SignalOptions,
    WorkspaceArgument,
    takes,
)
from hfjax.cli.runtime import start_jax
from hfjax.cli.streams import write_json, write_text
from hfjax.documents.check.check import check as check_workspace, ordered
from hfjax.documents.check.finding import KINDS, Finding, Places, Spot, count, report
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import ModelError, close_names
from hfjax.fitting.diagnose.advice import Advice
from hfjax.json_text import finite_or_none
from hfjax.tables.findings import chosen, findings_document, findings_table

ERRORS_FOUND = 3
"""Exit code of a check that has a finding of the level error."""

_NAMED = 6  # parameters of a flat direction that are named in its sentence


class Severity(StrEnum):
    """How severe a finding is, as it is called on the command line."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


def known_kind(text: str) -> str:
    """Read a kind of finding.

    Raises:
        typer.BadParameter: There is none of this name; close names are suggested.

    Example:
        >>> known_kind("normsys-zero")
        'normsys-zero'
    """
    if text in KINDS:
        return text
    near = close_names(text, list(KINDS))
    hint = f"did you mean {' or '.join(near)}?" if near else "a check names its kinds"
    message = f"no kind of finding is called '{text}': {hint}"
    raise typer.BadParameter(message)


@dataclass(frozen=True)
class ChoiceOptions:
    """Which findings are shown."""

    notes: Annotated[
        bool, typer.Option("--notes", help="Show the notes in the table as well.")
    ] = False
    severity: Annotated[
        list[Severity] | None,
        typer.Option(
            metavar="error|warning|note",
            help="Only findings of this severity; repeatable.",
        ),
    ] = None
    kind: Annotated[
        list[str] | None,
        typer.Option(
            parser=known_kind,
            metavar="KIND",
            help="Only findings of this kind, such as normsys-zero; repeatable.",
        ),
    ] = None

    @property
    def filters(self) -> bool:
        """Whether only some findings are wanted."""
        return bool(self.severity or self.kind)


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """Options of `hfjax check`."""

    workspace: WorkspaceArgument = "-"
    measurement: Annotated[
        str | None, typer.Option(help="Measurement to check; all by default.")
    ] = None
    poi_value: POIValueOption = 1.0
    signal: SignalOptions
    choice: ChoiceOptions
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON for machines, not a table.")
    ] = False
    limit: Annotated[
        int,
        typer.Option(min=0, help="Most lines of the table for each kind; 0 shows all."),
    ] = 10
    fit: Annotated[
        bool,
        typer.Option(
            "--fit", help="Fit as well: flat directions, bounds, negative rates."
        ),
    ] = False
    no_cache: NoCacheOption = False
    output: OutputOption = None


@takes(CheckOptions)
def check(options: CheckOptions) -> None:
    """Find what is valid in a workspace and will hurt.

    hfjax check BkgOnly.json --severity warning --limit 0
    hfjax check BkgOnly.json --patchset patchset.json --name m_600_240 --fit

    Exit code 0: no error was found; 3: at least one, shown or not; 2: bad input.
    """
    background, workspace = signal_workspace(options.workspace, options.signal)
    name, poi_value = options.measurement, options.poi_value
    findings = check_workspace(workspace, name, poi_value, background)
    fits: list[dict[str, Any]] | None = None
    if options.fit:
        settings = start_jax(f"check {background.digest()}", not options.no_cache)
        fits, found = _fits(background, workspace, name, findings, settings)
        findings = ordered([*findings, *found])
    _write(findings, fits, options)
    if count(findings)["error"]:
        raise typer.Exit(ERRORS_FOUND)


def _write(
    findings: Sequence[Finding],
    fits: list[dict[str, Any]] | None,
    options: CheckOptions,
) -> None:
    """Write the findings that are wanted; notes are for tables only if asked for."""
    choice = options.choice
    shown = chosen(findings, choice.severity or (), choice.kind or ())
    if options.as_json:
        write_json(findings_document(shown, fits), options.output)
        return
    colour = options.output is None and sys.stdout.isatty()
    notes = choice.notes or choice.filters
    total = len(findings) if choice.filters else None
    write_text(
        findings_table(shown, options.limit, colour, notes, total), options.output
    )


def _fits(
    background: Workspace,
    workspace: Workspace,
    measurement: str | None,
    findings: Sequence[Finding],
    settings: Any,
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Fit all parameters, and without a signal where there is one.

    Returns:
        How each fit ended, and what was found; nothing where the workspace has no
        model, which its findings say.
    """
    try:
        model, data = hfjax.build(workspace, measurement, background=background)
    except ModelError:
        if count(findings)["error"]:
            return [], []
        raise
    places = Places(workspace)
    fits, found = [], {}
    for poi in (None, 0.0) if _without_signal(model) else (None,):
        diagnosis = hfjax.diagnose(model, data, poi, settings)
        label = "the best fit" if poi is None else f"the fit with {model.poi_name} = 0"
        why = _failure(model, data, diagnosis, label, settings)
        fits.append(_fit_document(diagnosis, poi, why))
        for finding in _fit_findings(diagnosis, label, places, why):
            key = (finding.kind, finding.pointer, *finding.names.values())
            found.setdefault(key, finding)
    return fits, list(found.values())


def _without_signal(model: Any) -> bool:
    """Whether the model can be fitted with a parameter of interest of zero."""
    own = model.parameters
    return model.poi >= 0 and bool(
        (own.lower[model.poi] <= 0 <= own.upper[model.poi]) & ~own.fixed[model.poi]
    )


def _failure(model: Any, data: Any, diagnosis: Any, label: str, settings: Any) -> str:
    """Why a fit failed; empty where it did not."""
    result, no_option = diagnosis.fit, Advice()
    if result.converged:
        return ""
    return hfjax.explain(
        model, data, result, which=label, advice=no_option, run=settings.run
    )


def _fit_findings(
    diagnosis: Any, label: str, places: Places, why: str
) -> Iterator[Finding]:
    """What a fit says about the workspace, as findings."""
    if why:
        yield report("fit-not-converged", Spot("", {}), why)
    for flat in diagnosis.flat:
        first, *rest = flat.weights
        named = [f"{name} ({flat.weights[name]:.3g})" for name in (first, *rest)]
        shown = ", ".join(named[:_NAMED]) + (", ..." if len(named) > _NAMED else "")
        why = f"{label} does not change along {shown}"
        yield report("fit-flat-direction", places.parameter(first), why)
    for name, bound in diagnosis.at_bounds.items():
        why = f"{label} has {name!r} at its bound {bound:g}"
        yield report("fit-at-bound", places.parameter(name), why)
    for rate in diagnosis.negative:
        spot = places.sample_named(rate.channel, rate.sample)
        causes = ", ".join(rate.parameters)
        if rate.parameters:
            spot = spot.inside("", parameter=rate.parameters[0])
        why = f"{label} expects {rate.rate:.3g} events in bin {rate.bin}" + (
            f" because of {causes}" if causes else ""
        )
        yield report("fit-negative-rate", spot, why)


def _fit_document(diagnosis: Any, poi: float | None, why: str) -> dict[str, Any]:
    """A fit and what is wrong with it, as JSON values."""
    status = hfjax.FitStatus(int(diagnosis.fit.status))
    return {
        "poi": poi,
        "status": str(status),
        "message": why,
        "twice_nll": finite_or_none(diagnosis.fit.twice_nll),
        "edm": finite_or_none(diagnosis.fit.edm),
        "steps": int(diagnosis.fit.steps),
        "flat_directions": [
            {"weights": flat.weights, "curvature": flat.curvature}
            for flat in diagnosis.flat
        ],
        "at_bounds": diagnosis.at_bounds,
        "negative_rates": [
            {
                "channel": rate.channel,
                "sample": rate.sample,
                "bin": rate.bin,
                "rate": rate.rate,
                "parameters": list(rate.parameters),
            }
            for rate in diagnosis.negative
        ],
    }
