"""Limits between given values are the crossings of CLs there."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from hfjax.building.build import build
from hfjax.errors import ArgumentError, ParameterError
from hfjax.fitting.status import FitSettings
from hfjax.inference.hypotest import hypotest
from hfjax.inference.limit_grid import interpolated_limits
from hfjax.inference.limit_result import LimitStatus
from hfjax.model.data import Data
from tests.assertions import assert_close
from tests.workspaces import HELLO, shapesys

pytestmark = pytest.mark.slow

VALUES = (0.4, 0.8, 1.2, 1.6, 2.0)


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, [51, 48]))


@pytest.fixture(scope="module")
def found(hello):
    return interpolated_limits(*hello, VALUES)


def curves_of(limit):
    """CLs at each value: observed, and the five expected ones."""
    return np.column_stack([limit.curve.CLs_obs, limit.curve.CLs_exp])


def test_cls_at_the_values_is_that_of_single_tests(hello, found):
    for value, curves in zip(VALUES, curves_of(found), strict=True):
        alone = hypotest(*hello, value)
        assert_close(curves, np.append(alone.CLs_obs, alone.CLs_exp), 1e-8)


def test_limits_are_where_the_straight_line_crosses(found):
    """One by one, by another search for the root of interpolated heights."""
    heights = np.sqrt(-2.0 * np.log(curves_of(found).T))
    limits = [found.observed, *found.expected]
    wanted = np.sqrt(-2.0 * np.log(0.05))
    for limit, curve in zip(limits[:5], heights[:5], strict=True):
        known = brentq(lambda mu, h=curve: np.interp(mu, VALUES, h) - wanted, 0.4, 2.0)
        assert_close(limit, known, 1e-9)
    assert np.isnan(limits[5])
    assert found.statuses[5] is LimitStatus.OUTSIDE_VALUES
    assert set(found.statuses[:5]) == {LimitStatus.FOUND}


def test_limits_are_right_to_second_order(hello):
    """Half the distance between values has less than half the error."""
    exact, errors = 0.7570290235, []  # in closed form, at -1 standard deviation
    for values in ([0.4, 0.6, 0.8, 1.0, 1.2], [0.6, 0.7, 0.8, 0.9, 1.0]):
        found = interpolated_limits(*hello, values)
        errors.append(abs(float(found.expected[1]) - exact))
    assert errors[1] < errors[0] / 2.0
    assert errors[1] < 2e-3


def test_limits_are_those_of_pyhf(hello):
    """Of `pyhf.infer.intervals.upper_limits.upper_limit`, 0.7.6, NumPy, rtol=1e-8."""
    known = [1.01156937, 0.55987998, 0.75702332, 1.06234688, 1.50116916, 2.05078586]
    for value, limit in zip(known, np.eye(6, dtype=bool), strict=True):
        around = value + 1e-3 * np.arange(-2, 3)
        found = interpolated_limits(*hello, around)
        limits = np.append(found.observed, found.expected)
        assert_close(limits[limit], value, 1e-4)


def test_values_on_one_side_have_no_limit(hello):
    above = interpolated_limits(*hello, [2.5, 3.0, 3.5, 4.0, 4.5])
    assert set(above.statuses) == {LimitStatus.OUTSIDE_VALUES}
    assert above.to_dict()["limit_obs"] is None
    assert "give smaller or larger ones" in above.to_dict()["message"]
    assert above.to_dict()["curve"]["poi_values"] == [2.5, 3.0, 3.5, 4.0, 4.5]


def test_fits_that_fail_are_a_reason(hello):
    result = interpolated_limits(*hello, VALUES, settings=FitSettings(max_steps=1))
    assert set(result.statuses) == {LimitStatus.FITS_FAILED}


def test_limits_under_vmap_and_their_derivatives(hello, found):
    model, data = hello

    def limit(counts):
        return interpolated_limits(model, Data(counts, data.aux), VALUES).observed

    counts = jnp.array([51.0, 48.0])
    assert_close(jax.vmap(limit)(counts[None])[0], found.observed, 1e-9)
    step = jnp.array([1e-4, 0.0])
    known = (limit(counts + step) - limit(counts - step)) / 2e-4
    assert_close(jax.grad(limit)(counts)[0], known, 1e-5)


@pytest.mark.parametrize("values", [[1.0], [1.0, 1.0], [2.0, 1.0], [0.0, np.nan]])
def test_values_that_do_not_ascend_are_refused(hello, values):
    with pytest.raises(ArgumentError, match="values"):
        interpolated_limits(*hello, values)


def test_a_value_below_the_bound_is_refused(hello):
    with pytest.raises(ParameterError, match=r"give larger values"):
        interpolated_limits(*hello, [-1.0, 1.0])
