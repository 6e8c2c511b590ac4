"""Scans in pages of HTML: what is in them, and what a browser does with a click."""

import re

import pytest

from hfjax.errors import DataError
from hfjax.plotting.settings import PlotSettings
from hfjax.plotting.signal_grid import draw_signal_grid
from hfjax.provenance import Provenance
from hfjax.results.limits_scan import LimitPoint, LimitsScanResult
from hfjax.results.scan import ScanPoint, ScanResult
from tests.browser import SELECT, browsed, clicked, links

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


@pytest.mark.slow
@pytest.mark.parametrize("position", [0, 4])
def test_a_click_with_the_mouse_shows_the_numbers_of_a_point(
    result, position, tmp_path
):
    path = tmp_path / "grid.html"
    draw_signal_grid(result).write(path)
    shown = clicked(path, position)
    rows = dict(re.findall(r"<td>(.*?)</td><td>(.*?)</td>", shown))
    chosen = result[position]
    assert rows["m_parent"] == str(chosen.values[0])
    assert rows["m_lsp"] == str(chosen.values[1])
    assert rows["CLs observed"] == f"{chosen.CLs_obs:.6g}"
    assert rows["CLs expected, +1 sigma"] == "0.2"


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
    assert "on one side" in draw_signal_grid(ScanResult(("a", "b"), points)).lacking


def discovery(places):
    """Points tested with q0, more significant the larger their last value is."""
    points = tuple(
        ScanPoint(
            f"m_{p}",
            p,
            0.1 / p[-1],
            (0.1,) * 5,
            q=p[-1] ** 2,
            q_asimov=4.0,
            discovery=True,
        )
        for p in places
    )
    return ScanResult(("a", "b")[: len(places[0])], points)


def test_a_discovery_has_contours_of_its_significance():
    grid = draw_signal_grid(discovery([(1, 0.5), (2, 0.5), (1, 3.5), (2, 3.5)]))
    assert grid.lacking == ""
    shown = [
        f"Observed Z = {z}" for z in range(1, 6) if f"Observed Z = {z}" in grid.script
    ]
    assert shown == [f"Observed Z = {z}" for z in (1, 2, 3)]
    assert "Expected Z" not in grid.script  # all are expected at Z = 2
    assert "Z above 3" in grid.script
    assert "Z expected, median" in grid.script


def test_a_discovery_of_one_label_has_lines_at_its_significances():
    grid = draw_signal_grid(discovery([(1.0,), (2.0,), (4.0,)]))
    assert '"axis_label":"p0"' in grid.script
    assert "0.15865525393145" in grid.script  # 1 standard deviation


def limits_of(places):
    band = (0.4, 0.6, 0.8, 1.1, 1.6)
    points = [LimitPoint(f"m_{p}", p, 0.5 * p[-1], band) for p in places]
    origin = Provenance(settings={"poi": "mu_sig"})
    return LimitsScanResult(("a", "b")[: len(places[0])], tuple(points), origin)


def test_limits_have_contours_where_they_are_one():
    grid = draw_signal_grid(limits_of([(1, 1.0), (2, 1.0), (1, 3.0), (2, 3.0)]))
    assert grid.lacking == ""
    assert "Observed" in grid.script
    assert "excluded (limit" in grid.script
    assert "Expected" not in grid.script  # all of them are expected below 1


def test_limits_of_one_label_are_drawn_against_it():
    grid = draw_signal_grid(limits_of([(1.0,), (2.0,), (3.0,)]))
    assert '"axis_label":"Upper limit on mu_sig"' in grid.script
    assert "LogScale" in grid.script


@pytest.mark.parametrize(
    ("scan", "words"),
    [
        (limits_of([(1.0,), (2.0,), (3.0,)]), "a level of 0.05"),
        (discovery([(1.0,), (2.0,), (4.0,)]), "q0 has none"),
    ],
)
def test_a_level_that_is_not_that_of_the_points_is_refused(scan, words):
    with pytest.raises(DataError, match=words):
        draw_signal_grid(scan, PlotSettings(level=0.1))


def test_units_are_those_of_the_labels():
    points = tuple(point(f"m_{m}", (m,), 0.01 * m) for m in (1, 5, 9))
    grid = draw_signal_grid(ScanResult(("mass [GeV]",), points))
    assert '"axis_label":"mass [GeV]"' in grid.script


def test_settings_without_a_use_are_refused(result):
    with pytest.raises(DataError, match="no use for title"):
        draw_signal_grid(result, PlotSettings(title="A"))
