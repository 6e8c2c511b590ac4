import contextlib
import importlib.util
import json
import socket

import jsonschema
import pytest
from hypothesis import given, settings, strategies as st

from hfjax.documents.patchset import patching
from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.reading import schema
from hfjax.documents.reading.json_values import Malformed
from hfjax.documents.reading.schema import (
    EXTENDED_MEASUREMENT,
    EXTENDED_WORKSPACE,
    JSONPATCH,
    MEASUREMENT,
    MODEL,
    PATCHSET,
    SIGNALS,
    WORKSPACE,
)
from hfjax.documents.workspace.workspace import Workspace, workspace_schema
from hfjax.errors import SpecificationError, UnknownNameError
from tests import mutations, workspaces

ADD = {"op": "add", "path": "/channels/0", "value": 1}
MOVE = {"op": "move", "path": "/channels/0", "from": "/channels/1"}
DATA = [{"name": "SR", "samples": [{"name": "s", "data": [1], "modifiers": []}]}]
VALID = {
    WORKSPACE: workspaces.two_bins(),
    EXTENDED_WORKSPACE: workspaces.all_settings(),
    EXTENDED_MEASUREMENT: workspaces.all_settings()["measurements"][0],
    MODEL: {"channels": DATA, "parameters": [{"name": "mu", "inits": [1]}]},
    MEASUREMENT: {"name": "m", "config": {"poi": "", "parameters": []}},
    PATCHSET: workspaces.patchset([workspaces.patch("signal_1", 1, [ADD, MOVE])]),
    JSONPATCH: [ADD, MOVE, {"op": "remove", "path": ""}],
    SIGNALS: [{"values": {"mass": 1}, "channels": {"SR": [1], "CR": {"data": [2]}}}],
}


@pytest.mark.parametrize("name", schema.schema_names())
def test_bundled_schema_is_a_schema(name):
    content = json.loads((schema.schema_folder() / name).read_text(encoding="utf-8"))
    assert content["$schema"] == "http://json-schema.org/draft-06/schema#"
    jsonschema.Draft6Validator.check_schema(content)


@pytest.mark.parametrize("name", VALID)
def test_valid_document_is_accepted(name):
    schema.validate(VALID[name], name)


@pytest.mark.parametrize("name", VALID)
def test_t34_validation_opens_no_connection(name, monkeypatch):
    def refuse(*args, **kwargs):
        pytest.fail(f"a connection was asked for: {args} {kwargs}")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    fresh = importlib.util.module_from_spec(schema.__spec__)  # has read no schema yet
    schema.__spec__.loader.exec_module(fresh)
    fresh.validate(VALID[name], name)
    with pytest.raises(SpecificationError):
        fresh.validate({"channels": 1}, name)


def test_unknown_schema_is_named():
    with pytest.raises(UnknownNameError, match=r"did you mean '1\.0\.0/model\.json'"):
        schema.validate({}, "1.0.0/modell.json")


def change(pointer, value):
    """Return the two-bin example with one value replaced, or added."""
    document = workspaces.two_bins()
    *way, last = [int(p) if p.isdigit() else p for p in pointer.split("/")[1:]]
    parent = document
    for part in way:
        parent = parent[part]
    parent[last] = value
    return document


BIG = 10**400
NAN = float("nan")
MODIFIER = "/channels/0/samples/1/modifiers/0"
SETTING = "/measurements/0/config/parameters/0"


def extended(settings, version="1.0.0+hfjax.1"):
    """Return the two-bin example, of the extended format, with settings of mu."""
    parameters = [{"name": "mu", **settings}]
    document = change("/measurements/0/config/parameters", parameters)
    return {**document, "version": version}


@pytest.mark.parametrize(
    ("document", "pointer", "words"),
    [
        ([], "", r"\[\] is not of type 'object'"),
        ({}, "", "'channels' is a required property"),
        (change("/version", "1.0.1"), "/version", "'1.0.0' was expected"),
        (change("/extra", 1), "", r"\('extra' was unexpected\)"),
        (change("/channels", []), "/channels", "non-empty|too short"),
        (change(f"{MODIFIER}/type", "shapsys"), f"{MODIFIER}/type", "is not one of"),
        (change(f"{MODIFIER}/data", None), f"{MODIFIER}/data", "None is not of type"),
        (change(f"{MODIFIER}/data/1", True), f"{MODIFIER}/data/1", "True is not of"),
        (change(f"{MODIFIER}/data/1", "5"), f"{MODIFIER}/data/1", "'5' is not of type"),
        (
            change(f"{MODIFIER}/data/1", BIG),
            f"{MODIFIER}/data/1",
            "401 digits is too large",
        ),
        (
            change(MODIFIER, {"name": "x", "type": "lumi", "data": None}),
            f"{MODIFIER}/name",
            "'lumi' was expected",
        ),
        (
            change(MODIFIER, {"name": "x", "type": "normsys", "data": {"lo": 1}}),
            f"{MODIFIER}/data",
            "'hi' is a required property",
        ),
        (
            change("/measurements/0/config/parameters", [{"name": "a", "fixed": 1}]),
            "/measurements/0/config/parameters/0/fixed",
            "1 is not of type 'boolean'",
        ),
        (
            change(
                "/measurements/0/config/parameters", [{"name": "a", "inits": [BIG]}]
            ),
            "/measurements/0/config/parameters/0/inits/0",
            "a whole number of 401 digits is too large",
        ),
        (change("/channels/0/a~b", {"c/d": 1}), "/channels/0", "'a~b' was unexpected"),
        (extended({"constraint": "gauss"}), f"{SETTING}/constraint", "is not one of"),
        (extended({"constraint": None}), f"{SETTING}/constraint", "None is not one"),
        (extended({"threshold": -0.1}), f"{SETTING}/threshold", "less than"),
        (extended({"threshold": NAN}), f"{SETTING}/threshold", "not negative: nan"),
        (extended({"threshold": True}), f"{SETTING}/threshold", "True is not of type"),
        (extended({"interpolation": 1}), SETTING, "'interpolation' was unexpected"),
        (extended({"inits": [BIG]}), f"{SETTING}/inits/0", "401 digits is too large"),
    ],
)
def test_wrong_workspace_is_refused_at_its_place(document, pointer, words):
    with pytest.raises(SpecificationError, match=words) as caught:
        Workspace.parse(document)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize(
    ("operation", "pointer", "words"),
    [
        ({"op": "ad", "path": "/a"}, "/0/op", "'ad' is not one of"),
        ({"op": "add", "path": "/a"}, "/0", "'value' is a required property"),
        ({"op": "move", "path": "/a"}, "/0", "'from' is a required property"),
        ({"op": "copy", "path": "/a", "from": 1}, "/0/from", "1 is not of type"),
        ({"op": "remove", "path": "channels"}, "/0/path", "does not match"),
        ({"op": "remove", "path": "/a~2"}, "/0/path", "does not match"),
    ],
)
def test_wrong_operation_is_refused_at_its_place(operation, pointer, words):
    with pytest.raises(SpecificationError, match=words) as caught:
        schema.validate([operation], JSONPATCH)
    assert caught.value.pointer == pointer


def test_t34_a_valid_document_is_not_validated_a_second_time(monkeypatch):
    """Strict parsing judges alone, of patches too; the schema says what is wrong."""

    def refuse(*_):
        pytest.fail("the schema was asked")

    for module in (schema, patching):
        monkeypatch.setattr(module, "validate", refuse)
    workspace = Workspace.parse(VALID[WORKSPACE])
    patchset = PatchSet.parse(workspaces.patchset([workspaces.patch("a", 1, [])]))
    assert patchset.apply(workspace, "a", verify=False) == workspace


def test_large_wrong_value_is_shortened():
    document = change("/channels/0/samples/0/name", [0.0] * 10_000)
    with pytest.raises(SpecificationError) as caught:
        Workspace.parse(document)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("setting", [{"constraint": "none"}, {"threshold": 0.1}])
def test_plain_version_refuses_the_extension_and_says_which_version_to_state(setting):
    document = extended(setting, version="1.0.0")
    (key,) = setting
    words = rf"parameter 'mu' .* has the key '{key}', .* \"1\.0\.0\+hfjax\.1\""
    with pytest.raises(SpecificationError, match=words) as caught:
        Workspace.parse(document)
    assert caught.value.pointer == f"{SETTING}/{key}"
    assert not accepts(WORKSPACE, document)


WORKSPACES = st.sampled_from(
    [workspaces.two_bins(), workspaces.all_modifiers(), workspaces.all_settings()]
)


def accepts(name, document):
    """Tell whether jsonschema accepts a document."""
    try:
        schema.validate(document, name)
    except SpecificationError:
        return False
    return True


def parses(parse, document):
    """Tell whether the strict parser finds the form right, whatever the meaning."""
    try:
        parse(document)
    except Malformed:
        return False
    except SpecificationError:
        return None
    return True


@settings(max_examples=300, deadline=None)
@given(mutations.with_wrong_values(WORKSPACES))
def test_strict_parser_agrees_with_the_schema_on_workspaces(document):
    parsed = parses(Workspace.parse_strictly, document)
    if parsed is not None:
        assert parsed == accepts(workspace_schema(document), document)


@settings(max_examples=300, deadline=None)
@given(mutations.with_wrong_values(st.just(VALID[PATCHSET])))
def test_strict_parser_agrees_with_the_schema_on_patchsets(document):
    parsed = parses(PatchSet.parse_strictly, document)
    if parsed is not None:
        assert parsed == accepts(PATCHSET, document)


@given(mutations.with_wrong_values(WORKSPACES))
def test_wrong_workspace_raises_nothing_but_our_error(document):
    with contextlib.suppress(SpecificationError):
        Workspace.parse(document)
