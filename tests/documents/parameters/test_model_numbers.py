"""Numbers that no model can have: refused at build, by place and names."""

import copy
import io
import json
import math

import jsonpointer
import numpy as np
import pytest

import hfjax
from hfjax.building.batch import build_scan
from hfjax.building.build import build
from hfjax.documents.parameters.parameter_sets import parameter_groups
from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.workspace.channel import Observation
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import ModelError
from tests import mutations

SR = "/channels/0/samples"


def places():
    """All numbers of events in a workspace with modifiers of all types, by pointer."""
    document = mutations.two_channels()
    for i, channel in enumerate(document["channels"]):
        for j, sample in enumerate(channel["samples"]):
            yield f"/channels/{i}/samples/{j}/data/0", [channel["name"], sample["name"]]
            for k, modifier in enumerate(sample["modifiers"]):
                pointer = f"/channels/{i}/samples/{j}/modifiers/{k}/data"
                names = [channel["name"], sample["name"], modifier["name"]]
                data = modifier["data"]
                parts = data if isinstance(data, dict) else [] if data is None else [""]
                for part in parts:
                    one = f"{pointer}/{part}" if part else pointer
                    yield one if part in ("lo", "hi") else f"{one}/0", names
    for i, observation in enumerate(document["observations"]):
        yield f"/observations/{i}/data/0", [observation["name"]]


PLACES = list(places())


def refusal(document):
    workspace = Workspace.parse(document)  # which reads it as it is
    with pytest.raises(ModelError) as error:
        build(workspace)
    return str(error.value)


def test_numbers_of_all_kinds_are_tried():
    kinds = {pointer.rpartition("/data")[2] for pointer, _ in PLACES}
    assert kinds == {"/0", "/lo", "/hi", "/lo_data/0", "/hi_data/0"}
    assert len(PLACES) == 10


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("pointer", "names"), PLACES, ids=[p for p, _ in PLACES])
def test_what_is_not_finite_is_refused_by_place_and_names(pointer, names, value):
    document = mutations.two_channels()
    jsonpointer.set_pointer(document, pointer, value)
    message = refusal(document)
    assert f"(at {pointer})" in message
    assert all(repr(name) in message for name in names)
    assert str(value) in message
    assert "\n" not in message


def test_negative_counts_are_refused_and_negative_templates_are_not():
    document = mutations.two_channels()
    build(Workspace.parse(document))
    document["channels"][1]["samples"][0]["data"][0] = -1.0
    build(Workspace.parse(document))
    document["observations"][0]["data"][0] = -3
    message = refusal(document)
    name = document["observations"][0]["name"]
    assert message == (
        f"channel {name!r} has -3 observed events in bin 0: write the number of "
        "events, which is zero or more (at /observations/0/data/0)"
    )


def test_observations_of_other_channels_are_left_alone():
    document = mutations.two_channels()
    document["observations"].append({"name": "VR", "data": [-1.0, math.nan]})
    build(Workspace.parse(document))


@pytest.mark.parametrize("key", ["inits", "auxdata", "sigmas"])
def test_settings_that_are_not_finite_are_refused(key):
    document = mutations.two_channels()
    config = document["measurements"][0]["config"]
    index = len(config["parameters"])
    name = next(
        modifier["name"]
        for sample in document["channels"][0]["samples"]
        for modifier in sample["modifiers"]
        if modifier["type"] == "normsys"
        and modifier["name"] not in {each["name"] for each in config["parameters"]}
    )
    config["parameters"].append({"name": name, key: [math.inf]})
    message = refusal(document)
    assert f"parameter {name!r} has inf in its {key}" in message or key == "sigmas"
    pointer = f"(at /measurements/0/config/parameters/{index}/{key}/0)"
    assert pointer in message
    config["parameters"][-1]["name"] = "nothing"
    build(Workspace.parse(document))


@pytest.mark.parametrize("literal", ["NaN", "1e999", "-Infinity"])
def test_literals_of_json_are_refused(literal):
    document = mutations.two_channels()
    document["observations"][0]["data"][0] = "COUNT"
    text = json.dumps(document).replace('"COUNT"', literal)
    workspace = Workspace.load(io.StringIO(text))
    with pytest.raises(ModelError, match="/observations/0/data/0"):
        build(workspace)


def test_records_made_in_python_are_refused():
    workspace = Workspace.parse(mutations.two_channels())
    first, *others = workspace.observations
    counts = tuple(np.full(len(first.data), np.nan).tolist())
    changed = Workspace(
        workspace.channels,
        workspace.measurements,
        (Observation(first.name, counts), *others),
        workspace.version,
    )
    with pytest.raises(ModelError, match="/observations/0/data/0"):
        build(changed)


def test_builders_refuse_arrays_that_are_not_finite():
    with pytest.raises(hfjax.SpecificationError, match="not a finite number"):
        hfjax.sample("top", np.array([1.0, np.nan]))


def test_a_scan_names_the_points_that_have_such_numbers():
    document = mutations.patchset()
    patches = document["patches"]
    good = copy.deepcopy(mutations.two_channels())
    signal = {"name": "bad", "data": [math.inf, 1.0], "modifiers": []}
    operation = {"op": "add", "path": "/channels/1/samples/0", "value": signal}
    for patch in patches:
        patch["patch"] = [copy.deepcopy(operation)]
    workspace = Workspace.parse(good)
    batch = build_scan(workspace, PatchSet.parse(document))
    assert batch.groups == ()
    for message in batch.failures.values():
        assert "(at /channels/1/samples/0/data/0)" in message


def test_parameters_can_be_listed_all_the_same():
    document = mutations.two_channels()
    document["observations"][0]["data"][0] = math.nan
    workspace = Workspace.parse(document)
    assert parameter_groups(workspace, workspace.measurement(0))
