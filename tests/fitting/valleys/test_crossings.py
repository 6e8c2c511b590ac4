"""Which crossings are worth a fit, and when a fit has left one."""

import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.fitting.objective import Objective
from hfjax.fitting.valleys.crossings import (
    CrossingTask,
    crossings_separate,
    has_left,
)
from tests.workspaces import make, normsys, sample, workspace

LO, HI = 0.01, 30.0
"""Factors of a normsys whose polynomial is negative between two of its zeros."""


def model_of(large: float, small: float):
    """Two systematics with two crossings each, on samples of so many events."""
    samples = [
        sample("b", [50.0]),
        sample("one", [large], normsys("a", LO, HI)),
        sample("other", [small], normsys("c", LO, HI)),
    ]
    model, data = make(workspace({"SR": samples}, {"SR": [60.0]}, poi=""))
    return model, Objective(model.anonymous(), data.anonymous())


def test_each_crossing_is_judged_by_itself():
    model, objective = model_of(100.0, 0.01)
    found = np.asarray(crossings_separate(objective, model.parameters.init))
    large = np.asarray(model.crossings.index) == model.parameters.names.index("a")
    assert large.sum() == 2
    assert (found == large).all()


@pytest.mark.parametrize(
    ("held", "away", "left"),
    [
        (False, 0.2, True),
        (False, -0.2, True),
        (False, 0.1, False),
        (True, 0.2, False),
    ],
)
def test_a_fit_has_left_where_it_is_far_and_free(held, away, left):
    model, objective = model_of(100.0, 0.01)
    nothing, no = model.parameters.init, jnp.array(False)
    task = CrossingTask(
        start=jnp.asarray(nothing),
        fixed=jnp.zeros(nothing.size, bool),
        worth=~no,
        holds=jnp.array(held),
        fresh=no,
        releases=no,
        which=jnp.int32(1),
    )
    index, value = model.crossings.index[1], model.crossings.value[1]
    params = jnp.asarray(nothing).at[index].set(value + away)
    assert bool(has_left(objective, task, params)) == left
