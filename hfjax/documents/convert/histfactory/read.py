"""Read a workspace from HistFactory XML and ROOT histograms.

The document is the one that pyhf 0.7.6 makes, and has besides what that leaves away:
kinds of constraint terms and thresholds, in the extended version of the format; bins
that are selected; initial shapes; folders that are inherited. What cannot be said in
JSON is in the report, and so is what was assumed. Where ROOT gives a parameter a range
that the default of a workspace would cut, that range is in the document.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hfjax.documents.convert.composition import compose_and_note
from hfjax.documents.convert.histfactory.elements import check_elements
from hfjax.documents.convert.histfactory.inputs import Inputs, Object
from hfjax.documents.convert.histfactory.ranges import add_ranges, parse_ranges
from hfjax.documents.convert.histfactory.read_channel import (
    ChannelDocument,
    read_channel,
)
from hfjax.documents.convert.histfactory.read_functions import (
    TAGS,
    Functions,
    read_functions,
)
from hfjax.documents.convert.histfactory.read_measurement import (
    KnownParameter,
    MeasurementReader,
    known_parameters,
    with_functions,
)
from hfjax.documents.convert.loss_report import LossReport, Remarks
from hfjax.documents.convert.root_histograms import RootFiles
from hfjax.documents.convert.xml import XmlElement, read_xml_file
from hfjax.documents.workspace.measurement import EXTENSION
from hfjax.documents.workspace.workspace import EXTENDED_VERSION, VERSION, Workspace
from hfjax.errors import SpecificationError

Mounts = Sequence[tuple[Path, Path]]
"""Pairs: a folder of this machine, and the one that it stands for in the XML."""

Progress = Callable[[int, int], None]
"""Is told how many of how many channels are read."""


@dataclass(frozen=True, slots=True)
class XmlSettings:
    """How HistFactory XML is read.

    Attributes:
        basedir: Folder that relative names of files start from; None for the current
            folder or, where the channels' files are not there, the nearest folder above
            the XML file from which they are found.
        mounts: Folders that stand for others.
        plain: Whether the document is the one that pyhf makes, of version 1.0.0, at the
            loss of kinds of constraint terms, thresholds, expressions and ROOT's
            ranges.
        root_defaults: Whether what is not stated is read as ROOT does, not as pyhf.
        select_bins: Whether BinLow and BinHigh of the measurements select bins. They
            are said to, but ROOT uses all bins whatever they are, and wrote
            `BinLow="0" BinHigh="1"` into its own files for years.
        compose: Whether several OverallSys or HistoSys with one name in one sample
            become one, which are refused otherwise; see
            `hfjax.documents.workspace.compose`.
    """

    basedir: Path | None = None
    mounts: Mounts = ()
    plain: bool = False
    root_defaults: bool = False
    select_bins: bool = False
    compose: bool = False


@dataclass(frozen=True, slots=True)
class XmlImport:
    """What was read from HistFactory XML.

    Attributes:
        document: The JSON document of the workspace.
        report: What is lost or assumed, and the edges of the bins.
    """

    document: Object
    report: LossReport

    def workspace(self) -> Workspace:
        """Return the workspace.

        Raises:
            SpecificationError: The document is no valid workspace.
        """
        return Workspace.parse(self.document)


def read_xml(
    path: str | Path,
    settings: XmlSettings = XmlSettings(),
    progress: Progress | None = None,
) -> XmlImport:
    """Read a workspace from HistFactory XML.

    Args:
        path: the top-level file, with the Combination.
        settings: how it is read.
        progress: is told how many of how many channels are read.

    Raises:
        SpecificationError: A file or a histogram cannot be read, or something is
            missing or not what it should be.
        UnknownNameError: There is an element that HistFactory does not know.

    >>> import tempfile, hfjax
    >>> search = hfjax.uncorrelated_background([3.0], [5.0], [1.0], [9.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = hfjax.write_xml(search, folder)
    ...     found = read_xml(f"{folder}/FitConfig.xml").workspace()
    >>> found.channel("singlechannel").sample("signal").data
    (3.0,)
    """
    remarks = Remarks()
    top = read_xml_file(Path(path), "Combination")
    check_elements(top, remarks)
    resolve = _resolver(top, settings)
    with RootFiles() as files:
        bins = _bins(top.all("Measurement"), settings.select_bins, remarks)
        inputs = Inputs(files, resolve, remarks, bins, settings.root_defaults)
        channels = list(_channels(top, inputs, progress))
    document = _document(top, channels, remarks, settings.plain)
    if settings.plain:
        _make_plain(document, top, remarks)
    if settings.compose:
        document = compose_and_note(document, remarks)
    edges = {c.channel["name"]: c.edges for c in channels if c.edges}
    return XmlImport(document, remarks.report("xml2json", edges))


def _resolver(top: XmlElement, settings: XmlSettings) -> Callable[[str], Path]:
    def mounted(name: str) -> Path:
        path = Path(name.strip())
        for host, mount in settings.mounts:
            if path.is_relative_to(mount):
                return host / path.relative_to(mount)
        return path

    base = settings.basedir
    if base is None:
        base = _base(top, mounted)
    return lambda name: base / mounted(name)


def _base(top: XmlElement, mounted: Callable[[str], Path]) -> Path:
    """The current folder, or the nearest above the XML file that has the channels."""
    folders = [Path(), *Path(top.file).absolute().parents]
    names = [mounted(element.text) for element in top.all("Input")]
    found = (f for f in folders if all((f / name).is_file() for name in names))
    return next(found, Path())


def _channels(
    top: XmlElement, inputs: Inputs, progress: Progress | None
) -> Iterable[ChannelDocument]:
    found = [element for element in top.all("Input") if element.text.strip()]
    if not found:
        top.refuse("has no <Input>: name the file of each channel in one")
    for done, element in enumerate(found, 1):
        root = _channel_file(element, inputs)
        check_elements(root, inputs.remarks)
        yield read_channel(root, inputs)
        if progress is not None:
            progress(done, len(found))


def _channel_file(element: XmlElement, inputs: Inputs) -> XmlElement:
    try:
        found = read_xml_file(inputs.resolve(element.text), "Channel")
    except SpecificationError as error:
        hint = "relative names start from the base folder, see --basedir"
        element.refuse(f"{error} ({hint})")
    return found


def _document(
    top: XmlElement, channels: list[ChannelDocument], remarks: Remarks, plain: bool
) -> Object:
    found = top.all("Measurement")
    if not found:
        top.refuse("has no <Measurement>: add one")
    known = known_parameters(each.channel for each in channels)
    settings = _joined(channels, top, remarks)
    measurements = []
    for one in found:
        functions = _functions(top, one, known, remarks, plain)
        known = with_functions(known, functions)
        reader = MeasurementReader(one, settings, known, remarks, functions)
        measurements.append(reader.document())
    document: Object = {
        "channels": [each.channel for each in channels],
        "measurements": measurements,
        "observations": [each.observation for each in channels],
        "version": EXTENDED_VERSION if any(map(_extended, measurements)) else VERSION,
    }
    if not plain:
        kinds = {name: (each.kinds, each.size) for name, each in known.items()}
        kinds.setdefault("lumi", (frozenset({"lumi"}), None))
        add_ranges(document, kinds, parse_ranges(top), top)
    return document


def _functions(
    top: XmlElement,
    measurement: XmlElement,
    known: Mapping[str, KnownParameter],
    remarks: Remarks,
    plain: bool,
) -> Functions:
    """The functions of a measurement; those of the combination are of all of them."""
    elements = (*top.all(*TAGS), *measurement.all(*TAGS))
    if plain:
        for element in elements:
            what = f"{element.get('Expression')!r} of {element.get('Name')!r}"
            remarks.lost("expression", element.place, what)
        return Functions()
    kinds = {name: each.kinds for name, each in known.items()}
    return read_functions(elements, kinds)


def _joined(
    channels: list[ChannelDocument], top: XmlElement, remarks: Remarks
) -> list[Object]:
    """The settings of each parameter set once; the first one says what holds."""
    joined: dict[str, Object] = {}
    for channel in channels:
        for found in channel.settings:
            first = joined.setdefault(found["name"], dict(found))
            for key, value in found.items():
                if first.setdefault(key, value) != value:
                    name = channel.channel["name"]
                    what = f"{key} {value} of {found['name']!r} in channel {name!r}"
                    remarks.lost("conflict", top.place, what)
    return list(joined.values())


def _extended(measurement: Object) -> bool:
    entries = measurement["config"]["parameters"]
    return any(key in entry for entry in entries for key in EXTENSION)


def _make_plain(document: Object, top: XmlElement, remarks: Remarks) -> None:
    """Take away what only the extended version can say."""
    for found in document["measurements"]:
        for entry in found["config"]["parameters"]:
            for key in [key for key in EXTENSION if key in entry]:
                what = f"{key} {entry.pop(key)} of {entry['name']!r}"
                remarks.lost("extension", top.place, f"{what} in {found['name']!r}")
                if entry["name"] != "lumi":
                    entry.pop("sigmas", None)  # relative, of another kind of term
        kept = [entry for entry in found["config"]["parameters"] if len(entry) > 1]
        found["config"]["parameters"] = kept
    document["version"] = VERSION


def _bins(
    measurements: tuple[XmlElement, ...], select: bool, remarks: Remarks
) -> tuple[int, int | None] | None:
    """The bins that the measurements select, if all select the same."""
    ranges = [_range(element) for element in measurements]
    for element, (low, high) in zip(measurements, ranges, strict=True):
        what = f"BinLow={low}, BinHigh={high}"
        if not select and (low, high) != (0, None):
            remarks.noted("bin-range", element.place, what)
        elif select and ranges[0] != (low, high):
            remarks.lost("bin-range", element.place, what)
    return ranges[0] if select and len(set(ranges)) == 1 else None


def _range(element: XmlElement) -> tuple[int, int | None]:
    low, high = element.number("BinLow", 0.0), element.number("BinHigh", 0.0)
    return int(low), int(high) if element.get("BinHigh") else None
