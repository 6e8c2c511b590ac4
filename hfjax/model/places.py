"""Where templates stand, by the names of modifiers, channels and samples."""

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

    def types(
        self, name: str, where: tuple[str, str], among: Sequence[str]
    ) -> tuple[str, ...]:
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
        acting = [p for p in self._positions if p[2:] == where and p.type in among]
        found = tuple(sorted(p.type for p in acting if p.name == name))
        if found:
            return found
        channel, sample = where
        names = sorted({p.name for p in acting})
        place = f"sample {sample!r} of channel {channel!r}"
        raise unknown_name(" or ".join(among), name, names, place)

    def position(self, place: Place) -> int:
        """Position of a template.

        Raises:
            UnknownNameError: there is no such channel, or no such sample in it; close
                names are given.
        """
        if place in self._positions:
            return self._positions[place]
        samples = [p for p in self._positions if p.type == NOMINAL]
        known = sorted({p.sample for p in samples if p.channel == place.channel})
        if known:
            where = f"channel {place.channel!r}"
            error = unknown_name("sample", place.sample, known, where)
        else:
            channels = sorted({p.channel for p in samples})
            error = unknown_name("channel", place.channel, channels, "the model")
        raise error
