"""The search for the lowest of several valleys.

The likelihood of most models has one valley, and one start is enough. Others are looked
for in turns of one loop, so that the minimizer is compiled once:

- starts: where the fit is told to begin, and where other fits have ended;
- places that `other_valleys` sees from the lowest minimum so far;
- crossings, where a normsys polynomial of code 4 is zero and a sample's rate changes
  sign: valleys there may be too narrow to be seen. The fit is repeated with the
  parameter held on the crossing, and released again, or free at once;
- the edge of the likelihood, where the rate of a bin without events falls to zero: see
  `hfjax.fit.edge`.

A round that has led lower is followed by another.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float

from hfjax.arrays import (
    Array,
    Params,
    ParamsMask,
    Scalar,
    ScalarBool,
    ScalarInt,
)
from hfjax.fit.crossing_search import (
    TURNS,
    CrossingTask,
    Held,
    crossing_task,
    is_walled,
    nothing_held,
    remember,
    rounding,
)
from hfjax.fit.edge import (
    EDGE_EVENTS,
    INSIDE,
    LIFTS,
    as_it_is,
    lifted_starts,
    with_events,
)
from hfjax.fit.found import Box, Found, Told, Valleys, no_valleys, only_found
from hfjax.fit.minimize import Minimum, begin_at, descend
from hfjax.fit.objective import Objective
from hfjax.fit.physical import is_physical
from hfjax.fit.status import FitSettings, FitStatus
from hfjax.fit.valleys import (
    WORTH,
    WORTH_PART,
    is_near,
    leads_nowhere,
    number_of_valleys,
    other_valleys,
    promise,
)

Starts = Float[Array, "start par"]

PROMISING = 20.0
"""A crossing is looked into where the objective there is at most this much higher."""
REMEMBERED = 8
"""Ends of fits whose valleys are known."""
MAX_ROUNDS = 5
"""How often all is looked into again after something has led lower."""
LEAST_DEVIANCE = 1e-3
"""Deviance below which no other valley is looked for: there is nothing to gain."""
UNPHYSICAL_WORTH = 50.0
"""How much higher than an unphysical minimum a place may be that is fitted from."""


class _Search(NamedTuple):
    """State of a search.

    Attributes:
        found: so far.
        valleys: places seen from the best minimum.
        ends: where the last fits have ended.
        held: the last fit held at a crossing.
        edge: where the last fit at the edge has ended.
        task: turn to come.
        walled: crossings separate valleys here.
        improved: something has led lower in this round.
        rounds: rounds that have ended.
    """

    found: Found
    valleys: Valleys
    ends: Starts
    held: Held
    edge: Params
    task: ScalarInt
    walled: ScalarBool
    improved: ScalarBool
    rounds: ScalarInt


class _Kinds(NamedTuple):
    """Positions of the turns: where each kind begins, and their number."""

    valleys: int
    crossings: int
    edge: int
    end: int


def search(
    objective: Objective,
    starts: Starts,
    bounds: tuple[Params, Params],
    fixed: ParamsMask,
    settings: FitSettings,
    told: Told | None = None,
) -> Found:
    """Minimize from several starts and into all valleys; keep the lowest minimum.

    Args:
        objective: half a deviance with its expansion to second order.
        starts: where to start; fixed parameters stay there. None but the first may be
            NaN, which is no start.
        bounds: lower and upper bound of each parameter.
        fixed: parameters that must not move.
        settings: tolerance, number of steps, and which minimum is wanted.
        told: by other fits, if there are any.

    Returns:
        The lowest minimum found; its steps are those of all tries.
    """
    told = Told(starts[:0]) if told is None else told
    lifts = lifted_starts(starts[0], bounds, fixed)
    starts = jnp.concatenate([starts, lifts])
    kinds = _kinds(objective, starts.shape[0], told.minima.shape[0], settings)

    def run(s: _Search) -> _Search:
        task = _task(objective, s, starts, fixed, kinds)
        begin = begin_at(task.objective, task.start)
        low = task.anyhow | (begin.value < s.found.best.value + PROMISING)
        seen = (s.task >= kinds.valleys) & (s.task < kinds.crossings)

        def ends(at: Minimum, gain: Scalar) -> ScalarBool:
            nowhere = seen & leads_nowhere(objective, s.found, at, gain)
            return ~(task.worth & low) | nowhere

        end = descend(task.objective, begin, bounds, task.fixed, settings, ends)
        after = _judge(objective, s, task, end, settings, kinds)
        return _next(objective, after, (starts, told), (bounds, fixed), kinds)

    begin = _begin(objective, starts, kinds.crossings - kinds.valleys)
    return jax.lax.while_loop(lambda s: s.task < kinds.end, run, begin).found


def _kinds(
    objective: Objective, starts: int, told: int, settings: FitSettings
) -> _Kinds:
    model, explores = objective.model, settings.valleys != "initial"
    places = number_of_valleys(model, told) if explores else 0
    turns = TURNS * model.crossings.index.size if explores else 0
    crossings = starts + places
    edge = crossings + turns
    return _Kinds(starts, crossings, edge, edge + EDGE_EVENTS.size)


class _Task(NamedTuple):
    """A turn.

    Attributes:
        objective: of the turn: at the edge, with a few events in empty bins.
        start: where it starts.
        fixed: parameters that must not move.
        worth: whether it is done at all.
        anyhow: whether it is done however high its start is.
        keeps: whether its end may be the best fit.
        crossing: details of a fit at a crossing.
    """

    objective: Objective
    start: Params
    fixed: ParamsMask
    worth: ScalarBool
    anyhow: ScalarBool
    keeps: ScalarBool
    crossing: CrossingTask | None


def _task(
    objective: Objective, s: _Search, starts: Starts, fixed: ParamsMask, kinds: _Kinds
) -> _Task:
    """What to do next."""
    yes, best = jnp.array(True), s.found.best
    start = starts[jnp.minimum(s.task, kinds.valleys - 1)]
    at_edge = s.task >= kinds.edge
    away = jnp.asarray(objective.model.parameters.init) - best.params
    inside = best.params + jnp.where(fixed, 0.0, INSIDE * away)
    edge = jnp.where(s.task == kinds.edge, inside, s.edge)
    start = jnp.where(at_edge, edge, start)
    task = _Task(
        objective=with_events(objective, s.task - kinds.edge),
        start=start,
        fixed=fixed,
        worth=yes,
        anyhow=yes,
        keeps=~at_edge | (s.task == kinds.end - 1),
        crossing=None,
    )
    if kinds.crossings > kinds.valleys:
        sees = (s.task >= kinds.valleys) & (s.task < kinds.crossings)
        which = jnp.clip(s.task, kinds.valleys, kinds.crossings - 1) - kinds.valleys
        seen = jnp.asarray(s.valleys.starts)[which]
        task = task._replace(start=jnp.where(sees, seen, task.start))
    if kinds.edge == kinds.crossings:
        return task
    crosses = (s.task >= kinds.crossings) & ~at_edge
    first = starts[0], fixed, s.rounds == 0
    turn = jnp.minimum(s.task, kinds.edge - 1) - kinds.crossings
    own = crossing_task(objective, turn, best, s.held, first)
    own = own._replace(holds=own.holds & crosses, releases=own.releases & crosses)
    return task._replace(
        start=jnp.where(crosses, own.start, task.start),
        fixed=jnp.where(crosses, own.fixed, fixed),
        worth=~crosses | own.worth,
        anyhow=~crosses | own.fresh,
        crossing=own,
    )


def _judge(
    objective: Objective,
    s: _Search,
    task: _Task,
    end: Minimum,
    settings: FitSettings,
    kinds: _Kinds,
) -> _Search:
    """Keep the lower minimum, a physical one before any other."""
    first, found, ok = s.task == 0, s.found, FitStatus.CONVERGED
    done = (end.steps > 0) | first
    end = as_it_is(objective, s.task >= kinds.edge, end)
    keeps, held = task.keeps, s.held
    if task.crossing is not None:
        wanted = found.best.status != ok
        crosses = (s.task >= kinds.crossings) & (s.task < kinds.edge)
        noted, kept = remember(objective, held, task.crossing, end, wanted)
        held = _where(crosses, noted, held)
        keeps = keeps & (kept | ~crosses)
    physical = jnp.array(True)
    if settings.valleys == "lowest":
        physical = jax.lax.cond(
            done, lambda: is_physical(objective.model, end.params), lambda: physical
        )
    noise = rounding(end.value)
    settles = (end.status == ok) & (found.best.status != ok)
    lower = end.value < found.best.value + jnp.where(settles, noise, -noise)
    given_up = (end.status == FitStatus.MAX_STEPS) & (found.best.status == ok)
    better = physical & ~found.physical & ~given_up
    better = better | ((physical == found.physical) & lower)
    possible = jnp.isfinite(end.value)
    better = keeps & done & possible & better
    best = _where(better | first, end, found.best)
    best = dataclasses.replace(best, steps=found.best.steps + end.steps)
    passes = done & ~physical & possible & (end.value < found.passed)
    return s._replace(
        found=Found(
            best=best,
            initial=jnp.where(first, end.value, found.initial),
            initial_params=jnp.where(first, end.params, found.initial_params),
            passed=jnp.where(passes, end.value, found.passed),
            passed_params=jnp.where(passes, end.params, found.passed_params),
            physical=jnp.where(better | first, physical, found.physical),
        ),
        ends=jnp.where(done, jnp.roll(s.ends, 1, axis=0).at[0].set(end.params), s.ends),
        held=held,
        edge=end.params,
        improved=s.improved | (better & ~first),
    )


def _where(condition: ScalarBool, new: Any, old: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)


def _valid(
    objective: Objective, s: _Search, starts: Starts, kinds: _Kinds
) -> Bool[Array, " turn"]:
    """Which turns have something to do."""
    best, data = s.found.best, objective.data
    own = jnp.all(jnp.isfinite(starts), axis=1)
    lifts = jnp.arange(kinds.valleys) >= kinds.valleys - LIFTS
    own = own & (~lifts | ~jnp.isfinite(best.value))
    seen = s.valleys.worth
    if seen.size:
        seen = seen & ~_known(objective, s)
    walled = jnp.full(kinds.edge - kinds.crossings, s.walled)
    empty = jnp.any((data.main == 0.0) & objective.model.bin_present)
    stuck = (best.status == FitStatus.STALLED) | (best.status == FitStatus.MAX_STEPS)
    edge = jnp.full(kinds.end - kinds.edge, empty & stuck)
    return jnp.concatenate([own, seen, walled, edge])


def _known(objective: Objective, s: _Search) -> Bool[Array, " start"]:
    """Which places are in valleys that a fit has ended in."""

    def near(start: Params, end: Params) -> ScalarBool:
        return is_near(objective.model, start, end)

    ends = jax.vmap(near, (None, 0))
    return jnp.any(jax.vmap(ends, (0, None))(s.valleys.starts, s.ends), axis=1)


def _next(
    objective: Objective,
    s: _Search,
    given: tuple[Starts, Told],
    box: Box,
    kinds: _Kinds,
) -> _Search:
    """Go to the next turn; look for other valleys where a round begins."""
    starts, told = given
    turns = jnp.arange(kinds.end)
    valid = _valid(objective, s, starts, kinds) & (turns > s.task)
    over = ~jnp.any(valid) & s.improved & (s.rounds < MAX_ROUNDS)
    begins = (s.task < kinds.valleys) & ~jnp.any(valid[: kinds.valleys])
    if kinds.edge > kinds.valleys:
        s = jax.lax.cond(
            over | begins,
            lambda: _explored(
                objective, s, told._replace(looks=told.looks | over), box, kinds
            ),
            lambda: s,
        )
        task = jnp.where(over | begins, kinds.valleys - 1, s.task)
        valid = _valid(objective, s, starts, kinds) & (turns > task)
        s = s._replace(improved=s.improved & ~(over | begins), rounds=s.rounds + over)
    following = jnp.where(jnp.any(valid), jnp.argmax(valid), kinds.end)
    return s._replace(task=following.astype(jnp.int32))


def _explored(
    objective: Objective,
    s: _Search,
    told: Told,
    box: Box,
    kinds: _Kinds,
) -> _Search:
    """Look around at the best minimum, or only where others have told to."""
    best, (minima, looks) = s.found.best, told
    if kinds.crossings > kinds.valleys:
        rates = objective.rates(best.params)
        worth = jnp.where(s.found.physical, 0.0, UNPHYSICAL_WORTH)
        worth = worth + WORTH + WORTH_PART * 2.0 * best.value
        model, counts = objective.model, objective.data.main
        deviance = 2.0 * best.value
        gain = promise(model, best.params, (rates, counts), deviance, worth)
        some = jnp.isfinite(best.value) & (2.0 * best.value > LEAST_DEVIANCE) & looks
        gain = gain.where(some, ~s.found.physical)
        valleys = jax.lax.cond(
            gain.some() | jnp.any(jnp.isfinite(minima)),
            lambda: other_valleys(objective, best.params, (gain, minima), box, worth),
            lambda: no_valleys(best.params, s.valleys.worth.size),
        )
        s = s._replace(valleys=valleys)
    if kinds.edge > kinds.crossings:
        s = s._replace(walled=is_walled(objective, best.params))
    return s


def _begin(objective: Objective, starts: Starts, places: int) -> _Search:
    """Before the first turn."""
    start = starts[0]
    far = jnp.full((), jnp.inf, start.dtype)
    worst = Minimum(start, far, jnp.int32(FitStatus.NOT_FINITE), far, far, jnp.int32(0))
    no = jnp.array(False)
    return _Search(
        found=only_found(worst, no),
        valleys=no_valleys(start, places),
        ends=jnp.full((REMEMBERED, start.size), jnp.nan, start.dtype),
        held=nothing_held(objective, start),
        edge=start,
        task=jnp.int32(0),
        walled=no,
        improved=no,
        rounds=jnp.int32(0),
    )
