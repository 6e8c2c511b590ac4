"""Parameters that may make several valleys: shapes whose answer is known by hand."""

import jax
import numpy as np
import pytest

from hfjax.building.lopsided import (
    CURVED,
    DISTANCES,
    bending,
    least_distances,
    planes,
)
from hfjax.model.curves import PLACES, root_curves
from tests.workspaces import histosys, make, normsys, one_sample

UNIT = 3
"""Position, on each side, of about one standard deviation."""
MIDDLE = PLACES.size // 2
FIRST = float(PLACES[MIDDLE + 1])


def curve(shape) -> np.ndarray:
    """The curve of one parameter, from a function of its value."""
    return np.array([[shape(place) for place in PLACES]], float)


def listed(*modifiers, data=(100.0, 100.0), histosys_code="code4p"):
    """Names and least distances of the parameters that are looked at."""
    document = one_sample(*modifiers, data=data, observed=data)
    model, _ = make(document, histosys=histosys_code)
    known = jax.tree.map(np.asarray, model)
    index, own = known.lopsided.index, known.parameters
    index = index[index < own.init.size]  # the rest is padding
    curves = root_curves(known.block, known.bin_channel, own.init, index)
    names = [own.names[i] for i in index]
    return dict(zip(names, least_distances(curves).tolist(), strict=True))


def minima(curves, data) -> int:
    """Minima of ``|curve - data|^2 + alpha^2`` on the grid, its ends excluded."""
    height = np.sum((curves - data) ** 2, axis=1) + PLACES**2
    return int(np.sum((height[1:-1] < height[:-2]) & (height[1:-1] < height[2:])))


# -- how far data must lie ---------------------------------------------------------


def test_a_straight_line_has_one_valley_wherever_the_data_are():
    straight = curve(lambda a: (3.0 * a, -1.0 * a))
    assert least_distances(straight).tolist() == [np.inf]
    assert bending(straight).tolist() == pytest.approx([0.0], abs=1e-12)


def test_a_one_sided_line_has_one_valley_wherever_the_data_are():
    """Flat on one side: distance and pull fall and rise together."""
    ray = curve(lambda a: (3.0 * max(a, 0.0), 0.0))
    assert least_distances(ray).tolist() == [np.inf]


def test_both_variations_on_one_side_are_met_twice():
    """``(3 |alpha| - d)^2 + alpha^2``: two valleys as soon as d is above zero.

    They are seen once the first places of the grid are lower than zero.
    """
    folded = curve(lambda a: (3.0 * abs(a), 0.0))
    seen = FIRST * (3.0**2 + 1.0) / (2.0 * 3.0)
    least = min(distance for distance in DISTANCES if distance > seen)
    assert least_distances(folded).tolist() == [least]


def test_a_parabola_is_met_twice_beyond_its_known_distance():
    """``(c a^2 - d)^2 + a^2`` has a hill at zero for ``2 c d > 1``."""
    for c in (0.2, 0.45, 0.9):
        least = float(least_distances(curve(lambda a, c=c: (c * a * a, 0.0)))[0])
        known = 1.0 / (2.0 * c)
        assert known < least
        # on the grid, a valley must be as wide as its steps, and distances have steps
        assert least <= 1.6 * known + 0.5


@pytest.mark.parametrize("seed", range(6))
def test_a_least_distance_is_one_at_which_data_have_two_valleys(seed):
    """Random curves: brute force over many directions finds none much nearer."""
    random = np.random.default_rng(seed)
    up, down = random.normal(size=(2, 2))
    bent = curve(lambda a: up * a if a > 0 else -down * a)
    least = float(least_distances(bent)[0])
    angles = np.linspace(0.0, 2.0 * np.pi, 241)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    known = [
        distance
        for distance in DISTANCES
        if any(minima(bent[0], distance * way) > 1 for way in circle)
    ]
    step = DISTANCES.index(least) if np.isfinite(least) else len(DISTANCES)
    first = DISTANCES.index(known[0]) if known else len(DISTANCES)
    assert first <= step <= first + 2


# -- how a curve bends and where it goes -------------------------------------------


def test_bending_is_the_distance_from_the_straight_line():
    """Half the sum of both sides, the largest of the grid."""
    places = PLACES[MIDDLE + 1 :]
    inside = places[: 2 * UNIT + 1]
    parabola = curve(lambda a: (2.0 * a, 0.3 * a * a))
    assert bending(parabola)[0] == pytest.approx(0.3 * inside.max() ** 2, rel=1e-12)


def test_a_curve_that_is_odd_but_steeper_outside_bends():
    cubic = curve(lambda a: (a + 0.1 * a**3,))
    inside = PLACES[MIDDLE + 1 :]
    slopes = 1.0 + 0.1 * inside**2
    known = slopes[2 * UNIT] - slopes[UNIT]
    assert bending(cubic)[0] == pytest.approx(known, rel=1e-12)


def test_planes_are_the_rise_and_what_bends_across_it():
    rise, bend = np.array([3.0, 4.0, 0.0]), np.array([1.0, 0.0, 2.0])
    (found,) = planes(curve(lambda a: rise * a + bend * a * a))
    np.testing.assert_allclose(found @ found.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(found[0], rise / 5.0, atol=1e-12)
    across = bend - (bend @ rise) / 25.0 * rise
    np.testing.assert_allclose(found[1], across / np.linalg.norm(across), atol=1e-12)


def test_a_curve_without_a_second_direction_has_one():
    (found,) = planes(curve(lambda a: (3.0 * a, 0.0)))
    np.testing.assert_allclose(found, [[1.0, 0.0], [0.0, 0.0]], atol=1e-12)


# -- models ------------------------------------------------------------------------


def test_a_symmetric_histosys_is_not_looked_at():
    assert listed(histosys("a", [99.0, 98.0], [101.0, 102.0])) == {}


def test_a_small_normsys_is_not_looked_at():
    assert listed(normsys("a", 0.995, 1.005)) == {}


ONE_SIDED = histosys("a", [100.0, 100.0], [130.0, 130.0])


def test_a_one_sided_histosys_of_straight_lines_is_not_looked_at():
    assert listed(ONE_SIDED, histosys_code="code0") == {}


def test_a_smooth_one_sided_histosys_dips_below_its_nominal_before_it_is_flat():
    """Code 4p is smooth at zero: where it dips, a second valley may be."""
    slope = 0.1 * np.arange(-10, 1)
    both = (100.0, 100.0)
    model, _ = make(one_sample(ONE_SIDED, data=both, observed=both))
    rates = [float(model.expected_rates(np.array([a]))[0, 0]) for a in slope]
    assert min(rates) < 99.0
    assert rates[0] == pytest.approx(100.0, rel=1e-12)
    assert DISTANCES[0] < listed(ONE_SIDED)["a"] < DISTANCES[-1]


def test_variations_on_one_side_are_looked_at():
    found = listed(histosys("a", [130.0, 130.0], [130.0, 130.0]))
    assert set(found) == {"a"}
    assert found["a"] <= 1.0


def test_steep_factors_are_looked_at():
    assert set(listed(normsys("a", 0.01, 40.0))) == {"a"}


def test_those_that_need_least_come_first():
    strong = histosys("strong", [140.0, 140.0], [140.0, 140.0])
    weak = histosys("weak", [102.0, 102.0], [102.0, 102.0])
    found = listed(weak, strong)
    assert list(found) == ["strong", "weak"]
    assert found["strong"] < found["weak"]


def test_a_model_without_nuisance_parameters_has_none():
    assert listed() == {}


def test_a_bending_too_small_to_matter_is_left_out():
    """A parabola of 0.01 standard deviations at one, and one of a tenth."""
    small, large = 100.0 + 0.01 * 10.0, 100.0 + 1.0 * 10.0
    assert 0.0 < 0.01 * 1.1**2 < CURVED
    assert listed(histosys("a", [small], [small]), data=(100.0,)) == {}
    assert set(listed(histosys("a", [large], [large]), data=(100.0,))) == {"a"}
