"""Pictures of variations: nominal, up and down, and their ratios."""

import numpy as np
import pytest

from hfjax.errors import DataError, UnknownNameError
from hfjax.plotting.settings import PlotSettings
from hfjax.plotting.variations import draw_variations
from tests.plotting.same_picture import assert_seen
from tests.workspaces import all_kinds, make


@pytest.fixture(scope="module")
def model():
    return make(all_kinds())[0]


def drawn(axes):
    """The heights of each line in the bins, by name."""
    return {line.get_label(): line.get_ydata()[::2] for line in axes.lines}


def test_events_are_those_of_the_templates(model):
    """A histosys and a normsys of one name act together (T17)."""
    axes = draw_variations(model, "tilt", "SR", "top").axes
    found = drawn(axes)
    np.testing.assert_allclose(found["Nominal"], [20.0, 22.0, 40.0])
    np.testing.assert_allclose(found["Up"], np.multiply(1.2, [23, 21, 38]))
    np.testing.assert_allclose(found["Down"], np.multiply(0.9, [18, 24, 41]))
    title = axes.get_legend().get_title().get_text()
    assert title == "tilt\ntop, SR"


def test_ratios_are_to_the_nominal_events(model):
    figure, _ = draw_variations(model, "xsec", "SR", "top")
    up, down, nominal = (line.get_ydata()[::2] for line in figure.axes[1].lines)
    np.testing.assert_allclose([up, down, nominal], [[1.25] * 3, [0.7] * 3, [1.0] * 3])


def test_a_gamma_moves_by_the_width_of_its_term(model):
    axes = draw_variations(model, "fake[0]", "SR", "fakes").axes
    np.testing.assert_allclose(drawn(axes)["Up"], [5.0, 0.0, 3.0])


@pytest.mark.parametrize(
    ("names", "error", "words"),
    [
        (("tlt", "SR", "top"), UnknownNameError, "did you mean 'tilt'"),
        (("tilt", "SRR", "top"), UnknownNameError, "did you mean 'SR'"),
        (("tilt", "SR", "tops"), UnknownNameError, "did you mean 'top'"),
        (("mu", "SR", "signal"), DataError, "no constraint term"),
        (("tilt", "SR", "fakes"), DataError, "does not change sample 'fakes'"),
    ],
)
def test_what_has_no_variation_is_refused(model, names, error, words):
    with pytest.raises(error, match=words):
        draw_variations(model, *names)


def test_edges_are_checked(model):
    with pytest.raises(DataError, match="4 rising numbers"):
        draw_variations(model, "tilt", "SR", "top", edges=[0.0, 1.0])
    edges = [0.0, 1.0, 3.0, 9.0]
    axes = draw_variations(model, "tilt", "SR", "top", edges=edges).axes
    assert axes.get_xlim() == (0.0, 9.0)


def test_variations_are_what_was_seen(model, tmp_path):
    settings = PlotSettings(text="13 TeV", xlabel="$m$ [GeV]")
    edges = [0.0, 50.0, 100.0, 200.0]
    picture = draw_variations(model, "tilt", "SR", "top", settings, edges=edges)
    assert_seen(picture, "variations", tmp_path)
