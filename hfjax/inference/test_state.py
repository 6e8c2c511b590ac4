"""What the fits of a hypothesis test are asked, and what is known at each turn."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float

from hfjax.arrays import Array, Params, ParamsMask, ScalarBool, ScalarInt
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings
from hfjax.fitting.valleys.candidates import is_near, number_of_marks, valley_marks
from hfjax.model.data import Data
from hfjax.model.model import Model

CONSISTENCY = 1e-6
"""How far, in units of 2NLL, a fit may end above another by rounding."""
BACKGROUND, FIXED, FREE, ASIMOV = range(4)
STAGES = 4

Marks = Float[Array, " mark"]


class Question(NamedTuple):
    """What does not change during a test.

    Attributes:
        model: the model.
        data: observed data.
        values: parameter of interest in each fit.
        settings: of all fits.
        truth: parameters of the Asimov data; None for those of the background fit.
    """

    model: Model
    data: Data
    values: Float[Array, " fit"]
    settings: FitSettings
    truth: Params | None = None

    def truth_of(self, background: Params) -> Params:
        """Parameters of the Asimov data, where the background fit has ended so."""
        return background if self.truth is None else self.truth


class FitsState(NamedTuple):
    """State of a test.

    Attributes:
        turn: to come; a pass has one for each fit.
        done: fits so far.
        asimov: data of the last fit.
        news: which fits have found another valley since the others last asked.
        next_news: the same for the pass to come.
        proofs: for each fit, an end of another that is lower; NaN where there is none.
        marks: what tells in which valley each fit has ended.
        resumed: whether an earlier test has done the fits that no value is held in.
    """

    turn: ScalarInt
    done: FitResult
    asimov: Data
    news: Bool[Array, " fit"]
    next_news: Bool[Array, " fit"]
    proofs: Float[Array, "fit par"]
    marks: Float[Array, "fit mark"]
    resumed: ScalarBool


class Earlier(NamedTuple):
    """What a test takes from an earlier one of another value.

    Attributes:
        done: its fits; those held at the tested value may be of yet another test, and
            are where these fits start now.
        asimov: its Asimov data.
        usable: whether there is such a test.
    """

    done: FitResult
    asimov: Data
    usable: ScalarBool


def fresh_state(test: Question) -> FitsState:
    """Before the first fit.

    Args:
        test: what is tested.
    """
    model, init = test.model, jnp.asarray(test.model.parameters.init)
    return FitsState(
        jnp.int32(0),
        _blank(init),
        test.data,
        jnp.zeros(STAGES, bool),
        jnp.zeros(STAGES, bool),
        jnp.full((STAGES, init.size), jnp.nan, init.dtype),
        jnp.full((STAGES, number_of_marks(model)), jnp.nan, init.dtype),
        jnp.array(False),
    )


def resumed_state(test: Question, earlier: Earlier, talks: bool) -> FitsState:
    """Before the fits that are held at the tested value; all others are done.

    Args:
        test: what is tested.
        earlier: a test of another value.
        talks: whether fits tell one another of their valleys.
    """
    model, fresh = test.model, fresh_state(test)
    steps = jnp.zeros_like(earlier.done.steps)
    marks = jax.vmap(lambda params: marks_of(model, params))(earlier.done.params)
    resumed = fresh._replace(
        turn=jnp.int32(FIXED),
        done=eqx.tree_at(lambda r: r.steps, earlier.done, steps),
        asimov=earlier.asimov,
        news=jnp.array([talks, False, talks, False]),
        marks=marks,
        resumed=jnp.array(True),
    )
    return chosen(earlier.usable, resumed, fresh)


def chosen(which: ScalarBool, one: Any, other: Any) -> Any:
    """The one state if a condition is true, else the other.

    Args:
        which: the condition.
        one: a pytree.
        other: of the same kind.
    """
    return jax.tree.map(lambda a, b: jnp.where(which, a, b), one, other)


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


def fixed_in(test: Question, i: ScalarInt) -> ParamsMask:
    """Which parameters a fit holds."""
    fixed, poi = jnp.asarray(test.model.parameters.fixed), test.model.poi
    return fixed.at[poi].set(fixed[poi] | (i != FREE))


def data_of(test: Question, asimov: Data, i: ScalarInt) -> Data:
    """What a fit is of: the observed or the Asimov data."""
    return jax.tree.map(lambda a, d: jnp.where(i == ASIMOV, a, d), asimov, test.data)


def _blank(init: Params) -> FitResult:
    """Room for the results of all fits."""
    number, count = jnp.zeros((), init.dtype), jnp.int32(0)
    one = FitResult(
        *(init, number, number, count, number, number, count),
        *(number, init, number, init, jnp.array(False)),
    )
    return jax.tree.map(lambda leaf: jnp.stack([leaf] * STAGES), one)
