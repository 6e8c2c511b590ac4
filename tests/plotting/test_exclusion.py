"""The exclusion contour: where it runs, what it marks, what it refuses."""

import dataclasses
import math
from statistics import NormalDist

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hfjax.errors import DataError
from hfjax.plotting.coordinates import check_drawable
from hfjax.plotting.exclusion import draw_exclusion, write_exclusion
from hfjax.plotting.settings import PlotSettings
from hfjax.plotting.significance import significance
from hfjax.provenance import Provenance
from hfjax.results.scan import ScanPoint, ScanResult

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


def drawn(result: ScanResult, **settings):
    """The axes of a picture."""
    return draw_exclusion(result, PlotSettings(**settings)).axes


def grid() -> ScanResult:
    """A plane with a contour in the middle."""
    return plane(lambda x, _y: 5 - 0.02 * x)


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
    axes = drawn(plane(lambda x, _y: 5 - 0.02 * x))
    observed, expected = contours(axes)
    np.testing.assert_allclose(observed[:, 0], (5 - Z95) / 0.02, rtol=1e-6)
    np.testing.assert_allclose(expected[:, 0], (5 - Z95) / 0.02, rtol=1e-6)


def test_the_band_lies_between_the_expected_contours_at_one_sigma():
    axes = drawn(plane(lambda x, _y: 5 - 0.02 * x))
    band = next(found for found in axes.collections if getattr(found, "filled", False))
    x = np.vstack([path.vertices for path in band.get_paths()])[:, 0]
    assert x.min() == pytest.approx((4 - Z95) / 0.02, rel=1e-6)
    assert x.max() == pytest.approx((6 - Z95) / 0.02, rel=1e-6)


def test_the_level_moves_the_contour():
    axes = drawn(plane(lambda x, _y: 5 - 0.02 * x), level=0.1)
    x = contours(axes)[0][:, 0]
    np.testing.assert_allclose(x, (5 - significance(0.1)) / 0.02, rtol=1e-6)
    assert axes.get_legend().get_title().get_text() == "Exclusion at 90% CL"


def test_each_outcome_has_its_own_mark():
    grid = plane(lambda x, _y: 5 - 0.02 * x)
    points = (*grid.points, failed_point(50.0, 50.0))
    axes = drawn(ScanResult(LABELS, points))
    assert marked(axes) == {"Excluded": 10, "Not excluded": 15, "No result": 1}


def test_a_failed_point_does_not_move_the_contour():
    grid = plane(lambda x, _y: 5 - 0.02 * x)
    points = (*grid.points, failed_point(150.0, 150.0))
    axes = drawn(ScanResult(LABELS, points))
    np.testing.assert_allclose(contours(axes)[0][:, 0], (5 - Z95) / 0.02, rtol=1e-6)


def test_labels_and_legend_are_there():
    axes = drawn(plane(lambda x, _y: 5 - 0.02 * x))
    assert axes.get_xlabel() == r"$m_{\mathrm{parent}}$"
    assert axes.get_ylabel() == r"$m_{\mathrm{lsp}}$"
    assert names(axes) == [
        "Observed",
        r"Expected $\pm1\sigma$",
        "Excluded",
        "Not excluded",
    ]


@pytest.mark.parametrize(("z", "word"), [(9.0, "all"), (-1.0, "nothing")])
def test_a_plane_without_a_contour_says_so(z, word):
    axes = drawn(plane(lambda _x, _y: z))
    assert names(axes)[:2] == [
        f"Observed: {word} excluded",
        f"Expected: {word} excluded",
    ]


def test_underflowing_CLs_still_draw():
    axes = drawn(plane(lambda x, _y: 60 - 0.2 * x))
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
    axes = drawn(result, axes=("m_lsp", "m_parent"))
    assert axes.get_xlabel() == r"$m_{\mathrm{lsp}}$"
    with pytest.raises(DataError, match="unknown name 'm_lps': did you mean 'm_lsp'"):
        drawn(result, axes=("m_lps", "m_parent"))
    with pytest.raises(DataError, match="a scan has no use for most: it takes axes"):
        drawn(result, axes=("m_lsp", "m_parent"), most=3)


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
        drawn(sliced(third), axes=LABELS)
    assert "the labels 'kind', 'm_parent', 'm_lsp'" in str(caught.value)


def test_the_plane_is_checked_for_slices_before_there_are_results():
    with pytest.raises(DataError, match="different slices"):
        check_drawable(sliced(lambda i, *_: i % 2))


def test_a_third_label_that_follows_from_the_others_is_no_slice():
    """Such as a mass half way between two others."""
    axes = drawn(sliced(lambda _, x, y: 0.5 * x + 0.5 * y), axes=LABELS)
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
        drawn(result, axes=LABELS)


def test_labels_that_are_texts_are_refused():
    result = sliced(lambda i, *_: f"model {i}", lambda p: (p.values[0], 1))
    with pytest.raises(
        DataError, match="'kind' at point 'p_0_0' is 'model 0': only finite numbers"
    ):
        drawn(result)


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
    assert drawn(result).get_legend().get_title().get_text() == title


def test_it_draws_into_given_axes():
    figure = Figure()
    axes = figure.add_subplot()
    assert draw_exclusion(grid(), axes=axes) == (figure, axes)


def test_global_settings_stay_as_they_were():
    before = dict(mpl.rcParams)
    drawn(plane(lambda x, _y: 5 - 0.02 * x))
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
        ([(0, 0), (1, 0), (0, 1), (0, 0)], "several points share one place"),
    ],
)
def test_points_that_span_no_plane_are_refused(points, message):
    result = ScanResult(LABELS, tuple(point(x, y, 2.0) for x, y in points))
    with pytest.raises(DataError, match=message):
        drawn(result)


def test_failed_points_do_not_count_as_points():
    points = (point(0, 0, 1), point(0, 1, 2), failed_point(1, 1))
    with pytest.raises(DataError, match="2 points with a result are too few"):
        drawn(ScanResult(LABELS, points))


def test_by_default_the_plane_has_the_first_labels_that_vary():
    grid = plane(lambda x, _y: 5 - 0.02 * x)
    points = tuple(
        ScanPoint(p.name, (p.values[0], 60, p.values[1]), p.CLs_obs, p.CLs_exp)
        for p in grid
    )
    axes = drawn(ScanResult(("m1", "m2", "m3"), points))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$m_{1}$", "$m_{3}$")


def test_a_plane_can_be_checked_before_there_are_results():
    points = [ScanPoint(f"p{i}", (i, i * i)) for i in range(3)]
    check_drawable(ScanResult(LABELS, tuple(points)))
    with pytest.raises(DataError, match="2 points"):
        check_drawable(ScanResult(LABELS, tuple(points[:2])))


def test_two_sigma_is_one_more_band():
    axes = drawn(grid(), two_sigma=True)
    assert names(axes)[:3] == [
        "Observed",
        r"Expected $\pm1\sigma$",
        r"Expected $\pm2\sigma$",
    ]
    widths = []
    for band in (found for found in axes.collections if found.filled):
        x = np.vstack([path.vertices for path in band.get_paths()])[:, 0]
        widths.append(x.max() - x.min())
    assert widths == pytest.approx([4 / 0.02, 2 / 0.02], rel=0.02)


def test_points_may_be_left_out():
    assert marked(drawn(grid(), points=False)) == {}


def test_what_is_asked_for_is_written():
    axes = drawn(
        grid(),
        xlabel="$m(X)$",
        units=("GeV", "TeV"),
        title="Pairs of X",
        text=(r"$\sqrt{s}$ = 13 TeV", "139 fb$^{-1}$"),
    )
    assert axes.get_xlabel() == "$m(X)$ [GeV]"
    assert axes.get_ylabel() == r"$m_{\mathrm{lsp}}$ [TeV]"
    assert axes.get_title(loc="left") == "Pairs of X"
    heading = axes.get_legend().get_title().get_text()
    assert heading.splitlines() == [
        r"$\sqrt{s}$ = 13 TeV",
        "139 fb$^{-1}$",
        "Exclusion at 95% CL",
    ]


@pytest.mark.parametrize("name", ["xlabel", "ylabel", "title"])
def test_a_formula_that_cannot_be_set_is_refused(name):
    with pytest.raises(DataError, match=r"a formula that cannot be set.*\\nonsense"):
        drawn(grid(), **{name: r"$\nonsense$"})


def test_three_units_are_refused():
    with pytest.raises(DataError, match="3 units are too many"):
        drawn(grid(), units=("GeV",) * 3)


@pytest.mark.parametrize("wanted", [(), ("m_lsp", "m_lsp"), ("a", "b", "c")])
def test_there_are_one_or_two_axes(wanted):
    with pytest.raises(DataError, match="one axis of labels, or two that differ"):
        drawn(grid(), axes=wanted)


def test_points_can_be_selected():
    axes = drawn(grid(), select="m_parent < 350")
    assert marked(axes) == {"Excluded": 10, "Not excluded": 10}
    with pytest.raises(DataError, match="no point fulfils 'm_lsp > 900'"):
        drawn(grid(), select="m_lsp > 900")


def test_an_axis_may_be_an_expression():
    axes = drawn(grid(), axes=("m_parent", "m_lsp - m_parent / 2"))
    assert axes.get_ylabel() == r"$m_{\mathrm{lsp}} - m_{\mathrm{parent}} / 2$"
    np.testing.assert_allclose(contours(axes)[0][:, 0], (5 - Z95) / 0.02, rtol=1e-6)


def test_the_contour_is_the_same_in_masses_and_in_their_difference():
    """A ring of excluded points, drawn in axes that are turned and stretched."""
    round_ = plane(lambda x, y: 5 - 0.02 * math.hypot(x - 200, y - 200), side=7)
    masses = drawn(round_, axes=LABELS)
    others = drawn(round_, axes=("m_parent", "m_parent - m_lsp"))
    one, other = (contours(axes)[0] for axes in (masses, others))
    turned = np.column_stack([one[:, 0], one[:, 0] - one[:, 1]])
    apart = np.hypot(*(turned[:, None] - other[None]).T).min(axis=0)
    assert apart.max() < 5  # of a spacing of 100: triangles are not the same


def test_a_contour_is_smooth_between_points():
    round_ = plane(lambda x, y: 5 - 0.02 * math.hypot(x - 200, y - 200))
    line = contours(drawn(round_))[0]
    radius = np.hypot(*(line - 200).T)
    assert radius.min() > 0.93 * (5 - Z95) / 0.02
    assert radius.max() < 1.07 * (5 - Z95) / 0.02


def test_nothing_is_drawn_where_there_are_no_points():
    """Two arms of points: the hull of both is half empty."""
    arms = [(50.0 * i, 50.0 * j) for i in range(13) for j in range(13)]
    arms = [(x, y) for x, y in arms if x < 101 or y < 101]
    points = tuple(point(x, y, 5 - 0.01 * (x + y)) for x, y in arms)
    for found in contours(drawn(ScanResult(LABELS, points))):
        assert ((found[:, 0] < 151) | (found[:, 1] < 151)).all()


def test_between_points_of_a_logarithmic_axis_logarithms_are_interpolated():
    values = [(x, y) for x in (100.0, 200.0, 300.0) for y in (0.1, 1.0, 10.0, 100.0)]
    points = tuple(point(x, y, 2 - math.log10(y)) for x, y in values)
    axes = drawn(ScanResult(("m", "tau"), points), log=True)
    assert axes.get_yscale() == "log"
    np.testing.assert_allclose(contours(axes)[0][:, 1], 10 ** (2 - Z95), rtol=2e-3)


def test_a_logarithmic_axis_needs_values_above_zero():
    with pytest.raises(DataError, match="'m_lsp' is 0 at point 'p_0_0'"):
        drawn(grid(), log=True)


def cover(axes) -> int:
    """How many points are under the legend."""
    axes.figure.draw_without_rendering()
    box = axes.get_legend().get_window_extent()
    lines = [axes.transData.transform(line.get_xydata()) for line in axes.lines]
    return sum(box.contains(*place) for line in lines for place in line)


@pytest.mark.parametrize("log", [False, True])
def test_the_legend_covers_no_point_where_all_corners_are_full(log):
    values = [(100.0 * i, 10.0 + 100 * j) for i in range(9) for j in range(9)]
    points = tuple(point(x, y, 5 - 0.01 * x) for x, y in values)
    axes = drawn(ScanResult(LABELS, points), text=("ATLAS", "139 fb"), log=log)
    assert cover(axes) == 0
    assert axes.get_ylim()[1] > 900


def test_a_forbidden_region_is_shaded():
    points = [(x, y) for x in range(100, 900, 100) for y in range(0, x, 100)]
    result = ScanResult(LABELS, tuple(point(x, y, 5 - 0.01 * x) for x, y in points))
    axes = drawn(result, forbidden="m_lsp > m_parent")
    shade, line = axes.collections[:2]
    places = np.vstack([path.vertices for path in shade.get_paths()])
    assert (places[:, 1] - places[:, 0]).min() > -1e-6
    edge = np.vstack([path.vertices for path in line.get_paths()])
    np.testing.assert_allclose(edge[:, 0], edge[:, 1], rtol=1e-6)
    assert names(axes)[-1] == r"$m_{\mathrm{lsp}} > m_{\mathrm{parent}}$"
    assert cover(axes) == 0
    line = drawn(result, forbidden="m_lsp = m_parent - 50")
    assert len(line.collections) == len(axes.collections) - 1


@pytest.mark.parametrize(
    ("relation", "message"),
    [
        ("m_lsp", "is no region, such as 'm_lsp > m_parent'"),
        ("m_lsp > 1 > 0", "is no region"),
        ("m_lsp * m_parent > 9", "is no line in the plane of m_parent and m_lsp"),
        ("m_lps > m_parent", "unknown name 'm_lps'"),
    ],
)
def test_what_is_no_forbidden_region_is_refused(relation, message):
    with pytest.raises(DataError, match=message):
        drawn(grid(), forbidden=relation)


def test_axes_may_be_functions_of_all_labels_that_vary():
    result = grid()
    axes = drawn(result, axes=("sqrt(m_parent)", "m_parent - m_lsp"))
    places = np.column_stack([line.get_data() for line in axes.lines])
    roots = [np.sqrt(point.values[0]) for point in result]
    assert set(roots) <= set(places[0])
    with pytest.raises(DataError, match="joins points of different slices"):
        drawn(result, axes=("sqrt(m_parent)", "m_parent ** 2"))


def test_a_forbidden_region_outside_is_left_out_with_a_warning():
    with pytest.warns(UserWarning, match="'m_lsp > 9000' is not in this picture, and"):
        axes = drawn(grid(), forbidden="m_lsp > 9000")
    assert len(axes.collections) == len(drawn(grid()).collections)
    assert names(axes) == names(drawn(grid()))


def test_given_axes_keep_what_is_theirs():
    axes = Figure().add_subplot()
    axes.set(xlabel="mine", title="Mine", ylim=(-50, 777))
    own = axes.plot([0, 1], [0, 1], label="a line")
    axes.legend(handles=own)
    before = axes.get_legend()
    draw_exclusion(grid(), axes=axes)
    assert (axes.get_xlabel(), axes.get_title()) == ("mine", "Mine")
    assert axes.get_ylabel() == r"$m_{\mathrm{lsp}}$"
    assert axes.get_ylim() == (-50, 777)
    assert before in axes.get_children()
    axes.figure.draw_without_rendering()
    boxes = [found.get_window_extent() for found in (before, axes.get_legend())]
    assert not boxes[0].overlaps(boxes[1])


def test_a_second_result_in_the_same_axes_is_not_cut_off():
    wide = plane(lambda x, _y: 5 - 0.01 * x, side=9)
    axes = drawn(grid())
    draw_exclusion(wide, PlotSettings(points=False), axes=axes)
    draw_exclusion(grid(), axes=axes)
    assert axes.get_xlim()[1] > 800
    assert axes.get_ylim()[1] > 800


@pytest.mark.parametrize("lost", ["CLs_obs", "CLs_exp"])
def test_a_point_whose_numbers_are_not_finite_has_no_result(lost):
    value = math.nan if lost == "CLs_obs" else (0.1, math.nan, 0.2, 0.3, 0.4)
    broken = dataclasses.replace(point(150.0, 150.0, 9.0), **{lost: value})
    axes = drawn(ScanResult(LABELS, (*grid().points, broken)))
    assert marked(axes) == {"Excluded": 10, "Not excluded": 15, "No result": 1}
    np.testing.assert_allclose(contours(axes)[0][:, 0], (5 - Z95) / 0.02, rtol=1e-6)


def test_points_outside_of_the_limits_are_not_drawn_beside_the_frame():
    axes = drawn(grid())
    axes.set(xlim=(150, 250), ylim=(-20, 450))
    figure = axes.get_figure(root=True)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())[..., :3]
    right = int(axes.get_window_extent().x1) + 8
    assert (picture[:, right:] == 255).all()


def test_settings_take_a_text_for_a_list_of_one():
    given = PlotSettings(axes="x,y-x", units="GeV", text="ATLAS")
    assert given == PlotSettings(axes=("x", "y-x"), units=("GeV",), text=("ATLAS",))
