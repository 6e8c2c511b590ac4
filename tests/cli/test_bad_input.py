"""Bad input: one line that says what, where and what to do, and exit 2."""

import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

UNCERTAINTY = {"name": "stat", "type": "shapesys", "data": [3.0, 7.0]}


def test_file_not_found(hfjax):
    complaint = hfjax("cls", "nowhere.json").complaint
    assert "nowhere.json: cannot be read: No such file" in complaint


def test_not_json(hfjax, write):
    complaint = hfjax("cls", write("ws.json", "{channels: 1}")).complaint
    assert "ws.json" in complaint
    assert "not JSON" in complaint
    assert "line 1, column 2" in complaint


def test_a_patchset_for_a_patch(hfjax):
    files = [str(EXAMPLES / name) for name in ("BkgOnly.json", "patchset.json")]
    complaint = hfjax("cls", files[0], "--patch", files[1]).complaint
    assert "patchset.json: this is a patchset, not a patch" in complaint
    assert "--patchset FILE --name NAME" in complaint


def test_empty_input(hfjax):
    assert "standard input: empty" in hfjax("cls", "-", stdin="").complaint


def test_wrong_schema_gives_the_pointer(hfjax, hello, write):
    hello["channels"][0]["samples"][1]["data"][1] = "many"
    complaint = hfjax("cls", write("ws.json", hello)).complaint
    assert "/channels/0/samples/1/data/1" in complaint
    assert "'many' is not of type 'number'" in complaint


def test_missing_observation(hfjax, hello, write):
    hello["observations"][0]["name"] = "CR"
    complaint = hfjax("cls", write("ws.json", hello)).complaint
    assert "channel 'SR' has no observation" in complaint


def test_bin_count_mismatch(hfjax, hello, write):
    hello["channels"][0]["samples"][1]["data"] = [50.0, 52.0, 54.0]
    hello["channels"][0]["samples"][1]["modifiers"] = []
    complaint = hfjax("cls", write("ws.json", hello)).complaint
    assert "sample 'bkg' has 3 bins, sample 'signal' has 2" in complaint


def test_bin_count_of_the_observation(hfjax, hello, write):
    hello["observations"][0]["data"] = [51]
    complaint = hfjax("cls", write("ws.json", hello)).complaint
    assert "the observation of channel 'SR' has 1 bins" in complaint


@pytest.mark.parametrize("arguments", [(), ("-o", "out.json")])
def test_a_name_that_is_no_text(hfjax, hello, write, tmp_path, arguments):
    hello["measurements"][0]["name"] = "\ud800"
    path = write("ws.json", hello)
    complaint = hfjax("sort", path, *arguments).complaint
    assert r"cannot be written: utf-8 has no '\ud800'" in complaint
    assert not (tmp_path / "out.json").exists()


def test_duplicate_sample(hfjax, hello, write):
    hello["channels"][0]["samples"][0]["name"] = "bkg"
    complaint = hfjax("cls", write("ws.json", hello)).complaint
    assert "sample 'bkg' is there twice" in complaint


def test_duplicate_modifier(hfjax, hello, write):
    hello["channels"][0]["samples"][1]["modifiers"].append(UNCERTAINTY)
    complaint = hfjax("cls", write("ws.json", hello)).complaint
    assert "modifier 'stat' 'shapesys' is there twice" in complaint


def test_t15_shapesys_shared_between_samples(hfjax, hello, write):
    hello["channels"][0]["samples"][0]["modifiers"].append(UNCERTAINTY)
    complaint = hfjax("cls", write("ws.json", hello)).complaint
    assert "shapesys 'stat' is used by sample 'bkg'" in complaint
    assert "sample 'signal'" in complaint


def test_t25_lumi_without_configuration(hfjax, hello, write):
    lumi = {"name": "lumi", "type": "lumi", "data": None}
    hello["channels"][0]["samples"][1]["modifiers"].append(lumi)
    complaint = hfjax("cls", write("ws.json", hello)).complaint
    assert "'lumi'" in complaint
    assert "inits" in complaint


def test_inits_outside_bounds(hfjax, hello, write):
    parameters = hello["measurements"][0]["config"]["parameters"]
    parameters.append({"name": "mu", "inits": [11.0], "bounds": [[0, 10]]})
    complaint = hfjax("cls", write("ws.json", hello)).complaint
    assert "'mu'" in complaint
    assert "11" in complaint


def test_unknown_poi(hfjax, hello, write):
    hello["measurements"][0]["config"]["poi"] = "mu_sig"
    complaint = hfjax("cls", write("ws.json", hello)).complaint
    assert "mu_sig" in complaint


def test_poi_that_only_patches_bring(hfjax, background, write):
    complaint = hfjax("cls", write("ws.json", background)).complaint
    assert "'mu'" in complaint
    assert "patch" in complaint


def test_unknown_measurement(hfjax, hello, write):
    path = write("ws.json", hello)
    complaint = hfjax("cls", path, "--measurement", "n").complaint
    assert "no measurement named 'n'" in complaint


def test_unknown_patch_name_suggests_close_ones(hfjax, files):
    workspace, patchset = files
    options = ("--patchset", patchset, "--name", "piont_1")
    assert "did you mean 'point_1'" in hfjax("cls", workspace, *options).complaint


def test_digest_mismatch(hfjax, files, write, background):
    background["observations"][0]["data"] = [1, 2]
    other = write("other.json", background)
    complaint = hfjax("scan", other, files[1]).complaint
    assert "not made for this workspace" in complaint
    assert "sha256" in complaint


def test_empty_patchset(hfjax, files, write, patchset):
    patchset["patches"] = []
    complaint = hfjax("scan", files[0], write("patchset.json", patchset)).complaint
    assert "/patches" in complaint


def test_patch_that_cannot_be_applied(hfjax, files, write):
    patch = write("patch.json", [{"op": "remove", "path": "/channels/7"}])
    complaint = hfjax("cls", files[0], "--patch", patch).complaint
    assert "operation 0 (remove /channels/7)" in complaint


def test_patch_that_is_none(hfjax, files, write):
    patch = write("patch.json", [{"op": "paint", "path": "/channels/0"}])
    complaint = hfjax("cls", files[0], "--patch", patch).complaint
    assert "paint" in complaint


@pytest.mark.parametrize("command", ["cls", "fit", "scan"])
@pytest.mark.parametrize("value", ["one", "nan", "inf", ""])
def test_test_poi_not_a_number(hfjax, command, value):
    complaint = hfjax(command, "a", "b", "--test-poi", value).complaint
    option = "'--poi-value' / '--test-poi'"
    assert f"Invalid value for {option}: '{value}' is not a finite number" in complaint


@pytest.mark.parametrize("command", ["cls", "fit", "scan", "inspect", "digest"])
def test_output_folder_missing_is_found_before_anything_else(hfjax, command):
    complaint = hfjax(command, "a", "b", "--output", "nowhere/results.json").complaint
    assert "folder 'nowhere' does not exist: make it first" in complaint


def test_output_is_a_folder(hfjax, tmp_path):
    complaint = hfjax("inspect", "a", "--output", tmp_path).complaint
    assert "is a folder" in complaint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--name", "point_1"], "--patchset FILE and --name NAME belong together"),
        (["--patchset", "p.json"], "--patchset FILE and --name NAME belong together"),
        (["--patch", "-"], "only one input can be standard input"),
    ],
)
def test_options_that_contradict_one_another(hfjax, options, message):
    assert message in hfjax("cls", "-", *options).complaint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--plot", "nowhere/plot.png"], "folder 'nowhere' does not exist"),
        (["--plot", "plot.doc"], "no known suffix"),
        (["--plot", "plot"], "no known suffix"),
        (["--select", "m > 3"], "unknown name 'm': did you mean 'm_parent' or"),
        (["--select", "m_lsp > 9"], "no patch fulfils 'm_lsp > 9'"),
        (["--select", "m_lsp < 2", "--plot", "a.png"], "2 points with a result"),
        (["--axes", "m_parent,m_lsp"], "--axes: it says what --plot FILE draws"),
        (["--plot", "a.png", "--axes", "m_parent,m"], "unknown name 'm'"),
        (["--plot", "a.png", "--axes", "m_lsp"], "no line joins points"),
    ],
)
def test_scan_refuses_before_it_fits(hfjax, files, monkeypatch, options, message):
    def fail(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("hfjax.cli.commands.scan.start_jax", fail)
    assert message in hfjax("scan", *files, *options).complaint


def test_a_plot_needs_matplotlib(hfjax, files, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    complaint = hfjax("scan", *files, "--plot", "plot.png").complaint
    assert "pip install 'hfjax[plot]'" in complaint


NUMBERS = [
    *(("NaN", "nan observed events in bin 0"), ("1e999", "inf observed events")),
    *(("-Infinity", "-inf observed events"), ("-2", "-2 observed events in bin 0")),
]


@pytest.mark.parametrize(("literal", "words"), NUMBERS)
@pytest.mark.parametrize("command", ["cls", "fit"])
def test_impossible_counts_are_refused_in_one_line(
    hfjax, hello, write, command, literal, words
):
    hello["observations"][0]["data"][0] = "COUNT"
    text = json.dumps(hello).replace('"COUNT"', literal)
    complaint = hfjax(command, write("ws.json", text)).complaint
    assert words in complaint
    assert "channel 'SR'" in complaint
    assert "(at /observations/0/data/0)" in complaint
    found = hfjax("check", "ws.json", "--json")
    assert found.code == 3
    kinds = {each["kind"]: each["pointer"] for each in found.json["findings"]}
    wanted = "data-negative" if literal == "-2" else "data-not-finite"
    assert kinds[wanted] == "/observations/0/data/0"
