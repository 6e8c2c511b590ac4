"""Modifiers of HS3 documents: their parameters and what constrains these."""

from dataclasses import dataclass
from typing import Any

from hfjax.documents.convert.hs3.document import (
    HS3Document,
    Object,
    Placed,
    entries,
    entry,
    texts,
)
from hfjax.documents.convert.hs3.interpolation import check_interpolation
from hfjax.documents.convert.hs3.names import ALPHA, gamma_names
from hfjax.documents.convert.hs3.read_terms import TYPES, Reference
from hfjax.documents.reading.json_values import Number, items, numbers, text
from hfjax.errors import SpecificationError

SCALARS = ("normfactor", "normsys", "histosys")
"""Types of modifiers with one parameter."""

PER_BIN = ("shapesys", "shapefactor", "staterror")
"""Types of modifiers with one parameter for each bin."""


STATERROR = ("staterror", "statError")
"""Where a channel says of which kind its staterrors are; ROOT has written both."""


@dataclass(frozen=True, slots=True)
class ChannelNode:
    """A distribution of type `histfactory_dist`.

    Attributes:
        name: The channel's name.
        placed: The distribution.
        samples: Its samples.
    """

    name: str
    placed: Placed
    samples: tuple["SampleNode", ...]


@dataclass(frozen=True, slots=True)
class SampleNode:
    """A sample with its modifiers as HS3 has them."""

    name: str
    contents: tuple[Number, ...]
    errors: tuple[Number, ...] | None
    modifiers: tuple["ModifierNode", ...]


@dataclass(frozen=True, slots=True)
class ModifierNode:
    """A modifier as HS3 has it.

    Attributes:
        type: Its type in HS3.
        name: Its name; "" if it has none.
        parameters: Names of its parameters.
        references: What constrains each of them; None where nothing is said.
        data: What it has under `data`.
        where: What it is and belongs to, for messages.
        pointer: JSON pointer to it.
    """

    type: str
    name: str
    parameters: tuple[str, ...]
    references: tuple[Reference | None, ...]
    data: Object
    where: str
    pointer: str


def read_channel(document: HS3Document, placed: Placed, name: str) -> ChannelNode:
    """Read a distribution of type `histfactory_dist`.

    Raises:
        SpecificationError: It has something that hfjax does not read.
        Malformed: The form is wrong.
    """
    content = placed.content
    if (method := content.get("barlow_beeston_method", "lite")) != "lite":
        message = (
            f"channel {name!r} has the barlow_beeston_method {method!r}, and hfjax "
            "reads only 'lite': one staterror parameter for all samples of a bin"
        )
        raise SpecificationError(message, placed.pointer)
    samples = tuple(
        _read_sample(document, placed, name, entries(item), index)
        for index, item in enumerate(items(entry(content, "samples")))
    )
    _check_staterrors(samples)
    return ChannelNode(name, placed, samples)


def _check_staterrors(samples: tuple[SampleNode, ...]) -> None:
    """Refuse staterrors of a channel that do not share their parameters."""
    found = [m for s in samples for m in s.modifiers if m.type == "staterror"]
    for each in found[1:]:
        if each.parameters != found[0].parameters:
            message = (
                f"{each.where} has other parameters than the one at "
                f"{found[0].pointer}, and one channel has one staterror"
            )
            raise SpecificationError(message, each.pointer)


def _read_sample(
    document: HS3Document, placed: Placed, channel: str, content: Object, index: int
) -> SampleNode:
    name = text(content.get("name", f"sample_{index}"))
    data = entries(entry(content, "data"))
    contents = numbers(entry(data, "contents"))
    errors = numbers(data["errors"]) if "errors" in data else None
    where = f"sample {name!r} of channel {channel!r}"
    scope = _Scope(document, placed, where, len(contents))
    modifiers = tuple(
        _read_modifier(scope, entries(item), f"{placed.pointer}/samples/{index}", place)
        for place, item in enumerate(items(content.get("modifiers", []), 0))
    )
    return SampleNode(name, contents, errors, modifiers)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where a modifier is."""

    document: HS3Document
    channel: Placed
    where: str
    bins: int


def _read_modifier(
    scope: _Scope, content: Object, sample: str, place: int
) -> ModifierNode:
    kind, name = text(entry(content, "type")), text(content.get("name", ""))
    pointer = f"{sample}/modifiers/{place}"
    where = f"{kind} {name!r} of {scope.where}" if name else f"{kind} of {scope.where}"
    if kind not in (*SCALARS, *PER_BIN):
        message = (
            f"{where} is of a type that hfjax does not read; it reads "
            f"{sorted((*SCALARS, *PER_BIN))}"
        )
        raise SpecificationError(message, pointer)
    if kind in ("normsys", "histosys"):
        check_interpolation(kind, content, scope.channel.content, where, pointer)
    data = _data(kind, entries(content.get("data") or {}))
    parameters = _parameters(scope, kind, content, where, pointer)
    references = _references(scope, content, parameters, where, pointer)
    if kind == "staterror" and None in references:
        references = (_channel_reference(scope, pointer),) * len(parameters)
    return ModifierNode(kind, name, parameters, references, data, where, pointer)


def _data(kind: str, found: Object) -> Object:
    """What stands under `data`; of bins, empty lists say nothing."""
    if kind not in PER_BIN:
        return found
    return {key: each for key, each in found.items() if each != []}


def _parameters(
    scope: _Scope, kind: str, content: Object, where: str, pointer: str
) -> tuple[str, ...]:
    """Names of the parameters; those that ROOT gives them if there are none."""
    found: tuple[str, ...] = ()
    if "parameter" in content:
        found = (text(content["parameter"]),)
    elif "parameters" in content:
        found = texts(content["parameters"])
    name = text(content.get("name", ""))
    if kind in SCALARS:
        if not found and name:
            found = (name if kind == "normfactor" else ALPHA + name,)
        if len(found) == 1:
            return found
        message = f"{where} has the parameters {list(found)}: it needs a single one"
        raise SpecificationError(message, pointer)
    if not found:
        channel = scope.channel.name.removeprefix("model_")
        stem = f"stat_{channel}" if kind == "staterror" else name
        found = gamma_names(stem, scope.bins)
    if len(found) != scope.bins:
        message = f"{where} has {len(found)} parameters for {scope.bins} bins"
        raise SpecificationError(message, pointer)
    return found


def _references(
    scope: _Scope,
    content: Object,
    parameters: tuple[str, ...],
    where: str,
    pointer: str,
) -> tuple[Reference | None, ...]:
    """What constrains each parameter, in the words of any version of the standard.

    `constraints` is a list of distributions, `constraint_name` one of them,
    `constraint_type` a kind, and `constraint` either.
    """
    if "constraints" in content:
        found = items(content["constraints"], 0)
        if len(found) != len(parameters):
            message = (
                f"{where} has {len(found)} constraints and {len(parameters)} "
                "parameters: give one for each, null where there is none"
            )
            raise SpecificationError(message, pointer)
        if any(each is not None for each in found):
            return tuple(_listed(each, pointer) for each in found)
        if not any(content.get(key) for key in ("constraint", "constraint_type")):
            return (Reference("none", "", pointer),) * len(parameters)
    for key in ("constraint_name", "constraint", "constraint_type"):
        if content.get(key) is not None:
            said = _reference(scope, key, text(content[key]), where, pointer)
            return (said,) * len(parameters)
    return (None,) * len(parameters)


def _channel_reference(scope: _Scope, pointer: str) -> Reference:
    """What a channel says about all its staterrors; Poisson, as ROOT, if nothing."""
    for holder in STATERROR:
        settings = entries(scope.channel.content.get(holder, {}))
        for key in ("constraint_type", "constraint"):
            if key in settings:
                place = f"{scope.channel.pointer}/{holder}"
                where = f"staterror of channel {scope.channel.name!r}"
                return _reference(scope, key, text(settings[key]), where, place)
    return Reference("poisson", "", pointer)


def _listed(said: Any, pointer: str) -> Reference:
    if said is None:
        return Reference("none", "", pointer)
    return Reference("", text(said), pointer)


def _reference(
    scope: _Scope, key: str, said: str, where: str, pointer: str
) -> Reference:
    if key != "constraint_type" and said in scope.document.distributions:
        return Reference("", said, pointer)
    if key != "constraint_name" and said in TYPES:
        return Reference(TYPES[said], "", pointer)
    message = (
        f"{where} has the {key} {said!r}, which is no distribution of the document and "
        f"none of the kinds {sorted(TYPES)}"
    )
    raise SpecificationError(message, pointer)
