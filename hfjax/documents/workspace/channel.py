"""Channels > samples > modifiers, and observations: parse, check, dump."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hfjax.documents.reading.json_values import (
    Malformed,
    Number,
    items,
    members,
    number,
    numbers,
    text,
)
from hfjax.documents.reading.records import find, names, parse_each, refuse_duplicates
from hfjax.errors import SpecificationError

COMPOSABLE = ("normsys", "histosys")
"""Types of modifiers of which several can be one, as `compose_modifiers` makes it."""

_MODIFIER = frozenset({"name", "type", "data"})
_HISTOSYS = frozenset({"lo_data", "hi_data"})
_NORMSYS = frozenset({"lo", "hi"})
_SAMPLE = frozenset({"name", "data", "modifiers"})
_CHANNEL = frozenset({"name", "samples"})
_OBSERVATION = frozenset({"name", "data"})


@dataclass(frozen=True, slots=True)
class Modifier:
    """What may change the rate of a sample.

    Attributes:
        name: The name of the parameter set that steers it.
        type: histosys, lumi, normfactor, normsys, shapefactor, shapesys or staterror.
        data: `{"lo_data": tuple, "hi_data": tuple}` for histosys; `{"lo": number, "hi":
            number}` for normsys; absolute uncertainties in events, one a bin, for
            shapesys and staterror; None for the others.
    """

    name: str
    type: str
    data: Any = None

    def numbers(self) -> Iterator[tuple[str, Sequence[Number]]]:
        """Its numbers by the part of the document they are in."""
        if isinstance(self.data, dict):
            for key, values in self.data.items():
                yield f"data/{key}", values if isinstance(values, tuple) else (values,)
        elif self.data is not None:
            yield "data", self.data

    def dump(self) -> dict[str, Any]:
        """Return the JSON object.

        >>> Modifier("mu", "normfactor").dump()
        {'name': 'mu', 'type': 'normfactor', 'data': None}
        """
        data = self.data
        if isinstance(data, dict):
            data = {k: list(v) if isinstance(v, tuple) else v for k, v in data.items()}
        elif data is not None:
            data = list(data)
        return {"name": self.name, "type": self.type, "data": data}


@dataclass(frozen=True)
class Sample:
    """A process that contributes events to a channel.

    Attributes:
        name: The sample's name.
        data: Nominal events, one number a bin.
        modifiers: What may change them; each (name, type) once.
    """

    name: str
    data: tuple[Number, ...]
    modifiers: tuple[Modifier, ...] = ()

    def __post_init__(self) -> None:
        _check_lengths(self.modifiers, len(self.data))
        key, advice = _name_and_type, _advice
        refuse_duplicates("modifier", self.modifiers, "/modifiers", key, advice)

    @cached_property
    def in_order(self) -> tuple[Modifier, ...]:
        """The modifiers by name, as pyhf walks them; patches share what is found."""
        return tuple(sorted(self.modifiers, key=lambda each: (each.name, each.type)))

    @cached_property
    def is_finite(self) -> bool:
        """Whether events and uncertainties are finite numbers."""
        return _are_finite(self.data) and all(map(_has_finite, self.modifiers))

    def dump(self) -> dict[str, Any]:
        """Return the JSON object.

        >>> Sample("top", (4.0, 7)).dump()
        {'name': 'top', 'data': [4.0, 7], 'modifiers': []}
        """
        modifiers = [modifier.dump() for modifier in self.modifiers]
        return {"name": self.name, "data": list(self.data), "modifiers": modifiers}


@dataclass(frozen=True, slots=True)
class Channel:
    """A selection of events in bins, to which samples contribute.

    Attributes:
        name: The channel's name.
        samples: One sample or more, each name once, all with the same number of bins.
    """

    name: str
    samples: tuple[Sample, ...]

    def __post_init__(self) -> None:
        if not self.samples:
            message = f"channel {self.name!r} has no sample"
            raise SpecificationError(message, "/samples")
        refuse_duplicates("sample", self.samples, "/samples")
        for index, sample in enumerate(self.samples):
            if len(sample.data) != self.bins:
                message = (
                    f"sample {sample.name!r} has {len(sample.data)} bins, sample "
                    f"{self.samples[0].name!r} has {self.bins}: all samples of a "
                    "channel need the same number"
                )
                raise SpecificationError(message, f"/samples/{index}/data")

    @property
    def bins(self) -> int:
        """The number of bins.

        >>> Channel("SR", (Sample("top", (4.0, 7)),)).bins
        2
        """
        return len(self.samples[0].data)

    @property
    def sample_names(self) -> tuple[str, ...]:
        """The names of the samples, in the order of the document."""
        return names(self.samples)

    def sample(self, name: str) -> Sample:
        """Return the sample of this name.

        Raises:
            UnknownNameError: There is none; close names are suggested.
        """
        return find("sample", self.samples, name, f"channel {self.name!r}")

    def dump(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"name": self.name, "samples": [s.dump() for s in self.samples]}


@dataclass(frozen=True, slots=True)
class Observation:
    """What was observed in a channel.

    Attributes:
        name: The channel's name.
        data: Observed events, one number a bin.
    """

    name: str
    data: tuple[Number, ...]

    def dump(self) -> dict[str, Any]:
        """Return the JSON object.

        >>> Observation("SR", (3, 5)).dump()
        {'name': 'SR', 'data': [3, 5]}
        """
        return {"name": self.name, "data": list(self.data)}


def parse_channel(value: Any) -> Channel:
    """Make a channel of a JSON object; a channel stays the same object."""
    if isinstance(value, Channel):
        return value
    members(value, _CHANNEL)
    return Channel(text(value["name"]), parse_each(value, "samples", parse_sample))


def parse_sample(value: Any) -> Sample:
    """Make a sample of a JSON object; a sample stays the same object."""
    if isinstance(value, Sample):
        return value
    members(value, _SAMPLE)
    modifiers = tuple([parse_modifier(item) for item in items(value["modifiers"], 0)])
    return Sample(text(value["name"]), numbers(value["data"]), modifiers)


def parse_modifier(value: Any) -> Modifier:
    """Make a modifier of a JSON object; a modifier stays the same object."""
    if isinstance(value, Modifier):
        return value
    members(value, _MODIFIER)
    name, kind = text(value["name"]), text(value["type"])
    parse_data = _PARSE_DATA.get(kind)
    if parse_data is None or (kind == "lumi" and name != "lumi"):
        raise Malformed
    return Modifier(name, kind, parse_data(value["data"]))


def parse_observation(value: Any) -> Observation:
    """Make an observation of a JSON object; an observation stays the same object."""
    if isinstance(value, Observation):
        return value
    members(value, _OBSERVATION)
    return Observation(text(value["name"]), numbers(value["data"]))


def _histosys(value: Any) -> dict[str, Any]:
    members(value, _HISTOSYS)
    lo_data, hi_data = numbers(value["lo_data"]), numbers(value["hi_data"])
    return {"lo_data": lo_data, "hi_data": hi_data}


def _normsys(value: Any) -> dict[str, Any]:
    members(value, _NORMSYS)
    return {"lo": number(value["lo"]), "hi": number(value["hi"])}


def _null(value: Any) -> None:
    if value is not None:
        raise Malformed


_PARSE_DATA = {
    "histosys": _histosys,
    "lumi": _null,
    "normfactor": _null,
    "normsys": _normsys,
    "shapefactor": _null,
    "shapesys": numbers,
    "staterror": numbers,
}


def _has_finite(modifier: Modifier) -> bool:
    data = modifier.data
    if isinstance(data, dict):
        parts = data.values()
        if modifier.type == "normsys":
            return all(map(math.isfinite, parts))
        return all(map(_are_finite, parts))
    return data is None or _are_finite(data)


def _are_finite(values: Sequence[Number]) -> bool:
    """Whether all are finite: their sum tells, where it does not overflow itself."""
    return math.isfinite(sum(values, 0.0)) or all(map(math.isfinite, values))


def _name_and_type(modifier: Modifier) -> tuple[str, str]:
    return (modifier.name, modifier.type)


def _advice(modifier: Modifier) -> str:
    """What to do about a modifier that is there twice."""
    if modifier.type not in COMPOSABLE:
        return "rename one or remove it"
    return (
        "rename one, remove it or compose them: `hfjax convert --to json --compose`, "
        "in Python `compose=True`"
    )


def _check_lengths(modifiers: tuple[Modifier, ...], bins: int) -> None:
    for index, modifier in enumerate(modifiers):
        data = modifier.data
        if data is None:
            continue
        for key, values in data.items() if isinstance(data, dict) else ((None, data),):
            if isinstance(values, tuple) and len(values) != bins:
                message = (
                    f"{modifier.type} {modifier.name!r} has {len(values)} numbers"
                    f"{f' in {key}' if key else ''}, its sample has {bins} bins"
                )
                pointer = f"/modifiers/{index}/data{f'/{key}' if key else ''}"
                raise SpecificationError(message, pointer)
