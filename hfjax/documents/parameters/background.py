"""Parameters of patched workspaces, by those of the workspace that was patched.

A patch adds, changes or removes a few samples. All parameters that these do not ask for
are those of the background.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from hfjax.documents.parameters.default_groups import add_group, default_group
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.parameters.uses import KINDS, Use, requests
from hfjax.documents.workspace.workspace import Channel, Sample, Workspace
from hfjax.errors import ModelError

Where = tuple[str, str]
"""Names of a channel and a sample in it."""
Request = tuple[str, str]
"""Type and name of modifiers: they ask for parameters."""

ALIKE = ("histosys", "lumi", "normfactor", "normsys")
"""Types whose parameters are the same wherever they are used."""


class Asked(NamedTuple):
    """Parameters that modifiers ask for.

    Attributes:
        first: the first of the modifiers in pyhf's walking order.
        group: the parameters.
    """

    first: Use
    group: ParameterGroup


class Background(NamedTuple):
    """What the parameters of a workspace are made of.

    Attributes:
        samples: its samples.
        uses: places of all modifiers, in pyhf's walking order.
        asked: the parameters.
    """

    samples: Mapping[Where, Sample]
    uses: Mapping[Request, list[Use]]
    asked: Mapping[Request, Asked]


def background_of(workspace: Workspace) -> Background | None:
    """Find the parameters of a workspace; None where its modifiers contradict.

    Example:
        >>> background_of(Workspace((), (), ()))
        Background(samples={}, uses={}, asked={})
    """
    uses = {(kind, name): each for kind, name, each in requests(workspace)}
    try:
        asked = {k: Asked(u[0], default_group(*k, u)) for k, u in uses.items()}
    except ModelError:  # which a patch may mend
        return None
    samples = {where: sample for where, _, sample in _samples(workspace)}
    return Background(samples, uses, asked)


def patched_groups(
    background: Background, workspace: Workspace
) -> dict[str, ParameterGroup]:
    """Parameters by name, as `default_groups` finds them.

    Args:
        background: of the workspace that was patched.
        workspace: the patched one; samples that no operation touched are the same
            objects.

    Raises:
        ModelError: modifiers of one name disagree, or a shapesys is shared.
    """
    gone, more = dict(background.samples), dict[Request, list[Use]]()
    for where, channel, sample in _samples(workspace):
        if gone.get(where) is sample:
            del gone[where]
            continue
        for each in sample.in_order:
            use = Use(channel, sample, each)
            more.setdefault((each.type, each.name), []).append(use)
    lost = {(m.type, m.name) for s in gone.values() for m in s.modifiers}
    asked = dict(background.asked)
    for key in sorted(more.keys() | lost):
        stay = background.uses.get(key, [])
        if gone:
            stay = [use for use in stay if _where(use) not in gone]
        asked.pop(key, None)
        if stay or key in more:
            asked[key] = _asked(key, stay, more.get(key, []))
    return _in_order(asked)


def _samples(workspace: Workspace) -> Iterator[tuple[Where, Channel, Sample]]:
    for channel in workspace.channels:
        for sample in channel.samples:
            yield (channel.name, sample.name), channel, sample


def _where(use: Use) -> Where:
    return use[0].name, use[1].name


def _place(use: Use) -> tuple[str, ...]:
    """Orders uses as a walk does."""
    channel, sample, modifier = use
    return channel.name, sample.name, modifier.name, modifier.type


def _asked(key: Request, stay: list[Use], more: list[Use]) -> Asked:
    """Parameters that some modifiers ask for, and some more."""
    if key[0] in ALIKE:
        first = min(stay[:1] + sorted(more, key=_place)[:1], key=_place)
        return Asked(first, default_group(*key, more or stay))
    uses = sorted(stay + more, key=_place)
    return Asked(uses[0], default_group(*key, uses))


def _in_order(asked: Mapping[Request, Asked]) -> dict[str, ParameterGroup]:
    """Parameters in the order in which a walk meets them, type by type."""
    groups: dict[str, ParameterGroup] = {}
    for kind in KINDS:
        own = [each for key, each in asked.items() if key[0] == kind]
        if kind == "staterror":
            own.sort(key=lambda each: each.group.name)
        else:
            own.sort(key=lambda each: _place(each.first))
        for each in own:
            add_group(groups, each.group, [each.first])
    return groups
