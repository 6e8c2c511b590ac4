"""What a test of goodness of fit returns."""

from collections import Counter
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from hfjax.arrays import Array, Scalar, ScalarInt
from hfjax.errors import FitError
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitStatus
from hfjax.inference.toy_counts import Estimate, p_value
from hfjax.record import Record, Status, is_single, json_numbers, refuse_batch


class GoodnessStatus(Status):
    """Whether there is an asymptotic p-value; larger is worse."""

    KNOWN = 0
    NO_FREEDOM = 1
    FIT_FAILED = 2

    @property
    def sentence(self) -> str:
        """What it means, and what to try.

        Example:
            >>> GoodnessStatus.KNOWN.sentence
            'the p-value is known'
        """
        return _SENTENCES[self]


_SENTENCES = {
    GoodnessStatus.KNOWN: "the p-value is known",
    GoodnessStatus.NO_FREEDOM: "there are no more data than parameters that could "
    "move, so that nothing can disagree: hold parameters, or take channels with more "
    "bins",
    GoodnessStatus.FIT_FAILED: "the fit did not converge, so that there is no "
    "deviance: see the status of the fit",
}


class GoodnessResult(Record):
    """How well a model describes data: its deviance, and how probable a larger one is.

    Attributes:
        statistic: ``-2 ln(L(best fit) / L(saturated))``, with what is held left out.
        degrees_of_freedom: ``bins + auxiliary - parameters``.
        p_value: probability of a larger statistic in the limit of many events; NaN
            where there is none.
        bins: that have events, or expect some.
        auxiliary: auxiliary data of parameters that are not held.
        parameters: directions in which the fit could move.
        fewest: events expected in the bin that expects the fewest.
        code: the value of its `GoodnessStatus`, which `status` gives.
        free: the best fit.
        toy_statistics: of toys; NaN of those whose fits failed.
        toy_codes: values of the `FitStatus` of each.
    """

    statistic: Scalar
    degrees_of_freedom: ScalarInt
    p_value: Scalar
    bins: ScalarInt
    auxiliary: ScalarInt
    parameters: ScalarInt
    fewest: Scalar
    code: ScalarInt
    free: FitResult
    toy_statistics: Float[Array, " toy"]
    toy_codes: Int[Array, " toy"]

    @property
    def status(self) -> GoodnessStatus:
        """Whether there is an asymptotic p-value."""
        return GoodnessStatus(int(self.code))

    @property
    def converged(self) -> bool:
        """Whether the fit to the data, and those to all toys, converged."""
        return self.status < GoodnessStatus.FIT_FAILED and not self.failures

    @property
    def failures(self) -> dict[str, int]:
        """How many toys have no statistic, by the `FitStatus` of their fits."""
        codes = [int(code) for code in self.toy_codes]
        counts = Counter(FitStatus(code) for code in sorted(codes))
        good = FitStatus.CONVERGED
        return {str(each): n for each, n in counts.items() if each is not good}

    @property
    def toys(self) -> Estimate:
        """The part of toys whose statistic is not below that of the data.

        Its error is that of `hfjax.inference.toy_counts.p_value`; NaN without toys.
        """
        known = self.toy_statistics[np.asarray(self.toy_codes) == FitStatus.CONVERGED]
        if not known.size:
            nothing = np.asarray(np.nan)
            return Estimate(nothing, nothing)
        return p_value(np.asarray(known), np.asarray(self.statistic))

    def raise_if_failed(self) -> "GoodnessResult":
        """Return the result itself, or raise if there is no asymptotic p-value.

        Raises:
            FitError: what happened, and what to try.
        """
        if self.status is not GoodnessStatus.KNOWN:
            raise FitError(self.status.sentence)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The test as JSON values, None for what is not known.

        Raises:
            ArgumentError: it is a batch, or inside ``jit`` or ``vmap``.
        """
        refuse_batch(self)
        known = self.status is GoodnessStatus.KNOWN
        return {
            "statistic": json_numbers(self.statistic),
            "degrees_of_freedom": int(self.degrees_of_freedom),
            "p_value": json_numbers(self.p_value),
            "bins": int(self.bins),
            "auxiliary": int(self.auxiliary),
            "parameters": int(self.parameters),
            "fewest_events": json_numbers(self.fewest),
            "status": str(self.status),
            "message": "" if known else self.status.sentence,
            "toys": self._toys() if self.toy_codes.size else None,
            "free": self.free.to_dict(),
        }

    def _toys(self) -> dict[str, Any]:
        value, error = map(json_numbers, self.toys)
        return {
            "number": int(self.toy_codes.size),
            "p_value": value,
            "p_value_error": error,
            "failures": self.failures,
        }

    def __repr__(self) -> str:
        """Statistic and p-values; of a batch, and inside ``jit``, the shapes."""
        if not is_single(self):
            return eqx.tree_pformat(self)
        degrees, p = int(self.degrees_of_freedom), float(self.p_value)
        head = f"GoodnessResult: {float(self.statistic):.6g} for {degrees} degrees of "
        head += f"freedom, p = {p:.4g}" if np.isfinite(p) else f"freedom, {self.status}"
        if not self.toy_codes.size:
            return head
        value, error = self.toys
        return f"{head}; {self.toy_codes.size} toys: {value:.4g} ± {error:.2g}"
