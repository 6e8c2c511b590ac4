"""Fits of models with expressions: closed forms, and valleys that one start misses."""

import dataclasses
import math

import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.fitting.diagnose.diagnosis import diagnose
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.fitting.valleys.starts import several_starts
from hfjax.inference.hypotest import hypotest
from hfjax.inference.test_statistics import q0, tmu
from tests.model.expressions import factor, interference, one_bin
from tests.reference.asymptotics import tails
from tests.reference.histfactory import HistFactory
from tests.workspaces import all_kinds, given, histosys, make, modifier, sample

SQUARE = given("k", "mu**2")
ROOT = given("k", "sqrt(mu)")
BOTH_SIGNS = {"name": "mu", "bounds": [[-5, 5]]}


def deviance(n, nu):
    return 2 * (nu - n + (n * math.log(n / nu) if n else 0.0))


# -- closed forms ------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("observed", [52.0, 60.0, 200.0])
def test_one_bin_with_a_square(observed):
    """``20 mu^2 + 4 mu + 50 = n``."""
    result = fit(*make(one_bin(SQUARE, observed=observed))).raise_if_failed()
    known = (-4 + math.sqrt(16 + 80 * (observed - 50))) / 40
    assert float(result.params[0]) == pytest.approx(known, rel=1e-9)
    assert float(result.deviance) == pytest.approx(0.0, abs=1e-10)


@pytest.mark.parametrize("observed", [50.5, 60.0, 120.0])
def test_one_bin_with_a_root(observed):
    """``20 sqrt(mu) + 4 mu + 50 = n``."""
    result = fit(*make(one_bin(ROOT, observed=observed))).raise_if_failed()
    root = (-20 + math.sqrt(400 + 16 * (observed - 50))) / 8
    assert float(result.params[0]) == pytest.approx(root**2, rel=1e-8)


@pytest.mark.parametrize("expression", [SQUARE, ROOT])
def test_a_deficit_is_no_signal(expression):
    result = fit(*make(one_bin(expression, observed=40.0))).raise_if_failed()
    assert float(result.params[0]) == 0.0
    assert float(result.deviance) == pytest.approx(deviance(40, 50), rel=1e-10)


@pytest.mark.slow
def test_two_couplings_of_three_samples():
    """``a^2 s + a b i + b^2 t`` in three bins of a single sample each: all solved."""
    document = one_bin(
        {"name": "a", "bounds": [[0, 5]]},
        {"name": "b", "bounds": [[-5, 5]]},
        given("k", "a**2"),
        given("ab", "a * b"),
        observed=0.0,
    )
    channel = document["channels"][0]
    channel["samples"] = [
        sample("aa", [10.0, 0.0], factor("k")),
        sample("ab", [0.0, 8.0], factor("ab")),
        sample("rest", [20.0, 30.0]),
    ]
    document["observations"][0]["data"] = [42.5, 18.0]
    document["measurements"][0]["config"]["poi"] = "b"
    model, data = make(document)
    result = fit(model, data).raise_if_failed()
    found = model.parameters.unpack(result.params)
    assert float(found["a"][0]) == pytest.approx(1.5, rel=1e-7)
    assert float(found["b"][0]) == pytest.approx(-1.0, rel=1e-7)
    derived = model.derived_parameters(result.params)
    assert float(derived["ab"]) == pytest.approx(-1.5, rel=1e-7)


@pytest.mark.slow
def test_a_test_of_a_square_is_that_of_its_rates():
    """q, q_A and CLs from deviances of single counts; mu = 1 is 74 events."""
    model, data = make(one_bin(SQUARE, observed=60.0))
    result = hypotest(model, data, 1.0)
    assert int(result.status) == FitStatus.CONVERGED
    assert float(result.q) == pytest.approx(deviance(60, 74), rel=1e-9)
    assert float(result.q_asimov) == pytest.approx(deviance(50, 74), rel=1e-9)
    known = tails(deviance(60, 74), deviance(50, 74), "qtilde")["CLs"]
    assert float(result.CLs_obs) == pytest.approx(float(known), rel=1e-8)


@pytest.mark.slow
def test_discovery_with_a_root():
    """The background-only fit stands where the square root has no slope."""
    model, data = make(one_bin(ROOT, observed=60.0))
    result = hypotest(model, data, test_stat=q0)
    assert float(result.q) == pytest.approx(deviance(60, 50), rel=1e-9)
    assert float(result.q_asimov) == pytest.approx(deviance(74, 50), rel=1e-9)


@pytest.mark.slow
def test_a_model_of_all_types_is_fitted_to_its_own_asimov_data():
    model, _ = make(interference())
    truth = model.parameters.pack({"mu": 1.3, "coupling": 1.1, "f": 0.8, "i": 0.5})
    result = fit(model, model.expected_data(jnp.asarray(truth))).raise_if_failed()
    assert float(result.deviance) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.slow
def test_minima_are_those_of_a_slow_search():
    """Independent: the reference's density, minimized by SciPy from where ours ends."""
    from scipy.optimize import minimize

    document = interference()
    model, data = make(document)
    known = HistFactory(document)
    result = fit(model, data).raise_if_failed()
    assert -2 * known.logpdf(np.asarray(result.params)) == pytest.approx(
        float(result.twice_nll), rel=1e-11
    )
    free = [i for i, fixed in enumerate(known.fixed) if not fixed]

    def objective(values):
        params = np.array(result.params)
        params[free] = values
        return -2 * known.logpdf(params)

    bounds = [known.bounds[i] for i in free]
    found = minimize(
        objective, np.asarray(result.params)[free] * 1.02, bounds=bounds, tol=1e-10
    )
    assert found.fun > float(result.twice_nll) - 1e-6


# -- several valleys ---------------------------------------------------------------


@pytest.mark.slow
def test_no_fit_stays_where_a_square_has_no_slope():
    """mu = 0 is a point of rest on top of a hill: the likelihood rises to both sides.

    The free fit of a test starts where the fit at mu = 0 ended.
    """
    document = one_bin(SQUARE, observed=60.0, linear=0.0)
    model, data = make(document)
    zero = jnp.zeros(1)
    stays = fit(model, data, start=zero, settings=FitSettings(valleys="initial"))
    assert float(stays.params[0]) == 0.0
    found = fit(model, data, start=zero).raise_if_failed()
    assert float(found.params[0]) == pytest.approx(math.sqrt(0.5), rel=1e-9)
    result = hypotest(model, data, 1.0)
    assert float(result.mu_hat) == pytest.approx(math.sqrt(0.5), rel=1e-7)
    assert float(result.q) == pytest.approx(deviance(60, 70), rel=1e-9)


@pytest.mark.parametrize("start", [-4.0, -0.5, 0.0, 0.5, 4.0])
def test_the_lower_of_two_valleys_is_found_from_anywhere(start):
    """Two bins tell the signs of the interference apart; the square does not."""
    document = one_bin(BOTH_SIGNS, SQUARE, observed=0.0)
    samples = [
        sample("square", [20.0, 20.0], factor("k")),
        sample("linear", [4.0, -1.0], factor("mu")),
        sample("background", [50.0, 50.0]),
    ]
    document["channels"][0]["samples"] = samples
    document["observations"][0]["data"] = [66.0, 71.0]  # of mu = -1
    result = fit(*make(document), start=jnp.array([start])).raise_if_failed()
    assert float(result.params[0]) == pytest.approx(-1.0, rel=1e-7)
    assert float(result.deviance) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.slow
def test_the_valley_at_the_bound_of_a_root_is_found():
    """The slope is infinite there: 0.64 below the other minimum, at mu = 0.48."""
    document = one_bin(ROOT, observed=0.0)
    document["channels"][0]["samples"] = [
        sample("root", [5.0, 9.0], factor("k")),
        sample("linear", [12.0, 3.0], factor("mu")),
        sample("background", [50.0, 42.0]),
    ]
    document["observations"][0]["data"] = [88.0, 10.0]
    model, data = make(document)
    other = fit(model, data, settings=FitSettings(valleys="initial")).raise_if_failed()
    assert float(other.params[0]) == pytest.approx(0.48, abs=0.01)
    found = fit(model, data).raise_if_failed()
    assert float(found.params[0]) == 0.0
    assert float(other.deviance - found.deviance) == pytest.approx(0.644, abs=1e-3)


def test_starts_stand_at_the_first_value_the_bounds_and_half_way():
    model, _ = make(one_bin(BOTH_SIGNS, SQUARE, observed=60.0))
    own = model.parameters
    found = several_starts(model, jnp.array([[0.25]]), own.fixed)
    assert found.ravel().tolist() == [0.25, 1.0, -2.0, 3.0, -5.0, 5.0]
    held = several_starts(model, jnp.array([[0.25]]), jnp.array([True]))
    np.testing.assert_array_equal(held.ravel(), [0.25] + [np.nan] * 5)
    again = several_starts(model, jnp.array([[1.0]]), own.fixed)
    np.testing.assert_array_equal(again.ravel(), [1.0, np.nan, -2.0, 3.0, -5.0, 5.0])


def test_starts_of_infinite_bounds_are_finite():
    mu = {"name": "mu", "bounds": [[-np.inf, np.inf]], "inits": [2.0]}
    model, data = make(one_bin(mu, SQUARE, observed=60.0))
    found = several_starts(model, jnp.array([[0.5]]), model.parameters.fixed)
    assert found.ravel().tolist() == [0.5, 2.0, 0.0, 4.0, -2.0, 6.0]
    assert fit(model, data).converged


def test_other_models_have_no_other_starts():
    model, _ = make(all_kinds())
    starts = jnp.asarray(model.parameters.init)[None]
    assert several_starts(model, starts, model.parameters.fixed) is starts


@pytest.mark.slow
def test_a_fixed_fit_takes_no_more_steps_for_starts_that_are_none():
    model, data = make(one_bin(SQUARE, observed=60.0))
    quick = FitSettings(valleys="initial")
    one, other = (
        fixed_poi_fit(model, data, 0.5, settings=s) for s in (quick, FitSettings())
    )
    assert int(one.steps) == int(other.steps)
    assert float(one.deviance) == pytest.approx(float(other.deviance), abs=1e-10)


# -- other minimizers, and what is wrong -------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("minimizer", ["jaxopt-lbfgsb", "optax-lbfgs"])
@pytest.mark.parametrize("expression", [SQUARE, ROOT])
def test_other_minimizers_agree(minimizer, expression):
    model, data = make(one_bin(expression, observed=60.0))
    found = fit(model, data, settings=FitSettings(minimizer=minimizer))
    known = fit(model, data)
    assert float(found.params[0]) == pytest.approx(float(known.params[0]), rel=1e-5)


@pytest.mark.slow
def test_a_derived_parameter_is_named_where_it_turns_a_rate_negative():
    mu = {"name": "mu", "inits": [0.5], "fixed": True}
    document = one_bin(mu, given("k", "mu - 1"), observed=40.0)
    (rate,) = diagnose(*make(document)).negative
    assert (rate.sample, rate.rate, rate.parameters) == ("square", -10.0, ("k",))


@pytest.mark.slow
def test_a_parameter_without_effect_is_flat_through_an_expression():
    """mu and f are seen in their product only."""
    document = one_bin({"name": "f"}, given("k", "mu * f"), observed=60.0, linear=0.0)
    (flat,) = diagnose(*make(document)).flat
    assert set(flat.weights) == {"mu", "f"}


@pytest.mark.slow
def test_an_expression_of_a_nuisance_parameter_is_constrained():
    """A one-bin model that is solved by hand: ``(10 a + 50 - n) / sqrt + a = 0``."""
    document = one_bin(given("k", "1 + theta / 2"), observed=75.0, linear=0.0)
    document["channels"][0]["samples"][2]["modifiers"] = [
        histosys("theta", [50.0], [50.0])
    ]
    document["channels"][0]["samples"][1]["modifiers"] = [modifier("normfactor", "mu")]
    document["measurements"][0]["config"]["poi"] = ""
    model, data = make(document)
    params = dataclasses.replace(
        model.parameters, fixed=np.array([n == "mu" for n in model.parameters.names])
    )
    result = fit(dataclasses.replace(model, parameters=params), data)
    theta = float(model.parameters.unpack(result.params)["theta"][0])
    nu = 70 + 10 * theta
    assert 10 * (1 - 75 / nu) + theta == pytest.approx(0.0, abs=1e-7)


@pytest.mark.slow
def test_a_square_is_tested_from_both_sides():
    model, data = make(one_bin(SQUARE, observed=60.0))
    result = hypotest(model, data, 0.2, test_stat=tmu)
    nu = 50 + 4 * 0.2 + 20 * 0.04
    assert float(result.q) == pytest.approx(deviance(60, nu), rel=1e-9)
