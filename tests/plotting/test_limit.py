"""Pictures of upper limits: CLs against the tested value, and limits alone."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.special import ndtr

from hfjax.errors import DataError
from hfjax.plotting.limit import draw_limit
from hfjax.plotting.settings import PlotSettings
from hfjax.provenance import Provenance
from hfjax.results.limit_record import CurveRecord, LimitRecord
from hfjax.results.toy_limit_record import ToyLimitRecord
from tests.plotting.same_picture import assert_seen
from tests.toys import some_toy_limits

VALUES = np.linspace(0.0, 3.0, 16)
BAND = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])


def expected(values, sigma):
    """CLs of a Gaussian measurement of width 0.5, so many sigma from zero."""
    return ndtr(sigma - 2.0 * np.asarray(values)) / ndtr(sigma)


def curve(values=VALUES) -> CurveRecord:
    bands = tuple(tuple(float(expected(v, s)) for s in BAND) for v in values)
    observed = tuple(float(expected(v, 0.3)) for v in values)
    status = ("converged",) * len(values)
    return CurveRecord(tuple(map(float, values)), observed, bands, status)


LIMITS = LimitRecord(
    1.09,
    (0.56, 0.74, 0.98, 1.3, 1.65),
    *(0.05, ("found",) * 6, "", (0.05,) * 6, 0.1, 10.0, 34, 150, "converged"),
    curve=curve(),
)
ALONE = replace(LIMITS, curve=None)


def names(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def line(axes, label):
    return next(each for each in axes.lines if each.get_label() == label).get_data()


@pytest.mark.parametrize("log", [False, True])
def test_the_curve_goes_through_what_was_tested_and_is_close_between(log):
    axes = draw_limit(LIMITS, PlotSettings(log=log)).axes
    x, y = line(axes, "Observed")
    assert (x[0], x[-1], y[0]) == (0.0, 3.0, 1.0)
    np.testing.assert_allclose(y, expected(x, 0.3), rtol=0.03)
    at = np.isin(x, VALUES)
    np.testing.assert_allclose(y[at], expected(VALUES, 0.3), rtol=1e-9)
    assert axes.get_yscale() == ("log" if log else "linear")
    assert names(axes)[-3:] == [
        "95% CL",
        "Observed limit: 1.09",
        "Expected limit: 0.98",
    ]


def test_limits_are_marked_where_the_level_is():
    axes = draw_limit(replace(LIMITS, level=0.1)).axes
    assert [list(each) for each in line(axes, "Observed limit: 1.09")] == [
        [1.09],
        [0.1],
    ]
    assert names(axes)[3] == "90% CL"
    missing = replace(LIMITS, observed=None, status=("jumps", *LIMITS.status[1:]))
    assert names(draw_limit(missing).axes)[-1] == "Expected limit: 0.98"
    assert len(names(draw_limit(missing).axes)) == 5


def test_bands_are_those_of_the_file_in_any_order():
    order = np.random.default_rng(1).permutation(VALUES)
    axes = draw_limit(replace(LIMITS, curve=curve(order))).axes
    for band, sigma in zip(axes.collections, (2, 1), strict=True):
        vertices = np.vstack([path.vertices for path in band.get_paths()])
        for value in VALUES[3:8]:
            ends = vertices[np.isclose(vertices[:, 0], value), 1]
            known = expected(value, -sigma), expected(value, sigma)
            np.testing.assert_allclose((ends.min(), ends.max()), known, rtol=1e-9)


def test_values_without_a_result_are_marked():
    known = curve()
    CLs_obs = (*known.CLs_obs[:4], None, *known.CLs_obs[5:])
    axes = draw_limit(replace(LIMITS, curve=replace(known, CLs_obs=CLs_obs))).axes
    assert list(line(axes, "No result")[0]) == [VALUES[4]]
    assert len(draw_limit(LIMITS, PlotSettings(points=False)).axes.lines) < len(
        draw_limit(LIMITS).axes.lines
    )
    none = replace(known, CLs_obs=(None,) * 16)
    with pytest.raises(DataError, match="0 of 16 tested values have CLs"):
        draw_limit(replace(LIMITS, curve=none))


def test_limits_alone_are_a_bar():
    origin = Provenance(settings={"poi": "coupling"})
    axes = draw_limit(replace(ALONE, provenance=origin)).axes
    assert names(axes)[:2] == ["Observed: 1.09", "Expected: 0.98"]
    assert axes.get_legend().get_title().get_text() == "95% CL upper limits"
    assert axes.get_xlabel() == "coupling"
    low, high = axes.get_xlim()
    assert low == 0.0 < LIMITS.expected[4] < high
    lacking = replace(ALONE, observed=None, message="CLs jumps")
    with pytest.raises(DataError, match="not all limits are there to draw: CLs jumps"):
        draw_limit(lacking)


def test_limits_by_toys_have_errors_and_values_that_no_toy_reaches():
    found = some_toy_limits()
    axes = draw_limit(found).axes
    assert names(axes)[-1] == r"Expected limit: 1.4 $\pm$ 0.04"
    bars = axes.containers[0].lines[2][0].get_segments()
    known = ToyLimitRecord.of(found)
    reach = [float(np.ptp(bar[:, 1])) for bar in bars]
    np.testing.assert_allclose(reach, 2.0 * np.array(known.curve.CLs_obs_error))
    nothing = replace(known.curve, CLs_obs=(*known.curve.CLs_obs[:4], 0.0, 0.0))
    axes = draw_limit(replace(known, curve=nothing), PlotSettings(log=True)).axes
    _, height = line(axes, "Observed")
    assert 0.0 < height[-1] < 1e-3


@pytest.mark.parametrize("record", [LIMITS, ALONE])
def test_what_is_written_and_axes_that_are_given(record):
    axes = Figure().add_subplot()
    settings = PlotSettings(title="Pairs", text="ATLAS", xlabel="$k$")
    assert draw_limit(record, settings, axes=axes).axes is axes
    assert (axes.get_title(loc="left"), axes.get_xlabel()) == ("Pairs", "$k$")
    assert axes.get_legend().get_title().get_text().startswith("ATLAS")
    with pytest.raises(DataError, match="no use for forbidden: it takes xlabel"):
        draw_limit(record, PlotSettings(forbidden="m > n"))


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("limit_curve", LIMITS),
        ("limit_alone", ALONE),
        ("limit_toys", some_toy_limits()),
    ],
)
def test_the_picture_is_what_was_seen(name, record, tmp_path):
    assert_seen(draw_limit(record, PlotSettings(text="13 TeV")), name, tmp_path)
