"""What constrains each parameter of a likelihood, gathered from all that say so."""

from collections.abc import Iterable

from hfjax.documents.convert.hs3.document import HS3Document, Likelihood
from hfjax.documents.convert.hs3.modifiers import PER_BIN, ChannelNode, ModifierNode
from hfjax.documents.convert.hs3.read_terms import (
    Reference,
    constrained_parameters,
    constrains_several,
)
from hfjax.errors import SpecificationError

References = dict[str, Reference]
"""What constrains a parameter, by its name; the type's own where it has no entry."""


def collect_references(
    document: HS3Document, likelihood: Likelihood, channels: Iterable[ChannelNode]
) -> References:
    """Gather what constrains the parameters.

    Raises:
        SpecificationError: A parameter is constrained in two ways, or a distribution
            beside the channels constrains none of their parameters.
    """
    modifiers = [m for c in channels for s in c.samples for m in s.modifiers]
    found: References = {}
    for modifier in modifiers:
        for name, said in zip(modifier.parameters, modifier.references, strict=True):
            if said is not None:
                _agree(name, said, found.setdefault(name, said), modifier.where)
    types = {name: modifier for modifier in modifiers for name in modifier.parameters}
    for name in likelihood.constraints:
        _add_beside(document, likelihood, name, types, found)
    return found


def _agree(name: str, said: Reference, before: Reference, where: str) -> None:
    if said[:2] != before[:2]:
        message = (
            f"{where} has another constraint of {name!r} than {before.pointer}: "
            f"{_shown(said)} and not {_shown(before)}"
        )
        raise SpecificationError(message, said.pointer)


def _says_no_more(said: Reference | None) -> bool:
    """Whether a modifier says less than Poisson terms, or the kind alone."""
    return said is None or (not said.distribution and said.kind == "poisson")


def _shown(reference: Reference) -> str:
    return repr(reference.distribution or reference.kind)


def _add_beside(
    document: HS3Document,
    likelihood: Likelihood,
    name: str,
    types: dict[str, ModifierNode],
    found: References,
) -> None:
    """Add a distribution that the likelihood has beside those of its channels."""
    pointer = likelihood.pointer
    placed = document.distribution(name, f"{pointer}/aux_distributions")
    own = [each for each in constrained_parameters(placed) if each in types]
    several = constrains_several(placed)
    if len(own) != 1 and not (own and several):
        message = (
            f"distribution {name!r} of the likelihood {likelihood.name!r} should "
            f"constrain one parameter of a channel, and has {own} of them"
        )
        raise SpecificationError(message, placed.pointer)
    for parameter in own:
        before = found.get(parameter)
        implied = types[parameter].type in ("normsys", "histosys", "shapesys")
        if several and types[parameter].type in PER_BIN and _says_no_more(before):
            before, implied = None, False
        if (before is None and implied) or (before and before.distribution != name):
            message = (
                f"parameter {parameter!r} is constrained by its modifiers, as "
                f"{types[parameter].where}, and once more by {name!r} of the "
                f"likelihood {likelihood.name!r}: remove one of the two"
            )
            raise SpecificationError(message, placed.pointer)
        found[parameter] = Reference("", name, placed.pointer)
