"""Read a channel of HistFactory XML: its data, samples and modifiers.

What is not stated is read as pyhf reads it, or as ROOT does if asked for:

| not stated | pyhf | ROOT |
|---|---|---|
| NormalizeByTheory of a Sample | False | True |
| ConstraintType of a ShapeSys | Poisson | Gaussian |
| ConstraintType of the StatErrorConfig, or the element | Gaussian | Poisson |
| RelErrorThreshold of the StatErrorConfig, or the element | 0 | 0.05 |
"""

from dataclasses import dataclass

from hfjax.documents.convert.histfactory.inputs import (
    Inputs,
    Location,
    Object,
    constraint_kind,
)
from hfjax.documents.convert.histfactory.read_sample import SampleReader
from hfjax.documents.convert.root_histograms import Floats
from hfjax.documents.convert.root_names import STATERROR
from hfjax.documents.convert.xml import XmlElement


@dataclass(frozen=True, slots=True)
class ChannelDocument:
    """A channel as JSON values, and what else its file says.

    Attributes:
        channel: The channel.
        observation: Its observation.
        settings: Settings of parameters, for all measurements.
        edges: Edges of its bins; None of more than one dimension.
    """

    channel: Object
    observation: Object
    settings: list[Object]
    edges: Floats | None


def read_channel(root: XmlElement, inputs: Inputs) -> ChannelDocument:
    """Read a channel.

    Args:
        root: the outermost element of its file.
        inputs: what it is read with.

    Raises:
        SpecificationError: Something is missing, or not what it should be.
    """
    name = root.need("Name")
    where = Location().within(root)
    observed = _observation(root, inputs, where)
    readers = [SampleReader(one, inputs, where, name) for one in root.all("Sample")]
    samples = [reader.document() for reader in readers]
    settings = [found for reader in readers for found in reader.settings]
    if any(m["type"] == "staterror" for one in samples for m in one["modifiers"]):
        settings += _staterror_settings(root, name, inputs)
    return ChannelDocument(
        {"name": name, "samples": samples},
        {"name": name, "data": observed},
        settings,
        _edges(readers, inputs),
    )


def _observation(root: XmlElement, inputs: Inputs, where: Location) -> list[float]:
    found = root.all("Data")
    if not found:
        root.refuse(
            "has no <Data>, and a workspace needs observations: add one, for Asimov "
            "data the sum of the samples"
        )
    for other in found[1:]:
        what = f"data set {other.get('Name')!r}"
        inputs.remarks.lost("additional-data", other.place, what)
    name = found[0].need("HistoName")
    return list(inputs.histogram(found[0], name, where.within(found[0])).values)


def _edges(readers: list[SampleReader], inputs: Inputs) -> Floats | None:
    """The edges of the first sample's bins, if they have one dimension."""
    edges = [reader.nominal.edges for reader in readers]
    for reader, found in zip(readers, edges, strict=True):
        if not _alike(edges[0], found):
            place = reader.element.place
            inputs.remarks.noted("edges", place, "bins with other edges")
    return edges[0][0] if edges and len(edges[0]) == 1 else None


def _alike(first: tuple[Floats, ...], second: tuple[Floats, ...]) -> bool:
    """Whether edges are the same, up to rounding."""
    flat = [[x for axis in edges for x in axis] for edges in (first, second)]
    if len(flat[0]) != len(flat[1]):
        return False
    scale = max(map(abs, flat[0]))
    return all(abs(a - b) <= 1e-6 * scale for a, b in zip(*flat, strict=True))


def _staterror_settings(root: XmlElement, name: str, inputs: Inputs) -> list[Object]:
    """The kind of constraint terms and the threshold, where they are not plain."""
    config = (root, *root.all("StatErrorConfig"))[-1]
    if config.get("ConstraintType"):
        kind = constraint_kind(config)
    else:
        kind = inputs.default(config, "staterror-constraint", "ConstraintType")
    if config.get("RelErrorThreshold"):
        threshold = config.number("RelErrorThreshold")
    else:
        threshold = inputs.default(config, "staterror-threshold", "RelErrorThreshold")
    if threshold < 0:
        config.refuse("RelErrorThreshold is negative")
    found: Object = {"name": STATERROR + name}
    found |= {"constraint": kind} if kind != "normal" else {}
    found |= {"threshold": threshold} if threshold else {}
    return [found] if len(found) > 1 else []
