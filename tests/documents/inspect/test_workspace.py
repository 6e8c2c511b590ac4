"""What a workspace contains."""

import json
import math

import pytest

from hfjax.documents.inspect.workspace import CONSTRAINTS, summary
from hfjax.documents.parameters.parameter_sets import parameter_groups
from hfjax.documents.parameters.uses import KINDS
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import UnknownNameError
from tests.documents.check.faults import clean
from tests.workspaces import histosys, modifier, normsys


def shown(document, measurement=None):
    found = summary(Workspace.parse(document), measurement)
    json.dumps(found, allow_nan=False)
    return found


def test_every_key_of_the_field_is_there():
    """Channels with bins, samples, parameters with constraints, POI and settings."""
    found = shown(clean())
    assert [(c["name"], c["bins"]) for c in found["channels"]] == [("CR", 2), ("SR", 2)]
    assert found["samples"] == ["background", "fakes", "multijet", "signal"]
    assert found["measurements"] == [
        {
            "name": "search",
            "poi": "mu",
            "poi_in_workspace": True,
            "configured": ["lumi", "mu"],
            "constraints": {},
            "thresholds": {},
            "expressions": {},
        }
    ]
    parameters = {p["name"]: (p["constraint"], p["types"]) for p in found["parameters"]}
    assert parameters["shape"] == ("normal", ["histosys"])
    assert parameters["mu"] == ("none", ["normfactor"])
    assert parameters["fakes_SR"] == ("poisson", ["shapesys"])


def test_constraints_are_those_of_the_parameters():
    workspace = Workspace.parse(clean())
    groups = parameter_groups(workspace, workspace.measurement())
    assert {g.kind: g.constraint or "none" for g in groups} == CONSTRAINTS
    assert tuple(CONSTRAINTS) == KINDS


def test_constraints_and_thresholds_that_a_measurement_sets():
    document = clean() | {"version": "1.0.0+hfjax.1"}
    document["measurements"][0]["config"]["parameters"] += [
        {"name": "shape", "constraint": "gamma", "sigmas": [0.2]},
        {"name": "stat_CR", "constraint": "poisson", "threshold": 0.05},
    ]
    (found,) = shown(document)["measurements"]
    assert found["constraints"] == {"shape": "gamma", "stat_CR": "poisson"}
    assert found["thresholds"] == {"stat_CR": 0.05}


def test_modifiers_are_counted():
    assert shown(clean())["modifiers"] == {
        "histosys": {"names": 1, "places": 2},
        "lumi": {"names": 1, "places": 1},
        "normfactor": {"names": 2, "places": 3},
        "normsys": {"names": 1, "places": 2},
        "shapefactor": {"names": 1, "places": 1},
        "shapesys": {"names": 1, "places": 1},
        "staterror": {"names": 2, "places": 2},
    }


def test_yields_and_data_of_channels():
    assert shown(clean())["yields"][1] == {
        "channel": "SR",
        "observed": 24.0,
        "nominal": 24.0,
        "nominal_bins": [13.0, 11.0],
        "samples": {"background": 16.0, "signal": 5.0, "fakes": 3.0},
    }


def test_the_model_of_a_measurement():
    document = clean()
    document["measurements"][0]["config"]["parameters"].append(
        {"name": "k", "fixed": True}
    )
    assert shown(document)["models"] == [
        {
            "measurement": "search",
            "problem": None,
            "bins": 4,
            "parameters": 13,
            "constrained": 9,
            "fixed": 1,
            "poi": "mu",
            "poi_bounds": [0.0, 10.0],
        }
    ]


def test_a_workspace_without_a_model_is_shown_with_its_problem():
    document = clean()
    del document["measurements"][0]["config"]["parameters"][0]
    (model,) = shown(document)["models"]
    assert "'lumi'" in model["problem"]
    assert len(shown(document)["parameters"]) == 9


def test_a_background_has_no_parameter_of_interest():
    document = clean()
    del document["channels"][1]["samples"][1]
    (model,) = shown(document)["models"]
    assert (model["poi"], model["poi_bounds"]) == (None, None)


def test_one_measurement_is_shown_if_it_is_named():
    document = clean()
    other = {"name": "other", "config": {"poi": "", "parameters": []}}
    document["measurements"].append(other)
    both = shown(document)
    assert [found["measurement"] for found in both["models"]] == ["search", "other"]
    assert [row["measurement"] for row in both["systematics"]["lumi"]] == [
        "search",
        "other",
    ]
    one = shown(document, "search")
    assert [found["name"] for found in one["measurements"]] == ["search"]
    assert [found["measurement"] for found in one["models"]] == ["search"]
    assert len(one["systematics"]["lumi"]) == 1
    with pytest.raises(UnknownNameError, match="no measurement named 'serch'"):
        shown(document, "serch")


def test_largest_effects_of_systematics():
    """Relative to the sample, and to the whole channel."""
    systematics = shown(clean())["systematics"]
    (scale,) = systematics["normsys"]
    assert (scale["name"], scale["places"]) == ("scale", 2)
    assert scale["sample"] == {
        "channel": "SR",
        "sample": "background",
        "down": pytest.approx(-0.1),
        "up": pytest.approx(0.1),
    }
    assert scale["channel"] == {
        "channel": "SR",
        "down": pytest.approx(-1.6 / 24),
        "up": pytest.approx(1.6 / 24),
    }
    (shape,) = systematics["histosys"]
    assert shape["channel"] == {
        "channel": "SR",
        "down": pytest.approx((-1.5 - 0.2) / 24),
        "up": pytest.approx((1.9 + 0.3) / 24),
    }
    assert shape["sample"]["sample"] == "background"
    assert shape["bin"] == {
        "channel": "SR",
        "bin": 0,
        "down": pytest.approx((-1.0 - 0.1) / 13),
        "up": pytest.approx((1.5 + 0.1) / 13),
    }
    assert [row["name"] for row in systematics["staterror"]] == ["stat_SR", "stat_CR"]
    assert systematics["staterror"][0]["bin"] == {
        "channel": "SR",
        "bin": 1,
        "uncertainty": pytest.approx(0.8 / 6),
    }
    assert systematics["shapesys"][0]["bin"]["uncertainty"] == pytest.approx(0.4)
    assert systematics["lumi"] == [
        {"name": "lumi", "places": 1, "measurement": "search", "uncertainty": 0.02}
    ]


def test_a_shape_that_changes_no_sum_is_seen_in_its_bins():
    document = clean()
    channel = document["channels"][1]
    background = channel["samples"][0]
    first, second = background["data"]
    shifted = [[first - 2.0, second + 2.0], [first + 3.0, second - 3.0]]
    background["modifiers"].append(histosys("migration", *shifted))
    rows = shown(document)["systematics"]["histosys"]
    row = rows[0]
    assert row["name"] == "migration"  # the largest, though its sum is zero
    assert (row["channel"]["down"], row["channel"]["up"]) == (0.0, 0.0)
    totals = [sum(sample["data"][i] for sample in channel["samples"]) for i in (0, 1)]
    small = min((0, 1), key=totals.__getitem__)
    sign = 1 if small else -1
    assert row["bin"] == {
        "channel": "SR",
        "bin": small,
        "down": pytest.approx(sign * 2.0 / totals[small]),
        "up": pytest.approx(-sign * 3.0 / totals[small]),
    }


def test_systematics_are_sorted_by_their_effect_on_a_channel():
    document = clean()
    fakes, background = (document["channels"][1]["samples"][i] for i in (2, 0))
    fakes["modifiers"] += [normsys("large_on_little", 0.2, 2.0)]
    background["modifiers"] += [normsys("small_on_much", 0.7, 1.3)]
    rows = shown(document)["systematics"]["normsys"]
    assert [row["name"] for row in rows] == [
        "small_on_much",
        "large_on_little",
        "scale",
    ]


def test_numbers_that_json_does_not_have_are_null():
    document = clean()
    fakes = document["channels"][1]["samples"][2]
    fakes["data"] = [0.0, 0.0]
    fakes["modifiers"] = [
        histosys("tail", [0.0, 0.1], [0.0, 0.2]),
        modifier("staterror", "stat", [math.nan, 1.0]),
    ]
    document["channels"][0]["samples"][1]["data"][0] = math.inf
    found = shown(document)
    assert found["yields"][0]["nominal"] is None
    assert found["yields"][0]["nominal_bins"] == [None, 110.0]
    tail = next(r for r in found["systematics"]["histosys"] if r["name"] == "tail")
    assert (tail["sample"]["down"], tail["sample"]["up"]) == (None, None)
    assert tail["channel"]["up"] == pytest.approx(0.2 / 21)


def test_data_bounds_and_thresholds_that_json_does_not_have_are_null():
    document = clean() | {"version": "1.0.0+hfjax.1"}
    config = document["measurements"][0]["config"]
    poi = config["poi"]
    kept = [each for each in config["parameters"] if each["name"] != poi]
    kept.append({"name": poi, "bounds": [[-math.inf, math.inf]]})
    kept.append({"name": "stat_CR", "threshold": math.inf})
    config["parameters"] = kept
    document["observations"][0]["data"][0] = math.nan
    found = summary(Workspace.parse(document))
    json.dumps(found, allow_nan=False)
    assert found["channels"][0]["observed"][0] is None
    assert found["measurements"][0]["thresholds"] == {"stat_CR": None}
    assert found["models"][0]["poi_bounds"] == [None, None]
