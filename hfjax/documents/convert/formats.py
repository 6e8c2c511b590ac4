"""Workspaces in any of three formats: JSON, HS3 and HistFactory XML.

What a format has and a workspace has no place for, the edges of bins, is handed on from
the reader to the writer in the report.
"""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from hfjax.documents.convert.composition import compose_and_note
from hfjax.documents.convert.histfactory.read import XmlSettings, read_xml
from hfjax.documents.convert.histfactory.write import XmlExport, export_xml
from hfjax.documents.convert.hs3.read import HS3Settings, read_hs3
from hfjax.documents.convert.hs3.shape_errors import ShapeSysValues
from hfjax.documents.convert.hs3.write import without_expressions, write_hs3
from hfjax.documents.convert.loss_report import LossReport, Remarks
from hfjax.documents.reading.json_files import naming, read_json
from hfjax.documents.reading.schema import is_hs3
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import SpecificationError


class Format(StrEnum):
    """The formats of workspaces."""

    JSON = "json"
    XML = "xml"
    HS3 = "hs3"


@dataclass(frozen=True, slots=True)
class Imported:
    """A workspace that was read from one of the formats.

    Attributes:
        workspace: The workspace.
        format: The format that it was read from.
        report: What is lost or assumed, and the edges of the bins.
    """

    workspace: Workspace
    format: Format
    report: LossReport


@dataclass(frozen=True, slots=True)
class Exported:
    """A workspace in one of the formats, not yet written.

    Attributes:
        content: A JSON document, or files of HistFactory XML.
        report: What is lost or assumed, in reading and in writing.
    """

    content: dict[str, Any] | XmlExport
    report: LossReport


def import_workspace(
    source: str, form: Format | None = None, settings: HS3Settings = HS3Settings()
) -> Imported:
    """Read a workspace in any format.

    Args:
        source: a path, or "-" for standard input, which cannot be XML.
        form: the format; None to tell by the ending `.xml`, or by the content.
        settings: how HS3 documents are read; whether modifiers are composed holds for
            all formats.

    Raises:
        SpecificationError: It cannot be read, or is not of the format.
        ModelError: It is HS3, and has no meaning as a HistFactory model.
    """
    if form is Format.XML or (form is None and source.lower().endswith(".xml")):
        if source == "-":
            message = "HistFactory XML names further files: give a path of its own"
            raise SpecificationError(message)
        found = read_xml(source, XmlSettings(compose=settings.compose))
        return Imported(found.workspace(), Format.XML, found.report)
    if Path(source).is_dir():
        message = f"{source} is a folder: of HistFactory XML, give the top file in it"
        raise SpecificationError(message)
    document = read_json(source)
    with naming(source):
        if (form or document_format(document)) is Format.HS3:
            read = read_hs3(document, settings)
            return Imported(read.workspace, Format.HS3, read.report)
        remarks = Remarks()
        if settings.compose:
            document = compose_and_note(document, remarks)
        workspace = Workspace.parse(document)
    return Imported(workspace, Format.JSON, remarks.report("json2json"))


def document_format(document: Any) -> Format:
    """Tell HS3 documents from others.

    >>> document_format({"metadata": {"hs3_version": "0.2"}}).value
    'hs3'
    >>> document_format({"channels": []}).value
    'json'
    """
    return Format.HS3 if is_hs3(document) else Format.JSON


def export_workspace(
    imported: Imported, form: Format, shapesys: ShapeSysValues = ShapeSysValues.RELATIVE
) -> Exported:
    """Express a workspace in a format, and tell all that was lost on the way.

    Args:
        imported: the workspace, and what was lost when it was read.
        form: the format.
        shapesys: what the numbers of a shapesys are to be in HS3.

    Raises:
        SpecificationError: The format cannot have it.
        ModelError: It is to be HS3, and has no meaning as a model.
    """
    workspace, report = imported.workspace, imported.report
    written = LossReport("json2json")
    if form is Format.XML:
        content = export_xml(workspace, binning=report.binning)
        written = content.report
    elif form is Format.HS3:
        remarks = Remarks()
        free = without_expressions(workspace, remarks)
        content = write_hs3(free, shapesys, report.binning)
        written = remarks.report("json2hs3")
    else:
        content = workspace.dump()
    both = dataclasses.replace(
        report,
        direction=f"{imported.format}2{form}",
        losses=report.losses + written.losses,
        notes=report.notes + written.notes,
    )
    return Exported(content, both)


def format_by_name(path: Path) -> Format | None:
    """Tell a format by a file's name; None if that says nothing.

    >>> format_by_name(Path("search.hs3.json")).value
    'hs3'
    >>> format_by_name(Path("search.json")) is None
    True
    """
    endings = [ending.lower() for ending in path.suffixes]
    if ".hs3" in endings:
        return Format.HS3
    return Format.XML if endings[-1:] == [".xml"] else None
