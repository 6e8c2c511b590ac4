"""A data set written into a workspace: Asimov data, or toys, as a document."""

import dataclasses

import numpy as np

from hfjax.arrays import Array
from hfjax.building.build import AS_LOADED, auxdata
from hfjax.building.layout import Layout, channel_bins, make_layout
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.parameters.parameter_sets import model_parameters
from hfjax.documents.workspace.channel import Observation
from hfjax.documents.workspace.measurement import Measurement, ParameterConfig
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import DataError, check_kind
from hfjax.model.data import Data, check_channels

_SAME = 1e-12  # relative: rounding of what the nominal parameters expect


def with_data(
    workspace: Workspace, data: Data, measurement: str | int | None = None
) -> Workspace:
    """Return a workspace whose data are others, such as those expected: Asimov data.

    Main data become the observations; auxiliary data the ``auxdata`` of parameters in
    the measurement, where they differ from what it has. `hfjax.build` of the result
    gives the same model, but for where valleys are looked for, with these data. Other
    measurements are left out: their auxiliary data would not be of this data set.

    Args:
        workspace: the workspace that the data are for, with its signal.
        data: with names: of `Model.expected_data`, `Model.sample` or `Model.data`.
        measurement: name or position of the measurement; the first by default.

    Raises:
        DataError: the data are of other channels or parameters; or a count is negative
            or no finite number; or an auxiliary datum has no place in the format, as
            that of lumi with a Poisson, gamma or log-normal constraint.
        ModelError: the workspace has no meaning as a model.

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([12.0], [50.0], [5.0], [58.0])
        >>> model, data = hfjax.build(search)
        >>> expected = model.expected_data(model.parameters.pack({"mu": 0.5}))
        >>> asimov = hfjax.with_data(search, expected)
        >>> asimov.observations[0].data
        (56.0,)
        >>> round(float(hfjax.fit(*hfjax.build(asimov))["mu"]), 9)
        0.5
    """
    check_kind("the workspace", workspace, Workspace, AS_LOADED)
    check_kind("data", data, Data, "model.expected_data(params) makes them")
    chosen = workspace.measurement(measurement)
    groups, derived = model_parameters(workspace, chosen)
    layout = make_layout(channel_bins(workspace), groups, derived)
    _check(layout, data)
    counts = {name: _numbers(values) for name, values in data.counts.items()}
    observations = tuple(
        Observation(each.name, counts.get(each.name, each.data))
        for each in workspace.observations
    )
    own = _with_auxdata(chosen, layout, data)
    return dataclasses.replace(
        workspace, observations=observations, measurements=(own,)
    )


def _check(layout: Layout, data: Data) -> None:
    """Refuse data of another model, and counts that nobody can have.

    Raises:
        DataError: says what they are of, or which count it is.
    """
    wanted = tuple(name for name, _ in auxdata(layout))
    if not data.channels or data.constrained != wanted:
        given = ", ".join(data.constrained) or "nothing"
        message = (
            f"data with auxiliary data of {given} for a workspace with those of "
            f"{', '.join(wanted) or 'nothing'}: make them with its own model, as "
            "model.expected_data does"
        )
        raise DataError(message)
    channels = tuple((name, width) for name, (_, width) in layout.channels.items())
    check_channels(channels, data)
    for name, values in data.counts.items():
        for count in _numbers(values):
            if not (np.isfinite(count) and count >= 0.0):
                message = (
                    f"{count:g} events in channel {name!r}: counts are finite numbers "
                    "that are not negative; take other parameters"
                )
                raise DataError(message)


def _with_auxdata(chosen: Measurement, layout: Layout, data: Data) -> Measurement:
    """The measurement with the auxiliary data of a data set."""
    values = {name: float(value) for name, value in data.auxiliary.items()}
    settings = {each.name: each for each in chosen.parameters}
    for name, group in layout.groups.items():
        own = tuple(values[each] for each in layout.sets[name].names if each in values)
        if own != group.auxdata and not _is_nominal_lumi(group, own):
            before = settings.get(name, ParameterConfig(name))
            settings[name] = dataclasses.replace(before, auxdata=own)
    return dataclasses.replace(chosen, parameters=tuple(settings.values()))


def _is_nominal_lumi(group: ParameterGroup, own: tuple[float, ...]) -> bool:
    """Whether data are the nominal ones of a lumi, which its kind may leave no other.

    Raises:
        DataError: they are others, which the format has no place for.
    """
    if group.kind != "lumi" or group.constraint == "normal":
        return False
    if np.allclose(own, group.auxdata, _SAME, 0.0):
        return True
    message = (
        f"an auxiliary datum of {group.name!r} that is not the nominal one cannot be "
        f"written: with a {group.constraint} constraint, its `auxdata` are the nominal "
        "luminosity; hold it at its nominal value"
    )
    raise DataError(message)


def _numbers(values: Array) -> tuple[float, ...]:
    """An array as numbers of a document."""
    return tuple(np.asarray(values, float).tolist())
