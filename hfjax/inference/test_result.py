"""What a hypothesis test returns."""

import dataclasses
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm

from hfjax.arrays import (
    Array,
    Band,
    Params,
    Scalar,
    ScalarBool,
    ScalarInt,
)
from hfjax.compiled.canonical import cut, model_sizes
from hfjax.fitting.diagnose.valley_report import LEAST
from hfjax.fitting.result import FitResult, FittedRecord
from hfjax.fitting.status import OBSERVED_PROFILE, FitStatus, said_of_band
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.record import is_single, json_numbers, refuse_batch

FITS = ("free", "fixed", "background", "asimov_free", "asimov_fixed")
"""Fits that a test has in its result."""


class HypotestResult(FittedRecord):
    """A hypothesis test with everything that went into it.

    Bands are in the order -2, -1, 0, +1, +2 sigma. Where a fit did not converge, every
    probability is NaN and `status` says why.

    Attributes:
        poi_value: tested value of the parameter of interest.
        CLs_obs: observed CLs; for q0 the p-value of the background, p0.
        CLs_exp: expected CLs.
        CLsb: observed p-value of the tested hypothesis.
        CLb: observed p-value of the background (for q0: of mu = 1).
        CLsb_exp: expected CLsb.
        CLb_exp: expected CLb.
        q: test statistic on the data.
        q_asimov: test statistic on the Asimov data.
        mu_hat: best fit of the parameter of interest.
        free: fit of all parameters.
        fixed: fit at the tested value.
        background: fit at the value of the Asimov data, 0 (for q0: 1).
        asimov_free: best fit of the Asimov data.
        asimov_fixed: fit of the Asimov data at the tested value.
        asimov_data: expected data of ``background``, or at the nominal parameters.
        code: the value of the worst `FitStatus` of the fits, which `status` gives.
        edm: largest estimated distance to a minimum, in units of -2 ln L.
        steps: steps of all fits.
        discovery: whether the test statistic is q0, so that zero was tested.
        band: of which Asimov data expected results are, "observed-profile" or
            "nominal"; see `FitSettings.expected`.
    """

    poi_value: Scalar
    CLs_obs: Scalar
    CLs_exp: Band
    CLsb: Scalar
    CLb: Scalar
    CLsb_exp: Band
    CLb_exp: Band
    q: Scalar
    q_asimov: Scalar
    mu_hat: Scalar
    free: FitResult
    fixed: FitResult
    background: FitResult
    asimov_free: FitResult
    asimov_fixed: FitResult
    asimov_data: Data
    code: ScalarInt
    edm: Scalar
    steps: ScalarInt
    discovery: bool = eqx.field(static=True, default=False)
    band: str = eqx.field(static=True, default=OBSERVED_PROFILE)

    @property
    def lower_by(self) -> Scalar:
        """How much lower in -2 ln L a fit is than where its initial values lead.

        Largest over the fits; 0 where they all lead to the best.
        """
        return jnp.max(jnp.stack([_lower_by(fit) for fit in self._fits]))

    @property
    def passed_over(self) -> ScalarBool:
        """Whether a fit has passed over a lower minimum that is not physical."""
        passed = jnp.stack([jnp.asarray(fit.passed) for fit in self._fits])
        return jnp.any(jnp.isfinite(passed))

    @property
    def worst(self) -> ScalarInt:
        """Which fit ended worst, in the order in which they are done."""
        return jnp.argmax(jnp.stack([fit.code for fit in self._fits]))

    @property
    def worst_params(self) -> Params:
        """Where that fit ended."""
        return jnp.stack([fit.params for fit in self._fits])[self.worst]

    def to_dict(self) -> dict[str, Any]:
        """The test as JSON values, with pyhf's names; for q0 p0 and Z as well.

        Raises:
            ArgumentError: it is a batch, or inside ``jit`` or ``vmap``.
        """
        refuse_batch(self)
        status = FitStatus(int(self.code))
        names = "CLs_obs", "CLs_exp", "CLsb", "CLb", "q", "q_asimov"
        more = ("p0", "p0_exp", "Z", "Z_exp") if self.discovery else ()
        numbers = {n: json_numbers(getattr(self, n)) for n in (*names, *more)}
        return {
            **numbers,
            "mu_hat": json_numbers(self.mu_hat) if self.converged else None,
            "poi_value": json_numbers(self.poi_value),
            "band": self.band,
            "status": str(status),
            "message": "" if status is FitStatus.CONVERGED else status.sentence,
            "edm": json_numbers(self.edm),
            "steps": int(self.steps),
        }

    def with_names(self, model: Model) -> "HypotestResult":
        """The same with the names of a model in all fits, and in the Asimov data."""
        changed = {each: getattr(self, each).with_names(model) for each in FITS}
        data, sizes = self.asimov_data, model_sizes(model)
        main, aux = (sizes[name].own for name in ("bins", "aux"))
        data = Data(cut(data.main, main), cut(data.aux, aux))
        changed["asimov_data"] = model.named(data)
        return dataclasses.replace(self, **changed)

    def __repr__(self) -> str:
        """The numbers; of a batch, and inside ``jit``, the shapes."""
        if not is_single(self):
            return eqx.tree_pformat(self)
        head = f"HypotestResult: {FitStatus(int(self.code))}, "
        head += (
            f"tested value {float(self.poi_value):g}, best fit {float(self.mu_hat):.6g}"
        )
        head += said_of_band(self.band)
        names = ["CLs_obs", "CLs_exp", "q", "q_asimov"]
        if self.discovery:
            names = ["p0", "p0_exp", "Z", "Z_exp", "q", "q_asimov"]
        rows = [f"  {name:9}{_shown(getattr(self, name))}" for name in names]
        return "\n".join([head, *rows])

    @property
    def _fits(self) -> tuple[FitResult, ...]:
        return self.background, self.fixed, self.free, self.asimov_fixed

    @property
    def p0(self) -> Scalar:
        """Observed p-value of the background alone; NaN but for q0."""
        return self.CLsb if self.discovery else jnp.full_like(self.CLsb, jnp.nan)

    @property
    def p0_exp(self) -> Band:
        """Expected `p0` with the signal, in the order of `CLs_exp`, rising."""
        band = self.CLsb_exp
        return band if self.discovery else jnp.full_like(band, jnp.nan)

    @property
    def Z(self) -> Scalar:
        """Observed significance in standard deviations: Phi(-Z) = p0, Z = sqrt(q0)."""
        return jnp.sqrt(self.q) if self.discovery else jnp.full_like(self.q, jnp.nan)

    @property
    def Z_exp(self) -> Band:
        """Expected `Z` with the signal, of each `p0_exp`; infinite where that is 0."""
        return -norm.ppf(self.p0_exp)


def _shown(value: Array) -> str:
    return "".join(f" {each:<11.6g}" for each in np.ravel(value)).rstrip()


def _lower_by(fit: FitResult) -> Scalar:
    difference = fit.initial - fit.deviance
    told = (difference > LEAST) & jnp.isfinite(difference)
    told = told & (fit.code == FitStatus.CONVERGED)
    return jnp.where(told, difference, 0.0)
