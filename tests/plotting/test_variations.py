"""Pictures of variations: nominal, up and down, and their ratios."""

import re

import numpy as np
import pytest

import hfjax
from hfjax.errors import ArgumentError, DataError, UnknownNameError
from hfjax.plotting.settings import PlotSettings
from hfjax.plotting.variations import draw_variations, write_variations
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


def two_channels():
    """Two channels of two bins and two of one, in three of which JES acts."""
    jes, mu = hfjax.normsys("JES", 0.9, 1.2), hfjax.normfactor("mu")
    tilt = hfjax.histosys("tilt", [9.0, 11.0], [11.0, 9.0])
    top = hfjax.sample("top", [10.0, 10.0], jes, tilt)
    regions = [
        hfjax.channel("SR", hfjax.sample("s", [1.0, 2.0], mu), top),
        hfjax.channel("VR", hfjax.sample("top", [20.0, 30.0], tilt)),
        hfjax.channel("CR1", hfjax.sample("top", [40.0], jes)),
        hfjax.channel("CR2", hfjax.sample("top", [80.0], jes)),
    ]
    data = {"SR": [12, 13], "VR": [20, 30], "CR1": [41], "CR2": [82]}
    return hfjax.build(hfjax.workspace(regions, data))[0]


@pytest.fixture(scope="module")
def several():
    return two_channels()


def test_the_channels_that_change_have_panels_and_single_bins_share_one(several):
    figure, axes = draw_variations(several, "JES")
    assert axes.get_title(loc="left") == "SR"
    assert len(figure.axes) == 4
    np.testing.assert_allclose(drawn(axes)["Up"], [13.0, 14.0])  # with the signal
    singles = drawn(figure.axes[2])
    np.testing.assert_allclose(singles["Down"], [36.0, 72.0])
    ticks = [label.get_text() for label in figure.axes[3].get_xticklabels()]
    assert ticks == ["CR1", "CR2"]
    assert "JES" in figure.legends[0].get_title().get_text()


def test_channels_may_be_named(several):
    figure, axes = draw_variations(several, "tilt", ["VR", "CR1"], "top")
    assert len(figure.axes) == 2
    np.testing.assert_allclose(drawn(axes)["Up"], [11.0, 9.0])
    with pytest.raises(DataError, match="any sample of 'CR1', 'CR2'"):
        draw_variations(several, "tilt", ["CR1", "CR2"])


def test_edges_of_several_channels_are_refused(several):
    with pytest.raises(ArgumentError, match="name it"):
        draw_variations(several, "JES", edges=[0.0, 1.0])


def test_pages_are_those_on_which_something_changes(several, tmp_path):
    path = tmp_path / "all.pdf"
    found = write_variations(several, path, ["*"], samples=["top", "s"])
    assert found == ("tilt", "JES")  # of the signal, nothing changes; mu has no width
    assert path.read_bytes().count(b"/Type /Page ") == 2


def test_several_panels_are_what_was_seen(several, tmp_path):
    settings = PlotSettings(text="13 TeV", title="Top")
    assert_seen(draw_variations(several, "JES", settings=settings), "pages", tmp_path)


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


@pytest.mark.parametrize(
    ("names", "chosen", "words"),
    [
        ([], {}, "no systematic is named; '*' names all"),
        (["*"], {"channels": []}, "no channel is named"),
        (["*"], {"samples": []}, "no sample is named"),
    ],
)
def test_pages_of_no_name_are_refused(several, tmp_path, names, chosen, words):
    with pytest.raises(DataError, match=re.escape(words)):
        write_variations(several, tmp_path / "all.pdf", names, **chosen)


@pytest.mark.parametrize("factors", [(), ("mu",)])
def test_a_model_without_systematics_is_said_to_have_none(tmp_path, factors):
    top = hfjax.sample("top", [9.0], *map(hfjax.normfactor, factors))
    search = hfjax.workspace([hfjax.channel("SR", top)], {"SR": [8]})
    with pytest.raises(DataError, match="the model has no systematics"):
        write_variations(hfjax.build(search)[0], tmp_path / "all.pdf", ["*"])
