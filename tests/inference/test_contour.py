"""Contours: closed forms, an independent likelihood, bounds, a published search."""

import math

import jax
import numpy as np
import pytest
from scipy.optimize import brentq

from hfjax.building.build import build
from hfjax.documents.reading.schema import validate
from hfjax.errors import ArgumentError, ParameterError, UnknownNameError
from hfjax.fitting.status import FitSettings
from hfjax.inference.contour import contour
from hfjax.inference.intervals_result import IntervalStatus
from hfjax.inference.profile import profile
from hfjax.results.contour_record import ContourRecord
from hfjax.results.load import load_result
from tests.assertions import assert_close
from tests.likelihoods import load_likelihood
from tests.workspaces import (
    HELLO,
    lopsided,
    make,
    normsys,
    one_sample,
    shapesys,
)

FOUND, AT_BOUND = IntervalStatus.FOUND, IntervalStatus.AT_BOUND
PLANE = "mu", "gamma[0]"
RAYS = 16
LEVELS = 0.68, 0.95


@pytest.fixture(scope="module")
def excess():
    return build(shapesys(*HELLO, [62.0, 63.0]))


@pytest.fixture(scope="module")
def found(excess):
    model, data = excess
    return contour(model, data, PLANE, rays=RAYS)


def term(count, rate):
    """-2 ln of a Poisson probability, less its least value."""
    return 2.0 * (rate - count + (count * math.log(count / rate) if count else 0.0))


def bin_with_gamma(i, counts, mu, gamma):
    """What a bin and the auxiliary measurement of its background add."""
    signal, background, width = (column[i] for column in HELLO)
    tau = (background / width) ** 2
    rate = mu * signal + gamma * background
    return term(counts[i], rate) + term(tau, gamma * tau)


def other_gamma(counts, mu):
    """The best gamma of the second bin: where the derivative of its terms is zero."""
    signal, background, width = (column[1] for column in HELLO)
    tau = (background / width) ** 2

    def slope(gamma):
        rate = mu * signal + gamma * background
        return background * (1.0 - counts[1] / rate) + tau * (1.0 - 1.0 / gamma)

    return brentq(slope, 1e-3, 9.0, xtol=1e-15)


def deviance(counts, mu, gamma):
    """-2 ln L of two bins, the second gamma fitted, without hfjax."""
    second = bin_with_gamma(1, counts, mu, other_gamma(counts, mu))
    return bin_with_gamma(0, counts, mu, gamma) + second


def goes_once_around(points, center):
    """Whether points go once around a center, counterclockwise."""
    around = points - center
    angles = np.unwrap(np.arctan2(around[:, 1], around[:, 0]))
    return bool(np.all(np.diff(angles) >= 0.0)) and angles[-1] - angles[0] < 2 * math.pi


@pytest.mark.long
def test_constraint_terms_alone_are_an_ellipse():
    """Two systematics without an effect: Normal(0.3; a, 1) Normal(-1; b, 0.5)."""
    document = one_sample(normsys("a", 1.0, 1.0), normsys("b", 1.0, 1.0))
    document["measurements"][0]["config"]["parameters"] = [
        {"name": "a", "auxdata": [0.3]},
        {"name": "b", "auxdata": [-1.0], "sigmas": [0.5]},
    ]
    model, data = make(document)
    ellipse = contour(model, data, ["b", "a"], levels=LEVELS, rays=8)
    assert_close(ellipse.values, [-1.0, 0.3], 1e-9)
    turn = 2.0 * np.pi * np.arange(8) / 8
    for level, points in zip(LEVELS, ellipse.points, strict=True):
        radius = math.sqrt(-2.0 * math.log(1.0 - level))
        b = -1.0 + 0.5 * radius * np.cos(turn)
        a = 0.3 + radius * np.sin(turn)
        assert_close(points, np.stack([b, a], axis=1), 1e-7, 1e-8)
    assert ellipse.rises == pytest.approx((2.2788685663767296, 5.991464547107982))


def test_points_are_on_the_curve_of_an_independent_likelihood(found):
    """The best fit is mu = 1 and gamma = 1: what is counted is what is expected."""
    assert_close(found.values, [1.0, 1.0], 1e-7)
    lowest = deviance((62.0, 63.0), 1.0, 1.0)
    assert lowest == pytest.approx(0.0, abs=1e-12)
    for rise, points, statuses in zip(
        found.rises, found.points, found.statuses, strict=True
    ):
        on = [p for p, status in zip(points, statuses, strict=True) if status is FOUND]
        assert len(on) >= RAYS // 2
        risen = [deviance((62.0, 63.0), mu, gamma) for mu, gamma in on]
        assert_close(risen, rise, 0.0, 1e-7)
        assert goes_once_around(points, found.values)


def test_a_curve_goes_on_along_the_bound_that_cuts_it(found):
    """Corners are where the likelihood at mu = 0 has risen so far."""
    points, statuses = found.points[1], found.statuses[1]
    assert set(found.statuses[0]) == {FOUND}
    at_zero = points[points[:, 0] == 0.0]
    assert np.all(np.diff(at_zero[:, 1]) < 0.0)
    ends = at_zero[[0, -1], 1]

    def rise(gamma):
        return deviance((62.0, 63.0), 0.0, gamma) - found.rises[1]

    known = [brentq(rise, *ends_of) for ends_of in ((1.03, 1.3), (0.8, 1.03))]
    assert_close(ends, known, 1e-7)
    on_bound = [
        d for d, s in zip(found.delta[1], statuses, strict=True) if s is AT_BOUND
    ]
    assert statuses.count(AT_BOUND) == len(at_zero) - 2 == len(on_bound)
    inside = [deviance((62.0, 63.0), 0.0, gamma) for gamma in at_zero[1:-1, 1]]
    assert_close(on_bound, inside, 1e-7)


def test_a_best_fit_at_its_bound_is_inside_of_half_a_curve():
    """A deficit: all that is left of the plane is mu >= 0."""
    counts = (51.0, 48.0)
    model, data = build(shapesys(*HELLO, list(counts)))
    half = contour(model, data, PLANE, rays=RAYS)
    assert half.values[0] == 0.0
    assert half.converged
    lowest = deviance(counts, *half.values)
    for rise, points, statuses in zip(
        half.rises, half.points, half.statuses, strict=True
    ):
        assert statuses.count(AT_BOUND) == RAYS // 2 - 1
        on = [p for p, status in zip(points, statuses, strict=True) if status is FOUND]
        risen = [deviance(counts, mu, gamma) - lowest for mu, gamma in on]
        assert_close(risen, rise, 0.0, 1e-7)
        assert sum(mu == 0.0 for mu, _ in on) == 2


def test_points_do_not_depend_on_the_order_of_the_names(excess, found):
    model, data = excess
    other = contour(model, data, PLANE[::-1], rays=RAYS)
    assert other.values.tolist() == found.values[::-1].tolist()
    highest = [np.max(each.points[0], axis=0) for each in (found, other)]
    assert_close(highest[0], highest[1][::-1], 0.05)
    risen = [deviance((62.0, 63.0), mu, gamma) for gamma, mu in other.points[0]]
    assert_close(risen, other.rises[0], 0.0, 1e-7)


@pytest.mark.long
def test_the_lowest_of_several_valleys_counts():
    model, data = make(lopsided())
    found = contour(model, data, ("mu", "a"), rays=8)
    _are_as_profiled(model, data, found)


@pytest.mark.long
def test_a_published_search_has_its_profile(data_dir):
    background, patchset = load_likelihood("staus", data_dir)
    model, data = build(background, patch=patchset["TStauStau_160_1"])
    systematic = "TAUS_TRUEHADTAU_SME_TES_DETECTOR"
    found = contour(model, data, ("mu_SIG", systematic), rays=8)
    _are_as_profiled(model, data, found)


def _are_as_profiled(model, data, found):
    assert found.converged
    for points, delta, rise, statuses in zip(
        found.points, found.delta, found.rises, found.statuses, strict=True
    ):
        for point, own, status in zip(points, delta, statuses, strict=True):
            grid = {name: [x] for name, x in zip(found.names, point, strict=True)}
            risen = float(profile(model, data, grid).delta[0, 0])
            assert risen == pytest.approx(own, abs=1e-6)
            assert status is AT_BOUND or risen == pytest.approx(rise, abs=1e-6)


@pytest.mark.long
def test_fits_that_fail_are_a_reason(excess):
    model, data = excess
    data = data.with_counts({"SR": [90.0, 40.0]})
    lost = contour(model, data, PLANE, rays=RAYS, settings=FitSettings(max_steps=1))
    assert set(lost.statuses[0]) == {IntervalStatus.FITS_FAILED}
    assert np.isnan(lost.points[0]).all()
    assert "32 of 32 points have no result" in lost.message
    validate(lost.dump(), "contour-result-1.0.0.json")


@pytest.mark.parametrize(
    ("names", "settings", "error", "words"),
    [
        (["mu"], {}, ParameterError, "of two parameters, not of"),
        (["mu", "mu"], {}, ParameterError, "twice"),
        (["mu", "nu"], {}, UnknownNameError, "nu"),
        (["mu", "gamma"], {}, ParameterError, "2 components"),
        (PLANE, {"levels": [1.0]}, ArgumentError, "between 0 and 1"),
        (PLANE, {"levels": []}, ArgumentError, "one level or more"),
        (PLANE, {"rays": 9}, ArgumentError, "multiple of 4"),
    ],
)
def test_what_is_no_question_is_refused(excess, names, settings, error, words):
    model, data = excess
    with pytest.raises(error, match=words):
        contour(model, data, names, **settings)


def test_what_is_held_has_no_contour(excess):
    model, data = excess
    with pytest.raises(ParameterError, match="'mu' is fixed"):
        contour(model.with_fixed({"mu": 1.0}), data, PLANE)


def test_contours_are_for_known_numbers(excess):
    model, data = excess
    with pytest.raises(ArgumentError, match="inside jit or vmap"):
        jax.jit(lambda d: contour(model, d, PLANE).free.params)(data)


def test_contours_are_a_record(found, tmp_path):
    found.write(tmp_path / "contour.json")
    record = load_result(tmp_path / "contour.json")
    assert isinstance(record, ContourRecord)
    assert record.names == PLANE
    assert record.values == tuple(found.values.tolist())
    assert record.contours[1].level == 0.95
    assert np.array(record.contours[1].points).tolist() == found.points[1].tolist()
    assert record.contours[1].status.count("at_bound") == found.statuses[1].count(
        AT_BOUND
    )
    assert record.free["gamma[1]"] == pytest.approx(1.0)
    first, *rows = repr(found).splitlines()
    assert first == "ContourResult: best fit mu = 1, gamma[0] = 1"
    assert [row.split(":")[0].strip() for row in rows] == ["0.68", "0.95"]
