"""The references against results of other programs, and against closed forms."""

import json
import math

import jsonpatch
import numpy as np
import pytest

from tests.reference import interpolation
from tests.reference.histfactory import HistFactory

LIKELIHOODS = ("staus", "sbottomA", "sleptons", "offshell")


def load(name, data_dir, reference_dir):
    """Background workspace, patches by name, reference results."""
    folder = data_dir / "likelihoods" / name
    workspace = json.loads((folder / "BkgOnly.json").read_text())
    patches = json.loads((folder / "patchset.json").read_text())["patches"]
    results = json.loads((reference_dir / f"{name}.json").read_text())
    return workspace, {p["metadata"]["name"]: p["patch"] for p in patches}, results


def assert_parameters_equal(model, row):
    assert model.parameter_names == row["parameters"]
    assert model.init == row["init"]
    assert model.bounds == row["bounds"]
    assert model.fixed == row["fixed"]
    # (nominal/uncertainty)^2 may be rounded in another order: a few ulp.
    np.testing.assert_allclose(model.auxdata, row["auxdata"], rtol=1e-14, atol=0)


def assert_points_agree(model, points):
    for point in points:
        params = point["params"]
        expected = model.expected_rates(params).sum(axis=0)
        np.testing.assert_allclose(expected, point["expected"], rtol=1e-10, atol=0)
        # A negative rate with events has no density; pyhf says NaN, we say -inf.
        logpdf = -math.inf if math.isnan(point["logpdf"]) else point["logpdf"]
        assert model.logpdf(params) == pytest.approx(logpdf, rel=1e-9)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_first_row(name, data_dir, reference_dir):
    workspace, patches, results = load(name, data_dir, reference_dir)
    row = results["rows"][0]
    model = HistFactory(jsonpatch.apply_patch(workspace, patches[row["patch"]]))
    assert_parameters_equal(model, row)
    assert_points_agree(model, row["points"][:2])


@pytest.mark.long
@pytest.mark.parametrize("name", LIKELIHOODS)
def test_all_rows(name, data_dir, reference_dir):
    workspace, patches, results = load(name, data_dir, reference_dir)
    for row in results["rows"]:
        model = HistFactory(jsonpatch.apply_patch(workspace, patches[row["patch"]]))
        assert_parameters_equal(model, row)
        assert_points_agree(model, row["points"])


# Values of pyhf 0.7.6 for a nominal of 10, at these alphas.
ALPHAS = (-2, -1, -0.5, 0, 0.25, 0.5, 1, 2)


def test_code4_values():
    got = [10 * interpolation.code4(alpha, 0.8, 1.3) for alpha in ALPHAS]
    known = [6.4, 8, 8.922758384262899, 10, 10.653005984783917, 11.382825993648467]
    np.testing.assert_allclose(got, [*known, 13, 16.9], rtol=1e-14)


def test_code4p_values():
    got = [10 + interpolation.code4p(alpha, 8, 10, 13) for alpha in ALPHAS]
    known = [6, 8, 8.9482421875, 10, 10.681198120117188, 11.4482421875, 13, 16]
    np.testing.assert_allclose(got, known, rtol=1e-14)


def test_code4_coefficients_in_closed_form():
    """The six coefficients as published: rows of the inverse of the matching matrix."""
    lo, hi = 0.7, 1.9
    up, down = math.log(hi), math.log(lo)
    right = np.array([hi - 1, lo - 1, hi * up, -lo * down, hi * up**2, lo * down**2])
    rows = np.array(
        [
            np.array([15, -15, -7, -7, 1, -1]) / 16,
            np.array([24, 24, -9, 9, 1, 1]) / 16,
            np.array([-5, 5, 5, 5, -1, 1]) / 8,
            np.array([-12, -12, 7, -7, -1, -1]) / 8,
            np.array([3, -3, -3, -3, 1, -1]) / 16,
            np.array([8, 8, -5, 5, 1, 1]) / 16,
        ]
    )
    got = interpolation.code4_coefficients(lo, hi)
    np.testing.assert_allclose(got, rows @ right, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("code", [interpolation.code2, interpolation.code4p])
@pytest.mark.parametrize("seam", [-1.0, 1.0])
def test_t16_additive_codes_are_smooth_at_the_seams(code, seam):
    step = 1e-7
    before, at, after = (code(seam + k * step, 8, 10, 13) for k in (-1, 0, 1))
    assert at == pytest.approx(13 - 10 if seam > 0 else 8 - 10)
    assert (at - before) / step == pytest.approx((after - at) / step, rel=1e-5)


def test_t1_a_factor_of_zero_has_finite_polynomials():
    for alpha in (-1.0, -0.99, -0.5, 0.0, 0.5, 1.0):
        assert math.isfinite(interpolation.code4(alpha, 0.0, 1.3))
    assert interpolation.code4(-1.0, 0.0, 1.3) == 0.0
    assert interpolation.code4(-0.999999, 0.0, 1.3) == pytest.approx(0, abs=1e-5)


def small_spec(modifiers, parameters=(), data=(10.0, 0.0)):
    channel = {"name": "a", "samples": [{"name": "s", "data": list(data)}]}
    channel["samples"][0]["modifiers"] = modifiers
    config = {"poi": "", "parameters": list(parameters)}
    return {
        "channels": [channel],
        "observations": [{"name": "a", "data": [9.0, 0.0]}],
        "measurements": [{"name": "m", "config": config}],
        "version": "1.0.0",
    }


def test_bins_without_events_stay_fixed():
    """Whatever the measurement says; pyhf 0.7.6 lets `fixed: false` free them."""
    for kind in ("shapesys", "staterror"):
        modifier = {"name": "g", "type": kind, "data": [1.0, 1.0]}
        released = HistFactory(small_spec([modifier], [{"name": "g", "fixed": False}]))
        assert released.fixed == [False, True]
        held = HistFactory(small_spec([modifier], [{"name": "g", "fixed": True}]))
        assert held.fixed == [True, True]


def test_shared_shapefactor_of_different_widths_is_refused():
    modifier = {"name": "f", "type": "shapefactor", "data": None}
    spec = small_spec([modifier])
    other = {"name": "s", "data": [1.0], "modifiers": [modifier]}
    spec["channels"].append({"name": "b", "samples": [other]})
    with pytest.raises(ValueError, match="different parameters"):
        HistFactory(spec)


def test_t15_shapesys_used_twice_is_refused():
    modifier = {"name": "g", "type": "shapesys", "data": [1.0, 1.0]}
    spec = small_spec([modifier])
    other = {"name": "t", "data": [10.0, 0.0], "modifiers": [modifier]}
    spec["channels"][0]["samples"].append(other)
    with pytest.raises(ValueError, match="used twice"):
        HistFactory(spec)


def test_t9_staterror_counts_only_the_samples_that_carry_it():
    modifier = {"name": "g", "type": "staterror", "data": [3.0, 1.0]}
    spec = small_spec([modifier])
    other = {"name": "t", "data": [90.0, 5.0], "modifiers": []}
    spec["channels"][0]["samples"].append(other)
    (gamma,) = HistFactory(spec).sets
    assert gamma.sigmas == [0.3, 1.0]
    assert gamma.fixed == [False, True]
