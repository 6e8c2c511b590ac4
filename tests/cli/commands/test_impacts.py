"""`hfjax impacts`: the numbers of the library, tables, pictures, groups, refusals."""

import pytest

from hfjax.documents.reading.schema import validate

pytestmark = pytest.mark.slow


@pytest.fixture
def excess(hello, write):
    """More events than there are without a signal."""
    hello["observations"][0]["data"] = [62, 63]
    return write("excess.json", hello)


def test_impacts_and_sources_are_in_one_file(hfjax, excess):
    outcome = hfjax("impacts", excess, "--group", "first=stat[0]")
    assert (outcome.code, outcome.stderr) == (0, "")
    found = outcome.json
    validate(found, "impacts-result-1.0.0.json")
    assert (found["parameter"], found["method"]) == ("mu", "fits")
    assert found["impacts"]["stat[1]"]["postfit"] == pytest.approx(
        [0.2732209, -0.2501898], abs=1e-6
    )
    sources = found["breakdown"]
    assert list(sources["groups"]) == ["data statistics", "first", "MC statistics"]
    total = sum(part**2 for part in sources["groups"].values()) ** 0.5
    assert total == pytest.approx(sources["total"], rel=1e-9)
    assert found["hfjax"]["settings"]["groups"] == {"first": ["stat[0]"]}


def test_the_largest_impacts_are_a_table_and_a_picture(hfjax, excess, tmp_path):
    lines = hfjax("impacts", excess, "--top", 1, columns=120).lines
    assert lines[0] == "post-fit and pre-fit impacts on mu"
    row = lines[3].split()
    assert (row[0], row[3]) == ("stat[1]", "0.1138")
    assert row[5:7] == ["+0.273", "-0.25"]
    assert lines[4] == "and 1 more: --top 2"
    text = "\n".join(lines)
    for words in ("uncertainty of mu by source", "data statistics", "total"):
        assert words in text
    assert hfjax("impacts", excess, "-o", "impacts.json").code == 0
    assert hfjax("plot", "impacts.json", "-o", "ranking.png", "--most", 2).code == 0
    assert (tmp_path / "ranking.png").read_bytes().startswith(b"\x89PNG")


def test_the_covariance_and_chosen_parameters(hfjax, excess):
    options = ["--parameter", "stat[0]", "--parameters", "mu,stat[1]"]
    found = hfjax("impacts", excess, *options, "--method", "covariance").json
    assert (found["parameter"], found["method"]) == ("stat[0]", "covariance")
    assert set(found["impacts"]) == {"mu", "stat[1]"}
    down, up = found["impacts"]["mu"]["postfit"]
    assert down == pytest.approx(-up)


def test_what_failed_is_told(hfjax, excess):
    outcome = hfjax("impacts", excess, "--max-steps", 1)
    assert outcome.code == 3
    assert "there is no impact of stat[0]: the fit did not converge" in outcome.stderr
    assert outcome.json["impacts"]["stat[0]"]["status"]["postfit"] == [
        "fits_failed",
        "fits_failed",
    ]


def test_a_parameter_at_its_bound_is_told(hfjax, hello, write):
    hello["observations"][0]["data"] = [41, 38]
    outcome = hfjax("impacts", write("deficit.json", hello))
    assert outcome.code == 0
    assert "no uncertainty of mu by sources: the parameter stands" in outcome.stderr
    assert outcome.json["breakdown"]["total"] is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--parameter", "nu"], "no parameter named 'nu'"),
        (["--parameters", "stats"], "did you mean 'stat'"),
        (["--group", "stat"], "'stat' is not NAME=PATTERN"),
        (["--group", "a=stat", "--group", "a=mu"], "'a' is given twice"),
        (["--group", "a=b=stat"], "'a=b=stat' has more than one '='"),
        (["--group", "a=mu"], "group 'a' has auxiliary data"),
        (["--top", "0"], "greater than or equal to 1"),
        (["--method", "toys"], "'toys' is not one of"),
    ],
)
def test_what_has_no_impacts_is_refused(hfjax, excess, options, words):
    assert words in hfjax("impacts", excess, *options).complaint


def test_sources_alone_are_no_picture(hfjax, excess, write):
    found = hfjax("impacts", excess).json
    part = write("part.json", {"hfjax": found["hfjax"], **found["breakdown"]})
    complaint = hfjax("plot", part, "-o", "part.png").complaint
    assert "give the result of `hfjax impacts`" in complaint
