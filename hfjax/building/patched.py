"""Points of a patchset: patched workspaces that have a model that can be tested."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from hfjax.building.align import PatchedPoint, SignalPoint
from hfjax.building.build import check_starts
from hfjax.building.layout import channel_bins
from hfjax.documents.parameters.background import Background
from hfjax.documents.parameters.parameter_sets import (
    model_parameters,
    parameter_of_interest,
)
from hfjax.documents.patchset.patchset import Patch
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import (
    HfjaxError,
    ModelError,
    UnknownNameError,
    derived_poi,
    fixed_poi,
    missing_poi,
    several_components,
    unknown_name,
)


class Search(NamedTuple):
    """What all points have in common.

    Attributes:
        workspace: the workspace without a signal.
        measurement: name or position of the measurement; the first by default.
        poi: name of the parameter of interest that is asked for.
        background: parameters of the workspace, where they can be found.
    """

    workspace: Workspace
    measurement: str | int | None
    poi: str | None
    background: Background | None


def patched_point(search: Search, patch: Patch) -> PatchedPoint:
    """Apply a patch and check that the result is a model."""
    patched = patch.apply(search.workspace)
    chosen = patched.measurement(search.measurement)
    groups, derived = model_parameters(patched, chosen, search.background)
    check_starts(groups)
    poi = search.poi
    if poi is None:
        poi = parameter_of_interest(groups, chosen, search.workspace)
    point = SignalPoint(patch.name, patch.values, poi, chosen.poi or None)
    return PatchedPoint(point, patched, groups, derived)


def testable(
    members: Sequence[PatchedPoint], asked: str | None
) -> tuple[list[PatchedPoint], dict[str, HfjaxError]]:
    """Tell the points whose parameter of interest can be tested from the others.

    Raises:
        HfjaxError: none has the parameter of interest that is asked for, or in none
            of them it can be tested.
    """
    good, refused = [], {}
    for member in members:
        try:
            _check_poi(member, asked)
            good.append(member)
        except HfjaxError as error:
            refused[member.point.name] = error
    if asked is not None and refused and not good:
        # that some have it, and why it cannot be tested there, tells more
        raise min(refused.values(), key=lambda why: isinstance(why, UnknownNameError))
    return good, refused


def _check_poi(member: PatchedPoint, asked: str | None) -> None:
    """Refuse a point whose parameter of interest cannot be tested."""
    poi, groups = member.point.poi, {group.name: group for group in member.groups}
    if poi is None or (asked is None and poi not in groups):
        raise missing_poi(poi)
    if any(poi == each.name for each in member.derived):
        raise derived_poi(poi)
    whole = poi.partition("[")[0]
    if poi not in groups and whole in groups and not groups[whole].scalar:
        message = (
            f"a scan tests no single component such as {poi!r}: test the points one by "
            "one (`hfjax cls --poi`, in Python `Model.with_poi`)"
        )
        raise ModelError(message)
    if poi not in groups:
        single = [name for name, group in groups.items() if group.size == 1]
        error = unknown_name("parameter", poi, single, "the model")
        raise error
    if groups[poi].size > 1:
        raise several_components(poi, groups[poi].size)
    if groups[poi].fixed[0]:
        raise fixed_poi(poi)


def compatible(members: Sequence[PatchedPoint]) -> list[list[PatchedPoint]]:
    """Group points in which every name means the same kind of thing."""
    groups: list[tuple[dict[str, Any], list[PatchedPoint]]] = []
    for member in members:
        meaning = _meaning(member)
        for known, group in groups:
            if all(known.get(key, value) == value for key, value in meaning.items()):
                known.update(meaning)
                group.append(member)
                break
        else:
            groups.append((meaning, [member]))
    return [group for _, group in groups]


def _meaning(member: PatchedPoint) -> dict[str, Any]:
    """What must not differ between points of one batch, by name."""
    kinds: dict[str, Any] = {
        f"parameter {g.name}": (g.scalar, g.constraint, g.kind == "shapefactor")
        for g in member.groups
    }
    kinds |= {f"parameter {d.name}": d.expression.tree for d in member.derived}
    bins = channel_bins(member.workspace)
    return kinds | {f"channel {name}": width for name, width in bins.items()}
