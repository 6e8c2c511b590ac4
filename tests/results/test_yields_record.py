"""Yields as they are in a file: by name, stacked, as rows and as histograms."""

import json
import sys

import numpy as np
import pytest

from hfjax.errors import DataError, UnknownNameError
from hfjax.inference.yields import yields
from hfjax.results.load import load_result
from hfjax.results.yields_record import YieldsRecord
from tests.workspaces import all_kinds, make

GROUPS = {"bkg": ["top", "fakes"]}


@pytest.fixture(scope="module")
def found():
    return yields(*make(all_kinds()), groups=GROUPS)


@pytest.fixture(scope="module")
def record(found):
    return YieldsRecord.of(found)


def test_yields_are_read_as_they_were_written(found, tmp_path):
    found.write(tmp_path / "yields.json")
    record = load_result(tmp_path / "yields.json")
    assert isinstance(record, YieldsRecord)
    assert record == YieldsRecord.of(found) == YieldsRecord.of(record)
    record.write(tmp_path / "again.json")
    one, other = (
        json.loads((tmp_path / n).read_text()) for n in ("yields.json", "again.json")
    )
    assert one == other


def test_yields_are_found_by_name(found, record):
    for name in ("SR", ("SR", "top"), ("SR", "bkg"), ("CR", "top")):
        one, other = found[name], record[name]
        assert other.values == tuple(one.values.tolist())
        assert other.sum_uncertainty == one.sum_uncertainty
    assert record.channel("SR").data == (25.0, 24.0, 47.0)
    with pytest.raises(UnknownNameError, match="did you mean 'top'"):
        record["SR", "tops"]
    with pytest.raises(UnknownNameError, match="no channel named 'VR'"):
        record["VR"]


def test_a_stack_adds_up_to_all(record):
    stack = record.stack("SR")
    assert list(stack) == ["bkg", "signal"]
    added = np.sum([each.values for each in stack.values()], axis=0)
    np.testing.assert_allclose(added, record["SR"].values)


def test_a_sample_in_two_groups_is_no_stack():
    model, data = make(all_kinds())
    both = yields(model, data, groups=GROUPS | {"more": ["top", "signal"]})
    with pytest.raises(DataError, match="'top' is in two groups"):
        YieldsRecord.of(both).stack("SR")


def test_rows_are_for_tables(record):
    rows = record.rows
    assert rows[0] == {
        "channel": "CR",
        "bin": "all",
        "sample": "bkg",
        "events": record["CR", "bkg"].sum,
        "uncertainty": record["CR", "bkg"].sum_uncertainty,
    }
    data = [row["events"] for row in rows if row["sample"] == "data"]
    assert data == [58.0, 58.0, 96.0, 25.0, 24.0, 47.0]
    assert len(rows) == 4 * (2 + 4)


def test_channels_are_selected_in_the_order_that_is_asked_for(record):
    assert list(record.select(["SR", "CR"]).channels) == ["SR", "CR"]
    assert list(record.select(["SR"]).channels) == ["SR"]
    assert record.select(["SR"]).dump() != record.dump()


def test_histograms_have_values_and_variances(record):
    pytest.importorskip("hist")
    found = record.histogram("SR", "top", [0.0, 10.0, 20.0, 50.0])
    np.testing.assert_allclose(found.values(), record["SR", "top"].values)
    squares = np.square(record["SR", "top"].uncertainties)
    np.testing.assert_allclose(found.variances(), squares)
    assert found.axes[0].edges.tolist() == [0.0, 10.0, 20.0, 50.0]
    assert record.histogram("SR").axes[0].edges.tolist() == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize("edges", [[0.0, 1.0], [0.0, 2.0, 1.0, 3.0]])
def test_edges_that_are_none_are_refused(record, edges):
    pytest.importorskip("hist")
    with pytest.raises(DataError, match="edges"):
        record.histogram("SR", edges=edges)


def test_without_hist_it_is_said_how_to_install_it(record, monkeypatch):
    monkeypatch.setitem(sys.modules, "hist", None)
    with pytest.raises(DataError, match="pip install hist"):
        record.histogram("SR")
