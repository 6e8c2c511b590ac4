"""`hfjax asimov`: a fit of what it writes gives the parameters back."""

import math
from statistics import NormalDist

import pytest

from tests.reference.shapesys import ShapesysModel
from tests.workspaces import HELLO

pytestmark = pytest.mark.slow

NAMES = "mu", "stat[0]", "stat[1]"


@pytest.fixture
def excess(hello, write):
    """More events than the background has."""
    hello["observations"][0]["data"] = [70, 60]
    return write("excess.json", hello)


def parameters(fit):
    """The numbers of a fit by name."""
    (mu,), stat = (fit["mle_parameters"][name] for name in ("mu", "stat"))
    return dict(zip(NAMES, [mu, *stat], strict=True))


def test_nominal_data_are_expected_before_there_are_others(hfjax, hello, excess):
    outcome = hfjax("asimov", excess)
    assert (outcome.code, outcome.stderr) == (0, "")
    nominal = outcome.json
    assert nominal["observations"] == [{"name": "SR", "data": [62.0, 63.0]}]
    assert nominal["measurements"] == hello["measurements"]
    assert nominal["channels"] == hello["channels"]
    background = hfjax("asimov", excess, "--poi-value", 0).json
    assert background["observations"] == [{"name": "SR", "data": [50.0, 52.0]}]


@pytest.mark.parametrize(
    "options", [[], ["--poi-value", 0.25], ["--hold", "stat[1]=0.9"]]
)
def test_a_fit_gives_fitted_parameters_back(hfjax, excess, options):
    known = hfjax("fit", excess, *options).json
    path = "asimov.json"
    chosen = ["--parameters", "fitted", *options]
    assert hfjax("asimov", excess, *chosen, "-o", path).code == 0
    found = hfjax("fit", path).json
    assert parameters(found) == pytest.approx(parameters(known), rel=1e-6)


def test_a_fit_gives_given_parameters_back(hfjax, excess):
    values = {"mu": 0.5, "stat[0]": 1.1, "stat[1]": 0.8}
    pairs = [("--parameters", f"{name}={value}") for name, value in values.items()]
    options = [part for pair in pairs for part in pair]
    hfjax("asimov", excess, *options, "-o", "asimov.json")
    found = hfjax("fit", "asimov.json").json
    assert parameters(found) == pytest.approx(values, rel=1e-7)
    assert found["pulls"]["stat"] == pytest.approx([0.0, 0.0], abs=1e-6)


def test_a_test_of_nominal_data_has_the_band_before_there_are_data(hfjax, excess):
    """CLs at N standard deviations is Phi(-N - a) / Phi(-N), a^2 the nominal q."""
    hfjax("asimov", excess, "--poi-value", 0, "-o", "nominal.json")
    found = hfjax("cls", "nominal.json").json
    search, background = ShapesysModel(*HELLO), HELLO[1]
    signal, none = (search.twice_nll(mu, background, search.tau) for mu in (1.0, 0.0))
    a, tail = math.sqrt(signal - none), NormalDist().cdf
    band = [tail(-n - a) / tail(-n) for n in (2, 1, 0, -1, -2)]
    assert found["CLs_exp"] == pytest.approx(band, rel=1e-8)
    assert found["CLs_obs"] == pytest.approx(band[2], rel=1e-8)
    assert hfjax("cls", excess).json["CLs_exp"][2] != pytest.approx(band[2], rel=1e-3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--parameters", "best"], "'best' is not NAME=VALUE"),
        (["--parameters", "fitted", "--parameters", "mu=1"], "fitted stands alone"),
        (["--parameters", "nu=1"], "no parameter named 'nu'"),
        (["--parameters", "mu=11"], "mu = 11 is outside its bounds"),
    ],
)
def test_parameters_that_are_none_are_refused(hfjax, excess, options, words):
    assert words in hfjax("asimov", excess, *options).complaint


def test_a_value_needs_a_parameter_of_interest(hfjax, background, write):
    path = write("bkg.json", background)
    assert hfjax("asimov", path).json["observations"][0]["data"] == [50.0, 52.0]
    said = hfjax("asimov", path, "--poi-value", 1).complaint
    assert "a parameter of interest is needed" in said


def test_a_fit_that_failed_writes_nothing(hfjax, excess, tmp_path):
    options = ["--parameters", "fitted", "--max-steps", 1, "-o", "asimov.json"]
    outcome = hfjax("asimov", excess, *options)
    assert (outcome.code, outcome.stdout) == (3, "")
    assert not (tmp_path / "asimov.json").exists()
