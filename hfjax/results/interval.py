"""The profile interval of one parameter, as it is in a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hfjax.results.written import Number


@dataclass(frozen=True)
class Interval:
    """The profile interval of a parameter.

    Attributes:
        value: best fit.
        ends: below and above; None where there is none.
        status: of each end: "found", "at_bound", "fixed", or why there is none.
        delta: how far -2 ln L has risen at each.
    """

    value: Number
    ends: tuple[Number, Number]
    status: tuple[str, str]
    delta: tuple[Number, Number]

    def to_dict(self) -> dict[str, Any]:
        """The interval as JSON values."""
        pairs = {"ends": self.ends, "status": self.status, "delta": self.delta}
        return {"value": self.value, **{key: list(each) for key, each in pairs.items()}}


def read_intervals(document: Mapping[str, Any]) -> dict[str, Interval]:
    """Intervals by name from their JSON values, which a schema has accepted.

    Example:
        >>> ends = {"ends": [0.5, None], "status": ["found", "not_reached"]}
        >>> given = {"mu": {"value": 1.0, **ends, "delta": [1.0, None]}}
        >>> read_intervals(given)["mu"].ends
        (0.5, None)
    """
    keys = ("ends", "status", "delta")
    return {
        name: Interval(each["value"], *(tuple(each[key]) for key in keys))
        for name, each in document.items()
    }
