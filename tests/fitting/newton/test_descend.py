"""The bounded Newton minimizer, on likelihoods whose minima are known otherwise."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hfjax
from hfjax.building.build import build
from hfjax.fitting.box import Box
from hfjax.fitting.newton.descend import begin_at, descend
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitSettings, FitStatus
from tests.assertions import assert_close
from tests.reference.shapesys import ShapesysModel
from tests.workspaces import (
    HELLO,
    MU,
    histosys,
    make,
    modifier,
    normsys,
    sample,
    shapesys,
    workspace,
)

FREE = np.zeros(3, bool)
FIXED_MU = np.array([True, False, False])


@functools.cache
def hello(observed=(51.0, 48.0)) -> Objective:
    """The two-bin example: parameters mu, gamma[0], gamma[1]."""
    model, data = build(shapesys(*HELLO, list(observed)))
    return Objective(model.anonymous(), data.anonymous())


def bounds_of(objective):
    parameters = objective.model.parameters
    return Box(jnp.asarray(parameters.lower), jnp.asarray(parameters.upper))


def minimize(objective, start, bounds, fixed, settings=FitSettings(), limit=300):
    """Minimize from a start, in so many steps at most."""

    def ends(at, gain):
        del gain
        return at.steps >= limit

    begin = begin_at(objective, start)
    return descend(objective, begin, bounds, fixed, settings, ends)


@functools.partial(jax.jit, static_argnums=(4,))
def _run(objective, start, bounds, fixed, settings, limit):
    return minimize(objective, start, bounds, fixed, settings, limit)


def run(objective, start, fixed=None, settings=FitSettings(), **how):
    """Minimize, compiled once for each shape."""
    start = jnp.asarray(start, float)
    fixed = jnp.zeros(start.size, bool) if fixed is None else jnp.asarray(fixed)
    bounds = how.get("bounds", bounds_of(objective))
    limit = jnp.asarray(how.get("limit", settings.max_steps), jnp.int32)
    return _run(objective, start, bounds, fixed, settings, limit)


@functools.partial(jax.jit, static_argnums=2)
def run_all(objective, starts, settings=FitSettings(), limit=300):
    """Minimize from many starts at once."""
    bounds, free = bounds_of(objective), jnp.zeros(starts.shape[1], bool)
    return jax.vmap(
        lambda start: minimize(objective, start, bounds, free, settings, limit)
    )(starts)


@jax.jit
def derivatives(objective, points):
    """Value, gradient and Hessian as JAX finds them, at many points."""
    gradient = jax.grad(objective.value)

    def along(point, direction):
        return jax.jvp(gradient, (point,), (direction,))[1]

    rows = jax.vmap(jax.vmap(along, (None, 0)), (0, None))
    hessians = rows(points, jnp.eye(points.shape[1]))
    return jax.vmap(objective.value)(points), jax.vmap(gradient)(points), hessians


def exact_edm(objective, params, gradient, hessian):
    """g' H^-1 g over the parameters that no bound holds."""
    lower, upper = bounds_of(objective)
    held = ((params <= lower) & (gradient > 0)) | ((params >= upper) & (gradient < 0))
    free = ~np.asarray(held)
    gradient, hessian = gradient[free], hessian[np.ix_(free, free)]
    assert np.linalg.eigvalsh(hessian).min() > 0.0
    return gradient @ np.linalg.solve(hessian, gradient)


# -- known minima ------------------------------------------------------------------


def test_a_convex_minimum_in_closed_form():
    exact = ShapesysModel(*HELLO)
    found = run(hello((60.0, 65.0)), [3.0, 0.5, 2.0])
    mu = exact.mu_hat((60, 65), exact.tau)
    assert found.status == FitStatus.CONVERGED
    assert_close(found.params, [mu, *exact.gammas(mu, (60, 65), exact.tau)], 1e-8)
    assert found.projected_gradient < 1e-3
    assert found.steps.dtype == found.status.dtype == jnp.int32


def test_a_minimum_at_a_lower_bound():
    exact = ShapesysModel(*HELLO)
    found = run(hello(), [1.0, 1.0, 1.0])
    assert found.status == FitStatus.CONVERGED
    assert found.params[0] == 0.0
    assert_close(found.params[1:], exact.gammas(0.0, (51, 48), exact.tau), 1e-8)


def test_a_minimum_at_an_upper_bound():
    exact = ShapesysModel(*HELLO)
    found = run(hello((400.0, 390.0)), [1.0, 1.0, 1.0])
    assert found.status == FitStatus.CONVERGED
    assert found.params[0] == 10.0
    assert_close(found.params[1:], exact.gammas(10.0, (400, 390), exact.tau), 1e-8)


@pytest.mark.parametrize("at", [0.0, 10.0])
def test_a_start_on_a_bound_leaves_it(at):
    inside = run(hello((60.0, 65.0)), [1.0, 1.0, 1.0])
    found = run(hello((60.0, 65.0)), [at, 1.0, 1.0])
    assert found.status == FitStatus.CONVERGED
    assert_close(found.params, inside.params, 1e-6)


def test_all_parameters_at_bounds():
    """Every parameter is pushed against its bound: nothing is left to move."""
    bounds = Box(jnp.array([0.0, 0.5, 0.5]), jnp.array([0.1, 0.6, 0.6]))
    found = run(hello(), [0.05, 0.55, 0.55], bounds=bounds)
    assert found.status == FitStatus.CONVERGED
    assert_close(found.params, bounds.upper, 1e-12)


def test_fixed_parameters_stay_where_they_start():
    exact = ShapesysModel(*HELLO)
    found = run(hello(), [1.0, 1.0, 1.0], FIXED_MU)
    assert found.status == FitStatus.CONVERGED
    assert found.params[0] == 1.0
    assert_close(found.params[1:], exact.gammas(1.0, (51, 48), exact.tau), 1e-9)


@pytest.mark.parametrize("limit", [300, 1])
def test_t26_all_fixed_has_converged_where_it_starts(limit):
    start = jnp.array([2.0, 0.9, 1.1])
    found = run(hello(), start, np.ones(3, bool), limit=limit)
    assert found.status == FitStatus.CONVERGED
    np.testing.assert_array_equal(found.params, start)
    assert_close(found.value, hello().value(start), 1e-11)  # two programs
    assert found.edm == 0.0
    assert found.projected_gradient == 0.0
    assert found.steps <= 1


def test_a_model_without_parameters():
    model, data = make(workspace({"SR": [sample("b", [3.0])]}, {"SR": [4]}, poi=""))
    objective = Objective(model.anonymous(), data.anonymous())
    found = run(objective, jnp.zeros(0))
    assert found.status == FitStatus.CONVERGED
    assert found.params.shape == (0,)
    assert found.edm == 0.0


def test_a_start_at_the_exact_minimum():
    """Asimov data: gradient and steps are exactly zero."""
    objective = hello()
    truth = jnp.array([1.0, 1.0, 1.0])
    data = objective.model.expected_data(truth)
    found = run(Objective(objective.model, data), truth)
    assert found.status == FitStatus.CONVERGED
    np.testing.assert_array_equal(found.params, truth)
    assert found.steps <= 2


def test_a_parameter_without_effect_does_not_matter():
    """A normfactor on a sample without events has no slope and no curvature."""
    samples = [
        sample("s", [5.0], MU),
        sample("b", [50.0], modifier("shapesys", "g", [5.0])),
        sample("nothing", [0.0], modifier("normfactor", "k")),
    ]
    model, data = make(workspace({"SR": samples}, {"SR": [56.0]}))
    objective = Objective(model.anonymous(), data.anonymous())
    found = run(objective, model.parameters.init)
    assert found.status == FitStatus.CONVERGED
    named = model.parameters.unpack(found.params)
    assert_close(named["mu"], [1.2], 1e-6)
    assert_close(named["g"], [1.0], 1e-6)


# -- ways to end -------------------------------------------------------------------


@functools.cache
def signal_only() -> Objective:
    """No rate at mu = 0, where events were seen."""
    model, data = make(workspace({"SR": [sample("s", [10.0], MU)]}, {"SR": [12]}))
    return Objective(model.anonymous(), data.anonymous())


def test_a_start_that_is_not_finite_and_that_no_step_can_leave_is_said():
    found = run(signal_only(), [0.0], [True])
    assert found.status == FitStatus.NOT_FINITE
    assert found.steps <= 1
    np.testing.assert_array_equal(found.params, [0.0])


def test_a_start_that_is_not_finite_is_left_where_a_step_can():
    found = run(signal_only(), [0.0])
    assert found.status == FitStatus.CONVERGED
    assert_close(found.params, [1.2], 1e-7)


def test_a_wall_of_infinities_next_to_the_start():
    """Steps to rates at or below zero are rejected, and others found."""
    for start in (1e-6, 9.0):
        found = run(signal_only(), [start])
        assert found.status == FitStatus.CONVERGED
        assert_close(found.params, [1.2], 1e-7)


def test_too_few_steps_are_said():
    start = jnp.array([9.0, 5.0, 0.1])
    found = run(hello(), start, settings=FitSettings(max_steps=2))
    assert found.status == FitStatus.MAX_STEPS
    assert found.steps == 2
    assert found.edm > 1e-10
    assert found.value < hello().value(start)


def test_a_traced_limit_replaces_that_of_the_settings():
    start = [9.0, 5.0, 0.1]
    assert run(hello(), start, limit=3).steps == 3
    none = run(hello(), start, limit=0)
    assert none.steps == 0
    np.testing.assert_array_equal(none.params, start)


def test_the_tolerance_is_the_distance():
    loose = run(hello(), [9.0, 5.0, 0.1], settings=FitSettings(tolerance=10.0))
    tight = run(hello(), [9.0, 5.0, 0.1])
    assert loose.status == tight.status == FitStatus.CONVERGED
    assert loose.steps < tight.steps
    assert tight.edm < 1e-10


@pytest.mark.parametrize("status", FitStatus)
def test_every_status_has_a_sentence(status):
    assert status.sentence
    assert "\n" not in status.sentence


# -- many at once ------------------------------------------------------------------

STARTS = jnp.array(
    [[1.0, 1.0, 1.0], [9.0, 5.0, 0.1], [0.0, 1e-10, 1.0], [10.0, 10.0, 10.0]]
)
MASKS = jnp.array([[0, 0, 0], [1, 0, 0], [0, 0, 0], [1, 1, 1]], bool)


@pytest.mark.slow
def test_a_batch_equals_a_loop():
    objective = hello()
    bounds = bounds_of(objective)
    batch = jax.jit(
        jax.vmap(lambda start, fixed: minimize(objective, start, bounds, fixed))
    )(STARTS, MASKS)
    for i in range(len(STARTS)):
        alone = run(objective, STARTS[i], MASKS[i])
        assert batch.status[i] == alone.status
        # Sums in another order may be a step apart: both end within the tolerance of
        # 1e-10 in 2NLL, and within its root in units of a parameter's uncertainty.
        assert abs(batch.steps[i] - alone.steps) <= 1
        assert_close(batch.params[i], alone.params, 1e-6, 1e-6)
        assert_close(batch.value[i], alone.value, 0, 1e-10)


def test_every_lane_has_its_own_status():
    objective = signal_only()
    bounds = bounds_of(objective)
    starts = jnp.array([[1.0], [0.0], [9.0]])
    limits = jnp.array([300, 300, 1], jnp.int32)
    found = jax.jit(
        jax.vmap(
            lambda start, fixed, limit: minimize(
                objective, start, bounds, fixed, limit=limit
            )
        )
    )(starts, jnp.array([[False], [True], [False]]), limits)
    known = [FitStatus.CONVERGED, FitStatus.NOT_FINITE, FitStatus.MAX_STEPS]
    np.testing.assert_array_equal(found.status, known)
    assert found.steps[1] <= 1
    assert found.steps[2] == 1
    assert_close(found.params[0], [1.2], 1e-7)


def test_neither_masks_nor_data_nor_bounds_recompile():
    traces = []

    @jax.jit
    def traced(objective, start, bounds, fixed):
        traces.append(1)
        return minimize(objective, start, bounds, fixed)

    for observed in ((51.0, 48.0), (60.0, 65.0)):
        objective = hello(observed)
        lower, upper = bounds_of(objective)
        for mask in MASKS:
            traced(objective, STARTS[0], Box(lower, upper), mask)
        traced(objective, STARTS[1], Box(lower - 1e-12, upper + 2.0), FREE)
    assert len(traces) == 1


# -- promises of every step --------------------------------------------------------


@functools.cache
def varied() -> Objective:
    """All kinds of curvature: shapes, extreme factors, gammas, a small count."""
    signal = [
        sample("s", [4.0, 1.0], MU, normsys("theory", 0.6, 1.5)),
        sample(
            "b",
            [20.0, 3.0],
            normsys("theory", 1.2, 0.7),
            normsys("huge", 0.01, 30.0),
            histosys("shape", [16.0, 5.0], [25.0, 2.0]),
            modifier("staterror", "mc", [2.0, 0.9]),
        ),
    ]
    control = [
        sample(
            "b",
            [100.0],
            histosys("shape", [90.0], [120.0]),
            modifier("shapesys", "g", [30.0]),
        ),
        sample("free", [30.0], modifier("normfactor", "k")),
    ]
    model, data = make(
        workspace({"SR": signal, "CR": control}, {"SR": [40.0, 9.0], "CR": [150.0]})
    )
    return Objective(model.anonymous(), data.anonymous())


def random_starts(objective, number, seed):
    """Points anywhere within the bounds, gammas up to 3 only."""
    lower, upper = bounds_of(objective)
    random = np.random.default_rng(seed)
    uniform = random.uniform(size=(number, lower.size))
    return lower + uniform * (jnp.minimum(upper, 3.0) - lower)


LANES = 32


@pytest.mark.slow
@pytest.mark.parametrize("limit", [1, 2, 5, 300])
def test_never_above_the_start_and_never_out_of_bounds(limit):
    objective = varied()
    lower, upper = bounds_of(objective)
    starts = random_starts(objective, LANES, 20)
    found = run_all(objective, starts, limit=jnp.int32(limit))
    begin, end = (derivatives(objective, x)[0] for x in (starts, found.params))
    good = np.isfinite(begin)
    assert good.sum() > LANES / 2
    # two programs add the same terms in an order of their own
    assert (found.value[good] <= begin[good] * (1.0 + 1e-11)).all()
    assert_close(found.value[good], end[good], 1e-11)
    # from a start without a likelihood, steps lead to one, or the fit says so
    lost = found.status[~good] == FitStatus.NOT_FINITE
    np.testing.assert_array_equal(lost, ~np.isfinite(end[~good]))
    if limit == 300:
        assert not lost.any()
    assert ((found.params >= lower) & (found.params <= upper)).all()


@pytest.fixture(scope="module")
def best():
    """The minimum of `varied` from its own initial values."""
    objective = varied()
    starts = jnp.tile(jnp.asarray(objective.model.parameters.init), (LANES, 1))
    found = run_all(objective, starts, limit=jnp.int32(300))
    lane = jax.tree.map(lambda leaf: leaf[0], found)
    assert lane.status == FitStatus.CONVERGED
    return lane


def at_lanes(objective, params):
    """Derivatives at one point, by the program for many."""
    many = derivatives(objective, jnp.tile(params, (LANES, 1)))
    return [np.asarray(each[0]) for each in many]


def test_the_reported_distance_is_that_of_the_exact_hessian(best):
    """EDM is that of the point where the last step began."""
    objective = varied()
    hessian = at_lanes(objective, best.params)[2]
    width = 0.01 / np.sqrt(np.diagonal(hessian))
    noise = np.random.default_rng(7).normal(size=(LANES, best.params.size))
    near = jnp.clip(best.params + width * noise, *bounds_of(objective))
    steps = run_all(objective, near, limit=jnp.int32(1))
    values, gradients, hessians = map(np.asarray, derivatives(objective, near))
    for i in range(LANES):
        edm = exact_edm(objective, near[i], gradients[i], hessians[i])
        assert 1e-5 < edm < 0.1
        # conjugate gradients stop at a relative residual of 1 % or less
        assert steps.edm[i] == pytest.approx(edm, rel=0.03)
        left = 2.0 * (values[i] - best.value)
        assert steps.edm[i] == pytest.approx(float(left), rel=0.05)


def test_nothing_is_left_where_a_fit_has_converged(best):
    objective = varied()
    _, gradient, hessian = at_lanes(objective, best.params)
    assert 0.0 <= best.edm < 1e-10
    assert exact_edm(objective, best.params, gradient, hessian) < 1e-10
    slope = np.abs(gradient[np.asarray(best.params) > bounds_of(objective)[0]])
    assert best.projected_gradient < 1e-2
    assert slope.max() < 1e-2


@functools.cache
def bent(count: float) -> Objective:
    """Two factors with a known product: a valley along a hyperbola.

    Its width is the inverse root of the count; another, small count says where on the
    hyperbola the minimum is.
    """
    both = [modifier("normfactor", "x"), modifier("normfactor", "y")]
    narrow, flat = sample("p", [count], *both), sample("q", [20.0], both[0])
    poi = [{"name": n, "bounds": [[1e-3, 100.0]]} for n in ("x", "y")]
    model, data = make(
        workspace(
            {"A": [narrow], "B": [flat]}, {"A": [2 * count], "B": [100.0]}, *poi, poi=""
        )
    )
    return Objective(model.anonymous(), data.anonymous())


@pytest.mark.parametrize("start", [(1.0, 1.0), (90.0, 0.02), (0.02, 90.0)])
@pytest.mark.parametrize(("count", "steps"), [(1e4, 100), (1e6, 250)])
def test_a_bent_narrow_valley(start, count, steps):
    """x y = 2 and x = 5, found from the far ends of the valley."""
    found = run(bent(count), start)
    assert found.status == FitStatus.CONVERGED
    assert_close(found.params, [5.0, 0.4], 1e-5)
    assert found.value < 1e-9
    assert found.steps < steps


def test_a_start_exactly_at_the_minimum_has_converged():
    document = {
        "channels": [
            {
                "name": "SR",
                "samples": [
                    {
                        "name": "b",
                        "data": [50.0, 60.0],
                        "modifiers": [
                            {"name": "g", "type": "shapesys", "data": [5.0, 12.0]}
                        ],
                    }
                ],
            }
        ],
        "observations": [{"name": "SR", "data": [50.0, 60.0]}],
        "measurements": [{"name": "m", "config": {"poi": "", "parameters": []}}],
        "version": "1.0.0",
    }
    found = hfjax.fit(*hfjax.build(hfjax.Workspace.parse(document)))
    assert found.converged
    assert float(found.deviance) == 0.0
