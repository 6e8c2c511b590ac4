"""Several minima, starts and failures on the command line: what is told, and chosen."""

import copy
import json

import pytest

import hfjax as library
from hfjax.cli.runtime import start_jax
from hfjax.documents.reading.digest import digest
from hfjax.fitting.status import FitStatus
from hfjax.results.scan import ScanResult
from tests.fitting.valleys.models import LOWER, NOTHING, PASSED, valleys
from tests.workspaces import MU, sample, workspace

pytestmark = pytest.mark.slow

GRID = 2e-3
"""How far a minimum on a grid may be above the minimum, in -2 ln L."""


def test_fit_tells_that_another_valley_is_lower(hfjax, write):
    path = write("ws.json", LOWER)
    outcome = hfjax("fit", path)
    (_, height), (_, higher) = valleys(LOWER)
    assert outcome.code == 0
    result = outcome.json
    assert result["twice_nll"] == pytest.approx(height, abs=GRID)
    assert result["valleys"]["lower_by"] == pytest.approx(higher - height, abs=GRID)
    (moved,) = result["valleys"]["moved"]
    assert moved["name"] == "a"
    assert moved["to"] == result["mle_parameters"]["a"][0]
    (line,) = outcome.stderr.splitlines()
    assert "by 0.841 (the free fit): a at -0.971 instead of 0.957" in line
    assert hfjax("fit", path, "--quiet").stderr == ""


def test_the_minimum_of_the_initial_values_can_be_chosen(hfjax, write):
    outcome = hfjax("fit", write("ws.json", LOWER), "--valleys", "initial")
    assert outcome.stderr == ""
    assert outcome.json["twice_nll"] == pytest.approx(valleys(LOWER)[1][1], abs=GRID)
    assert outcome.json["hfjax"]["settings"]["valleys"] == "initial"


def test_a_start_is_where_the_initial_values_are(hfjax, write):
    outcome = hfjax("fit", write("ws.json", LOWER), "--start", "a=-1")
    assert outcome.stderr == ""
    assert outcome.json["valleys"]["lower_by"] == 0.0
    assert outcome.json["mle_parameters"]["a"][0] < 0.0
    assert outcome.json["hfjax"]["settings"]["start"] == {"a": -1.0}


def test_what_is_passed_over_is_told_and_can_be_taken(hfjax, write):
    path = write("ws.json", PASSED)
    outcome = hfjax("fit", path)
    (_, lower), (_, height) = valleys(PASSED)
    found = outcome.json["valleys"]
    assert found["passed_by"] == pytest.approx(height - lower, abs=GRID)
    assert found["passed"]["sample"] == "t"
    assert (found["passed"]["channel"], found["passed"]["bin"]) == ("SR", 1)
    (line,) = outcome.stderr.splitlines()
    assert "passed over as unphysical: sample 't' has -1" in line
    assert "`--valleys any` takes it" in line
    taken = hfjax("fit", path, "--valleys", "any").json
    assert taken["twice_nll"] == pytest.approx(lower, abs=GRID)


def test_that_there_is_no_physical_minimum_is_told(hfjax, write):
    outcome = hfjax("fit", write("ws.json", NOTHING))
    (line,) = outcome.stderr.splitlines()
    assert "no physical minimum was found (the free fit): sample 't' has -2" in line
    assert outcome.json["valleys"]["unphysical"]["sample"] == "t"


@pytest.fixture
def points():
    """A background, and two signals that depend on nothing else."""
    background = copy.deepcopy(LOWER)
    channel = background["channels"][0]
    signal = next(s for s in channel["samples"] if s["name"] == "s")
    channel["samples"].remove(signal)

    def patch(name, events):
        value = signal | {"data": [events]}
        value["modifiers"] = [MU]
        operation = {"op": "add", "path": "/channels/0/samples/-", "value": value}
        metadata = {"name": name, "values": [events]}
        return {"metadata": metadata, "patch": [operation]}

    metadata = {
        "references": {"hepdata": "ins1234567"},
        "description": "two signals",
        "digests": {"sha256": digest(background)},
        "labels": ["events"],
    }
    patches = [patch("weak", 5.0), patch("strong", 20.0)]
    return background, {"metadata": metadata, "patches": patches, "version": "1.0.0"}


def test_scan_counts_the_points_and_names_the_worst(hfjax, write, points):
    background, patchset = points
    files = write("b.json", background), write("p.json", patchset)
    outcome = hfjax("scan", *files, "-o", "result.json")
    assert outcome.code == 0, outcome.stderr
    (_, height), (_, higher) = valleys(LOWER)
    found = ScanResult.load("result.json")
    for point in found:
        assert point.lower_by == pytest.approx(higher - height, abs=GRID)
        assert not point.passed_over
    (line,) = outcome.stderr.splitlines()
    worst = max(found, key=lambda point: point.lower_by)
    assert "at 2 of 2 points best fits are lower in -2 ln L" in line
    assert f"by up to 0.841 ({worst.name})" in line
    assert found.provenance.settings["max_steps"] == 300


def test_cls_names_the_fits(hfjax, write):
    outcome = hfjax("cls", write("ws.json", LOWER))
    assert outcome.code == 0
    found = outcome.json["valleys"]
    assert list(found) == ["free", "fixed", "background", "asimov"]
    assert found["background"]["lower_by"] == pytest.approx(0.841, abs=GRID)
    assert (
        list(outcome.json["at_bounds"]) == list(outcome.json["at_edge"]) == list(found)
    )
    (line,) = outcome.stderr.splitlines()
    fits = "the fit at mu = 0", "the fit at mu = 1", "the free fit"
    assert ", ".join(f"0.841 ({each})" for each in fits) in line


def test_cls_says_why_it_has_no_result(hfjax, write):
    only = workspace({"SR": [sample("s", [25.0, 3.0], MU)]}, {"SR": [24.0, 4.0]})
    outcome = hfjax("cls", write("ws.json", only))
    assert outcome.code == 3
    assert outcome.json["CLs_obs"] is None
    message = outcome.json["message"]
    assert message.startswith("the fit at mu = 0 is impossible: bin 0 of channel 'SR'")
    assert outcome.stderr == f"hfjax: not_finite: {message}\n"


def test_a_fit_of_too_few_steps_names_the_option(hfjax, write):
    outcome = hfjax("fit", write("ws.json", LOWER), "--max-steps", 1)
    assert outcome.code == 3
    assert outcome.json["status"] == FitStatus.MAX_STEPS.name.lower()
    assert outcome.json["message"].startswith("the free fit used all its steps")
    assert "--max-steps N" in outcome.json["message"]
    assert "FitSettings" not in outcome.stderr
    assert outcome.json["hfjax"]["settings"]["max_steps"] == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--start", "nu=1"], "no parameter named 'nu'"),
        (["--start", "mu=7"], "mu = 7 is outside its bounds [0, 5]"),
        (["--start", "mu"], "'mu' is not NAME=VALUE"),
        (["--start", "mu=x"], "'x' is not a finite number"),
        (["--start", "mu=nan"], "'nan' is not a finite number"),
        (["--start", "mu=1", "--start", "mu=2"], "'mu' is given twice"),
        (["--max-steps", "0"], "--max-steps"),
        (["--valleys", "lowst"], "--valleys"),
    ],
)
@pytest.mark.parametrize("command", ["fit", "cls"])
def test_options_that_cannot_be_are_one_line(hfjax, write, command, options, says):
    assert says in hfjax(command, write("ws.json", LOWER), *options).complaint


def test_a_fixed_parameter_starts_nowhere_else(hfjax, write):
    fixed = copy.deepcopy(LOWER)
    fixed["measurements"][0]["config"]["parameters"][0]["fixed"] = True
    outcome = hfjax("fit", write("ws.json", fixed), "--start", "a=0.5")
    assert "the measurement fixes 'a'" in outcome.complaint


def test_other_settings_are_other_occasions(cache_home, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_home))
    preloading = []
    monkeypatch.setattr(
        library.ProgramStore, "preload", lambda _, text: preloading.append(text)
    )
    usual = {"minimizer": "newton", "valleys": "lowest", "max_steps": 300}
    for chosen in (usual, usual | {"valleys": "any"}, usual | {"max_steps": 3}):
        settings = start_jax("fit", True, chosen)
        assert (settings.valleys, settings.max_steps) == (
            chosen["valleys"],
            chosen["max_steps"],
        )
    assert len(set(preloading)) == 3


def test_a_result_without_the_new_keys_is_read():
    point = {"name": "a", "values": [1], "CLs_obs": 0.5, "CLs_exp": [0.5] * 5}
    point |= {"CLsb": 0.2, "CLb": 0.4, "q": 1.0, "q_asimov": 1.0, "mu_hat": 0.1}
    point |= {"status": "converged", "message": "", "edm": 0.0, "steps": 3}
    origin = library.Provenance(version="0.1", jax="0.1", device="cpu").dump()
    old = {"hfjax": origin, "labels": ["m"], "points": [point]}
    (found,) = ScanResult.parse(json.loads(json.dumps(old)))
    assert (found.lower_by, found.passed_over) == (0.0, False)
    old["points"][0] |= {"lower_by": 0.25, "passed_over": True}
    (found,) = ScanResult.parse(old)
    assert (found.lower_by, found.passed_over) == (0.25, True)
