"""Tests and profiles as records: JSON, files, and what is shown."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.reading.schema import validate
from hfjax.errors import ArgumentError, FitError
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.hypotest import hypotest
from hfjax.inference.profile import profile
from tests.workspaces import HELLO, shapesys

ONE_STEP = FitSettings(max_steps=1)


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, [51.0, 48.0]))


@pytest.mark.parametrize("test_stat", ["qtilde", "q0"])
def test_a_test_is_written_as_its_schema_says(hello, test_stat, tmp_path):
    found = hypotest(*hello, test_stat=test_stat).raise_if_failed()
    found.write(tmp_path / "test.json")
    document = json.loads((tmp_path / "test.json").read_text())
    validate(document, "test-result-1.0.0.json")
    assert document == found.dump()
    assert document["CLs_obs"] == float(found.CLs_obs)
    assert document["CLs_exp"] == found.CLs_exp.tolist()
    assert document["poi_value"] == (0.0 if test_stat == "q0" else 1.0)
    assert ("Z_exp" in document) == (test_stat == "q0")
    assert found.status is FitStatus.CONVERGED


def test_a_test_that_failed_is_written_with_what_happened(hello):
    found = hypotest(*hello, settings=ONE_STEP)
    document = found.dump()
    validate(document, "test-result-1.0.0.json")
    assert document["CLs_obs"] is None
    assert document["mu_hat"] is None
    assert document["status"] == "max_steps"
    assert document["message"] == FitStatus.MAX_STEPS.sentence
    with pytest.raises(FitError, match="allow more steps"):
        found.raise_if_failed()


@pytest.mark.slow
def test_a_batch_of_tests_is_no_record(hello):
    batch = jax.vmap(lambda value: hypotest(*hello, value))(jnp.array([1.0, 2.0]))
    with pytest.raises(ArgumentError, match=r"take one of a batch by jax\.tree\.map"):
        batch.to_dict()
    one = jax.tree.map(lambda leaf: leaf[1], batch)
    assert one.to_dict()["poi_value"] == 2.0


@pytest.mark.parametrize(
    "grid", [{"mu": [0.0, 0.5]}, {"mu": [0.5, 1.0], "gamma[0]": [0.9, 1.0, 1.1]}]
)
def test_a_profile_is_written_as_its_schema_says(hello, grid):
    found = profile(*hello, grid).raise_if_failed()
    document = found.dump()
    validate(document, "profile-result-1.0.0.json")
    assert document["names"] == list(grid)
    assert document["values"] == list(grid.values())
    assert document["delta"] == np.asarray(found.delta).tolist()
    assert set(np.ravel(document["status"])) == {"converged"}
    assert document["free"]["twice_nll"] == float(found.free.twice_nll)


@pytest.mark.slow
def test_a_profile_that_failed_says_so(hello):
    found = profile(*hello, {"mu": [0.0, 0.5]}, settings=ONE_STEP)
    assert not found.converged
    validate(found.dump(), "profile-result-1.0.0.json")
    with pytest.raises(FitError, match="allow more steps"):
        found.raise_if_failed()


def test_a_profile_shows_its_curve(hello):
    found = profile(*hello, {"mu": [0.0, 0.5]})
    head, columns, *rows = repr(found).splitlines()
    assert columns.split(maxsplit=1) == ["mu", "-2 Delta ln L"]
    assert head == "ProfileResult: mu, 2 values, converged"
    shown = [[float(number) for number in row.split()] for row in rows]
    expected = np.column_stack([found.values[0], found.delta])
    np.testing.assert_allclose(shown, expected, rtol=1e-5)
    page = found._repr_html_()
    assert "<th>mu</th><th>-2 Delta ln L</th>" in page
    assert page.count("<tr>") == 3


def test_a_profile_holds_other_parameters(hello):
    model, data = hello
    grid = {"mu": [0.0, 0.5]}
    found = profile(model, data, grid, fixed={"gamma[0]": 1.1})
    assert found.fits["gamma[0]"].tolist() == [1.1, 1.1]
    assert float(found.free["gamma[0]"]) == 1.1
    other = profile(model.with_fixed({"gamma[0]": 1.1}), data, grid)
    np.testing.assert_array_equal(found.delta, other.delta)
