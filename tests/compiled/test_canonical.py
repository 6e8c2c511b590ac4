"""Canonical sizes: what is padded changes nothing, and models share programs."""

import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.compiled.canonical import FEW, canonical, cut, pad_vector, rung
from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.fitting.objective import Objective
from hfjax.fitting.valleys.physical import unphysical_rates
from hfjax.inference.hypotest import hypotest
from hfjax.inference.profile import profile
from tests.assertions import assert_close, no_compilation
from tests.model.expressions import interference
from tests.model.extended import all_constraints
from tests.workspaces import (
    HELLO,
    all_kinds,
    make,
    normsys,
    sample,
    shapesys,
    some_params,
)


def wider(document):
    """The same with a channel and a systematic more: off the rungs of the ladder."""
    more = {"name": "VR", "samples": [sample("top", [9.0], normsys("n0", 0.5, 1.3))]}
    observed = {"name": "VR", "data": [11.0]}
    return {
        **document,
        "channels": [*document["channels"], more],
        "observations": [*document["observations"], observed],
    }


DOCUMENTS = {
    "all kinds": all_kinds,
    "all constraints": all_constraints,
    "expressions": interference,
}
each_document = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)


# -- the ladder --------------------------------------------------------------------


def test_a_size_of_the_ladder_holds_what_is_on_it():
    sizes = np.arange(3000)
    found = np.array([rung(int(size)) for size in sizes])
    assert np.all(found >= sizes)
    assert np.all(np.diff(found) >= 0)
    assert [rung(int(size)) for size in found] == found.tolist()


def test_the_ladder_is_coarse_and_wastes_little():
    found = [rung(size) for size in range(1, 3000)]
    assert len(set(found)) < 45
    assert all(
        to - size <= max(FEW, size / 4) for size, to in enumerate(found, start=1)
    )


# -- what is padded changes nothing ------------------------------------------------


def both(document):
    """Objectives of a model, as it is and of canonical sizes, and parameters."""
    model, data = make(document)
    params = some_params(model.parameters.names, 3)
    padded, its_data = canonical(model, data)
    assert padded.parameters.init.size > model.parameters.init.size
    assert padded.bin_channel.size >= model.bin_channel.size
    own = Objective(model.anonymous(), data.anonymous())
    more = jnp.asarray(pad_vector(params, padded, 0.0))
    return own, Objective(padded, its_data), params, more


@pytest.mark.slow
@each_document
def test_values_and_derivatives_are_the_same(document):
    own, padded, params, more = both(wider(document()))
    assert_close(padded.value(more), own.value(params), 1e-12)
    assert_close(padded.offset(), own.offset(), 1e-12)
    one, other = jax.jit(Objective.expand)(own, params), padded.expand(more)
    size = params.size
    assert_close(other.gradient[:size], one.gradient, 1e-10, 1e-10)
    assert not np.any(other.gradient[size:])
    vector = np.linspace(-1.0, 1.0, size)
    longer = jnp.asarray(pad_vector(vector, padded.model, 1.0))
    product = other.hessian_product(longer)
    assert_close(product[:size], one.hessian_product(vector), 1e-10, 1e-10)


@each_document
def test_expected_data_and_rates_are_the_same(document):
    own, padded, params, more = both(wider(document()))
    known, found = own.model.expected_data(params), padded.model.expected_data(more)
    assert_close(cut(found.main, known.main.size), known.main, 1e-12)
    assert_close(cut(found.aux, known.aux.size), known.aux, 1e-12)
    rates, samples = unphysical_rates(padded.model, more), own.model.block.nominal
    parts = rates[: samples.shape[0], : samples.shape[1]]
    assert_close(parts, unphysical_rates(own.model, params), 1e-12, 1e-12)
    assert not np.any(rates[samples.shape[0] :])
    assert not np.any(padded.model.bin_present[samples.shape[1] :])


@each_document
def test_auxiliary_data_of_padded_terms_stand_apart(document):
    """Each term has its own, or one would overwrite another's."""
    _, padded, _, _ = both(wider(document()))
    positions = np.concatenate([t.position for t in padded.model.constraints])
    assert sorted(positions.tolist()) == list(range(padded.data.aux.size))


def test_every_array_whose_size_varies_has_a_rule():
    """A new array of a model would be forgotten without a word."""
    documents = [shapesys([5.0] * n, [50.0] * n, [5.0] * n, [51.0] * n) for n in (1, 4)]
    one, other = (canonical(*build(each))[0] for each in documents)
    pairs = zip(*(jax.tree.leaves(each) for each in (one, other)), strict=True)
    assert [(a.shape, b.shape) for a, b in pairs if a.shape != b.shape] == []


@pytest.mark.slow
def test_fits_are_the_same_as_without_padding():
    """Inside ``jit`` nothing is padded."""
    workspace = shapesys([5.0, 1.0, 2.0], [50.0] * 3, [5.0] * 3, [60, 51, 44])
    model, data = build(workspace)
    found, known = fit(model, data), jax.jit(lambda d: fit(model, d))(data)
    assert found.params.shape == known.params.shape == (4,)
    assert_close(found.params, known.params, 1e-7)
    assert_close(found.twice_nll, known.twice_nll, 1e-12)
    assert int(found.steps) == int(known.steps)
    test, again = hypotest(model, data), jax.jit(lambda d: hypotest(model, d))(data)
    assert_close(test.CLs_exp, again.CLs_exp, 1e-9)
    assert test.asimov_data.main.shape == (3,)
    assert_close(test.asimov_data.aux, again.asimov_data.aux, 1e-9)


# -- programs are shared -----------------------------------------------------------


def test_models_of_about_one_size_share_programs(caplog):
    """One to four bins, one to three gammas more: nothing new is compiled."""
    sizes = [(2, 51.0), (4, 44.0), (3, 60.0), (1, 47.0)]
    models = [
        build(shapesys([5.0] * n, [50.0] * n, [5.0] * n, [count] * n))
        for n, count in sizes
    ]
    (first, data), *others = models
    for call in (fit, hypotest, lambda m, d: fixed_poi_fit(m, d, 0.5)):
        call(first, data)
        with no_compilation(caplog):
            found = [call(*each) for each in others]
        assert all(each.converged for each in found)
    grid = {"mu": [0.0, 1.0]}
    profile(first, data, grid)
    with no_compilation(caplog):
        assert profile(*others[0], grid).converged


def test_what_is_made_of_a_model_while_something_is_traced_is_not_traced():
    model, data = build(shapesys(*HELLO, [51, 48]))
    traced = jax.jit(lambda x: x * canonical(model, data)[0].block.nominal.sum())(2.0)
    own, _ = canonical(model, data)
    assert not own.is_traced
    assert_close(traced, 2.0 * own.block.nominal.sum(), 1e-15)


@pytest.mark.slow
def test_what_is_made_of_a_model_goes_with_it():
    model, data = build(shapesys(*HELLO, [51, 48]))
    padded, _ = canonical(model, data)
    again, _ = canonical(model, data)
    assert again is padded
    kept = weakref.ref(padded)
    del model, padded, again
    gc.collect()
    assert kept() is None
