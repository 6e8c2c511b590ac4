"""The search for the lowest of several valleys.

The likelihood of most models has one valley, and one start is enough. Where a normsys
polynomial of code 4 crosses zero, a sample's rate changes sign and the likelihood has a
valley for each crossing: there the fit is repeated with the parameter held at the
crossing, and released again, until no crossing leads lower.
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float

from hfjax.arrays import Array, Params, ParamsMask, ScalarBool, ScalarInt
from hfjax.fit.minimize import Minimum, minimize
from hfjax.fit.objective import Objective
from hfjax.fit.status import FitSettings
from hfjax.model.model import Crossings

Starts = Float[Array, "start par"]

PROMISING = 20.0
"""A crossing is looked into where the objective there is at most this much higher."""
MAX_ROUNDS = 4
"""How often all crossings are looked into again after one has led lower."""


class _Search(NamedTuple):
    best: Minimum
    held: Params
    task: ScalarInt
    improved: ScalarBool
    rounds: ScalarInt


class _Task(NamedTuple):
    start: Params
    fixed: ParamsMask
    limit: ScalarInt
    holds: ScalarBool


def search(
    objective: Objective,
    starts: Starts,
    bounds: tuple[Params, Params],
    fixed: ParamsMask,
    settings: FitSettings,
) -> Minimum:
    """Minimize from several starts and along all crossings; keep the lowest minimum.

    Args:
        objective: half a deviance with its expansion to second order.
        starts: where to start; fixed parameters stay there.
        bounds: lower and upper bound of each parameter.
        fixed: parameters that must not move.
        settings: tolerance and number of steps.

    Returns:
        The lowest minimum found; its steps are those of all tries.
    """
    crossings, count = objective.model.crossings, starts.shape[0]
    tasks = count + (2 * crossings.index.size if settings.explore else 0)

    def run(s: _Search) -> _Search:
        task = _task(objective, s, starts, fixed, crossings, settings.max_steps)
        found = minimize(objective, task.start, bounds, task.fixed, settings, task.limit)
        return _judge(s, task, found, count, tasks)

    first = _nothing(starts[0])
    state = _Search(
        first, starts[0], jnp.int32(0), jnp.array(False), jnp.int32(0)
    )
    return jax.lax.while_loop(lambda s: s.task < tasks, run, state).best


def _nothing(start: Params) -> Minimum:
    """A minimum worse than any other."""
    far = jnp.full((), jnp.inf, start.dtype)
    return Minimum(start, far, jnp.int32(4), far, far, jnp.int32(0))


def _task(
    objective: Objective,
    s: _Search,
    starts: Starts,
    fixed: ParamsMask,
    crossings: Crossings,
    steps: int,
) -> _Task:
    """What to do next: a start, a fit held at a crossing, or its release."""
    count = starts.shape[0]
    given = starts[jnp.minimum(s.task, count - 1)]
    everything = jnp.int32(steps)
    if crossings.index.size == 0:
        return _Task(given, fixed, everything, jnp.array(False))
    which, phase = jnp.divmod(jnp.maximum(s.task - count, 0), 2)
    index, value = crossings.index[which], crossings.value[which]
    holds = (s.task >= count) & (phase == 0)
    at_crossing = s.best.params.at[index].set(value, mode="drop")
    follows = jnp.where(phase == 0, at_crossing, s.held)
    start = jnp.where(s.task < count, given, follows)
    mask = fixed | (holds & (jnp.arange(fixed.size) == index))
    movable = (index < fixed.size) & ~fixed[jnp.minimum(index, fixed.size - 1)]
    low = objective.value(start) < s.best.value + PROMISING
    worth = (s.task < count) | (movable & low)
    return _Task(start, mask, jnp.where(worth, everything, 0), holds)


def _judge(
    s: _Search, task: _Task, found: Minimum, count: int, tasks: int
) -> _Search:
    """Keep the lower minimum, and decide what comes next."""
    noise = 1e-9 * (1.0 + jnp.abs(found.value))
    lower = ~task.holds & (task.limit > 0) & (found.value < s.best.value - noise)
    first = s.task == 0
    take = lower | first
    steps = s.best.steps + found.steps
    best = jax.tree.map(lambda new, old: jnp.where(take, new, old), found, s.best)
    best = dataclasses.replace(best, steps=steps)
    improved = s.improved | (lower & (s.task >= count))
    ended = s.task + 1 >= tasks
    again = ended & improved & (s.rounds < MAX_ROUNDS)
    return _Search(
        best=best,
        held=jnp.where(task.limit > 0, found.params, jnp.nan),
        task=jnp.where(again, count, s.task + 1),
        improved=improved & ~ended,
        rounds=s.rounds + ended,
    )
