"""The sections of a report: each makes HTML of what one command shows."""

from dataclasses import dataclass, replace
from typing import Any

from hfjax.documents.check.check import check
from hfjax.documents.inspect.workspace import summary
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import DataError, FitError, HfjaxError
from hfjax.fitting.best_fit import fit
from hfjax.fitting.covariance import covariance
from hfjax.fitting.diagnose.advice import ANYWHERE
from hfjax.fitting.diagnose.ending import FitEnding, fit_ending
from hfjax.fitting.diagnose.pulls import pull_uncertainties, pulls
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings
from hfjax.inference.breakdown import uncertainty_breakdown
from hfjax.inference.explain import explain
from hfjax.inference.goodness import goodness_of_fit
from hfjax.inference.impacts import impacts
from hfjax.inference.yields import yields
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.plotting.correlations import draw_correlations
from hfjax.plotting.distributions import draw_distributions
from hfjax.plotting.impacts import draw_impacts
from hfjax.plotting.pulls import draw_fit
from hfjax.plotting.settings import PlotSettings
from hfjax.plotting.signal_grid import SignalGrid, draw_signal_grid
from hfjax.provenance import this_run
from hfjax.reporting.page import Section, embedded, folded, missing, section
from hfjax.results.fit_document import fit_document, uncertainty_document
from hfjax.results.fit_record import FitRecord
from hfjax.results.impacts_record import ImpactsRecord
from hfjax.results.limits_scan import Scanned
from hfjax.results.named_matrix import NamedMatrix
from hfjax.results.yields_record import YieldsRecord
from hfjax.tables.findings import NOTE, findings_parts
from hfjax.tables.html import html_parts
from hfjax.tables.impacts import impact_parts
from hfjax.tables.parts import Document
from hfjax.tables.results import fitted_tables
from hfjax.tables.scans import scan_parts
from hfjax.tables.workspace import workspace_parts
from hfjax.tables.yields import goodness_parts, yields_parts

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
class Subject:
    """What a report is about.

    Attributes:
        workspace: with a signal, if there is one.
        background: the workspace without it.
        measurement: name of the one that is used; the first if there is no name.
        model: of the workspace.
        data: its observed data.
        settings: of all fits.
    """

    workspace: Workspace
    background: Workspace
    measurement: str | None
    model: Model
    data: Data
    settings: FitSettings


@dataclass(frozen=True)
class BestFit:
    """The best fit of a model, which several sections show.

    Attributes:
        of: what was fitted.
        result: the fit.
        ending: where it ended.
        document: the result with uncertainties, as JSON values.
        record: the same, and the correlations, of which pictures are drawn.
        why: what happened and what to try; empty where the fit converged.
    """

    of: Subject
    result: FitResult
    ending: FitEnding
    document: Document
    record: FitRecord
    why: str

    @property
    def poi(self) -> str | None:
        """The parameter of interest, if there is one."""
        model = self.of.model
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


def best_fit(of: Subject) -> BestFit:
    """Fit all parameters, and find the uncertainties of a fit that converged."""
    model, data, run = of.model, of.data, of.settings.run
    result = fit(model, data, settings=of.settings)
    ending = fit_ending(model, data, result, run=run)
    pulled = pulls(model, data, result) if result.converged else {}
    origin = {"hfjax": this_run().dump()}
    document = fit_document(model, result, pulled) | ending.dump() | origin
    if not result.converged:
        why = explain(model, data, result, advice=ANYWHERE, run=run)
        failed = document | {"message": why}
        return BestFit(of, result, ending, failed, FitRecord.parse(failed), why)
    found = covariance(model, data, result, run=run)
    document |= uncertainty_document(found, pull_uncertainties(model, data, found))
    record = FitRecord.parse(document)
    matrix = NamedMatrix.parse(found.matrix("correlation")).named_as(record.values)
    known = replace(record, correlations=matrix)
    return BestFit(of, result, ending, document, known, "")


def workspace_sections(of: Subject) -> list[Section]:
    """What the workspace contains, and what will hurt in it."""
    return [
        section("Workspace", lambda: _summary(of)),
        section("Check", lambda: _findings(of)),
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


def _summary(of: Subject) -> str:
    return html_parts(workspace_parts(summary(of.workspace, of.measurement)))


def _findings(of: Subject) -> str:
    """How many there are; the errors and warnings, and below them the notes."""
    found = check(of.workspace, of.measurement, background=of.background)
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
    tables = fitted_tables(fit.of.model, fit.poi, held=False)
    table = html_parts(tables.parts(fit.document))
    count = len(tables.names)
    drawn = draw_fit(fit.record, _PULLS)
    picture = embedded(drawn, "Pulls of the parameters, with their uncertainties")
    return picture + folded(f"Parameters ({count})", table, shown=count <= _FEW)


def _correlations(fit: BestFit) -> str:
    drawn = draw_correlations(fit.record)
    return embedded(drawn, "Correlations of the parameters")


def _events(fit: BestFit, result: Any) -> str:
    """Expected events of each channel, after a fit or before any."""
    of = fit.of
    record = YieldsRecord.of(yields(of.model, of.data, result, run=of.settings.run))
    words = f"Expected events of all channels {record.prediction}, and the data"
    tables = html_parts(yields_parts(record, bins=False))
    table = f'<div class="columns">{tables}</div>'
    settings = PlotSettings(log=_far_apart(record))
    drawn = embedded(draw_distributions(record, settings), words)
    return drawn + folded("Events with uncertainties", table, shown=True)


def _far_apart(record: YieldsRecord) -> bool:
    """Whether channels of one bin, which share a frame, differ by far."""
    totals = [each.total.values for each in record.channels.values()]
    single = [values[0] for values in totals if len(values) == 1 and values[0]]
    return len(single) > 1 and max(single) > _DECADES * min(single) > 0


def _goodness(fit: BestFit) -> Section:
    of = fit.of
    found = goodness_of_fit(of.model, of.data, settings=of.settings)
    document = found.to_dict()
    body = html_parts(goodness_parts(document))
    why = missing(document["message"]) if document["message"] else ""
    return Section("Goodness of fit", body + why, failed=not found.converged)


def _impacts(fit: BestFit) -> Section:
    """Impacts on the parameter of interest, and its uncertainty by sources."""
    model, data, settings = fit.of.model, fit.of.data, fit.of.settings
    found = impacts(model, data, settings=settings)
    sources = uncertainty_breakdown(model, data, settings=settings)
    document = found.dump() | {"breakdown": sources.to_dict()}
    table = html_parts(impact_parts(document, top=len(document["impacts"])))
    words = f"Largest impacts on {found.parameter}"
    try:
        record = ImpactsRecord.parse(document)
        drawn = embedded(draw_impacts(record), words)
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


def grid_section(scan: Scanned | SignalGrid) -> tuple[Section, str]:
    """The points of a scan, and the scripts that their picture needs."""
    result = scan.result if isinstance(scan, SignalGrid) else scan
    picture = scripts = lacking = ""
    try:
        grid = scan if isinstance(scan, SignalGrid) else draw_signal_grid(scan)
        lacking, picture, scripts = grid.lacking, grid.body, grid.scripts
    except DataError as error:
        lacking = str(error)
    table = folded(f"Points ({len(result)})", html_parts(scan_parts(result)))
    body = picture + (missing(lacking) if lacking else "") + table
    return Section("Signal grid", body, bool(result.failed)), scripts
