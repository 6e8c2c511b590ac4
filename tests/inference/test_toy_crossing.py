"""Where CLs crosses a level, and how surely, as a slow loop has it."""

import math

import numpy as np
import pytest

from hfjax.inference.limit_result import LimitStatus
from hfjax.inference.toy_crossing import crossing
from tests.assertions import assert_close

VALUES = np.array([0.5, 1.0, 1.5, 2.0, 2.5])
CLS = np.array([0.6, 0.25, 0.08, 0.03, 0.004])
ERRORS = np.array([0.02, 0.015, 0.01, 0.006, 0.003])


def height(CLs):
    return math.sqrt(-2.0 * math.log(CLs))


def test_a_straight_line_of_heights_crosses_the_level():
    found = crossing(VALUES, CLS, ERRORS, 0.05)
    low, high = height(0.08), height(0.03)
    part = (height(0.05) - low) / (high - low)
    assert_close(found.limit, 1.5 + 0.5 * part, 1e-12)
    slope = (height(0.004) - height(0.25)) / 1.5
    errors = 0.01 / (0.08 * low), 0.006 / (0.03 * high)
    assert_close(found.error, ((1 - part) * errors[0] + part * errors[1]) / slope, 1e-9)
    assert found.code == LimitStatus.FOUND


def test_the_error_is_how_far_limits_scatter():
    """Of a thousand curves of an exact one, with one shift of all values of a curve."""
    rng, exact = np.random.default_rng(1), np.exp(-0.5 * (1.5 * VALUES) ** 2)
    shifts = rng.normal(size=1000)
    found = [
        crossing(VALUES, exact * (1 + 0.05 * s), 0.05 * exact, 0.05) for s in shifts
    ]
    limits = [each.limit for each in found]
    assert_close(np.mean(limits), height(0.05) / 1.5, 1e-2)
    assert_close(np.std(limits), np.mean([each.error for each in found]), 0.15)


@pytest.mark.parametrize(
    ("CLs", "status"),
    [
        ([0.9, 0.8, 0.5, 0.3, 0.1], LimitStatus.OUTSIDE_VALUES),
        ([0.04, 0.03, 0.02, 0.01, 0.0], LimitStatus.OUTSIDE_VALUES),
        ([np.nan, np.nan, np.nan, 0.1, np.nan], LimitStatus.FITS_FAILED),
    ],
)
def test_a_curve_that_does_not_cross_has_no_limit(CLs, status):
    found = crossing(VALUES, np.array(CLs), ERRORS, 0.05)
    assert np.isnan([found.limit, found.error]).all()
    assert found.code == status


@pytest.mark.parametrize(
    "CLs", [[1.0, 0.3, 0.0, 0.0, 0.0], [1.0, 0.05, 0.0, 0.04, 0.0]]
)
def test_values_where_no_toy_is_left_have_a_crossing_before_them(CLs):
    found = crossing(VALUES, np.array(CLs), ERRORS + 0.05, 0.05)
    assert 1.0 <= found.limit <= 1.5
    assert 0.0 < found.error < 5.0


def test_values_without_a_result_are_left_out():
    CLs = np.where(VALUES == 1.0, np.nan, CLS)
    one, other = (crossing(VALUES, each, ERRORS, 0.05) for each in (CLs, CLS))
    assert one.limit == other.limit
