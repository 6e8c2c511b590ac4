"""The bounded minimizer: trust-region Newton steps until nothing is left to gain.

Works under ``jit`` and ``vmap``; which parameters are fixed is a mask of constant
shape. A step into a region where the objective is infinite is rejected like any other
step that does not pay, never clipped. Convergence is judged by the undamped Newton
step: its estimated distance to the minimum (EDM), in units of 2NLL.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from hfjax.arrays import Params, ParamsMask, Scalar, ScalarInt
from hfjax.fit.newton_step import Step, newton_step
from hfjax.fit.objective import Objective
from hfjax.fit.status import FitSettings, FitStatus

FIRST_RADIUS = 5.0
"""Longest first step, in standard deviations."""
LEAST_RADIUS = 1e-11
"""Steps shorter than this, in standard deviations, change nothing any more."""


class Minimum(eqx.Module):
    """Where a minimizer ended.

    Attributes:
        params: parameters at the minimum.
        value: objective there.
        status: a `FitStatus`.
        edm: estimated distance to the minimum, in units of 2NLL.
        projected_gradient: largest gradient of a parameter that could still move.
        steps: steps taken.
    """

    params: Params
    value: Scalar
    status: ScalarInt
    edm: Scalar
    projected_gradient: Scalar
    steps: ScalarInt


class _State(NamedTuple):
    at: Minimum
    radius: Scalar


def minimize(
    objective: Objective,
    start: Params,
    bounds: tuple[Params, Params],
    fixed: ParamsMask,
    settings: FitSettings = FitSettings(),
    limit: ScalarInt | int | None = None,
) -> Minimum:
    """Minimize an objective inside bounds.

    Args:
        objective: half a deviance with its expansion to second order.
        start: where to start; fixed parameters stay there.
        bounds: lower and upper bound of each parameter.
        fixed: parameters that must not move.
        settings: tolerance and number of steps.
        limit: number of steps, where it is not that of the settings; may be traced.

    Returns:
        The minimum; its status says how the search ended.
    """
    value = objective.value(start)
    running = jnp.int32(FitStatus.MAX_STEPS)
    status = jnp.where(jnp.isfinite(value), running, FitStatus.NOT_FINITE)
    far = jnp.full_like(value, jnp.inf)
    first = Minimum(start, value, jnp.int32(status), far, far, jnp.int32(0))

    last = settings.max_steps if limit is None else limit

    def running_on(state: _State) -> jax.Array:
        return (state.at.status == running) & (state.at.steps < last)

    def advance(state: _State) -> _State:
        return _advance(objective, state, bounds, fixed, settings.tolerance)

    radius = jnp.full_like(value, FIRST_RADIUS)
    return jax.lax.while_loop(running_on, advance, _State(first, radius)).at


def _advance(
    objective: Objective,
    state: _State,
    bounds: tuple[Params, Params],
    fixed: ParamsMask,
    tolerance: float,
) -> _State:
    at, (lower, upper) = state.at, bounds
    expansion = objective.expand(at.params)
    gradient = expansion.gradient
    held = (at.params <= lower) & (gradient > 0) | (at.params >= upper) & (gradient < 0)
    free = ~(fixed | held)
    step = newton_step(expansion, at.params, bounds, free, state.radius)
    params, value = _try(objective, at.params, step, bounds)
    noise = 1e-13 * (1.0 + jnp.abs(at.value))
    gained = at.value - value
    ratio = (gained + noise) / (step.gain + noise)
    accept = (ratio > 1e-4) & (gained > -noise) & (step.gain > -noise)
    edm = -gradient @ step.move
    status = _status(step, edm, state.radius, tolerance)
    radius = _next_radius(jnp.where(accept, ratio, -1.0), step, state.radius)
    after = Minimum(
        params=jnp.where(accept, params, at.params),
        value=jnp.where(accept, value, at.value),
        status=status,
        edm=edm,
        projected_gradient=jnp.max(
            jnp.abs(jnp.where(free, gradient, 0.0)), initial=0.0
        ),
        steps=at.steps + 1,
    )
    return _State(after, radius)


def _try(
    objective: Objective, params: Params, step: Step, bounds: tuple[Params, Params]
) -> tuple[Params, Scalar]:
    """Evaluate the straight and the bent step, and take the lower."""
    ends = params + step.move + jnp.stack([jnp.zeros_like(params), step.correction])
    ends = jnp.clip(ends, *bounds)
    values = jax.lax.map(objective.value, ends)
    lower = jnp.int32(values[1] < values[0])
    return ends[lower], values[lower]


def _next_radius(ratio: Scalar, step: Step, radius: Scalar) -> Scalar:
    """Trust the quadratic model further where it held, less where it failed."""
    shrunk = 0.25 * jnp.minimum(step.length, radius)
    grown = jnp.where((ratio > 0.75) & step.bounded, 2.5 * radius, radius)
    return jnp.where(ratio < 0.25, shrunk, grown)


def _status(step: Step, edm: Scalar, radius: Scalar, tolerance: float) -> ScalarInt:
    converged = ~step.bounded & (edm < tolerance)
    stalled = radius < LEAST_RADIUS
    unfinished = jnp.where(stalled, FitStatus.STALLED, FitStatus.MAX_STEPS)
    return jnp.int32(jnp.where(converged, FitStatus.CONVERGED, unfinished))
