"""What the README says is so: its Python, its number, its commands."""

import re
from pathlib import Path

import pytest

from hfjax.cli.main import COMMANDS, PATCHSET_COMMANDS
from hfjax.spec.schema import schema_folder

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_the_python_prints_the_number_beside_it(monkeypatch, capsys):
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    expected = re.findall(r"# ([0-9.]+):", program)
    monkeypatch.chdir(REPOSITORY)
    exec(compile(program, "README.md", "exec"), {})
    assert capsys.readouterr().out.split() == expected


def test_the_table_has_every_command():
    for name in [*COMMANDS, *(f"patchset {name}" for name in PATCHSET_COMMANDS)]:
        assert f"| `hfjax {name} " in README, name


LINKS = re.findall(r"(?:\]\(|src=\")(?!https:)([\w./-]+)", README)


@pytest.mark.parametrize("target", LINKS)
def test_what_the_readme_points_to_is_there(target):
    shipped = target.startswith("schemas/")  # in the package, where it is installed
    place = schema_folder().parent if shipped else REPOSITORY
    assert (place / target).exists()


def test_its_two_lines_install_and_do_what_they_say():
    lines = re.findall(r"^python -m pip install .*$", README, re.MULTILINE)
    assert len(lines) == 2
    assert 'install ".[plot]" && hfjax scan examples/BkgOnly.json' in lines[0]
    assert 'install ".[test]" && python -m pytest' in lines[1]
