"""What the commands read and write: documents, results, messages.

Results are JSON on standard output or in a file. Standard error has what is wrong and
what to know about a result; progress, and what was written, only if it is a terminal.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer

from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import SpecificationError
from hfjax.json_text import json_text
from hfjax.tables.parts import printable

_LONGEST = 4000  # characters of a message

Progress = Callable[[int, int], None]
"""Is told how many of how many points are done."""


def load_both(
    workspace: str, patchset: str, compose: bool = False
) -> tuple[Workspace, PatchSet]:
    """Read a workspace and a patchset, with their modifiers composed if asked for.

    Raises:
        typer.BadParameter: Both are to come from standard input.
        SpecificationError: One cannot be read, or is not what it should be.
    """
    refuse_shared_input(workspace, patchset)
    return Workspace.load(workspace, compose), PatchSet.load(patchset, compose)


def refuse_shared_input(*inputs: str | None) -> None:
    """Refuse to read two inputs from standard input.

    Raises:
        typer.BadParameter: Two or more are "-".
    """
    if inputs.count("-") > 1:
        message = "only one input can be standard input"
        raise typer.BadParameter(message)


def write_json(document: Any, output: Path | None) -> None:
    """Write a document to a file, or to standard output."""
    write_text(json_text(document) + "\n", output)


def write_text(text: str, output: Path | None) -> None:
    """Write a text to a file, or to standard output.

    Raises:
        SpecificationError: It has characters that cannot be written.
    """
    try:
        if output is None:
            sys.stdout.write(text)
            sys.stdout.flush()
        else:
            output.write_bytes(text.encode())
    except UnicodeEncodeError as error:
        wrong = ascii(text[error.start : error.end][:10])
        message = (
            f"the result cannot be written: {error.encoding} has no {wrong}: change "
            "the name that it is in"
        )
        raise SpecificationError(message) from error


def write_bytes(content: bytes, output: Path | None) -> None:
    """Write bytes as they are to a file, or to standard output."""
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        output.write_bytes(content)


def complain(message: str) -> None:
    """Write one line to standard error, whatever lines and long names there are."""
    line = " ".join(message.split())
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 2 :]}"
    print("hfjax:", printable(line), file=sys.stderr)


def talks(quiet: bool) -> bool:
    """Whether messages are wanted: standard error is a terminal, and not `quiet`."""
    return sys.stderr.isatty() and not quiet


def say(message: str, quiet: bool) -> None:
    """Write a message for people to standard error."""
    if talks(quiet):
        complain(message)


FIRST_STAGE = "compile, once for models of this shape"


@contextlib.contextmanager
def progress_bar(
    total: int, quiet: bool, stages: tuple[str, str] = (FIRST_STAGE, "fit")
) -> Iterator[Progress | None]:
    """Show progress on standard error; gives None where messages are not wanted.

    Args:
        total: how many points there are.
        quiet: whether messages are not wanted.
        stages: what takes time until the first point is done, and after that.
    """
    if not talks(quiet):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task(stages[0], total=total)
        yield lambda done, total: bar.update(
            task, description=stages[1], completed=done, total=total
        )
