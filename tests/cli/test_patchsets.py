"""`hfjax patchset inspect | extract | apply | verify`."""

import json
import subprocess
import sys

import pytest


def test_inspect_lists_names_and_values(hfjax, files):
    shown = hfjax("patchset", "inspect", files[1]).json
    assert shown["labels"] == ["m_parent", "m_lsp"]
    assert shown["patches"] == [
        {"name": "point_0", "values": [300, 0]},
        {"name": "point_1", "values": [400, 1]},
        {"name": "point_2", "values": [500, 4]},
    ]


def test_inspect_shows_ranges_and_structures(hfjax, files):
    shown = hfjax("patchset", "inspect", files[1]).json
    assert shown["count"] == 3
    assert [(r["min"], r["max"]) for r in shown["ranges"]] == [(300, 500), (0, 4)]
    structures = shown["structures"]
    assert structures["distinct"] == 1
    assert structures["modifiers"] == [
        {"name": "mu", "type": "normfactor", "patches": 3}
    ]
    assert structures["channels"] == [{"channels": ["/channels/0"], "patches": 3}]


def test_inspect_names_the_channels_of_a_workspace(hfjax, files):
    shown = hfjax("patchset", "inspect", files[1], "-w", files[0]).json
    assert shown["structures"]["channels"] == [{"channels": ["SR"], "patches": 3}]
    complaint = hfjax("patchset", "inspect", "-", "--workspace", "-").complaint
    assert "cannot both be standard input" in complaint


@pytest.mark.parametrize("name", ["offshell", "sbottomA", "sleptons", "staus"])
def test_published_patchsets(data_dir, name):
    """Every patch has modifiers of its own; all bring a signal strength."""
    folder = data_dir / "likelihoods" / name
    program = "from hfjax.cli.main import run; run()"
    inspect = ("patchset", "inspect", folder / "patchset.json")
    command = [sys.executable, "-c", program, *inspect, "-w", folder / "BkgOnly.json"]
    shown = json.loads(subprocess.check_output(command))
    structures = shown["structures"]
    assert structures["distinct_modifiers"] == shown["count"] == structures["samples"]
    assert structures["without_normfactor"] == structures["empty"] == []
    background = json.loads((folder / "BkgOnly.json").read_bytes())
    known = {channel["name"] for channel in background["channels"]}
    assert all(known >= set(entry["channels"]) for entry in structures["channels"])


def test_extract_gives_the_operations(hfjax, files, patchset):
    outcome = hfjax("patchset", "extract", files[1], "--name", "point_1")
    assert outcome.json == patchset["patches"][1]["patch"]


def test_extract_gives_the_metadata_if_asked(hfjax, files, patchset):
    arguments = ("patchset", "extract", files[1], "--name", "point_1")
    outcome = hfjax(*arguments, "--with-metadata")
    assert outcome.json == patchset["patches"][1]


def test_apply_writes_the_patched_workspace(hfjax, files, background, patchset):
    arguments = ("patchset", "apply", *files, "--name", "point_1")
    sample = patchset["patches"][1]["patch"][0]["value"]
    background["channels"][0]["samples"].append(sample)
    assert hfjax(*arguments).json == background


def test_apply_verifies_unless_told_not_to(hfjax, files, write, background):
    background["observations"][0]["data"] = [1, 2]
    other = write("other.json", background)
    arguments = ("patchset", "apply", other, files[1], "--name", "point_1")
    assert "not made for this workspace" in hfjax(*arguments).complaint
    assert hfjax(*arguments, "--no-verify").code == 0


def test_verify_says_so(hfjax, files):
    outcome = hfjax("patchset", "verify", *files)
    assert outcome.code == 0
    assert outcome.json["verified"] is True


def test_one_of_two_inputs_may_be_standard_input(hfjax, files):
    text = files[0].read_text()
    assert hfjax("patchset", "verify", "-", files[1], stdin=text).code == 0
    complaint = hfjax("patchset", "verify", "-", "-", stdin=text).complaint
    assert "cannot both be standard input" in complaint


def test_what_is_applied_can_be_piped_on(hfjax, files):
    applied = hfjax("patchset", "apply", *files, "--name", "point_2").stdout
    shown = hfjax("inspect", "-", stdin=applied).json
    assert shown["samples"] == ["bkg", "signal"]
    assert json.loads(applied)["version"] == "1.0.0"
