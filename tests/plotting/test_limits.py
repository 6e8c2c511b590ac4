"""Pictures of limits: where they are 1, what the colours are, what is refused."""

import math

import numpy as np
import pytest

from hfjax.errors import DataError
from hfjax.plotting.legend import FREE
from hfjax.plotting.limits import draw_limits
from hfjax.plotting.settings import PlotSettings
from hfjax.results.limits_scan import LimitPoint, LimitsScanResult

LABELS = ("m_parent", "m_lsp")
WIDTHS = (0.5, 0.7, 1.0, 1.4, 2.0)


def limit_at(x: float) -> float:
    """Of which the logarithm is a straight line, zero at 230."""
    return math.exp((x - 230.0) / 100.0)


def point(x: float, y: float, **options) -> LimitPoint:
    band = tuple(1.2 * width * limit_at(x) for width in WIDTHS)
    return LimitPoint(f"p_{x:g}_{y:g}", (x, y), limit_at(x), band, **options)


def plane(*more: LimitPoint) -> LimitsScanResult:
    places = [(100.0 * i, 100.0 * j) for i in range(5) for j in range(5)]
    others = {each.values for each in more}
    points = [point(*place) for place in places if place not in others]
    return LimitsScanResult(LABELS, (*points, *more), level=0.1)


def lines(axes) -> list[np.ndarray]:
    found = [c for c in axes.collections if not getattr(c, "filled", True)]
    return [np.vstack([path.vertices for path in each.get_paths()]) for each in found]


def test_contours_are_where_limits_are_one():
    observed, expected = lines(draw_limits(plane()).axes)
    assert observed[:, 0] == pytest.approx(230.0, abs=0.5)
    assert expected[:, 0] == pytest.approx(230.0 - 100.0 * math.log(1.2), abs=0.5)


def test_colours_are_the_observed_limits_of_points_that_have_all():
    lacking = LimitPoint("none", (200.0, 200.0), status="not_reached")
    picture = draw_limits(plane(lacking))
    (points,) = [c for c in picture.axes.collections if c.get_gid() == FREE]
    places = np.asarray(points.get_offsets())
    assert len(places) == 24
    colours = np.asarray(points.get_array())
    assert colours == pytest.approx([limit_at(x) for x, _ in places])
    (bar,) = [each for each in picture.figure.axes if each is not picture.axes]
    assert bar.get_ylabel() == r"Observed upper limit on $\mu$"
    legend = [text.get_text() for text in picture.axes.get_legend().get_texts()]
    assert "No result" in legend
    title = picture.axes.get_legend().get_title().get_text()
    assert title == r"Upper limit on $\mu$ is 1 at 90% CL"


def test_against_one_label_limits_are_drawn_themselves():
    picture = draw_limits(plane(), PlotSettings(axes="m_parent", select="m_lsp == 0"))
    curves = {line.get_label(): line.get_xydata() for line in picture.axes.lines}
    x, y = curves["Observed"].T
    assert y == pytest.approx([limit_at(each) for each in x])
    assert picture.axes.get_yscale() == "log"
    assert picture.axes.get_ylabel() == r"Upper limit on $\mu$ at 90% CL"


def test_points_of_one_limit_have_a_picture():
    points = [LimitPoint(str(x), x, 2.0, (2.0,) * 5) for x in [(1, 1), (1, 2), (2, 1)]]
    axes = draw_limits(LimitsScanResult(LABELS, tuple(points))).axes
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "Observed: nothing excluded" in legend


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"level": 0.01}, "find them anew for 0.01"),
        (
            {"axes": "m_parent", "select": "m_lsp == 0", "forbidden": "m_lsp > 2"},
            "needs two axes",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(settings, message):
    with pytest.raises(DataError, match=message):
        draw_limits(plane(), PlotSettings(**settings))
