"""Fits at the edges of what can be asked for: bounds, starts, data, no parameters."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.errors import DataError, MissingPOIError, ParameterError
from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.fitting.box import Box
from hfjax.fitting.covariance import covariance
from hfjax.fitting.others.minimizers import MINIMIZERS
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.model.data import Data
from tests.assertions import assert_close
from tests.workspaces import HELLO, make, modifier, sample, shapesys, workspace

OBSERVED = [51.0, 48.0]


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, OBSERVED))


def with_parameters(model, **changes):
    """The model with other initial values, bounds or fixed flags."""
    parameters = dataclasses.replace(model.parameters, **changes)
    return dataclasses.replace(model, parameters=parameters)


def upper_bound(model, upper):
    """The model with another upper bound of the parameter of interest."""
    changed = jnp.asarray(model.parameters.upper).at[model.poi].set(upper)
    return with_parameters(model, upper=changed)


def numbers(result):
    """All numbers of a fit that are no counts, in one vector."""
    leaves = map(np.asarray, jax.tree.leaves(result))
    return np.concatenate([x.ravel() for x in leaves if x.dtype.kind == "f"])


# -- held values -------------------------------------------------------------------

OUTSIDE = {
    "float": 10.5,
    "int": 11,
    "nan": math.nan,
    "numpy": np.float32(10.5),
    "numpy integer": np.int64(-1),
    "numpy array": np.array(10.5),
    "jax": jnp.array(10.5),
    "jax integer": jnp.array(-1),
    "jax nan": jnp.array(jnp.nan),
}


@pytest.mark.parametrize("value", OUTSIDE.values(), ids=OUTSIDE.keys())
def test_a_known_value_outside_the_bounds_is_refused(hello, value):
    with pytest.raises(ParameterError, match=r"mu = .* outside its bounds \[0, 10\]"):
        fixed_poi_fit(*hello, value)


def test_several_values_are_not_one(hello):
    with pytest.raises(ParameterError, match=r"\(2,\).*jax.vmap"):
        fixed_poi_fit(*hello, jnp.array([1.0, 2.0]))


LANES = {
    "good": (1.0, 10.0, 51.0, FitStatus.CONVERGED),
    "at the bound": (10.0, 10.0, 51.0, FitStatus.CONVERGED),
    "outside": (12.0, 10.0, 51.0, FitStatus.OUT_OF_BOUNDS),
    "far outside": (20.0, 10.0, 51.0, FitStatus.OUT_OF_BOUNDS),
    "below": (-1.0, 10.0, 51.0, FitStatus.OUT_OF_BOUNDS),
    "outside its own": (3.0, 2.0, 51.0, FitStatus.OUT_OF_BOUNDS),
    "inside its own": (12.0, 20.0, 51.0, FitStatus.CONVERGED),
    "nan": (math.nan, 10.0, 51.0, FitStatus.NOT_FINITE),
    "nan counted": (1.0, 10.0, math.nan, FitStatus.NOT_FINITE),
    "infinity counted": (1.0, 10.0, math.inf, FitStatus.NOT_FINITE),
    "negative count": (1.0, 10.0, -3.0, FitStatus.NOT_FINITE),
    "both": (12.0, 10.0, math.nan, FitStatus.OUT_OF_BOUNDS),
}
"""Held value, upper bound and first count of lanes of a batch, and its status."""


@pytest.fixture(scope="module")
def lanes(hello):
    model, data = hello

    def one(value, upper, count):
        own = Data(jnp.asarray(data.main).at[0].set(count), data.aux)
        return fixed_poi_fit(upper_bound(model, upper), own, value)

    columns = (jnp.array(column) for column in zip(*LANES.values(), strict=True))
    return jax.jit(jax.vmap(one))(*list(columns)[:3])


def lane(batch, name):
    """One lane of a batch of fits."""
    return jax.tree.map(lambda leaf: leaf[list(LANES).index(name)], batch)


@pytest.mark.parametrize("name", LANES)
def test_a_traced_fault_is_a_status_of_its_lane_without_numbers(lanes, name):
    found, known = lane(lanes, name), LANES[name][-1]
    assert found.status == known
    if known == FitStatus.CONVERGED:
        assert np.isfinite(found.params).all()
        assert np.isfinite([found.twice_nll, found.deviance]).all()
    else:
        assert np.isnan(numbers(found)).all()


def test_a_good_lane_is_the_fit_alone(hello, lanes):
    alone = fixed_poi_fit(*hello, 1.0)
    assert_close(lane(lanes, "good").params, alone.params, 1e-9)
    assert_close(lane(lanes, "good").twice_nll, alone.twice_nll, 1e-12)


def test_out_of_bounds_is_the_worst_status_and_has_a_sentence():
    assert max(FitStatus) is FitStatus.OUT_OF_BOUNDS
    assert "widen the bounds" in FitStatus.OUT_OF_BOUNDS.sentence
    assert FitStatus.OUT_OF_BOUNDS.name.lower() == "out_of_bounds"


@pytest.mark.parametrize("value", [12.0, 3.0])
def test_other_minimizers_hold_no_value_outside_the_bounds_either(hello, value):
    settings = FitSettings(minimizer="optax-lbfgs", max_steps=1000)
    held = jax.jit(lambda mu: fixed_poi_fit(*hello, mu, settings=settings))
    found = held(value)
    if value > 10.0:
        assert found.status == FitStatus.OUT_OF_BOUNDS
        assert np.isnan(numbers(found)).all()
    else:
        assert found.params[0] == value
        assert_close(found.twice_nll, fixed_poi_fit(*hello, value).twice_nll, 1e-9)


# -- starts, and what the measurement fixes ------------------------------------------


@pytest.mark.parametrize(
    ("start", "match"),
    [
        (
            [11.0, 1.0, 1.0],
            r"mu = 11 is outside its bounds \[0, 10\]: take a ",
        ),
        ([1.0, 1.0, -2.0], r"gamma\[1\] = -2 is outside its bounds"),
        ([1.0, math.nan, 1.0], r"gamma\[0\] = nan is outside its bounds"),
    ],
)
def test_a_start_outside_the_bounds_is_refused(hello, start, match):
    for known in (np.array(start), jnp.array(start)):
        with pytest.raises(ParameterError, match=match):
            fit(*hello, start=known)


def test_a_held_value_stands_for_that_of_the_start(hello):
    found = fixed_poi_fit(*hello, 3.0, start=jnp.array([-5.0, 1.0, 1.0]))
    assert found.converged
    assert found.params[0] == 3.0


@pytest.fixture(scope="module")
def fixed_gamma(hello):
    model, data = hello
    return with_parameters(model, fixed=jnp.array([False, True, False])), data


def test_a_start_moves_nothing_that_the_measurement_fixes(fixed_gamma):
    start = jnp.array([1.0, 1.1, 1.0])
    with pytest.raises(ParameterError, match=r"gamma\[0\] = 1.1.* fixes at 1: leave"):
        fit(*fixed_gamma, start=start)
    with pytest.raises(ParameterError, match=r"gamma\[0\] = 1.1.* fixes at 1: leave"):
        fixed_poi_fit(*fixed_gamma, 2.0, start=start)


@pytest.mark.parametrize(
    ("start", "status"),
    [
        ([3.0, 1.1, 1.2], FitStatus.CONVERGED),
        ([3.0, 1.0, -1.0], FitStatus.OUT_OF_BOUNDS),
        ([3.0, 1.0, math.nan], FitStatus.NOT_FINITE),
        ([3.0, 99.0, 1.2], FitStatus.CONVERGED),
    ],
)
def test_a_traced_start_moves_nothing_that_is_fixed(fixed_gamma, start, status):
    found = jax.jit(lambda start: fit(*fixed_gamma, start=start))(jnp.array(start))
    assert found.status == status
    if status == FitStatus.CONVERGED:
        assert found.params[1] == 1.0
        assert_close(found.twice_nll, fit(*fixed_gamma).twice_nll, 1e-12)
    else:
        assert np.isnan(numbers(found)).all()


@pytest.mark.parametrize("minimizer", ["newton", "optax-lbfgs"])
def test_a_fixed_parameter_stays_outside_the_box(hello, minimizer):
    model, data = hello
    init, fixed = jnp.array([1.0, 11.0, 1.0]), jnp.array([False, True, False])
    settings = FitSettings(minimizer=minimizer, max_steps=1000)
    found = fit(with_parameters(model, init=init, fixed=fixed), data, settings=settings)
    assert found.params[1] == 11.0
    assert 0.0 <= found.params[0] <= 10.0


@pytest.mark.slow
@pytest.mark.parametrize("name", MINIMIZERS)
def test_every_minimizer_clips_free_parameters_only(name):
    settings = FitSettings(minimizer=name, max_steps=3000, tolerance=1e-6)
    centre = jnp.array([2.0, 9.0])
    bounds = Box(jnp.full(2, -1.0), jnp.ones(2))
    found = MINIMIZERS[name](
        lambda p: jnp.sum((p - centre) ** 2),
        jnp.array([0.0, 5.0]),
        bounds,
        jnp.array([False, True]),
        settings,
    )
    assert found.params[1] == 5.0
    assert 1.0 - 1e-9 < found.params[0] <= 1.0


# -- data --------------------------------------------------------------------------

BAD_DATA = {
    "nan": (1, math.nan, r"nan events in bin 1 of channel 'SR'"),
    "infinity": (0, math.inf, r"inf events in bin 0 of channel 'SR'"),
    "negative": (0, -1.0, r"-1 events in bin 0 of channel 'SR'"),
}
BAD_AUX = {
    "nan": (math.nan, r"auxiliary datum of gamma\[1\] is nan"),
    "negative": (-1.0, r"auxiliary datum of gamma\[1\] is -1"),
}


@pytest.mark.parametrize(("bin", "count", "match"), BAD_DATA.values(), ids=BAD_DATA)
def test_counts_that_are_none_are_refused_by_bin_and_channel(hello, bin, count, match):
    model, data = hello
    bad = Data(jnp.asarray(data.main).at[bin].set(count), data.aux)
    for refused in (fit, lambda m, d: fixed_poi_fit(m, d, 1.0)):
        with pytest.raises(DataError, match=match):
            refused(model, bad)


@pytest.mark.parametrize(("datum", "match"), BAD_AUX.values(), ids=BAD_AUX)
def test_auxiliary_data_that_are_none_are_refused_by_parameter(hello, datum, match):
    model, data = hello
    bad = Data(data.main, jnp.asarray(data.aux).at[1].set(datum))
    with pytest.raises(DataError, match=match):
        fit(model, bad)


def test_a_bin_that_does_not_count_may_have_any_data(hello):
    model, data = hello
    masked = dataclasses.replace(model, bin_present=jnp.array([True, False]))
    found = fit(masked, Data(jnp.array([51.0, jnp.nan]), data.aux))
    assert found.converged
    assert np.isfinite(found.twice_nll)


# -- no parameters, and no parameter of interest -------------------------------------


def constant(count):
    return make(workspace({"SR": [sample("b", [4.0])]}, {"SR": [count]}, poi=""))


def test_a_model_without_parameters_has_a_constant_likelihood():
    model, data = constant(3.0)
    found = fit(model, data).raise_if_failed()
    assert found.params.shape == (0,)
    known = -2.0 * (3.0 * math.log(4.0) - 4.0 - math.log(6.0))
    assert_close(found.twice_nll, known, 1e-12)
    assert_close(found.twice_nll, -2.0 * model.logpdf(jnp.zeros(0), data), 1e-12)
    assert found.to_dict()["mle_parameters"] == {}
    assert covariance(model, data, found).to_dict()["uncertainties"] == {}
    with pytest.raises(MissingPOIError):
        fixed_poi_fit(model, data, 1.0)


def test_a_model_without_parameters_may_be_in_a_batch():
    model, _ = constant(3.0)
    counts = jnp.array([[3.0], [jnp.nan]])
    found = jax.vmap(lambda n: fit(model, Data(n, jnp.zeros(0))))(counts)
    assert found.status.tolist() == [FitStatus.CONVERGED, FitStatus.NOT_FINITE]
    assert np.isnan(found.twice_nll).tolist() == [False, True]


def test_a_model_without_names_has_no_parameter_of_interest_by_chance():
    samples = [sample("b", [50.0], modifier("shapesys", "g", [5.0]))]
    model, data = make(workspace({"SR": samples}, {"SR": [52.0]}, poi=""))
    with pytest.raises(MissingPOIError):
        fixed_poi_fit(model.anonymous(), data, 1.0)


def test_a_traced_model_without_names_holds_nothing_either():
    samples = [sample("b", [50.0], modifier("shapesys", "g", [5.0]))]
    model, data = make(workspace({"SR": samples}, {"SR": [52.0]}, poi=""))
    held = jax.jit(lambda model, value: fixed_poi_fit(model, data, value))
    found = held(model.anonymous(), 1.0)
    assert found.status == FitStatus.NOT_FINITE
    assert np.isnan(numbers(found)).all()
