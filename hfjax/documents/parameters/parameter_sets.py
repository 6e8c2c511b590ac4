"""The parameters that a workspace brings: which, in what order, shared by whom.

Every modifier asks for the parameters of its name. Modifiers of one name share them
where all ask for the same; the measurement then overrides defaults. Order, defaults and
sharing follow pyhf 0.7.6.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from hfjax.documents.parameters.background import Background, patched_groups
from hfjax.documents.parameters.default_groups import default_group, default_groups
from hfjax.documents.parameters.derived import (
    Derived,
    brought_parameters,
    derived_parameters,
    names_in_expressions,
    starting_problems,
)
from hfjax.documents.parameters.model_numbers import refuse_numbers, refuse_settings
from hfjax.documents.parameters.overrides import configured
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.parameters.uses import KINDS
from hfjax.documents.workspace.workspace import (
    Measurement,
    Workspace,
)
from hfjax.errors import ModelError


class ModelParameters(NamedTuple):
    """The parameters of a model.

    Attributes:
        groups: those that fits move, or hold, in pyhf's order.
        derived: normfactors that expressions of them give, each after what it needs.
    """

    groups: tuple[ParameterGroup, ...]
    derived: tuple[Derived, ...]


def model_parameters(
    workspace: Workspace,
    measurement: Measurement,
    background: Background | None = None,
) -> ModelParameters:
    """List the parameters of a workspace in pyhf's order, and those that others give.

    Args:
        workspace: channels with their samples and modifiers.
        measurement: its parameter settings replace defaults.
        background: what is known of a workspace that was patched to get this one.

    Raises:
        ModelError: modifiers of one name disagree, a shapesys is shared, lumi has no
            configuration, a setting does not fit its parameter, an expression cannot
            be computed, or events or settings are no finite numbers.
    """
    refuse_numbers(workspace)
    found = _model_parameters(workspace, measurement, background)
    names = {group.name for group in found.groups}
    refuse_settings(workspace, measurement, names)
    return found


def _model_parameters(
    workspace: Workspace,
    measurement: Measurement,
    background: Background | None = None,
) -> ModelParameters:
    configs = {config.name: config for config in measurement.parameters}
    if background is None:
        defaults = default_groups(workspace)
    else:
        defaults = patched_groups(background, workspace)
    derived = derived_parameters(measurement, defaults)
    free = independent_groups(defaults, derived) if derived else defaults
    groups = tuple(configured(g, configs.get(g.name)) for g in free.values())
    for _, message in starting_problems(derived, groups):
        raise ModelError(message)
    return ModelParameters(groups, derived)


def parameter_groups(
    workspace: Workspace, measurement: Measurement
) -> tuple[ParameterGroup, ...]:
    """List the parameters of a workspace without those that others give.

    Raises:
        ModelError: as `model_parameters`, but for numbers that are not finite.
    """
    return _model_parameters(workspace, measurement).groups


def independent_groups(
    groups: Mapping[str, ParameterGroup], derived: Collection[Derived]
) -> dict[str, ParameterGroup]:
    """Return the parameters without those that expressions give.

    Free parameters that only expressions use stand behind the normfactors.

    Args:
        groups: the parameters that modifiers ask for, by name.
        derived: parameters that expressions give.
    """
    given = {each.name for each in derived}
    found = [group for name, group in groups.items() if name not in given]
    found += [
        default_group("normfactor", name, [])
        for name in brought_parameters(derived, groups)
    ]
    found.sort(key=lambda group: KINDS.index(group.kind))
    return {group.name: group for group in found}


def parameter_of_interest(
    groups: Sequence[ParameterGroup],
    measurement: Measurement,
    background: Workspace | None = None,
) -> str | None:
    """Return the parameter of interest, as far as the parameters have it.

    Published signal patches do not always bring the very name that the background's
    measurement announces. A parameter that differs from it only in capitals is taken,
    or else the only normfactor that the signal brings.

    Args:
        groups: the parameters.
        measurement: names the parameter of interest; "" is none.
        background: the workspace before the signal was added.

    Returns:
        Name of the parameter of interest; the announced one if nothing replaces it.
    """
    named = measurement.poi
    names = [group.name for group in groups]
    if not named or named in names:
        return named or None
    alike = [name for name in names if name.lower() == named.lower()]
    if not alike and background is not None:
        before = {name for name, _ in background.modifiers}
        before |= names_in_expressions(background.measurements)
        new = [group for group in groups if group.name not in before]
        alike = [group.name for group in new if group.kind == "normfactor"]
    return alike[0] if len(alike) == 1 else named
