"""Small inputs after public reports, on the command line."""

import json
import shutil

import pytest


@pytest.mark.slow
def test_a_parameter_of_interest_may_be_a_component(hfjax, cases_dir):
    path = cases_dir / "poi_is_shapefactor.json"
    outcome = hfjax("cls", path, "--poi", "sf[0]")
    assert outcome.code == 0
    assert outcome.json["CLs_obs"] == pytest.approx(0.80538247626, abs=1e-9)


@pytest.mark.slow
def test_a_fit_needs_no_parameter_of_interest(hfjax, cases_dir):
    outcome = hfjax("fit", cases_dir / "poi_is_shapefactor.json")
    assert outcome.code == 0
    assert outcome.json["status"] == "converged"


@pytest.mark.slow
def test_what_a_signal_alone_cannot_do_is_said(hfjax, cases_dir):
    """Which fit, and which bin; a check says it beforehand."""
    path = cases_dir / "signal_only.json"
    outcome = hfjax("cls", path)
    assert outcome.code == 3
    assert outcome.json["CLs_obs"] is None
    assert "mu = 0" in outcome.stderr
    assert "SR" in outcome.stderr
    assert "signal" in hfjax("check", path).stdout.lower()


@pytest.mark.slow
def test_empty_vals_are_read_as_none(hfjax, cases_dir, tmp_path):
    path = tmp_path / "empty.json"
    shutil.copy(cases_dir / "hs3_empty_vals.json", path)
    document = json.loads(path.read_text())
    for distribution in document["distributions"]:
        for sample in distribution.get("samples", []):
            for modifier in sample["modifiers"]:
                if modifier.get("data") == {"vals": []}:
                    del modifier["data"]
    without = tmp_path / "without.json"
    without.write_text(json.dumps(document))
    assert without.stat().st_size != path.stat().st_size
    read = [hfjax("convert", each, f"{each}.ws.json") for each in (path, without)]
    assert [outcome.code for outcome in read] == [0, 0]
    found, known = (hfjax("cls", f"{each}.ws.json") for each in (path, without))
    assert (found.code, known.code) == (0, 0)
    assert found.json["CLs_obs"] == pytest.approx(known.json["CLs_obs"], rel=1e-10)


def test_a_modifier_without_a_name_is_checked(hfjax, cases_dir):
    outcome = hfjax("check", cases_dir / "check_empty_modifier_name.json")
    if outcome.code == 0:
        assert outcome.stdout.splitlines()[-1].startswith("0 errors, ")
    else:
        assert "/channels/0/samples/1/modifiers/0" in outcome.complaint
