"""Read the `histfactory_dist` part of an HS3 document as a workspace."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hfjax.documents.convert.hs3.choice import chosen_analyses
from hfjax.documents.convert.hs3.document import (
    Analysis,
    HS3Document,
    Likelihood,
    parse_document,
)
from hfjax.documents.convert.hs3.modifiers import ChannelNode, read_channel
from hfjax.documents.convert.hs3.names import MODEL
from hfjax.documents.convert.hs3.observations import bin_edges, read_observations
from hfjax.documents.convert.hs3.read_modifiers import ModifierReader
from hfjax.documents.convert.hs3.read_parameters import MeasurementReader
from hfjax.documents.convert.hs3.references import collect_references
from hfjax.documents.convert.hs3.shape_errors import ShapeSysValues
from hfjax.documents.convert.loss_report import LossReport, Remarks
from hfjax.documents.reading.schema import HS3, judged
from hfjax.documents.workspace.measurement import Measurement
from hfjax.documents.workspace.workspace import (
    EXTENDED_VERSION,
    Workspace,
    format_version,
)
from hfjax.errors import SpecificationError


@dataclass(frozen=True, slots=True)
class HS3Settings:
    """How an HS3 document is read.

    Attributes:
        analysis: Name of the one analysis to read; None for all of one likelihood.
        shapesys: What the numbers of a shapesys are: relative to the events of its
            sample, as ROOT has them, or absolute, as pyhs3 has them; None to find out.
        compose: Whether several normsys or histosys with one parameter on one sample
            become one, which are refused otherwise; see
            `hfjax.documents.workspace.compose`.
    """

    analysis: str | None = None
    shapesys: ShapeSysValues | None = None
    compose: bool = False


@dataclass(frozen=True, slots=True)
class HS3Import:
    """What was read from an HS3 document.

    Attributes:
        workspace: The workspace.
        report: What is lost, and the edges of the bins.
    """

    workspace: Workspace
    report: LossReport


def read_hs3(document: Any, settings: HS3Settings = HS3Settings()) -> HS3Import:
    """Read an HS3 document as a workspace.

    What is read: one likelihood whose distributions are all of type
    `histfactory_dist`, the constraint terms of their parameters, and the analyses of
    this likelihood, which become measurements. Errors of samples without a staterror
    mean nothing and are left alone. All else is refused by name.

    Args:
        document: a JSON document, as ROOT since 6.30 or `write_hs3` writes it.
        settings: how it is read.

    Returns:
        The workspace, of the extended format if constraints need it; and what is lost.

    Raises:
        SpecificationError: The document is no HS3 document, or has something that hfjax
            does not read.
        UnknownNameError: There is no analysis of the name that is asked for.
        ModelError: What it describes has no meaning as a HistFactory model.

    >>> channel = {
    ...     "name": "model_SR",
    ...     "type": "histfactory_dist",
    ...     "samples": [{"name": "signal", "data": {"contents": [5.0]}}],
    ... }
    >>> fit = {"name": "fit", "distributions": ["model_SR"], "data": ["observed"]}
    >>> document = {
    ...     "metadata": {"hs3_version": "0.2"},
    ...     "distributions": [channel],
    ...     "data": [{"name": "observed", "type": "binned", "contents": [4.0]}],
    ...     "likelihoods": [fit],
    ... }
    >>> workspace = read_hs3(document).workspace
    >>> workspace.channel("SR").sample("signal").data, workspace.measurement_names
    ((5.0,), ('fit',))
    """
    return judged(lambda found: _read(found, settings), document, HS3)


def _read(document: Any, settings: HS3Settings) -> HS3Import:
    source, remarks = parse_document(document), Remarks()
    likelihood, analyses = chosen_analyses(source, settings.analysis, remarks)
    nodes = _channels(source, likelihood)
    observations = read_observations(source, likelihood, nodes)
    references = collect_references(source, likelihood, nodes)
    first = analyses[0]
    reader = ModifierReader(
        source,
        references,
        first.bounds,
        first.values,
        settings.shapesys,
        remarks if settings.compose else None,
    )
    bare = Workspace(reader.channels(nodes), (Measurement(""),), observations)
    measure = MeasurementReader(reader, nodes, bare, remarks).measurement
    measurements = tuple(map(measure, analyses))
    version = format_version(measurements)
    if source.stated.get("version") == EXTENDED_VERSION:
        version = EXTENDED_VERSION
    workspace = Workspace(bare.channels, measurements, observations, version)
    _tell_losses(source, analyses, remarks)
    edges = {node.name: bin_edges(node) for node in nodes}
    known = {name: found for name, found in edges.items() if found is not None}
    return HS3Import(workspace, remarks.report("hs32json", known))


def _tell_losses(
    document: HS3Document, analyses: Sequence[Analysis], remarks: Remarks
) -> None:
    """Tell what a workspace has no place for."""
    for key in document.metadata:
        if key not in ("hs3_version", "packages"):
            remarks.lost("metadata", f"/metadata/{key}", key)
    for analysis in analyses:
        if analysis.prior:
            place = f"{analysis.pointer}/prior"
            remarks.lost("prior", place, f"the prior of {analysis.name!r}")


def _channels(document: HS3Document, likelihood: Likelihood) -> tuple[ChannelNode, ...]:
    """Read the distributions of a likelihood, all of which have to be channels."""
    found: dict[str, ChannelNode] = {}
    for index, name in enumerate(likelihood.distributions):
        place = f"{likelihood.pointer}/distributions/{index}"
        placed = document.distribution(name, place)
        if placed.type != "histfactory_dist":
            message = (
                f"distribution {name!r} of the likelihood {likelihood.name!r} is a "
                f"{placed.type!r}, and hfjax reads only likelihoods whose "
                "distributions are all of type 'histfactory_dist'"
            )
            raise SpecificationError(message, placed.pointer)
        node = read_channel(document, placed, name.removeprefix(MODEL))
        if node.name in found:
            message = f"likelihood {likelihood.name!r} has channel {node.name!r} twice"
            raise SpecificationError(message, place)
        found[node.name] = node
    if not found:
        message = f"likelihood {likelihood.name!r} has no distributions"
        raise SpecificationError(message, likelihood.pointer)
    return tuple(found.values())
