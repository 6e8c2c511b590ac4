"""Hypothesis tests: from a model and data to CLs, all fits in one compiled program."""

import dataclasses
import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm

from hfjax.arrays import (
    Array,
    Band,
    Number,
    Params,
    Scalar,
    ScalarBool,
    ScalarInt,
)
from hfjax.compiled.program import Program
from hfjax.fitting.best_fit import refuse
from hfjax.fitting.checks import check_inputs
from hfjax.fitting.diagnose.valley_report import LEAST
from hfjax.fitting.refusal import blanked, held_value
from hfjax.fitting.result import FitResult, is_single
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.asymptotics import asymptotic_tails
from hfjax.inference.test_fits import TestFits, run_fits
from hfjax.inference.test_statistics import (
    TestStatistic,
    qmu_tilde,
    test_statistic,
)
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.poi import check_poi_value, check_single, require_free_poi
from hfjax.model.tracing import is_known

FITS = ("free", "fixed", "background", "asimov_free", "asimov_fixed")
"""Fits that a test has in its result."""


class HypotestResult(eqx.Module):
    """A hypothesis test with everything that went into it.

    Bands are in the order -2, -1, 0, +1, +2 sigma. Where a fit did not converge, every
    probability is NaN and ``status`` says why.

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
        asimov_data: expected data of ``background``.
        status: worst `FitStatus` of the fits.
        edm: largest estimated distance to a minimum, in units of -2 ln L.
        steps: steps of all fits.
        discovery: whether the test statistic is q0, so that zero was tested.
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
    status: ScalarInt
    edm: Scalar
    steps: ScalarInt
    discovery: bool = eqx.field(static=True, default=False)

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
        return jnp.argmax(jnp.stack([fit.status for fit in self._fits]))

    @property
    def worst_params(self) -> Params:
        """Where that fit ended."""
        return jnp.stack([fit.params for fit in self._fits])[self.worst]

    @property
    def converged(self) -> bool:
        """Whether all fits converged; for a single test outside of ``jit``."""
        return int(self.status) == FitStatus.CONVERGED

    def with_names(self, model: Model) -> "HypotestResult":
        """The same with the names of a model in all fits, and in the Asimov data."""
        sets = model.parameters.sets
        changed = {each: getattr(self, each).with_names(sets) for each in FITS}
        changed["asimov_data"] = model.named(self.asimov_data)
        return dataclasses.replace(self, **changed)

    def __repr__(self) -> str:
        """The numbers; of a batch, and inside ``jit``, the shapes."""
        if not is_single(self):
            return eqx.tree_pformat(self)
        head = f"HypotestResult: {FitStatus(int(self.status)).name.lower()}, "
        head += (
            f"tested value {float(self.poi_value):g}, best fit {float(self.mu_hat):.6g}"
        )
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


def hypotest(
    model: Model,
    data: Data,
    poi_value: Number = 1.0,
    *,
    test_stat: TestStatistic | str = qmu_tilde,
    base: str = "normal",
    settings: FitSettings = FitSettings(),
) -> HypotestResult:
    """Test a value of the parameter of interest with asymptotic formulae.

    The Asimov data are those expected at the best fit to the *observed* data with the
    parameter of interest at 0 (for q0: at 1), as in pyhf: expected limits depend on
    what the control regions observed.

    Args:
        model: a model with a parameter of interest.
        data: observed data.
        poi_value: value to test; q0 always tests zero.
        test_stat: of `hfjax.inference.test_statistics`, or its name: "qtilde", "q",
            "q0", "ttilde" or "t".
        base: "normal", or "clipped_normal" for the expected band.
        settings: minimizer, steps and tolerance of all fits.

    Returns:
        CLs, test statistics, fits and Asimov data. Inside ``jit`` and ``vmap`` the
        status says what is an error elsewhere.

    Raises:
        MissingPOIError: the model has no parameter of interest.
        ModelError: the parameter of interest is fixed.
        ParameterError: the tested value is outside its bounds, or that of the Asimov
            data.
        UnknownNameError: there is no test statistic of this name.
        ArgumentError: a model or data are something else.
        DataError: the data have the wrong shape, or are no counts.
        DerivativeError: a derivative through the fits is taken.

    Source:
        Cowan, Cranmer, Gross, Vitells, arXiv:1007.1727; CLs: A. L. Read,
        J. Phys. G 28 (2002) 2693.
    """
    check_testable(model, data)
    test_stat = test_statistic(test_stat)
    tested = 0.0 if test_stat.discovery else poi_value
    check_single(tested)
    if not model.is_traced:
        # what a traced value may be is not known; the Asimov data's is
        known = tested if is_known(tested) else test_stat.asimov_poi
        check_poi_values(model, test_stat, known)
    # jnp.asarray would compile a program for a number
    value = (np.asarray(tested) if is_known(tested) else jnp.asarray(tested)).astype(
        model.parameters.init.dtype
    )
    static = {"test_stat": test_stat, "base": base, "settings": settings}
    arguments = (model.anonymous(), data.anonymous(), value)
    result = settings.run(Program(asymptotic_test, arguments, static))
    return result.with_names(model)


def check_poi_values(model: Model, test_stat: TestStatistic, poi_value: Number) -> None:
    """Refuse a test whose fits would hold the parameter of interest out of bounds.

    Raises:
        ParameterError: names the value and the bounds.
    """
    check_poi_value(model, poi_value)
    remedy = "every test compares with this value, so widen them in the measurement"
    check_poi_value(model, test_stat.asimov_poi, remedy)


def check_testable(model: Model, data: Data) -> None:
    """Refuse models that cannot be tested.

    Raises:
        MissingPOIError: the model has no parameter of interest.
        ModelError: the parameter of interest is fixed.
        ArgumentError: a model or data are something else.
        DataError: the data have the wrong shape, or are no counts.
    """
    check_inputs(model, data)
    require_free_poi(model)


@functools.partial(jax.jit, static_argnames=("test_stat", "base", "settings"))
def asymptotic_test(
    model: Model,
    data: Data,
    poi_value: Scalar,
    test_stat: TestStatistic,
    base: str,
    settings: FitSettings,
) -> HypotestResult:
    """Test a model without names; `hypotest` after all checks of its arguments."""
    poi_value = held_value(model, poi_value)
    fits = _refused(run_fits(model, data, poi_value, test_stat.asimov_poi, settings))
    zero = fits.fixed if test_stat.discovery else fits.background
    mu_hat = fits.free.params[model.poi]
    q = test_stat(
        poi_value, mu_hat, fits.fixed.deviance, fits.free.deviance, zero.deviance
    )
    # The Asimov data are exactly what `background` expects: its deviance is zero there.
    nothing = jnp.zeros_like(poi_value)
    zero_asimov = fits.asimov_fixed.deviance if test_stat.discovery else nothing
    asimov_poi = jnp.full_like(poi_value, test_stat.asimov_poi)
    q_asimov = test_stat(
        poi_value, asimov_poi, fits.asimov_fixed.deviance, nothing, zero_asimov
    )
    tails = asymptotic_tails(q, q_asimov, test_stat, base)
    status = _worst(fits)
    ok = status == FitStatus.CONVERGED

    def known(value: Array) -> Array:
        return jnp.where(ok, value, jnp.nan)

    return HypotestResult(
        poi_value=poi_value,
        CLs_obs=known(tails.CLs_obs),
        CLs_exp=known(tails.CLs_exp),
        CLsb=known(tails.CLsb),
        CLb=known(tails.CLb),
        CLsb_exp=known(tails.CLsb_exp),
        CLb_exp=known(tails.CLb_exp),
        q=known(q),
        q_asimov=known(q_asimov),
        mu_hat=mu_hat,
        free=fits.free,
        fixed=fits.fixed,
        background=fits.background,
        asimov_free=_perfect(fits),
        asimov_fixed=fits.asimov_fixed,
        asimov_data=fits.asimov_data,
        status=status,
        edm=jnp.max(jnp.stack([fit.edm for fit in _each(fits)])),
        steps=jnp.sum(jnp.stack([fit.steps for fit in _each(fits)])),
        discovery=test_stat.discovery,
    )


def _shown(value: Array) -> str:
    return "".join(f" {each:<11.6g}" for each in np.ravel(value)).rstrip()


def _lower_by(fit: FitResult) -> Scalar:
    difference = fit.initial - fit.deviance
    told = (difference > LEAST) & jnp.isfinite(difference)
    told = told & (fit.status == FitStatus.CONVERGED)
    return jnp.where(told, difference, 0.0)


def _each(fits: TestFits) -> tuple[FitResult, ...]:
    return fits.background, fits.fixed, fits.free, fits.asimov_fixed


def _perfect(fits: TestFits) -> FitResult:
    """Best fit of the Asimov data: the parameters they were made with."""
    known, zero = fits.asimov_fixed, jnp.zeros_like(fits.background.edm)
    params, refused = fits.background.params, known.status == FitStatus.OUT_OF_BOUNDS
    perfect = FitResult(
        params=params,
        twice_nll=known.twice_nll - known.deviance,
        deviance=zero,
        status=jnp.int32(FitStatus.CONVERGED),
        edm=zero,
        projected_gradient=zero,
        steps=jnp.int32(0),
        initial=zero,
        initial_params=params,
        passed=jnp.full_like(zero, jnp.inf),
        passed_params=params,
        physical=fits.background.physical,
    )
    return refuse(perfect, jnp.where(refused, known.status, perfect.status))


def _worst(fits: TestFits) -> ScalarInt:
    """Worst status of all fits."""
    return jnp.max(jnp.stack([fit.status for fit in _each(fits)]))


def _refused(fits: TestFits) -> TestFits:
    """No fit has numbers where a value that one of them holds is out of bounds."""
    worst = _worst(fits)
    outside = worst == FitStatus.OUT_OF_BOUNDS
    status = jnp.where(outside, worst, jnp.int32(FitStatus.CONVERGED))
    background, fixed, free, asimov = (refuse(fit, status) for fit in _each(fits))
    data = blanked(fits.asimov_data, outside)
    return TestFits(background, fixed, free, asimov, data)
