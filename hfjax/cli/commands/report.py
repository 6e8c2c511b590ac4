"""The command report: a page that shows what is in a workspace and what is found."""

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

import hfjax
from hfjax.cli.commands.endings import FREE_FIT, tell_endings
from hfjax.cli.commands.opening import Opened, opened
from hfjax.cli.commands.plot import (
    AxesOption,
    UnitsOption,
    check_plot,
    need_matplotlib,
)
from hfjax.cli.commands.scan import unscanned
from hfjax.cli.options import (
    FitOptions,
    HoldOption,
    POIOption,
    SignalOptions,
    StartOption,
    WorkspaceArgument,
    takes,
    writable,
)
from hfjax.cli.runtime import ADVICE, NOT_CONVERGED, command_line
from hfjax.cli.streams import complain, progress_bar, say, write_text
from hfjax.documents.patchset.patchset import PatchSet
from hfjax.errors import DataError, DigestError
from hfjax.plotting.settings import PlotSettings
from hfjax.results.limits_scan import LimitsScanResult, Scanned
from hfjax.results.scan import ScanResult


@dataclass(frozen=True)
class ReportedSignals(SignalOptions):
    """The signals in the grid, and the one that is added to the workspace."""

    patchset: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Patchset whose points are shown as a grid; with --name, one of its "
            "signals is in the fits, too.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """Options of `hfjax report`."""

    workspace: WorkspaceArgument = "-"
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            "--output-file",
            metavar="FILE",
            callback=writable,
            help="File for the page, such as report.html; - is standard output.",
        ),
    ]
    signal: ReportedSignals
    scan: Annotated[
        str | None,
        typer.Option(
            metavar="RESULT",
            help="Result file of 'hfjax scan' to show, of CLs, p0 or --limits; by "
            "default the points of the patchset are scanned.",
        ),
    ] = None
    axes: AxesOption = None
    units: UnitsOption = None
    poi: POIOption = None
    start: StartOption = None
    hold: HoldOption = None
    fit: FitOptions

    @property
    def grid(self) -> PlotSettings:
        """How the grid of points is drawn."""
        return PlotSettings(axes=self.axes, units=self.units or ())


@takes(ReportOptions)
def report(options: ReportOptions) -> None:
    """Write a page of HTML with all that is found of a workspace.

    What the workspace contains and a check finds, the best fit with its pulls and
    correlations, expected events before and after it, goodness of fit, impacts,
    and of a patchset the grid of its points, in which a click shows the numbers
    of a point. With --name the fits are with that signal, otherwise without. The
    page is one file that needs no network. A section that has nothing to show
    says why:

    hfjax report workspace.json -o report.html
    hfjax report BkgOnly.json --patchset patchset.json -o report.html
    hfjax report BkgOnly.json --scan results.json --units GeV -o report.html

    Exit code 0: all fits converged; 3: some did not, and the page says which.
    """
    need_matplotlib()
    check_inputs(options)
    known = _read_scan(options.scan) if options.scan else None
    drawn = None if known is None else _drawn(known, options.grid)
    at = opened("report", _for_fits(options), options.poi)
    if known is not None and not options.signal.no_verify:
        _check_origin(known, at)
    elif (patchset := _patchset(options, at)) is not None:
        drawn = _drawn(_scanned(at, patchset, options), options.grid)
    found = hfjax.report(
        at.workspace,
        (at.model, at.data),
        scan=drawn,
        measurement=options.fit.measurement,
        background=at.background,
        settings=at.settings,
    )
    poi = at.model.poi_name if at.model.poi >= 0 else None
    tell_endings({FREE_FIT: found.ending}, poi, options.fit)
    origin = {"command": command_line(), **found.origin}
    page = replace(found, title=_title(options), origin=origin)
    write_text(page.html, options.output)
    _end(page, options)


def check_inputs(options: ReportOptions) -> None:
    """Refuse options that contradict one another, or lack what they need.

    Raises:
        typer.BadParameter: Names the option, and what to do.
    """
    signal = options.signal
    grid = options.scan is not None or signal.patchset is not None
    if grid and importlib.util.find_spec("bokeh") is None:
        message = "bokeh is missing: install it with: pip install 'hfjax[report]'"
        raise typer.BadParameter(message)
    if "-" in (signal.patchset, options.scan):
        message = "a patchset or a scan cannot be standard input here: give a file"
        raise typer.BadParameter(message)
    if (options.axes or options.units) and not grid:
        message = "there is no grid to draw so: give --patchset or --scan FILE too"
        hint = "--axes" if options.axes else "--units"
        raise typer.BadParameter(message, param_hint=hint)
    if signal.name is not None and signal.patchset is None:
        message = "it is of a patch in a patchset: give --patchset FILE too"
        raise typer.BadParameter(message, param_hint="--name")


def _for_fits(options: ReportOptions) -> ReportOptions:
    """The options with a signal in the fits only where one is named."""
    if options.signal.name is not None:
        return options
    return replace(options, signal=replace(options.signal, patchset=None))


def _read_scan(path: str) -> Scanned:
    """Read the result of a scan.

    Raises:
        DataError: It is another result.
    """
    result = hfjax.load_result(path)
    if isinstance(result, ScanResult | LimitsScanResult):
        return result
    message = f"{path}: no points: give the file of 'hfjax scan'"
    raise DataError(message)


def _drawn(result: Scanned, settings: PlotSettings) -> Any:
    """The grid as it is asked for; where nothing is asked, what the page makes of it.

    Raises:
        DataError: It cannot be drawn so; the message says why.
    """
    plain = settings == PlotSettings()
    return result if plain else hfjax.draw_signal_grid(result, settings)


def _check_origin(result: Scanned, at: Opened) -> None:
    """Check that a scan is of this workspace.

    Raises:
        DigestError: It is of another one.
    """
    known, own = result.provenance.workspace_digest, at.background.digest()
    if known not in (None, own):
        message = (
            "the scan is of another workspace: its digest is "
            f"{known[:12]}..., that of this one {own[:12]}..."
        )
        raise DigestError(message)


def _patchset(options: ReportOptions, at: Opened) -> PatchSet | None:
    """The patchset whose points are to be scanned, if there is one.

    Raises:
        DigestError: It does not belong to the workspace.
        typer.BadParameter: Its points cannot be drawn as is asked for.
    """
    signal = options.signal
    if signal.patchset is None or options.scan is not None:
        return None
    patchset = PatchSet.load(signal.patchset, signal.compose)
    if not signal.no_verify:
        patchset.verify(at.background)
    if options.grid != PlotSettings():
        check_plot(unscanned(patchset, patchset.names), options.grid, "--axes")
    return patchset


def _scanned(at: Opened, patchset: PatchSet, options: ReportOptions) -> ScanResult:
    """Test every point of a patchset."""
    if (options.hold or options.start) and not options.fit.quiet:
        complain("--hold and --start are not for the points of the grid")
    batch = hfjax.build_scan(
        at.background, patchset, measurement=options.fit.measurement, poi=options.poi
    )
    with progress_bar(len(batch), options.fit.quiet) as progress:
        return hfjax.scan(
            batch,
            settings=at.settings,
            progress=progress,
            advice=ADVICE._replace(start=""),
        )


def _title(options: ReportOptions) -> str:
    """What the page is about: the workspace's file, and the signal in it."""
    source = options.workspace
    file = "a workspace" if source == "-" else Path(source).name
    named = options.signal.name
    return f"Report on {file}" + (f" with {named}" if named else "")


def _end(page: Any, options: ReportOptions) -> None:
    """Say what is written, and which sections lack a fit.

    Raises:
        typer.Exit: One does.
    """
    number = len(page.sections)
    say(f"written: {number} sections in {options.output}", options.fit.quiet)
    if page.failed:
        failed = ", ".join(page.failed)
        complain(f"fits did not converge; the page says why: {failed}")
        raise typer.Exit(NOT_CONVERGED)
