"""Tables and lines for people: what they are made of, on a terminal and in a page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hfjax.documents.reading.json_values import Number

if TYPE_CHECKING:  # rich is loaded where a table is made
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

_UNBROKEN = 100_000  # columns: where no terminal is, one row is one line

Document = dict[str, Any]
"""A result as JSON values."""
Parts = Iterable["RenderableType"]
"""Titles, lines and tables, one below the other."""


def rendered_parts(parts: Parts, colour: bool) -> str:
    r"""Titles and tables as a text.

    Args:
        parts: what is shown, one below the other.
        colour: whether for a terminal, with its colours and its width.

    Example:
        >>> rendered_parts([facts({"status": "converged"})], colour=False)
        'status  converged\n'
    """
    from rich.console import Console

    console = Console(
        width=None if colour else _UNBROKEN,
        force_terminal=colour,
        no_color=None if colour else True,
        highlight=False,
    )
    with console.capture() as captured:
        for part in parts:
            whole = getattr(part, "overflow", None) == "ignore"
            console.print(part, soft_wrap=whole)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def title(text: str) -> "Text":
    """A line above a table, with an empty one before it."""
    from rich.text import Text

    return Text(f"\n{printable(text)}", "bold")


def whole_line(text: str, style: str = "") -> "Text":
    """A line that is never broken, so that it can be copied."""
    found = line(text, style)
    found.overflow = "ignore"
    return found


def line(text: str, style: str = "") -> "Text":
    """A line of its own; what a terminal would obey is written out."""
    from rich.text import Text

    return Text(printable(text), style)


def table(
    columns: Mapping[str, str], rows: Iterable[Sequence["str | Text"]]
) -> "Table":
    """A table of which no name is ever cut off.

    Args:
        columns: "left" or "right" for each heading; what is right is never wrapped.
        rows: the cells of each row, as strings or as lines with a style.

    Example:
        >>> numbers = table({"name": "left", "bins": "right"}, [("SR", "12")])
        >>> print(rendered_parts([numbers], colour=False), end="")
        name  bins
        SR      12
    """
    from rich.table import Table

    found = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for heading, side in columns.items():
        right = side == "right"
        justify = "right" if right else "left"
        found.add_column(heading, justify=justify, overflow="fold", no_wrap=right)
    for row in rows:
        found.add_row(*(line(c) if isinstance(c, str) else c for c in row))
    return found


def facts(rows: Mapping[str, str]) -> "Table":
    """What is to be said of one thing: a name and a value in each row."""
    from rich.table import Table

    found = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    found.add_column(style="dim")
    found.add_column(overflow="fold")
    for name, value in rows.items():
        found.add_row(line(name), line(value))
    return found


def figure(value: Number | None) -> str:
    """A number for people; a dash where there is none.

    Example:
        >>> figure(1.00033), figure(2.5e-7), figure(12), figure(None)
        ('1.0003', '2.5e-07', '12', '-')
    """
    if value is None:
        return "-"
    if abs(value) < 1e6 and value == int(value):
        return str(int(value))
    return f"{value:.4f}" if 1e-4 <= abs(value) < 1e6 else f"{value:.4g}"


def listed(names: Sequence[str], most: int) -> str:
    """Names with commas between them, and how many more there are.

    Example:
        >>> listed(["SR", "CR", "VR"], 2), listed([], 2)
        ('SR, CR and 1 more', 'none')
    """
    shown, more = ", ".join(names[:most]), len(names) - most
    return f"{shown} and {more} more" if more > 0 else shown or "none"


def printable(text: str) -> str:
    r"""Return a text in which what a terminal would obey is written out.

    Example:
        >>> print(printable("cleared" + chr(27) + "[2J"))
        cleared\x1b[2J
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
