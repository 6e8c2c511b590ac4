"""JSON as text that a person can read, files of it, and numbers that it has."""

import json
import math
import os
from pathlib import Path
from typing import Any

_WIDTH = 88


def json_text(value: Any, indent: int = 0) -> str:
    """JSON text in which whatever fits is on one line.

    >>> print(json_text({"name": "SR", "bins": [1, 2]}))
    {"name": "SR", "bins": [1, 2]}
    """
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= _WIDTH or not isinstance(value, (dict, list)):
        return line
    inner = indent + 2
    if isinstance(value, dict):
        keys = [f"{json.dumps(key, ensure_ascii=False)}: " for key in value]
        values = list(value.values())
    else:
        keys, values = [""] * len(value), value
    items = [k + json_text(v, inner) for k, v in zip(keys, values, strict=True)]
    opening, closing = line[0], line[-1]
    lines = ",\n".join(" " * inner + item for item in items)
    return f"{opening}\n{lines}\n{' ' * indent}{closing}"


def write_document(document: Any, path: str | os.PathLike[str]) -> None:
    """Write a JSON document to a file."""
    Path(path).write_text(json_text(document) + "\n", encoding="utf-8")


def finite_or_none(value: Any) -> float | None:
    """Return a number as Python's float; None for None, NaN and infinities.

    It is for writing: JSON has no numbers that are not finite.

    >>> finite_or_none(1), finite_or_none(math.inf), finite_or_none(None)
    (1.0, None, None)
    """
    if value is None:
        return None
    found = float(value)
    return found if math.isfinite(found) else None
