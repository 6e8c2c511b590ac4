"""`hfjax yields`: before and after fits, other channels, tables, files, pictures."""

import csv
import io

import pytest

from hfjax.documents.reading.schema import validate


@pytest.fixture
def search(hello, write):
    """The smallest search with a control region of its background."""
    bkg = hello["channels"][0]["samples"][1]
    scale = {"name": "k_bkg", "type": "normfactor", "data": None}
    bkg["modifiers"].append(scale)
    control = {"name": "bkg", "data": [200.0], "modifiers": [scale]}
    hello["channels"].append({"name": "CR", "samples": [control]})
    hello["observations"].append({"name": "CR", "data": [220]})
    return write("search.json", hello)


def test_before_a_fit_there_are_pre_fit_uncertainties(hfjax, search):
    outcome = hfjax("yields", search, "--prefit")
    assert (outcome.code, outcome.stderr) == (0, "")
    found = outcome.json
    validate(found, "yields-result-1.0.0.json")
    region = found["yields"]["SR"]
    assert region["total"]["values"] == [62.0, 63.0]
    assert region["samples"]["bkg"]["uncertainties"] == pytest.approx([3.0, 7.0])
    assert found["prediction"] == "pre-fit"
    assert found["hfjax"]["settings"]["prefit"] is True


def test_tables_have_groups_channels_and_bins(hfjax, search):
    rest = ["--prefit", "--channel", "SR", "--group", "all=bkg,signal"]
    lines = hfjax("yields", search, *rest, "--bins", columns=80).lines
    assert lines[1] == "SR pre-fit"
    assert lines[2].split() == ["sample", "events", "bin", "1", "bin", "2"]
    cells = ["125.0", "±", "7.6", "62.0", "±", "3.0", "63.0", "±", "7.0"]
    assert lines[3].split() == ["all", *cells]
    assert lines[5].split() == ["data", "99", "51", "48"]
    assert len(lines) == 6


def test_csv_and_latex_are_written(hfjax, search, tmp_path):
    text = hfjax("yields", search, "--prefit", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["channel"] for row in rows[:3]] == ["SR"] * 3
    assert {row["bin"] for row in rows} == {"all"}
    rest = ["--prefit", "--format", "latex", "--bins", "-o", "table.tex"]
    assert hfjax("yields", search, *rest).code == 0
    assert r"bkg & $50.0 \pm 3.0$" in (tmp_path / "table.tex").read_text()


@pytest.mark.slow
def test_a_fit_of_some_channels_predicts_the_others(hfjax, search):
    outcome = hfjax("yields", search, "--fit-channels", "CR")
    assert outcome.code == 0
    assert "as before any fit: mu, stat[0], stat[1], which" in outcome.stderr
    found = outcome.json
    assert found["prediction"] == "extrapolated"
    bkg = found["yields"]["SR"]["samples"]["bkg"]
    assert bkg["values"][0] == pytest.approx(50.0 * 1.1)
    expected = 55.0 * (1 / 220 + (3 / 50) ** 2) ** 0.5
    assert bkg["uncertainties"][0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
def test_after_a_fit_they_are_a_picture(hfjax, search, tmp_path):
    assert hfjax("yields", search, "-o", "found.json").code == 0
    for name in ("found.pdf", "found.png"):
        assert hfjax("plot", "found.json", "-o", name, "--log").code == 0
    assert (tmp_path / "found.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_fit_that_fails_has_exit_code_3(hfjax, search):
    outcome = hfjax("yields", search, "--max-steps", 1)
    assert outcome.code == 3
    assert "--max-steps" in outcome.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--channel", "VR"],
            "no channel of the workspace matches 'VR' as a whole: there are 'SR', 'CR'",
        ),
        (["--channel", "("], "'(' is no regular expression"),
        (["--group", "top"], "'top' is not NAME=SAMPLE[,SAMPLE]"),
        (["--group", "a=bkg", "--group", "a=signal"], "'a' is given twice"),
        (["--group", "a=bkg", "--group", "b=bkg"], "'bkg' is in two groups"),
        (["--prefit", "--group", "a=b=bkg"], "'a=b=bkg' has more than one '='"),
        (["--prefit", "--group", "a=tops"], "no sample named 'tops'"),
        (["--prefit", "--fit-channels", "CR"], "there is no fit with --prefit"),
    ],
)
def test_what_cannot_be_shown_is_refused(hfjax, search, options, words):
    assert words in hfjax("yields", search, *options).complaint
