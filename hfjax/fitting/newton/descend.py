"""The bounded minimizer: trust-region Newton steps until nothing is left to gain.

Works under ``jit`` and ``vmap``; which parameters are fixed is a mask of constant
shape. A step into a region where the objective is infinite is rejected like any other
step that does not pay, never clipped. Convergence is judged by the undamped Newton
step: its estimated distance to the minimum (EDM), in units of 2NLL.
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from hfjax.arrays import Params, ParamsMask, Scalar, ScalarBool, ScalarInt
from hfjax.fitting.box import Box
from hfjax.fitting.newton.line_search import Point, line_search
from hfjax.fitting.newton.metric import Metric, fisher
from hfjax.fitting.newton.step import Step, newton_step, off_saddle
from hfjax.fitting.objective import IMPOSSIBLE, Objective
from hfjax.fitting.status import FitSettings, FitStatus

FIRST_RADIUS = 5.0
"""Longest first step, in standard deviations."""
LAST_DIGITS = 2.0
"""Roundings by which the evaluation of a rate blurs a parameter."""
RUNNING = FitStatus.MAX_STEPS
"""Status of a search that has not ended: what it is if its steps run out."""
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


Ends = Callable[[Minimum, Scalar], ScalarBool]
"""Whether a search ends, by where it is and the gain that the quadratic model has
promised for its last step: infinite before the first, and where a radius has cut it."""


class _State(NamedTuple):
    at: Minimum
    radius: Scalar
    gain: Scalar


def begin_at(objective: Objective, start: Params) -> Minimum:
    """Evaluate an objective where a search starts; no step has been taken."""
    value = objective.merit_at(start, objective.rates(start))
    status = jnp.where(jnp.isfinite(value), RUNNING, FitStatus.NOT_FINITE)
    far = jnp.full_like(value, jnp.inf)
    return Minimum(start, value, jnp.int32(status), far, far, jnp.int32(0))


def descend(
    objective: Objective,
    begin: Minimum,
    bounds: Box,
    fixed: ParamsMask,
    settings: FitSettings,
    ends: Ends,
) -> Minimum:
    """Minimize an objective inside bounds, from a start that has been evaluated.

    A search that is told to end before it has converged has the status ``MAX_STEPS``.

    Args:
        objective: half a deviance with its expansion to second order.
        begin: of `begin_at`; fixed parameters stay there.
        bounds: of the parameters.
        fixed: parameters that must not move.
        settings: tolerance and number of steps.
        ends: whether it is to end before that.

    Returns:
        The minimum; its status says how the search ended.
    """

    def running_on(state: _State) -> jax.Array:
        going = (state.at.status == RUNNING) & (state.at.steps < settings.max_steps)
        return going & ~ends(state.at, state.gain)

    def advance(state: _State) -> _State:
        return _advance(objective, state, bounds, fixed, settings.tolerance)

    radius = jnp.full_like(begin.value, FIRST_RADIUS)
    start = _State(begin, radius, jnp.full_like(radius, jnp.inf))
    end = jax.lax.while_loop(running_on, advance, start).at
    possible = end.value < IMPOSSIBLE
    status = jnp.where(possible, end.status, FitStatus.NOT_FINITE)
    value = jnp.where(possible, end.value, jnp.inf)
    return dataclasses.replace(end, status=jnp.int32(status), value=value)


def _advance(
    objective: Objective,
    state: _State,
    bounds: Box,
    fixed: ParamsMask,
    tolerance: float,
) -> _State:
    at = state.at
    expansion = objective.expand(at.params)
    gradient = expansion.gradient
    metric = fisher(expansion)
    free = movable(at.params, gradient, metric, bounds, tolerance) & ~fixed
    step = newton_step(expansion, metric, at.params, bounds, free, state.radius)
    edm = -gradient @ step.move
    status = _status(step, edm, state.radius, tolerance)
    step, leaves = jax.lax.cond(
        status == FitStatus.CONVERGED,
        lambda: off_saddle(expansion, step, at.params, bounds, free),
        lambda: (step, jnp.array(False)),
    )
    here = Point(at.params, at.value)
    found = line_search(objective, here, expansion, step, bounds, state.radius)
    lower = here.value - found.best.value > 0.1 * step.gain
    after = Minimum(
        params=found.best.params,
        value=found.best.value,
        status=jnp.where(leaves & lower, jnp.int32(RUNNING), status),
        edm=edm,
        projected_gradient=jnp.max(
            jnp.abs(jnp.where(free, gradient, 0.0)), initial=0.0
        ),
        steps=at.steps + 1,
    )
    gain = jnp.where(step.bounded, jnp.inf, step.gain)
    return _State(after, found.radius, gain)


def movable(
    params: Params,
    gradient: Params,
    metric: Metric,
    bounds: Box,
    tolerance: float,
) -> ParamsMask:
    """Parameters that may move: not pressed against a bound, and not at rest.

    At rest is one that is as near to its own minimum as floating point can place it
    while its last digits still matter: the others make up for what is left.

    Args:
        params: where a search is.
        gradient: of the objective there.
        metric: its Fisher matrix.
        bounds: lower and upper bound of each parameter.
        tolerance: estimated distance to the minimum at which a search ends.
    """
    lower, upper = bounds
    held = (params <= lower) & (gradient > 0) | (params >= upper) & (gradient < 0)
    diagonal = metric.diagonal()
    digits = LAST_DIGITS * jnp.finfo(params.dtype).eps * jnp.abs(params)
    rests = (jnp.abs(gradient) < diagonal * digits) & (diagonal * digits**2 > tolerance)
    return ~held & ~rests


def _status(step: Step, edm: Scalar, radius: Scalar, tolerance: float) -> ScalarInt:
    converged = ~step.bounded & (edm < tolerance)
    stalled = radius < LEAST_RADIUS
    unfinished = jnp.where(stalled, FitStatus.STALLED, FitStatus.MAX_STEPS)
    return jnp.int32(jnp.where(converged, FitStatus.CONVERGED, unfinished))
