"""Derivatives of best fits are those of fits that are repeated elsewhere."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import keystr, tree_map_with_path

from hfjax.building.build import build
from hfjax.fitting.best_fit import best_fit, fit, fixed_poi_fit
from hfjax.fitting.implicit import solved
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitSettings
from hfjax.model.data import Data
from tests.assertions import assert_close
from tests.model.extended import all_constraints
from tests.workspaces import (
    HELLO,
    MU,
    all_kinds,
    extended,
    given,
    make,
    modifier,
    normsys,
    sample,
    shapesys,
    workspace,
)

EXACT = FitSettings(tolerance=1e-20)
STEP = 1e-5


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, [71, 58]))


def objective_of(document):
    """What a fit of a document minimizes, with data that no rate is equal to."""
    model, data = make(document)
    noise = 1.0 + 0.1 * np.sin(np.arange(data.main.size))
    return Objective(model.anonymous(), Data(data.main * noise, data.aux))


@functools.partial(jax.jit, static_argnames="held")
def ends(objective, start, held):
    """Parameters and lowest value of a fit that holds one parameter."""
    fixed = jnp.asarray(objective.model.parameters.fixed).at[held].set(True)
    found = best_fit(objective, start[None], fixed, EXACT)
    return found.params, found.twice_nll


@functools.partial(jax.jit, static_argnames="held")
def pushed(objective, start, dots, held):
    """Forward derivatives of the same."""
    return jax.jvp(lambda o, s: ends(o, s, held), (objective, start), dots)[1]


def quadratic():
    """A factor that is a polynomial of another, and a systematic."""
    samples = [
        sample("signal", [10.0, 20.0], MU),
        sample("square", [3.0, 5.0], modifier("normfactor", "k")),
        sample("bkg", [50.0, 60.0], normsys("x", 0.8, 1.1)),
    ]
    document = workspace({"SR": samples}, {"SR": [70.0, 80.0]})
    return extended(document, given("k", "mu ** 2 + 0.2 * mu"))


LEAVES = {
    "all kinds": (
        *(".model.block.nominal", ".model.block.histosys.odd"),
        *(".model.block.histosys.even", ".model.block.normsys.coefficients"),
        *(".model.gaussian.width", ".model.poisson.factor"),
        *(".data.main", ".data.aux"),
    ),
    "all constraints": (".model.lognormal.width", ".model.lognormal.scale"),
    "expressions": (".model.block.nominal", ".data.main"),
}
DOCUMENTS = {
    "all kinds": all_kinds,
    "all constraints": all_constraints,
    "expressions": quadratic,
}


def direction(objective, name):
    """A change of one array, relative to it, the others standing still."""

    def along(path, leaf):
        if not np.issubdtype(np.asarray(leaf).dtype, np.floating):
            return np.zeros(np.shape(leaf), jax.dtypes.float0)
        chosen = keystr(path) == name
        wave = np.cos(1.0 + np.arange(np.size(leaf))).reshape(np.shape(leaf))
        return jnp.asarray(leaf) * wave * 0.1 * chosen

    return tree_map_with_path(along, objective)


def moved(objective, dot, by):
    def step(leaf, change):
        return leaf if change.dtype == jax.dtypes.float0 else leaf + by * change

    return jax.tree.map(step, objective, dot)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "leaf"),
    [
        pytest.param(kind, leaf, marks=() if kind == "all kinds" else pytest.mark.long)
        for kind in LEAVES
        for leaf in LEAVES[kind]
    ],
)
def test_derivatives_in_every_array_are_those_of_differences(kind, leaf):
    objective = objective_of(DOCUMENTS[kind]())
    start = jnp.asarray(objective.model.parameters.init)
    held = start.size - 1 if kind == "expressions" else int(objective.model.poi)
    dot = direction(objective, leaf)
    found = pushed(objective, start, (dot, jnp.zeros_like(start)), held)
    high, low = (ends(moved(objective, dot, h), start, held) for h in (STEP, -STEP))
    params, lowest = ((a - b) / (2 * STEP) for a, b in zip(high, low, strict=True))
    assert abs(lowest) > 1e-6
    assert_close(found[1], lowest, 1e-5, 1e-6)
    size = np.max(np.abs(params))
    assert_close(found[0], params, 1e-4, 1e-5 * size + 2e-8)


@pytest.mark.long
def test_derivatives_in_a_held_value_are_those_of_differences():
    objective = objective_of(all_kinds())
    start, held = jnp.asarray(objective.model.parameters.init), 0
    dot = jnp.zeros_like(start).at[held].set(1.0)
    found = pushed(objective, start, (direction(objective, ""), dot), held)
    high, low = (ends(objective, start + h * dot, held) for h in (STEP, -STEP))
    params, lowest = ((a - b) / (2 * STEP) for a, b in zip(high, low, strict=True))
    assert float(found[0][held]) == 1.0
    assert_close(found[0], params, 1e-4, 1e-5)
    assert_close(found[1], lowest, 1e-5, 1e-6)


@pytest.mark.long
def test_reverse_mode_is_the_transpose_of_forward_mode():
    objective = objective_of(all_kinds())
    start, held = jnp.asarray(objective.model.parameters.init), 0
    dot = direction(objective, ".model.block.nominal")
    weight = jnp.cos(jnp.arange(start.size))
    forward = pushed(objective, start, (dot, jnp.zeros_like(start)), held)[0] @ weight

    @jax.jit
    def pulled(nominal):
        block = dataclasses.replace(objective.model.block, nominal=nominal)
        model = dataclasses.replace(objective.model, block=block)
        return ends(Objective(model, objective.data), start, held)[0] @ weight

    slope = jax.grad(pulled)(objective.model.block.nominal)
    assert_close(jnp.sum(slope * dot.model.block.nominal), forward, 1e-9)


def by_count(model, data):
    return lambda x: fit(model, Data(x * data.main, data.aux)).twice_nll


def by_value(model, data):
    return lambda x: fixed_poi_fit(model, data, x).twice_nll


def by_start(model, data):
    init = model.parameters.init
    return lambda x: fit(model, data, start=x * init).params[0]


WAYS = {
    "reverse": lambda f: jax.grad(f)(1.0),
    "forward": lambda f: jax.jacfwd(f)(1.0),
    "compiled": lambda f: jax.jit(jax.grad(f))(1.0),
    "batched": lambda f: jax.vmap(jax.grad(f))(jnp.ones(2))[1],
}


@pytest.mark.long
@pytest.mark.parametrize(
    ("of", "way"),
    [
        *((by_count, WAYS[way]) for way in ("reverse", "compiled")),
        *((by_value, WAYS[way]) for way in ("forward", "batched")),
    ],
)
def test_all_ways_to_a_derivative_lead_to_it(hello, of, way):
    function = jax.jit(of(*hello))
    known = (function(1.0 + STEP) - function(1.0 - STEP)) / (2 * STEP)
    assert_close(way(of(*hello)), known, 1e-6)


@pytest.mark.slow
def test_where_a_fit_starts_changes_nothing(hello):
    assert float(jax.grad(by_start(*hello))(1.0)) == 0.0


@pytest.mark.slow
def test_a_derivative_has_a_derivative(hello):
    slope = jax.jit(jax.grad(by_count(*hello)))
    known = (slope(1.0 + STEP) - slope(1.0 - STEP)) / (2 * STEP)
    assert_close(jax.hessian(by_count(*hello))(1.0), known, 1e-6)


@pytest.mark.slow
def test_a_parameter_on_its_bound_moves_with_the_bound():
    """Fewer events than background: the best fit is no signal."""
    model, data = build(shapesys(*HELLO, [40, 40]))

    def mu(lower, main):
        parameters = dataclasses.replace(model.parameters, lower=lower)
        own = dataclasses.replace(model, parameters=parameters)
        return fit(own, Data(main, data.aux)).params[0]

    by_bound, by_data = jax.jacfwd(mu, (0, 1))(model.parameters.lower, data.main)
    assert by_bound.tolist() == [1.0, 0.0, 0.0]
    assert by_data.tolist() == [0.0, 0.0]


@pytest.mark.slow
def test_a_bin_without_events_has_a_derivative():
    """Of the best fit in its count; by a difference that is one-sided there."""
    model, data = build(shapesys([12.0, 0.3], [50.0, 0.2], [3.0, 0.07], [62, 0]))

    def mu(events):
        main = jnp.asarray(data.main).at[1].set(events)
        return fit(model, Data(main, data.aux), settings=EXACT)["mu"]

    here, near, far = (mu(k * STEP) for k in range(3))
    known = (4.0 * near - 3.0 * here - far) / (2.0 * STEP)
    assert_close(jax.grad(mu)(0.0), known, 1e-6)
    assert known > 0.1


@pytest.mark.slow
def test_a_fit_that_has_not_converged_has_no_derivative(hello):
    model, data = hello
    one = FitSettings(max_steps=1)

    def of(x):
        return fit(model, Data(x * data.main, data.aux), settings=one).twice_nll

    assert np.isnan(jax.grad(of)(1.0))


@pytest.mark.slow
def test_a_derivative_in_something_else_is_none_through_the_fit(hello):
    model, data = hello

    @jax.jit
    def beside(x, mu):
        still = jax.lax.stop_gradient(x * mu)
        return x**2 * fixed_poi_fit(model, data, still).deviance

    known = fixed_poi_fit(model, data, 3.0).deviance
    value, slope = jax.value_and_grad(beside)(3.0, 1.0)
    assert_close(value, 9.0 * known, 1e-12)
    assert_close(slope, 6.0 * known, 1e-12)


def test_a_parameter_that_changes_nothing_does_not_move(hello):
    """One of a channel that is not there: its curvature is zero."""
    model, data = hello
    absent = dataclasses.replace(
        model.anonymous(),
        bin_present=jnp.array([True, False]),
        poisson=dataclasses.replace(model.poisson, present=jnp.array([True, False])),
    )
    objective = Objective(absent, data.anonymous())
    params = jnp.array([1.2, 0.9, 1.1])
    found = solved(objective, params, jnp.ones(3), jnp.ones(3, bool))
    assert np.all(np.isfinite(found))
    assert float(found[2]) == 0.0


@pytest.mark.slow
def test_programs_without_derivatives_know_nothing_of_them(hello):
    model, data = hello
    text = jax.jit(lambda d: fit(model, d)).lower(data).as_text()
    assert "solve" not in text
    assert "getrf" not in text
