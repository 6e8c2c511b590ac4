"""`hfjax xml2json` and `hfjax json2xml`."""

import json

import pytest

from hfjax.documents.convert.loss_report import SCHEMA
from hfjax.documents.reading.schema import validate
from tests.documents.convert.histfactory.xml_inputs import (
    STATED,
    measurement,
    top_sample,
    write_input,
)

POISSON = '<StatErrorConfig RelErrorThreshold="0.05" ConstraintType="Poisson"/>'
STATERROR = top_sample('<StatError Activate="True"/>')


@pytest.fixture
def xml(tmp_path):
    """An input that leaves nothing open."""
    return write_input(tmp_path, STATED, STATERROR)


def test_xml_becomes_json_on_standard_output(hfjax, xml):
    outcome = hfjax("xml2json", xml)
    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.json["version"] == "1.0.0"
    assert outcome.json["observations"] == [{"name": "SR", "data": [50.0, 60.0]}]


@pytest.mark.parametrize("spelling", ["--output", "-o", "--output-file"])
def test_xml_becomes_a_json_file(hfjax, xml, spelling):
    outcome = hfjax("xml2json", xml, spelling, "ws.json", "--hide-progress")
    assert (outcome.code, outcome.stdout) == (0, "")
    assert hfjax("inspect", "ws.json").json["samples"] == ["signal", "top"]


def test_there_and_back(hfjax, xml, tmp_path):
    assert hfjax("xml2json", xml, "-o", "1.json", "--loss-report", "r.json").code == 0
    outcome = hfjax("json2xml", "1.json", "--output-dir", "out", "--binning", "r.json")
    assert (outcome.code, outcome.stdout) == (0, "")
    (told,) = outcome.stderr.splitlines()
    assert told.startswith("hfjax: note on range: bin 0 of 'staterror_SR' has [1e-10")
    files = {
        p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.rglob("out/**/*.*")
    }
    assert files == {
        "FitConfig.xml",
        "HistFactorySchema.dtd",
        "config/FitConfig_SR.xml",
        "data/data.root",
    }
    again = hfjax(
        "xml2json", "out/FitConfig.xml", "--basedir", "out", "--loss-report", "2.json"
    )
    one, two = (json.loads((tmp_path / f).read_text()) for f in ("r.json", "2.json"))
    assert one["binning"] == two["binning"] == {"SR": [0.0, 50.0, 200.0]}
    document = json.loads((tmp_path / "1.json").read_text())
    order = {each["name"]: each for each in document["channels"][0]["samples"]}
    assert again.json["channels"][0]["samples"] == list(order.values())
    assert again.json["measurements"] == document["measurements"]


def test_folders_and_prefix_are_given(hfjax, hello, write, tmp_path):
    options = ("--specroot", "s", "--dataroot", "d", "--resultprefix", "Fit")
    assert hfjax("json2xml", write("ws.json", hello), *options).code == 0
    for name in ("Fit.xml", "s/Fit_SR.xml", "d/data.root", "HistFactorySchema.dtd"):
        assert (tmp_path / name).is_file()


@pytest.mark.parametrize("option", ["--patch", "-p"])
def test_patches_are_applied_before_writing(hfjax, background, write, option):
    signal = {"name": "sig", "data": [1, 2], "modifiers": []}
    patch = [{"op": "add", "path": "/channels/0/samples/-", "value": signal}]
    ws, path = write("ws.json", background), write("patch.json", patch)
    assert hfjax("json2xml", ws, option, path, "--output-dir", "out").code == 0
    found = hfjax("xml2json", "out/FitConfig.xml").json["channels"][0]["samples"]
    assert [each["name"] for each in found] == ["bkg", "sig"]


def test_standard_input_is_the_default(hfjax, hello):
    assert hfjax("json2xml", stdin=json.dumps(hello)).code == 0
    assert hfjax("xml2json", "FitConfig.xml").json["channels"][0]["name"] == "SR"


def test_progress_is_shown_on_a_terminal_unless_hidden(hfjax, xml, monkeypatch):
    monkeypatch.setattr("hfjax.cli.streams.talks", lambda quiet: not quiet)
    for options in ([], ["--track-progress"]):
        shown = hfjax("xml2json", xml, *options).stderr
        assert "read" in shown
        assert "1/1" in shown
    assert hfjax("xml2json", xml, "--hide-progress").stderr == ""


# -- the report --------------------------------------------------------------------


@pytest.fixture
def bounded(hello):
    """A workspace that has more than XML can carry: two losses of one kind."""
    parameters = hello["measurements"][0]["config"]["parameters"]
    parameters.append({"name": "stat", "bounds": [[0.5, 2.0]] * 2, "fixed": False})
    parameters.append({"name": "nothing", "fixed": True})
    return hello


def test_losses_are_told_in_one_line_for_each_kind(hfjax, bounded, write):
    outcome = hfjax("json2xml", write("ws.json", bounded))
    assert outcome.code == 0
    assert outcome.stderr.splitlines() == [
        "hfjax: lost bounds: [[0.5, 2.0], [0.5, 2.0]] of 'stat' at "
        "/measurements/0/config/parameters/0/bounds",
        "hfjax: lost unused-parameter: settings of 'nothing' at "
        "/measurements/0/config/parameters/1",
        "hfjax: note on range: bin 0 of 'stat' has [0.5, 2], in ROOT [0, 1.3], and 1 "
        "more bins at /measurements/0/config/parameters/0/bounds",
    ]


def test_the_report_is_a_file_of_its_schema(hfjax, bounded, write, tmp_path):
    ws = write("ws.json", bounded)
    assert hfjax("json2xml", ws, "--loss-report", "report.json").code == 0
    report = json.loads((tmp_path / "report.json").read_text())
    validate(report, SCHEMA)
    assert report["direction"] == "json2xml"
    assert [each["kind"] for each in report["losses"]] == ["bounds", "unused-parameter"]


def test_strict_refuses_losses_and_writes_nothing_but_the_report(
    hfjax, bounded, write, tmp_path
):
    options = ("--strict", "--loss-report", "report.json", "--output-dir", "out")
    complaint = hfjax("json2xml", write("ws.json", bounded), *options).complaint
    assert "would lose something: lost bounds: " in complaint
    assert "and 1 more" in complaint
    assert (tmp_path / "report.json").is_file()
    assert not (tmp_path / "out").exists()


def test_strict_accepts_what_loses_nothing(hfjax, xml, hello, write):
    assert hfjax("xml2json", xml, "--strict").code == 0
    strictly = ("json2xml", write("ws.json", hello), "--output-dir", "new", "--strict")
    assert hfjax(*strictly).code == 0


def test_files_are_overwritten_only_by_force(hfjax, hello, write, tmp_path):
    arguments = ("json2xml", write("ws.json", hello), "--output-dir", "out")
    assert hfjax(*arguments).code == 0
    top = tmp_path / "out" / "FitConfig.xml"
    top.write_text("mine")
    (tmp_path / "out" / "data" / "data.root").unlink()
    report = ("--loss-report", "report.json")
    complaint = hfjax(*arguments, *report).complaint
    files = "out/FitConfig.xml, out/config/FitConfig_SR.xml"
    assert f"there are files already: {files}: choose another folder" in complaint
    assert "--force" in complaint
    assert top.read_text() == "mine"
    assert not (tmp_path / "report.json").exists()
    assert hfjax(*arguments, "--force").code == 0
    assert top.read_text() != "mine"
    assert hfjax(*arguments, "--resultprefix", "B").complaint.count("data.root") == 1
    beside = ("--resultprefix", "B", "--dataroot", "more")
    assert hfjax(*arguments, *beside).code == 0


def test_a_plain_document_is_refused_if_strict(hfjax, tmp_path):
    path = write_input(tmp_path, POISSON, STATERROR)
    assert hfjax("xml2json", path, "--strict").json["version"] == "1.0.0+hfjax.1"
    plain = hfjax("xml2json", path, "--plain")
    assert plain.json["version"] == "1.0.0"
    assert "lost extension (2 times): constraint poisson" in plain.stderr
    assert "lost extension" in hfjax("xml2json", path, "--plain", "--strict").complaint


def test_what_is_not_stated_is_noted_or_read_as_root_does(hfjax, tmp_path):
    path = write_input(tmp_path, STATERROR)
    assert (
        "note on staterror-constraint: no ConstraintType"
        in hfjax("xml2json", path, "--strict").stderr
    )
    outcome = hfjax("xml2json", path, "--root-defaults")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.json["version"] == "1.0.0+hfjax.1"


def test_bins_are_selected_if_asked_for(hfjax, tmp_path):
    stated = measurement(attributes='BinLow="1"')
    path = write_input(tmp_path, measurements=stated)
    outcome = hfjax("xml2json", path, "--select-bins")
    assert outcome.json["observations"][0]["data"] == [60.0]


# -- mounts, validation, bad input -------------------------------------------------


@pytest.mark.parametrize("option", ["--mount", "-v"])
def test_mounts(hfjax, xml, tmp_path, option):
    channel = tmp_path / "config" / "SR.xml"
    channel.write_text(channel.read_text().replace("./data", "/eos/data"))
    assert "/eos/data/data.root" in hfjax("xml2json", xml).complaint
    mount = f"{tmp_path / 'data'}:/eos/data"
    assert hfjax("xml2json", xml, option, mount).code == 0
    assert hfjax("xml2json", xml, option, "data:/eos/data").code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--mount", "data"], "'data' is not of the form HOST:PATH"),
        (["--mount", ":data"], "':data' is not of the form HOST:PATH"),
        (["--mount", "nowhere:/data"], "'nowhere' does not exist"),
        (["--basedir", "nowhere"], "folder 'nowhere' does not exist"),
        (["--basedir", "data"], "config/SR.xml: cannot be read: No such file"),
        (["--loss-report", "-"], "the report needs a file of its own"),
        (["--loss-report", "nowhere/r.json"], "folder 'nowhere' does not exist"),
    ],
)
def test_options_that_are_wrong(hfjax, xml, options, message):
    assert message in hfjax("xml2json", xml, *options).complaint


def test_a_document_that_is_no_workspace_is_refused_or_written(hfjax, tmp_path):
    twice = top_sample('<OverallSys Name="jes" Low="0.9" High="1.2"/>' * 2)
    path = write_input(tmp_path, twice)
    for options in ([], ["--validation-as-error"]):
        complaint = hfjax("xml2json", path, *options).complaint
        assert "modifier 'jes' 'normsys' is there twice" in complaint
    outcome = hfjax("xml2json", path, "--validation-as-warning")
    assert outcome.code == 0
    assert "hfjax: warning: no valid workspace: " in outcome.stderr
    assert len(outcome.json["channels"][0]["samples"][0]["modifiers"]) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<Channel/>", "the file is a <Channel>, a <Combination> was expected"),
        ("{}", "not XML: "),
        ("", "not XML: no element found"),
        ("<!DOCTYPE A [<!ENTITY a 'b'>]><A/>", "the entity 'a' is not read"),
    ],
)
def test_entry_points_that_are_wrong(hfjax, write, content, message):
    assert message in hfjax("xml2json", write("top.xml", content)).complaint


def test_entry_points_that_cannot_be_read(hfjax, tmp_path):
    assert "cannot be read: No such file" in hfjax("xml2json", "a.xml").complaint
    assert "cannot be read: Is a directory" in hfjax("xml2json", tmp_path).complaint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--patch", "-"], "only one input can be standard input"),
        (["--binning", "-"], "only one input can be standard input"),
        (["--resultprefix", "a/b"], "'a/b' is no beginning of a name"),
        (["--resultprefix", ""], "'' is no beginning of a name"),
        (["--binning", "nowhere.json"], "nowhere.json: cannot be read"),
        (["--output-dir", "file"], "file"),
    ],
)
def test_json2xml_refuses(hfjax, hello, write, options, message):
    write("file", "not a folder")
    outcome = hfjax("json2xml", "-", *options, stdin=json.dumps(hello))
    assert message in outcome.complaint


def test_t2_modifiers_that_are_there_twice_are_composed(hfjax, tmp_path):
    overall = '<OverallSys Name="jes" Low="{}" High="{}"/>'
    shape = '<HistoSys Name="jes" HistoNameLow="top_low" HistoNameHigh="top_high"/>'
    inside = overall.format(0.9, 1.1) + shape + overall.format(0.8, 1.2) + shape
    path = write_input(tmp_path, top_sample(inside))
    assert "is there twice" in hfjax("xml2json", path).complaint
    outcome = hfjax("xml2json", path, "--compose", "--loss-report", "report.json")
    _, factor, shift = outcome.json["channels"][0]["samples"][0]["modifiers"]
    assert factor["data"] == pytest.approx({"lo": 0.72, "hi": 1.32}, rel=1e-15)
    assert shift["data"] == {"lo_data": [30.0, 46.0], "hi_data": [48.0, 60.0]}
    report = json.loads((tmp_path / "report.json").read_text())
    assert [note["what"] for note in report["notes"] if note["kind"] == "composed"] == [
        "2 normsys 'jes' of sample 'top'",
        "2 histosys 'jes' of sample 'top'",
    ]
