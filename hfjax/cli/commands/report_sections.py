"""The sections of a report: each makes HTML of what one command shows."""

from dataclasses import dataclass
from typing import Any

import hfjax
from hfjax.cli.commands.findings import NOTE, findings_parts
from hfjax.cli.commands.fit import fit_document, fitted_tables
from hfjax.cli.commands.html_page import Section, embedded, folded, missing, section
from hfjax.cli.commands.html_parts import html_parts
from hfjax.cli.commands.impact_tables import impact_parts
from hfjax.cli.commands.opening import Opened
from hfjax.cli.commands.result_tables import scan_parts
from hfjax.cli.commands.uncertainties import uncertainty_document
from hfjax.cli.commands.workspace_tables import workspace_parts
from hfjax.cli.commands.yield_tables import goodness_parts, yields_parts
from hfjax.cli.runtime import ADVICE
from hfjax.cli.tables import Document
from hfjax.documents.check.check import check as check_workspace
from hfjax.documents.inspect.workspace import summary
from hfjax.errors import DataError, FitError, HfjaxError
from hfjax.plotting.settings import PlotSettings
from hfjax.results.fit_record import FitRecord
from hfjax.results.impacts_record import ImpactsRecord
from hfjax.results.scan import ScanResult
from hfjax.results.yields_record import YieldsRecord

_LIMIT = 6
"""Most findings of each kind."""
_FOUND_BY = "<p>As <code>hfjax check</code> finds them.</p>"
_FEW = 40
"""Most rows of a table that is not folded."""
_PULLS = PlotSettings(most=30)
"""The table has all of them."""
_DECADES = 30.0
"""Ratio of the events of channels that share a frame, from which its axis is one of
logarithms."""


@dataclass(frozen=True)
class BestFit:
    """The best fit of a model, which several sections show.

    Attributes:
        at: the model.
        result: a `FitResult`.
        ending: where it ended, a `FitEnding`.
        document: the result with uncertainties and correlations, as JSON values.
        why: what happened and what to try; empty where the fit converged.
    """

    at: Opened
    result: Any
    ending: Any
    document: Document
    why: str

    @property
    def poi(self) -> str | None:
        """The parameter of interest, if there is one."""
        model = self.at.model
        return model.poi_name if model.poi >= 0 else None

    def needed(self) -> "BestFit":
        """The fit itself.

        Raises:
            FitError: it did not converge.
        """
        if self.why:
            message = "this needs a best fit, and the fit did not converge"
            raise FitError(message)
        return self

    @property
    def record(self) -> FitRecord:
        """What pictures are drawn of."""
        return FitRecord.parse(self.document)

    def written(self, result: Any) -> Document:
        """A result of this model as in its file."""
        return result.to_dict() | {"hfjax": self.document["hfjax"]}


def best_fit(at: Opened) -> BestFit:
    """Fit all parameters, and find the uncertainties of a fit that converged."""
    model, data, run = at.model, at.data, at.settings.run
    result = hfjax.fit(model, data, settings=at.settings)
    ending = hfjax.fit_ending(model, data, result, run=run)
    document = fit_document(model, data, result) | ending.dump() | at.provenance({})
    if not result.converged:
        why = hfjax.explain(model, data, result, advice=ADVICE, run=run)
        return BestFit(at, result, ending, document | {"message": why}, why)
    found = hfjax.covariance(model, data, result, run=run)
    widths = uncertainty_document(model, data, found, correlations=True)
    return BestFit(at, result, ending, document | widths, "")


def workspace_sections(at: Opened, measurement: str | None) -> list[Section]:
    """What the workspace contains, and what will hurt in it."""
    return [
        section("Workspace", lambda: _summary(at, measurement)),
        section("Check", lambda: _findings(at, measurement)),
    ]


def fit_sections(fit: BestFit) -> list[Section]:
    """What the best fit says of parameters, events and data."""
    return [
        section("Best fit", lambda: _parameters(fit)),
        section("Correlations", lambda: _correlations(fit.needed())),
        section("Events before the fit", lambda: _events(fit, None)),
        section("Events after the fit", lambda: _events(fit.needed(), fit.result)),
        section("Goodness of fit", lambda: _goodness(fit.needed())),
        section("Impacts", lambda: _impacts(fit.needed())),
    ]


def _summary(at: Opened, measurement: str | None) -> str:
    return html_parts(workspace_parts(summary(at.workspace, measurement)))


def _findings(at: Opened, measurement: str | None) -> str:
    """How many there are; the errors and warnings, and below them the notes."""
    found = check_workspace(at.workspace, measurement, background=at.background)
    notes = [each for each in found if each.severity == NOTE]
    parts = list(findings_parts(found, _LIMIT, colour=False, notes=False))
    if not notes:
        return _FOUND_BY + html_parts(parts)
    *parts, _ = parts  # that notes are not shown
    _, *listed = findings_parts(notes, _LIMIT, colour=False)
    return (
        _FOUND_BY
        + html_parts(parts)
        + folded(f"Notes ({len(notes)})", html_parts(listed))
    )


def _parameters(fit: BestFit) -> str:
    """The parameters and their pulls.

    Raises:
        FitError: the fit did not converge; says why.
    """
    if fit.why:
        raise FitError(fit.why)
    tables = fitted_tables(fit.at.model, fit.poi, held=False)
    table = html_parts(tables.parts(fit.document))
    count = len(tables.names)
    drawn = hfjax.draw_fit(fit.record, _PULLS)
    picture = embedded(drawn, "Pulls of the parameters, with their uncertainties")
    return picture + folded(f"Parameters ({count})", table, shown=count <= _FEW)


def _correlations(fit: BestFit) -> str:
    drawn = hfjax.draw_correlations(fit.record)
    return embedded(drawn, "Correlations of the parameters")


def _events(fit: BestFit, result: Any) -> str:
    """Expected events of each channel, after a fit or before any."""
    at = fit.at
    found = hfjax.yields(at.model, at.data, result, run=at.settings.run)
    record = YieldsRecord.parse(fit.written(found))
    words = f"Expected events of all channels {record.prediction}, and the data"
    tables = html_parts(yields_parts(record, bins=False))
    table = f'<div class="columns">{tables}</div>'
    settings = PlotSettings(log=_far_apart(record))
    drawn = embedded(hfjax.draw_distributions(record, settings), words)
    return drawn + folded("Events with uncertainties", table, shown=True)


def _far_apart(record: YieldsRecord) -> bool:
    """Whether channels of one bin, which share a frame, differ by far."""
    totals = [each.total.values for each in record.channels.values()]
    single = [values[0] for values in totals if len(values) == 1 and values[0]]
    return len(single) > 1 and max(single) > _DECADES * min(single) > 0


def _goodness(fit: BestFit) -> Section:
    at = fit.at
    found = hfjax.goodness_of_fit(at.model, at.data, settings=at.settings)
    document = found.to_dict()
    body = html_parts(goodness_parts(document))
    why = missing(document["message"]) if document["message"] else ""
    return Section("Goodness of fit", body + why, failed=not found.converged)


def _impacts(fit: BestFit) -> Section:
    """Impacts on the parameter of interest, and its uncertainty by sources."""
    model, data, settings = fit.at.model, fit.at.data, fit.at.settings
    found = hfjax.impacts(model, data, settings=settings)
    sources = hfjax.uncertainty_breakdown(model, data, settings=settings)
    document = fit.written(found) | {"breakdown": sources.to_dict()}
    table = html_parts(impact_parts(document, top=len(document["impacts"])))
    words = f"Largest impacts on {found.parameter}"
    try:
        record = ImpactsRecord.parse(document)
        drawn = embedded(hfjax.draw_impacts(record), words)
    except DataError as error:
        drawn = missing(str(error))
    why = _failure(found)
    count = len(document["impacts"])
    body = folded(f"Impacts ({count})", table, shown=count <= _FEW)
    return Section("Impacts", drawn + (missing(why) if why else "") + body, bool(why))


def _failure(result: Any) -> str:
    """Why something has no result; empty where all is well."""
    try:
        result.raise_if_failed()
    except HfjaxError as error:
        return str(error)
    return ""


def grid_section(result: ScanResult) -> tuple[Section, str]:
    """The points of a scan, and the scripts that it needs."""
    try:
        grid = hfjax.draw_signal_grid(result)
        lacking, picture, scripts = grid.lacking, grid.body, grid.scripts
    except DataError as error:
        lacking, picture, scripts = str(error), "", ""
    table = folded(f"Points ({len(result)})", html_parts(scan_parts(result)))
    body = picture + (missing(lacking) if lacking else "") + table
    return Section("Signal grid", body, bool(result.failed)), scripts
