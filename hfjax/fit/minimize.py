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
import numpy as np

from hfjax.arrays import Params, ParamsMask, Scalar, ScalarBool, ScalarInt
from hfjax.fit.newton_step import Metric, Step, bend, fisher, newton_step
from hfjax.fit.objective import Expansion, Objective
from hfjax.fit.status import FitSettings, FitStatus

FIRST_RADIUS = 5.0
"""Longest first step, in standard deviations."""
RESCUE_LENGTHS = 4.0 ** -np.arange(8)
"""Fractions of the Fisher-scoring step that are tried where a Newton step fails."""
LAST_DIGITS = 2.0
"""Roundings by which the evaluation of a rate blurs a parameter."""
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
    at = state.at
    expansion = objective.expand(at.params)
    gradient = expansion.gradient
    metric = fisher(expansion)
    free = _movable(at.params, gradient, metric, bounds, tolerance) & ~fixed
    step = newton_step(expansion, metric, at.params, bounds, free, state.radius)
    params, value = _try(objective, at.params, step, bounds)
    ratio = _ratio(at.value, value, step.gain)
    trial = _Trial(params, value, ratio > 1e-4, _next_radius(ratio, step, state.radius))
    trial = jax.lax.cond(
        ratio < 0.25,
        lambda t: _rescue(objective, at, expansion, step, bounds, t),
        lambda t: t,
        trial,
    )
    edm = -gradient @ step.move
    after = Minimum(
        params=jnp.where(trial.accept, trial.params, at.params),
        value=jnp.where(trial.accept, trial.value, at.value),
        status=_status(step, edm, state.radius, tolerance),
        edm=edm,
        projected_gradient=jnp.max(
            jnp.abs(jnp.where(free, gradient, 0.0)), initial=0.0
        ),
        steps=at.steps + 1,
    )
    return _State(after, trial.radius)


def _movable(
    params: Params,
    gradient: Params,
    metric: Metric,
    bounds: tuple[Params, Params],
    tolerance: float,
) -> ParamsMask:
    """Parameters that may move: not pressed against a bound, and not at rest.

    At rest is one that is as near to its own minimum as floating point can place it
    while its last digits still matter: the others make up for what is left.
    """
    lower, upper = bounds
    held = (params <= lower) & (gradient > 0) | (params >= upper) & (gradient < 0)
    diagonal = metric.diagonal()
    digits = LAST_DIGITS * jnp.finfo(params.dtype).eps * jnp.abs(params)
    rests = (jnp.abs(gradient) < diagonal * digits) & (diagonal * digits**2 > tolerance)
    return ~held & ~rests


def _ratio(before: Scalar, after: Scalar, gain: Scalar) -> Scalar:
    """Actual over promised decrease; -1 where the step leads nowhere.

    Both are given the benefit of rounding, so that the last steps still count.
    """
    noise = 1e-13 * (1.0 + jnp.abs(before))
    gained = before - after
    down = (gained > -noise) & (gain > -noise)
    return jnp.where(down, (gained + noise) / (gain + noise), -1.0)


class _Trial(NamedTuple):
    """Where a step leads, whether it is taken, and how far to trust the next."""

    params: Params
    value: Scalar
    accept: ScalarBool
    radius: Scalar


def _rescue(
    objective: Objective,
    at: Minimum,
    expansion: Expansion,
    step: Step,
    bounds: tuple[Params, Params],
    trial: _Trial,
) -> _Trial:
    """Where the quadratic model has failed, search along the Fisher-scoring step.

    Far from a minimum the exact Hessian may be dominated by how the rates bend; the
    Fisher matrix is not. Eight lengths are tried, straight and bent.
    """
    correction = bend(expansion, at.params, step.scoring, step.inverse)
    lengths = jnp.tile(RESCUE_LENGTHS, 2).astype(at.params.dtype)
    bends = jnp.repeat(jnp.array([0.0, 1.0]), RESCUE_LENGTHS.size) * lengths**2
    moves = lengths[:, None] * step.scoring + bends[:, None] * correction
    ends = jnp.clip(at.params + moves, *bounds)
    values = jax.lax.map(objective.value, ends)
    values = jnp.where(jnp.isnan(values), jnp.inf, values)
    best = jnp.argmin(values)
    present = jnp.where(trial.accept, trial.value, at.value)
    better = values[best] < present - 1e-12 * (1.0 + jnp.abs(present))
    length = step.metric.norm(ends[best] - at.params)
    return _Trial(
        params=jnp.where(better, ends[best], trial.params),
        value=jnp.where(better, values[best], trial.value),
        accept=better | trial.accept,
        radius=jnp.where(better, jnp.maximum(trial.radius, length), trial.radius),
    )


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
