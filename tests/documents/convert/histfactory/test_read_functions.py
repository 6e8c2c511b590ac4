"""Functions of HistFactory XML: normfactors that expressions give."""

import math

import jax.numpy as jnp
import pytest

from hfjax.building.build import build
from hfjax.documents.convert.histfactory.read import XmlSettings, read_xml
from hfjax.documents.convert.histfactory.read_functions import read_functions
from hfjax.documents.convert.xml import XmlElement
from hfjax.documents.workspace.expression import parse_expression
from hfjax.errors import SpecificationError
from tests.documents.convert.histfactory.xml_inputs import (
    entry,
    imported,
    lost,
    measurement,
    noted,
    top_sample,
    write_input,
)


def function(expression="sqrt(x)", dependents="x[0,3]", name="mu", tag="Function"):
    return f'<{tag} Name="{name}" Expression="{expression}" Dependents="{dependents}"/>'


def element(expression, dependents="a,b"):
    attributes = {"Name": "k", "Expression": expression, "Dependents": dependents}
    return XmlElement("Function", attributes, file="top.xml", line=3)


ON_X = measurement().replace("<POI>mu", "<POI>x")


@pytest.mark.parametrize("tag", ["Function", "PreprocessFunction"])
def test_a_function_becomes_an_expression(tmp_path, tag):
    head = function(tag=tag)
    found = imported(write_input(tmp_path, head=head, measurements=ON_X))
    assert found.document["version"] == "1.0.0+hfjax.1"
    assert entry(found, "mu") == {"name": "mu", "expression": "sqrt(x)"}
    assert entry(found, "x") == {"name": "x", "inits": [1.5], "bounds": [[0.0, 3.0]]}
    assert lost(found) == []
    model, data = build(found.workspace())
    params = model.parameters.pack({"x": 0.25})
    assert jnp.allclose(model.expected_rates(params).sum(axis=0)[0], 2.5 + 0.0)
    assert jnp.isfinite(model.logpdf(params, data))


def test_a_function_of_one_measurement_is_its_own(tmp_path):
    both = ON_X.replace("<POI>", f"{function()}<POI>") + measurement(name="n")
    found = imported(write_input(tmp_path, measurements=both))
    assert entry(found, "mu", 0) == {"name": "mu", "expression": "sqrt(x)"}
    assert entry(found, "mu", 1) == {"name": "mu", "bounds": [[0, 3]], "inits": [1]}
    assert entry(found, "x", 1) is None


@pytest.mark.parametrize(
    ("dependents", "setting"),
    [
        ("x[0,3]", {"inits": [1.5], "bounds": [[0, 3]]}),
        ("x[1, 0, 3]", {"inits": [1], "bounds": [[0, 3]]}),
        ("x[20]", {"inits": [20], "bounds": [[0, 20]], "fixed": True}),
    ],
)
def test_dependents_bring_value_and_range(tmp_path, dependents, setting):
    head = function(dependents=dependents)
    found = imported(write_input(tmp_path, head=head, measurements=ON_X))
    assert entry(found, "x") == {"name": "x"} | setting


def test_settings_of_what_a_function_gives_have_no_effect(tmp_path):
    setting = '<ParamSetting Const="True">mu</ParamSetting>'
    const = '<ParamSetting Const="True">x</ParamSetting>'
    inside = measurement(setting + const).replace("<POI>mu", "<POI>x")
    found = imported(write_input(tmp_path, head=function(), measurements=inside))
    assert "function-setting" in noted(found)
    assert entry(found, "mu") == {"name": "mu", "expression": "sqrt(x)"}
    assert entry(found, "x")["fixed"] is True


def test_systematics_have_the_name_of_the_workspace(tmp_path):
    sample = top_sample('<OverallSys Name="jes" Low="0.9" High="1.1"/>')
    head = function("1 + 0.1 * alpha_jes", "alpha_jes")
    found = imported(write_input(tmp_path, sample, head=head, measurements=ON_X))
    assert entry(found, "mu")["expression"] == "1 + 0.1 * jes"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a^2 + b", 4.0 + 3.0),
        ("-a^2", -4.0),
        ("pow(a, b) / 2.5e1", 8.0 / 25),
        ("TMath::Power(a, 2) * TMath::Sqrt(b)", 4 * math.sqrt(3)),
        ("@0 * x[1]", 6.0),
        ("fabs(-a) + max(a, min(b, .5))", 4.0),
        ("exp(pow(a + b, (1 - 0.5)))", math.exp(math.sqrt(5))),
        ("2 * pi * a + TMath::Pi()", 5 * math.pi),
        ("(1-a)*(b)", -3.0),
    ],
)
def test_formulas_keep_their_value(expression, value):
    found = read_functions([element(expression)], {}).expressions["k"]
    got = parse_expression(found).value({"a": 2.0, "b": 3.0})
    assert got == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("expression", "dependents", "message"),
    [
        ("a + c", "a,b", "'c' of the Expression is not among its Dependents"),
        ("sin(a)", "a", "Expression='sin(a)': "),
        ("a > 1", "a", "Expression='a > 1': "),
        ("pow(a", "a", "Expression='pow(a': "),
        ("a)", "a", "Expression='a)': "),
        ("(" * 3000 + "a" + ")" * 3000, "a", "is nested too deeply"),
        ("a", "a[0,1,2,3]", "[0,1,2,3] is neither a value, a range"),
        ("a", "a[x]", "[x] is neither a value"),
        ("a", "a[0", "is no list such as"),
        ("a", "gamma_fakes_bin_0", "is of bins, which no expression can have"),
    ],
)
def test_what_no_expression_can_have_is_refused(expression, dependents, message):
    with pytest.raises(SpecificationError, match="line 3, <Function") as found:
        read_functions([element(expression, dependents)], {})
    assert message in str(found.value)


def test_only_a_norm_factor_is_given_by_a_function(tmp_path):
    sample = top_sample('<OverallSys Name="jes" Low="0.9" High="1.1"/>')
    path = write_input(tmp_path, sample, head=function(name="alpha_jes"))
    with pytest.raises(SpecificationError, match="only a NormFactor can be a function"):
        read_xml(path)


def test_the_plain_reading_leaves_functions_out(tmp_path):
    path = write_input(tmp_path, head=function())
    found = read_xml(path, XmlSettings(plain=True))
    assert lost(found) == ["expression"]
    mu = {"name": "mu", "bounds": [[0, 3]], "inits": [1]}
    assert entry(found, "mu") == mu
