"""Check the parameter of interest of a measurement."""

from collections.abc import Iterator

from hfjax.documents.check.finding import Finding, Spot, report
from hfjax.documents.check.refusals import Groups, configuration
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.workspace.workspace import Measurement
from hfjax.errors import several_components


def poi_findings(
    groups: Groups,
    measurement: Measurement,
    spot: Spot,
    poi: str | None,
    poi_value: float,
) -> Iterator[Finding]:
    """Check whether a value of the parameter of interest can be tested.

    Args:
        groups: the parameters, with their settings.
        measurement: names the parameter of interest.
        spot: the measurement's place.
        poi: the parameter of interest as the model will have it, None if there is none.
        poi_value: the value to be tested.
    """
    place = spot.inside("/config/poi")
    if poi is None:
        yield report("poi-none", place, "the measurement names none")
        return
    place = place.inside("", parameter=poi)
    if poi not in groups:
        why = f"no sample has a modifier named {poi!r}, so that nothing can be tested"
        yield report("poi-missing", place, why)
        return
    group = groups[poi]
    if poi != measurement.poi:
        why = f"the measurement names {measurement.poi!r}, and {poi!r} is taken for it"
        yield report("poi-spelling", place, why)
    if group.size > 1:
        error = several_components(poi, group.size)
        yield report("poi-several", place, str(error))
        return
    config, setting = configuration(measurement, poi, spot)
    if group.fixed[0]:
        why = f"{poi!r} is fixed, so that no value of it can be tested"
        said = config is not None and config.fixed
        yield report("poi-fixed", setting.inside("/fixed") if said else place, why)
    if group.constraint:
        why = f"{poi!r} is a {group.kind}, which has a constraint term"
        yield report("poi-constrained", place, why)
    yield from _bounds(group, setting, poi_value)


def _bounds(group: ParameterGroup, spot: Spot, poi_value: float) -> Iterator[Finding]:
    (low, high) = group.bounds[0]
    shown = f"[{low:g}, {high:g}]"
    if not low <= poi_value <= high:
        why = f"the tested value {poi_value:g} is outside the bounds {shown}"
        yield report("poi-out-of-bounds", spot, why)
    elif low < high == poi_value:
        why = f"the tested value {poi_value:g} is the upper bound: fits end there"
        yield report("poi-at-bound", spot, why)
    if low < 0:
        why = (
            f"the bounds {shown} allow negative signals: qtilde of programs that take "
            "the bound for its definition is another there"
        )
        yield report("poi-negative", spot, why)
