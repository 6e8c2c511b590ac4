"""Uncertainties: closed forms, differences, another package, and what has none."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.reading.schema import validate
from hfjax.errors import ArgumentError, FitError, ParameterError, UnknownNameError
from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.fitting.covariance import covariance
from hfjax.fitting.covariance_result import CovarianceStatus
from hfjax.fitting.status import FitSettings
from hfjax.inference.hypotest import hypotest
from tests.assertions import assert_close, no_compilation
from tests.likelihoods import SINGLE, load_likelihood
from tests.model.extended import all_constraints
from tests.workspaces import (
    HELLO,
    MU,
    all_kinds,
    make,
    modifier,
    sample,
    shapesys,
    workspace,
)

EXACT = FitSettings(tolerance=1e-20)


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, [71.0, 58.0]))


# -- closed forms ------------------------------------------------------------------


def test_counting_events_in_one_bin():
    """``n / (mu s)^2`` is the curvature at ``nu = n``: the uncertainty is sqrt(n)/s."""
    document = workspace({"SR": [sample("signal", [4.0], MU)]}, {"SR": [9.0]})
    model, data = make(document)
    found = covariance(model, data, fit(model, data))
    assert_close(found["mu"], np.sqrt(9.0) / 4.0, 1e-9)
    assert found.status is CovarianceStatus.KNOWN


@pytest.mark.parametrize("observed", [62.0, 40.0, 71.0])
def test_a_background_with_an_uncertainty(observed):
    """``nu = s mu + b gamma`` and ``tau = (b / d)^2``: the inverse of 2 x 2 by hand."""
    s, b, d = 12.0, 50.0, 5.0
    model, data = build(shapesys([s], [b], [d], [observed]))
    best = fit(model, data, settings=EXACT)
    found = covariance(model, data, best)
    mu, gamma = best.params.tolist()
    nu, tau = s * mu + b * gamma, (b / d) ** 2
    weight = observed / nu**2
    h = np.array([[s * s, s * b], [s * b, b * b]]) * weight
    h[1, 1] += tau / gamma**2
    det = h[0, 0] * h[1, 1] - h[0, 1] ** 2
    by_hand = np.array([[h[1, 1], -h[0, 1]], [-h[0, 1], h[0, 0]]]) / det
    if mu == 0.0:
        by_hand = np.diag([0.0, 1.0 / h[1, 1]])
    assert_close(found.covariance, by_hand, 1e-9)
    assert_close(found.uncertainties, np.sqrt(np.diag(by_hand)), 1e-9)


# -- differences -------------------------------------------------------------------


def differences(model, data, params, free):
    """Second differences of -ln L in the free parameters."""
    steps = 2e-3 * np.maximum(1.0, np.abs(params[free]))
    one = np.eye(params.size)[free] * steps[:, None]
    plus, minus = one[:, None] + one, one[:, None] - one
    points = params + np.stack([plus, -plus, minus, -minus])
    nll = jax.jit(jax.vmap(lambda x: -model.logpdf(x, data)))
    values = np.reshape(nll(points.reshape(-1, params.size)), points.shape[:-1])
    bends = values[0] + values[1] - values[2] - values[3]
    return bends / (4.0 * steps * steps[:, None])


@pytest.mark.slow
@pytest.mark.parametrize(
    "document",
    [all_kinds, pytest.param(all_constraints, marks=pytest.mark.long)],
)
def test_the_inverse_is_that_of_second_differences(document):
    model, data = make(document())
    noise = 1.0 + 0.1 * np.sin(np.arange(data.main.size))
    data = dataclasses.replace(data, main=data.main * noise)
    best = fit(model, data, settings=EXACT)
    found = covariance(model, data, best)
    free = np.flatnonzero(~(np.asarray(found.fixed) | np.asarray(found.on_bound)))
    known = np.linalg.inv(differences(model, data, np.asarray(best.params), free))
    size = np.sqrt(np.diag(known))
    assert found.status is CovarianceStatus.KNOWN
    assert_close(found.uncertainties[free], size, 1e-4)
    among = found.correlation[np.ix_(free, free)]
    assert_close(among, known / size / size[:, None], 0.0, 1e-4)


# -- another package ---------------------------------------------------------------


MINUIT = 3e-4
"""What HESSE's own steps leave, of a few parameters; half of them agree to 1e-6."""


PUBLISHED = [pytest.param("sbottomA"), pytest.param("staus", marks=pytest.mark.long)]


@pytest.fixture(scope="module", params=PUBLISHED)
def published(request, data_dir):
    """Model, data, uncertainties, and which parameters could move."""
    background, patchset = load_likelihood(request.param, data_dir)
    model, data = build(background, patch=patchset[SINGLE[request.param]])
    best = fit(model, data, settings=FitSettings(valleys="initial"))
    found = covariance(model, data, best)
    assert found.status is CovarianceStatus.KNOWN
    return model, data, found, ~np.asarray(found.fixed | found.on_bound)


@pytest.mark.slow
def test_published_likelihoods_as_minuit_has_them(published):
    """What stands at a bound is fixed for both; HESSE is told where to start."""
    iminuit = pytest.importorskip("iminuit")
    model, data, found, free = published
    best = float(model.logpdf(found.params, data))
    nll = jax.jit(lambda x: 2.0 * (best - model.logpdf(x, data)))
    minuit = iminuit.Minuit(lambda x: float(nll(x)), np.asarray(found.params))
    minuit.errordef, minuit.strategy, minuit.fixed = 1.0, 1, list(~free)
    minuit.errors = np.where(free, found.uncertainties, 0.1)
    minuit.hesse()
    errors = np.asarray(minuit.errors)[free]
    assert_close(found.uncertainties[free], errors, MINUIT)
    away = np.abs(found.uncertainties[free] / errors - 1.0)
    assert np.median(away) < 1e-5
    known, moved = np.asarray(minuit.covariance.correlation()), np.ix_(free, free)
    assert_close(found.correlation[moved], known[moved], 0.0, MINUIT)


def test_published_likelihoods_as_differences_of_slopes_have_them(published):
    model, data, found, free = published
    slope = jax.jit(jax.vmap(jax.grad(lambda x: -model.logpdf(x, data))))
    steps = 1e-3 * np.diag(np.asarray(found.uncertainties))[free]
    params = np.asarray(found.params)
    bends = (slope(params + steps) - slope(params - steps))[:, free]
    known = np.linalg.inv(bends / (2.0 * steps.sum(axis=1)[:, None]))
    size = np.sqrt(np.diag(known))
    assert_close(found.uncertainties[free], size, 1e-5)
    moved = np.ix_(free, free)
    assert_close(found.correlation[moved], known / size / size[:, None], 0.0, 1e-5)


# -- what has no uncertainty -------------------------------------------------------


def test_what_stands_at_a_bound_is_told():
    model, data = build(shapesys(*HELLO, [30.0, 40.0]))
    best = fit(model, data)
    found = covariance(model, data, best)
    assert found.at_bounds == {"mu": 0.0}
    assert found.on_bound.tolist() == [True, False, False]
    assert float(found["mu"]) == 0.0
    held = covariance(model, data, fixed_poi_fit(model, data, 0.0), fixed=["mu"])
    assert_close(found.covariance, held.covariance, 1e-9)
    assert (held.at_bounds, held.fixed.tolist()) == ({}, [True, False, False])
    assert repr(found).splitlines()[1].split() == ["mu", "0", "±", "0", "at", "bound"]


def flat_pair():
    """A product of two factors, and a third one that stands alone."""
    factors = [modifier("normfactor", name) for name in ("mu", "k")]
    other = sample("b", [30.0], modifier("normfactor", "c"))
    channels = {"SR": [sample("s", [9.0], *factors)], "CR": [other]}
    return make(workspace(channels, {"SR": [12.0], "CR": [27.0]}))


@pytest.mark.slow
def test_a_flat_direction_is_named_and_the_others_stay_right():
    model, data = flat_pair()
    found = covariance(model, data, fit(model, data))
    assert found.status is CovarianceStatus.FLAT
    assert [sorted(names) for names in found.flat] == [["k", "mu"]]
    assert np.isinf([found["mu"], found["k"]]).all()
    assert np.isnan(found.correlation_of("mu", "k"))
    assert_close(found["c"], np.sqrt(27.0) / 30.0, 1e-9)
    with pytest.raises(FitError, match="does not change along some direction"):
        found.raise_if_failed()
    shown = found.to_dict()
    assert shown["uncertainties"]["mu"] == [None]
    assert shown["flat"] == [list(found.flat[0])]
    validate(found.dump(), "covariance-result-1.0.0.json")


def test_holding_one_of_a_flat_direction_frees_the_other():
    model, data = flat_pair()
    found = covariance(model, data, fit(model, data, fixed={"k": 1.0}), fixed={"k": 1})
    assert found.status is CovarianceStatus.KNOWN
    assert_close(found["mu"], np.sqrt(12.0) / 9.0, 1e-8)
    assert float(found["k"]) == 0.0


@pytest.mark.slow
def test_many_events_are_no_flat_direction():
    """Two parameters that only a constraint tells apart, with 1e9 events."""
    norm = modifier("normfactor", "norm")
    scale = modifier("normsys", "scale", {"lo": 0.9, "hi": 1.1})
    document = workspace({"CR": [sample("Z", [1e9], norm, scale)]})
    model, data = make(document)
    found = covariance(model, data, fit(model, data))
    assert found.status is CovarianceStatus.KNOWN
    assert_close(found["scale"], 1.0, 1e-4)
    slope = np.log(1.1 / 0.9) / 2.0
    assert_close(found["norm"], slope, 1e-2)


def test_where_the_likelihood_rises_there_is_no_minimum():
    """Without events, ``-ln L = mu k s`` is a saddle: these are other data."""
    model, data = flat_pair()
    nothing = data.with_counts({"SR": [0.0], "CR": [0.0]})
    found = covariance(model, nothing, fit(model, data))
    assert found.status is CovarianceStatus.NO_MINIMUM
    assert np.isnan(found.uncertainties).all()
    assert "rises along some direction" in found.to_dict()["message"]


def test_a_fit_that_failed_has_none(hello):
    model, data = hello
    failed = fit(model, data, settings=FitSettings(max_steps=1))
    found = covariance(model, data, failed)
    assert found.status is CovarianceStatus.FIT_FAILED
    assert np.isnan(found.uncertainties).all()
    assert np.isnan(found.covariance).all()


# -- what is held ------------------------------------------------------------------


def test_what_a_fit_held_is_fixed(hello):
    model, data = hello
    held = {"gamma[0]": 1.02}
    found = covariance(model, data, fit(model, data, fixed=held), fixed=held)
    own = model.with_fixed(held)
    same = covariance(own, data, fit(own, data))
    assert_close(found.covariance, same.covariance, 1e-9)
    assert float(found["gamma[0]"]) == 0.0
    assert float(found["mu"]) < float(covariance(model, data, fit(model, data))["mu"])


def test_a_test_has_a_free_fit_with_uncertainties(hello):
    model, data = hello
    free = hypotest(model, data).free
    known = covariance(model, data, fit(model, data))
    assert_close(covariance(model, data, free).covariance, known.covariance, 1e-6)


# -- transformations ---------------------------------------------------------------


@pytest.mark.slow
def test_toys_in_a_batch_have_those_of_each(hello):
    model, _ = hello
    params = model.parameters.pack({"mu": 1.5})
    keys = jax.random.split(jax.random.key(3), 8)

    def one(key):
        data = model.sample(key, jnp.asarray(params))
        best = fit(model, data)
        return data, best, covariance(model, data, best)

    data, best, found = jax.jit(jax.vmap(one))(keys)
    assert found["gamma"].shape == (8, 2)
    assert found.status.tolist() == [0] * 8
    for i in range(8):
        lane = jax.tree.map(lambda x, i=i: x[i], (data, best))
        assert_close(covariance(model, *lane).covariance, found.covariance[i], 1e-9)
    with pytest.raises(ArgumentError, match="of a batch"):
        found.to_dict()


def test_a_second_result_compiles_nothing(hello, caplog):
    model, data = hello
    best = fit(model, data)
    covariance(model, data, best)
    others = build(shapesys([3.0] * 3, [5.0] * 3, [1.0] * 3, [9.0, 7.0, 8.0]))
    another = fit(*others)
    with no_compilation(caplog):
        repr(covariance(model, data, best))
        covariance(*others, another)


@pytest.mark.slow
def test_an_uncertainty_has_derivatives(hello):
    """What is expected of a search, as a function of its background."""
    model, data = hello

    @jax.jit
    def expected(scale):
        block = dataclasses.replace(model.block, nominal=scale * model.block.nominal)
        own = dataclasses.replace(model, block=block)
        return covariance(own, data, fit(own, data, settings=EXACT))["mu"]

    step = 1e-4
    known = (expected(1.0 + step) - expected(1.0 - step)) / (2 * step)
    assert_close(jax.jit(jax.grad(expected))(1.0), known, 1e-5)


# -- names and refusals ------------------------------------------------------------


def test_uncertainties_are_found_by_name(hello):
    model, data = hello
    found = covariance(model, data, fit(model, data))
    both = found.uncertainties_by_name
    assert list(both) == ["mu", "gamma"]
    assert found["gamma"].tolist() == both["gamma"].tolist()
    between = found.covariance[0, 2] / (found["mu"] * found["gamma[1]"])
    assert_close(found.correlation_of("mu", "gamma[1]"), between, 1e-12)
    assert_close(np.diagonal(found.correlation), 1.0, 1e-12)
    with pytest.raises(UnknownNameError, match="'gama'"):
        found["gama"]
    with pytest.raises(ParameterError, match="2 components"):
        found.correlation_of("mu", "gamma")


def test_a_model_without_names_has_numbers_of_parameters(hello):
    model, data = (each.anonymous() for each in hello)
    found = covariance(model, data, fit(model, data))
    assert len(found.to_dict()["uncertainties"]) == 3
    assert "parameter[2]" in repr(found)
    with pytest.raises(ParameterError, match="has no names"):
        found["mu"]
    with pytest.raises(ParameterError, match="has no names"):
        found.correlation_of("mu", "gamma")


def test_a_result_is_written_as_its_schema_says_and_shown(hello):
    model, data = hello
    found = covariance(model, data, fit(model, data))
    document = found.dump()
    validate(document, "covariance-result-1.0.0.json")
    assert document["correlations"]["names"] == ["mu", "gamma[0]", "gamma[1]"]
    assert found.raise_if_failed() is found
    assert found._repr_html_().count("<tr>") == 4
    assert CovarianceStatus.FLAT.sentence


def test_what_is_no_fit_of_this_model_is_refused(hello):
    model, data = hello
    best = fit(model, data)
    with pytest.raises(UnknownNameError, match="'nu'"):
        covariance(model, data, best, fixed=["nu"])
    other = fit(*build(shapesys([3.0], [5.0], [1.0], [9.0])))
    with pytest.raises(ParameterError, match="one value for each"):
        covariance(model, data, other)
