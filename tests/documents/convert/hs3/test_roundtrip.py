"""JSON to HS3 to JSON: equal documents, and the same likelihood without our notes."""

import copy
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hfjax.building.build import build
from hfjax.documents.convert.hs3.read import read_hs3
from hfjax.documents.convert.hs3.shape_errors import ShapeSysValues
from hfjax.documents.convert.hs3.write import write_hs3
from hfjax.documents.workspace.workspace import Workspace
from tests import workspaces as plain
from tests.documents.convert.hs3 import workspaces
from tests.reference.histfactory import HistFactory

LIKELIHOODS = ("staus", "sbottomA", "sleptons", "offshell")
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[*HealthCheck])


def there_and_back(workspace, **options):
    """Write, as text, and read."""
    return read_hs3(json.loads(json.dumps(write_hs3(workspace, **options))))


def without_notes(document):
    """Take away what only hfjax writes: its part of misc, absolute uncertainties."""
    document = copy.deepcopy(document)
    del document["misc"]["hfjax"]
    for distribution in document["distributions"]:
        for sample in distribution.get("samples", []):
            for modifier in sample["modifiers"]:
                if "constraint" in modifier:  # or else it would be a shapefactor
                    modifier.get("data", {}).pop("uncertainties", None)
    return document


def assert_same_density(document, other, seed):
    """Compare log-densities by slow loops, in all measurements, at a random point."""
    for measurement in document["measurements"]:
        model = HistFactory(document, measurement=measurement["name"])
        again = HistFactory(other, measurement=measurement["name"])
        assert again.parameter_names == model.parameter_names
        assert again.poi == model.poi
        np.testing.assert_allclose(again.init, model.init, rtol=1e-12)
        np.testing.assert_allclose(again.bounds, model.bounds, rtol=1e-12)
        assert again.fixed == model.fixed
        np.testing.assert_allclose(again.auxdata, model.auxdata, rtol=1e-12)
        params = plain.some_params(tuple(model.parameter_names), seed)
        expected = model.logpdf(params, model.observations, model.auxdata)
        found = again.logpdf(params, again.observations, again.auxdata)
        lost = 1e-14 * np.sum(np.abs(model.auxdata))  # large counts cancel
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-11 + lost)


@pytest.mark.slow
@MANY
@given(plain.workspaces() | workspaces.kinds())
def test_document_comes_back_equal(document):
    assert there_and_back(Workspace.parse(document)).workspace.dump() == document


@pytest.mark.slow
@MANY
@given(plain.workspaces() | workspaces.kinds(), st.integers(0, 99))
def test_density_is_the_same_for_who_knows_nothing_of_hfjax(document, seed):
    read = read_hs3(without_notes(write_hs3(Workspace.parse(document))))
    assert_same_density(document, read.workspace.dump(), seed)


def test_compiled_density_is_the_same():
    workspace = Workspace.parse(workspaces.example())
    read = read_hs3(without_notes(write_hs3(workspace))).workspace
    for name in workspace.measurement_names:
        (model, data), (again, found) = build(workspace, name), build(read, name)
        assert again.parameters.names == model.parameters.names
        for seed in range(5):
            params = plain.some_params(model.parameters.names, seed)
            expected = model.logpdf(params, data)
            np.testing.assert_allclose(
                again.logpdf(params, found), expected, rtol=1e-12
            )


def test_example_with_settings_of_all_keys_comes_back_equal_also_as_text():
    document = workspaces.example()
    found = there_and_back(Workspace.parse(document))
    again = found.workspace.dump()
    assert json.dumps(again, sort_keys=True) == json.dumps(document, sort_keys=True)
    assert found.report.dump() == {
        **{"direction": "hs32json", "losses": [], "notes": [], "binning": {}}
    }


def test_absolute_vals_of_a_shapesys_come_back():
    workspace = Workspace.parse(workspaces.example())
    found = there_and_back(workspace, shapesys=ShapeSysValues.ABSOLUTE)
    assert found.workspace == workspace


def test_t14_bins_without_uncertainty_are_fixed_and_stay_so():
    shape = plain.modifier("shapesys", "shape", [1.0, 0.0, 2.0])
    stat = plain.modifier("staterror", "staterror_SR", [1.0, 0.0, 0.0])
    channel = {"SR": [plain.sample("top", [4.0, 5.0, 0.0], shape, stat)]}
    workspace = Workspace.parse(plain.workspace(channel))
    document = write_hs3(workspace)
    constant = [
        p["name"]
        for p in document["parameter_points"][0]["parameters"]
        if p.get("const") and not p["name"].startswith("nom_")
    ]
    assert constant == [
        *("gamma_shape_bin_1", "gamma_shape_bin_2"),
        *("gamma_stat_SR_bin_1", "gamma_stat_SR_bin_2"),
    ]
    read = read_hs3(without_notes(document)).workspace
    assert_same_density(workspace.dump(), read.dump(), seed=1)


@pytest.mark.parametrize("others", [[], [0.1]])
def test_t25_a_luminosity_that_is_known_stays_so(others):
    """HS3 has no Gaussian without a width: its term is a constant."""
    document = copy.deepcopy(workspaces.example())
    for measurement, sigma in zip(
        document["measurements"], [0.0, *(others or [0.0])], strict=True
    ):
        lumi = workspaces.entry(measurement["config"]["parameters"], "lumi")
        lumi |= {"sigmas": [sigma], "fixed": True}
    workspace = Workspace.parse(document)
    assert there_and_back(workspace).workspace.dump() == document
    read = read_hs3(without_notes(write_hs3(workspace))).workspace
    for name in workspace.measurement_names:
        (model, data), (again, found) = build(workspace, name), build(read, name)
        params = plain.some_params(model.parameters.names, 1)
        expected = model.logpdf(params, data)
        np.testing.assert_allclose(again.logpdf(params, found), expected, rtol=1e-12)


def test_t10_staterror_of_several_channels_stays_one_set():
    stat = plain.modifier("staterror", "mc", [1.0, 2.0])
    channels = {name: [plain.sample("top", [9.0, 8.0], stat)] for name in ("SR", "CR")}
    workspace = Workspace.parse(plain.workspace(channels))
    document = write_hs3(workspace)
    assert "gamma_mc_bin_3" in json.dumps(document)
    assert read_hs3(without_notes(document)).workspace == workspace


def test_settings_that_were_changed_in_hs3_win_over_those_that_were_stated():
    document = write_hs3(Workspace.parse(workspaces.example()))
    for axes in (domain["axes"] for domain in document["domains"]):
        for axis in axes:
            if axis["name"] == "mu":
                axis["max"] = 7.0
    first = read_hs3(document).workspace.measurement(0)
    assert first.parameter("mu").bounds == ((-5, 7.0),)
    assert first.parameter("mu").inits == (2,)
    assert first.parameter("tilt").sigmas == (2.0,)


def test_measurements_may_be_called_anything():
    document = workspaces.example()
    for index, name in enumerate(("default", "")):
        document["measurements"][index]["name"] = name
    assert there_and_back(Workspace.parse(document)).workspace.dump() == document


def test_parameter_of_interest_that_patches_bring():
    channel = {"SR": [plain.sample("top", [4.0], plain.normsys("n", 0.9, 1.1))]}
    mu = {"name": "mu_SIG", "inits": [0.5], "bounds": [[0, 5]], "fixed": True}
    workspace = Workspace.parse(plain.workspace(channel, None, mu, poi="mu_SIG"))
    document = write_hs3(workspace)
    (value,) = [
        each
        for each in document["parameter_points"][0]["parameters"]
        if each["name"] == "mu_SIG"
    ]
    assert value == {"name": "mu_SIG", "value": 0.5, "const": True}
    assert there_and_back(workspace).workspace == workspace


def test_workspace_without_parameters():
    channel = {"SR": [plain.sample("top", [4.0])]}
    workspace = Workspace.parse(plain.workspace(channel))
    assert there_and_back(workspace).workspace == workspace


@pytest.mark.slow
@pytest.mark.parametrize("name", LIKELIHOODS)
def test_published_likelihood_comes_back_with_its_digest(data_dir, name):
    workspace = Workspace.load(data_dir / "likelihoods" / name / "BkgOnly.json")
    found = there_and_back(workspace)
    assert found.workspace.digest() == workspace.digest()
    assert found.report.losses == ()
