"""Check what a measurement says about parameters, as far as a build accepts it."""

from collections.abc import Iterator, Mapping

from hfjax.documents.check.finding import Finding, Places, Spot, report
from hfjax.documents.check.refusals import Groups, configuration, parameter_spot
from hfjax.documents.check.templates import finite
from hfjax.documents.parameters.derived import names_in_expressions
from hfjax.documents.parameters.overrides import starts_outside
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.parameters.uses import Use
from hfjax.documents.workspace.measurement import ParameterConfig
from hfjax.documents.workspace.workspace import Measurement


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
    used = names_in_expressions([measurement])
    for config in measurement.parameters:
        _, place = configuration(measurement, config.name, spot)
        if config.name in groups:
            yield from _not_finite(config, place)
            yield from _starts(groups[config.name], place)
            if not all(groups[config.name].fixed):
                yield from _freedom(groups[config.name], config, place)
                if config.name in known - {poi}:
                    yield from _negative_bounds(groups[config.name], place)
        elif config.name not in known | used:
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
            error = starts_outside(name, float(value), float(low), float(high))
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
    groups: Groups, uses: Mapping[str, list[Use]], poi: str | None, places: Places
) -> Iterator[Finding]:
    """Find free normfactors of which only the product matters.

    Args:
        groups: the parameters, with their settings.
        uses: places of all normfactors, by name.
        poi: the parameter of interest.
        places: of the workspace.
    """
    known: dict[frozenset[tuple[str, str]], str] = {}
    free = [name for name in uses if name in groups and not groups[name].fixed[0]]
    for name in sorted(free, key=lambda name: name != poi):
        where = frozenset((c.name, s.name) for c, s, _ in uses[name])
        first = known.setdefault(where, name)
        if first != name:
            kind = "poi-degenerate" if first == poi else "normfactors-degenerate"
            why = (
                f"{name!r} scales exactly what {first!r} scales: data see only their "
                "product"
            )
            yield report(kind, parameter_spot(uses[name][0], places), why)
