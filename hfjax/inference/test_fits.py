"""The four fits of a hypothesis test, which tell one another what they have found."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from hfjax.arrays import Array, Params, Scalar, ScalarBool, ScalarInt
from hfjax.fitting.best_fit import best_fit
from hfjax.fitting.implicit import constant, expected_at, with_derivatives
from hfjax.fitting.objective import Objective
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings
from hfjax.fitting.valleys.candidates import explores, has_valleys
from hfjax.fitting.valleys.found import Starts, Told
from hfjax.inference.subject import Subject
from hfjax.inference.test_proofs import (
    better,
    failed,
    find_proofs,
    free_is_above,
    higher,
    is_doubtful,
    is_lower_beyond,
    is_proven,
)
from hfjax.inference.test_state import (
    ASIMOV,
    BACKGROUND,
    FIXED,
    FREE,
    STAGES,
    Earlier,
    FitsState,
    Marks,
    Question,
    chosen,
    data_of,
    elsewhere,
    fixed_in,
    fresh_state,
    marks_of,
    resumed_state,
)
from hfjax.model.data import Data

PASSES = 4
"""How often fits tell one another of their valleys."""


class TestFits(eqx.Module):
    """Fits in the order in which they are done; the data of the last, and its truth."""

    __test__ = False  # for pytest: the name begins with Test, but it is none

    background: FitResult
    fixed: FitResult
    free: FitResult
    asimov_fixed: FitResult
    asimov_data: Data
    truth: Params


def run_fits(
    subject: Subject,
    poi: Scalar,
    asimov_poi: Scalar,
    settings: FitSettings,
    earlier: Earlier | None = None,
) -> TestFits:
    """Do all fits of a test, each from where an earlier one ended.

    First with the parameter of interest at the Asimov value, then at the tested value
    from there, then free from the lower of the two (so that it can never end above
    either), then on the Asimov data. Where a fit has found another valley than that of
    its start, the others try it as well, until none leads lower; and where the end of
    one is lower for another, that starts from there. One loop over all, so that the
    minimizer is compiled once.

    After an earlier test of another value only the fits that are held at this one are
    done, from where that has ended. All are done anew if that leaves a doubt.

    Args:
        subject: a model, its data, and where the Asimov data come from.
        poi: tested value.
        asimov_poi: value of the Asimov data.
        settings: of all fits.
        earlier: test of the same model and data, if there is one.
    """
    model, truth = subject.model, subject.truth(asimov_poi)
    data = jax.tree.map(lambda d: d.astype(poi.dtype), subject.data)
    values = jnp.stack([asimov_poi, poi, poi, poi])
    known, its_data, its_values, its_truth = constant((model, data, values, truth))
    test = Question(known, its_data, its_values, settings, its_truth)
    talks = settings.valleys != "initial" and has_valleys(model)
    last = STAGES * (PASSES if talks else 1)
    begin = fresh = fresh_state(test)
    if earlier is not None:
        begin = resumed_state(test, constant(earlier), talks)

    def unfinished(s: FitsState) -> ScalarBool:
        more = (s.turn < STAGES) | jnp.any(s.news | s.next_news | is_proven(s))
        return (s.turn < last) & more

    def run(s: FitsState) -> FitsState:
        after = _turn(test, s)
        if earlier is None:
            return after
        again = after.resumed & ~unfinished(after) & is_doubtful(test, after, talks)
        steps = after.done.steps
        anew = eqx.tree_at(lambda state: state.done.steps, fresh, steps)
        return chosen(again, anew, after)

    end = jax.lax.while_loop(unfinished, run, begin)
    above = is_proven(end) if talks else free_is_above(end.done)
    done = failed(end.done, above)
    question = Question(model, data, values, settings, truth)
    return _differentiable(done, end.asimov, question)


def _differentiable(done: FitResult, asimov: Data, test: Question) -> TestFits:
    """Give all fits the derivatives in what the test depends on."""
    init = jnp.asarray(test.model.parameters.init)

    def one(i: int, data: Data) -> FitResult:
        result = jax.tree.map(lambda leaf: leaf[i], done)
        start = init if i == FREE else init.at[test.model.poi].set(test.values[i])
        fixed = fixed_in(test, jnp.int32(i))
        return with_derivatives(result, Objective(test.model, data), start, fixed)

    background, fixed, free = (one(i, test.data) for i in (BACKGROUND, FIXED, FREE))
    truth = test.truth_of(background.params)
    asimov = expected_at(test.model, truth, constant(asimov))
    return TestFits(background, fixed, free, one(ASIMOV, asimov), asimov, truth)


def _turn(test: Question, s: FitsState) -> FitsState:
    """Do a fit, if there is something to try."""
    i = s.turn % STAGES
    first = s.turn < STAGES
    starts = _starts(test, s, i)
    stale = ~first & s.next_news[BACKGROUND] & (i == ASIMOV) & (test.truth is None)
    tries = first | stale | is_proven(s)[i] | jnp.any(jnp.isfinite(starts[1:]))
    tries = tries & ~(s.resumed & first & (i == FREE))
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
    proofs = jax.lax.cond(ends, lambda: find_proofs(test, after), lambda: s.proofs)
    return after._replace(proofs=proofs)


def _noted(
    test: Question, s: FitsState, i: ScalarInt, starts: Starts
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


def _starts(test: Question, s: FitsState, i: ScalarInt) -> Starts:
    """Where a fit starts: first as if no other valley existed, then in those found."""
    first = s.turn < STAGES
    begin = jnp.where(first, _first_start(test, s, i), s.done.params[i])
    begin = jnp.where(
        (i == ASIMOV) & ~(s.resumed & first),
        test.truth_of(s.done.params[BACKGROUND]),
        begin,
    )
    begin = jnp.where(is_proven(s)[i], s.proofs[i], begin)
    holds = i != FREE
    if test.settings.valleys == "initial" or not has_valleys(test.model):
        starts = begin[None]
    else:
        begins = marks_of(test.model, begin)
        others = [_other(s, i, begins, k) for k in (BACKGROUND, FIXED, FREE)]
        starts = jnp.stack([begin, *others])
    held = starts.at[:, test.model.poi].set(test.values[i])
    return jnp.where(holds & jnp.isfinite(starts), held, starts)


def _first_start(test: Question, s: FitsState, i: ScalarInt) -> Params:
    """Where a fit starts in the first pass: see `run_fits`."""
    init, done = jnp.asarray(test.model.parameters.init), s.done
    background, fixed = (done.initial_params[k] for k in (BACKGROUND, FIXED))
    lower = jnp.where(done.initial[FIXED] < done.initial[BACKGROUND], fixed, background)
    start = jnp.where(i == FREE, lower, background)
    return jnp.where(s.resumed, done.params[i], jnp.where(i == BACKGROUND, init, start))


def _other(s: FitsState, i: ScalarInt, begins: Marks, k: int) -> Params:
    """Where another fit has ended, if that is in another valley; else NaN."""
    passes = s.turn // STAGES
    known = jnp.where(passes == 0, (k < i) | s.resumed, (passes > 1) | (k > i))
    useful = known & s.news[k] & (i != k) & elsewhere(s.marks[k], begins)
    for before in range(k):  # what another has told need not be told again
        same = ~elsewhere(s.marks[k], s.marks[before])
        useful = useful & ~(s.news[before] & (i != before) & same)
    return jnp.where(useful, s.done.params[k], jnp.nan)


def _fitted(
    test: Question, s: FitsState, i: ScalarInt, starts: Starts
) -> tuple[FitResult, Data]:
    """Do a fit, and put it to the others; the background's makes the Asimov data."""
    chosen = data_of(test, s.asimov, i)
    objective, fixed = Objective(test.model, chosen), fixed_in(test, i)
    told = starts[1:]
    if told.shape[0]:
        beyond = jax.lax.cond(
            s.turn == FREE, lambda: is_lower_beyond(test, s), lambda: jnp.array(False)
        )
        also = jnp.where(beyond, s.done.params[higher(s)], jnp.nan)
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
    result = eqx.tree_at(lambda r: r.steps, result, result.steps + old.steps)
    done = jax.tree.map(lambda all_, one: all_.at[i].set(one), s.done, result)
    asimov = test.model.expected_data(test.truth_of(done.params[BACKGROUND]))
    return done, asimov
