"""Write a workspace as an HS3 document, in the form that ROOT reads and writes."""

import math
from collections.abc import Iterable
from typing import Any

from hfjax.errors import ModelError
from hfjax.spec.channel import Channel, Modifier, Observation, Sample
from hfjax.spec.hs3.columns import Column, columns
from hfjax.spec.hs3.names import LUMI, MODEL, OBSERVED
from hfjax.spec.hs3.write_parameters import analyses, domains, parameter_points
from hfjax.spec.hs3.write_terms import Component, WrittenTerms, write_terms
from hfjax.spec.strict import Number
from hfjax.spec.workspace import Workspace

HS3_VERSION = "0.2"
"""The version of the standard that is written."""

LIKELIHOOD = "simPdf_obsData"
"""The name of the one likelihood that is written."""

_TYPES = {"normal": "Gauss", "poisson": "Poisson", "lognormal": "LogNormal"}


def write_hs3(workspace: Workspace) -> dict[str, Any]:
    """Write a workspace as an HS3 document.

    Channels become distributions of type `histfactory_dist`, measurements become
    analyses. Parameters have ROOT's names (see `hfjax.spec.hs3.names`), initial values
    are in parameter points, bounds in domains, constraint terms are distributions
    centred at constants `nom_...`. What HS3 has no place for is under `misc/hfjax`: the
    settings of parameters as the measurements state them, which `read_hs3` takes over
    where they agree with the rest.

    Args:
        workspace: any workspace that has a meaning as a model.

    Returns:
        The document: dict, list, str, int, float, bool or None.

    Raises:
        ModelError: The workspace has no meaning as a model, a channel has staterrors of
            different names, two parameters would have one name, or measurements differ
            in what HS3 has only once.

    >>> mu = Modifier("mu", "normfactor")
    >>> channel = Channel("SR", (Sample("signal", (5, 7), (mu,)),))
    >>> measurement = Measurement("search", "mu")
    >>> observation = Observation("SR", (4, 8))
    >>> document = write_hs3(Workspace((channel,), (measurement,), (observation,)))
    >>> document["distributions"][0]["samples"][0]["modifiers"]
    [{'name': 'mu', 'type': 'normfactor', 'parameter': 'mu'}]
    >>> document["analyses"][0]["parameters_of_interest"]
    ['mu']
    """
    found = columns(workspace)
    terms = write_terms(found, len(workspace.measurements))
    models = [_distribution(channel, found, terms) for channel in workspace.channels]
    names = {each.name: OBSERVED + each.name for each in workspace.observations}
    likelihood = {
        "name": LIKELIHOOD,
        "distributions": [model["name"] for model in models],
        "data": [names[channel.name] for channel in workspace.channels],
    }
    document = {
        "metadata": {"hs3_version": HS3_VERSION},
        "distributions": models + terms.distributions,
        "functions": terms.functions,
        "data": [_data(observation) for observation in workspace.observations],
        "likelihoods": [likelihood],
        "domains": domains(workspace, found, terms.constants),
        "parameter_points": parameter_points(workspace, found, terms.constants),
        "analyses": analyses(workspace, found, LIKELIHOOD),
        "misc": {"hfjax": _stated(workspace), "ROOT_internal": _root(workspace)},
    }
    if not terms.functions:
        del document["functions"]
    return document


def _distribution(
    channel: Channel, found: dict[str, Column], terms: WrittenTerms
) -> Component:
    document: Component = {
        "name": MODEL + channel.name,
        "type": "histfactory_dist",
        "axes": _axes(channel.name, channel.bins),
        "samples": [_sample(channel, each, found, terms) for each in channel.samples],
    }
    if (column := _staterror(channel, found)) is not None:
        kind = _both_keys(_TYPES.get(column.kind))
        document["staterror"] = {**kind, "relThreshold": column.threshold or 0.0}
    return document


def _staterror(channel: Channel, found: dict[str, Column]) -> Column | None:
    """The staterror of a channel, of which HS3 has one at most."""
    modifiers = [m for s in channel.samples for m in s.modifiers]
    names = {m.name: None for m in modifiers if m.type == "staterror"}
    if len(names) > 1:
        message = (
            f"channel {channel.name!r} has the staterrors {[*names]}, and HS3 has one "
            "for all samples of a channel: make a shapesys of all but one"
        )
        raise ModelError(message)
    return found[next(iter(names))] if names else None


def _sample(
    channel: Channel, sample: Sample, found: dict[str, Column], terms: WrittenTerms
) -> Component:
    data: Component = {"contents": list(sample.data)}
    for modifier in sample.modifiers:
        if modifier.type == "staterror":
            data["errors"] = list(modifier.data)
    modifiers = [
        _modifier(modifier, channel, sample, found[modifier.name], terms)
        for modifier in sample.modifiers
    ]
    return {"name": sample.name, "data": data, "modifiers": modifiers}


def _modifier(
    modifier: Modifier,
    channel: Channel,
    sample: Sample,
    column: Column,
    terms: WrittenTerms,
) -> Component:
    document: Component = {"name": modifier.name, "type": modifier.type}
    if modifier.type == "lumi":
        document = {"name": LUMI, "type": "normfactor"}
    if column.groups[0].scalar:
        (parameter,) = column.names
        document["parameter"] = parameter
        return document | _scalar(modifier, column, terms.names.get(parameter))
    start = column.groups[0].offsets[channel.name]
    parameters = column.names[start : start + channel.bins]
    document["parameters"] = list(parameters)
    if modifier.type == "shapefactor":
        return document
    document |= _both_keys(_TYPES.get(column.kind))
    named = [terms.names.get(name) for name in parameters]
    if any(named) or modifier.type == "shapesys" or not column.kind:
        document["constraints"] = named
    if modifier.type == "shapesys":
        vals = modifier.data
        if shapesys is Meaning.RELATIVE:
            vals = map(relative, modifier.data, sample.data)
        document["data"] = {"vals": [*vals], "uncertainties": [*modifier.data]}
    return document


def _both_keys(kind: str | None) -> Component:
    """A kind of constraint: ROOT 6.30 reads the first key, 6.34 the second."""
    return {"constraint": kind, "constraint_type": kind} if kind else {}


def _scalar(modifier: Modifier, column: Column, constraint: str | None) -> Component:
    """Constraint and data of a modifier with a single parameter."""
    document: Component = {}
    if column.kind == "normal" and modifier.type != "lumi":
        document["constraint"] = "Gauss"
    if constraint is not None:
        document["constraint_name"] = constraint
    if modifier.type == "normsys":
        document["data"] = {key: modifier.data[key] for key in ("lo", "hi")}
    elif modifier.type == "histosys":
        document["data"] = {
            key: {"contents": list(modifier.data[f"{key}_data"])} for key in ("lo", "hi")
        }
    return document


def _data(observation: Observation) -> Component:
    return {
        "name": OBSERVED + observation.name,
        "type": "binned",
        "axes": _axes(observation.name, len(observation.data)),
        "contents": list(observation.data),
    }


def _axes(channel: str, bins: int) -> list[Component]:
    return [{"name": f"obs_x_{channel}", "min": 0.0, "max": float(bins), "nbins": bins}]


def _stated(workspace: Workspace) -> Component:
    """What HS3 has no place for: settings as they are stated, and the version."""
    settings = {
        measurement.name: [found.dump() for found in measurement.parameters]
        for measurement in workspace.measurements
    }
    return {"version": workspace.version, "settings": settings}


def _root(workspace: Workspace) -> Component:
    """What makes ROOT treat the channels as histograms, which it keeps here."""
    tags = {"tags": ["BinnedLikelihood", "GenerateBinned"]}
    names = (f"{channel.name}_model" for channel in workspace.channels)
    return {"attributes": {name: tags for name in names}}
