"""`hfjax patchset inspect | extract | apply | verify | make`."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hfjax.documents.reading.digest import digest


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
    assert "only one input can be standard input" in complaint


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


def test_extract_gives_the_metadata_if_asked(hfjax, files, patchset, write):
    """Those of the patchset as well, as pyhf does, but never for the patch's own."""
    patchset["metadata"]["name"] = "grid"
    write("patchset.json", patchset)
    arguments = ("patchset", "extract", files[1], "--name", "point_1")
    outcome = hfjax(*arguments, "--with-metadata")
    metadata = patchset["metadata"] | patchset["patches"][1]["metadata"]
    patch = patchset["patches"][1]["patch"]
    assert outcome.json == {"metadata": metadata, "patch": patch}
    assert metadata["name"] == "point_1"
    complaint = hfjax("cls", files[0], "-p", "-", stdin=outcome.stdout).complaint
    assert "this looks like a patch with its metadata" in complaint


def test_apply_writes_the_patched_workspace(hfjax, files, background, patchset):
    arguments = ("patchset", "apply", *files, "--name", "point_1")
    sample = patchset["patches"][1]["patch"][0]["value"]
    background["channels"][0]["samples"].append(sample)
    assert hfjax(*arguments).json == background


def test_apply_verifies_unless_told_not_to(hfjax, files, write, background):
    background["observations"][0]["data"] = [1, 2]
    other = write("other.json", background)
    signal = ("--patchset", files[1], "--name", "point_1")
    arguments = ("patchset", "apply", other, files[1], "--name", "point_1")
    complaint = hfjax(*arguments).complaint
    assert "not made for this workspace" in complaint
    assert complaint.endswith("or do without verifying: --no-verify\n")
    assert hfjax(*arguments, "--no-verify").code == 0
    for command in (("scan", other, files[1]), ("cls", other, *signal)):
        assert "without verifying: --no-verify" in hfjax(*command).complaint
    verify = hfjax("patchset", "verify", other, files[1]).complaint
    assert "--no-verify" not in verify


def test_t2_a_published_workspace_with_modifiers_that_are_there_twice_is_patched(
    hfjax, background, patchset, write, twice
):
    """The patchset is made for the file as it is, with both of them."""
    path = write("twice.json", twice(background))
    patchset["metadata"]["digests"] = {"sha256": digest(twice(background))}
    patches = write("patchset.json", patchset)
    verify = ("patchset", "verify", path, patches)
    apply = ("patchset", "apply", path, patches, "--name", "point_1")
    for arguments in (verify, apply):
        assert "is there twice" in hfjax(*arguments).complaint
    assert hfjax(*verify, "--compose").json["verified"] is True
    expected = twice(background, composed=True)
    sample = patchset["patches"][1]["patch"][0]["value"]
    expected["channels"][0]["samples"].append(sample)
    found = hfjax(*apply, "--compose").json
    (jes,) = found["channels"][0]["samples"][-2]["modifiers"][-1:]
    assert jes["data"] == pytest.approx({"lo": 0.72, "hi": 1.32}, rel=1e-14)
    jes["data"] = {"lo": 0.72, "hi": 1.32}
    assert found == expected


def test_verify_says_so(hfjax, files):
    outcome = hfjax("patchset", "verify", *files)
    assert outcome.code == 0
    assert outcome.json["verified"] is True


def test_one_of_two_inputs_may_be_standard_input(hfjax, files):
    text = files[0].read_text()
    assert hfjax("patchset", "verify", "-", files[1], stdin=text).code == 0
    patchset = files[1].read_text()
    assert hfjax("patchset", "verify", files[0], stdin=patchset).code == 0
    arguments = ("patchset", "apply", files[0], "--name", "point_1")
    assert hfjax(*arguments, stdin=patchset).code == 0
    assert "only one input" in hfjax("patchset", "verify").complaint
    complaint = hfjax("patchset", "verify", "-", "-", stdin=text).complaint
    assert "only one input can be standard input" in complaint


def test_what_is_applied_can_be_piped_on(hfjax, files):
    applied = hfjax("patchset", "apply", *files, "--name", "point_2").stdout
    shown = hfjax("inspect", "-", stdin=applied).json
    assert shown["samples"] == ["bkg", "signal"]
    assert json.loads(applied)["version"] == "1.0.0"


def test_make_turns_a_table_into_a_patchset_that_verifies(hfjax, files, write):
    table = write(
        "signals.csv", "mass,lsp,SR[0],SR[1],lumi\n300,0,24,22,\n400,1,12,11,"
    )
    arguments = ("patchset", "make", files[0], table, "--labels", "mass,lsp")
    described = (*arguments, "--description", "made", "--hepdata", "ins1234567")
    assert hfjax(*described, "-o", "made.json").stdout == ""
    assert hfjax("patchset", "verify", files[0], "made.json").json["verified"] is True
    shown = hfjax("patchset", "inspect", "made.json").json
    assert (shown["labels"], shown["description"]) == (["mass", "lsp"], "made")
    assert shown["references"] == {"hepdata": "ins1234567"}
    assert shown["patches"][1] == {"name": "mass_400_lsp_1", "values": [400, 1]}
    applied = ("patchset", "apply", files[0], "made.json", "--name", "mass_400_lsp_1")
    samples = hfjax(*applied).json["channels"][0]["samples"]
    assert samples[1]["data"] == [12, 11]
    assert samples[1]["modifiers"][0]["name"] == "mu"


def test_make_takes_json_and_another_strength(hfjax, files):
    signals = [{"values": {"mass": 300}, "channels": {"SR": [24.0, 22.0]}}]
    text = json.dumps(signals)
    arguments = ("patchset", "make", files[0], "-", "--poi", "mu_new")
    (patch,) = hfjax(*arguments, stdin=text).json["patches"]
    (modifier,) = patch["patch"][0]["value"]["modifiers"]
    assert modifier == {"name": "mu_new", "type": "normfactor", "data": None}


def test_make_refuses_wrong_tables_with_names(hfjax, files, write):
    def complaint(text):
        table = write("signals.csv", text)
        arguments = ("patchset", "make", files[0], table, "--labels", "mass")
        return hfjax(*arguments).complaint

    assert "no channel named 'SRR' in the workspace" in complaint("mass,SRR[0]\n1,2")
    assert "'SR': 1 numbers for the channel's 2 bins" in complaint("mass,SR[0]\n1,2")
    assert "signals.csv: line 2: column 'SR[0]': 'x' is" in complaint("mass,SR[0]\n1,x")
    assert "no column named 'mass' in the table" in complaint("m,SR[0]\n1,2")
    both = hfjax("patchset", "make", "-", "-", stdin="{}").complaint
    assert "only one input can be standard input" in both


def test_table_of_the_readme_is_one(hfjax, example, write):
    readme = Path(__file__).parents[3] / "README.md"
    (table,) = re.findall(r"```text\n(m_parent.*?)```", readme.read_text(), re.DOTALL)
    (line,) = re.findall(r"^hfjax patchset make .*$", readme.read_text(), re.MULTILINE)
    arguments = line.split()[1:]
    arguments[2:4] = [example[0], write("signals.csv", table)]
    assert hfjax(*arguments).code == 0
    assert hfjax("patchset", "verify", example[0], "patchset.json").code == 0


def test_make_refuses_negative_signals_unless_they_are_allowed(hfjax, files, write):
    table = write("signals.csv", "mass,SR[0],SR[1]\n300,24,22\n400,12,-1.5")
    arguments = ("patchset", "make", files[0], table, "--labels", "mass")
    place = "signals.csv: line 3: column 'SR[1]': -1.5 events are below zero"
    complaint = hfjax(*arguments).complaint
    assert place in complaint
    assert complaint.endswith("(--allow-negative on the command line)\n")
    allowed = hfjax(*arguments, "--allow-negative")
    assert (allowed.code, allowed.stderr) == (0, "")
    sample = allowed.json["patches"][1]["patch"][0]["value"]
    assert sample["data"] == [12, -1.5]
    signal = {"values": {"mass": 3}, "channels": {"SR": [1, -2]}}
    from_json = hfjax(*arguments[:3], "-", stdin=json.dumps([signal])).complaint
    assert "signal 'mass_3', channel 'SR', bin 1: -2 events are below" in from_json
    text = "mass,cross_section,SR[0],SR[1]\n300,-1,24,0"
    assert (
        "bin 0: -24" in hfjax(*arguments[:3], "-", *arguments[4:], stdin=text).complaint
    )


def test_make_tells_of_signals_without_events(hfjax, files, write):
    rows = [f"{mass},0,{mass if mass == 300 else 0}" for mass in range(300, 320)]
    table = write("signals.csv", "\n".join(["mass,SR[0],SR[1]", *rows]))
    outcome = hfjax("patchset", "make", files[0], table, "--labels", "mass")
    assert outcome.code == 0
    assert len(outcome.json["patches"]) == 20
    assert outcome.stderr.startswith(
        "hfjax: warning: signals without events in any bin: mass_301, mass_302, "
    )
    assert outcome.stderr.endswith("mass_310 and 9 more\n")
