"""Prune a workspace: remove what has a name, or what is at a place."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from hfjax.documents.edit.kept_parts import Rules, keep_parts
from hfjax.documents.parameters.uses import walk
from hfjax.documents.workspace.channel import Modifier
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import EditError, unknown_name


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a workspace; a field that is None stands for any name.

    It means the deepest thing that it names: modifiers if it names a modifier or a
    type, or else samples if it names a sample, or else a channel.

    Attributes:
        channel: Name of the channel.
        sample: Name of the sample.
        modifier: Name of the modifier.
        type: Type of the modifier.

    >>> print(Place(channel="SR", sample="top", modifier="JES"))
    modifier 'JES' in sample 'top' in channel 'SR'
    """

    channel: str | None = None
    sample: str | None = None
    modifier: str | None = None
    type: str | None = None

    def __post_init__(self) -> None:
        if not self.names:
            message = "a place needs a channel, a sample, a modifier or a type"
            raise EditError(message)

    def __str__(self) -> str:
        return " in ".join(f"{kind} {name!r}" for kind, name in reversed(self.names))

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """Kind and name of everything that is named, the outermost first."""
        kinds = {
            "channel": self.channel,
            "sample": self.sample,
            "modifier type": self.type,
            "modifier": self.modifier,
        }
        return tuple([(k, name) for k, name in kinds.items() if name is not None])

    @property
    def depth(self) -> str:
        """What is meant: "modifier", "sample" or "channel"."""
        return self.names[-1][0].removesuffix(" type")

    def has_sample(self, channel: str, sample: str) -> bool:
        """Whether a sample in a channel is at this place, or around it."""
        return self.channel in (None, channel) and self.sample in (None, sample)

    def has_modifier(self, channel: str, sample: str, modifier: Modifier) -> bool:
        """Whether a modifier of a sample in a channel is at this place."""
        named = self.modifier in (None, modifier.name)
        typed = self.type in (None, modifier.type)
        return named and typed and self.has_sample(channel, sample)


def prune(
    workspace: Workspace,
    *places: Place,
    channels: Iterable[str] = (),
    samples: Iterable[str] = (),
    modifiers: Iterable[str] = (),
    modifier_types: Iterable[str] = (),
    measurements: Iterable[str] = (),
) -> Workspace:
    """Return a workspace without what has one of the names, or is at one of the places.

    The observation of a channel goes with it. What measurements say about a parameter
    goes with the last modifier that is pruned by its name; what is pruned by its type
    leaves its settings. A parameter of interest may lose its modifiers: in a
    background-only workspace, patches bring them. Patches count channels and samples,
    so a patchset for the workspace does not fit the result: its digest differs.

    Args:
        workspace: the workspace, which stays as it is.
        *places: what is removed, such as this modifier only in that channel and sample.
        channels: names of channels to remove.
        samples: names of samples to remove from all channels.
        modifiers: names of modifiers to remove from all samples.
        modifier_types: types of modifiers to remove from all samples.
        measurements: names of measurements to remove.

    Raises:
        UnknownNameError: The workspace has no such name; close names are suggested.
        EditError: Nothing is at a place, or what is left is no workspace.

    >>> from hfjax.documents.workspace.channel import Channel, Observation, Sample
    >>> from hfjax.documents.workspace.measurement import Measurement
    >>> jes = Modifier("JES", "normsys", {"lo": 0.9, "hi": 1.1})
    >>> samples = (Sample("top", (4,), (jes,)), Sample("W", (3,), (jes,)))
    >>> observation = Observation("SR", (7,))
    >>> ws = Workspace((Channel("SR", samples),), (Measurement("m"),), (observation,))
    >>> pruned = prune(ws, Place(sample="W", modifier="JES"))
    >>> [len(sample.modifiers) for sample in pruned.channel("SR").samples]
    [1, 0]
    >>> prune(ws, modifiers=["JES"]).modifiers
    ()
    """
    named = [
        *[Place(channel=name) for name in channels],
        *[Place(sample=name) for name in samples],
        *[Place(modifier=name) for name in modifiers],
        *[Place(type=name) for name in modifier_types],
        *places,
    ]
    gone = frozenset(measurements)
    refuse_unknown("measurement", gone, workspace.measurement_names)
    _check_places(workspace, named)
    return keep_parts(workspace, _rules(workspace, named, gone))


def refuse_unknown(kind: str, given: Iterable[str], names: Collection[str]) -> None:
    """Refuse names that a workspace does not have.

    Args:
        kind: what they should be the names of.
        given: the names that were asked for.
        names: the names that exist.

    Raises:
        UnknownNameError: One does not exist; close names are suggested.
    """
    for name in given:
        if name not in names:
            raise unknown_name(kind, name, names, "the workspace")


def modifier_names(workspace: Workspace) -> tuple[str, ...]:
    """Return the names of all modifiers of all samples, sorted."""
    return tuple(sorted({name for name, _ in workspace.modifiers}))


def _check_places(workspace: Workspace, places: Sequence[Place]) -> None:
    """Refuse unknown names, and known names that are nowhere together."""
    known = {
        "channel": workspace.channel_names,
        "sample": workspace.sample_names,
        "modifier": modifier_names(workspace),
        "modifier type": sorted({kind for _, kind in workspace.modifiers}),
    }
    for place in places:
        for kind, name in place.names:
            refuse_unknown(kind, (name,), known[kind])
        if len(place.names) > 1 and not _is_somewhere(workspace, place):
            message = f"there is no {place}: see where it is with 'hfjax inspect'"
            raise EditError(message)


def _is_somewhere(workspace: Workspace, place: Place) -> bool:
    if place.depth == "modifier":
        found = walk(workspace)
        return any(place.has_modifier(c.name, s.name, m) for c, s, m in found)
    found = [(c.name, name) for c in workspace.channels for name in c.sample_names]
    return any(place.has_sample(*names) for names in found)


def _rules(
    workspace: Workspace, places: Sequence[Place], measurements: frozenset[str]
) -> Rules:
    """What stays when everything at the places is removed."""
    by_depth: dict[str, list[Place]] = {"channel": [], "sample": [], "modifier": []}
    for place in places:
        by_depth[place.depth].append(place)
    channels = {place.channel for place in by_depth["channel"]}
    by_name: dict[str | None, list[Place]] = {}
    for place in by_depth["modifier"]:
        by_name.setdefault(place.modifier, []).append(place)

    def keeps_sample(channel: str, sample: str) -> bool:
        return not any(p.has_sample(channel, sample) for p in by_depth["sample"])

    def keeps_modifier(channel: str, sample: str, modifier: Modifier) -> bool:
        near = (*by_name.get(modifier.name, ()), *by_name.get(None, ()))
        return not any(p.has_modifier(channel, sample, modifier) for p in near)

    left = {m.name for c, s, m in walk(workspace) if keeps_modifier(c.name, s.name, m)}
    return Rules(
        channel=lambda name: name not in channels,
        sample=keeps_sample,
        modifier=keeps_modifier,
        parameter=lambda name: name in left or name not in by_name,
        measurement=lambda name: name not in measurements,
    )
