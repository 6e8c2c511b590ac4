"""Parameters by name: vectors from values and back."""

import numpy as np
import pytest

from hfjax.errors import ParameterError, UnknownNameError
from tests.workspaces import all_kinds, make


@pytest.fixture(scope="module")
def parameters():
    return make(all_kinds())[0].parameters


NAMES = [
    *("tilt", "lumi", "k_fake", "mu", "acceptance", "xsec", "free[0]"),
    *("fake[0]", "fake[1]", "fake[2]", "stat_SR[0]", "stat_SR[1]", "stat_SR[2]"),
]


def test_names(parameters):
    # histosys, lumi, then normfactors and normsys where they first appear: CR before
    # SR, and there signal before top
    order = ["tilt", "lumi", "mu", "k_fake", "acceptance", "xsec", *NAMES[6:]]
    assert list(parameters.names) == order
    assert sorted(order) == sorted(NAMES)


def test_bin_parameters_have_an_index_even_if_they_are_single(parameters):
    assert parameters.find("free").names == ("free[0]",)
    assert parameters.find("mu").names == ("mu",)


def test_packed_nothing_is_the_initial_values(parameters):
    np.testing.assert_array_equal(parameters.pack({}), parameters.init)


def test_pack_takes_sets_single_parameters_and_arrays(parameters):
    packed = parameters.pack({"mu": 2, "fake": [1, 2, 3], "stat_SR[1]": np.array(0.5)})
    named = dict(zip(parameters.names, packed.tolist(), strict=True))
    assert named["mu"] == 2.0
    assert [named[f"fake[{i}]"] for i in range(3)] == [1.0, 2.0, 3.0]
    assert [named[f"stat_SR[{i}]"] for i in range(3)] == [1.0, 0.5, 1.0]
    assert named["tilt"] == 0.0


def test_pack_starts_from_another_vector_and_leaves_it_alone(parameters):
    start = np.arange(13.0)
    packed = parameters.pack({"mu": -1.0}, start)
    assert start.tolist() == list(range(13))
    assert packed.tolist() == [-1.0 if i == 2 else i for i in range(13)]


def test_a_single_bin_takes_a_number(parameters):
    assert parameters.unpack(parameters.pack({"free": 3.0}))["free"].tolist() == [3.0]


def test_unpack_is_the_inverse_of_pack(parameters):
    vector = np.random.default_rng(1).normal(size=13)
    values = parameters.unpack(vector)
    assert list(values) == [each.name for each in parameters.sets]
    np.testing.assert_array_equal(parameters.pack(values), vector)


def test_unpack_takes_batches(parameters):
    batch = np.arange(26.0).reshape(2, 13)
    assert parameters.unpack(batch)["fake"].tolist() == [[7, 8, 9], [20, 21, 22]]


def test_an_unknown_name_is_refused_with_close_ones(parameters):
    with pytest.raises(UnknownNameError, match="did you mean 'acceptance'"):
        parameters.pack({"aceptance": 1.0})
    with pytest.raises(UnknownNameError, match=r"stat_SR\[7\]"):
        parameters.pack({"stat_SR[7]": 1.0})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mu": [1.0, 2.0]}, "'mu' takes one value, not 2"),
        ({"fake": [1.0, 2.0]}, r"'fake' takes 3 values, not 2.*'fake\[0\]'"),
        ({"fake": 1.0}, "'fake' takes 3 values, not 1"),
        ({"fake[1]": [1.0, 2.0]}, r"'fake\[1\]' takes one value, not 2"),
    ],
)
def test_t23_values_of_the_wrong_number_are_refused(parameters, values, message):
    with pytest.raises(ParameterError, match=message):
        parameters.pack(values)


@pytest.mark.parametrize("size", [0, 12, 14])
def test_t23_vectors_of_the_wrong_size_are_refused(parameters, size):
    with pytest.raises(ParameterError, match=f"shape \\({size},\\).* 13 parameters"):
        parameters.unpack(np.zeros(size))
    with pytest.raises(ParameterError, match="one value for each"):
        parameters.pack({}, np.zeros(size))
    with pytest.raises(ParameterError, match="one value for each"):
        parameters.pack({}, np.zeros((2, 13)))
