"""What a patchset contains: ranges, structures, patches without a signal strength."""

import pytest

from hfjax.documents.inspect.patchset import patchset_summary, structure
from hfjax.documents.patchset.patchset import Patch, PatchSet
from hfjax.documents.workspace.workspace import Workspace
from tests.documents.check.faults import clean
from tests.workspaces import modifier, normsys, sample

MU = modifier("normfactor", "mu")


def add(path, value):
    return {"op": "add", "path": path, "value": value}


def signal(channel, *modifiers):
    value = sample("signal", [1.0, 2.0], *modifiers)
    return add(f"/channels/{channel}/samples/-", value)


def patchset(*patches):
    return PatchSet(("mass", "model"), {}, {"hepdata": "ins1"}, "signals", patches)


@pytest.fixture
def three():
    """Two patches of one structure, one of another, and one without a signal."""
    return patchset(
        Patch("a", (300, "bino"), (signal(1, MU),)),
        Patch("b", (400.5, "wino"), (signal(1, MU),)),
        Patch("c", (350, "wino"), (signal(0, MU), signal(1, MU, normsys("s", 1, 2)))),
        Patch("d", (1000, "wino"), ()),
    )


def test_every_key_of_the_field_is_there(three):
    found = patchset_summary(three)
    assert found["description"] == "signals"
    assert found["references"] == {"hepdata": "ins1"}
    assert found["labels"] == ["mass", "model"]
    assert found["patches"][1] == {"name": "b", "values": [400.5, "wino"]}
    assert found["count"] == 4


def test_ranges_of_labels(three):
    mass, model = patchset_summary(three)["ranges"]
    assert mass == {
        "label": "mass",
        "min": 300,
        "max": 1000,
        "distinct": 4,
        "strings": [],
    }
    assert model == {
        "label": "model",
        "min": None,
        "max": None,
        "distinct": 2,
        "strings": ["bino", "wino"],
    }


def test_structures(three):
    assert patchset_summary(three, Workspace.parse(clean()))["structures"] == {
        "operations": {"add": 4},
        "distinct": 3,
        "distinct_paths": 3,
        "distinct_modifiers": 3,
        "channels": [
            {"channels": ["SR"], "patches": 2},
            {"channels": ["CR", "SR"], "patches": 1},
            {"channels": [], "patches": 1},
        ],
        "samples": 1,
        "modifiers": [
            {"name": "mu", "type": "normfactor", "patches": 3},
            {"name": "s", "type": "normsys", "patches": 1},
        ],
        "without_normfactor": ["d"],
        "empty": ["d"],
    }


def test_channels_without_a_workspace_are_pointers(three):
    channels = patchset_summary(three)["structures"]["channels"]
    assert channels[1] == {"channels": ["/channels/0", "/channels/1"], "patches": 1}


def test_channels_keep_their_names_when_others_are_removed_or_added():
    workspace = Workspace.parse(clean())
    remove = {"op": "remove", "path": "/channels/0"}
    channel = {"name": "VR", "samples": [sample("top", [1.0])]}
    operations = (remove, signal(0, MU), add("/channels/-", channel), signal(1, MU))
    found = structure(Patch("a", (1, 2), operations), workspace)
    assert found.channels == {"CR", "SR", "VR"}
    assert found.samples == {"signal", "top"}
    only = structure(Patch("a", (1, 2), (remove, signal(0, MU))), workspace)
    assert only.channels == {"CR", "SR"}


@pytest.mark.parametrize("index", ["9" * 20, "9" * 5000, "-1", "x", "\u00b2"])
def test_places_that_cannot_be_are_pointers(index):
    channel = {"name": "VR", "samples": []}
    operations = (add(f"/channels/{index}", channel), signal(0, MU))
    found = structure(Patch("a", (1, 2), operations), Workspace.parse(clean()))
    assert found.channels == {f"/channels/{index}", "CR"}


def test_operations_of_all_kinds():
    operations = (
        {"op": "test", "path": "/version", "value": "1.0.0"},
        {
            "op": "move",
            "from": "/channels/0/samples/0",
            "path": "/channels/1/samples/0",
        },
        {"op": "replace", "path": "/channels/1/samples/0/modifiers/-", "value": MU},
        add("/channels/7/name", "far"),
        add("", {"channels": []}),
    )
    found = structure(Patch("a", (1, 2), operations), Workspace.parse(clean()))
    assert found.channels == {"", "SR", "/channels/7"}
    assert found.modifiers == {("mu", "normfactor")}
