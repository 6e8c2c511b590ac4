"""The search for the lowest of several valleys.

The likelihood of most models has one valley, and one start is enough. Where a normsys
polynomial of code 4 crosses zero, a sample's rate changes sign and the likelihood has a
valley for each crossing: there the fit is repeated with the parameter put on the
crossing, held there and released again, or free at once, until none leads lower.
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hfjax.arrays import (
    Array,
    Params,
    ParamsMask,
    Scalar,
    ScalarBool,
    ScalarInt,
)
from hfjax.fit.minimize import Minimum, begin_at, descend
from hfjax.fit.objective import Objective
from hfjax.fit.status import FitSettings, FitStatus

Starts = Float[Array, "start par"]

PROMISING = 20.0
"""A crossing is looked into where the objective there is at most this much higher."""
WALL = 1.0
"""Fisher information on a parameter from which on its crossings separate valleys."""
BESIDE = 10.0 ** -np.arange(3, 17)
"""How far from a crossing its sides are looked at, in units of the parameter."""
SMALL = 1e-6
"""Step of a derivative by finite difference."""
TURNS = 6
"""Fits at each crossing: held at it and released, from the model's initial values and
from the best fit so far, free at once from the latter, and held where that stands."""
FRESH = 2
"""So many of them start from the initial values."""
SAME = 1e-9
"""Fits that end within this, relative, end at the same height."""
MAX_ROUNDS = 4
"""How often all crossings are looked into again after one has led lower."""


class _Search(NamedTuple):
    """State of a search.

    Attributes:
        best: the lowest minimum so far.
        held: where the last held fit leads; NaN if it did not run.
        value: objective where the last fit ended.
        released: height of each crossing's last held fit that was released.
        task: turn to come.
        walled: crossings separate valleys here.
        improved: a crossing has led lower in this round.
        rounds: rounds that have ended.
    """

    best: Minimum
    held: Params
    value: Scalar
    released: Float[Array, " crossing"]
    task: ScalarInt
    walled: ScalarBool
    improved: ScalarBool
    rounds: ScalarInt


class _Task(NamedTuple):
    start: Params
    fixed: ParamsMask
    worth: ScalarBool
    holds: ScalarBool
    anyhow: ScalarBool
    releases: ScalarBool
    which: ScalarInt
    index: ScalarInt
    crossing: Scalar


def search(
    objective: Objective,
    starts: Starts,
    bounds: tuple[Params, Params],
    fixed: ParamsMask,
    settings: FitSettings,
) -> Minimum:
    """Minimize from several starts and along all crossings; keep the lowest minimum.

    All tries are turns of one loop, so that the minimizer is compiled once: first the
    starts, then, if crossings separate valleys where these ended, `TURNS` turns for
    each crossing.

    Args:
        objective: half a deviance with its expansion to second order.
        starts: where to start; fixed parameters stay there.
        bounds: lower and upper bound of each parameter.
        fixed: parameters that must not move.
        settings: tolerance and number of steps.

    Returns:
        The lowest minimum found; its steps are those of all tries.
    """
    count, turns = starts.shape[0], TURNS * objective.model.crossings.index.size
    explores = settings.explore and turns > 0

    def run(s: _Search) -> _Search:
        task = _task(objective, s, starts, fixed)
        begin = begin_at(objective, task.start)
        low = task.anyhow | (begin.value < s.best.value + PROMISING)
        limit = jnp.where(task.worth & low, settings.max_steps, 0)
        found = descend(objective, begin, bounds, task.fixed, settings, limit)
        if not explores:
            return _judge(s, task, found, (found.params, ~task.holds), count, turns)
        unsettled = s.best.status != FitStatus.CONVERGED
        looks = unsettled | _is_new(s, task.which, found.value)
        beside = jax.lax.cond(
            task.holds & (found.steps > 0) & looks,
            lambda held: _look_beside(objective, held, task),
            lambda free: (free.params, ~task.holds),
            found,
        )
        after = _judge(s, task, found, beside, count, turns)
        walled = jax.lax.cond(
            after.task == count,
            lambda best: is_walled(objective, best),
            lambda _: after.walled,
            after.best.params,
        )
        return after._replace(walled=walled)

    def unfinished(s: _Search) -> ScalarBool:
        return s.task < count + jnp.where(s.walled, turns, 0)

    no = jnp.array(False)
    worst = _nothing(starts[0])
    never = jnp.full(objective.model.crossings.value.shape, jnp.inf, worst.value.dtype)
    zero = jnp.int32(0)
    state = _Search(worst, starts[0], worst.value, never, zero, no, no, zero)
    return jax.lax.while_loop(unfinished, run, state).best


def _rounding(value: Scalar) -> Scalar:
    """How far apart two fits may end that reach the same minimum."""
    return SAME * (1.0 + jnp.abs(value))


def _is_new(s: _Search, which: ScalarInt, value: Scalar) -> ScalarBool:
    """Whether a held fit ended elsewhere than the last one that has been released."""
    if not s.released.size:
        return jnp.array(True)
    return jnp.abs(value - s.released[which]) > _rounding(value)


def _remember(s: _Search, task: _Task, done: ScalarBool) -> Float[Array, " crossing"]:
    """Keep the height of a held fit that has been released, if its release ran."""
    if not s.released.size:
        return s.released
    which = jnp.where(done & task.releases, task.which, s.released.size)
    return jnp.asarray(s.released).at[which].set(s.value, mode="drop")


def _nothing(start: Params) -> Minimum:
    """A minimum worse than any other."""
    far = jnp.full((), jnp.inf, start.dtype)
    worst = jnp.int32(FitStatus.NOT_FINITE)
    return Minimum(start, far, worst, far, far, jnp.int32(0))


def _task(objective: Objective, s: _Search, starts: Starts, fixed: ParamsMask) -> _Task:
    """What to do next: a start, a fit held at a crossing, or its release."""
    crossings, count = objective.model.crossings, starts.shape[0]
    given = starts[jnp.minimum(s.task, count - 1)]
    yes = jnp.array(True)
    if crossings.index.size == 0:
        none = jnp.int32(0)
        return _Task(given, fixed, yes, ~yes, yes, ~yes, none, none, given[0])
    which, phase = jnp.divmod(jnp.maximum(s.task - count, 0), TURNS)
    index, crossing = crossings.index[which], crossings.value[which]
    explores = s.task >= count
    init = jnp.where(fixed, starts[0], objective.model.parameters.init)
    fresh, stands = explores & (phase < FRESH), phase == TURNS - 1
    base = jnp.where(fresh, init, s.best.params)
    value = jnp.where(stands, s.best.params[index], crossing)
    at_crossing = jnp.asarray(base).at[index].set(value, mode="drop")
    released = (phase == 1) | (phase == 3)
    holds = explores & ((phase == 0) | (phase == 2) | stands)
    start = jnp.where(explores, jnp.where(released, s.held, at_crossing), given)
    here = jnp.arange(fixed.size) == index
    unsettled = s.best.status != FitStatus.CONVERGED
    due = (~fresh | (s.rounds == 0)) & (~stands | unsettled)
    due = due & (~released | _is_new(s, which, s.value))
    worth = ~explores | (jnp.any(here & ~fixed) & due)
    return _Task(
        start=start,
        fixed=fixed | (holds & here),
        worth=worth,
        holds=holds,
        anyhow=~explores | fresh,
        releases=explores & released,
        which=which,
        index=index,
        crossing=crossing,
    )


def is_walled(objective: Objective, params: Params) -> ScalarBool:
    """Whether crossings separate valleys at, or next to, some parameters.

    They do where the Fisher information on a crossing parameter is large,
    ``sum_b (dnu_b)^2 / nu_b``: a small change of it changes a rate by many times its
    statistical uncertainty.
    """
    crossings = objective.model.crossings

    def stiffness(turn: ScalarInt) -> Scalar:
        which, beside = jnp.divmod(turn, 2)
        index, value = crossings.index[which], crossings.value[which]
        at_crossing = jnp.asarray(params).at[index].set(value, mode="drop")
        point = jnp.where(beside == 1, at_crossing, params)
        along = SMALL * (jnp.arange(params.size) == index)
        nu, moved = jax.lax.map(objective.rates, jnp.stack([point, point + along]))
        return jnp.sum(((moved - nu) / SMALL) ** 2 / jnp.maximum(jnp.abs(nu), 1e-3))

    turns = jnp.arange(2 * crossings.index.size)
    return jnp.max(jax.lax.map(stiffness, turns)) > WALL


def _look_beside(
    objective: Objective, held: Minimum, task: _Task
) -> tuple[Params, ScalarBool]:
    """Look from the crossing where a fit was held to both its sides.

    The next fit starts at the lowest place. If that is where the fit was held, and if
    products at or below zero are set to the smallest positive number, the place is a
    minimum as it stands, a kink: a rate that wants to be negative ends where its
    product is zero, and there no derivative vanishes.

    Returns:
        The lowest place, and whether it is a kink.
    """
    here = jnp.arange(held.params.size) == task.index
    places = task.crossing + jnp.asarray(np.concatenate([-BESIDE, BESIDE]))
    points = jnp.where(here, places[:, None], held.params)
    values = jax.lax.map(objective.value, points)
    lowest = jnp.argmin(values)
    rises = values[lowest] >= held.value - 1e-12 * (1.0 + jnp.abs(held.value))
    near = jnp.abs(held.params[task.index] - task.crossing) < BESIDE[0]
    kinked = any(block.normsys.positive for block in objective.model.blocks)
    kink = kinked & rises & near & (held.status == FitStatus.CONVERGED)
    return jnp.where(rises, held.params, points[lowest]), kink


def _judge(
    s: _Search,
    task: _Task,
    found: Minimum,
    beside: tuple[Params, ScalarBool],
    count: int,
    turns: int,
) -> _Search:
    """Keep the lower minimum, and decide what comes next."""
    held, kept = beside
    done, last = found.steps > 0, count + turns
    noise = _rounding(found.value)
    ok = FitStatus.CONVERGED
    settles = (found.status == ok) & (s.best.status != ok)
    margin = jnp.where(settles, noise, -noise)
    lower = kept & done & (found.value < s.best.value + margin)
    take = lower | (s.task == 0)
    best = jax.tree.map(lambda new, old: jnp.where(take, new, old), found, s.best)
    best = dataclasses.replace(best, steps=s.best.steps + found.steps)
    improved = s.improved | (lower & (s.task >= count))
    ended = s.task + 1 >= last
    again = ended & improved & (s.rounds < MAX_ROUNDS) & (turns > 0)
    return _Search(
        best=best,
        held=jnp.where(done, held, jnp.nan),
        value=found.value,
        released=_remember(s, task, done),
        task=jnp.where(again, count, s.task + 1),
        walled=s.walled,
        improved=improved & ~ended,
        rounds=s.rounds + ended,
    )
