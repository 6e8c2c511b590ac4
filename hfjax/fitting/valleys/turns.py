"""The turns of a search for the lowest of several valleys: what each of them does.

See `hfjax.fitting.valleys.search`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float

from hfjax.arrays import Array, Params, ParamsMask, ScalarBool, ScalarInt
from hfjax.fitting.box import Domain
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitSettings
from hfjax.fitting.valleys.candidates import number_of_valleys
from hfjax.fitting.valleys.crossings import (
    TURNS,
    CrossingTask,
    FirstStart,
    Held,
    crossing_task,
)
from hfjax.fitting.valleys.edge import EDGE_EVENTS, INSIDE, with_events
from hfjax.fitting.valleys.found import Found, Starts, Valleys
from hfjax.fitting.valleys.reversal import (
    REVERSALS,
    SCATTERED,
    may_turn,
    other_sides,
    reversed_factors,
    scattered_starts,
    turned_by,
    turning_slope,
)


class Search(NamedTuple):
    """State of a search.

    Attributes:
        found: so far.
        valleys: places seen from the best minimum.
        marks: of these places; see `valley_marks`.
        best: marks of the best minimum.
        ends: marks of where the last fits have ended.
        held: the last fit held at a crossing.
        last: where the last fit has ended.
        task: turn to come.
        separated: which crossings separate valleys here.
        improved: something has led lower in this round.
        rounds: rounds that have ended.
    """

    found: Found
    valleys: Valleys
    marks: Float[Array, "start mark"]
    best: Float[Array, " mark"]
    ends: Float[Array, "end mark"]
    held: Held
    last: Params
    task: ScalarInt
    separated: Bool[Array, " crossing"]
    improved: ScalarBool
    rounds: ScalarInt


class Kinds(NamedTuple):
    """Positions of the turns: where each kind begins, and their number."""

    valleys: int
    crossings: int
    edge: int
    reversals: int
    scattered: int
    end: int


def kinds_of_turns(
    objective: Objective, starts: int, told: int, settings: FitSettings
) -> Kinds:
    """Room for each kind of turn.

    Args:
        objective: half a deviance.
        starts: number of starts.
        told: number of minima that other fits tell of.
        settings: which minimum is wanted.
    """
    model, explores = objective.model, settings.valleys != "initial"
    places = number_of_valleys(model, told) if explores else 0
    crossed = TURNS * model.crossings.index.size if explores else 0
    reverses = settings.valleys == "lowest" and may_turn(model)
    crossings = starts + places
    edge = crossings + crossed
    reversals = edge + EDGE_EVENTS.size
    scattered = reversals + (REVERSALS if reverses else 0)
    end = scattered + (SCATTERED if reverses else 0)
    return Kinds(starts, crossings, edge, reversals, scattered, end)


class Task(NamedTuple):
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


def next_task(
    objective: Objective, s: Search, starts: Starts, domain: Domain, kinds: Kinds
) -> Task:
    """What to do next.

    Args:
        objective: half a deviance.
        s: state of the search.
        starts: where it was told to start.
        domain: bounds of the parameters, and which of them must not move.
        kinds: of turns.
    """
    task = _task(objective, s, starts, domain.fixed, kinds)
    if kinds.end == kinds.reversals:
        return task
    return _reversing(objective, s, task, domain, kinds)


def _task(
    objective: Objective, s: Search, starts: Starts, fixed: ParamsMask, kinds: Kinds
) -> Task:
    """What to do next, but for turning samples back."""
    yes, best = jnp.array(True), s.found.best
    start = starts[jnp.minimum(s.task, kinds.valleys - 1)]
    at_edge = is_at_edge(s, kinds)
    away = jnp.asarray(objective.model.parameters.init) - best.params
    inside = best.params + jnp.where(fixed, 0.0, INSIDE * away)
    edge = jnp.where(s.task == kinds.edge, inside, s.last)
    start = jnp.where(at_edge, edge, start)
    task = Task(
        objective=with_events(objective, jnp.where(at_edge, s.task - kinds.edge, -1)),
        start=start,
        fixed=fixed,
        worth=yes,
        anyhow=yes,
        keeps=~at_edge | (s.task == kinds.reversals - 1),
        crossing=None,
    )
    if kinds.crossings > kinds.valleys:
        sees = (s.task >= kinds.valleys) & (s.task < kinds.crossings)
        which = jnp.clip(s.task, kinds.valleys, kinds.crossings - 1) - kinds.valleys
        seen = jnp.asarray(s.valleys.starts)[which]
        task = task._replace(start=jnp.where(sees, seen, task.start))
    if kinds.edge == kinds.crossings:
        return task
    crosses = (s.task >= kinds.crossings) & (s.task < kinds.edge)
    first = FirstStart(starts[0], fixed, s.rounds == 0)
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


def is_at_edge(s: Search, kinds: Kinds) -> ScalarBool:
    """Whether a turn is one at the edge of the likelihood."""
    return (s.task >= kinds.edge) & (s.task < kinds.reversals)


def _reversing(
    objective: Objective, s: Search, task: Task, domain: Domain, kinds: Kinds
) -> Task:
    """What to do next if that is to turn samples back; see `valleys.reversal`."""
    model, passed, fixed = objective.model, s.found.passed_params, domain.fixed
    turn = s.task - kinds.reversals

    def back() -> tuple[ParamsMask, Params]:
        slope = turning_slope(model, passed)
        turned = turned_by(model, slope, fixed)
        sides = other_sides(model, passed, slope, domain)
        starts = jnp.stack([reversed_factors(passed, turned, domain), s.last, *sides])
        starts = jnp.concatenate([starts, scattered_starts(model, passed, domain)])
        return turned, starts[turn]

    turned, start = jax.lax.cond(
        turn >= 0, back, lambda: (jnp.zeros_like(fixed), task.start)
    )
    return task._replace(
        start=start,
        fixed=task.fixed | (turned & (turn == 0)),
        worth=task.worth & ((turn < 0) | (turn > 1) | jnp.any(turned)),
        keeps=task.keeps & (turn != 0),
    )
