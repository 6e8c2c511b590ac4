"""A profile likelihood ratio that was written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hfjax.documents.reading.schema import validate
from hfjax.errors import SpecificationError
from hfjax.provenance import Provenance
from hfjax.results.fit_record import FitRecord
from hfjax.results.scan import CONVERGED
from hfjax.results.written import WrittenRecord, name_among


@dataclass(frozen=True, repr=False)
class ProfileRecord(WrittenRecord):
    """A profile likelihood ratio as it is in a file.

    Attributes:
        names: parameters that were held, in the order of the axes.
        values: values of each.
        delta: -2 ln L at each point less that of the free fit, a list for each value of
            the first parameter and so on; None where a fit did not converge.
        free: the fit of all parameters.
        status: of each point, in such lists; None where that is not known.
        provenance: versions, digests, settings and times.

    Example:
        >>> free = FitRecord({"mu": 1.0})
        >>> curve = ProfileRecord(("mu",), ((0.0, 2.0),), [3.9, 6.1], free)
        >>> curve, curve.best
        (ProfileRecord: mu, 2 values, (1.0,))
    """

    SCHEMA: ClassVar[str] = "profile-result-1.0.0.json"

    names: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    delta: Any
    free: FitRecord
    status: Any = None

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
        validate(document, cls.SCHEMA)
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
        known = Provenance.parse(origin)
        return cls(names, values, delta, free, document["status"], provenance=known)

    def to_dict(self) -> dict[str, Any]:
        """The profile as JSON values, without where it comes from."""
        return {
            "names": list(self.names),
            "values": [list(axis) for axis in self.values],
            "delta": self.delta,
            "status": _statuses(self.delta) if self.status is None else self.status,
            "free": self.free.to_dict(),
        }

    def __repr__(self) -> str:
        """Which parameters were held, and at how many values."""
        sizes = " x ".join(str(len(axis)) for axis in self.values)
        return f"ProfileRecord: {', '.join(self.names)}, {sizes} values"


def _statuses(delta: Any) -> Any:
    """What is known of the status of each point.

    >>> _statuses([1.0, None])
    ['converged', 'not_finite']
    """
    if isinstance(delta, list):
        return [_statuses(each) for each in delta]
    return CONVERGED if delta is not None else "not_finite"


def _has_shape(table: Any, shape: tuple[int, ...]) -> bool:
    """Whether a table of lists in lists has so many rows, each of the rest.

    >>> _has_shape([[1.0, None]], (1, 2)), _has_shape([1.0], (1, 2))
    (True, False)
    """
    if not shape or not isinstance(table, list):
        return not shape and not isinstance(table, list)
    return len(table) == shape[0] and all(_has_shape(row, shape[1:]) for row in table)
