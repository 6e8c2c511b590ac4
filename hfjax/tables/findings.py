"""Findings as the command line shows them: a table for people, JSON for machines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hfjax.documents.check.finding import Finding, count
from hfjax.tables.parts import Parts, line, rendered_parts, whole_line
from hfjax.version import __version__

if TYPE_CHECKING:  # rich is loaded where a table is made
    from rich.table import Table
    from rich.text import Text

_COLOURS = {"error": "bold red", "warning": "yellow", "note": "cyan"}
NOTE = "note"
"""The severity of what is only to be known; published workspaces have thousands."""


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
        "hfjax": {"version": __version__},
        "counts": count(findings),
        "kinds": kinds,
        "findings": [finding.dump() for finding in findings],
        "fits": fits,
    }


def chosen(
    findings: Sequence[Finding], severities: Sequence[str], kinds: Sequence[str]
) -> list[Finding]:
    """The findings of some severities and kinds; of all where none is given."""
    return [
        finding
        for finding in findings
        if (not severities or finding.severity in severities)
        and (not kinds or finding.kind in kinds)
    ]


def findings_table(
    findings: Sequence[Finding],
    limit: int,
    colour: bool,
    notes: bool = True,
    total: int | None = None,
) -> str:
    """Findings as a text for people: by severity and kind, each with what to do.

    Args:
        findings: what was found, errors first.
        limit: most findings of each kind; 0 shows all.
        colour: whether for a terminal, with its colours and its width.
        notes: whether notes are shown; they are counted in any case.
        total: how many findings these were chosen from; None if they are all.
    """
    parts = findings_parts(findings, limit, colour, notes, total)
    return rendered_parts(parts, colour)


def findings_parts(
    findings: Sequence[Finding],
    limit: int,
    colour: bool,
    notes: bool = True,
    total: int | None = None,
) -> Parts:
    """The lines and tables of findings; the arguments are those of `findings_table`."""
    yield _summary(findings, total)
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.severity, finding.kind), []).append(finding)
    for (severity, kind), members in groups.items():
        if notes or severity != NOTE:
            yield _title(severity, kind, members)
            yield from _rows(members[: limit or None], colour)
            if 0 < limit < len(members):
                more = len(members) - limit
                yield line(f"  and {more} more; --limit 0 shows all")
    if not notes and (hidden := count(findings)[NOTE]):
        word = "note is" if hidden == 1 else "notes are"
        yield line(f"{hidden} {word} not shown: --notes shows them", _COLOURS[NOTE])


def _title(severity: str, kind: str, members: Sequence[Finding]) -> "Text":
    from rich.text import Text

    title = Text(f"{severity} {kind} ({len(members)})", _COLOURS[severity])
    return title.append(f": {members[0].remedy}", "not bold default")


def _rows(findings: Sequence[Finding], colour: bool) -> Parts:
    """Each finding; on a terminal its place is on a line of its own, and whole."""
    if not colour:
        yield _table(findings, pointers=True)
        return
    for finding in findings:
        yield _table([finding], pointers=False)
        yield whole_line(f"    {finding.pointer}", "dim")


def _table(findings: Sequence[Finding], pointers: bool) -> "Table":
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 0, 0, 2))
    for _ in range(2 + pointers):
        table.add_column(overflow="fold")  # no name is ever cut off
    for finding in findings:
        names = line(" ".join(dict.fromkeys(finding.names.values())))
        place = [line(finding.pointer, "dim")] if pointers else []
        table.add_row(names, line(finding.why), *place)
    return table


def _summary(findings: Sequence[Finding], total: int | None) -> "Text":
    from rich.text import Text

    text = Text()
    for severity, number in count(findings).items():
        word = severity if number == 1 else f"{severity}s"
        style = _COLOURS[severity] if number else ""
        text.append(", " if text else "").append(f"{number} {word}", style)
    return text if total is None else text.append(f" (of {total} findings)")
