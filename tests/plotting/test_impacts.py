"""Pictures of impacts: what is drawn where, how many, and what is refused."""

from dataclasses import replace

import pytest

from hfjax.errors import DataError
from hfjax.plotting.impacts import MOST, draw_impacts
from hfjax.plotting.settings import PlotSettings
from hfjax.results.impacts_record import Impact, ImpactsRecord
from tests.plotting.same_picture import assert_seen

FOUND = {"prefit": ("found", "found"), "postfit": ("found", "found")}
LONG = "weight_bTagSF_DL1r_eigenvars_B_0"


def impact(pull, constraint, prefit, postfit, **others):
    status = others.get("status", FOUND)
    value = 1.05 if pull is None else pull
    width = 0.08 if constraint is None else constraint
    prefit_width = None if pull is None else 1.0
    numbers = (value, width, prefit_width, pull, constraint)
    return Impact(*numbers, prefit, postfit, status)


FAILED = {"prefit": ("unconstrained",) * 2, "postfit": ("found", "lower_minimum")}
SOME = {
    "JES_1": impact(0.5, 0.9, (-0.11, 0.12), (-0.1, 0.105)),
    LONG: impact(-1.4, 1.0, (0.21, -0.2), (0.2, -0.19)),
    "k_top": impact(None, None, (None, None), (0.15, -0.12)),
    "one_sided": impact(0.1, 0.7, (0.06, 0.09), (0.04, 0.07)),
    "lost": impact(None, None, (None, None), (-0.03, None), status=FAILED),
}
RECORD = ImpactsRecord("mu", 1.2, 0.4, "fits", SOME, {})


def labels(axes):
    return [text.get_text() for text in axes.get_yticklabels()]


def bars(axes, height):
    """Where the bars at a height begin and end, and whether they are filled."""
    found = []
    for each in axes.collections:
        (path,) = each.get_paths()
        box = path.get_extents()
        if box.y0 < height < box.y1:
            filled = bool(len(each.get_facecolor()))
            found.append((box.x0, box.x1, filled))
    return found


def test_the_largest_impact_is_on_top():
    axes = draw_impacts(RECORD).axes
    assert labels(axes) == [LONG, "k_top", "JES_1", "one_sided", "lost"]
    assert list(axes.get_yticks()) == [4, 3, 2, 1, 0]


def test_bars_are_as_long_as_impacts_on_the_axis_above():
    axes = draw_impacts(RECORD).axes
    top = axes.child_axes[-1]
    axes.get_figure().draw_without_rendering()
    scale = axes.get_xlim()[1] / top.get_xlim()[1]
    found = {(a / scale, b / scale, filled) for a, b, filled in bars(axes, 2)}
    rounded = {(round(a, 9), round(b, 9), filled) for a, b, filled in found}
    assert rounded == {
        (-0.1, 0.0, True),
        (0.0, 0.105, True),
        (-0.11, 0.0, False),
        (0.0, 0.12, False),
    }
    assert top.get_xlabel() == r"$\Delta$ $\mu$"


def test_pulls_have_their_uncertainties_and_free_parameters_none():
    axes = draw_impacts(RECORD).axes
    (marks,) = (line for line in axes.lines if line.get_label() == "Pull")
    places = dict(zip(marks.get_ydata(), marks.get_xdata(), strict=True))
    assert places == {4: -1.4, 2: 0.5, 1: 0.1}
    ends = {
        tuple(line.get_ydata()): tuple(line.get_xdata())
        for line in axes.lines
        if line.get_color() == "black" and line is not marks
    }
    assert ends[2, 2] == pytest.approx((-0.4, 1.4))
    right = [text.get_text() for text in axes.child_axes[0].get_yticklabels()]
    assert right[1] == "1.05 ± 0.080"


def test_what_has_no_result_is_marked():
    axes = draw_impacts(RECORD).axes
    (mark,) = (line for line in axes.lines if line.get_label() == "No result")
    assert list(mark.get_ydata()) == [0]


def test_of_many_impacts_the_largest_are_drawn():
    ends = {i: (-0.1 * i, 0.1 * i) for i in range(1, 40)}
    many = {f"p{i}": impact(0.0, 1.0, pair, pair) for i, pair in ends.items()}
    record = replace(RECORD, impacts=many)
    axes = draw_impacts(record).axes
    assert labels(axes) == [f"p{i}" for i in range(39, 39 - MOST, -1)]
    heading = axes.get_legend().get_title().get_text()
    assert heading == "20 of 39 parameters"
    assert labels(draw_impacts(record, PlotSettings(most=2)).axes) == ["p39", "p38"]


def test_impacts_are_selected_by_name_pull_and_size():
    settings = PlotSettings(select="impact > 0.1 and pull < 0.4")
    assert labels(draw_impacts(RECORD, settings).axes) == [LONG, "k_top"]
    with pytest.raises(DataError, match="no parameter fulfils 'impact > 9'"):
        draw_impacts(RECORD, PlotSettings(select="impact > 9"))


def test_the_ranking_is_what_was_seen(tmp_path):
    settings = PlotSettings(text="13 TeV", title="A search")
    assert_seen(draw_impacts(RECORD, settings), "impacts", tmp_path)


def test_what_cannot_be_drawn_is_refused():
    none = {"JES": impact(0.0, 1.0, (0.0, 0.0), (None, None))}
    with pytest.raises(DataError, match="no impact on mu is known that is not zero"):
        draw_impacts(replace(RECORD, impacts=none))
    with pytest.raises(DataError, match="impacts has no use for log"):
        draw_impacts(RECORD, PlotSettings(log=True))
