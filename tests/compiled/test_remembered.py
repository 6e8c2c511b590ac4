"""Results that are kept: of equal arguments only."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.compiled.program import Program, run_directly
from hfjax.compiled.remembered import Remembered
from hfjax.fitting.best_fit import fit
from hfjax.fitting.status import FitSettings
from hfjax.inference.goodness import goodness_of_fit
from hfjax.inference.impacts import impacts
from tests.workspaces import make, two_bins


@jax.jit
def total(values, weights):
    return jnp.sum(values * weights["of"])


@pytest.fixture
def counted():
    """A way to call programs, and the programs that it has called."""
    called = []

    def run(program):
        called.append(program.function.__name__)
        return run_directly(program)

    return Remembered(run), called


def call(values, dtype=np.float64, of=2.0):
    return Program(total, (np.asarray(values, dtype), {"of": np.float64(of)}), {})


def test_equal_arguments_are_not_called_again(counted):
    run, called = counted
    assert float(run(call([1.0, 2.0]))) == float(run(call([1.0, 2.0]))) == 6.0
    assert len(called) == 1


@pytest.mark.parametrize(
    "other",
    [
        call([1.0, 3.0]),
        call([[1.0], [2.0]]),
        call([1.0, 2.0], np.float32),
        call([1.0, 2.0], of=3.0),
        Program(jax.jit(total.__wrapped__), call([1.0, 2.0]).arguments, {}),
    ],
)
def test_whatever_differs_is_called(counted, other):
    run, called = counted
    run(call([1.0, 2.0]))
    run(other)
    assert len(called) == 2


def test_one_fit_serves_all_that_need_it(counted):
    run, called = counted
    model, data = make(two_bins())
    settings = FitSettings(run=run)
    found = fit(model, data, settings=settings)
    assert impacts(model, data, settings=settings).value == found["mu"]
    assert goodness_of_fit(model, data, settings=settings).free.converged
    assert called.count("best_fit") == 1
