"""Write a workspace as an HS3 document, in the form that ROOT reads and writes."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from hfjax.documents.convert.hs3.columns import Column, columns
from hfjax.documents.convert.hs3.names import OBSERVED
from hfjax.documents.convert.hs3.shape_errors import ShapeSysValues
from hfjax.documents.convert.hs3.write_channels import ChannelWriter
from hfjax.documents.convert.hs3.write_parameters import (
    analyses,
    domains,
    parameter_points,
)
from hfjax.documents.convert.hs3.write_terms import Component, WrittenTerms, write_terms
from hfjax.documents.convert.loss_report import Remarks
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import ModelError

HS3_VERSION = "0.2"
"""The version of the standard that is written."""

LIKELIHOOD = "simPdf_obsData"
"""The name of the one likelihood that is written."""


def write_hs3(
    workspace: Workspace,
    shapesys: ShapeSysValues = ShapeSysValues.RELATIVE,
    binning: Mapping[str, Sequence[Number]] | None = None,
) -> dict[str, Any]:
    """Write a workspace as an HS3 document.

    Channels become distributions of type `histfactory_dist`, measurements become
    analyses. Parameters have ROOT's names (see `hfjax.documents.convert.hs3.names`),
    initial values are in parameter points, bounds in domains, constraint terms are
    distributions centred at constants `nom_...`. What HS3 has no place for is under
    `misc/hfjax`: the settings of parameters as the measurements state them, which
    `read_hs3` takes over where they agree with the rest.

    Args:
        workspace: any workspace that has a meaning as a model.
        shapesys: what the numbers of a shapesys are to be: relative to the events of
            its sample, as ROOT reads them, or absolute, as pyhs3 and NextStat do.
        binning: edges of the bins of channels, of which a workspace knows nothing.

    Returns:
        The document: dict, list, str, int, float, bool or None.

    Raises:
        ModelError: The workspace has no meaning as a model, an expression gives a
            parameter, a channel has staterrors of different names, two parameters would
            have one name, or measurements differ in what HS3 has only once.
        SpecificationError: The edges do not fit the bins.

    >>> from hfjax.documents.workspace.workspace import Channel, Measurement, Modifier
    >>> from hfjax.documents.workspace.workspace import Observation, Sample
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
    _refuse_expressions(workspace)
    found = columns(workspace)
    terms = write_terms(found, len(workspace.measurements))
    _refuse_one_name_for_two(workspace, found, terms)
    writer = ChannelWriter(found, terms, shapesys, binning or {})
    models = [writer.channel(channel) for channel in workspace.channels]
    likelihood = {
        "name": LIKELIHOOD,
        "distributions": [model["name"] for model in models],
        "data": [OBSERVED + channel.name for channel in workspace.channels],
    }
    data = [
        {
            "name": OBSERVED + each.name,
            "type": "binned",
            "axes": writer.axes(each.name, len(each.data)),
            "contents": list(each.data),
        }
        for each in workspace.observations
    ]
    document = {
        "metadata": {"hs3_version": HS3_VERSION},
        "distributions": models + terms.distributions,
        "functions": terms.functions,
        "data": data,
        "likelihoods": [likelihood],
        "domains": domains(workspace, found, terms.constants),
        "parameter_points": parameter_points(workspace, found, terms.constants),
        "analyses": analyses(workspace, found, LIKELIHOOD),
        "misc": {"hfjax": _stated(workspace), "ROOT_internal": _root(workspace)},
    }
    if not terms.functions:
        del document["functions"]
    return document


def without_expressions(workspace: Workspace, remarks: Remarks) -> Workspace:
    """Return a workspace whose normfactors are all free, and tell what is lost.

    Args:
        workspace: any workspace, which stays as it is.
        remarks: gets each expression as a loss.
    """
    measurements = []
    for i, measurement in enumerate(workspace.measurements):
        for j, config in enumerate(measurement.parameters):
            if config.expression is not None:
                pointer = f"/measurements/{i}/config/parameters/{j}/expression"
                what = f"{config.expression!r} of {config.name!r}"
                remarks.lost("expression", pointer, what)
        kept = tuple([p for p in measurement.parameters if p.expression is None])
        measurements.append(dataclasses.replace(measurement, parameters=kept))
    return dataclasses.replace(workspace, measurements=tuple(measurements))


def _refuse_expressions(workspace: Workspace) -> None:
    for measurement in workspace.measurements:
        for name, expression in measurement.expressions.items():
            message = (
                f"parameter {name!r} of measurement {measurement.name!r} is given by "
                f"the expression {expression.text!r}, which hfjax does not write as "
                "HS3: see `without_expressions`, or convert the workspace"
            )
            raise ModelError(message)


def _refuse_one_name_for_two(
    workspace: Workspace, found: dict[str, Column], terms: WrittenTerms
) -> None:
    """Refuse parameters, or constants of constraint terms, that HS3 would mix up."""
    named = [(n, f"parameter {c.name!r}") for c in found.values() for n in c.names]
    named += [(name, "a constraint term") for name in terms.constants[0]]
    absent = {each.poi for each in workspace.measurements} - {"", *found}
    named += [(name, f"parameter of interest {name!r}") for name in sorted(absent)]
    owners: dict[str, str] = {}
    for name, owner in named:
        if name in owners:
            message = (
                f"{owners[name]} and {owner} would both have {name!r} in HS3: rename "
                "one of them"
            )
            raise ModelError(message)
        owners[name] = owner


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
    return {"attributes": dict.fromkeys(names, tags)}
