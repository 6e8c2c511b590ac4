"""Tests that go on from earlier ones are those that are done alone."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.fitting.status import FitSettings
from hfjax.inference.hypotest import hypotest
from hfjax.inference.repeated_tests import curves_of, no_past, remembered, repeated_test
from hfjax.inference.subject import subject_of
from hfjax.inference.test_state import ASIMOV, FREE
from hfjax.inference.test_statistics import qmu_tilde
from tests.assertions import assert_close
from tests.workspaces import HELLO, shapesys

pytestmark = pytest.mark.slow

SETTINGS = FitSettings()
VALUES = (0.4, 3.0, 2.0, 2.05, 0.9, 11.0)


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, [51, 48]))


@pytest.fixture(scope="module")
def run(hello):
    """A test of a value after those in a past."""
    program = jax.jit(
        lambda value, past: repeated_test(
            subject_of(*hello, SETTINGS), value, qmu_tilde, SETTINGS, past
        )
    )
    return lambda value, past: program(jnp.asarray(value), past)


def past_of(hello):
    return no_past(subject_of(*hello, SETTINGS), len(VALUES), SETTINGS)


def test_one_after_the_other_is_the_same_as_alone(hello, run):
    past, steps = past_of(hello), []
    for value in VALUES:
        found = run(value, past)
        past = remembered(past, found)
        steps.append(int(found.steps))
        if value <= 10.0:
            alone = hypotest(*hello, value)
            assert_close(curves_of(found), curves_of(alone), 1e-9)
            assert_close(found.mu_hat, alone.mu_hat, 0.0, 1e-9)
    assert int(past.count) == len(VALUES)
    assert max(steps[1:]) < steps[0]
    assert 2 * steps[3] < steps[0]  # two fits of four, close to known ones


@pytest.mark.parametrize("which", [FREE, ASIMOV])
def test_what_was_wrong_before_is_done_anew(hello, run, which):
    """A free fit far above, or a start without a likelihood, proves the past wrong."""
    found = run(0.4, past_of(hello))
    past = remembered(past_of(hello), found)
    if which == FREE:
        deviance = jnp.asarray(past.done.deviance).at[FREE].add(50.0)
        past = eqx.tree_at(lambda p: p.done.deviance, past, deviance)
    else:
        past = past._replace(ends=jnp.full_like(past.ends, jnp.nan))
    again = run(2.0, past)
    assert_close(curves_of(again), curves_of(hypotest(*hello, 2.0)), 1e-9)
    assert int(again.background.steps) > 0 or int(again.free.steps) > 0


def test_a_test_that_has_failed_is_forgotten(hello, run):
    past = past_of(hello)
    failed = eqx.tree_at(lambda f: f.code, run(0.4, past), jnp.int32(3))
    assert int(remembered(past, failed).count) == 0
    assert np.all(np.isinf(remembered(past, failed).values))
