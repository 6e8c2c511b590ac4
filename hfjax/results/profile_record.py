"""A profile likelihood ratio that was written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hfjax.documents.reading.schema import validate
from hfjax.errors import SpecificationError
from hfjax.provenance import Provenance
from hfjax.results.fit_record import FitRecord
from hfjax.results.written import Dumped, name_among

SCHEMA = "profile-result-1.0.0.json"
"""The JSON Schema of the file, in `schemas/`."""


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """A profile likelihood ratio as it is in a file.

    Attributes:
        names: parameters that were held, in the order of the axes.
        values: values of each.
        delta: -2 ln L at each point less that of the free fit, a list for each value of
            the first parameter and so on; None where a fit did not converge.
        free: the fit of all parameters.
        provenance: versions, digests, settings and times.

    Example:
        >>> free = FitRecord({"mu": 1.0})
        >>> curve = ProfileRecord(("mu",), ((0.0, 2.0),), [3.9, 6.1], free)
        >>> curve.best
        (1.0,)
    """

    names: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    delta: Any
    free: FitRecord
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def best(self) -> tuple[float, ...] | None:
        """Where the free fit is, along the axes; None where it is not known."""
        values = self.free.values
        found = [values.get(name_among(name, values)) for name in self.names]
        numbers = tuple(value for value in found if value is not None)
        return numbers if len(numbers) == len(self.names) else None

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "ProfileRecord":
        """A profile from its JSON values, checked against the schema.

        Raises:
            SpecificationError: the document is no profile; names the place.
        """
        validate(document, SCHEMA)
        values = tuple(tuple(map(float, axis)) for axis in document["values"])
        shape = tuple(map(len, values))
        delta = document["delta"]
        if not _has_shape(delta, shape) or len(document["names"]) != len(shape):
            message = (
                f"the table of 'delta' is not one of {' x '.join(map(str, shape))}"
            )
            raise SpecificationError(message, "/delta")
        origin = document["hfjax"]
        free = FitRecord.parse({"hfjax": origin, **document["free"]})
        names = tuple(document["names"])
        return cls(names, values, delta, free, Provenance.parse(origin))

    @classmethod
    def of(cls, result: "ProfileRecord | Dumped") -> "ProfileRecord":
        """The record of a `ProfileResult`; a record is its own."""
        return result if isinstance(result, ProfileRecord) else cls.parse(result.dump())


def _has_shape(table: Any, shape: tuple[int, ...]) -> bool:
    """Whether a table of lists in lists has so many rows, each of the rest.

    >>> _has_shape([[1.0, None]], (1, 2)), _has_shape([1.0], (1, 2))
    (True, False)
    """
    if not shape or not isinstance(table, list):
        return not shape and not isinstance(table, list)
    return len(table) == shape[0] and all(_has_shape(row, shape[1:]) for row in table)
