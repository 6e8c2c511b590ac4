"""What a scan returns and writes: one record a point, and where the numbers come from.

Plain Python, no JAX: a result file can be read, checked and drawn anywhere.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from hfjax.documents.reading.json_files import naming, read_json
from hfjax.documents.reading.schema import validate
from hfjax.html_table import html_table
from hfjax.json_text import finite_or_none
from hfjax.provenance import Provenance
from hfjax.results.point_table import PointTable, Value

CONVERGED = "converged"
"""The status of a point whose five fits all reached their minimum."""

SCHEMA = "scan-result-1.0.0.json"
"""The JSON Schema of the result file, in `schemas/`."""

LEVEL = 0.05
"""CLs below which a point is excluded: at 95 % confidence level."""

MEDIAN = 2
"""Position of the median in an expected band."""

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
class ScanResult(PointTable[ScanPoint]):
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
    def discovery(self) -> bool:
        """Whether the test statistic is q0: p-values of the background, no CLs."""
        return any(point.discovery for point in self.points)

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
