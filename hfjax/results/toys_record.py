"""A test with toys that was written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hfjax.provenance import Provenance
from hfjax.results.hypotest_record import HypotestRecord
from hfjax.results.written import Band, Number, WrittenRecord, shown

Counts = Mapping[str, int]


@dataclass(frozen=True, repr=False)
class ToysRecord(WrittenRecord):
    """A test with toys as it is in a file: p-values with their statistical errors.

    The statistics of all toys are in the file of `hfjax.save_toys`. Bands are at -2,
    -1, 0, +1, +2 standard deviations of the background.

    Attributes:
        calculator: "toys".
        CLsb: p-value of the tested hypothesis.
        CLsb_error: its error.
        CLsb_exp: expected ones.
        CLsb_exp_error: their errors.
        CLb: p-value of what it is compared with.
        CLb_error: its error.
        CLb_exp: expected ones.
        CLb_exp_error: their errors.
        CLs_obs: observed CLs; for q0 the p-value of the background, p0.
        CLs_obs_error: its error.
        CLs_exp: expected ones.
        CLs_exp_error: their errors.
        q: test statistic of the observed data.
        mu_hat: best fit of the parameter of interest.
        poi_value: tested value.
        toys: numbers of "signal" and "background" toys that have a statistic.
        drawn: toys that were drawn of each.
        retried: toys whose fits were done again.
        failures: toys without a statistic, by the status of their fits.
        status: of the fits to the observed data.
        message: what is to be known of these numbers; empty if all is well.
        question: what was computed and how.
        p0: of q0, p-value of the background alone.
        p0_error: its error.
        p0_exp: expected ones.
        p0_exp_error: their errors.
        Z: of q0, significance; None too where no toy is above the data.
        provenance: versions, digests, settings and times.

    Example:
        >>> band, sizes = (0.1,) * 5, {"signal": 100, "background": 100}
        >>> p_values = (0.1, 0.01, band, band) * 3
        >>> others = (2.0, 0.1, 1.0, sizes, 100, sizes, {}, "converged", "", {})
        >>> ToysRecord("toys", *p_values, *others)
        ToysRecord: converged, 100 + 100 toys, tested value 1, CLs_obs 0.1 ± 0.01
    """

    SCHEMA: ClassVar[str] = "toys-result-1.0.0.json"

    calculator: str
    CLsb: Number
    CLsb_error: Number
    CLsb_exp: Band
    CLsb_exp_error: Band
    CLb: Number
    CLb_error: Number
    CLb_exp: Band
    CLb_exp_error: Band
    CLs_obs: Number
    CLs_obs_error: Number
    CLs_exp: Band
    CLs_exp_error: Band
    q: Number
    mu_hat: Number
    poi_value: float
    toys: Counts
    drawn: int
    retried: Counts
    failures: Mapping[str, Counts]
    status: str
    message: str
    question: Mapping[str, Any]
    p0: Number = None
    p0_error: Number = None
    p0_exp: Band | None = None
    p0_exp_error: Band | None = None
    Z: Number = None

    @property
    def discovery(self) -> bool:
        """Whether the test statistic is q0, so that zero was tested."""
        return self.p0_exp is not None

    @property
    def test(self) -> HypotestRecord:
        """The test by itself, without errors."""
        poi = self.question.get("poi")
        names = ("poi_value", "CLs_obs", "CLs_exp", "CLsb", "CLb", "q", "mu_hat")
        return HypotestRecord(
            **{name: getattr(self, name) for name in names},
            status=self.status,
            message=self.message,
            discovery=self.discovery,
            provenance=Provenance(settings={} if poi is None else {"poi": poi}),
        )

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON values; of q0, Z is there whatever it is."""
        own = {"Z": self.Z} if self.discovery else {}
        return WrittenRecord.to_dict(self) | own

    def __repr__(self) -> str:
        """How many toys there are, and what they say."""
        sizes = f"{self.toys['signal']} + {self.toys['background']} toys"
        name = "p0" if self.discovery else "CLs_obs"
        value = f"{name} {shown(self.CLs_obs)} ± {shown(self.CLs_obs_error)}"
        tested = f"tested value {self.poi_value:g}"
        return f"ToysRecord: {self.status}, {sizes}, {tested}, {value}"
