"""Result files of every kind are read back as they were written."""

import json

import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.errors import SpecificationError, UnknownNameError
from hfjax.fitting.best_fit import fit
from hfjax.inference.hypotest import hypotest
from hfjax.inference.profile import profile
from hfjax.results.fit_record import FitRecord
from hfjax.results.hypotest_record import HypotestRecord
from hfjax.results.load import load_result
from hfjax.results.profile_record import ProfileRecord
from hfjax.results.scan import ScanPoint, ScanResult
from tests.workspaces import HELLO, shapesys


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, [51.0, 48.0]))


def test_a_fit_is_read_by_the_names_of_its_parameters(hello, tmp_path):
    found = fit(*hello)
    found.write(tmp_path / "fit.json")
    record = load_result(tmp_path / "fit.json")
    assert isinstance(record, FitRecord)
    assert record == FitRecord.of(found) == FitRecord.of(record)
    assert dict(record.values) == {name: found[name] for name in record.values}
    assert record["gamma[1]"] == float(found["gamma[1]"])
    assert record.converged
    with pytest.raises(
        UnknownNameError, match=r"no parameter named 'gamma\[2\]' in the fit"
    ):
        record["gamma[2]"]


def test_a_fit_of_a_model_without_names_has_numbers_of_parameters(hello):
    model, data = hello
    record = FitRecord.of(fit(model.anonymous(), data.anonymous()))
    assert list(record.values) == [f"parameter[{i}]" for i in range(3)]


@pytest.mark.parametrize("test_stat", ["qtilde", "q0"])
def test_a_test_is_read_with_its_band(hello, test_stat, tmp_path):
    found = hypotest(*hello, test_stat=test_stat)
    found.write(tmp_path / "test.json")
    record = load_result(tmp_path / "test.json")
    assert isinstance(record, HypotestRecord)
    assert record == HypotestRecord.of(found) == HypotestRecord.of(record)
    assert record.CLs_obs == float(found.CLs_obs)
    assert record.CLs_exp == tuple(found.CLs_exp.tolist())
    assert record.poi_value == float(found.poi_value)
    assert (record.discovery, record.converged) == (test_stat == "q0", True)


def test_a_profile_is_read_with_its_best_fit(hello, tmp_path):
    found = profile(*hello, {"mu": [0.0, 0.5], "gamma[0]": [0.9, 1.0, 1.1]})
    found.write(tmp_path / "profile.json")
    record = load_result(tmp_path / "profile.json")
    assert isinstance(record, ProfileRecord)
    assert record.names == ("mu", "gamma[0]")
    assert record.values == ((0.0, 0.5), (0.9, 1.0, 1.1))
    np.testing.assert_array_equal(record.delta, found.delta)
    assert record.best == (float(found.free["mu"]), float(found.free["gamma[0]"]))


def test_points_that_failed_are_none(hello):
    document = profile(*hello, {"mu": [0.0, 0.5]}).dump()
    document["delta"] = [None, 1.0]
    assert ProfileRecord.parse(document).delta == [None, 1.0]


@pytest.mark.parametrize("delta", [[1.0], [[1.0, 2.0]], [[1.0], [1.0, 2.0]], 1.0])
def test_a_table_of_another_shape_is_refused(hello, delta):
    document = profile(*hello, {"mu": [0.0, 0.5]}).dump()
    with pytest.raises(SpecificationError, match="'delta' is not one of 2"):
        ProfileRecord.parse(document | {"delta": delta})


def test_a_scan_is_read_as_a_scan(tmp_path):
    scan = ScanResult(("m",), (ScanPoint("a", (300,), 0.04, (0.1,) * 5),))
    scan.write(tmp_path / "scan.json")
    assert load_result(tmp_path / "scan.json") == scan


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "x.json: this is no result of a scan, a fit, a test, a profile or"),
        ({"measurements": []}, "contours; this looks like a workspace"),
        ([1], "this is no result"),
        ({"points": []}, "'hfjax' is a required property"),
        ({"CLs_obs": 0.1, "CLs_exp": [0.1] * 5}, "'hfjax' is a required property"),
        ({"mle_parameters": {"mu": 1}}, r"\(at /mle_parameters\)|required property"),
    ],
)
def test_what_is_no_result_is_refused(document, message, tmp_path):
    (tmp_path / "x.json").write_text(json.dumps(document))
    with pytest.raises(SpecificationError, match=message):
        load_result(tmp_path / "x.json")
