"""Contours of a profile likelihood that were written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from hfjax.documents.reading.schema import validate
from hfjax.errors import SpecificationError
from hfjax.provenance import Provenance
from hfjax.results.fit_record import FitRecord
from hfjax.results.written import Number, WrittenRecord


@dataclass(frozen=True, slots=True)
class Curve:
    """A contour as it is in a file.

    Attributes:
        level: probability inside.
        rise: how far -2 ln L rises to it.
        points: values of both parameters, counterclockwise; None where there is none.
        status: of each point.
        delta: how far -2 ln L has risen at each.
    """

    level: float
    rise: float
    points: tuple[tuple[Number, Number], ...]
    status: tuple[str, ...]
    delta: tuple[Number, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The curve as JSON values."""
        return {
            "level": self.level,
            "rise": self.rise,
            "points": [list(point) for point in self.points],
            "status": list(self.status),
            "delta": list(self.delta),
        }


@dataclass(frozen=True, repr=False)
class ContourRecord(WrittenRecord):
    """Contours of a profile likelihood as they are in a file.

    Attributes:
        names: of the two parameters.
        values: their best fit.
        contours: a curve for each level.
        free: the fit of all parameters.
        message: what happened and what to try; empty where all is well.
        provenance: versions, digests, settings and times.

    Example:
        >>> points = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))
        >>> square = Curve(0.68, 2.28, points, ("found",) * 4)
        >>> found = ContourRecord(("x", "y"), (0.0, 0.0), (square,))
        >>> found, found.contours[0].level
        (ContourRecord: x, y, levels 0.68, 0.68)
    """

    SCHEMA: ClassVar[str] = "contour-result-1.0.0.json"

    names: tuple[str, str]
    values: tuple[Number, Number]
    contours: tuple[Curve, ...]
    free: FitRecord = field(default_factory=lambda: FitRecord({}))
    message: str = ""

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "ContourRecord":
        """Contours from their JSON values, checked against the schema.

        Raises:
            SpecificationError: the document is none of contours; names the place.
        """
        validate(document, cls.SCHEMA)
        one, other = document["names"]
        x, y = document["values"]
        each = enumerate(document["contours"])
        curves = tuple(_curve(found, f"/contours/{i}") for i, found in each)
        origin = document["hfjax"]
        free = FitRecord.parse({"hfjax": origin, **document["free"]})
        known, message = Provenance.parse(origin), document["message"]
        return cls((one, other), (x, y), curves, free, message, provenance=known)

    def __repr__(self) -> str:
        """Of which parameters the contours are, and at which levels."""
        levels = ", ".join(f"{each.level:.4g}" for each in self.contours)
        return f"ContourRecord: {', '.join(self.names)}, levels {levels}"


def _curve(document: Mapping[str, Any], pointer: str) -> Curve:
    """One curve, with a status for each of its points."""
    points = tuple((x, y) for x, y in document["points"])
    if len(points) != len(document["status"]):
        message = f"{len(document['status'])} statuses of {len(points)} points"
        raise SpecificationError(message, f"{pointer}/status")
    status, delta = tuple(document["status"]), tuple(document["delta"])
    return Curve(document["level"], document["rise"], points, status, delta)
