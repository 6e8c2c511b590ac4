"""The search for the lowest of several valleys."""

import functools
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.workspace.workspace import Workspace
from hfjax.fitting.best_fit import fit
from hfjax.fitting.box import Box
from hfjax.fitting.newton.descend import descend
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.fitting.valleys.search import search
from hfjax.model.curves import PLACES
from hfjax.model.settings import ModelSettings
from tests.assertions import assert_close
from tests.reference.histfactory import HistFactory
from tests.workspaces import HELLO, make, normsys, sample, shapesys, workspace

LO, HI = 0.01, 30.0
"""Factors of a normsys whose polynomial is negative between two of its zeros."""
ALONE = FitSettings(valleys="initial")


def two_valleys(control: float) -> dict:
    """Bins in which alpha wants the one or the other zero of a polynomial.

    Between the zeros a sample of 100 events turns negative, against the 30 that were
    seen without it. The control region says which zero is the better.
    """
    return workspace(
        {
            "SR": [sample("b", [30.0]), sample("odd", [100.0], normsys("a", LO, HI))],
            "CR": [sample("b", [1000.0], normsys("a", 0.9, 1.1))],
        },
        {"SR": [30.0], "CR": [control]},
        poi="",
    )


@functools.cache
def built(control: float):
    return make(two_valleys(control))


def valleys(control: float) -> list[tuple[float, float]]:
    """Local minima, by brute force: alpha and 2NLL."""
    slow = HistFactory(two_valleys(control))
    grid = np.linspace(-2.0, 1.0, 601)
    height = np.array([-2.0 * slow.logpdf([alpha]) for alpha in grid])
    low = (height[1:-1] < height[:-2]) & (height[1:-1] < height[2:])
    return [(grid[i + 1], height[i + 1]) for i in np.flatnonzero(low)]


CASES = pytest.mark.parametrize(("control", "lower"), [(900.0, 0), (1000.0, 1)])
"""Events of the control region, and which of two valleys is the lower."""


@CASES
def test_the_model_has_two_valleys(control, lower):
    found = valleys(control)
    assert len(found) == 2
    assert np.argmin([height for _, height in found]) == lower
    # the zeros of the polynomial, as the fit looks into them
    model, _ = built(control)
    assert_close(sorted(model.crossings.value), [-0.85292, -0.29988], 0, 1e-5)
    assert (model.crossings.index == 0).all()


@pytest.mark.slow
@CASES
@pytest.mark.parametrize("start", [-2.0, -0.9, -0.3, 0.0, 2.0])
def test_the_lower_valley_is_found_from_any_start(control, lower, start):
    found = fit(*built(control), start=jnp.array([start]))
    alpha, height = valleys(control)[lower]
    assert found.status == FitStatus.CONVERGED
    assert found.edm < 1e-10
    assert found.params[0] == pytest.approx(alpha, abs=0.005)
    assert height - 0.01 < found.twice_nll < height


@pytest.mark.slow
@pytest.mark.parametrize(("control", "start"), [(900.0, 0.0), (1000.0, -2.0)])
def test_without_the_search_a_fit_stays_in_its_valley(control, start):
    model, data = built(control)
    found = fit(model, data, start=jnp.array([start]), settings=ALONE)
    lower = fit(model, data, start=jnp.array([start]))
    assert found.status == FitStatus.CONVERGED
    assert found.twice_nll > lower.twice_nll + 1.0


@pytest.mark.slow
def test_the_steps_of_all_tries_count():
    model, data = built(900.0)
    alone = fit(model, data, settings=ALONE)
    assert fit(model, data).steps > alone.steps


@functools.partial(jax.jit, static_argnums=(3,))
def searched(objective, starts, fixed, settings):
    parameters = objective.model.parameters
    bounds = Box(jnp.asarray(parameters.lower), jnp.asarray(parameters.upper))
    return search(objective, starts, bounds, fixed, settings)


@pytest.mark.slow
@pytest.mark.parametrize("starts", [[[0.0], [-2.0]], [[-2.0], [0.0]], [[0.5], [-0.9]]])
def test_the_lowest_of_several_starts_is_kept(starts):
    model, data = built(900.0)
    objective = Objective(model.anonymous(), data.anonymous())
    found = searched(objective, jnp.array(starts), jnp.zeros(1, bool), ALONE)
    assert found.best.status == FitStatus.CONVERGED
    assert_close(found.best.params, fit(model, data).params, 1e-6)


@pytest.mark.slow
def test_a_held_fit_that_ends_where_an_earlier_one_did_is_released_once(monkeypatch):
    model, data = built(900.0)
    objective = Objective(model.anonymous(), data.anonymous())
    starts = []

    def record(start, fixed, ends):
        if not ends and not fixed.any():
            starts.append(float(start[0]))

    def spy(objective, begin, bounds, fixed, settings, ends):
        over = ends(begin, jnp.array(jnp.inf))
        jax.debug.callback(record, begin.params, fixed, over, ordered=True)
        return descend(objective, begin, bounds, fixed, settings, ends)

    monkeypatch.setattr(sys.modules[search.__module__], "descend", spy)
    run = jax.jit(searched.__wrapped__, static_argnums=3)
    run(objective, jnp.array([[0.0]]), jnp.zeros(1, bool), FitSettings())
    jax.effects_barrier()
    zeros = [float(zero) for zero in model.crossings.value]
    others = [0.0, *zeros, *PLACES.tolist()]  # where fits start that were never held
    beside = [start for start in starts if start not in others]
    assert len(beside) == len(set(beside)) == len(zeros)


@pytest.mark.slow
def test_a_fixed_parameter_is_not_moved_to_a_crossing():
    model, data = built(900.0)
    objective = Objective(model.anonymous(), data.anonymous())
    starts = jnp.array([[-0.31], [-0.31]])
    found = searched(objective, starts, jnp.ones(1, bool), FitSettings()).best
    assert found.params[0] == -0.31
    assert found.status == FitStatus.CONVERGED


@pytest.mark.long
def test_valleys_are_found_in_every_lane_of_a_batch():
    model, _ = built(900.0)
    data = [built(control)[1] for control in (900.0, 1000.0, 940.0)]
    batch = jax.tree.map(lambda *leaves: jnp.stack(leaves), *data)
    found = jax.jit(jax.vmap(fit, in_axes=(None, 0)))(model, batch)
    for i, each in enumerate(data):
        alone = fit(model, each)
        assert found.status[i] == alone.status == FitStatus.CONVERGED
        assert_close(found.params[i], alone.params, 1e-9)


@pytest.mark.slow
def test_a_model_that_has_one_valley_is_not_searched():
    """The programs are the same, so that the search costs nothing.

    But for the question whether the minimum is physical, which "lowest" asks.
    """
    model, data = build(shapesys(*HELLO, [60.0, 65.0]))
    assert model.crossings.index.size == model.lopsided.index.size == 0
    objective = Objective(model.anonymous(), data.anonymous())
    starts = jnp.asarray(model.parameters.init)[None]
    programs = {
        str(
            jax.make_jaxpr(searched.__wrapped__, static_argnums=3)(
                objective, starts, jnp.zeros(3, bool), settings
            )
        )
        for settings in (FitSettings(valleys="any"), ALONE)
    }
    assert len(programs) == 1
    assert fit(model, data).steps == fit(model, data, settings=ALONE).steps


@pytest.mark.slow
@pytest.mark.parametrize(("control", "zero"), [(900.0, -0.85292), (1000.0, -0.29988)])
@pytest.mark.parametrize("start", [-2.0, -0.6, 0.0])
def test_a_rate_that_wants_to_be_negative_ends_at_a_kink(control, zero, start):
    """ROOT's rule: between its zeros the odd sample stays zero, whatever alpha is.

    Fewer events than the other sample gives want it there, the control region wants
    alpha outside: the minimum is where its rate begins.
    """
    observed = {"SR": [20.0], "CR": [control]}
    document = two_valleys(control)
    for observation in document["observations"]:
        observation["data"] = observed[observation["name"]]
    settings = ModelSettings(positive=True)
    model, data = build(Workspace.parse(document), settings=settings)
    found = fit(model, data, start=jnp.array([start]))
    assert found.status == FitStatus.CONVERGED
    assert found.params[0] == pytest.approx(zero, abs=1e-5)
    grid = jnp.linspace(-2.0, 1.0, 3001)[:, None]
    heights = -2.0 * jax.vmap(model.logpdf, in_axes=(0, None))(grid, data)
    assert found.twice_nll <= heights.min() + 1e-9
