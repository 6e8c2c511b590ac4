"""Findings as the command line shows them: a table for people, JSON for machines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import hfjax
from hfjax.documents.check.finding import Finding, count

if TYPE_CHECKING:  # rich is loaded where a table is made
    from rich.table import Table
    from rich.text import Text

_COLOURS = {"error": "bold red", "warning": "yellow", "note": "cyan"}
_UNBROKEN = 100_000  # columns: where no terminal is, one finding is one line


def findings_document(
    findings: Sequence[Finding], fits: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Findings as a JSON document, of the schema check-result-1.0.0.json.

    Args:
        findings: what was found.
        fits: how fits ended; None if there was none.
    """
    kinds: dict[str, int] = {}
    for finding in findings:
        kinds[finding.kind] = kinds.get(finding.kind, 0) + 1
    return {
        "hfjax": {"version": hfjax.__version__},
        "counts": count(findings),
        "kinds": kinds,
        "findings": [finding.dump() for finding in findings],
        "fits": fits,
    }


def findings_table(findings: Sequence[Finding], limit: int, colour: bool) -> str:
    """Findings as a text for people: by severity and kind, each with what to do.

    Args:
        findings: what was found, errors first.
        limit: most findings of each kind; 0 shows all.
        colour: whether for a terminal, with its colours and its width.
    """
    from rich.console import Console
    from rich.text import Text

    width = None if colour else _UNBROKEN
    console = Console(
        width=width,
        force_terminal=colour,
        no_color=not colour,
        highlight=False,
    )
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.severity, finding.kind), []).append(finding)
    with console.capture() as captured:
        for (severity, kind), members in groups.items():
            title = Text(f"{severity} {kind} ({len(members)})", _COLOURS[severity])
            console.print(title.append(f": {members[0].remedy}", "not bold default"))
            console.print(_rows(members[: limit or None]))
            if 0 < limit < len(members):
                more = len(members) - limit
                console.print(f"  and {more} more; --limit 0 shows all")
        console.print(_summary(findings))
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _rows(findings: Sequence[Finding]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 0, 0, 2))
    for _ in range(3):
        table.add_column(overflow="fold")  # no name is ever cut off
    for finding in findings:
        names = " ".join(dict.fromkeys(finding.names.values()))
        table.add_row(Text(names), Text(finding.why), Text(finding.pointer, "dim"))
    return table


def _summary(findings: Sequence[Finding]) -> "Text":
    from rich.text import Text

    text = Text()
    for severity, number in count(findings).items():
        word = severity if number == 1 else f"{severity}s"
        style = _COLOURS[severity] if number else ""
        text.append(", " if text else "").append(f"{number} {word}", style)
    return text
