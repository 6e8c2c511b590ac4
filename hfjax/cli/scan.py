"""The command `scan`: all points of a patchset, into one result file and a plot."""

import dataclasses
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

import hfjax
from hfjax.cli.inference import tell_constraint
from hfjax.cli.options import (
    BackgroundArgument,
    ComposeOption,
    FitOptions,
    NoVerifyOption,
    OutputOption,
    PatchSetArgument,
    TestOptions,
    takes,
    writable,
)
from hfjax.cli.runtime import (
    NOT_CONVERGED,
    Stages,
    start_jax,
    surroundings,
)
from hfjax.cli.selection import select
from hfjax.cli.streams import complain, load_both, progress_bar, say, write_text
from hfjax.errors import DataError, HfjaxError
from hfjax.scan.records import ScanPoint, ScanResult
from hfjax.spec.digest import digest
from hfjax.spec.patchset import PatchSet
from hfjax.spec.workspace import Workspace

FORMATS = frozenset(
    {"eps", "jpeg", "jpg", "pdf", "png", "ps", "svg", "tif", "tiff", "webp"}
)
"""The formats matplotlib writes without other programs."""


def drawable(path: Path | None) -> Path | None:
    """Check, before anything is computed, that a plot can be drawn into a file.

    Raises:
        typer.BadParameter: It cannot; the message says why.
    """
    if path is None:
        return None
    if path.suffix[1:].lower() not in FORMATS:
        message = (
            f"'{path}' has no known suffix: use one of {', '.join(sorted(FORMATS))}"
        )
        raise typer.BadParameter(message)
    if importlib.util.find_spec("matplotlib") is None:
        message = "matplotlib is missing: install it with: pip install 'hfjax[plot]'"
        raise typer.BadParameter(message)
    return writable(path)


@dataclass(frozen=True, kw_only=True)
class ScanOptions:
    """Options of `hfjax scan`."""

    bkgonly: BackgroundArgument
    patchset: PatchSetArgument
    output: OutputOption = None
    plot: Annotated[
        Path | None,
        typer.Option(
            callback=drawable,
            help="File for the exclusion contour in the plane of two labels.",
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
    fit: FitOptions


@takes(ScanOptions)
def scan(options: ScanOptions) -> None:
    """Test every signal of a patchset: observed and expected CLs of each point.

    Exit code 0: all points converged; 3: some did not, and have null CLs;
    2: bad input.
    """
    stages = Stages()
    workspace, patchset = load_both(options.bkgonly, options.patchset, options.compose)
    if not options.no_verify:
        patchset.verify(workspace)
    names = select(patchset, options.condition) if options.condition else patchset.names
    if options.plot:
        check_plot(patchset, names)
    stages.end("load")
    settings = start_jax(
        f"scan {workspace.digest()}",
        not options.fit.no_cache,
        options.fit.minimizer.value,
    )
    stages.end("start")
    batch = hfjax.build_scan(
        workspace,
        patchset,
        measurement=options.fit.measurement,
        poi=options.test.poi,
        names=names,
    )
    for group in batch.groups[:1]:
        tell_constraint(group.template, options.test.poi, options.fit.quiet)
    stages.end("build")
    result = run_scan(batch, options, settings)
    result = with_provenance(result, workspace, patchset, options, stages)
    report(result, options)


def check_plot(patchset: PatchSet, names: Sequence[str]) -> None:
    """Check that the selected points span a plane.

    Raises:
        typer.BadParameter: They do not; the message says why.
    """
    points = [ScanPoint(name, patchset[name].values) for name in names]
    try:
        hfjax.check_plane(ScanResult(patchset.labels, tuple(points)))
    except HfjaxError as error:
        raise typer.BadParameter(str(error), param_hint="--plot") from None


def run_scan(batch: Any, options: ScanOptions, settings: Any) -> ScanResult:
    """Test every point of a batch, and show how far it is."""
    with progress_bar(len(batch), options.fit.quiet) as progress:
        return hfjax.scan(
            batch,
            options.test.test_poi,
            test_stat=hfjax.named_test_statistic(options.test.test_stat),
            settings=settings,
            progress=progress,
        )


def with_provenance(
    result: ScanResult,
    workspace: Workspace,
    patchset: PatchSet,
    options: ScanOptions,
    stages: Stages,
) -> ScanResult:
    """Add what only the command line knows to a result's provenance."""
    found = result.provenance
    settings = {
        "measurement": options.fit.measurement,
        "poi": options.test.poi,
        "test_poi": options.test.test_poi,
        "test_stat": options.test.test_stat.value,
        "minimizer": options.fit.minimizer.value,
        "select": options.condition,
    }
    provenance = dataclasses.replace(
        found,
        **surroundings(),
        workspace_digest=workspace.digest(),
        patchset_digest=digest(patchset.dump()),
        settings={**found.settings, **settings},
        seconds=stages.seconds(found.seconds),
    )
    return dataclasses.replace(result, provenance=provenance)


def report(result: ScanResult, options: ScanOptions) -> None:
    """Write the result and the plot; name the points that failed."""
    write_text(result.text(), options.output)
    if options.output:
        say(f"{len(result)} points written to {options.output}", options.fit.quiet)
    for point in result.failed:
        complain(f"{point.name}: {point.status}: {point.message}")
    if options.plot:
        _plot(result, options.plot, options.fit.quiet)
    if result.failed:
        complain(f"{len(result.failed)} of {len(result)} points have no result")
        raise typer.Exit(NOT_CONVERGED)


def _plot(result: ScanResult, path: Path, quiet: bool) -> None:
    """Draw the contour; too many failed points are no reason to lose the exit code."""
    try:
        hfjax.write_exclusion(result, path)
    except DataError as error:
        complain(f"no plot: {error}")
    else:
        say(f"exclusion contour drawn in {path}", quiet)
