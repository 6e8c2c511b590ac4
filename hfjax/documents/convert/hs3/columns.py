"""The parameter sets of a workspace in all of its measurements, side by side.

HS3 has one set of distributions for all analyses: what measurements set differently has
to go where analyses may differ, which is their domains and parameter points.
"""

import dataclasses
from typing import NamedTuple

from hfjax.documents.convert.hs3.names import parameter_names
from hfjax.documents.parameters.default_groups import default_groups
from hfjax.documents.parameters.overrides import configured
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.parameters.parameter_sets import parameter_groups
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.measurement import Measurement, ParameterConfig
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import ModelError

_KINDS_ONLY = ("name", "constraint", "threshold")


class Term(NamedTuple):
    """What constrains one parameter.

    ``scale (theta + shift)`` is 1 where nothing is pulled, except in Gaussian terms,
    which are in units of the parameter.

    Attributes:
        kind: "normal", "poisson", "lognormal", or "" for no term.
        datum: the auxiliary datum.
        width: standard deviation, factor tau, or logarithm of kappa.
        scale: see above.
        shift: see above.
    """

    kind: str
    datum: Number = 0.0
    width: Number = 1.0
    scale: float = 1.0
    shift: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A parameter set in all measurements.

    Attributes:
        names: what its components are called in HS3.
        groups: the set as each measurement has it.
        bases: the same, with no more said than the kind of constraint and a threshold.
        threshold: of a staterror: the threshold that all measurements set.
    """

    names: tuple[str, ...]
    groups: tuple[ParameterGroup, ...]
    bases: tuple[ParameterGroup, ...]
    threshold: Number | None

    @property
    def name(self) -> str:
        """Name of the parameter set."""
        return self.groups[0].name

    @property
    def kind(self) -> str:
        """Kind of the constraint terms."""
        return self.groups[0].constraint

    def terms(self, index: int) -> list[Term]:
        """What constrains one component, in each measurement.

        A bin without events or uncertainty has a constant term, which HS3 leaves out;
        that of a luminosity stays, since HS3 takes one without a term for free.
        """
        found = [term(group, index) for group in self.groups]
        plain = [term(base, index) for base in self.bases]
        known = all(base.fixed[index] for base in self.bases)
        left_out = known and found == plain and self.groups[0].kind != "lumi"
        return [Term("")] * len(found) if left_out else found

    @property
    def overridden(self) -> bool:
        """Whether a measurement moves or widens a constraint term."""
        return any(
            group.auxdata != base.auxdata or group.widths != base.widths
            for group, base in zip(self.groups, self.bases, strict=True)
        )


def columns(workspace: Workspace) -> dict[str, Column]:
    """List the parameter sets of a workspace, by name and in pyhf's order.

    Raises:
        ModelError: a measurement gives no model, or measurements differ in what HS3 has
            only once.
    """
    per_measurement = [
        {group.name: group for group in parameter_groups(workspace, measurement)}
        for measurement in workspace.measurements
    ]
    defaults = default_groups(workspace)
    return {
        name: _column(
            default,
            [groups[name] for groups in per_measurement],
            workspace.measurements,
        )
        for name, default in defaults.items()
    }


def term(group: ParameterGroup, index: int) -> Term:
    """Return what constrains a component of a parameter set."""
    if not group.constraint:
        return Term("")
    datum, width = float(group.auxdata[index]), float(group.widths[index])
    return Term(group.constraint, datum, width, group.scale, group.shift)


def _column(
    default: ParameterGroup,
    groups: list[ParameterGroup],
    measurements: tuple[Measurement, ...],
) -> Column:
    configs = [each.parameter(default.name) for each in measurements]
    if len({group.constraint for group in groups}) > 1:
        raise _differ(default, "kinds of constraint")
    thresholds = {config.threshold if config else None for config in configs}
    if len(thresholds) > 1:
        raise _differ(default, "thresholds")
    bases = [_base(default, config) for config in configs]
    names = parameter_names(default)
    return Column(names, tuple(groups), tuple(bases), thresholds.pop())


def _base(default: ParameterGroup, config: ParameterConfig | None) -> ParameterGroup:
    """The set with the measurement's kind of constraint and threshold only."""
    if config is None:
        return default
    if default.kind == "lumi":  # which has no term of its own
        return configured(default, config)
    kept = {key: getattr(config, key) for key in _KINDS_ONLY}
    if config.constraint and default.kind != "staterror":
        kept["sigmas"] = config.sigmas  # they say what beta is
    return configured(default, ParameterConfig(**kept))


def _differ(group: ParameterGroup, what: str) -> ModelError:
    message = (
        f"the measurements give parameter {group.name!r} different {what}, and HS3 has "
        "one for all analyses: convert them one by one, see `hfjax prune`"
    )
    return ModelError(message)
