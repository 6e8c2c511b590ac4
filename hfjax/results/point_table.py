"""What results of a patchset share: a record for each point, and where they come from.

Plain Python, no JAX: a result file can be read, checked and drawn anywhere.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, SupportsIndex, TypeVar, runtime_checkable

from hfjax.errors import FitError, UnknownNameError, unknown_name
from hfjax.provenance import Provenance
from hfjax.results.written import OBSERVED_PROFILE

NOT_RUN = "not_run"
"""The status of a point that an interrupted scan did not come to."""

Value = int | float | str
"""A value of a label, as in the patchset."""


@runtime_checkable
class Point(Protocol):
    """The record of one point."""

    @property
    def name(self) -> str:
        """The patch's name."""
        ...

    @property
    def values(self) -> tuple[Value, ...]:
        """The patch's values, in the order of the labels."""
        ...

    @property
    def status(self) -> str:
        """What has come of it."""
        ...

    @property
    def message(self) -> str:
        """Why there is no result; empty where there is one."""
        ...

    @property
    def converged(self) -> bool:
        """Whether there is a result."""
        ...

    def dump(self) -> dict[str, Any]:
        """The record as JSON values."""
        ...


Record = TypeVar("Record", bound=Point)
Own = TypeVar("Own", bound="PointTable[Any]")


@dataclass(frozen=True, slots=True)
class PointTable(Generic[Record]):
    """All points of a patchset, in its order.

    Attributes:
        labels: What the points' values are, for instance `("m_parent", "m_lsp")`.
        points: One record a point.
        provenance: Versions, digests, settings and times.
    """

    labels: tuple[str, ...]
    points: tuple[Record, ...]
    provenance: Provenance = field(default_factory=Provenance)

    def __len__(self) -> int:
        """The number of points."""
        return len(self.points)

    def __iter__(self) -> Iterator[Record]:
        """The points, in the order of the patchset."""
        return iter(self.points)

    def __getitem__(self, key: str | SupportsIndex | Sequence[Value]) -> Record:
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

    def _of_values(self, values: tuple[Value, ...]) -> Record:
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

    def _row(self, point: Record) -> dict[str, Any]:
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
    def band(self) -> str:
        """Of which Asimov data expected results are; see `hfjax.FitSettings`."""
        return self.provenance.settings.get("expected", OBSERVED_PROFILE)

    @property
    def converged(self) -> bool:
        """Whether all points have a result."""
        return not self.failed

    def raise_if_failed(self: Own) -> Own:
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

    @property
    def failed(self) -> tuple[Record, ...]:
        """The points without a result."""
        return tuple(point for point in self.points if not point.converged)

    @property
    def tested(self) -> tuple[Record, ...]:
        """The points that a scan came to, with a result or without."""
        return tuple(point for point in self.points if point.status != NOT_RUN)

    def dump(self) -> dict[str, Any]:
        """The result file as JSON values, none of them NaN or infinite."""
        return {
            "hfjax": self.provenance.dump(),
            "labels": list(self.labels),
            "points": [point.dump() for point in self.points],
        }

    def text(self) -> str:
        """The result file's text: JSON."""
        return json.dumps(self.dump(), indent=2, allow_nan=False) + "\n"

    def write(self, path: str | Path) -> None:
        """Write the result file."""
        Path(path).write_text(self.text(), encoding="utf-8")
