"""What a search for upper limits returns."""

import dataclasses
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from hfjax.arrays import Array, Band, Scalar, ScalarInt
from hfjax.errors import ArgumentError, FitError
from hfjax.fitting.status import OBSERVED_PROFILE, FitStatus, said_of_band
from hfjax.model.tracing import is_known
from hfjax.record import Record, Status, is_single, json_numbers, refuse_batch

NAMES = (
    *("observed", "expected -2 sigma", "expected -1 sigma", "expected"),
    *("expected +1 sigma", "expected +2 sigma"),
)
"""Of the limits, in the order of their statuses."""


class LimitStatus(Status):
    """Why a limit is what it is."""

    FOUND = 0
    NOT_REACHED = 1
    ALL_EXCLUDED = 2
    JUMPS = 3
    OUTSIDE_VALUES = 4
    FITS_FAILED = 5

    @property
    def sentence(self) -> str:
        """What it means."""
        return _SENTENCES[self]


_SENTENCES = {
    LimitStatus.FOUND: "CLs is at the level",
    LimitStatus.NOT_REACHED: "CLs is above the level up to the largest value tested: "
    "the data say nothing about this signal; see with `hfjax inspect` whether it has "
    "events in bins where it would be seen",
    LimitStatus.ALL_EXCLUDED: "CLs is below the level at the lowest value that the "
    "parameter may have; lower that bound in the measurement if lower values mean "
    "something",
    LimitStatus.JUMPS: "CLs jumps across the level: a fit changes its valley there; "
    "test values on both sides with hypotest",
    LimitStatus.OUTSIDE_VALUES: "CLs does not cross the level between the values that "
    "were given: give smaller or larger ones",
    LimitStatus.FITS_FAILED: "fits do not converge near the limit; test values there "
    "with hypotest, which says why",
}


class LimitCurve(eqx.Module):
    """CLs of tested values, of which limits are the crossings with a level.

    Attributes:
        values: tested values of the parameter of interest.
        CLs_obs: observed CLs of each; NaN where a fit did not converge.
        CLs_exp: expected ones at -2, -1, 0, +1, +2 standard deviations.
        codes: value of the worst `FitStatus` of the fits of each test.
        band: of which Asimov data expected ones are; see `FitSettings.expected`.
    """

    values: Float[Array, " value"]
    CLs_obs: Float[Array, " value"]
    CLs_exp: Float[Array, "value 5"]
    codes: Int[Array, " value"]
    band: str = eqx.field(static=True, default=OBSERVED_PROFILE)

    @property
    def converged(self) -> bool:
        """Whether all fits converged; of a single curve outside of ``jit``."""
        return not np.any(self.codes)

    @property
    def message(self) -> str:
        """How many values have no CLs, and why; empty where all have it."""
        failed = np.asarray(self.codes)[np.asarray(self.codes) > 0]
        if not failed.size:
            return ""
        why = FitStatus(int(failed.max())).sentence
        return f"{failed.size} of {np.size(self.codes)} values have no CLs: {why}"

    def to_dict(self) -> dict[str, Any]:
        """The curve as JSON values."""
        codes = np.asarray(self.codes).tolist()
        return {
            "poi_values": json_numbers(self.values),
            "CLs_obs": json_numbers(self.CLs_obs),
            "CLs_exp": json_numbers(self.CLs_exp),
            "status": [str(FitStatus(code)) for code in codes],
        }

    def __repr__(self) -> str:
        """How many values were tested, and where."""
        ends = f"{float(self.values[0]):g} to {float(self.values[-1]):g}"
        return f"LimitCurve: {np.size(self.values)} values from {ends}"


class LimitResult(Record):
    """Upper limits on the parameter of interest.

    Attributes:
        observed: the observed limit; NaN where there is none.
        expected: the expected limits at -2, -1, 0, +1, +2 standard deviations.
        level: of CLs.
        codes: the value of the `LimitStatus` of each limit, the observed one first.
        CLs: at each limit, as tested; between given values, as interpolated.
        mu_hat: best fit of the parameter of interest.
        upper_bound: of the parameter in the last tests; larger than its own where a
            limit is beyond that.
        tests: values that were tested.
        steps: minimizer steps, summed over all fits of the tests.
        fits: the worst `FitStatus` of their fits.
        curve: CLs of values that were given, or where `with_curve` has put them.
        band: of which Asimov data expected limits are, "observed-profile" or
            "nominal"; see `FitSettings.expected`.
    """

    observed: Scalar
    expected: Band
    level: Scalar
    codes: Int[Array, " curve"]
    CLs: Float[Array, " curve"]
    mu_hat: Scalar
    upper_bound: Scalar
    tests: ScalarInt
    steps: ScalarInt
    fits: ScalarInt
    curve: LimitCurve | None = None
    band: str = eqx.field(static=True, default=OBSERVED_PROFILE)

    @property
    def code(self) -> ScalarInt:
        """The value of the worst `LimitStatus`."""
        if is_known(self.codes):  # or a program would be compiled for it
            return np.asarray(np.max(np.asarray(self.codes), axis=-1))
        return self.codes.max(axis=-1)

    @property
    def statuses(self) -> tuple[LimitStatus, ...]:
        """The `LimitStatus` of each limit, the observed one first; of a single result.

        Raises:
            ArgumentError: it is a batch, or inside ``jit`` or ``vmap``.
        """
        refuse_batch(self)
        return tuple(LimitStatus(int(code)) for code in np.asarray(self.codes))

    @property
    def converged(self) -> bool:
        """Whether all six limits are found; of a single result outside of ``jit``."""
        return int(self.code) == LimitStatus.FOUND

    def raise_if_failed(self) -> "LimitResult":
        """Return the result itself, or raise if a limit was not found.

        Raises:
            FitError: which, and why.
        """
        for name, status in zip(NAMES, self.statuses, strict=True):
            if status is not LimitStatus.FOUND:
                message = f"there is no {name} limit: {status.sentence}"
                raise FitError(message)
        return self

    def grid(self, points: int = 31) -> np.ndarray:
        """Values from zero to one and a half times the largest limit, for a curve.

        Where no limit was found, to the upper bound of the parameter.

        Args:
            points: so many, from two on.

        Raises:
            ArgumentError: it is a batch, or inside ``jit`` or ``vmap``.
        """
        refuse_batch(self)
        limits = np.append(self.observed, self.expected)
        found = limits[np.isfinite(limits)]
        last = 1.5 * found.max() if found.size else float(self.upper_bound)
        return np.linspace(0.0, last, points)

    def with_curve(self, curve: LimitCurve) -> "LimitResult":
        """The same with the curve of `hfjax.limit_curve`, to be drawn and written.

        Raises:
            ArgumentError: its expected CLs are of other Asimov data.
        """
        if curve.band != self.band:
            message = (
                f"a curve expected with {curve.band!r} Asimov data for limits with "
                f"{self.band!r} ones: give both the same settings"
            )
            raise ArgumentError(message)
        return dataclasses.replace(self, curve=curve)

    def to_dict(self) -> dict[str, Any]:
        """The limits as JSON values, None where there is none.

        Raises:
            ArgumentError: it is a batch, or inside ``jit`` or ``vmap``.
        """
        statuses = self.statuses
        lacking = [s.sentence for s in statuses if s is not LimitStatus.FOUND]
        return {
            "limit_obs": json_numbers(self.observed),
            "limit_exp": json_numbers(self.expected),
            "level": json_numbers(self.level),
            "band": self.band,
            "status": [str(status) for status in statuses],
            "message": "; ".join(dict.fromkeys(lacking)),
            "CLs": json_numbers(self.CLs),
            "mu_hat": json_numbers(self.mu_hat),
            "upper_bound": json_numbers(self.upper_bound),
            "tests": int(self.tests),
            "steps": int(self.steps),
            "fits": str(FitStatus(int(self.fits))),
            **({} if self.curve is None else {"curve": self.curve.to_dict()}),
        }

    def __repr__(self) -> str:
        """The limits; of a batch, and inside ``jit``, the shapes."""
        if not is_single(self):
            return eqx.tree_pformat(self)
        head = f"LimitResult: CLs = {float(self.level):g}, best fit "
        head += f"{float(self.mu_hat):.6g}, {int(self.tests)} values tested"
        head += said_of_band(self.band)
        rows = [f"  observed {float(self.observed):.6g}"]
        band = " ".join(f"{float(value):.6g}" for value in self.expected)
        rows.append(f"  expected {band}")
        named = zip(NAMES, self.statuses, strict=True)
        rows += [
            f"  no {name} limit: {status.sentence}"
            for name, status in named
            if status is not LimitStatus.FOUND
        ]
        return "\n".join([head, *rows])
