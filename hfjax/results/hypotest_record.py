"""A hypothesis test that was written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from hfjax.documents.reading.schema import validate
from hfjax.provenance import Provenance
from hfjax.results.scan import CONVERGED
from hfjax.results.written import OBSERVED_PROFILE, Dumped, Number

SCHEMA = "test-result-1.0.0.json"
"""The JSON Schema of the file, in `schemas/`."""

_NOWHERE: tuple[Number, ...] = (None,) * 5


@dataclass(frozen=True, slots=True)
class HypotestRecord:
    """A hypothesis test as it is in a file.

    Bands are at -2, -1, 0, +1, +2 standard deviations.

    Attributes:
        poi_value: tested value of the parameter of interest.
        CLs_obs: observed CLs; for q0 the p-value p0.
        CLs_exp: expected ones.
        CLsb: p-value with the signal.
        CLb: p-value of the background.
        q: test statistic on the data.
        q_asimov: test statistic on the Asimov data.
        mu_hat: best fit of the parameter of interest.
        status: "converged", or how else a fit ended.
        message: what happened and what to try; empty if all fits converged.
        discovery: whether the test statistic is q0.
        band: of which Asimov data expected ones are, "observed-profile" or "nominal".
        provenance: versions, digests, settings and times.

    Example:
        >>> band = (0.001, 0.005, 0.02, 0.1, 0.3)
        >>> HypotestRecord(1.0, CLs_obs=0.04, CLs_exp=band).converged
        True
    """

    poi_value: Number = None
    CLs_obs: Number = None
    CLs_exp: tuple[Number, ...] = _NOWHERE
    CLsb: Number = None
    CLb: Number = None
    q: Number = None
    q_asimov: Number = None
    mu_hat: Number = None
    status: str = CONVERGED
    message: str = ""
    discovery: bool = False
    band: str = OBSERVED_PROFILE
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def converged(self) -> bool:
        """Whether all fits converged."""
        return self.status == CONVERGED

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "HypotestRecord":
        """A test from its JSON values, checked against the schema.

        Raises:
            SpecificationError: the document is no test; names the place.
        """
        validate(document, SCHEMA)
        names = {entry.name for entry in fields(cls)} & document.keys()
        known = {name: document[name] for name in names}
        known |= {"CLs_exp": tuple(document["CLs_exp"]), "discovery": "p0" in document}
        return cls(**known, provenance=Provenance.parse(document["hfjax"]))

    @classmethod
    def of(cls, result: "HypotestRecord | Dumped") -> "HypotestRecord":
        """The record of a `HypotestResult`; a record is its own."""
        known = isinstance(result, HypotestRecord)
        return result if known else cls.parse(result.dump())
