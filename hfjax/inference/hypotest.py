"""Hypothesis tests: from a model and data to CLs, all fits in one compiled program."""

import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from hfjax.arrays import (
    Array,
    Number,
    Scalar,
    ScalarInt,
)
from hfjax.compiled.program import Program
from hfjax.fitting.best_fit import NOTHING, refuse
from hfjax.fitting.checks import check_inputs, holding
from hfjax.fitting.refusal import blanked, held_value
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.fitting.valleys.physical import is_physical
from hfjax.inference.asymptotics import asymptotic_tails
from hfjax.inference.subject import Subject, subject_of
from hfjax.inference.test_fits import TestFits, run_fits
from hfjax.inference.test_result import HypotestResult
from hfjax.inference.test_statistics import (
    TestStatistic,
    find_test_statistic,
    qmu_tilde,
)
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.parameters import Value
from hfjax.model.poi import check_poi_value, check_single, require_free_poi
from hfjax.model.tracing import is_known


def hypotest(
    model: Model,
    data: Data,
    poi_value: Number = 1.0,
    *,
    test_stat: TestStatistic | str = qmu_tilde,
    fixed: Mapping[str, Value] = NOTHING,
    settings: FitSettings = FitSettings(),
) -> HypotestResult:
    """Test a value of the parameter of interest with asymptotic formulae.

    The Asimov data are those expected at the best fit to the *observed* data with the
    parameter of interest at 0 (for q0: at 1), as in pyhf: expected limits depend on
    what the control regions observed. With ``FitSettings(expected="nominal")`` they are
    those expected before any fit.

    Args:
        model: a model with a parameter of interest.
        data: observed data.
        poi_value: value to test; q0 always tests zero.
        test_stat: of `hfjax.inference.test_statistics`, or its name: "qtilde", "q",
            "q0", "ttilde" or "t"; `dataclasses.replace(qmu_tilde,
            base="clipped_normal")` has another expected band.
        fixed: values that all fits hold other parameters at, by name, as in `fit`.
        settings: minimizer, steps and tolerance of all fits.

    Returns:
        CLs, test statistics, fits and Asimov data. Inside ``jit`` and ``vmap`` the
        status says what is an error elsewhere.

    Raises:
        MissingPOIError: the model has no parameter of interest.
        ModelError: the parameter of interest is fixed.
        ParameterError: the tested value is outside its bounds, or that of the Asimov
            data; or a value to hold is, or the measurement fixes it.
        UnknownNameError: there is no test statistic of this name, or no parameter to
            hold.
        ArgumentError: a model or data are something else.
        DataError: the data have the wrong shape, or are no counts.

    Source:
        Cowan, Cranmer, Gross, Vitells, arXiv:1007.1727; CLs: A. L. Read,
        J. Phys. G 28 (2002) 2693.

    Example:
        >>> import hfjax
        >>> signal, bkg, uncertainty = [12.0, 11.0], [50.0, 52.0], [3.0, 7.0]
        >>> search = hfjax.uncorrelated_background(signal, bkg, uncertainty, [51, 48])
        >>> model, data = hfjax.build(search)
        >>> result = hfjax.hypotest(model, data, poi_value=1.0)
        >>> round(float(result.CLs_obs), 6), round(float(result.CLs_exp[2]), 4)
        (0.052516, 0.0645)
    """
    check_inputs(model, data, settings)
    model = holding(model, fixed)
    require_free_poi(model)
    test_stat = find_test_statistic(test_stat)
    tested = 0.0 if test_stat.discovery else poi_value
    check_single(tested)
    if not model.is_traced:
        # what a traced value may be is not known; the Asimov data's is
        known = tested if is_known(tested) else test_stat.asimov_poi
        check_poi_values(model, test_stat, known)
    values = as_number(model, tested), as_number(model, test_stat.asimov_poi)
    static = {"test_stat": test_stat, "settings": settings}
    arguments = (subject_of(model, data, settings), *values)
    result = settings.run(Program(asymptotic_test, arguments, static))
    return result.with_names(model)


def as_number(model: Model, value: Number) -> Array:
    """A value of a parameter as a number of a model's kind."""
    # jnp.asarray would compile a program for a number
    known = np.asarray(value) if is_known(value) else jnp.asarray(value)
    return known.astype(model.parameters.init.dtype)


def check_poi_values(model: Model, test_stat: TestStatistic, poi_value: Number) -> None:
    """Refuse a test whose fits would hold the parameter of interest out of bounds.

    Raises:
        ParameterError: names the value and the bounds.
    """
    check_poi_value(model, poi_value)
    remedy = "every test compares with this value, so widen them in the measurement"
    check_poi_value(model, test_stat.asimov_poi, remedy)


@functools.partial(jax.jit, static_argnames=("test_stat", "settings"))
def asymptotic_test(
    subject: Subject,
    poi_value: Scalar,
    asimov_poi: Scalar,
    test_stat: TestStatistic,
    settings: FitSettings,
) -> HypotestResult:
    """Test a model without names; `hypotest` after all checks of its arguments."""
    poi_value = held_value(subject.model, poi_value)
    fits = run_fits(subject, poi_value, asimov_poi, settings)
    return conclusion(subject, fits, poi_value, asimov_poi, test_stat)


def conclusion(
    subject: Subject,
    fits: TestFits,
    poi_value: Scalar,
    asimov_poi: Scalar,
    test_stat: TestStatistic,
) -> HypotestResult:
    """What the fits of a test say of the tested value.

    Args:
        subject: what was tested.
        fits: all of them.
        poi_value: tested value.
        asimov_poi: value of the Asimov data.
        test_stat: compares the fits.
    """
    fits = _refused(fits)
    zero = fits.fixed if test_stat.discovery else fits.background
    mu_hat = fits.free.params[subject.model.poi]
    q = test_stat(
        poi_value, mu_hat, fits.fixed.deviance, fits.free.deviance, zero.deviance
    )
    # The Asimov data are exactly what their truth expects: its deviance is zero there.
    nothing = jnp.zeros_like(poi_value)
    zero_asimov = fits.asimov_fixed.deviance if test_stat.discovery else nothing
    q_asimov = test_stat(
        poi_value, asimov_poi, fits.asimov_fixed.deviance, nothing, zero_asimov
    )
    tails = asymptotic_tails(q, q_asimov, test_stat)
    status = _worst(fits)
    ok = status == FitStatus.CONVERGED

    def known(value: Array) -> Array:
        return value * jnp.where(ok, 1.0, jnp.nan)  # its derivative is NaN as well

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
        asimov_free=_perfect(subject, fits),
        asimov_fixed=fits.asimov_fixed,
        asimov_data=fits.asimov_data,
        code=status,
        edm=jnp.max(jnp.stack([fit.edm for fit in _each(fits)])),
        steps=jnp.sum(jnp.stack([fit.steps for fit in _each(fits)])),
        discovery=test_stat.discovery,
        band=subject.band,
    )


def _each(fits: TestFits) -> tuple[FitResult, ...]:
    return fits.background, fits.fixed, fits.free, fits.asimov_fixed


def _perfect(subject: Subject, fits: TestFits) -> FitResult:
    """Best fit of the Asimov data: the parameters they were made with."""
    known, zero = fits.asimov_fixed, jnp.zeros_like(fits.background.edm)
    params, refused = fits.truth, known.code == FitStatus.OUT_OF_BOUNDS
    physical = fits.background.physical
    if subject.nominal is not None:
        physical = is_physical(subject.model, params)
    perfect = FitResult(
        params=params,
        twice_nll=known.twice_nll - known.deviance,
        deviance=zero,
        code=jnp.int32(FitStatus.CONVERGED),
        edm=zero,
        projected_gradient=zero,
        steps=jnp.int32(0),
        initial=zero,
        initial_params=params,
        passed=jnp.full_like(zero, jnp.inf),
        passed_params=params,
        physical=physical,
    )
    return refuse(perfect, jnp.where(refused, known.code, perfect.code))


def _worst(fits: TestFits) -> ScalarInt:
    """Worst status of all fits."""
    return jnp.max(jnp.stack([fit.code for fit in _each(fits)]))


def _refused(fits: TestFits) -> TestFits:
    """No fit has numbers where a value that one of them holds is out of bounds."""
    worst = _worst(fits)
    outside = worst == FitStatus.OUT_OF_BOUNDS
    status = jnp.where(outside, worst, jnp.int32(FitStatus.CONVERGED))
    background, fixed, free, asimov = (refuse(fit, status) for fit in _each(fits))
    data = blanked(fits.asimov_data, outside)
    return TestFits(background, fixed, free, asimov, data, fits.truth)
