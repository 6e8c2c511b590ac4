"""Check parameters: those that modifiers ask for, and what a measurement says."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from hfjax.errors import ModelError
from hfjax.spec.finding import Finding, Places, Spot, report
from hfjax.spec.lint_templates import finite
from hfjax.spec.measurement import ParameterConfig
from hfjax.spec.overrides import configured, outside_bounds
from hfjax.spec.parameter_group import ParameterGroup
from hfjax.spec.parameters import Cell, add_group, default_group, requests
from hfjax.spec.workspace import Measurement, Workspace

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
    for kind, name, cells in requests(workspace):
        wrong = list(_contradictions(kind, name, cells, places))
        refused += wrong
        if wrong:
            continue
        try:
            add_group(groups, default_group(kind, name, cells), cells)
        except ModelError as error:
            spot = _spot(cells[0], places)
            refused.append(report("name-conflict", spot, str(error)))
    return groups, refused


def _contradictions(
    kind: str, name: str, cells: list[Cell], places: Places
) -> Iterator[Finding]:
    """Yield what the modifiers of one type and name contradict by themselves."""
    alone = kind in ("normsys", "histosys")  # each stands or falls for itself
    for some in [[cell] for cell in cells] if alone else [cells]:
        try:
            default_group(kind, name, some)
        except ModelError as error:
            spot = _spot(_odd_one(kind, some), places)
            yield report(_REFUSALS[kind], spot, str(error))


def _spot(cell: Cell, places: Places) -> Spot:
    return places.modifier(*cell).inside("", parameter=cell[2].name)


def _odd_one(kind: str, cells: list[Cell]) -> Cell:
    """The place to look at first, among those that contradict one another."""
    if kind == "shapesys":
        return cells[1]
    channels = {channel.name for channel, _, _ in cells}
    for cell in cells:
        if {c.name for c, sample, _ in cells if sample.name == cell[1].name} < channels:
            return cell
    return cells[0]


def settle(
    groups: Groups, measurement: Measurement, spot: Spot
) -> tuple[Groups, list[Finding]]:
    """Apply the settings of a measurement, and collect those that are refused.

    Args:
        groups: parameters with their defaults.
        measurement: the measurement.
        spot: its place.

    Returns:
        Parameters by name, with defaults where settings are refused; and for each
        refusal an error with the words of the build.
    """
    settled: Groups = {}
    refused: list[Finding] = []
    for name, group in groups.items():
        config, place = configuration(measurement, name, spot)
        try:
            settled[name] = configured(group, config)
        except ModelError as error:
            settled[name] = group
            refused += _refused_settings(group, config, place, error)
    return settled, refused


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


def setting_findings(
    groups: Groups,
    measurement: Measurement,
    spot: Spot,
    known: frozenset[str],
    poi: str | None,
) -> Iterator[Finding]:
    """Check settings that are accepted.

    Args:
        groups: the parameters, with their settings.
        measurement: the measurement.
        spot: its place.
        known: names of all modifiers, refused ones as well.
        poi: the parameter of interest, whose bounds are checked elsewhere.
    """
    for config in measurement.parameters:
        _, place = configuration(measurement, config.name, spot)
        if config.name in groups:
            yield from _not_finite(config, place)
            yield from _starts(groups[config.name], place)
            if not all(groups[config.name].fixed):
                yield from _freedom(groups[config.name], config, place)
                if config.name != poi:
                    yield from _negative_bounds(groups[config.name], place)
        elif config.name not in known:
            why = f"no modifier is named {config.name!r}"
            yield report("setting-unused", place, why)


def _not_finite(config: ParameterConfig, spot: Spot) -> Iterator[Finding]:
    """Yield settings that make the likelihood no number; bounds may be infinite."""
    for key in ("inits", "auxdata", "sigmas", "factors"):
        values = getattr(config, key) or ()
        if not finite(values):
            why = f"{key} {list(values)} of parameter {config.name!r} are not finite"
            yield report("setting-not-finite", spot.inside(f"/{key}"), why)


def _starts(group: ParameterGroup, spot: Spot) -> Iterator[Finding]:
    """Yield where an initial value is outside of its bounds."""
    for i, (value, (low, high)) in enumerate(
        zip(group.inits, group.bounds, strict=True)
    ):
        if not low <= value <= high:
            name = component(group, i)
            error = outside_bounds(name, float(value), float(low), float(high))
            yield report("init-outside-bounds", spot, str(error))


def component(group: ParameterGroup, index: int) -> str:
    """Name of one parameter of a set, as the model has it.

    >>> mu = ParameterGroup("mu", "normfactor", True, (1,), ((0.0, 10.0),), (False,))
    >>> component(mu, 0)
    'mu'
    """
    return group.name if group.scalar else f"{group.name}[{index}]"


def _freedom(
    group: ParameterGroup, config: ParameterConfig, spot: Spot
) -> Iterator[Finding]:
    """Check what fits may move: each kind of finding once for the set."""
    known: set[str] = set()
    for index in range(group.size):
        if group.fixed[index]:
            continue
        for found in (
            *_room(group, index, spot),
            *_constraint(group, index, config, spot),
        ):
            if found.kind not in known:
                known.add(found.kind)
                yield found


def _room(group: ParameterGroup, index: int, spot: Spot) -> Iterator[Finding]:
    """Check the bounds of a parameter, and where it starts between them."""
    (low, high), start = group.bounds[index], group.inits[index]
    name = component(group, index)
    if low == high:
        yield report("bounds-pinned", spot, f"both bounds of {name!r} are {low:g}")
    elif start in (low, high):
        why = f"{name!r} starts at {start:g}, which is one of its bounds"
        yield report("init-at-bound", spot, why)


def _constraint(
    group: ParameterGroup, index: int, config: ParameterConfig, spot: Spot
) -> Iterator[Finding]:
    """Check a parameter against its Gaussian constraint."""
    if group.constraint != "normal" or not group.auxdata:
        return
    (low, high), start = group.bounds[index], group.inits[index]
    centre, width = group.auxdata[index], group.widths[index]
    name = component(group, index)
    if low < high and (low > centre - width or high < centre + width):
        why = (
            f"the bounds [{low:g}, {high:g}] of {name!r} are narrower than its "
            f"constraint, {centre:g} +- {width:g}"
        )
        yield report("bounds-narrow", spot, why)
    if config.inits is not None and start != centre:
        why = (
            f"{name!r} starts at {start:g}, and its constraint is centred at {centre:g}"
        )
        yield report("init-off-centre", spot, why)


def _negative_bounds(group: ParameterGroup, spot: Spot) -> Iterator[Finding]:
    """Check that a factor without a constraint stays positive."""
    low = min(pair[0] for pair in group.bounds)
    if group.kind in ("normfactor", "shapefactor") and low < 0:
        why = f"{group.name!r} may go down to {low:g}, where yields are negative"
        yield report("bounds-negative", spot, why)


def degenerate_findings(
    groups: Groups, cells: Mapping[str, list[Cell]], poi: str | None, places: Places
) -> Iterator[Finding]:
    """Find free normfactors of which only the product matters.

    Args:
        groups: the parameters, with their settings.
        cells: places of all normfactors, by name.
        poi: the parameter of interest.
        places: of the workspace.
    """
    known: dict[frozenset[tuple[str, str]], str] = {}
    free = [name for name in cells if name in groups and not groups[name].fixed[0]]
    for name in sorted(free, key=lambda name: name != poi):
        where = frozenset((c.name, s.name) for c, s, _ in cells[name])
        first = known.setdefault(where, name)
        if first != name:
            kind = "poi-degenerate" if first == poi else "normfactors-degenerate"
            why = (
                f"{name!r} scales exactly what {first!r} scales: data see only their "
                "product"
            )
            yield report(kind, _spot(cells[name][0], places), why)
