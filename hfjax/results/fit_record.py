"""A best fit that was written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from hfjax.documents.reading.schema import validate
from hfjax.errors import unknown_name
from hfjax.provenance import Provenance
from hfjax.results.interval import Interval, read_intervals
from hfjax.results.named_matrix import NamedMatrix
from hfjax.results.scan import CONVERGED
from hfjax.results.written import Number, WrittenRecord, flat, name_among, nested


@dataclass(frozen=True, repr=False)
class FitRecord(WrittenRecord):
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
        edm: estimated distance to the minimum in -2 ln L.
        steps: of the fit.
        physical: whether systematics turn no sample negative.
        derived: values that expressions give, by name.
        uncertainty_status: what is known of the uncertainties; empty where there are
            none.
        provenance: versions, digests, settings and times.

    Example:
        >>> fit = FitRecord({"mu": 0.5, "JES": 0.2}, pulls={"JES": 0.2})
        >>> fit, fit["mu"]
        (FitRecord: converged, 2 parameters, 0.5)
    """

    SCHEMA: ClassVar[str] = "fit-result-1.0.0.json"

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
    edm: Number = None
    steps: int = 0
    physical: bool = True
    derived: Mapping[str, Number] = field(default_factory=dict)
    uncertainty_status: str = ""

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
        validate(document, cls.SCHEMA)
        values = document["mle_parameters"]
        named = values if isinstance(values, dict) else {"parameter": values}
        flat_values, bounds = flat(named), flat(document.get("bounds", {}))
        matrix = document.get("correlations")
        return cls(
            values=flat_values,
            twice_nll=document["twice_nll"],
            status=document["status"],
            message=document["message"],
            pulls=_known(document, "pulls"),
            bounds={name: (low, high) for name, (low, high) in bounds.items()},
            uncertainties=_known(document, "uncertainties"),
            pull_uncertainties=_known(document, "pull_uncertainties"),
            correlations=matrix and NamedMatrix.parse(matrix).named_as(flat_values),
            edm=document["edm"],
            steps=document["steps"],
            physical=document.get("physical", True),
            derived=flat(document.get("derived_parameters", {})),
            uncertainty_status=document.get("uncertainty_status", ""),
            provenance=Provenance.parse(document["hfjax"]),
        ).with_intervals(read_intervals(document.get("intervals", {})))

    def to_dict(self) -> dict[str, Any]:
        """The fit as JSON values, without where it comes from."""
        some = {
            "bounds": nested({name: list(each) for name, each in self.bounds.items()}),
            "pulls": self._components(self.pulls),
            "uncertainties": self._components(self.uncertainties, all_of_them=True),
            "uncertainty_status": self.uncertainty_status,
            "pull_uncertainties": self._components(self.pull_uncertainties),
            "intervals": {
                name: each.to_dict() for name, each in self.intervals.items()
            },
            "correlations": self.correlations and self.correlations.to_dict(),
            "derived_parameters": nested(self.derived),
        }
        return {
            "mle_parameters": nested(self.values),
            "twice_nll": self.twice_nll,
            "status": self.status,
            "message": self.message,
            "edm": self.edm,
            "steps": self.steps,
            "physical": self.physical,
            **{key: value for key, value in some.items() if value},
        }

    def _components(
        self, known: Mapping[str, float], all_of_them: bool = False
    ) -> dict[str, list[Number]]:
        """Numbers of the parameters of which some are known, None for the others."""
        if not known:
            return {}
        whole = nested({name: known.get(name) for name in self.values})
        return {
            name: each
            for name, each in whole.items()
            if all_of_them or any(value is not None for value in each)
        }

    def with_intervals(self, intervals: Mapping[str, Interval]) -> "FitRecord":
        """The same with profile intervals, by the names that its values have."""
        named = {name_among(n, self.values): each for n, each in intervals.items()}
        return replace(self, intervals=named)

    def __repr__(self) -> str:
        """How the fit ended, and of how many parameters it was."""
        return f"FitRecord: {self.status}, {len(self.values)} parameters"


def _known(document: Mapping[str, Any], key: str) -> dict[str, float]:
    """The numbers of single parameters that a document has."""
    found = flat(document.get(key, {}))
    return {name: value for name, value in found.items() if value is not None}
