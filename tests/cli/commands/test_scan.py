"""`hfjax scan`: the result file, exit codes, failed points, selection, plots."""

import json
import signal
import subprocess
import sys

import pytest

from hfjax.documents.reading.digest import digest
from hfjax.documents.reading.schema import validate
from hfjax.results.limits_scan import LIMITS_SCHEMA
from hfjax.results.scan import SCHEMA, ScanResult

# pyhf 0.7.6, NumPy, SLSQP with tolerance 1e-14: its numerical gradients leave 1e-5.
WITNESS = {
    "parent_440_lsp_320": (
        0.05596195657852784,
        [
            0.0005730185313709483,
            0.0042518998741362555,
            0.027432373054744132,
            0.13554716198883737,
            0.4284115206421002,
        ],
    ),
    "parent_520_lsp_470": (
        0.6211235740166909,
        [
            0.2644537370232306,
            0.4120308484227602,
            0.6092226061586498,
            0.8171611139708596,
            0.9534226495533139,
        ],
    ),
    "parent_600_lsp_240": (
        0.04911643885681428,
        [
            0.0003765069520269489,
            0.0030542421831840296,
            0.02148594554186261,
            0.11519006929801186,
            0.39124320654763645,
        ],
    ),
    "parent_680_lsp_320": (
        0.3405697460174836,
        [
            0.030089313310832786,
            0.08738889894324126,
            0.22971499196141698,
            0.499572609756665,
            0.8061681604140802,
        ],
    ),
}


@pytest.mark.slow
def test_all_points_converge_in_the_order_of_the_patchset(hfjax, files):
    outcome = hfjax("scan", *files)
    assert outcome.code == 0
    assert outcome.stderr == ""
    document = outcome.json
    validate(document, SCHEMA)
    assert document["labels"] == ["m_parent", "m_lsp"]
    assert [point["name"] for point in document["points"]] == [
        "point_0",
        "point_1",
        "point_2",
    ]
    assert [point["values"] for point in document["points"]] == [
        [300, 0],
        [400, 1],
        [500, 4],
    ]
    assert {point["status"] for point in document["points"]} == {"converged"}


@pytest.mark.slow
@pytest.mark.parametrize("statistic", ["qtilde", "q", "q0"])
def test_a_scan_agrees_with_cls_point_by_point(hfjax, files, statistic):
    workspace, patchset = files
    options = ("--test-stat", statistic, "--test-poi", "0.8")
    for point in hfjax("scan", *files, *options).json["points"]:
        signal = ("--patchset", patchset, "--name", point["name"])
        alone = hfjax("cls", workspace, *signal, *options).json
        for key in ("CLs_obs", "CLs_exp", "CLsb", "CLb", "q", "q_asimov", "mu_hat"):
            assert point[key] == pytest.approx(alone[key], rel=1e-8, abs=1e-8), key


@pytest.mark.slow
def test_q0_has_p0_and_significances_of_a_test_of_zero(hfjax, files, write):
    workspace = json.loads(files[0].read_text())
    workspace["observations"][0]["data"] = [60.0, 65.0]
    files = write("BkgOnly.json", workspace), files[1]
    options = ("--no-verify", "--test-stat", "q0")
    outcome = hfjax("scan", *files, *options)
    validate(outcome.json, SCHEMA)
    assert outcome.json["hfjax"]["settings"]["test_poi"] == 0.0
    assert outcome.json["hfjax"]["settings"]["test_stat"] == "q0"
    point = outcome.json["points"][1]
    # the closed form of the two-bin model
    assert point["p0"] == pytest.approx(0.0420613288984, rel=1e-8)
    assert point["Z"] == pytest.approx(1.7272506509, rel=1e-8)
    assert point["Z_exp"] == pytest.approx(
        [1.82208228698 + n for n in (2, 1, 0, -1, -2)], rel=1e-8
    )
    assert point["p0_exp"] == point["CLs_exp"]
    signal = ("--patchset", files[1], "--name", "point_1")
    alone = hfjax("cls", files[0], *signal, *options).json
    assert alone["hfjax"]["settings"]["test_poi"] == 0.0
    for name in ("p0", "p0_exp", "Z", "Z_exp"):
        assert alone[name] == pytest.approx(point[name], rel=1e-7), name
    assert "p0" not in hfjax("scan", *files, "--no-verify").json["points"][0]


@pytest.mark.slow
def test_q0_draws_significances(hfjax, files, monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr("hfjax.write_exclusion", drawn.append, raising=False)
    options = ("--test-stat", "q0", "-o", "results.json", "--plot", "discovery.png")
    outcome = hfjax("scan", *files, *options)
    assert (outcome.code, outcome.stderr, drawn) == (0, "", [])
    assert (tmp_path / "discovery.png").read_bytes().startswith(b"\x89PNG")


def test_points_of_several_slices_are_not_drawn(hfjax, files, write, patchset):
    patchset["metadata"]["labels"].append("tau")
    patchset["metadata"]["digests"]["sha256"] = digest(json.loads(files[0].read_text()))
    for i, patch in enumerate(patchset["patches"]):
        patch["metadata"]["values"].append(i % 2)
    given = files[0], write("patchset.json", patchset)
    complaint = hfjax("scan", *given, "--plot", "exclusion.png").complaint
    assert "--plot" in complaint
    assert "differ in 'tau' (0, 1)" in complaint
    assert "--select 'tau == 0'" in complaint


@pytest.mark.slow
def test_the_result_says_where_it_comes_from(hfjax, files):
    options = ("--test-poi", "0.5", "--minimizer", "newton")
    result = ScanResult.parse(hfjax("scan", *files, *options).json)
    origin = result.provenance
    digests = [hfjax("digest", files[0]).stdout.strip().removeprefix("sha256:")]
    assert [origin.workspace_digest] == digests
    assert len(origin.patchset_digest or "") == 64
    assert origin.command.startswith("hfjax scan ")
    assert origin.command.endswith("--test-poi 0.5 --minimizer newton")
    assert origin.settings["test_poi"] == 0.5
    assert {"load", "build", "fit", "total"} <= set(origin.seconds)
    assert origin.seconds["total"] >= origin.seconds["load"]


def test_results_and_plot_go_to_files(hfjax, files, tmp_path):
    outcome = hfjax("scan", *files, "-o", "results.json", "--plot", "exclusion.png")
    assert outcome.code == 0
    assert outcome.stdout == outcome.stderr == ""
    assert len(ScanResult.load(tmp_path / "results.json")) == 3
    assert (tmp_path / "exclusion.png").read_bytes().startswith(b"\x89PNG")


def test_messages_go_to_a_terminal_unless_quiet(hfjax, files, tmp_path, monkeypatch):
    monkeypatch.setattr("hfjax.cli.streams.talks", lambda quiet: not quiet)
    arguments = ("scan", *files, "-o", "results.json", "--plot", "exclusion.png")
    loud = hfjax(*arguments)
    points = json.loads((tmp_path / "results.json").read_text())["points"]
    observed, expected = (
        sum(each < 0.05 for each in found)
        for found in ([p["CLs_obs"] for p in points], [p["CLs_exp"][2] for p in points])
    )
    assert loud.stderr.splitlines()[-2:] == [
        f"hfjax: {observed} of 3 points are excluded at 95% confidence level, "
        f"{expected} were expected to be; none failed",
        "hfjax: written: 3 points in results.json, exclusion in exclusion.png",
    ]
    assert "3/3" in loud.stderr
    assert hfjax(*arguments, "--quiet").stderr == ""


def test_what_was_written_is_told_after_what_failed(
    hfjax, files, write, patchset, monkeypatch
):
    monkeypatch.setattr("hfjax.cli.streams.talks", lambda quiet: not quiet)
    patchset["patches"][1]["patch"] = []
    outcome = hfjax("scan", files[0], write("patchset.json", patchset))
    assert outcome.code == 3
    told = outcome.stderr.splitlines()
    assert " of 3 points are excluded at 95% confidence level, " in told[-2]
    assert told[-2].endswith("; 1 failed")
    assert [told[-3], told[-1]] == [
        "hfjax: 1 of 3 points have no result",
        "hfjax: written: 3 points in standard output",
    ]


def test_a_scan_for_discovery_ends_with_the_largest_significance(
    hfjax, files, tmp_path, monkeypatch
):
    monkeypatch.setattr("hfjax.cli.streams.talks", lambda quiet: not quiet)
    loud = hfjax("scan", *files, "--test-stat", "q0", "-o", "results.json")
    points = json.loads((tmp_path / "results.json").read_text())["points"]
    best = max(points, key=lambda each: each["Z"])
    told = loud.stderr.splitlines()[-2]
    largest = f"Z = {best['Z']:.3g} ({best['name']})"
    assert told == f"hfjax: largest significance: {largest}; none failed"


@pytest.mark.slow
def test_select_scans_what_fulfils_the_condition(hfjax, files):
    condition = "m_parent > 300 and name != 'point_2'"
    document = hfjax("scan", *files, "--select", condition).json
    assert [point["name"] for point in document["points"]] == ["point_1"]
    assert document["hfjax"]["settings"]["select"] == condition


def test_a_parameter_that_is_taken_for_a_missing_one_is_told(
    hfjax, write, background, patchset
):
    background["measurements"][0]["config"]["poi"] = "strength"
    patchset["metadata"]["digests"]["sha256"] = digest(background)
    given = write("BkgOnly.json", background), write("patchset.json", patchset)
    outcome = hfjax("scan", *given)
    assert outcome.code == 0
    (line,) = outcome.stderr.splitlines()
    assert "'strength' is not in the model: 'mu' is taken for it" in line
    assert hfjax("scan", *given, "--quiet").stderr == ""
    assert hfjax("scan", *given, "--poi", "mu").stderr == ""


def test_the_digest_can_be_left_unverified(hfjax, files, write, background):
    background["observations"][0]["data"] = [51.0, 48.0]
    other = write("other.json", background)
    assert "not made for" in hfjax("scan", other, files[1]).complaint
    assert hfjax("scan", other, files[1], "--no-verify").code == 0


def test_what_all_points_fail_for_is_said_once(hfjax, files, write, background):
    background["observations"][0]["data"] = [-51.0, 48.0]
    other = write("other.json", background)
    outcome = hfjax("scan", other, files[1], "--no-verify")
    assert outcome.code == 3
    reason, count = outcome.stderr.splitlines()
    assert "-51.0 observed events in bin 0" in reason
    assert "points have no result" in count


def test_a_patch_without_signal_fails_alone(hfjax, files, write, patchset):
    patchset["patches"][1]["patch"] = []
    path = write("patchset.json", patchset)
    outcome = hfjax("scan", files[0], path, "-o", "results.json")
    assert outcome.code == 3
    first, second = outcome.stderr.splitlines()
    assert first.startswith("hfjax: point_1: ")
    assert "'mu'" in first
    assert second == "hfjax: 1 of 3 points have no result"


def test_the_points_beside_a_failed_one_keep_their_results(
    hfjax, files, write, patchset
):
    expected = hfjax("scan", *files).json["points"]
    patchset["patches"][1]["patch"] = []
    found = hfjax("scan", files[0], write("patchset.json", patchset)).json["points"]
    assert found[1]["CLs_obs"] is None
    assert found[1]["CLs_exp"] == [None] * 5
    assert found[1]["status"] != "converged"
    assert found[1]["message"]
    for at in (0, 2):
        assert found[at]["CLs_obs"] == pytest.approx(expected[at]["CLs_obs"], rel=1e-9)


def test_a_patch_that_cannot_be_applied_fails_alone(hfjax, files, write, patchset):
    patchset["patches"][0]["patch"][0]["path"] = "/channels/9/samples/-"
    outcome = hfjax("scan", files[0], write("patchset.json", patchset))
    assert outcome.code == 3
    statuses = [point["status"] for point in outcome.json["points"]]
    assert statuses[1:] == ["converged", "converged"]
    assert "/channels/9" in outcome.json["points"][0]["message"]


@pytest.mark.slow
def test_fits_that_give_up_are_named(hfjax, files):
    outcome = hfjax("scan", *files, "--plot", "exclusion.png", "--max-steps", "1")
    assert outcome.code == 3
    assert all(point["CLs_obs"] is None for point in outcome.json["points"])
    lines = outcome.stderr.splitlines()
    assert lines[0].split(": ")[1] == "point_0, point_1, point_2"
    assert "no plot: 0 points with a result" in lines[1]
    assert lines[2] == "hfjax: 3 of 3 points have no result"


def test_one_document_may_come_from_standard_input(hfjax, files):
    outcome = hfjax("scan", "-", files[1], stdin=files[0].read_text())
    assert outcome.code == 0


@pytest.mark.slow
def test_the_example_agrees_with_pyhf(hfjax, example):
    outcome = hfjax("scan", *example, "--plot", "exclusion.png")
    assert outcome.code == 0
    result = ScanResult.parse(outcome.json)
    assert len(result) == 88
    assert 20 < sum(point.excluded() for point in result) < 68
    for name, (CLs_obs, CLs_exp) in WITNESS.items():
        assert result[name].CLs_obs == pytest.approx(CLs_obs, rel=5e-5), name
        assert result[name].CLs_exp == pytest.approx(CLs_exp, rel=5e-5), name


def test_the_output_is_strict_json(hfjax, files, tmp_path):
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    hfjax("scan", *files, "-o", "results.json")
    json.loads((tmp_path / "results.json").read_text(), parse_constant=refuse)


@pytest.mark.slow
def test_t2_modifiers_that_are_there_twice_are_composed(
    hfjax, background, patchset, write, twice
):
    path = write("BkgOnly.json", twice(background))
    patchset["metadata"]["digests"]["sha256"] = digest(twice(background))
    patches = write("patchset.json", patchset)
    assert "is there twice" in hfjax("scan", path, patches).complaint
    found = hfjax("scan", path, patches, "--compose").json  # made for the file as it is
    once = write("once.json", twice(background, composed=True))
    expected = hfjax("scan", once, patches, "--no-verify").json
    for one, other in zip(found["points"], expected["points"], strict=True):
        assert one["CLs_obs"] == pytest.approx(other["CLs_obs"], rel=1e-9)


# A scan whose fits, but for those of one point, last longer than any test.
SLOW = """
import itertools, signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may ignore it
from hfjax.cli.main import program
from hfjax.scanning import execution, limits, run

compile_chunk, calls = execution.compile_chunk, itertools.count()

def slow(group, program):
    test = compile_chunk(group, program)
    def chunk(positions):
        if next(calls):
            time.sleep(600)  # no thread can interrupt another, as in compiled code
        return test(positions)
    return chunk

def told(done, total):
    print(done, flush=True)

run.silent = limits.silent = told
execution.compile_chunk, execution.chunk_size = slow, lambda group: 1
program()
"""


@pytest.mark.slow
@pytest.mark.parametrize("output", [["-o", "results.json"], []])
def test_t5_an_interrupted_scan_ends_at_once_with_what_it_has(files, tmp_path, output):
    child = subprocess.Popen(
        [sys.executable, "-c", SLOW, "scan", *map(str, files), *output, "--no-cache"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "1\n"
        child.send_signal(signal.SIGINT)
        stdout, stderr = child.communicate(timeout=120)
    finally:
        child.kill()
    assert child.returncode == 130
    assert stdout == ""
    assert stderr.startswith("hfjax: interrupted: 1 of 3 points were tested; ")
    assert stderr.count("\n") == 1
    if output:
        assert stderr.endswith("; results.json has them, and the others as not_run\n")
        found = ScanResult.load(tmp_path / "results.json")
        statuses = sorted(point.status for point in found)
        assert statuses == ["converged", "not_run", "not_run"]
        assert found.tested[0].CLs_obs is not None
    else:
        assert "nothing is written" in stderr
        assert not (tmp_path / "results.json").exists()


def test_a_scan_that_is_interrupted_before_its_fits_says_so(hfjax, files, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("hfjax.build_scan", interrupted, raising=False)
    outcome = hfjax("scan", *files)
    assert (outcome.code, outcome.stdout) == (130, "")
    assert outcome.stderr == "hfjax: interrupted: no point was tested\n"


@pytest.mark.slow
def test_limits_are_those_of_single_points_and_fill_a_file(hfjax, files, tmp_path):
    outcome = hfjax("scan", *files, "--limits", "-o", "limits.json")
    assert (outcome.code, outcome.stderr) == (0, "")
    document = json.loads((tmp_path / "limits.json").read_text())
    validate(document, LIMITS_SCHEMA)
    assert document["hfjax"]["settings"]["level"] == document["level"] == 0.05
    for point in document["points"]:
        signal = ("--patchset", files[1], "--name", point["name"])
        alone = hfjax("limit", files[0], *signal).json
        assert point["limit_obs"] == pytest.approx(alone["limit_obs"], rel=1e-7)
        assert point["limit_exp"] == pytest.approx(alone["limit_exp"], rel=1e-7)
        assert point["statuses"] == alone["status"]


@pytest.mark.slow
def test_limits_whose_fits_fail_are_told_and_have_their_own_code(hfjax, files):
    outcome = hfjax("scan", *files, "--limits", "--max-steps", "1")
    assert outcome.code == 3
    assert "point_0, point_1, point_2: fits_failed: fits do not" in outcome.stderr
    assert "3 of 3 points have no result" in outcome.stderr
    for point in outcome.json["points"]:
        assert (point["status"], point["limit_obs"]) == ("fits_failed", None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--level", "0.1"], "give --limits too"),
        (["--limits", "--poi-value", "2"], "limits are found by testing many values"),
        (["--limits", "--test-stat", "q0"], "q0 sets no upper limits"),
        (["--limits", "--level", "2"], "not a number between 0 and 1"),
    ],
)
def test_options_that_say_different_things_are_refused(hfjax, files, options, words):
    outcome = hfjax("scan", *files, *options)
    assert outcome.code == 2
    assert words in outcome.complaint
