"""Scans in pages of HTML: what is in them, and what a browser does with a click."""

import re

import pytest

from hfjax.errors import DataError
from hfjax.plotting.settings import PlotSettings
from hfjax.plotting.signal_grid import draw_signal_grid
from hfjax.provenance import Provenance
from hfjax.results.scan import ScanPoint, ScanResult
from tests.browser import SELECT, browsed, links

EVIL = "</script><b>evil</b>"
BAND = (0.01, 0.02, 0.03, 0.2, 0.4)


def point(name, values, observed=0.04, **others):
    return ScanPoint(name, values, observed, BAND, mu_hat=0.25, **others)


@pytest.fixture(scope="module")
def result():
    """Excluded below a mass of 400; one point has an ugly name, and one failed."""
    places = [(300, 0), (300, 100), (500, 0), (500, 100)]
    points = [point(f"m_{m}_{n}", (m, n), 0.0001 * (m - 100)) for m, n in places]
    points.append(point(EVIL, (400, 50), 0.031))
    points.append(point("lost", (450, 0), status="stalled", message="a < b"))
    points = [*points[:2], point("m_700_0", (700, 0), 0.3), *points[2:]]
    return ScanResult(("m_parent", "m_lsp"), tuple(points))


def test_contours_points_and_their_numbers_are_in_it(result):
    grid = draw_signal_grid(result, PlotSettings(units="GeV"))
    assert grid.lacking == ""
    for words in ("m_parent [GeV]", "Observed", "Not excluded", "No result"):
        assert words in grid.script
    assert "Click a point" in grid.body


def test_names_are_escaped(result):
    grid = draw_signal_grid(result)
    assert "</script" not in grid.script.lower()
    assert "&lt;/script&gt;&lt;b&gt;evil" in grid.script.replace(r"<\/", "</")


def test_nothing_is_loaded_from_elsewhere(result):
    grid = draw_signal_grid(result)
    assert links(grid.body + grid.scripts) == []
    assert len(grid.scripts) < 1_600_000


@pytest.mark.parametrize("position", [0, 5])
def test_a_click_shows_the_numbers_of_a_point(result, position, tmp_path):
    path = tmp_path / "grid.html"
    draw_signal_grid(result).write(path)
    seen = browsed(path, SELECT % position)
    assert seen.errors == []
    (shown,) = re.findall(r'<div class="point-numbers".*?</div>', seen.page, re.DOTALL)
    rows = dict(re.findall(r"<td>(.*?)</td><td>(.*?)</td>", shown))
    chosen = result[position]
    assert rows["m_parent"] == str(chosen.values[0])
    assert rows["CLs observed"] == f"{chosen.CLs_obs:.6g}"
    assert rows["CLs expected, median"] == "0.03"
    assert (rows["mu_hat"], rows["status"]) == ("0.25", "converged")


def test_errors_of_a_page_are_seen(result, tmp_path):
    path = tmp_path / "grid.html"
    draw_signal_grid(result).write(path)
    assert browsed(path, "console.error('lost'); nothing.at.all").errors == [
        "lost",
        "Uncaught ReferenceError: nothing is not defined",
    ]


def test_a_point_without_a_result_says_why(result, tmp_path):
    path = tmp_path / "grid.html"
    draw_signal_grid(result).write(path)
    seen = browsed(path, SELECT % 6)
    assert "<td>status</td><td>stalled</td>" in seen.page
    assert "a &lt; b" in seen.page
    assert "<b>evil" not in seen.page


def test_one_label_is_drawn_against_cls():
    points = tuple(point(f"m_{m}", (m,), 0.01 * m) for m in (1, 5, 9))
    grid = draw_signal_grid(ScanResult(("mass",), points))
    assert grid.lacking == ""
    assert '"axis_label":"CLs"' in grid.script


def test_too_few_points_have_no_contour():
    points = tuple(point(f"m_{m}", (m, m)) for m in (1, 2))
    grid = draw_signal_grid(ScanResult(("a", "b"), points))
    assert "too few" in grid.lacking


def test_where_all_are_excluded_there_is_no_contour():
    places = ((1, 1), (2, 1), (1, 2), (2, 2))
    band = (1e-6,) * 5
    points = tuple(ScanPoint(f"m_{p}", p, 1e-6, band) for p in places)
    assert "all points" in draw_signal_grid(ScanResult(("a", "b"), points)).lacking


def test_a_discovery_is_refused():
    tests = (ScanPoint("a", (1, 2), 0.3, discovery=True),)
    origin = Provenance(settings={"test_stat": "q0"})
    with pytest.raises(DataError, match="q0 excludes no signal"):
        draw_signal_grid(ScanResult(("a", "b"), tests, origin))


def test_settings_without_a_use_are_refused(result):
    with pytest.raises(DataError, match="no use for title"):
        draw_signal_grid(result, PlotSettings(title="A"))
