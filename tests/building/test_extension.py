"""Models of extended workspaces: every kind of constraint term, against slow loops."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hfjax.model.model import Model
from tests.model.extended import KINDS, all_constraints, extended_workspaces, setting
from tests.model.test_model import assert_agrees, gradient, logpdf, numerical
from tests.reference.histfactory import HistFactory
from tests.workspaces import (
    LUMI,
    MU,
    extended,
    make,
    modifier,
    normsys,
    one_sample,
    params_of,
    sample,
    workspace,
)


def inside(document, seed, width=0.5):
    """Random parameters between their bounds."""
    parameters = make(document)[0].parameters
    noise = np.random.default_rng(seed).normal(size=parameters.init.size)
    values = np.asarray(parameters.init) + width * noise
    lower, upper = np.asarray(parameters.lower), np.asarray(parameters.upper)
    return np.clip(values, lower + 0.05, upper - 0.05)


def test_all_kinds_of_constraints_agree_with_loops():
    document = all_constraints()
    slow = HistFactory(document)
    kinds = {each.constraint for each in slow.sets}
    assert kinds == set(KINDS)
    vectors = [inside(document, seed) for seed in range(5)]
    assert_agrees(document, vectors)
    model, data = make(document)
    for params in vectors:
        found = float(logpdf(model, jnp.asarray(params), data))
        assert found == pytest.approx(slow.logpdf(params), rel=1e-11)


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_extended_workspaces_by_chance(data):
    document = data.draw(extended_workspaces())
    vectors = st.lists(params_of(HistFactory(document)), min_size=3, max_size=3)
    assert_agrees(document, data.draw(vectors))


@pytest.mark.long
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_many_extended_workspaces_by_chance(data):
    document = data.draw(extended_workspaces())
    vectors = st.lists(params_of(HistFactory(document)), min_size=3, max_size=3)
    vectors = data.draw(vectors)
    assert_agrees(document, vectors)
    model, observed = make(document)
    slopes = jax.jit(jax.vmap(jax.grad(Model.logpdf, 1), (None, 0, None)))
    found = slopes(model, jnp.asarray(vectors), observed)
    assert bool(jnp.all(jnp.isfinite(found)))


@pytest.mark.parametrize("seed", range(3))
def test_gradients_are_those_of_differences(seed):
    document = all_constraints()
    model, data = make(document)
    params = inside(document, seed, 0.3)
    found = gradient(model, jnp.asarray(params), data)
    known = numerical(model, data, params)
    np.testing.assert_allclose(found, known, rtol=1e-6, atol=1e-5)


def test_expected_data_are_those_at_which_the_parameters_are_the_best():
    """Asimov property: the gradient of the log-density vanishes there."""
    document = all_constraints()
    model, _ = make(document)
    for seed in range(3):
        params = jnp.asarray(inside(document, seed, 0.3))
        asimov = model.expected_data(params)
        found = gradient(model, params, asimov)
        np.testing.assert_allclose(found, 0.0, atol=1e-9)


# -- each kind by hand ------------------------------------------------------------

STAT = modifier("staterror", "g", [2.0, 3.0])
SHAPE = modifier("shapesys", "g", [2.0, 3.0])
JES = normsys("g", 0.9, 1.1)


def constraint(entry, *modifiers, values, data=(10.0, 10.0)):
    """The constraint part of the log-density at some values of g."""
    channel = {"SR": [sample("s", list(data), *modifiers), sample("t", [1, 1], MU)]}
    document = extended(workspace(channel, observed={"SR": [9, 8]}), entry)
    model, observed = make(document)
    params = jnp.asarray(model.parameters.pack({"g": values}))
    main = model.expected_data(params).main
    poisson = sum(
        n * math.log(nu) - nu - math.lgamma(n + 1)
        for n, nu in zip((9, 8), main.tolist(), strict=True)
    )
    return float(model.logpdf(params, observed)) - poisson, observed.aux.tolist()


def log_gamma_density(beta, tau):
    """ROOT's Gamma(beta; k = tau + 1, theta = 1 / tau)."""
    k, theta = tau + 1, 1 / tau
    norm = math.lgamma(k) + k * math.log(theta)
    return (k - 1) * math.log(beta) - beta / theta - norm


@pytest.mark.parametrize("kind", ["poisson", "gamma"])
@pytest.mark.parametrize("uses", [STAT, SHAPE])
def test_counting_constraints_of_bins(kind, uses):
    gammas, taus = [0.9, 1.2], [25.0, 100 / 9]
    found, aux = constraint(setting("g", kind), uses, values=gammas)
    known = [
        tau * math.log(tau * g) - tau * g - math.lgamma(tau + 1)
        for g, tau in zip(gammas, taus, strict=True)
    ]
    assert found == pytest.approx(sum(known), rel=1e-11)
    assert aux == pytest.approx(taus, rel=1e-12)


def test_gamma_is_the_gamma_distribution_of_root_but_for_a_constant():
    """In every parameter: differences between two values of it are the same."""
    taus = [25.0, 100 / 9]
    a, b = ([0.9, 1.2], [1.3, 0.6])
    ours = [constraint(setting("g", "gamma"), STAT, values=v)[0] for v in (a, b)]
    root = [
        sum(log_gamma_density(g, tau) for g, tau in zip(v, taus, strict=True))
        for v in (a, b)
    ]
    assert ours[0] - ours[1] == pytest.approx(root[0] - root[1], rel=1e-11)


@pytest.mark.parametrize("uses", [STAT, SHAPE])
def test_log_normal_constraints_of_bins(uses):
    found, aux = constraint(setting("g", "lognormal"), uses, values=[0.9, 1.2])
    known = [
        -math.log(math.log(kappa) * math.sqrt(2 * math.pi))
        - (math.log(g) / math.log(kappa)) ** 2 / 2
        for g, kappa in ((0.9, 1.2), (1.2, 1.3))
    ]
    assert found == pytest.approx(sum(known), rel=1e-11)
    assert aux == [1.0, 1.0]


def test_normal_constraints_of_a_shapesys():
    found, aux = constraint(setting("g", "normal"), SHAPE, values=[0.9, 1.2])
    known = [
        -math.log(rel * math.sqrt(2 * math.pi)) - ((g - 1) / rel) ** 2 / 2
        for g, rel in ((0.9, 0.2), (1.2, 0.3))
    ]
    assert found == pytest.approx(sum(known), rel=1e-11)
    assert aux == [1.0, 1.0]


@pytest.mark.parametrize("uses", [STAT, SHAPE, JES])
def test_no_constraint_leaves_no_term_and_no_datum(uses):
    values = 0.7 if uses is JES else [0.9, 1.2]
    found, aux = constraint(setting("g", "none"), uses, values=values)
    assert found == pytest.approx(0.0, abs=1e-12)
    assert aux == []


@pytest.mark.parametrize(("sigmas", "rel"), [({}, 1.0), ({"sigmas": [0.2]}, 0.2)])
def test_interpolation_parameters_measure_one_plus_rel_alpha(sigmas, rel):
    alpha, tau = -0.4, 1 / rel**2
    beta = 1 + rel * alpha
    found, aux = constraint(setting("g", "gamma", **sigmas), JES, values=alpha)
    known = tau * math.log(tau * beta) - tau * beta - math.lgamma(tau + 1)
    assert found == pytest.approx(known, rel=1e-11)
    assert aux == pytest.approx([tau])
    found, aux = constraint(setting("g", "lognormal", **sigmas), JES, values=alpha)
    width = math.log(1 + rel)
    known = -math.log(width * math.sqrt(2 * math.pi))
    known -= (math.log(beta) / width) ** 2 / 2
    assert found == pytest.approx(known, rel=1e-11)
    assert aux == [1.0]


@pytest.mark.parametrize("kind", ["poisson", "lognormal"])
def test_lumi_measures_its_ratio_to_the_nominal_value(kind):
    """In any unit of luminosity."""
    values = []
    for unit in (1.0, 140.0):
        entry = {
            **{"name": "lumi", "constraint": kind, "inits": [unit]},
            **{"auxdata": [unit], "sigmas": [0.05 * unit]},
            "bounds": [[0.0, 10.0 * unit]],
        }
        lumi = modifier("lumi", "lumi")
        document = extended(one_sample(lumi, data=(10.0 / unit,)), entry)
        model, data = make(document)
        params = jnp.array([0.9 * unit])
        values.append(float(model.logpdf(params, data)))
        assert data.aux.tolist() == pytest.approx([400.0 if kind == "poisson" else 1])
        expected = model.expected_data(params).aux.tolist()
        assert expected == pytest.approx([0.9 * float(data.aux[0])])
        assert model.parameters.lower.tolist() == pytest.approx([1e-10 * unit])
    assert values[0] == pytest.approx(values[1], rel=1e-11)


def test_densities_end_where_beta_does():
    """No datum has a density where beta is not positive; gradients stay finite."""
    for kind in ("poisson", "lognormal"):
        document = extended(one_sample(JES), setting("g", kind))
        model, data = make(document)
        for alpha in (-1.0, -1.5):
            params = jnp.array([alpha])
            assert float(logpdf(model, params, data)) == -math.inf
            assert bool(jnp.all(jnp.isfinite(gradient(model, params, data))))


# -- thresholds and fixed bins ----------------------------------------------------


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_t12_bins_below_the_threshold_are_fixed_at_one(kind):
    stat = modifier("staterror", "g", [0.4, 3.0, 0.0, 0.5])
    entry = {"name": "g", "threshold": 0.05}
    if kind:
        entry["constraint"] = kind
    channel = one_sample(stat, data=(10.0,) * 4, observed=(9,) * 4)
    model, data = make(extended(channel, entry))
    assert model.parameters.fixed.tolist() == [True, False, True, False]
    assert model.parameters.init.tolist() == [1.0] * 4
    other = one_sample(
        modifier("staterror", "g", [0.0, 3.0, 0.0, 0.5]),
        **{"data": (10.0,) * 4, "observed": (9,) * 4},
    )
    entry = {"name": "g", "constraint": kind or "normal"}
    same, its_data = make(extended(other, entry))
    for name in ("init", "fixed", "lower"):
        ours, known = (getattr(m.parameters, name) for m in (model, same))
        np.testing.assert_array_equal(ours, known)
    params = jnp.array([1.0, 0.9, 1.0, 1.2])
    assert logpdf(model, params, data) == logpdf(same, params, its_data)


@pytest.mark.parametrize("kind", ["poisson", "lognormal", "gamma"])
@pytest.mark.parametrize("uses", ["staterror", "shapesys"])
def test_t11_t14_bins_without_uncertainty_stay_fixed_with_a_constant(kind, uses):
    one = one_sample(modifier(uses, "g", [0.0, 2.0]), data=(10, 10), observed=(9, 9))
    model, data = make(extended(one, setting("g", kind)))
    assert model.parameters.fixed.tolist() == [True, False]
    assert data.aux.tolist()[0] == 1.0
    params = jnp.array([1.0, 1.1])
    constant = -1.0
    if kind == "lognormal":
        constant = -math.log(math.log(2) * math.sqrt(2 * math.pi))
    alone = one_sample(modifier(uses, "g", [2.0]), data=(10,), observed=(9,))
    rest = make(extended(alone, setting("g", kind)))
    known = rest[0].logpdf(params[1:], rest[1]) + 9 * math.log(10) - 10
    known += constant - math.lgamma(10)
    assert float(logpdf(model, params, data)) == pytest.approx(float(known), rel=1e-11)


# -- random data ------------------------------------------------------------------


def test_samples_have_the_moments_of_their_kinds():
    document = extended(
        one_sample(*(normsys(f"a{i}", 1, 1) for i in range(3))),
        setting("a0", "normal", sigmas=[0.5]),
        setting("a1", "poisson", sigmas=[0.2]),
        setting("a2", "lognormal", sigmas=[0.3]),
    )
    model, _ = make(document)
    params = jnp.array([0.3, 1.0, -1.0])
    keys = jax.random.split(jax.random.key(7), 20_000)
    draws = jax.jit(jax.vmap(model.sample, (0, None)))(keys, params).aux
    normal, counts, logs = draws[:, 0], draws[:, 1], jnp.log(draws[:, 2])
    # four standard errors of 20 000 draws
    assert float(normal.mean()) == pytest.approx(0.3, abs=4 * 0.5 / 141)
    assert float(normal.std()) == pytest.approx(0.5, rel=0.02)
    assert bool(jnp.all(counts == jnp.round(counts)))
    assert float(counts.mean()) == pytest.approx(30.0, abs=4 * 5.5 / 141)
    assert float(counts.var()) == pytest.approx(30.0, rel=0.04)
    assert float(logs.mean()) == pytest.approx(math.log(0.7), abs=4 * 0.26 / 141)
    assert float(logs.std()) == pytest.approx(math.log(1.3), rel=0.02)


def test_plain_models_draw_the_same_data_as_before_the_extension():
    """Log-normal terms take a key of their own: other draws do not depend on them."""
    plain = one_sample(*(normsys(f"a{i}", 0.9, 1.1) for i in range(2)), STAT_ONE)
    more = extended(plain, setting("a1", "lognormal", sigmas=[0.3]))
    key = jax.random.key(3)
    (first, _), (second, _) = make(plain), make(more)
    ours, theirs = (m.sample(key, m.parameters.init) for m in (first, second))
    assert ours.main.tolist() == theirs.main.tolist()


STAT_ONE = modifier("staterror", "g", [1.0])


def test_explicit_defaults_change_nothing():
    plain = one_sample(JES, STAT_ONE | {"name": "s"}, modifier("lumi", "lumi"))
    lumi = {**LUMI, "constraint": "normal"}
    config = plain["measurements"][0]["config"]
    config["parameters"] = [dict(LUMI)]
    named = extended(plain, setting("g", "normal"), setting("s", "normal"), lumi)
    (first, data), (second, other) = make(plain), make(named)
    params = jnp.asarray(first.parameters.pack({"g": 0.7, "s": 1.1, "lumi": 0.99}))
    assert logpdf(first, params, data) == logpdf(second, params, other)
