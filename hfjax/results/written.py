"""What all records of written results share."""

import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from hfjax.documents.reading.schema import validate
from hfjax.json_text import write_document
from hfjax.provenance import Provenance

Number = float | None
"""A number; None for one that was not finite."""
Band = tuple[Number, Number, Number, Number, Number]
"""Numbers at -2, -1, 0, +1, +2 standard deviations."""
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


def written_as(key: str) -> Any:
    """A field of a record that has another name in its file."""
    return field(metadata={"key": key})


def read_by(read: Callable[[Any], Any]) -> Any:
    """A field of a record that a function makes of JSON values."""
    return field(metadata={"read": read})


def may_lack(read: Callable[[Any], Any] | None = None) -> Any:
    """A field of a record that its file need not have; None where it has not."""
    return field(default=None, metadata={"read": read, "lacks": True})


@dataclass(frozen=True, kw_only=True)
class WrittenRecord:
    """A result as it is in a file: fields have the names and values of its keys.

    Lists are tuples here.

    Attributes:
        provenance: versions, digests, settings and times.
    """

    SCHEMA: ClassVar[str]
    """The JSON Schema of the file, in `schemas/`."""

    provenance: Provenance = field(default_factory=Provenance)

    @classmethod
    def parse(cls: type[Own], document: Mapping[str, Any]) -> Own:
        """A record from its JSON values, checked against the schema.

        Raises:
            SpecificationError: the document is no such result; names the place.
        """
        validate(document, cls.SCHEMA)
        known = {e.name: _read(e, document) for e in _own(cls) if _key(e) in document}
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
        values = [(each, getattr(self, each.name)) for each in _own(type(self))]
        return {
            _key(each): _plain(value)
            for each, value in values
            if value is not None or "lacks" not in each.metadata
        }

    def dump(self) -> dict[str, Any]:
        """The same, with versions and device under the key "hfjax"."""
        return {"hfjax": self.provenance.dump(), **self.to_dict()}

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write `dump` to a file of JSON."""
        write_document(self.dump(), path)


def _own(kind: type[WrittenRecord]) -> list[Field[Any]]:
    return [entry for entry in fields(kind) if entry.name != "provenance"]


def _key(entry: Field[Any]) -> str:
    return entry.metadata.get("key") or entry.name


def _read(entry: Field[Any], document: Mapping[str, Any]) -> Any:
    """The value of a field, made of JSON values."""
    read = entry.metadata.get("read") or _frozen
    return read(document[_key(entry)])


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
