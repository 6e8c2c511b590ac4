import numpy as np
import pytest
import uproot

from hfjax.documents.convert.root_histograms import (
    Histogram,
    RootFiles,
    write_histograms,
)
from hfjax.errors import SpecificationError
from tests.documents.convert.histfactory.xml_inputs import rows, write_objects

VALUES = (1.5, -3.0, 0.0, 1e-300, 1e300, float("inf"))
EDGES = (0.0, 1.0, 2.0, 3.5, 4.0, 5.0, 1e4)


def read(path, *names):
    with RootFiles() as files:
        return files.read(path, names)


def test_histograms_come_back_to_the_last_digit(tmp_path):
    rng = np.random.default_rng(0)
    errors = tuple(rng.lognormal(sigma=5, size=6).tolist())
    histograms = {
        "a": Histogram(VALUES, errors, (EDGES,)),
        "folder/b": Histogram((1.0, 2.0), (), ((0.1, 0.2, 0.3),)),
    }
    write_histograms(tmp_path / "a.root", histograms)
    assert read(tmp_path / "a.root", "a") == (histograms["a"], "a")
    found, place = read(tmp_path / "a.root", "b", "folder/b")
    assert place == "folder/b"
    assert found.edges == ((0.1, 0.2, 0.3),)
    assert found.errors == (1.0, 2.0**0.5)


def test_regular_edges_are_written_as_such(tmp_path):
    one = Histogram((1.0, 2.0), (), ((0.0, 0.5, 1.0),))
    write_histograms(tmp_path / "a.root", {"a": one})
    with uproot.open(tmp_path / "a.root") as file:
        assert len(file["a"].axis().member("fXbins")) == 0
    assert read(tmp_path / "a.root", "a")[0].edges == one.edges


def test_three_dimensions_run_fastest_along_the_first(tmp_path):
    contents = np.arange(24.0).reshape(2, 3, 4)
    edges = [np.arange(size + 1.0) for size in contents.shape]
    write_objects(tmp_path / "d" / "a.root", {"a": (contents, *edges)})
    found, _ = read(tmp_path / "d" / "a.root", "a")
    expected = [contents[i, j, k] for k in range(4) for j in range(3) for i in range(2)]
    assert list(found.values) == expected
    assert [len(axis) for axis in found.edges] == [3, 4, 5]


def test_negative_sums_of_squared_weights_give_no_uncertainty(tmp_path):
    write_objects(tmp_path / "d" / "a.root", {"a": rows([-4.0, 9.0])})
    assert read(tmp_path / "d" / "a.root", "a")[0].errors == (0.0, 3.0)


def test_what_is_not_there_is_refused_with_suggestions(tmp_path):
    one = Histogram((1.0,), (), ((0.0, 1.0),))
    write_histograms(tmp_path / "a.root", {"signal": one, "SR/top": one})
    with pytest.raises(SpecificationError, match="did you mean 'signal'"):
        read(tmp_path / "a.root", "singal")
    with pytest.raises(SpecificationError, match=r"it has 'SR', 'SR/top', 'signal'"):
        read(tmp_path / "a.root", "xyz")
    with pytest.raises(SpecificationError, match="'SR' is a ReadOnlyDirectory"):
        read(tmp_path / "a.root", "SR")
    write_histograms(tmp_path / "b.root", {})
    with pytest.raises(SpecificationError, match="it has nothing"):
        read(tmp_path / "b.root", "a")


def test_names_of_files_are_no_addresses(tmp_path):
    one = Histogram((1.0,), (), ((0.0, 1.0),))
    path = tmp_path / "a.root:b"
    write_histograms(path, {"a": one})
    assert read(path, "a")[0] == Histogram((1.0,), (1.0,), one.edges)
    for name in ("http://127.0.0.1:1/a.root", "root://127.0.0.1:1//a.root"):
        with pytest.raises(SpecificationError, match="No such file"):
            read(tmp_path / name, "a")
