"""The search for the lowest of several valleys.

The likelihood of most models has one valley, and one start is enough. Others are looked
for in turns of one loop, so that the minimizer is compiled once:

- starts: where the fit is told to begin, and where other fits have ended;
- places that `other_valleys` sees from the lowest minimum so far;
- crossings, where a normsys polynomial of code 4 is zero and a sample's rate changes
  sign: valleys there may be too narrow to be seen. The fit is repeated with the
  parameter held on the crossing, and released again, or free at once;
- the edge of the likelihood, where the rate of a bin without events falls to zero: see
  `hfjax.fitting.valleys.edge`;
- from an unphysical minimum, samples turned back by their factors: see
  `hfjax.fitting.valleys.reversal`.

A round that has led lower is followed by another.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Bool

from hfjax.arrays import (
    Array,
    ParamsMask,
    Scalar,
    ScalarBool,
)
from hfjax.fitting.box import Box, Domain
from hfjax.fitting.newton.descend import Minimum, begin_at, descend
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.fitting.valleys.candidates import (
    WORTH,
    WORTH_PART,
    are_known,
    leads_nowhere,
    nothing_promised,
    number_of_marks,
    other_valleys,
    promise,
    valley_marks,
)
from hfjax.fitting.valleys.crossings import (
    TURNS,
    crossings_separate,
    has_left,
    nothing_held,
    remember,
    rounding,
)
from hfjax.fitting.valleys.edge import (
    LIFTS,
    as_it_is,
    lifted_starts,
)
from hfjax.fitting.valleys.found import (
    Found,
    Starts,
    Told,
    Valleys,
    no_valleys,
    only_found,
)
from hfjax.fitting.valleys.physical import is_better, is_physical
from hfjax.fitting.valleys.turns import (
    Kinds,
    Search,
    Task,
    is_at_edge,
    kinds_of_turns,
    next_task,
)

PROMISING = 20.0
"""A crossing is looked into where the objective there is at most this much higher."""
REMEMBERED = 8
"""Ends of fits whose valleys are known."""
MAX_ROUNDS = 5
"""How often all is looked into again after something has led lower."""
LEAST_DEVIANCE = 1e-3
"""Deviance below which no other valley is looked for: there is nothing to gain."""
FAR = 5.0
"""How much higher than an unphysical minimum a physical one is that others may beat."""
UNPHYSICAL_WORTH = 50.0
"""How much higher than an unphysical minimum a place may be that is fitted from."""


def search(
    objective: Objective,
    starts: Starts,
    bounds: Box,
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
    kinds = kinds_of_turns(objective, starts.shape[0], told.minima.shape[0], settings)

    def run(s: Search) -> Search:
        task = next_task(objective, s, starts, Domain(bounds, fixed), kinds)
        begin = begin_at(task.objective, task.start)
        low = task.anyhow | (begin.value < s.found.best.value + PROMISING)
        crosses = (s.task >= kinds.crossings) & (s.task < kinds.edge)
        may = _may_give_up(s, task, kinds)

        def ends(at: Minimum, gain: Scalar) -> ScalarBool:
            left = True
            if task.crossing is not None:
                left = ~crosses | has_left(objective, task.crossing, at.params)
            nowhere = leads_nowhere(objective.model, (s.found, s.best), at, gain, left)
            return ~(task.worth & low) | (may & nowhere)

        end = descend(task.objective, begin, bounds, task.fixed, settings, ends)
        after = _judge(objective, s, task, end, settings, kinds)
        return _next(objective, after, starts, told, Domain(bounds, fixed), kinds)

    begin = _begin(objective, starts, kinds.crossings - kinds.valleys)
    return jax.lax.while_loop(lambda s: s.task < kinds.end, run, begin).found


def _may_give_up(s: Search, task: Task, kinds: Kinds) -> ScalarBool:
    """Whether a fit is given up where it leads nowhere: not if others go on there."""
    held = s.task == kinds.reversals
    if task.crossing is not None:
        held = held | task.crossing.holds
    edge = (s.task >= kinds.edge) & (s.task < kinds.reversals)
    return (s.task >= kinds.valleys) & ~held & ~edge


def _judge(
    objective: Objective,
    s: Search,
    task: Task,
    end: Minimum,
    settings: FitSettings,
    kinds: Kinds,
) -> Search:
    """Keep the lower minimum, a physical one before any other."""
    first, found, ok = s.task == 0, s.found, FitStatus.CONVERGED
    done = (end.steps > 0) | first
    end = as_it_is(objective, is_at_edge(s, kinds), end)
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
    marks = valley_marks(objective.model, end.params)
    noise = rounding(end.value)
    settles = (end.status == ok) & (found.best.status != ok)
    lower = end.value < found.best.value + jnp.where(settles, noise, -noise)
    possible = jnp.isfinite(end.value)
    given_up = (end.status == FitStatus.MAX_STEPS) & (found.best.status == ok)
    new, old = (2.0 * end.value, physical), (2.0 * found.best.value, found.physical)
    better = is_better(new, old, lower)
    better = better & ~(given_up & (physical != found.physical))
    better = keeps & done & possible & better
    best = _where(better | first, end, found.best)
    best = dataclasses.replace(best, steps=found.best.steps + end.steps)
    passes = done & ~physical & possible & (end.value < found.passed - noise)
    return s._replace(
        found=Found(
            best=best,
            initial=jnp.where(first, end.value, found.initial),
            initial_params=jnp.where(first, end.params, found.initial_params),
            passed=jnp.where(passes, end.value, found.passed),
            passed_params=jnp.where(passes, end.params, found.passed_params),
            physical=jnp.where(better | first, physical & possible, found.physical),
        ),
        best=jnp.where(better | first, marks, s.best),
        ends=jnp.where(done, jnp.roll(s.ends, 1, axis=0).at[0].set(marks), s.ends),
        held=held,
        last=end.params,
        improved=s.improved | (better & ~first),
    )


def _where(condition: ScalarBool, new: Any, old: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)


def _valid(
    objective: Objective, s: Search, starts: Starts, told: Told, kinds: Kinds
) -> Bool[Array, " turn"]:
    """Which turns have something to do."""
    best, data = s.found.best, objective.data
    looks = told.looks | (s.rounds > 0)
    own = jnp.all(jnp.isfinite(starts), axis=1)
    lifts = jnp.arange(kinds.valleys) >= kinds.valleys - LIFTS
    own = own & (~lifts | ~jnp.isfinite(best.value))
    seen = s.valleys.worth
    if seen.size:
        seen = seen & ~are_known(objective.model, s.marks, s.ends, s.found.physical)
    separated = looks & jnp.repeat(s.separated, TURNS)[: kinds.edge - kinds.crossings]
    empty = jnp.any((data.main == 0.0) & objective.model.bin_present)
    stuck = (best.status == FitStatus.STALLED) | (best.status == FitStatus.MAX_STEPS)
    edge = jnp.full(kinds.reversals - kinds.edge, empty & stuck)
    lower = jnp.isfinite(s.found.passed) & (s.found.passed <= best.value)
    lower = looks & lower & ((s.rounds == 0) | ~s.found.physical)
    turned = jnp.full(kinds.scattered - kinds.reversals, lower)
    far = ~s.found.physical | (best.value > s.found.passed + FAR)
    scattered = jnp.full(kinds.end - kinds.scattered, lower & far)
    return jnp.concatenate([own, seen, separated, edge, turned, scattered])


def _next(
    objective: Objective,
    s: Search,
    starts: Starts,
    told: Told,
    domain: Domain,
    kinds: Kinds,
) -> Search:
    """Go to the next turn; look for other valleys where a round begins."""
    turns = jnp.arange(kinds.end)
    valid = _valid(objective, s, starts, told, kinds) & (turns > s.task)
    over = ~jnp.any(valid) & s.improved & (s.rounds < MAX_ROUNDS)
    begins = (s.task < kinds.valleys) & ~jnp.any(valid[: kinds.valleys])
    if kinds.edge > kinds.valleys:
        s = jax.lax.cond(
            over | begins,
            lambda: _explored(
                objective, s, told._replace(looks=told.looks | over), domain, kinds
            ),
            lambda: s,
        )
        task = jnp.where(over | begins, kinds.valleys - 1, s.task)
        valid = _valid(objective, s, starts, told, kinds) & (turns > task)
        s = s._replace(improved=s.improved & ~(over | begins), rounds=s.rounds + over)
    following = jnp.where(jnp.any(valid), jnp.argmax(valid), kinds.end)
    return s._replace(task=following.astype(jnp.int32))


def _explored(
    objective: Objective,
    s: Search,
    told: Told,
    domain: Domain,
    kinds: Kinds,
) -> Search:
    """Look around at the best minimum, or only where others have told to."""
    best, (minima, looks) = s.found.best, told
    if kinds.crossings > kinds.valleys:
        worth = jnp.where(s.found.physical, 0.0, UNPHYSICAL_WORTH)
        worth = worth + WORTH + WORTH_PART * 2.0 * best.value
        model = objective.model
        some = jnp.isfinite(best.value) & (2.0 * best.value > LEAST_DEVIANCE) & looks
        gain = jax.lax.cond(
            some,
            lambda: promise(objective, best, worth).or_all(~s.found.physical),
            lambda: nothing_promised(model),
        )

        def look() -> tuple[Valleys, Array]:
            seen = other_valleys(objective, best.params, gain, minima, domain, worth)
            return seen, jax.vmap(lambda at: valley_marks(model, at))(seen.starts)

        valleys, marks = jax.lax.cond(
            gain.some() | jnp.any(jnp.isfinite(minima)),
            look,
            lambda: (no_valleys(best.params, s.valleys.worth.size), s.marks),
        )
        s = s._replace(valleys=valleys, marks=marks)
    if kinds.edge > kinds.crossings:
        s = s._replace(separated=crossings_separate(objective, best.params))
    return s


def _begin(objective: Objective, starts: Starts, places: int) -> Search:
    """Before the first turn."""
    start, marks = starts[0], number_of_marks(objective.model)
    far = jnp.full((), jnp.inf, start.dtype)
    worst = Minimum(start, far, jnp.int32(FitStatus.NOT_FINITE), far, far, jnp.int32(0))
    no = jnp.array(False)
    return Search(
        found=only_found(worst, no),
        valleys=no_valleys(start, places),
        marks=jnp.zeros((places, marks), start.dtype),
        best=jnp.full(marks, jnp.nan, start.dtype),
        ends=jnp.full((REMEMBERED, marks), jnp.nan, start.dtype),
        held=nothing_held(objective, start),
        last=start,
        task=jnp.int32(0),
        separated=jnp.zeros(objective.model.crossings.index.shape, bool),
        improved=no,
        rounds=jnp.int32(0),
    )
