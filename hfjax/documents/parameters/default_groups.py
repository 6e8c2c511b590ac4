"""Parameters as the types of their modifiers have them, before any measurement."""

import math

from hfjax.documents.parameters.bin_uncertainties import relative_uncertainty
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.parameters.uses import Use, bin_count, requests
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.workspace import Channel, Modifier, Sample, Workspace
from hfjax.errors import ModelError


def default_groups(workspace: Workspace) -> dict[str, ParameterGroup]:
    """Return the parameters by name, as the types of their modifiers have them.

    The luminosity has no auxiliary data and no width before a measurement gives them.

    Raises:
        ModelError: modifiers of one name disagree, or a shapesys is shared.
    """
    groups: dict[str, ParameterGroup] = {}
    for kind, name, uses in requests(workspace):
        add_group(groups, default_group(kind, name, uses), uses)
    return groups


def default_group(kind: str, name: str, uses: list[Use]) -> ParameterGroup:
    """Make the parameters that modifiers of one type and name ask for.

    Raises:
        ModelError: the modifiers contradict one another.
    """
    return _DEFAULTS[kind](name, uses)


def add_group(
    groups: dict[str, ParameterGroup], group: ParameterGroup, uses: list[Use]
) -> None:
    """Add parameters to those that are there by name, or share them.

    Args:
        groups: the parameters so far, which may gain one.
        group: the parameters that modifiers ask for.
        uses: the places of the modifiers, for the message.

    Raises:
        ModelError: modifiers of another type have the name and need other parameters.
    """
    known = groups.setdefault(group.name, group)
    if known is not group and not known.shares_with(group):
        raise _not_shared(known, group, uses[0])


def _alpha(name: str, uses: list[Use]) -> ParameterGroup:
    """Interpolation parameter of normsys and histosys: standard normal constraint."""
    kind = uses[0][2].type
    for use in uses if kind == "normsys" else ():
        _check_factors(*use)
    bounds = ((-5.0, 5.0),)
    return ParameterGroup(
        name, kind, True, (0.0,), bounds, (False,), "normal", (0.0,), (1.0,)
    )


def _check_factors(channel: Channel, sample: Sample, modifier: Modifier) -> None:
    low, high = modifier.data["lo"], modifier.data["hi"]
    if 0 <= low < math.inf and 0 <= high < math.inf:
        return
    why = (
        "a negative factor has no exponential interpolation; use a histosys, or zero"
        if low < 0 or high < 0
        else "a factor has to be finite"
    )
    place = _place(channel, sample)
    message = (
        f"normsys {modifier.name!r} of {place} has lo {low:g} and hi {high:g}: {why}"
    )
    raise ModelError(message)


def _normfactor(name: str, uses: list[Use]) -> ParameterGroup:
    del uses
    return ParameterGroup(name, "normfactor", True, (1.0,), ((0.0, 10.0),), (False,))


def _lumi(name: str, uses: list[Use]) -> ParameterGroup:
    """Luminosity; every value comes from the measurement, see `configured`."""
    del uses
    return ParameterGroup(
        name, "lumi", True, (1.0,), ((0.0, 10.0),), (False,), "normal"
    )


def _shapefactor(name: str, uses: list[Use]) -> ParameterGroup:
    """One free factor a bin; channels of different width share their first bins."""
    size = max(bin_count(channel) for channel, _, _ in uses)
    return ParameterGroup(
        name,
        "shapefactor",
        False,
        (1.0,) * size,
        ((0.0, 10.0),) * size,
        (False,) * size,
        offsets={channel.name: 0 for channel, _, _ in uses},
    )


def _shapesys(name: str, uses: list[Use]) -> ParameterGroup:
    """One factor a bin, Poisson term with ``tau = (nominal / uncertainty)^2``."""
    (channel, sample, modifier), *others = uses
    if others:
        places = " and ".join(_place(*use[:2]) for use in (uses[0], others[0]))
        message = (
            f"shapesys {name!r} is used by {places}: its constraint belongs to one "
            "sample; give each its own name"
        )
        raise ModelError(message)
    taus = [_tau(n, u) for n, u in zip(sample.data, modifier.data, strict=True)]
    return ParameterGroup(
        name,
        "shapesys",
        False,
        (1.0,) * len(taus),
        ((1e-10, 10.0),) * len(taus),
        tuple(tau is None for tau in taus),
        "poisson",
        tuple(1.0 if tau is None else tau for tau in taus),
        tuple(1.0 if tau is None else tau for tau in taus),
        offsets={channel.name: 0},
    )


def _tau(nominal: Number, uncertainty: Number) -> float | None:
    """Auxiliary events of a bin; None where it has no constraint and is fixed."""
    if nominal > 0 and uncertainty > 0:
        ratio = float(nominal) / uncertainty
        return ratio * ratio  # where a power would overflow with an error
    return None


def _staterror(name: str, uses: list[Use]) -> ParameterGroup:
    """One factor a bin, with the relative uncertainty of all samples that carry it.

    ``delta_b = sqrt(sum_s uncertainty_sb^2) / sum_s nominal_sb``, over the samples with
    this modifier; a bin with ``delta_b = 0`` is fixed and gets the width 1.
    """
    channels = _staterror_channels(name, uses)
    widths: list[float] = []
    offsets: dict[str, int] = {}
    for channel in channels:
        offsets[channel.name] = len(widths)
        carriers = [(s, m) for c, s, m in uses if c.name == channel.name]
        widths += _relative_uncertainties(carriers)
    size = len(widths)
    return ParameterGroup(
        name,
        "staterror",
        False,
        (1.0,) * size,
        ((1e-10, 10.0),) * size,
        tuple(width == 0 for width in widths),
        "normal",
        (1.0,) * size,
        tuple(width or 1.0 for width in widths),
        offsets=offsets,
    )


def _relative_uncertainties(carriers: list[tuple[Sample, Modifier]]) -> list[float]:
    nominals = zip(*(sample.data for sample, _ in carriers), strict=True)
    errors = zip(*(modifier.data for _, modifier in carriers), strict=True)
    return [
        relative_uncertainty(nominal, error)
        for nominal, error in zip(nominals, errors, strict=True)
    ]


def _staterror_channels(name: str, uses: list[Use]) -> list[Channel]:
    """Channels of a staterror; every sample that has it must have it in all of them."""
    channels = {channel.name: channel for channel, _, _ in uses}
    users: dict[str, set[str]] = {}
    for channel, sample, _ in uses:
        users.setdefault(sample.name, set()).add(channel.name)
    for sample, used in users.items():
        if missing := sorted(set(channels) - used):
            message = (
                f"staterror {name!r} spans channels {sorted(channels)}, but sample "
                f"{sample!r} has it only in {sorted(used)} and not in {missing}: name "
                "the staterror after its channel"
            )
            raise ModelError(message)
    return [channels[key] for key in sorted(channels)]


_DEFAULTS = {
    "histosys": _alpha,
    "lumi": _lumi,
    "normfactor": _normfactor,
    "normsys": _alpha,
    "shapefactor": _shapefactor,
    "shapesys": _shapesys,
    "staterror": _staterror,
}


def _not_shared(first: ParameterGroup, second: ParameterGroup, use: Use) -> ModelError:
    message = (
        f"parameter {first.name!r} is a {first.kind} and also a {second.kind} "
        f"({_place(*use[:2])}), which need different parameters: rename one of them"
    )
    return ModelError(message)


def _place(channel: Channel, sample: Sample) -> str:
    return f"sample {sample.name!r} in channel {channel.name!r}"
