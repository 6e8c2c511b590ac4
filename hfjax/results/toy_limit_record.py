"""Upper limits by toys that were written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hfjax.results.limit_record import CurveRecord
from hfjax.results.written import Band, Number, WrittenRecord, shown


@dataclass(frozen=True, repr=False)
class ToyCurveRecord(CurveRecord):
    """CLs of tested values by toys, as it is in a file of limits.

    Attributes:
        poi_values: tested values of the parameter of interest.
        CLs_obs: observed CLs of each; None where there is none.
        CLs_exp: expected ones at -2, -1, 0, +1, +2 standard deviations.
        status: how the worst fit to the observed data ended.
        CLs_obs_error: statistical errors of `CLs_obs`.
        CLs_exp_error: those of `CLs_exp`.
        lost: toys without a test statistic.
    """

    CLs_obs_error: tuple[Number, ...]
    CLs_exp_error: tuple[Band, ...]
    lost: tuple[int, ...]

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "ToyCurveRecord":
        """A curve from its JSON values, which the schema has accepted."""
        known = CurveRecord.parse(document)
        return cls(
            **{name: getattr(known, name) for name in known.__dataclass_fields__},
            CLs_obs_error=tuple(document["CLs_obs_error"]),
            CLs_exp_error=tuple(map(tuple, document["CLs_exp_error"])),
            lost=tuple(document["lost"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """The curve as JSON values."""
        return CurveRecord.to_dict(self) | {
            "CLs_obs_error": list(self.CLs_obs_error),
            "CLs_exp_error": [list(band) for band in self.CLs_exp_error],
            "lost": list(self.lost),
        }


@dataclass(frozen=True, repr=False)
class ToyLimitRecord(WrittenRecord):
    """Upper limits by toys with their statistical errors, as they are in a file.

    Attributes:
        calculator: "toys".
        observed: the observed limit; None where there is none.
        observed_error: its error.
        expected: the expected limits at -2, -1, 0, +1, +2 standard deviations.
        expected_error: their errors.
        level: of CLs.
        status: of each limit, the observed one first.
        message: what is to be known of these numbers; empty if all is well.
        mu_hat: best fit of the parameter of interest.
        toys: drawn of each of the two hypotheses at each value.
        curve: CLs of the tested values.
        question: what was computed and how.
        provenance: versions, digests, settings and times.

    Example:
        >>> band, errors = (0.5, 0.7, 1.0, 1.5, 2.0), (0.02,) * 5
        >>> curve = ToyCurveRecord((), (), (), (), (), (), ())
        >>> others = (0.05, ("found",) * 6, "", 0.1, 2000, curve, {})
        >>> ToyLimitRecord("toys", 0.9, 0.03, band, errors, *others)
        ToyLimitRecord: CLs = 0.05, observed 0.9 ± 0.03, expected 1 ± 0.02
    """

    SCHEMA: ClassVar[str] = "toy-limit-result-1.0.0.json"
    KEYS: ClassVar[Mapping[str, str]] = {
        "observed": "limit_obs",
        "observed_error": "limit_obs_error",
        "expected": "limit_exp",
        "expected_error": "limit_exp_error",
    }
    READERS: ClassVar[Mapping[str, Any]] = {"curve": ToyCurveRecord.parse}

    calculator: str
    observed: Number
    observed_error: Number
    expected: Band
    expected_error: Band
    level: float
    status: tuple[str, ...]
    message: str
    mu_hat: Number
    toys: int
    curve: ToyCurveRecord
    question: Mapping[str, Any]

    @property
    def converged(self) -> bool:
        """Whether all six limits are found, and no toy is lost."""
        found = all(status == "found" for status in self.status)
        return found and not any(self.curve.lost)

    def __repr__(self) -> str:
        """The observed limit, and the median expected one."""
        pairs = (
            (self.observed, self.observed_error),
            (self.expected[2], self.expected_error[2]),
        )
        one, other = (f"{shown(value)} ± {shown(error)}" for value, error in pairs)
        head = f"ToyLimitRecord: CLs = {self.level:g}"
        return f"{head}, observed {one}, expected {other}"
