"""What parameters, distributions and data are called in HS3 documents.

HS3 names every parameter by itself, and these have ROOT's names (see
`hfjax.documents.convert.root_names`). Only a staterror that is not called after its
channel keeps its name, as in `gamma_mc_bin_0`. `nom_alpha_X` is where the constraint
term of `alpha_X` is centred.
"""

import re
from collections.abc import Sequence

from hfjax.documents.convert.root_names import STATERROR, root_names
from hfjax.documents.parameters.parameter_group import ParameterGroup

LUMI = "Lumi"
"""The luminosity's parameter and modifier, as ROOT calls them."""

MODEL = "model_"
"""What goes before a channel's name in that of its distribution."""

OBSERVED = "obsData_"
"""What goes before a channel's name in that of its observed data."""

ALPHA = "alpha_"
"""What goes before the name of an interpolated modifier in that of its parameter."""

_GAMMA = re.compile(r"gamma_(.*)_bin_([0-9]+)", re.DOTALL)


def parameter_names(group: ParameterGroup) -> tuple[str, ...]:
    """Return what the components of a parameter set are called.

    >>> tilt = ParameterGroup("tilt", "normsys", True, (0,), ((-5.0, 5.0),), (False,))
    >>> parameter_names(tilt)
    ('alpha_tilt',)
    """
    staterror_of_a_channel = [f"{STATERROR}{channel}" for channel in group.offsets]
    if group.kind == "staterror" and [group.name] != staterror_of_a_channel:
        return gamma_names(group.name, group.size)
    return root_names(group.name, group.kind, dict.fromkeys(group.offsets, group.size))


def gamma_names(stem: str, size: int) -> tuple[str, ...]:
    """Return ROOT's names of factors of single bins.

    >>> gamma_names("stat_SR", 2)
    ('gamma_stat_SR_bin_0', 'gamma_stat_SR_bin_1')
    """
    return tuple(f"gamma_{stem}_bin_{i}" for i in range(size))


def gamma_stem(parameters: Sequence[str]) -> str | None:
    """Return the stem of ROOT's names of neighbouring bins; None if they are others.

    >>> gamma_stem(["gamma_stat_SR_bin_2", "gamma_stat_SR_bin_3"])
    'stat_SR'
    >>> gamma_stem(["left", "right"]) is None
    True
    """
    found = [_GAMMA.fullmatch(name) for name in parameters]
    parts = [(match[1], int(match[2])) for match in found if match]
    if not parts or len(parts) != len(found):
        return None
    stem, start = parts[0]
    neighbours = [(stem, start + i) for i in range(len(parts))]
    return stem if parts == neighbours else None


def nominal_name(parameter: str) -> str:
    """Return the name of the value at which a constraint term is centred.

    >>> nominal_name("alpha_tilt"), nominal_name("Lumi")
    ('nom_alpha_tilt', 'nominalLumi')
    """
    return "nominalLumi" if parameter == LUMI else f"nom_{parameter}"


def constraint_name(parameter: str) -> str:
    """Return the name of a constraint term, as ROOT forms it.

    >>> constraint_name("alpha_tilt"), constraint_name("gamma_fake_bin_0")
    ('alpha_tiltConstraint', 'gamma_fake_bin_0_constraint')
    """
    if parameter == LUMI:
        return "lumiConstraint"
    return f"{parameter}{'_c' if _GAMMA.fullmatch(parameter) else 'C'}onstraint"
