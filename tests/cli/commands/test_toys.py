"""The commands of toys: numbers, shards, files, what ends them, what they refuse."""

import json

import numpy as np
import pytest

from hfjax.documents.reading.schema import validate
from hfjax.inference.toys_file import load_toys, save_toys

FEW = ("--toys", "60", "--seed", "3")


@pytest.fixture
def search(hello, write):
    return write("ws.json", hello)


@pytest.mark.slow
def test_toys_are_a_document_and_a_file(hfjax, search, tmp_path):
    outcome = hfjax("toys", search, *FEW, "-o", "toys.npz")
    assert outcome.code == 0
    validate(outcome.json, "toys-result-1.0.0.json")
    assert outcome.json["toys"] == {"signal": 60, "background": 60}
    assert outcome.json["hfjax"]["workspace_digest"]
    assert outcome.json["question"]["key"] == [0, 3]
    assert outcome.json["CLsb"] == float(load_toys("toys.npz").observed.CLsb.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["toys.npz", "ws.json"]


@pytest.mark.slow
def test_shards_that_are_merged_are_the_file_of_one_run(hfjax, search, tmp_path):
    hfjax("toys", search, *FEW, "-o", "one.npz")
    for i in (1, 2, 3):
        hfjax("toys", search, *FEW, "-o", f"{i}.npz", "--shard", f"{i}/3")
    outcome = hfjax("toys", "merge", "2.npz", "3.npz", "1.npz", "-o", "all.npz")
    assert outcome.json["drawn"] == 60
    one, all_ = ((tmp_path / name).read_bytes() for name in ("one.npz", "all.npz"))
    assert one == all_
    outcome = hfjax("toys", "merge", "1.npz", "3.npz")
    assert "20 toys are missing below number 59" in outcome.stderr
    assert "twice" in hfjax("toys", "merge", "1.npz", "1.npz").complaint
    hfjax("toys", search, "--toys", "6", "--seed", "4", "-o", "other.npz")
    complaint = hfjax("toys", "merge", "1.npz", "other.npz").complaint
    assert "differ in key [0, 3] and [0, 4]" in complaint


@pytest.mark.slow
def test_toys_go_on_from_what_is_kept(hfjax, search, tmp_path):
    hfjax("toys", search, *FEW, "-o", "one.npz")
    hfjax("toys", search, *FEW, "-o", "toys.npz.partial", "--shard", "1/2")
    outcome = hfjax("toys", search, *FEW, "-o", "toys.npz")
    assert outcome.json["drawn"] == 60
    names = "one.npz", "toys.npz"
    one, other = ((tmp_path / name).read_bytes() for name in names)
    assert one == other
    assert not (tmp_path / "toys.npz.partial").exists()
    hfjax("toys", search, *FEW, "-o", "toys.npz.partial")
    complaint = hfjax("toys", search, "--seed", "9", "-o", "toys.npz").complaint
    assert "toys.npz.partial has toys of another run, remove it" in complaint


@pytest.mark.slow
def test_toys_that_are_interrupted_are_kept(hfjax, search, monkeypatch):
    """Ctrl-C while the file of --output is written, which is after all of them."""
    saved = "hfjax.inference.toy_run.save_toys"

    def interrupted(result, path):
        save_toys(result, path)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(saved, interrupted)
        outcome = hfjax("toys", search, *FEW, "-o", "toys.npz")
    assert outcome.code == 130
    assert "toys.npz.partial has what was done; the same command" in outcome.stderr
    kept = load_toys("toys.npz.partial").numbers.size
    assert 0 < kept < 60
    hfjax("toys", search, *FEW, "-o", "toys.npz")
    hfjax("toys", search, *FEW, "-o", "one.npz")
    np.testing.assert_array_equal(load_toys("toys.npz").q, load_toys("one.npz").q)


@pytest.mark.slow
@pytest.mark.parametrize(
    "spelling", [("--calculator", "toys"), ("--calctype", "toybased")]
)
def test_cls_with_toys_is_that_of_toys(hfjax, search, spelling):
    outcome = hfjax("cls", search, *spelling, *FEW)
    assert outcome.code == 0
    validate(outcome.json, "toys-result-1.0.0.json")
    other = hfjax("toys", search, *FEW).json
    assert outcome.json["CLs_obs"] == other["CLs_obs"]
    pyhf = hfjax("cls", search, "--calctype", "toybased", "--ntoys", 60, "--seed", 3)
    assert pyhf.json["CLs_exp"] == other["CLs_exp"]


@pytest.mark.slow
def test_q0_has_p0_with_its_error(hfjax, search):
    document = hfjax("toys", search, *FEW, "--test-stat", "q0").json
    assert document["poi_value"] == 0.0
    assert document["p0"] > 0.1
    assert document["p0_error"] > 0.01


@pytest.mark.slow
def test_a_table_shows_errors_and_how_many_toys(hfjax, search):
    lines = hfjax("toys", search, *FEW, columns=100).lines
    assert lines[0] == "toys of mu = 1 with qtilde"
    shown = "\n".join(lines)
    assert "60 signal, 60 background" in shown
    assert "+-" in shown


@pytest.mark.slow
def test_fits_that_fail_end_with_their_own_code(hfjax, search):
    outcome = hfjax("toys", search, *FEW, "--max-steps", "1")
    assert outcome.code == 3
    assert "no test of the observed data" in outcome.stderr
    assert outcome.json["CLs_obs"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--shard", "3/2", "-o", "t.npz"), "'3/2' is no shard"),
        (("--shard", "half"), "'half' is no shard"),
        (("--shard", "1/2"), "give --output FILE too"),
        (("--seed", "x"), "valid integer"),
        (("--toys", "0"), "greater than or equal to 1"),
        (("--until-error", "0"), "must be above zero"),
        (("--until-error", "0.1", "--shard", "1/2", "-o", "t.npz"), "cannot tell"),
        (("--poi-value", "11"), "bounds"),
    ],
)
def test_what_no_toys_are_drawn_with_is_one_line(hfjax, search, arguments, message):
    assert message in hfjax("toys", search, *arguments).complaint


@pytest.mark.parametrize("option", ["toys", "seed"])
def test_options_of_toys_need_them(hfjax, search, option):
    complaint = hfjax("cls", search, f"--{option}", 3).complaint
    assert f"--{option}: it is for toys: give --calculator toys too" in complaint


def test_files_without_toys_are_refused(hfjax, search, write):
    assert "ws.json: it has no toys" in hfjax("toys", "merge", search).complaint
    complaint = hfjax("toys", "merge", "nowhere.npz").complaint
    assert "nowhere.npz: No such file or directory" in complaint
    write("toys.npz", json.dumps({"q": [1.0]}))
    assert "it has no toys" in hfjax("toys", "merge", "toys.npz").complaint


def test_a_workspace_without_a_parameter_of_interest(hfjax, background, write):
    complaint = hfjax("toys", write("ws.json", background)).complaint
    assert "a parameter of interest is needed" in complaint


def test_help_of_merge_is_whole(hfjax):
    shown = hfjax("toys", "merge", "--help").stdout
    assert "Usage: hfjax toys merge" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "merge" in hfjax("toys", "--help").stdout
    bad = hfjax("toys", "merge", "--bogus").complaint
    assert "(see 'hfjax toys merge --help')" in bad
