"""Results as tables of a notebook."""

import html
from collections.abc import Iterable, Sequence
from typing import Any


def html_table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> str:
    """A table of HTML, numbers with six digits.

    >>> html_table("fit & test", ["name", "value"], [("mu", 0.25)])
    '<table><caption>fit &amp; test</caption><tr><th>name</th><th>value</th></tr>\
<tr><td>mu</td><td>0.25</td></tr></table>'
    """
    head = _row(columns, "th")
    body = "".join(_row(map(_shown, row), "td") for row in rows)
    return f"<table><caption>{html.escape(caption)}</caption>{head}{body}</table>"


def _row(cells: Iterable[str], tag: str) -> str:
    inside = "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
    return f"<tr>{inside}</tr>"


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
