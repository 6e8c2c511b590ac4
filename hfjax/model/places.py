"""Where templates stand, by the names of modifiers, channels and samples."""

import functools
from collections.abc import Mapping, Sequence
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


Where = tuple[str, str]
"""Names of a channel and a sample in it."""
Positions = Mapping[tuple[str, str], int]
"""Of the templates of a sample in a channel, by type and name of the modifier."""


class Places:
    """Positions of templates: rows of samples and histosys, of normsys, of cells.

    Part of what programs are compiled for, so that it is hashed once only.

    Example:
        >>> places = Places({("SR", "top"): {("sample", ""): 3}})
        >>> places.position(Place("sample", "", "SR", "top"))
        3
    """

    def __init__(
        self, positions: Mapping[Where, Mapping[tuple[str, str], int]]
    ) -> None:
        """Keep positions by channel and sample.

        Args:
            positions: those of templates.
        """
        self._positions = positions

    @functools.cached_property
    def _hash(self) -> int:
        parts = [(w, frozenset(own.items())) for w, own in self._positions.items()]
        return hash(frozenset(parts))

    def __hash__(self) -> int:
        """Of all positions."""
        return self._hash

    def __eq__(self, other: object) -> bool:
        """Whether all positions are the same."""
        if self is other:
            return True
        return isinstance(other, Places) and self._positions == other._positions

    def types(self, name: str, where: Where, among: Sequence[str]) -> tuple[str, ...]:
        """Types of the modifiers of a name that act on a sample in a channel.

        Args:
            name: of the modifiers.
            where: names of the channel and the sample.
            among: types that are meant.

        Raises:
            UnknownNameError: there is no such sample, or none acts on it; close names
                are given.
        """
        self.position(Place(NOMINAL, "", *where))
        acting = [key for key in self._positions[where] if key[0] in among]
        found = tuple(sorted(kind for kind, own in acting if own == name))
        if found:
            return found
        channel, sample = where
        names = sorted({own for _, own in acting})
        place = f"sample {sample!r} of channel {channel!r}"
        raise unknown_name(" or ".join(among), name, names, place)

    def position(self, place: Place) -> int:
        """Position of a template.

        Raises:
            UnknownNameError: there is no such channel, or no such sample in it; close
                names are given.
        """
        own = self._positions.get(place[2:], {})
        if place[:2] in own:
            return own[place[:2]]
        known = sorted(s for c, s in self._positions if c == place.channel)
        if known:
            where = f"channel {place.channel!r}"
            error = unknown_name("sample", place.sample, known, where)
        else:
            channels = sorted({channel for channel, _ in self._positions})
            error = unknown_name("channel", place.channel, channels, "the model")
        raise error
