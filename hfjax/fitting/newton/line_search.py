"""The line search of a step: the points that it looks at, each a turn of one loop.

The Newton step is tried whole: straight, and bent where that has not kept its promise.
Where the quadratic model has failed there, the Fisher-scoring step is tried at up to
eight lengths: far from a minimum the exact Hessian may be dominated by how the rates
bend, the Fisher matrix is not. The likelihood is most of a compiled fit, so that it
stands in a single loop.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from hfjax.arrays import Params, Rates, Scalar, ScalarBool, ScalarInt
from hfjax.fitting.box import Box
from hfjax.fitting.newton.step import Step
from hfjax.fitting.objective import Expansion, Objective

LENGTHS = 4.0 ** -np.arange(8)
"""Fractions of the Fisher-scoring step that are tried."""
ENOUGH = 0.9
"""Part of its promise from which on a straight Newton step is not tried bent."""
PROBE = 0.1
"""Part of a step at which the bending of the rates is looked at."""


class Point(NamedTuple):
    """Parameters, and the objective there."""

    params: Params
    value: Scalar


class LineSearch(NamedTuple):
    """The best point that a step has led to, and how far to trust the next.

    Attributes:
        best: the point; where the step began if it leads nowhere lower.
        radius: longest next step, in standard deviations.
        again: whether another direction is to be tried.
        tried: directions tried so far.
    """

    best: Point
    radius: Scalar
    again: ScalarBool
    tried: ScalarInt


class _Direction(NamedTuple):
    """A direction to look along.

    Attributes:
        direction: the step at its full length.
        count: number of lengths to look at.
        enough: objective at which no other point is looked for.
    """

    direction: Params
    count: ScalarInt
    enough: Scalar


class _Looks(NamedTuple):
    """State of a search along a direction.

    Attributes:
        turn: to come.
        bending: how far the valley bends at full length.
        best: the lowest point.
        found: which length it was found at; behind the last if at none.
    """

    turn: ScalarInt
    bending: Params
    best: Point
    found: ScalarInt


def line_search(
    objective: Objective,
    here: Point,
    at: Expansion,
    step: Step,
    bounds: Box,
    radius: Scalar,
) -> LineSearch:
    """Search along a step for a lower point.

    Args:
        objective: what is minimized.
        here: where the step begins.
        at: expansion of the objective there.
        step: the proposed step.
        bounds: lower and upper bound of each parameter.
        radius: longest step that the quadratic model was trusted with.
    """

    def look(so_far: LineSearch) -> LineSearch:
        scores = so_far.tried == 1
        along = _Direction(
            jnp.where(scores, step.scoring, step.move),
            jnp.where(scores, LENGTHS.size, 1),
            jnp.where(scores, -jnp.inf, here.value - ENOUGH * step.gain),
        )
        far = Point(here.params, jnp.full_like(here.value, jnp.inf))
        least = jax.tree.map(lambda a, b: jnp.where(scores, a, b), so_far.best, far)
        found = _look_along(objective, here, (at, step), along, bounds, least)
        newton = _judge_newton(here, found, step, radius)
        length = jnp.maximum(
            so_far.radius, step.metric.norm(found.params - here.params)
        )
        better = found.value < so_far.best.value
        scoring = LineSearch(
            found,
            jnp.where(better, length, so_far.radius),
            jnp.array(False),
            jnp.int32(2),
        )
        return jax.tree.map(lambda a, b: jnp.where(scores, a, b), scoring, newton)

    start = LineSearch(here, radius, jnp.array(True), jnp.int32(0))
    return jax.lax.while_loop(lambda so_far: so_far.again, look, start)


def _judge_newton(here: Point, found: Point, step: Step, radius: Scalar) -> LineSearch:
    """Keep the end of a Newton step if it keeps its promise, at least in part."""
    ratio = _ratio(here.value, found.value, step.gain)
    best = jax.tree.map(lambda a, b: jnp.where(ratio > 1e-4, a, b), found, here)
    return LineSearch(
        best, _next_radius(ratio, step, radius), ratio < 0.25, jnp.int32(1)
    )


def _look_along(
    objective: Objective,
    here: Point,
    local: tuple[Expansion, Step],
    along: _Direction,
    bounds: Box,
    least: Point,
) -> Point:
    """Evaluate a direction, straight and bent at each length; the lowest point wins.

    The second turn looks only how the rates bend along the direction. The last length
    is the one that leads no lower than the one before, where that has led lower; and
    nothing more is looked at below ``along.enough``.
    """
    at, step = local
    noise = jnp.where(jnp.isfinite(least.value), 1e-12 * (1.0 + abs(least.value)), 0.0)
    lengths = jnp.asarray(LENGTHS, here.params.dtype)

    def turn(s: _Looks) -> _Looks:
        probes, which = s.turn == 1, _length_of(s.turn)
        length = jnp.where(probes, PROBE, lengths[which])
        bent = jnp.where(s.turn % 2 == 0, length**2 * s.bending, 0.0)
        end = here.params + length * along.direction + bent
        end = jnp.where(probes, end, jnp.clip(end, *bounds))
        rates = objective.rates(end)
        bending = jax.lax.cond(
            probes,
            lambda: _bending(at, step, along.direction, rates),
            lambda: s.bending,
        )
        value = objective.merit_at(end, rates)
        lower = ~probes & (value < s.best.value - noise)
        found = Point(end, value)
        best = jax.tree.map(lambda a, b: jnp.where(lower, a, b), found, s.best)
        return _Looks(s.turn + 1, bending, best, jnp.where(lower, which, s.found))

    def unfinished(s: _Looks) -> ScalarBool:
        last = jnp.minimum(along.count, s.found + 2)
        return (_length_of(s.turn) < last) & (s.best.value > along.enough)

    none = jnp.int32(LENGTHS.size)
    start = _Looks(jnp.int32(0), jnp.zeros_like(here.params), least, none)
    return jax.lax.while_loop(unfinished, turn, start).best


def _length_of(turn: ScalarInt) -> ScalarInt:
    """Which length a turn looks at: three turns at the first, two at the others."""
    return jnp.maximum(turn - 1, 0) // 2


def _bending(at: Expansion, step: Step, direction: Params, rates: Rates) -> Params:
    """Second-order correction of a step, for valleys that bend.

    The rates' second derivative along the step, by a finite difference, is what the
    linear model of the rates misses; half of it is taken back (geodesic acceleration,
    Transtrum and Sethna, arXiv:1201.5885).
    """
    slope = (rates - at.rates.rates) / PROBE
    curve = 2.0 / PROBE * (slope - at.rates.jacobian.pushed(direction))
    return -0.5 * step.inverse(at.rates.jacobian.pulled(at.weight * curve))


def _ratio(before: Scalar, after: Scalar, gain: Scalar) -> Scalar:
    """Actual over promised decrease; -1 where the step leads nowhere.

    Both are given the benefit of rounding, so that the last steps still count.
    """
    noise = 1e-13 * (1.0 + jnp.abs(before))
    gained = before - after
    down = (gained > -noise) & (gain > -noise)
    return jnp.where(down, (gained + noise) / (gain + noise), -1.0)


def _next_radius(ratio: Scalar, step: Step, radius: Scalar) -> Scalar:
    """Trust the quadratic model further where it held, less where it failed."""
    shrunk = 0.25 * jnp.minimum(step.length, radius)
    grown = jnp.where((ratio > 0.75) & step.bounded, 2.5 * radius, radius)
    return jnp.where(ratio < 0.25, shrunk, grown)
