"""Expressions and chosen parameters of interest on the command line."""

import copy
import math

import pytest

SQUARE = {"name": "k", "expression": "mu**2"}


@pytest.fixture
def quadratic(hello):
    """``12 mu^2`` and ``11 mu^2`` events on the two-bin background."""
    document = copy.deepcopy(hello)
    signal = document["channels"][0]["samples"][0]
    signal["modifiers"] = [{"name": "k", "type": "normfactor", "data": None}]
    config = document["measurements"][0]["config"]
    config["parameters"] = [{"name": "mu"}, dict(SQUARE)]
    return document | {"version": "1.0.0+hfjax.1"}


def configured(document, *entries):
    document["measurements"][0]["config"]["parameters"] = list(entries)
    return document


# -- expressions -------------------------------------------------------------------


@pytest.mark.slow
def test_a_test_of_a_square_is_one_of_its_root(hfjax, hello, quadratic, write):
    """mu = 0.6 of the square is mu = 0.36 of the plain model."""
    path, plain = write("q.json", quadratic), write("ws.json", hello)
    found = hfjax("cls", path, "--test-poi", "0.6").json
    known = hfjax("cls", plain, "--test-poi", "0.36").json
    for key in ("CLs_obs", "CLsb", "CLb", "q", "q_asimov"):
        assert found[key] == pytest.approx(known[key], rel=1e-6)
    assert found["CLs_exp"] == pytest.approx(known["CLs_exp"], rel=1e-6)


@pytest.mark.slow
def test_a_fit_shows_what_expressions_give(hfjax, hello, quadratic, write):
    hello["observations"][0]["data"] = quadratic["observations"][0]["data"] = [60, 61]
    found = hfjax("fit", write("q.json", quadratic)).json
    known = hfjax("fit", write("ws.json", hello)).json
    mu = known["mle_parameters"]["mu"][0]
    assert found["derived_parameters"]["k"] == pytest.approx([mu], rel=1e-6)
    assert found["mle_parameters"]["mu"] == pytest.approx([math.sqrt(mu)], rel=1e-6)
    assert "derived_parameters" not in known


@pytest.mark.parametrize("command", ["cls", "fit"])
def test_a_wrong_expression_is_one_line(hfjax, quadratic, write, command):
    quadratic["measurements"][0]["config"]["parameters"][1]["expression"] = "mu^2"
    complaint = hfjax(command, write("q.json", quadratic)).complaint
    assert "parameter 'k': the expression 'mu^2' has '^' in it: write a" in complaint
    assert "/measurements/0/config/parameters/1/expression" in complaint


def test_an_unknown_name_is_one_line(hfjax, quadratic, write):
    quadratic["measurements"][0]["config"]["parameters"][1]["expression"] = "muu**2"
    complaint = hfjax("fit", write("q.json", quadratic)).complaint
    assert "no parameter named 'muu': did you mean 'mu'?" in complaint


def test_inspect_shows_expressions(hfjax, quadratic, write):
    found = hfjax("inspect", write("q.json", quadratic)).json
    assert found["measurements"][0]["expressions"] == {"k": "mu**2"}
    assert found["models"][0]["parameters"] == 3


@pytest.mark.slow
def test_check_finds_nothing_wrong_with_an_expression(hfjax, quadratic, write):
    found = hfjax("check", write("q.json", quadratic), "--json", "--fit").json
    assert found["counts"]["error"] == 0
    assert [fit["status"] for fit in found["fits"]] == ["converged"] * 2


@pytest.mark.slow
def test_check_has_a_place_for_parameters_of_expressions_only(hfjax, quadratic, write):
    """A flat direction of two of them, which no modifier has."""
    entries = {"name": "mu"}, {"name": "c"}, {"name": "k", "expression": "mu * c"}
    path = write("q.json", configured(quadratic, *entries))
    found = hfjax("check", path, "--json", "--fit").json["findings"]
    flat = [one for one in found if one["kind"] == "fit-flat-direction"]
    assert flat
    assert flat[0]["pointer"].startswith("/measurements/0/config/parameters/")


def test_check_says_what_the_build_would(hfjax, quadratic, write):
    entry = {"name": "k", "expression": "muu**2"}
    outcome = hfjax("check", write("q.json", configured(quadratic, entry)))
    assert outcome.code == 3
    assert "error expression-refused (1)" in outcome.stdout


def test_rename_goes_into_expressions(hfjax, quadratic, write):
    path = write("q.json", quadratic)
    found = hfjax("rename", path, "--modifier", "k", "square").json
    names = [p["name"] for p in found["measurements"][0]["config"]["parameters"]]
    assert names == ["mu", "square"]
    found = hfjax("rename", path, "--modifier", "mu", "mu-SIG").json
    config = found["measurements"][0]["config"]
    assert config["parameters"][1]["expression"] == "'mu-SIG'**2"
    assert config["poi"] == "mu-SIG"


def test_prune_refuses_to_leave_a_gap(hfjax, hello, write):
    document = hello | {"version": "1.0.0+hfjax.1"}
    sample = copy.deepcopy(document["channels"][0]["samples"][0])
    sample["name"] = "interference"
    sample["modifiers"] = [{"name": "k", "type": "normfactor", "data": None}]
    document["channels"][0]["samples"].append(sample)
    path = write("q.json", configured(document, SQUARE))
    complaint = hfjax("prune", path, "--modifier", "mu").complaint
    assert "parameter 'mu' cannot go: the expression 'mu**2'" in complaint


@pytest.mark.parametrize("form", ["hs3", "xml"])
def test_conversions_tell_the_loss_or_refuse(hfjax, quadratic, write, tmp_path, form):
    path = write("q.json", quadratic)
    options = tmp_path / f"out_{form}", "--to", form
    outcome = hfjax("convert", path, *options)
    assert outcome.code == 0
    assert "lost expression: 'mu**2' of 'k'" in outcome.stderr
    strictly = tmp_path / f"strict_{form}", "--to", form, "--strict"
    complaint = hfjax("convert", path, *strictly).complaint
    assert "the conversion would lose something" in complaint


def test_a_digest_is_that_of_the_document(hfjax, hello, quadratic, write):
    plain = hfjax("digest", write("ws.json", hello)).stdout
    assert hfjax("digest", write("again.json", hello)).stdout == plain
    assert hfjax("digest", write("q.json", quadratic)).stdout != plain


# -- parameters of interest --------------------------------------------------------


@pytest.fixture
def scaled(hello):
    """The same with a factor on the background."""
    factor = {"name": "scale", "type": "normfactor", "data": None}
    hello["channels"][0]["samples"][1]["modifiers"].append(factor)
    hello["channels"][0]["samples"][0]["data"] = [12.0, 1.0]
    return hello


@pytest.mark.slow
def test_another_parameter_is_tested(hfjax, scaled, write):
    path = write("ws.json", scaled)
    found = hfjax("cls", path, "--poi", "scale", "--test-poi", "1.3")
    assert found.stderr == ""
    scaled["measurements"][0]["config"]["poi"] = "scale"
    known = hfjax("cls", write("other.json", scaled), "--test-poi", "1.3").json
    assert found.json["CLs_obs"] == pytest.approx(known["CLs_obs"], rel=1e-9)
    assert found.json["hfjax"]["settings"]["poi"] == "scale"
    assert known["hfjax"]["settings"]["poi"] is None


@pytest.mark.slow
def test_another_parameter_is_held(hfjax, scaled, write):
    options = "--poi", "stat[1]", "--test-poi", "0.9"
    found = hfjax("fit", write("ws.json", scaled), *options).json
    assert found["mle_parameters"]["stat"][1] == 0.9


@pytest.mark.slow
def test_a_constraint_term_is_told(hfjax, hello, write):
    systematic = {"name": "jes", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}
    hello["channels"][0]["samples"][1]["modifiers"].append(systematic)
    path = write("ws.json", hello)
    outcome = hfjax("cls", path, "--poi", "jes")
    assert outcome.code == 0
    words = "'jes' has a constraint term: the result is about all data, its auxiliary"
    assert outcome.stderr.startswith(f"hfjax: {words}")
    assert hfjax("cls", path, "--poi", "jes", "--quiet").stderr == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("muu", "no parameter named 'muu' in the model: did you mean 'mu'?"),
        ("stat", "'stat' has 2 components: name one of them, such as 'stat[0]'"),
        ("stat[0]", "stat[0] = 0 is outside its bounds"),
    ],
)
def test_parameters_that_cannot_be_tested(hfjax, hello, write, name, words):
    assert words in hfjax("cls", write("ws.json", hello), "--poi", name).complaint


def test_a_derived_parameter_cannot_be_tested(hfjax, quadratic, write):
    complaint = hfjax("cls", write("q.json", quadratic), "--poi", "k").complaint
    assert "'k' is given by an expression, so that no value of it can be" in complaint


@pytest.mark.slow
def test_a_scan_of_another_parameter(hfjax, files, background, write):
    workspace, patchset = files
    found = hfjax("scan", workspace, patchset, "--no-verify", "--poi", "mu").json
    known = hfjax("scan", workspace, patchset, "--no-verify").json
    assert [p["CLs_obs"] for p in found["points"]] == [
        p["CLs_obs"] for p in known["points"]
    ]
    background["measurements"][0]["config"]["poi"] = ""
    nameless = write("nameless.json", background)
    again = hfjax("scan", nameless, patchset, "--no-verify", "--poi", "mu").json
    assert [p["CLs_obs"] for p in again["points"]] == [
        p["CLs_obs"] for p in known["points"]
    ]
    complaint = hfjax("scan", *files, "--no-verify", "--poi", "nu").complaint
    assert "no parameter named 'nu' in the model" in complaint
