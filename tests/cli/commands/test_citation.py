"""`hfjax --cite`."""

import re

import pytest

from hfjax import __version__
from tests.test_readme import README


@pytest.mark.parametrize("option", ["--cite", "--citation"])
def test_entries_are_whole(hfjax, option):
    text = hfjax(option).stdout
    assert re.findall(r"^@\w+\{(\w+),$", text, re.MULTILINE) == [
        "hfjax",
        "histfactory",
        "asymptotic_formulae",
        "cls",
        "pyhf_joss",
    ]
    assert text.count("{") == text.count("}")
    assert f"version = {{{__version__}}}" in text


def test_hfjax_claims_no_doi(hfjax):
    own = hfjax("--cite").stdout.split("@techreport")[0]
    assert "doi" not in own


@pytest.mark.parametrize(
    "reference", ["CERN-OPEN-2012-016", "1007.1727", "2693", "10.21105/joss.02823"]
)
def test_what_the_readme_asks_to_cite_is_there(hfjax, reference):
    assert reference in hfjax("--cite").stdout
    assert reference in README
