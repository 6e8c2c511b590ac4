"""Flat directions: the null space of the Hessian, with as few parameters as it has."""

import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.workspace.workspace import Workspace
from hfjax.fitting.diagnose.flat_directions import at_bound, flat_directions
from hfjax.fitting.spectrum import FLAT


def factors(names):
    return [{"name": name, "type": "normfactor", "data": None} for name in names]


def normsys(name):
    return {"name": name, "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}


def built(*modifiers, parameters=(), events=(10.0,) * 4):
    """A model of one bin, with one sample in it, for each list of modifiers."""
    bins = range(len(modifiers))
    samples = [
        {
            "name": f"sample_{i}",
            "data": [events[i] if i == j else 0.0 for j in bins],
            "modifiers": modifiers[i],
        }
        for i in bins
    ]
    config = {"poi": "", "parameters": list(parameters)}
    document = {
        "channels": [{"name": "SR", "samples": samples}],
        "observations": [{"name": "SR", "data": list(events[: len(modifiers)])}],
        "measurements": [{"name": "m", "config": config}],
        "version": "1.0.0",
    }
    return build(Workspace.parse(document))


def found(*modifiers, **options):
    model, data = built(*modifiers, **options)
    return flat_directions(model, data, model.parameters.init)


def weights(flat):
    return {name: round(weight, 6) for name, weight in sorted(flat.weights.items())}


def test_a_model_that_data_determine_has_none():
    assert found([*factors("a"), normsys("n")], factors("b")) == []


def test_two_factors_of_one_product():
    (flat,) = found(factors("ab"), factors("c"))
    assert weights(flat) == {"a": 1.0, "b": -1.0}
    assert abs(flat.curvature) < FLAT


def test_weights_are_in_units_of_the_parameters():
    """With a = 1 and b = 10, b moves ten times as far as a, in the other direction."""
    start = {"name": "b", "inits": [10.0], "bounds": [[0, 100]]}
    model, data = built(factors("ab"), parameters=[start])
    data = model.expected_data(model.parameters.init)
    (flat,) = flat_directions(model, data, model.parameters.init)
    assert weights(flat) == {"a": -0.1, "b": 1.0}


def test_each_null_dimension_is_told_apart():
    directions = found(factors("ab"), factors("cd"), factors("ef"), factors("g"))
    sets = sorted(sorted(flat.weights) for flat in directions)
    assert sets == [["a", "b"], ["c", "d"], ["e", "f"]]


def test_three_factors_of_one_product_have_two():
    directions = found(factors("abc"))
    assert len(directions) == 2
    for flat in directions:
        assert sum(flat.weights.values()) == pytest.approx(0.0, abs=1e-9)
        assert len(flat.weights) == 2


def test_a_parameter_without_an_effect_is_one_by_itself():
    (flat,) = found(factors("a"), factors("b"), events=(10.0, 0.0))
    assert weights(flat) == {"b": 1.0}


def test_a_constraint_lifts_a_direction():
    assert found([*factors("a"), normsys("n"), normsys("o")]) == []


@pytest.mark.parametrize(
    "settings", [{"fixed": True}, {"bounds": [[1, 5]]}, {"bounds": [[0.0, 1.0]]}]
)
def test_what_is_fixed_or_at_a_bound_takes_no_part(settings):
    assert found(factors("ab"), parameters=[{"name": "b", **settings}]) == []
    every = [{"name": name, "fixed": True} for name in "ab"]
    assert found(factors("ab"), parameters=every) == []


def test_the_likelihood_does_not_bend_along_it():
    """By finite differences; along another direction it does."""
    model, data = built([*factors("ab"), normsys("n")], factors("ab"))
    init = np.asarray(model.parameters.init)
    (flat,) = flat_directions(model, data, init)
    step = 1e-3 * model.parameters.pack(flat.weights, start=np.zeros(init.shape))
    for along, curved in ((step, False), (np.abs(step), True)):
        points = [init - along, init, init + along]
        left, middle, right = (float(model.logpdf(x, data)) for x in points)
        bend = (left + right - 2 * middle) / 1e-6
        assert (abs(bend) > 1.0) == curved
        assert curved or abs(bend) < 1e-3


def test_bounds_are_met_up_to_rounding():
    params, bound = np.array([5.0, 5.0 + 1e-12, 5.1, -2e-10]), np.array([5.0, 5, 5, 0])
    assert at_bound(params, bound).tolist() == [True, True, False, True]
