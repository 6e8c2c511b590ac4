"""What a patchset contains: labels and their ranges, patches and their structures."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hfjax.documents.patchset.patchset import Patch, PatchSet
from hfjax.documents.workspace.workspace import Workspace

_SAMPLE = frozenset({"name", "data", "modifiers"})
_MODIFIER = frozenset({"name", "type", "data"})
_LISTED = 10
"""Most distinct strings of a label that are listed."""


@dataclass(frozen=True, slots=True)
class Structure:
    """What a patch changes, without its numbers.

    Attributes:
        operations: op and path of each operation.
        channels: the channels they change, by name or as JSON pointers; "" stands for
            what is outside of all channels.
        samples: names of the samples that are brought.
        modifiers: name and type of the modifiers that are brought.
    """

    operations: tuple[tuple[str, str], ...]
    channels: frozenset[str]
    samples: frozenset[str]
    modifiers: frozenset[tuple[str, str]]


def structure(patch: Patch, workspace: Workspace | None = None) -> Structure:
    """Look at what a patch changes.

    Args:
        patch: the patch.
        workspace: what it is made for, which gives its channels their names.

    >>> mu = {"name": "mu", "type": "normfactor", "data": None}
    >>> value = {"name": "signal", "data": [1.0], "modifiers": [mu]}
    >>> add = {"op": "add", "path": "/channels/0/samples/-", "value": value}
    >>> found = structure(Patch("m_300", (300,), (add,)))
    >>> found.channels, found.modifiers
    (frozenset({'/channels/0'}), frozenset({('mu', 'normfactor')}))
    """
    values = [operation.get("value") for operation in patch.operations]
    samples, modifiers = _records(values)
    return Structure(
        tuple((found["op"], found["path"]) for found in patch.operations),
        frozenset(_channels(patch, workspace)),
        frozenset(str(found["name"]) for found in samples),
        frozenset((str(found["name"]), str(found["type"])) for found in modifiers),
    )


def _channels(patch: Patch, workspace: Workspace | None) -> Iterator[str]:
    """The channel that each operation leads into: its name, or its pointer.

    Channels that an operation removes or adds move those behind them.
    """
    names = list(workspace.channel_names) if workspace else []
    for operation in patch.operations:
        _, first, *rest = [*operation["path"].split("/"), ""][:4]
        index = rest[0] if rest else ""
        if first != "channels" or not index:
            yield ""
            continue
        place = len(names) if index == "-" else _index(index, len(names))
        whole = operation["path"].count("/") == 2
        if whole and operation["op"] == "add" and workspace and place >= 0:
            names.insert(place, _name(operation["value"]))
        known = 0 <= place < len(names)
        yield names[place] if known else f"/channels/{index}"
        if whole and operation["op"] == "remove" and known:
            del names[place]


def _index(text: str, end: int) -> int:
    """The place of a channel that a pointer means, up to the end; -1 if it is none."""
    known = text.isdecimal() and len(text) <= len(str(end))
    return int(text) if known and int(text) <= end else -1


def _name(value: Any) -> str:
    return str(value["name"]) if isinstance(value, dict) and "name" in value else ""


def _records(value: Any) -> tuple[list[Any], list[Any]]:
    """The samples and the modifiers in a value, whatever part of a document it is."""
    samples, modifiers, rest = [], [], [value]
    while rest:
        value = rest.pop()
        if isinstance(value, list):
            rest += value
        elif isinstance(value, dict) and value.keys() >= _MODIFIER:
            modifiers.append(value)
        elif isinstance(value, dict):
            samples += [value] if value.keys() >= _SAMPLE else []
            rest += value.values()
    return samples, modifiers


def patchset_summary(
    patchset: PatchSet, workspace: Workspace | None = None
) -> dict[str, Any]:
    """What a patchset contains, as JSON values.

    Args:
        patchset: the patchset.
        workspace: what it is made for, which gives channels their names; the patchset
            is not verified.

    Returns:
        Description, references, digests, labels, and each patch's name and values;
        the number of patches, the ranges of the labels' values, and the structures.
    """
    return {
        "description": patchset.description,
        "references": patchset.references,
        "digests": patchset.digests,
        "labels": list(patchset.labels),
        "patches": [{"name": p.name, "values": list(p.values)} for p in patchset],
        "count": len(patchset),
        "ranges": [_range(patchset, i) for i in range(len(patchset.labels))],
        "structures": _structures(patchset, workspace),
    }


def _range(patchset: PatchSet, index: int) -> dict[str, Any]:
    """The values of a label: smallest and largest number, or the first strings."""
    values = [patch.values[index] for patch in patchset]
    numbers = [value for value in values if not isinstance(value, str)]
    words = sorted({value for value in values if isinstance(value, str)})
    return {
        "label": patchset.labels[index],
        "min": min(numbers, default=None),
        "max": max(numbers, default=None),
        "distinct": len(set(values)),
        "strings": words[:_LISTED],
    }


def _structures(patchset: PatchSet, workspace: Workspace | None) -> dict[str, Any]:
    """What the patches change: how many ways there are, and who does what."""
    found = {patch.name: structure(patch, workspace) for patch in patchset}
    each = list(found.values())
    channels = Counter(one.channels for one in each)
    modifiers = Counter(key for one in each for key in one.modifiers)
    return {
        "operations": dict(Counter(op for one in each for op, _ in one.operations)),
        "distinct": len({(one.operations, one.modifiers) for one in each}),
        "distinct_paths": len({one.operations for one in each}),
        "distinct_modifiers": len({one.modifiers for one in each}),
        "channels": [
            {"channels": sorted(names), "patches": number}
            for names, number in channels.most_common()
        ],
        "samples": len({name for one in each for name in one.samples}),
        "modifiers": [
            {"name": name, "type": kind, "patches": modifiers[name, kind]}
            for name, kind in sorted(modifiers)
        ],
        "without_normfactor": [
            name
            for name, one in found.items()
            if not any(kind == "normfactor" for _, kind in one.modifiers)
        ],
        "empty": [patch.name for patch in patchset if not patch.operations],
    }
