"""Result files of every kind are read back as they were written."""

import json

import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.errors import SpecificationError, UnknownNameError
from hfjax.fitting.best_fit import fit
from hfjax.fitting.covariance import covariance
from hfjax.fitting.diagnose.pulls import pull_uncertainties, pulls
from hfjax.inference.contour import contour
from hfjax.inference.hypotest import hypotest
from hfjax.inference.intervals import intervals
from hfjax.inference.limits import upper_limit
from hfjax.inference.profile import profile
from hfjax.inference.significance import significance
from hfjax.json_text import finite_or_none
from hfjax.provenance import Provenance
from hfjax.results.covariance_record import CovarianceRecord
from hfjax.results.fit_document import fit_document, uncertainty_document
from hfjax.results.fit_record import FitRecord
from hfjax.results.hypotest_record import HypotestRecord
from hfjax.results.interval import Interval
from hfjax.results.intervals_record import IntervalsRecord
from hfjax.results.limit_record import LimitRecord
from hfjax.results.load import load_result
from hfjax.results.named_matrix import NamedMatrix
from hfjax.results.profile_record import ProfileRecord
from hfjax.results.scan import ScanPoint, ScanResult
from hfjax.results.significance_record import SignificanceRecord
from hfjax.results.toys_record import ToysRecord
from tests.toys import some_toys
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


@pytest.mark.slow
def test_a_profile_is_read_with_its_best_fit(hello, tmp_path):
    found = profile(*hello, {"mu": [0.0, 0.5], "gamma[0]": [0.9, 1.0, 1.1]})
    found.write(tmp_path / "profile.json")
    record = load_result(tmp_path / "profile.json")
    assert isinstance(record, ProfileRecord)
    assert record.names == ("mu", "gamma[0]")
    assert record.values == ((0.0, 0.5), (0.9, 1.0, 1.1))
    np.testing.assert_array_equal(record.delta, found.delta)
    assert record.best == (float(found.free["mu"]), float(found.free["gamma[0]"]))


@pytest.mark.slow
def test_points_that_failed_are_none(hello):
    document = profile(*hello, {"mu": [0.0, 0.5]}).dump()
    document["delta"] = [None, 1.0]
    assert ProfileRecord.parse(document).delta == [None, 1.0]


@pytest.mark.slow
@pytest.mark.parametrize("delta", [[1.0], [[1.0, 2.0]], [[1.0], [1.0, 2.0]], 1.0])
def test_a_table_of_another_shape_is_refused(hello, delta):
    document = profile(*hello, {"mu": [0.0, 0.5]}).dump()
    with pytest.raises(SpecificationError, match="'delta' is not one of 2"):
        ProfileRecord.parse(document | {"delta": delta})


def test_a_scan_is_read_as_a_scan(tmp_path):
    scan = ScanResult(("m",), (ScanPoint("a", (300,), 0.04, (0.1,) * 5),))
    scan.write(tmp_path / "scan.json")
    assert load_result(tmp_path / "scan.json") == scan


def read_again(found, path):
    """The record of a result that was written, read and written again: all the same."""
    found.write(path / "first.json")
    record = load_result(path / "first.json")
    record.write(path / "second.json")
    documents = [json.loads((path / f"{n}.json").read_text()) for n in FILES]
    assert documents[0] == documents[1]
    assert load_result(path / "second.json") == record == type(record).of(found)
    assert len(repr(record).splitlines()) == 1
    return record


FILES = "first", "second"


@pytest.mark.parametrize("test_stat", ["qtilde", "q0"])
def test_a_test_is_written_as_it_was_read(hello, test_stat, tmp_path):
    record = read_again(hypotest(*hello, test_stat=test_stat), tmp_path)
    assert (record.Z is None) == (test_stat == "qtilde")
    assert record.steps > 0


def test_a_fit_is_written_as_it_was_read(hello, tmp_path):
    record = read_again(fit(*hello), tmp_path)
    assert record.physical
    assert repr(record) == "FitRecord: converged, 3 parameters"


def test_a_fit_with_all_that_a_file_may_have_is_written_as_it_was_read(hello):
    model, data = hello
    found = fit(model, data)
    widths = covariance(model, data, found)
    document = fit_document(model, found, pulls(model, data, found))
    document |= uncertainty_document(widths, pull_uncertainties(model, data, widths))
    document |= {"correlations": widths.matrix("correlation"), **found.dump()}
    document["intervals"] = intervals(model, data, ["mu"]).to_dict()["intervals"]
    record = FitRecord.parse(document)
    assert record.dump() == document
    assert record.dump()["uncertainty_status"] == "known"


def test_components_that_are_not_known_are_none():
    values = {"mu": 0.5, "g[0]": 1.0, "g[1]": 2.0, "x[0]": 3.0}
    record = FitRecord(values, 1.0, pulls={"g[1]": 0.1}, uncertainties={"mu": 0.2})
    written = record.to_dict()
    assert written["mle_parameters"] == {"mu": [0.5], "g": [1.0, 2.0], "x[0]": [3.0]}
    assert written["pulls"] == {"g": [None, 0.1]}
    widths = {"mu": [0.2], "g": [None, None], "x[0]": [None]}
    assert written["uncertainties"] == widths
    assert FitRecord.parse(record.dump()) == record


@pytest.mark.slow
def test_a_profile_is_written_as_it_was_read(hello, tmp_path):
    found = profile(*hello, {"mu": [0.0, 0.5], "gamma[0]": [0.9, 1.0, 1.1]})
    record = read_again(found, tmp_path)
    assert record.status == [["converged"] * 3] * 2


@pytest.mark.slow
def test_contours_are_written_as_they_were_read(hello, tmp_path):
    record = read_again(contour(*hello, ("mu", "gamma[0]"), rays=8), tmp_path)
    assert record.names == ("mu", "gamma[0]")


@pytest.mark.slow
def test_limits_are_read(hello, tmp_path):
    found = upper_limit(*hello)
    record = read_again(found, tmp_path)
    assert isinstance(record, LimitRecord)
    assert record.observed == float(found.observed)
    assert record.expected == tuple(found.expected.tolist())
    assert (record.converged, record.status) == (True, ("found",) * 6)


def test_a_significance_is_read(hello, tmp_path):
    found = significance(*hello, injected=2.0)
    record = read_again(found, tmp_path)
    assert isinstance(record, SignificanceRecord)
    assert (record.Z, record.p0) == (float(found.Z), float(found.p0))
    assert (record.injected, record.converged) == (2.0, True)


@pytest.mark.parametrize(
    ("test_stat", "q_obs"), [("qtilde", 3.5), ("q0", 3.5), ("q0", 100.0)]
)
def test_toys_are_read_and_are_a_test(test_stat, q_obs, tmp_path):
    found = some_toys(test_stat, q_obs=q_obs)
    record = read_again(found, tmp_path)
    assert isinstance(record, ToysRecord)
    assert (record.CLs_obs, record.CLs_obs_error) == (found.CLs_obs, found.CLs_error)
    assert record.test.CLs_exp == tuple(found.CLs_exp.tolist())
    assert record.discovery == record.test.discovery == (test_stat == "q0")
    assert finite_or_none(found.Z) == record.Z


def test_uncertainties_are_read_by_name(hello, tmp_path):
    found = covariance(*hello, fit(*hello))
    record = read_again(found, tmp_path)
    assert isinstance(record, CovarianceRecord)
    assert record["gamma[1]"] == float(found["gamma[1]"])
    pair = "gamma[0]", "gamma[1]"
    assert record.correlations[pair] == float(found.correlation_of(*pair))
    assert record.covariance["gamma[1]", "gamma[1]"] == pytest.approx(
        record["gamma[1]"] ** 2
    )
    for read in (record, record.correlations):
        with pytest.raises(UnknownNameError, match=r"did you mean 'gamma\[0\]'"):
            read["gamma[00]"] if read is record else read["gamma[00]", "mu"]


@pytest.mark.slow
def test_intervals_are_read_with_their_fit(hello, tmp_path):
    found = intervals(*hello, ["gamma[0]", "mu"])
    record = read_again(found, tmp_path)
    assert isinstance(record, IntervalsRecord)
    assert record["gamma[0]"] == tuple(found["gamma[0]"].tolist())
    assert record.intervals["mu"].status == ("at_bound", "found")
    assert record.fit["mu"] == float(found.free["mu"])
    assert record.fit.intervals == record.intervals
    with pytest.raises(UnknownNameError, match="no interval named 'nu'"):
        record["nu"]


@pytest.mark.slow
def test_a_fit_has_correlations_and_intervals_where_its_file_has(hello, tmp_path):
    found = fit(*hello)
    matrix = covariance(*hello, found).matrix("correlation")
    ends = intervals(*hello, ["mu"]).to_dict()["intervals"]
    document = found.dump() | {"correlations": matrix, "intervals": ends}
    (tmp_path / "fit.json").write_text(json.dumps(document))
    record = load_result(tmp_path / "fit.json")
    assert record.correlations == NamedMatrix.parse(matrix)
    assert list(record.intervals["mu"].ends) == ends["mu"]["ends"]
    assert FitRecord.of(found).correlations is None


def test_a_parameter_of_one_bin_has_one_name():
    """Fits call it by its name, matrices and intervals number it."""
    one = NamedMatrix(("mu", "gamma[0]"), ((1.0, -0.3), (-0.3, 1.0)))
    assert one["gamma", "mu"] == -0.3
    free = {"mle_parameters": {"mu": [1.0], "gamma": [0.9]}, "twice_nll": 1.0}
    free |= {"status": "converged", "message": "", "edm": 0.0, "steps": 1}
    document = {"hfjax": Provenance().dump(), **free, "correlations": one.to_dict()}
    assert FitRecord.parse(document).correlations.names == ("mu", "gamma")
    ends = Interval(0.9, (0.8, 1.1), ("found",) * 2, (1.0, 1.0))
    record = IntervalsRecord({"gamma[0]": ends}, 0.68, free)
    assert record["gamma"] == record["gamma[0]"] == (0.8, 1.1)
    assert record.fit.intervals == {"gamma": ends}


def test_a_matrix_of_another_size_is_refused(hello):
    document = covariance(*hello, fit(*hello)).dump()
    document["correlations"]["values"].pop()
    with pytest.raises(SpecificationError, match="not 2 rows and columns"):
        CovarianceRecord.parse(document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "x.json: this is no result that hfjax has written"),
        ({"measurements": []}, "written; this looks like a workspace"),
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
