"""What the README says is so: its Python, its number, its commands."""

import re
from pathlib import Path

import pytest

from hfjax.cli.main import COMMANDS, PATCHSET_COMMANDS, TOYS_COMMANDS
from hfjax.documents.reading.schema import schema_folder

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_python_prints_the_number_beside_it(monkeypatch, capsys):
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    expected = re.findall(r"# ([0-9.]+):", program)
    monkeypatch.chdir(REPOSITORY)
    exec(compile(program, "README.md", "exec"), {})
    assert capsys.readouterr().out.split() == expected


def test_the_table_has_every_command():
    groups = {"patchset": PATCHSET_COMMANDS, "toys": TOYS_COMMANDS}
    inner = [f"{group} {name}" for group, names in groups.items() for name in names]
    for name in [*COMMANDS, *inner]:
        assert f"| `hfjax {name} " in README, name


OPTIONS_OF_PYHF = {
    "pyhf": "--version --cite --citation -h --help --output-file",
    "inspect": "--measurement",
    "prune": "-c -s -m -t --measurement",
    "rename": "-c -s -m --measurement",
    "combine": "-j --merge-channels/--no-merge-channels",
    "digest": "-a -j/-p",
    "sort": "",
    "fit": "--measurement -p --value --backend --optimizer --optconf",
    "cls": "--measurement -p --test-poi --test-stat --calctype",
    "json2xml": "--output-dir --specroot --dataroot --resultprefix -p",
    "xml2json": "--basedir -v/--mount --track-progress/--hide-progress "
    "--validation-as-error/--validation-as-warning",
    "patchset": "inspect verify apply extract --name "
    "--with-metadata/--without-metadata",
    "contrib download": "-v -f -c",
    "completions": "",
}


@pytest.mark.parametrize("command", OPTIONS_OF_PYHF)
def test_every_option_of_pyhf_has_a_counterpart_or_a_reason(command):
    section = README.split("## Coming from pyhf")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    shown = [row for row in rows if command == "pyhf" or command in row.split("|")[1]]
    assert shown
    for option in OPTIONS_OF_PYHF[command].split():
        assert any(option in row.split("|")[1] for row in shown), option


LINK = r"(?:\]\(|src=\")(?!https:)([\w./-]+)"
LINKS = re.findall(LINK, README)


@pytest.mark.parametrize("target", LINKS)
def test_what_the_readme_points_to_is_there(target):
    shipped = target.startswith("schemas/")  # in the package, where it is installed
    place = schema_folder().parent if shipped else REPOSITORY
    assert (place / target).exists()


@pytest.mark.parametrize("page", sorted((REPOSITORY / "docs").glob("*.md")))
def test_what_the_pages_point_to_is_there(page):
    for target in re.findall(LINK, page.read_text(encoding="utf-8")):
        shipped = "schemas/" in target
        place = schema_folder().parent / target.removeprefix("../")
        assert (place if shipped else page.parent / target).exists()


def test_its_two_lines_install_and_do_what_they_say():
    lines = re.findall(r"^python -m pip install .*$", README, re.MULTILINE)
    assert len(lines) == 2
    assert 'install ".[plot]" && hfjax scan examples/BkgOnly.json' in lines[0]
    assert 'install ".[test]" && python -m pytest' in lines[1]
