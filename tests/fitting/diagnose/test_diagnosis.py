"""What is wrong with a best fit."""

import numpy as np
import pytest

from hfjax.errors import MissingPOIError
from hfjax.fitting.best_fit import fit
from hfjax.fitting.diagnose.diagnosis import diagnose, negative_rates
from tests.documents.check.faults import clean
from tests.workspaces import histosys, make, modifier, normsys


@pytest.fixture(scope="module")
def two_channels():
    return make(clean())


def moved(model, **values):
    return model.parameters.pack(values)


@pytest.mark.slow
def test_the_fit_is_the_fit(two_channels):
    diagnosis = diagnose(*two_channels)
    expected = fit(*two_channels)
    np.testing.assert_array_equal(diagnosis.fit.params, expected.params)
    assert diagnosis.fit.converged
    assert (diagnosis.flat, diagnosis.at_bounds, diagnosis.negative) == ((), {}, ())


@pytest.mark.slow
def test_the_parameter_of_interest_can_be_held(two_channels):
    model, data = two_channels
    held = diagnose(model, data, poi_value=0.0)
    assert float(held.fit.params[model.poi]) == 0.0
    assert held.at_bounds == {}  # held at it, not stopped by it
    nothing = make(without_poi())
    with pytest.raises(MissingPOIError):
        diagnose(*nothing, poi_value=0.0)


def without_poi():
    document = clean()
    document["measurements"][0]["config"]["poi"] = ""
    return document


@pytest.mark.slow
def test_parameters_at_both_bounds(two_channels):
    model, data = two_channels
    low = model.expected_data(moved(model, mu=0.0))
    main = np.array(low.main)
    main[3] -= 3.0  # fewer events than without a signal, where the signal is
    data = low.with_counts({"CR": main[:2], "SR": main[2:]})
    diagnosis = diagnose(model, data)
    assert diagnosis.at_bounds == {"mu": 0.0}


def sample_with(*modifiers):
    document = clean()
    value = {"name": "odd", "data": [1.0, 2.0], "modifiers": list(modifiers)}
    document["channels"][1]["samples"].append(value)
    model, _ = make(document)
    return model


def test_a_normsys_that_crosses_zero_is_named():
    model = sample_with(normsys("n", 0.01, 40.0), normsys("o", 0.9, 1.1))
    assert negative_rates(model, moved(model)) == ()
    first, second = negative_rates(model, moved(model, n=-0.44, o=0.3))
    assert (first.channel, first.sample, first.bin) == ("SR", "odd", 0)
    assert (second.bin, second.parameters) == (1, ("n",))
    assert second.rate == pytest.approx(2.0 * first.rate)
    assert first.rate == pytest.approx(-0.446 * 1.0292, abs=0.01)


def test_histosys_that_lower_below_zero_are_named_largest_first():
    names = "abcd"
    lo = [[1.0, 2.1], [1.0, 2.3], [1.0, 2.2], [1.0, 1.9]]
    hi = [[1.0, 1.0], [1.0, 0.8], [1.0, 0.9], [1.0, 2.1]]
    model = sample_with(
        *[histosys(*one) for one in zip(names, lo, hi, strict=True)], normsys("n", 1, 2)
    )
    (negative,) = negative_rates(model, moved(model, a=1, b=1, c=1, d=1, n=0.5))
    assert (negative.bin, negative.parameters) == (1, ("b", "c", "a"))
    assert negative.rate < 0


def test_a_negative_factor_is_named():
    document = clean()
    odd = {"name": "odd", "data": [1.0, 2.0], "modifiers": []}
    odd["modifiers"].append(modifier("normfactor", "sign"))
    document["channels"][1]["samples"].append(odd)
    settings = {"name": "sign", "bounds": [[-5, 5]]}
    document["measurements"][0]["config"]["parameters"].append(settings)
    model, _ = make(document)
    found = negative_rates(model, moved(model, sign=-1.0))
    assert [(one.rate, one.parameters) for one in found] == [
        (-1.0, ("sign",)),
        (-2.0, ("sign",)),
    ]


def test_a_negative_nominal_has_no_parameter():
    document = clean()
    document["channels"][1]["samples"][2]["data"][1] = -0.5
    model, _ = make(document)
    (negative,) = negative_rates(model, moved(model))
    assert (negative.sample, negative.bin, negative.rate) == ("fakes", 1, -0.5)
    assert negative.parameters == ()
