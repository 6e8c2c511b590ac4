"""Where templates stand, by the names of modifiers, channels and samples."""

from collections.abc import Mapping
from typing import NamedTuple

from hfjax.errors import unknown_name

NOMINAL = "sample"
"""Stands for the type of a modifier where the events of a sample itself are meant."""


class Place(NamedTuple):
    """A template.

    Attributes:
        type: of the modifier, or `NOMINAL`.
        name: of the modifier; "" of a sample itself.
        channel: its channel.
        sample: its sample.
    """

    type: str
    name: str
    channel: str
    sample: str


class Places:
    """Positions of templates: rows of samples and histosys, of normsys, of cells.

    Part of what programs are compiled for, so that it is hashed once only.

    Example:
        >>> places = Places({Place("sample", "", "SR", "top"): 3})
        >>> places.position(Place("sample", "", "SR", "top"))
        3
    """

    def __init__(self, positions: Mapping[Place, int]) -> None:
        self._positions = dict(positions)
        self._hash = hash(tuple(self._positions.items()))

    def __hash__(self) -> int:
        """Of all positions."""
        return self._hash

    def __eq__(self, other: object) -> bool:
        """Whether all positions are the same."""
        if self is other:
            return True
        return isinstance(other, Places) and self._positions == other._positions

    def types(self, name: str, channel: str, sample: str) -> tuple[str, ...]:
        """Types of the modifiers of a name that act on a sample in a channel."""
        place = name, channel, sample
        return tuple(p.type for p in self._positions if p[1:] == place)

    def position(self, place: Place) -> int:
        """Position of a template.

        Raises:
            UnknownNameError: there is none; says which of the names is unknown, and
                gives close ones.
        """
        if place in self._positions:
            return self._positions[place]
        raise self._unknown(place)

    def _unknown(self, place: Place) -> Exception:
        """The error for a template that does not exist."""
        known = [p for p in self._positions if p.type == place.type]
        channels = {p.channel for p in known}
        if place.channel not in channels:
            what = f"templates of type {place.type}" if place.name else "the model"
            return unknown_name("channel", place.channel, sorted(channels), what)
        where = f"channel {place.channel!r}"
        own = [p for p in known if p.channel == place.channel]
        samples = {p.sample for p in own}
        if place.sample not in samples:
            return unknown_name("sample", place.sample, sorted(samples), where)
        names = {p.name for p in own if p.sample == place.sample}
        where = f"sample {place.sample!r} of {where}"
        return unknown_name(place.type, place.name, sorted(names), where)
