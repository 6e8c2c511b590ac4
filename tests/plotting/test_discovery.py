"""The picture of significances: which contours there are, and where they run."""

import dataclasses
from statistics import NormalDist

import numpy as np
import pytest

from hfjax.errors import DataError
from hfjax.plotting.discovery import COLORS, draw_discovery, write_discovery
from hfjax.plotting.exclusion import draw_exclusion
from hfjax.provenance import Provenance
from hfjax.results.scan import ScanPoint, ScanResult

LABELS = ("m_parent", "m_lsp")


def point(x: float, y: float, observed: float, expected: float) -> ScanPoint:
    def p0(z: float) -> float:
        return NormalDist().cdf(-z)

    band = tuple(p0(expected + shift) for shift in (2, 1, 0, -1, -2))
    return ScanPoint(
        f"p_{x:g}_{y:g}",
        (x, y),
        p0(observed),
        band,
        q=observed**2,
        q_asimov=expected**2,
        discovery=True,
    )


def plane(observed, expected) -> ScanResult:
    """A grid of points 100 apart with given significances."""
    grid = [(100.0 * i, 100.0 * j) for i in range(5) for j in range(5)]
    points = tuple(point(x, y, observed(x), expected(x)) for x, y in grid)
    return ScanResult(LABELS, points, Provenance(settings={"test_stat": "q0"}))


def contours(axes) -> list[dict[int, np.ndarray]]:
    """The vertices of each contour by its level, observed first."""
    found = []
    for lines in axes.collections:
        pairs = zip(lines.levels, lines.get_paths(), strict=True)
        found.append({int(level): path.vertices for level, path in pairs})
    return found


def names(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_there_is_a_contour_of_each_significance_that_is_reached():
    axes = draw_discovery(
        plane(lambda x: 3.5 - 0.005 * x, lambda x: 6.0 - 0.01 * x)
    ).axes
    observed, expected = contours(axes)
    assert list(observed) == [2, 3]
    assert list(expected) == [3, 4, 5]
    np.testing.assert_allclose(observed[3][:, 0], 100.0, rtol=1e-6)
    np.testing.assert_allclose(expected[5][:, 0], 100.0, rtol=1e-6)
    assert names(axes) == [
        "Observed",
        r"Expected for $\mu$ = 1",
        *(f"$Z = {level}$" for level in (2, 3, 4, 5)),
        "Tested",
    ]


def test_it_never_speaks_of_an_exclusion():
    axes = draw_discovery(plane(lambda x: 0.01 * x, lambda x: 0.02 * x)).axes
    title = axes.get_legend().get_title().get_text()
    assert title == "Discovery: significance $Z$ of $p_0$"
    assert not [text for text in (title, *names(axes)) if "xclu" in text]


def test_where_nothing_is_reached_the_legend_says_how_far_it_goes():
    axes = draw_discovery(plane(lambda x: 0.002 * x, lambda x: 2.2 + 0.001 * x)).axes
    assert not axes.collections
    assert names(axes)[:2] == [
        r"Observed: $0.00 \leq Z \leq 0.80$",
        r"Expected for $\mu$ = 1: $2.20 \leq Z \leq 2.60$",
    ]


def test_a_point_without_a_result_is_marked():
    result = plane(lambda x: 0.01 * x, lambda x: 0.01 * x)
    failed = point(150.0, 150.0, 9.0, 9.0)
    failed = dataclasses.replace(failed, status="stalled", message="no minimum")
    axes = draw_discovery(
        dataclasses.replace(result, points=(*result.points, failed))
    ).axes
    marked = {line.get_label(): len(line.get_xdata()) for line in axes.lines}
    assert marked == {"Tested": 25, "No result": 1}


def test_significances_beyond_all_p_values_are_drawn():
    """p0 of 60 standard deviations is 0 in floating point."""
    axes = draw_discovery(
        plane(lambda x: 60.0 - 0.15 * x, lambda x: 60.0 - 0.15 * x)
    ).axes
    assert [list(found) for found in contours(axes)] == [list(COLORS)] * 2


def test_exclusions_and_discoveries_are_told_apart():
    result = plane(lambda x: 0.01 * x, lambda x: 0.01 * x)
    with pytest.raises(DataError, match="draw_discovery draws its significances"):
        draw_exclusion(result)
    points = tuple(dataclasses.replace(p, discovery=False) for p in result)
    with pytest.raises(DataError, match="draw_exclusion draws CLs"):
        draw_discovery(ScanResult(LABELS, points))


def test_points_of_different_slices_are_not_joined():
    result = plane(lambda x: 0.01 * x, lambda x: 0.01 * x)
    points = tuple(
        dataclasses.replace(p, values=(*p.values, i % 2)) for i, p in enumerate(result)
    )
    with pytest.raises(DataError, match="differ in 'tau'"):
        draw_discovery(ScanResult((*LABELS, "tau"), points))


def test_the_file_has_the_format_of_its_suffix(tmp_path):
    path = tmp_path / "discovery.png"
    write_discovery(plane(lambda x: 0.01 * x, lambda x: 0.02 * x), path)
    assert path.read_bytes().startswith(b"\x89PNG\r")
