"""A best fit that was written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hfjax.documents.reading.schema import validate
from hfjax.errors import unknown_name
from hfjax.provenance import Provenance
from hfjax.results.interval import Interval, read_intervals
from hfjax.results.named_matrix import NamedMatrix
from hfjax.results.scan import CONVERGED
from hfjax.results.written import Dumped, Number, flat, name_among

SCHEMA = "fit-result-1.0.0.json"
"""The JSON Schema of the file, in `schemas/`."""


@dataclass(frozen=True, slots=True)
class FitRecord:
    """A best fit as it is in a file: numbers by the names of parameters.

    Attributes:
        values: the best-fit value of each parameter or component, `mu` or `gamma[1]`.
        twice_nll: -2 ln L there, all constants included.
        status: "converged", or how else the fit ended.
        message: what happened and what to try; empty for a converged fit.
        pulls: distances from the auxiliary measurements in their widths, by name; those
            of the components that have one, where the file says so.
        bounds: lower and upper bound of each, where the file says so.
        uncertainties: standard deviations of each that has one, where the file says so.
        pull_uncertainties: the same of the pulls.
        intervals: profile intervals at 68.3 %, where the file has them.
        correlations: of the parameters that could move, where the file has them.
        provenance: versions, digests, settings and times.

    Example:
        >>> FitRecord({"mu": 0.5, "JES": 0.2}, pulls={"JES": 0.2})["mu"]
        0.5
    """

    values: Mapping[str, Number]
    twice_nll: Number = None
    status: str = CONVERGED
    message: str = ""
    pulls: Mapping[str, float] = field(default_factory=dict)
    bounds: Mapping[str, tuple[Number, Number]] = field(default_factory=dict)
    uncertainties: Mapping[str, float] = field(default_factory=dict)
    pull_uncertainties: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    correlations: NamedMatrix | None = None
    provenance: Provenance = field(default_factory=Provenance)

    def __getitem__(self, name: str) -> Number:
        """The value of a parameter or component.

        Raises:
            UnknownNameError: there is none of this name; close names are given.
        """
        if name not in self.values:
            error = unknown_name("parameter", name, self.values, "the fit")
            raise error
        return self.values[name]

    @property
    def converged(self) -> bool:
        """Whether the fit converged."""
        return self.status == CONVERGED

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "FitRecord":
        """A fit from its JSON values, checked against the schema.

        Raises:
            SpecificationError: the document is no fit; names the place.
        """
        validate(document, SCHEMA)
        values = document["mle_parameters"]
        named = values if isinstance(values, dict) else {"parameter": values}
        flat_values, bounds = flat(named), flat(document.get("bounds", {}))
        matrix = document.get("correlations")
        return cls(
            flat_values,
            document["twice_nll"],
            document["status"],
            document["message"],
            _known(document, "pulls"),
            {name: (low, high) for name, (low, high) in bounds.items()},
            _known(document, "uncertainties"),
            _known(document, "pull_uncertainties"),
            {},
            matrix and NamedMatrix.parse(matrix).named_as(flat_values),
            Provenance.parse(document["hfjax"]),
        ).with_intervals(read_intervals(document.get("intervals", {})))

    def with_intervals(self, intervals: Mapping[str, Interval]) -> "FitRecord":
        """The same with profile intervals, by the names that its values have."""
        named = {name_among(n, self.values): each for n, each in intervals.items()}
        return replace(self, intervals=named)

    @classmethod
    def of(cls, result: "FitRecord | Dumped") -> "FitRecord":
        """The record of a `FitResult`; a record is its own."""
        return result if isinstance(result, FitRecord) else cls.parse(result.dump())


def _known(document: Mapping[str, Any], key: str) -> dict[str, float]:
    """The numbers of single parameters that a document has."""
    found = flat(document.get(key, {}))
    return {name: value for name, value in found.items() if value is not None}
