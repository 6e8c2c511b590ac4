"""Newton steps of many small fits side by side, all of them in each turn of one loop.

On a CPU a fit of a small model costs what its kernels cost, not its arithmetic. A batch
of data sets calls each kernel once. What makes a fit safe in all cases, the search
along steps and into other valleys, would make a batch wait for its slowest lane, so
that here is none of it: a fit that does not end at a minimum in plain, halved steps is
left to `hfjax.fitting.best_fit`.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from hfjax.arrays import Array, Params, ParamsMask, Scalar, ScalarBool, ScalarInt
from hfjax.fitting.box import Box
from hfjax.fitting.newton.descend import RUNNING, Minimum, movable
from hfjax.fitting.newton.metric import fisher
from hfjax.fitting.newton.step import (
    SADDLE,
    Quadratic,
    conjugate_gradients,
    from_rest,
)
from hfjax.fitting.objective import IMPOSSIBLE, Objective
from hfjax.fitting.refusal import refusal
from hfjax.fitting.status import FitStatus
from hfjax.model.data import Data
from hfjax.model.model import Model

MOST_TURNS = 24
"""Steps, halved ones included, after which a fit is left to others."""
PART = 1e-4
"""Part of what its slope promises that a step must keep."""
CUT = 0.25
"""What is left of a step that has not kept it."""

Lanes = Float[Array, "lane par"]


class _State(Minimum):
    """A fit on its way.

    Attributes:
        scale: part of the Newton step to be taken.
    """

    scale: Scalar


def descend_together(
    model: Model, data: Data, starts: Lanes, fixed: ParamsMask, tolerance: float
) -> Minimum:
    """Fit one model to many data sets from a start each.

    Args:
        model: with one valley; see `hfjax.fitting.valleys.candidates.has_valleys`.
        data: one data set a lane.
        starts: where each lane starts; fixed parameters stay there.
        fixed: parameters that must not move.
        tolerance: estimated distance to the minimum, in units of 2NLL.

    Returns:
        One minimum a lane. Those that are not ``CONVERGED`` are to be fitted otherwise.
    """
    own = model.parameters
    lower = jnp.where(fixed, -jnp.inf, own.lower)
    bounds = Box(lower, jnp.where(fixed, jnp.inf, own.upper))

    def step(one: Data, state: _State) -> _State:
        after = _stepped(Objective(model, one), state, bounds, fixed, tolerance)
        ends = state.status != RUNNING
        return jax.tree.map(lambda a, b: jnp.where(ends, a, b), state, after)

    def begin(one: Data, start: Params) -> _State:
        return _begun(Objective(model, one), start)

    def unfinished(state: tuple[ScalarInt, _State]) -> ScalarBool:
        return (state[0] < MOST_TURNS) & jnp.any(state[1].status == RUNNING)

    first = jnp.int32(0), jax.vmap(begin)(data, starts)
    return jax.lax.while_loop(
        unfinished, lambda s: (s[0] + 1, jax.vmap(step)(data, s[1])), first
    )[1]


def _begun(objective: Objective, start: Params) -> _State:
    """A fit before its first step; one that is refused does not run."""
    value = objective.value(start)
    runs = (refusal(objective, start) == FitStatus.CONVERGED) & (value < IMPOSSIBLE)
    status = jnp.where(runs, RUNNING, FitStatus.NOT_FINITE)
    far, none = jnp.full_like(value, jnp.inf), jnp.int32(0)
    scale = jnp.ones_like(value)
    return _State(start, value, jnp.int32(status), far, far, none, scale)


def _stepped(
    objective: Objective,
    s: _State,
    bounds: Box,
    fixed: ParamsMask,
    tolerance: float,
) -> _State:
    """Take a step, or make the next one shorter."""
    at = objective.expand(s.params)
    metric = fisher(at)
    free = movable(s.params, at.gradient, metric, bounds, tolerance) & ~fixed
    inverse, far = metric.inverse(free), jnp.full_like(s.value, jnp.inf)
    model = Quadratic(at.gradient, at.hessian_product, inverse, free, far)
    found = conjugate_gradients(model, from_rest(at.gradient, inverse, free))
    move, bent = found.move, found.bounded
    scale, edm = metric.diagonal(), -(at.gradient @ move)
    saddle = jnp.any(free & (jnp.minimum(at.own_curvature, 0.0) < (SADDLE - 1) * scale))
    end = jnp.clip(s.params + s.scale * move, *bounds)
    value = objective.value(end)
    lower = value <= s.value - PART * s.scale * edm
    ends = (edm < tolerance) & ~bent & ~saddle
    taken = lower | (ends & (value <= s.value))
    status = jnp.where(ends, FitStatus.CONVERGED, RUNNING)
    status = jnp.where(bent | saddle, FitStatus.STALLED, status)
    gradient = jnp.abs(jnp.where(free, at.gradient, 0.0))
    return _State(
        params=jnp.where(taken, end, s.params),
        value=jnp.where(taken, value, s.value),
        status=jnp.int32(status),
        edm=edm,
        projected_gradient=jnp.max(gradient, initial=0.0),
        steps=s.steps + 1,
        scale=jnp.where(taken, 1.0, CUT * s.scale),
    )
