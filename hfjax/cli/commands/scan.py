"""The command `scan`: all points of a patchset, into one result file and a plot."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

import hfjax
from hfjax.cli.commands.endings import outcome, tell_failures, tell_valleys_of_scan
from hfjax.cli.commands.opening import (
    tell_meaning,
    tell_replacement,
    tell_unused,
)
from hfjax.cli.commands.pictures import draw, kind
from hfjax.cli.commands.plot import AxesOption, check_plot, drawable, level_of
from hfjax.cli.commands.selection import select
from hfjax.cli.options import (
    BackgroundArgument,
    ComposeOption,
    Expected,
    ExpectedOption,
    FitOptions,
    NoVerifyOption,
    OutputOption,
    PatchSetArgument,
    TestOptions,
    TestStat,
    takes,
)
from hfjax.cli.runtime import (
    ADVICE,
    INTERRUPTED,
    NOT_CONVERGED,
    Stages,
    command_line,
    start_jax,
)
from hfjax.cli.streams import complain, load_both, progress_bar, say, write_text
from hfjax.cli.tables import JsonOption, wants_tables
from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.reading.digest import digest
from hfjax.errors import DataError
from hfjax.plotting.settings import PlotSettings
from hfjax.provenance import this_run
from hfjax.results.limits_scan import Scanned
from hfjax.results.point_table import NOT_RUN
from hfjax.results.scan import LEVEL, ScanPoint, ScanResult
from hfjax.tables.parts import rendered_parts
from hfjax.tables.scans import scan_parts


@dataclass(frozen=True, kw_only=True)
class ScanOptions:
    """Options of `hfjax scan`."""

    bkgonly: BackgroundArgument
    patchset: PatchSetArgument
    as_json: JsonOption = False
    output: OutputOption = None
    plot: Annotated[
        Path | None,
        typer.Option(
            callback=drawable,
            help="File for the exclusion contour in the plane of two labels, or for "
            "CLs against one; for q0 the significance. 'hfjax plot' draws the result "
            "with titles, units and more.",
        ),
    ] = None
    axes: AxesOption = None
    limits: Annotated[
        bool,
        typer.Option(
            "--limits",
            help="Find upper limits at each point instead of testing one value: "
            "observed, and expected at -2 to +2 standard deviations.",
        ),
    ] = False
    level: Annotated[
        float | None,
        typer.Option(
            parser=level_of,
            metavar="NUMBER",
            help="CLs at the limits of --limits; 0.05 by default, which is 95 % "
            "confidence level.",
        ),
    ] = None
    condition: Annotated[
        str | None,
        typer.Option(
            "--select",
            metavar="EXPR",
            help="Scan only points that fulfil a condition on labels and name, such as "
            "'m_parent>300 and m_lsp<50'.",
        ),
    ] = None
    no_verify: NoVerifyOption = False
    compose: ComposeOption = False
    test: TestOptions
    expected: ExpectedOption = Expected.OBSERVED_PROFILE
    fit: FitOptions

    @property
    def settings(self) -> PlotSettings:
        """What is drawn."""
        return PlotSettings(axes=self.axes)


@takes(ScanOptions)
def scan(options: ScanOptions) -> None:
    """Test every signal of a patchset: observed and expected CLs of each point.

    With --limits, upper limits on the parameter of interest instead of CLs at one
    value of it. A table on a terminal; JSON with --json, in a pipe or in a file:

    hfjax scan BkgOnly.json patchset.json -o results.json --plot contour.png
    hfjax scan BkgOnly.json patchset.json --select 'm_parent>300 and m_lsp<50'
    hfjax scan BkgOnly.json patchset.json --limits -o limits.json

    Exit code 0: all points converged; 3: some did not, and have null CLs;
    2: bad input; 130: interrupted: what was tested by then is in the output file.
    """
    stages = Stages()
    check_question(options)
    tell_unused(options.test)
    try:
        prepared = prepare(options, stages)
    except KeyboardInterrupt:
        complain("interrupted: no point was tested")
        raise typer.Exit(INTERRUPTED) from None
    try:
        result = run_scan(prepared, options)
    except hfjax.ScanInterrupted as interruption:
        result = with_provenance(interruption.result, prepared, options, stages)
        report_interruption(result, options.output)
        raise typer.Exit(INTERRUPTED) from None
    report(with_provenance(result, prepared, options, stages), options)


def check_question(options: ScanOptions) -> None:
    """Refuse options that say different things about what is wanted of each point.

    Raises:
        typer.BadParameter: Names the option, and what to do.
    """
    if options.level is not None and not options.limits:
        message = "it is the CLs of limits: give --limits too, or leave it out"
        raise typer.BadParameter(message, param_hint="--level")
    if options.limits and options.test.poi_value != 1.0:
        message = "limits are found by testing many values: leave it out"
        raise typer.BadParameter(message, param_hint="--poi-value")
    if options.limits and options.test.test_stat is TestStat.Q0:
        message = "q0 sets no upper limits: take qtilde or q"
        raise typer.BadParameter(message, param_hint="--test-stat")


class Prepared(NamedTuple):
    """What a scan is made of, and the digests of what it was read from."""

    workspace: str
    patchset: str
    batch: Any
    settings: Any


def prepare(options: ScanOptions, stages: Stages) -> Prepared:
    """Read, check and batch what is to be scanned, and load JAX."""
    workspace, patchset = load_both(options.bkgonly, options.patchset, options.compose)
    if not options.no_verify:
        patchset.verify(workspace)
    names = select(patchset, options.condition) if options.condition else patchset.names
    if options.plot:
        check_plot(unscanned(patchset, names), options.settings, "--plot")
    elif options.axes:
        message = "it says what --plot FILE draws: give that too, or leave it out"
        raise typer.BadParameter(message, param_hint="--axes")
    digests = workspace.digest(), digest(patchset.dump())
    stages.end("load")
    settings = start_jax(
        f"scan {digests[0]}",
        not options.fit.no_cache,
        options.fit.settings | {"expected": options.expected.value},
    )
    stages.end("start")
    batch = hfjax.build_scan(
        workspace,
        patchset,
        measurement=options.fit.measurement,
        poi=options.test.poi,
        names=names,
    )
    tell_of_poi(batch, options)
    stages.end("build")
    return Prepared(*digests, batch, settings)


def unscanned(patchset: PatchSet, names: Sequence[str]) -> ScanResult:
    """The selected points without their results."""
    points = [ScanPoint(name, patchset[name].values) for name in names]
    return ScanResult(patchset.labels, tuple(points))


def tell_of_poi(batch: Any, options: ScanOptions) -> None:
    """Say what is tested where that is not what the measurement announces."""
    asked, quiet = options.test.poi, options.fit.quiet
    for group in batch.groups[:1]:
        tell_meaning(group.template, options.test, quiet)
    members = [member for group in batch.groups for member in group.members]
    for each in {(m.announced, m.poi): m for m in members}.values():
        tell_replacement(each, asked, quiet)


def run_scan(prepared: Prepared, options: ScanOptions) -> Scanned:
    """Test every point of a batch, or find its limits, and show how far it is.

    Raises:
        ScanInterrupted: By Ctrl-C; it has the points that were tested.
    """
    test_stat, settings = options.test.test_stat.value, prepared.settings
    with progress_bar(len(prepared.batch), options.fit.quiet) as progress:
        if options.limits:
            return hfjax.scan_limits(
                prepared.batch,
                level=LEVEL if options.level is None else options.level,
                test_stat=test_stat,
                settings=settings,
                progress=progress,
            )
        return hfjax.scan(
            prepared.batch,
            options.test.poi_value,
            test_stat=test_stat,
            settings=settings,
            progress=progress,
            advice=ADVICE._replace(start=""),  # it has no --start
        )


def with_provenance(
    result: Scanned, prepared: Prepared, options: ScanOptions, stages: Stages
) -> Scanned:
    """Add what only the command line knows to a result's provenance."""
    found = result.provenance
    settings = {
        "measurement": options.fit.measurement,
        "poi": options.test.poi,
        **options.fit.settings,
        "select": options.condition,
    }
    provenance = dataclasses.replace(
        this_run(command_line()),
        workspace_digest=prepared.workspace,
        patchset_digest=prepared.patchset,
        settings={**found.settings, **settings},
        seconds=stages.seconds(found.seconds),
    )
    return dataclasses.replace(result, provenance=provenance)


def report_interruption(result: Scanned, output: Path | None) -> None:
    """Write what an interrupted scan has found, if there is a file for it; say so."""
    if output is None:
        kept = "nothing is written, as there is no --output FILE"
    else:
        write_text(result.text(), output)
        kept = f"{output} has them, and the others as {NOT_RUN}"
    tested = f"{len(result.tested)} of {len(result)} points were tested"
    complain(f"interrupted: {tested}; {kept}")


def report(result: Scanned, options: ScanOptions) -> None:
    """Write the result and the plot; tell what failed, then the files."""
    table = wants_tables(options.output, options.as_json)
    shown = rendered_parts(scan_parts(result), colour=True) if table else result.text()
    write_text(shown, options.output)
    written = [f"{len(result)} points in {options.output or 'standard output'}"]
    written = [] if table else written
    tell_failures(result)
    if isinstance(result, ScanResult):
        tell_valleys_of_scan(result, options.fit)
    if options.plot:
        written += draw_if_possible(result, options.plot, options.settings)
    if result.failed:
        complain(f"{len(result.failed)} of {len(result)} points have no result")
    lines = outcome(result), f"written: {', '.join(written)}" if written else ""
    for line in filter(None, lines):
        say(line, options.fit.quiet)
    if result.failed:
        raise typer.Exit(NOT_CONVERGED)


def draw_if_possible(result: Scanned, path: Path, settings: PlotSettings) -> list[str]:
    """Draw a picture; too many failed points are no reason to lose the exit code.

    Returns:
        What is drawn where; nothing if there is none, which is told.
    """
    try:
        draw(result, kind(result), settings, path)
    except DataError as error:
        complain(f"no plot: {error}")
        return []
    return [f"{kind(result)} in {path}"]
