"""Data sets in workspaces: a fit of Asimov data gives their parameters back."""

import copy

import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.building.data_set import with_data
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import DataError
from hfjax.fitting.best_fit import fit
from hfjax.model.data import Data
from tests.assertions import assert_close
from tests.workspaces import (
    HELLO,
    LUMI,
    MU,
    all_kinds,
    extended,
    modifier,
    normsys,
    sample,
    shapesys,
    workspace,
)


def expected(found: Workspace, params):
    """The data that parameters lead to expect, and a workspace with them."""
    model, _ = build(found)
    data = model.expected_data(jnp.asarray(params))
    return data, with_data(found, data)


def constrained() -> Workspace:
    """All kinds of constraint terms that a document may ask for."""
    gamma, stat = (
        modifier("shapesys", "gamma", [3.0]),
        modifier("staterror", "t", [4.0]),
    )
    factors = [normsys(name, 0.9, 1.2) for name in ("a", "b", "c")]
    samples = [sample("s", [40.0], MU), sample("b", [90.0], *factors, gamma, stat)]
    document = extended(
        workspace({"SR": samples}, {"SR": [130.0]}),
        {"name": "a", "constraint": "gamma", "sigmas": [0.2]},
        {"name": "b", "constraint": "lognormal", "sigmas": [0.3]},
        {"name": "c", "auxdata": [0.5]},
        {"name": "gamma", "constraint": "normal"},
        {"name": "t", "constraint": "poisson"},
    )
    return Workspace.parse(document)


@pytest.mark.parametrize("found", [Workspace.parse(all_kinds()), constrained()])
def test_what_is_built_has_the_data(found):
    model, before = build(found)
    free = ~np.asarray(model.parameters.fixed)
    noise = 1.0 + 0.1 * np.sin(np.arange(free.size))
    params = np.where(free, np.asarray(model.parameters.init) * noise, 1.0)
    params += np.where(np.asarray(model.parameters.init) == 0.0, 0.1, 0.0)
    data, asimov = expected(found, params)
    again, read = build(Workspace.parse(asimov.dump()))
    assert not np.array_equal(before.aux, data.aux)
    assert_close(read.main, data.main, 0.0)
    assert_close(read.aux, data.aux, 0.0)
    assert asimov.channels == found.channels
    point = jnp.asarray(params)
    assert float(again.logpdf(point, read)) == float(model.logpdf(point, data))


def test_a_fit_gives_the_parameters_back():
    """The deviance is zero where all that is expected is what was counted."""
    found = shapesys(*HELLO, [62.0, 63.0])
    data, asimov = expected(found, [0.6, 1.05, 0.9])
    again = fit(*build(asimov))
    assert_close(again.params, [0.6, 1.05, 0.9], 1e-7)
    assert abs(float(again.deviance)) < 1e-9
    assert data.main.tolist() == list(asimov.observations[0].data)


def test_nominal_data_change_the_observations_alone():
    found = shapesys(*HELLO, [51.0, 48.0])
    _, asimov = expected(found, [0.0, 1.0, 1.0])
    assert asimov.measurements == found.measurements
    assert asimov.observations[0].data == (50.0, 52.0)


def test_the_measurement_is_alone_and_keeps_its_settings():
    document = all_kinds()
    other = copy.deepcopy(document["measurements"][0]) | {"name": "other"}
    document["measurements"].append(other)
    other["config"]["parameters"].append({"name": "mu", "bounds": [[-1.0, 5.0]]})
    found = Workspace.parse(document)
    model, _ = build(found, measurement="other")
    params = model.parameters.pack({"lumi": 1.01, "tilt": 0.5})
    asimov = with_data(found, model.expected_data(jnp.asarray(params)), "other")
    (left,) = asimov.measurements
    assert left.name == "other"
    assert left.parameter("mu") == found.measurements[1].parameter("mu")
    written = [each.dump() for each in left.parameters]
    assert LUMI | {"auxdata": [1.01]} in written
    assert {"name": "tilt", "auxdata": [0.5]} in written


def test_a_lumi_whose_datum_has_no_place_is_refused():
    samples = [sample("s", [40.0], MU, modifier("lumi", "lumi"))]
    plain = workspace({"SR": samples}, {"SR": [40.0]}, LUMI)
    found = Workspace.parse(extended(plain, LUMI | {"constraint": "lognormal"}))
    model, _ = build(found)
    nominal = model.expected_data(model.parameters.init)
    assert with_data(found, nominal).measurements == found.measurements
    pulled = model.expected_data(jnp.asarray(model.parameters.pack({"lumi": 1.1})))
    with pytest.raises(DataError, match="'lumi' that is not the nominal one"):
        with_data(found, pulled)


def test_data_of_something_else_are_refused():
    found = shapesys(*HELLO, [51.0, 48.0])
    _, data = build(found)
    with pytest.raises(DataError, match="auxiliary data of nothing for a workspace"):
        with_data(found, Data(np.ones(2), np.ones(2)))
    with pytest.raises(DataError, match="data of the channels 'CR'"):
        with_data(found, data.with_names((("CR", 2),), data.constrained))
    with pytest.raises(DataError, match="-1 events in channel 'SR'"):
        with_data(found, data.with_counts({"SR": [-1.0, 2.0]}))
