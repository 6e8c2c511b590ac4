"""Results as tables for people on a terminal; as JSON for everything else."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from hfjax.cli.streams import write_json, write_text
from hfjax.tables.parts import Document, Parts, rendered_parts

JsonOption = Annotated[
    bool, typer.Option("--json", help="JSON on a terminal too, not tables.")
]


def write_result(
    document: Document,
    output: Path | None,
    as_json: bool,
    parts: Callable[[Document], Parts],
) -> None:
    """Write a result: tables if standard output is a terminal, JSON otherwise.

    Args:
        document: the result.
        output: a file for it, which is always JSON.
        as_json: whether JSON is wanted on a terminal, too.
        parts: makes titles and tables of the result.
    """
    if wants_tables(output, as_json):
        write_text(rendered_parts(parts(document), colour=True), None)
    else:
        write_json(document, output)


def wants_tables(output: Path | None, as_json: bool) -> bool:
    """Whether a result is for a person: on a terminal, where no JSON is asked for."""
    return output is None and not as_json and sys.stdout.isatty()
