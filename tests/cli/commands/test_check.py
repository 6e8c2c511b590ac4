"""`hfjax check`: a table for people, JSON for machines, exit 3 for errors."""

import copy
import json
import subprocess
import sys

import pytest

from hfjax.documents.check.finding import KINDS, Spot, report
from hfjax.documents.reading.schema import validate
from hfjax.tables.findings import findings_table
from tests.documents.check.faults import FAULTS, clean
from tests.workspaces import modifier

SCHEMA = "check-result-1.0.0.json"
LIKELIHOODS = ("offshell", "sbottomA", "sleptons", "staus")


def checked(hfjax, document, *options, code=0):
    """The JSON result of a check, which its schema accepts."""
    outcome = hfjax("check", "-", "--json", *options, stdin=json.dumps(document))
    assert outcome.code == code
    assert outcome.stderr == ""
    validate(outcome.json, SCHEMA)
    return outcome.json


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)
def test_every_kind_of_finding_through_the_command(hfjax, fault):
    error = KINDS[fault.kind].severity == "error"
    result = checked(hfjax, fault.document(), code=3 if error else 0)
    found = [one for one in result["findings"] if one["kind"] == fault.kind]
    assert [(one["pointer"], one["names"]) for one in found] == [
        (fault.pointer, fault.names)
    ]
    assert result["kinds"][fault.kind] == 1
    assert sum(result["counts"].values()) == len(result["findings"])
    assert result["fits"] is None


def test_nothing_is_found_where_nothing_is_wrong(hfjax):
    result = checked(hfjax, clean())
    assert result["findings"] == []
    assert result["counts"] == {"error": 0, "warning": 0, "note": 0}
    outcome = hfjax("check", stdin=json.dumps(clean()))
    assert (outcome.code, outcome.stdout) == (0, "0 errors, 0 warnings, 0 notes\n")


def test_the_table_has_a_line_for_each_finding_and_what_to_do(hfjax, write):
    document = clean()
    document["measurements"][0]["config"]["parameters"][1]["fixed"] = True
    document["measurements"][0]["config"]["parameters"].append({"name": "mu_BG"})
    outcome = hfjax("check", write("ws.json", document), "--notes")
    assert outcome.code == 3
    assert [line.split("  ") for line in outcome.stdout.splitlines()] == [
        ["1 error, 0 warnings, 1 note"],
        ["error poi-fixed (1): remove `fixed` from the parameter of interest"],
        [
            "",
            "search mu",
            "'mu' is fixed, so that no value of it can be tested",
            "/measurements/0/config/parameters/1/fixed",
        ],
        [
            "note setting-unused (1): nothing, if a patch brings the parameter; else "
            "remove it"
        ],
        [
            "",
            "search mu_BG",
            "no modifier is named 'mu_BG'",
            "/measurements/0/config/parameters/2",
        ],
    ]


def test_notes_are_counted_and_shown_on_demand(hfjax):
    document = clean()
    document["measurements"][0]["config"]["parameters"].append({"name": "mu_BG"})
    document["measurements"][0]["config"]["parameters"].append({"name": "mu_BH"})
    text = json.dumps(document)
    assert hfjax("check", stdin=text).stdout.splitlines() == [
        "0 errors, 0 warnings, 2 notes",
        "2 notes are not shown: --notes shows them",
    ]
    for options in (("--notes",), ("--severity", "note"), ("--kind", "setting-unused")):
        shown = hfjax("check", *options, stdin=text).stdout
        assert "note setting-unused (2): " in shown
        assert "not shown" not in shown
    assert checked(hfjax, document) == checked(hfjax, document, "--notes")


def test_severities_and_kinds_filter_tables_and_json_but_not_the_exit_code(hfjax):
    document = clean()
    document["measurements"][0]["config"]["parameters"][1]["fixed"] = True
    document["measurements"][0]["config"]["parameters"].append({"name": "mu_BG"})
    text = json.dumps(document)
    both = {"poi-fixed": 1, "setting-unused": 1}
    assert checked(hfjax, document, code=3)["kinds"] == both
    for options, kinds in (
        (("--severity", "error"), {"poi-fixed": 1}),
        (("--severity", "warning"), {}),
        (("--severity", "error", "--severity", "note"), both),
        (("--kind", "setting-unused"), {"setting-unused": 1}),
        (("--kind", "setting-unused", "--kind", "poi-fixed"), both),
        (("--kind", "setting-unused", "--severity", "error"), {}),
    ):
        assert checked(hfjax, document, *options, code=3)["kinds"] == kinds
        outcome = hfjax("check", *options, stdin=text)
        assert outcome.code == 3
        assert outcome.stdout.splitlines()[0].endswith(" (of 2 findings)")
        for kind in both:
            assert (f" {kind} (1): " in outcome.stdout) == (kind in kinds)


def test_an_unknown_kind_is_refused_with_close_names(hfjax):
    complaint = hfjax("check", "--kind", "poi-fxied").complaint
    assert (
        "no kind of finding is called 'poi-fxied': did you mean poi-fixed" in complaint
    )
    assert "names its kinds" in hfjax("check", "--kind", "zzz").complaint
    assert "'no' is not one of" in hfjax("check", "--severity", "no").complaint


def test_the_place_of_a_finding_has_a_line_of_its_own_on_a_terminal(hfjax, write):
    document = clean()
    document["measurements"][0]["config"]["parameters"][1]["fixed"] = True
    outcome = hfjax("check", write("ws.json", document), columns=80)
    assert max(map(len, outcome.lines)) <= 80
    assert outcome.lines[-2].split()[0:3] == ["search", "mu", "'mu'"]
    assert outcome.lines[-1].split() == ["/measurements/0/config/parameters/1/fixed"]


def test_a_place_is_whole_so_that_it_can_be_copied(hfjax, write):
    document = clean()
    document["channels"][0]["samples"][0]["modifiers"][1]["data"]["lo"] = 0.0
    outcome = hfjax("check", write("ws.json", document), columns=40)
    pointers = [line.strip() for line in outcome.lines if line.startswith("    /")]
    assert "/channels/0/samples/0/modifiers/1/data" in pointers


def test_the_table_is_limited_and_the_json_is_not(hfjax):
    document = clean()
    for i in range(12):
        unused = {"name": f"unused_{i}"}
        document["measurements"][0]["config"]["parameters"].append(unused)
    text = json.dumps(document)
    shown = hfjax("check", "--notes", stdin=text).stdout
    assert shown.count("/config/parameters/") == 10
    assert "  and 2 more; --limit 0 shows all\n" in shown
    one = hfjax("check", "--notes", "--limit", "1", stdin=text).stdout
    assert one.count("'unused_") == 1
    every = hfjax("check", "--notes", "--limit", "0", stdin=text).stdout
    assert every.count("/config/parameters/") == 12
    assert "more" not in every
    assert len(checked(hfjax, document)["findings"]) == 12


def test_colours_are_for_terminals_only(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    spot = Spot("/channels/0", {"channel": "[bold]SR[/bold]"})
    findings = [report("no-prediction", spot, "no events are expected " * 5)]
    plain, coloured = (findings_table(findings, 10, flag) for flag in (False, True))
    assert "\x1b[" not in plain
    assert "\x1b[1;31merror no-prediction" in coloured
    assert "[bold]SR[/bold]" in plain  # a name is no markup
    assert max(map(len, plain.splitlines())) > 100  # one finding, one line


def test_names_are_never_cut_off(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    name = "x" * 100
    finding = report("no-prediction", Spot(f"/{name}", {"channel": name}), f"in {name}")
    shown = findings_table([finding], 10, colour=True)
    assert shown.count("x") == 300 + shown.count("expected")


def test_the_result_can_go_to_a_file(hfjax, tmp_path):
    document = clean()
    document["observations"][1]["data"][0] = -1
    text = json.dumps(document)
    outcome = hfjax("check", "-o", "out.txt", stdin=text)
    assert (outcome.code, outcome.stdout) == (3, "")
    assert "error data-negative (1)" in (tmp_path / "out.txt").read_text()
    assert hfjax("check", "--json", "-o", "out.json", stdin=text).code == 3
    validate(json.loads((tmp_path / "out.json").read_text()), SCHEMA)


def test_measurement_and_tested_value_are_options(hfjax, write):
    document = clean()
    second = copy.deepcopy(document["measurements"][0])
    second["name"] = "other"
    second["config"]["poi"] = ""
    document["measurements"].append(second)
    assert checked(hfjax, document)["kinds"] == {"poi-none": 1}
    assert checked(hfjax, document, "--measurement", "search")["kinds"] == {}
    options = ("--measurement", "search", "--test-poi", "11")
    assert checked(hfjax, document, *options, code=3)["kinds"] == {
        "poi-out-of-bounds": 1
    }
    complaint = hfjax("check", write("a.json", document), "--measurement", "x")
    assert "no measurement named 'x'" in complaint.complaint


def test_a_signal_is_patched_in(hfjax, files, write, patchset):
    workspace = files[0]
    assert "poi-missing" in hfjax("check", workspace, "--json").json["kinds"]
    named = ("--patchset", files[1], "--name", "point_1")
    assert hfjax("check", workspace, "--json", *named).json["kinds"] == {}
    operations = patchset["patches"][0]["patch"]
    operations[0]["value"]["data"] = [-12.0, 0.0]
    patch = write("patch.json", operations)
    found = hfjax("check", workspace, "--json", "-p", patch).json["findings"]
    pointers = [one["pointer"] for one in found if one["kind"] == "nominal-negative"]
    assert pointers == ["/channels/0/samples/1/data/0"]


def test_t2_a_modifier_that_is_there_twice_is_refused_when_it_is_read(hfjax, write):
    document = clean()
    document["channels"][1]["samples"][2]["modifiers"] *= 2
    complaint = hfjax("check", write("ws.json", document)).complaint
    assert "modifier 'fakes_SR' 'shapesys' is there twice" in complaint


def test_bad_input_is_one_line(hfjax, write):
    assert "cannot be read" in hfjax("check", "nowhere.json").complaint
    assert "not JSON" in hfjax("check", write("a.json", "{a: 1}")).complaint
    complaint = hfjax("check", "a", "--test-poi", "nan").complaint
    assert "'nan' is not a finite number" in complaint


# -- with a fit -------------------------------------------------------------------


def test_the_best_fit_and_the_fit_without_a_signal(hfjax, hello):
    result = checked(hfjax, hello, "--fit")
    (at_zero,) = result["findings"]
    assert (at_zero["kind"], at_zero["names"]["parameter"]) == ("fit-at-bound", "mu")
    assert [(fit["poi"], fit["status"]) for fit in result["fits"]] == [
        (None, "converged"),
        (0.0, "converged"),
    ]
    best, background = (fit["twice_nll"] for fit in result["fits"])
    assert best == pytest.approx(24.9839352003, rel=1e-9)
    assert background == pytest.approx(best, rel=1e-12)  # fewer events than expected


def test_a_fit_that_cannot_start_is_an_error(hfjax, hello):
    for sample in hello["channels"][0]["samples"]:
        sample["data"][1] = 0.0
    result = checked(hfjax, hello, "--fit", code=3)
    assert result["kinds"]["no-prediction"] == result["kinds"]["fit-not-converged"] == 1
    assert {fit["status"] for fit in result["fits"]} == {"not_finite"}
    assert result["fits"][0]["twice_nll"] is None


@pytest.mark.slow
def test_a_fit_finds_flat_directions_bounds_and_negative_rates(hfjax):
    document = clean()
    for channel in document["channels"]:
        modifiers = channel["samples"][0]["modifiers"]
        modifiers.append(modifier("normfactor", "twin"))
    tilt = {"lo_data": [0.1, 0.1], "hi_data": [0.1, -0.1]}
    dust = modifier("histosys", "tilt", tilt)
    signal = document["channels"][1]["samples"]
    signal.append({"name": "dust", "data": [0.1, 0.0], "modifiers": [dust]})
    document["observations"][1]["data"] = [20, 7]
    found = checked(hfjax, document, "--fit")
    assert found["kinds"]["normfactors-degenerate"] == 1
    (flat,) = [f for f in found["findings"] if f["kind"] == "fit-flat-direction"]
    assert flat["pointer"] == "/channels/0/samples/0/modifiers/0"
    assert flat["names"]["parameter"] in ("k", "twin")
    (direction,) = found["fits"][0]["flat_directions"]
    assert set(direction["weights"]) == {"k", "twin"}
    bounds = [f for f in found["findings"] if f["kind"] == "fit-at-bound"]
    assert [(f["names"]["parameter"], f["pointer"]) for f in bounds] == [
        ("mu", "/channels/1/samples/1/modifiers/0")
    ]
    (negative,) = [f for f in found["findings"] if f["kind"] == "fit-negative-rate"]
    assert negative["names"] == {"channel": "SR", "sample": "dust", "parameter": "tilt"}
    assert negative["pointer"] == "/channels/1/samples/3"


def test_there_is_no_fit_without_a_model(hfjax):
    document = clean()
    del document["measurements"][0]["config"]["parameters"][0]
    result = checked(hfjax, document, "--fit", code=3)
    assert result["kinds"] == {"lumi-unconfigured": 1}
    assert result["fits"] == []


# -- published likelihoods --------------------------------------------------------


@pytest.fixture(scope="module")
def published(data_dir):
    """What is found in published backgrounds, without the hooks of the tests."""
    program = "from hfjax.cli.main import run; run()"
    results = {}
    for name in LIKELIHOODS:
        path = data_dir / "likelihoods" / name / "BkgOnly.json"
        command = [sys.executable, "-c", program, "check", str(path), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        results[name] = json.loads(done.stdout)
    return results


def some(result, kind):
    return [found for found in result["findings"] if found["kind"] == kind]


def test_published_backgrounds_have_no_errors(published):
    for result in published.values():
        validate(result, SCHEMA)
        assert result["counts"]["error"] == 0


def test_published_backgrounds_leave_the_signal_to_their_patches(published):
    for result in published.values():
        (missing,) = some(result, "poi-missing")
        assert missing["names"]["parameter"] == "mu_SIG"


def test_valleys_of_published_backgrounds_are_foreseen(published):
    """Those in which fits of toys get stuck."""
    crossing = [f["names"] for f in some(published["sleptons"], "normsys-crosses-zero")]
    place = {"channel": "SRee_eMT2f_hghmet_cuts", "sample": "Zttjets"}
    assert {**place, "modifier": "EG_RESOLUTION_ALL"} in crossing
    products = some(published["sleptons"], "normsys-product")
    (valley,) = [found for found in products if found["names"] == place]
    assert valley["why"].startswith("22 normsys beyond a factor of 3 multiply")
    crossing = some(published["staus"], "normsys-crosses-zero")
    assert "with lo 0.01 and hi 105.646" in crossing[0]["why"]


def test_extremes_of_published_backgrounds_are_found(published):
    offshell = published["offshell"]["kinds"]
    assert offshell["enormous"] > 100
    assert offshell["sample-negative"] > 100
    assert offshell["duplicate-systematics"] == 1
    assert published["sbottomA"]["kinds"]["variations-equal"] > 200
    assert published["staus"]["kinds"]["duplicate-systematics"] == 5
    assert published["sleptons"]["kinds"]["bounds-negative"] == 6


def test_t2_modifiers_that_are_there_twice_are_composed(hfjax, hello, twice):
    text = json.dumps(twice(hello))
    assert "is there twice" in hfjax("check", "--json", stdin=text).complaint
    found = checked(hfjax, twice(hello), "--compose")
    assert found == checked(hfjax, twice(hello, composed=True))
