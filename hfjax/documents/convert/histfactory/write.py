"""Write a workspace as HistFactory XML and ROOT histograms.

In a folder: the top-level file, one file for each channel, one ROOT file, and the
document type. Names of files are relative to that folder, so it can be moved, and
`hist2workspace` is run in it.
"""

import itertools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from hfjax.documents.convert.histfactory.export import (
    Export,
    exported_parameters,
    unused_name,
    written_staterrors,
)
from hfjax.documents.convert.histfactory.ranges import instruction
from hfjax.documents.convert.histfactory.write_channel import ChannelWriter
from hfjax.documents.convert.histfactory.write_measurement import MeasurementWriter
from hfjax.documents.convert.loss_report import LossReport
from hfjax.documents.convert.root_histograms import write_histograms
from hfjax.documents.reading.json_values import Number
from hfjax.documents.reading.schema import schema_folder
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import SpecificationError, unknown_name

DOCUMENT_TYPE = "HistFactorySchema.dtd"
"""The file of the document type, as ROOT calls it."""

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class XmlLayout:
    """Where the files of HistFactory XML are, below their folder.

    Attributes:
        specroot: Folder of the channels' files.
        dataroot: Folder of the ROOT file.
        prefix: What the names of the XML files begin with.
    """

    specroot: str = "config"
    dataroot: str = "data"
    prefix: str = "FitConfig"


@dataclass(frozen=True, slots=True)
class XmlExport:
    """A workspace as HistFactory XML, not yet written.

    Attributes:
        report: What is lost or assumed.
        files: The content of each XML file, by its path below the folder.
        data_file: The path of the ROOT file.
        export: What was written, with its histograms.
    """

    report: LossReport
    files: Mapping[Path, str]
    data_file: Path
    export: Export

    def existing(self, folder: str | Path) -> tuple[Path, ...]:
        """Return the files in a folder that `save` would overwrite.

        The file of the document type is always the same.

        Args:
            folder: where the files would go.
        """
        paths = [Path(folder, path) for path in (*self.files, self.data_file)]
        return tuple(p for p in paths if p.exists() and p.name != DOCUMENT_TYPE)

    def save(self, folder: str | Path) -> None:
        """Write all files.

        Args:
            folder: it and those below it are made if they do not exist.
        """
        folder = Path(folder)
        for path, text in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        (folder / self.data_file).parent.mkdir(parents=True, exist_ok=True)
        write_histograms(folder / self.data_file, self.export.histograms)


def export_xml(
    workspace: Workspace,
    layout: XmlLayout = XmlLayout(),
    binning: Mapping[str, tuple[Number, ...]] | None = None,
) -> XmlExport:
    """Express a workspace as HistFactory XML.

    Args:
        workspace: any workspace.
        layout: where the files are.
        binning: edges of the bins of channels, of width 1 where they are not given; see
            `hfjax.documents.convert.loss_report.load_binning`.

    Raises:
        SpecificationError: Edges do not fit their channel, or a name is empty or cannot
            be in XML.
        UnknownNameError: There are edges of a channel that does not exist.
    """
    edges = dict(binning or {})
    _check_binning(workspace, edges)
    staterrors = written_staterrors(workspace)
    parameters = exported_parameters(workspace, staterrors)
    export = Export(workspace, parameters, staterrors, edges)
    data_file = Path(layout.dataroot, "data.root")
    top = Element("Combination", {"OutputFilePrefix": f"./results/{layout.prefix}"})
    trees: dict[Path, Element] = {Path(f"{layout.prefix}.xml"): top}
    names: list[str] = []
    for index, channel in enumerate(workspace.channels):
        writer = ChannelWriter(export, channel, f"/channels/{index}")
        names.append(unused_name(f"{layout.prefix}_{channel.name}", names))
        path = Path(layout.specroot, f"{names[-1]}.xml")
        trees[path] = writer.element(_shown(data_file))
        SubElement(top, "Input").text = _shown(path)
    for index, measurement in enumerate(workspace.measurements):
        pointer = f"/measurements/{index}"
        top.append(MeasurementWriter(export, measurement, pointer).element())
    _other_observations(export)
    files = {path: _text(tree, path) for path, tree in trees.items()}
    top_file = Path(f"{layout.prefix}.xml")
    files[top_file] = instruction(export.ranges) + files[top_file]
    document_type = schema_folder() / DOCUMENT_TYPE
    files[Path(DOCUMENT_TYPE)] = document_type.read_text(encoding="utf-8")
    report = export.remarks.report("json2xml", edges)
    return XmlExport(report, files, data_file, export)


def write_xml(
    workspace: Workspace,
    folder: str | Path,
    layout: XmlLayout = XmlLayout(),
    binning: Mapping[str, tuple[Number, ...]] | None = None,
) -> LossReport:
    """Write a workspace as HistFactory XML and ROOT histograms.

    Args:
        workspace: any workspace.
        folder: where the files go; it is made if it does not exist.
        layout: where they are in it.
        binning: edges of the bins of channels, of width 1 where they are not given.

    Returns:
        What is lost or assumed.

    Raises:
        SpecificationError: Edges do not fit their channel, or a name is empty or cannot
            be in XML.
        UnknownNameError: There are edges of a channel that does not exist.
        OSError: A file cannot be written.

    >>> import tempfile, hfjax
    >>> search = hfjax.uncorrelated_background([3.0], [5.0], [1.0], [9.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = write_xml(search, folder)
    ...     found = hfjax.read_xml(f"{folder}/FitConfig.xml").workspace()
    >>> found.channel_names, found.measurement().poi
    (('singlechannel',), 'mu')
    """
    found = export_xml(workspace, layout, binning)
    found.save(folder)
    return found.report


def _check_binning(
    workspace: Workspace, binning: Mapping[str, tuple[Number, ...]]
) -> None:
    for name, edges in binning.items():
        if name not in workspace.channel_names:
            error = unknown_name(
                "channel", name, workspace.channel_names, "the binning"
            )
            raise error
        rising = all(a < b for a, b in itertools.pairwise(edges))
        bins = workspace.channel(name).bins
        if len(edges) != bins + 1 or not rising:
            message = (
                f"the edges {list(edges)} of channel {name!r} are not {bins + 1} "
                f"rising numbers for its {bins} bins"
            )
            raise SpecificationError(message, f"/binning/{name}")


def _other_observations(export: Export) -> None:
    for index, found in enumerate(export.workspace.observations):
        if found.name not in export.workspace.channel_names:
            what = f"the observation {found.name!r}"
            export.remarks.lost("observation", f"/observations/{index}", what)


def _shown(path: Path) -> str:
    """A path as the XML names it."""
    return path.as_posix() if path.is_absolute() else f"./{path.as_posix()}"


def _check_names(tree: Element) -> None:
    for element in tree.iter():
        if element.get("Name") == "":
            message = f"HistFactory XML has no {element.tag} without a name: name it"
            raise SpecificationError(message)
        for text in (element.text or "", *element.attrib.values()):
            if _NOT_XML.search(text):
                message = f"{text!r} has a character that XML cannot have: rename it"
                raise SpecificationError(message)


def _text(tree: Element, path: Path) -> str:
    _check_names(tree)
    indent(tree)
    document_type = Path(os.path.relpath(DOCUMENT_TYPE, path.parent)).as_posix()
    head = f'<!DOCTYPE {tree.tag} SYSTEM "{document_type}">\n\n'
    return head + tostring(tree, encoding="unicode") + "\n"
