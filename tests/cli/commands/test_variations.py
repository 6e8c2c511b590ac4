"""`hfjax variations`: pages, patterns, refusals."""

import re

import pytest

from tests.workspaces import all_kinds


@pytest.fixture
def path(write):
    return write("search.json", all_kinds())


def pages(file):
    """How many pages a PDF has."""
    return len(re.findall(rb"/Type /Page\b(?!s)", file.read_bytes()))


def test_each_systematic_of_a_pattern_has_a_page(hfjax, path, tmp_path):
    outcome = hfjax("variations", path, "--parameters", "tilt,x*", "-o", "all.pdf")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "", "")
    assert pages(tmp_path / "all.pdf") == 2


def test_one_page_may_be_any_picture(hfjax, path, tmp_path):
    rest = ["--channels", "S*", "--samples", "top", "--log", "--text", "13 TeV"]
    outcome = hfjax("variations", path, "--parameters", "tilt", *rest, "-o", "a.svg")
    assert outcome.code == 0
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--parameters", "tilt,xsec", "-o", "a.png"], "2 pages need a PDF"),
        (["--parameters", "tlt", "-o", "a.pdf"], "did you mean 'tilt'"),
        (["--parameters", "tilt", "--channels", "T*", "-o", "a.pdf"], "no channel"),
        (["--parameters", "tilt", "--samples", "tops", "-o", "a.pdf"], "'top'"),
        (["--parameters", "mu", "-o", "a.pdf"], "no constraint term"),
        (["--parameters", "tilt", "-o", "a.txt"], "has no known suffix"),
        (["-o", "a.pdf"], "--parameters"),
    ],
)
def test_what_cannot_be_drawn_is_refused(hfjax, path, options, words):
    assert words in hfjax("variations", path, *options).complaint
