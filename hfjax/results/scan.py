"""What a scan returns and writes: one record a point, and where the numbers come from.

Plain Python, no JAX: a result file can be read, checked and drawn anywhere.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, SupportsIndex

from hfjax.documents.reading.json_files import naming, read_json
from hfjax.documents.reading.schema import validate
from hfjax.errors import FitError, UnknownNameError, unknown_name
from hfjax.html_table import html_table
from hfjax.json_text import finite_or_none
from hfjax.provenance import Provenance

CONVERGED = "converged"
"""The status of a point whose five fits all reached their minimum."""

NOT_RUN = "not_run"
"""The status of a point that an interrupted scan did not come to."""

SCHEMA = "scan-result-1.0.0.json"
"""The JSON Schema of the result file, in `schemas/`."""

LEVEL = 0.05
"""CLs below which a point is excluded: at 95 % confidence level."""

MEDIAN = 2
"""Position of the median in an expected band."""

Value = int | float | str
"""A value of a label, as in the patchset."""

_RESULTS = ("CLs_obs", "CLsb", "CLb", "q", "q_asimov", "mu_hat")
_NEWER = {"lower_by", "passed_over"}  # older files do without
_BAND_WIDTH = 5
_BAND_SHIFTS = (2.0, 1.0, 0.0, -1.0, -2.0)  # of Z, of an ever larger p0


@dataclass(frozen=True, slots=True)
class ScanPoint:
    """The hypothesis test of one signal point.

    A result of a fit that did not converge is no result: where `status` is not
    `"converged"`, every result is None, and `message` says what happened and what to
    try. A number that is not finite becomes None as well, so records compare equal
    after a round trip through JSON.

    Attributes:
        name: The patch's name.
        values: The patch's values, in the order of the scan's labels.
        CLs_obs: Observed CLs = CLsb / CLb (for q0: `p0`).
        CLs_exp: Expected CLs at -2, -1, 0, +1, +2 standard deviations.
        CLsb: p-value of the signal-plus-background hypothesis.
        CLb: p-value of the background-only hypothesis.
        q: Observed value of the test statistic.
        q_asimov: Its value on the Asimov data.
        mu_hat: Best-fit value of the parameter of interest.
        status: `"converged"`, or the reason why there is no result.
        message: What happened and what to try; empty for a converged point.
        edm: Estimated distance to the minimum in -2 ln L, the worst of the five fits.
        steps: Minimizer steps, summed over the five fits.
        discovery: Whether the test statistic is q0, so that zero was tested.
        lower_by: How much lower in -2 ln L a fit ended than where its initial values
            lead, the largest of the fits; 0 where they all lead to the best.
        passed_over: Whether a fit has passed over a lower minimum that is not physical.

    Example:
        >>> point = ScanPoint("a", (300, 0), 0.04, (0.1, 0.2, 0.3, 0.4, 0.5))
        >>> point.converged, point.excluded()
        (True, True)
        >>> ScanPoint("b", (400, 0), 0.04, status="stalled").CLs_obs is None
        True
        >>> ScanPoint("c", (500, 0), 0.02275, q=4.0, discovery=True).Z
        2.0
    """

    name: str
    values: tuple[Value, ...]
    CLs_obs: float | None = None
    CLs_exp: tuple[float | None, ...] = (None,) * _BAND_WIDTH
    CLsb: float | None = None
    CLb: float | None = None
    q: float | None = None
    q_asimov: float | None = None
    mu_hat: float | None = None
    status: str = CONVERGED
    message: str = ""
    edm: float | None = None
    steps: int = 0
    discovery: bool = False
    lower_by: float = 0.0
    passed_over: bool = False

    def __post_init__(self) -> None:
        """Turn what is not a result into None, and arrays' numbers into Python's."""
        keep = self.status == CONVERGED
        for name in _RESULTS:
            self._set(name, finite_or_none(getattr(self, name)) if keep else None)
        if len(self.CLs_exp) != _BAND_WIDTH:
            message = f"point {self.name!r} has {len(self.CLs_exp)} expected CLs, not 5"
            raise ValueError(message)
        band = tuple(finite_or_none(value) if keep else None for value in self.CLs_exp)
        self._set("CLs_exp", band)
        self._set("values", tuple(self.values))
        self._set("edm", finite_or_none(self.edm))
        self._set("steps", int(self.steps))
        self._set("lower_by", float(self.lower_by))
        self._set("passed_over", bool(self.passed_over))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    @property
    def converged(self) -> bool:
        """Whether the point has a result."""
        return self.status == CONVERGED

    def excluded(self, level: float = LEVEL) -> bool:
        """Whether the observed CLs is below `level`.

        False where there is no result, and for q0, which excludes nothing.
        """
        if self.CLs_obs is None or self.discovery:
            return False
        return self.CLs_obs < level

    @property
    def p0(self) -> float | None:
        """Observed p-value of the background alone; None but for q0."""
        return self.CLs_obs if self.discovery else None

    @property
    def p0_exp(self) -> tuple[float | None, ...]:
        """Expected `p0` with the signal, in the order of `CLs_exp`, rising."""
        return self.CLs_exp if self.discovery else (None,) * _BAND_WIDTH

    @property
    def Z(self) -> float | None:
        """Observed significance in standard deviations: Phi(-Z) = p0, Z = sqrt(q0)."""
        return None if self.q is None or not self.discovery else math.sqrt(self.q)

    @property
    def Z_exp(self) -> tuple[float | None, ...]:
        """Expected `Z` with the signal, of each `p0_exp`, falling."""
        if self.q_asimov is None or not self.discovery:
            return (None,) * _BAND_WIDTH
        median = math.sqrt(self.q_asimov)
        return tuple(median + shift for shift in _BAND_SHIFTS)

    def dump(self) -> dict[str, Any]:
        """The point as JSON values, in the order of the result file."""
        document = asdict(self)
        del document["discovery"]
        if self.discovery:
            names = ("p0", "p0_exp", "Z", "Z_exp")
            document |= {name: getattr(self, name) for name in names}
        lists = {k: list(v) for k, v in document.items() if isinstance(v, tuple)}
        return document | lists

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "ScanPoint":
        """A point from its JSON values; keys it does not know are ignored."""
        names = {entry.name for entry in fields(cls)} - {"discovery"}
        newer = {name: document[name] for name in _NEWER & document.keys()}
        known = {name: document[name] for name in names - _NEWER} | newer
        lists: dict[str, Any] = {
            key: tuple(known[key]) for key in ("values", "CLs_exp")
        }
        return cls(**known | lists, discovery="p0" in document)


@dataclass(frozen=True, slots=True)
class ScanResult:
    """All points of a scan, in the order of the patchset.

    Attributes:
        labels: What the points' values are, for instance `("m_parent", "m_lsp")`.
        points: One record a point.
        provenance: Versions, digests, settings and times.

    Example:
        >>> point = ScanPoint("a", (300, 0), 0.04, (0.1, 0.2, 0.3, 0.4, 0.5))
        >>> result = ScanResult(("m", "m_lsp"), (point,))
        >>> result["a"].CLs_obs, result.failed
        (0.04, ())
        >>> result[0] is result["a"] is result[300, 0]
        True
        >>> {k: v for k, v in result.rows[0].items() if k in ("m", "CLs_exp[2]")}
        {'m': 300, 'CLs_exp[2]': 0.3}
        >>> ScanResult.parse(result.dump()) == result
        True
    """

    labels: tuple[str, ...]
    points: tuple[ScanPoint, ...]
    provenance: Provenance = field(default_factory=Provenance)

    def __len__(self) -> int:
        """The number of points."""
        return len(self.points)

    def __iter__(self) -> Iterator[ScanPoint]:
        """The points, in the order of the patchset."""
        return iter(self.points)

    def __getitem__(self, key: str | SupportsIndex | Sequence[Value]) -> ScanPoint:
        """The point of a name, at a position, or of values.

        Raises:
            UnknownNameError: There is no such point; close names are suggested.
            IndexError: There are not so many points.
        """
        if isinstance(key, SupportsIndex):
            return self.points[key]
        if not isinstance(key, str):
            return self._of_values(tuple(key))
        for point in self.points:
            if point.name == key:
                return point
        names = [point.name for point in self.points]
        error = unknown_name("point", key, names, "the scan")
        raise error

    def _of_values(self, values: tuple[Value, ...]) -> ScanPoint:
        for point in self.points:
            if point.values == values:
                return point
        shown = ", ".join(map(str, values))
        message = f"no point at ({shown}): the labels are {', '.join(self.labels)}"
        raise UnknownNameError(message)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One flat dict a point, for tables: `pandas.DataFrame(result.rows)`.

        The values have the names of their labels; bands are in columns of their own,
        such as `CLs_exp[2]` for the median.
        """
        return [self._row(point) for point in self.points]

    def _row(self, point: ScanPoint) -> dict[str, Any]:
        record = point.dump()
        values = dict(zip(self.labels, record.pop("values"), strict=True))
        name = {"name": record.pop("name")}
        flat: dict[str, Any] = {}
        for key, value in record.items():
            band = enumerate(value) if isinstance(value, list) else ()
            one = {key: value} if not isinstance(value, list) else {}
            flat |= one | {f"{key}[{i}]": each for i, each in band}
        return name | values | flat

    @property
    def converged(self) -> bool:
        """Whether all points have a result."""
        return not self.failed

    def raise_if_failed(self) -> "ScanResult":
        """Return the result itself, or raise if a point has none.

        Raises:
            FitError: How many points, and what happened at the first of them.
        """
        if self.failed:
            first = self.failed[0]
            message = (
                f"{len(self.failed)} of {len(self.points)} points have no result, the "
                f"first is {first.name!r}: {first.message}"
            )
            raise FitError(message)
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the points, in the order of the patchset."""
        return tuple(point.name for point in self.points)

    def __repr__(self) -> str:
        """How many points there are, and what came out."""
        labels = ", ".join(self.labels)
        head = f"ScanResult: {len(self.points)} points, labels {labels}"
        failed = f"{len(self.failed)} without a result"
        if self.discovery:
            best = self.most_significant
            largest = f"largest Z {best.Z:.3g} of {best.name}, " if best else ""
            return f"{head}\n  {largest}{failed}"
        observed, expected = len(self.excluded()), len(self.expected_excluded())
        return f"{head}\n  {observed} excluded, {expected} expected to be, {failed}"

    def _repr_html_(self) -> str:
        """A table of the points, for notebooks."""
        head = repr(self).replace("\n", ";")
        names = ("p0", "Z") if self.discovery else ("CLs_obs", "mu_hat")
        expected = "Z_exp" if self.discovery else "CLs_exp"
        columns = ["name", *self.labels, *names, f"{expected}[{MEDIAN}]", "status"]
        rows = [
            [
                point.name,
                *point.values,
                *(getattr(point, name) for name in names),
                getattr(point, expected)[MEDIAN],
                point.status,
            ]
            for point in self.points
        ]
        return html_table(head, columns, rows)

    def excluded(self, level: float = LEVEL) -> tuple[ScanPoint, ...]:
        """The points whose observed CLs is below `level`."""
        return tuple(point for point in self.points if point.excluded(level))

    def expected_excluded(self, level: float = LEVEL) -> tuple[ScanPoint, ...]:
        """The points whose median expected CLs is below `level`."""
        pairs = [(point, point.CLs_exp[MEDIAN]) for point in self.points]
        known = [point for point, cls in pairs if cls is not None and cls < level]
        return () if self.discovery else tuple(known)

    @property
    def most_significant(self) -> ScanPoint | None:
        """The point with the largest `Z`; None but for q0."""
        known = [point for point in self.points if point.Z is not None]
        return max(known, key=lambda point: point.Z or 0.0, default=None)

    @property
    def failed(self) -> tuple[ScanPoint, ...]:
        """The points without a result."""
        return tuple(point for point in self.points if not point.converged)

    @property
    def discovery(self) -> bool:
        """Whether the test statistic is q0: p-values of the background, no CLs."""
        return any(point.discovery for point in self.points)

    @property
    def tested(self) -> tuple[ScanPoint, ...]:
        """The points that a scan came to, with a result or without."""
        return tuple(point for point in self.points if point.status != NOT_RUN)

    def dump(self) -> dict[str, Any]:
        """The result file as JSON values, none of them NaN or infinite."""
        return {
            "hfjax": self.provenance.dump(),
            "labels": list(self.labels),
            "points": [point.dump() for point in self.points],
        }

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "ScanResult":
        """A result from its JSON values, checked against the schema.

        Raises:
            SpecificationError: The document is not a result file; names the place.
        """
        validate(document, SCHEMA)
        points = tuple(ScanPoint.parse(point) for point in document["points"])
        provenance = Provenance.parse(document["hfjax"])
        if provenance.settings.get("test_stat") == "q0":  # in files without p0 as well
            points = tuple(replace(point, discovery=True) for point in points)
        return cls(tuple(document["labels"]), points, provenance)

    @classmethod
    def load(cls, path: str | Path) -> "ScanResult":
        """Read a result file written by `hfjax scan --output`."""
        document = read_json(path)
        with naming(path):
            return cls.parse(document)

    def text(self) -> str:
        """The result file's text: JSON."""
        return json.dumps(self.dump(), indent=2, allow_nan=False) + "\n"

    def write(self, path: str | Path) -> None:
        """Write the result file."""
        Path(path).write_text(self.text(), encoding="utf-8")
