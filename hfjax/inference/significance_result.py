"""What a search for a discovery returns."""

from typing import Any

import equinox as eqx

from hfjax.arrays import Band, Scalar, ScalarInt
from hfjax.fitting.result import FittedRecord
from hfjax.fitting.status import FitStatus, said_of_band
from hfjax.inference.test_result import HypotestResult
from hfjax.model.model import Model
from hfjax.record import is_single, json_numbers, refuse_batch


class SignificanceResult(FittedRecord):
    """How little the background alone explains the data, and what a signal would give.

    Bands are in the order -2, -1, 0, +1, +2 standard deviations of p0, so that `Z_exp`
    falls. Where a fit did not converge, every number is NaN and `status` says why.

    Attributes:
        p0: observed p-value of the background alone; at most 0.5 but for a signed one.
        Z: the same in standard deviations, ``Phi(-Z) = p0``.
        p0_exp: expected p-value with the injected signal.
        Z_exp: the same in standard deviations.
        q: the test statistic, ``Z^2`` with the sign of Z.
        q_asimov: the same of the Asimov data.
        injected: strength of the signal that is expected.
        mu_hat: best fit of the parameter of interest.
        test: the test with all its fits, as `hfjax.hypotest` gives it, and the Asimov
            data.
        code: the value of the worst `FitStatus` of the fits, which `status` gives.
        signed: whether a deficit counts as a negative Z.
    """

    p0: Scalar
    Z: Scalar
    p0_exp: Band
    Z_exp: Band
    q: Scalar
    q_asimov: Scalar
    injected: Scalar
    mu_hat: Scalar
    test: HypotestResult
    code: ScalarInt
    signed: bool = eqx.field(static=True, default=False)

    def with_names(self, model: Model) -> "SignificanceResult":
        """The same with the names of a model in all fits."""
        return eqx.tree_at(lambda r: r.test, self, self.test.with_names(model))

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON values, None for what is not known.

        Raises:
            ArgumentError: it is a batch, or inside ``jit`` or ``vmap``.
        """
        refuse_batch(self)
        status = FitStatus(int(self.code))
        names = "p0", "Z", "p0_exp", "Z_exp", "q", "q_asimov", "injected"
        return {
            **{name: json_numbers(getattr(self, name)) for name in names},
            "signed": self.signed,
            "band": self.test.band,
            "mu_hat": json_numbers(self.mu_hat) if self.converged else None,
            "status": str(status),
            "message": "" if status is FitStatus.CONVERGED else status.sentence,
            "edm": json_numbers(self.test.edm),
            "steps": int(self.test.steps),
        }

    def __repr__(self) -> str:
        """The numbers; of a batch, and inside ``jit``, the shapes."""
        if not is_single(self):
            return eqx.tree_pformat(self)
        head = f"SignificanceResult: {FitStatus(int(self.code))}"
        head += f"{', signed' if self.signed else ''}, best fit {_short(self.mu_hat)}"
        head += said_of_band(self.test.band)
        band = " ".join(_short(value) for value in self.Z_exp)
        rows = [
            f"  observed  p0 {_short(self.p0)}, Z {_short(self.Z)}",
            f"  expected of a signal of {_short(self.injected)}  Z {band}",
        ]
        return "\n".join([head, *rows])


def _short(value: Scalar) -> str:
    return f"{float(value):.6g}"
