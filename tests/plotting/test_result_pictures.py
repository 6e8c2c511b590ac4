"""Pictures of fits, tests, profiles and contours: what is in them and is refused."""

import dataclasses
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from matplotlib.figure import Figure

from hfjax.errors import DataError
from hfjax.plotting.contour import draw_contour
from hfjax.plotting.hypothesis import draw_test
from hfjax.plotting.profile import CONTOURS, draw_profile
from hfjax.plotting.pulls import MOST, draw_fit
from hfjax.plotting.settings import PlotSettings
from hfjax.provenance import Provenance
from hfjax.results.contour_record import ContourRecord, Curve
from hfjax.results.fit_record import FitRecord
from hfjax.results.hypotest_record import HypotestRecord
from hfjax.results.interval import Interval
from hfjax.results.intervals_record import IntervalsRecord
from hfjax.results.profile_record import ProfileRecord
from tests.plotting.same_picture import assert_seen

BAND = (0.001, 0.005, 0.02, 0.1, 0.3)
FIT = FitRecord(
    {"mu": 0.5, "JES": 0.25, "gamma[0]": 1.2, "gamma[1]": 1e-17},
    pulls={"JES": 0.25, "gamma[0]": 3.0},
    bounds={"mu": (0.0, 10.0), "JES": (-5.0, 5.0)},
)
X = np.linspace(-1.0, 3.0, 9)


def names(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def curve(values=X, best=0.8, width=0.5) -> ProfileRecord:
    delta = ((values - best) / width) ** 2
    return ProfileRecord(("mu",), (tuple(values),), delta, FitRecord({"mu": best}))


def plane() -> ProfileRecord:
    delta = X[:, None] ** 2 + (X[None, :] - 1.0) ** 2
    free = FitRecord({"mu": 0.0, "m_x": 1.0})
    return ProfileRecord(("mu", "m_x"), (tuple(X),) * 2, delta, free)


def test_pulls_are_drawn_in_the_order_of_the_parameters():
    axes = draw_fit(FIT).axes
    assert [t.get_text() for t in axes.get_yticklabels()] == list(FIT.values)
    heights = dict(zip(FIT.values, axes.get_yticks(), strict=True))
    assert list(heights.values()) == [3, 2, 1, 0]  # from the top
    (marks,) = (line for line in axes.lines if line.get_label() == "Best fit")
    assert list(zip(*marks.get_data(), strict=True)) == [
        (0.25, heights["JES"]),
        (3.0, heights["gamma[0]"]),
    ]
    low, high = axes.get_xlim()
    assert low == -high < -3.0
    assert axes.get_xlabel().startswith("Pull")


def test_values_are_beside_the_pulls_with_the_bounds_of_what_has_none():
    axes = draw_fit(FIT).axes
    (right,) = axes.child_axes
    shown = [label.get_text() for label in right.get_yticklabels()]
    assert shown == ["0.500 in [0, 10]", "0.250", "1.20", "0.00"]


def test_a_fit_without_pulls_shows_values_between_their_bounds():
    bounds = {"mu": (0.0, 10.0), "k": (0.0, None)}
    axes = draw_fit(FitRecord({"mu": 0.5, "k": 0.2}, bounds=bounds)).axes
    *lines, marks = (list(line.get_xdata()) for line in axes.lines)
    assert (lines, marks) == ([[0.0, 10.0]], [0.5, 0.2])
    assert axes.get_xlabel().startswith("Best fit")


def test_pulls_that_were_found_are_drawn():
    pulls = {"JES": np.array([0.5]), "gamma": np.array([np.nan, -1.5])}
    axes = draw_fit(FitRecord(FIT.values), pulls=pulls).axes
    (marks,) = (line for line in axes.lines if line.get_label() == "Best fit")
    assert list(marks.get_xdata()) == [0.5, -1.5]


def bars(axes, height):
    """The ends of the black lines at a height."""
    lines = (list(zip(*line.get_data(), strict=True)) for line in axes.lines)
    found = (line for line in lines if [y for _, y in line] == [height] * 2)
    return [tuple(x for x, _ in line) for line in found]


def test_uncertainties_are_bars_and_beside_the_values():
    record = replace(
        FIT,
        uncertainties={"mu": 0.3, "JES": 0.8, "gamma[0]": 0.0},
        pull_uncertainties={"JES": 0.8, "gamma[0]": 0.5},
    )
    axes = draw_fit(record).axes
    assert [bars(axes, y) for y in (3, 2, 1)] == [[], [(-0.55, 1.05)], [(2.5, 3.5)]]
    shown = [text.get_text() for text in axes.child_axes[0].get_yticklabels()]
    assert shown[:3] == ["0.500 ± 0.30", "0.250 ± 0.80", "1.20"]
    values = draw_fit(FitRecord({"mu": 0.5}), uncertainties={"mu": np.array(0.25)})
    assert bars(values.axes, 0) == [(0.25, 0.75)]


def interval(value, low, high):
    return Interval(value, (low, high), ("found", "found"), (1.0, 1.0))


ENDS = {"mu": interval(0.5, 0.25, None), "JES": interval(0.25, -0.55, 1.25)}
ENDS |= {"gamma[0]": interval(1.2, 1.2, 1.2)}
LOPSIDED = replace(
    FIT,
    uncertainties={"mu": 0.3, "JES": 0.8, "gamma[0]": 0.2},
    pull_uncertainties={"JES": 1.6, "gamma[0]": 0.5},
    intervals=ENDS,
)


def test_profile_intervals_go_before_standard_deviations():
    """In units of pulls, they are as much longer as the standard deviation is."""
    axes = draw_fit(LOPSIDED).axes
    assert bars(axes, 2) == [(0.25 - 2 * 0.8, 0.25 + 2 * 1.0)]
    assert bars(axes, 1) == [(2.5, 3.5)]
    shown = [text.get_text() for text in axes.child_axes[0].get_yticklabels()]
    assert shown[:2] == ["0.500 \N{MINUS SIGN}0.25 +?", "0.250 \N{MINUS SIGN}0.80 +1.0"]


def test_intervals_are_drawn_with_their_fit():
    free = {"mle_parameters": {"mu": [0.5]}, "twice_nll": 1.0, "edm": 0.0, "steps": 1}
    free |= {"status": "converged", "message": ""}
    record = IntervalsRecord({"mu": interval(0.5, 0.25, 1.0)}, 0.68, free)
    assert bars(draw_fit(record).axes, 0) == [(0.25, 1.0)]


def test_the_pulls_are_what_was_seen(tmp_path):
    assert_seen(draw_fit(LOPSIDED, PlotSettings(text="13 TeV")), "pulls", tmp_path)


def test_fewer_pulls_may_be_asked_for():
    axes = draw_fit(FIT, PlotSettings(most=1)).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["gamma[0]"]


def test_parameters_are_selected_by_name_value_and_pull():
    settings = PlotSettings(select="pull > 1 or name == 'mu'")
    labels = draw_fit(FIT, settings).axes.get_yticklabels()
    assert [label.get_text() for label in labels] == ["mu", "gamma[0]"]
    with pytest.raises(DataError, match="no parameter fulfils 'value > 9'"):
        draw_fit(FIT, PlotSettings(select="value > 9"))


def test_a_fit_without_parameters_has_nothing_to_draw():
    with pytest.raises(DataError, match="no parameters, and there is nothing to draw"):
        draw_fit(FitRecord({}))


def test_of_many_parameters_those_with_the_largest_pulls_are_drawn():
    pulls = {f"p{i}": 0.001 * i for i in range(MOST + 20)}
    axes = draw_fit(FitRecord(pulls, pulls=pulls)).axes
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == list(pulls)[20:]
    assert axes.get_legend().get_title().get_text() == "60 of 80 parameters"


def test_dollars_in_names_are_no_formula():
    axes = draw_fit(FitRecord({"a$b$": 1.0})).axes
    assert axes.get_yticklabels()[0].get_text() == r"a\$b\$"


@pytest.mark.parametrize("log_x", [False, True])
def test_a_test_is_drawn_in_its_band(log_x):
    record = HypotestRecord(2.0, CLs_obs=0.04, CLs_exp=BAND)
    axes = draw_test(record, PlotSettings(log_x=log_x)).axes
    assert axes.get_xscale() == ("log" if log_x else "linear")
    assert names(axes)[:2] == ["Observed: 0.04", "Expected: 0.02"]
    assert names(axes)[-1] == "95% CL"
    assert axes.get_legend().get_title().get_text() == r"Test of $\mu$ = 2"
    for band, sigma in zip(axes.collections, (2, 1), strict=True):
        places = np.vstack([path.vertices for path in band.get_paths()])[:, 0]
        assert (places.min(), places.max()) == (BAND[2 - sigma], BAND[2 + sigma])
    low, high = axes.get_xlim()
    assert low <= BAND[0] < BAND[4] < high


def test_p0_has_lines_at_whole_significances():
    record = HypotestRecord(0.0, CLs_obs=0.04, CLs_exp=BAND, discovery=True)
    axes = draw_test(record).axes
    assert (axes.get_xscale(), axes.get_xlabel()) == ("log", "$p_0$")
    found = {text.get_text(): text.xy[0] for text in axes.texts}
    expected = {rf"${z}\sigma$": NormalDist().cdf(-z) for z in (1, 2, 3)}
    assert found == pytest.approx(expected)


def test_the_parameter_of_a_test_is_named_if_it_was_chosen():
    origin = Provenance(settings={"poi": "coupling"})
    record = HypotestRecord(1.0, CLs_obs=0.04, CLs_exp=BAND, provenance=origin)
    heading = draw_test(record).axes.get_legend().get_title().get_text()
    assert heading == "Test of coupling = 1"


@pytest.mark.parametrize("values", [X, X[[0, 2, 3, 4, 6, 8]]])
def test_a_parabola_is_drawn_as_one(values):
    axes = draw_profile(curve(values)).axes
    line = next(line for line in axes.lines if line.get_label() == "Profile likelihood")
    x, y = line.get_data()
    np.testing.assert_allclose(y, ((x - 0.8) / 0.5) ** 2, atol=1e-9)
    assert y.min() < 1e-3
    places = {text.get_text(): text.xy[1] for text in axes.texts}
    assert places == {r"$1\sigma$": 1.0, r"$2\sigma$": 4.0}


def test_points_of_a_profile_without_a_result_are_marked():
    record = curve()
    record = dataclasses.replace(
        record, delta=[*record.delta[:2], None, *record.delta[3:]]
    )
    axes = draw_profile(record).axes
    (failed,) = (line for line in axes.lines if line.get_label() == "No result")
    assert list(failed.get_xdata()) == [X[2]]


def test_two_parameters_have_contours():
    axes = draw_profile(plane(), PlotSettings(units="GeV")).axes
    assert names(axes) == [*CONTOURS, "Best fit"]
    for contour, level in zip(axes.collections, CONTOURS.values(), strict=True):
        (path,) = contour.get_paths()
        x, y = path.vertices.T
        inside = (x > -1) & (x < 3) & (y > -1) & (y < 3)
        np.testing.assert_allclose((x**2 + (y - 1) ** 2)[inside], level, rtol=1e-3)
    assert axes.get_ylabel() == r"$m_{\mathrm{x}}$ [GeV]"


DIAMOND = ((2.0, 1.0), (0.0, 3.0), (-2.0, 1.0), (0.0, -1.0))
AROUND = ContourRecord(
    ("mu", "m_x"),
    (0.0, 1.0),
    (
        Curve(0.68, 2.28, DIAMOND, ("found",) * 4),
        Curve(0.95, 5.99, ((4.0, 1.0), (None, None), (-4.0, 1.0)), ("found",) * 3),
    ),
)


def test_contours_are_closed_around_the_best_fit():
    axes = draw_contour(AROUND, PlotSettings(units="GeV")).axes
    assert names(axes) == ["68% CL", "95% CL", "Best fit"]
    inner, outer, best = axes.lines
    assert list(zip(*inner.get_data(), strict=True)) == [*DIAMOND, DIAMOND[0]]
    assert np.isnan(outer.get_xdata()).tolist() == [False, True, False, False]
    assert (best.get_xdata().tolist(), best.get_ydata().tolist()) == ([0.0], [1.0])
    low, high = axes.get_xlim()
    assert low < -4.0 < 4.0 < high
    assert axes.get_ylabel() == r"$m_{\mathrm{x}}$ [GeV]"


DRAWN = [
    (draw_contour, AROUND),
    (draw_fit, FIT),
    (draw_profile, curve()),
    (draw_profile, plane()),
]
DRAWN += [(draw_test, HypotestRecord(1.0, CLs_obs=0.04, CLs_exp=BAND))]


@pytest.mark.parametrize(("draw", "record"), DRAWN)
def test_axes_that_are_given_are_drawn_into(draw, record):
    axes = Figure().add_subplot()
    axes.set_xlabel("mine")
    picture = draw(record, axes=axes)
    assert picture.axes is axes
    assert picture.figure is axes.figure
    assert axes.get_xlabel() == "mine"


@pytest.mark.parametrize(("draw", "record"), DRAWN)
def test_what_is_written_is_in_the_picture(draw, record):
    settings = PlotSettings(title="Pairs", text="ATLAS", xlabel="across")
    axes = draw(record, settings).axes
    assert axes.get_title(loc="left") == "Pairs"
    assert axes.get_xlabel() == "across"
    assert axes.get_legend().get_title().get_text().startswith("ATLAS")


@pytest.mark.parametrize(("draw", "record"), DRAWN)
@pytest.mark.parametrize(
    "settings", [{"forbidden": "m > n"}, {"two_sigma": True}, {"axes": "mu"}]
)
def test_settings_that_do_not_apply_are_refused(draw, record, settings):
    with pytest.raises(DataError, match=f"no use for {next(iter(settings))}: it takes"):
        draw(record, PlotSettings(**settings))


FAILED = {"status": "stalled", "message": "it stalled"}


@pytest.mark.parametrize(
    ("draw", "record", "message"),
    [
        (draw_fit, FitRecord({"mu": 1.0}, **FAILED), "no result to draw: stalled: it"),
        (draw_test, HypotestRecord(1.0, **FAILED), "no result to draw: stalled: it"),
        (
            draw_contour,
            ContourRecord(("a", "b"), (None, None), (Curve(0.68, 2.28, (), ()),)),
            "no point of the contours is known",
        ),
        (draw_profile, curve(X[:2]), "2 points with a result are too few"),
    ],
)
def test_what_has_no_result_is_refused(draw, record, message):
    with pytest.raises(DataError, match=message):
        draw(record)


def test_profiles_that_no_picture_can_show_are_refused():
    free = FitRecord({"a": 1.0})
    three = ProfileRecord(("a", "b", "c"), ((1.0, 2.0),) * 3, np.ones((2,) * 3), free)
    with pytest.raises(DataError, match="3 parameters cannot be drawn: hold one or"):
        draw_profile(three)
    hole = plane()
    hole.delta[1, 1] = np.nan
    with pytest.raises(DataError, match="1 points of the plane have no result"):
        draw_profile(hole)
    level = HypotestRecord(0.0, CLs_obs=0.1, CLs_exp=BAND, discovery=True)
    with pytest.raises(DataError, match="q0 has none"):
        draw_test(level, PlotSettings(level=0.1))
