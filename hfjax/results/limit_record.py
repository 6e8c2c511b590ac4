"""Upper limits that were written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hfjax.results.written import OBSERVED_PROFILE, Band, Number, WrittenRecord, shown


@dataclass(frozen=True)
class CurveRecord:
    """CLs of tested values, as it is in a file of limits.

    Attributes:
        poi_values: tested values of the parameter of interest.
        CLs_obs: observed CLs of each; None where a fit did not converge.
        CLs_exp: expected ones at -2, -1, 0, +1, +2 standard deviations.
        status: how the worst fit of each test ended.
    """

    poi_values: tuple[float, ...]
    CLs_obs: tuple[Number, ...]
    CLs_exp: tuple[Band, ...]
    status: tuple[str, ...]

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "CurveRecord":
        """A curve from its JSON values, which the schema has accepted."""
        return cls(
            tuple(document["poi_values"]),
            tuple(document["CLs_obs"]),
            tuple(map(tuple, document["CLs_exp"])),
            tuple(document["status"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """The curve as JSON values."""
        return {
            "poi_values": list(self.poi_values),
            "CLs_obs": list(self.CLs_obs),
            "CLs_exp": [list(band) for band in self.CLs_exp],
            "status": list(self.status),
        }

    def __repr__(self) -> str:
        """How many values were tested."""
        return f"CurveRecord of {len(self.poi_values)} tested values"


@dataclass(frozen=True, repr=False)
class LimitRecord(WrittenRecord):
    """Upper limits on the parameter of interest, as they are in a file.

    Attributes:
        observed: the observed limit; None where there is none.
        expected: the expected limits at -2, -1, 0, +1, +2 standard deviations.
        level: of CLs.
        status: of each limit, the observed one first.
        message: why limits are missing; empty where none is.
        CLs: at each limit, as tested.
        mu_hat: best fit of the parameter of interest.
        upper_bound: of the parameter in the last tests.
        tests: values that were tested.
        steps: minimizer steps, summed over all fits of the tests.
        fits: the worst status of their fits.
        curve: CLs of tested values, where it was asked for.
        band: of which Asimov data expected limits are, "observed-profile" or "nominal".
        provenance: versions, digests, settings and times.

    Example:
        >>> values = (0.5, 0.7, 1.0, 1.5, 2.0)
        >>> others = ("", (0.05,) * 6, 0.1, 10.0, 40, 160, "converged")
        >>> LimitRecord(0.9, values, 0.05, ("found",) * 6, *others)
        LimitRecord: CLs = 0.05, observed 0.9, expected 0.5 0.7 1 1.5 2
    """

    SCHEMA: ClassVar[str] = "limit-result-1.0.0.json"
    KEYS: ClassVar[Mapping[str, str]] = {
        "observed": "limit_obs",
        "expected": "limit_exp",
    }
    READERS: ClassVar[Mapping[str, Any]] = {"curve": CurveRecord.parse}

    observed: Number
    expected: Band
    level: float
    status: tuple[str, ...]
    message: str
    CLs: tuple[Number, ...]
    mu_hat: Number
    upper_bound: float
    tests: int
    steps: int
    fits: str
    curve: CurveRecord | None = None
    band: str = OBSERVED_PROFILE

    @property
    def converged(self) -> bool:
        """Whether all six limits are found."""
        return all(status == "found" for status in self.status)

    def __repr__(self) -> str:
        """The limits."""
        band = " ".join(map(shown, self.expected))
        head = f"LimitRecord: CLs = {self.level:g}, observed {shown(self.observed)}"
        return f"{head}, expected {band}"
