"""Groups of names, such as `top=ttbar,Wt`: the option `--group`."""

from collections.abc import Sequence
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


def parts_of(text: str) -> list[str]:
    """What stands between commas.

    >>> parts_of("ttbar, Wt,")
    ['ttbar', 'Wt']
    """
    return [part.strip() for part in text.split(",") if part.strip()]
