"""Rename, sort and select."""

import json
import re

import equinox as eqx
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hfjax.building.build import build
from hfjax.documents.edit.prune import prune
from hfjax.documents.edit.rename import rename
from hfjax.documents.edit.select import select
from hfjax.documents.edit.sort import sort
from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import DigestError, EditError, UnknownNameError
from tests import workspaces
from tests.workspaces import (
    LUMI,
    MU,
    all_kinds,
    histosys,
    modifier,
    normsys,
    sample,
    workspace,
)

slow_to_draw = settings(
    suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60
)


def regions():
    """Two channels with shared samples and modifiers, and settings of two of these."""
    jes = normsys("JES", 0.9, 1.1)
    shape = histosys("JES", [18], [22])
    document = workspace(
        {
            "SR": [sample("signal", [5], MU), sample("top", [20], jes, shape)],
            "CR": [sample("top", [50], jes), sample("W", [9], normsys("JER", 1, 1.2))],
        },
        None,
        *({"name": "mu", "bounds": [[0, 5]]}, {"name": "JES", "inits": [0]}, LUMI),
        poi="mu",
    )
    other = {"name": "other", "config": {"poi": "", "parameters": []}}
    document["measurements"].append(other)
    return Workspace.parse(document)


# -- rename ------------------------------------------------------------------------


def test_a_channel_and_its_observation_are_renamed():
    renamed = rename(regions(), channels={"SR": "SR_low"})
    assert renamed.channel_names == ("SR_low", "CR")
    assert [found.name for found in renamed.observations] == ["SR_low", "CR"]


def test_a_sample_is_renamed_in_all_channels():
    renamed = rename(regions(), samples={"top": "ttbar"})
    assert renamed.sample_names == ("W", "signal", "ttbar")


def test_a_modifier_is_renamed_with_its_settings_and_the_poi():
    renamed = rename(regions(), modifiers={"mu": "mu_SIG", "JES": "jes"})
    assert renamed.modifiers == (
        ("JER", "normsys"),
        ("jes", "histosys"),
        ("jes", "normsys"),
        ("mu_SIG", "normfactor"),
    )
    measurement = renamed.measurement("search")
    assert measurement.poi == "mu_SIG"
    assert [p.name for p in measurement.parameters] == ["mu_SIG", "jes", "lumi"]
    assert renamed.measurement("other").poi == ""


def test_names_change_at_once_so_that_two_can_be_swapped():
    ws = regions()
    swapped = rename(
        ws, channels={"SR": "CR", "CR": "SR"}, modifiers={"mu": "JES", "JES": "mu"}
    )
    assert swapped.channel_names == ("CR", "SR")
    assert swapped.measurement("search").poi == "JES"
    assert rename(swapped, channels={"SR": "CR", "CR": "SR"}) != ws
    back = {"mu": "JES", "JES": "mu"}
    assert rename(swapped, channels={"SR": "CR", "CR": "SR"}, modifiers=back) == ws


def test_a_modifier_may_join_another_one():
    """JER and JES share one parameter from then on, as in pyhf."""
    renamed = rename(regions(), modifiers={"JER": "JES"})
    names = build(renamed, measurement="search")[0].parameters.names
    assert sorted(names) == ["JES", "mu"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"channels": {"SR": "CR"}}, "channels 'SR' and 'CR' would have one name"),
        (
            {"samples": {"top": "W"}},
            "samples 'top' and 'W' of channel 'CR' would have one name",
        ),
        ({"measurements": {"other": "search"}}, "measurements 'search' and 'other'"),
        (
            {"modifiers": {"mu": "JES"}},
            "parameters 'mu' and 'JES' of measurement 'search' would have one name",
        ),
    ],
)
def test_t2_two_of_one_name_are_refused(names, words):
    """pyhf writes them; its model then refuses or misreads the workspace."""
    with pytest.raises(EditError, match=words):
        rename(regions(), **names)


def test_t2_two_modifiers_of_one_name_and_type_are_refused():
    pair = [normsys("a", 0.9, 1.1), normsys("b", 0.8, 1.2), histosys("c", [1], [3])]
    ws = Workspace.parse(workspace({"SR": [sample("top", [2], *pair)]}))
    words = "modifiers 'a' and 'b' of sample 'top' of channel 'SR' would have one name"
    with pytest.raises(EditError, match=words):
        rename(ws, modifiers={"a": "b"})
    assert rename(ws, modifiers={"a": "c"}).modifiers == (
        ("b", "normsys"),
        ("c", "histosys"),
        ("c", "normsys"),
    )


def test_a_channel_may_not_take_the_observation_of_an_absent_one():
    document = workspaces.all_modifiers()
    words = "observations 'SR' and 'CR' would have one name"
    with pytest.raises(EditError, match=words):
        rename(Workspace.parse(document), channels={"SR": "CR"})


def test_t25_lumi_keeps_its_name():
    """Modifiers of type lumi find their settings by it."""
    ws = Workspace.parse(workspaces.all_modifiers())
    with pytest.raises(EditError, match="'lumi' cannot be called 'luminosity'"):
        rename(ws, modifiers={"lumi": "luminosity"})
    assert rename(ws, modifiers={"lumi": "lumi"}) == ws


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"channels": {"SRR": "x"}}, "no channel named 'SRR' .* did you mean 'SR'"),
        ({"samples": {"tap": "x"}}, "no sample named 'tap' .* did you mean 'top'"),
        ({"modifiers": {"JESS": "x"}}, "no modifier .* did you mean 'JES'"),
        ({"modifiers": {"lumi": "x"}}, "no modifier named 'lumi'"),
        ({"measurements": {"othr": "x"}}, "did you mean 'other'"),
    ],
)
def test_unknown_old_names_are_refused(names, words):
    with pytest.raises(UnknownNameError, match=words):
        rename(regions(), **names)


def test_a_parameter_of_interest_that_only_patches_bring_is_renamed():
    document = workspaces.two_bins()
    measurement = document["measurements"][0]
    measurement["config"] = {"poi": "mu_SIG", "parameters": [{"name": "mu_SIG"}]}
    ws = rename(Workspace.parse(document), modifiers={"mu_SIG": "mu"})
    (found,) = ws.measurements
    assert (found.poi, [config.name for config in found.parameters]) == ("mu", ["mu"])
    with pytest.raises(UnknownNameError, match="did you mean 'mu_SIG'"):
        rename(Workspace.parse(document), modifiers={"mu_SI": "mu"})


def test_a_component_of_interest_follows_its_parameter():
    document = workspaces.two_bins()
    sample = document["channels"][0]["samples"][0]
    sample["modifiers"] = [{"name": "sf", "type": "shapefactor", "data": None}]
    document["measurements"][0]["config"] = {"poi": "sf[0]", "parameters": []}
    ws = rename(Workspace.parse(document), modifiers={"sf": "factor"})
    assert ws.measurements[0].poi == "factor[0]"
    with pytest.raises(UnknownNameError, match="no modifier named 'sf\\[0\\]'"):
        rename(Workspace.parse(document), modifiers={"sf[0]": "factor"})


@slow_to_draw
@given(workspaces.forms())
def test_fresh_names_and_back_is_the_same_workspace(document):
    ws = Workspace.parse(document)
    text = json.dumps(document, sort_keys=True)
    there = {
        "channels": {name: f"{name} (new)" for name in ws.channel_names},
        "samples": {name: f"{name} (new)" for name in ws.sample_names},
        "modifiers": {n: f"{n} (new)" for n, _ in ws.modifiers if n != "lumi"},
        "measurements": {name: f"{name} (new)" for name in ws.measurement_names},
    }
    back = {kind: {new: old for old, new in n.items()} for kind, n in there.items()}
    renamed = rename(ws, **there)
    assert Workspace.parse(renamed.dump()) == renamed
    assert json.dumps(rename(renamed, **back).dump(), sort_keys=True) == text
    assert json.dumps(ws.dump(), sort_keys=True) == text


# -- sort --------------------------------------------------------------------------


def test_everything_is_sorted():
    ws = sort(regions())
    assert ws.channel_names == ("CR", "SR")
    assert ws.channel("CR").sample_names == ("W", "top")
    assert [m.type for m in ws.channel("SR").sample("top").modifiers] == [
        "histosys",
        "normsys",
    ]
    assert [found.name for found in ws.observations] == ["CR", "SR"]
    assert ws.measurement_names == ("other", "search")
    names = [found.name for found in ws.measurement("search").parameters]
    assert names == ["JES", "lumi", "mu"]


@pytest.mark.slow
@slow_to_draw
@given(workspaces.forms(), st.randoms(use_true_random=False))
def test_any_order_is_sorted_to_the_same_digest(document, random):
    ws = Workspace.parse(document)
    before = ws.dump()
    mixed = ws.dump()
    for found in (mixed["channels"], mixed["observations"], mixed["measurements"]):
        random.shuffle(found)
    for channel in mixed["channels"]:
        random.shuffle(channel["samples"])
        for found in channel["samples"]:
            random.shuffle(found["modifiers"])
    assert sort(Workspace.parse(mixed)).digest() == sort(ws).digest()
    assert sort(sort(ws)) == sort(ws)
    assert ws.dump() == before


def test_t22_order_has_no_meaning_but_for_patches():
    """Models take names in alphabetical order; patches count, and do not fit."""
    ws = Workspace.parse(all_kinds())
    ordered = sort(ws)
    assert ordered.channel_names != ws.channel_names
    (model, data), (same, as_well) = build(ws), build(ordered)
    assert model.parameters.names == same.parameters.names
    assert eqx.tree_equal(data, as_well)
    assert eqx.tree_equal(model, same)
    document = workspaces.patchset([workspaces.patch("m_100", 100, [])])
    document["metadata"]["digests"] = {"sha256": ws.digest()}
    patchset = PatchSet.parse(document)
    patchset.verify(ws)
    with pytest.raises(DigestError):
        patchset.verify(ordered)


# -- select ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["SR"], ("SR",)),
        ([".R"], ("SR", "CR")),
        (["S.*", "C.*"], ("SR", "CR")),
        (["(?i)cr"], ("CR",)),
    ],
)
def test_channels_are_selected_with_their_observations(patterns, names):
    selected = select(regions(), channels=patterns)
    assert selected.channel_names == names
    assert tuple(found.name for found in selected.observations) == names


def test_several_kinds_are_selected_together():
    selected = select(
        regions(), channels=["SR"], samples=["t.*"], measurements=["sea.*"]
    )
    assert selected.channel("SR").sample_names == ("top",)
    assert selected.measurement_names == ("search",)


def test_modifiers_that_are_not_selected_take_their_settings_along():
    """Settings of what no modifier brings stay: they are for patches."""
    selected = select(regions(), modifiers=["mu|JER"])
    assert selected.modifiers == (("JER", "normsys"), ("mu", "normfactor"))
    names = [found.name for found in selected.measurement("search").parameters]
    assert names == ["mu", "lumi"]


def test_the_whole_name_has_to_match():
    with pytest.raises(UnknownNameError, match=r"no channel .* matches 'R'"):
        select(regions(), channels=["R"])


@pytest.mark.parametrize(
    ("patterns", "words"),
    [
        ({"channels": ["SR.+"]}, "there are 'SR'"),
        ({"samples": ["signl"]}, "there are 'signal'"),
        ({"modifiers": ["lumi"]}, "there are 'JER', 'JES', 'mu'"),
        ({"measurements": ["search", "x"]}, "no measurement .* matches 'x'"),
    ],
)
def test_an_expression_without_a_match_is_refused(patterns, words):
    with pytest.raises(UnknownNameError, match=words):
        select(regions(), **patterns)


@pytest.mark.parametrize("pattern", ["SR(", "*", "[", "a{99999999999}"])
def test_what_is_no_expression_is_refused(pattern):
    with pytest.raises(EditError, match="is no regular expression for a channel"):
        select(regions(), channels=[pattern])


def test_a_selection_that_empties_a_channel_is_refused():
    """A channel with its observation does not vanish without being named (T33)."""
    with pytest.raises(EditError, match="no sample would be left in channel 'CR'"):
        select(regions(), samples=["signal"])
    assert select(regions(), samples=["signal"], channels=["SR"]).sample_names == (
        "signal",
    )


@slow_to_draw
@given(workspaces.workspaces(), st.data())
def test_select_keeps_what_prune_removes_and_the_other_way_round(document, data):
    ws = Workspace.parse(document)
    names = st.lists(st.sampled_from(ws.channel_names), min_size=1, unique=True)
    chosen = data.draw(names)
    selected = select(ws, channels=map(re.escape, chosen))
    rest = [name for name in ws.channel_names if name not in chosen]
    assert selected == prune(ws, channels=rest)
    assert select(ws, samples=[".*"], channels=[".*"]) == ws
    assert ws.dump() == document


def test_free_text_names_are_names():
    document = workspace({"S R, (1)": [sample("t|p", [1], modifier("lumi", "lumi"))]})
    ws = Workspace.parse(document)
    assert select(ws, samples=[re.escape("t|p")]) == ws
    assert rename(ws, samples={"t|p": "top"}).sample_names == ("top",)
