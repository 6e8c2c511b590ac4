"""Where channels and parameters stand in the arrays of a model."""

import dataclasses
import functools

from hfjax.documents.parameters.derived import Derived
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.parameters.uses import bin_count
from hfjax.documents.workspace.workspace import Workspace
from hfjax.model.parameters import ParameterSet


@dataclasses.dataclass(frozen=True)
class Layout:
    """Positions of everything that has a place in the arrays of a model.

    Attributes:
        channels: first bin and number of bins of each channel, in alphabetical order.
        sets: position and names of the parameters.
        groups: the parameters by name, in the order of ``sets``.
        derived: parameters that expressions give, which stand behind all others.
    """

    channels: dict[str, tuple[int, int]]
    sets: dict[str, ParameterSet]
    groups: dict[str, ParameterGroup]
    derived: tuple[Derived, ...] = ()

    @property
    def bins(self) -> int:
        """Number of bins of all channels."""
        return sum(width for _, width in self.channels.values())

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(group.size for group in self.groups.values())

    @property
    def factors(self) -> int:
        """Number of parameters, derived ones as well: what modifiers see."""
        return self.size + len(self.derived)

    @functools.cached_property
    def derived_index(self) -> dict[str, int]:
        """Position of each derived parameter."""
        return {each.name: self.size + i for i, each in enumerate(self.derived)}

    @functools.cached_property
    def channel_index(self) -> dict[str, int]:
        """Position of each channel."""
        return {name: i for i, name in enumerate(self.channels)}


def channel_bins(workspace: Workspace) -> dict[str, int]:
    """Number of bins of each channel."""
    return {channel.name: bin_count(channel) for channel in workspace.channels}


def make_layout(
    bins: dict[str, int],
    groups: tuple[ParameterGroup, ...],
    derived: tuple[Derived, ...] = (),
) -> Layout:
    """Give every channel, in alphabetical order, and every parameter its position.

    Args:
        bins: number of bins of each channel.
        groups: the parameters, in their order.
        derived: parameters that expressions give, in the order of evaluation.

    Example:
        >>> make_layout({"SR": 2, "CR": 3}, ()).channels
        {'CR': (0, 3), 'SR': (3, 2)}
    """
    channels, start = {}, 0
    for name in sorted(bins):
        channels[name] = (start, bins[name])
        start += bins[name]
    sets, start = {}, 0
    for group in groups:
        sets[group.name] = ParameterSet(group.name, start, group.size, group.scalar)
        start += group.size
    by_name = {group.name: group for group in groups}
    return Layout(channels, sets, by_name, derived)
