"""`hfjax convert`: JSON, HS3 and HistFactory XML into one another."""

import json

import pytest

from tests.documents.convert.hs3 import documents as d, workspaces


@pytest.fixture
def workspace(write):
    """A workspace with all types of modifiers and settings of all keys."""
    return write("ws.json", workspaces.example())


def test_json_to_hs3_and_back(hfjax, workspace, tmp_path):
    assert hfjax("convert", workspace, "ws.hs3.json").code == 0
    written = json.loads((tmp_path / "ws.hs3.json").read_text())
    assert written["metadata"] == {"hs3_version": "0.2"}
    back = hfjax("convert", "ws.hs3.json", "-")
    assert back.json == workspaces.example()
    assert back.stderr == ""


def test_standard_input_and_output(hfjax):
    text = json.dumps(workspaces.example())
    written = hfjax("convert", "-", "-", "--to", "hs3", stdin=text)
    back = hfjax("convert", "-", "-", stdin=written.stdout)
    assert back.json == workspaces.example()


def test_json_to_xml_and_back_by_way_of_hs3(hfjax, hello, write, tmp_path):
    hello["measurements"][0]["config"]["parameters"] = [
        {"name": "mu", "inits": [1.0], "bounds": [[0, 5.0]]}
    ]
    path = write("ws.json", hello)
    assert hfjax("convert", path, "xml", "--to", "xml").code == 0
    outcome = hfjax("convert", "xml/FitConfig.xml", "ws.hs3.json", "--strict")
    assert outcome.code == 0, outcome.stderr
    back = hfjax("convert", "ws.hs3.json", "-").json
    assert back["channels"][0]["samples"][1]["data"] == [50.0, 52.0]
    assert back["observations"] == [{"name": "SR", "data": [51.0, 48.0]}]
    folder = tmp_path / "again"
    assert hfjax("convert", "ws.hs3.json", folder, "--to", "xml").code == 0
    assert (folder / "FitConfig.xml").is_file()


def test_edges_of_bins_go_from_xml_to_hs3(hfjax, hello, write, tmp_path):
    report = {"direction": "xml2json", "losses": [], "notes": []}
    edges = write("report.json", {**report, "binning": {"SR": [0, 50, 200]}})
    path = write("ws.json", hello)
    options = ("--binning", edges, "--to")
    assert hfjax("convert", path, "xml", *options, "xml").code == 0
    assert hfjax("convert", "xml/FitConfig.xml", "a.hs3", "--to", "hs3").code == 0
    written = json.loads((tmp_path / "a.hs3").read_text())
    assert written["distributions"][0]["axes"][0]["edges"] == [0, 50, 200]
    assert hfjax("convert", path, "b.hs3", *options, "hs3").code == 0
    written = json.loads((tmp_path / "b.hs3").read_text())
    assert written["data"][0]["axes"][0]["edges"] == [0, 50, 200]


def lossy():
    """An HS3 document with a second parameter of interest."""
    factors = [d.modifier("normfactor", name) for name in ("mu", "k")]
    document = d.document(d.channel("SR", d.sample("s", *factors)))
    document["analyses"][0]["parameters_of_interest"] = ["mu", "k"]
    return document


def test_losses_are_told_reported_and_refused(hfjax, write, tmp_path):
    path = write("root.json", lossy())
    outcome = hfjax("convert", path, "ws.json", "--loss-report", "report.json")
    assert outcome.code == 0
    assert outcome.stderr == (
        "hfjax: lost poi: parameter of interest 'k' at /analyses/0\n"
    )
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["direction"] == "hs32json"
    assert [loss["kind"] for loss in report["losses"]] == ["poi"]
    complaint = hfjax("convert", path, "strict.json", "--strict").complaint
    assert "the conversion would lose something" in complaint
    assert not (tmp_path / "strict.json").exists()


def test_losses_of_reading_and_writing_are_in_one_report(hfjax, write, tmp_path):
    document = lossy()
    document["domains"][0]["axes"] = [{"name": "mu", "min": 0, "max": 5}]
    document["analyses"][0]["prior"] = "p"
    options = ("--to", "xml", "--loss-report", "report.json")
    assert hfjax("convert", write("r.json", document), "xml", *options).code == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["direction"] == "hs32xml"
    assert {"poi", "prior"} <= {loss["kind"] for loss in report["losses"]}


def test_meaning_of_vals_and_analysis(hfjax, write):
    shape = d.modifier("shapesys", "f", constraint="Poisson", data={"vals": [2.0, 3.0]})
    document = d.document(d.channel("SR", d.sample("s", shape)))
    path = write("pyhs3.json", document)
    complaint = hfjax("convert", path, "-").complaint
    assert (
        "pyhs3.json: shapesys 'f' of sample 's' of channel 'SR' has vals" in complaint
    )
    options = ("--shapesys", "absolute", "--analysis", "fit")
    back = hfjax("convert", path, "-", *options).json
    assert back["channels"][0]["samples"][0]["modifiers"][0]["data"] == [2.0, 3.0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ws.json", "out.json"), "does not say what it should become: give --to"),
        (("ws.json", "-"), "give --to hs3 or --to xml"),
        (("ws.json", "a/b", "--to", "hs3"), "folder 'a' does not exist"),
        (("ws.json", "-", "--to", "xml"), "'-' has to be a folder"),
        (("ws.json", "out.xml"), "'out.xml' has to be a folder"),
        (("ws.json", "ws.json", "--to", "xml"), "'ws.json' has to be a folder"),
        (("-", "x", "--from", "xml"), "HistFactory XML names further files"),
        (("ws.json", "x", "--to", "yaml"), "'yaml' is not one of"),
        (("ws.json", "x", "--from", "hs3"), "ws.json: 'metadata' is a required"),
        (("nowhere.json", "x", "--to", "hs3"), "nowhere.json: cannot be read"),
        (("nowhere.xml", "x.json"), "nowhere.xml"),
        (
            ("ws.json", "x", "--to", "hs3", "--analysis", "fit"),
            "--analysis has no meaning",
        ),
        (
            ("ws.json", "x", "--to", "xml", "--shapesys", "relative"),
            "--shapesys has no",
        ),
        (("ws.json", "x", "--to", "json", "--binning", "r.json"), "r.json"),
    ],
)
def test_bad_usage_is_one_line(hfjax, workspace, arguments, words):
    del workspace
    assert words in hfjax("convert", *arguments).complaint


def test_both_inputs_from_standard_input(hfjax):
    complaint = hfjax("convert", "-", "x", "--binning", "-").complaint
    assert "only one input can be standard input" in complaint


def test_patchset_is_refused_with_a_hint(hfjax, write, patchset):
    path = write("patchset.json", patchset)
    complaint = hfjax("convert", path, "x", "--to", "hs3").complaint
    assert "this looks like a patchset" in complaint


def test_a_folder_of_xml_is_read_by_its_top_file(hfjax, tmp_path):
    complaint = hfjax("convert", tmp_path, "back.json").complaint
    assert "is a folder: of HistFactory XML, give the top file in it" in complaint


@pytest.mark.parametrize("form", ["json", "hs3", "xml"])
def test_t2_modifiers_that_are_there_twice_are_composed(
    hfjax, hello, write, twice, tmp_path, form
):
    path = write("ws.json", twice(hello))
    options = ("--to", form, "--loss-report", "report.json")
    assert "is there twice" in hfjax("convert", path, "out", *options).complaint
    outcome = hfjax("convert", path, "out", *options, "--compose")
    assert outcome.code == 0
    assert "note on composed: 2 normsys 'jes' of sample 'bkg'" in outcome.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    (note,) = [note for note in report["notes"] if note["kind"] == "composed"]
    assert note["place"] == "/channels/0/samples/1"
    written = "out/FitConfig.xml" if form == "xml" else "out"
    back = hfjax("convert", written, "-", "--to", "json").json
    (found,) = [
        modifier
        for modifier in back["channels"][0]["samples"][1]["modifiers"]
        if modifier["name"] == "jes"
    ]
    assert found["data"] == pytest.approx({"lo": 0.72, "hi": 1.32}, rel=1e-15)


def test_nothing_is_noted_where_nothing_is_composed(hfjax, workspace):
    outcome = hfjax("convert", workspace, "-", "--to", "json", "--compose")
    assert outcome.json == workspaces.example()
    assert outcome.stderr == ""


def test_files_of_xml_are_overwritten_only_by_force(hfjax, hello, write):
    arguments = ("convert", write("ws.json", hello), "out", "--to", "xml")
    assert hfjax(*arguments).code == 0
    assert "there are files already: out/FitConfig.xml" in hfjax(*arguments).complaint
    assert hfjax(*arguments, "--force").code == 0
    useless = ("convert", "ws.json", "a.hs3.json", "--force")
    assert "--force has no meaning from json to hs3" in hfjax(*useless).complaint


@pytest.mark.parametrize("command", ["inspect", "fit", "cls", "check", "digest"])
def test_other_formats_are_recognised_where_a_workspace_is_wanted(
    hfjax, hello, write, command
):
    path = write("ws.json", hello)
    assert hfjax("convert", path, "out", "--to", "xml").code == 0
    assert hfjax("convert", path, "ws.hs3.json").code == 0
    for file in ("out/FitConfig.xml", "out/config/FitConfig_SR.xml"):
        complaint = hfjax(command, file).complaint
        assert f"{file}: this is HistFactory XML" in complaint
        assert "`hfjax xml2json TOP_FILE.xml" in complaint
    complaint = hfjax(command, "ws.hs3.json").complaint
    assert "ws.hs3.json: this is an HS3 document" in complaint
    assert "`hfjax convert INPUT workspace.json`" in complaint
    page = write("page.json", "<!doctype html>")
    assert "it is XML, or a page of a web site" in hfjax(command, page).complaint


def test_other_formats_are_recognised_by_scan(hfjax, files, write):
    xml = write("top.xml", "<Combination/>")
    assert "this is HistFactory XML" in hfjax("scan", xml, files[1]).complaint
    hs3 = write("hs3.json", {"metadata": {"hs3_version": "0.2"}})
    assert "this is an HS3 document" in hfjax("scan", hs3, files[1]).complaint
    assert "this is an HS3 document" in hfjax("scan", files[0], hs3).complaint
