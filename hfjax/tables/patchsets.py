"""What a patchset contains, as tables for people."""

from collections.abc import Iterator
from typing import Any

from hfjax.tables.parts import (
    Document,
    Parts,
    facts,
    figure,
    line,
    listed,
    table,
    title,
)

_ENDS = 3
"""Patches that are shown of the beginning, and of the end."""
_NAMED = 6
"""Most names that are listed on one line."""


def patchset_parts(document: Document) -> Parts:
    """The tables of a patchset.

    Args:
        document: as `hfjax.documents.inspect.patchset.patchset_summary` makes it.
    """
    yield _overview(document)
    yield title("labels")
    yield _labels(document)
    yield title(f"patches, {_shown(document)} of {document['count']}")
    yield _patches(document)
    yield title("what the patches change")
    yield _changes(document["structures"])
    sets = document["structures"]["channels"]
    if any(name.startswith("/channels/") for one in sets for name in one["channels"]):
        yield line("--workspace BKGONLY gives the channels their names", "dim")


def _overview(document: Document) -> Any:
    rows = {
        "patchset": f"{document['count']} patches",
        "description": " ".join(document["description"].split()),
        **document["references"],
        **document["digests"],
    }
    return facts(rows)


def _labels(document: Document) -> Any:
    columns = {"label": "left", "from": "right", "to": "right", "distinct": "right"}
    words = any(found["strings"] for found in document["ranges"])
    rows = [
        (
            found["label"],
            figure(found["min"]),
            figure(found["max"]),
            str(found["distinct"]),
            *([listed(found["strings"], _NAMED)] if words else []),
        )
        for found in document["ranges"]
    ]
    return table(columns | ({"words": "left"} if words else {}), rows)


def _shown(document: Document) -> int:
    return min(2 * _ENDS, document["count"])


def _patches(document: Document) -> Any:
    columns = {"name": "left", **dict.fromkeys(document["labels"], "right")}
    rows = [(found["name"], *map(_value, found["values"])) for found in _ends(document)]
    if document["count"] > 2 * _ENDS:
        rows.insert(_ENDS, ("...", *["" for _ in document["labels"]]))
    return table(columns, rows)


def _ends(document: Document) -> list[Document]:
    patches = document["patches"]
    return patches if len(patches) <= 2 * _ENDS else patches[:_ENDS] + patches[-_ENDS:]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else figure(value)


def _changes(structures: Document) -> Any:
    return table({"patches": "right", "": "left"}, _changes_rows(structures))


def _changes_rows(structures: Document) -> Iterator[tuple[Any, ...]]:
    for found in structures["channels"][:_NAMED]:
        names = [name or "what is outside of channels" for name in found["channels"]]
        yield str(found["patches"]), f"change {listed(names, _NAMED)}"
    if len(structures["channels"]) > _NAMED:
        yield "", f"and {len(structures['channels']) - _NAMED} more sets of channels"
    for found in structures["modifiers"]:
        if found["type"] == "normfactor":
            yield str(found["patches"]), f"bring the normfactor {found['name']}"
    for key, what in (
        ("without_normfactor", "bring no normfactor"),
        ("empty", "have no operation"),
    ):
        if names := structures[key]:
            text = f"{what}: {listed(names, _NAMED)}"
            yield line(str(len(names)), "yellow"), line(text, "yellow")
