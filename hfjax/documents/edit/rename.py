"""Rename the parts of a workspace, all at once."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hfjax.documents.edit.prune import modifier_names, refuse_unknown
from hfjax.documents.parameters.derived import names_in_expressions
from hfjax.documents.workspace.channel import Channel, Sample
from hfjax.documents.workspace.measurement import Measurement, ParameterConfig
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import EditError, SpecificationError

Names = Mapping[str, str]
"""New names by old names."""


def rename(
    workspace: Workspace,
    *,
    channels: Names | None = None,
    samples: Names | None = None,
    modifiers: Names | None = None,
    measurements: Names | None = None,
) -> Workspace:
    """Return a workspace with other names; all names change at once.

    The observation of a channel changes its name with it. A modifier's name is that of
    its parameter: what measurements say about it, the parameter of interest and
    expressions follow. Parameters that only expressions use are renamed as modifiers;
    so is a parameter of interest that only patches bring, and these keep its old name.
    Modifiers may get the name of another one, and share its parameter from then on.

    Args:
        workspace: the workspace, which stays as it is.
        channels: new names of channels by their old names, as in those that follow.
        samples: of samples, in all channels.
        modifiers: of modifiers, in all samples.
        measurements: of measurements.

    Raises:
        UnknownNameError: The workspace has no such name; close names are suggested.
        EditError: Two channels, two samples of a channel, two modifiers of a type in a
            sample, two measurements or two settings of a parameter would have the same
            name; "lumi" would lose the name that its type asks for; or an expression
            would need itself.

    >>> from hfjax.documents.workspace.workspace import Modifier, Observation
    >>> channel = Channel("SR", (Sample("top", (4,), (Modifier("mu", "normfactor"),)),))
    >>> observations = (Observation("SR", (4,)),)
    >>> ws = Workspace((channel,), (Measurement("m", "mu"),), observations)
    >>> renamed = rename(ws, channels={"SR": "SR_low"}, modifiers={"mu": "mu_top"})
    >>> renamed.observation("SR_low").data, renamed.measurement("m").poi
    ((4,), 'mu_top')
    """
    channels, samples = channels or {}, samples or {}
    modifiers, measurements = modifiers or {}, measurements or {}
    refuse_unknown("channel", channels, workspace.channel_names)
    refuse_unknown("sample", samples, workspace.sample_names)
    refuse_unknown("modifier", modifiers, _parameter_names(workspace))
    refuse_unknown("measurement", measurements, workspace.measurement_names)
    _keep_lumi(workspace, modifiers)
    inside = [_inside_channel(c, samples, modifiers) for c in workspace.channels]
    configs = [_inside_measurement(m, modifiers) for m in workspace.measurements]
    return dataclasses.replace(
        workspace,
        channels=_renamed("channel", inside, channels),
        measurements=_renamed("measurement", configs, measurements),
        observations=_renamed("observation", workspace.observations, channels),
    )


def _parameter_names(workspace: Workspace) -> list[str]:
    """What can be renamed as a modifier; components of another one cannot."""
    found = {*modifier_names(workspace), *names_in_expressions(workspace.measurements)}
    pois = {measurement.poi for measurement in workspace.measurements} - {""}
    found |= {poi for poi in pois if _whole(poi) not in found}
    return sorted(found)


def _new_poi(poi: str, names: Names) -> str:
    """The new name of a parameter of interest, which may be a component.

    >>> _new_poi("sf[0]", {"sf": "factor"})
    'factor[0]'
    """
    whole = _whole(poi)
    if whole is not None and poi not in names and whole in names:
        return names[whole] + poi.removeprefix(whole)
    return names.get(poi, poi)


def _whole(poi: str) -> str | None:
    """The name of what a parameter of interest is a component of; None if it is not."""
    found = re.fullmatch(r"(.+)\[\d+\]", poi)
    return found[1] if found else None


def _renamed(
    kind: str, records: Sequence[Any], new: Names, where: str = ""
) -> tuple[Any, ...]:
    """Records with their new names, which must differ, or their types must."""
    changed = [
        dataclasses.replace(found, name=new[found.name]) if found.name in new else found
        for found in records
    ]
    keys = [(found.name, getattr(found, "type", "")) for found in changed]
    if len(set(keys)) < len(keys):
        clashing = [
            before.name
            for before, key in zip(records, keys, strict=True)
            if keys.count(key) > 1
        ]
        first, second = clashing[:2]
        both = f"{kind}s {first!r} and {second!r}{where}"
        message = f"{both} would have one name: give them different ones"
        raise EditError(message)
    return tuple(changed)


def _inside_channel(channel: Channel, samples: Names, modifiers: Names) -> Channel:
    where = f" of channel {channel.name!r}"
    inside = [_inside_sample(s, modifiers, where) for s in channel.samples]
    renamed = _renamed("sample", inside, samples, where)
    return dataclasses.replace(channel, samples=renamed)


def _inside_sample(sample: Sample, modifiers: Names, where: str) -> Sample:
    where = f" of sample {sample.name!r}{where}"
    renamed = _renamed("modifier", sample.modifiers, modifiers, where)
    return dataclasses.replace(sample, modifiers=renamed)


def _inside_measurement(measurement: Measurement, modifiers: Names) -> Measurement:
    where = f" of measurement {measurement.name!r}"
    configs = _with_expressions(measurement, modifiers)
    parameters = _renamed("parameter", configs, modifiers, where)
    poi = _new_poi(measurement.poi, modifiers)
    try:
        return dataclasses.replace(measurement, poi=poi, parameters=parameters)
    except SpecificationError as error:
        message = f"measurement {measurement.name!r} with new names: {error.args[0]}"
        raise EditError(message) from error


def _with_expressions(
    measurement: Measurement, names: Names
) -> tuple[ParameterConfig, ...]:
    """Settings of parameters with new names in their expressions."""
    expressions = measurement.expressions
    return tuple(
        [
            dataclasses.replace(
                found, expression=expressions[found.name].renamed(names)
            )
            if found.name in expressions
            and not names.keys().isdisjoint(expressions[found.name].names)
            else found
            for found in measurement.parameters
        ]
    )


def _keep_lumi(workspace: Workspace, modifiers: Names) -> None:
    new = modifiers.get("lumi", "lumi")
    if new != "lumi" and ("lumi", "lumi") in workspace.modifiers:
        message = (
            f"modifier 'lumi' cannot be called {new!r}: modifiers of type lumi have no "
            "other name than 'lumi': leave it as it is"
        )
        raise EditError(message)
