"""Writing HistFactory XML: what is in the files, and what is lost by name."""

import copy
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import uproot
from hypothesis import given, settings as settings_of_hypothesis

from hfjax.documents.convert.histfactory.read import read_xml
from hfjax.documents.convert.histfactory.write import XmlLayout, export_xml, write_xml
from hfjax.documents.convert.loss_report import LOSSES
from hfjax.documents.convert.xml import parse_xml
from hfjax.documents.reading.schema import schema_folder
from hfjax.documents.workspace.measurement import EXTENSION
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import SpecificationError, UnknownNameError
from tests import workspaces
from tests.workspaces import LUMI, MU, histosys, modifier, normsys, sample, workspace

EXTENDED = "1.0.0+hfjax.1"


def all_kinds():
    """All types of modifiers; its staterror is named after its channel."""
    document = workspaces.all_kinds()
    for each in document["channels"][0]["samples"]:
        for found in each["modifiers"]:
            if found["type"] == "staterror":
                found["name"] = "staterror_SR"
    document["measurements"][0]["config"]["parameters"] = [dict(FIVE_SIGMA)]
    return document


FIVE_SIGMA = LUMI | {"bounds": [[0.9, 1.1]]}


def report_of(document):
    return export_xml(Workspace.parse(document)).report


def written(document, folder, **options):
    """The elements of the top-level file and of each channel's."""
    write_xml(Workspace.parse(document), folder, **options)
    top = parse_xml((folder / "FitConfig.xml").read_bytes(), "top")
    channels = [
        parse_xml((folder / element.text).read_bytes(), element.text)
        for element in top.all("Input")
    ]
    return top, channels


def settings(document, *entries):
    """The document with settings of parameters."""
    document = copy.deepcopy(document)
    document["measurements"][0]["config"]["parameters"] += entries
    if any(not entry.keys().isdisjoint(EXTENSION) for entry in entries):
        document["version"] = EXTENDED
    return document


# -- files -------------------------------------------------------------------------


def test_files_are_where_the_layout_says(tmp_path):
    layout = XmlLayout("a/b", "root files", "Fit")
    write_xml(Workspace.parse(all_kinds()), tmp_path / "new", layout)
    found = sorted(
        path.relative_to(tmp_path / "new").as_posix()
        for path in (tmp_path / "new").rglob("*")
        if path.is_file()
    )
    assert found == [
        "Fit.xml",
        "HistFactorySchema.dtd",
        "a/b/Fit_CR.xml",
        "a/b/Fit_SR.xml",
        "root files/data.root",
    ]
    text = (tmp_path / "new/a/b/Fit_SR.xml").read_text()
    assert '<!DOCTYPE Channel SYSTEM "../../HistFactorySchema.dtd">' in text
    assert 'InputFile="./root files/data.root"' in text


def test_the_folder_may_be_moved_and_is_read_from_anywhere(tmp_path):
    write_xml(Workspace.parse(all_kinds()), tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    found = read_xml(tmp_path / "there" / "FitConfig.xml").workspace()
    assert found.channel_names == ("SR", "CR")


def test_histograms_are_of_doubles_with_edges_of_unit_width(tmp_path):
    written(all_kinds(), tmp_path)
    with uproot.open(tmp_path / "data" / "data.root") as file:
        top, data = file["SR_top"], file["SR_data"]
        assert top.classname == data.classname == "TH1D"
        assert top.values().tolist() == [20.0, 22.0, 40.0]
        assert top.variances().tolist() == [4.0, 1.0, 0.0]
        assert top.axis().edges().tolist() == [0.0, 1.0, 2.0, 3.0]
        assert not data.weighted


def test_edges_survive_from_xml_to_json_to_xml(tmp_path):
    binning = {"SR": (0, 0.1, 12.5, 1e3), "CR": (-1.0, 1.0)}
    one = Workspace.parse(all_kinds())
    write_xml(one, tmp_path / "one", binning=binning)
    found = read_xml(tmp_path / "one" / "FitConfig.xml")
    assert found.report.binning == binning
    write_xml(found.workspace(), tmp_path / "two", binning=found.report.binning)
    again = read_xml(tmp_path / "two" / "FitConfig.xml")
    assert again.report.binning == binning


@pytest.mark.parametrize("edges", [(0, 1, 2), (0, 1, 1, 2), (0, 2, 1, 3)])
def test_edges_that_do_not_fit_are_refused(edges):
    with pytest.raises(SpecificationError, match="are not 4 rising numbers"):
        export_xml(Workspace.parse(all_kinds()), binning={"SR": edges})


def test_edges_of_an_unknown_channel_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'SR'"):
        export_xml(Workspace.parse(all_kinds()), binning={"SRa": (0, 1, 2, 3)})


def test_names_that_are_no_names_of_files_stay_in_their_folder(tmp_path):
    names = ["../../up", "a/b", "a_b", "A_B", "."]
    document = workspace({name: [sample("s/../..", [1.0], MU)] for name in names})
    top, channels = written(document, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert len({e.text.lower() for e in top.all("Input")}) == len(names)
    assert [channel.attributes["Name"] for channel in channels] == names
    found = read_xml(tmp_path / "out" / "FitConfig.xml")
    assert [each["name"] for each in found.document["channels"]] == names


@pytest.mark.parametrize("name", ['<&>"', "ü µ", "a\tb", "\U0001f600"])
def test_any_name_that_xml_can_have_survives(tmp_path, name):
    document = workspace({name: [sample(name, [1.0], normsys(name, 0.9, 1.1))]})
    written(document, tmp_path)
    found = read_xml(tmp_path / "FitConfig.xml").workspace()
    assert found.channel(name).sample(name).modifiers[0].name == name


def test_a_name_that_xml_cannot_have_is_refused():
    document = workspace({"SR": [sample("a\x00b", [1.0])]})
    with pytest.raises(SpecificationError, match="a character that XML cannot have"):
        report_of(document)


def test_an_empty_name_is_refused():
    document = workspace({"SR": [sample("", [1.0])]})
    with pytest.raises(SpecificationError, match="no Sample without a name"):
        report_of(document)


def test_what_is_written_is_of_the_document_type(tmp_path):
    """Elements, their attributes and what is in them, as the .dtd declares them."""
    text = (schema_folder() / "HistFactorySchema.dtd").read_text()
    inside = dict(re.findall(r"<!ELEMENT (\w+)\s+([^>]+)>", text))
    attributes = {
        tag: dict(re.findall(r"(\w+)\s+CDATA #(\w+)", body))
        for tag, body in re.findall(r"<!ATTLIST (\w+)([^>]+)>", text)
    }
    term = {"name": "tilt", "constraint": "gamma", "sigmas": [0.2]}
    fixed = {"name": "xsec", "fixed": True, "inits": [0.5]}
    top, channels = written(settings(all_kinds(), term, fixed), tmp_path)

    def check(element):
        known = attributes.get(element.tag, {})
        assert set(element.attributes) <= set(known)
        required = {name for name, kind in known.items() if kind == "REQUIRED"}
        assert required <= set(element.attributes)
        for child in element.children:
            assert re.search(rf"\b{child.tag}\b", inside[element.tag])
            check(child)

    for element in (top, *channels):
        check(element)
    assert (tmp_path / "HistFactorySchema.dtd").read_text() == text


# -- contents ----------------------------------------------------------------------


def test_t25_the_luminositys_uncertainty_is_relative(tmp_path):
    """pyhf writes the absolute one."""
    document = all_kinds()
    lumi = {"auxdata": [140.0], "sigmas": [2.1], "inits": [140.0]}
    config = document["measurements"][0]["config"]
    config["parameters"][0] = FIVE_SIGMA | lumi | {"bounds": [[129.5, 150.5]]}
    (top, _) = written(document, tmp_path)
    stated = top.all("Measurement")[0].attributes
    assert float(stated["Lumi"]) == 140.0
    assert float(stated["LumiRelErr"]) == pytest.approx(0.015, rel=1e-15)
    found = read_xml(tmp_path / "FitConfig.xml").workspace()
    assert found.measurements[0].parameter("lumi").sigmas == (2.1,)
    assert report_of(document).losses == ()


def test_t12_kind_and_threshold_of_staterrors_are_always_stated(tmp_path):
    """Where they are not, ROOT takes Poisson terms and a threshold of 0.05."""
    top, (channel, other) = written(all_kinds(), tmp_path)
    del top
    (config,) = channel.all("StatErrorConfig")
    stated = {"RelErrorThreshold": "0.0", "ConstraintType": "Gaussian"}
    assert config.attributes == stated
    assert other.all("StatErrorConfig") == ()


def test_fixed_parameters_are_constant_by_roots_names(tmp_path):
    names = ("lumi", "mu", "tilt", "staterror_SR", "fake", "free")
    entries = [{"name": name, "fixed": True} for name in names[1:]]
    document = settings(all_kinds(), *entries)
    document["measurements"][0]["config"]["parameters"][0]["fixed"] = True
    (top, _) = written(document, tmp_path)
    (setting,) = top.all("Measurement")[0].all("ParamSetting")
    assert setting.attributes == {"Const": "True"}
    assert setting.text.split() == [
        *("Lumi", "mu", "alpha_tilt"),
        *(f"gamma_stat_SR_bin_{i}" for i in range(3)),
        *(f"gamma_fake_bin_{i}" for i in range(3)),
        "gamma_free_bin_0",
    ]
    found = read_xml(tmp_path / "FitConfig.xml").workspace().measurements[0]
    assert all(found.parameter(name).fixed for name in names)
    assert report_of(document).losses == ()


def test_initial_values_of_all_parameters_are_carried(tmp_path):
    entries = [
        {"name": "tilt", "inits": [0.25]},
        {"name": "mu", "inits": [0.5], "bounds": [[-1, 3]]},
        {"name": "fake", "inits": [1.0, 0.5, 2.0]},
        {"name": "lumi", "inits": [1.01]},
    ]
    document = settings(all_kinds(), *entries[:3])
    document["measurements"][0]["config"]["parameters"][0] |= entries[3]
    written(document, tmp_path)
    found = read_xml(tmp_path / "FitConfig.xml").workspace().measurements[0]
    for entry in entries:
        assert list(found.parameter(entry["name"]).inits) == entry["inits"]
    assert found.parameter("mu").bounds == ((-1.0, 3.0),)
    assert report_of(document).losses == ()


def test_measurements_may_start_a_norm_factor_elsewhere(tmp_path):
    document = settings(all_kinds(), {"name": "mu", "inits": [2.0]})
    second = copy.deepcopy(document["measurements"][0])
    second["name"] = "second"
    del second["config"]["parameters"][1]
    document["measurements"].append(second)
    written(document, tmp_path)
    one, two = read_xml(tmp_path / "FitConfig.xml").workspace().measurements
    assert one.parameter("mu").inits == (2.0,)
    assert two.parameter("mu").inits == (1.0,)
    assert report_of(document).losses == ()


@pytest.mark.parametrize(
    ("entry", "back"),
    [
        ({"constraint": "gamma", "sigmas": [0.3]}, None),
        ({"constraint": "lognormal", "sigmas": [0.2]}, None),
        ({"constraint": "none"}, None),
        ({"constraint": "poisson"}, {"constraint": "gamma", "sigmas": [1.0]}),
    ],
)
def test_constraint_terms_of_systematics_are_carried(tmp_path, entry, back):
    document = settings(all_kinds(), {"name": "acceptance"} | entry)
    written(document, tmp_path)
    found = read_xml(tmp_path / "FitConfig.xml").workspace().measurements[0]
    assert found.parameter("acceptance").dump() == {"name": "acceptance"} | (
        back or entry
    )
    assert report_of(document).losses == ()


def test_constraint_terms_of_bins_are_carried(tmp_path):
    entries = [
        {"name": "staterror_SR", "constraint": "poisson", "threshold": 0.05},
        {"name": "fake", "constraint": "normal"},
    ]
    document = settings(all_kinds(), *entries)
    written(document, tmp_path)
    found = read_xml(tmp_path / "FitConfig.xml").workspace().measurements[0]
    assert [found.parameter(e["name"]).dump() for e in entries] == entries
    assert report_of(document).losses == ()


def test_t11_staterrors_of_bins_without_events_are_carried(tmp_path):
    """pyhf writes them relative to the events, so those of empty bins vanish."""
    stat = modifier("staterror", "staterror_SR", [0.5, 2.0])
    document = workspace({"SR": [sample("a", [0.0, 3.0], stat)]})
    written(document, tmp_path)
    found = read_xml(tmp_path / "FitConfig.xml").workspace()
    assert found.channel("SR").sample("a").modifiers[0].data == (0.5, 2.0)


def test_t9_samples_without_staterror_take_no_part_in_it(tmp_path):
    stat = modifier("staterror", "staterror_SR", [0.5])
    document = workspace({"SR": [sample("a", [3.0], stat), sample("b", [100.0])]})
    written(document, tmp_path)
    found = read_xml(tmp_path / "FitConfig.xml").workspace()
    assert found.channel("SR").sample("b").modifiers == ()


# -- losses ------------------------------------------------------------------------

PARAMETERS = "/measurements/0/config/parameters"
STAT = modifier("staterror", "stat", [1.0, 2.0, 3.0])


def with_observation(document):
    document["observations"].append({"name": "VR", "data": [1.0]})
    return document


def with_second_staterror(document):
    document["channels"][0]["samples"][1]["modifiers"].append(STAT)
    return document


def with_named_staterror(document):
    for each in document["channels"][0]["samples"]:
        for found in each["modifiers"]:
            found["name"] = {"staterror_SR": "mc"}.get(found["name"], found["name"])
    return document


def with_uncertainty_of_an_empty_bin(document):
    document["channels"][0]["samples"][2]["modifiers"][0]["data"] = [1.0, 7.0, 2.0]
    return document


def without_lumi(document):
    document["measurements"][0]["config"]["parameters"] = []
    return document


def with_second_measurement(document):
    second = copy.deepcopy(document["measurements"][0]) | {"name": "second"}
    document["measurements"].append(second)
    return settings(document, {"name": "staterror_SR", "constraint": "poisson"})


def with_two_ranges(document):
    second = copy.deepcopy(document["measurements"][0]) | {"name": "second"}
    second["config"]["parameters"].append({"name": "mu", "bounds": [[0, 5]]})
    document["measurements"].append(second)
    return document


def with_blank(document):
    document["channels"][1]["samples"][0]["modifiers"][2]["name"] = "x sec"
    return settings(document, {"name": "x sec", "fixed": True})


LOST = {
    "auxdata": ({"name": "tilt", "auxdata": [0.5]}, f"{PARAMETERS}/1/auxdata"),
    "auxdata of bins": (
        {"name": "staterror_SR", "auxdata": [1, 1, 2]},
        f"{PARAMETERS}/1/auxdata",
    ),
    "bounds": ({"name": "tilt", "bounds": [[-3, 3]]}, f"{PARAMETERS}/1/bounds"),
    "bounds of a measurement": (
        with_two_ranges,
        "/measurements/1/config/parameters/1/bounds",
    ),
    "constraint": (
        {"name": "fake", "constraint": "lognormal"},
        f"{PARAMETERS}/1/constraint",
    ),
    "expression": (
        {"name": "k_fake", "expression": "2 * mu"},
        f"{PARAMETERS}/1/expression",
    ),
    "factors": ({"name": "fake", "factors": [1, 2, 3]}, f"{PARAMETERS}/1/factors"),
    "inits": ({"name": "fake", "inits": [1, 2]}, f"{PARAMETERS}/1/inits"),
    "lumi": (without_lumi, "/measurements/0"),
    "measurement": (with_second_measurement, "/measurements/1"),
    "name": (with_blank, f"{PARAMETERS}/1"),
    "observation": (with_observation, "/observations/2"),
    "relative-uncertainty": (
        with_uncertainty_of_an_empty_bin,
        "/channels/0/samples/2/modifiers/0/data/1",
    ),
    "sigmas": ({"name": "tilt", "sigmas": [2.0]}, f"{PARAMETERS}/1/sigmas"),
    "sigmas of bins": (
        {"name": "staterror_SR", "sigmas": [0.1, 0.1, 0.2]},
        f"{PARAMETERS}/1/sigmas",
    ),
    "staterror": (with_second_staterror, "/channels/0/samples/1/modifiers/5"),
    "staterror-name": (with_named_staterror, "/channels/0"),
    "unused-parameter": ({"name": "nothing", "inits": [1]}, f"{PARAMETERS}/1"),
}
"""For each kind of loss what makes it, and where it is."""


@pytest.mark.parametrize("title", LOST)
def test_what_cannot_be_carried_is_a_loss(tmp_path, title):
    change, place = LOST[title]
    document = all_kinds()
    document = change(document) if callable(change) else settings(document, change)
    report = write_xml(Workspace.parse(document), tmp_path)
    assert [(remark.kind, remark.place) for remark in report.losses] == [
        (title.split(" of ")[0], place)
    ]
    read_xml(tmp_path / "FitConfig.xml").workspace()


def test_no_loss_is_reported_where_there_is_none():
    assert report_of(all_kinds()).losses == ()


def test_default_values_that_are_stated_are_no_loss():
    stated = [
        {"name": "tilt", "auxdata": [0.0], "sigmas": [1], "bounds": [[-5, 5]]},
        {"name": "staterror_SR", "auxdata": [1, 1, 1], "bounds": [[1e-10, 10]] * 3},
        {"name": "free", "inits": [1], "bounds": [[0, 10]], "fixed": False},
    ]
    assert report_of(settings(all_kinds(), *stated)).losses == ()


def test_every_kind_of_loss_of_writing_is_planted_here():
    planted = {title.split(" of ")[0] for title in LOST}
    of_reading = {
        *("additional-data", "asimov-data", "attribute", "bin-range", "conflict"),
        *("dimensions", "extension", "histofactor", "part-constant", "poi"),
        *("switched-off", "unknown-bins"),
        *("analysis", "metadata", "prior"),  # of HS3
    }
    assert planted | of_reading == set(LOSSES)
    assert not planted & of_reading


def test_t10_a_staterror_of_two_channels_keeps_its_likelihood(tmp_path):
    """Its factors follow one another, one for each bin: two names say the same."""
    stat = {
        name: modifier("staterror", "mc", data)
        for name, data in (("SR", [1.0, 2.0]), ("CR", [3.0]))
    }
    document = workspace(
        {
            "SR": [sample("a", [10.0, 20.0], stat["SR"], MU)],
            "CR": [sample("a", [30.0], stat["CR"])],
        },
        None,
        {"name": "mc", "inits": [0.9, 1.1, 1.2]},
    )
    report = write_xml(Workspace.parse(document), tmp_path)
    assert [remark.kind for remark in report.losses] == ["staterror-name"] * 2
    found = read_xml(tmp_path / "FitConfig.xml").workspace().measurements[0]
    assert found.parameter("staterror_CR").inits == (0.9,)
    assert found.parameter("staterror_SR").inits == (1.1, 1.2)


def test_a_measurement_without_poi_is_noted(tmp_path):
    document = all_kinds()
    document["measurements"][0]["config"]["poi"] = ""
    report = write_xml(Workspace.parse(document), tmp_path)
    assert {remark.kind for remark in report.notes} == {"no-poi", "range"}
    assert read_xml(tmp_path / "FitConfig.xml").workspace().measurements[0].poi == ""


def test_a_workspace_without_lumi_holds_it_constant(tmp_path):
    document = workspace({"SR": [sample("a", [1.0], MU)]}, poi="mu")
    (top, _) = written(document, tmp_path)
    (found,) = top.all("Measurement")
    assert (found.attributes["Lumi"], found.attributes["LumiRelErr"]) == ("1.0", "0.0")
    assert found.all("ParamSetting")[0].text == "Lumi"


def test_a_norm_factor_may_be_called_lumi_or_like_a_systematic(tmp_path):
    factors = [modifier("normfactor", name) for name in ("lumi", "alpha_s", "gamma_1")]
    entries = [{"name": f["name"], "fixed": True} for f in factors]
    document = workspace({"SR": [sample("a", [1.0], *factors)]}, None, *entries)
    written(document, tmp_path)
    found = read_xml(tmp_path / "FitConfig.xml").workspace().measurements[0]
    assert all(found.parameter(f["name"]).fixed for f in factors)


def test_histosys_and_shapes_are_written_as_they_are(tmp_path):
    shape = histosys("tilt", [-1.0, 1e-300], [0.1 + 0.2, 1e10])
    document = workspace({"SR": [sample("a", [1.0, 2.0], shape)]})
    written(document, tmp_path)
    data = read_xml(tmp_path / "FitConfig.xml").workspace().channel("SR").samples[0]
    assert data.modifiers[0].data == {
        "lo_data": (-1.0, 1e-300),
        "hi_data": (0.1 + 0.2, 1e10),
    }


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_xml_cannot_have_are_refused(number):
    document = workspace({"SR": [sample("a", [1.0], normsys("x", 0.9, number))]})
    message = r"cannot have (nan|inf): .* \(at /channels/0/samples/0/modifiers/0\)"
    with pytest.raises(SpecificationError, match=message):
        report_of(document)


@settings_of_hypothesis(deadline=None, max_examples=60)
@given(workspaces.forms())
def test_any_workspace_is_written_or_refused(document):
    before = copy.deepcopy(document)
    parsed = Workspace.parse(document)
    with tempfile.TemporaryDirectory() as folder:
        try:
            write_xml(parsed, folder)
        except SpecificationError:  # names that XML cannot have
            return
        found = read_xml(Path(folder) / "FitConfig.xml")
    assert parsed.dump() == before
    names = [each["name"] for each in found.document["channels"]]
    assert names == list(parsed.channel_names)


def test_uproot_is_not_loaded_before_it_is_needed():
    code = (
        "import sys\n"
        "import hfjax.documents.convert.histfactory.write\n"
        "import hfjax.documents.convert.histfactory.read\n"
        "import hfjax.cli.main\n"
        "assert not {'uproot', 'numpy', 'jax'} & set(sys.modules)"
    )
    root = Path(__file__).parents[4]
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
