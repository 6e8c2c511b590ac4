"""From JSON to HistFactory XML and back: the same likelihood, nothing lost twice."""

import copy
import tempfile
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hfjax.building.build import build
from hfjax.documents.convert.histfactory.read import read_xml
from hfjax.documents.convert.histfactory.write import write_xml
from hfjax.documents.convert.loss_report import LOSSES
from hfjax.documents.workspace.workspace import Workspace
from tests import workspaces
from tests.reference.histfactory import HistFactory

EXACT = {"rel": 1e-12, "abs": 1e-12}
EXPECTED_NOTES = {"constraint-term", "no-poi"}
ALPHAS = ("n0", "n1", "h0", "h1")

quick = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow]
)


def there_and_back(document):
    """The document that comes back, and the report of writing it."""
    with tempfile.TemporaryDirectory() as folder:
        report = write_xml(Workspace.parse(document), folder)
        found = read_xml(Path(folder) / "FitConfig.xml")
    assert found.report.losses == ()
    assert {remark.kind for remark in found.report.notes} <= EXPECTED_NOTES
    return found.workspace().dump(), report


def renamed(name):
    """What a parameter of the generated documents is called when it comes back."""
    return name.replace("stat_", "staterror_")


@st.composite
def carriable(draw):
    """A document of which the likelihood can be carried; names and bounds may not."""
    document = draw(workspaces.workspaces())
    for entry in document["measurements"][0]["config"]["parameters"]:
        if entry["name"] != "lumi":
            entry.pop("auxdata", None)
            entry.pop("sigmas", None)
    expected = {
        channel["name"]: np.sum([each["data"] for each in channel["samples"]], axis=0)
        for channel in document["channels"]
    }
    for found in document["observations"]:  # an empty bin with events has no density
        found["data"] = [float(round(total)) for total in expected[found["name"]]]
    return document


@st.composite
def extended(draw):
    """The same, with all the kinds of constraint terms that XML can have."""
    document = draw(carriable())
    kinds = st.sampled_from([None, "gamma", "lognormal", "none", "poisson"])
    entries = document["measurements"][0]["config"]["parameters"]
    for entry in entries:
        kind = draw(kinds) if entry["name"] in ALPHAS else None
        if kind is not None:
            entry["constraint"] = kind
        if kind in ("gamma", "lognormal"):
            entry["sigmas"] = [draw(st.floats(0.01, 0.9))]
    of_bins = {
        (m["type"], m["name"])
        for channel in document["channels"]
        for sample in channel["samples"]
        for m in sample["modifiers"]
        if m["type"] in ("staterror", "shapesys")
    }
    for kind, name in sorted(of_bins):
        entry = {"name": name}
        if term := draw(st.sampled_from([None, "normal", "poisson", "gamma"])):
            entry["constraint"] = term
        if kind == "staterror" and (threshold := draw(st.sampled_from([0, 0.05, 0.3]))):
            entry["threshold"] = threshold
        entries.append(entry)
    document["version"] = "1.0.0+hfjax.1"
    return document


@quick
@given(st.one_of(carriable(), extended()), st.integers(0, 2**32))
def test_the_log_density_is_the_same(document, seed):
    back, _ = there_and_back(document)
    one, two = HistFactory(document), HistFactory(back)
    params = workspaces.some_params(tuple(one.parameter_names), seed, 0.3)
    values = {
        renamed(name): value
        for name, value in zip(one.parameter_names, params, strict=True)
    }
    other = [values[name] for name in two.parameter_names]
    expected = one.logpdf(params)
    assert two.logpdf(other) == pytest.approx(expected, nan_ok=True, **EXACT)


@quick
@given(st.one_of(carriable(), extended()))
def test_what_came_back_once_comes_back_equal(document):
    once, report = there_and_back(document)
    twice, again = there_and_back(once)
    assert twice == once
    assert {remark.kind for remark in again.losses} <= {"bounds"}  # of ROOT alone
    likely = {kind for kind, (_, then) in LOSSES.items() if "likelihood has" in then}
    assert not likely & {remark.kind for remark in report.losses}


@pytest.mark.slow
@quick
@given(workspaces.workspaces())
def test_every_setting_that_is_lost_is_in_the_report(document):
    """Auxiliary data and widths: reported where they differ when back; bounds stay."""
    back, report = there_and_back(document)
    places = {remark.place for remark in report.losses}
    found = {e["name"]: e for e in back["measurements"][0]["config"]["parameters"]}
    used = {name for name, _ in Workspace.parse(document).modifiers}
    entries = document["measurements"][0]["config"]["parameters"]
    for index, entry in enumerate(entries):
        pointer = f"/measurements/0/config/parameters/{index}"
        if entry["name"] not in {*used, "lumi"}:
            assert pointer in places
            continue
        default = {"auxdata": [0], "sigmas": [1], "bounds": [[-5, 5]]}
        kept = default | found.get(entry["name"], {})
        for key in {"auxdata", "sigmas", "bounds"} & entry.keys():
            if key == "bounds":
                assert np.allclose(entry[key], kept[key], rtol=1e-9)
            elif not np.allclose(entry[key], kept[key], rtol=1e-9):
                assert f"{pointer}/{key}" in places


def same_density(document, values):
    """Check that the library gives both documents the same log-density."""
    back, _ = there_and_back(document)
    one, data = build(Workspace.parse(document))
    two, other = build(Workspace.parse(back))
    values = dict(zip(one.parameters.names, values, strict=True))
    params = one.parameters.pack(values)
    moved = two.parameters.pack({renamed(name): v for name, v in values.items()})
    expected = float(one.logpdf(jnp.asarray(params), data))
    found = float(two.logpdf(jnp.asarray(moved), other))
    assert found == pytest.approx(expected, nan_ok=True, **EXACT)
    return expected


@pytest.mark.long
@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(extended(), st.integers(0, 2**32))
def test_the_log_density_of_extended_workspaces_is_the_same(document, seed):
    names = build(Workspace.parse(document))[0].parameters.names
    same_density(document, np.random.default_rng(seed).uniform(0.6, 1.5, len(names)))


def test_the_log_density_of_one_with_all_kinds_of_terms_is_the_same():
    document = workspaces.all_kinds()
    document["version"] = "1.0.0+hfjax.1"
    document["measurements"][0]["config"]["parameters"] += [
        {"name": "acceptance", "constraint": "lognormal", "sigmas": [0.2]},
        {"name": "tilt", "constraint": "none"},
        {"name": "xsec", "constraint": "gamma", "sigmas": [0.3]},
        {"name": "stat_SR", "constraint": "poisson", "threshold": 0.05},
        {"name": "fake", "constraint": "normal"},
    ]
    names = build(Workspace.parse(document))[0].parameters.names
    values = np.random.default_rng(0).uniform(0.6, 1.5, len(names))
    assert np.isfinite(same_density(document, values))


def test_all_kinds_of_modifiers_come_back():
    document = workspaces.all_kinds()
    back, _ = there_and_back(document)
    kinds = {
        m["type"]
        for c in back["channels"]
        for s in c["samples"]
        for m in s["modifiers"]
    }
    assert len(kinds) == 7
    assert back["channels"] == renamed_channels(document)


def renamed_channels(document):
    channels = copy.deepcopy(document["channels"])
    for channel in channels:
        for sample in channel["samples"]:
            for modifier in sample["modifiers"]:
                modifier["name"] = renamed(modifier["name"])
            lumi = [m for m in sample["modifiers"] if m["type"] == "lumi"]
            others = [m for m in sample["modifiers"] if m["type"] != "lumi"]
            sample["modifiers"] = [*lumi, *others]
    return channels


def test_t14_bins_without_uncertainty_keep_their_place():
    shape = workspaces.modifier("shapesys", "fake", [1.0, 0.0, 2.0])
    sample = workspaces.sample("fakes", [4.0, 3.0, 0.0], shape)
    document = workspaces.workspace({"SR": [sample]})
    back, report = there_and_back(document)
    assert back["channels"][0]["samples"][0]["modifiers"][0]["data"] == [1, 0, 0]
    assert [remark.kind for remark in report.losses] == ["relative-uncertainty"]
    one, two = HistFactory(document), HistFactory(back)
    assert one.fixed == two.fixed == [False, True, True]
    assert one.logpdf([1.1, 1.0, 1.0]) == two.logpdf([1.1, 1.0, 1.0])


def data_of(sample):
    """The modifiers' data, without the names of staterrors."""
    return {
        (m.type, "" if m.type == "staterror" else m.name): m.data
        for m in sample.modifiers
    }


@pytest.mark.long
@pytest.mark.parametrize("name", ["staus", "sbottomA", "sleptons", "offshell"])
def test_published_workspaces_come_back(data_dir, name):
    path = data_dir / "likelihoods" / name / "BkgOnly.json"
    workspace = Workspace.load(path)
    once, _ = there_and_back(workspace.dump())
    for channel in workspace.channels:
        found = Workspace.parse(once).channel(channel.name)
        for sample in channel.samples:
            back = found.sample(sample.name)
            assert back.data == sample.data
            assert data_of(back) == data_of(sample)
