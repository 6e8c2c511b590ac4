"""Bins of a staterror that are fixed because their uncertainty is small."""

from collections.abc import Sequence

from hfjax.documents.convert.hs3.document import entries
from hfjax.documents.convert.hs3.modifiers import STATERROR, ChannelNode
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.reading.json_values import Number, number
from hfjax.errors import SpecificationError


def stated_threshold(
    group: ParameterGroup, channels: Sequence[ChannelNode]
) -> Number | None:
    """Return the threshold of a staterror, as its channels have it.

    Raises:
        SpecificationError: Its channels have different ones.
    """
    if group.kind != "staterror":
        return None
    found = {_threshold(each) for each in channels if each.name in group.offsets}
    if len(found) > 1:
        message = (
            f"staterror {group.name!r} has the thresholds {sorted(found)} in its "
            "channels, and hfjax has one: name the staterrors after their channels"
        )
        raise SpecificationError(message)
    threshold = found.pop()
    return threshold if threshold > 0 else None


def _threshold(channel: ChannelNode) -> Number:
    for holder in STATERROR:
        settings = entries(channel.placed.content.get(holder, {}))
        if "relThreshold" in settings:
            return number(settings["relThreshold"])
    return 0.0


def smallest_kept(group: ParameterGroup, fixed: Sequence[bool]) -> Number | None:
    """Return a threshold that fixes just these bins of a staterror; None without one.

    >>> bounds = ((0.0, 9.0),) * 3
    >>> widths = (0.1, 0.02, 0.3)
    >>> stat = ParameterGroup(
    ...     *("stat", "staterror", False, (1,) * 3, bounds, (False,) * 3),
    ...     *("normal", (1,) * 3, widths),
    ... )
    >>> smallest_kept(stat, (False, True, False))
    0.1
    >>> smallest_kept(stat, (True, False, False)) is None
    True
    """
    if group.kind != "staterror":
        return None
    bins = list(zip(group.widths, fixed, group.fixed, strict=True))
    kept = [width for width, const, empty in bins if not const and not empty]
    small = [width for width, const, empty in bins if const and not empty]
    if kept and small and max(small) < min(kept):
        return min(kept)
    return None
