"""Best fits: closed forms, reference minima, and what the results promise."""

import json
import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import hfjax
from hfjax.building.build import build
from hfjax.errors import (
    DataError,
    FitError,
    MissingPOIError,
    ParameterError,
    UnknownNameError,
)
from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.model.data import Data
from tests.assertions import assert_close, no_compilation
from tests.likelihoods import MINIMA, ROWS, SINGLE, best_known, load_likelihood, row
from tests.reference.shapesys import ShapesysModel
from tests.workspaces import (
    HELLO,
    empty_control,
    make,
    modifier,
    sample,
    shapesys,
    workspace,
)

# -- closed forms ------------------------------------------------------------------

TEXTBOOK = ("hello", "2-bin_1-channel", "1bin_example1", "2bin_example1")


def textbook(reference_dir, name):
    """Model and data of a closed-form case, and what is known of it."""
    case = json.loads((reference_dir / "oracle.json").read_text())[name]
    names = ("signal", "background", "uncertainty", "observed")
    return *build(shapesys(*(case[key] for key in names))), case


@pytest.mark.parametrize("name", TEXTBOOK)
def test_fits_in_closed_form(name, reference_dir):
    model, data, case = textbook(reference_dir, name)
    known = case["qtilde, mu=1"]
    free, fixed = fit(model, data), fixed_poi_fit(model, data, 1.0)
    assert free.converged
    assert fixed.converged
    assert_close(free.twice_nll, known["twice_nll_free"], 1e-9)
    assert_close(fixed.twice_nll, known["twice_nll_fixed"], 1e-9)
    assert_close(free.params[0], known["mu_hat"], 1e-9, 1e-10)
    assert_close(fixed.params, [1.0, *known["gammas_fixed"]], 1e-9)
    assert_close(fixed.twice_nll - free.twice_nll, known["q"], 1e-9)


@pytest.mark.parametrize("name", ["q0: 1bin", "q0: hello"])
def test_discovery_fits_in_closed_form(name, reference_dir):
    model, data, case = textbook(reference_dir, name)
    free, fixed = fit(model, data), fixed_poi_fit(model, data, 0.0)
    assert_close(free.twice_nll, case["q0"]["twice_nll_free"], 1e-9)
    assert_close(fixed.twice_nll, case["q0"]["twice_nll_fixed"], 1e-9)
    assert_close(free.params[0], case["q0"]["mu_hat"], 1e-9)
    assert_close(fixed.params[1:], case["q0"]["gammas_fixed"], 1e-9)


def test_integers_in_a_document_are_numbers():
    model, data = build(shapesys([12, 11], [50, 52], [3, 7], [60, 65]))
    same, _ = build(shapesys(*HELLO, [60.0, 65.0]))
    assert_close(fit(model, data).params, fit(same, data).params, 1e-9)


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, [60.0, 65.0]))


def test_twice_nll_is_that_of_the_model(hello):
    for found in (fit(*hello), fixed_poi_fit(*hello, 3.0)):
        assert_close(
            found.twice_nll, -2 * hello[0].logpdf(found.params, hello[1]), 1e-11
        )


def test_differences_of_deviance_are_those_of_twice_nll(hello):
    free, fixed = fit(*hello), fixed_poi_fit(*hello, 3.0)
    known = fixed.twice_nll - free.twice_nll
    assert_close(fixed.deviance - free.deviance, known, 1e-11)


def test_differences_survive_where_twice_nll_is_large():
    """A million bins' worth of events: 1e-9 of q is far below an ulp of 2NLL."""
    exact = ShapesysModel([1e4], [1e12], [1e7])
    model, data = build(shapesys([1e4], [1e12], [1e7], [1e12 + 5e3]))
    free, fixed = fit(model, data), fixed_poi_fit(model, data, 10.0)
    tau = exact.tau[0]
    # Both terms are parabolas here: q = (s mu - s mu_hat)^2 / (b + b^2 / tau).
    q = (1e5 - 5e3) ** 2 / (1e12 + 1e24 / tau)
    assert_close(fixed.deviance - free.deviance, q, 1e-6)


# -- what was asked for ------------------------------------------------------------


def test_a_fixed_poi_fit_holds_the_poi_and_nothing_else(hello):
    exact = ShapesysModel(*HELLO)
    for mu in (0.0, 0.7, 10.0):
        found = fixed_poi_fit(*hello, mu)
        assert found.converged
        assert found.params[0] == mu
        assert_close(found.params[1:], exact.gammas(mu, (60, 65), exact.tau), 1e-9)


def test_a_poi_outside_its_bounds_is_refused(hello):
    with pytest.raises(ParameterError, match=r"mu = 10.5 is outside its bounds"):
        fixed_poi_fit(*hello, 10.5)
    with pytest.raises(ParameterError, match=r"mu = -1 is outside its bounds"):
        fixed_poi_fit(*hello, -1.0)


def test_parameters_that_the_measurement_fixes_stay():
    samples = [sample("s", [10.0], modifier("normfactor", "mu"))]
    samples += [sample("b", [50.0], modifier("normfactor", "k"))]
    config = {"name": "k", "fixed": True, "inits": [1.1]}
    model, data = make(workspace({"SR": samples}, {"SR": [67.0]}, config))
    found = fit(model, data)
    named = model.parameters.unpack(found.params)
    assert named["k"] == 1.1
    assert_close(named["mu"], [1.2], 1e-7)


def test_t24_a_best_fit_at_a_bound_is_at_the_bound():
    """2.4 would fit; the POI may go to 2 only, and the gammas take what is left."""
    model, data = build(shapesys(*HELLO, [79.0, 78.0], bounds=[[0.0, 2.0]]))
    found = fit(model, data)
    assert found.converged
    assert found.params[0] == 2.0
    held = fixed_poi_fit(model, data, 2.0)
    assert_close(found.twice_nll, held.twice_nll, 0, 1e-9)  # two fits


def test_a_start_changes_the_way_but_not_the_minimum(hello):
    found = fit(*hello)
    for start in ([9.0, 0.1, 5.0], [0.0, 1.0, 1.0]):
        again = fit(*hello, start=jnp.array(start))
        assert again.converged
        assert_close(again.params, found.params, 1e-6)
    held = fixed_poi_fit(*hello, 3.0, start=jnp.array([0.0, 5.0, 5.0]))
    assert_close(held.params, fixed_poi_fit(*hello, 3.0).params, 1e-6)
    assert held.params[0] == 3.0


def test_other_minimizers_agree(hello):
    settings = FitSettings(minimizer="optax-lbfgs", max_steps=1000)
    found, other = fit(*hello), fit(*hello, settings=settings)
    assert_close(other.twice_nll, found.twice_nll, 1e-9)
    assert other.steps != found.steps


def test_results_know_whether_they_converged(hello):
    found = fit(*hello)
    assert isinstance(found, FitResult)
    assert found.converged
    assert found.raise_if_failed() is found
    assert found.edm < 1e-10
    failed = fit(*hello, settings=FitSettings(max_steps=1))
    assert not failed.converged
    with pytest.raises(FitError, match="used all its steps"):
        failed.raise_if_failed()


def test_a_start_without_a_likelihood_is_said():
    samples = [sample("s", [10.0], modifier("normfactor", "mu"))]
    model, data = make(workspace({"SR": samples}, {"SR": [12.0]}))
    failed = fixed_poi_fit(model, data, 0.0)
    assert failed.status == FitStatus.NOT_FINITE
    with pytest.raises(FitError, match="likelihood is zero"):
        failed.raise_if_failed()


# -- bad input ---------------------------------------------------------------------


def background_only():
    samples = [sample("b", [50.0], modifier("shapesys", "g", [5.0]))]
    return make(workspace({"SR": samples}, {"SR": [52.0]}, poi="mu_SIG"))


@pytest.mark.slow
def test_a_background_only_model_is_fitted():
    model, data = background_only()
    found = fit(model, data)
    assert found.converged
    assert_close(found.params, [(52 + 100) / (50 + 100)], 1e-9)


def test_a_missing_poi_is_named_with_the_way_to_bring_it():
    with pytest.raises(MissingPOIError, match="'mu_SIG' is not in the model: add a"):
        fixed_poi_fit(*background_only(), 1.0)


def test_a_measurement_without_a_poi_says_so():
    samples = [sample("b", [50.0], modifier("shapesys", "g", [5.0]))]
    model, data = make(workspace({"SR": samples}, {"SR": [52.0]}, poi=""))
    with pytest.raises(MissingPOIError, match="the measurement names none"):
        fixed_poi_fit(model, data, 1.0)


@pytest.mark.parametrize(("main", "aux"), [(1, 2), (3, 2), (2, 0), (2, 3)])
def test_data_of_another_shape_are_refused(hello, main, aux):
    wrong = Data(jnp.full(main, 50.0), jnp.ones(aux))
    with pytest.raises(DataError, match=rf"\({main},\).*\({aux},\)"):
        fit(hello[0], wrong)
    with pytest.raises(DataError):
        fixed_poi_fit(hello[0], wrong, 1.0)


@pytest.mark.parametrize("size", [2, 4])
def test_t23_a_start_of_another_length_is_refused(hello, size):
    with pytest.raises(ParameterError):
        fit(*hello, start=jnp.ones(size))
    with pytest.raises(ParameterError):
        fixed_poi_fit(*hello, 1.0, start=jnp.ones(size))


# -- compilation and batches -------------------------------------------------------


def test_other_data_values_and_names_do_not_compile_again(hello, caplog):
    other = build(shapesys([3.0, 5.0], [40.0, 20.0], [4.0, 5.0], [41.0, 22.0]))
    fit(*hello)
    fixed_poi_fit(*hello, 1.0)
    with no_compilation(caplog):
        for mu in (0.0, 2.0):
            fixed_poi_fit(*hello, mu)
            fixed_poi_fit(*other, mu)
        fit(*other)


@pytest.mark.slow
def test_a_batch_of_toys_equals_a_loop(hello):
    model, data = hello
    truth = fixed_poi_fit(model, data, 0.0).params
    keys = jax.random.split(jax.random.key(5), 8)
    toys = jax.vmap(model.sample, in_axes=(0, None))(keys, truth)
    batch = jax.jit(jax.vmap(fit, in_axes=(None, 0)))(model, toys)
    assert (batch.status == FitStatus.CONVERGED).all()
    for i in range(len(keys)):
        alone = fit(model, jax.tree.map(lambda leaf, i=i: leaf[i], toys))
        assert_close(batch.twice_nll[i], alone.twice_nll, 1e-11)
        assert_close(batch.params[i], alone.params, 1e-5, 1e-6)


def test_t8_a_free_fit_is_never_above_a_fixed_one(hello):
    """On toys of all strengths, whatever value is held."""
    model, _ = hello
    for seed in range(20):
        truth = jnp.array([0.5 * seed, 1.0, 1.0])
        toy = model.sample(jax.random.key(seed), truth)
        free = fit(model, toy)
        for mu in (0.0, 1.0, 5.0):
            fixed = fixed_poi_fit(model, toy, mu)
            assert free.deviance <= fixed.deviance + 1e-9


# -- published likelihoods ---------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "patch"),
    [
        pytest.param(*pair, marks=() if pair[0] == "staus" else pytest.mark.long)
        for pair in SINGLE.items()
    ],
)
def test_minima_of_published_likelihoods(name, patch, data_dir, reference_dir):
    """2NLL no more than `MINIMA` above the lowest that is known, fit by fit."""
    background, patchset = load_likelihood(name, data_dir)
    known = row(name, patch, reference_dir)
    model, data = build(background, patch=patchset[patch])
    free = fit(model, data)
    zero, one = (fixed_poi_fit(model, data, mu) for mu in (0.0, 1.0))
    asimov = model.expected_data(zero.params)
    asimov_one = fixed_poi_fit(model, asimov, 1.0)
    for held in (zero, one):
        assert free.deviance <= held.deviance + 1e-6
    lowest = best_known(known)["twice_nll"]
    for found, which in ((free, "free"), (zero, "mu=0"), (one, "mu=1")):
        assert found.converged, FitStatus(int(found.status)).sentence
        assert found.twice_nll - lowest[which] < MINIMA
    # The Asimov data move with the fit they are made at: to its distance, not less.
    assert asimov_one.converged
    if abs(zero.twice_nll - lowest["mu=0"]) < MINIMA:
        assert asimov_one.twice_nll - lowest["asimov mu=1"] < 1e-4


def test_all_patches_of_the_references_are_tested(reference_dir):
    for name, patches in ROWS.items():
        rows = json.loads((reference_dir / f"{name}.json").read_text())["rows"]
        assert tuple(each["patch"] for each in rows) == patches


@pytest.mark.long
def test_a_published_background_only_workspace_is_fitted(data_dir):
    """It names a parameter of interest that only its patches bring."""
    background, _ = load_likelihood("staus", data_dir)
    model, data = hfjax.build(background)
    assert model.poi_name is None
    assert fit(model, data).converged
    with pytest.raises(MissingPOIError, match="'mu_SIG' is not in the model"):
        fixed_poi_fit(model, data, 0.0)


# -- parameters that a fit holds ---------------------------------------------------


def test_parameters_are_held_by_name(hello):
    model, data = hello
    held = {"mu": 0.5, "gamma[1]": 1.01}
    found = fit(model, data, fixed=held)
    assert found.converged
    assert float(found["mu"]) == 0.5
    assert float(found["gamma[1]"]) == 1.01
    profiled = minimize_scalar(
        lambda gamma: -2 * float(model.logpdf(jnp.array([0.5, gamma, 1.01]), data)),
        bounds=(0.5, 1.5),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert float(found.twice_nll) == pytest.approx(profiled.fun, rel=1e-12)
    assert float(found["gamma[0]"]) == pytest.approx(profiled.x, abs=1e-6)


def test_all_components_are_held_by_the_name_of_their_set(hello):
    model, data = hello
    found = fit(model, data, fixed={"gamma": [1.02, 0.99]})
    assert found["gamma"].tolist() == [1.02, 0.99]


def test_a_fit_that_holds_the_parameter_of_interest_is_that_fit(hello):
    model, data = hello
    one, other = fit(model, data, fixed={"mu": 1.5}), fixed_poi_fit(model, data, 1.5)
    np.testing.assert_array_equal(one.params, other.params)
    held = {"gamma[0]": 1.1}
    both = fixed_poi_fit(model, data, 1.5, fixed=held)
    assert_close(both.params, fit(model, data, fixed={"mu": 1.5, **held}).params, 1e-12)


def test_held_values_may_be_traced(hello):
    model, data = hello
    values = jnp.array([0.5, 1.5, 10.5])
    found = jax.jit(jax.vmap(lambda x: fit(model, data, fixed={"mu": x})))(values)
    assert found.status.tolist() == [0, 0, FitStatus.OUT_OF_BOUNDS]
    for value, twice_nll in zip(values[:2], found.twice_nll[:2], strict=True):
        alone = fixed_poi_fit(model, data, float(value))
        assert float(twice_nll) == pytest.approx(float(alone.twice_nll), rel=1e-12)


@pytest.mark.parametrize(
    ("held", "error", "words"),
    [
        ({"mu": 10.5}, ParameterError, "mu = 10.5 is outside its bounds"),
        ({"mu": math.nan}, ParameterError, "mu = nan is outside its bounds"),
        ({"nu": 1.0}, UnknownNameError, "no parameter named 'nu'"),
        ({"gamma": 1.0}, ParameterError, "takes 2 values, not 1"),
        ({"mu": [1.0, 2.0]}, ParameterError, "takes one value, not 2"),
    ],
)
def test_values_that_no_fit_can_hold_are_refused(hello, held, error, words):
    with pytest.raises(error, match=re.escape(words)):
        fit(*hello, fixed=held)


@pytest.mark.parametrize("start", [0.0, 1e-35, 1e-6, 0.2])
def test_an_empty_bin_does_not_hold_its_factor_at_zero(start):
    """Its rate falls to zero with the factor, and one over it beyond all bounds."""
    model, data = make(empty_control())
    begin = model.parameters.pack({"k": start, "mu": 0.18})
    found = fit(model, data, start=begin)
    assert found.status == FitStatus.CONVERGED
    assert_close(float(found["k"]), 0.0489926740, 1e-8)
    assert_close(float(found["mu"]), 0.1016483516, 1e-8)
