"""Help in the words of a user: no types of Python, which typer writes by default."""

import copy
from enum import Enum
from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup

_WORDS: tuple[tuple[type, str], ...] = (
    (bool, ""),
    (Path, "FILE"),
    (int, "N"),
    (float, "NUMBER"),
    (str, "NAME"),
)
"""What a value of a type is called where an option does not say it."""


def value_word(kind: Any) -> str:
    """What the value of an option is called in its help.

    Args:
        kind: the type that the option is annotated with, of one or of several values.

    Example:
        >>> value_word(int), value_word(str | None), value_word(list[Path] | None)
        ('N', 'NAME', 'FILE')
    """
    inner = [each for each in getattr(kind, "__args__", ()) if each is not type(None)]
    if inner:
        return value_word(inner[0])
    if issubclass(kind, Enum):
        return "|".join(str(each.value) for each in kind)
    return next((word for known, word in _WORDS if issubclass(kind, known)), "VALUE")


def shown(param: Any) -> Any:
    """A parameter as help shows it: without Python's types, one spelling a line.

    Args:
        param: as typer makes it, which stays as it is.
    """
    found = copy.copy(param)
    if param.param_type_name == "argument":
        found.display_type_rich = _nothing
        return found
    spellings = [*param.opts, *param.secondary_opts]
    long = [each for each in spellings if each.startswith("--")]
    short = [each for each in spellings if each not in long]
    found.opts = ["\n".join(each) for each in (long, short) if each]
    found.secondary_opts = []
    if param.is_flag:
        found.metavar, found.show_default = "", False
    return found


def _nothing(ctx: Any) -> None:
    del ctx


def _plain(command: Any, ctx: Any) -> Any:
    """A command whose parameters are as help shows them."""
    found = copy.copy(command)
    found.params = list(map(shown, command.get_params(ctx)))
    found.add_help_option = False  # it is among them
    return found


class PlainCommand(TyperCommand):
    """A command with help in the words of a user."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        TyperCommand.format_help(_plain(self, ctx), ctx, formatter)


class PlainGroup(TyperGroup):
    """The same for what has commands."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        TyperGroup.format_help(_plain(self, ctx), ctx, formatter)
