"""Curves of CLs: each value is tested as `hypotest` tests it, beyond the bound too."""

import numpy as np
import pytest
from scipy.stats import norm

from hfjax.building.build import build
from hfjax.documents.reading.schema import validate
from hfjax.errors import ArgumentError, ParameterError
from hfjax.fitting.status import FitSettings
from hfjax.inference.hypotest import hypotest
from hfjax.inference.limit_curve import limit_curve
from hfjax.inference.limits import upper_limit
from tests.assertions import assert_close
from tests.workspaces import HELLO, MU, make, sample, shapesys, workspace

pytestmark = pytest.mark.slow

VALUES = (2.0, 0.0, 0.7)


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, [51, 48]))


def test_values_are_tested_one_by_one_in_their_order(hello):
    curve = limit_curve(*hello, VALUES)
    for i, value in enumerate(VALUES):
        one = hypotest(*hello, value)
        assert_close(curve.CLs_obs[i], one.CLs_obs, 1e-9)
        assert_close(curve.CLs_exp[i], one.CLs_exp, 1e-9)
    assert (curve.values.tolist(), curve.converged, curve.message) == ([*VALUES], 1, "")
    assert curve.CLs_obs[1] == 1.0


def test_a_counting_experiment_is_right_in_closed_form_beyond_the_bound():
    """As many events as expected: q is -2 ln of a ratio of Poissons."""
    samples = [sample("signal", [2.0], MU), sample("bkg", [100.0])]
    values = np.array([0.0, 5.0, 12.0, 20.0])  # the bound is 10
    curve = limit_curve(*make(workspace({"SR": samples}, {"SR": [100.0]})), values)
    rate = 100.0 + 2.0 * values
    q = 2.0 * (rate - 100.0 - 100.0 * np.log(rate / 100.0))
    assert_close(curve.CLs_obs, norm.sf(np.sqrt(q)) / 0.5, 1e-6)
    for i, sigma in enumerate((-2.0, -1.0, 0.0, 1.0, 2.0)):
        known = norm.sf(np.sqrt(q) - sigma) / norm.cdf(sigma)
        assert_close(curve.CLs_exp[:, i], known, 1e-6)


def test_the_curve_of_a_limit_crosses_the_level_there(hello):
    limit = upper_limit(*hello)
    grid = limit.grid()
    assert (grid.size, grid[0]) == (31, 0.0)
    assert_close(grid[-1], 1.5 * float(limit.expected[4]), 1e-12)
    at = [float(limit.observed), *limit.expected.tolist()]
    curve = limit_curve(*hello, at)
    assert_close(curve.CLs_obs[0], 0.05, 0.0, 1e-7)
    assert_close(np.diag(curve.CLs_exp[1:]), 0.05, 0.0, 1e-7)
    document = limit.with_curve(curve).dump()
    validate(document, "limit-result-1.0.0.json")
    assert document["curve"]["poi_values"] == at
    assert "curve" not in limit.dump()


def test_fits_that_fail_leave_no_cls_and_say_why(hello):
    curve = limit_curve(*hello, [0.5, 1.0], settings=FitSettings(max_steps=1))
    assert np.isnan(curve.CLs_obs).all()
    assert not curve.converged
    assert curve.message.startswith("2 of 2 values have no CLs: ")
    assert curve.to_dict()["status"] == ["max_steps"] * 2
    assert curve.to_dict()["CLs_obs"] == [None, None]


@pytest.mark.parametrize("values", [[], [[1.0]], [1.0, np.nan], 1.0])
def test_values_that_are_no_list_of_numbers_are_refused(hello, values):
    with pytest.raises(ArgumentError, match="no list of finite numbers"):
        limit_curve(*hello, np.asarray(values))


def test_values_below_the_bound_and_other_statistics_are_refused(hello):
    with pytest.raises(ParameterError, match="outside its bounds"):
        limit_curve(*hello, [-1.0, 1.0])
    with pytest.raises(ArgumentError, match="sets no upper limits"):
        limit_curve(*hello, [1.0], test_stat="q0")
