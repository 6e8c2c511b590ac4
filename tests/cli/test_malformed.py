"""Malformed documents: each still works or is refused in one line, never more."""

import io
import json
import os
import subprocess
import sys
from random import Random

import pytest

from hfjax.building.build import build
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import HfjaxError
from tests import mutations

SEED = 20260101
EACH = 60

WORKSPACE_COMMANDS = [
    *(("inspect", "X"), ("check", "X"), ("check", "--json", "X"), ("digest", "X")),
    *(("sort", "X"), ("prune", "X", "-c", "CR"), ("select", "X", "-s", "top")),
    *(("prune", "X", "--smaller-than", "0.01"), ("rename", "X", "-m", "h", "g")),
    *(("combine", "X", "GOOD"), ("combine", "GOOD", "X", "--join", "outer")),
    *(("convert", "X", "out.hs3.json"), ("convert", "X", "xml", "--to", "xml")),
    *(("json2xml", "X", "--output-dir", "new"), ("convert", "X", "-", "--to", "hs3")),
    *(("patchset", "apply", "X", "PATCHES", "--name", "p1", "--no-verify"),),
    *(("patchset", "make", "X", "TABLE", "--labels", "mass"),),
    *(("patchset", "verify", "X", "PATCHES"), ("check", "X", "--patch", "GOOD")),
]
PATCHSET_COMMANDS = [
    *(("patchset", "inspect", "X"), ("patchset", "inspect", "X", "-w", "GOOD")),
    *(
        ("patchset", "extract", "X", "--name", "p1"),
        ("patchset", "verify", "GOOD", "X"),
    ),
    *(("patchset", "apply", "GOOD", "X", "--name", "p2", "--no-verify"),),
    *(("patchset", "extract", "X", "--name", "p1", "--with-metadata"),),
    *(("check", "GOOD", "--patchset", "X", "--name", "p1", "--no-verify"),),
]
HS3_COMMANDS = [
    *(("convert", "X", "-"), ("convert", "X", "-", "--from", "hs3")),
    *(("convert", "X", "xml", "--to", "xml"), ("convert", "X", "again.hs3.json")),
]
SIGNAL_COMMANDS = [("patchset", "make", "GOOD", "X", "--description", "signals")]
KINDS = {
    "workspace": (mutations.two_channels(), WORKSPACE_COMMANDS),
    "extended": (mutations.extended(), WORKSPACE_COMMANDS),
    "patchset": (mutations.patchset(), PATCHSET_COMMANDS),
    "hs3": (mutations.hs3(), HS3_COMMANDS),
    "signals": (mutations.signals(), SIGNAL_COMMANDS),
}


@pytest.fixture
def run(hfjax, write, tmp_path):
    """Run a command on bytes, and check how it ends; returns the outcome."""
    write("good.json", mutations.two_channels())
    write("patches.json", mutations.patchset())
    write("table.json", mutations.signals())
    (tmp_path / "folder").mkdir()
    bad = tmp_path / "folder" / "bad.json"
    named = {"X": bad, "GOOD": "good.json", "PATCHES": "patches.json"}
    named |= {"TABLE": "table.json", "FOLDER": "folder"}

    def command(content: bytes, arguments: tuple[str, ...]):
        bad.write_bytes(content)
        outcome = hfjax(*(named.get(each, each) for each in arguments))
        assert_ends_well(outcome, content, arguments)
        return outcome

    return command


def assert_ends_well(outcome, content, arguments):
    """Whether a command gave a result, or said in one line what is wrong."""
    if outcome.code == 2:
        assert outcome.complaint
        assert len(outcome.stderr) < 2000, outcome.stderr[:300]
        return
    assert outcome.code == 0 or (outcome.code == 3 and arguments[0] == "check")
    assert all(line.startswith("hfjax: ") for line in outcome.stderr.splitlines())
    text = outcome.stdout
    if text.startswith(("{", "[")):
        not_finite = any(word in content for word in (b"NaN", b"Infinity", b"1e999"))
        copies = arguments[0] not in ("inspect", "check", "open")
        assert json.loads(text) if not_finite and copies else outcome.json


@pytest.mark.parametrize("batch", range(2))
@pytest.mark.parametrize("kind", KINDS)
def test_mutated_documents(run, kind, batch):
    document, commands = KINDS[kind]
    random = Random(f"{SEED} {kind} {batch}")
    codes = set()
    for index in range(EACH):
        content = mutations.mutated(document, random)
        for arguments in (random.choice(commands), commands[index % len(commands)]):
            try:
                codes.add(run(content, arguments).code)
            except BaseException as error:
                error.add_note(f"{index} {arguments} {content[:3000]!r}")
                raise
    assert codes >= {0, 2}


PUBLISHED = [
    *("offshell/BkgOnly.json", "sbottomA/BkgOnly.json", "sleptons/BkgOnly.json"),
    *("staus/BkgOnly.json", "tHu/workspace.json"),
]
BATCHES = 4
OF_BATCH = 50


def check_and_inspect(run, document, seed, number):
    """Run both commands on mutations of a document; return how they ended."""
    random = Random(seed)
    codes = set()
    for index in range(number):
        if index % 10 == 0:
            part = mutations.excerpt(document, random)
        content = random.choice([mutations.mutated, mutations.with_other_number])(
            part, random
        )
        for arguments in (("check", "X"), ("inspect", "X")):
            try:
                codes.add(run(content, arguments).code)
            except BaseException as error:
                error.add_note(f"{seed} {index} {arguments} {content[:3000]!r}")
                raise
    return codes


@pytest.mark.parametrize("name", PUBLISHED)
def test_some_mutations_of_published_documents(run, data_dir, name):
    document = json.loads((data_dir / "likelihoods" / name).read_text())
    codes = check_and_inspect(run, document, f"{SEED} few of {name}", 20)
    assert codes >= {0, 2}


@pytest.mark.long
@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.parametrize("name", PUBLISHED)
def test_many_mutations_of_published_documents(run, data_dir, name, batch):
    """A thousand in all, four times fifty of each of five documents."""
    assert len(PUBLISHED) * BATCHES * OF_BATCH == 1000
    document = json.loads((data_dir / "likelihoods" / name).read_text())
    seed = f"{SEED} {name} {batch}"
    assert check_and_inspect(run, document, seed, OF_BATCH) >= {0, 2}


@pytest.mark.long
@pytest.mark.parametrize("name", PUBLISHED)
def test_whole_published_documents_with_one_other_number(run, data_dir, name):
    document = json.loads((data_dir / "likelihoods" / name).read_text())
    random = Random(f"{SEED} whole {name}")
    for _ in range(4):
        content = mutations.with_other_number(document, random)
        for arguments in (("check", "X"), ("inspect", "X")):
            run(content, arguments)


def small():
    """A workspace of two bins, with modifiers of most types."""
    mu = {"name": "mu", "type": "normfactor", "data": None}
    scale = {"name": "scale", "type": "normsys", "data": {"lo": 0.9, "hi": 1.2}}
    shape = {"lo_data": [48.0, 40.0], "hi_data": [53.0, 45.0]}
    tilt = {"name": "tilt", "type": "histosys", "data": shape}
    stat = {"name": "stat", "type": "staterror", "data": [3.0, 4.0]}
    fakes = {"name": "fakes", "type": "shapesys", "data": [1.0, 2.0]}
    samples = [
        {"name": "signal", "data": [5.0, 10.0], "modifiers": [mu]},
        {"name": "top", "data": [50.0, 42.0], "modifiers": [scale, tilt, stat]},
        {"name": "fakes", "data": [7.0, 8.0], "modifiers": [fakes]},
    ]
    settings = [
        {"name": "mu", "bounds": [[0.0, 10.0]], "inits": [1.0]},
        {"name": "scale", "auxdata": [0.0], "sigmas": [1.0]},
    ]
    config = {"poi": "mu", "parameters": settings}
    return {
        "channels": [{"name": "SR", "samples": samples}],
        "observations": [{"name": "SR", "data": [60, 55]}],
        "measurements": [{"name": "search", "config": config}],
        "version": "1.0.0",
    }


def assert_test_ends_well(outcome, content):
    """Whether a test gave a result, or none with its reason, or was refused."""
    try:
        assert outcome.code in (0, 2, 3)
        assert all(line.startswith("hfjax: ") for line in outcome.stderr.splitlines())
        if outcome.code == 2:
            assert outcome.complaint
            return
        found = outcome.json
        assert (found["CLs_obs"] is None) == (outcome.code == 3)
    except BaseException as error:
        error.add_note(f"{content[:3000]!r} {outcome}")
        raise


def outcomes_of(hfjax, tmp_path, seed, number):
    """Test mutations of a small document; return how the command ended."""
    random = Random(f"{SEED} cls {seed}")
    codes = []
    for index in range(number):
        mutate = mutations.mutated if index % 4 == 3 else mutations.with_other_number
        content = mutate(small(), random)
        (tmp_path / "bad.json").write_bytes(content)
        outcome = hfjax("cls", "bad.json")
        assert_test_ends_well(outcome, content)
        codes.append(outcome.code)
    return codes


@pytest.mark.slow
def test_some_mutated_documents_are_tested_or_refused(hfjax, tmp_path):
    assert set(outcomes_of(hfjax, tmp_path, "few", 12)) >= {0, 2}


@pytest.mark.long
def test_mutated_documents_are_tested_or_refused(hfjax, tmp_path):
    codes = outcomes_of(hfjax, tmp_path, "many", 60)
    assert set(codes) >= {0, 2}


@pytest.mark.parametrize("seed", range(3))
def test_models_of_mutated_workspaces(seed):
    random = Random(f"{SEED} model {seed}")
    built = 0
    for _ in range(EACH):
        content = mutations.mutated(mutations.extended(), random)
        try:
            build(Workspace.load(io.BytesIO(content)))
            built += 1
        except HfjaxError:
            continue
        except BaseException as error:
            error.add_note(f"{content[:3000]!r}")
            raise
    assert 0 < built < EACH


def _pipe(path):
    os.mkfifo(path)


def _loop(path):
    path.symlink_to(path)


def _dangling(path):
    path.symlink_to("nowhere")


def _device(path):
    path.symlink_to("/dev/zero")


def _folder(path):
    path.mkdir()


def _empty(path):
    path.touch()


def _below_a_file(path):
    path.parent.joinpath("file").touch()
    path.symlink_to("file/bad.json")


FILES = [_pipe, _loop, _dangling, _device, _folder, _empty, _below_a_file]
READERS = [
    *(("inspect", "X"), ("check", "X"), ("digest", "X"), ("combine", "X", "X")),
    *(("patchset", "inspect", "X"), ("patchset", "make", "G", "X")),
    *(("patchset", "apply", "G", "X", "--name", "p1"), ("convert", "X", "-")),
    *(("json2xml", "G", "--binning", "X"), ("convert", "X", "-", "--from", "xml")),
    *(("check", "G", "--patch", "X"), ("xml2json", "X"), ("open", "X")),
]


@pytest.mark.parametrize("make", FILES)
@pytest.mark.parametrize("arguments", READERS, ids=" ".join)
def test_what_is_no_file_of_a_document(hfjax, write, tmp_path, make, arguments):
    write("good.json", mutations.two_channels())
    make(tmp_path / "bad.json")
    named = {"X": "bad.json", "G": "good.json"}
    outcome = hfjax(*(named.get(each, each) for each in arguments))
    if arguments[0] == "open" and make is _folder:
        assert outcome.json["documents"] == []
    else:
        assert "bad.json" in outcome.complaint


def test_deep_nesting_of_what_can_be_parsed(hfjax, write):
    write("good.json", mutations.two_channels())
    table = write("table.json", '[{"a": ' + '{"a": ' * 600 + "0" + "}" * 601 + "]")
    complaint = hfjax("patchset", "make", "good.json", table).complaint
    assert "nested too deeply" in complaint


def test_what_the_shell_has_open_is_read(hfjax):
    reading, writing = os.pipe()
    os.write(writing, json.dumps(mutations.two_channels()).encode())
    os.close(writing)
    try:
        assert len(hfjax("inspect", f"/dev/fd/{reading}").json) > 3
    finally:
        os.close(reading)


def test_a_key_that_is_there_twice_is_named_with_its_place(hfjax, hello, write):
    text = json.dumps(hello).replace('"name": "bkg"', '"name": "b/d", "name": "c"')
    complaint = hfjax("digest", write("ws.json", text)).complaint
    assert "the key 'name' is there twice in one object: keep one" in complaint
    assert "(at /channels/0/samples/1/name)" in complaint


IN_ONE_GIB = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from hfjax.cli.main import run
run()
"""


@pytest.mark.parametrize(
    "content",
    [
        "[" * 2_000_000,
        '{"a":' * 500_000 + "0" + "}" * 500_000,
        '{"channels": ' + "9" * 5_000_000 + "}",
        "[" + "[], " * 2_000_000 + "[]]",
        '"' + "n" * 20_000_000 + '"',
        '{"a": 0' + "".join(f', "{i}": 0' for i in range(200_000)) + ', "a": 1}',
    ],
    ids=["lists", "objects", "digits", "items", "text", "keys"],
)
def test_a_process_of_little_memory_ends_soon(tmp_path, content):
    (tmp_path / "bad.json").write_text(content)
    arguments = [sys.executable, "-c", IN_ONE_GIB, "check", tmp_path / "bad.json"]
    done = subprocess.run(arguments, capture_output=True, timeout=60, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("hfjax: ")
    assert done.stderr.count("\n") == 1
