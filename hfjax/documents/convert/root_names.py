"""What ROOT calls the parameters of a HistFactory model, and back.

| parameter | in ROOT |
|---|---|
| lumi | `Lumi` |
| normfactor `mu` | `mu` |
| normsys or histosys `jes` | `alpha_jes` |
| staterror of channel `SR`, bin 2 | `gamma_stat_SR_bin_2` |
| shapesys or shapefactor `fakes`, bin 2 | `gamma_fakes_bin_2` |

Bins count from 0.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_BIN = re.compile(r"^gamma_(.+?)_(?:bin_)?(\d+)$", re.DOTALL)
_SCALE_FACTORS = ("normfactor",)
_INTERPOLATED = ("normsys", "histosys")
STATERROR = "staterror_"
"""What the name of a staterror begins with; its channel's name follows."""


@dataclass(frozen=True, slots=True)
class ParameterName:
    """One parameter: the name of its set, and which of the set.

    Attributes:
        name: The name of the parameter set.
        component: Which one of the set, from 0; None for a set of one.
    """

    name: str
    component: int | None = None


def root_names(name: str, kind: str, bins: Mapping[str, int]) -> tuple[str, ...]:
    """Return what ROOT calls the parameters of one name.

    Args:
        name: the name of the parameter set.
        kind: the type of its modifiers.
        bins: the number of bins of each channel it is used in; those of a staterror
            follow one another, those of other types are the same parameters.

    >>> root_names("jes", "normsys", {"SR": 3})
    ('alpha_jes',)
    >>> root_names("staterror_SR", "staterror", {"SR": 2})
    ('gamma_stat_SR_bin_0', 'gamma_stat_SR_bin_1')
    """
    if kind == "lumi":
        return ("Lumi",)
    if kind in _SCALE_FACTORS:
        return (name,)
    if kind in _INTERPOLATED:
        return (f"alpha_{name}",)
    if kind == "staterror":
        each = [(f"stat_{channel}", size) for channel, size in sorted(bins.items())]
    else:
        each = [(name, max(bins.values()))]
    return tuple(f"gamma_{one}_bin_{i}" for one, size in each for i in range(size))


def parameter_name(root_name: str, known: Collection[str] = ()) -> ParameterName:
    """Return which parameter ROOT calls by a name.

    The inverse of `root_names`. A name that is itself a parameter's is taken as it is:
    a normfactor may be called `alpha_s`.

    Args:
        root_name: the name in ROOT; what pyhf writes is understood as well,
            `gamma_fakes_2` for a bin and `gamma_fakes` for all of them.
        known: the names of the parameter sets that exist.

    >>> parameter_name("alpha_jes")
    ParameterName(name='jes', component=None)
    >>> parameter_name("gamma_stat_SR_bin_2")
    ParameterName(name='staterror_SR', component=2)
    >>> parameter_name("alpha_s", known=["alpha_s", "mu"])
    ParameterName(name='alpha_s', component=None)
    """
    if root_name == "Lumi":
        return ParameterName("lumi")
    if root_name in known:
        return ParameterName(root_name)
    if match := _BIN.match(root_name):
        return ParameterName(_set_name(match[1], known), int(match[2]))
    if root_name.removeprefix("gamma_") in known:
        return ParameterName(root_name.removeprefix("gamma_"))
    return ParameterName(root_name.removeprefix("alpha_") or root_name)


def _set_name(inner: str, known: Collection[str]) -> str:
    """The parameter set whose bins are called `gamma_<inner>_bin_<i>`."""
    channel = inner.removeprefix("stat_")
    if inner not in known and channel != inner:
        return STATERROR + channel
    return inner
