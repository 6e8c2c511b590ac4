"""A significance that was written to a file."""

from dataclasses import dataclass
from typing import ClassVar

from hfjax.results.scan import CONVERGED
from hfjax.results.written import OBSERVED_PROFILE, Band, Number, WrittenRecord, shown


@dataclass(frozen=True, repr=False)
class SignificanceRecord(WrittenRecord):
    """p0 and Z, observed and expected for an injected signal, as they are in a file.

    Bands are at -2, -1, 0, +1, +2 standard deviations of p0, so that `Z_exp` falls.

    Attributes:
        p0: observed p-value of the background alone; None where a fit failed.
        Z: the same in standard deviations.
        p0_exp: expected p-value with the injected signal.
        Z_exp: the same in standard deviations.
        q: the test statistic, ``Z^2`` with the sign of Z.
        q_asimov: the same of the Asimov data.
        injected: strength of the signal that is expected.
        signed: whether a deficit has a negative Z.
        mu_hat: best fit of the parameter of interest.
        status: "converged", or how the worst fit ended.
        message: what happened and what to try; empty if all fits converged.
        edm: largest estimated distance to a minimum.
        steps: of all fits.
        band: of which Asimov data expected ones are, "observed-profile" or "nominal".
        provenance: versions, digests, settings and times.

    Example:
        >>> p0, Z = (0.01, 0.1, 0.3, 0.5, 0.5), (2.3, 1.3, 0.5, 0.0, 0.0)
        >>> others = (0.25, 0.2, 1.0, False, 0.4, "converged", "", 1e-9, 12)
        >>> SignificanceRecord(0.3, 0.52, p0, Z, *others)
        SignificanceRecord: converged, p0 0.3, Z 0.52, expected 0.5
    """

    SCHEMA: ClassVar[str] = "significance-result-1.0.0.json"

    p0: Number
    Z: Number
    p0_exp: Band
    Z_exp: Band
    q: Number
    q_asimov: Number
    injected: float
    signed: bool
    mu_hat: Number
    status: str
    message: str
    edm: Number
    steps: int
    band: str = OBSERVED_PROFILE

    @property
    def converged(self) -> bool:
        """Whether all fits converged."""
        return self.status == CONVERGED

    def __repr__(self) -> str:
        """The numbers."""
        expected = shown(self.Z_exp[2])
        numbers = f"p0 {shown(self.p0)}, Z {shown(self.Z)}, expected {expected}"
        return f"SignificanceRecord: {self.status}, {numbers}"
