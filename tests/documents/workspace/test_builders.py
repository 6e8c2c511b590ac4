import pickle

import hist
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from hfjax.documents.reading.digest import digest
from hfjax.documents.workspace.builders import (
    channel,
    correlated_background,
    histosys,
    lumi,
    normfactor,
    normsys,
    sample,
    shapefactor,
    shapesys,
    staterror,
    uncorrelated_background,
    workspace,
)
from hfjax.documents.workspace.histogram import Binned, contents
from hfjax.documents.workspace.measurement import ParameterConfig
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import SpecificationError, UnknownNameError

# The digest of {"channels": model.spec["channels"]} for pyhf 0.7.6's simplemodels
PYHF_UNCORRELATED = "abe8942bf7ae57fa553cfc1f458f31a415f467c0f3a997ec868d1e4883b50684"
PYHF_CORRELATED = "a8ecb81110be7c1c671166fdc21f822adde24602d5658b987d05ed641b93073b"


def histogram(start, weights, stop=300.0):
    """A weighted histogram with one entry a bin."""
    found = hist.new.Reg(len(weights), start, stop).Weight()
    found.fill(found.axes[0].centers, weight=weights)
    return found


def test_uncorrelated_background_is_the_published_example():
    found = uncorrelated_background(
        [5.0, 10.0], [50.0, 60.0], [5.0, 12.0], [50.0, 60.0]
    )
    digest = "dad8822af55205d60152cbe4303929042dbd9d4839012e055e7c6b6459d68d73"
    assert found.digest() == digest


def test_simple_models_are_those_of_pyhf():
    signal, bkg, observed = [12.0, 11.0], [50.0, 52.0], [51, 48]
    found = uncorrelated_background(signal, bkg, [3.0, 7.0], observed)
    assert digest({"channels": found.dump()["channels"]}) == PYHF_UNCORRELATED
    found = correlated_background(signal, bkg, [45.0, 57.0], [55.0, 47.0], observed)
    assert digest({"channels": found.dump()["channels"]}) == PYHF_CORRELATED
    assert found.observation("single_channel").data == (51, 48)
    assert found.measurement().poi == "mu"


def test_all_types_of_modifiers_are_built():
    top = sample(
        "top",
        [7.0, 4.0],
        normfactor("mu_top"),
        shapefactor("shape"),
        lumi(),
        normsys("scale", 0.9, 1.1),
        histosys("jes", [6.0, 3.0], [8.0, 6.0]),
        shapesys("method", [0.5, 0.4]),
        staterror([0.3, 0.2]),
        staterror([0.1, 0.1], name="other"),
    )
    config = ParameterConfig("lumi", (1.0,), ((0.5, 1.5),), (1.0,), sigmas=(0.02,))
    found = workspace(
        [channel("SR", top)], {"SR": [8, 3]}, "mu_top", [config], "search"
    )
    assert Workspace.parse(found.dump()) == found
    assert found.modifiers == (
        ("jes", "histosys"),
        ("lumi", "lumi"),
        ("method", "shapesys"),
        ("mu_top", "normfactor"),
        ("other", "staterror"),
        ("scale", "normsys"),
        ("shape", "shapefactor"),
        ("staterror_SR", "staterror"),
    )
    assert found.measurement("search").parameter("lumi") == config


def test_arrays_become_plain_numbers():
    top = sample("top", np.array([7.0, 4.0]), shapesys("a", np.array([1, 2])))
    found = workspace([channel("SR", top)], {"SR": np.array([8, 3])})
    assert {type(x) for x in top.data} == {float}
    assert found.observation("SR").data == (8, 3)
    assert {type(x) for x in found.observation("SR").data} == {int}
    assert Workspace.parse(found.dump()).digest() == found.digest()


def test_variances_of_histograms_become_the_staterror_of_the_channel():
    top, w = histogram(0, [3.0, 4.0]), histogram(0, [1.0, 0.5])
    region = channel("SR", sample("top", top), sample("W", w))
    names = [[m.name for m in each.modifiers] for each in region.samples]
    assert names == [["staterror_SR"], ["staterror_SR"]]
    assert region.sample("top").modifiers[0].data == (3.0, 4.0)
    assert region.sample("top").data == (3.0, 4.0)


def test_staterror_that_is_given_wins_over_variances():
    top = sample("top", histogram(0, [3.0, 4.0]), staterror([0.1, 0.2], "mine"))
    assert [(m.name, m.data) for m in top.modifiers] == [("mine", (0.1, 0.2))]


def test_histogram_without_variances_has_no_staterror():
    counts = hist.new.Reg(2, 0, 300).Double()
    counts.fill([10.0, 200.0], weight=[2.0, 3.0])
    assert counts.variances() is None
    assert sample("top", counts).modifiers == ()


def test_histograms_with_other_edges_are_refused():
    top, other = histogram(0, [3.0, 4.0]), histogram(50, [3.0, 4.0])
    with pytest.raises(
        SpecificationError, match=r"'W' has other bin edges than .*'top'"
    ):
        channel("SR", sample("top", top), sample("W", other))
    shape = histosys("jes", top, other)
    with pytest.raises(
        SpecificationError, match="histosys 'jes' of sample 'top' has ot"
    ):
        channel("SR", sample("top", top, shape))
    region = channel("SR", sample("W", [1.0, 2.0]), sample("top", top))
    with pytest.raises(SpecificationError, match="'SR': observed has other bin edges"):
        workspace([region], {"SR": other})
    assert workspace([region], {"SR": top}).observation("SR").data == (3.0, 4.0)


def test_histogram_with_two_axes_is_refused():
    plane = hist.new.Reg(2, 0, 1).Reg(2, 0, 1).Weight()
    with pytest.raises(
        SpecificationError, match="'top': the histogram has 2 axes: proj"
    ):
        sample("top", plane)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: sample("top", []), "sample 'top': give a list of numbers, one a bin"),
        (lambda: sample("top", 7.0), "sample 'top': give a list of numbers"),
        (
            lambda: sample("top", [1.0, "2"]),
            "sample 'top': '2' in bin 1 is not a finite",
        ),
        (
            lambda: sample("top", [[1.0]]),
            r"sample 'top': \[1.0\] in bin 0 is not a fin",
        ),
        (lambda: sample("top", np.array([np.nan])), "nan in bin 0 is not a finite num"),
        (
            lambda: sample("top", [1.0], shapesys("a", [1, 2])),
            "'top': shapesys 'a' has 2",
        ),
        (lambda: sample("top", [1], normfactor("a"), normfactor("a")), "there twice"),
        (lambda: channel("SR"), "channel 'SR': channel 'SR' has no sample"),
        (
            lambda: channel("SR", sample("a", [1]), sample("a", [1])),
            "'a' is there twice",
        ),
        (
            lambda: channel("SR", sample("a", [1]), sample("b", [1, 2])),
            "'b' has 2 bins",
        ),
        (lambda: workspace([channel("SR", sample("a", [1]))], {}), "no observation"),
        (
            lambda: workspace([channel("SR", sample("a", [1]))], {"SR": [1, 2]}),
            "has 2 bins, its samples have 1",
        ),
        (
            lambda: workspace([channel("SR", sample("a", [1]))], {"SRA": [1]}),
            "no channel named 'SRA' in the workspace: did you mean 'SR'",
        ),
        (lambda: normsys("a", float("inf"), 1.0), "normsys 'a': inf in bin 0"),
    ],
)
def test_parts_that_do_not_fit_are_refused_with_names(build, words):
    with pytest.raises((SpecificationError, UnknownNameError), match=words):
        build()


def test_negative_variances_are_refused():
    class Negative:
        axes = (range(2),)

        def values(self):
            return [1.0, 2.0]

        def variances(self):
            return [1.0, -0.5]

    with pytest.raises(SpecificationError, match=r"variance in bin 1 is -0\.5"):
        sample("top", Negative())


def test_axis_whose_edges_are_a_method_is_read():
    class Axis:
        def edges(self):
            return np.array([0.0, 1.0, 2.0])

    class FromFile:
        axes = (Axis(),)

        def values(self):
            return np.array([1.0, 2.0])

        def variances(self):
            return np.array([1.0, 4.0])

    assert contents(FromFile(), "top").edges == (0.0, 1.0, 2.0)
    assert sample("top", FromFile()).modifiers[0].data == (1.0, 2.0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_binned_numbers_are_a_tuple_with_edges(numbers):
    edges = tuple(float(i) for i in range(len(numbers) + 1))
    found = Binned(tuple(numbers), edges)
    assert found == tuple(numbers)
    assert hash(found) == hash(tuple(numbers))
    copied = pickle.loads(pickle.dumps(found))
    assert (copied, copied.edges) == (found, edges)


def test_inputs_stay_as_they_are():
    array = np.array([7.0, 4.0])
    weighted = histogram(0, [3.0, 4.0])
    before = weighted.copy()
    sample("top", array, shapesys("a", array))
    channel("SR", sample("top", weighted))
    assert array.tolist() == [7.0, 4.0]
    assert weighted == before


def test_the_version_is_the_extended_one_where_settings_need_it():
    region = channel("SR", sample("signal", [5.0], normfactor("k")))
    square = ParameterConfig("k", expression="mu**2")
    found = workspace([region], {"SR": [4]}, "mu", [ParameterConfig("mu"), square])
    assert found.version == "1.0.0+hfjax.1"
    assert workspace([region], {"SR": [4]}, "k").version == "1.0.0"
