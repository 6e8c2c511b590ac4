"""The command `hfjax convert`: JSON, HS3 and HistFactory XML into one another."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hfjax.cli.commands.root_files import (
    ForceOption,
    LossReportOption,
    StrictOption,
    give_report,
    keep_files,
)
from hfjax.cli.options import ComposeOption, takes, writable
from hfjax.cli.streams import refuse_shared_input, write_json
from hfjax.documents.convert.formats import (
    Format,
    Imported,
    export_workspace,
    format_by_name,
    import_workspace,
)
from hfjax.documents.convert.histfactory.write import XmlExport
from hfjax.documents.convert.hs3.read import HS3Settings
from hfjax.documents.convert.hs3.shape_errors import ShapeSysValues
from hfjax.documents.convert.loss_report import load_binning


@dataclass(frozen=True, kw_only=True)
class ConvertOptions:
    """Options of `hfjax convert`."""

    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT", help="File, or - for standard input; of XML the top file."
        ),
    ]
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUTPUT", help="File, or - for standard output; for XML a folder."
        ),
    ]
    from_format: Annotated[
        Format | None,
        typer.Option("--from", help="Format of the input; told by its content."),
    ] = None
    to_format: Annotated[
        Format | None,
        typer.Option(
            "--to", help="Format of the output; told by its name, .hs3.json or .json."
        ),
    ] = None
    analysis: Annotated[
        str | None,
        typer.Option(help="The analysis of an HS3 document to read; all by default."),
    ] = None
    shapesys: Annotated[
        ShapeSysValues | None,
        typer.Option(
            help="What vals of a shapesys are in HS3: relative to the events, as in "
            "ROOT, or absolute, as in pyhs3 and NextStat. By default found out in "
            "reading, and relative in writing."
        ),
    ] = None
    binning: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Loss report of an earlier conversion, for the edges of bins.",
        ),
    ] = None
    compose: ComposeOption = False
    loss_report: LossReportOption = None
    strict: StrictOption = False
    force: ForceOption = False


@takes(ConvertOptions)
def convert(options: ConvertOptions) -> None:
    """Convert a workspace between JSON, HS3 and HistFactory XML.

    hfjax convert workspace.json search.hs3.json
    hfjax convert config/FitConfig.xml workspace.json
    hfjax convert workspace.json xml --to xml

    More options of XML are in xml2json and json2xml.
    """
    refuse_shared_input(options.source, options.binning)
    settings = HS3Settings(options.analysis, options.shapesys, options.compose)
    imported = import_workspace(options.source, options.from_format, settings)
    if options.binning is not None:
        report = dataclasses.replace(
            imported.report, binning=load_binning(options.binning)
        )
        imported = dataclasses.replace(imported, report=report)
    form = _target_format(options, imported)
    _refuse_unused(options, imported.format, form)
    path = _target(options.target, form)
    found = export_workspace(
        imported, form, options.shapesys or ShapeSysValues.RELATIVE
    )
    if isinstance(found.content, XmlExport):
        keep_files(found.content, options.target, options.force)
    give_report(found.report, options.loss_report, options.strict)
    if isinstance(found.content, XmlExport):
        found.content.save(options.target)
    else:
        write_json(found.content, path)


def _target_format(options: ConvertOptions, imported: Imported) -> Format:
    """The format that is asked for, or that the name of the output says."""
    said = options.to_format or format_by_name(options.target)
    if said is not None:
        return said
    if imported.format is Format.JSON:
        message = (
            f"the input is JSON, and the name '{options.target}' does not say what it "
            "should become: give --to hs3 or --to xml"
        )
        raise typer.BadParameter(message)
    return Format.JSON


def _refuse_unused(options: ConvertOptions, source: Format, target: Format) -> None:
    """Refuse options that would do nothing."""
    unused = [
        name
        for name, given, used in (
            ("--analysis", options.analysis, source is Format.HS3),
            ("--shapesys", options.shapesys, Format.HS3 in (source, target)),
            ("--binning", options.binning, target is not Format.JSON),
            ("--force", options.force or None, target is Format.XML),
        )
        if given is not None and not used
    ]
    if unused:
        message = f"{unused[0]} has no meaning from {source} to {target}: leave it away"
        raise typer.BadParameter(message)


def _target(target: Path, form: Format) -> Path | None:
    """Check that the output can be written; None is standard output.

    Raises:
        typer.BadParameter: It cannot.
    """
    if form is not Format.XML:
        return writable(target)
    if str(target) == "-" or target.is_file() or target.suffix.lower() == ".xml":
        message = f"HistFactory XML is several files: '{target}' has to be a folder"
        raise typer.BadParameter(message)
    return target
