"""Limits of a scan are those of each point alone, with what failed beside them."""

import dataclasses
import json

import pytest

import hfjax
from hfjax.building.batch import build_scan
from hfjax.building.build import build
from hfjax.documents.reading.schema import validate
from hfjax.errors import ArgumentError, SpecificationError
from hfjax.inference.limits import upper_limit
from hfjax.results.limits_scan import LIMITS_SCHEMA, LimitPoint, LimitsScanResult
from hfjax.results.load import load_result
from hfjax.scanning.execution import ScanInterrupted
from hfjax.scanning.limits import scan_limits
from tests.assertions import assert_close
from tests.likelihoods import load_likelihood

pytestmark = pytest.mark.slow

SIGNALS = {1: 8.0, 2: 0.0, 3: 2.0}


@pytest.fixture(scope="module")
def search():
    top = hfjax.channel("SR", hfjax.sample("top", [9.0]))
    return hfjax.workspace([top], {"SR": [8]}, poi="mu")


@pytest.fixture(scope="module")
def patches(search):
    signals = [
        {"values": {"mass": mass}, "channels": {"SR": [events]}}
        for mass, events in SIGNALS.items()
    ]
    return hfjax.make_patchset(search, signals)


@pytest.fixture(scope="module")
def batch(search, patches):
    return build_scan(search, patches)


@pytest.fixture(scope="module")
def result(batch):
    return scan_limits(batch)


def test_limits_are_those_of_each_point_alone(search, patches, result):
    for name in ("mass_1", "mass_3"):
        alone = upper_limit(*build(search, patch=patches[name]))
        assert_close(result[name].limit_obs, alone.observed, 1e-8)
        assert_close(result[name].limit_exp, alone.expected, 1e-8)
        assert result[name].statuses == ("found",) * 6
        assert_close(result[name].mu_hat, alone.mu_hat, 1e-8)
    assert_close(result["mass_3"].limit_obs, 4.0 * result["mass_1"].limit_obs, 1e-7)


def test_a_point_without_signal_has_no_limits_and_says_why(result):
    assert result["mass_2"].statuses == ("not_reached",) * 6
    assert result["mass_2"].limit_obs is None
    assert "the data say nothing about this signal" in result["mass_2"].message
    assert result.converged
    assert [point.name for point in result.excluded()] == ["mass_1"]
    assert [point.name for point in result.expected_excluded()] == ["mass_1"]
    assert not result["mass_2"].excluded(1e9)


def test_a_patch_without_a_model_fails_alone(batch, result):
    first = batch.groups[0].members[0].name
    order = (("broken", (9,)), *batch.order)
    broken = dataclasses.replace(batch, order=order, failures={"broken": "no signal"})
    found = scan_limits(broken)
    assert [point.name for point in found.failed] == ["broken"]
    assert found["broken"].status == "no_model"
    assert found["broken"].message == "no signal"
    assert_close(found[first].limit_obs, result[first].limit_obs, 1e-9)


def test_an_interrupted_scan_keeps_what_is_done(batch):
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(ScanInterrupted) as interruption:
        scan_limits(batch, progress=stop)
    found = interruption.value.result
    assert isinstance(found, LimitsScanResult)
    assert len(found.tested) == 1
    assert {p.status for p in found} >= {"not_run"}


def test_a_result_file_is_read_back(result, tmp_path):
    result.write(tmp_path / "limits.json")
    validate(json.loads((tmp_path / "limits.json").read_text()), LIMITS_SCHEMA)
    assert load_result(tmp_path / "limits.json") == result
    assert LimitsScanResult.load(tmp_path / "limits.json") == result
    row = result.rows[0]
    assert (row["name"], row["mass"], row["statuses[5]"]) == ("mass_1", 1, "found")
    assert row["limit_exp[2]"] == result[0].limit_exp[2]
    assert "1 with a limit below 1, 1 expected to be" in repr(result)
    broken = result.dump()
    del broken["points"][0]["limit_obs"]
    with pytest.raises(SpecificationError, match="limit_obs"):
        LimitsScanResult.parse(broken)


def test_a_band_of_another_width_is_refused():
    with pytest.raises(ValueError, match="2 expected limits, not 5"):
        LimitPoint("a", (1,), 0.5, (0.4, 0.6))


@pytest.mark.parametrize("options", [{"level": 1.5}, {"test_stat": "q0"}])
def test_what_sets_no_limits_is_refused(batch, options):
    with pytest.raises(ArgumentError):
        scan_limits(batch, **options)


def test_published_points_are_those_alone(data_dir):
    workspace, patches = load_likelihood("staus", data_dir)
    names = ["TStauStau_100_1", "TStauStau_240_40", "TStauStau_320_160"]
    found = scan_limits(build_scan(workspace, patches, names=names))
    for name in names:
        alone = upper_limit(*build(workspace, patch=patches[name]))
        assert_close(found[name].limit_obs, alone.observed, 1e-7)
        assert_close(found[name].limit_exp, alone.expected, 1e-7)
