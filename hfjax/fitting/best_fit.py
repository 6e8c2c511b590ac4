"""Maximum likelihood: best fits of all parameters, or with one of them fixed."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

import jax
import jax.numpy as jnp
import numpy as np

from hfjax.arrays import (
    Array,
    Number,
    Params,
    ParamsMask,
    ScalarInt,
)
from hfjax.compiled.canonical import canonical, pad_vector
from hfjax.compiled.program import Program
from hfjax.errors import ParameterError, check_kind
from hfjax.fitting.box import Box
from hfjax.fitting.checks import BY_NAME, check_inputs, check_start
from hfjax.fitting.implicit import constant, with_derivatives
from hfjax.fitting.newton.descend import Minimum
from hfjax.fitting.objective import Objective
from hfjax.fitting.others.minimizers import find_minimizer
from hfjax.fitting.refusal import blanked, held_value, refusal
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.fitting.valleys.found import Found, Starts, Told, only_found
from hfjax.fitting.valleys.physical import is_physical
from hfjax.fitting.valleys.search import search
from hfjax.fitting.valleys.starts import several_starts
from hfjax.model.data import Data
from hfjax.model.model import AS_PACKED, Model
from hfjax.model.parameters import Value
from hfjax.model.poi import check_poi_value, check_single, require_poi
from hfjax.model.tracing import is_known

NOTHING: Mapping[str, Value] = MappingProxyType({})
"""No values by name."""


def fit(
    model: Model,
    data: Data,
    *,
    start: Array | None = None,
    fixed: Mapping[str, Value] = NOTHING,
    settings: FitSettings = FitSettings(),
) -> FitResult:
    """Fit all parameters: the maximum of ``L(theta)`` inside the bounds.

    Args:
        model: a model, or one lane of a batch under ``vmap``.
        data: observed, Asimov or toy data.
        start: where to start; the model's initial values by default. What the
            measurement fixes stays at its initial value.
        fixed: values to hold parameters at, by name: ``{"JES": 0.0, "gamma[1]": 1.1}``.
        settings: minimizer, steps and tolerance.

    Returns:
        The best fit; look at its ``status``. Inside ``jit`` and ``vmap`` it says what
        is an error elsewhere.

    Raises:
        DataError: the data have the wrong shape, or are no counts.
        UnknownNameError: there is no parameter to hold of this name.
        ParameterError: the start has another length; it, or a value to hold, is NaN or
            outside the bounds, or moves a parameter that the measurement fixes; or a
            parameter to hold is given by an expression.

    Example:
        >>> import hfjax
        >>> signal, bkg, uncertainty = [12.0, 11.0], [50.0, 52.0], [3.0, 7.0]
        >>> search = hfjax.uncorrelated_background(signal, bkg, uncertainty, [62, 63])
        >>> found = hfjax.fit(*hfjax.build(search), fixed={"uncorr_bkguncrt[0]": 1.02})
        >>> round(float(found["mu"]), 4)
        0.9432
    """
    check_inputs(model, data, settings)
    begin = _begin(model, start, fixed)
    return _fit(model, data, begin[None], _held(model, fixed), settings)


def fixed_poi_fit(
    model: Model,
    data: Data,
    poi_value: Number,
    *,
    start: Array | None = None,
    fixed: Mapping[str, Value] = NOTHING,
    settings: FitSettings = FitSettings(),
) -> FitResult:
    """Fit all parameters but the parameter of interest, which is held at a value.

    Args:
        model: a model, or one lane of a batch under ``vmap``.
        data: observed, Asimov or toy data.
        poi_value: value of the parameter of interest.
        start: where to start; the model's initial values by default. What the
            measurement fixes stays at its initial value.
        fixed: values to hold other parameters at, by name.
        settings: minimizer, steps and tolerance.

    Returns:
        The best fit; look at its ``status``. Inside ``jit`` and ``vmap`` it says what
        is an error elsewhere.

    Raises:
        DataError: the data have the wrong shape, or are no counts.
        MissingPOIError: the model has no parameter of interest.
        UnknownNameError: there is no parameter to hold of this name.
        ParameterError: the value is out of bounds; or the start has another length; or
            it, or a value to hold, is NaN or outside the bounds, or moves a parameter
            that the measurement fixes.

    Example:
        >>> import hfjax
        >>> signal, bkg, uncertainty = [12.0, 11.0], [50.0, 52.0], [3.0, 7.0]
        >>> search = hfjax.uncorrelated_background(signal, bkg, uncertainty, [51, 48])
        >>> model, data = hfjax.build(search)
        >>> free, held = hfjax.fit(model, data), hfjax.fixed_poi_fit(model, data, 1.0)
        >>> round(float(held.twice_nll - free.twice_nll), 4)
        3.9382
    """
    check_inputs(model, data, settings)
    require_poi(model)
    check_single(poi_value)
    if model.is_traced:
        poi_value = held_value(model, poi_value)
    elif is_known(poi_value):
        check_poi_value(model, poi_value)
    begin = _with(_begin(model, start, fixed, poi=True), model.poi, poi_value)
    held = _with(_held(model, fixed), model.poi, True)
    return _fit(model, data, begin[None], held, settings)


def _fit(
    model: Model, data: Data, starts: Starts, fixed: ParamsMask, settings: FitSettings
) -> FitResult:
    """Run a compiled fit."""
    own, known = canonical(model, data, starts, fixed)
    starts, fixed = pad_vector(starts, own, 0.0), pad_vector(fixed, own, True)
    arguments = Objective(own, known), starts, fixed
    found = settings.run(Program(_compiled_fit, arguments, {"settings": settings}))
    return found.with_names(model)


def best_fit(
    objective: Objective,
    starts: Starts,
    fixed: ParamsMask,
    settings: FitSettings,
    told: Told | None = None,
) -> FitResult:
    """Fit from several starts with the chosen minimizer, and keep the lowest minimum.

    Args:
        objective: what to minimize.
        starts: where to start; fixed parameters stay there.
        fixed: parameters that must not move.
        settings: minimizer, steps and tolerance.
        told: by other fits, if there are any.
    """
    start = jnp.asarray(starts)[0]
    known, starts, told = constant((objective, jnp.asarray(starts), told))
    refused = refusal(known, starts[0])
    starts = jnp.where(refused == FitStatus.CONVERGED, starts, jnp.nan)
    found = _found(known, starts, told, fixed, settings)
    result = refuse(as_result(known, found), refused)
    return with_derivatives(result, objective, start, fixed)


def _found(
    objective: Objective,
    starts: Starts,
    told: Told | None,
    fixed: ParamsMask,
    settings: FitSettings,
) -> Found:
    """Minimize; a fixed parameter stays where it is, inside its bounds or not."""
    if starts.shape[1] == 0:
        return _constant(objective, starts[0])
    own = objective.model.parameters
    lower = jnp.where(fixed, -jnp.inf, own.lower)
    bounds = Box(lower, jnp.where(fixed, jnp.inf, own.upper))
    if settings.minimizer == "newton":
        if settings.valleys != "initial":
            starts = several_starts(objective.model, starts, fixed)
        return search(objective, starts, bounds, fixed, settings, told)
    minimize = find_minimizer(settings.minimizer)
    minimum = minimize(objective.deviance, starts[0], bounds, fixed, settings)
    minimum = dataclasses.replace(minimum, value=0.5 * minimum.value)
    return only_found(minimum, is_physical(objective.model, minimum.params))


def _constant(objective: Objective, nothing: Params) -> Found:
    """The minimum of a model without parameters."""
    value, zero = objective.value(nothing), jnp.zeros((), nothing.dtype)
    ok = jnp.isfinite(value)
    status = jnp.where(ok, FitStatus.CONVERGED, FitStatus.NOT_FINITE)
    steps = jnp.int32(0)
    minimum = Minimum(nothing, value, jnp.int32(status), zero, zero, steps)
    return only_found(minimum, is_physical(objective.model, nothing))


def refuse(result: FitResult, status: ScalarInt) -> FitResult:
    """Make a fit one that has no numbers, unless the status is ``CONVERGED``.

    Args:
        result: a fit.
        status: of `hfjax.fitting.refusal.refusal`.
    """
    blank = blanked(result, status != FitStatus.CONVERGED)
    return dataclasses.replace(blank, code=jnp.maximum(result.code, status))


_compiled_fit = jax.jit(best_fit, static_argnames="settings")


def as_result(objective: Objective, found: Found) -> FitResult:
    """Turn half a deviance into ``-2 ln L``."""
    minimum, deviance = found.best, 2.0 * found.best.value
    below = found.passed < minimum.value
    return FitResult(
        params=minimum.params,
        twice_nll=deviance + 2.0 * objective.offset(),
        deviance=deviance,
        code=minimum.status,
        edm=minimum.edm,
        projected_gradient=minimum.projected_gradient,
        steps=minimum.steps,
        initial=2.0 * found.initial,
        initial_params=found.initial_params,
        passed=jnp.where(below, 2.0 * found.passed, jnp.inf),
        passed_params=found.passed_params,
        physical=found.physical,
    )


def _begin(
    model: Model,
    start: Array | None,
    fixed: Mapping[str, Value],
    *,
    poi: bool = False,
) -> Array:
    """Where a fit begins: at the model's initial values, or where it is told to."""
    own = model.parameters
    check_kind("fixed", fixed, Mapping, BY_NAME, "dict")
    if start is not None:
        check_kind("start", start, (Array, list, tuple), AS_PACKED, "vector")
    if start is not None and jnp.shape(start) != jnp.shape(own.init):
        message = (
            f"a start of shape {jnp.shape(start)} for a model with {own.init.size} "
            "parameters: give one value for each, as model.parameters.pack makes them"
        )
        raise ParameterError(message)
    begin = own.init if start is None else start
    if fixed:
        begin = own.pack(fixed, begin)
    if model.is_traced or not is_known((own.init, begin)):
        return jnp.where(own.fixed, own.init, begin)
    known = np.asarray(begin, own.init.dtype)
    check_start(model, known, poi=poi)
    return known


def _held(model: Model, fixed: Mapping[str, Value]) -> ParamsMask:
    """Which parameters a fit holds: those of the measurement, and these."""
    own = model.parameters.fixed
    return own | model.held(fixed) if fixed else own


def _with(vector: Array, position: ScalarInt, value: Number) -> Array:
    """A vector with another value at one position."""
    if not is_known((vector, position, value)):
        return jnp.asarray(vector).at[position].set(value)
    changed = np.array(vector)
    changed[position] = value
    return changed
