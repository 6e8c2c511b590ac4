"""What a workspace contains, as tables for people."""

from collections.abc import Container, Iterator, Sequence
from typing import Any

from hfjax.documents.reading.json_values import Number
from hfjax.tables.parts import Document, Parts, facts, figure, line, table, title

_LARGEST = 5
"""Most systematics of each type that are shown."""
_IN_BINS = ("histosys", "shapesys", "staterror")
"""Systematics whose effect is shown in the bin where it is largest."""
_FEW = 3
"""Most samples of a workspace that are named in every channel."""


def workspace_parts(document: Document) -> Parts:
    """The tables of a workspace.

    Args:
        document: as `hfjax.documents.inspect.workspace.summary` makes it.
    """
    yield _overview(document)
    yield title("measurements")
    yield _measurements(document)
    for model in document["models"]:
        if model["problem"]:
            problem = f"{model['measurement']} has no model: {model['problem']}"
            yield line(problem, "bold red")
    yield title("channels, with events")
    yield _channels(document)
    yield title("samples, with expected events")
    yield _samples(document)
    yield title("modifiers")
    yield _modifiers(document)
    if document["systematics"]:
        yield title("largest systematics, with their effects on events")
        yield _systematics(document)


def _overview(document: Document) -> Any:
    channels = document["channels"]
    counts = {
        "channels": len(channels),
        "bins": sum(channel["bins"] for channel in channels),
        "samples": len(document["samples"]),
        "parameter names": len(document["parameters"]),
    }
    rows = {
        "workspace": ", ".join(f"{number} {what}" for what, number in counts.items()),
        "version": document["version"],
        **document["digest"],
    }
    return facts(rows)


def _measurements(document: Document) -> Any:
    columns = {
        "name": "left",
        "parameter of interest": "left",
        "parameters": "right",
        "constrained": "right",
        "fixed": "right",
    }
    pairs = zip(document["measurements"], document["models"], strict=True)
    numbers = ("parameters", "constrained", "fixed")
    rows = [
        (
            found["name"],
            _poi(found, model),
            *(figure(model.get(key)) for key in numbers),
        )
        for found, model in pairs
    ]
    return table(columns, rows)


def _poi(measurement: Document, model: Document) -> str:
    """The parameter of interest, and whether the workspace has it."""
    if not measurement["poi"]:
        return "none"
    if model.get("poi") is None:
        known = "" if measurement["poi_in_workspace"] else " (left to patches)"
        return f"{measurement['poi']}{known}"
    low, high = (figure(bound) for bound in model["poi_bounds"])
    return f"{model['poi']} from {low} to {high}"


def _channels(document: Document) -> Any:
    columns = {
        "channel": "left",
        "bins": "right",
        "observed": "right",
        "expected": "right",
        "samples": "left",
    }
    pairs = zip(document["channels"], document["yields"], strict=True)
    rows = [
        (
            channel["name"],
            str(channel["bins"]),
            events(found["observed"]),
            events(found["nominal"]),
            _samples_in(channel["samples"], document["samples"]),
        )
        for channel, found in pairs
    ]
    return table(columns, rows)


def _samples_in(names: Sequence[str], known: Sequence[str]) -> str:
    """The samples of a channel; where it has most of them, those that it has not."""
    missing = [name for name in known if name not in names]
    if 2 * len(missing) >= len(known) or len(known) <= _FEW:
        return ", ".join(names)
    return f"all but {', '.join(missing)}" if missing else "all"


def _samples(document: Document) -> Any:
    columns = {"sample": "left", "channels": "right", "expected": "right"}
    rows = []
    for name in document["samples"]:
        found = [y["samples"][name] for y in document["yields"] if name in y["samples"]]
        total = None if None in found else sum(found)
        rows.append((name, str(len(found)), events(total)))
    return table(columns, rows)


def _modifiers(document: Document) -> Any:
    columns = {"type": "left", "names": "right", "places": "right"}
    rows = [
        (kind, str(found["names"]), str(found["places"]))
        for kind, found in document["modifiers"].items()
    ]
    return table(columns, rows)


def _systematics(document: Document) -> Any:
    columns = {"name": "left", "largest in": "left", "effect": "right"}
    single = {found["name"] for found in document["channels"] if found["bins"] == 1}
    return table(columns, _systematics_rows(document["systematics"], single))


def _systematics_rows(
    systematics: Document, single: Container[str]
) -> Iterator[tuple[Any, ...]]:
    for kind, rows in systematics.items():
        of = " in one bin" if kind in _IN_BINS else ""
        heading = f"{kind}, {min(_LARGEST, len(rows))} of {len(rows)}{of}"
        yield line(heading, "dim"), "", ""
        for row in rows[:_LARGEST]:
            place = row.get("bin") or row.get("channel") or row
            where = place.get("channel") or place.get("measurement", "")
            if "bin" in place and where not in single:
                where += f" bin {place['bin']}"
            yield row["name"], where, _effect(place)


def _effect(place: Document) -> str:
    """A relative change of events, one-sided or of both sides."""
    if "uncertainty" in place:
        return f"±{_percent(place['uncertainty'])}"
    sides = (place["down"], place["up"])
    return ", ".join("-" if x is None else _percent(x, "+") for x in sides)


def _percent(value: Number | None, sign: str = "") -> str:
    if value is None:
        return "-"
    return f"{100 * value:{sign}.1f} %" if abs(value) >= 0.0005 else "0.0 %"


def events(value: Number | None) -> str:
    """A number of events for people; a dash where there is none.

    Example:
        >>> events(912), events(18234.56), events(0.0441), events(None)
        ('912', '18234.6', '0.0441', '-')
    """
    if value is None:
        return "-"
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.1f}" if 100 <= abs(value) < 1e9 else f"{value:.3g}"
