"""The frame of the command line: help, version, usage, and what it never imports."""

import importlib
import inspect
import os
import re
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from hfjax import __version__
from hfjax.cli.main import COMMANDS, PATCHSET_COMMANDS, TOYS_COMMANDS, root, run
from hfjax.errors import HfjaxError
from tests.workspaces import all_kinds

SHOWN = (*COMMANDS, "patchset")


def test_version(hfjax):
    assert hfjax("--version").stdout == f"hfjax {__version__}\n"


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_names_every_command(hfjax, arguments):
    outcome = hfjax(*arguments)
    assert outcome.code == 0
    assert outcome.stderr == ""
    assert all(name in outcome.stdout for name in SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_every_command_has_help(hfjax, name):
    outcome = hfjax(name, "--help")
    assert outcome.code == 0
    assert "Usage: hfjax " + name in " ".join(outcome.stdout.split())


def test_help_says_which_commands_show_tables(hfjax):
    told = " ".join(hfjax("--help").stdout.split())
    told = told.partition("On a terminal, ")[2].partition(" show tables")[0]
    helps = {name: hfjax(name, "--help").stdout for name in COMMANDS}
    known = [
        name
        for name, shown in helps.items()
        if "--json " in shown and "--plaintext" not in shown
    ]
    assert sorted(re.split(", | and ", told)) == sorted([*known, "patchset inspect"])


def test_help_fits_on_80_columns():
    """Typer breaks the lines of a first paragraph anew, and keeps all others."""
    tables = (*COMMANDS.items(), *PATCHSET_COMMANDS.items(), *TOYS_COMMANDS.items())
    commands = [getattr(importlib.import_module(home), name) for name, home in tables]
    for command in (root, *commands):
        paragraphs = inspect.getdoc(command).split("\n\n")[1:]
        assert all(len(line) <= 78 for line in "\n".join(paragraphs).splitlines())


@pytest.mark.parametrize("name", ["", *SHOWN, *PATCHSET_COMMANDS])
def test_help_is_whole_on_80_columns_and_in_words_of_a_user(hfjax, name):
    words = [name] if name in SHOWN else ["patchset", name] if name else []
    shown = hfjax(*words, "--help").stdout
    assert "…" not in shown  # nothing is cut off
    assert max(map(len, shown.splitlines())) <= 80
    assert not re.search(r"<\w+>|<\w+[|\[]|\b(TEXT|INTEGER|FLOAT)\b", shown)


@pytest.mark.parametrize(
    "name", [*COMMANDS, *map("patchset {}".format, PATCHSET_COMMANDS)]
)
def test_every_command_has_a_complete_example(name):
    *group, last = name.split()
    home = (PATCHSET_COMMANDS if group else COMMANDS)[last]
    text = inspect.getdoc(getattr(importlib.import_module(home), last))
    assert f"hfjax {name} " in text


def test_help_of_patchset_names_its_commands(hfjax):
    shown = hfjax("patchset", "--help").stdout
    assert all(name in shown for name in ("inspect", "extract", "apply", "verify"))
    assert hfjax("patchset").stdout == shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bogus",), "No such command 'bogus'"),
        (("inspect", "--bogus"), "No such option"),
        (("scan", "BkgOnly.json"), "Missing argument 'PATCHSET'"),
        (("patchset", "extract", "p.json"), "Missing option '--name'"),
        (("fit", "w.json", "-p"), "requires an argument (see 'hfjax fit --help')"),
        (("rename", "--modifier", "lumi"), "2 arguments (see 'hfjax rename --help')"),
        (("--bogus",), "(see 'hfjax --help')"),
        (("cls", "--minimizer", "minuit"), "'minuit' is not one of 'newton'"),
        (("cls", "--test-stat", "t"), "'t' is not one of 'qtilde'"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(hfjax, arguments, message):
    assert message in hfjax(*arguments).complaint


def test_an_error_of_several_lines_is_still_one_line(hfjax, monkeypatch):
    def fail(*_: object) -> None:
        message = "one\n  two"
        raise HfjaxError(message)

    monkeypatch.setattr("hfjax.documents.workspace.workspace.Workspace.load", fail)
    assert hfjax("inspect", "x").complaint == "hfjax: one two\n"


def test_an_error_with_a_very_long_name_is_shortened(hfjax, monkeypatch):
    def fail(*_: object) -> None:
        message = f"{'x' * 100_000} is wrong: change it"
        raise HfjaxError(message)

    monkeypatch.setattr("hfjax.documents.workspace.workspace.Workspace.load", fail)
    complaint = hfjax("inspect", "x").complaint
    assert len(complaint) < 5000
    assert complaint.endswith("x is wrong: change it\n")


def test_an_error_of_ours_is_not_hidden(monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("hfjax.documents.workspace.workspace.Workspace.load", fail)
    monkeypatch.setattr(sys, "argv", ["hfjax", "inspect", "x"])
    with pytest.raises(ZeroDivisionError):
        run()


def test_interruption_is_no_traceback(hfjax, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hfjax.documents.workspace.workspace.Workspace.load", interrupt)
    outcome = hfjax("inspect", "x")
    assert outcome.code == 130
    assert outcome.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["scan", "--help"],
        ["check", "{bkgonly}"],
        ["check", "{bkgonly}", "--json"],
        ["inspect", "{bkgonly}"],
        ["digest", "{bkgonly}"],
        ["combine", "{bkgonly}", "{bkgonly}", "--join", "outer"],
        ["prune", "{bkgonly}", "-t", "shapesys", "--smaller-than", "0.02"],
        ["select", "{bkgonly}", "--channel", "SR.*"],
        ["rename", "{bkgonly}", "--channel", "SR_low", "SR_0"],
        ["sort", "{bkgonly}"],
        ["completions", "bash"],
        ["--cite"],
        ["patchset", "inspect", "{patchset}"],
        ["patchset", "extract", "{patchset}", "--name", "parent_600_lsp_0"],
        ["patchset", "verify", "{bkgonly}", "{patchset}"],
        ["patchset", "apply", "{bkgonly}", "{patchset}", "--name", "parent_600_lsp_0"],
    ],
    ids=" ".join,
)
def test_commands_on_documents_never_import_jax(example, arguments):
    bkgonly, patchset = example
    filled = [text.format(bkgonly=bkgonly, patchset=patchset) for text in arguments]
    program = (
        "import sys\n"
        "from hfjax.cli.main import run\n"
        f"sys.argv = ['hfjax', *{filled!r}]\n"
        "try:\n    run()\n"
        "finally:\n"
        "    heavy = {'jax', 'equinox', 'numpy', 'matplotlib', 'uproot', 'jaxopt'}\n"
        "    found = sorted(heavy & set(sys.modules))\n"
        "    print('IMPORTED', *found, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == "IMPORTED\n"


def test_the_installed_command_is_this_one():
    (command,) = entry_points(group="console_scripts", name="hfjax")
    assert command.value == "hfjax.cli.main:program"
    code = "from hfjax.cli.main import program; program()"
    for how in (["-c", code], ["-m", "hfjax"]):
        command = [sys.executable, *how, "--version"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout == f"hfjax {__version__}\n"


COUNTED = """
import sys
import jax

compiled = []

def note(event, seconds, **details):
    if event == "/jax/core/compile/backend_compile_duration":
        compiled.append(seconds)

jax.monitoring.register_event_duration_secs_listener(note)
from hfjax.cli.main import run
try:
    run()
finally:
    print(len(compiled), file=sys.stderr)
"""
"""A process of its own that runs a command, and counts what is compiled for it."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "programs"),
    [("fit", 2), ("cls", 1), ("limit", 1), ("profile --parameter mu=0:1:3", 1)],
)
def test_commands_compile_their_own_programs_and_nothing_else(
    command, programs, write, tmp_path
):
    """Each operation on an array outside of them would be a program of its own, which
    no store keeps: every run of a command would be a third of a second longer."""
    name, *more = command.split()
    path = write("workspace.json", all_kinds())
    arguments = [sys.executable, "-c", COUNTED, name, path, *more]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        list(map(str, arguments)), capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stderr.split()[-1]) == programs
