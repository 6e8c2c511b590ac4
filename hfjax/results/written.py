"""What all records of written results share."""

import os
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from hfjax.documents.reading.schema import validate
from hfjax.json_text import write_document
from hfjax.provenance import Provenance

Number = float | None
"""A number; None for one that was not finite."""
Band = tuple[Number, Number, Number, Number, Number]
"""Numbers at -2, -1, 0, +1, +2 standard deviations."""
OBSERVED_PROFILE, NOMINAL = "observed-profile", "nominal"
"""Of which Asimov data expected results are, as in `hfjax.FitSettings`."""
Own = TypeVar("Own", bound="WrittenRecord")


@runtime_checkable
class Dumped(Protocol):
    """A result that can be written, such as a `FitResult`."""

    def dump(self) -> dict[str, Any]:
        """The result as JSON values, with its provenance."""
        ...


@runtime_checkable
class Part(Protocol):
    """A part of a record that is an object in its file."""

    def to_dict(self) -> dict[str, Any]:
        """The part as JSON values."""
        ...


@dataclass(frozen=True, kw_only=True)
class WrittenRecord:
    """A result as it is in a file: fields have the names and values of its keys.

    Lists are tuples here.

    Attributes:
        provenance: versions, digests, settings and times.
    """

    SCHEMA: ClassVar[str]
    """The JSON Schema of the file, in `schemas/`."""
    KEYS: ClassVar[Mapping[str, str]] = {}
    """Of the fields that have another name in the file."""
    READERS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    """Of the fields that are more than numbers and lists; the others need none."""

    provenance: Provenance = field(default_factory=Provenance)

    @classmethod
    def parse(cls: type[Own], document: Mapping[str, Any]) -> Own:
        """A record from its JSON values, checked against the schema.

        Raises:
            SpecificationError: the document is no such result; names the place.
        """
        validate(document, cls.SCHEMA)
        known = {
            name: cls.READERS.get(name, _frozen)(document[key])
            for name, key in cls._keys().items()
            if key in document
        }
        return cls(**known, provenance=Provenance.parse(document["hfjax"]))

    @classmethod
    def of(cls: type[Own], result: "WrittenRecord | Dumped") -> Own:
        """The record of a result; a record is its own.

        Raises:
            SpecificationError: it is a result of another kind.
        """
        return result if isinstance(result, cls) else cls.parse(result.dump())

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON values, without where it comes from."""
        values = {key: getattr(self, name) for name, key in self._keys().items()}
        lacks = {
            self.KEYS.get(e.name, e.name) for e in fields(self) if e.default is None
        }
        return {
            key: _plain(value)
            for key, value in values.items()
            if value is not None or key not in lacks
        }

    def dump(self) -> dict[str, Any]:
        """The same, with versions and device under the key "hfjax"."""
        return {"hfjax": self.provenance.dump(), **self.to_dict()}

    @classmethod
    def _keys(cls) -> dict[str, str]:
        """The key in the file of each field."""
        names = [each.name for each in fields(cls) if each.name != "provenance"]
        return {name: cls.KEYS.get(name, name) for name in names}

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write `dump` to a file of JSON."""
        write_document(self.dump(), path)


def _frozen(value: Any) -> Any:
    """JSON values with tuples for lists."""
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    if isinstance(value, dict):
        return {key: _frozen(each) for key, each in value.items()}
    return value


def _plain(value: Any) -> Any:
    """JSON values of what `_frozen` and the readers of fields make."""
    if isinstance(value, Part):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return value


def shown(value: Number) -> str:
    """A number in what a record shows of itself.

    >>> shown(0.0123456789), shown(None)
    ('0.0123457', '-')
    """
    return "-" if value is None else f"{value:.6g}"


def components(name: str, count: int) -> tuple[str, ...]:
    """Names of the components of a parameter; one alone has the parameter's.

    >>> components("mu", 1), components("gamma", 2)
    (('mu',), ('gamma[0]', 'gamma[1]'))
    """
    return (name,) if count == 1 else tuple(f"{name}[{i}]" for i in range(count))


def name_among(name: str, names: Container[str]) -> str:
    """The name that a component has among others: one alone may have a number or none.

    >>> name_among("mu[0]", ["mu"]), name_among("g", ["g[0]"]), name_among("mu", ["mu"])
    ('mu', 'g[0]', 'mu')
    """
    if name in names:
        return name
    bare, numbered = name.removesuffix("[0]"), f"{name}[0]"
    return bare if bare in names else numbered if numbered in names else name


def flat(table: Mapping[str, Any]) -> dict[str, Any]:
    """What is there for each component of each parameter, by its name.

    >>> flat({"mu": [0.5], "gamma": [1.0, None]})
    {'mu': 0.5, 'gamma[0]': 1.0, 'gamma[1]': None}
    """
    return {
        name: value
        for each, values in table.items()
        for name, value in zip(components(each, len(values)), values, strict=True)
    }


def nested(table: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Components together by the name of their parameter: what `flat` was made of.

    >>> nested({"mu": 0.5, "gamma[0]": 1.0, "gamma[1]": None})
    {'mu': [0.5], 'gamma': [1.0, None]}
    """
    found: dict[str, list[Any]] = {}
    for name, value in table.items():
        bare, bracket, _ = name.rpartition("[")
        several = bracket and f"{bare}[0]" in table and f"{bare}[1]" in table
        found.setdefault(bare if several else name, []).append(value)
    return found
