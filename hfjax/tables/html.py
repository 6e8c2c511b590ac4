"""The tables that commands show on a terminal, as HTML."""

from html import escape
from typing import TYPE_CHECKING, Any

from hfjax.tables.parts import Parts

if TYPE_CHECKING:  # rich is loaded where a table is made
    from rich.table import Column, Table

_CLASSES = {"red": "bad", "green": "good", "yellow": "warn", "dim": "dim"}


def html_parts(parts: Parts) -> str:
    """Titles, lines and tables as HTML, every name escaped.

    Args:
        parts: as `hfjax.tables.parts` makes them.

    Example:
        >>> from hfjax.tables.parts import line, table
        >>> html_parts([line("a < b", "bold red")])
        '<p class="bad">a &lt; b</p>'
        >>> print(html_parts([table({"bins": "right"}, [("12",)])]))
        <table><thead><tr><th class="right">bins</th></tr></thead>
        <tr><td class="right">12</td></tr></table>
    """
    return "\n".join(filter(None, map(_part, parts)))


def _part(part: Any) -> str:
    """One part; a line with an empty one before it is a title."""
    if hasattr(part, "columns"):
        return _table(part)
    text = escape(part.plain.strip())
    if not text:
        return ""
    if part.plain.startswith("\n"):
        return f"<h3>{text}</h3>"
    return f"<p{_class(_style(part))}>{text}</p>"


def _table(table: "Table") -> str:
    """A table, with its headings where it shows them."""
    columns = table.columns
    head = "".join(_cell("th", each, each.header) for each in columns)
    shown = f"<thead><tr>{head}</tr></thead>\n" if table.show_header else ""
    rows = zip(*(column.cells for column in columns), strict=True)
    body = "\n".join(f"<tr>{_row(columns, row)}</tr>" for row in rows)
    return f"<table>{shown}{body}</table>"


def _row(columns: "list[Column]", cells: tuple[Any, ...]) -> str:
    pairs = zip(columns, cells, strict=True)
    return "".join(_cell("td", column, cell) for column, cell in pairs)


def _cell(tag: str, column: "Column", content: Any) -> str:
    """A cell: its text, which side it is at, and what its style means."""
    side = "right" if column.justify == "right" else ""
    style = _style(content) or str(column.style or "")
    text = getattr(content, "plain", content)
    return f"<{tag}{_class(style, side)}>{escape(text)}</{tag}>"


def _style(content: Any) -> str:
    return str(getattr(content, "style", "") or "")


def _class(style: str, side: str = "") -> str:
    """What a style of a terminal is in the page.

    >>> _class("bold red", "right"), _class("bold")
    (' class="right bad"', '')
    """
    known = [_CLASSES[word] for word in style.split() if word in _CLASSES]
    names = " ".join(filter(None, [side, *known]))
    return f' class="{names}"' if names else ""
