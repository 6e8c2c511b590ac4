"""Combine two workspaces: joins, merged channels, what is refused, what it means."""

import copy
import math
import warnings

import pytest
from hypothesis import HealthCheck, given, settings

from hfjax.building.build import build
from hfjax.documents.edit.combine import Join, combine, shared_parameters
from hfjax.documents.edit.prune import prune
from hfjax.documents.edit.rename import rename
from hfjax.documents.workspace.workspace import (
    EXTENDED_VERSION,
    VERSION,
    ParameterConfig,
    Workspace,
)
from hfjax.errors import EditError, UnknownNameError
from tests import workspaces
from tests.workspaces import LUMI, MU, modifier, normsys, sample, workspace

UNSAFE = (Join.LEFT, Join.RIGHT)


def region(name="SR", top=20.0, *settings, poi="mu"):
    """A workspace with one channel, a signal and a top quark background."""
    samples = [
        sample("signal", [5.0, 6.0], MU, modifier("lumi", "lumi")),
        sample("top", [top, 30.0], normsys("JES", 0.9, 1.1), modifier("lumi", "lumi")),
    ]
    settings = settings or (LUMI,)
    return workspace({name: samples}, {name: [25, 36]}, *settings, poi=poi)


def parsed(*found):
    return [Workspace.parse(document) for document in found]


def refused(left, right, words, join="none", **options):
    """Check that a combination is refused with some words."""
    with pytest.raises(EditError, match=words):
        combine(*parsed(left, right), join, **options)


def test_regions_of_different_names_come_one_after_the_other():
    left, right = region("SR"), region("CR")
    right["measurements"][0]["name"] = "control"
    both = combine(*parsed(left, right)).dump()
    assert both["channels"] == left["channels"] + right["channels"]
    assert both["observations"] == left["observations"] + right["observations"]
    assert both["measurements"] == left["measurements"] + right["measurements"]


@pytest.mark.parametrize("kind", ["channel", "measurement", "observation"])
def test_join_none_refuses_a_common_name(kind):
    left, right = region("SR"), region("CR")
    right["measurements"][0]["name"] = "control"
    if kind == "channel":
        right["channels"][0]["name"] = right["observations"][0]["name"] = "SR"
    elif kind == "measurement":
        right["measurements"][0]["name"] = "search"
    else:
        right["observations"].append({"name": "SR", "data": [1, 2]})
    name = "search" if kind == "measurement" else "SR"
    refused(left, right, f"both workspaces have a {kind} '{name}'")


def test_outer_takes_what_is_the_same_once():
    left = region("SR")
    assert combine(*parsed(left, left), "outer").dump() == left


@pytest.mark.parametrize("join", [Join.NONE, Join.OUTER])
def test_outer_and_none_refuse_channels_that_differ(join):
    words = "both workspaces have" if join == "none" else "is not the same in both"
    refused(region("SR", 20.0), region("SR", 21.0), f"channel 'SR'|{words}", join)


def test_outer_refuses_observations_that_differ():
    right = region("SR")
    right["observations"][0]["data"] = [25, 37]
    refused(region("SR"), right, "observation 'SR' is not the same in both", "outer")


def test_outer_joins_the_parameters_of_a_measurement():
    first = {"name": "JES", "inits": [0.1]}
    second = {"name": "mu", "bounds": [[0, 5]]}
    left, right = region("SR", 20.0, LUMI, first), region("CR", 20.0, LUMI, second)
    (measurement,) = combine(*parsed(left, right), "outer").measurements
    assert [found.name for found in measurement.parameters] == ["lumi", "JES", "mu"]


def test_outer_refuses_settings_of_a_parameter_that_differ():
    left = region("SR", 20.0, LUMI)
    right = region("CR", 20.0, LUMI | {"sigmas": [0.03]})
    words = "in measurement 'search', parameter 'lumi' is not the same in both"
    refused(left, right, words, "outer")


def test_outer_refuses_another_parameter_of_interest():
    words = "parameter of interest 'mu' in one workspace and 'k' in the other"
    refused(region("SR"), region("CR", poi="k"), words, "outer")


@pytest.mark.parametrize(("join", "top"), [("left outer", 20.0), ("right outer", 21.0)])
def test_left_and_right_prefer_one_side_and_say_so(join, top):
    left, right = parsed(region("SR", 20.0), region("SR", 21.0))
    with pytest.warns(UserWarning, match="channel 'SR' differs: only the preferred"):
        both = combine(left, right, join)
    assert both.channel("SR").sample("top").data[0] == top


@pytest.mark.parametrize("join", UNSAFE)
def test_left_and_right_say_nothing_where_nothing_is_lost(join):
    left, right = parsed(region("SR"), region("CR"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        both = combine(left, right, join)
    names = ("SR", "CR") if join == Join.LEFT else ("CR", "SR")
    assert both.channel_names == names


def extra(name="W"):
    """The same region with one more sample, or a top quark background that differs."""
    document = region("SR")
    del document["channels"][0]["samples"][0]
    found = document["channels"][0]["samples"][0]
    found.update(name=name, data=[1.0, 2.0], modifiers=[])
    return document


@pytest.mark.parametrize("join", ["outer", "left outer", "right outer"])
def test_merged_channels_have_the_samples_of_both(join):
    both = combine(*parsed(region("SR"), extra("W")), join, merge_channels=True)
    names = ("signal", "top", "W") if join != "right outer" else ("W", "signal", "top")
    assert both.channel("SR").sample_names == names


@pytest.mark.parametrize("join", ["outer", "left outer", "right outer"])
def test_merged_channels_prefer_the_sample_of_one_side(join):
    left, right = parsed(region("SR"), extra("top"))
    words = "in channel 'SR', sample 'top' differs"
    with pytest.warns(UserWarning, match=words):
        both = combine(left, right, join, merge_channels=True)
    kept = 1.0 if join == "right outer" else 20.0
    assert both.channel("SR").sample("top").data[0] == kept


def test_merging_channels_with_other_bins_is_refused():
    right = extra("W")
    right["channels"][0]["samples"][0]["data"] = [1.0]
    right["observations"][0]["data"] = [1]
    words = "do not fit together: sample 'W' has 1 bins, sample 'signal' has 2"
    refused(region("SR"), right, words, "left outer", merge_channels=True)


def test_a_channel_whose_preferred_observation_has_other_bins_is_refused():
    left = region("SR")
    left["observations"].append({"name": "CR", "data": [1]})
    words = "the observation of channel 'CR' has 1 bins, its samples have 2"
    with pytest.warns(UserWarning, match="observation 'CR' differs"):
        refused(left, region("CR"), words, "left outer")


def test_join_none_merges_no_channels():
    refused(region("SR"), region("CR"), "merges no channels", merge_channels=True)


def test_unknown_join_is_named():
    with pytest.raises(UnknownNameError, match=r"'full outer'.*'outer'"):
        combine(*parsed(region("SR"), region("CR")), "full outer")


def test_t32_lumi_and_every_shared_name_become_one_parameter():
    left, right = parsed(region("SR"), region("CR"))
    assert shared_parameters(left, right) == ("JES", "lumi", "mu")
    both = combine(left, right, "outer")
    (model, data), (one, its), (other, others) = map(build, (both, left, right))
    assert model.parameters.names == one.parameters.names == ("lumi", "mu", "JES")
    params = {"lumi": 1.01, "mu": 0.7, "JES": 0.4}
    total = float(model.logpdf(model.parameters.pack(params), data))
    parts = [
        float(part.logpdf(part.parameters.pack(params), found))
        for part, found in ((one, its), (other, others))
    ]
    pull, width = (1.01 - 1) / 0.02, 0.02
    once = -(pull**2) / 2 - math.log(width * math.sqrt(2 * math.pi))
    once += -(0.4**2) / 2 - math.log(math.sqrt(2 * math.pi))
    assert total == pytest.approx(parts[0] + parts[1] - once, rel=1e-12)


def test_renamed_modifiers_are_not_shared():
    left, right = parsed(region("SR"), region("CR"))
    right = rename(right, modifiers={"JES": "JES_CR"})
    assert shared_parameters(left, right) == ("lumi", "mu")
    names = build(combine(left, right, "outer"))[0].parameters.names
    assert {"JES", "JES_CR"} <= set(names)


def extended(document):
    """The same workspace, with a log-normal constraint."""
    config = document["measurements"][0]["config"]
    jes = {"name": "JES", "constraint": "lognormal", "sigmas": [0.1]}
    config["parameters"] = [*config["parameters"], jes]
    return document | {"version": EXTENDED_VERSION}


@pytest.mark.parametrize("reverse", [False, True])
def test_plain_and_extended_workspaces_make_an_extended_one(reverse):
    """A difference from pyhf, which knows one version and joins equal ones only."""
    pair = parsed(region("SR"), extended(region("CR")))
    both = combine(*(reversed(pair) if reverse else pair), "outer")
    assert both.version == EXTENDED_VERSION
    assert both.measurement().parameter("JES").constraint == "lognormal"
    assert Workspace.parse(both.dump()) == both


def test_a_join_that_drops_what_is_extended_gives_a_plain_workspace():
    left, right = parsed(region("SR"), extended(region("CR")))
    with pytest.warns(UserWarning, match="measurement 'search' differs"):
        both = combine(left, right, "left outer")
    assert both.version == VERSION
    assert Workspace.parse(both.dump()) == both


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
@given(workspaces.forms())
def test_parts_are_found_again_and_nothing_changes(document):
    left = Workspace.parse(document)
    before = copy.deepcopy(document)
    ends = {name: f"{name} of the other workspace" for name in left.channel_names}
    titles = {name: f"{name} of the other one" for name in left.measurement_names}
    right = rename(left, channels=ends, measurements=titles)
    both = combine(left, right)
    again = prune(both, channels=ends.values(), measurements=titles.values())
    assert again == left
    assert Workspace.parse(both.dump()) == both
    assert left.dump() == before
    assert all(found in both.channels for found in (*left.channels, *right.channels))


def test_a_setting_that_only_one_side_has_stays():
    setting = {"name": "JES", "fixed": True}
    left, right = parsed(region("SR"), region("CR", 20.0, LUMI, setting))
    found = combine(left, right, "outer").measurement("search").parameter("JES")
    assert found == ParameterConfig("JES", fixed=True)
