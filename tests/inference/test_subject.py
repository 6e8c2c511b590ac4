"""Expected results before any fit: no observed data are in them."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from hfjax.building.batch import build_scan
from hfjax.building.build import build
from hfjax.documents.reading.schema import validate
from hfjax.errors import ArgumentError, UnknownNameError
from hfjax.fitting.status import FitSettings
from hfjax.inference.hypotest import hypotest
from hfjax.inference.limit_curve import limit_curve
from hfjax.inference.limit_grid import interpolated_limits
from hfjax.inference.limits import upper_limit
from hfjax.inference.significance import significance
from hfjax.model.nominal import nominal_parameters
from hfjax.scanning.limits import scan_limits
from hfjax.scanning.run import scan
from tests.assertions import assert_close
from tests.likelihoods import load_likelihood
from tests.workspaces import HELLO, all_kinds, make, shapesys

PRIOR = FitSettings(expected="nominal")
OBSERVED = [51.0, 48.0]
SIGMAS = np.array([2.0, 1.0, 0.0, -1.0, -2.0])


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, OBSERVED))


@pytest.fixture(scope="module")
def test(hello):
    return hypotest(*hello, settings=PRIOR)


def closed_form(mu):
    """q of the nominal Asimov data of the example: each gamma solves a quadratic."""
    total = 0.0
    for s, b, u in zip(*HELLO, strict=True):
        tau = (b / u) ** 2
        square, linear = b * (tau + b), (tau + b) * mu * s - b * b - b * tau
        roots = np.roots([square, linear, -tau * mu * s])
        gamma = float(np.max(roots.real))
        rate, aux = mu * s + gamma * b, gamma * tau
        total += rate - b - b * np.log(rate / b) + aux - tau - tau * np.log(gamma)
    return 2.0 * total


def band(q):
    """Expected CLs at -2 to +2 standard deviations."""
    return norm.cdf(-(SIGMAS + np.sqrt(q))) / norm.cdf(-SIGMAS)


def test_the_band_is_that_of_a_closed_form(test):
    assert test.band == "nominal"
    assert_close(test.q_asimov, closed_form(1.0), 1e-9)
    assert_close(test.CLs_exp, band(closed_form(1.0)), 1e-9)
    assert_close(test.asimov_data.main, HELLO[1], 1e-12)
    assert_close(test.asimov_free.params, [0.0, 1.0, 1.0], 0.0, 1e-12)


def test_no_observed_data_are_in_it(hello, test):
    """Neither counts nor auxiliary data that were observed."""
    model, data = hello
    other = dataclasses.replace(data, main=np.array([70.0, 20.0]), aux=1.3 * data.aux)
    found = hypotest(model, other, settings=PRIOR)
    assert_close(found.CLs_exp, test.CLs_exp, 1e-9)
    assert abs(float(found.q - test.q)) > 0.1
    before = hypotest(model, other).CLs_exp
    assert abs(float(before[2] - test.CLs_exp[2])) > 0.01


def test_the_result_says_so_and_what_is_usual_is_as_it_was(hello, test):
    assert test.to_dict()["band"] == "nominal"
    assert "expected before any fit" in repr(test)
    validate(test.dump(), "test-result-1.0.0.json")
    usual = hypotest(*hello)
    assert usual.band == usual.to_dict()["band"] == "observed-profile"
    assert_close(usual.CLs_exp[2], 0.06445515477, 1e-9)
    with pytest.raises(UnknownNameError, match="no choice of Asimov data named 'nomin"):
        FitSettings(expected="nominl")


@pytest.fixture(scope="module")
def kinds():
    """All kinds of modifiers, which start elsewhere than their auxiliary data say."""
    document = all_kinds()
    document["measurements"][0]["config"]["parameters"] += [
        {"name": "tilt", "inits": [0.4]},
        {"name": "k_fake", "inits": [1.3]},
        {"name": "xsec", "auxdata": [0.3]},
    ]
    return make(document)


@pytest.mark.slow
def test_bands_are_those_of_pyhf_on_the_asimov_data(kinds):
    """`pyhf.infer.hypotest` of `model.expected_data` there, 0.7.6, SciPy, tol 1e-12."""
    known = [0.01775470, 0.05914933, 0.17698605, 0.43161182, 0.75940021]
    found = hypotest(*kinds, 2.0, settings=PRIOR)
    assert_close(found.CLs_exp, known, 1e-6)
    values = dict(zip(kinds[0].parameters.names, found.asimov_free.params, strict=True))
    assert_close([values["tilt"], values["xsec"]], [0.0, 0.3], 0.0, 1e-12)
    assert_close([values["k_fake"], values["lumi"]], [1.3, 1.0], 1e-12)
    known = [0.00339544, 0.04391761, 0.23980526, 0.61526601, 0.90200673]
    found = significance(*kinds, settings=PRIOR)
    assert_close(found.p0_exp, known, 1e-5)
    assert found.to_dict()["band"] == "nominal"
    validate(found.dump(), "significance-result-1.0.0.json")


def nominal_data(model, poi):
    """The Asimov data themselves."""
    params = nominal_parameters(model).values.copy()
    params[model.poi] = poi
    return model.expected_data(jnp.asarray(params))


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"fixed": {"tilt": 0.7}}])
def test_a_test_of_the_asimov_data_has_the_same_band(kinds, options):
    """There, the best fit without signal leads to them."""
    model, data = kinds
    own = model.with_fixed(options.get("fixed", {}))
    known = hypotest(model, nominal_data(own, 0.0), **options)
    found = hypotest(model, data, **options, settings=PRIOR)
    assert_close(found.CLs_exp, known.CLs_exp, 1e-8)


@pytest.mark.slow
def test_limits_have_the_same_asimov_data_at_all_values(hello):
    model, data = hello
    found = upper_limit(model, data, settings=PRIOR)
    assert found.band == found.to_dict()["band"] == "nominal"
    validate(found.dump(), "limit-result-1.0.0.json")
    for which, value in enumerate(found.expected):
        assert_close(band(closed_form(float(value)))[which], 0.05, 1e-6)
    alone = hypotest(model, data, float(found.observed), settings=PRIOR)
    assert_close(alone.CLs_obs, 0.05, 1e-6)
    values = [0.4, 1.0, 3.0]
    curve = limit_curve(model, data, values, settings=PRIOR)
    given = interpolated_limits(model, data, values, settings=PRIOR)
    for value, one, other in zip(
        values, curve.CLs_exp, given.curve.CLs_exp, strict=True
    ):
        assert_close(one, band(closed_form(value)), 1e-8)
        assert_close(other, one, 1e-8)
    assert found.with_curve(curve).curve.band == "nominal"
    with pytest.raises(ArgumentError, match="give both the same settings"):
        upper_limit(model, data).with_curve(curve)


@pytest.mark.slow
def test_derivatives_are_those_of_differences(hello):
    """In the background's events, which the auxiliary data follow; none in the data."""
    model, data = hello

    def median(background):
        events = {("SR", "bkg"): background * jnp.array(HELLO[1])}
        own = model.with_yields(events)
        return hypotest(own, data, settings=PRIOR).CLs_exp[2]

    step = 1e-4
    known = (median(1.0 + step) - median(1.0 - step)) / (2.0 * step)
    assert_close(jax.grad(median)(1.0), known, 1e-6)

    def of_data(counts):
        own = dataclasses.replace(data, main=counts)
        return hypotest(model, own, settings=PRIOR).CLs_exp[2]

    assert_close(jax.grad(of_data)(jnp.array(OBSERVED)), 0.0, 0.0, 1e-12)


@pytest.mark.long
def test_scans_have_the_band_of_each_point_alone(data_dir):
    """Of staus, where fits to the data and to the Asimov data have other valleys."""
    background, patchset = load_likelihood("staus", data_dir)
    names = ("TStauStau_160_1", "TStauStau_240_40")
    batch = build_scan(background, patchset, names=names)
    result, usual = scan(batch, settings=PRIOR), scan(batch)
    assert (result.band, usual.band) == ("nominal", "observed-profile")
    for name in names:
        model, _ = build(background, patch=patchset[name])
        known = hypotest(model, nominal_data(model, 0.0))
        assert_close(result[name].CLs_exp, known.CLs_exp, 1e-5)
        assert result[name].CLs_exp[2] != usual[name].CLs_exp[2]


@pytest.mark.long
def test_limits_of_scans_are_those_of_each_point_alone(data_dir):
    background, patchset = load_likelihood("sbottomA", data_dir)
    name = "T6bbHH_800_480_350"
    batch = build_scan(background, patchset, names=(name,))
    found = scan_limits(batch, settings=PRIOR)
    model, data = build(background, patch=patchset[name])
    alone = upper_limit(model, data, settings=PRIOR)
    assert found.band == "nominal"
    assert_close(found[name].limit_exp, alone.expected, 1e-6)
    known = upper_limit(model, nominal_data(model, 0.0))
    assert_close(alone.expected, known.expected, 1e-6)
