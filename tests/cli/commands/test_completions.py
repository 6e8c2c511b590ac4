"""`hfjax completions`: the shells themselves say whether the scripts work."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
START = "from hfjax.cli.main import run; run()"

BASH = """
eval "$(hfjax completions bash)"
COMP_WORDS=(hfjax pru); COMP_CWORD=1; _hfjax_completion hfjax
printf '%s\\n' "${COMPREPLY[@]}"
COMP_WORDS=(hfjax combine --join ''); COMP_CWORD=3; _hfjax_completion hfjax
printf '%s\\n' "${COMPREPLY[@]}"
complete -p hfjax
"""
FISH = """
hfjax completions fish | source
complete -C 'hfjax pru'
complete -C 'hfjax combine --join '
"""
ZSH = """
compdef() { print "compdef $*" }
_arguments() { print -l "$@" }
eval "$(hfjax completions zsh)"
words=(hfjax pru); CURRENT=2; _hfjax_completion
words=(hfjax combine --join ''); CURRENT=4; _hfjax_completion
"""


@pytest.fixture
def shell(tmp_path):
    """Run a script in a shell that finds `hfjax` and has no settings of its own."""
    program = tmp_path / "bin" / "hfjax"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{START}" "$@"\n')
    program.chmod(0o755)
    settings = {
        "HOME": str(tmp_path),
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
    }

    def lines(name, script, *options):
        if shutil.which(name) is None:
            pytest.skip(f"there is no {name} here")
        command = [name, *options, "-c", script]
        done = subprocess.run(
            command, capture_output=True, text=True, env=settings, check=True
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    return lines


JOINS = ["left outer", "none", "outer", "right outer"]


def test_bash_completes_commands_and_values(shell):
    found = shell("bash", BASH, "--norc")
    assert found[0] == "prune"
    assert sorted(found[1:-1]) == JOINS
    assert found[-1] == "complete -o default -F _hfjax_completion hfjax"


def test_fish_completes_commands_and_values(shell):
    first, *joins = shell("fish", FISH, "--no-config")
    assert first.startswith("prune\t")
    assert sorted(joins) == JOINS


def test_zsh_completes_commands_and_values(shell):
    first, *found = shell("zsh", ZSH, "-f")
    assert first == "compdef _hfjax_completion hfjax"
    assert '"prune":' in found[0]
    assert all(f'"{join}"' in found[-1] for join in JOINS)


@pytest.mark.parametrize("name", ["bash", "zsh", "fish", "powershell", "pwsh"])
def test_each_script_is_for_hfjax(hfjax, name):
    script = hfjax("completions", name).stdout
    assert "_HFJAX_COMPLETE" in script
    assert f"complete_{'powershell' if name == 'pwsh' else name}" in script


def test_the_shell_is_that_of_the_user(hfjax, monkeypatch):
    expected = hfjax("completions", "fish").stdout
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert hfjax("completions").stdout == expected


@pytest.mark.parametrize("own", ["/bin/tcsh", ""])
def test_a_shell_that_is_not_known_has_to_be_named(hfjax, monkeypatch, own):
    monkeypatch.setenv("SHELL", own)
    complaint = hfjax("completions").complaint
    assert "name one of bash, zsh, fish, powershell, pwsh" in complaint
    monkeypatch.delenv("SHELL")
    assert hfjax("completions").complaint == complaint


def test_another_shell_is_refused(hfjax):
    assert "'tcsh' is not one of 'bash'" in hfjax("completions", "tcsh").complaint
