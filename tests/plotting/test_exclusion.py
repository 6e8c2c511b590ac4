"""The exclusion contour: where it runs, what it marks, what it refuses."""

import math
from statistics import NormalDist

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from hfjax.errors import DataError, UnknownNameError
from hfjax.plotting.exclusion import draw_exclusion, write_exclusion
from hfjax.plotting.plane import check_plane, significance
from hfjax.results.scan import Provenance, ScanPoint, ScanResult

Z95 = 1.6448536269514722  # Phi^-1(0.95)
LABELS = ("m_parent", "m_lsp")


def CLs_of(z: float) -> float:
    return NormalDist().cdf(-z)


def point(x: float, y: float, z: float, **options) -> ScanPoint:
    band = tuple(CLs_of(z + shift) for shift in (2, 1, 0, -1, -2))
    return ScanPoint(f"p_{x:g}_{y:g}", (x, y), CLs_of(z), band, **options)


def failed_point(x: float, y: float) -> ScanPoint:
    return point(x, y, 9.0, status="stalled", message="no step lowers the likelihood")


def plane(z_of, side=5) -> ScanResult:
    """A grid of points 100 apart with a given significance."""
    grid = [(100.0 * i, 100.0 * j) for i in range(side) for j in range(side)]
    return ScanResult(LABELS, tuple(point(x, y, z_of(x, y)) for x, y in grid))


def contours(axes) -> list[np.ndarray]:
    """The vertices of every contour line, observed first."""
    lines = [found for found in axes.collections if not getattr(found, "filled", False)]
    return [np.vstack([path.vertices for path in found.get_paths()]) for found in lines]


def names(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def marked(axes) -> dict[str, int]:
    return {line.get_label(): len(line.get_xdata()) for line in axes.lines}


@pytest.mark.parametrize("CLs", [0.5, 0.05, 1e-10, 1e-200])
def test_significance_is_the_normal_quantile(CLs):
    assert NormalDist().cdf(-significance(CLs)) == pytest.approx(CLs, rel=1e-10)


@pytest.mark.parametrize("CLs", [0.0, 1.0])
def test_significance_is_finite_at_the_ends(CLs):
    assert math.isfinite(significance(CLs))


def test_the_contour_is_interpolated_in_the_significance():
    # z falls by 0.02 a unit of x: 95% is reached at x = (5 - 1.645) / 0.02 = 167.8,
    # where a line through CLs itself would pass x = 198.
    axes = draw_exclusion(plane(lambda x, _y: 5 - 0.02 * x))
    observed, expected = contours(axes)
    np.testing.assert_allclose(observed[:, 0], (5 - Z95) / 0.02, rtol=1e-6)
    np.testing.assert_allclose(expected[:, 0], (5 - Z95) / 0.02, rtol=1e-6)


def test_the_band_lies_between_the_expected_contours_at_one_sigma():
    axes = draw_exclusion(plane(lambda x, _y: 5 - 0.02 * x))
    band = next(found for found in axes.collections if getattr(found, "filled", False))
    x = np.vstack([path.vertices for path in band.get_paths()])[:, 0]
    assert x.min() == pytest.approx((4 - Z95) / 0.02, rel=1e-6)
    assert x.max() == pytest.approx((6 - Z95) / 0.02, rel=1e-6)


def test_the_level_moves_the_contour():
    axes = draw_exclusion(plane(lambda x, _y: 5 - 0.02 * x), level=0.1)
    x = contours(axes)[0][:, 0]
    np.testing.assert_allclose(x, (5 - significance(0.1)) / 0.02, rtol=1e-6)
    assert axes.get_legend().get_title().get_text() == "Exclusion at 90% CL"


def test_each_outcome_has_its_own_mark():
    grid = plane(lambda x, _y: 5 - 0.02 * x)
    points = (*grid.points, failed_point(50.0, 50.0))
    axes = draw_exclusion(ScanResult(LABELS, points))
    assert marked(axes) == {"Excluded": 10, "Not excluded": 15, "No result": 1}


def test_a_failed_point_does_not_move_the_contour():
    grid = plane(lambda x, _y: 5 - 0.02 * x)
    points = (*grid.points, failed_point(150.0, 150.0))
    axes = draw_exclusion(ScanResult(LABELS, points))
    np.testing.assert_allclose(contours(axes)[0][:, 0], (5 - Z95) / 0.02, rtol=1e-6)


def test_labels_and_legend_are_there():
    axes = draw_exclusion(plane(lambda x, _y: 5 - 0.02 * x))
    assert axes.get_xlabel() == r"$m_{\mathrm{parent}}$"
    assert axes.get_ylabel() == r"$m_{\mathrm{lsp}}$"
    assert names(axes) == [
        "Observed",
        "Expected",
        r"Expected $\pm1\sigma$",
        "Excluded",
        "Not excluded",
    ]


@pytest.mark.parametrize(("z", "word"), [(9.0, "all"), (-1.0, "nothing")])
def test_a_plane_without_a_contour_says_so(z, word):
    axes = draw_exclusion(plane(lambda _x, _y: z))
    assert names(axes)[:2] == [
        f"Observed: {word} excluded",
        f"Expected: {word} excluded",
    ]


def test_underflowing_CLs_still_draw():
    axes = draw_exclusion(plane(lambda x, _y: 60 - 0.2 * x))
    assert len(contours(axes)) == 2


def sliced(third, x_of=lambda p: p.values) -> ScanResult:
    """The grid with a third label before the others."""
    grid = plane(lambda x, _y: 5 - 0.02 * x)
    points = tuple(
        ScanPoint(p.name, (third(i, *p.values), *x_of(p)), p.CLs_obs, p.CLs_exp)
        for i, p in enumerate(grid)
    )
    return ScanResult(("kind", *LABELS), points)


def test_other_labels_can_be_chosen():
    result = sliced(lambda *_: 7)
    axes = draw_exclusion(result, labels=("m_lsp", "m_parent"))
    assert axes.get_xlabel() == r"$m_{\mathrm{lsp}}$"
    with pytest.raises(UnknownNameError, match="did you mean 'm_lsp'"):
        draw_exclusion(result, labels=("m_lps", "m_parent"))


@pytest.mark.parametrize(
    ("third", "shown"),
    [
        (lambda i, *_: f"model {i % 2}", r"'kind' \(model 0, model 1\) as well"),
        (lambda i, *_: i % 2, r"'kind' \(0, 1\) as well; .*--select 'kind == 0'"),
        (lambda i, *_: i % 9, r"'kind' \(0, 1, 2, 3, 4, 5, \.\.\.\) as well"),
        (lambda _, x, y: x * y, "'kind'"),
    ],
)
def test_points_of_different_slices_are_not_joined(third, shown):
    with pytest.raises(DataError, match=shown) as caught:
        draw_exclusion(sliced(third), labels=LABELS)
    assert "the labels 'kind', 'm_parent', 'm_lsp'" in str(caught.value)


def test_the_plane_is_checked_for_slices_before_there_are_results():
    with pytest.raises(DataError, match="different slices"):
        check_plane(sliced(lambda i, *_: i % 2))


def test_a_third_label_that_follows_from_the_others_is_no_slice():
    """Such as a mass half way between two others."""
    axes = draw_exclusion(sliced(lambda _, x, y: 0.5 * x + 0.5 * y), labels=LABELS)
    assert len(contours(axes)) == 2


def test_three_points_do_not_show_that_a_label_follows_from_others():
    points = [(5, 0, 0), (6, 1, 0), (9, 0, 1)]
    result = ScanResult(
        ("kind", *LABELS),
        tuple(
            ScanPoint(f"p{i}", values, 0.04, (0.1,) * 5)
            for i, values in enumerate(points)
        ),
    )
    with pytest.raises(DataError, match="different slices"):
        draw_exclusion(result, labels=LABELS)


def test_labels_that_are_texts_are_refused():
    result = sliced(lambda i, *_: f"model {i}", lambda p: (p.values[0], 1))
    with pytest.raises(DataError, match="'model 0' for 'kind': only numbers"):
        draw_exclusion(result)


@pytest.mark.parametrize(
    ("settings", "title"),
    [
        ({}, "Exclusion at 95% CL"),
        ({"test_poi": 1.0, "poi": None}, "Exclusion at 95% CL"),
        ({"test_poi": 2.0}, r"Exclusion of $\mu$ = 2 at 95% CL"),
        ({"test_poi": 0.5, "poi": "mu"}, r"Exclusion of $\mu$ = 0.5 at 95% CL"),
        ({"test_poi": 1.0, "poi": "k"}, "Exclusion of k = 1 at 95% CL"),
    ],
)
def test_the_title_says_what_is_excluded(settings, title):
    points = plane(lambda x, _y: 5 - 0.02 * x).points
    result = ScanResult(LABELS, points, Provenance(settings=settings))
    assert draw_exclusion(result).get_legend().get_title().get_text() == title


def test_it_draws_into_given_axes():
    axes = Figure().add_subplot()
    assert draw_exclusion(plane(lambda x, _y: 5 - 0.02 * x), axes=axes) is axes


def test_global_settings_stay_as_they_were():
    before = dict(mpl.rcParams)
    draw_exclusion(plane(lambda x, _y: 5 - 0.02 * x))
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_the_file_has_the_format_of_its_suffix(tmp_path, suffix):
    path = tmp_path / f"exclusion.{suffix}"
    write_exclusion(plane(lambda x, _y: 5 - 0.02 * x), path)
    start = path.read_bytes()[:5]
    assert start in (b"\x89PNG\r", b"%PDF-", b"<?xml")


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], "0 points with a result are too few"),
        ([(0, 0), (1, 1)], "2 points with a result are too few"),
        ([(0, 0), (1, 1), (2, 2), (3, 3)], "all points with a result lie on one line"),
        ([(0, 0), (0, 1), (0, 2)], "all points with a result lie on one line"),
        ([(0, 0), (1, 0), (0, 1), (0, 0)], "several points share one place"),
    ],
)
def test_points_that_span_no_plane_are_refused(points, message):
    result = ScanResult(LABELS, tuple(point(x, y, 2.0) for x, y in points))
    with pytest.raises(DataError, match=message):
        draw_exclusion(result)


def test_failed_points_do_not_count_as_points():
    points = (point(0, 0, 1), point(0, 1, 2), failed_point(1, 1))
    with pytest.raises(DataError, match="2 points with a result are too few"):
        draw_exclusion(ScanResult(LABELS, points))


def test_by_default_the_plane_has_the_first_labels_that_vary():
    grid = plane(lambda x, _y: 5 - 0.02 * x)
    points = tuple(
        ScanPoint(p.name, (p.values[0], 60, p.values[1]), p.CLs_obs, p.CLs_exp)
        for p in grid
    )
    axes = draw_exclusion(ScanResult(("m1", "m2", "m3"), points))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("m1", "m3")


def test_a_plane_can_be_checked_before_there_are_results():
    points = [ScanPoint(f"p{i}", (i, i * i)) for i in range(3)]
    check_plane(ScanResult(LABELS, tuple(points)))
    with pytest.raises(DataError, match="2 points"):
        check_plane(ScanResult(LABELS, tuple(points[:2])))


def test_one_label_is_refused():
    result = ScanResult(("m",), (ScanPoint("a", (1,), 0.5, (0.5,) * 5),))
    with pytest.raises(DataError, match=r"needs two labels.*has 1 \(m\)"):
        draw_exclusion(result)
