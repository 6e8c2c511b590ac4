"""Select patches with a condition on their values and names: the option `--select`."""

import typer

from hfjax.documents.patchset.patchset import PatchSet
from hfjax.errors import DataError
from hfjax.results.expression import fulfilling


def select(patchset: PatchSet, condition: str) -> tuple[str, ...]:
    """Return the names of the patches that fulfil a condition, in their order.

    Args:
        patchset: the patches; a condition may use its labels, and `name`.
        condition: the condition; see `hfjax.results.expression`.

    Raises:
        typer.BadParameter: It is no condition, uses an unknown name, cannot be computed
            for a patch, or no patch fulfils it.

    Example:
        >>> from hfjax.documents.patchset.patchset import Patch
        >>> patches = (Patch("low", (300, 50), ()), Patch("high", (900, 50), ()))
        >>> patchset = PatchSet(("m_parent", "m_lsp"), {}, {}, "a plane", patches)
        >>> select(patchset, "m_parent - m_lsp > 300 and m_lsp < 100")
        ('high',)
    """
    pairs = [(patch.name, patch.values) for patch in patchset]
    try:
        found = fulfilling(condition, patchset.labels, pairs)
    except DataError as error:
        raise typer.BadParameter(str(error), param_hint="--select") from None
    if not found:
        message = (
            f"no patch fulfils '{condition}': see names and values with "
            "'hfjax patchset inspect'"
        )
        raise typer.BadParameter(message, param_hint="--select")
    return found
