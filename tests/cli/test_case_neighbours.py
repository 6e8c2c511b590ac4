"""Small inputs like those of `test_cases` on the command line, and what is right."""

import copy
import json

import pytest

from tests.inference.neighbours import COMPONENTS, IMPOSSIBLE, each_of
from tests.workspaces import (
    MU,
    Document,
    histosys,
    modifier,
    normsys,
    sample,
    workspace,
)

pytestmark = pytest.mark.slow

# -- a component of a shapefactor is the parameter of interest ------------------------


@pytest.mark.parametrize("each", each_of(COMPONENTS))
def test_a_component_of_a_shapefactor_is_tested(hfjax, write, each):
    name = f"sf[{each.known['component']}]"
    outcome = hfjax("cls", write("ws.json", each.document), "--poi", name)
    assert outcome.code == 0
    assert outcome.json["CLs_obs"] == pytest.approx(each.known["CLs_obs"], rel=1e-5)


@pytest.mark.parametrize("each", each_of(COMPONENTS))
def test_a_fit_needs_no_component_of_interest_and_a_check_tells_tests_do(
    hfjax, write, each
):
    path = write("ws.json", each.document)
    outcome = hfjax("fit", path)
    assert outcome.code == 0
    assert outcome.json["twice_nll"] == pytest.approx(each.known["free"], abs=1e-6)
    assert "one of its components, such as 'sf[0]'" in hfjax("check", path).stdout


# -- nothing but a signal, where events are seen --------------------------------------


@pytest.mark.parametrize("each", each_of(IMPOSSIBLE))
def test_a_check_says_where_only_a_signal_can_be(hfjax, write, each):
    outcome = hfjax("check", write("ws.json", each.document))
    assert outcome.code == 0
    (line,) = [text for text in outcome.stdout.splitlines() if "'mu' = 0" in text]
    assert f" {each.known['bin']}" in line.partition("observed in bin")[2]
    assert line.endswith("/channels/0")


@pytest.mark.parametrize("each", each_of(IMPOSSIBLE)[-2:])
def test_a_test_says_which_fit_is_impossible_and_where(hfjax, write, each):
    outcome = hfjax("cls", write("ws.json", each.document))
    assert outcome.code == 3
    assert outcome.json["CLs_obs"] is None
    assert "the fit at mu = 0 is impossible" in outcome.stderr
    assert f"bin {each.known['bin']} of channel 'SR'" in outcome.stderr


# -- modifiers without a name ---------------------------------------------------------


def unnamed(*modifiers: Document, signal: Document = MU) -> Document:
    """A background with modifiers that have no name."""
    samples = [sample("s", [3, 2], signal), sample("b", [10, 8], *modifiers)]
    return workspace({"SR": samples}, {"SR": [11, 9]})


SHIFT = histosys("", [9, 7], [11, 9])

CHECKED = {
    "normsys": unnamed(normsys("", 0.9, 1.1)),
    "normfactor": unnamed(modifier("normfactor", "")),
    "shapefactor": unnamed(modifier("shapefactor", "")),
    "shapesys": unnamed(modifier("shapesys", "", [1, 2])),
    "staterror": unnamed(modifier("staterror", "", [1, 2])),
    "two types": unnamed(SHIFT, normsys("", 0.9, 1.1)),
    "a space": unnamed(histosys(" ", [9, 7], [11, 9])),
}
"""Nothing is wrong with them but that."""

REFUSED = {
    "lumi": (unnamed(modifier("lumi", "")), "1/modifiers/0/name"),
    "twice": (unnamed(SHIFT, SHIFT), "1/modifiers/1"),
    "too few bins": (unnamed(histosys("", [9], [11])), "1/modifiers/0/data/lo_data"),
}
"""They are refused, where something is wrong."""


@pytest.mark.parametrize("content", CHECKED.values(), ids=CHECKED.keys())
def test_modifiers_without_a_name_are_checked(hfjax, write, content):
    outcome = hfjax("check", write("ws.json", content))
    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.stdout.splitlines()[-1].startswith("0 errors, ")


@pytest.mark.parametrize(("content", "place"), REFUSED.values(), ids=REFUSED.keys())
def test_modifiers_without_a_name_are_refused_where_they_are(
    hfjax, write, content, place
):
    outcome = hfjax("check", write("ws.json", content))
    assert f"(at /channels/0/samples/{place})" in outcome.complaint


def test_what_a_modifier_without_a_name_does_is_told(hfjax, write):
    content = unnamed(histosys("", [-9, 7], [11, 9]))
    outcome = hfjax("check", write("ws.json", content), "--json")
    assert outcome.code == 0
    kinds = {found["kind"]: found["pointer"] for found in outcome.json["findings"]}
    assert kinds == {
        "channel-negative": "/channels/0",
        "sample-negative": "/channels/0/samples/1/modifiers/0",
    }


# -- lists of HS3 that are empty ------------------------------------------------------


def bins(kind: str, **more: object) -> Document:
    """A modifier of two bins, as some programs write it."""
    parameters = [f"gamma_{kind}_{i}" for i in range(2)]
    return {"name": kind, "type": kind, "parameters": parameters, **more}


EMPTY = {"vals": []}
GAUSSIAN = {"constraint": "Gauss"}
CONSTRAINED = {"constraints": ["c_0", "c_1"]}
NORMALS = [
    {"name": f"c_{i}", "type": "gaussian_dist", "x": f"n_{i}", "sigma": 0.1}
    | {"mean": f"gamma_shapesys_{i}"}
    for i in range(2)
]

SAYS_NOTHING = {
    "shapefactor": (bins("shapefactor", data=EMPTY), EMPTY),
    "both lists": (bins("shapefactor"), {"vals": [], "uncertainties": []}),
    "null": (bins("shapefactor"), None),
    "nothing": (bins("shapefactor"), {}),
    "no parameters": ({"name": "free", "type": "shapefactor"}, EMPTY),
    "free shapesys": (bins("shapesys"), EMPTY),
    "constrained shapesys": (bins("shapesys", **CONSTRAINED), EMPTY),
    "staterror": (bins("staterror", **GAUSSIAN), EMPTY),
    "normfactor": ({"name": "k", "type": "normfactor", "parameter": "k"}, EMPTY),
}
"""Modifiers, and data of them that are as good as none."""


def standard(content: Document) -> Document:
    """A channel of two bins, with a modifier of its background."""
    signal = {"name": "mu", "type": "normfactor", "parameter": "mu"}
    background = {"contents": [10.0, 7.0], "errors": [0.5, 0.4]}
    axes = [{"name": "x", "min": 0, "max": 2, "nbins": 2}]
    likelihood = {"name": "L", "distributions": ["model_SR"], "data": ["obs_SR"]}
    analysis = {"name": "a", "likelihood": "L", "domains": ["d"], "init": "start"}
    mu = {"name": "mu", "min": 0, "max": 10}
    constants = [{"name": f"n_{i}", "value": 1.0, "const": True} for i in range(2)]
    return {
        "distributions": [
            {
                "name": "model_SR",
                "type": "histfactory_dist",
                "axes": axes,
                "samples": [
                    {
                        "name": "signal",
                        "data": {"contents": [2.0, 3.0]},
                        "modifiers": [signal],
                    },
                    {"name": "b", "data": background, "modifiers": [content]},
                ],
            },
            *(NORMALS if "constraints" in content else []),
        ],
        "data": [
            {"name": "obs_SR", "type": "binned", "axes": axes, "contents": [13, 9]}
        ],
        "likelihoods": [likelihood],
        "domains": [{"name": "d", "type": "product_domain", "axes": [mu]}],
        "parameter_points": [
            {
                "name": "start",
                "parameters": [{"name": "mu", "value": 1.0}, *constants],
            }
        ],
        "analyses": [{**analysis, "parameters_of_interest": ["mu"]}],
        "metadata": {"hs3_version": "0.2"},
    }


@pytest.mark.parametrize("name", SAYS_NOTHING)
def test_data_that_say_nothing_are_read_as_none(hfjax, write, name):
    content, data = SAYS_NOTHING[name]
    without = copy.deepcopy(content)
    without.pop("data", None)
    read = []
    for each in ({**without, "data": data}, without):
        path = write("hs3.json", standard(each))
        outcome = hfjax("convert", path, "ws.json")
        assert (outcome.code, outcome.stderr) == (0, "")
        read.append(json.loads((path.parent / "ws.json").read_text()))
    assert read[0] == read[1]
    (channel,) = read[0]["channels"]
    (kept,) = channel["samples"][1]["modifiers"]
    known = "shapefactor" if name == "free shapesys" else content["type"]
    assert kept["type"] == known
