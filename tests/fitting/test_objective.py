"""The objective and its derivatives, with every kind of constraint term; its fits."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.workspace.workspace import Workspace
from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.fitting.objective import Objective, half_deviance
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings
from hfjax.model.model import Model
from tests.assertions import assert_close
from tests.model.extended import all_constraints, setting
from tests.reference.shapesys import ShapesysModel
from tests.workspaces import (
    HELLO,
    extended,
    make,
    modifier,
    normsys,
    sample,
    shapesys,
    workspace,
)

value = jax.jit(lambda objective, x: objective.value(x))
slope = jax.jit(jax.grad(lambda x, objective: objective.value(x)))
expand = jax.jit(lambda objective, x: objective.expand(x))


@jax.jit
def curvature(objective, x, vector):
    return jax.jvp(jax.grad(objective.value), (x,), (vector,))[1]


@pytest.fixture(scope="module")
def mixed():
    """Model and data with every kind of constraint term on every type."""
    return make(all_constraints())


def points(model: Model, number: int):
    """Parameters around the initial values; data stay, so that pulls go both ways."""
    parameters = model.parameters
    lower, upper = np.asarray(parameters.lower), np.asarray(parameters.upper)
    for seed in range(number):
        noise = np.random.default_rng(seed).normal(size=lower.size)
        widths = 0.4 * (1 + 3 * (seed % 2))  # every second one far away
        values = np.asarray(parameters.init) + widths * noise
        yield jnp.asarray(np.clip(values, np.maximum(lower, -0.7), upper - 0.05)) + 0.02


def test_value_and_offset_make_the_log_density(mixed):
    model, data = mixed
    objective = Objective(model.anonymous(), data.anonymous())
    for params in points(model, 4):
        found = value(objective, params) + objective.offset()
        assert_close(found, -model.logpdf(params, data), 1e-11)


@pytest.mark.parametrize("count", [0.0, 3.0])
@pytest.mark.parametrize("rate", [0.2, 3.0])
def test_a_half_deviance_has_the_slopes_of_its_formula(count, rate):
    at = jnp.array(count), jnp.array(rate)
    slopes = jax.grad(half_deviance, (0, 1))(*at)
    assert_close(slopes[1], 1.0 - count / rate, 1e-14, 1e-14)
    assert_close(slopes[0], math.log(count / rate) if count else 0.0, 1e-14, 1e-14)
    mixed = jax.grad(jax.grad(half_deviance, 1), 0)(*at)
    assert_close(mixed, -1.0 / rate, 1e-14)


@pytest.mark.slow
def test_derivatives_are_those_of_the_value(mixed):
    model, data = mixed
    objective = Objective(model.anonymous(), data.anonymous())
    for seed, params in enumerate(points(model, 6)):
        at = expand(objective, params)
        known = slope(params, objective)
        size = float(jnp.abs(known).max())
        assert_close(at.gradient, known, 1e-10, 1e-11 * size)
        vector = jnp.asarray(np.random.default_rng(seed).normal(size=params.size))
        known = curvature(objective, params, vector)
        size = float(jnp.abs(known).max())
        assert_close(at.hessian_product(vector), known, 1e-9, 1e-11 * size)
        assert bool(jnp.all(at.prior >= 0.0))


@pytest.mark.slow
def test_the_hessian_is_that_of_the_value(mixed):
    model, data = mixed
    objective = Objective(model.anonymous(), data.anonymous())
    params = next(points(model, 1))
    known = jax.hessian(objective.value)(params)
    size = float(jnp.abs(known).max())
    assert_close(
        jax.jit(Objective.hessian)(objective, params), known, 1e-9, 1e-11 * size
    )


def test_log_normal_terms_bend_the_other_way_far_above_their_datum():
    """Where ``beta > e aux`` the Hessian is negative; what preconditions is not."""
    top = sample("top", [0.0], modifier("staterror", "g", [0.1]))
    other = sample("W", [10.0], normsys("a", 1.0, 1.0))
    plain = workspace({"SR": [top, other]}, {"SR": [10.0]}, poi="")
    entry = setting("a", "lognormal", sigmas=[0.5])
    model, data = make(extended(plain, entry))
    params = jnp.asarray(model.parameters.pack({"a": 4.0}))  # beta = 3
    at = expand(Objective(model.anonymous(), data.anonymous()), params)
    unit = jnp.asarray(model.parameters.pack({"a": 1.0, "g": [0.0]}))
    assert float(at.hessian_product(unit) @ unit) < 0.0
    assert float(at.prior @ unit) > 0.0


# -- fits --------------------------------------------------------------------------


def staterror(kind: str, **settings) -> Workspace:
    """The textbook model with a staterror of a kind in place of its shapesys."""
    signal, background, uncertainty = HELLO
    samples = [
        sample("signal", signal, modifier("normfactor", "mu")),
        sample("bkg", background, modifier("staterror", "g", uncertainty)),
    ]
    plain = workspace({"SR": samples}, {"SR": [60.0, 65.0]})
    return Workspace.parse(extended(plain, setting("g", kind, **settings)))


@pytest.mark.parametrize("kind", ["poisson", "gamma"])
def test_counting_staterror_has_the_fits_of_a_shapesys_in_closed_form(kind):
    exact, observed = ShapesysModel(*HELLO), [60.0, 65.0]
    model, data = build(staterror(kind))
    free, fixed = fit(model, data), fixed_poi_fit(model, data, 1.0)
    gammas = exact.gammas(1.0, observed, exact.tau)
    assert free.converged
    assert fixed.converged
    assert_close(fixed.params, [1.0, *gammas], 1e-9)
    assert_close(free.params[0], exact.mu_hat(observed, exact.tau), 1e-9)
    known = exact.twice_nll(1.0, observed, exact.tau)
    assert_close(fixed.twice_nll, known, 0, 1e-9)
    same = fixed_poi_fit(*build(shapesys(*HELLO, observed)), 1.0)
    assert_close(fixed.twice_nll, same.twice_nll, 0, 1e-9)


def test_factors_of_a_counting_staterror_replace_tau():
    exact = ShapesysModel([12.0, 11.0], [50.0, 52.0], [50 / 10, 52 / 8])
    model, data = build(staterror("poisson", factors=[100, 64], auxdata=[100, 64]))
    fixed = fixed_poi_fit(model, data, 1.0)
    assert_close(fixed.params[1:], exact.gammas(1.0, [60, 65], [100, 64]), 1e-9)


def scalar_minimum(function, low: float, high: float) -> float:
    """Where the derivative of a convex function crosses zero, by bisection."""
    step = 1e-6
    for _ in range(100):
        middle = (low + high) / 2
        if function(middle + step) < function(middle - step):
            low = middle
        else:
            high = middle
    return (low + high) / 2


@pytest.mark.slow
def test_fit_of_a_log_normal_parameter_is_where_a_scan_finds_it():
    top = sample("top", [50.0], normsys("a", 0.8, 1.2))
    plain = workspace({"SR": [top]}, {"SR": [80.0]}, poi="")
    entry = setting("a", "lognormal", sigmas=[0.4])
    found = make(extended(plain, entry))
    best = fit(*found)
    model, data = found
    density = jax.jit(lambda x: -model.logpdf(x[None], data))
    known = scalar_minimum(lambda x: float(density(jnp.asarray(x))), -1.0, 5.0)
    assert best.converged
    assert_close(best.params[0], known, 1e-6)


@pytest.mark.slow
def test_free_parameter_without_constraint_takes_the_data():
    """Without a term, the rate of the only sample is what was seen."""
    top = sample("top", [50.0], normsys("a", 0.8, 1.2))
    plain = workspace({"SR": [top]}, {"SR": [55.0]}, poi="")
    free = fit(*make(extended(plain, setting("a", "none"))))
    held = fit(*make(plain))
    assert free.converged
    assert_close(free.deviance, 0.0, 0, 1e-9)
    assert 0.0 < float(held.params[0]) < float(free.params[0])


@pytest.mark.slow
def test_fits_return_the_parameters_of_asimov_data(mixed):
    """Every kind of auxiliary measurement reproduces its parameter."""
    model, _ = mixed
    for seed in range(3):
        noise = np.random.default_rng(seed).normal(size=model.parameters.init.size)
        truth = np.asarray(model.parameters.init) + 0.05 * noise
        truth = jnp.where(model.parameters.fixed, model.parameters.init, truth)
        found = fit(model, model.expected_data(truth))
        assert found.converged
        assert_close(found.params, truth, 1e-5, 1e-5)
        assert_close(found.deviance, 0.0, 0.0, 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("minimizer", ["newton", "optax-lbfgs"])
def test_fits_of_all_kinds_converge_to_a_flat_place(mixed, minimizer):
    model, data = mixed
    settings = FitSettings(minimizer=minimizer, max_steps=2000)
    found: FitResult = fit(model, data, settings=settings)
    assert found.converged
    free = ~np.asarray(model.parameters.fixed)
    gradient = np.asarray(jax.grad(model.logpdf)(found.params, data))
    parameters = model.parameters
    lower, upper = np.asarray(parameters.lower), np.asarray(parameters.upper)
    inside = (np.asarray(found.params) > lower) & (np.asarray(found.params) < upper)
    assert_close(gradient[free & inside], 0.0, 0.0, 1e-2)
    best = fit(model, data)
    assert_close(found.twice_nll, best.twice_nll, 0.0, 1e-4)
