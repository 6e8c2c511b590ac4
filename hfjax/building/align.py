"""Parameters of many points, aligned by name.

Patches bring different modifiers, remove channels, and change constraint widths of
parameters that they share with the background. The union of all parameters is laid out
once; each point then gets its own values at the positions of that union.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hfjax.building.layout import Layout, channel_bins, make_layout
from hfjax.documents.parameters.derived import Derived
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.workspace.workspace import Workspace


@dataclasses.dataclass(frozen=True)
class SignalPoint:
    """A point that has a model.

    Attributes:
        name: name of its patch.
        values: values of the labels.
        poi: its parameter of interest, None if none is named.
        announced: parameter of interest that the measurement names, None if none.
    """

    name: str
    values: tuple[Any, ...]
    poi: str | None
    announced: str | None = None


class PatchedPoint(NamedTuple):
    """A point while its model is built.

    Attributes:
        point: what is kept of it.
        workspace: the patched workspace.
        groups: its parameters.
        derived: parameters that expressions give.
    """

    point: SignalPoint
    workspace: Workspace
    groups: tuple[ParameterGroup, ...]
    derived: tuple[Derived, ...] = ()


def union_layout(members: Sequence[PatchedPoint]) -> Layout:
    """Lay out all channels and parameters that occur in any point."""
    bins: dict[str, int] = {}
    groups: dict[str, ParameterGroup] = {}
    derived: dict[str, Derived] = {}
    for member in members:
        widths = channel_bins(member.workspace)
        bins |= widths
        for group in member.groups:
            known = groups.get(group.name)
            groups[group.name] = joined(known, group, widths) if known else group
        derived |= {each.name: each for each in member.derived}
    return make_layout(bins, tuple(groups.values()), tuple(derived.values()))


def joined(
    known: ParameterGroup, new: ParameterGroup, widths: dict[str, int]
) -> ParameterGroup:
    """Extend a group by the bins that another point has for it."""
    if known.scalar:
        return known
    if known.kind == "shapefactor":
        wider = max(known, new, key=lambda group: group.size)
        return dataclasses.replace(wider, offsets={**known.offsets, **new.offsets})
    for channel, offset in new.offsets.items():
        if channel not in known.offsets:
            chosen = range(offset, offset + widths[channel])
            known = _appended(known, new, chosen, channel)
    return known


def _appended(
    known: ParameterGroup, new: ParameterGroup, chosen: range, channel: str
) -> ParameterGroup:
    def both(field: str) -> tuple:
        old, more = getattr(known, field), getattr(new, field)
        return old + tuple(more[i] for i in chosen if more)

    fields = ("inits", "bounds", "fixed", "auxdata", "widths")
    return dataclasses.replace(
        known,
        offsets={**known.offsets, channel: known.size},
        **{field: both(field) for field in fields},
    )


def own_layout(member: PatchedPoint, union: Layout) -> tuple[Layout, np.ndarray]:
    """Fill the union with the values of one point.

    Returns:
        The layout with this point's values, and which parameters it has; those that it
        lacks are fixed.
    """
    widths = channel_bins(member.workspace)
    own = {group.name: group for group in member.groups}
    groups, present = {}, []
    for name, wide in union.groups.items():
        places = positions(own[name], wide, widths) if name in own else {}
        groups[name] = _filled(wide, own.get(name), places)
        present += [i in places for i in range(wide.size)]
    layout = Layout(union.channels, union.sets, groups, union.derived)
    return layout, np.array(present, bool)


def positions(
    own: ParameterGroup, wide: ParameterGroup, widths: dict[str, int]
) -> dict[int, int]:
    """Where in the union's group each parameter of a point's group stands."""
    if own.scalar or own.kind == "shapefactor":
        return {i: i for i in range(own.size)}
    return {
        wide.offsets[channel] + i: offset + i
        for channel, offset in own.offsets.items()
        for i in range(widths[channel])
    }


def _filled(
    wide: ParameterGroup, own: ParameterGroup | None, places: dict[int, int]
) -> ParameterGroup:
    """The union's group with a point's values at their places, the rest fixed."""
    same = len(places) == wide.size and all(a == b for a, b in places.items())
    if own is not None and own.size == wide.size and same:
        known = own.offsets == wide.offsets
        return own if known else dataclasses.replace(own, offsets=wide.offsets)

    def pick(field: str) -> tuple:
        default = getattr(wide, field)
        values = getattr(own, field) if own else ()
        return tuple(
            values[places[i]] if i in places else value
            for i, value in enumerate(default)
        )

    lacking = tuple(i not in places for i in range(wide.size))
    fixed = tuple(a or b for a, b in zip(pick("fixed"), lacking, strict=True))
    values = {f: pick(f) for f in ("inits", "bounds", "auxdata", "widths")}
    return dataclasses.replace(wide, fixed=fixed, **values)
