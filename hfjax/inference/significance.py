"""Discovery: how improbable the data are without a signal."""

import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from hfjax.arrays import Number, Params, Scalar, ScalarInt
from hfjax.compiled.program import Program
from hfjax.errors import ParameterError, check_kind
from hfjax.fitting.best_fit import NOTHING
from hfjax.fitting.checks import check_inputs, holding
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.hypotest import as_number, asymptotic_test
from hfjax.inference.normal_tail import log_normal_tail
from hfjax.inference.significance_result import SignificanceResult
from hfjax.inference.subject import subject_of
from hfjax.inference.test_result import HypotestResult
from hfjax.inference.test_statistics import q0
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.parameters import Value
from hfjax.model.poi import check_poi_value, check_single, require_free_poi
from hfjax.model.tracing import is_known

_BAND = np.array([2.0, 1.0, 0.0, -1.0, -2.0])
"""What is added to the expected Z: p0 rises, as the expected CLs of a test do."""


def significance(
    model: Model,
    data: Data,
    *,
    signed: bool = False,
    injected: Number = 1.0,
    fixed: Mapping[str, Value] = NOTHING,
    settings: FitSettings = FitSettings(),
) -> SignificanceResult:
    """Find p0 and Z of the data, and those that a signal would be expected to have.

    ``Z = sqrt(q0)``, ``p0 = Phi(-Z)`` with ``q0 = 2NLL(0) - 2NLL(mu_hat)``, which is
    zero for a best fit below zero: a deficit speaks for no signal. Signed, that has
    ``Z = -sqrt(2NLL(0) - 2NLL(mu_hat))``. Expected is Z of the Asimov data at the best
    fit to the *observed* data with the injected signal, plus -2 to +2; with
    ``FitSettings(expected="nominal")`` of those expected before any fit.

    Args:
        model: a model with a parameter of interest.
        data: observed data.
        signed: whether a deficit is to have a negative Z, and a p0 above 0.5.
        injected: strength of the signal that is expected.
        fixed: values that all fits hold other parameters at, by name, as in `fit`.
        settings: minimizer, steps and tolerance of all fits.

    Returns:
        p0 and Z, observed and expected, and the test that they are of. Inside ``jit``
        and ``vmap`` the status says what is an error elsewhere.

    Raises:
        MissingPOIError: the model has no parameter of interest.
        ModelError: the parameter of interest is fixed.
        ParameterError: zero or the injected strength is outside the bounds of the
            parameter; or a deficit is to be signed that the bounds forbid; or a value
            to hold is outside its bounds, or the measurement fixes it.
        UnknownNameError: there is no parameter to hold of a name.
        ArgumentError: the strength is no number, or a model or data are something else.
        DataError: the data have the wrong shape, or are no counts.

    Source:
        Cowan, Cranmer, Gross, Vitells, arXiv:1007.1727, eqs. 12, 52 and 53.

    Example:
        >>> import hfjax
        >>> signal, bkg, uncertainty = [12.0, 11.0], [50.0, 52.0], [3.0, 7.0]
        >>> search = hfjax.uncorrelated_background(signal, bkg, uncertainty, [60, 65])
        >>> found = hfjax.significance(*hfjax.build(search))
        >>> round(float(found.p0), 6), round(float(found.Z), 4)
        (0.042061, 1.7273)
    """
    check_inputs(model, data, settings)
    check_kind("signed", signed, bool, "give True or False")
    model = holding(model, fixed)
    require_free_poi(model)
    check_single(injected)
    if not model.is_traced:
        _check_values(model, injected, signed=signed)
    values = as_number(model, 0.0), as_number(model, injected)
    arguments = (subject_of(model, data, settings), *values)
    static = {"test_stat": q0, "settings": settings}
    test = settings.run(Program(asymptotic_test, arguments, static))
    given = test, values[1], model.parameters.lower, model.poi
    found = settings.run(Program(_significance, given, {"signed": signed}))
    return found.with_names(model)


def _check_values(model: Model, injected: Number, *, signed: bool) -> None:
    """Refuse what bounds of the parameter of interest do not allow."""
    check_poi_value(model, 0.0, "a discovery is a test of zero, so widen them")
    if is_known(injected):
        remedy = "inject a signal inside, or widen them in the measurement"
        check_poi_value(model, injected, remedy)
    lower = float(np.asarray(model.parameters.lower)[model.poi])
    if signed and lower == 0.0:
        message = (
            f"a signed significance of {model.poi_name!r}, which is never below 0: no "
            "deficit can be told; give it a negative lower bound in the measurement, "
            "such as [-5, 10], or do without the sign"
        )
        raise ParameterError(message)


@functools.partial(jax.jit, static_argnames="signed")
def _significance(
    test: HypotestResult,
    injected: Scalar,
    lower: Params,
    poi: ScalarInt,
    signed: bool,
) -> SignificanceResult:
    """Turn the fits of a test of zero into p0 and Z, where bounds allow its sign."""
    possible = (jnp.asarray(lower)[poi] < 0.0) | (not signed)
    code = jnp.where(possible, test.code, FitStatus.OUT_OF_BOUNDS).astype(jnp.int32)
    known = jnp.where(code == FitStatus.CONVERGED, 1.0, jnp.nan)
    q = known * _signed(test.fixed.deviance - test.free.deviance, test.mu_hat)
    q_asimov = known * _signed(test.asimov_fixed.deviance, injected)
    if not signed:
        q, q_asimov = jnp.maximum(q, 0.0), jnp.maximum(q_asimov, 0.0)
    Z, Z_exp = _root(q), _root(q_asimov) + jnp.asarray(_BAND, q.dtype)
    return SignificanceResult(
        p0=jnp.exp(log_normal_tail(Z)),
        Z=Z,
        p0_exp=jnp.exp(log_normal_tail(Z_exp)),
        Z_exp=Z_exp,
        q=q,
        q_asimov=q_asimov,
        injected=injected,
        mu_hat=test.mu_hat,
        test=test,
        code=code,
        signed=signed,
    )


def _signed(difference: Scalar, strength: Scalar) -> Scalar:
    """A difference of deviances, which only rounding makes negative, with a sign."""
    size = jnp.maximum(difference, 0.0)
    return jnp.where(strength < 0.0, -size, size)


def _root(q: Scalar) -> Scalar:
    """The root with its sign; at zero, where it has a kink, with the derivative 0."""
    zero = q == 0.0
    root = jnp.sqrt(jnp.where(zero, 1.0, jnp.abs(q)))
    return jnp.where(zero, 0.0, jnp.sign(q) * root)
