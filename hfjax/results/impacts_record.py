"""Impacts of nuisance parameters that were written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from hfjax.errors import unknown_name
from hfjax.results.breakdown_record import BreakdownRecord
from hfjax.results.written import Number, WrittenRecord, name_among, shown

Sides = tuple[Number, Number]
"""With the nuisance parameter moved down and up."""


@dataclass(frozen=True)
class Impact:
    """The impact of one nuisance parameter.

    Attributes:
        value: best fit.
        uncertainty: standard deviation after the fit.
        prefit_uncertainty: width of the constraint term; None without one.
        pull: distance from the auxiliary datum, in widths.
        constraint: uncertainty of the pull.
        prefit: shift of the other parameter, with this one moved by its pre-fit
            uncertainty; None where there is none.
        postfit: the same with its post-fit uncertainty.
        status: of both, "prefit" and "postfit".
    """

    value: Number
    uncertainty: Number
    prefit_uncertainty: Number
    pull: Number
    constraint: Number
    prefit: Sides
    postfit: Sides
    status: Mapping[str, tuple[str, str]]

    @property
    def size(self) -> float:
        """The larger one of the two post-fit impacts."""
        return max(abs(each or 0.0) for each in self.postfit)

    def to_dict(self) -> dict[str, Any]:
        """The impact as JSON values."""
        status = {kind: list(pair) for kind, pair in self.status.items()}
        sides = {"prefit": list(self.prefit), "postfit": list(self.postfit)}
        return vars(self) | sides | {"status": status}


def read_impacts(document: Mapping[str, Any]) -> dict[str, Impact]:
    """Impacts by name from their JSON values, which a schema has accepted."""
    return {name: _impact(each) for name, each in document.items()}


def _impact(document: Mapping[str, Any]) -> Impact:
    known: dict[str, Any] = {each.name: document[each.name] for each in fields(Impact)}
    for sides in ("prefit", "postfit"):
        known[sides] = tuple(known[sides])
    known["status"] = {kind: tuple(pair) for kind, pair in known["status"].items()}
    return Impact(**known)


@dataclass(frozen=True, repr=False)
class ImpactsRecord(WrittenRecord):
    """Impacts as they are in a file.

    `found["JES"]` are the post-fit impacts of a nuisance parameter, down and up.

    Attributes:
        parameter: whose shift they are.
        value: its best fit.
        uncertainty: its standard deviation.
        method: "fits" or "covariance".
        impacts: of each nuisance parameter, by name.
        free: the best fit of all parameters, as JSON values.
        sources: the breakdown of the uncertainty by its sources, as JSON values; None
            where it was not asked for.
        provenance: versions, digests, settings and times.

    Example:
        >>> status = {"prefit": ("found",) * 2, "postfit": ("found",) * 2}
        >>> jes = Impact(0.1, 0.9, 1.0, 0.1, 0.9, (-0.2, 0.2), (-0.1, 0.1), status)
        >>> ImpactsRecord("mu", 1.0, 0.5, "fits", {"JES": jes}, {})
        ImpactsRecord: mu = 1, 1 nuisance parameters
    """

    SCHEMA: ClassVar[str] = "impacts-result-1.0.0.json"
    KEYS: ClassVar[Mapping[str, str]] = {"sources": "breakdown"}
    READERS: ClassVar[Mapping[str, Any]] = {
        "impacts": read_impacts,
        "free": dict,
        "sources": dict,
    }

    parameter: str
    value: Number
    uncertainty: Number
    method: str
    impacts: Mapping[str, Impact]
    free: Mapping[str, Any]
    sources: Mapping[str, Any] | None = None

    def __getitem__(self, name: str) -> Sides:
        """The post-fit impacts of a nuisance parameter; None where there is none.

        Raises:
            UnknownNameError: no impact of it was asked for; close names are given.
        """
        known = name_among(name, self.impacts)
        if known not in self.impacts:
            error = unknown_name("impact", name, self.impacts)
            raise error
        return self.impacts[known].postfit

    @property
    def ranking(self) -> tuple[str, ...]:
        """Names of the nuisance parameters, the largest post-fit impact first."""
        return tuple(sorted(self.impacts, key=lambda name: -self.impacts[name].size))

    @property
    def breakdown(self) -> BreakdownRecord | None:
        """The uncertainty by its sources; None where it was not asked for."""
        if self.sources is None:
            return None
        document = {"hfjax": self.provenance.dump(), **self.sources}
        return BreakdownRecord.parse(document)

    def __repr__(self) -> str:
        """Of what, and how many impacts there are."""
        head = f"ImpactsRecord: {self.parameter} = {shown(self.value)}"
        return f"{head}, {len(self.impacts)} nuisance parameters"
