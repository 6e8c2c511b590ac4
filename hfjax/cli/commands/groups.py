"""Groups of names, such as `top=ttbar,Wt`: the option `--group`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import typer


class GroupForm(NamedTuple):
    """What messages say of groups.

    Attributes:
        shape: how one is written, with an example.
        twice: what to do where a name is there twice.
    """

    shape: str
    twice: str


def groups_of(texts: Sequence[str] | None, form: GroupForm) -> dict[str, list[str]]:
    """Read groups, each a name and what belongs to it.

    Args:
        texts: as they were given.
        form: what messages say.

    Raises:
        typer.BadParameter: One is not a name and others, or a name is there twice.

    Example:
        >>> groups_of(["top=ttbar,Wt"], GroupForm("NAME=SAMPLE", "join them"))
        {'top': ['ttbar', 'Wt']}
    """
    found: dict[str, list[str]] = {}
    for text in texts or []:
        name, _, members = text.partition("=")
        parts = parts_of(members)
        if not (name and parts):
            message = f"'{text}' is not {form.shape}"
            raise typer.BadParameter(message, param_hint="--group")
        if name in found:
            message = f"'{name}' is given twice: {form.twice}"
            raise typer.BadParameter(message, param_hint="--group")
        found[name] = parts
    return found


def check_equals_signs(
    groups: Mapping[str, Sequence[str]], known: Iterable[str], form: GroupForm
) -> None:
    """Refuse a second equals sign where no name has one.

    Args:
        groups: as they were read.
        known: names of what may belong to them.
        form: what messages say.

    Raises:
        typer.BadParameter: Says which group has one.

    Example:
        >>> check_equals_signs({"low": ["m=500"]}, ["m=500"], GroupForm("", ""))
    """
    if any("=" in name for name in known):
        return
    for name, parts in groups.items():
        for part in parts:
            if "=" in part:
                message = (
                    f"'{name}={part}' has more than one '=', and no name has one: "
                    f"give {form.shape}, and each group with a --group of its own"
                )
                raise typer.BadParameter(message, param_hint="--group")


def parts_of(text: str) -> list[str]:
    """What stands between commas.

    >>> parts_of("ttbar, Wt,")
    ['ttbar', 'Wt']
    """
    return [part.strip() for part in text.split(",") if part.strip()]
