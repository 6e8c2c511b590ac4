"""The example's files are what their script makes; every other script runs."""

import runpy
import sys
from pathlib import Path

import pytest

from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.workspace.workspace import Workspace
from tests.assertions import assert_close

EXAMPLES = Path(__file__).parent.parent / "examples"
MAKER = EXAMPLES / "make_example.py"
MEASUREMENT = EXAMPLES / "measurement.py"
SCRIPTS = sorted(set(EXAMPLES.glob("*.py")) - {MAKER, MEASUREMENT})


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


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """All that the script of a measurement has found, and its pictures."""
    folder = tmp_path_factory.mktemp("figures")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(MEASUREMENT), str(folder)])
        found = runpy.run_path(str(MEASUREMENT), run_name="__main__")
    return found | {"folder": folder}


@pytest.mark.slow
class TestMeasurement:
    """Numbers of cabinetry 0.6.0 (Minuit, tolerance 1e-6) for the same workspace."""

    def test_fit(self, measured):
        fit, errors, mu = (measured[name] for name in ("fit", "errors", "mu"))
        assert_close(fit[mu], 0.167228534, 1e-4)
        assert_close(fit.twice_nll, 39.34232183376206, 1e-9)
        assert_close(errors[mu], 0.3702988120053962, 0.02)  # Minuit's is numerical
        found = {"jet_energy_scale": -0.27614, "W_scale": -0.12977, "mu_top": 0.08008}
        for name, known in found.items():
            assert_close(errors.correlation_of(mu, name), known, 0.0, 0.02)

    def test_ranking(self, measured):
        known = {  # pre-fit down and up, post-fit down and up
            "jet_energy_scale": (0.111572, -0.101523, 0.106914, -0.098086),
            "W_scale": (0.046242, -0.054501, 0.044487, -0.052299),
            "mc_stat_SR_high[2]": (0.038432, -0.036272, 0.038365, -0.036213),
            "diboson_theory": (0.038615, -0.038182, 0.038075, -0.037549),
            "fakes_method[2]": (0.036452, -0.035736, 0.035393, -0.034717),
        }
        ranking = measured["ranking"]
        assert list(ranking.ranking[: len(known)]) == list(known)
        for name, values in known.items():
            i = ranking.names.index(name)
            found = [*ranking.prefit[i], *ranking.postfit[i]]
            sizes = sorted(map(abs, found)), sorted(map(abs, values))
            assert_close(*sizes, 0.0, 0.005)

    def test_scan(self, measured):
        known = [0.218676, 0.033282, 0.007474, 0.116351, 0.340104, 0.6627]
        known += [1.070929, 1.553724, 2.101668, 2.706643, 3.361574]
        assert_close(measured["scan"].delta.tolist(), known, 1e-5, 1e-5)

    def test_limit_and_significance(self, measured):
        limit, discovery = measured["limit"], measured["discovery"]
        assert_close(limit.observed, 0.997318404271611, 5e-3)
        known = [0.39949089, 0.555934, 0.82326487, 1.24104295, 1.84755673]
        assert_close(limit.expected.tolist(), known, 5e-3)
        assert_close(discovery.Z, 0.46762765467525247, 1e-5)
        assert_close(discovery.p0, 0.32002544245374326, 1e-5)

    def test_goodness_and_yields(self, measured):
        assert_close(measured["quality"].p_value, 0.9738077365411201, 1e-6)
        known = {
            "CR_multijet": (2193.689403851584, 46.7656261967221),
            "CR_top": (912.2507632581661, 29.209980071472092),
            "SR_high": (43.529271471444794, 5.400261541936682),
            "SR_low": (244.0969603596253, 7.656111036406599),
        }
        for channel, (value, width) in known.items():
            found = measured["events"][channel]
            assert_close(found.sum, value, 1e-5)
            assert_close(found.sum_uncertainty, width, 0.02)

    def test_pictures(self, measured):
        names = {path.stem for path in measured["folder"].glob("*.pdf")}
        assert names == {
            *("pulls", "correlations", "ranking", "scan", "limit", "distributions"),
        }
