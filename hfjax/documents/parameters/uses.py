"""Uses of parameters: the modifiers of a workspace, with their places."""

from collections.abc import Iterator
from typing import NamedTuple

from hfjax.documents.workspace.workspace import Channel, Modifier, Sample, Workspace

KINDS = (
    "histosys",
    "lumi",
    "normfactor",
    "normsys",
    "shapefactor",
    "shapesys",
    "staterror",
)
"""Types of modifiers, in the order in which their parameters are listed."""


class Use(NamedTuple):
    """A modifier at its place: a use of the parameters of its name.

    Attributes:
        channel: the channel.
        sample: the sample in it.
        modifier: the modifier of that.
    """

    channel: Channel
    sample: Sample
    modifier: Modifier


def requests(workspace: Workspace) -> Iterator[tuple[str, str, list[Use]]]:
    """Yield which modifiers ask for parameters: type, name, and all their places.

    They come in the order of the parameters; a name comes once for each of its types.
    """
    found = collect(workspace)
    for kind in KINDS:
        names = sorted(found[kind]) if kind == "staterror" else found[kind]
        for name in names:
            yield kind, name, found[kind][name]


def collect(workspace: Workspace) -> dict[str, dict[str, list[Use]]]:
    """Find the places of every modifier, by type and name, in pyhf's walking order."""
    found: dict[str, dict[str, list[Use]]] = {kind: {} for kind in KINDS}
    for use in walk(workspace):
        modifier = use[2]
        found[modifier.type].setdefault(modifier.name, []).append(use)
    return found


def walk(workspace: Workspace) -> Iterator[Use]:
    """Yield every modifier: channels, samples and modifiers in alphabetical order."""
    for channel in sorted(workspace.channels, key=lambda c: c.name):
        for sample in sorted(channel.samples, key=lambda s: s.name):
            for modifier in sample.in_order:
                yield Use(channel, sample, modifier)


def bin_count(channel: Channel) -> int:
    """Return the number of bins of a channel."""
    return len(channel.samples[0].data)
