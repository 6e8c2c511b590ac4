"""Read the `histfactory_dist` part of an HS3 document as a workspace."""

from typing import Any

from hfjax.errors import SpecificationError
from hfjax.spec.hs3.choice import chosen_analyses
from hfjax.spec.hs3.document import HS3Document, Likelihood, parse_document
from hfjax.spec.hs3.modifiers import ChannelNode, read_channel
from hfjax.spec.hs3.names import MODEL
from hfjax.spec.hs3.observations import read_observations
from hfjax.spec.hs3.read_modifiers import ModifierReader
from hfjax.spec.hs3.read_parameters import read_measurements
from hfjax.spec.hs3.references import collect_references
from hfjax.spec.hs3.shape_errors import Meaning
from hfjax.spec.schema import HS3, validate
from hfjax.spec.strict import Malformed
from hfjax.spec.workspace import Workspace, format_version


def read_hs3(
    document: Any, analysis: str | None = None, shapesys: str | None = None
) -> Workspace:
    """Read an HS3 document as a workspace.

    What is read: one likelihood whose distributions are all of type
    `histfactory_dist`, the constraint terms of their parameters, and the analyses of
    this likelihood, which become measurements. Bin edges, errors of samples without a
    staterror and metadata have no place in a workspace. All else is refused by name.

    Args:
        document: a JSON document, as ROOT since 6.30 or `write_hs3` writes it.
        analysis: name of the one analysis to read; all of one likelihood by default.
        shapesys: whether vals of a shapesys are "relative" to the events of its sample,
            as ROOT has them, or "absolute", as pyhs3; found out by default.

    Returns:
        The workspace; of the extended format if constraints need it.

    Warns:
        UserWarning: Analyses of other data, or further parameters of interest, are left
            out.

    Raises:
        SpecificationError: The document is no HS3 document, or has something that hfjax
            does not read.
        ModelError: What it describes has no meaning as a HistFactory model.

    >>> channel = {
    ...     "name": "model_SR",
    ...     "type": "histfactory_dist",
    ...     "samples": [{"name": "signal", "data": {"contents": [5.0]}}],
    ... }
    >>> document = {
    ...     "metadata": {"hs3_version": "0.2"},
    ...     "distributions": [channel],
    ...     "data": [{"name": "observed", "type": "binned", "contents": [4.0]}],
    ...     "likelihoods": [
    ...         {"name": "fit", "distributions": ["model_SR"], "data": ["observed"]}
    ...     ],
    ... }
    >>> workspace = read_hs3(document)
    >>> workspace.channel("SR").sample("signal").data, workspace.measurement_names
    ((5.0,), ('fit',))
    """
    try:
        return _read(document, analysis, Meaning(shapesys) if shapesys else None)
    except Malformed:
        validate(document, HS3)
        message = "no HS3 document"  # not reached: the schema refuses what is malformed
        raise SpecificationError(message) from None


def _read(document: Any, analysis: str | None, meaning: Meaning | None) -> Workspace:
    source = parse_document(document)
    likelihood, analyses = chosen_analyses(source, analysis)
    nodes = _channels(source, likelihood)
    observations = read_observations(source, likelihood, nodes)
    references = collect_references(source, likelihood, nodes)
    first = analyses[0]
    reader = ModifierReader(source, references, first.bounds, first.values, meaning)
    channels = reader.channels(nodes)
    measurements = read_measurements(reader, channels, observations, analyses)
    version = format_version(measurements)
    return Workspace(channels, measurements, observations, version)


def _channels(
    document: HS3Document, likelihood: Likelihood
) -> tuple[ChannelNode, ...]:
    """Read the distributions of a likelihood, all of which have to be channels."""
    found = []
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
        found.append(read_channel(document, placed, name.removeprefix(MODEL)))
    return tuple(found)
