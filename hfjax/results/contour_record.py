"""Contours of a profile likelihood that were written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hfjax.documents.reading.schema import validate
from hfjax.errors import SpecificationError
from hfjax.provenance import Provenance
from hfjax.results.fit_record import FitRecord
from hfjax.results.written import Dumped, Number

SCHEMA = "contour-result-1.0.0.json"
"""The JSON Schema of the file, in `schemas/`."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A contour as it is in a file.

    Attributes:
        level: probability inside.
        rise: how far -2 ln L rises to it.
        points: values of both parameters, counterclockwise; None where there is none.
        status: of each point.
    """

    level: float
    rise: float
    points: tuple[tuple[Number, Number], ...]
    status: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContourRecord:
    """Contours of a profile likelihood as they are in a file.

    Attributes:
        names: of the two parameters.
        values: their best fit.
        contours: a curve for each level.
        free: the fit of all parameters.
        provenance: versions, digests, settings and times.

    Example:
        >>> points = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))
        >>> square = Curve(0.68, 2.28, points, ("found",) * 4)
        >>> found = ContourRecord(("x", "y"), (0.0, 0.0), (square,))
        >>> found.contours[0].level
        0.68
    """

    names: tuple[str, str]
    values: tuple[Number, Number]
    contours: tuple[Curve, ...]
    free: FitRecord = field(default_factory=lambda: FitRecord({}))
    provenance: Provenance = field(default_factory=Provenance)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "ContourRecord":
        """Contours from their JSON values, checked against the schema.

        Raises:
            SpecificationError: the document is none of contours; names the place.
        """
        validate(document, SCHEMA)
        one, other = document["names"]
        x, y = document["values"]
        each = enumerate(document["contours"])
        curves = tuple(_curve(found, f"/contours/{i}") for i, found in each)
        origin = document["hfjax"]
        free = FitRecord.parse({"hfjax": origin, **document["free"]})
        return cls((one, other), (x, y), curves, free, Provenance.parse(origin))

    @classmethod
    def of(cls, result: "ContourRecord | Dumped") -> "ContourRecord":
        """The record of a `ContourResult`; a record is its own."""
        return result if isinstance(result, ContourRecord) else cls.parse(result.dump())


def _curve(document: Mapping[str, Any], pointer: str) -> Curve:
    """One curve, with a status for each of its points."""
    points = tuple((x, y) for x, y in document["points"])
    if len(points) != len(document["status"]):
        message = f"{len(document['status'])} statuses of {len(points)} points"
        raise SpecificationError(message, f"{pointer}/status")
    status = tuple(document["status"])
    return Curve(document["level"], document["rise"], points, status)
