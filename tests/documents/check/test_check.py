"""Checks of workspaces: every kind of finding, each found where it was planted."""

import copy
import json
import math
from collections import Counter

import jsonpatch
import jsonpointer
import pytest

from hfjax.building.build import build
from hfjax.documents.check.check import check
from hfjax.documents.check.finding import KINDS, SEVERITIES, count
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import ModelError, ParameterError, UnknownNameError
from hfjax.inference.hypotest import hypotest
from tests.documents.check.faults import FAULTS, REFUSED, clean, configure, put, swap
from tests.workspaces import histosys, make, modifier, normsys, sample

each_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)


def findings(document, **options):
    return check(Workspace.parse(document), **options)


def kinds(document, **options):
    return [found.kind for found in findings(document, **options)]


def test_nothing_is_found_where_nothing_is_wrong():
    assert findings(clean()) == ()


def test_every_kind_has_its_fault():
    planted = [fault.kind for fault in FAULTS]
    assert len(planted) == len(set(planted))
    assert set(planted) == {kind for kind in KINDS if not kind.startswith("fit-")}
    assert len(planted) >= 25


@each_fault
def test_a_planted_fault_is_found_and_nothing_else(fault):
    found = findings(fault.document())
    assert Counter(one.kind for one in found) == Counter([fault.kind, *fault.also])
    one = next(one for one in found if one.kind == fault.kind)
    assert (one.pointer, one.names) == (fault.pointer, fault.names)
    assert (one.severity, one.remedy) == KINDS[fault.kind]
    assert one.why


@each_fault
def test_a_pointer_leads_to_a_place_of_the_document(fault):
    document = fault.document()
    for one in findings(document):
        place = document
        for part in one.pointer.split("/")[1:]:
            place = place[int(part) if isinstance(place, list) else part]


@pytest.mark.parametrize("fault", REFUSED, ids=lambda fault: fault.kind)
def test_what_the_build_refuses_is_an_error_in_its_words(fault):
    workspace = Workspace.parse(fault.document())
    with pytest.raises(ModelError) as refusal:
        build(workspace)
    error = next(one for one in check(workspace) if one.kind == fault.kind)
    assert error.severity == "error"
    assert error.why == str(refusal.value)


IMPOSSIBLE = [f for f in FAULTS if KINDS[f.kind].severity == "error"]
POSSIBLE = [f for f in FAULTS if f not in IMPOSSIBLE]
OF_THE_TEST = ("poi-several", "poi-fixed", "poi-out-of-bounds", "poi-degenerate")


@pytest.mark.parametrize("fault", IMPOSSIBLE, ids=lambda fault: fault.kind)
def test_an_error_is_no_model_or_no_likelihood_or_no_test(fault):
    workspace = Workspace.parse(fault.document())
    try:
        model, data = build(workspace)
    except ModelError:
        return
    density = float(model.logpdf(model.parameters.init, data))
    if fault.kind not in OF_THE_TEST:
        assert not math.isfinite(density)
    elif fault.kind != "poi-degenerate":
        with pytest.raises((ModelError, ParameterError)):
            hypotest(model, data, poi_value=1.0)


@pytest.mark.parametrize("fault", POSSIBLE, ids=lambda fault: fault.kind)
def test_what_is_no_error_has_a_likelihood_where_fits_start(fault):
    model, data = make(fault.document())
    density = float(model.logpdf(model.parameters.init, data))
    assert math.isfinite(density) != fault.kind.startswith("start-")


def test_errors_come_first():
    document = clean()
    document["measurements"][0]["config"]["poi"] = ""
    document["channels"][1]["samples"][2]["data"][1] = -1.0
    document["observations"][1]["data"][0] = -3
    found = [one.severity for one in findings(document)]
    assert found == sorted(found, key=SEVERITIES.index)
    assert set(found) == set(SEVERITIES)
    assert count(findings(document)) == {s: found.count(s) for s in SEVERITIES}


def test_findings_are_json():
    document = clean()
    document["observations"][1]["data"][0] = float("nan")
    (found,) = findings(document)
    assert json.loads(json.dumps(found.dump(), allow_nan=False)) == {
        "severity": "error",
        "kind": "data-not-finite",
        "pointer": "/observations/1/data/0",
        "names": {"channel": "SR"},
        "why": "bin 0 has nan events",
        "remedy": "write the observed number of events",
    }


def test_the_workspace_stays_as_it_is():
    workspace = Workspace.parse(clean())
    check(workspace)
    assert workspace.dump() == clean()


# -- measurements -----------------------------------------------------------------


def two_measurements():
    document = clean()
    second = copy.deepcopy(document["measurements"][0])
    second["name"] = "fixed"
    second["config"]["parameters"][1]["fixed"] = True
    document["measurements"].append(second)
    return document


def test_all_measurements_are_checked_unless_one_is_named():
    (found,) = findings(two_measurements())
    assert (found.kind, found.names["measurement"]) == ("poi-fixed", "fixed")
    assert found.pointer == "/measurements/1/config/parameters/1/fixed"
    assert findings(two_measurements(), measurement="search") == ()
    assert findings(two_measurements(), measurement=0) == ()
    assert findings(two_measurements(), measurement="fixed") == (found,)
    with pytest.raises(UnknownNameError, match="no measurement named 'serch'"):
        findings(two_measurements(), measurement="serch")


def test_what_no_measurement_changes_is_found_once():
    document = two_measurements()
    document["channels"][1]["samples"][2]["data"][1] = -1.0
    found = Counter(kinds(document))
    assert found["nominal-negative"] == found["shapesys-lost"] == 1


# -- what a test of a signal needs ------------------------------------------------


def test_the_tested_value_is_an_argument():
    assert kinds(clean(), poi_value=10.0) == ["poi-at-bound"]
    assert kinds(clean(), poi_value=10.5) == ["poi-out-of-bounds"]
    assert kinds(clean(), poi_value=0.0) == []


def test_t26_a_fixed_parameter_of_interest_is_an_error():
    document = clean()
    document["measurements"][0]["config"]["parameters"][1]["fixed"] = True
    (found,) = findings(document)
    assert (found.severity, found.kind) == ("error", "poi-fixed")


def test_a_signal_may_bring_the_parameter_of_interest_under_another_name():
    document = clean()
    document["measurements"][0]["config"]["poi"] = "mu_SIG"
    background = copy.deepcopy(document)
    del background["channels"][1]["samples"][1]
    before = Workspace.parse(background)
    assert kinds(document) == ["poi-missing"]
    assert kinds(document, background=before) == ["poi-spelling"]


def test_a_parameter_of_interest_may_be_fixed_without_a_setting():
    """That of a shapesys in an empty bin."""
    document = clean()
    value = {"name": "VR", "samples": [{"name": "top", "data": [0.0]}]}
    value["samples"][0]["modifiers"] = [modifier("shapesys", "gap", [0.0])]
    document["channels"].append(value)
    document["observations"].append({"name": "VR", "data": [0]})
    document["measurements"][0]["config"]["poi"] = "gap"
    found = {one.kind: one.pointer for one in findings(document)}
    assert found["poi-fixed"] == "/measurements/0/config/poi"


# -- settings of bins -------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "kind", "name"),
    [
        ({"bounds": [[0, 5], [2, 2]], "inits": [1, 2]}, "bounds-pinned", "free[1]"),
        ({"bounds": [[0, 5], [1, 5]]}, "init-at-bound", "free[1]"),
        ({"bounds": [[0, 5], [-1, 5]]}, "bounds-negative", "free"),
        ({"bounds": [[0.5, 5], [0.99, 5]]}, "bounds-narrow", "stat_SR[1]"),
        ({"inits": [1, 1.01]}, "init-off-centre", "stat_SR[1]"),
    ],
)
def test_settings_of_every_bin_are_checked(settings, kind, name):
    document = clean()
    settings["name"] = name.partition("[")[0]
    document["measurements"][0]["config"]["parameters"].append(settings)
    (found,) = [one for one in findings(document) if one.kind == kind]
    assert f"{name!r}" in found.why


# -- what a build refuses ---------------------------------------------------------


def test_all_refusals_are_found_not_only_the_first():
    document = jsonpatch.apply_patch(
        clean(),
        [
            swap("/channels/0/samples/0/modifiers/1/data/lo", -0.1),
            swap("/channels/1/samples/0/modifiers/1/data/hi", -0.2),
            put(
                "/channels/1/samples/0/modifiers/-",
                modifier("shapesys", "fakes_SR", [1.0, 1.0]),
            ),
            configure(name="free", inits=[1.0], sigmas=[0.1]),
            {"op": "remove", "path": "/measurements/0/config/parameters/0"},
        ],
    )
    errors = [f for f in findings(document) if f.severity == "error"]
    assert Counter(found.kind for found in errors) == {
        "normsys-negative": 2,
        "shapesys-shared": 1,
        "setting-foreign": 1,
        "setting-length": 1,
        "lumi-unconfigured": 1,
    }
    assert [f.pointer for f in errors if f.kind == "normsys-negative"] == [
        "/channels/0/samples/0/modifiers/1",
        "/channels/1/samples/0/modifiers/1",
    ]


def test_t1_a_factor_of_zero_warns_and_a_negative_one_is_an_error():
    zero, negative = clean(), clean()
    for document, value in ((zero, 0.0), (negative, -0.5)):
        document["channels"][1]["samples"][0]["modifiers"][1]["data"]["lo"] = value
    (warning,), (error,) = findings(zero), findings(negative)
    assert (warning.severity, warning.kind) == ("warning", "normsys-zero")
    assert (error.severity, error.kind) == ("error", "normsys-negative")


@pytest.mark.parametrize("total", [0.0, -2.0])
def test_t11_staterrors_of_empty_and_negative_bins_lose_their_uncertainty(total):
    document = clean()
    fakes = document["channels"][1]["samples"][2]
    fakes["data"][1] = total
    fakes["modifiers"] = [modifier("staterror", "stat_fakes", [0.5, 0.4])]
    found = [f for f in findings(document) if f.kind.startswith("staterror")]
    assert [(f.kind, f.pointer) for f in found] == [
        ("staterror-lost", "/channels/1/samples/2/modifiers/0/data/1")
    ]


def test_t15_a_shapesys_of_two_channels_is_an_error():
    document = clean()
    shape = modifier("shapesys", "fakes_SR", [1.0, 1.0])
    document["channels"][0]["samples"][1]["modifiers"].append(shape)
    (found,) = findings(document)
    assert (found.severity, found.kind) == ("error", "shapesys-shared")
    assert "'multijet' in channel 'CR'" in found.why
    assert "'fakes' in channel 'SR'" in found.why


@pytest.mark.parametrize("missing", ["all", "inits", "bounds", "auxdata", "sigmas"])
def test_t25_lumi_needs_its_configuration(missing):
    document = clean()
    parameters = document["measurements"][0]["config"]["parameters"]
    if missing == "all":
        del parameters[0]
    else:
        del parameters[0][missing]
    (found,) = findings(document)
    assert (found.severity, found.kind) == ("error", "lumi-unconfigured")
    assert "inits" in found.remedy


# -- predictions ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lo", "hi", "step"), [(2.2, -0.2, 1), (-0.2, 2.2, -1), (2.2, 0.8, 2)]
)
def test_t19_the_first_step_with_negative_events_is_named(lo, hi, step):
    document = clean()
    tilt = modifier("histosys", "tilt", {"lo_data": [2.1, lo], "hi_data": [1.9, hi]})
    fakes = document["channels"][1]["samples"][2]
    fakes["data"] = [2.0, 1.5]
    fakes["modifiers"].append(tilt)
    found = [f for f in findings(document) if f.kind == "sample-negative"]
    if step == 2:
        assert not found  # 1.5 - 2 * 0.7 > 0
    else:
        assert f"'tilt' at {step:+d} sigma" in found[0].why


def test_steps_are_standard_deviations_inside_of_the_bounds():
    document = clean()
    tilt = modifier(
        "histosys", "tilt", {"lo_data": [2.1, 1.55], "hi_data": [1.9, 0.45]}
    )
    document["channels"][1]["samples"][2]["modifiers"].append(tilt)
    assert kinds(document) == ["sample-negative"]
    parameters = document["measurements"][0]["config"]["parameters"]
    parameters.append({"name": "tilt", "bounds": [[-1.2, 1.2]]})
    assert kinds(document) == []
    parameters[-1] = {"name": "tilt", "sigmas": [0.5]}
    assert kinds(document) == []


def test_predictions_start_where_the_measurement_says():
    document = clean()
    parameters = document["measurements"][0]["config"]["parameters"]
    parameters.append({"name": "free", "inits": [0.0, 1.0]})
    multijet = document["channels"][0]["samples"].pop(1)
    channel = {"name": "VR", "samples": [multijet]}
    document["channels"].append(channel)
    document["observations"].append({"name": "VR", "data": [20, 30]})
    assert kinds(document) == ["start-without-prediction", "init-at-bound"]


def test_a_fixed_systematic_is_not_moved():
    document = clean()
    tilt = modifier(
        "histosys", "tilt", {"lo_data": [2.1, 1.55], "hi_data": [1.9, 0.45]}
    )
    document["channels"][1]["samples"][2]["modifiers"].append(tilt)
    settings = {"name": "tilt", "fixed": True}
    document["measurements"][0]["config"]["parameters"].append(settings)
    assert kinds(document) == []


# -- numbers at their limits ------------------------------------------------------


@pytest.mark.parametrize("value", [1e308, -1e308, 10**308, 5e-324, 0, -0.0, 1e-300])
def test_extreme_numbers_are_checked_without_an_error(value):
    for place in numbers_of(clean()):
        document = clean()
        jsonpointer.set_pointer(document, place, value)
        found = findings(document)
        json.dumps([one.dump() for one in found], allow_nan=False)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_errors(value):
    """But for bounds, which may be infinite, and what a shapesys ignores."""
    for place in numbers_of(clean()):
        document = clean()
        jsonpointer.set_pointer(document, place, value)
        found = findings(document)
        json.dumps([one.dump() for one in found], allow_nan=False)
        if "bounds" not in place:
            shapesys = place.startswith("/channels/1/samples/2/modifiers/0/")
            expected = "shapesys-lost" if shapesys else "-not-finite"
            alike = [f for f in found if f.kind.endswith((expected, "not-finite"))]
            assert alike, (place, found)


def numbers_of(document, pointer=""):
    """The pointers to all numbers of a document."""
    if isinstance(document, (int, float)) and not isinstance(document, bool):
        return [pointer]
    items = ()
    if isinstance(document, dict):
        items = document.items()
    elif isinstance(document, list):
        items = enumerate(document)
    return [
        place for key, one in items for place in numbers_of(one, f"{pointer}/{key}")
    ]


# -- bins that can have events, or cannot --------------------------------------------


def one_bin(*samples, observed=1, **parameters):
    """A workspace of one bin with settings of parameters."""
    settings = [{"name": name} | setting for name, setting in parameters.items()]
    return {
        "channels": [{"name": "SR", "samples": list(samples)}],
        "observations": [{"name": "SR", "data": [observed]}],
        "measurements": [
            {"name": "search", "config": {"poi": "mu", "parameters": settings}}
        ],
        "version": "1.0.0",
    }


SIGNAL = sample("signal", [0.0], modifier("normfactor", "mu"))
MU = modifier("normfactor", "mu")
FIXED = {"inits": [0.0], "fixed": True}


@pytest.mark.parametrize(
    ("modifiers", "settings", "kind"),
    [
        ([histosys("tilt", [0.0], [1.5])], {}, "start-without-prediction"),
        ([histosys("tilt", [1.5], [0.0])], {}, "start-without-prediction"),
        ([histosys("tilt", [0.0], [1.5])], {"tilt": FIXED}, "no-prediction"),
        ([histosys("tilt", [-1.5], [0.0])], {}, "start-without-prediction"),
        ([histosys("tilt", [-1.0], [-1.0])], {}, "no-prediction"),
        (
            [histosys("tilt", [-1.0], [-1.0]), modifier("normfactor", "k")],
            {"k": {"bounds": [[-1, 1]]}},
            "start-without-prediction",
        ),
        (
            [histosys("tilt", [0.0], [1.5]), normsys("zero", 0.0, 0.0)],
            {"zero": {"inits": [1.0], "fixed": True}},
            "no-prediction",
        ),
    ],
)
def test_a_bin_that_something_can_fill_is_no_error(modifiers, settings, kind):
    background = sample("background", [0.0], *modifiers)
    found = kinds(one_bin(SIGNAL, background, **settings))
    wrong = {"start-without-prediction", "no-prediction"}
    assert wrong & set(found) == {kind}
    assert KINDS[kind].severity == ("error" if kind == "no-prediction" else "warning")


@pytest.mark.parametrize(
    ("background", "observed", "found"),
    [
        (sample("background", [0.0]), 1, True),
        (sample("background", [0.0]), 0, False),
        (sample("background", [1.0]), 1, False),
        (sample("background", [0.0], histosys("tilt", [0.0], [1.0])), 1, False),
        (sample("background", [3.0], modifier("normfactor", "k")), 1, False),
        (sample("background", [3.0], MU), 1, True),
    ],
)
def test_a_bin_that_only_a_signal_can_fill_has_no_background(
    background, observed, found
):
    signal = sample("signal", [5.0], MU)
    document = one_bin(signal, background, observed=observed)
    assert ("no-background" in kinds(document)) == found
    (told,) = [f for f in findings(document) if f.kind == "no-background"] or [None]
    assert told is None or (
        told.severity == "warning"
        and told.names == {"channel": "SR"}
        and "in bin 0: there is no fit of the background" in told.why
    )


def test_a_bin_that_nothing_can_fill_is_told_once():
    document = one_bin(SIGNAL, sample("background", [0.0]))
    assert "no-prediction" in kinds(document)
    assert "no-background" not in kinds(document)


def test_a_sample_that_is_always_lower_is_no_help():
    """The highest sum counts: one sample above zero does not make it positive."""
    signal = sample("signal", [0.5], normsys("scale", 0.9, 1.1))
    found = kinds(one_bin(signal, sample("background", [-5.0])))
    assert "prediction-negative" in found
    assert "start-negative" not in found


def test_an_empty_name_of_a_modifier_is_a_name():
    tilt = sample("background", [5.0], histosys("", [4.0], [7.0]))
    assert kinds(one_bin(sample("signal", [1.0], MU), tilt)) == []
