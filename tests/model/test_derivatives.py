"""Derivatives in factored form against automatic differentiation of plain functions."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.batch import matched
from hfjax.building.build import assemble
from hfjax.building.fill import PlacedSample, block_shape, fill_block
from hfjax.building.layout import channel_bins, make_layout
from hfjax.documents.parameters.parameter_sets import parameter_groups
from hfjax.documents.workspace.workspace import Workspace
from hfjax.fitting.objective import Objective
from hfjax.model.data import Data
from hfjax.model.derivatives import differentiate
from hfjax.model.model import Model
from hfjax.model.names import Names
from hfjax.model.sample_block import join_blocks
from hfjax.model.settings import ModelSettings
from tests.workspaces import (
    MU,
    all_kinds,
    histosys,
    make,
    modifier,
    normsys,
    one_sample,
    sample,
    some_params,
    workspace,
)


def single_bins():
    """Channels of one bin each, as most published likelihoods have."""
    stat = [modifier("staterror", f"stat_{c}", [0.7]) for c in "abc"]
    mixed = histosys("tilt", [5.5], [7.5]), normsys("tilt", 0.9, 1.2)
    return workspace(
        {
            "a": [sample("s", [2], MU, stat[0]), sample("t", [9], *mixed, stat[0])],
            "b": [sample("s", [1], MU, normsys("xsec", 0.6, 1.3)), sample("t", [4])],
            "c": [sample("t", [6], *mixed, stat[2], normsys("xsec", 1.1, 0.8))],
        },
        poi="mu",
        observed={"a": [12], "b": [3], "c": [0]},
    )


def only_scaling():
    """No interpolation at all: every array of histosys and normsys is empty."""
    gamma = modifier("shapesys", "gamma", [1.0, 2.0])
    channel = [sample("s", [5.0, 3.0], MU), sample("b", [20.0, 30.0], gamma)]
    return workspace({"SR": channel}, poi="mu", observed={"SR": [25, 31]})


def deep():
    """A polynomial that undershoots zero, beside something positive."""
    channel = [sample("s", [2.0], MU, normsys("n0", 0.0, 30.0)), sample("b", [9.0])]
    return workspace({"SR": channel}, poi="mu", observed={"SR": [8]})


DOCUMENTS = {
    "all kinds": all_kinds,
    "single bins": single_bins,
    "only scaling": only_scaling,
    "deep": deep,
}
each_document = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)


def two_blocks(document):
    """The same model with its samples from two blocks, as the models of a scan."""
    found, settings = Workspace.parse(document), ModelSettings()
    groups = parameter_groups(found, found.measurement(None))
    layout = make_layout(channel_bins(found), groups)
    names = sorted({s.name for c in found.channels for s in c.samples})
    placed = [
        PlacedSample(names.index(s.name), c.name, s)
        for c in found.channels
        for s in c.samples
    ]
    first = [each for each in placed if each.row == 0]
    second = [each._replace(row=each.row - 1) for each in placed if each.row > 0]
    shapes = [block_shape(some) for some in (first, second)]
    one, other = (
        fill_block(some, layout, settings, matched(*pair))
        for some, pair in ((first, shapes), (second, shapes[::-1]))
    )
    block = join_blocks(one, other)
    model = assemble(block, layout, settings, Names(poi="mu", samples=(*names,)))
    return jax.tree.map(jnp.asarray, model)


def points(model):
    """Parameters: at the start, around it, far from it, and at mu = 0."""
    names, parameters = model.parameters.names, model.parameters
    far = some_params(names, 2, 1.5)
    yield parameters.pack({})
    yield some_params(names, 1, 0.4)
    yield far
    if "mu" in names:
        yield parameters.pack({"mu": 0.0})
        yield parameters.pack({"mu": 0.0}, far)


# -- rates ------------------------------------------------------------------------


@jax.jit
def factored(model, params, weights):
    """Rates, Jacobian and weighted curvature, from their factored form."""
    at = differentiate(model, params)
    own, square = at.bends(weights)
    diagonal = own - square
    product = jax.vmap(lambda vector: at.curvature(weights, diagonal, vector))
    return at.rates, at.jacobian.matrix().T, product(jnp.eye(params.size))


@jax.jit
def automatic(model, params, weights):
    """The same from the plain rates."""

    def rates(p):
        return model.expected_rates(p).sum(0)

    curvature = jax.hessian(lambda p: weights @ rates(p))
    return rates(params), jax.jacfwd(rates)(params), curvature(params)


def assert_rates_agree(model, params):
    model = model.anonymous()
    weights = jnp.linspace(-1.0, 2.0, model.bin_channel.size)
    found = factored(model, jnp.asarray(params), weights)
    known = automatic(model, jnp.asarray(params), weights)
    for one, other in zip(found, known, strict=True):
        # factors at zero stand 1e-12 away from it
        size = 1 + np.abs(other).max(initial=0)
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=3e-11 * size)


@each_document
def test_derivatives_of_rates(document):
    model, _ = make(document())
    for params in points(model):
        assert_rates_agree(model, params)


def test_derivatives_of_rates_of_two_blocks():
    model, whole = two_blocks(all_kinds()), make(all_kinds())[0]
    for params in points(model):
        assert_rates_agree(model, params)
    rates = (
        jax.jit(Model.expected_rates)(m, jnp.asarray(params)) for m in (model, whole)
    )
    np.testing.assert_allclose(*rates, rtol=1e-12)


@pytest.mark.parametrize(
    ("normsys", "histosys"), [("code1", "code0"), ("code4", "code2")]
)
def test_derivatives_of_rates_with_other_codes(normsys, histosys):
    model, _ = make(all_kinds(), normsys=normsys, histosys=histosys)
    for params in points(model):
        assert_rates_agree(model, params)


@pytest.mark.parametrize("alpha", [-1.0, 1.0])
def test_derivatives_of_rates_at_the_seams(alpha):
    model, _ = make(all_kinds())
    values = dict.fromkeys(("tilt", "xsec", "acceptance"), alpha)
    assert_rates_agree(model, model.parameters.pack(values))


@pytest.mark.parametrize("alpha", [-2.0, -0.7, -0.3, 0.0, 0.5, 1.5])
@pytest.mark.parametrize("document", [all_kinds, deep])
def test_derivatives_of_rates_by_the_rule_of_root(document, alpha):
    """`positive=True`: a product that is held at zero does not move."""
    model, _ = make(document(), positive=True)
    names = {"n0", "tilt", "xsec"} & set(model.parameters.names)
    params = model.parameters.pack(dict.fromkeys(names, alpha))
    assert_rates_agree(model, params)


def test_derivatives_of_rates_at_a_crossing():
    """Where a polynomial is zero, its logarithm has no derivative.

    What is lost there is the bend of the polynomial itself: f'' beside f'^2 / f.
    """
    model, _ = make(one_sample(MU, normsys("n0", 0.0, 30.0), normsys("n1", 0.8, 1.3)))
    weights = jnp.ones(1)
    for value in model.crossings.value.tolist():
        params = jnp.asarray(model.parameters.pack({"n0": value, "n1": 0.3}))
        found, known = (
            factored(model, params, weights),
            automatic(model, params, weights),
        )
        np.testing.assert_allclose(found[0], known[0], atol=1e-10)
        np.testing.assert_allclose(found[1], known[1], rtol=1e-10, atol=1e-10)
        mixed = ~np.eye(params.size, dtype=bool)
        np.testing.assert_allclose(
            found[2][mixed], known[2][mixed], rtol=1e-6, atol=1e-6
        )
        assert bool(jnp.all(jnp.isfinite(found[2])))


def test_derivatives_of_rates_with_two_factors_at_zero():
    """mu and a gamma of the signal: their mixed derivative is all that is left."""
    free = modifier("shapefactor", "f")
    channel = [sample("s", [4.0, 5.0], MU, free, normsys("n0", 0.8, 1.3))]
    model, _ = make(workspace({"SR": channel}))
    for values in ({"mu": 0.0, "f[0]": 0.0}, {"mu": 0.0, "f": [0.0, 0.0]}):
        assert_rates_agree(model, model.parameters.pack({"n0": 0.4, **values}))


# -- objective --------------------------------------------------------------------


@jax.jit
def expanded(objective, params):
    """Gradient and Hessian of half the deviance, from its expansion."""
    at = objective.expand(params)
    return at.gradient, jax.vmap(at.hessian_product)(jnp.eye(params.size))


@jax.jit
def differentiated(objective, params):
    """The same by automatic differentiation of its value."""
    value = objective.value
    return jax.grad(value)(params), jax.hessian(value)(params)


def assert_objective_agrees(model, data, params):
    objective = Objective(model.anonymous(), data.anonymous())
    found = expanded(objective, jnp.asarray(params))
    known = differentiated(objective, jnp.asarray(params))
    for one, other in zip(found, known, strict=True):
        size = 1 + np.abs(other).max(initial=0)
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10 * size)


@pytest.mark.slow
@each_document
def test_derivatives_of_the_objective(document):
    model, data = make(document())
    for params in points(model):
        assert_objective_agrees(model, data, params)


def test_derivatives_of_the_objective_of_two_blocks():
    model, (_, data) = two_blocks(all_kinds()), make(all_kinds())
    for params in points(model):
        assert_objective_agrees(model, data, params)


def test_derivatives_of_the_objective_with_masks():
    """Bins and constraint terms that one signal of a scan does not have."""
    model, data = make(all_kinds())
    gaussian, poisson = (
        dataclasses.replace(terms, present=jnp.arange(terms.index.size) % 2 == 0)
        for terms in (model.gaussian, model.poisson)
    )
    model = dataclasses.replace(
        model,
        bin_present=jnp.array([True, False, True, True]),
        gaussian=gaussian,
        poisson=poisson,
    )
    for params in points(model):
        assert_objective_agrees(model, data, params)


def test_derivatives_of_the_objective_at_data_that_are_no_counts():
    """Asimov data and constraint terms that are away from their start."""
    model, data = make(all_kinds())
    data = Data(data.main + 0.37, 1.2 * data.aux + 0.1)
    for params in points(model):
        assert_objective_agrees(model, data, params)


@each_document
def test_objective_is_the_density_less_a_constant(document):
    model, data = make(document())
    objective = Objective(model, data)
    for params in map(jnp.asarray, points(model)):
        known = -float(jax.jit(Model.logpdf)(model, params, data))
        found = float(jax.jit(lambda o, p: o.value(p) + o.offset())(objective, params))
        assert found == pytest.approx(known, rel=1e-12)


def test_parameters_at_zero_in_single_precision():
    """Numbers of 32 bits end at 1e-38, and what divides must not be zero there."""
    model, _ = make(only_scaling())
    params = np.array([0.0, 0.9, 1.2])
    exact = differentiate(model, jnp.asarray(params))
    known, weights = exact.jacobian.rows, jnp.ones(2)
    single = jax.tree.map(
        lambda leaf: leaf.astype(np.float32) if leaf.dtype == np.float64 else leaf,
        jax.tree.map(np.asarray, model.anonymous()),
    )
    found = differentiate(single, jnp.asarray(params, np.float32))
    np.testing.assert_allclose(found.jacobian.rows, known, rtol=1e-6)
    bend, unit = jnp.zeros(3), jnp.array([1.0, 0.5, 0.0])
    small = [jnp.asarray(x, np.float32) for x in (weights, bend, unit)]
    np.testing.assert_allclose(
        found.curvature(*small), exact.curvature(weights, bend, unit), rtol=1e-5
    )
