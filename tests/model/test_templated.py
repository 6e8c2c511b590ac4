"""Models with other templates are those of workspaces with other numbers."""

import copy
import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import DataError, ModelError, UnknownNameError
from hfjax.inference.hypotest import hypotest
from hfjax.model.data import Data
from hfjax.model.model import Model
from tests.assertions import assert_close
from tests.model.extended import all_constraints
from tests.workspaces import (
    HELLO,
    Document,
    all_kinds,
    make,
    modifier,
    sample,
    shapesys,
    some_params,
    workspace,
)

DOCUMENTS = {"all kinds": all_kinds, "all constraints": all_constraints}
each_document = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)


def unshared(document: Document) -> Document:
    """A copy in which no two samples have the very same modifier."""
    return json.loads(json.dumps(document))


def cells(document: Document) -> list[tuple[str, Document]]:
    """All samples with their channels."""
    return [(c["name"], s) for c in document["channels"] for s in c["samples"]]


def assert_same(one: tuple[Model, Data], other: tuple[Model, Data]) -> None:
    """Rates, constraint terms, what is fixed, and auxiliary data."""
    (model, data), (known, its_data) = one, other
    assert_close(data.aux, its_data.aux, 1e-13)
    assert model.parameters.fixed.tolist() == known.parameters.fixed.tolist()
    for seed in range(3):
        params = jnp.asarray(some_params(known.parameters.names, seed))
        assert_close(model.expected_rates(params), known.expected_rates(params), 1e-12)
        assert_close(model.logpdf(params, data), known.logpdf(params, its_data), 1e-12)


@pytest.mark.slow
@each_document
def test_templates_make_the_model_that_they_are_of(document):
    model, data = make(document())
    assert_same((model.with_templates(model.templates), data), (model, data))


@each_document
def test_other_yields_are_those_of_another_workspace(document):
    changed, yields = unshared(document()), {}
    model, data = make(document())
    for i, (channel, each) in enumerate(cells(changed)):
        factor = 1.0 + 0.3 * np.cos(i + np.arange(len(each["data"])))
        each["data"] = (factor * np.array(each["data"])).tolist()
        yields[channel, each["name"]] = each["data"]
    other = model.with_yields(yields)
    assert_same((other, other.with_nominal_auxiliary(data)), make(changed))


VARIED = {
    "normsys": lambda data: ((0.9 * data["lo"], 1.2 * data["hi"])),
    "histosys": lambda data: (
        [0.8 * x for x in data["lo_data"]],
        [1.1 * x + 1.0 for x in data["hi_data"]],
    ),
}
KEYS = {"normsys": ("lo", "hi"), "histosys": ("lo_data", "hi_data")}


@each_document
@pytest.mark.parametrize("kind", VARIED)
def test_other_variations_are_those_of_another_workspace(document, kind):
    changed = unshared(document())
    model, data = make(document())
    for channel, each in cells(changed):
        for one in [m for m in each["modifiers"] if m["type"] == kind]:
            pair = VARIED[kind](one["data"])
            one["data"] = dict(zip(KEYS[kind], pair, strict=True))
            model = model.with_variation(one["name"], {(channel, each["name"]): pair})
    assert_same((model, data), make(changed))


@each_document
@pytest.mark.parametrize("kind", ["staterror", "shapesys"])
def test_other_uncertainties_are_those_of_another_workspace(document, kind):
    """Also none at all, with which a parameter is fixed."""
    changed = unshared(document())
    model, data = make(document())
    for channel, each in cells(changed):
        for one in [m for m in each["modifiers"] if m["type"] == kind]:
            values = [1.3 * u * (i > 0) for i, u in enumerate(one["data"])]
            one["data"] = values
            place = {(channel, each["name"]): values}
            model = model.with_uncertainty(one["name"], place)
    assert_same((model, model.with_nominal_auxiliary(data)), make(changed))


def test_a_bin_that_gets_an_uncertainty_is_no_longer_fixed():
    def document(uncertainty: float) -> Document:
        errors = modifier("staterror", "stat", [uncertainty, 3.0])
        return workspace({"SR": [sample("b", [40.0, 60.0], errors)]})

    model, data = make(document(0.0))
    other = model.with_uncertainty("stat", {("SR", "b"): [2.0, 3.0]})
    assert_same((other, data), make(document(2.0)))


def test_new_counts_come_with_the_auxiliary_data_that_follow():
    model, _ = build(shapesys(*HELLO, [51, 48]))
    other = model.with_yields({("SR", "bkg"): [25.0, 26.0]})
    assert other.data({"SR": [25, 26]}).aux.tolist() == pytest.approx(
        [(25 / 3) ** 2, (26 / 7) ** 2]
    )


# -- inside of jit and grad --------------------------------------------------------


def rebuilt(yields: Any, errors: Any) -> tuple[Model, Data]:
    """The textbook, with a staterror and a shapesys on the background."""
    document = shapesys(*HELLO, [58, 60]).dump()
    background = document["channels"][0]["samples"][1]
    background["data"] = [float(x) for x in yields]
    stat = modifier("staterror", "stat", [float(x) for x in errors])
    background["modifiers"].append(stat)
    return build(Workspace.parse(copy.deepcopy(document)))


@pytest.mark.slow
@pytest.mark.parametrize("which", ["yields", "errors"])
def test_derivatives_of_tests_in_templates_are_those_of_workspaces(which):
    start = {"yields": jnp.array([50.0, 52.0]), "errors": jnp.array([2.0, 4.0])}
    model, data = rebuilt(**start)
    place, step = ("SR", "bkg"), 1e-3

    def traced(x):
        if which == "yields":
            other = model.with_yields({place: x})
        else:
            other = model.with_uncertainty("stat", {place: x})
        return hypotest(other, other.with_nominal_auxiliary(data)).CLs_obs

    def known(x):
        return float(hypotest(*rebuilt(**{**start, which: x})).CLs_obs)

    x = start[which]
    value, slope = jax.jit(jax.value_and_grad(traced))(x)
    assert_close(value, known(x), 1e-9)
    for i, move in enumerate(step * jnp.eye(2)):
        difference = (known(x + move) - known(x - move)) / (2.0 * step)
        assert abs(difference) > 1e-5
        assert_close(slope[i], difference, 1e-5)


def test_many_yields_at_once():
    model, data = build(shapesys(*HELLO, [51, 48]))
    params = jnp.asarray(model.parameters.init)

    def density(x):
        return model.with_yields({("SR", "signal"): x}).logpdf(params, data)

    many = jnp.array([[12.0, 11.0], [3.0, 4.0]])
    found = jax.jit(jax.vmap(density))(many)
    assert_close(found, jnp.stack([density(x) for x in many]), 1e-12)


# -- errors ------------------------------------------------------------------------


def hello() -> Model:
    return build(shapesys(*HELLO, [51, 48]))[0]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            lambda m: m.with_yields({("SRR", "signal"): [1.0, 2.0]}),
            UnknownNameError,
            "did you mean 'SR'",
        ),
        (
            lambda m: m.with_yields({("SR", "signol"): [1.0, 2.0]}),
            UnknownNameError,
            "did you mean 'signal'",
        ),
        (
            lambda m: m.with_yields({("SR", "signal"): [1.0]}),
            DataError,
            "1 numbers for sample 'signal' in channel 'SR', which takes 2",
        ),
        (
            lambda m: m.with_yields({("SR", "signal"): [1.0, np.nan]}),
            DataError,
            "finite",
        ),
        (
            lambda m: m.with_variation("JES", {("SR", "signal"): (1, 2)}),
            UnknownNameError,
            "no histosys or normsys named 'JES' in sample 'signal' of channel 'SR'",
        ),
        (
            lambda m: m.with_uncertainty("gamma", {("SR", "bkg"): [-1.0, 2.0]}),
            DataError,
            "not negative",
        ),
        (lambda m: m.anonymous().templates, ModelError, "hfjax.build"),
        (
            lambda m: m.with_yields({("SR", "signal"): np.array(["a", "2"])}),
            DataError,
            "no numbers",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change, error, message):
    with pytest.raises(error, match=message):
        change(hello())


def test_equal_workspaces_share_programs():
    one, other = jax.tree.structure(hello()), jax.tree.structure(hello())
    assert one == other
    assert hash(one) == hash(other)
