"""`hfjax warmup`: what it compiles is what commands need, and nothing is left to do."""

import json
import os

import pytest

from hfjax.cli.runtime import program_folder
from hfjax.documents.reading.schema import validate


@pytest.fixture
def own_cache(hfjax, monkeypatch, tmp_path):
    """A cache folder of this test alone: nothing is kept there yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return hfjax


def programs():
    """Files of programs, none of which has been used for long."""
    folder = program_folder()
    assert folder is not None
    found = sorted(folder.glob("*.program"))
    for path in found:
        os.utime(path, (0, 0))
    return found


def used(found):
    """How many of the files have been read since."""
    return sum(path.stat().st_mtime > 0 for path in found)


def wider(document):
    """The same search with three bins instead of two, which is of the same size."""
    text = json.dumps(document)
    for two, three in (
        ("[12.0, 11.0]", "[12.0, 11.0, 2.0]"),
        ("[51, 48]", "[51, 48, 9]"),
    ):
        assert two in text
        text = text.replace(two, three)
    text = text.replace("[50.0, 52.0]", "[50.0, 52.0, 9.0]")
    return json.loads(text.replace("[3.0, 7.0]", "[3.0, 7.0, 1.0]"))


@pytest.mark.slow
def test_commands_compile_nothing_after_it(own_cache, write, hello):
    """Not for the workspace, nor for another one of about its size."""
    search, other = write("search.json", hello), write("other.json", wider(hello))
    outcome = own_cache("warmup", search)
    assert (outcome.code, outcome.stderr) == (0, "")
    validate(outcome.json, "warmup-report-1.0.0.json")
    rows = outcome.json["commands"]
    assert [row["command"] for row in rows] == ["fit", "cls", "limit"]
    uses = [use for row in rows for use in row["programs"]]
    assert {use["kept"] for use in uses} == {"kept now"}
    assert outcome.json["folder"] == str(program_folder())
    known = programs()
    assert len(known) == len(uses)
    for row in rows:
        for each in (search, other):
            known = programs()
            assert own_cache(row["command"], each).code == 0
            assert used(known) == len(row["programs"])
    assert programs() == known


@pytest.mark.slow
def test_a_second_time_all_is_there(hfjax, write, hello):
    search = write("search.json", hello)
    assert hfjax("warmup", search, "-o", "first.json").code == 0
    again = hfjax("warmup", search).json
    uses = [use for row in again["commands"] for use in row["programs"]]
    assert len(uses) >= 4
    assert {use["kept"] for use in uses} == {"kept before"}
    assert all(use["seconds"] > 0.0 for use in uses)
    lines = hfjax("warmup", search, columns=200).lines
    assert lines[0].split() == ["workspace", "command", "program", "seconds"]
    assert lines[1].split()[1:3] == ["fit", "fitting.best_fit.best_fit"]
    assert lines[1].endswith("kept before")
    assert lines[-2].split() == ["compiled", "0"]
    assert lines[-1].endswith(str(program_folder()))


@pytest.mark.slow
def test_scans_of_a_patchset_compile_nothing_after_it(own_cache, files):
    background, patchset = files
    outcome = own_cache("warmup", background, "--patchset", patchset)
    assert outcome.code == 0
    commands = {row["command"]: row for row in outcome.json["commands"]}
    assert list(commands) == ["fit", "cls", "limit", "scan"]
    known = programs()
    outcome = own_cache("scan", background, patchset)
    assert outcome.code == 0
    assert len(outcome.json["points"]) == 3
    assert used(known) == len(commands["scan"]["programs"]) > 0
    assert programs() == known
    signal = ("--patchset", patchset, "--name", "point_2")
    for command in ("fit", "cls", "limit"):
        assert own_cache(command, background, *signal).code == 0
    assert programs() == known


@pytest.mark.long
def test_without_a_workspace_small_models_are_compiled(own_cache, write, hello):
    found = own_cache("warmup").json
    names = ["shapesys", "histosys", "normsys and staterror"]
    assert list(dict.fromkeys(row["workspace"] for row in found["commands"])) == names
    known = programs()
    assert own_cache("fit", write("search.json", hello)).code == 0
    assert programs() == known


@pytest.mark.slow
def test_what_has_no_programs_is_told(hfjax, write, background):
    """Without a signal there is a fit, and nothing to test."""
    outcome = hfjax("warmup", write("background.json", background))
    assert outcome.code == 0
    rows = outcome.json["commands"]
    assert [bool(row["message"]) for row in rows] == [False, True, True]
    assert [bool(row["programs"]) for row in rows] == [True, False, False]
    assert outcome.stderr.startswith("hfjax: no programs of cls and limit for ")
    assert outcome.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["missing.json"], "missing.json"),
        (["{search}", "--no-cache"], "keeping programs is all"),
        (["{search}", "{search}", "--patchset", "{patchset}"], "give that alone"),
        (["--patchset", "{patchset}"], "give that alone"),
        (["-", "-"], "only one input can be standard input"),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line(hfjax, files, arguments, says):
    named = dict(zip(("search", "patchset"), files, strict=True))
    outcome = hfjax("warmup", *(text.format(**named) for text in arguments))
    assert says in outcome.complaint


def test_without_a_folder_nothing_is_compiled(
    hfjax, monkeypatch, write, hello, tmp_path
):
    (tmp_path / "file").write_text("where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    outcome = hfjax("warmup", write("search.json", hello))
    assert "no folder can be made for compiled programs" in outcome.complaint


@pytest.mark.slow
def test_a_folder_that_others_can_write_to_ends_it(own_cache, write, hello):
    folder = program_folder()
    assert folder is not None
    folder.chmod(0o777)
    outcome = own_cache("warmup", write("search.json", hello))
    assert outcome.code == 2
    warning, complaint = outcome.stderr.splitlines()
    assert "other users may write to it" in warning
    assert f"no compiled programs are kept in {folder}" in complaint


def test_a_workspace_without_a_model_is_an_error(hfjax, write, hello):
    hello["measurements"][0]["config"]["parameters"] = [
        {"name": "mu", "bounds": [[2.0, 1.0]]}
    ]
    outcome = hfjax("warmup", write("search.json", hello))
    assert outcome.code == 2
    assert outcome.stderr.startswith("hfjax: ")
    assert outcome.stderr.count("\n") == 1
