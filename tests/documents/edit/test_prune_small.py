"""Prune by size: what is dropped, how large it was, and what that does to the model."""

import math
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hfjax.building.build import build
from hfjax.documents.edit.prune_small import SmallSystematic, prune_small, systematics
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import EditError
from tests.workspaces import (
    LUMI,
    MU,
    histosys,
    modifier,
    normsys,
    sample,
    workspace,
    workspaces,
)

EXAMPLE = Path(__file__).parents[3] / "examples" / "BkgOnly.json"
INTERPOLATED = {"histosys", "normsys"}


def one(*modifiers, data=(20.0, 40.0), settings=(), poi=""):
    """A workspace with one sample."""
    channel = {"SR": [sample("top", list(data), *modifiers)]}
    return Workspace.parse(workspace(channel, None, *settings, poi=poi))


def settings_of(document):
    """What the only measurement says about parameters."""
    return document["measurements"][0]["config"]["parameters"]


def effects(ws):
    """Effects by name."""
    return {found.modifier: found.effect for found in systematics(ws)}


@pytest.mark.parametrize(
    ("modifiers", "effect"),
    [
        ([normsys("a", 0.98, 1.01)], 0.02),
        ([normsys("a", 1.01, 1.03)], 0.03),
        ([normsys("a", 1, 1)], 0.0),
        ([histosys("a", [19, 40], [20, 41])], 0.05),
        ([histosys("a", [20, 40], [20, 42])], 0.05),
        ([histosys("a", [20, 40], [20, math.nan])], math.inf),
        ([modifier("shapesys", "a", [1.0, 3.0])], 0.075),
        ([modifier("staterror", "a", [0.4, 0.4])], 0.02),
    ],
)
def test_effect_of_each_type(modifiers, effect):
    assert effects(one(*modifiers))["a"] == pytest.approx(effect, rel=1e-12, abs=1e-15)


def test_halves_of_a_systematic_count_together():
    """Each half stays below 1 %, both together do not."""
    halves = normsys("a", 0.993, 1.007), histosys("a", [19.88, 40], [20.12, 40])
    ws = one(*halves)
    (found,) = systematics(ws)
    assert found.types == ("histosys", "normsys")
    assert found.effect == pytest.approx(1.007 * 1.006 - 1, rel=1e-12)
    assert prune_small(ws, 0.01).dropped == ()
    for half in halves:
        assert len(prune_small(one(half), 0.01).dropped) == 1


def test_halves_are_dropped_together():
    ws = one(normsys("a", 0.999, 1.001), histosys("a", [19.98, 40], [20.02, 40]))
    pruned = prune_small(ws, 0.01)
    assert pruned.workspace.modifiers == ()
    assert pruned.parameters == ("a",)


@pytest.mark.parametrize(
    ("modifiers", "effect"),
    [
        ([histosys("a", [0, 40], [0.1, 40])], math.inf),
        ([histosys("a", [0, 40], [0, 40])], 0.0),
        ([normsys("a", 0.99, 1.01)], 0.01),
        ([modifier("shapesys", "a", [5.0, 2.0])], 0.05),
        ([modifier("staterror", "a", [5.0, 2.0])], 0.05),
    ],
)
def test_bins_without_events(modifiers, effect):
    """What a histosys adds is infinitely large; the others do nothing there."""
    found = effects(one(*modifiers, data=(0.0, 40.0)))["a"]
    assert found == pytest.approx(effect, rel=1e-12)


def test_negative_nominal_counts_by_its_size():
    ws = one(histosys("a", [-19, 40], [-21, 40]), data=(-20.0, 40.0))
    assert effects(ws)["a"] == pytest.approx(0.05, rel=1e-12)


def test_systematics_go_sample_by_sample():
    shared = [normsys("a", 0.9, 1.1), normsys("a", 0.999, 1.001)]
    samples = [sample("top", [20], shared[0]), sample("W", [5], shared[1])]
    pruned = prune_small(Workspace.parse(workspace({"SR": samples})), 0.005)
    assert pruned.workspace.modifiers == (("a", "normsys"),)
    assert pruned.workspace.channel("SR").sample("W").modifiers == ()
    assert pruned.parameters == ()
    (dropped,) = pruned.dropped
    assert (dropped.modifier, dropped.types) == ("a", ("normsys",))
    assert (dropped.channel, dropped.samples) == ("SR", ("W",))


def test_t9_staterror_is_judged_and_dropped_for_all_its_samples_together():
    """Its width is that of the samples that have it; W alone would be above 10 %."""
    stat = [modifier("staterror", "stat", [1.0]), modifier("staterror", "stat", [0.5])]
    samples = [
        sample("top", [96], stat[0]),
        sample("W", [4], stat[1]),
        sample("fakes", [1000]),
    ]
    ws = Workspace.parse(workspace({"SR": samples}))
    effect = math.hypot(1.0, 0.5) / 100
    assert prune_small(ws, 0.99 * effect).dropped == ()
    (dropped,) = prune_small(ws, 1.01 * effect).dropped
    assert dropped.samples == ("top", "W")
    assert dropped.effect == pytest.approx(effect, rel=1e-12)


def test_t10_staterror_of_two_channels_stays_whole_in_the_other():
    large = [modifier("staterror", "stat", [3.0])]
    small = [modifier("staterror", "stat", [0.1])]
    channels = {
        "SR": [sample("top", [50], *large), sample("W", [50], *large)],
        "CR": [sample("top", [50], *small), sample("W", [50], *small)],
    }
    pruned = prune_small(Workspace.parse(workspace(channels)), 0.005)
    assert [(d.channel, d.samples) for d in pruned.dropped] == [("CR", ("top", "W"))]
    assert build(pruned.workspace)[0].parameters.names == ("stat[0]",)


def test_what_equals_the_threshold_but_for_rounding_stays():
    assert 1.005 - 1 < 0.005
    assert prune_small(one(normsys("a", 1, 1.005)), 0.005).dropped == ()


def test_poi_and_types_without_a_size_stay():
    small = [normsys("mu", 1, 1.001), modifier("lumi", "lumi"), MU | {"name": "k"}]
    ws = one(*small, modifier("shapefactor", "free"), settings=(LUMI,), poi="mu")
    assert prune_small(ws, 0.5).workspace == ws


@pytest.mark.parametrize("setting", [{"sigmas": [30.0]}, {"auxdata": [2.0]}])
def test_parameters_with_another_constraint_stay(setting):
    """One standard deviation is then not what the templates show."""
    ws = one(normsys("a", 0.999, 1.001), settings=({"name": "a", **setting},))
    assert prune_small(ws, 0.005).dropped == ()


def test_other_settings_stay_for_patches_that_bring_the_modifier_back():
    config = {"name": "a", "inits": [0.1], "fixed": True}
    pruned = prune_small(one(normsys("a", 0.999, 1.001), settings=(config,)), 0.005)
    assert pruned.workspace.modifiers == ()
    assert pruned.workspace.measurement().parameter("a") is not None


@pytest.mark.parametrize("threshold", [0.0, -0.1, math.nan, math.inf])
def test_threshold_must_be_positive(threshold):
    with pytest.raises(EditError, match="must be a positive number"):
        prune_small(one(normsys("a", 1, 1)), threshold)


def test_report_as_json():
    pruned = prune_small(one(normsys("a", 1, 1)), 0.005)
    assert pruned.dump() == {
        "threshold": 0.005,
        "dropped": [
            {
                "modifier": "a",
                "types": ["normsys"],
                "channel": "SR",
                "samples": ["top"],
                "effect": 0.0,
            }
        ],
        "parameters": ["a"],
    }
    assert pruned.dropped == (SmallSystematic("a", ("normsys",), "SR", ("top",), 0.0),)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(workspaces(), st.sampled_from([0.005, 0.1, 0.5, 3.0]))
def test_only_what_is_small_goes_and_the_rest_keeps_its_size(document, threshold):
    ws = Workspace.parse(document)
    pruned = prune_small(ws, threshold)
    assert Workspace.parse(pruned.workspace.dump()) == pruned.workspace
    assert ws.dump() == document
    assert all(found.effect < threshold for found in pruned.dropped)
    left = list(systematics(pruned.workspace))
    assert sorted([*left, *pruned.dropped], key=str) == sorted(systematics(ws), key=str)
    changing = {"auxdata", "sigmas"}
    kept = {found["name"] for found in settings_of(document) if changing & set(found)}
    small = {found.modifier for found in left if found.effect < threshold}
    assert small <= kept | {"mu"}
    assert prune_small(pruned.workspace, threshold).dropped == ()


def rates(ws, pulls):
    """Rates of a workspace at each pull, of parameters that it may have lost."""
    model, _ = build(ws)
    known = {each.name for each in model.parameters.sets}
    points = [
        model.parameters.pack({name: value} if name in known else {})
        for name, value in pulls
    ]
    return np.asarray(jax.jit(jax.vmap(model.expected_rates))(np.stack(points)))


def check_rates(ws, threshold):
    """Check with the model: no rate changes by more than the threshold."""
    pruned = prune_small(ws, threshold)
    names = {d.modifier for d in pruned.dropped if set(d.types) & INTERPOLATED}
    assert names
    pulls = [(name, value) for name in sorted(names) for value in (-1.0, 1.0)]
    before, after = rates(ws, pulls), rates(pruned.workspace, pulls)
    assert (before != after).any()
    assert (np.abs(before - after) <= threshold * np.abs(after)).all()


def test_no_rate_of_the_example_changes_by_more_than_the_threshold():
    check_rates(Workspace.load(EXAMPLE), 0.03)


def test_no_rate_of_a_published_likelihood_changes_by_more(data_dir):
    check_rates(Workspace.load(data_dir / "likelihoods/staus/BkgOnly.json"), 0.02)


def test_offshell_in_numbers(data_dir):
    """Of 5197 systematics, 288 change no bin of their sample by half a percent."""
    ws = Workspace.load(data_dir / "likelihoods" / "offshell" / "BkgOnly.json")
    assert len(list(systematics(ws))) == 5197
    pruned = prune_small(ws, 0.005)
    assert len(pruned.dropped) == 288
    assert max(found.effect for found in pruned.dropped) < 0.005
    assert Workspace.parse(pruned.workspace.dump()) == pruned.workspace
