"""A hypothesis test that was written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from hfjax.documents.reading.schema import validate
from hfjax.provenance import Provenance
from hfjax.results.scan import CONVERGED, MEDIAN
from hfjax.results.written import OBSERVED_PROFILE, Number, WrittenRecord, shown

_NOWHERE: tuple[Number, ...] = (None,) * 5


@dataclass(frozen=True, repr=False)
class HypotestRecord(WrittenRecord):
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
        edm: largest estimated distance to a minimum in -2 ln L.
        steps: of all fits.
        Z: of q0, the significance of p0 in standard deviations.
        Z_exp: expected ones.
        provenance: versions, digests, settings and times.

    Example:
        >>> band = (0.001, 0.005, 0.02, 0.1, 0.3)
        >>> HypotestRecord(1.0, CLs_obs=0.04, CLs_exp=band).converged
        True
    """

    SCHEMA: ClassVar[str] = "test-result-1.0.0.json"

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
    edm: Number = None
    steps: int = 0
    Z: Number = None
    Z_exp: tuple[Number, ...] = _NOWHERE

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
        validate(document, cls.SCHEMA)
        names = {entry.name for entry in fields(cls)} & document.keys()
        known: dict[str, Any] = {name: document[name] for name in names}
        bands = {
            name: tuple(document[name])
            for name in ("CLs_exp", "Z_exp")
            if name in names
        }
        origin = Provenance.parse(document["hfjax"])
        known |= bands
        return cls(**known, discovery="p0" in document, provenance=origin)

    def to_dict(self) -> dict[str, Any]:
        """The test as JSON values, without where it comes from; for q0 p0 and Z too."""
        names = (
            *("CLs_obs", "CLsb", "CLb", "q", "q_asimov", "mu_hat"),
            *("status", "message", "band", "edm", "steps"),
        )
        found = {name: getattr(self, name) for name in names}
        found |= {"CLs_exp": list(self.CLs_exp)}
        if self.poi_value is not None:
            found["poi_value"] = self.poi_value
        if self.discovery:
            found |= {"p0": self.CLs_obs, "p0_exp": list(self.CLs_exp)}
            found |= {"Z": self.Z, "Z_exp": list(self.Z_exp)}
        return found

    def __repr__(self) -> str:
        """The numbers."""
        name = "p0" if self.discovery else "CLs"
        numbers = (
            f"{name} {shown(self.CLs_obs)}, expected {shown(self.CLs_exp[MEDIAN])}"
        )
        return f"HypotestRecord: {self.status}, {numbers}"
