"""Data sets by the names of channels and parameters."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hfjax
from hfjax.building.build import build
from hfjax.errors import DataError, UnknownNameError
from hfjax.model.data import Data
from tests.workspaces import MU, make, modifier, normsys, sample, workspace

CHANNELS = {
    "SR": [
        sample("s", [3.0, 4.0], MU),
        sample("b", [9.0, 7.0], normsys("x", 0.9, 1.1)),
    ],
    "CR": [sample("b", [30.0], modifier("staterror", "mc", [2.0]))],
}


@pytest.fixture(scope="module")
def two():
    """A model of two channels, whose document does not have them in their order."""
    return make(workspace(CHANNELS, {"SR": [12.0, 10.0], "CR": [31.0]}))


def test_counts_are_given_by_channel_in_any_order(two):
    model, data = two
    own = model.data({"SR": [12, 10], "CR": [31]})
    assert own.channels == data.channels == (("CR", 1), ("SR", 2))
    np.testing.assert_array_equal(own.main, data.main)
    np.testing.assert_array_equal(own.aux, data.aux)
    assert own.main.tolist() == [31.0, 12.0, 10.0]
    assert own.constrained == data.constrained


def test_a_channel_and_an_auxiliary_datum_are_read_by_name(two):
    _, data = two
    assert data["SR"].tolist() == [12.0, 10.0]
    assert {name: n.tolist() for name, n in data.counts.items()} == {
        "CR": [31.0],
        "SR": [12.0, 10.0],
    }
    assert {k: float(v) for k, v in data.auxiliary.items()} == {"mc[0]": 1.0, "x": 0.0}


def test_counts_and_auxiliary_data_are_changed_by_name(two):
    model, data = two
    changed = data.with_counts({"CR": [29.0]}).with_auxiliary({"x": 0.5})
    assert changed["CR"].tolist() == [29.0]
    assert changed["SR"].tolist() == [12.0, 10.0]
    assert changed.auxiliary["x"] == 0.5
    assert changed.auxiliary["mc[0]"] == 1.0
    own = model.data({"CR": [29.0], "SR": [12.0, 10.0]}, {"x": 0.5})
    assert jax.tree.all(jax.tree.map(np.array_equal, own, changed))


@pytest.mark.slow
def test_what_a_model_makes_has_its_names(two):
    model, data = two
    made = (
        model.expected_data(model.parameters.init),
        model.sample(jax.random.key(1), model.parameters.init),
        jax.jit(lambda params: model.expected_data(params))(model.parameters.init),
        hfjax.hypotest(model, data).asimov_data,
    )
    for each in made:
        assert each.channels == data.channels
        assert list(each.auxiliary) == list(data.auxiliary)


@pytest.mark.slow
def test_a_toy_of_a_batch_is_read_by_name(two):
    model, _ = two
    keys = jax.random.split(jax.random.key(2), 5)
    toys = jax.vmap(lambda key: model.sample(key, model.parameters.init))(keys)
    assert toys["SR"].shape == (5, 2)
    assert toys.auxiliary["x"].shape == (5,)


def test_counts_are_changed_under_jit_and_vmap_and_grad(two):
    model, data = two

    def density(count):
        own = data.with_counts({"CR": count[None]}).with_auxiliary({"x": 0.0 * count})
        return model.logpdf(model.parameters.init, own)

    counts = jnp.array([30.0, 31.0])
    batch = jax.jit(jax.vmap(density))(counts)
    alone = [float(density(count)) for count in counts]
    np.testing.assert_allclose(batch, alone, rtol=1e-12)
    np.testing.assert_allclose(jax.grad(density)(counts[0]), np.log(30.0) - 3.418, 1e-1)


@pytest.mark.parametrize(
    ("counts", "error", "words"),
    [
        ({"SR": [1.0, 2.0]}, DataError, "no counts for channel 'CR'"),
        ({"SR": [1.0], "CR": [2.0]}, DataError, "channel 'SR', which has 2 bins"),
        ({"SR": 1.0, "CR": 2.0}, DataError, "channel 'SR', which has 2 bins"),
        (
            {"SRR": [1.0, 2.0], "CR": [2.0]},
            UnknownNameError,
            "no channel named 'SRR' in the model: did you mean 'SR'",
        ),
    ],
)
def test_wrong_counts_are_refused(two, counts, error, words):
    with pytest.raises(error, match=re.escape(words)):
        two[0].data(counts)


def test_a_channel_of_one_bin_takes_a_number(two):
    model, data = two
    assert model.data({"SR": [1, 2], "CR": 3})["CR"].tolist() == [3.0]
    assert data.with_counts({"CR": 3})["CR"].tolist() == [3.0]


def test_unknown_names_are_refused(two):
    with pytest.raises(UnknownNameError, match="no channel named 'VR'"):
        two[1]["VR"]
    with pytest.raises(UnknownNameError, match="no parameter named 'y'"):
        two[1].with_auxiliary({"y": 0.0})
    with pytest.raises(DataError, match="do not know where channel 'SR' is"):
        two[1].anonymous()["SR"]
    with pytest.raises(DataError, match="the model has no names"):
        two[0].anonymous().data({"SR": [1.0, 2.0]})


@pytest.mark.parametrize("use", [hfjax.fit, hfjax.hypotest])
def test_data_in_another_order_are_refused(two, use):
    model, data = two
    swapped = Data(np.array([12.0, 10.0, 31.0]), data.aux, {"SR": 2, "CR": 1})
    with pytest.raises(DataError, match=r"'SR' \(2\), 'CR' \(1\), in this order"):
        use(model, swapped)
    with pytest.raises(DataError, match=r"model\.data\(\{\.\.\.\}\)"):
        model.logpdf(model.parameters.init, swapped)


def test_data_without_names_are_taken_in_the_order_of_the_model_with_a_warning(two):
    model, data = two
    bare = Data(data.main, data.aux)
    with pytest.warns(
        UserWarning, match=r"in the order of the model, 'CR' \(1\), 'SR'"
    ):
        found = model.logpdf(model.parameters.init, bare)
    assert found == model.logpdf(model.parameters.init, data)


def test_data_of_one_channel_need_no_names():
    model, data = build(hfjax.uncorrelated_background([3.0], [5.0], [1.0], [9.0]))
    bare = Data(data.main, data.aux)
    assert hfjax.fit(model, bare).twice_nll == hfjax.fit(model, data).twice_nll


def test_data_show_their_counts(two):
    shown = repr(two[1])
    assert shown.splitlines()[:3] == ["Data", "  CR  31", "  SR  12 10"]
    assert "2 auxiliary data" in shown
    assert "f64[3]" in repr(two[1].anonymous())
