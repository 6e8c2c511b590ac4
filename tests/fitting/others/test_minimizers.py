"""The minimizers of jaxopt and optax, held to one contract."""

import functools
import json
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import UnknownNameError
from hfjax.fitting.box import Box
from hfjax.fitting.objective import Objective
from hfjax.fitting.others.minimizers import MINIMIZERS, find_minimizer
from hfjax.fitting.others.scaled import judge, scale
from hfjax.fitting.status import FitSettings, FitStatus

NAMES = sorted(MINIMIZERS)
SETTINGS = FitSettings(max_steps=3000)

# A valley ten times longer than wide, turned against the axes.
TURN = np.linalg.qr(np.array([[1.0, 2, 0.5], [-1, 1, 0.3], [0.2, -0.4, 1]]))[0]
HESSIAN = jnp.asarray(TURN @ np.diag([1.0, 10.0, 100.0]) @ TURN.T)
CENTRE = jnp.asarray([0.3, -0.7, 1.2])
BOUNDS = Box(jnp.full(3, -5.0), jnp.full(3, 5.0))
FREE = jnp.zeros(3, bool)


def valley(params, centre=CENTRE):
    return 0.5 * (params - centre) @ HESSIAN @ (params - centre)


def bowl(params):
    """-ln L of three counts: infinite where a rate is not positive."""
    counts, signal = jnp.asarray([4.0, 0.0, 7.0]), jnp.asarray([1.0, 1.0, 2.0])
    rates = params[0] * signal + params[1:].sum() + 0.5
    good = jnp.all(rates > 0.0)
    safe = jnp.where(good, rates, 1.0)
    terms = safe - counts * jnp.log(safe)
    return jnp.where(good, jnp.sum(terms) + jnp.sum(params[1:] ** 2), jnp.inf)


@functools.cache
def compiled(name, objective, settings=SETTINGS):
    """The minimizer as a function of start, bounds and mask, compiled."""

    def run(start, bounds, fixed):
        return MINIMIZERS[name](objective, start, bounds, fixed, settings)

    run = jax.jit(run)
    return lambda start, bounds=BOUNDS, fixed=FREE: run(start, bounds, fixed)


@pytest.mark.parametrize("name", NAMES)
def test_a_minimum_inside(name):
    found = compiled(name, valley)(jnp.zeros(3))
    assert found.status == FitStatus.CONVERGED
    # EDM below 1e-10 is 1e-5 standard deviations at most
    np.testing.assert_allclose(found.params, CENTRE, atol=2e-5)
    assert found.steps > 0
    assert found.steps.dtype == jnp.int32


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_minimum_on_two_bounds(name):
    lower, upper = jnp.asarray([-5.0, 0.5, -5.0]), jnp.asarray([5.0, 5.0, 0.9])
    found = compiled(name, valley)(jnp.full(3, 0.7), Box(lower, upper))
    away = HESSIAN[0, 1:] @ (jnp.asarray([0.5, 0.9]) - CENTRE[1:])
    exact = CENTRE[0] - away / HESSIAN[0, 0]
    assert found.status == FitStatus.CONVERGED
    np.testing.assert_allclose(found.params, [exact, 0.5, 0.9], atol=2e-5)
    assert (found.params >= lower).all()
    assert (found.params <= upper).all()


@pytest.mark.parametrize("name", NAMES)
def test_fixed_parameters_stay_where_they_start(name):
    start, fixed = jnp.asarray([0.0, 0.125, 0.0]), jnp.asarray([False, True, False])
    found = compiled(name, valley)(start, BOUNDS, fixed)
    assert found.params[1] == 0.125
    assert found.status == FitStatus.CONVERGED
    slope = jax.grad(valley)(found.params)
    np.testing.assert_allclose(slope[jnp.asarray([0, 2])], 0.0, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_start_on_a_bound_can_leave_it(name):
    start = jnp.asarray([-5.0, 0.0, 0.0])
    found = compiled(name, valley)(start)
    assert found.status == FitStatus.CONVERGED
    np.testing.assert_allclose(found.params, CENTRE, atol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_steps_where_the_objective_is_infinite_are_rejected(name):
    start = jnp.asarray([4.0, 2.0, 2.0])
    found = compiled(name, bowl)(start)
    assert found.status == FitStatus.CONVERGED
    assert jnp.isfinite(found.value)
    assert found.value < bowl(start)
    assert jnp.isfinite(found.params).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_start_that_is_not_finite_is_said(name):
    start = jnp.asarray([-4.0, 0.0, 0.0])
    found = compiled(name, bowl)(start)
    assert found.status == FitStatus.NOT_FINITE
    np.testing.assert_array_equal(found.params, start)


@pytest.mark.parametrize("name", NAMES)
def test_too_few_steps_are_said(name):
    settings = FitSettings(max_steps=2)
    found = compiled(name, valley, settings)(jnp.ones(3))
    assert found.status == FitStatus.MAX_STEPS
    assert found.edm > settings.tolerance
    assert found.value <= valley(jnp.ones(3))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_fits_in_a_batch_agree_with_fits_alone(name):
    starts = jnp.asarray([[0.0, 0.0, 0.0], [2.0, 0.0, 1.0], [0.5, 0.25, 0.0]])
    masks = jnp.asarray([[False] * 3, [False] * 3, [True, False, False]])
    run = compiled(name, valley)
    batch = jax.vmap(lambda start, mask: run(start, BOUNDS, mask))(starts, masks)
    np.testing.assert_array_equal(batch.status, FitStatus.CONVERGED)
    for i in range(3):
        alone = run(starts[i], BOUNDS, masks[i])
        np.testing.assert_allclose(batch.params[i], alone.params, atol=4e-5)


def test_the_distance_is_what_is_left_to_gain():
    scaled = scale(valley, jnp.zeros(3), BOUNDS, FREE)
    found = judge(scaled, jnp.zeros(3), jnp.asarray(1), SETTINGS)
    assert found.edm == pytest.approx(2 * float(valley(jnp.zeros(3))), rel=1e-9)
    slope = jnp.max(jnp.abs(jax.grad(valley)(jnp.zeros(3))))
    assert found.projected_gradient == pytest.approx(float(slope), rel=1e-10)


def test_a_parameter_without_effect_does_not_spoil_the_distance():
    scaled = scale(lambda p: p[0] ** 2, jnp.ones(3), BOUNDS, FREE)
    found = judge(scaled, jnp.zeros(3), jnp.asarray(1), SETTINGS)
    assert found.edm == pytest.approx(2.0, rel=1e-6)


def test_a_saddle_is_no_minimum():
    scaled = scale(lambda p: p[0] ** 2 - p[1] ** 2, jnp.zeros(3), BOUNDS, FREE)
    found = judge(scaled, jnp.zeros(3), jnp.asarray(1), SETTINGS)
    assert found.edm == jnp.inf
    assert found.status == FitStatus.STALLED


def test_an_unknown_name_suggests_close_ones():
    assert find_minimizer("jaxopt-lbfgsb") is MINIMIZERS["jaxopt-lbfgsb"]
    with pytest.raises(UnknownNameError, match="did you mean 'jaxopt-lbfgsb'"):
        find_minimizer("jaxopt-lbfgs")


def test_the_packages_are_imported_only_when_used():
    code = (
        "import sys, hfjax.fitting.others.minimizers\n"
        "assert not {'jaxopt', 'optax'} & set(sys.modules), 'imported too early'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("which", ["free", "mu=1"])
def test_the_minimum_of_staus(name, which, data_dir, reference_dir):
    """Within 1e-4 in 2NLL of the best known minimum, or said to be not converged."""
    row = json.loads((reference_dir / "staus.json").read_text())["rows"][0]
    folder = data_dir / "likelihoods" / "staus"
    workspace = Workspace.load(folder / "BkgOnly.json")
    patchset = PatchSet.load(folder / "patchset.json")
    model, data = build(patchset.apply(workspace, row["patch"], verify=False))
    parameters = model.parameters
    start, fixed = jnp.asarray(parameters.init), jnp.asarray(parameters.fixed)
    if which == "mu=1":
        start, fixed = start.at[model.poi].set(1.0), fixed.at[model.poi].set(True)
    objective = Objective(model.anonymous(), data.anonymous())
    bounds = Box(jnp.asarray(parameters.lower), jnp.asarray(parameters.upper))
    found = MINIMIZERS[name](objective.value, start, bounds, fixed, FitSettings())
    above = (
        2 * float(found.value + objective.offset()) - row["witness"]["twice_nll"][which]
    )
    assert above < 1e-4
    assert above > -1e-9
    assert above <= 1.1 * float(found.edm) + 1e-9
    assert found.status == FitStatus.CONVERGED
