"""Pictures of yields: what is stacked, data with intervals, ratios, panels."""

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from scipy.stats import poisson

from hfjax.errors import DataError, UnknownNameError
from hfjax.plotting.distributions import MOST, draw_distributions, poisson_interval
from hfjax.plotting.settings import PlotSettings
from hfjax.results.yields_record import ChannelRecord, EventsRecord, YieldsRecord
from tests.plotting.same_picture import assert_seen


def events(values, part=0.1):
    values = tuple(map(float, values))
    total = sum(values)
    return EventsRecord(values, tuple(part * v for v in values), total, part * total)


def channel(samples, data, groups=()):
    values = np.sum(list(samples.values()), axis=0)
    rows = {name: events(each) for name, each in samples.items()}
    return ChannelRecord(data, events(values), rows, dict(groups))


def record(channels, groups=(), status="known"):
    return YieldsRecord(channels, dict(groups), "post-fit", (), status, "")


TWO = {
    "top": [40.0, 22.0, 9.0, 2.0],
    "W_jets": [25.0, 12.0, 5.0, 1.0],
    "signal": [1.0, 2.0, 3.0, 2.5],
}
SR = channel(TWO, (60.0, 41.0, 15.0, 0.0))
ONE = record({"SR": SR})
REGIONS = {
    name: channel({"top": [top], "W": [w]}, (top + w + 2.0,))
    for name, top, w in (("CR_top", 90.0, 12.0), ("CR_W", 20.0, 70.0), ("VR", 9.0, 7.0))
}


def fills(axes):
    """What is filled, by its label."""
    named = {c.get_label(): c for c in axes.collections}
    return {n: c for n, c in named.items() if isinstance(c, PolyCollection)}


def heights(collection):
    """The lower and upper edge of a filling in the first bin."""
    vertices = collection.get_paths()[0].vertices
    first = vertices[vertices[:, 0] == vertices[:, 0].min()]
    return first[:, 1].min(), first[:, 1].max()


def test_samples_are_stacked_with_the_largest_on_top():
    axes = draw_distributions(ONE).axes
    found = fills(axes)
    assert heights(found["signal"]) == (0.0, 1.0)
    assert heights(found["W_jets"]) == (1.0, 26.0)
    assert heights(found["top"]) == (26.0, 66.0)
    assert heights(found["Uncertainty"]) == pytest.approx((59.4, 72.6))
    shown = [text.get_text() for text in axes.get_legend().get_texts()]
    assert shown == ["Data", "top", "W_jets", "signal", "Uncertainty"]
    assert axes.get_legend().get_title().get_text() == "Post-fit, SR"


@pytest.mark.parametrize("count", [1.0, 4.0, 30.0])
def test_intervals_are_those_of_garwood(count):
    found = poisson_interval(np.array([count]))
    tail = 0.15865525393145707
    assert poisson.sf(count - 1, found.low[0]) == pytest.approx(tail)
    assert poisson.cdf(count, found.high[0]) == pytest.approx(tail)


def test_no_events_have_an_interval_from_zero():
    found = poisson_interval(np.array([0.0]))
    assert found.low[0] == 0.0
    assert np.exp(-found.high[0]) == pytest.approx(0.15865525393145707)


def test_the_ratio_is_that_of_data_and_prediction():
    figure, _ = draw_distributions(ONE)
    _, ratio = figure.axes
    points = ratio.lines[-2].get_ydata()
    np.testing.assert_allclose(points, [60 / 66, 41 / 36, 15 / 17, 0.0])
    assert ratio.get_ylabel() == "Data / pred."
    assert heights(ratio.collections[0]) == pytest.approx((0.9, 1.1))


def test_without_data_there_are_none():
    axes = draw_distributions(record({"SR": channel(TWO, None)})).axes
    shown = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "Data" not in shown


def test_groups_are_drawn_instead_of_their_samples():
    both = events(np.add(TWO["top"], TWO["W_jets"]))
    groups = {"backgrounds": both}
    region = channel(TWO, SR.data, groups)
    found = draw_distributions(
        record({"SR": region}, {"backgrounds": ("top", "W_jets")})
    )
    assert {"backgrounds", "signal"} == set(fills(found.axes)) - {"Uncertainty"}


def test_the_smallest_of_many_samples_are_one():
    many = {f"s{i}": [1.0 + i, 2.0] for i in range(MOST + 3)}
    axes = draw_distributions(record({"SR": channel(many, None)})).axes
    names = set(fills(axes)) - {"Uncertainty"}
    assert len(names) == MOST
    assert "4 smaller samples" in names
    axes = draw_distributions(ONE, PlotSettings(most=2)).axes
    assert set(fills(axes)) == {"top", "2 smaller samples", "Uncertainty"}


def test_channels_of_one_bin_share_a_panel_with_their_names():
    figure, axes = draw_distributions(record({**REGIONS, "SR": SR}))
    assert len(figure.axes) == 4
    labels = [label.get_text() for label in figure.axes[1].get_xticklabels()]
    assert labels == list(REGIONS)
    assert figure.axes[2].get_title(loc="left") == "SR"
    assert len(figure.legends) == 1
    assert axes.get_legend() is None


def test_channels_and_edges_may_be_chosen():
    both = record({"SR": SR, "CR": SR})
    edges = {"CR": [0.0, 50.0, 100.0, 200.0, 400.0]}
    figure, axes = draw_distributions(both, channels=["CR"], edges=edges)
    assert len(figure.axes) == 2
    assert axes.get_xlim() == (0.0, 400.0)


def test_a_logarithmic_axis_begins_above_zero():
    axes = draw_distributions(ONE, PlotSettings(log=True)).axes
    assert axes.get_yscale() == "log"
    assert axes.get_ylim()[0] > 0.0


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"edges": {"SR": [0.0, 1.0]}}, DataError, "5 rising numbers"),
        ({"edges": {"VR": [0.0, 1.0]}}, UnknownNameError, "no channel named 'VR'"),
        ({"channels": ["VR"]}, UnknownNameError, "no channel named 'VR'"),
        ({"settings": PlotSettings(units="GeV")}, DataError, "no use for units"),
    ],
)
def test_what_cannot_be_drawn_is_refused(given, error, words):
    with pytest.raises(error, match=words):
        draw_distributions(ONE, **given)


def test_yields_without_numbers_are_refused():
    none = EventsRecord((None,), (None,), None, None)
    region = ChannelRecord((1.0,), none, {"top": none}, {})
    with pytest.raises(DataError, match="no numbers to draw: fit_failed"):
        draw_distributions(record({"SR": region}, status="fit_failed"))


def test_distributions_are_what_was_seen(tmp_path):
    text = (r"$\sqrt{s}$ = 13 TeV, 139 fb$^{-1}$",)
    picture = draw_distributions(ONE, PlotSettings(text=text))
    assert_seen(picture, "distributions", tmp_path)


def test_several_panels_are_what_was_seen(tmp_path):
    picture = draw_distributions(record({**REGIONS, "SR": SR}))
    assert_seen(picture, "panels", tmp_path)
