"""Pulls of every kind of constraint term, and of what has none."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.workspace.workspace import Workspace
from hfjax.fitting.best_fit import fit
from hfjax.fitting.covariance import covariance
from hfjax.fitting.diagnose.pulls import (
    prefit_uncertainties,
    pull_uncertainties,
    pulls,
)
from tests.workspaces import extended, make, sample, workspace

MU = {"name": "mu", "type": "normfactor", "data": None}
JES = {"name": "JES", "type": "normsys", "data": {"lo": 0.8, "hi": 1.2}}
SHAPE = {"name": "gamma", "type": "shapesys", "data": [6.0, 0.0]}


@pytest.fixture(scope="module")
def found():
    """A fit whose alpha and gamma are both pulled, and its model and data."""
    sample = {"name": "bkg", "data": [50.0, 60.0], "modifiers": [MU, JES, SHAPE]}
    entries = [{"name": "mu", "inits": [1.0], "bounds": [[0, 1.0]]}]
    config = {"poi": "mu", "parameters": entries}
    workspace = {
        "channels": [{"name": "SR", "samples": [sample]}],
        "observations": [{"name": "SR", "data": [70.0, 60.0]}],
        "measurements": [{"name": "search", "config": config}],
        "version": "1.0.0",
    }
    model, data = build(Workspace.parse(workspace))
    return model, data, fit(model, data)


@pytest.mark.slow
def test_a_pull_is_a_distance_in_widths(found):
    model, data, result = found
    pulled = pulls(model, data, result)
    assert set(pulled) == {"JES", "gamma"}
    assert pulled["JES"].item() == float(result["JES"]) > 0.1
    tau = (50.0 / 6.0) ** 2
    expected = (float(result["gamma[0]"]) * tau - tau) / tau**0.5
    assert pulled["gamma"][0] == pytest.approx(expected, rel=1e-12)
    assert pulled["gamma"][0] > 0.1


def test_what_is_fixed_or_has_no_constraint_term_has_no_pull(found):
    model, data, result = found
    assert np.isnan(pulls(model, data, result)["gamma"][1])  # a bin without uncertainty
    assert "JES" not in pulls(model.with_fixed({"JES": 0.5}), data, result)


def test_pulls_follow_the_auxiliary_data(found):
    model, data, result = found
    other = data.with_auxiliary({"JES": 0.25})
    shift = pulls(model, data, result)["JES"] - pulls(model, other, result)["JES"]
    np.testing.assert_allclose(shift, 0.25, rtol=1e-12)


@pytest.mark.slow
def test_log_normal_terms_are_pulled_in_logarithms(found):
    sample = {"name": "bkg", "data": [50.0], "modifiers": [MU, JES]}
    entry = {"name": "JES", "constraint": "lognormal", "sigmas": [0.2]}
    config = {"poi": "mu", "parameters": [entry]}
    workspace = {
        "channels": [{"name": "SR", "samples": [sample]}],
        "observations": [{"name": "SR", "data": [70.0]}],
        "measurements": [{"name": "search", "config": config}],
        "version": "1.0.0+hfjax.1",
    }
    model, data = build(Workspace.parse(workspace))
    result = fit(model, data, fixed={"mu": 1.0})
    expected = jnp.log1p(0.2 * result["JES"]) / np.log(1.2)
    found = pulls(model, data, result)["JES"].item()
    assert found == pytest.approx(float(expected), rel=1e-12)
    assert found > 0.1


def moved(result, name, by):
    """The same fit with another value of one parameter."""
    position = next(each.start for each in result.sets if each.name == name)
    params = result.params.at[position].add(by)
    return dataclasses.replace(result, params=params)


@pytest.mark.parametrize("name", ["JES", "gamma"])
def test_uncertainties_of_pulls_are_those_of_parameters_in_their_units(found, name):
    model, data, result = found
    known = covariance(model, data, result)
    high, low = (
        pulls(model, data, moved(result, name, h))[name][0] for h in (1e-6, -1e-6)
    )
    width = float(known.uncertainties_by_name[name].ravel()[0])
    both = pull_uncertainties(model, data, known)
    assert set(both) == {"JES", "gamma"}
    assert both[name][0] == pytest.approx(width * (high - low) / 2e-6, rel=1e-6)
    assert 0.0 < both[name][0] < 1.0
    assert np.isnan(both["gamma"][1])


def test_prefit_uncertainties_are_the_widths_of_the_terms():
    """Of mu and of a bin without uncertainty there is none; nor of what is fixed."""
    top = sample("bkg", [50.0, 60.0], MU, JES, SHAPE)
    document = workspace({"SR": [top]}, {"SR": [70.0, 60.0]})
    model, data = make(document)
    names = model.parameters.names
    found = dict(zip(names, prefit_uncertainties(model, data), strict=True))
    known = {"JES": 1.0, "mu": np.nan, "gamma[0]": 6.0 / 50.0, "gamma[1]": np.nan}
    assert found == pytest.approx(known, nan_ok=True)
    more = data.with_auxiliary({"gamma[0]": 4.0 * (50.0 / 6.0) ** 2})
    doubled = prefit_uncertainties(model, more)
    assert doubled[names.index("gamma[0]")] == pytest.approx(2.0 * 6.0 / 50.0)
    held = prefit_uncertainties(model.with_fixed({"JES": 0.0}), data)
    assert np.isnan(held[names.index("JES")])
    kind = {"name": "JES", "constraint": "lognormal", "sigmas": [0.2]}
    model, data = make(extended(document, kind))
    width = prefit_uncertainties(model, data)[names.index("JES")]
    assert width == pytest.approx(np.log(1.2) / 0.2)  # beta = 1 + 0.2 theta
