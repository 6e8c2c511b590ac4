"""The uncertainties of a shapesys, which HS3 documents give in two ways.

ROOT writes and reads ``vals`` as uncertainties relative to the nominal events, pyhs3
and NextStat read them as absolute. hfjax writes ``vals`` as one of the two, as ROOT if
not asked otherwise, and the absolute ones once more under ``uncertainties``.
"""

import math
from collections.abc import Sequence
from enum import StrEnum

from hfjax.documents.convert.hs3.modifiers import ModifierNode
from hfjax.documents.reading.json_values import Number, numbers
from hfjax.errors import SpecificationError


class ShapeSysValues(StrEnum):
    """What ``vals`` of a shapesys are."""

    RELATIVE = "relative"
    ABSOLUTE = "absolute"


def absolute(
    node: ModifierNode,
    nominal: Sequence[Number],
    hints: Sequence[Sequence[float | None]],
    meaning: ShapeSysValues | None,
) -> tuple[Number, ...]:
    """Return the absolute uncertainties of a shapesys, in events.

    Args:
        node: the modifier.
        nominal: events of its sample.
        hints: relative uncertainties from elsewhere, which tell what its vals are.
        meaning: what the vals are, if the caller knows.

    Raises:
        SpecificationError: There is not one number for each bin, what is said twice
            differs, or it is not clear what the vals are.
    """
    vals = _numbers(node, "vals", len(nominal))
    stated = _numbers(node, "uncertainties", len(nominal))
    if vals is None:
        return stated or ()
    if stated is not None:
        _check_both(node, vals, stated, nominal)
        return stated
    if (meaning or _guess(node, vals, nominal, hints)) is ShapeSysValues.ABSOLUTE:
        return vals
    return tuple(v * n for v, n in zip(vals, nominal, strict=True))


def sigma_of_bound(upper: Number) -> float:
    """Return the relative uncertainty of a bin for which ROOT sets an upper bound.

    >>> sigma_of_bound(1.5)
    0.1
    """
    return (upper - 1.0) / 5.0


def _numbers(node: ModifierNode, key: str, bins: int) -> tuple[Number, ...] | None:
    if key not in node.data:
        return None
    found = numbers(node.data[key])
    if len(found) != bins:
        message = f"{node.where} has {len(found)} numbers for {bins} bins"
        raise SpecificationError(message, f"{node.pointer}/data/{key}")
    return found


def relative(uncertainty: Number, nominal: Number) -> float:
    """Return a relative uncertainty; 0 of a bin that has no constraint and is fixed.

    >>> relative(2.0, 8.0), relative(2.0, 0.0)
    (0.25, 0.0)
    """
    return uncertainty / nominal if nominal > 0 and uncertainty > 0 else 0.0


def _check_both(
    node: ModifierNode,
    vals: Sequence[Number],
    stated: Sequence[Number],
    nominal: Sequence[Number],
) -> None:
    """Refuse two statements that differ: somebody has changed one of them."""
    expected = list(map(relative, stated, nominal))
    if not _close(vals, expected) and not _close(vals, stated):
        message = (
            f"{node.where} has the vals {list(vals)}, and its uncertainties make them "
            f"{expected}: remove the uncertainties if the vals are right"
        )
        raise SpecificationError(message, f"{node.pointer}/data")


def _close(a: Sequence[Number], b: Sequence[Number]) -> bool:
    return all(math.isclose(x, y, rel_tol=1e-9) for x, y in zip(a, b, strict=True))


def _guess(
    node: ModifierNode,
    vals: Sequence[Number],
    nominal: Sequence[Number],
    hints: Sequence[Sequence[float | None]],
) -> ShapeSysValues:
    """Tell from other uncertainties what vals are; ROOT's meaning if they are small."""
    ratios = list(map(relative, vals, nominal))
    for sigmas in hints:
        if _fits(vals, sigmas):
            return ShapeSysValues.RELATIVE
        if _fits(ratios, sigmas):
            return ShapeSysValues.ABSOLUTE
    if max(vals) <= 1.0:
        return ShapeSysValues.RELATIVE
    message = (
        f"{node.where} has vals of {max(vals):g}, which ROOT takes for an uncertainty "
        f"of {100 * max(vals):g}% and pyhs3 for one in events: say which, relative or "
        "absolute"
    )
    raise SpecificationError(message, f"{node.pointer}/data/vals")


def _fits(vals: Sequence[Number], sigmas: Sequence[float | None]) -> bool:
    """Whether numbers are relative uncertainties that are known, in all their bins."""
    known = [(v, s) for v, s in zip(vals, sigmas, strict=True) if v and s is not None]
    return bool(known) and all(math.isclose(v, s, rel_tol=1e-6) for v, s in known)
