"""The fits of a toy: held at the tested value, free, and at zero where it is needed."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from hfjax.arrays import Array, Scalar, ScalarBool, ScalarInt
from hfjax.fitting.best_fit import best_fit
from hfjax.fitting.objective import Objective
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.fitting.valleys.candidates import has_valleys
from hfjax.fitting.valleys.found import Starts, Told
from hfjax.inference.test_proofs import better
from hfjax.inference.test_state import CONSISTENCY, elsewhere, marks_of
from hfjax.model.data import Data
from hfjax.model.model import Model

HELD, ZERO, FREE = range(3)
STAGES = 3


class ToyFits(NamedTuple):
    """What is kept of the fits of one data set.

    Attributes:
        deviance: lowest one at the tested value, at zero and free.
        mu_hat: best fit of the parameter of interest.
        code: the value of the worst `FitStatus`.
    """

    deviance: Float[Array, " fit"]
    mu_hat: Scalar
    code: ScalarInt


class Ends(NamedTuple):
    """Where the fits of one data set have ended; `mu_hat` is that of the free one.

    Attributes:
        deviance: of each fit.
        code: value of its `FitStatus`.
        physical: whether its minimum is.
        passed: deviance of an unphysical minimum that it has passed over; or infinite.
        mu_hat: best fit of the parameter of interest.
    """

    deviance: Float[Array, " fit"]
    code: Int[Array, " fit"]
    physical: Bool[Array, " fit"]
    passed: Float[Array, " fit"]
    mu_hat: Scalar


class Hypothesis(NamedTuple):
    """What is tested.

    Attributes:
        poi_value: tested value of the parameter of interest.
        needs_zero: whether the fit at zero is a part of the test statistic.
    """

    poi_value: Scalar
    needs_zero: ScalarBool


class _State(NamedTuple):
    """State of the fits: the next turn, and the results so far."""

    turn: ScalarInt
    done: FitResult


def toy_fits(
    model: Model,
    data: Data,
    hypothesis: Hypothesis,
    starts: Starts,
    settings: FitSettings,
) -> ToyFits:
    """Do the fits that a test statistic is made of.

    The held ones start where they are told to; the free one where the lower of them has
    ended, so that it can never end above either. Where fits have ended in different
    valleys, each starts once more where the others have ended, and looks around only if
    that is lower. One loop over all, so that the minimizer is compiled once.

    Args:
        model: a model of any size.
        data: its data.
        hypothesis: what is tested.
        starts: where held fits start.
        settings: of all fits.
    """
    objective = Objective(model, data)
    fixed = jnp.asarray(model.parameters.fixed)
    free = functools.partial(best_fit, objective, settings=settings)
    kinds = jax.eval_shape(lambda: free(starts, fixed))
    blank = jax.tree.map(lambda k: jnp.zeros((STAGES, *k.shape), k.dtype), kinds)
    needed = jnp.array([True, False, True]) | hypothesis.needs_zero
    count, talks = starts.shape[0], settings.valleys != "initial" and has_valleys(model)
    values = jnp.stack([hypothesis.poi_value, jnp.zeros_like(hypothesis.poi_value)])

    def turn(s: _State) -> _State:
        i, first = s.turn % STAGES, s.turn < STAGES
        others = jnp.zeros(STAGES, bool)
        if talks:
            others = _elsewhere(model, s.done, i) & needed & ~first
        chosen = _starts(s.done, i, starts, others, needed)[: None if talks else count]
        held = jnp.asarray(chosen).at[:, model.poi].set(values[jnp.minimum(i, ZERO)])
        chosen = jnp.where((i == FREE) | jnp.isnan(chosen), chosen, held)
        old = jax.tree.map(lambda leaf: leaf[i], s.done)

        def fitted() -> FitResult:
            holds = fixed[model.poi] | (i < FREE)
            holding = jnp.asarray(fixed).at[model.poi].set(holds)
            found = free(chosen, holding, told=Told(chosen[:0], looks=first))
            kept = better(old, found)
            return jax.tree.map(lambda a, b: jnp.where(first, a, b), found, kept)

        tries = needed[i] & (first | jnp.any(others))
        one = jax.lax.cond(tries, fitted, lambda: old)
        done = jax.tree.map(lambda all_, new: all_.at[i].set(new), s.done, one)
        return _State(s.turn + 1, done)

    last = STAGES * (2 if talks else 1)
    begin = _State(jnp.int32(0), blank)
    end = jax.lax.while_loop(lambda s: s.turn < last, turn, begin)
    done = end.done
    found = done.deviance, done.code, done.physical, done.passed
    return kept(Ends(*found, done.params[FREE, model.poi]), needed)


def _starts(
    done: FitResult,
    i: ScalarInt,
    starts: Starts,
    others: Bool[Array, " fit"],
    needed: Bool[Array, " fit"],
) -> Float[Array, "_ par"]:
    """Where a fit starts: as it is told to, and where others lead; NaN for no start."""
    again = jnp.any(others)
    lower = needed[ZERO] & (done.deviance[ZERO] < done.deviance[HELD])
    lower = jnp.where(lower, done.params[ZERO], done.params[HELD])
    first = jnp.where(i == FREE, lower, starts[0])
    first = jnp.where(again, done.params[i], first)
    more = jnp.where(again, jnp.nan, starts[1:])
    ends = jnp.where(others[:, None], done.params, jnp.nan)
    return jnp.concatenate([first[None], more, ends])


def _elsewhere(model: Model, done: FitResult, i: ScalarInt) -> Bool[Array, " fit"]:
    """Which fits have ended in another valley than one of them."""
    found = jax.vmap(lambda params: marks_of(model, params))(done.params)
    return jax.vmap(elsewhere, (0, None))(found, found[i])


def kept(ends: Ends, needed: Bool[Array, " fit"]) -> ToyFits:
    """What is kept; a free fit above a held one has not converged.

    As in `hypotest`, a held fit that has no physical minimum proves nothing of a free
    one that has, and nor does one from which the way down leads to an unphysical one.

    Args:
        ends: of the fits of one data set.
        needed: which of them the test statistic is made of.
    """
    deviance = jnp.where(needed, ends.deviance, jnp.inf)
    proofs = jnp.where(ends.physical | ~ends.physical[FREE], deviance, jnp.inf)
    least = jnp.min(proofs[:FREE])
    above = deviance[FREE] > least + CONSISTENCY
    above = above & ~(ends.physical[FREE] & (ends.passed[FREE] < least))
    worst = jnp.max(jnp.where(needed, ends.code, FitStatus.CONVERGED))
    above = jnp.where(above, FitStatus.INCONSISTENT, FitStatus.CONVERGED)
    code = jnp.maximum(worst, above).astype(jnp.int32)
    return ToyFits(deviance, ends.mu_hat, code)
