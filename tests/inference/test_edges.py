"""Tests and scans at the edges of what can be asked for: bounds, data, derivatives."""

import dataclasses
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.errors import DataError, MissingPOIError, ParameterError
from hfjax.fitting.status import FitStatus
from hfjax.inference.hypotest import hypotest
from hfjax.inference.profile import profile
from hfjax.inference.test_statistics import q0
from hfjax.model.data import Data
from tests.assertions import assert_close
from tests.workspaces import (
    HELLO,
    lopsided,
    make,
    modifier,
    sample,
    shapesys,
    workspace,
)

OBSERVED = [51.0, 48.0]


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, OBSERVED))


def with_bounds(model, lower, upper):
    """The model with other bounds of the parameter of interest."""
    own = model.parameters
    parameters = dataclasses.replace(
        own,
        init=jnp.asarray(own.init).at[model.poi].set(jnp.clip(1.0, lower, upper)),
        lower=jnp.asarray(own.lower).at[model.poi].set(lower),
        upper=jnp.asarray(own.upper).at[model.poi].set(upper),
    )
    return dataclasses.replace(model, parameters=parameters)


def numbers(tree):
    """All numbers of a pytree that are no counts, in one vector."""
    leaves = map(np.asarray, jax.tree.leaves(tree))
    return np.concatenate([x.ravel() for x in leaves if x.dtype.kind == "f"])


# -- tested values -----------------------------------------------------------------

OUTSIDE = {
    "float": 10.5,
    "int": -1,
    "nan": math.nan,
    "numpy": np.float32(10.5),
    "numpy integer": np.int64(-1),
    "jax": jnp.array(10.5),
    "jax integer": jnp.array(11),
    "jax nan": jnp.array(jnp.nan),
}


@pytest.mark.parametrize("value", OUTSIDE.values(), ids=OUTSIDE.keys())
def test_a_known_value_outside_the_bounds_is_refused(hello, value):
    with pytest.raises(ParameterError, match=r"mu = .* outside its bounds \[0, 10\]"):
        hypotest(*hello, value)


def test_several_values_are_not_one(hello):
    with pytest.raises(ParameterError, match=r"\(2,\).*jax.vmap"):
        hypotest(*hello, jnp.array([1.0, 2.0]))


@pytest.mark.parametrize(("bounds", "name"), [((0.5, 10.0), "0"), ((0.0, 0.5), "1")])
def test_the_value_of_the_asimov_data_is_known_where_the_tested_one_is_not(
    hello, bounds, name
):
    model, data = hello
    narrow = with_bounds(model, *map(jnp.array, bounds))
    statistic = {"test_stat": q0} if name == "1" else {}
    # under q0, zero is tested, whatever the value
    with pytest.raises(ParameterError, match=rf"mu = {name} is outside its bounds"):
        jax.vmap(lambda mu: hypotest(narrow, data, mu, **statistic))(jnp.ones(2))


GOOD = (1.0, 0.0, 10.0, 51.0, FitStatus.CONVERGED)
LANES = {
    "good": GOOD,
    "at the bound": (10.0, 0.0, 10.0, 51.0, FitStatus.CONVERGED),
    "outside": (12.0, 0.0, 10.0, 51.0, FitStatus.OUT_OF_BOUNDS),
    "far outside": (20.0, 0.0, 10.0, 51.0, FitStatus.OUT_OF_BOUNDS),
    "outside its own": (3.0, 0.0, 2.0, 51.0, FitStatus.OUT_OF_BOUNDS),
    "inside its own": (12.0, 0.0, 20.0, 51.0, FitStatus.CONVERGED),
    "asimov outside": (1.0, 0.5, 10.0, 51.0, FitStatus.OUT_OF_BOUNDS),
    "nan": (math.nan, 0.0, 10.0, 51.0, FitStatus.NOT_FINITE),
    "nan counted": (1.0, 0.0, 10.0, math.nan, FitStatus.NOT_FINITE),
    "negative count": (1.0, 0.0, 10.0, -1.0, FitStatus.NOT_FINITE),
}
"""Tested value, bounds and first count of lanes of a batch, and its status."""


@pytest.fixture(scope="module")
def lanes(hello):
    model, data = hello

    def one(value, lower, upper, count):
        own = Data(jnp.asarray(data.main).at[0].set(count), data.aux)
        return hypotest(with_bounds(model, lower, upper), own, value)

    columns = [jnp.array(column) for column in zip(*LANES.values(), strict=True)]
    return jax.jit(jax.vmap(one))(*columns[:4])


def lane(batch, name):
    """One lane of a batch of tests."""
    return jax.tree.map(lambda leaf: leaf[list(LANES).index(name)], batch)


RESULTS = ("CLs_obs", "CLs_exp", "CLsb", "CLb", "CLsb_exp", "CLb_exp", "q", "q_asimov")
FITS = ("free", "fixed", "background", "asimov_free", "asimov_fixed", "asimov_data")


@pytest.mark.parametrize("name", LANES)
def test_a_traced_fault_is_a_status_of_its_lane_without_numbers(lanes, name):
    found, known = lane(lanes, name), LANES[name][-1]
    results = numbers([getattr(found, result) for result in RESULTS])
    assert found.status == known
    if known == FitStatus.CONVERGED:
        assert np.isfinite(results).all()
        assert np.isfinite(found.mu_hat)
    else:
        assert np.isnan(results).all()


@pytest.mark.parametrize(
    "name", [name for name in LANES if LANES[name][-1] == FitStatus.OUT_OF_BOUNDS]
)
def test_no_fit_of_a_test_out_of_bounds_has_numbers(lanes, name):
    found = lane(lanes, name)
    assert np.isnan(found.mu_hat)
    for each in FITS:
        assert np.isnan(numbers(getattr(found, each))).all(), each
    for each in FITS[:-1]:
        assert getattr(found, each).status == FitStatus.OUT_OF_BOUNDS, each


@pytest.mark.parametrize("name", ["nan counted", "negative count"])
def test_no_fit_of_data_that_are_none_has_numbers(lanes, name):
    found = lane(lanes, name)
    assert np.isnan(found.mu_hat)
    for each in ("free", "fixed", "background"):
        assert np.isnan(numbers(getattr(found, each))).all(), each
        assert getattr(found, each).status == FitStatus.NOT_FINITE, each


def test_good_lanes_are_the_tests_alone(hello, lanes):
    for name, value in (("good", 1.0), ("at the bound", 10.0)):
        alone = hypotest(*hello, value)
        assert_close(lane(lanes, name).CLs_obs, alone.CLs_obs, 1e-9)
        assert_close(lane(lanes, name).q, alone.q, 1e-9)


# -- scans of the likelihood ---------------------------------------------------------


@pytest.fixture(name="lopsided")
def two_valleys():
    model, data = make(lopsided())
    assert model.lopsided.index.size
    return model, data


@pytest.mark.slow
@pytest.mark.parametrize("case", ["hello", "lopsided"])
def test_points_outside_the_bounds_of_a_lane_fail_alone(case, request):
    model, data = request.getfixturevalue(case)

    def scan(upper):
        bounded = with_bounds(model, jnp.array(0.0), upper)
        return profile(bounded, data, {"mu": [0.5, 1.5, 3.0]})

    found = jax.jit(jax.vmap(scan))(jnp.array([2.0, 10.0]))
    ok, outside = FitStatus.CONVERGED, FitStatus.OUT_OF_BOUNDS
    assert found.status.tolist() == [[ok, ok, outside], [ok, ok, ok]]
    assert np.isnan(found.delta).tolist() == [[False, False, True], [False] * 3]
    assert np.isnan(found.fits.params[0, 2]).all()
    assert_close(found.delta[0, :2], found.delta[1, :2], 1e-9, 1e-9)


def test_values_of_a_scan_must_be_known(hello):
    with pytest.raises(ParameterError, match=r"'mu' are traced.*fixed_poi_fit"):
        jax.jit(lambda mu: profile(*hello, {"mu": mu}).delta)(jnp.ones(2))


@pytest.mark.parametrize("count", [math.nan, math.inf, -1.0])
def test_counts_that_are_none_are_refused_by_bin_and_channel(hello, count):
    model, data = hello
    bad = Data(jnp.asarray(data.main).at[1].set(count), data.aux)
    place = rf"{count:g} events in bin 1 of channel 'SR'"
    with pytest.raises(DataError, match=place):
        hypotest(model, bad)
    with pytest.raises(DataError, match=place):
        profile(model, bad, {"mu": [1.0]})


def test_a_model_without_names_has_no_parameter_of_interest_by_chance():
    samples = [sample("b", [50.0], modifier("shapesys", "g", [5.0]))]
    model, data = make(workspace({"SR": samples}, {"SR": [52.0]}, poi=""))
    with pytest.raises(MissingPOIError):
        hypotest(model.anonymous(), data, 1.0)


# -- derivatives -------------------------------------------------------------------


def by_value(model, data):
    return lambda x: hypotest(model, data, x).CLs_obs


def by_count(model, data):
    return lambda x: hypotest(model, Data(x * data.main, data.aux)).CLs_exp[2]


def by_signal(model, data):
    def of(x):
        nominal = x * model.block.nominal
        changed = eqx.tree_at(lambda m: m.block.nominal, model, nominal)
        return hypotest(changed, data).q

    return of


def by_profile(model, data):
    def of(x):
        return profile(model, Data(x * data.main, data.aux), {"mu": [1.0]}).delta[0]

    return of


WAYS = {
    "reverse": lambda f: jax.grad(f)(1.0),
    "forward": lambda f: jax.jvp(f, (1.0,), (1.0,))[1],
    "compiled": lambda f: jax.jit(jax.grad(f))(1.0),
    "batched": lambda f: jax.vmap(jax.grad(f))(jnp.ones(2))[1],
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("of", "way"),
    [
        (by_count, "forward"),
        (by_signal, "reverse"),
        pytest.param(by_value, "batched", marks=pytest.mark.long),
        pytest.param(by_count, "compiled", marks=pytest.mark.long),
        pytest.param(by_profile, "forward", marks=pytest.mark.long),
    ],
)
def test_a_derivative_through_a_test_is_that_of_differences(hello, of, way):
    function, step = jax.jit(of(*hello)), 1e-4
    known = (function(1.0 + step) - function(1.0 - step)) / (2.0 * step)
    assert abs(known) > 1e-3
    assert_close(WAYS[way](of(*hello)), known, 1e-5)


@pytest.mark.long
def test_q_of_too_much_signal_stands_still(hello):
    """It is zero on one side of the best fit, and so is its derivative."""
    model, data = hello
    many = dataclasses.replace(data, main=2.0 * data.main)
    found = hypotest(model, many, 1.0)
    assert float(found.q) == 0.0
    assert float(jax.grad(lambda x: hypotest(model, many, x).q)(1.0)) == 0.0


def test_a_derivative_in_something_else_is_none_through_a_test(hello):
    known = hypotest(*hello, 1.0).q
    found = jax.grad(lambda x: x**2 * hypotest(*hello, 1.0).q)(3.0)
    assert_close(found, 6.0 * known, 1e-12)
