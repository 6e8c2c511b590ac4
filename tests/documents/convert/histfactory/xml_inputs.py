"""Small inputs of HistFactory XML: files and histograms, made by the tests."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import uproot

from hfjax.documents.convert.histfactory.read import XmlImport, XmlSettings, read_xml
from hfjax.documents.convert.root_histograms import Histogram, write_histograms

EDGES = (0.0, 50.0, 200.0)

STATED = '<StatErrorConfig RelErrorThreshold="0" ConstraintType="Gaussian"/>'
SIGNAL = """
<Sample Name="signal" HistoName="signal" NormalizeByTheory="False">
  <NormFactor Name="mu" Val="1" Low="0" High="3"/>
</Sample>
"""
"""A sample that leaves nothing open."""


def histogram(*values: float, errors: Sequence[float] = ()) -> Histogram:
    """A histogram of two bins with edges of its own, or of more with unit width."""
    edges = EDGES if len(values) == 2 else tuple(map(float, range(len(values) + 1)))
    return Histogram(values, tuple(errors), (edges,))


HISTOGRAMS = {
    "data": histogram(50.0, 60.0),
    "signal": histogram(5.0, 10.0),
    "top": histogram(40.0, 50.0, errors=(3.0, 2.0)),
    "top_low": histogram(35.0, 48.0),
    "top_high": histogram(44.0, 55.0),
    "relative": histogram(0.1, 0.25),
    "shape": histogram(1.5, 0.5),
}
"""What every ROOT file of these inputs has."""


def top_sample(inside: str, attributes: str = "") -> str:
    """The sample `top` with what is in it; it is normalized by theory."""
    return (
        f'<Sample Name="top" HistoName="top" NormalizeByTheory="True" {attributes}>'
        f"{inside}</Sample>"
    )


def measurement(inside: str = "", attributes: str = "", name: str = "m") -> str:
    """A measurement of `mu` with a luminosity of 2 +- 0.2."""
    stated = f'Name="{name}" Lumi="2" LumiRelErr="0.1" {attributes}'
    return f"<Measurement {stated}><POI>mu</POI>{inside}</Measurement>"


def write_input(
    folder: Path,
    *parts: str,
    measurements: str | None = None,
    head: str = "",
    channel: str = "",
) -> Path:
    """Write a model of one channel, SR, and return its top-level file.

    Args:
        folder: where to.
        parts: what is in the channel after its data and the signal.
        measurements: one measurement if not given.
        head: what is in the combination before the channel.
        channel: further attributes of the channel.
    """
    for name in ("config", "data"):
        (folder / name).mkdir(exist_ok=True)
    found = measurement() if measurements is None else measurements
    top = folder / "config" / "top.xml"
    top.write_text(
        '<Combination OutputFilePrefix="./results/a">'
        f"{head}<Input>./config/SR.xml</Input>{found}</Combination>"
    )
    inside = "".join(parts)
    (folder / "config" / "SR.xml").write_text(
        f'<Channel Name="SR" InputFile="./data/data.root" {channel}>'
        f'<Data HistoName="data"/>{inside}{SIGNAL}</Channel>'
    )
    if not (folder / "data" / "data.root").exists():
        write_histograms(folder / "data" / "data.root", HISTOGRAMS)
    return top


def in_folder(folder: str, names: Sequence[str]) -> dict[str, Histogram]:
    """The usual histograms, of which some are in a folder of the ROOT file."""
    places = {
        name: f"{folder}/{name}" if name in names else name for name in HISTOGRAMS
    }
    return {places[name]: found for name, found in HISTOGRAMS.items()}


def write_objects(path: Path, objects: Mapping[str, Any]) -> None:
    """Write anything that uproot can write."""
    path.parent.mkdir(exist_ok=True)
    with uproot.recreate(path) as file:
        for name, found in objects.items():
            file[name] = found


def rows(*values: Sequence[float]) -> tuple[np.ndarray, ...]:
    """A histogram of two dimensions, one row for each bin of the first axis."""
    contents = np.array(values, float)
    edges = [np.arange(size + 1.0) for size in contents.shape]
    return (contents, *edges)


def imported(path: Path, **settings: Any) -> XmlImport:
    """What is read, which must be a valid workspace."""
    found = read_xml(path, XmlSettings(**settings))
    found.workspace()
    return found


def modifiers(found: XmlImport, sample: str = "top") -> dict[str, Any]:
    """The data of the modifiers of a sample by name."""
    (channel,) = found.document["channels"]
    (one,) = [each for each in channel["samples"] if each["name"] == sample]
    return {each["name"]: each["data"] for each in one["modifiers"]}


def entry(found: XmlImport, name: str, index: int = 0) -> dict[str, Any] | None:
    """What a measurement says of a parameter set."""
    parameters = found.document["measurements"][index]["config"]["parameters"]
    return next((each for each in parameters if each["name"] == name), None)


def lost(found: XmlImport) -> list[str]:
    """The kinds of losses."""
    return [remark.kind for remark in found.report.losses]


def noted(found: XmlImport) -> list[str]:
    """The kinds of notes."""
    return [remark.kind for remark in found.report.notes]
