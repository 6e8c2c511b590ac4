"""Compiled programs do not grow with a model, and equal shapes compile once."""

import copy
import logging

import jax
import pytest

from hfjax.fitting.best_fit import fit
from hfjax.model.model import Model
from tests.workspaces import (
    LUMI,
    MU,
    histosys,
    make,
    modifier,
    normsys,
    sample,
    workspace,
)


def grown(channels, samples, bins, modifiers):
    """A workspace of any size with modifiers of all seven types."""
    systs = [normsys(f"n{i}", 0.9, 1.1) for i in range(modifiers)]
    systs += [histosys(f"h{i}", [9.0] * bins, [12.0] * bins) for i in range(modifiers)]
    systs += [modifier("normfactor", f"k{i}") for i in range(modifiers)]
    systs += [modifier("lumi", "lumi"), modifier("shapefactor", "f")]
    found = {}
    for c in range(channels):
        stat = modifier("staterror", f"stat{c}", [1.0] * bins)
        own = [*systs, stat]
        shape = [modifier("shapesys", f"shape{c}", [1.0] * bins)]
        first = sample("s0", [10.0] * bins, *own, *shape)
        rest = [sample(f"s{i}", [10.0] * bins, *own) for i in range(1, samples)]
        found[f"c{c}"] = [first, *rest, sample("signal", [1.0] * bins, MU)]
    return workspace(found, None, LUMI, poi="mu")


SMALL = {"channels": 3, "samples": 2, "bins": 3, "modifiers": 2}
LARGE = {"channels": 7, "samples": 5, "bins": 3, "modifiers": 6}


def equations(jaxpr):
    """Number of equations of a program, those of loops and branches included."""
    total = len(jaxpr.eqns)
    for equation in jaxpr.eqns:
        for part in jax.tree.leaves(
            equation.params, is_leaf=lambda leaf: hasattr(leaf, "eqns")
        ):
            inner = getattr(part, "jaxpr", part)
            total += equations(inner) if hasattr(inner, "eqns") else 0
    return total


def curvature(model, data, params):
    return jax.jvp(lambda p: jax.grad(model.logpdf)(p, data), (params,), (params,))[1]


PROGRAMS = {
    "rates": lambda model, _, params: model.expected_rates(params),
    "density": lambda model, data, params: model.logpdf(params, data),
    "gradient": lambda model, data, params: jax.grad(model.logpdf)(params, data),
    "curvature": curvature,
    "expected data": lambda model, _, params: model.expected_data(params),
    "sample": lambda model, _, params: model.sample(jax.random.key(0), params),
    "fit": lambda model, data, _: fit(model, data),
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_the_size_of_a_program_is_that_of_any_model(program):
    sizes = []
    for size in (SMALL, LARGE):
        model, data = make(grown(**size))
        params = model.parameters.init
        traced = jax.make_jaxpr(program)(model, data, params)
        sizes.append(equations(traced.jaxpr))
    assert sizes[0] == sizes[1]
    assert sizes[0] > 5


def rescaled(own):
    """A modifier of a sample that has more events: as lopsided as before."""
    if own["type"] != "histosys":
        return own
    sides = own["data"].items()
    return own | {"data": {key: [1.5 * n for n in side] for key, side in sides}}


def renamed_and_rescaled(document):
    """A document of equal shape with other names and numbers."""
    other = copy.deepcopy(document)
    for channel in other["channels"]:
        for one in channel["samples"]:
            one["data"] = [1.5 * n for n in one["data"]]
            one["name"] = f"new_{one['name']}"
            one["modifiers"] = [rescaled(own) for own in one["modifiers"]]
    for observation in other["observations"]:
        observation["data"] = [n + 1 for n in observation["data"]]
    return other


def compilations(caplog, function):
    """How many programs JAX compiles in a call."""
    caplog.clear()
    with jax.log_compiles(True), caplog.at_level(logging.WARNING):
        jax.block_until_ready(function())
    return sum("Compiling" in record.getMessage() for record in caplog.records)


@pytest.mark.slow
def test_models_of_equal_shape_share_compilations(caplog):
    density = jax.jit(Model.logpdf)

    def evaluate(document):
        model, data = make(document)
        return density(model.anonymous(), model.parameters.init, data)

    def fitted(document):
        model, data = make(document)
        return fit(model, data).params

    document = grown(channels=3, samples=1, bins=4, modifiers=3)  # here only
    other = renamed_and_rescaled(document)
    for function in (evaluate, fitted):
        assert compilations(caplog, lambda f=function: f(document)) > 0
        assert compilations(caplog, lambda f=function: f(other)) == 0
