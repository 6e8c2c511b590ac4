"""Profile intervals that were written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hfjax.errors import unknown_name
from hfjax.results.fit_record import FitRecord
from hfjax.results.interval import Interval, read_intervals
from hfjax.results.written import Number, WrittenRecord, name_among


@dataclass(frozen=True, repr=False)
class IntervalsRecord(WrittenRecord):
    """Profile intervals as they are in a file.

    `found["mu"]` are the two ends of a parameter, below and above.

    Attributes:
        intervals: of each parameter, by name.
        level: probability of the intervals.
        free: the best fit of all parameters, as JSON values.
        provenance: versions, digests, settings and times.

    Example:
        >>> mu = Interval(1.0, (0.5, 1.6), ("found", "found"), (1.0, 1.0))
        >>> found = IntervalsRecord({"mu": mu}, 0.95, {})
        >>> found, found["mu"]
        (IntervalsRecord: 0.95, 1 parameters, (0.5, 1.6))
    """

    SCHEMA: ClassVar[str] = "intervals-result-1.0.0.json"
    READERS: ClassVar[Mapping[str, Any]] = {"intervals": read_intervals, "free": dict}

    intervals: Mapping[str, Interval]
    level: float
    free: Mapping[str, Any]

    def __getitem__(self, name: str) -> tuple[Number, Number]:
        """The two ends of a parameter, below and above; None where there is none.

        Raises:
            UnknownNameError: no interval of it was asked for; close names are given.
        """
        known = name_among(name, self.intervals)
        if known not in self.intervals:
            error = unknown_name("interval", name, self.intervals)
            raise error
        return self.intervals[known].ends

    @property
    def fit(self) -> FitRecord:
        """The best fit of all parameters, with the intervals."""
        document = {"hfjax": self.provenance.dump(), **self.free}
        return FitRecord.parse(document).with_intervals(self.intervals)

    def __repr__(self) -> str:
        """How many intervals there are."""
        count = len(self.intervals)
        return f"IntervalsRecord: {self.level:.4g}, {count} parameters"
