"""Initial values by name."""

import numpy as np
import pytest

from hfjax.errors import ParameterError, UnknownNameError
from tests.workspaces import MU, make, modifier, normsys, sample, workspace

STAT = modifier("shapesys", "gamma", [3.0, 7.0])
K = {"name": "k", "fixed": True, "inits": [1.0]}
BOUNDS = {"name": "mu", "inits": [1.0], "bounds": [[0.0, 5.0]]}


@pytest.fixture(scope="module")
def model():
    bkg = sample(
        "b", [50.0, 52.0], STAT, normsys("a", 0.9, 1.1), modifier("normfactor", "k")
    )
    samples = {"SR": [sample("s", [12.0, 11.0], MU), bkg]}
    found = workspace(samples, {"SR": [51.0, 48.0]}, K, BOUNDS)
    return make(found)[0]


def test_a_start_changes_what_it_names_and_nothing_else(model):
    there = model.with_start({"mu": 0.5, "gamma[1]": 1.2, "a": -1.0})
    new, old = (m.parameters.unpack(m.parameters.init) for m in (there, model))
    assert new["mu"].tolist() == [0.5]
    assert new["gamma"].tolist() == [1.0, 1.2]
    assert new["a"].tolist() == [-1.0]
    assert new["k"].tolist() == old["k"].tolist() == [1.0]
    assert model.parameters.init[model.poi] == 1.0
    assert there.names == model.names


def test_a_set_takes_one_value_a_bin(model):
    there = model.with_start({"gamma": [0.9, 1.1]}).parameters
    assert np.asarray(there.unpack(there.init)["gamma"]).tolist() == [0.9, 1.1]


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ({"nu": 1.0}, UnknownNameError, "no parameter named 'nu'"),
        ({"mu": 5.1}, ParameterError, r"mu = 5.1 is outside its bounds \[0, 5\]"),
        ({"mu": float("nan")}, ParameterError, "mu = nan is outside"),
        ({"gamma": [1.0, -1.0]}, ParameterError, r"gamma\[1\] = -1 is outside"),
        ({"gamma": 1.0}, ParameterError, "takes 2 values"),
        ({"k": 2.0}, ParameterError, "the measurement fixes 'k'"),
    ],
)
def test_what_no_fit_can_start_with_is_refused(model, values, error, says):
    with pytest.raises(error, match=says):
        model.with_start(values)
