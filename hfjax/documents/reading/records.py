"""Lists of records with names: parse them one by one, look up, refuse duplicates."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from hfjax.documents.reading.json_values import items
from hfjax.errors import SpecificationError, unknown_name


@runtime_checkable
class Named(Protocol):
    """A record with a name."""

    @property
    def name(self) -> str:
        """The name, unique in its list."""
        ...


Record = TypeVar("Record", bound=Named)


def parse_each(
    document: Mapping[str, Any],
    key: str,
    parse: Callable[[Any], Record],
    least: int = 1,
) -> tuple[Record, ...]:
    """Parse the objects of a list in a document; errors tell their index and name.

    Args:
        document: the object that has the list.
        key: the key of the list.
        parse: makes a record of one item of the list.
        least: the smallest allowed number of items.
    """
    records = []
    for index, value in enumerate(items(document[key], least)):
        try:
            records.append(parse(value))
        except SpecificationError as error:
            name = f"{key.removesuffix('s')} {value['name']!r}"
            raise error.inside(name, f"/{key}/{index}") from None
    return tuple(records)


def find(kind: str, records: Sequence[Record], name: str, where: str) -> Record:
    """Return the record of this name.

    Raises:
        UnknownNameError: There is none; close names are suggested.
    """
    for record in records:
        if record.name == name:
            return record
    raise unknown_name(kind, name, names(records), where)


def names(records: Iterable[Named]) -> tuple[str, ...]:
    """Return the names of records, in their order."""
    return tuple([record.name for record in records])


def refuse_duplicates(
    kind: str,
    records: Sequence[Any],
    place: str,
    key: Callable[[Any], Any] = lambda record: record.name,
    advice: Callable[[Any], str] | None = None,
) -> None:
    """Refuse two records with the same key, which is their name if not said otherwise.

    Args:
        kind: what the records are, for the message.
        records: the records.
        place: JSON pointer to their list.
        key: gives what has to differ.
        advice: gives what to do about a record; to rename or remove it if not said
            otherwise.

    Raises:
        SpecificationError: Two keys are equal.
    """
    keys = [key(record) for record in records]
    if len(set(keys)) == len(keys):
        return
    index = next(i for i, found in enumerate(keys) if found in keys[:i])
    label = (
        " ".join(map(repr, keys[index])) if kind == "modifier" else repr(keys[index])
    )
    message = (
        f"{kind} {label} is there twice, first at {place}/{keys.index(keys[index])}: "
        f"{advice(records[index]) if advice else 'rename one or remove it'}"
    )
    raise SpecificationError(message, f"{place}/{index}")
