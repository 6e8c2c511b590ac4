"""The four fits of a hypothesis test, which tell one another what they have found."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from hfjax.arrays import Array, Params, ParamsMask, Scalar, ScalarBool, ScalarInt
from hfjax.fitting.best_fit import best_fit
from hfjax.fitting.implicit import constant, expected_at, with_derivatives
from hfjax.fitting.objective import Objective
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.fitting.valleys.candidates import (
    explores,
    has_valleys,
    is_near,
    number_of_marks,
    valley_marks,
)
from hfjax.fitting.valleys.found import Starts, Told
from hfjax.fitting.valleys.physical import is_better, is_physical
from hfjax.model.data import Data
from hfjax.model.model import Model

CONSISTENCY = 1e-6
"""How far, in units of 2NLL, a fit may end above another by rounding."""
BEYOND = 1e-3
"""Change of the parameter of interest at which it is looked where a held fit leads."""
PASSES = 4
"""How often fits tell one another of their valleys."""

BACKGROUND, FIXED, FREE, ASIMOV = range(4)
STAGES = 4

Marks = Float[Array, " mark"]


class TestFits(eqx.Module):
    """Fits in the order in which they are done, and the data of the last."""

    __test__ = False  # for pytest: the name begins with Test, but it is none

    background: FitResult
    fixed: FitResult
    free: FitResult
    asimov_fixed: FitResult
    asimov_data: Data


class _Test(NamedTuple):
    """What does not change during a test.

    Attributes:
        model: the model.
        data: observed data.
        values: parameter of interest in each fit.
        settings: of all fits.
    """

    model: Model
    data: Data
    values: Float[Array, " fit"]
    settings: FitSettings


class _State(NamedTuple):
    """State of a test.

    Attributes:
        turn: to come; a pass has one for each fit.
        done: fits so far.
        asimov: data of the last fit.
        news: which fits have found another valley since the others last asked.
        next_news: the same for the pass to come.
        proofs: for each fit, an end of another that is lower; NaN where there is none.
        marks: what tells in which valley each fit has ended.
    """

    turn: ScalarInt
    done: FitResult
    asimov: Data
    news: Bool[Array, " fit"]
    next_news: Bool[Array, " fit"]
    proofs: Float[Array, "fit par"]
    marks: Float[Array, "fit mark"]


def run_fits(
    model: Model, data: Data, poi: Scalar, asimov_poi: Scalar, settings: FitSettings
) -> TestFits:
    """Do all fits of a test, each from where an earlier one ended.

    First with the parameter of interest at the Asimov value, then at the tested value
    from there, then free from the lower of the two (so that it can never end above
    either), then on the Asimov data. Where a fit has found another valley than that of
    its start, the others try it as well, until none leads lower; and where the end of
    one is lower for another, that starts from there. One loop over all, so that the
    minimizer is compiled once.
    """
    data = jax.tree.map(lambda d: d.astype(poi.dtype), data)
    values = jnp.stack([asimov_poi, poi, poi, poi])
    known, its_data, its_values = constant((model, data, values))
    test = _Test(known, its_data, its_values, settings)
    begin = _State(
        jnp.int32(0),
        _blank(model.parameters.init),
        test.data,
        jnp.zeros(STAGES, bool),
        jnp.zeros(STAGES, bool),
        jnp.full((STAGES, model.parameters.init.size), jnp.nan, poi.dtype),
        jnp.full((STAGES, number_of_marks(model)), jnp.nan, poi.dtype),
    )
    talks = settings.valleys != "initial" and has_valleys(model)
    last = STAGES * (PASSES if talks else 1)

    def unfinished(s: _State) -> ScalarBool:
        more = (s.turn < STAGES) | jnp.any(s.news | s.next_news | _is_proven(s))
        return (s.turn < last) & more

    end = jax.lax.while_loop(unfinished, lambda s: _turn(test, s), begin)
    above = _is_proven(end) if talks else _free_is_above(end.done)
    done = _failed(end.done, above)
    return _differentiable(done, end.asimov, _Test(model, data, values, settings))


def _differentiable(done: FitResult, asimov: Data, test: _Test) -> TestFits:
    """Give all fits the derivatives in what the test depends on."""
    init = jnp.asarray(test.model.parameters.init)

    def one(i: int, data: Data) -> FitResult:
        result = jax.tree.map(lambda leaf: leaf[i], done)
        start = init if i == FREE else init.at[test.model.poi].set(test.values[i])
        fixed = _fixed(test, jnp.int32(i))
        return with_derivatives(result, Objective(test.model, data), start, fixed)

    background, fixed, free = (one(i, test.data) for i in (BACKGROUND, FIXED, FREE))
    asimov = expected_at(test.model, background.params, constant(asimov))
    return TestFits(background, fixed, free, one(ASIMOV, asimov), asimov)


def marks_of(model: Model, params: Params) -> Marks:
    """What tells in which valley a fit has ended, wherever the signal was held.

    Args:
        model: a model.
        params: where it has ended; NaN has marks of NaN.
    """
    same = jnp.asarray(params).at[model.poi].set(0.0)
    known = ~jnp.any(jnp.isnan(params))
    return jnp.where(known, valley_marks(model, same), jnp.nan)


def elsewhere(one: Marks, other: Marks) -> ScalarBool:
    """Whether two fits have ended in different valleys, as far as that can be seen.

    Args:
        one: `marks_of` where a fit has ended.
        other: those of another.
    """
    return ~jnp.any(jnp.isnan(one) | jnp.isnan(other)) & ~is_near(one, other)


def _turn(test: _Test, s: _State) -> _State:
    """Do a fit, if there is something to try."""
    i = s.turn % STAGES
    first = s.turn < STAGES
    starts = _starts(test, s, i)
    stale = ~first & s.next_news[BACKGROUND] & (i == ASIMOV)
    tries = first | stale | _is_proven(s)[i] | jnp.any(jnp.isfinite(starts[1:]))
    nothing = s.done, s.asimov, s.marks, jnp.array(False)
    done, asimov, marks, other = jax.lax.cond(
        tries, lambda: _noted(test, s, i, starts), lambda: nothing
    )
    if starts.shape[0] == 1:
        return s._replace(turn=s.turn + 1, done=done, asimov=asimov)
    lowered = ~first & (i == BACKGROUND)
    lowered = lowered & jnp.any(done.params[i] != s.done.params[i])
    new = tries & ((other & (i != ASIMOV)) | lowered)
    next_news = jnp.asarray(s.next_news).at[i].set(new)
    ends = i == STAGES - 1
    after = s._replace(
        turn=s.turn + 1,
        done=done,
        asimov=asimov,
        news=jnp.where(ends, next_news, s.news | (first & next_news)),
        next_news=next_news & ~ends,
        marks=marks,
    )
    proofs = jax.lax.cond(ends, lambda: _proofs(test, after), lambda: s.proofs)
    return after._replace(proofs=proofs)


def _noted(
    test: _Test, s: _State, i: ScalarInt, starts: Starts
) -> tuple[FitResult, Data, Float[Array, "fit mark"], ScalarBool]:
    """Do a fit, and see whether it has ended in another valley than before."""
    done, asimov = _fitted(test, s, i, starts)
    if starts.shape[0] == 1:
        return done, asimov, s.marks, jnp.array(False)
    ends = jnp.stack([done.params[i], done.initial_params[i]])
    end, initial = jax.vmap(lambda params: marks_of(test.model, params))(ends)
    before = jnp.where(s.turn < STAGES, initial, s.marks[i])
    marks = jnp.asarray(s.marks).at[i].set(end)
    return done, asimov, marks, elsewhere(end, before)


def _starts(test: _Test, s: _State, i: ScalarInt) -> Starts:
    """Where a fit starts: first as if no other valley existed, then in those found."""
    first = s.turn < STAGES
    begin = jnp.where(first, _first_start(test, s.done, i), s.done.params[i])
    begin = jnp.where(i == ASIMOV, s.done.params[BACKGROUND], begin)
    begin = jnp.where(_is_proven(s)[i], s.proofs[i], begin)
    holds = i != FREE
    if test.settings.valleys == "initial" or not has_valleys(test.model):
        starts = begin[None]
    else:
        begins = marks_of(test.model, begin)
        others = [_other(s, i, begins, k) for k in (BACKGROUND, FIXED, FREE)]
        starts = jnp.stack([begin, *others])
    held = starts.at[:, test.model.poi].set(test.values[i])
    return jnp.where(holds & jnp.isfinite(starts), held, starts)


def _first_start(test: _Test, done: FitResult, i: ScalarInt) -> Params:
    """Where a fit starts in the first pass: see `run_fits`."""
    init = jnp.asarray(test.model.parameters.init)
    background, fixed = (done.initial_params[k] for k in (BACKGROUND, FIXED))
    lower = jnp.where(done.initial[FIXED] < done.initial[BACKGROUND], fixed, background)
    return jnp.where(i == BACKGROUND, init, jnp.where(i == FREE, lower, background))


def _other(s: _State, i: ScalarInt, begins: Marks, k: int) -> Params:
    """Where another fit has ended, if that is in another valley; else NaN."""
    passes = s.turn // STAGES
    known = jnp.where(passes == 0, k < i, (passes > 1) | (k > i))
    useful = known & s.news[k] & (i != k) & elsewhere(s.marks[k], begins)
    for before in range(k):  # what another has told need not be told again
        same = ~elsewhere(s.marks[k], s.marks[before])
        useful = useful & ~(s.news[before] & (i != before) & same)
    return jnp.where(useful, s.done.params[k], jnp.nan)


def _fitted(
    test: _Test, s: _State, i: ScalarInt, starts: Starts
) -> tuple[FitResult, Data]:
    """Do a fit, and put it to the others; the background's makes the Asimov data."""
    chosen = _data(test, s.asimov, i)
    objective, fixed = Objective(test.model, chosen), _fixed(test, i)
    told = starts[1:]
    if told.shape[0]:
        beyond = jax.lax.cond(
            s.turn == FREE, lambda: _is_lower_beyond(test, s), lambda: jnp.array(False)
        )
        also = jnp.where(beyond, s.done.params[_higher(s)], jnp.nan)
        if test.model.derivation is None and explores(test.model):
            starts = starts[:1]
        else:  # nothing to judge by what others tell: it is tried
            told = told[:0]
        starts = jnp.concatenate([starts, also[None]])
    again = (s.turn >= STAGES) & (i != ASIMOV)
    told = Told(told, looks=~again)
    result = best_fit(objective, starts, fixed, test.settings, told)
    old = jax.tree.map(lambda leaf: leaf[i], s.done)
    result = jax.tree.map(
        lambda a, b: jnp.where(again, a, b), better(old, result), result
    )
    steps = result.steps + jnp.where(s.turn >= STAGES, old.steps, 0)
    result = eqx.tree_at(lambda r: r.steps, result, steps)
    done = jax.tree.map(lambda all_, one: all_.at[i].set(one), s.done, result)
    asimov = test.model.expected_data(done.params[BACKGROUND])
    return done, asimov


def _higher(s: _State) -> ScalarInt:
    """Which of the two held fits has ended higher."""
    lower = s.done.deviance[FIXED] < s.done.deviance[BACKGROUND]
    return jnp.where(lower, BACKGROUND, FIXED)


def _is_lower_beyond(test: _Test, s: _State) -> ScalarBool:
    """Whether the higher held fit is lower still beyond its value, seen from the other.

    The likelihood has two minima in the parameter of interest then.
    """
    model, which = test.model, _higher(s)
    value, other = test.values[which], test.values[FIXED - which]
    place = value + BEYOND * jnp.sign(value - other)
    there = jnp.asarray(s.done.params[which]).at[model.poi].set(place)
    own = model.parameters
    inside = (place >= own.lower[model.poi]) & (place <= own.upper[model.poi])
    height = Objective(model, test.data).deviance(there)
    return inside & (height < s.done.deviance[which] - 1e-2 * CONSISTENCY)


def better(old: FitResult, new: FitResult) -> FitResult:
    """The better of two fits of the same data; what was initial stays so.

    Args:
        old: done first.
        new: from elsewhere.
    """
    ok = FitStatus.CONVERGED
    settled = (new.code == ok) & (old.code != ok)
    lower = new.deviance < old.deviance - 1e-2 * CONSISTENCY
    ends = (new.deviance, new.physical), (old.deviance, old.physical)
    better = is_better(*ends, settled | lower)
    best = jax.tree.map(lambda a, b: jnp.where(better, a, b), new, old)
    less = new.passed < old.passed
    passed = jnp.minimum(new.passed, old.passed)
    return eqx.tree_at(
        lambda r: (r.initial, r.initial_params, r.passed, r.passed_params, r.steps),
        best,
        (
            old.initial,
            old.initial_params,
            jnp.where(passed < best.deviance - 1e-2 * CONSISTENCY, passed, jnp.inf),
            jnp.where(less, new.passed_params, old.passed_params),
            new.steps,
        ),
    )


def _fixed(test: _Test, i: ScalarInt) -> ParamsMask:
    fixed, poi = jnp.asarray(test.model.parameters.fixed), test.model.poi
    return fixed.at[poi].set(fixed[poi] | (i != FREE))


def _data(test: _Test, asimov: Data, i: ScalarInt) -> Data:
    return jax.tree.map(lambda a, d: jnp.where(i == ASIMOV, a, d), asimov, test.data)


def _free_is_above(done: FitResult) -> Bool[Array, " fit"]:
    """Whether the free fit has ended above one that is held."""
    held = jnp.minimum(done.deviance[BACKGROUND], done.deviance[FIXED])
    above = done.deviance[FREE] > held + CONSISTENCY
    return (jnp.arange(STAGES) == FREE) & above


def _failed(done: FitResult, above: Bool[Array, " fit"]) -> FitResult:
    """No fit has converged that ends above what the end of another proves possible."""
    status = jnp.where(above, FitStatus.INCONSISTENT, 0)
    code = jnp.maximum(done.code, status.astype(jnp.int32))
    return eqx.tree_at(lambda r: r.code, done, code)


def _is_proven(s: _State) -> Bool[Array, " fit"]:
    """Which fits have ended above what the end of another proves possible."""
    return jnp.isfinite(s.proofs[:, 0])


def _proofs(test: _Test, s: _State) -> Float[Array, "fit par"]:
    """For each fit, the lowest end of another if it is lower than its own; else NaN."""
    done, own = s.done, np.arange(STAGES)
    fits, ends = np.repeat(own, STAGES), np.tile(own, STAGES)
    theirs = jnp.asarray(done.params)[ends]
    held = theirs.at[:, test.model.poi].set(test.values[fits])
    theirs = jnp.where((fits == FREE)[:, None], theirs, held)
    known = jnp.all(jnp.isfinite(done.params), axis=1)
    far = known[ends] & known[fits] & ~is_near(s.marks[ends], s.marks[fits])
    far = far | (_free_is_above(done)[fits] & (ends < FREE))

    def height(i: ScalarInt, there: Params) -> Scalar:
        objective = Objective(test.model, _data(test, s.asimov, i))
        physical = is_physical(test.model, there)
        wanted = physical | (test.settings.valleys == "any") | ~done.physical[i]
        return jnp.where(wanted, objective.deviance(there), jnp.inf)

    def lowest() -> Float[Array, "fit par"]:
        heights = jax.lax.map(lambda pair: height(*pair), (jnp.array(fits), theirs))
        heights = jnp.where(far, heights, jnp.inf).reshape(STAGES, STAGES)
        which = jnp.argmin(heights, axis=1)
        least = jnp.min(heights, axis=1)
        lower = least + CONSISTENCY < done.deviance
        # a way down from there that leads to an unphysical minimum proves nothing
        lower = lower & ~(done.physical & (done.passed < least))
        found = theirs.reshape(STAGES, STAGES, -1)[own, which]
        return jnp.where(lower[:, None], found, jnp.nan)

    return jax.lax.cond(jnp.any(far), lowest, lambda: jnp.full_like(s.proofs, jnp.nan))


def _blank(init: Params) -> FitResult:
    """Room for the results of all fits."""
    number, count = jnp.zeros((), init.dtype), jnp.int32(0)
    one = FitResult(
        *(init, number, number, count, number, number, count),
        *(number, init, number, init, jnp.array(False)),
    )
    return jax.tree.map(lambda leaf: jnp.stack([leaf] * STAGES), one)
