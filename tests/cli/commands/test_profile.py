"""`hfjax profile`: closed forms and ranges around the best fit."""

import math

import pytest

from hfjax.documents.reading.schema import validate
from tests.workspaces import MU, one_sample

pytestmark = pytest.mark.slow

N = 10.0


@pytest.fixture
def count(write):
    """A single bin of 10 mu expected events, with no parameter of interest."""
    document = one_sample(MU, observed=(N,))
    document["measurements"][0]["config"]["poi"] = ""
    return write("count.json", document)


def rise(mu):
    """-2 ln L of `N` events, 10 mu expected, above its minimum."""
    return 2.0 * (10.0 * mu - N + N * math.log(N / (10.0 * mu)))


def test_a_profile_has_the_closed_form_and_its_schema(hfjax, count):
    outcome = hfjax("profile", count, "--parameter", "mu=0.5:2:4")
    assert (outcome.code, outcome.stderr) == (0, "")
    result = outcome.json
    validate(result, "profile-result-1.0.0.json")
    assert result["values"] == [[0.5, 1.0, 1.5, 2.0]]
    assert result["delta"] == pytest.approx(list(map(rise, result["values"][0])))
    assert result["hfjax"]["settings"]["parameters"] == ["mu=0.5:2:4"]


def test_the_usual_range_is_three_uncertainties_inside_the_bounds(hfjax, count):
    """The uncertainty is sqrt(10) / 10."""
    (values,) = hfjax("profile", count, "--parameter", "mu").json["values"]
    assert len(values) == 31
    assert values[0] == pytest.approx(1.0 - 3.0 / math.sqrt(10.0))
    assert values[-1] == pytest.approx(1.0 + 3.0 / math.sqrt(10.0))


def test_a_parameter_at_its_bound_has_a_range(hfjax, write):
    """Without events the rise is 20 mu, 9 of which are 3 standard deviations."""
    path = write("none.json", one_sample(MU, observed=(0.0,)))
    result = hfjax("profile", path, "--parameter", "mu").json
    (values,) = result["values"]
    assert values[0] == 0.0
    assert values[-1] == pytest.approx(0.45, rel=1e-6)
    assert result["delta"] == pytest.approx([20.0 * mu for mu in values], abs=1e-7)


def test_two_parameters_are_a_plane(hfjax, hello, write):
    asked = ["--parameter", "stat[0]", "--parameter", "mu=0:2:3"]
    result = hfjax("profile", write("ws.json", hello), *asked).json
    assert result["names"] == ["stat[0]", "mu"]
    assert [len(axis) for axis in result["values"]] == [21, 3]
    assert [len(result["delta"]), len(result["delta"][0])] == [21, 3]
    table = hfjax("profile", "ws.json", *asked, columns=80).lines
    assert table[0].split()[:2] == ["stat[0]", "mu"]
    assert len(table) == 1 + 63 + 2


def test_points_without_a_result_are_told(hfjax, count):
    """No likelihood at 0: events, and none expected."""
    outcome = hfjax("profile", count, "--parameter", "mu=0:1:3")
    assert outcome.code == 3
    assert outcome.json["delta"][0] is None
    assert outcome.stderr.startswith("hfjax: 1 of 3 points have no result: ")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["mu=1"], "is not NAME or NAME=LOW:HIGH:NUMBER, such as mu=0:2:21"),
        (["mu=1:2:x"], "mu: 'x' is not a finite number"),
        (["mu=2:1:5"], "LOW has to be below HIGH"),
        (["mu", "mu=0:1:2"], "give one parameter, or two different ones"),
        (["nu"], "no parameter named 'nu'"),
        (["mu=0:20:3"], "mu = 20 is outside its bounds [0, 10]"),
    ],
)
def test_what_is_no_grid_is_refused(hfjax, count, asked, words):
    options = [part for each in asked for part in ("--parameter", each)]
    assert words in hfjax("profile", count, *options).complaint
