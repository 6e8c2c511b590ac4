"""The command that prints a script with which a shell completes commands."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import Annotated

import typer
from typer import completion

from hfjax.cli.options import takes
from hfjax.cli.streams import write_text


class Shell(StrEnum):
    """The shells that typer has scripts for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"
    PWSH = "pwsh"


@dataclass(frozen=True)
class CompletionsOptions:
    """Options of `hfjax completions`."""

    shell: Annotated[
        Shell | None,
        typer.Argument(help="Shell; by default the one that $SHELL names."),
    ] = None


@takes(CompletionsOptions)
def completions(options: CompletionsOptions) -> None:
    """Print a script with which a shell completes commands and options.

    Example: eval "$(hfjax completions bash)" in ~/.bashrc.
    """
    # what `hfjax --show-completion` prints for the shell that it runs in
    script = completion.get_completion_script(  # type: ignore[attr-defined]
        prog_name="hfjax",
        complete_var="_HFJAX_COMPLETE",
        shell=options.shell or _own_shell(),
    )
    write_text(f"{script}\n", None)


def _own_shell() -> Shell:
    name = PurePath(os.environ.get("SHELL", "")).name
    if name in tuple(Shell):
        return Shell(name)
    message = f"no shell that is known in $SHELL: name one of {', '.join(Shell)}"
    raise typer.BadParameter(message, param_hint="SHELL")
