"""Commands between JSON and HistFactory XML: xml2json, json2xml."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from hfjax.cli.options import (
    ComposeOption,
    OutputOption,
    PatchOption,
    WorkspaceArgument,
    report_file,
    takes,
)
from hfjax.cli.streams import (
    complain,
    progress_bar,
    refuse_shared_input,
    write_json,
)
from hfjax.documents.convert.histfactory.read import XmlImport, XmlSettings, read_xml
from hfjax.documents.convert.histfactory.write import (
    XmlExport,
    XmlLayout,
    export_xml,
)
from hfjax.documents.convert.loss_report import LossReport, load_binning
from hfjax.documents.patchset.patchset import apply_patch
from hfjax.documents.reading.json_files import read_json
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import SpecificationError
from hfjax.tables.parts import listed

_NAMED = 3  # files that would be overwritten that are named


def mount(text: str) -> tuple[Path, Path]:
    """Read a mount.

    Raises:
        typer.BadParameter: It is none, or its folder does not exist.

    Example:
        >>> mount("/tmp:/data")
        (PosixPath('/tmp'), PosixPath('/data'))
    """
    host, colon, path = text.rpartition(":")
    if not (host and colon and path):
        message = f"'{text}' is not of the form HOST:PATH"
        raise typer.BadParameter(message)
    if not Path(host).exists():
        message = f"'{host}' does not exist"
        raise typer.BadParameter(message)
    return Path(host).resolve(), Path(path)


def existing_folder(text: str) -> Path:
    """Read the name of a folder.

    Raises:
        typer.BadParameter: It does not exist.
    """
    if Path(text).is_dir():
        return Path(text)
    message = f"folder '{text}' does not exist"
    raise typer.BadParameter(message)


LossReportOption = Annotated[
    Path | None,
    typer.Option(
        "--loss-report",
        callback=report_file,
        metavar="FILE",
        help="File for the report of what is lost or assumed, as JSON.",
    ),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Refuse if anything would be lost.")
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Overwrite files of HistFactory XML.")
]


@dataclass(frozen=True, kw_only=True)
class Xml2JsonOptions:
    """Options of `hfjax xml2json`."""

    entrypoint_xml: Annotated[
        Path,
        typer.Argument(
            metavar="ENTRYPOINT_XML", help="The top-level file, with the Combination."
        ),
    ]
    basedir: Annotated[
        Path | None,
        typer.Option(
            parser=existing_folder,
            metavar="FOLDER",
            help="Folder that names in the XML start from. By default the current one, "
            "or the nearest above the file from which the channels are found.",
        ),
    ] = None
    mounts: Annotated[
        list[Any] | None,
        typer.Option(
            "--mount",
            "-v",
            parser=mount,
            metavar="HOST:PATH",
            help="HOST stands for the folder that the XML calls PATH; repeatable.",
        ),
    ] = None
    output: OutputOption = None
    track_progress: Annotated[
        bool,
        typer.Option(
            "--track-progress/--hide-progress",
            help="Show progress on a terminal, the default, or do not.",
        ),
    ] = True
    validation_as_error: Annotated[
        bool,
        typer.Option(
            "--validation-as-error/--validation-as-warning",
            help="Refuse a document that is no valid workspace, the default, or "
            "write it.",
        ),
    ] = True
    plain: Annotated[
        bool,
        typer.Option(
            "--plain",
            help="Read as pyhf does: version 1.0.0, without ROOT's ranges of "
            "parameters, and without kinds of constraint terms, thresholds and "
            "functions, which are then losses.",
        ),
    ] = False
    root_defaults: Annotated[
        bool,
        typer.Option(
            "--root-defaults",
            help="Read what is not stated as ROOT does, not as pyhf.",
        ),
    ] = False
    select_bins: Annotated[
        bool,
        typer.Option(
            "--select-bins",
            help="Take only the bins from BinLow to below BinHigh, which ROOT ignores.",
        ),
    ] = False
    compose: ComposeOption = False
    loss_report: LossReportOption = None
    strict: StrictOption = False


@dataclass(frozen=True, kw_only=True)
class Json2XmlOptions:
    """Options of `hfjax json2xml`."""

    workspace: WorkspaceArgument = "-"
    output_dir: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder for all files.")
    ] = Path()
    specroot: Annotated[
        str, typer.Option(help="Folder in it for the channels' files.")
    ] = "config"
    dataroot: Annotated[str, typer.Option(help="Folder in it for the ROOT file.")] = (
        "data"
    )
    resultprefix: Annotated[
        str, typer.Option(help="What the names of the XML files begin with.")
    ] = "FitConfig"
    patch: PatchOption = None
    binning: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Report of xml2json, for the edges of bins; width 1 by default.",
        ),
    ] = None
    loss_report: LossReportOption = None
    strict: StrictOption = False
    force: ForceOption = False


@takes(Xml2JsonOptions)
def xml2json(options: Xml2JsonOptions) -> None:
    """Make a JSON workspace of HistFactory XML and ROOT histograms.

    Example: hfjax xml2json config/FitConfig.xml -o workspace.json
    """
    settings = XmlSettings(
        basedir=options.basedir,
        mounts=tuple(options.mounts or ()),
        plain=options.plain,
        root_defaults=options.root_defaults,
        select_bins=options.select_bins,
        compose=options.compose,
    )
    with progress_bar(1, not options.track_progress, ("read", "read")) as progress:
        found = read_xml(options.entrypoint_xml, settings, progress)
    _validate(found, options.validation_as_error)
    give_report(found.report, options.loss_report, options.strict)
    write_json(found.document, options.output)


@takes(Json2XmlOptions)
def json2xml(options: Json2XmlOptions) -> None:
    """Write a workspace as HistFactory XML and ROOT histograms.

    Example: hfjax json2xml workspace.json --output-dir xml

    Names of files in the XML are relative to the output folder: run
    hist2workspace there, or give it to xml2json as --basedir.
    """
    if "/" in options.resultprefix or not options.resultprefix:
        message = f"--resultprefix '{options.resultprefix}' is no beginning of a name"
        raise typer.BadParameter(message)
    if options.output_dir.exists() and not options.output_dir.is_dir():
        message = f"--output-dir '{options.output_dir}' is no folder"
        raise typer.BadParameter(message)
    refuse_shared_input(options.workspace, options.binning, *(options.patch or []))
    workspace = Workspace.load(options.workspace)
    for path in options.patch or []:
        workspace = apply_patch(workspace, read_json(path), path)
    layout = XmlLayout(options.specroot, options.dataroot, options.resultprefix)
    binning = load_binning(options.binning) if options.binning else None
    found = export_xml(workspace, layout, binning)
    keep_files(found, options.output_dir, options.force)
    give_report(found.report, options.loss_report, options.strict)
    found.save(options.output_dir)


def keep_files(found: XmlExport, folder: Path, force: bool) -> None:
    """Refuse to overwrite files, unless that is wanted.

    Raises:
        typer.BadParameter: The folder has files that would be written.
    """
    there = [str(path) for path in found.existing(folder)]
    if there and not force:
        message = (
            f"there are files already: {listed(there, _NAMED)}: choose another folder, "
            "or give --force to overwrite them"
        )
        raise typer.BadParameter(message)


def give_report(report: LossReport, path: Path | None, strict: bool) -> None:
    """Write the report if asked for, refuse losses if asked for, or else tell them."""
    if path is not None:
        text = json.dumps(report.dump(), indent=2, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8")
    if strict:
        report.refuse_losses()
    for line in report.summary():
        complain(line)


def _validate(found: XmlImport, as_error: bool) -> None:
    try:
        found.workspace()
    except SpecificationError as error:
        if as_error:
            raise
        complain(f"warning: no valid workspace: {error}")
