"""`hfjax cls` and `hfjax fit`: numbers from closed forms, and pyhf's keys."""

import json
import os
import subprocess
import sys

import pytest

import hfjax as library
from hfjax.documents.reading.schema import validate

# The closed form of the two-bin model, in which each gamma solves a quadratic.
CLS_OBS = 0.0525155251461
CLS_EXP = [
    0.00260640458,
    0.01382064004,
    0.06445515477,
    0.23526090312,
    0.57304165498,
]


def test_cls_has_the_closed_form_and_all_keys(hfjax, hello, write):
    outcome = hfjax("cls", write("ws.json", hello))
    assert outcome.code == 0
    assert outcome.stderr == ""
    result = outcome.json
    assert list(result) == [
        "CLs_obs",
        "CLs_exp",
        "CLsb",
        "CLb",
        "q",
        "q_asimov",
        "mu_hat",
        "poi_value",
        "band",
        "status",
        "message",
        "edm",
        "steps",
        "valleys",
        "at_bounds",
        "at_edge",
        "hfjax",
    ]
    assert result["CLs_obs"] == pytest.approx(CLS_OBS, rel=1e-9)
    assert result["CLs_exp"] == pytest.approx(CLS_EXP, rel=1e-8)
    assert result["q"] == pytest.approx(3.93824493338, rel=1e-9)
    assert result["q_asimov"] == pytest.approx(3.41886907161, rel=1e-9)
    assert result["status"] == "converged"


def test_expected_results_before_any_fit_are_asked_for(hfjax, hello, write):
    """They do not depend on the observed data, and say so."""
    path = write("ws.json", hello)
    found = hfjax("cls", path, "--expected", "nominal").json
    hello["observations"][0]["data"] = [60, 30]
    other = hfjax("cls", write("other.json", hello), "--expected", "nominal").json
    assert found["CLs_exp"] == pytest.approx(other["CLs_exp"], rel=1e-8)
    shown = hfjax("cls", path, "--expected", "nominal", columns=100).lines
    assert shown[0] == "test of mu = 1 with qtilde, expected before any fit"
    assert found["band"] == found["hfjax"]["settings"]["expected"] == "nominal"
    refused = hfjax("cls", path, "--expected", "nominal", "--calculator", "toys")
    assert "--expected: toys have no Asimov data" in refused.complaint


def test_cls_says_where_its_numbers_come_from(hfjax, hello, write):
    path = write("ws.json", hello)
    origin = hfjax("cls", path, "--test-poi", "1.0").json["hfjax"]
    assert origin["dtype"] == "float64"
    assert origin["command"] == f"hfjax cls {path} --test-poi 1.0"
    assert len(origin["workspace_digest"]) == 64
    assert origin["settings"]["test_stat"] == "qtilde"
    assert set(origin["seconds"]) == {"load", "start", "build", "fit", "total"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "observed", "CLs_obs"),
    [
        (["--test-stat", "q"], [51, 48], 0.0529011431195),
        (["--test-stat", "q0"], [60, 65], 0.0420613288984),
        (["--test-poi", "1.0115718814"], [51, 48], 0.05),
    ],
)
def test_cls_of_other_statistics_and_values(
    hfjax, hello, write, options, observed, CLs_obs
):
    hello["observations"][0]["data"] = observed
    # A free best fit below zero is what tells q from qtilde.
    parameters = hello["measurements"][0]["config"]["parameters"]
    parameters.append({"name": "mu", "inits": [1.0], "bounds": [[0.0, 10.0]]})
    result = hfjax("cls", write("ws.json", hello), *options).json
    assert result["CLs_obs"] == pytest.approx(CLs_obs, rel=1e-8)


def test_a_signal_comes_as_patch_or_from_a_patchset(hfjax, files, write, patchset):
    workspace, patchset_file = files
    patch = write("patch.json", patchset["patches"][1]["patch"])
    one = hfjax("cls", workspace, "--patch", patch).json
    options = ("--patchset", patchset_file, "--name", "point_1")
    two = hfjax("cls", workspace, *options).json
    three = hfjax("cls", "-", *options, stdin=workspace.read_text()).json
    for result in (one, two, three):
        assert result["CLs_obs"] == pytest.approx(CLS_OBS, rel=1e-9)


def test_patches_are_applied_one_after_the_other(hfjax, files, write, patchset):
    first = write("first.json", patchset["patches"][1]["patch"])
    path = "/channels/0/samples/1/data/0"
    second = write("second.json", [{"op": "replace", "path": path, "value": 24.0}])
    result = hfjax("cls", files[0], "-p", first, "-p", second).json
    assert result["CLs_obs"] < CLS_OBS


def test_a_digest_that_does_not_fit_can_be_ignored(hfjax, files, write, background):
    background["observations"][0]["data"] = [51.0, 48.0]
    other = write("other.json", background)
    options = ("--patchset", files[1], "--name", "point_1")
    assert "not made for" in hfjax("cls", other, *options).complaint
    assert hfjax("cls", other, *options, "--no-verify").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("minimizer", ["newton", "jaxopt-lbfgsb", "optax-lbfgs"])
def test_every_minimizer_finds_the_minimum(hfjax, hello, write, minimizer):
    result = hfjax("fit", write("ws.json", hello), "--minimizer", minimizer).json
    assert result["status"] == "converged"
    assert result["twice_nll"] == pytest.approx(24.9839352003, abs=1e-4)
    assert result["hfjax"]["settings"]["minimizer"] == minimizer


def test_fit_gives_parameters_by_name(hfjax, hello, write, tmp_path):
    outcome = hfjax("fit", write("ws.json", hello), "--output-file", "fit.json")
    assert outcome.stdout == ""
    result = json.loads((tmp_path / "fit.json").read_text())
    assert list(result)[:2] == ["mle_parameters", "twice_nll"]
    assert list(result["mle_parameters"]) == ["mu", "stat"]
    assert result["mle_parameters"]["mu"] == pytest.approx([0.0], abs=1e-6)
    assert result["twice_nll"] == pytest.approx(24.9839352003, rel=1e-10)


def test_fit_can_hold_the_parameter_of_interest(hfjax, hello, write):
    result = hfjax("fit", write("ws.json", hello), "--test-poi", "1").json
    assert result["mle_parameters"]["mu"] == [1.0]
    gammas = [0.9722465758, 0.8755358353]
    assert result["mle_parameters"]["stat"] == pytest.approx(gammas, rel=1e-6)
    assert result["twice_nll"] == pytest.approx(28.9221801337, rel=1e-10)


@pytest.mark.slow
def test_fit_gives_uncertainties_by_name(hfjax, hello, write):
    path = write("ws.json", hello)
    model, data = library.build(library.Workspace.load(path))
    found = library.covariance(model, data, library.fit(model, data))
    outcome = hfjax("fit", path)
    assert outcome.stderr == ""
    result = outcome.json
    validate(result, "fit-result-1.0.0.json")
    for name, known in found.uncertainties_by_name.items():
        assert result["uncertainties"][name] == pytest.approx(known.ravel().tolist())
    assert result["uncertainty_status"] == "known"
    assert "correlations" not in result
    held = hfjax("fit", path, "--poi-value", "0.5", "--correlations").json
    validate(held, "fit-result-1.0.0.json")
    assert held["uncertainties"]["mu"] == [0.0]
    assert "mu" not in held["correlations"]["names"]


@pytest.mark.slow
def test_fit_gives_profile_intervals_if_they_are_wanted(hfjax, hello, write):
    path, wanted = write("ws.json", hello), ("--uncertainties", "profile")
    model, data = library.build(library.Workspace.load(path))
    known = library.intervals(model, data)
    outcome = hfjax("fit", path, *wanted)
    assert outcome.stderr == ""
    result = outcome.json
    validate(result, "fit-result-1.0.0.json")
    assert list(result["intervals"]) == list(known.names)
    below, above = result["intervals"]["stat[1]"]["ends"]
    assert [below, above] == pytest.approx(known["stat[1]"].tolist())
    assert result["intervals"]["mu"]["status"] == ["at_bound", "found"]
    shown = next(
        row for row in hfjax("fit", path, *wanted, columns=80).lines if "mu" in row
    )
    assert f"{result['intervals']['mu']['ends'][1]:+.3g}" in shown
    held = hfjax("fit", path, *wanted, "--poi-value", "0.5").json
    assert held["intervals"]["mu"]["status"] == ["fixed", "fixed"]


def test_fit_names_what_has_no_finite_uncertainty(hfjax, hello, write):
    second = {"name": "k", "type": "normfactor", "data": None}
    for sample in hello["channels"][0]["samples"]:
        if sample["name"] == "signal":
            sample["modifiers"].append(second)
    hello["observations"][0]["data"] = [71, 73]
    path = write("ws.json", hello)
    outcome = hfjax("fit", path)
    assert "hold one of each direction, or remove it: " in outcome.stderr
    assert outcome.json["uncertainties"]["k"] == [None]
    assert outcome.json["uncertainty_status"] == "flat"
    assert hfjax("fit", path, "--quiet").stderr == ""


@pytest.mark.slow
def test_a_background_only_workspace_can_be_fitted(hfjax, background, write):
    outcome = hfjax("fit", write("ws.json", background))
    assert outcome.code == 0
    assert list(outcome.json["mle_parameters"]) == ["stat"]


def test_several_measurements_are_one_line_of_warning(hfjax, hello, write):
    second = {"name": "n", "config": {"poi": "mu", "parameters": []}}
    hello["measurements"].append(second)
    path = write("ws.json", hello)
    outcome = hfjax("cls", path)
    assert outcome.code == 0
    assert outcome.stderr.startswith("hfjax: warning: took the first")
    assert outcome.stderr.count("\n") == 1
    assert hfjax("cls", path, "--measurement", "n").stderr == ""


SHAPE = {"name": "sf", "type": "shapefactor", "data": None}


def test_a_component_is_tested_where_the_measurement_names_them_all(
    hfjax, hello, write
):
    hello["channels"][0]["samples"][0]["modifiers"] = [SHAPE]
    hello["measurements"][0]["config"]["poi"] = "sf"
    path = write("ws.json", hello)
    assert hfjax("fit", path).code == 0
    assert "'sf' has 2 components" in hfjax("cls", path).complaint
    assert "'sf' has 2 components" in hfjax("fit", path, "--test-poi", "1").complaint
    found = hfjax("cls", path, "--poi", "sf[0]").json
    assert found["status"] == "converged"
    assert found["CLs_obs"] < 1.0


@pytest.mark.parametrize("command", ["cls", "fit"])
def test_a_parameter_that_is_taken_for_a_missing_one_is_told(
    hfjax, hello, write, command
):
    hello["measurements"][0]["config"]["poi"] = "MU"
    path = write("ws.json", hello)
    outcome = hfjax(command, path)
    assert outcome.code == 0
    (line,) = outcome.stderr.splitlines()
    assert "parameter of interest 'MU' is not in the model: 'mu' is taken" in line
    assert hfjax(command, path, "--quiet").stderr == ""
    assert hfjax(command, path, "--poi", "mu").stderr == ""


@pytest.mark.slow
def test_cls_of_a_failed_fit_is_null_and_exit_3(hfjax, hello, write):
    outcome = hfjax("cls", write("ws.json", hello), "--max-steps", "1")
    assert outcome.code == 3
    assert outcome.json["CLs_obs"] is None
    assert outcome.json["CLs_exp"] == [None] * 5
    assert outcome.json["status"] == "max_steps"
    assert outcome.stderr.startswith("hfjax: max_steps: ")
    assert outcome.stderr.count("\n") == 1


def test_a_failed_fit_says_so(hfjax, hello, write):
    outcome = hfjax("fit", write("ws.json", hello), "--max-steps", "1")
    assert outcome.code == 3
    assert outcome.json["status"] == "max_steps"
    assert "all its steps" in outcome.json["message"]


@pytest.mark.long
@pytest.mark.parametrize(("options", "kept"), [([], True), (["--no-cache"], False)])
def test_compiled_programs_are_kept_unless_refused(
    hello, write, tmp_path, options, kept
):
    path = write("ws.json", hello)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("JAX_")
    }
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from hfjax.cli.main import run; run()",
            "cls",
            str(path),
            *options,
        ],
        capture_output=True,
        text=True,
        check=True,
        env=environment | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    assert json.loads(done.stdout)["CLs_obs"] == pytest.approx(CLS_OBS, rel=1e-9)
    assert done.stderr == ""
    assert any((tmp_path / "cache").rglob("*.program")) == kept


@pytest.mark.slow
@pytest.mark.parametrize("command", ["cls", "fit"])
def test_t2_modifiers_that_are_there_twice_are_composed(
    hfjax, hello, write, twice, command
):
    path = write("ws.json", twice(hello))
    complaint = hfjax(command, path).complaint
    assert "modifier 'jes' 'normsys' is there twice" in complaint
    assert "`hfjax convert --to json --compose`" in complaint
    once = write("once.json", twice(hello, composed=True))
    key = "CLs_obs" if command == "cls" else "twice_nll"
    expected = hfjax(command, once).json[key]
    assert hfjax(command, path, "--compose").json[key] == pytest.approx(
        expected, rel=1e-9
    )


@pytest.mark.slow
def test_t2_what_a_patch_brings_is_composed(hfjax, hello, write, twice):
    def patch(document):
        sample = document["channels"][0]["samples"][-1] | {"name": "new"}
        return [{"op": "add", "path": "/channels/0/samples/-", "value": sample}]

    del hello["channels"][0]["samples"][1]["modifiers"][0]  # which may be there once
    path, patches = write("ws.json", hello), write("p.json", patch(twice(hello)))
    assert "is there twice" in hfjax("fit", path, "--patch", patches).complaint
    found = hfjax("fit", path, "--patch", patches, "--compose").json["twice_nll"]
    once = write("once.json", patch(twice(hello, composed=True)))
    expected = hfjax("fit", path, "--patch", once).json["twice_nll"]
    assert found == pytest.approx(expected, rel=1e-9)
    strength = {"name": "mu", "type": "normfactor", "data": None}
    sample = {"name": "new", "data": [1.0, 2.0], "modifiers": [strength, strength]}
    bad = write("bad.json", [{**patch(hello)[0], "value": sample}])
    complaint = hfjax("fit", path, "--patch", bad, "--compose").complaint
    assert "bad.json: sample 'new': modifier 'mu' 'normfactor' is there tw" in complaint


@pytest.mark.slow
def test_a_value_that_q0_does_not_use_is_told(hfjax, hello, write):
    path = write("ws.json", hello)
    outcome = hfjax("cls", path, "--test-stat", "q0", "--poi-value", "2")
    assert "q0 tests 0: --poi-value 2 is not used" in outcome.stderr
    assert "--poi-value" not in hfjax("cls", path, "--test-stat", "q0").stderr


def test_parameters_are_held_by_name(hfjax, hello, write):
    path = write("ws.json", hello)
    free = hfjax("fit", path).json
    name = next(n for n in free["mle_parameters"] if n != "mu")
    size = len(free["mle_parameters"][name])
    options = [f"{name}[{i}]=1.01" for i in range(size)]
    hold = [word for option in options for word in ("--hold", option)]
    held = hfjax("fit", path, *hold).json
    assert held["mle_parameters"][name] == [1.01] * size
    assert held["twice_nll"] > free["twice_nll"]
    assert held["hfjax"]["settings"]["hold"] == {
        f"{name}[{i}]": 1.01 for i in range(size)
    }
    tested = hfjax("cls", path, *hold).json
    assert tested["CLs_obs"] < hfjax("cls", path).json["CLs_obs"] * 1.5
    complaint = hfjax("fit", path, "--hold", "m=1").complaint
    assert "no parameter named 'm'" in complaint
    complaint = hfjax("fit", path, "--hold", "mu=a").complaint
    assert "--hold: mu: 'a' is not a finite number" in complaint


def test_qtilde_of_a_parameter_that_may_be_negative_is_explained(hfjax, hello):
    bounds = {"name": "mu", "bounds": [[-3.0, 10.0]]}
    hello["measurements"][0]["config"]["parameters"] = [bounds]
    text = json.dumps(hello)
    told = "hfjax: 'mu' may be as low as -3: qtilde is that of its definition"
    assert hfjax("cls", stdin=text).stderr.startswith(told)
    assert hfjax("cls", "--quiet", stdin=text).stderr == ""
    assert hfjax("cls", "--test-stat", "q", stdin=text).stderr == ""
    bounds["bounds"] = [[0.0, 10.0]]
    assert hfjax("cls", stdin=json.dumps(hello)).stderr == ""


LIMIT_OBS = 1.0115718814
LIMIT_EXP = [0.5598842551, 0.7570290235, 1.0623550007, 1.5011808271, 2.0508020218]


@pytest.mark.slow
def test_limit_has_the_closed_form_and_its_schema(hfjax, hello, write):
    outcome = hfjax("limit", write("ws.json", hello))
    assert (outcome.code, outcome.stderr) == (0, "")
    validate(outcome.json, "limit-result-1.0.0.json")
    assert outcome.json["limit_obs"] == pytest.approx(LIMIT_OBS, rel=1e-9)
    assert outcome.json["limit_exp"] == pytest.approx(LIMIT_EXP, rel=1e-9)
    assert outcome.json["status"] == ["found"] * 6
    assert outcome.json["hfjax"]["settings"]["level"] == 0.05


@pytest.mark.slow
def test_the_curve_of_a_limit_is_there_if_it_is_asked_for(hfjax, hello, write):
    outcome = hfjax("limit", write("ws.json", hello), "--curve")
    assert (outcome.code, outcome.stderr) == (0, "")
    validate(outcome.json, "limit-result-1.0.0.json")
    curve = outcome.json["curve"]
    assert len(curve["CLs_obs"]) == len(curve["CLs_exp"]) == 31
    assert curve["poi_values"][-1] == pytest.approx(1.5 * LIMIT_EXP[-1])
    last = sum(CLs >= 0.05 for CLs in curve["CLs_obs"]) - 1
    assert curve["poi_values"][last] < LIMIT_OBS < curve["poi_values"][last + 1]


@pytest.mark.slow
def test_limits_between_given_values(hfjax, hello, write):
    outcome = hfjax("limit", write("ws.json", hello), "--values", "0:2:41")
    assert outcome.code == 0
    validate(outcome.json, "limit-result-1.0.0.json")
    assert outcome.json["limit_obs"] == pytest.approx(LIMIT_OBS, rel=1e-3)
    assert outcome.json["status"] == ["found"] * 5 + ["outside_values"]
    assert outcome.json["curve"]["poi_values"][:2] == [0.0, 0.05]
    assert len(outcome.json["curve"]["CLs_exp"]) == 41
    for text in ("0:2", "2:0:5", "0:1:x", "1,0", "0:1:1", "a:b:3"):
        refused = hfjax("limit", write("ws.json", hello), "--values", text)
        assert refused.code == 2
        assert "FIRST:LAST:COUNT" in refused.complaint


@pytest.mark.slow
def test_limits_by_toys_have_errors(hfjax, hello, write):
    path = write("ws.json", hello)
    asked = "limit", path, "--calculator", "toys", "--toys", "200", "--seed", "5"
    outcome = hfjax(*asked)
    assert (outcome.code, outcome.stderr) == (0, "")
    validate(outcome.json, "toy-limit-result-1.0.0.json")
    found = outcome.json
    assert abs(found["limit_obs"] - LIMIT_OBS) < 4.5 * found["limit_obs_error"]
    assert found["question"]["key"] == [0, 5]
    assert (found["toys"], found["hfjax"]["settings"]["calculator"]) == (200, "toys")
    shown = hfjax(*asked, columns=100).lines
    assert shown[0] == "upper limits on mu at 0.95 confidence, by toys"
    assert any(
        f"200 of each hypothesis at {len(found['curve']['lost'])}" in x for x in shown
    )


@pytest.mark.parametrize(
    "option", [["--values", "1,2"], ["--curve"], ["--expected", "nominal"]]
)
def test_options_without_a_meaning_for_toys_are_refused(hfjax, hello, write, option):
    path = write("ws.json", hello)
    refused = hfjax("limit", path, "--calculator", "toys", *option).complaint
    assert f"Invalid value for {option[0]}" in refused
    assert "it is for toys" in hfjax("limit", path, "--seed", "3").complaint


@pytest.mark.slow
def test_limits_that_do_not_exist_say_why(hfjax, hello, write):
    for each in hello["channels"][0]["samples"]:
        if any(m["name"] == "mu" for m in each["modifiers"]):
            each["data"] = [0.0, 0.0]
    outcome = hfjax("limit", write("ws.json", hello))
    assert outcome.code == 0
    assert "above the level up to the largest value tested" in outcome.stderr
    assert outcome.json["limit_obs"] is None
    assert set(outcome.json["status"]) == {"not_reached"}


@pytest.mark.slow
def test_limits_whose_fits_fail_end_with_their_own_code(hfjax, hello, write):
    outcome = hfjax("limit", write("ws.json", hello), "--max-steps", "1")
    assert outcome.code == 3
    assert "fits do not converge" in outcome.stderr


def test_a_level_that_is_none_is_a_usage_error(hfjax, hello, write):
    outcome = hfjax("limit", write("ws.json", hello), "--level", "2")
    assert outcome.code == 2
    assert "between 0 and 1" in outcome.stderr


def test_significance_has_the_closed_form_and_its_schema(hfjax, hello, write):
    hello["observations"][0]["data"] = [60.0, 65.0]
    path = write("ws.json", hello)
    outcome = hfjax("significance", path)
    assert (outcome.code, outcome.stderr) == (0, "")
    validate(outcome.json, "significance-result-1.0.0.json")
    assert outcome.json["p0"] == pytest.approx(0.0420613288984, rel=1e-9)
    settings = outcome.json["hfjax"]["settings"]
    assert (settings["signed"], settings["injected"]) == (False, 1.0)
    half = hfjax("significance", path, "--injected", "0.5")
    assert half.json["p0"] == pytest.approx(outcome.json["p0"], rel=1e-9)
    assert half.json["Z_exp"][2] < outcome.json["Z_exp"][2]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--signed",), "a negative lower bound"),
        (("--injected", "20"), "inject a signal inside"),
        (("--injected", "many"), "not a finite number"),
    ],
)
def test_a_significance_that_is_none_says_why(hfjax, hello, write, option, words):
    outcome = hfjax("significance", write("ws.json", hello), *option)
    assert outcome.code == 2
    assert words in outcome.stderr


@pytest.mark.slow
def test_a_significance_whose_fits_fail_ends_with_its_own_code(hfjax, hello, write):
    outcome = hfjax("significance", write("ws.json", hello), "--max-steps", "1")
    assert outcome.code == 3
    assert "max_steps" in outcome.stderr
    assert outcome.json["p0"] is None
