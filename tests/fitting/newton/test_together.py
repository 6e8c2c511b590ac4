"""Fits side by side end where each ends alone."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from hfjax.building.build import build
from hfjax.fitting.best_fit import fit
from hfjax.fitting.newton.together import descend_together
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitStatus
from hfjax.model.data import Data
from tests.assertions import assert_close
from tests.workspaces import (
    HELLO,
    MU,
    empty_control,
    histosys,
    make,
    sample,
    shapesys,
    workspace,
)

TOLERANCE = 1e-10
FREE = np.zeros(3, bool)
OBSERVED = [[51.0, 48.0], [30.0, 31.0], [62.0, 63.0], [70.0, 40.0], [0.0, 1.0]]
"""Main data; the signal is above, at and far beyond its bound of zero."""


@functools.cache
def hello():
    return build(shapesys(*HELLO, [51, 48]))


def many(main) -> Data:
    data = hello()[1]
    counts = jnp.asarray(main)
    return Data(counts, jnp.broadcast_to(data.aux, (len(counts), data.aux.size)))


@functools.partial(jax.jit, static_argnames="model_of")
def found(data, fixed, model_of=hello):
    model = model_of()[0].anonymous()
    starts = jnp.broadcast_to(model.parameters.init, (len(data.main), fixed.size))
    return descend_together(model, data, starts, fixed, TOLERANCE)


def test_each_lane_ends_where_its_fit_alone_does():
    ends = found(many(OBSERVED), FREE)
    assert (ends.status == FitStatus.CONVERGED).all()
    for i, main in enumerate(OBSERVED):
        alone = fit(hello()[0], Data(jnp.asarray(main), hello()[1].aux))
        assert_close(2.0 * float(ends.value[i]), float(alone.deviance), 1e-10, 1e-10)
        assert_close(ends.params[i], alone.params, 1e-6, 1e-6)


def test_what_is_fixed_stays():
    ends = found(many(OBSERVED), np.array([True, False, False]))
    assert (ends.params[:, 0] == 1.0).all()
    assert (ends.status == FitStatus.CONVERGED).all()


def test_a_lane_does_not_depend_on_its_neighbours():
    both = found(many(OBSERVED), FREE)
    turned = found(many(OBSERVED[::-1]), FREE)
    assert (both.params == turned.params[::-1]).all()
    assert (both.value == turned.value[::-1]).all()


def test_what_no_plain_step_can_do_is_left_to_others():
    bad = [[np.nan, 48.0], [-1.0, 48.0], [51.0, 48.0]]
    codes = np.asarray(found(many(bad), FREE).status)
    assert codes[0] == codes[1] == FitStatus.NOT_FINITE
    assert codes[2] == FitStatus.CONVERGED


def test_a_start_between_two_valleys_is_no_minimum():
    """The rate is even in the systematic: no slope, and both sides are lower."""
    bkg = sample("bkg", [50.0], histosys("shape", [65.0], [65.0]))
    document = workspace({"SR": [sample("signal", [5.0], MU), bkg]}, {"SR": [80.0]})
    model, data = make(document)
    objective = Objective(model.anonymous(), data.anonymous())
    held = np.arange(2) == model.poi
    start = jnp.asarray(model.parameters.init).at[model.poi].set(0.0)[None]
    one = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], objective.data)
    end = descend_together(objective.model, one, start, jnp.asarray(held), TOLERANCE)
    assert end.status[0] != FitStatus.CONVERGED


def test_a_factor_leaves_its_bound_of_zero_in_an_empty_region():
    model, data = make(empty_control())
    start = jnp.where(jnp.arange(2) == model.poi, 1.0, 0.0)[None]
    one = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], data.anonymous())
    free = jnp.zeros(2, bool)
    end = descend_together(model.anonymous(), one, start, free, TOLERANCE)
    alone = fit(model, data)
    assert_close(float(alone["mu"]), 0.1016483516, 1e-8)
    assert end.status[0] == FitStatus.CONVERGED
    assert abs(2.0 * end.value[0] - alone.deviance) < 1e-8
