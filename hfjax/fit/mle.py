"""Maximum likelihood: best fits of all parameters, or with one of them fixed."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from hfjax.arrays import Array, Params, ParamsMask, Scalar, ScalarBool, ScalarInt
from hfjax.errors import (
    FitError,
    MissingPOIError,
    ModelError,
    ParameterError,
)
from hfjax.fit.minimizers import UNCOMPILED, named_minimizer
from hfjax.fit.objective import Objective
from hfjax.fit.physical import is_physical
from hfjax.fit.program import Program
from hfjax.fit.search import Found, Starts, only_found, search
from hfjax.fit.starts import spread_starts
from hfjax.fit.status import FitSettings, FitStatus
from hfjax.model.model import Data, Model


class FitResult(eqx.Module):
    """A best fit.

    Attributes:
        params: parameter values, in the order of the model's parameters.
        twice_nll: ``-2 ln L`` there, all constants included.
        deviance: the same less its value for a saturated model; differences of it keep
            their digits where ``twice_nll`` is large.
        status: a `FitStatus`.
        edm: estimated distance to the minimum, in units of -2 ln L.
        projected_gradient: largest derivative of ``-ln L`` in a parameter that could
            still move.
        steps: steps taken.
        initial: deviance where the initial values lead; that of the fit if their valley
            is the lowest.
        initial_params: parameters there.
        passed: deviance of the lowest unphysical minimum that was passed over; infinite
            if there was none below the best fit.
        passed_params: parameters there.
        physical: whether the best fit is; if not, no physical minimum was found.
    """

    params: Params
    twice_nll: Scalar
    deviance: Scalar
    status: ScalarInt
    edm: Scalar
    projected_gradient: Scalar
    steps: ScalarInt
    initial: Scalar
    initial_params: Params
    passed: Scalar
    passed_params: Params
    physical: ScalarBool

    @property
    def converged(self) -> bool:
        """Whether the fit converged; for a single fit outside of ``jit``."""
        return int(self.status) == FitStatus.CONVERGED

    def raise_if_failed(self) -> "FitResult":
        """Return the result itself, or raise if the fit did not converge.

        Raises:
            FitError: what happened, and what to try.
        """
        if not self.converged:
            raise FitError(FitStatus(int(self.status)).sentence)
        return self


def fit(
    model: Model,
    data: Data,
    *,
    start: Array | None = None,
    settings: FitSettings = FitSettings(),
) -> FitResult:
    """Fit all parameters: the maximum of ``L(theta)`` inside the bounds.

    Args:
        model: a model, or one lane of a batch under ``vmap``.
        data: observed, Asimov or toy data.
        start: where to start; the model's initial values by default.
        settings: minimizer, steps and tolerance.

    Returns:
        The best fit; look at its ``status``.

    Raises:
        DataError: the data have the wrong shape.
        ParameterError: the start has another length.
    """
    model.check_data(data)
    begin = _begin(model, start)
    return _fit(model.anonymous(), data, begin[None], model.parameters.fixed, settings)


def fixed_poi_fit(
    model: Model,
    data: Data,
    poi_value: Scalar | float,
    *,
    start: Array | None = None,
    settings: FitSettings = FitSettings(),
) -> FitResult:
    """Fit all parameters but the parameter of interest, which is held at a value.

    Args:
        model: a model, or one lane of a batch under ``vmap``.
        data: observed, Asimov or toy data.
        poi_value: value of the parameter of interest.
        start: where to start; the model's initial values by default.
        settings: minimizer, steps and tolerance.

    Returns:
        The best fit; look at its ``status``.

    Raises:
        DataError: the data have the wrong shape.
        MissingPOIError: the model has no parameter of interest.
        ParameterError: the value is out of bounds, or the start has another length.
    """
    model.check_data(data)
    require_poi(model)
    if isinstance(poi_value, int | float) and not is_traced(model):
        check_poi_value(model, poi_value)
    begin = jnp.asarray(_begin(model, start)).at[model.poi].set(poi_value)
    fixed = jnp.asarray(model.parameters.fixed).at[model.poi].set(True)
    return _fit(model.anonymous(), data, begin[None], fixed, settings)


def _fit(
    model: Model, data: Data, starts: Starts, fixed: ParamsMask, settings: FitSettings
) -> FitResult:
    """Run a fit, compiled unless its minimizer runs outside of JAX."""
    objective = Objective(model, data)
    if settings.minimizer in UNCOMPILED:
        return best_fit(objective, starts, fixed, settings)
    static = {"settings": settings}
    return settings.run(Program(_compiled_fit, (objective, starts, fixed), static))


def best_fit(
    objective: Objective, starts: Starts, fixed: ParamsMask, settings: FitSettings
) -> FitResult:
    """Fit from several starts with the chosen minimizer, and keep the lowest minimum.

    Args:
        objective: what to minimize.
        starts: where to start; fixed parameters stay there.
        fixed: parameters that must not move.
        settings: minimizer, steps and tolerance.
    """
    parameters = objective.model.parameters
    # a fixed parameter stays where it is, inside its bounds or not
    bounds = (
        jnp.where(fixed, -jnp.inf, parameters.lower),
        jnp.where(fixed, jnp.inf, parameters.upper),
    )
    if settings.minimizer == "newton":
        if settings.valleys != "initial":
            starts = spread_starts(objective.model, starts, fixed)
        return as_result(objective, search(objective, starts, bounds, fixed, settings))
    minimize = named_minimizer(settings.minimizer)
    minimum = minimize(objective.deviance, starts[0], bounds, fixed, settings)
    minimum = dataclasses.replace(minimum, value=0.5 * minimum.value)
    physical = is_physical(objective.model, minimum.params)
    return as_result(objective, only_found(minimum, physical))


_compiled_fit = jax.jit(best_fit, static_argnames="settings")


def as_result(objective: Objective, found: Found) -> FitResult:
    """Turn half a deviance into ``-2 ln L``."""
    minimum, deviance = found.best, 2.0 * found.best.value
    below = found.passed < minimum.value
    return FitResult(
        params=minimum.params,
        twice_nll=deviance + 2.0 * objective.offset(),
        deviance=deviance,
        status=minimum.status,
        edm=minimum.edm,
        projected_gradient=minimum.projected_gradient,
        steps=minimum.steps,
        initial=2.0 * found.initial,
        initial_params=found.initial_params,
        passed=jnp.where(below, 2.0 * found.passed, jnp.inf),
        passed_params=found.passed_params,
        physical=found.physical,
    )


def _begin(model: Model, start: Array | None) -> Array:
    """Where a fit begins: at the model's initial values, or where it is told to."""
    init = model.parameters.init
    if start is not None and jnp.shape(start) != jnp.shape(init):
        message = (
            f"a start of shape {jnp.shape(start)} for a model with {init.size} "
            "parameters: give one value for each, as model.parameters.pack makes them"
        )
        raise ParameterError(message)
    return init if start is None else start


def is_traced(model: Model) -> bool:
    """Whether a model is inside ``jit`` or ``vmap``, or a batch: no value is known."""
    own = model.parameters
    known = (model.poi, own.fixed, own.lower, own.upper)
    return jnp.ndim(model.poi) > 0 or any(isinstance(leaf, Tracer) for leaf in known)


def require_poi(model: Model) -> None:
    """Refuse a model without a parameter of interest.

    Raises:
        MissingPOIError: names the parameter that a signal must bring.
    """
    if model.parameters.sets and model.poi_name is None:
        raise missing_poi(model.names.poi)


def missing_poi(named: str | None) -> MissingPOIError:
    """Make the error for a parameter of interest that no modifier brings."""
    what = f"{named!r} is not in the model" if named else "the measurement names none"
    message = (
        f"a parameter of interest is needed, and {what}: add a signal whose normfactor "
        "brings it, by a patch (patch=..., or --patch and --patchset on the command "
        "line)"
    )
    return MissingPOIError(message)


def fixed_poi(name: str | None) -> ModelError:
    """Make the error for a test of a parameter of interest that is fixed."""
    message = (
        f"the parameter of interest {name!r} is fixed, so that no value of it can be "
        "tested: remove `fixed` from its entry in the measurement"
    )
    return ModelError(message)


def check_poi_value(
    model: Model,
    poi_value: float,
    remedy: str = "test a value inside, or widen them in the measurement",
) -> None:
    """Refuse a value outside the bounds of the parameter of interest.

    Args:
        model: a model with a parameter of interest.
        poi_value: a value that fits are to hold it at.
        remedy: what the error says about the way out.

    Raises:
        ParameterError: names the bounds.
    """
    lower, upper = (
        float(np.asarray(bound)[model.poi])
        for bound in (model.parameters.lower, model.parameters.upper)
    )
    if not lower <= poi_value <= upper:
        message = (
            f"{model.poi_name} = {poi_value:g} is outside its bounds [{lower:g}, "
            f"{upper:g}]: {remedy}"
        )
        raise ParameterError(message)
