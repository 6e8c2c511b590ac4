"""Malformed documents: what goes wrong with files, and with what is in them.

What is wrong is drawn by `random`, as text and bytes, or by hypothesis, as JSON values.
"""

import copy
import gzip
import json
from collections.abc import Iterator
from random import Random
from typing import Any

from hypothesis import strategies as st

from hfjax.documents.convert.hs3.write import write_hs3
from hfjax.documents.workspace.workspace import Workspace
from tests import workspaces
from tests.workspaces import MU, sample

DEEP = 100_000
_LIST = "[" * 900 + "]" * 900
_LITERALS = [
    *("NaN", "Infinity", "-Infinity", "1e999", "-0.0", "1e308", "-1e308", "5e-324"),
    *("1e-200", "1e200", "1" + "0" * 400, "-1" + "0" * 400, "1" + "0" * 5000, "-1"),
    *("null", "true", "false", '""', '"x"', "[]", "{}", "[[]]", "[null]", "[0]", "0"),
    *('"\\ud800"', '"\\u0000"', '"\\u202e\\n\\u00e9"', '"' + "n" * 100_000 + '"'),
    *(_LIST, '{"a": ' * 300 + "0" + "}" * 300, "[" * DEEP + "]" * DEEP),
    *('{"name": "x"}', '{"name": "x", "name": "y"}', "[true, false]", "[1e308, 1e308]"),
    *('"1.0.0"', '"1.0.0+hfjax.1"', '"lumi"', '"mu"', '"gamma"', '"("', "'x'", "0x1"),
]
"""JSON, or nearly so, that takes the place of a value."""
_NUMBERS = [
    *("NaN", "Infinity", "-Infinity", "1e999", "1e308", "-1e308", "5e-324", "-5e-324"),
    *("1e-200", "1e200", "1" + "0" * 300, "1" + "0" * 400, "-0.0", "0", "-1", "1e6"),
]
_MARK = "\x01"
_JUNK = st.sampled_from(
    [
        *(None, True, 0, 1.5, 10**400, float("nan"), "", "x", "lumi", "1.0.0", "/a"),
        *([], {}, [1], ["x"], [True], [[1, 2]], {"name": "x"}, {"op": "add"}),
        *("1.0.0+hfjax.1", "gamma", "gaussian", -1, -0.5),
    ]
).map(copy.deepcopy)
"""Values that take the place of others."""


def hs3() -> dict[str, Any]:
    """An HS3 document of the extended workspace's plain part."""
    return write_hs3(Workspace.parse(two_channels()))


def two_channels() -> dict[str, Any]:
    """A workspace with modifiers of all types, in two channels."""
    document = workspaces.all_modifiers()
    side = sample("side", [4.0, 5.0], MU)
    document["channels"].append({"name": "CR", "samples": [side]})
    config = document["measurements"][0]["config"]
    config["poi"] = "mu"
    config["parameters"][0]["inits"] = [1.0]
    del config["parameters"][1]["factors"]  # which a histosys does not have
    return document


def extended() -> dict[str, Any]:
    """The same, with constraint terms of all kinds."""
    settings = workspaces.all_settings()["measurements"][0]["config"]["parameters"]
    document = two_channels() | {"version": "1.0.0+hfjax.1"}
    document["measurements"][0]["config"]["parameters"] += settings[2:]
    return document


def patchset() -> dict[str, Any]:
    """A patchset of the workspace."""
    add = {
        "op": "add",
        "path": "/channels/0/samples/0",
        "value": sample("signal", [2.0]),
    }
    move = {"op": "move", "from": "/channels/0/samples/0", "path": "/channels/0/x"}
    one = workspaces.patch("p1", 1, [add])
    return workspaces.patchset([one, workspaces.patch("p2", 2, [add, move])])


def signals() -> list[dict[str, Any]]:
    """A table of signals."""
    channel = {"data": [1.5], "staterror": [0.5]}
    channel["histosys"] = {"h": {"lo_data": [1.0], "hi_data": [2.0]}}
    normsys = {"n": 0.1, "m": {"lo": 0.9, "hi": 1.2}}
    values = {"mass": 300}
    return [{"values": values, "channels": {"SR": channel}, "normsys": normsys}]


def with_wrong_value(document: Any, random: Random) -> str:
    """Return the text with a value replaced, by whatever."""
    document = copy.deepcopy(document)
    parent, key = random.choice(list(places(document)))
    parent[key] = _MARK
    literal = random.choice(_LITERALS)
    return json.dumps(document).replace(json.dumps(_MARK), literal, 1)


def with_lost_key(document: Any, random: Random) -> str:
    """Return the text without a key, or without an item of a list."""
    document = copy.deepcopy(document)
    parent, key = random.choice(list(places(document)))
    del parent[key]
    return json.dumps(document)


def with_more(document: Any, random: Random) -> str:
    """Return the text with a key or an item that it should not have."""
    document = copy.deepcopy(document)
    parent, key = random.choice(list(places(document)))
    literal = random.choice(_LITERALS)
    if isinstance(parent, list):
        parent.insert(key, _MARK)
    else:
        parent[random.choice(["name", "data", "new", "fixed", "constraint"])] = _MARK
    return json.dumps(document).replace(json.dumps(_MARK), literal, 1)


def with_moved_value(document: Any, random: Random) -> str:
    """Return the text with a value that belongs elsewhere in it."""
    document = copy.deepcopy(document)
    found = list(places(document))
    (parent, key), (other, there) = random.choice(found), random.choice(found)
    parent[key] = copy.deepcopy(other[there])
    return json.dumps(document)


def with_repeated_key(document: Any, random: Random) -> str:
    """Return the text with a key twice in one object."""
    objects = [found for found in _objects(document) if found]
    found = random.choice(objects)
    key = random.choice(list(found))
    once = json.dumps(found)
    twice = f"{once[:-1]}, {json.dumps(key)}: {random.choice(_LITERALS[:20])}}}"
    return json.dumps(document).replace(once, twice, 1)


def cut_off(document: Any, random: Random) -> str:
    """Return the beginning of the text."""
    text = json.dumps(document)
    return text[: random.randrange(len(text))]


def with_wrong_bytes(document: Any, random: Random) -> bytes:
    """Return bytes that are not the UTF-8 of the text, or hardly."""
    text = json.dumps(document)
    content = text.encode()
    place = random.randrange(len(content))
    return random.choice(
        [
            *(text.encode("utf-8-sig"), text.encode("utf-16"), text.encode("utf-32")),
            *(gzip.compress(content), content[:place] + b"\xff" + content[place:]),
            *(content[:place] + b"\0" + content[place:], b"\0" * 100, b"", b" \n"),
            *(content + content, content[:place] + b"\xed\xa0\x80" + content[place:]),
            *(("[" * DEEP).encode(), ('{"channels":' * DEEP).encode()),
            *(b"\xef\xbb\xbf" + text.encode("utf-8-sig"), content.replace(b'"', b"'")),
        ]
    )


MUTATIONS = [
    *(with_wrong_value, with_wrong_value, with_wrong_value, with_lost_key, with_more),
    *(with_moved_value, with_repeated_key, cut_off, with_wrong_bytes),
]


def mutated(document: Any, random: Random) -> bytes:
    """Return the bytes of a document with which something is wrong."""
    content = random.choice(MUTATIONS)(document, random)
    if isinstance(content, str):
        return content.encode("utf-8", "surrogatepass")
    return content


def with_other_number(document: Any, random: Random) -> bytes:
    """Return the bytes of a document with one number that it hardly can have."""
    document = copy.deepcopy(document)
    found = [
        (parent, key)
        for parent, key in places(document)
        if isinstance(parent[key], int | float) and not isinstance(parent[key], bool)
    ]
    parent, key = random.choice(found)
    parent[key] = _MARK
    text = json.dumps(document).replace(json.dumps(_MARK), random.choice(_NUMBERS), 1)
    return text.encode()


def excerpt(document: Any, random: Random) -> Any:
    """Return a workspace with few of its channels, samples, modifiers and settings."""
    channels = random.sample(document["channels"], min(2, len(document["channels"])))
    names = [channel["name"] for channel in channels]
    measurement = copy.deepcopy(document["measurements"][0])
    parameters = measurement["config"]["parameters"]
    measurement["config"]["parameters"] = _some(parameters, 6, random)
    observations = document["observations"]
    return document | {
        "channels": [_excerpt_of_channel(channel, random) for channel in channels],
        "measurements": [measurement],
        "observations": [each for each in observations if each["name"] in names],
    }


def _excerpt_of_channel(channel: Any, random: Random) -> Any:
    samples = [
        sample | {"modifiers": _some(sample["modifiers"], 6, random)}
        for sample in _some(channel["samples"], 4, random)
    ]
    return channel | {"samples": samples}


def _some(values: list[Any], most: int, random: Random) -> list[Any]:
    return random.sample(values, min(most, len(values)))


def _objects(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        yield document
    for parent, key in places(document):
        if isinstance(parent[key], dict):
            yield parent[key]


@st.composite
def with_wrong_values(draw: st.DrawFn, documents: st.SearchStrategy[Any]) -> Any:
    """A document in which one or two values are replaced, removed or added."""
    document = copy.deepcopy(draw(documents))
    for _ in range(draw(st.integers(1, 2))):
        parent, key = draw(st.sampled_from(list(places(document)) or [(None, None)]))
        change = draw(st.sampled_from(["replace", "remove", "add"]))
        if parent is None:
            return draw(_JUNK)
        if change == "replace":
            parent[key] = draw(_JUNK)
        elif change == "remove":
            del parent[key]
        elif isinstance(parent, list):
            parent.insert(key, draw(_JUNK))
        else:
            keys = ["name", "data", "new", "fixed", "constraint", "threshold"]
            keys.append("expression")
            parent[draw(st.sampled_from(keys))] = draw(_JUNK)
    return document


def places(document: Any) -> Any:
    """Yield the parent and the key of every value inside a document."""
    keys: Any = ()
    if isinstance(document, dict):
        keys = list(document)
    elif isinstance(document, list):
        keys = range(len(document))
    for key in keys:
        yield document, key
        yield from places(document[key])
