"""Execution of scans: every point is the hypothesis test of its patch alone."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hfjax.building.batch import build_scan
from hfjax.building.build import build
from hfjax.compiled import lanes
from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import ParameterError
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.hypotest import hypotest
from hfjax.inference.test_statistics import q0, qmu
from hfjax.results.scan import ScanResult
from hfjax.scanning import execution
from hfjax.scanning.execution import CPU_CHUNK, ScanInterrupted
from hfjax.scanning.point import PointNumbers, scan_point
from hfjax.scanning.run import scan
from tests.assertions import assert_close, no_compilation
from tests.building.patchsets import VARIED, add, background, patchset
from tests.likelihoods import (
    ROWS,
    SURPASSED,
    best_known,
    load_likelihood,
    reference_rows,
)
from tests.workspaces import MU, normsys, sample

EXAMPLES = Path(__file__).parents[2] / "examples"
PROBABILITIES = ("CLs_obs", "CLs_exp", "CLsb", "CLb")

ZEROS = [
    {"op": "replace", "path": f"/channels/2/samples/{i}/data", "value": [0.0, 0.0, 0.0]}
    for i in range(2)
]
IMPOSSIBLE = [*ZEROS, add(2, sample("s", [5.0, 5.0, 5.0], MU))]
"""A patch that leaves no background where events were seen."""


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return background()


@pytest.fixture(scope="module")
def varied() -> PatchSet:
    """More points than one call of the compiled program tests, two without a result."""
    first, *others = VARIED.items()
    return patchset(dict([first, ("empty", []), ("impossible", IMPOSSIBLE), *others]))


@pytest.fixture(scope="module")
def result(workspace, varied) -> ScanResult:
    return scan(build_scan(workspace, varied))


def assert_same(point, alone, rtol=1e-8):
    """A point of a scan is the test of its model.

    Statistics are differences of minima, which fits know to 1e-10; they are zero if a
    shapefactor takes all of the signal.
    """
    assert point.converged, point.message
    assert alone.status == FitStatus.CONVERGED
    for name in PROBABILITIES:
        assert_close(getattr(point, name), getattr(alone, name), rtol)
    assert_close(point.q, alone.q, rtol, 1e-9)
    assert_close(point.q_asimov, alone.q_asimov, rtol, 1e-9)
    assert_close(point.mu_hat, alone.mu_hat, 1e-4, 1e-5)


# -- scan equals hypotest ----------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if i < 2 else pytest.mark.long)
        for i, name in enumerate(sorted(VARIED, reverse=True))
    ],
)
def test_a_point_is_the_test_of_its_patch(workspace, varied, result, name):
    model, data = build(workspace, patch=varied[name])
    assert_same(result[name], hypotest(model, data))


@pytest.mark.long
def test_points_of_the_example_are_tests_of_their_patches():
    workspace = Workspace.load(EXAMPLES / "BkgOnly.json")
    patches = PatchSet.load(EXAMPLES / "patchset.json")
    names = [patch.name for patch in patches][::12]
    found = scan(build_scan(workspace, patches, names=names))
    for name in names:
        assert_same(found[name], hypotest(*build(workspace, patch=patches[name])))


def assert_near(point, known):
    assert point.converged, point.message
    assert_close(point.CLs_obs, known["CLs_obs"], 1e-6)
    assert_close(point.CLs_exp, known["CLs_exp"], 1e-6)


@pytest.mark.long
@pytest.mark.parametrize("name", ROWS)
def test_published_points_in_one_scan(name, data_dir, reference_dir):
    """All at once, and the quick ones alone too."""
    workspace, patches = load_likelihood(name, data_dir)
    rows = reference_rows(name, reference_dir)
    found = scan(build_scan(workspace, patches, names=ROWS[name]))
    assert [point.name for point in found] == list(ROWS[name])
    for known in rows:
        if known["patch"] not in SURPASSED:
            assert_near(found[known["patch"]], best_known(known))


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(ROWS))
def test_published_points_are_tests_of_their_patches(name, data_dir):
    """Points from all over the patchset; those that are tested alone are compiled."""
    workspace, patches = load_likelihood(name, data_dir)
    names = [patch.name for patch in patches]
    some = [*dict.fromkeys([*names[:: len(names) // 4], ROWS[name][1]])]
    found = scan(build_scan(workspace, patches, names=some))
    for each in (some[1], ROWS[name][1]):
        alone = hypotest(*build(workspace, patch=patches[each]))
        if alone.status == FitStatus.CONVERGED:
            # tails far out: a difference of 1e-9 in q is one of 1e-9 of their CLs
            assert_same(found[each], alone, 1e-7)
        else:
            assert found[each].status == FitStatus(int(alone.status)).name.lower()


@pytest.mark.long
@pytest.mark.parametrize(("test_stat", "poi"), [(q0, 1.0), (qmu, 0.5)])
def test_other_statistics_and_values(workspace, varied, test_stat, poi):
    names = ["last", "without_A"]
    batch = build_scan(workspace, varied, names=names)
    found = scan(batch, poi, test_stat=test_stat)
    for name in names:
        model, data = build(workspace, patch=varied[name])
        assert_same(found[name], hypotest(model, data, poi, test_stat=test_stat))


@pytest.mark.long
def test_one_batch_is_the_same_as_one_by_one(workspace, varied, result, monkeypatch):
    """The program for accelerators, run here in two calls."""
    monkeypatch.setattr(lanes, "on_cpu", lambda: False)
    monkeypatch.setattr(execution, "DEVICE_CHUNK", 5)
    done = []
    batch = build_scan(workspace, varied)
    together = scan(batch, progress=lambda some, _: done.append(some))
    assert done == list(range(2, len(varied) + 1))
    assert [point.status for point in together] == [point.status for point in result]
    for point in result:
        if point.converged:
            assert_close(together[point.name].CLs_obs, point.CLs_obs, 1e-8)
            assert_close(together[point.name].CLs_exp, point.CLs_exp, 1e-8)


# -- records -----------------------------------------------------------------------


def test_points_are_in_the_order_of_the_patchset(varied, result):
    assert [point.name for point in result] == [patch.name for patch in varied]
    assert [point.values for point in result] == [(i,) for i in range(len(varied))]
    assert result.labels == ("position",)
    assert len(varied) > CPU_CHUNK + 1


def test_a_point_without_a_model_says_what_is_wrong(result):
    point = result["empty"]
    assert point.status == "no_model"
    assert "add a signal" in point.message
    assert point.CLs_obs is None
    assert point.CLs_exp == (None,) * 5


def test_a_failed_point_is_alone(result):
    """A likelihood that is zero at mu = 0 has no result; the others have theirs."""
    point = result["impossible"]
    assert point.status == "not_finite"
    assert point.message.startswith("the fit at mu = 0 is impossible: bin ")
    assert point.CLs_obs is None
    assert point.CLs_exp == (None,) * 5
    assert {p.name for p in result.failed} == {"empty", "impossible"}
    for name in VARIED:
        assert result[name].converged
        assert result[name].message == ""
        assert 0.0 < result[name].CLs_obs <= 1.0
        assert 0.0 <= result[name].edm < 1e-10
        assert result[name].steps > 0


def test_a_result_is_a_valid_document(result):
    assert ScanResult.parse(result.dump()) == result


def test_the_seconds_are_told(result):
    seconds = result.provenance.seconds
    assert set(seconds) >= {"compile", "fit"}
    assert all(value >= 0.0 for value in seconds.values())


def test_progress_is_called_for_every_point(workspace, varied):
    """Also for points that have no model; the last call says that all are done."""
    calls = []
    batch = build_scan(workspace, varied)
    scan(batch, 2.0, progress=lambda done, total: calls.append((done, total)))
    assert [total for _, total in calls] == [len(batch)] * len(calls)
    done = [each for each, _ in calls]
    assert done == sorted(done)
    assert done[-1] == len(batch)
    assert len(done) >= len(VARIED)


def test_a_scan_without_any_model(workspace):
    batch = build_scan(workspace, patchset({"empty": [], "also": []}))
    found = scan(batch)
    assert [point.status for point in found] == ["no_model"] * 2


def test_another_value_and_other_signals_do_not_compile_again(
    workspace, varied, result, caplog
):
    """The result is there first, so that its program is."""
    assert result["first"].converged
    stronger = dict(VARIED.items())
    stronger["first"] = [
        add(0, sample("aa", [30.0, 2.0], MU, normsys("isr", 0.7, 1.3))),
        add(2, sample("aa", [3.0, 5.0, 9.0], MU, normsys("fsr", 0.8, 1.1))),
    ]
    first, *others = stronger.items()
    other = patchset(dict([first, ("impossible", IMPOSSIBLE), *others]))
    batches = build_scan(workspace, varied), build_scan(workspace, other)
    with no_compilation(caplog):
        found = [scan(batch, 1.5) for batch in batches]
    assert found[0]["last"].CLs_obs == found[1]["last"].CLs_obs
    assert found[0]["first"].CLs_obs > found[1]["first"].CLs_obs


@pytest.mark.parametrize("poi", [-0.1, 10.5])
def test_t24_a_poi_outside_its_bounds_is_refused(workspace, varied, poi):
    batch = build_scan(workspace, varied)
    with pytest.raises(
        ParameterError, match=r"mu = .* is outside its bounds \[0, 10\]"
    ):
        scan(batch, poi)


NARROW = {
    "op": "add",
    "path": "/measurements/0/config/parameters/-",
    "value": {"name": "mu", "inits": [0.5], "bounds": [[0.0, 1.5]]},
}


@pytest.mark.slow
def test_a_point_whose_bounds_lack_the_value_fails_alone(workspace, varied, result):
    """The first point is the template of all, but not for its bounds."""
    last = ("narrow", [*VARIED["last"], NARROW])
    for order in ([last, *VARIED.items()], [*VARIED.items(), last]):
        found = scan(build_scan(workspace, patchset(dict(order))), 2.0)
        assert found["narrow"].status == "out_of_bounds"
        assert "mu = 2 is outside its bounds [0, 1.5]" in found["narrow"].message
        assert found.failed == (found["narrow"],)
    known = scan(build_scan(workspace, varied), 2.0)
    assert_close(found["first"].CLs_obs, known["first"].CLs_obs, 1e-8)
    inside = scan(build_scan(workspace, patchset(dict([last]))), 1.0)
    assert_close(inside["narrow"].CLs_obs, result["last"].CLs_obs, 1e-8)


@pytest.mark.slow
def test_a_point_that_cannot_be_compared_with_zero_fails_alone(workspace):
    above = {**NARROW, "value": {**NARROW["value"], "bounds": [[0.1, 3.0]]}}
    patches = {"above": [*VARIED["last"], above], "last": VARIED["last"]}
    found = scan(build_scan(workspace, patchset(patches)))
    assert "mu = 0 is outside its bounds [0.1, 3]" in found["above"].message
    assert found["last"].converged


def test_t2_seconds_of_two_groups_are_those_of_their_stages(
    workspace, varied, monkeypatch
):
    names = (("first", "last"), ("without_A",))
    batches = [build_scan(workspace, varied, names=each) for each in names]
    (one,), (two,) = (batch.groups for batch in batches)
    order = batches[0].order + batches[1].order
    batch = dataclasses.replace(batches[0], order=order, groups=(one, two))
    clock = [5.0]

    def compiled(group, _):
        clock[0] += 10.0 * len(group.members)

    def tested(group, *_):
        for member in group.members:
            clock[0] += 1.0
            zeros = {field: np.zeros(()) for field in PointNumbers._fields}
            yield member, PointNumbers(**zeros | {"CLs_exp": np.zeros(5)})

    monkeypatch.setattr(execution, "compile_chunk", compiled)
    monkeypatch.setattr(execution, "computed_members", tested)
    monkeypatch.setattr(execution.time, "perf_counter", lambda: clock[0])
    assert scan(batch).provenance.seconds == {"compile": 30.0, "fit": 3.0}


@pytest.mark.slow
def test_the_test_is_told(workspace, varied, result):
    asked = {"test_poi": 1.0, "test_stat": "qtilde"}
    used = {"valleys": "lowest", "max_steps": 300, "expected": "observed-profile"}
    assert result.provenance.settings == asked | used
    assert not result.discovery
    found = scan(build_scan(workspace, varied, names=["last"]), 0.7, test_stat=q0)
    assert found.provenance.settings == {"test_poi": 0.0, "test_stat": "q0", **used}
    assert found.discovery
    model, data = build(workspace, patch=varied["last"])
    alone = hypotest(model, data, test_stat=q0)
    assert_close(found["last"].p0, alone.p0, 1e-8)
    assert_close(found["last"].p0_exp, alone.p0_exp, 1e-8)
    assert_close(found["last"].Z, alone.Z, 1e-6)
    assert_close(found["last"].Z_exp, alone.Z_exp, 1e-6)
    assert scan_point("last", (1,), alone).discovery


@pytest.mark.slow
def test_an_interrupted_scan_has_the_points_that_were_tested(workspace, varied, result):
    def interrupt(done, total):
        assert total == len(varied)
        if done > 2:
            raise KeyboardInterrupt

    with pytest.raises(ScanInterrupted, match="3 of 8 points were tested") as caught:
        scan(build_scan(workspace, varied), progress=interrupt)
    found = caught.value.result
    assert [point.name for point in found] == [point.name for point in result]
    assert len(found.tested) == 3
    assert found["empty"] == result["empty"]
    for point in found:
        if point not in found.tested:
            assert point.status == "not_run"
            assert "scan it again" in point.message
        elif point.converged:
            assert_close(point.CLs_obs, result[point.name].CLs_obs, 1e-8)
    assert ScanResult.parse(found.dump()) == found


@pytest.mark.long
def test_an_interrupted_scan_of_batches_has_them(workspace, varied, monkeypatch):
    """As on an accelerator: what an earlier call has tested is there."""
    monkeypatch.setattr(lanes, "on_cpu", lambda: False)
    monkeypatch.setattr(execution, "DEVICE_CHUNK", 5)

    def interrupt(done, total):
        del total
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(ScanInterrupted, match="6 of 8 points were tested") as caught:
        scan(build_scan(workspace, varied), progress=interrupt)
    statuses = [point.status for point in caught.value.result]
    assert statuses.count("not_run") == 2


@pytest.mark.long
def test_a_point_of_too_few_steps_says_so(workspace, varied):
    batch = build_scan(workspace, varied, names=["first"])
    (point,) = scan(batch, settings=FitSettings(max_steps=1))
    assert point.status == "max_steps"
    assert "more steps" in point.message
    assert point.CLs_obs is None


@pytest.mark.slow
def test_a_record_can_be_made_of_a_hypothesis_test(workspace, varied, result):
    """What `hfjax cls` says of a patch is what a scan says of it."""
    name = sorted(VARIED)[-1]
    alone = hypotest(*build(workspace, patch=varied[name]))
    point, known = scan_point(name, (1,), alone), result[name]
    assert point.status == "converged"
    assert point.values == (1,)
    assert np.isclose(point.CLs_obs, known.CLs_obs, rtol=1e-8)
