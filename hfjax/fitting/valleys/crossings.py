"""Fits at crossings, where a normsys polynomial is zero: valleys too narrow to be seen.

At each crossing the fit is repeated with the parameter held there, and then released,
from the model's initial values and from the best fit so far; free at once from the
latter; and held where that stands.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from hfjax.arrays import Array, Params, ParamsMask, Scalar, ScalarBool, ScalarInt
from hfjax.fitting.newton.descend import Minimum
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitStatus
from hfjax.fitting.valleys.candidates import ELSEWHERE

WALL = 1.0
"""Fisher information on a parameter from which on its crossings separate valleys."""
SIDES = 10.0 ** -np.arange(3, 17)
"""How far from a crossing its sides are looked at, in units of the parameter."""
SMALL = 1e-6
"""Step of a derivative by finite difference."""
TURNS = 6
"""Fits at each crossing."""
FRESH = 2
"""So many of them start from the initial values."""
SAME = 1e-9
"""Fits that end within this, relative, end at the same height."""


class Held(NamedTuple):
    """The last fit that was held at a crossing.

    Attributes:
        params: where it leads; NaN if it did not run.
        value: objective there.
        released: height of each crossing's last held fit that was released.
    """

    params: Params
    value: Scalar
    released: Float[Array, " crossing"]


class FirstStart(NamedTuple):
    """Where a search has started.

    Attributes:
        params: the first start.
        fixed: parameters that every fit holds.
        first_round: whether nothing has led lower yet.
    """

    params: Params
    fixed: ParamsMask
    first_round: ScalarBool


class CrossingTask(NamedTuple):
    """A fit at a crossing.

    Attributes:
        start: where it starts.
        fixed: parameters that it holds.
        worth: whether it is to be done.
        holds: it is held at the crossing.
        fresh: it starts from the initial values, or is released from there.
        releases: it starts where a held one has ended.
        which: number of the crossing.
    """

    start: Params
    fixed: ParamsMask
    worth: ScalarBool
    holds: ScalarBool
    fresh: ScalarBool
    releases: ScalarBool
    which: ScalarInt


def nothing_held(objective: Objective, start: Params) -> Held:
    """What is known before any fit was held."""
    far = jnp.full((), jnp.inf, start.dtype)
    shape = objective.model.crossings.value.shape
    return Held(jnp.full_like(start, jnp.nan), far, jnp.full(shape, jnp.inf, far.dtype))


def crossing_task(
    objective: Objective,
    turn: ScalarInt,
    best: Minimum,
    held: Held,
    first: FirstStart,
) -> CrossingTask:
    """What to do at a crossing: a fit held there, or its release.

    Args:
        objective: half a deviance.
        turn: `TURNS` for each crossing.
        best: the lowest minimum so far.
        held: the last fit that was held.
        first: where the search has started.
    """
    start, fixed, first_round = first
    crossings = objective.model.crossings
    which, phase = jnp.divmod(jnp.clip(turn, 0), TURNS)
    index, value = crossings.index[which], crossings.value[which]
    fresh, stands = phase < FRESH, phase == TURNS - 1
    init = jnp.where(fixed, start, objective.model.parameters.init)
    base = jnp.where(fresh, init, best.params)
    place = jnp.where(stands, best.params[index], value)
    there = jnp.asarray(base).at[index].set(place, mode="drop")
    releases = (phase == 1) | (phase == 3)
    holds = (phase == 0) | (phase == 2) | stands
    here = jnp.arange(fixed.size) == index
    unsettled = best.status != FitStatus.CONVERGED
    due = (~fresh | first_round) & (~stands | unsettled)
    new = jnp.abs(held.value - held.released[which]) > rounding(held.value)
    return CrossingTask(
        start=jnp.where(releases, held.params, there),
        fixed=fixed | (holds & here),
        worth=jnp.any(here & ~fixed) & due & (~releases | new),
        holds=holds,
        fresh=fresh,
        releases=releases,
        which=which,
    )


def remember(
    objective: Objective, held: Held, task: CrossingTask, end: Minimum, wanted: Array
) -> tuple[Held, ScalarBool]:
    """Note how a fit at a crossing has ended.

    Args:
        objective: half a deviance.
        held: what was known.
        task: the fit.
        end: where it has ended; without a step if it was not done.
        wanted: whether the best fit has not converged yet.

    Returns:
        What is known now, and whether the end is a minimum as it stands.
    """
    done = end.steps > 0
    new = jnp.abs(end.value - held.released[task.which]) > rounding(end.value)
    place, kept = jax.lax.cond(
        task.holds & done & (new | wanted),
        lambda: look_at_both_sides(objective, end, task),
        lambda: (end.params, ~task.holds),
    )
    which = jnp.where(done & task.releases, task.which, held.released.size)
    released = jnp.asarray(held.released).at[which].set(held.value, mode="drop")
    return Held(jnp.where(done, place, jnp.nan), end.value, released), kept


def rounding(value: Scalar) -> Scalar:
    """How far apart two fits may end that reach the same minimum."""
    return SAME * (1.0 + jnp.abs(value))


def crossings_separate(
    objective: Objective, params: Params
) -> Bool[Array, " crossing"]:
    """Which crossings may hold valleys that are too narrow to be seen from elsewhere.

    They may where the Fisher information on a parameter at its crossing is large,
    ``sum_b (dnu_b)^2 / nu_b``: a small change of it changes a rate by many times its
    statistical uncertainty. Where products are kept positive, one at zero hides what
    its other factors do, so that one crossing speaks for all.
    """
    crossings = objective.model.crossings

    def stiffness(which: ScalarInt) -> Scalar:
        index, value = crossings.index[which], crossings.value[which]
        point = jnp.asarray(params).at[index].set(value, mode="drop")
        along = SMALL * (jnp.arange(params.size) == index)
        nu, moved = jax.vmap(objective.rates)(jnp.stack([point, point + along]))
        return jnp.sum(((moved - nu) / SMALL) ** 2 / jnp.maximum(jnp.abs(nu), 1e-3))

    each = jax.vmap(stiffness)(jnp.arange(crossings.index.size)) > WALL
    return each | (objective.model.block.normsys.positive & jnp.any(each))


def has_left(objective: Objective, task: CrossingTask, params: Params) -> ScalarBool:
    """Whether a fit that is not held at its crossing has gone away from there.

    Args:
        objective: half a deviance.
        task: the fit.
        params: where it is.
    """
    crossings = objective.model.crossings
    index, value = crossings.index[task.which], crossings.value[task.which]
    return ~task.holds & (jnp.abs(params[index] - value) > ELSEWHERE)


def look_at_both_sides(
    objective: Objective, held: Minimum, task: CrossingTask
) -> tuple[Params, ScalarBool]:
    """Look from the crossing where a fit was held to both its sides.

    The next fit starts at the lowest place. If that is where the fit was held, and if
    products at or below zero are set to the smallest positive number, the place is a
    minimum as it stands: a rate that wants to be negative ends where its
    product is zero, and there no derivative vanishes.

    Returns:
        The lowest place, and whether it is a minimum as it stands.
    """
    crossings = objective.model.crossings
    index, value = crossings.index[task.which], crossings.value[task.which]
    here = jnp.arange(held.params.size) == index
    places = value + jnp.asarray(np.concatenate([-SIDES, SIDES]))
    points = jnp.where(here, places[:, None], held.params)
    values = jax.lax.map(objective.value, points)
    lowest = jnp.argmin(values)
    rises = values[lowest] >= held.value - 1e-12 * (1.0 + jnp.abs(held.value))
    near = jnp.abs(held.params[index] - value) < SIDES[0]
    stands_at_zero = objective.model.block.normsys.positive
    minimum = stands_at_zero & rises & near & (held.status == FitStatus.CONVERGED)
    return jnp.where(rises, held.params, points[lowest]), minimum
