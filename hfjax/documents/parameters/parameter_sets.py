"""The parameters that a workspace brings: which, in what order, shared by whom.

Every modifier asks for the parameters of its name. Modifiers of one name share them
where all ask for the same; the measurement then overrides defaults. Order, defaults and
sharing follow pyhf 0.7.6.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from hfjax.documents.parameters.bin_uncertainties import relative_uncertainty
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
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.workspace import (
    Channel,
    Measurement,
    Modifier,
    Sample,
    Workspace,
)
from hfjax.errors import ModelError

KINDS = (
    "histosys",
    "lumi",
    "normfactor",
    "normsys",
    "shapefactor",
    "shapesys",
    "staterror",
)
"""Types of modifiers, in the order in which their parameters are listed."""


class Use(NamedTuple):
    """A modifier at its place: a use of the parameters of its name.

    Attributes:
        channel: the channel.
        sample: the sample in it.
        modifier: the modifier of that.
    """

    channel: Channel
    sample: Sample
    modifier: Modifier


class ModelParameters(NamedTuple):
    """The parameters of a model.

    Attributes:
        groups: those that fits move, or hold, in pyhf's order.
        derived: normfactors that expressions of them give, each after what it needs.
    """

    groups: tuple[ParameterGroup, ...]
    derived: tuple[Derived, ...]


def model_parameters(workspace: Workspace, measurement: Measurement) -> ModelParameters:
    """List the parameters of a workspace in pyhf's order, and those that others give.

    Args:
        workspace: channels with their samples and modifiers.
        measurement: its parameter settings replace defaults.

    Raises:
        ModelError: modifiers of one name disagree, a shapesys is shared, lumi has no
            configuration, a setting does not fit its parameter, an expression cannot
            be computed, or events or settings are no finite numbers.
    """
    refuse_numbers(workspace)
    found = _model_parameters(workspace, measurement)
    names = {group.name for group in found.groups}
    refuse_settings(workspace, measurement, names)
    return found


def _model_parameters(
    workspace: Workspace, measurement: Measurement
) -> ModelParameters:
    configs = {config.name: config for config in measurement.parameters}
    defaults = default_groups(workspace)
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
    found += [_normfactor(name, []) for name in brought_parameters(derived, groups)]
    found.sort(key=lambda group: KINDS.index(group.kind))
    return {group.name: group for group in found}


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


def requests(workspace: Workspace) -> Iterator[tuple[str, str, list[Use]]]:
    """Yield which modifiers ask for parameters: type, name, and all their places.

    They come in the order of the parameters; a name comes once for each of its types.
    """
    found = collect(workspace)
    for kind in KINDS:
        names = sorted(found[kind]) if kind == "staterror" else found[kind]
        for name in names:
            yield kind, name, found[kind][name]


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
    if not known.shares_with(group):
        raise _not_shared(known, group, uses[0])


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


def collect(workspace: Workspace) -> dict[str, dict[str, list[Use]]]:
    """Find the places of every modifier, by type and name, in pyhf's walking order."""
    found: dict[str, dict[str, list[Use]]] = {kind: {} for kind in KINDS}
    for use in walk(workspace):
        modifier = use[2]
        found[modifier.type].setdefault(modifier.name, []).append(use)
    return found


def walk(workspace: Workspace) -> Iterator[Use]:
    """Yield every modifier: channels, samples and modifiers in alphabetical order."""
    for channel in sorted(workspace.channels, key=lambda c: c.name):
        for sample in sorted(channel.samples, key=lambda s: s.name):
            for modifier in sample.in_order:
                yield Use(channel, sample, modifier)


def bin_count(channel: Channel) -> int:
    """Return the number of bins of a channel."""
    return len(channel.samples[0].data)


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
