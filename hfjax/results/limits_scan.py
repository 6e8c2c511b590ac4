"""What a scan for upper limits returns and writes: the six limits of each point.

Plain Python, no JAX: a result file can be read, checked and drawn anywhere.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from hfjax.documents.reading.json_files import naming, read_json
from hfjax.documents.reading.schema import validate
from hfjax.html_table import html_table
from hfjax.json_text import finite_or_none
from hfjax.provenance import Provenance
from hfjax.results.point_table import PointTable, Value
from hfjax.results.scan import LEVEL, MEDIAN, ScanResult

FOUND = "found"
"""The status of a limit that is found."""

LACKING = ("not_reached", "all_excluded", "jumps", "outside_values")
"""The statuses of limits that do not exist, or are not among given values."""

LIMITS_SCHEMA = "limits-scan-result-1.0.0.json"
"""The JSON Schema of the result file, in `schemas/`."""

_BAND_WIDTH = 5


@dataclass(frozen=True, slots=True)
class LimitPoint:
    """The upper limits on the parameter of interest at one signal point.

    Where the parameter is the signal's strength, a point is excluded where its limit is
    below 1. A number that is not finite becomes None, so records compare equal after a
    round trip through JSON.

    Attributes:
        name: The patch's name.
        values: The patch's values, in the order of the scan's labels.
        limit_obs: Observed limit; None where there is none.
        limit_exp: Expected limits at -2, -1, 0, +1, +2 standard deviations.
        status: `"found"` if all six are; else the worst of `statuses`, or why there was
            no search.
        statuses: Of each limit, the observed one first; empty where there was no
            search.
        message: What happened and what to try; empty where all are found.
        mu_hat: Best-fit value of the parameter of interest.
        tests: Values that were tested.
        steps: Minimizer steps, summed over all fits.

    Example:
        >>> point = LimitPoint("a", (300, 0), 0.8, (0.5, 0.7, 1.1, 1.6, 2.2))
        >>> point.converged, point.excluded(), point.expected_excluded()
        (True, True, False)
        >>> LimitPoint("b", (400, 0), status="fits_failed").converged
        False
    """

    name: str
    values: tuple[Value, ...]
    limit_obs: float | None = None
    limit_exp: tuple[float | None, ...] = (None,) * _BAND_WIDTH
    status: str = FOUND
    statuses: tuple[str, ...] = ()
    message: str = ""
    mu_hat: float | None = None
    tests: int = 0
    steps: int = 0

    def __post_init__(self) -> None:
        """Turn what is not a number into None, and arrays' numbers into Python's."""
        if len(self.limit_exp) != _BAND_WIDTH:
            number = len(self.limit_exp)
            message = f"point {self.name!r} has {number} expected limits, not 5"
            raise ValueError(message)
        band = tuple(finite_or_none(value) for value in self.limit_exp)
        self._set("limit_exp", band)
        self._set("limit_obs", finite_or_none(self.limit_obs))
        self._set("mu_hat", finite_or_none(self.mu_hat))
        self._set("values", tuple(self.values))
        self._set("statuses", tuple(self.statuses))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    @property
    def converged(self) -> bool:
        """Whether the search ended: with limits, or as some do not exist."""
        return self.status == FOUND or self.status in LACKING

    def excluded(self, value: float = 1.0) -> bool:
        """Whether the observed limit is below a value of the parameter.

        False where there is no limit.
        """
        return self.limit_obs is not None and self.limit_obs < value

    def expected_excluded(self, value: float = 1.0) -> bool:
        """Whether the median expected limit is below a value of the parameter."""
        median = self.limit_exp[MEDIAN]
        return median is not None and median < value

    def dump(self) -> dict[str, Any]:
        """The point as JSON values, in the order of the result file."""
        document = asdict(self)
        lists = {k: list(v) for k, v in document.items() if isinstance(v, tuple)}
        return document | lists

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "LimitPoint":
        """A point from its JSON values; keys it does not know are ignored."""
        known: dict[str, Any] = {each.name: document[each.name] for each in fields(cls)}
        for key, value in known.items():
            known[key] = tuple(value) if isinstance(value, list) else value
        return cls(**known)


@dataclass(frozen=True, slots=True)
class LimitsScanResult(PointTable[LimitPoint]):
    """The upper limits of all points of a scan, in the order of the patchset.

    Attributes:
        labels: What the points' values are, for instance `("m_parent", "m_lsp")`.
        points: One record a point.
        provenance: Versions, digests, settings and times.
        level: CLs at the limits.

    Example:
        >>> point = LimitPoint("a", (300, 0), 0.8, (0.5, 0.7, 1.1, 1.6, 2.2))
        >>> result = LimitsScanResult(("m", "m_lsp"), (point,))
        >>> result["a"].limit_obs, len(result.excluded()), result.failed
        (0.8, 1, ())
        >>> {k: v for k, v in result.rows[0].items() if k in ("m", "limit_exp[2]")}
        {'m': 300, 'limit_exp[2]': 1.1}
        >>> LimitsScanResult.parse(result.dump()) == result
        True
    """

    level: float = LEVEL

    def excluded(self, value: float = 1.0) -> tuple[LimitPoint, ...]:
        """The points whose observed limit is below a value of the parameter."""
        return tuple(point for point in self.points if point.excluded(value))

    def expected_excluded(self, value: float = 1.0) -> tuple[LimitPoint, ...]:
        """The points whose median expected limit is below a value."""
        return tuple(point for point in self.points if point.expected_excluded(value))

    def __repr__(self) -> str:
        """How many points there are, and what came out."""
        labels = ", ".join(self.labels)
        head = f"LimitsScanResult: {len(self.points)} points, labels {labels}"
        observed, expected = len(self.excluded()), len(self.expected_excluded())
        failed = f"{len(self.failed)} without a result"
        below = f"{observed} with a limit below 1, {expected} expected to be"
        return f"{head}\n  {below}, {failed}"

    def _repr_html_(self) -> str:
        """A table of the points, for notebooks."""
        median = f"limit_exp[{MEDIAN}]"
        columns = ["name", *self.labels, "limit_obs", median, "mu_hat", "status"]
        rows = [
            [
                *(point.name, *point.values, point.limit_obs),
                *(point.limit_exp[MEDIAN], point.mu_hat, point.status),
            ]
            for point in self.points
        ]
        return html_table(repr(self).replace("\n", ";"), columns, rows)

    def dump(self) -> dict[str, Any]:
        """The result file as JSON values, none of them NaN or infinite."""
        return PointTable.dump(self) | {"level": self.level}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "LimitsScanResult":
        """A result from its JSON values, checked against the schema.

        Raises:
            SpecificationError: The document is not a result file; names the place.
        """
        validate(document, LIMITS_SCHEMA)
        points = tuple(LimitPoint.parse(point) for point in document["points"])
        origin = Provenance.parse(document["hfjax"])
        return cls(tuple(document["labels"]), points, origin, document["level"])

    @classmethod
    def load(cls, path: str | Path) -> "LimitsScanResult":
        """Read a result file written by `hfjax scan --limits --output`."""
        document = read_json(path)
        with naming(path):
            return cls.parse(document)


Scanned = ScanResult | LimitsScanResult
"""What a scan has found at all points of a patchset."""
