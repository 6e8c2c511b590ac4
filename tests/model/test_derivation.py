"""Models whose normfactors are functions of other parameters."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.errors import ModelError
from hfjax.fitting import best_fit, objective
from hfjax.fitting.best_fit import fit
from hfjax.inference.hypotest import hypotest
from hfjax.model import derivatives
from hfjax.model.derivation import STEEPEST
from hfjax.model.model import Model
from tests.model.expressions import factor, interference, one_bin
from tests.model.test_derivatives import (
    assert_objective_agrees,
    assert_rates_agree,
)
from tests.reference.histfactory import HistFactory
from tests.workspaces import (
    MU,
    all_kinds,
    extended,
    given,
    make,
    modifier,
    sample,
    some_params,
    workspace,
)

SQUARE = given("k", "mu**2")


def vectors(model, number=4):
    """Parameters around the start, all of them where the expressions have values."""
    names = model.parameters.names
    return [np.abs(some_params(names, seed, 0.5)) for seed in range(number)]


# -- what a model means ------------------------------------------------------------


def test_parameters_are_those_that_fits_move():
    """In pyhf's order; one that only expressions use stands behind the normfactors."""
    model, _ = make(interference())
    known = HistFactory(interference())
    assert list(model.parameters.names) == known.parameter_names
    assert "coupling" in known.parameter_names
    assert not {"k", "k2", "rest", "tail"} & set(known.parameter_names)
    np.testing.assert_array_equal(model.parameters.init, known.init)
    bounds = np.stack([model.parameters.lower, model.parameters.upper], axis=1)
    np.testing.assert_array_equal(bounds, known.bounds)


def test_rates_and_density_are_those_of_slow_loops():
    document = interference()
    model, data = make(document)
    known = HistFactory(document)
    for params in vectors(model):
        found = model.expected_rates(params)
        np.testing.assert_allclose(found, known.expected_rates(params), rtol=1e-11)
        density = known.logpdf(params, known.observations, known.auxdata)
        found = float(model.logpdf(jnp.asarray(params), data))
        assert found == pytest.approx(density, rel=1e-11)


def test_derived_parameters_have_names():
    model, _ = make(interference())
    known = HistFactory(interference())
    params = vectors(model)[1]
    found = model.derived_parameters(params)
    assert set(found) == set(known.formulas)
    for name, (value,) in known.given(known.unpack(params)).items():
        assert float(found[name]) == pytest.approx(value, rel=1e-12)


def test_a_model_without_expressions_has_none():
    model, _ = make(all_kinds())
    assert model.derivation is None
    assert model.derived_parameters(model.parameters.init) == {}


def test_an_expression_may_be_a_mere_name():
    same = make(one_bin(given("k", "mu"), observed=9.0))[0]
    assert same.expected_rates(jnp.array([0.3])).ravel().tolist() == [50.0, 1.2, 6.0]


def test_toys_and_asimov_data_come_from_expressions():
    model, _ = make(one_bin(SQUARE, observed=60.0))
    params = jnp.array([1.5])
    assert model.expected_data(params).main.tolist() == [101.0]
    draw = jax.jit(jax.vmap(model.sample, (0, None)))
    counts = draw(jax.random.split(jax.random.key(7), 2000), params).main
    assert float(counts.mean()) == pytest.approx(101.0, abs=4 * (101 / 2000) ** 0.5)


def test_a_density_without_a_value_is_none():
    model, data = make(one_bin(given("k", "sqrt(mu)"), observed=60.0))
    assert float(model.logpdf(jnp.array([-0.5]), data)) == -np.inf


def test_names_change_nothing_in_a_program():
    """Models that differ in names share compilations."""
    one, _ = make(interference())
    two, _ = make(interference())
    assert jax.tree.structure(one.anonymous()) == jax.tree.structure(two.anonymous())
    assert "mu" not in str(jax.tree.structure(one.anonymous()))


def test_vmap_and_grad_go_through_expressions():
    model, data = make(one_bin(given("k", "exp(mu) / 3"), observed=60.0))
    grid = jnp.linspace(0.1, 1.5, 5)[:, None]
    slopes = jax.vmap(jax.grad(model.logpdf), (0, None))(grid, data)[:, 0]
    mu = grid[:, 0]
    nu = 50 + 4 * mu + 20 * jnp.exp(mu) / 3
    known = (60 / nu - 1) * (4 + 20 * jnp.exp(mu) / 3)
    np.testing.assert_allclose(slopes, known, rtol=1e-11)


# -- derivatives -------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_derivatives_are_those_of_automatic_differentiation(seed):
    model, data = make(interference())
    params = vectors(model)[seed]
    assert_rates_agree(model, params)
    assert_objective_agrees(model, data, params)


CURVED = (
    *("mu**2", "mu**3 - mu", "mu**1.7", "sqrt(mu + 1)", "1 / (1 + mu)", "abs(mu - 2)"),
    *("exp(-mu) * log(mu + 2)", "mu**mu", "2**mu", "min(mu, 3) * max(mu, 0.1, 0.2)"),
)


@pytest.mark.parametrize("text", CURVED)
def test_derivatives_of_every_operation(text):
    model, data = make(one_bin(given("k", text), observed=60.0))
    for value in (0.4, 1.0, 2.6):
        assert_rates_agree(model, np.array([value]))
        assert_objective_agrees(model, data, np.array([value]))


@pytest.mark.parametrize("text", ["mu**2", "mu**3", "mu**0 + mu", "-mu * mu"])
def test_whole_powers_are_right_at_zero_and_below(text):
    model, data = make(
        one_bin({"name": "mu", "bounds": [[-5, 5]]}, given("k", text), observed=60.0)
    )
    for value in (-0.7, 0.0):
        assert_objective_agrees(model, data, np.array([value]))


@pytest.mark.parametrize("text", ["sqrt(mu)", "mu**0.5", "-sqrt(mu) + mu", "log(mu)"])
def test_derivatives_that_are_infinite_are_large(text):
    model, _ = make(one_bin(given("k", text), observed=60.0))
    assert model.derivation is not None
    slopes = model.derivation.slopes(jnp.array([0.0]))
    assert abs(float(slopes.first[0, 0])) == STEEPEST
    assert all(bool(jnp.all(jnp.isfinite(part))) for part in slopes_of(slopes))


def slopes_of(slopes):
    return slopes.first, slopes.bend, slopes.cross


# -- programs ----------------------------------------------------------------------


def programs(model, data):
    """Everything that is traced, as text."""
    init = model.parameters.init
    bare = model.anonymous()
    traced = (
        jax.make_jaxpr(Model.logpdf)(bare, init, data),
        jax.make_jaxpr(lambda m, p: m.expected_data(p))(bare, init),
        jax.make_jaxpr(lambda m, d: fit(m, d))(bare, data),
        jax.make_jaxpr(lambda m, d: hypotest(m, d))(bare, data),
    )
    return [str(each) for each in traced]


@pytest.mark.slow
def test_without_expressions_a_program_knows_nothing_of_them(monkeypatch):
    """Not one equation: the same as with all that makes expressions taken away."""
    model, data = make(all_kinds())
    found = programs(model, data)
    monkeypatch.setattr(Model, "with_derived", lambda _, params: params)
    plain = derivatives.differentiate_factors
    monkeypatch.setattr(objective, "differentiate", plain)
    monkeypatch.setattr(
        best_fit, "several_starts", lambda _model, starts, _fixed: starts
    )
    jax.clear_caches()
    assert programs(model, data) == found
    assert sum(map(len, found)) > 10_000


def test_with_expressions_a_program_is_another():
    """The witness that the test above could fail."""
    plain, data = make(workspace({"SR": [sample("s", [3.0], MU)]}, poi="mu"))
    document = workspace({"SR": [sample("s", [3.0], factor("k"))]}, poi="mu")
    document = extended(document, {"name": "mu"}, given("k", "mu"))
    model, _ = make(document)
    pairs = zip(programs(plain, data), programs(model, data), strict=True)
    assert all(one != other for one, other in pairs)


# -- what is refused ---------------------------------------------------------------


def refused(document, words):
    with pytest.raises(ModelError, match=words):
        make(document)


def test_unknown_names_are_refused_with_suggestions():
    document = one_bin(given("k", "muu**2"), observed=60.0)
    refused(
        document,
        r"expression 'muu\*\*2' of parameter 'k' cannot be computed: no parameter "
        r"named 'muu': did you mean 'mu'\? \(a parameter that only expressions use "
        r"needs an entry in the measurement\)",
    )


@pytest.mark.parametrize("kind", ["shapefactor", "shapesys", "staterror"])
def test_a_parameter_of_bins_is_in_no_expression(kind):
    data = None if kind == "shapefactor" else [1.0]
    document = one_bin(given("k", "2 * g"), observed=60.0)
    (channel,) = document["channels"]
    channel["samples"][2]["modifiers"] = [modifier(kind, "g", data)]
    refused(document, f"needs 'g', a {kind} with a parameter for each bin")


@pytest.mark.parametrize("kind", ["shapefactor", "normsys", "staterror"])
def test_only_normfactors_are_given(kind):
    data = {"normsys": {"lo": 0.9, "hi": 1.1}, "staterror": [1.0]}.get(kind)
    document = one_bin(SQUARE, given("g", "2 * mu"), observed=60.0)
    (channel,) = document["channels"]
    channel["samples"][2]["modifiers"] = [modifier(kind, "g", data)]
    refused(
        document, f"of parameter 'g' is not of a normfactor but of a {kind}: remove"
    )


def test_an_expression_has_a_value_where_fits_start():
    mu = {"name": "mu", "inits": [-1.0], "bounds": [[-2, 2]]}
    document = one_bin(mu, given("k", "sqrt(mu)"), observed=60.0)
    refused(
        document, "'k' has no finite value where fits start, at mu = -1: give other"
    )


def test_an_expression_of_no_modifier_is_left_alone():
    """Patches may bring the modifiers, and what the expression needs."""
    model, _ = make(one_bin(SQUARE, given("later", "theirs * 2"), observed=60.0))
    assert model.names.derived == ("k",)
    assert model.parameters.names == ("mu",)
