"""CLs and p0 against one label: lines, bands, levels, and what is refused."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from hfjax.errors import DataError
from hfjax.plotting.discovery import draw_discovery
from hfjax.plotting.exclusion import draw_exclusion
from hfjax.plotting.settings import PlotSettings
from hfjax.provenance import Provenance
from hfjax.results.scan import ScanPoint, ScanResult

MASSES = (100.0, 300.0, 200.0, 500.0, 400.0)
SHIFTS = (2, 1, 0, -1, -2)


def p_value(z: float) -> float:
    return NormalDist().cdf(-z)


def z_of(mass: float) -> float:
    return 5 - 0.01 * mass


def line(discovery=False, **options) -> ScanResult:
    """Five masses, not in their order, whose significance is linear."""
    points = []
    for mass in MASSES:
        z = z_of(mass)
        band = tuple(p_value(z + shift) for shift in SHIFTS)
        tests = {"q": z**2, "q_asimov": z**2, "discovery": True} if discovery else {}
        points.append(ScanPoint(f"m{mass:g}", (mass,), p_value(z), band, **tests))
    settings = {"test_stat": "q0"} if discovery else {}
    return ScanResult(("m_x",), tuple(points), Provenance(settings=settings | options))


def drawn(result: ScanResult, **settings):
    draw = draw_discovery if result.discovery else draw_exclusion
    return draw(result, PlotSettings(**settings)).axes


def names(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_one_label_is_drawn_against_CLs():
    axes = drawn(line(), units=("GeV",))
    assert axes.get_xlabel() == r"$m_{\mathrm{x}}$ [GeV]"
    assert axes.get_ylabel() == r"$\mathrm{CL}_s$"
    assert axes.get_yscale() == "linear"
    assert names(axes) == [
        "Observed",
        r"Expected $\pm1\sigma$",
        r"Expected $\pm2\sigma$",
        "95% CL",
    ]


@pytest.mark.parametrize("discovery", [False, True])
def test_lines_and_bands_are_those_of_linear_significances(discovery):
    axes = drawn(line(discovery))
    for found in axes.lines[:2]:
        x, y = found.get_data()
        assert (np.diff(x) > 0).all()
        np.testing.assert_allclose(y, [p_value(z_of(mass)) for mass in x], rtol=1e-9)
    for band, sigma in zip(axes.collections, (2, 1), strict=True):
        places = np.vstack([path.vertices for path in band.get_paths()])
        at_300 = places[np.isclose(places[:, 0], 300.0), 1]
        ends = p_value(2 + sigma), p_value(2 - sigma)
        assert (at_300.min(), at_300.max()) == pytest.approx(ends, rel=1e-9)


def test_the_level_is_a_line():
    axes = drawn(line(), level=0.1)
    assert names(axes)[-1] == "90% CL"
    levels = [found for found in axes.lines if found.get_label() == "90% CL"]
    assert [list(found.get_ydata()) for found in levels] == [[0.1, 0.1]]


def test_a_logarithmic_axis_has_both_lines_in_it():
    axes = drawn(line(), log=True)
    assert axes.get_yscale() == "log"
    low, high = axes.get_ylim()
    assert low < p_value(z_of(100.0)) < p_value(z_of(500.0)) < high


def test_p0_has_lines_at_whole_significances():
    axes = drawn(line(discovery=True))
    assert axes.get_yscale() == "log"
    assert axes.get_ylabel() == "$p_0$"
    shown = {text.get_text(): text.xy[1] for text in axes.texts}
    assert list(shown) == [rf"${z}\sigma$" for z in (1, 2, 3, 4)]
    assert list(shown.values()) == pytest.approx([p_value(z) for z in (1, 2, 3, 4)])


def test_p_values_that_underflow_are_drawn_with_few_lines():
    points = [
        ScanPoint(
            f"{m}", (m,), 0.0, (0.0,) * 5, q=z * z, q_asimov=z * z, discovery=True
        )
        for m, z in ((1, 60.0), (2, 1.0), (3, 2.0))
    ]
    axes = drawn(ScanResult(("m",), tuple(points)))
    assert 3 < len(axes.texts) <= 9
    assert all(math.isfinite(limit) and limit > 0 for limit in axes.get_ylim())


def test_one_axis_of_a_plane_needs_one_slice():
    points = tuple(
        ScanPoint(f"{x}_{y}", (x, y), 0.1 * x / 500, (0.1,) * 5)
        for x in (100, 200, 300)
        for y in (0, 50)
    )
    result = ScanResult(("m_x", "m_y"), points)
    with pytest.raises(DataError, match=r"no line joins points .* 'm_y' \(0, 50\)"):
        drawn(result, axes=("m_x",))
    assert drawn(result, select="m_y == 50").get_xlabel() == r"$m_{\mathrm{x}}$"


def test_a_point_without_a_result_is_marked_and_not_joined():
    failed = ScanPoint("f", (250.0,), 0.9, (0.9,) * 5, status="stalled", message="no")
    result = line()
    axes = drawn(ScanResult(result.labels, (*result.points, failed)))
    assert names(axes)[-2:] == ["No result", "95% CL"]
    (mark,) = (found for found in axes.lines if found.get_label() == "No result")
    assert list(mark.get_xdata()) == [250.0]


def test_the_tested_value_is_written_if_it_is_not_one():
    axes = drawn(line(test_poi=2.0))
    assert axes.get_legend().get_title().get_text() == r"$\mu$ = 2"


def test_a_logarithmic_axis_across():
    axes = drawn(line(), log_x=True)
    assert axes.get_xscale() == "log"
    assert axes.get_xlim() == pytest.approx((100.0, 500.0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"forbidden": "m_x > 3"}, "needs two axes"),
        ({"select": "m_x == 100"}, "one axis of labels, or two"),
        ({"select": "m_x < 200", "axes": ("m_x",)}, "1 point with a result"),
    ],
)
def test_what_cannot_be_drawn_is_refused(settings, message):
    with pytest.raises(DataError, match=message):
        drawn(line(), **settings)


def test_points_in_one_place_are_refused():
    twice = tuple(ScanPoint(n, (1.0,), 0.1, (0.1,) * 5) for n in "ab")
    with pytest.raises(DataError, match="several points share one place in a line"):
        drawn(ScanResult(("m",), twice), axes=("m",))


@pytest.mark.parametrize("settings", [{"two_sigma": True}, {"level": 0.1}])
def test_what_belongs_to_an_exclusion_is_refused_for_q0(settings):
    with pytest.raises(DataError, match="belong to an exclusion"):
        drawn(line(discovery=True), **settings)
