"""`hfjax inspect` and `hfjax digest`."""

import hashlib
import json

import pytest


def test_inspect_shows_channels_parameters_and_measurements(hfjax, example):
    shown = hfjax("inspect", example[0]).json
    assert [channel["name"] for channel in shown["channels"]] == [
        "CR_top",
        "CR_multijet",
        "SR_low",
        "SR_high",
    ]
    assert shown["channels"][0] == {
        "name": "CR_top",
        "bins": 1,
        "observed": [912],
        "samples": ["top", "W", "diboson"],
    }
    types = {kind for found in shown["parameters"] for kind in found["types"]}
    assert types == {
        "histosys",
        "lumi",
        "normfactor",
        "normsys",
        "shapefactor",
        "shapesys",
        "staterror",
    }


def test_inspect_says_that_the_patches_bring_the_poi(hfjax, example):
    (measurement,) = hfjax("inspect", example[0]).json["measurements"]
    assert measurement == {
        "name": "search",
        "poi": "mu_SIG",
        "poi_in_workspace": False,
        "configured": ["lumi", "mu_SIG"],
        "constraints": {},
        "thresholds": {},
        "expressions": {},
    }


def test_inspect_shows_yields_and_systematics(hfjax, example):
    shown = hfjax("inspect", example[0]).json
    assert shown["yields"][0]["channel"] == "CR_top"
    assert shown["yields"][0]["observed"] == 912
    assert set(shown["systematics"]) == {
        *("histosys", "lumi", "normsys", "shapesys", "staterror")
    }
    assert {found["constraint"] for found in shown["parameters"]} == {
        *("none", "normal", "poisson")
    }
    assert shown["models"][0]["problem"] is None


def test_inspect_reads_standard_input_and_writes_a_file(hfjax, hello, tmp_path):
    outcome = hfjax("inspect", "-", "-o", "out.json", stdin=json.dumps(hello))
    assert outcome.code == 0
    assert outcome.stdout == ""
    shown = json.loads((tmp_path / "out.json").read_text())
    assert shown["measurements"][0]["poi_in_workspace"]


def test_standard_input_is_the_default(hfjax, hello):
    assert hfjax("inspect", stdin=json.dumps(hello)).json["samples"] == [
        "bkg",
        "signal",
    ]


def test_inspect_shows_one_measurement(hfjax, hello, write):
    second = {"name": "n", "config": {"poi": "", "parameters": []}}
    hello["measurements"].append(second)
    path = write("ws.json", hello)
    assert len(hfjax("inspect", path).json["measurements"]) == 2
    shown = hfjax("inspect", path, "--measurement", "n").json["measurements"]
    assert [found["name"] for found in shown] == ["n"]
    complaint = hfjax("inspect", path, "--measurement", "o").complaint
    assert "no measurement named 'o'" in complaint


@pytest.mark.parametrize("spelling", ["--output", "-o", "--output-file"])
def test_the_output_file_has_three_spellings(hfjax, hello, write, tmp_path, spelling):
    assert hfjax("inspect", write("ws.json", hello), spelling, "out.json").code == 0
    assert (tmp_path / "out.json").is_file()


def test_digest_is_one_line_an_algorithm(hfjax, hello, write):
    path = write("ws.json", hello)
    text = json.dumps(hello, sort_keys=True).encode()
    sha256, md5 = hashlib.sha256(text).hexdigest(), hashlib.md5(text).hexdigest()
    assert hfjax("digest", path).stdout == f"sha256:{sha256}\n"
    both = hfjax("digest", path, "-a", "md5", "-a", "sha256")
    assert both.stdout == f"md5:{md5}\nsha256:{sha256}\n"
    assert hfjax("digest", path, "-j", "-a", "md5").json == {"md5": md5}


def test_digest_of_an_unknown_algorithm(hfjax, hello, write):
    complaint = hfjax("digest", write("ws.json", hello), "-a", "sha265").complaint
    assert "did you mean 'sha256'" in complaint
