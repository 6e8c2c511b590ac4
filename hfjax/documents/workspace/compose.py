"""Make one modifier of several with one type and one name on one sample.

One parameter steers them all, so their maker means what they do together. HistFactory
has no rule for it, and pyhf 0.7.6 keeps the last of them without a word. A workspace
refuses them, unless it is asked to compose them, by the rules with which ROOT merges
them when it writes HS3:

| type | composed |
|---|---|
| normsys | the `hi` are multiplied, and the `lo` |
| histosys | the shifts from the nominal events are added |
| others | refused: there is no modifier that does what two of them do |

Shifts are interpolated linearly in `hi` and `lo`, so their sum is exact. A product is
exact where nothing is pulled and from one standard deviation on, and everywhere where
factors are interpolated exponentially (code1). Otherwise factors are polynomials inside
that keep the slope and the curvature at one standard deviation, and the polynomial of a
product is not quite the product of the polynomials: for two factors of 5 % they differ
by 1e-5 at most, of 20 % by 1e-3, of 50 % by 2e-2, relatively, and for factors near zero
by any amount.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hfjax.documents.reading.json_values import (
    TOO_DEEP,
    Malformed,
    Number,
    is_number,
    numbers,
)
from hfjax.documents.reading.schema import pointer
from hfjax.documents.workspace.channel import COMPOSABLE, Modifier, parse_modifier
from hfjax.errors import SpecificationError

Group = list[Modifier]
"""Modifiers of one type and one name, in their order."""

Data = Mapping[str, Any]
"""The data of a normsys or histosys."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A document, each sample of which has a normsys or histosys of a name once.

    Attributes:
        document: The JSON document; what nothing was composed in is the same object.
        places: What was composed: JSON pointer to the sample, and a few words.
    """

    document: Any
    places: tuple[tuple[str, str], ...]


def compose_document(document: Any) -> Composed:
    """Compose modifiers in all samples of a document, wherever samples are in it.

    Args:
        document: the JSON document of a workspace, of a patchset or of a JSON patch,
            which stays as it is. What is malformed in it is left alone.

    Raises:
        SpecificationError: A sample has two modifiers of another type and one name, a
            negative factor would be multiplied by another, what comes out is too large
            a number, or the document is nested too deeply.

    >>> jes = {"name": "jes", "type": "normsys", "data": {"lo": 0.5, "hi": 1.5}}
    >>> sample = {"name": "top", "data": [7.0], "modifiers": [jes, jes]}
    >>> composed = compose_document([sample])
    >>> composed.document[0]["modifiers"]
    [{'name': 'jes', 'type': 'normsys', 'data': {'lo': 0.25, 'hi': 2.25}}]
    >>> composed.places
    (('/0', "2 normsys 'jes' of sample 'top'"),)
    """
    places: list[tuple[str, str]] = []
    try:
        found = _walked(document, (), places)
    except RecursionError:
        raise SpecificationError(TOO_DEEP) from None
    return Composed(found, tuple(places))


def compose_modifiers(
    modifiers: Sequence[Modifier], nominal: tuple[Number, ...]
) -> tuple[Modifier, ...]:
    """Compose the modifiers of a sample.

    Args:
        modifiers: in their order; each composed one takes the place of its first.
        nominal: the events of the sample.

    Returns:
        The modifiers; as they are if one has other bins than the sample, which a sample
        refuses.

    Raises:
        SpecificationError: Two are of another type, a negative factor would be
            multiplied by another, or what comes out is too large a number.

    >>> shift = Modifier("jes", "histosys", {"lo_data": (3.0,), "hi_data": (6.0,)})
    >>> compose_modifiers([shift, shift], (4.0,))[0].data
    {'lo_data': (2.0,), 'hi_data': (8.0,)}
    """
    _refuse_others(modifiers)
    groups = _groups(modifiers)
    if not all(_fits(each, len(nominal)) for each in modifiers):
        return tuple(modifiers)
    return tuple(_joined(group, nominal) for group in groups)


def repeated(modifiers: Sequence[Modifier]) -> tuple[str, ...]:
    """Return, in a few words each, what there is more than once.

    >>> repeated([Modifier("mu", "normfactor")] * 3)
    ("3 normfactor 'mu'",)
    """
    groups = [group for group in _groups(modifiers) if len(group) > 1]
    return tuple(f"{len(group)} {group[0].type} {group[0].name!r}" for group in groups)


def _groups(modifiers: Sequence[Modifier]) -> list[Group]:
    found: dict[tuple[str, str], Group] = {}
    for modifier in modifiers:
        found.setdefault((modifier.name, modifier.type), []).append(modifier)
    return list(found.values())


def _refuse_others(modifiers: Sequence[Modifier]) -> None:
    seen: dict[tuple[str, str], int] = {}
    for index, each in enumerate(modifiers):
        first = seen.setdefault((each.name, each.type), index)
        if first != index and each.type not in COMPOSABLE:
            message = (
                f"modifier {each.name!r} {each.type!r} is there twice, first at "
                f"/modifiers/{first}, and two {each.type}s cannot be composed: rename "
                "one or remove it"
            )
            raise SpecificationError(message, f"/modifiers/{index}")


def _fits(modifier: Modifier, bins: int) -> bool:
    if modifier.type != "histosys":
        return True
    return all(len(values) == bins for values in modifier.data.values())


def _product(one: Data, other: Data, nominal: tuple[Number, ...]) -> Data:
    del nominal  # factors are relative to it
    return {key: one[key] * other[key] for key in ("lo", "hi")}


def _sum(one: Data, other: Data, nominal: tuple[Number, ...]) -> Data:
    return {
        key: tuple(
            a + (b - n) for a, b, n in zip(one[key], other[key], nominal, strict=True)
        )
        for key in ("lo_data", "hi_data")
    }


_COMPOSE = {"normsys": _product, "histosys": _sum}


def _joined(group: Group, nominal: tuple[Number, ...]) -> Modifier:
    first, *others = group
    if others and first.type == "normsys":
        _refuse_negative(group)
    data = first.data
    for other in others:
        data = _COMPOSE[first.type](data, other.data, nominal)
    composed = Modifier(first.name, first.type, data)
    if others and not _finite(composed) and all(map(_finite, group)):
        message = (
            f"{first.type} {first.name!r} is there {len(group)} times, and what they "
            "are together is beyond what numbers can hold: correct them"
        )
        raise SpecificationError(message, "/modifiers")
    return composed


def _finite(modifier: Modifier) -> bool:
    values = modifier.data.values()
    if modifier.type == "histosys":
        values = [number for bins in values for number in bins]
    return all(is_number(value) and math.isfinite(value) for value in values)


def _refuse_negative(group: Group) -> None:
    lowest = min(factor for each in group for factor in each.data.values())
    if lowest < 0:
        message = (
            f"normsys {group[0].name!r} is there {len(group)} times with the factor "
            f"{lowest}, and what a product with a negative factor means is not known: "
            "correct it, rename one or remove it"
        )
        raise SpecificationError(message, "/modifiers")


def _walked(
    value: Any, path: tuple[str | int, ...], places: list[tuple[str, str]]
) -> Any:
    """Return a value in which samples are composed; itself if there is nothing to."""
    if isinstance(value, dict):
        new = {key: _walked(item, (*path, key), places) for key, item in value.items()}
        changed = any(new[key] is not item for key, item in value.items())
        return _sample(new if changed else value, path, places)
    if isinstance(value, list) and not (value and isinstance(value[0], (int, float))):
        items = [_walked(item, (*path, i), places) for i, item in enumerate(value)]
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else items
    return value


def _sample(
    value: dict[str, Any], path: tuple[str | int, ...], places: list[tuple[str, str]]
) -> dict[str, Any]:
    """Return an object with its modifiers composed, if it is a sample with some."""
    try:
        modifiers = [parse_modifier(each) for each in value["modifiers"]]
        nominal, name = numbers(value["data"]), str(value["name"])
    except (KeyError, TypeError, Malformed):
        return value  # no sample, or one that the schema refuses
    try:
        composed = compose_modifiers(modifiers, nominal)
    except SpecificationError as error:
        where = f"sample {name!r}"
        raise error.inside(where, pointer(path)) from None
    if len(composed) == len(modifiers):
        return value
    what = [f"{words} of sample {name!r}" for words in repeated(modifiers)]
    places += [(pointer(path), words) for words in what]
    return {**value, "modifiers": [modifier.dump() for modifier in composed]}
