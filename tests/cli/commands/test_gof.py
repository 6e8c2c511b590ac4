"""`hfjax gof`: the table, JSON, toys, and what is told and refused."""

import pytest

from hfjax.documents.reading.schema import validate


def test_goodness_of_fit_is_a_table_on_a_terminal_and_json_elsewhere(
    hfjax, write, hello
):
    search = write("search.json", hello)
    outcome = hfjax("gof", search, "--hold", "mu=0")
    assert (outcome.code, outcome.stderr) == (0, "")
    found = outcome.json
    validate(found, "goodness-result-1.0.0.json")
    assert found["degrees_of_freedom"] == 2
    lines = hfjax("gof", search, "--hold", "mu=0", columns=80).lines
    assert lines[1].split(maxsplit=3)[3] == (
        "2 = 2 bins + 2 auxiliary data - 2 parameters"
    )
    assert lines[-1] == "known"


@pytest.mark.slow
def test_toys_have_an_error(hfjax, write, hello):
    search = write("search.json", hello)
    found = hfjax("gof", search, "--toys", 40, "--seed", 2).json
    assert found["toys"]["number"] == 40
    assert 0.0 < found["toys"]["p_value_error"] < 0.1
    assert found["hfjax"]["settings"]["seed"] == 2
    lines = hfjax("gof", search, "--toys", 40, "--seed", 2, columns=80).lines
    assert lines[4].split() == ["toys", "40"]


@pytest.mark.slow
def test_few_events_are_told(hfjax, write, hello):
    for sample in hello["channels"][0]["samples"]:
        sample["data"] = [0.5, 1.0]
    hello["channels"][0]["samples"][1]["modifiers"] = []
    hello["observations"][0]["data"] = [1, 1]
    outcome = hfjax("gof", write("few.json", hello))
    assert outcome.code == 0
    assert "--toys 2000" in outcome.stderr


@pytest.mark.slow
def test_without_a_degree_of_freedom_the_reason_is_told(hfjax, write, hello):
    hello["channels"][0]["samples"][1]["modifiers"] = [
        {"name": "free", "type": "shapefactor", "data": None}
    ]
    outcome = hfjax("gof", write("free.json", hello), "--hold", "mu=1")
    assert "no more data than parameters" in outcome.stderr
    assert outcome.json["p_value"] is None


@pytest.mark.slow
def test_there_is_no_picture_of_one_number(hfjax, write, hello):
    assert hfjax("gof", write("search.json", hello), "-o", "gof.json").code == 0
    outcome = hfjax("plot", "gof.json", "-o", "gof.png")
    assert "give the result of `hfjax yields`" in outcome.complaint


def test_a_number_of_toys_is_not_negative(hfjax, write, hello):
    assert "--toys" in hfjax("gof", write("s.json", hello), "--toys", -1).complaint
