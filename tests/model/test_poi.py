"""The parameter of interest of a model, chosen for each call."""

import jax
import numpy as np
import pytest

from hfjax.errors import ModelError, ParameterError, UnknownNameError
from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.inference.hypotest import hypotest
from hfjax.inference.test_statistics import tmu
from hfjax.model.model import Model
from tests.assertions import assert_close, no_compilation
from tests.model.expressions import one_bin
from tests.workspaces import all_kinds, given, make


def stated(poi):
    """A document that names another parameter of interest in its measurement."""
    document = all_kinds()
    document["measurements"][0]["config"]["poi"] = poi
    return document


@pytest.mark.slow
@pytest.mark.parametrize("name", ["k_fake", "xsec", "lumi"])
def test_it_is_as_if_the_measurement_had_named_it(name):
    model, data = make(all_kinds())
    known, _ = make(stated(name))
    found = model.with_poi(name)
    assert found.poi_name == known.poi_name == name
    assert int(found.poi) == int(known.poi)
    one, other = (fixed_poi_fit(each, data, 0.9) for each in (found, known))
    np.testing.assert_array_equal(one.params, other.params)


def test_the_model_itself_stays_as_it_is():
    model, _ = make(all_kinds())
    other = model.with_poi("k_fake")
    assert model.poi_name == "mu"
    assert other.block is model.block
    assert other.with_poi("mu").poi_name == "mu"


@pytest.mark.slow
def test_nothing_is_compiled_for_it(caplog):
    model, data = make(all_kinds())
    hypotest(model, data, 1.0)
    with no_compilation(caplog):
        hypotest(model.with_poi("k_fake"), data, 0.5)


@pytest.mark.slow
def test_a_test_of_another_parameter_is_about_that_one():
    model, data = make(all_kinds())
    found = hypotest(model.with_poi("k_fake"), data, 0.4)
    known = hypotest(*make(stated("k_fake")), 0.4)
    assert_close(found.CLs_obs, known.CLs_obs, 1e-9)
    position = model.parameters.position("k_fake")
    assert float(found.fixed.params[position]) == 0.4
    assert float(found.background.params[position]) == 0.0


@pytest.mark.slow
def test_a_component_may_be_of_interest():
    model, data = make(all_kinds())
    found = model.with_poi("free[0]")
    assert found.poi_name == "free[0]"
    result = fixed_poi_fit(found, data, 1.1)
    free = model.parameters.unpack(result.params)["free"]
    assert free.tolist() == [1.1]
    assert model.with_poi("free").poi_name == "free"  # a set of one


@pytest.mark.slow
def test_a_constrained_parameter_is_measured_by_its_auxiliary_data_as_well():
    """At the tested value, its constraint term is part of the statistic."""
    model, data = make(all_kinds())
    found = model.with_poi("acceptance")
    assert found.poi_constrained
    assert not model.poi_constrained
    result = hypotest(found, data, 1.0, test_stat=tmu)
    free, fixed = fit(model, data), fixed_poi_fit(found, data, 1.0)
    assert_close(result.q, fixed.deviance - free.deviance, 1e-6)
    aux = found.expected_data(result.background.params).aux
    assert_close(result.asimov_data.aux, aux, 1e-11)


@pytest.mark.slow
def test_a_parameter_that_only_expressions_use():
    document = one_bin({"name": "c"}, given("k", "c**2"), observed=60.0)
    model, data = make(document)
    result = hypotest(model.with_poi("c"), data, 0.5)
    assert float(result.fixed.params[model.parameters.position("c")]) == 0.5


@pytest.mark.slow
def test_it_goes_through_jit():
    """As a traced model, whose arrays are arguments."""
    model, data = make(all_kinds())
    other = model.with_poi("k_fake")
    value = jax.jit(lambda m, d: fixed_poi_fit(m, d, 0.4).deviance)
    assert_close(value(other, data), fixed_poi_fit(other, data, 0.4).deviance, 1e-10)
    assert isinstance(other, Model)


SHAPE = {"name": "sf", "type": "shapefactor", "data": None}
TILT = {"name": "n", "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}}


def four_strengths():
    """A measurement that names a parameter with a component for each bin."""
    signal = {"name": "sig", "data": [1.0, 2.0, 3.0, 4.0], "modifiers": [SHAPE]}
    top = {"name": "bkg", "data": [9.0, 8.0, 7.0, 6.0], "modifiers": [TILT]}
    return {
        "channels": [{"name": "SR", "samples": [signal, top]}],
        "observations": [{"name": "SR", "data": [11.0, 11.0, 10.0, 12.0]}],
        "measurements": [{"name": "m", "config": {"poi": "sf", "parameters": []}}],
        "version": "1.0.0",
    }


def test_one_component_of_several_is_tested():
    """By hand: the other bins follow their own components, so one bin is left."""
    model, data = make(four_strengths())
    result = hypotest(model.with_poi("sf[0]"), data, 1.0)
    assert float(result.CLs_obs) == pytest.approx(0.80538247626, rel=1e-9)


@pytest.mark.slow
def test_a_fit_needs_no_parameter_of_interest():
    """Every bin has a factor of its own, with which all events are explained."""
    model, data = make(four_strengths())
    found = fit(model, data)
    assert found.converged
    values = model.parameters.unpack(found.params)["sf"]
    np.testing.assert_allclose(values, [2.0, 1.5, 1.0, 1.5], rtol=1e-6)


@pytest.mark.parametrize("test", [hypotest, fixed_poi_fit])
def test_a_test_of_several_components_is_refused(test):
    model, data = make(four_strengths())
    words = r"'sf' has 4 components: .* such as 'sf\[0\]' \(`--poi`"
    with pytest.raises(ModelError, match=words):
        test(model, data, 1.0)


def test_what_the_measurement_announces_is_kept():
    """Whoever has a parameter taken in its place can say so."""
    document = stated("MU")
    model, _ = make(document)
    assert (model.names.announced, model.names.poi) == ("MU", "mu")
    other = model.with_poi("k_fake").names
    assert (other.announced, other.poi) == ("MU", "k_fake")


# -- what is refused ---------------------------------------------------------------


def test_unknown_names_are_refused_with_suggestions():
    model, _ = make(all_kinds())
    with pytest.raises(UnknownNameError, match="'k_fakes' in the model: did you mean"):
        model.with_poi("k_fakes")


def test_several_components_are_refused():
    model, _ = make(all_kinds())
    words = r"'stat_SR' has 3 components: name one of them, such as 'stat_SR\[0\]'"
    with pytest.raises(ParameterError, match=words):
        model.with_poi("stat_SR")


def test_derived_parameters_are_refused():
    model, _ = make(one_bin(given("k", "mu**2"), observed=60.0))
    with pytest.raises(ParameterError, match="'k' is given by an expression"):
        model.with_poi("k")


def test_a_gamma_cannot_be_zero():
    """A test compares with zero, which is out of the bounds of a gamma."""
    model, data = make(all_kinds())
    words = r"stat_SR\[0\] = 0 is outside its bounds .*: every test compares with this"
    with pytest.raises(ParameterError, match=words):
        hypotest(model.with_poi("stat_SR[0]"), data, 1.0)


def test_a_fixed_parameter_cannot_be_tested():
    model, data = make(all_kinds())
    with pytest.raises(ModelError, match=r"'stat_SR\[2\]' is fixed"):
        hypotest(model.with_poi("stat_SR[2]"), data, 1.0)
