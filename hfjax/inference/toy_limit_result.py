"""What a search for upper limits with toys returns."""

import json
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from hfjax.arrays import Array, Band, Scalar, ScalarInt
from hfjax.errors import FitError
from hfjax.fitting.status import FitStatus
from hfjax.inference.limit_result import NAMES, LimitStatus
from hfjax.record import Record, json_numbers

_SENTENCES = {
    LimitStatus.OUTSIDE_VALUES: "CLs does not cross the level between the values that "
    "were tested: draw more toys, or see with `hfjax limit` where it does",
    LimitStatus.FITS_FAILED: "fewer than two values have CLs: the fits to the observed "
    "data do not converge, or no background toy is as far as the data; see with "
    "`hfjax toys`, or draw more",
}
"""What statuses mean of limits by toys, where it is something else."""


class ToyCurve(eqx.Module):
    """CLs of tested values by toys, with statistical errors.

    Attributes:
        values: tested values of the parameter of interest, ascending.
        CLs_obs: observed CLs of each; NaN where there is none.
        CLs_obs_error: their errors.
        CLs_exp: expected ones at -2, -1, 0, +1, +2 standard deviations.
        CLs_exp_error: their errors.
        codes: value of the worst `FitStatus` of the fits to the observed data.
        lost: toys of both hypotheses that have no test statistic.
    """

    values: Float[Array, " value"]
    CLs_obs: Float[Array, " value"]
    CLs_obs_error: Float[Array, " value"]
    CLs_exp: Float[Array, "value 5"]
    CLs_exp_error: Float[Array, "value 5"]
    codes: Int[Array, " value"]
    lost: Int[Array, " value"]

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray]:
        """CLs and their errors, the observed ones in the first of six columns."""
        CLs = np.column_stack([self.CLs_obs, self.CLs_exp])
        return CLs, np.column_stack([self.CLs_obs_error, self.CLs_exp_error])

    def to_dict(self) -> dict[str, Any]:
        """The curve as JSON values."""
        names = "CLs_obs", "CLs_obs_error", "CLs_exp", "CLs_exp_error"
        return {
            "poi_values": json_numbers(self.values),
            **{name: json_numbers(getattr(self, name)) for name in names},
            "status": [str(FitStatus(int(code))) for code in self.codes],
            "lost": np.asarray(self.lost).tolist(),
        }

    def __repr__(self) -> str:
        """How many values were tested."""
        return f"ToyCurve: {np.size(self.values)} values"


class ToyLimitResult(Record):
    """Upper limits on the parameter of interest by toys, with statistical errors.

    Attributes:
        observed: the observed limit; NaN where there is none.
        observed_error: its error.
        expected: the expected limits at -2, -1, 0, +1, +2 standard deviations.
        expected_error: their errors.
        level: of CLs.
        codes: the value of the `LimitStatus` of each limit, the observed one first.
        mu_hat: best fit of the parameter of interest.
        curve: CLs of the tested values.
        toys: drawn of each of the two hypotheses at each value.
        question: what was computed, as JSON text.
    """

    observed: Scalar
    observed_error: Scalar
    expected: Band
    expected_error: Band
    level: Scalar
    codes: Int[Array, " curve"]
    mu_hat: Scalar
    curve: ToyCurve
    toys: int = eqx.field(static=True)
    question: str = eqx.field(static=True, default="{}")

    @property
    def settings(self) -> dict[str, Any]:
        """What was computed and how: digest of model and data, key, test statistic."""
        return json.loads(self.question)

    @property
    def code(self) -> ScalarInt:
        """The value of the worst `LimitStatus`."""
        return np.asarray(np.max(self.codes))

    @property
    def statuses(self) -> tuple[LimitStatus, ...]:
        """The `LimitStatus` of each limit, the observed one first."""
        return tuple(LimitStatus(int(code)) for code in self.codes)

    @property
    def converged(self) -> bool:
        """Whether all six limits are found, and the fits to all toys converged."""
        return not (np.any(self.codes) or np.any(self.curve.lost))

    @property
    def message(self) -> str:
        """What is to be known of these numbers; empty if all is well."""
        statuses = [s for s in self.statuses if s is not LimitStatus.FOUND]
        lacking = [_SENTENCES.get(status, status.sentence) for status in statuses]
        lost, drawn = int(np.sum(self.curve.lost)), 2 * self.toys * self.curve.lost.size
        if lost:
            lacking.append(
                f"{lost} of {drawn} toys have no statistic, and no part in p-values; "
                "where more than a few are lost, `hfjax check` says what is hard to fit"
            )
        return "; ".join(dict.fromkeys(lacking))

    def raise_if_failed(self) -> "ToyLimitResult":
        """Return the result itself, or raise if a limit is missing, or a toy lost.

        Raises:
            FitError: which, and why.
        """
        if not self.converged:
            pairs = zip(NAMES, self.statuses, strict=True)
            lacks = [name for name, status in pairs if status is not LimitStatus.FOUND]
            what = f"no {', '.join(lacks)} limit: " if lacks else ""
            raise FitError(what + self.message)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The limits and the curve as JSON values, None where there is none."""
        return {
            "calculator": "toys",
            "limit_obs": json_numbers(self.observed),
            "limit_obs_error": json_numbers(self.observed_error),
            "limit_exp": json_numbers(self.expected),
            "limit_exp_error": json_numbers(self.expected_error),
            "level": json_numbers(self.level),
            "status": [str(status) for status in self.statuses],
            "message": self.message,
            "mu_hat": json_numbers(self.mu_hat),
            "toys": self.toys,
            "curve": self.curve.to_dict(),
            "question": self.settings,
        }

    def __repr__(self) -> str:
        """The limits with their errors."""
        head = f"ToyLimitResult: CLs = {float(self.level):g}, {self.toys} toys of each "
        head += f"hypothesis at each of {np.size(self.curve.values)} values"
        pairs = zip(self.expected, self.expected_error, strict=True)
        band = "  ".join(_shown(*map(float, pair)) for pair in pairs)
        observed = _shown(float(self.observed), float(self.observed_error))
        rows = [f"  observed {observed}"]
        rows += [f"  expected {band}"]
        rows += [f"  note     {self.message}"] if self.message else []
        return "\n".join([head, *rows])


def _shown(value: float, error: float) -> str:
    return f"{value:.4g} ± {error:.1g}"
