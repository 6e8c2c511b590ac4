"""Reports: all that is found of a workspace, as one page of HTML."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hfjax.building.build import build
from hfjax.compiled.remembered import Remembered
from hfjax.documents.parameters.uses import bin_count
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import ArgumentError, check_kind
from hfjax.fitting.checks import check_inputs
from hfjax.fitting.diagnose.ending import FitEnding
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.plotting.signal_grid import SignalGrid
from hfjax.reporting.page import Section, page
from hfjax.reporting.sections import (
    Subject,
    best_fit,
    fit_sections,
    grid_section,
    workspace_sections,
)
from hfjax.results.limits_scan import LimitsScanResult, Scanned
from hfjax.results.scan import ScanResult
from hfjax.tables.html import html_parts
from hfjax.tables.parts import facts, listed
from hfjax.version import __version__

MOST_NAMED = 5
"""Channels or samples that a message names."""


@dataclass(frozen=True)
class Report:
    """A page of HTML that needs no other file and no network.

    Attributes:
        sections: what is found, or why it is not, in their order.
        fit: the best fit of all parameters.
        ending: where it ended: valleys, bounds, edges.
        title: of the page.
        origin: where it comes from, written below everything, by name.
        scripts: HTML of the scripts that the grid of points needs.
    """

    sections: tuple[Section, ...]
    fit: FitResult
    ending: FitEnding
    title: str = "Report"
    origin: Mapping[str, str] = field(default_factory=dict)
    scripts: str = ""

    @property
    def html(self) -> str:
        """The page."""
        footer = html_parts([facts(self.origin)])
        return page(self.title, self.sections, self.scripts, footer)

    @property
    def failed(self) -> tuple[str, ...]:
        """Titles of the sections in which a fit did not converge; they say why."""
        return tuple(each.title for each in self.sections if each.failed)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file."""
        Path(path).write_text(self.html, encoding="utf-8")

    def __repr__(self) -> str:
        """Its title and sections."""
        titles = ", ".join(each.title for each in self.sections)
        failed = f"; fits failed: {', '.join(self.failed)}" if self.failed else ""
        return f"{self.title}: {titles}{failed}"


def report(
    workspace: Workspace,
    built: tuple[Model, Data] | None = None,
    *,
    scan: Scanned | SignalGrid | None = None,
    measurement: str | None = None,
    background: Workspace | None = None,
    settings: FitSettings = FitSettings(),
) -> Report:
    """Make a page with all that is found of a workspace.

    What the workspace contains and a check finds, the best fit with its pulls and
    correlations, expected events before and after it, goodness of fit, impacts on the
    parameter of interest, and of a scan the grid of its points, in which a click shows
    the numbers of a point. Whatever needs the best fit shares one. A section that has
    nothing to show says why.

    Args:
        workspace: with a signal, if one is to be fitted.
        built: model and data, as `hfjax.build` makes them of the workspace, where
            parameters are held or another one is of interest; by default they are
            built.
        scan: what `hfjax.scan` or `hfjax.scan_limits` has found; or a picture of it,
            `draw_signal_grid(result, PlotSettings(units="GeV"))`.
        measurement: name of a measurement; the first by default.
        background: the workspace without the signal, where a patch has brought that,
            as in `hfjax.check`.
        settings: minimizer, steps and tolerance of all fits.

    Returns:
        The page; `report.write("report.html")` writes it, and `report.failed` has the
        sections in which a fit did not converge.

    Raises:
        ModelError: there is no model of the workspace.
        UnknownNameError: there is no such measurement.
        ArgumentError: an argument is of another kind; or the model is not one of the
            workspace.

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([12.0], [50.0], [5.0], [62.0])
        >>> found = hfjax.report(search)
        >>> [section.title for section in found.sections][2:4], found.failed
        (['Best fit', 'Correlations'], ())
        >>> "1 ± 0.7773" in found.html
        True
    """
    check_kind("the workspace", workspace, Workspace, "hfjax.Workspace.load reads one")
    _check_scan(scan)
    background = workspace if background is None else background
    check_kind(
        "the background", background, Workspace, "hfjax.Workspace.load reads one"
    )
    if built is None:
        built = build(workspace, measurement=measurement, background=background)
    how = "give model and data, hfjax.build(workspace)"
    check_kind("what is built", built, tuple, how, "pair")
    if len(built) != 2:
        message = f"what is built has {len(built)} parts, and has to be a pair: {how}"
        raise ArgumentError(message)
    model, data = built
    check_inputs(model, data, settings)
    _check_built(workspace, model)
    own = replace(settings, run=Remembered(settings.run))
    of = Subject(workspace, background, measurement, model, data, own)
    sections = workspace_sections(of)
    fit = best_fit(of)
    sections += fit_sections(fit)
    scripts = ""
    if scan is not None:
        grid, scripts = grid_section(scan)
        sections.append(grid)
    origin = {"hfjax": __version__, "workspace": f"sha256:{workspace.digest()}"}
    return Report(tuple(sections), fit.result, fit.ending, "Report", origin, scripts)


def _check_built(workspace: Workspace, model: Model) -> None:
    """Refuse a model of other channels and samples than those of the workspace.

    Raises:
        ArgumentError: says which are not the same.
    """
    bins = {(channel.name, bin_count(channel)) for channel in workspace.channels}
    parts = (
        ("channels", {name for name, _ in bins ^ set(model.names.channel_bins)}),
        ("samples", set(workspace.sample_names) ^ set(model.names.samples)),
    )
    for what, apart in parts:
        if apart:
            message = (
                f"the model is not one of the workspace: its {what} "
                f"{listed(sorted(apart), MOST_NAMED)} are not the same in both: give "
                "hfjax.build(workspace), or leave it out"
            )
            raise ArgumentError(message)


def _check_scan(scan: Scanned | SignalGrid | None) -> None:
    """Refuse what is no scan.

    Raises:
        ArgumentError: says what makes one.
    """
    if scan is not None:
        kinds = (ScanResult, LimitsScanResult, SignalGrid)
        check_kind("the scan", scan, kinds, "hfjax.scan makes one", "scan result")
