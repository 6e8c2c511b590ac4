"""Uncertainties of best fits: the inverse of the exact Hessian."""

import dataclasses
from collections.abc import Iterable

import jax
import jax.numpy as jnp

from hfjax.arrays import Params, ParamsMask, ScalarBool, ScalarInt
from hfjax.compiled.canonical import canonical, pad_vector
from hfjax.compiled.program import Program, Run, run_directly
from hfjax.errors import check_kind
from hfjax.fitting.checks import check_inputs
from hfjax.fitting.covariance_result import CovarianceResult, CovarianceStatus
from hfjax.fitting.diagnose.flat_directions import at_bound, flat_directions
from hfjax.fitting.objective import Matrix, Objective
from hfjax.fitting.result import FitResult
from hfjax.fitting.spectrum import Spectrum, inverse, spectrum
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.record import is_single

VISIBLE = 1e-3
"""Part of a parameter in flat directions from which on it is in them."""
BY_NAME = 'give the names of what the fit held, such as ["mu"], or its `fixed`'


def covariance(
    model: Model,
    data: Data,
    result: FitResult,
    *,
    fixed: Iterable[str] = (),
    run: Run = run_directly,
) -> CovarianceResult:
    """Find the covariance of the parameters of a best fit.

    ``V = H^-1`` with the exact Hessian ``H_ij = -d2 ln L / dtheta_i dtheta_j`` in the
    parameters that could move: those that are neither fixed nor at a bound. It holds
    where ``-2 ln L`` is a parabola; beside a bound, and where it bends otherwise,
    `hfjax.profile` shows what is.

    Args:
        model: the model that was fitted, or one lane of a batch under ``vmap``.
        data: what it was fitted to.
        result: of `fit`, `fixed_poi_fit` or `hypotest`.
        fixed: names of the parameters that the fit held, or its values by name as the
            fit took them; of a `fixed_poi_fit`, name the parameter of interest. What
            the measurement or `Model.with_fixed` fixes needs no name.
        run: calls a compiled program, as in `FitSettings`.

    Returns:
        Uncertainties, covariance and correlation; look at its ``status``.

    Raises:
        ArgumentError: the result is no fit, or the names are one text.
        DataError: the data have the wrong shape, or are no counts.
        ParameterError: the fit was one of another model; or a batch, outside of
            ``vmap``; or an expression gives a parameter that was named.
        UnknownNameError: there is no parameter of a name that the fit could hold.

    Source:
        Cowan, Cranmer, Gross, Vitells, arXiv:1007.1727, sec. 3.2, with the second
        derivatives at the data in place of what is expected of them.

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([12.0], [50.0], [5.0], [62.0])
        >>> model, data = hfjax.build(search)
        >>> found = hfjax.covariance(model, data, hfjax.fit(model, data))
        >>> round(float(found["mu"]), 6)  # sqrt(62 + 5^2) / 12
        0.777282
        >>> round(float(found.correlation_of("mu", "uncorr_bkguncrt")), 6)
        -0.536056
    """
    check_inputs(model, data, FitSettings())
    check_kind("the result", result, FitResult, "hfjax.fit(model, data) makes one")
    model.parameters.check(result.params.shape)
    held = _held(model, fixed)
    own, known = canonical(model, data, result.params, held)
    params, mask = pad_vector(result.params, own, 0.0), pad_vector(held, own, True)
    arguments = Objective(own, known), params, mask, result.code
    found = run(Program(_compiled, arguments, {})).with_names(model)
    if is_single(found) and found.status is CovarianceStatus.FLAT and found.sets:
        return found.with_flat(_flat_names(model, data, result.params, held))
    return found


def _held(model: Model, fixed: Iterable[str]) -> ParamsMask:
    """What the measurement fixes, and what has one of these names."""
    check_kind("fixed", fixed, Iterable, BY_NAME, "list of names")
    if isinstance(fixed, str):
        check_kind("fixed", fixed, list, BY_NAME, "list of names")
    named = dict.fromkeys(fixed, 0.0)
    own = model.parameters.fixed
    return own | model.held(named) if named else own


def _flat_names(
    model: Model, data: Data, params: Params, held: ParamsMask
) -> tuple[tuple[str, ...], ...]:
    """Names of the parameters in each flat direction."""
    parameters = dataclasses.replace(model.parameters, fixed=held)
    model = dataclasses.replace(model, parameters=parameters)
    return tuple(tuple(f.weights) for f in flat_directions(model, data, params))


@jax.jit
def _compiled(
    objective: Objective, params: Params, fixed: ParamsMask, code: ScalarInt
) -> CovarianceResult:
    """Uncertainties of a fit that ended with this code."""
    own = objective.model.parameters
    bounds = at_bound(params, own.lower) | at_bound(params, own.upper)
    on_bound = bounds & ~fixed
    free = ~(fixed | on_bound)
    found = spectrum(objective, params, free)
    status = _status(found, code == FitStatus.CONVERGED)
    failed = status >= CovarianceStatus.NO_MINIMUM
    matrix = _inverse(found, free, failed)
    uncertainties = _uncertainties(matrix, free)
    return CovarianceResult(
        params=params,
        uncertainties=uncertainties,
        covariance=matrix,
        correlation=_correlation(matrix, uncertainties, free),
        fixed=fixed,
        on_bound=on_bound,
        code=status,
    )


def _status(found: Spectrum, converged: ScalarBool) -> ScalarInt:
    """What is known: the worst of all."""
    rises = jnp.any(~(found.flat | (found.curvatures > 0.0)))
    flat = jnp.where(jnp.any(found.flat), CovarianceStatus.FLAT, CovarianceStatus.KNOWN)
    status = jnp.where(rises, CovarianceStatus.NO_MINIMUM, flat)
    status = jnp.where(converged, status, CovarianceStatus.FIT_FAILED)
    return status.astype(jnp.int32)


def _inverse(found: Spectrum, free: ParamsMask, failed: ScalarBool) -> Matrix:
    """The covariance: zero of what could not move, of what is flat infinite."""
    along = jnp.where(found.flat, found.vectors, 0.0)
    matrix = inverse(found)
    loose = free & (jnp.sum(along**2, axis=1) > VISIBLE**2)
    boundless = jnp.eye(free.size, dtype=bool) & loose & ~failed
    unknown = jnp.where(boundless, jnp.inf, jnp.nan)
    matrix = jnp.where(failed | loose[:, None] | loose, unknown, matrix)
    return jnp.where(free[:, None] & free, matrix, 0.0)


def _uncertainties(matrix: Matrix, free: ParamsMask) -> Params:
    """Standard deviations; zero of what could not move, with no derivative."""
    return jnp.where(free, jnp.sqrt(jnp.where(free, jnp.diagonal(matrix), 1.0)), 0.0)


def _correlation(matrix: Matrix, uncertainties: Params, free: ParamsMask) -> Matrix:
    size = jnp.where(free, uncertainties, 1.0)
    return matrix / (size * size[:, None])
