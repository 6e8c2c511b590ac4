"""Collect what a build would refuse: contradicting modifiers, impossible settings."""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hfjax.documents.check.finding import Finding, Places, Spot, report
from hfjax.documents.parameters.default_groups import add_group, default_group
from hfjax.documents.parameters.derived import (
    Derived,
    derived_parameters,
    expression_problems,
    starting_problems,
    starting_values,
)
from hfjax.documents.parameters.overrides import configured
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.parameters.parameter_sets import independent_groups
from hfjax.documents.parameters.uses import Use, requests
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.measurement import ParameterConfig
from hfjax.documents.workspace.workspace import Measurement, Workspace
from hfjax.errors import ModelError

Groups = dict[str, ParameterGroup]

_SETTINGS = ("inits", "bounds", "sigmas", "factors", "auxdata")
_REFUSALS = {
    "normsys": "normsys-negative",
    "shapesys": "shapesys-shared",
    "staterror": "staterror-mismatch",
}


def gather(workspace: Workspace, places: Places) -> tuple[Groups, list[Finding]]:
    """Collect the parameters that modifiers ask for, and what is refused.

    Returns:
        Parameters by name with the defaults of their types, without those that are
        refused; and for each refusal an error with the words of the build.
    """
    groups: Groups = {}
    refused: list[Finding] = []
    for kind, name, uses in requests(workspace):
        wrong = list(_contradictions(kind, name, uses, places))
        refused += wrong
        if wrong:
            continue
        try:
            add_group(groups, default_group(kind, name, uses), uses)
        except ModelError as error:
            spot = parameter_spot(uses[0], places)
            refused.append(report("name-conflict", spot, str(error)))
    return groups, refused


def _contradictions(
    kind: str, name: str, uses: list[Use], places: Places
) -> Iterator[Finding]:
    """Yield what the modifiers of one type and name contradict by themselves."""
    alone = kind in ("normsys", "histosys")  # each stands or falls for itself
    for some in [[use] for use in uses] if alone else [uses]:
        try:
            default_group(kind, name, some)
        except ModelError as error:
            spot = parameter_spot(_odd_one(kind, some), places)
            yield report(_REFUSALS[kind], spot, str(error))


def parameter_spot(use: Use, places: Places) -> Spot:
    """The place of a modifier, as one of a parameter."""
    return places.modifier(*use).inside("", parameter=use[2].name)


def _odd_one(kind: str, uses: list[Use]) -> Use:
    """The place to look at first, among those that contradict one another."""
    if kind == "shapesys":
        return uses[1]
    channels = {channel.name for channel, _, _ in uses}
    for use in uses:
        if {c.name for c, sample, _ in uses if sample.name == use[1].name} < channels:
            return use
    return uses[0]


def settle(
    groups: Groups, measurement: Measurement, spot: Spot
) -> tuple[Groups, list[Finding]]:
    """Apply the settings of a measurement, and collect those that are refused.

    Args:
        groups: parameters with their defaults.
        measurement: the measurement.
        spot: its place.

    Returns:
        Parameters by name, with defaults where settings are refused, and held at their
        first value where an expression gives them; and for each refusal an error with
        the words of the build.
    """
    settled: Groups = {}
    refused: list[Finding] = []
    problems = list(expression_problems(measurement, groups))
    derived = () if problems else derived_parameters(measurement, groups)
    for name, group in independent_groups(groups, derived).items():
        config, place = configuration(measurement, name, spot)
        if config is not None and config.expression is not None:  # a refused one
            config = None
        try:
            settled[name] = configured(group, config)
        except ModelError as error:
            settled[name] = group
            refused += _refused_settings(group, config, place, error)
    problems += starting_problems(derived, settled.values())
    for name, why in problems:
        _, place = configuration(measurement, name, spot)
        place = place.inside("/expression")
        refused.append(report("expression-refused", place, why))
    values = starting_values(derived, settled.values())
    return settled | _held(groups, derived, values), refused


def _held(
    groups: Groups, derived: Sequence[Derived], values: Mapping[str, Number]
) -> Groups:
    """The parameters of modifiers that expressions give, where fits start."""
    return {
        name: dataclasses.replace(
            groups[name],
            inits=(values[name],),
            bounds=((-math.inf, math.inf),),
            fixed=(True,),
        )
        for name, _ in derived
        if name in groups and not math.isnan(values[name])
    }


def configuration(
    measurement: Measurement, name: str, spot: Spot
) -> tuple[ParameterConfig | None, Spot]:
    """What a measurement says about a parameter set, and where."""
    place = spot.inside("/config/parameters", parameter=name)
    for index, config in enumerate(measurement.parameters):
        if config.name == name:
            return config, place.inside(f"/{index}")
    return None, place


def _refused_settings(
    group: ParameterGroup, config: ParameterConfig | None, spot: Spot, error: ModelError
) -> Iterator[Finding]:
    """Yield every setting that is refused by itself."""
    good = ParameterConfig(group.name)
    if group.kind == "lumi":
        good = ParameterConfig("lumi", (1,), ((0, 10),), auxdata=(1,), sigmas=(1,))
        needed = {key for key in _SETTINGS if getattr(good, key) is not None}
        if config is None or any(getattr(config, key) is None for key in needed):
            yield report("lumi-unconfigured", spot, str(error))
            return
    found = False
    for key in _SETTINGS:
        value = getattr(config, key)
        if value is None:
            continue
        changed: dict[str, Any] = {key: value}
        try:
            configured(group, dataclasses.replace(good, **changed))
        except ModelError as refusal:
            found = True
            kind = _kind_of_refusal(group, key, value)
            yield report(kind, spot.inside(f"/{key}"), str(refusal))
    if not found:  # the template's own widths, which any setting brings to light
        yield report("width-impossible", spot, str(error))


def _kind_of_refusal(group: ParameterGroup, key: str, value: tuple[Any, ...]) -> str:
    own = {"normal": ("sigmas", "auxdata"), "poisson": ("factors", "auxdata")}
    if key not in ("inits", "bounds", *own.get(group.constraint, ())):
        return "setting-foreign"
    if key == "bounds" and not all(low <= high for low, high in value):
        return "bounds-reversed"
    return "setting-length" if len(value) != group.size else "width-impossible"
