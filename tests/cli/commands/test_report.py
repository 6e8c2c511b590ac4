"""`hfjax report`: the sections, what is escaped, what is missing, refusals."""

import importlib.util
import json
import re

import pytest

from tests.browser import browsed, clicked, links

pytestmark = pytest.mark.slow

TITLES = [
    "Workspace",
    "Check",
    "Best fit",
    "Correlations",
    "Events before the fit",
    "Events after the fit",
    "Goodness of fit",
    "Impacts",
]
EVIL = "<b>evil"


@pytest.fixture
def excess(hello):
    """More events than there are without a signal, in a channel with an ugly name."""
    hello["observations"][0]["data"] = [70, 61]
    for part in (hello["channels"], hello["observations"]):
        part[0]["name"] = EVIL
    hello["channels"][0]["samples"][1]["name"] = "a & </script>"
    return hello


def sections(page):
    """The sections of a page by their titles."""
    found = re.findall(r"<section .*?><h2>(.*?)</h2>(.*?)</section>", page, re.DOTALL)
    return dict(found)


def missing(body):
    """The sentences that say why something is not in a section."""
    return re.findall(r'<p class="missing">(.*?)</p>', body)


@pytest.fixture
def reported(hfjax, tmp_path):
    """Run `hfjax report`; give its outcome, and the page."""

    def run(*arguments):
        outcome = hfjax("report", *arguments, "-o", "report.html")
        assert outcome.stdout == ""
        return outcome, (tmp_path / "report.html").read_text("utf-8")

    return run


def test_every_section_is_there_and_names_are_escaped(
    hfjax, reported, write, excess, tmp_path
):
    path = write("excess.json", excess)
    outcome, page = reported(path)
    assert (outcome.code, outcome.stderr) == (0, "")
    found = sections(page)
    assert list(found) == TITLES
    assert missing(page) == []
    assert links(page) == []
    assert len(page) < 5_000_000
    assert "<b>" not in page
    assert "&lt;b&gt;evil" in found["Workspace"]
    assert "a &amp; &lt;/script&gt;" in found["Events after the fit"]
    pictures = {title: body.count("<img ") for title, body in found.items()}
    assert pictures == dict.fromkeys(TITLES, 1) | {
        "Workspace": 0,
        "Check": 0,
        "Goodness of fit": 0,
    }
    fit = hfjax("fit", path).json
    (mu,), (width,) = (fit[key]["mu"] for key in ("mle_parameters", "uncertainties"))
    assert f"{mu:.4f} ± {width:.4f}" in found["Best fit"]
    impact = hfjax("impacts", path).json["impacts"]["stat[1]"]["postfit"]
    assert f"{impact[0]:+.3g}" in found["Impacts"]
    assert f"{hfjax('gof', path).json['p_value']:.4f}" in found["Goodness of fit"]
    assert browsed(tmp_path / "report.html").errors == []


def test_a_patchset_has_a_grid_whose_points_can_be_clicked(
    hfjax, reported, files, tmp_path
):
    background, patchset = files
    outcome, page = reported(background, "--patchset", patchset)
    assert outcome.code == 0
    found = sections(page)
    assert list(found) == [*TITLES, "Signal grid"]
    (why,) = missing(found["Impacts"])
    assert "parameter of interest" in why
    scan = hfjax("scan", background, patchset).json
    assert browsed(tmp_path / "report.html").errors == []
    shown = clicked(tmp_path / "report.html", 1)
    rows = dict(re.findall(r"<td>(.*?)</td><td>(.*?)</td>", shown))
    assert rows["CLs observed"] == f"{scan['points'][1]['CLs_obs']:.6g}"
    assert rows["m_parent"] == "400"


def test_a_scan_is_shown_and_must_be_of_the_workspace(hfjax, reported, files, write):
    background, patchset = files
    assert hfjax("scan", background, patchset, "-o", "scan.json").code == 0
    signal = ["--patchset", patchset, "--name", "point_0"]
    outcome, page = reported(background, *signal, "--scan", "scan.json")
    assert outcome.code == 0
    found = sections(page)
    assert missing(found["Impacts"]) == []
    assert "Points (3)" in found["Signal grid"]
    other = json.loads(background.read_text())
    other["observations"][0]["data"] = [1, 2]
    path = write("other.json", other)
    complaint = hfjax("report", path, "--scan", "scan.json", "-o", "a.html").complaint
    assert "the scan is of another workspace" in complaint
    assert "--no-verify" in complaint


def test_what_a_model_without_free_parameters_lacks_is_told(reported, write, excess):
    names = {
        m["name"]
        for c in excess["channels"]
        for s in c["samples"]
        for m in s["modifiers"]
    }
    config = excess["measurements"][0]["config"]
    config["parameters"] = [{"name": name, "fixed": True} for name in names]
    outcome, page = reported(write("excess.json", excess))
    assert outcome.code == 0
    found = sections(page)
    assert "have no correlations" in missing(found["Correlations"])[0]
    assert "is fixed" in missing(found["Impacts"])[0]


def test_a_fit_that_fails_is_told_in_its_sections(reported, write, excess):
    outcome, page = reported(write("excess.json", excess), "--max-steps", 1)
    assert outcome.code == 3
    assert "fits did not converge; the page says why: Best fit" in outcome.stderr
    found = sections(page)
    assert list(found) == TITLES
    assert "--max-steps" in missing(found["Best fit"])[0]
    for title in ("Correlations", "Events after the fit", "Goodness of fit", "Impacts"):
        assert missing(found[title])[0].startswith("This needs a best fit")
    assert "<img " in found["Events before the fit"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--name", "point_0"], "give --patchset FILE too"),
        (["--scan", "-"], "cannot be standard input"),
        (["--patchset", "-"], "cannot be standard input"),
        (["--scan", "lost.json"], "lost.json"),
        (["--units", "GeV"], "give --patchset or --scan FILE too"),
        (["-o", "lost/report.html"], "folder 'lost' does not exist"),
    ],
)
def test_what_cannot_be_shown_is_refused(hfjax, write, excess, options, words):
    path = write("excess.json", excess)
    out = [] if "-o" in options else ["-o", "report.html"]
    assert words in hfjax("report", path, *out, *options).complaint


def test_other_results_are_no_scan(hfjax, write, excess):
    path = write("excess.json", excess)
    assert hfjax("gof", path, "-o", "gof.json").code == 0
    complaint = hfjax("report", path, "--scan", "gof.json", "-o", "a.html").complaint
    assert "gof.json: no points" in complaint


def test_limits_and_p0_are_shown_with_the_units_that_are_asked_for(
    hfjax, reported, files
):
    background, patchset = files
    for options, words in ((["--limits"], "limit"), (["--test-stat", "q0"], "Z")):
        done = hfjax("scan", background, patchset, *options, "-o", "scan.json")
        assert done.code == 0
        scan = ["--scan", "scan.json", "--axes", "m_parent,m_lsp", "--units", "GeV"]
        outcome, page = reported(background, *scan)
        assert outcome.code == 0
        assert '"axis_label":"m_parent [GeV]"' in page
        assert f"{words} expected, median" in page


def test_a_missing_bokeh_is_told(hfjax, files, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "bokeh" else find(name),
    )
    background, patchset = files
    options = ["--patchset", patchset, "-o", "report.html"]
    complaint = hfjax("report", background, *options).complaint
    assert "pip install 'hfjax[report]'" in complaint
