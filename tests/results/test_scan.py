"""The records of a scan and the file they are written to."""

import json
import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from hfjax.documents.reading.schema import validate
from hfjax.errors import FitError, SpecificationError, UnknownNameError
from hfjax.provenance import Provenance
from hfjax.results.scan import SCHEMA, ScanPoint, ScanResult

BAND = (0.01, 0.02, 0.05, 0.2, 0.6)


@pytest.fixture
def converged() -> ScanPoint:
    return ScanPoint(
        name="parent_600_lsp_0",
        values=(600, 0.5),
        CLs_obs=0.04,
        CLs_exp=BAND,
        CLsb=0.02,
        CLb=0.5,
        q=4.2,
        q_asimov=3.9,
        mu_hat=-0.1,
        edm=1e-12,
        steps=31,
    )


@pytest.fixture
def failed() -> ScanPoint:
    return ScanPoint(
        name="parent_700_lsp_0",
        values=(700, "heavy"),
        CLs_obs=0.3,
        CLs_exp=BAND,
        CLsb=0.1,
        CLb=0.3,
        q=1.0,
        q_asimov=math.inf,
        mu_hat=3.0,
        status="stalled",
        message="no step lowers the likelihood: try another minimizer",
        edm=math.nan,
        steps=250,
    )


@pytest.fixture
def result(converged: ScanPoint, failed: ScanPoint) -> ScanResult:
    provenance = Provenance(
        version="0.1.0",
        jax="0.10.2",
        device="cpu",
        command="hfjax scan BkgOnly.json patchset.json",
        workspace_digest="0" * 64,
        patchset_digest="f" * 64,
        settings={"test_poi": 1.0, "test_stat": "qtilde"},
        seconds={"load": 0.1, "total": 2.0},
    )
    return ScanResult(("m_parent", "m_lsp"), (converged, failed), provenance)


def test_a_point_that_did_not_converge_has_no_numbers_but_diagnostics(failed):
    results = (failed.CLs_obs, failed.CLsb, failed.CLb, failed.q, failed.mu_hat)
    assert results == (None,) * 5
    assert failed.CLs_exp == (None,) * 5
    assert failed.steps == 250
    assert not failed.converged
    assert not failed.excluded()


def test_numbers_that_are_not_finite_become_none():
    point = ScanPoint("a", (1,), math.nan, (math.inf, *BAND[1:]), edm=math.inf)
    assert point.CLs_obs is None
    assert point.CLs_exp == (None, *BAND[1:])
    assert point.edm is None


def test_array_scalars_become_python_numbers():
    point = ScanPoint("a", (1,), np.float64(0.5), tuple(np.array(BAND)), steps=3)
    assert type(point.CLs_obs) is float
    assert {type(value) for value in point.CLs_exp} == {float}


def test_the_band_has_five_values():
    with pytest.raises(ValueError, match="'a' has 2 expected CLs"):
        ScanPoint("a", (1,), 0.5, (0.1, 0.2))


def test_excluded_compares_with_the_level(converged):
    assert converged.excluded()
    assert not converged.excluded(level=0.01)


def test_the_file_has_the_documented_keys_in_order(result):
    document = result.dump()
    assert list(document) == ["hfjax", "labels", "points"]
    assert list(document["hfjax"]) == [
        "version",
        "jax",
        "device",
        "dtype",
        "command",
        "workspace_digest",
        "patchset_digest",
        "settings",
        "seconds",
    ]
    assert list(document["points"][0]) == [
        "name",
        "values",
        "CLs_obs",
        "CLs_exp",
        "CLsb",
        "CLb",
        "q",
        "q_asimov",
        "mu_hat",
        "status",
        "message",
        "edm",
        "steps",
        "lower_by",
        "passed_over",
    ]


def test_a_result_survives_its_file(result, tmp_path):
    result.write(tmp_path / "results.json")
    assert ScanResult.load(tmp_path / "results.json") == result


def test_a_file_never_has_nan_or_infinity(result, tmp_path):
    def refuse(name: str) -> None:
        raise AssertionError(name)

    result.write(tmp_path / "results.json")
    text = (tmp_path / "results.json").read_text()
    document = json.loads(text, parse_constant=refuse)
    assert document["points"][1]["CLs_obs"] is None
    assert document["points"][1]["CLs_exp"] == [None] * 5
    assert document["points"][1]["edm"] is None


def test_the_schema_accepts_what_is_written(result):
    validate(result.dump(), SCHEMA)


@pytest.mark.parametrize(
    ("at", "change", "pointer"),
    [
        (0, {"CLs_obs": None}, "/points/0"),
        (0, {"CLs_exp": list(BAND[:4])}, "/points/0"),
        (0, {"CLb": 1.5}, "/points/0"),
        (0, {"steps": -1}, "/points/0"),
        (1, {"CLs_obs": 0.3}, "/points/1"),
        (1, {"CLs_exp": list(BAND)}, "/points/1"),
        (1, {"q": 0.3}, "/points/1"),
        (0, {"p0": 1.5}, "/points/0"),
        (0, {"Z": -1.0}, "/points/0"),
        (0, {"Z_exp": [1.0]}, "/points/0"),
        (1, {"Z": 3.0}, "/points/1"),
        (1, {"p0_exp": list(BAND)}, "/points/1"),
        (1, {"message": ""}, "/points/1"),
        (1, {"status": ""}, "/points/1"),
    ],
)
def test_the_schema_refuses_what_must_not_be_written(result, at, change, pointer):
    document = result.dump()
    document["points"][at] |= change
    with pytest.raises(SpecificationError) as caught:
        validate(document, SCHEMA)
    assert caught.value.pointer.startswith(pointer)


def test_keys_of_later_versions_are_ignored(result):
    document = result.dump()
    document["later"] = document["hfjax"]["later"] = 1
    document["points"][0]["later"] = 1
    assert ScanResult.parse(document) == result


def test_a_result_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "results.json").write_text('{"labels": [], "points": []}')
    with pytest.raises(SpecificationError, match="'hfjax' is a required property"):
        ScanResult.load(tmp_path / "results.json")


def test_points_are_found_by_name(result, converged, failed):
    assert result["parent_600_lsp_0"] is converged
    assert list(result) == [converged, failed]
    assert len(result) == 2
    assert result.failed == (failed,)
    with pytest.raises(UnknownNameError, match="parent_600_lsp_0"):
        result["parent_600_lsp_1"]


@pytest.fixture
def discovered() -> ScanPoint:
    return ScanPoint(
        name="excess",
        values=(600, 0),
        CLs_obs=0.0013498980316300933,  # of 3 standard deviations
        CLs_exp=(1e-5, 1e-4, 0.0227501319481792, 0.15865525393145707, 0.5),
        q=9.0,
        q_asimov=4.0,
        discovery=True,
    )


def test_a_test_of_the_background_has_p0_and_its_significance(discovered, converged):
    assert discovered.p0 == discovered.CLs_obs
    assert discovered.p0_exp == discovered.CLs_exp
    assert discovered.Z == 3.0
    assert discovered.Z_exp == (4.0, 3.0, 2.0, 1.0, 0.0)
    for z, p0 in zip(discovered.Z_exp[2:], discovered.p0_exp[2:], strict=True):
        assert NormalDist().cdf(-z) == pytest.approx(p0, rel=1e-10)
    assert (converged.p0, converged.Z) == (None, None)
    assert converged.p0_exp == converged.Z_exp == (None,) * 5


def test_a_small_p0_excludes_no_signal(discovered, converged):
    assert not discovered.excluded()
    assert converged.excluded()


def test_p0_is_in_the_file_of_a_test_of_the_background_only(
    discovered, converged, result
):
    assert not {"p0", "p0_exp", "Z", "Z_exp"} & set(converged.dump())
    failed = replace(discovered, name="failed", status="stalled", message="no minimum")
    found = replace(result, points=(discovered, failed))
    first, second = found.dump()["points"]
    assert list(first)[-4:] == ["p0", "p0_exp", "Z", "Z_exp"]
    assert (first["Z"], first["Z_exp"]) == (3.0, [4.0, 3.0, 2.0, 1.0, 0.0])
    assert (second["p0"], second["Z_exp"]) == (None, [None] * 5)
    assert ScanResult.parse(found.dump()) == found
    assert found.discovery


def test_a_file_of_q0_from_before_it_had_p0_is_read(discovered, result):
    settings = {"test_stat": "q0", "test_poi": 1.0}
    origin = replace(result.provenance, settings=settings)
    document = replace(result, points=(discovered,), provenance=origin).dump()
    for name in ("p0", "p0_exp", "Z", "Z_exp"):
        del document["points"][0][name]
    assert ScanResult.parse(document).points == (discovered,)


def test_points_are_found_by_position_and_by_values(result):
    assert result[0] is result.points[0]
    assert result[-1] is result.points[-1]
    for point in result.points:
        assert result[point.values] is result[list(point.values)] is point
    with pytest.raises(UnknownNameError, match=r"no point at \(1, 2\): the labels are"):
        result[1, 2]
    with pytest.raises(IndexError):
        result[99]


def test_rows_are_flat_and_have_all_numbers(result):
    rows = result.rows
    assert [row["name"] for row in rows] == [point.name for point in result.points]
    for row, point in zip(rows, result.points, strict=True):
        assert tuple(row[label] for label in result.labels) == point.values
        assert [row[f"CLs_exp[{i}]"] for i in range(5)] == list(point.CLs_exp)
        assert row["status"] == point.status
        assert not any(isinstance(value, (list, tuple, dict)) for value in row.values())
    assert len({tuple(row) for row in rows}) == 1


def test_a_scan_with_failed_points_raises_when_asked(result, failed):
    assert not result.converged
    with pytest.raises(FitError, match=f"the first is {failed.name!r}"):
        result.raise_if_failed()
    good = replace(result, points=(result.points[0],))
    assert good.raise_if_failed() is good
    shown = repr(result).splitlines()
    assert shown[0].startswith(f"ScanResult: {len(result)} points")
    assert "1 without a result" in shown[1]


def test_excluded_points_are_counted_observed_and_expected(converged, failed):
    weak = replace(
        converged, name="weak", CLs_obs=0.2, CLs_exp=(0.01, 0.02, 0.06, 0.1, 0.2)
    )
    points = (converged, failed, weak)
    found = ScanResult(("a", "b"), points)
    assert [point.name for point in found.excluded()] == [converged.name]
    assert [point.name for point in found.excluded(0.3)] == [converged.name, "weak"]
    assert found.expected_excluded() == ()  # the median is exactly at the level
    assert found.expected_excluded(0.055) == (converged,)
    assert found.most_significant is None


def test_the_most_significant_point_of_a_discovery():
    points = tuple(
        ScanPoint(f"{q}", (q,), 0.1, BAND, q=float(q), discovery=True)
        for q in (1, 9, 4)
    )
    found = ScanResult(("a",), points)
    assert found.most_significant is points[1]
    assert found.excluded() == found.expected_excluded() == ()


def test_a_notebook_shows_a_table_of_all_points(result, failed):
    shown = result._repr_html_()
    assert shown.count("<tr>") == len(result) + 1
    assert "<th>m_parent</th><th>m_lsp</th><th>CLs_obs</th>" in shown
    assert f"<td>{failed.name}</td><td>700</td><td>heavy</td><td>None</td>" in shown
    assert "1 excluded" in shown
