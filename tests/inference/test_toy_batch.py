"""Toys of small models: fitted side by side, with the numbers of one after another."""

import functools

import jax
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.fitting.newton import together
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference import toy_batch
from hfjax.inference.goodness import goodness_of_fit
from hfjax.inference.toy_batch import suits
from hfjax.inference.toy_settings import ToySettings
from hfjax.inference.toys import toys
from tests.assertions import assert_close
from tests.workspaces import HELLO, MU, lopsided, make, sample, shapesys, workspace

NUMBER = 40


def drawn(model, data, **settings):
    key = jax.random.key(3)
    return toys(model, data, 1.0, NUMBER, key, settings=ToySettings(**settings))


@functools.cache
def hello():
    return build(shapesys(*HELLO, [51, 48]))


def negative():
    """Signals may be negative: the test statistic needs the fit at zero."""
    samples = [sample("signal", [4.0], MU), sample("bkg", [9.0])]
    bounds = {"name": "mu", "bounds": [[-1.0, 10.0]]}
    return make(workspace({"SR": samples}, {"SR": [11.0]}, bounds))


@pytest.fixture
def one_by_one(monkeypatch):
    """Toys that no batch fits; programs are compiled anew."""

    def off():
        monkeypatch.setattr(toy_batch, "LIGHT", 0)
        jax.clear_caches()

    yield off
    monkeypatch.undo()
    jax.clear_caches()


def same(one, other):
    assert (np.asarray(one.codes) == FitStatus.CONVERGED).all()
    assert (np.asarray(one.codes) == np.asarray(other.codes)).all()
    assert_close(one.q, other.q, 1e-9, 1e-9)
    assert_close(one.q_obs, other.q_obs, 1e-9, 1e-9)
    assert_close(one.mu_hat, other.mu_hat, 1e-6, 1e-6)


@pytest.mark.parametrize("of", [hello, negative])
def test_batches_have_the_numbers_of_single_fits(of, one_by_one):
    model, data = of()
    assert suits(model, FitSettings())
    batched = drawn(model, data)
    one_by_one()
    assert not suits(model, FitSettings())
    same(batched, drawn(model, data))


def test_toys_of_a_goodness_of_fit_have_the_numbers_of_single_fits(one_by_one):
    model, data = hello()
    batched = goodness_of_fit(model, data, toys=NUMBER, key=5)
    one_by_one()
    single = goodness_of_fit(model, data, toys=NUMBER, key=5)
    assert batched.failures == single.failures == {}
    assert_close(batched.toy_statistics, single.toy_statistics, 1e-9, 1e-9)


@pytest.mark.slow
def test_what_a_batch_leaves_is_fitted_one_by_one(monkeypatch, one_by_one):
    model, data = hello()
    batched = drawn(model, data)
    jax.clear_caches()
    monkeypatch.setattr(together, "MOST_TURNS", 5)
    some = drawn(model, data)
    same(batched, some)
    one_by_one()
    same(some, drawn(model, data))


def test_models_with_several_valleys_are_not_fitted_in_batches():
    assert not suits(make(lopsided())[0], FitSettings())
    assert not suits(hello()[0], FitSettings(minimizer="optax-lbfgs"))
