"""Inputs of HistFactory XML that are in circulation, against pyhf's numbers."""

import copy
import json
from pathlib import Path

import jax.numpy as jnp
import pytest

from hfjax.building.build import build
from hfjax.documents.convert.histfactory.read import XmlSettings, read_xml
from hfjax.documents.convert.histfactory.write import write_xml
from hfjax.documents.reading.digest import digest
from hfjax.inference.hypotest import hypotest
from tests.reference.xml_with_pyhf import FILES

REFERENCE = json.loads(
    (Path(__file__).parents[3] / "reference" / "xml_with_pyhf.json").read_text()
)
EXAMPLE = "xmlimport_input/config/example.xml"
DATA_DRIVEN = "xmlimport_input/config/examples/example_DataDriven.xml"
EXPRESSION = "xmlimport_input/config/examples/example_Expression.xml"
TWO_DIMENSIONS = "xmlimport_input/config/examples/example_ShapeSys2D.xml"

READ = [name for name in FILES if name != EXPRESSION]
ALIKE = [name for name in READ if name != TWO_DIMENSIONS]
DIFFERENT_DIGEST = {DATA_DRIVEN}
"""pyhf takes the root of a histogram of single precision in single precision."""


def test_the_numbers_are_those_of_all_files(data_dir):
    found = data_dir.joinpath("xml").rglob("*.xml")
    tops = {
        path.relative_to(data_dir / "xml").as_posix()
        for path in found
        if "<Combination" in path.read_text()
    }
    assert tops == set(FILES) == set(REFERENCE)


@pytest.mark.parametrize("name", ALIKE)
def test_plain_documents_are_those_of_pyhf(data_dir, name):
    found = read_xml(data_dir / "xml" / name, XmlSettings(plain=True))
    same = digest(found.document) == REFERENCE[name]["digest"]
    assert same == (name not in DIFFERENT_DIGEST)


@pytest.mark.parametrize("name", ALIKE)
def test_log_densities_are_those_of_pyhf(data_dir, name):
    found = read_xml(data_dir / "xml" / name, XmlSettings(plain=True))
    workspace = found.workspace()
    exact = {"rel": 1e-6 if name in DIFFERENT_DIGEST else 1e-12}
    seen = []
    for measurement, known in REFERENCE[name]["measurements"].items():
        points = [known["names"], known["points"]]
        if points in seen:  # the same but for terms that a plain document cannot have
            continue
        seen.append(points)
        model, data = build(workspace, measurement=measurement)
        assert list(model.parameters.names) == known["names"]
        for point, expected in zip(known["points"], known["logpdf"], strict=True):
            value = float(model.logpdf(jnp.asarray(point), data))
            assert value == pytest.approx(expected, **exact)


# -- where more is read than pyhf reads --------------------------------------------

POISSON = {"constraint": "poisson", "threshold": 0.05}
MORE = {
    EXAMPLE: {
        ("GaussExample", "staterror_channel1"): POISSON,
        ("GammaExample", "staterror_channel1"): POISSON,
        ("LogNormExample", "staterror_channel1"): POISSON,
        ("ConstExample", "staterror_channel1"): POISSON,
        ("GammaExample", "syst2"): {"constraint": "gamma", "sigmas": [0.3]},
        ("LogNormExample", "syst2"): {"constraint": "lognormal", "sigmas": [0.3]},
    },
    DATA_DRIVEN: {
        ("GaussExample", "staterror_signalRegion"): {"threshold": 0.05},
        ("GaussExample", "staterror_controlRegion"): {"threshold": 0.05},
    },
}
"""What pyhf leaves away: settings by file, measurement and parameter."""


@pytest.mark.parametrize("name", READ)
def test_what_is_read_besides_is_this_and_no_more(data_dir, name):
    full = without_ranges(read_xml(data_dir / "xml" / name).document)
    plain = read_xml(data_dir / "xml" / name, XmlSettings(plain=True)).document
    plain = without_ranges(plain)
    more = MORE.get(name, {})
    assert full["version"] == ("1.0.0+hfjax.1" if more else "1.0.0")
    expected = copy.deepcopy(plain) | {"version": full["version"]}
    for (measurement, parameter), settings in more.items():
        (found,) = [m for m in expected["measurements"] if m["name"] == measurement]
        found["config"]["parameters"].append({"name": parameter} | settings)
    assert sorted_settings(full) == sorted_settings(expected)


def without_ranges(document):
    """The document without what ROOT gives wider, which has tests of its own."""
    document = copy.deepcopy(document)
    factors = {
        modifier["name"]
        for channel in document["channels"]
        for sample in channel["samples"]
        for modifier in sample["modifiers"]
        if modifier["type"] == "normfactor"
    }
    for measurement in document["measurements"]:
        entries = measurement["config"]["parameters"]
        for entry in entries:
            if entry["name"] not in factors:
                entry.pop("bounds", None)
        measurement["config"]["parameters"] = [e for e in entries if len(e) > 1]
    return document


def sorted_settings(document):
    document = copy.deepcopy(document)
    for measurement in document["measurements"]:
        measurement["config"]["parameters"].sort(key=lambda entry: entry["name"])
    return document


def test_two_dimensions_are_read_which_pyhf_cannot(data_dir):
    assert "error" in REFERENCE[TWO_DIMENSIONS]
    found = read_xml(data_dir / "xml" / TWO_DIMENSIONS)
    channel = found.document["channels"][0]
    data = {each["name"]: each["data"] for each in channel["samples"]}
    assert data["background1"] == [100.0, 100.0, 10.0, 10.0]
    assert {remark.kind for remark in found.report.losses} == {"dimensions"}
    model, data = build(found.workspace())
    assert jnp.isfinite(model.logpdf(model.parameters.init, data))


def test_functions_are_read_which_pyhf_ignores(data_dir):
    """The signal is scaled by two roots of the parameter of interest: by itself."""
    assert "digest" in REFERENCE[EXPRESSION]
    workspace = read_xml(data_dir / "xml" / EXPRESSION).workspace()
    model, data = build(workspace)
    plain = read_xml(data_dir / "xml" / EXPRESSION, XmlSettings(plain=True))
    assert digest(plain.document) == REFERENCE[EXPRESSION]["digest"]
    assert {remark.kind for remark in plain.report.losses} == {
        "expression",
        "extension",
    }
    names = list(model.parameters.names)
    assert {"rootPOI", "rootPOI2"}.isdisjoint(names)
    at = names.index("SigXsecOverSM")
    start = model.parameters.init.at[at].set(0.49)
    low, high = model.parameters.lower[at], model.parameters.upper[at]
    assert (float(low), float(high)) == (0.0, 3.0)
    assert float(model.parameters.init[at]) == 1.5
    rates = [model.expected_rates(start.at[at].set(mu)) for mu in (0.0, 0.5, 1.0)]
    assert jnp.allclose(rates[1] - rates[0], rates[2] - rates[1], rtol=1e-9)
    assert jnp.isfinite(model.logpdf(start, data))


@pytest.mark.parametrize("name", READ)
def test_every_input_comes_back(data_dir, tmp_path, name):
    found = read_xml(data_dir / "xml" / name)
    report = write_xml(found.workspace(), tmp_path, binning=found.report.binning)
    again = read_xml(tmp_path / "FitConfig.xml")
    unknown = name == DATA_DRIVEN  # its measurement fixes a parameter that is not there
    assert [r.kind for r in report.losses] == ["unused-parameter"] * unknown
    if name != TWO_DIMENSIONS:  # the bins of which come back in a row
        assert again.report.binning == found.report.binning
    if not unknown:
        assert sorted_settings(again.document) == sorted_settings(found.document)


@pytest.mark.long
def test_cls_of_the_example_is_that_of_pyhf(data_dir):
    plain = read_xml(data_dir / "xml" / EXAMPLE, XmlSettings(plain=True))
    result = hypotest(
        *build(plain.workspace(), measurement="GaussExample"), poi_value=1.0
    )
    assert float(result.CLs_obs) == pytest.approx(0.52474839, rel=2e-5)
    band = [0.00526827, 0.0236908, 0.09432478, 0.29770149, 0.64278466]
    assert result.CLs_exp.tolist() == pytest.approx(band, rel=2e-4)
