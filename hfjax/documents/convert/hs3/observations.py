"""Observed data of an HS3 document."""

import math
from collections.abc import Mapping

from hfjax.documents.convert.hs3.document import (
    HS3Document,
    Likelihood,
    Object,
    Placed,
    entries,
    entry,
)
from hfjax.documents.convert.hs3.modifiers import ChannelNode
from hfjax.documents.reading.json_values import (
    Malformed,
    Number,
    items,
    number,
    numbers,
    text,
)
from hfjax.documents.workspace.channel import Observation
from hfjax.errors import SpecificationError


def read_observations(
    document: HS3Document, likelihood: Likelihood, channels: tuple[ChannelNode, ...]
) -> tuple[Observation, ...]:
    """Read the observed data of channels, in the order of the document.

    Data of channels that do not exist are kept if they are called as the others are:
    a published workspace leaves them where patches have removed channels.

    Raises:
        SpecificationError: Data are not binned, or not in the bins of their channel.
        Malformed: The form is wrong.
    """
    names: dict[str, str] = {}
    for channel, name in zip(channels, likelihood.data, strict=True):
        placed = document.datum(name, f"{likelihood.pointer}/data")
        _check_bins(channel, placed)
        if name in names:
            message = f"data {name!r} belong to two channels: give each its own"
            raise SpecificationError(message, placed.pointer)
        names[name] = channel.name
    names |= _alike(document, names)
    return tuple(
        Observation(names[name], _contents(placed))
        for name, placed in document.data.items()
        if name in names
    )


def _alike(document: HS3Document, names: Mapping[str, str]) -> dict[str, str]:
    """Data that are called as those of channels are, with another channel's name."""
    prefixes = {
        name.removesuffix(channel) if name.endswith(channel) else ""
        for name, channel in names.items()
    }
    prefix = prefixes.pop() if len(prefixes) == 1 else ""
    return {
        name: name.removeprefix(prefix)
        for name, placed in document.data.items()
        if prefix and name not in names and name.startswith(prefix)
        if placed.type == "binned"
    }


def bin_count(axes: object) -> int | None:
    """Return the number of bins that axes make together; None if they do not say.

    >>> bin_count([{"name": "x", "nbins": 2}, {"name": "y", "edges": [0, 1, 5]}])
    4
    """
    counts = [_bins(entries(axis)) for axis in items(axes, 0)]
    return None if None in counts or not counts else math.prod(c for c in counts if c)


def bin_edges(channel: ChannelNode) -> tuple[Number, ...] | None:
    """Return the edges of a channel's bins; None if not known, or just 0, 1, 2 ..."""
    axes = items(channel.placed.content.get("axes", []), 0)
    if len(axes) != 1:
        return None
    axis = entries(axes[0])
    for key in ("edges", "bounds"):
        if key in axis:
            return numbers(axis[key])
    bins = len(channel.samples[0].contents)
    if not {"min", "max"} <= axis.keys():
        return None
    low, high = number(axis["min"]), number(axis["max"])
    edges = tuple(low + (high - low) * i / bins for i in range(bins + 1))
    return None if edges == tuple(range(bins + 1)) else edges


def _bins(axis: Object) -> int | None:
    """Bins of an axis, by number or by edges, which old versions call bounds."""
    if "nbins" in axis:
        if isinstance(axis["nbins"], int) and not isinstance(axis["nbins"], bool):
            return axis["nbins"]
        raise Malformed
    for key in ("edges", "bounds"):
        if key in axis:
            return len(numbers(axis[key])) - 1
    return None


def _check_bins(channel: ChannelNode, placed: Placed) -> None:
    """Refuse data in other bins than those of the channel, or in another order."""
    own = channel.placed.content.get("axes", [])
    theirs = placed.content.get("axes", own)
    if _names(own) != _names(theirs):
        message = (
            f"data {placed.name!r} have the axes {_names(theirs)}, and channel "
            f"{channel.name!r} has {_names(own)}: bins would be mistaken for others"
        )
        raise SpecificationError(message, f"{placed.pointer}/axes")
    data = len(_contents(placed))
    bins = len(channel.samples[0].contents)
    for found, what, pointer in (
        (bin_count(own), "axes", f"{channel.placed.pointer}/axes"),
        (bin_count(theirs), "data's axes", f"{placed.pointer}/axes"),
        (data, "data", f"{placed.pointer}/contents"),
    ):
        if found not in (None, bins):
            message = (
                f"the {what} of channel {channel.name!r} have {found} bins, and its "
                f"first sample has {bins}"
            )
            raise SpecificationError(message, pointer)


def _names(axes: object) -> list[str]:
    return [text(entry(entries(axis), "name")) for axis in items(axes, 0)]


def _contents(placed: Placed) -> tuple[Number, ...]:
    """Events of each bin."""
    kind = text(entry(placed.content, "type"))
    if kind != "binned" or "uncertainty" in placed.content:
        what = f"of type {kind!r}" if kind != "binned" else "binned with an uncertainty"
        message = (
            f"data {placed.name!r} are {what}, and hfjax reads only binned data, "
            "counts of events"
        )
        raise SpecificationError(message, placed.pointer)
    return numbers(entry(placed.content, "contents"))
