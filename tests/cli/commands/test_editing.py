"""`hfjax combine`, `prune`, `rename`, `select` and `sort`."""

import json

import pytest

import hfjax as library
from hfjax.documents.reading.digest import digest


def normsys(lo, hi):
    return {"name": "JES", "type": "normsys", "data": {"lo": lo, "hi": hi}}


@pytest.fixture
def control(hello):
    """The same search in a control region of another name, and more modifiers."""
    document = json.loads(json.dumps(hello).replace('"SR"', '"CR"'))
    document["channels"][0]["samples"][1]["modifiers"] = [normsys(0.999, 1.002)]
    document["measurements"][0]["name"] = "control"
    return document


@pytest.fixture
def both(hello, control):
    """Both regions in one workspace."""
    hello["channels"] += control["channels"]
    hello["observations"] += control["observations"]
    hello["channels"][0]["samples"][0]["modifiers"].append(normsys(0.9, 1.1))
    return hello


def test_combine(hfjax, hello, control, write):
    outcome = hfjax("combine", write("a.json", hello), write("b.json", control))
    assert outcome.code == 0
    assert [found["name"] for found in outcome.json["channels"]] == ["SR", "CR"]
    assert [found["name"] for found in outcome.json["measurements"]] == ["m", "control"]


def test_t32_combine_tells_people_which_parameters_become_one(
    hfjax, hello, control, write, monkeypatch
):
    monkeypatch.setattr("hfjax.cli.streams.talks", lambda quiet: not quiet)
    outcome = hfjax("combine", write("a.json", hello), write("b.json", control))
    assert outcome.stderr == "hfjax: both workspaces share the parameters mu\n"


def test_combine_reads_one_workspace_from_standard_input(hfjax, hello, control, write):
    found = hfjax("combine", write("a.json", hello), stdin=json.dumps(control)).json
    assert [channel["name"] for channel in found["channels"]] == ["SR", "CR"]
    assert "only one input can be standard input" in hfjax("combine").complaint


@pytest.mark.parametrize("option", ["-j", "--join"])
def test_combine_joins(hfjax, hello, write, option):
    path = write("a.json", hello)
    assert hfjax("combine", path, path, option, "outer").json == hello
    assert (
        "both workspaces have a channel 'SR'" in hfjax("combine", path, path).complaint
    )
    assert "is not one of 'none'" in hfjax("combine", path, path, "-j", "x").complaint


def test_combine_merges_channels(hfjax, hello, write):
    other = json.loads(json.dumps(hello).replace('"bkg"', '"fakes"'))
    paths = write("a.json", hello), write("b.json", other)
    merged = hfjax("combine", *paths, "-j", "outer", "--merge-channels").json
    names = [found["name"] for found in merged["channels"][0]["samples"]]
    assert names == ["signal", "bkg", "fakes"]
    complaint = hfjax("combine", *paths, "-j", "outer", "--no-merge-channels").complaint
    assert "channel 'SR' is not the same in both" in complaint


def test_combine_says_what_is_left_out(hfjax, hello, write):
    other = json.loads(json.dumps(hello).replace("12.0", "13.0"))
    paths = write("a.json", hello), write("b.json", other)
    outcome = hfjax("combine", *paths, "-j", "left outer")
    assert outcome.code == 0
    assert outcome.json == hello
    assert outcome.stderr.startswith("hfjax: warning: channel 'SR' differs")


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["-c", "CR"], {"channels": ["SR"]}),
        (["--channel", "CR"], {"channels": ["SR"]}),
        (["-s", "signal"], {"samples": ["bkg"]}),
        (["-m", "mu", "-m", "JES"], {"modifiers": ["stat"]}),
        (["--modifier", "mu", "--sample", "bkg"], {"modifiers": ["JES"]}),
        (["-t", "normsys", "-t", "shapesys"], {"modifiers": ["mu"]}),
        (["--modifier-type", "normsys"], {"modifiers": ["mu", "stat"]}),
    ],
)
def test_prune_by_name(hfjax, both, write, arguments, left):
    ws = library.Workspace.parse(
        hfjax("prune", write("ws.json", both), *arguments).json
    )
    found = {
        "channels": list(ws.channel_names),
        "samples": list(ws.sample_names),
        "modifiers": sorted({name for name, _ in ws.modifiers}),
    }
    assert found | left == found


def test_prune_a_measurement(hfjax, both, write):
    other = {"name": "other", "config": {"poi": "", "parameters": []}}
    path = write("ws.json", both | {"measurements": [*both["measurements"], other]})
    found = hfjax("prune", path, "--measurement", "m").json["measurements"]
    assert found == [other]


def test_prune_without_options_changes_nothing(hfjax, both):
    assert hfjax("prune", stdin=json.dumps(both)).json == both


def modifiers_of(document, channel, sample):
    ws = library.Workspace.parse(document)
    return [m.name for m in ws.channel(channel).sample(sample).modifiers]


def test_prune_at_a_place(hfjax, both, write):
    path = write("ws.json", both)
    place = "channel=SR,sample=signal,modifier=JES"
    pruned = hfjax("prune", path, "--where", place).json
    assert modifiers_of(pruned, "SR", "signal") == ["mu"]
    assert modifiers_of(pruned, "CR", "bkg") == ["JES"]
    two = ["--where", "sample=bkg,type=normsys", "--where", "channel=CR,modifier=mu"]
    pruned = hfjax("prune", path, *two).json
    assert modifiers_of(pruned, "CR", "bkg") == []
    assert modifiers_of(pruned, "CR", "signal") == []
    assert modifiers_of(pruned, "SR", "signal") == ["mu", "JES"]


def test_a_place_may_have_commas_in_its_names(hfjax, both):
    text = json.dumps(both).replace('"bkg"', '"top, W=2"')
    pruned = hfjax("prune", "--where", "sample=top, W=2,channel=CR", stdin=text).json
    names = [[s["name"] for s in c["samples"]] for c in pruned["channels"]]
    assert names == [["signal", "top, W=2"], ["signal"]]


@pytest.mark.parametrize(
    "place", ["", "SR", "region=SR", "SR,sample=x", "sample=a,sample=b"]
)
def test_what_is_no_place(hfjax, both, write, place):
    complaint = hfjax("prune", write("ws.json", both), "--where", place).complaint
    assert f"'{place}' is no place: give some of channel=, sample=" in complaint


def test_a_place_where_nothing_is(hfjax, both, write):
    path = write("ws.json", both)
    complaint = hfjax("prune", path, "--where", "channel=CR,modifier=stat").complaint
    assert "there is no modifier 'stat' in channel 'CR'" in complaint


def test_prune_by_size_with_a_report(hfjax, both, write, tmp_path):
    path = write("ws.json", both)
    arguments = ["--smaller-than", "0.005", "--report", "report.json"]
    outcome = hfjax("prune", path, *arguments, "-o", "out.json")
    assert (outcome.code, outcome.stdout) == (0, "")
    pruned = json.loads((tmp_path / "out.json").read_text())
    assert modifiers_of(pruned, "CR", "bkg") == []
    assert modifiers_of(pruned, "SR", "signal") == ["mu", "JES"]
    report = json.loads((tmp_path / "report.json").read_text())
    (dropped,) = report["dropped"]
    assert dropped.pop("effect") == pytest.approx(0.002, rel=1e-9)
    assert dropped == {
        "modifier": "JES",
        "types": ["normsys"],
        "channel": "CR",
        "samples": ["bkg"],
    }
    assert report["parameters"] == []
    assert hfjax("prune", path, "--smaller-than", "0.005").json == pruned


def test_names_go_before_the_size_is_asked(hfjax, both, write, tmp_path):
    arguments = ["-c", "SR", "--smaller-than", "0.005", "--report", "report.json"]
    assert hfjax("prune", write("ws.json", both), *arguments).code == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["parameters"] == ["JES"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--report", "r.json"], "give --smaller-than with it"),
        (
            ["--smaller-than", "0.1", "--report", "x", "-o", "x"],
            "and a file of its own",
        ),
        (["--smaller-than", "0.1", "--report", "-"], "the report needs a file"),
        (["--smaller-than", "0.1", "--report", "no/x"], "folder 'no' does not exist"),
        (["--smaller-than", "small"], "'small' is not a finite number"),
        (["--smaller-than", "0"], "the threshold must be a positive number"),
        (["-t", "norm"], "'norm' is not one of 'histosys'"),
        (["-t", "lumi"], "no modifier type named 'lumi' in the workspace"),
        (["-c", "SRR"], "no channel named 'SRR' in the workspace: did you mean 'SR'"),
        (["-s", "signal", "-s", "bkg"], "no sample would be left in channel 'SR'"),
    ],
)
def test_prune_refuses(hfjax, both, write, arguments, words):
    assert words in hfjax("prune", write("ws.json", both), *arguments).complaint


@pytest.mark.parametrize(
    ("options", "old", "new"),
    [
        (["-c", "--channel"], "CR", "CR top"),
        (["-s", "--sample"], "bkg", "top"),
        (["-m", "--modifier"], "mu", "mu_SIG"),
        (["--measurement"], "m", "n"),
    ],
)
def test_rename(hfjax, both, write, options, old, new):
    path = write("ws.json", both)
    expected = json.loads(json.dumps(both).replace(f'"{old}"', f'"{new}"'))
    for option in options:
        assert hfjax("rename", path, option, old, new).json == expected


def test_rename_several(hfjax, both, write):
    pairs = ["-c", "SR", "CR", "-c", "CR", "SR", "-s", "bkg", "top"]
    swapped = hfjax("rename", write("ws.json", both), *pairs).json
    assert [found["name"] for found in swapped["channels"]] == ["CR", "SR"]
    assert swapped["channels"][0]["samples"][1]["name"] == "top"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-c", "SR"], "requires 2 arguments"),
        (["-c", "SR", "CR"], "channels 'SR' and 'CR' would have one name"),
        (["-c", "SR", "A", "-c", "SR", "B"], "gives one name two new names"),
        (["-s", "bgk", "x"], "no sample named 'bgk' in the workspace: did you mean"),
    ],
)
def test_rename_refuses(hfjax, both, write, arguments, words):
    assert words in hfjax("rename", write("ws.json", both), *arguments).complaint


def test_select(hfjax, both, write):
    path = write("ws.json", both)
    selected = hfjax("select", path, "-c", "S.*", "-s", "sig.*", "-m", "mu|stat").json
    ws = library.Workspace.parse(selected)
    assert ws.channel_names == ("SR",)
    assert ws.sample_names == ("signal",)
    assert ws.modifiers == (("mu", "normfactor"),)
    assert hfjax("select", path, "--measurement", ".*").json == both


def test_select_refuses(hfjax, both, write):
    path = write("ws.json", both)
    assert "matches 'R' as a whole" in hfjax("select", path, "-c", "R").complaint
    assert "no regular expression" in hfjax("select", path, "-c", "(").complaint


def test_sort(hfjax, both, write, tmp_path):
    both["channels"].reverse()
    expected = hfjax("sort", write("ws.json", both)).json
    both["channels"].reverse()
    assert hfjax("sort", stdin=json.dumps(both)).json == expected
    assert [found["name"] for found in expected["channels"]] == ["CR", "SR"]
    assert hfjax("sort", tmp_path / "ws.json", "--output-file", "s.json").code == 0
    assert json.loads((tmp_path / "s.json").read_text()) == expected


def test_digest_of_an_edited_workspace_is_that_of_the_written_file(hfjax, both, write):
    written = hfjax("sort", write("ws.json", both)).stdout
    line = hfjax("digest", stdin=written).stdout
    assert line == f"sha256:{digest(json.loads(written))}\n"


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        ([], "sha256:{sha256}\n"),
        (["-p"], "sha256:{sha256}\n"),
        (["--plaintext", "-a", "md5"], "md5:{md5}\n"),
        (
            ["--algorithm", "md5", "--algorithm", "sha256"],
            "md5:{md5}\nsha256:{sha256}\n",
        ),
    ],
)
def test_digest_has_the_options_and_the_text_of_pyhf(hfjax, example, arguments, output):
    """The digests are what `pyhf digest` prints for the example."""
    known = {
        "md5": "6244b20f2f5a64aefeaf15b39092677b",
        "sha256": "3947ded087cf1da58bcbaab75b23e2cbfa0b83215705feba07463d7b18227b4f",
    }
    assert hfjax("digest", example[0], *arguments).stdout == output.format(**known)
    for option in ("-j", "--json"):
        both = hfjax("digest", example[0], option, "-a", "sha256", "-a", "md5").json
        assert both == known
