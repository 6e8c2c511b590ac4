"""`hfjax contour`: points where the profile has risen, tables, pictures, refusals."""

import pytest

from hfjax.documents.reading.schema import validate

pytestmark = pytest.mark.slow

PLANE = ["--parameter", "mu", "--parameter", "stat[0]"]


@pytest.fixture
def excess(hello, write):
    """More events than there are without a signal, and no parameter of interest."""
    hello["observations"][0]["data"] = [62, 63]
    hello["measurements"][0]["config"]["poi"] = ""
    return write("excess.json", hello)


def test_points_of_a_contour_are_where_the_profile_has_risen(hfjax, excess):
    outcome = hfjax("contour", excess, *PLANE, "--rays", 8)
    assert (outcome.code, outcome.stderr) == (0, "")
    found = outcome.json
    validate(found, "contour-result-1.0.0.json")
    assert [each["level"] for each in found["contours"]] == [0.68, 0.95]
    mu, gamma = found["contours"][0]["points"][1]
    grid = [f"mu={mu}:{mu + 1}:2", f"stat[0]={gamma}:{gamma + 0.1}:2"]
    options = [part for each in grid for part in ("--parameter", each)]
    profile = hfjax("profile", excess, *options).json
    assert profile["delta"][0][0] == pytest.approx(2.2788685663767296, abs=1e-6)
    assert found["hfjax"]["settings"]["levels"] == [0.68, 0.95]


def test_contours_are_a_table_and_a_picture(hfjax, excess, tmp_path):
    rest = ["--level", 0.68, "--level", 0.95, "--rays", 8]
    lines = hfjax("contour", excess, *PLANE, *rest, columns=100).lines
    assert lines[0].split()[:4] == ["level", "-2", "Delta", "ln"]
    assert [line.split()[:2] for line in lines[1:3]] == [
        ["0.68", "2.279"],
        ["0.95", "5.991"],
    ]
    assert lines[2].endswith("at a bound")
    assert lines[4].split() == ["best", "fit", "of", "mu", "1"]
    assert hfjax("contour", excess, *PLANE, *rest, "-o", "found.json").code == 0
    assert hfjax("plot", "found.json", "-o", "found.png").code == 0
    assert (tmp_path / "found.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--parameter", "mu"], "a contour is one of two parameters"),
        ([*PLANE, "--level", "2"], "'2' is not a number between 0 and 1"),
        ([*PLANE, "--rays", "6"], "a multiple of 4 rays"),
        ([*PLANE, "--hold", "mu=1"], "parameter 'mu' is fixed"),
    ],
)
def test_what_is_no_contour_is_refused(hfjax, excess, options, words):
    assert words in hfjax("contour", excess, *options).complaint
