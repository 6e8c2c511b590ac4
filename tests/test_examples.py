"""The example's files are what their script makes; every other script runs."""

import runpy
import sys
from pathlib import Path

import pytest

from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.workspace.workspace import Workspace

EXAMPLES = Path(__file__).parent.parent / "examples"
MAKER = EXAMPLES / "make_example.py"
SCRIPTS = sorted(set(EXAMPLES.glob("*.py")) - {MAKER})


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return Workspace.load(EXAMPLES / "BkgOnly.json")


@pytest.fixture(scope="module")
def patchset() -> PatchSet:
    return PatchSet.load(EXAMPLES / "patchset.json")


def test_the_files_are_what_the_script_makes(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(MAKER), str(tmp_path)])
    runpy.run_path(str(MAKER), run_name="__main__")
    for name in ("BkgOnly.json", "patchset.json"):
        assert (tmp_path / name).read_bytes() == (EXAMPLES / name).read_bytes()


def test_the_patchset_belongs_to_the_workspace(workspace, patchset):
    patchset.verify(workspace)
    assert patchset.labels == ("m_parent", "m_lsp")
    assert 50 <= len(patchset) <= 150


def test_the_workspace_has_all_types_of_modifiers(workspace):
    assert {kind for _, kind in workspace.modifiers} == {
        "histosys",
        "lumi",
        "normfactor",
        "normsys",
        "shapefactor",
        "shapesys",
        "staterror",
    }


def test_patches_differ_in_channels_and_modifiers(workspace, patchset):
    channels, modifiers = set(), set()
    for patch in patchset:
        patched = patch.apply(workspace)
        channels.add(patched.channel_names)
        modifiers.add(patched.modifiers)
    assert len(channels) == 2
    assert len(modifiers) >= 10


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_script_runs(script, capsys):
    runpy.run_path(str(script), run_name="__main__")
    assert capsys.readouterr().out
