"""A goodness of fit that was written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hfjax.results.fit_record import FitRecord
from hfjax.results.written import Number, WrittenRecord, shown


@dataclass(frozen=True)
class ToyPart:
    """What toys say of a goodness of fit.

    Attributes:
        number: how many were drawn.
        p_value: part of them whose statistic is not below that of the data.
        p_value_error: its statistical error.
        failures: how many have no statistic, by the status of their fits.
    """

    number: int
    p_value: Number
    p_value_error: Number
    failures: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """The part as JSON values."""
        return {**self.__dict__, "failures": dict(self.failures)}


def _toy_part(given: Mapping[str, Any] | None) -> ToyPart | None:
    return None if given is None else ToyPart(**{k: given[k] for k in _TOY_KEYS})


_TOY_KEYS = ("number", "p_value", "p_value_error", "failures")


@dataclass(frozen=True, repr=False)
class GoodnessOfFitRecord(WrittenRecord):
    """A goodness of fit as it is in a file.

    Attributes:
        statistic: -2 ln(L(best fit) / L(saturated)), with what is held left out.
        degrees_of_freedom: bins + auxiliary - parameters.
        p_value: probability of a larger statistic in the limit of many events.
        bins: that have events, or expect some.
        auxiliary: auxiliary data of parameters that are not held.
        parameters: directions in which the fit could move.
        fewest_events: expected in the bin that expects the fewest.
        status: "known", or why there is no p-value.
        message: the same in words; empty where it is known.
        toys: p-value by toys; None without any.
        free: the best fit, as JSON values.
        provenance: versions, digests, settings and times.

    Example:
        >>> counts = {"bins": 9, "auxiliary": 4, "parameters": 6, "fewest_events": 12.0}
        >>> rest = {"status": "known", "message": "", "toys": None, "free": {}}
        >>> GoodnessOfFitRecord(7.0, 7, 0.4289, **counts, **rest)
        GoodnessOfFitRecord: 7 for 7 degrees of freedom, p = 0.4289
    """

    SCHEMA: ClassVar[str] = "goodness-result-1.0.0.json"
    READERS: ClassVar[Mapping[str, Any]] = {"toys": _toy_part, "free": dict}

    statistic: Number
    degrees_of_freedom: int
    p_value: Number
    bins: int
    auxiliary: int
    parameters: int
    fewest_events: Number
    status: str
    message: str
    toys: ToyPart | None
    free: Mapping[str, Any]

    @property
    def fit(self) -> FitRecord:
        """The best fit."""
        return FitRecord.parse({"hfjax": self.provenance.dump(), **self.free})

    def __repr__(self) -> str:
        """Statistic and p-value."""
        found, degrees = shown(self.statistic), self.degrees_of_freedom
        head = f"GoodnessOfFitRecord: {found} for {degrees} degrees of freedom"
        return f"{head}, p = {shown(self.p_value)}"
