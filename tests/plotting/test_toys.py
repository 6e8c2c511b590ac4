"""Pictures of toys: their histograms, and where the data are."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

from hfjax.errors import DataError
from hfjax.plotting.settings import PlotSettings
from hfjax.plotting.toys import BINS, STATISTICS, draw_toys
from tests.plotting.same_picture import assert_seen
from tests.toys import some_toys


def names(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


@pytest.mark.parametrize(
    ("test_stat", "shown"),
    [("qtilde", (r"$\mu$ = 1", r"$\mu$ = 0")), ("q0", (r"$\mu$ = 0", r"$\mu$ = 1"))],
)
def test_histograms_are_the_parts_of_the_toys(test_stat, shown):
    toys = some_toys(test_stat)
    axes = draw_toys(toys).axes
    assert names(axes) == [*(f"Toys with {each}" for each in shown), "Observed: 3.5"]
    end = axes.lines[0].get_xdata()[-1]
    assert end <= toys.q.max()
    edges = np.linspace(0.0, end, BINS + 1)
    for drawn, q in zip(axes.lines, toys.q, strict=False):
        x, y = drawn.get_data()
        parts = np.histogram(np.minimum(q, end), edges)[0] / q.size
        np.testing.assert_allclose(x[:-1:2], edges[:-1])
        np.testing.assert_allclose(y[:-1:2], np.maximum(parts, 1e-12))
        assert y[:-1:2].sum() == pytest.approx(1.0)
    assert list(axes.lines[2].get_xdata()) == [3.5, 3.5]
    assert (axes.get_yscale(), axes.get_xlabel()) == ("log", STATISTICS[test_stat])
    heading = axes.get_legend().get_title().get_text()
    assert heading.startswith("$p_0$" if test_stat == "q0" else r"$\mathrm{CL}_s$ = ")


def test_the_tails_of_p_values_are_shaded():
    for tail in draw_toys(some_toys()).axes.collections:
        assert (
            np.vstack([path.vertices for path in tail.get_paths()])[:, 0].min() == 3.5
        )


def test_a_few_toys_far_away_are_in_the_last_bin():
    toys = some_toys()
    q = np.where(np.arange(400) < 2, 4000.0, toys.q)
    axes = draw_toys(dataclasses.replace(toys, q=q)).axes
    assert axes.get_xlim()[1] < 50.0
    for drawn in axes.lines[:2]:
        heights = drawn.get_ydata()[:-1:2]
        assert heights.sum() == pytest.approx(1.0)
        assert heights[-1] >= 2 / 400
    assert "\nLast bin: 4 toys beyond" in axes.get_legend().get_title().get_text()


def test_data_beyond_all_toys_are_in_the_picture():
    axes = draw_toys(some_toys(q_obs=100.0)).axes
    assert axes.get_xlim()[1] > 100.0
    assert names(axes)[-1] == "Observed: 100"


def test_toys_that_failed_have_no_part():
    toys = some_toys()
    q = np.where(np.arange(400) % 2, np.nan, toys.q)
    axes = draw_toys(dataclasses.replace(toys, q=q)).axes
    for drawn in axes.lines[:2]:
        assert drawn.get_ydata()[:-1:2].sum() == pytest.approx(1.0)
    for lost in ({"q": np.full_like(q, np.nan)}, {"q_obs": np.asarray(np.nan)}):
        with pytest.raises(DataError, match="no distributions to draw"):
            draw_toys(dataclasses.replace(toys, **lost))


def test_what_is_written_and_axes_that_are_given():
    axes = Figure().add_subplot()
    settings = PlotSettings(title="Pairs", text="ATLAS", ylabel="toys")
    assert draw_toys(some_toys(), settings, axes=axes).axes is axes
    assert (axes.get_title(loc="left"), axes.get_ylabel()) == ("Pairs", "toys")
    assert axes.get_legend().get_title().get_text().startswith("ATLAS")
    with pytest.raises(DataError, match="toys has no use for level: it takes xlabel"):
        draw_toys(some_toys(), PlotSettings(level=0.1))


def test_the_picture_is_what_was_seen(tmp_path):
    assert_seen(draw_toys(some_toys()), "toys", tmp_path)
