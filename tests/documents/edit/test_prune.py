"""Prune a workspace by names and by places."""

import json

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hfjax.building.build import build
from hfjax.documents.edit.prune import Place, prune
from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import DigestError, EditError, UnknownNameError
from tests import workspaces
from tests.workspaces import LUMI, MU, all_kinds, histosys, normsys, sample, workspace


def two_regions():
    """Two channels that share a systematic, which has two halves and a setting."""
    jes = (normsys("JES", 0.9, 1.1), histosys("JES", [18, 30], [22, 31]))
    return Workspace.parse(
        workspace(
            {
                "SR": [sample("signal", [5, 6], MU), sample("top", [20, 31], *jes)],
                "CR": [sample("top", [50], jes[0]), sample("W", [9], jes[0])],
            },
            None,
            LUMI,
            {"name": "JES", "inits": [0.5]},
            {"name": "mu", "bounds": [[0, 5]]},
            poi="mu",
        )
    )


def places_of(found, name):
    """Channel, sample and type of all modifiers of a name."""
    return [
        (channel.name, one.name, m.type)
        for channel in found.channels
        for one in channel.samples
        for m in one.modifiers
        if m.name == name
    ]


def test_a_channel_takes_its_observation_along():
    pruned = prune(two_regions(), channels=["CR"])
    assert pruned.channel_names == ("SR",)
    assert [found.name for found in pruned.observations] == ["SR"]


def test_a_sample_goes_from_all_channels():
    document = two_regions().dump()
    document["channels"][1]["samples"].append(sample("signal", [1]))
    pruned = prune(Workspace.parse(document), samples=["signal"])
    assert pruned.sample_names == ("W", "top")


def test_a_modifier_takes_its_settings_along_but_not_the_poi():
    measurement = prune(two_regions(), modifiers=["mu", "JES"]).measurement()
    assert [found.name for found in measurement.parameters] == ["lumi"]
    assert measurement.poi == "mu"


def test_a_type_leaves_the_settings():
    pruned = prune(two_regions(), modifier_types=["normfactor"])
    assert pruned.measurement().parameter("mu") is not None
    assert places_of(pruned, "mu") == []


def test_t17_one_half_of_a_systematic_goes_by_its_type():
    """pyhf refuses: of two types of one name it sees normsys only."""
    ws = two_regions()
    pruned = prune(ws, modifier_types=["histosys"])
    assert places_of(pruned, "JES") == [
        ("SR", "top", "normsys"),
        ("CR", "top", "normsys"),
        ("CR", "W", "normsys"),
    ]
    assert pruned.measurement().parameter("JES") is not None
    names = build(pruned)[0].parameters.names
    assert names.count("JES") == 1
    other = prune(ws, modifier_types=["normsys"])
    assert places_of(other, "JES") == [("SR", "top", "histosys")]


def test_t17_halves_are_pruned_in_any_order():
    ws = Workspace.parse(all_kinds())
    there = prune(prune(ws, modifier_types=["histosys"]), modifier_types=["normsys"])
    back = prune(prune(ws, modifier_types=["normsys"]), modifier_types=["histosys"])
    assert there == back == prune(ws, modifier_types=["normsys", "histosys"])


def test_a_place_is_all_its_names_together():
    pruned = prune(two_regions(), Place(channel="CR", sample="W", modifier="JES"))
    assert places_of(pruned, "JES") == [
        ("SR", "top", "normsys"),
        ("SR", "top", "histosys"),
        ("CR", "top", "normsys"),
    ]
    assert pruned.measurement().parameter("JES") is not None


def test_a_place_with_a_type_is_one_half():
    place = Place(sample="top", modifier="JES", type="normsys")
    found = places_of(prune(two_regions(), place), "JES")
    assert found == [("SR", "top", "histosys"), ("CR", "W", "normsys")]


def test_a_place_of_a_sample_is_that_sample_in_that_channel():
    pruned = prune(two_regions(), Place(channel="CR", sample="top"))
    assert pruned.channel("CR").sample_names == ("W",)
    assert pruned.channel("SR").sample_names == ("signal", "top")


def test_several_places_are_all_pruned():
    places = (Place(channel="SR", modifier="JES"), Place(sample="W", modifier="JES"))
    found = places_of(prune(two_regions(), *places), "JES")
    assert found == [("CR", "top", "normsys")]


def test_the_last_place_of_a_modifier_takes_its_settings_along():
    pruned = prune(two_regions(), Place(sample="signal", modifier="mu"))
    assert pruned.measurement().parameter("mu") is None


@pytest.mark.parametrize(
    ("names", "place"),
    [
        ({"channels": ["CR"]}, Place(channel="CR")),
        ({"samples": ["signal"]}, Place(sample="signal")),
        ({"modifiers": ["JES"]}, Place(modifier="JES")),
        ({"modifier_types": ["normsys"]}, Place(type="normsys")),
    ],
)
def test_a_place_with_one_name_is_that_name(names, place):
    ws = two_regions()
    assert prune(ws, place) == prune(ws, **names)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"channels": ["SRx"]}, "no channel named 'SRx' .* did you mean 'SR'"),
        ({"samples": ["tpo"]}, "no sample named 'tpo' .* did you mean 'top'"),
        ({"modifiers": ["JSE"]}, "no modifier named 'JSE' .* did you mean 'JES'"),
        ({"modifiers": ["lumi"]}, "no modifier named 'lumi'"),
        ({"modifier_types": ["lumi"]}, "no modifier type named 'lumi'"),
        ({"modifier_types": ["normfac"]}, "did you mean 'normfactor'"),
        ({"measurements": ["serach"]}, "did you mean 'search'"),
    ],
)
def test_unknown_names_are_refused(arguments, words):
    with pytest.raises(UnknownNameError, match=words):
        prune(two_regions(), **arguments)


def test_unknown_names_of_a_place_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'top'"):
        prune(two_regions(), Place(channel="SR", sample="tap", modifier="JES"))


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (Place(channel="SR", sample="W"), "there is no sample 'W' in channel 'SR'"),
        (
            Place(channel="CR", modifier="JES", type="histosys"),
            "no modifier 'JES' in modifier type 'histosys' in channel 'CR'",
        ),
        (Place(sample="signal", type="normsys"), "'normsys' in sample 'signal'"),
    ],
)
def test_a_place_where_nothing_is_is_refused(place, words):
    with pytest.raises(EditError, match=words):
        prune(two_regions(), place)


def test_a_place_without_names_is_refused():
    with pytest.raises(EditError, match="a place needs a channel"):
        Place()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"channels": ["SR", "CR"]}, "no channel would be left"),
        ({"measurements": ["search"]}, "no measurement would be left"),
        ({"samples": ["top", "W"]}, "no sample would be left in channel 'CR'"),
    ],
)
def test_what_leaves_no_workspace_is_refused(arguments, words):
    with pytest.raises(EditError, match=words):
        prune(two_regions(), **arguments)


def test_a_channel_may_go_with_its_last_samples():
    pruned = prune(two_regions(), samples=["top", "W"], channels=["CR"])
    assert pruned.sample_names == ("signal",)


def test_what_is_untouched_is_the_same_object():
    ws = two_regions()
    pruned = prune(ws, modifiers=["mu"])
    assert pruned.channel("CR") is ws.channel("CR")
    assert pruned.channel("SR").sample("top") is ws.channel("SR").sample("top")
    assert prune(ws) == ws


def test_t22_a_patchset_does_not_fit_the_pruned_workspace():
    """Patches count channels and samples: they would hit others."""
    document = workspaces.two_bins()
    patches = [workspaces.patch("m_100", 100, [])]
    patchset = PatchSet.parse(workspaces.patchset(patches))
    ws = Workspace.parse(document)
    patchset.verify(ws)
    with pytest.raises(DigestError):
        patchset.verify(prune(ws, modifier_types=["shapesys"]))


def names_of(document):
    """All names of a document, by the arguments of `prune` that take them."""
    samples = [found for c in document["channels"] for found in c["samples"]]
    modifiers = [m for found in samples for m in found["modifiers"]]
    return {
        "channels": [found["name"] for found in document["channels"]],
        "samples": [found["name"] for found in samples],
        "modifiers": [found["name"] for found in modifiers],
        "modifier_types": [found["type"] for found in modifiers],
        "measurements": [found["name"] for found in document["measurements"]],
    }


def attempt(ws, arguments):
    """The pruned workspace; None where nothing valid would be left."""
    try:
        return prune(ws, **arguments)
    except EditError:
        return None


def leaves_nothing(document, arguments):
    """Whether a channel, or the workspace, would be left without what it needs."""

    def left(kind, records):
        return [r for r in records if r["name"] not in arguments.get(kind, ())]

    channels = left("channels", document["channels"])
    samples = [left("samples", found["samples"]) for found in channels]
    return not (
        channels and all(samples) and left("measurements", document["measurements"])
    )


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(workspaces.forms(), st.data())
def test_result_is_valid_and_the_original_untouched(document, data):
    arguments = {
        kind: data.draw(st.lists(st.sampled_from(known), max_size=2))
        for kind, known in names_of(document).items()
        if known
    }
    ws = Workspace.parse(document)
    text = json.dumps(ws.dump(), sort_keys=True)
    pruned = attempt(ws, arguments)
    assert json.dumps(ws.dump(), sort_keys=True) == text
    assert (pruned is None) == leaves_nothing(document, arguments)
    if pruned is not None:
        assert Workspace.parse(pruned.dump()) == pruned
        left = names_of(pruned.dump())
        assert not any(set(names) & set(left[k]) for k, names in arguments.items())
