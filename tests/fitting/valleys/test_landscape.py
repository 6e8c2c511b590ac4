"""The likelihood around a minimum, against fits with the same parameters held."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.fitting.best_fit import fit
from hfjax.fitting.box import Box
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitSettings
from hfjax.fitting.valleys.landscape import (
    constraint_cost,
    follow,
    heights,
    held_along,
    held_direction,
    held_together,
    look_around,
    moved_rates,
)
from hfjax.inference.profile import profile
from tests.assertions import assert_close
from tests.workspaces import MU, histosys, make, modifier, sample, workspace

pytestmark = pytest.mark.slow

PLACES = np.array([-3.0, -1.6, -0.7, 0.7, 1.6, 3.0])
ALONE = FitSettings(valleys="initial")


SHAPES = {
    "a": ([200.0, 150.0, 90.0], [200.0, 150.0, 90.0], [230.0, 140.0, 99.0]),
    "b": ([100.0, 120.0, 80.0], [120.0, 126.0, 84.0], [104.0, 141.0, 79.0]),
    "t": ([80.0, 80.0, 80.0], [72.0, 80.0, 88.0], [88.0, 80.0, 72.0]),
}
"""Nominal, low and high rates of samples with a systematic each."""


def varied(name, bent):
    """A sample with a systematic, lopsided or with mirrored sides."""
    nominal, lo, hi = SHAPES[name]
    if name not in bent:
        lo = [2.0 * n - h for n, h in zip(nominal, hi, strict=True)]
    return sample(name, nominal, histosys(name, lo, hi))


@functools.cache
def lopsided(bent: str):
    """Some parameters are lopsided; the others act linearly, and far from bounds."""
    mu = {"name": "mu", "bounds": [[-50.0, 50.0]]}
    samples = [
        sample("signal", [10.0, 20.0, 5.0], MU),
        *(varied(name, bent) for name in SHAPES),
        sample("free", [60.0, 50.0, 40.0], modifier("shapesys", "g", [6.0, 5.0, 4.0])),
    ]
    observed = {"SR": [470.0, 433.0, 310.0]}
    return make(workspace({"SR": samples}, observed, mu))


@functools.cache
def known_minimum(bent: str):
    """The minimum in the valley of the initial values, and what is known there."""
    model, data = lopsided(bent)
    best = fit(model, data, settings=ALONE).raise_if_failed()
    objective = Objective(model.anonymous(), data.anonymous())
    own = model.parameters
    bounds = Box(jnp.asarray(own.lower), jnp.asarray(own.upper))
    at = look_around(objective, best.params, bounds, jnp.asarray(own.fixed))
    return objective, best, at, bounds


def parts(name, bent):
    """Change of the rates, cost, and direction that is held, of one parameter."""
    objective, best, at, _ = known_minimum(bent)
    index = jnp.array([lopsided(bent)[0].parameters.position(name)])
    grid = jnp.asarray(PLACES)[None]
    shift = moved_rates(at, index, grid) - at.derivatives.rates
    cost = constraint_cost(objective, index, grid)
    cost = cost - constraint_cost(objective, index, best.params[index][:, None])
    nothing = jnp.zeros((1, 0, at.root.size))
    return index, shift[0], cost[0], held_direction(at, index, nothing)


def estimated(name, bent, held=1.0):
    """Estimated heights of the places of one parameter."""
    objective, _, at, _ = known_minimum(bent)
    _, shift, cost, direction = parts(name, bent)
    wide = jnp.broadcast_to(held * direction[0], (PLACES.size, 1, at.root.size))
    return heights(objective, at, shift, cost, wide)


def profiled(bent, **grid):
    """Deviances of fits with parameters held, above that of the minimum."""
    found = profile(*lopsided(bent), grid, settings=ALONE)
    lowest = float(known_minimum(bent)[1].deviance)
    return np.asarray(found.fits.deviance) - lowest, found.fits.params


def test_rates_and_costs_of_a_parameter_alone_are_those_of_the_model():
    objective, best, _, _ = known_minimum("ab")
    for name in SHAPES:
        index, shift, cost, _ = parts(name, "ab")
        for k, place in enumerate(PLACES):
            moved = best.params.at[index[0]].set(place)
            before, after = objective.rates(best.params), objective.rates(moved)
            assert_close(shift[k], after - before, 1e-10, 1e-9)
        pulls = 0.5 * (PLACES**2 - float(best.params[index[0]]) ** 2)
        assert_close(cost, pulls, 1e-10, 1e-11)


@pytest.mark.parametrize(("name", "bent"), [("a", "a"), ("b", "b"), ("t", "")])
def test_heights_are_those_of_profile_fits(name, bent):
    """Within 2 % of the height, as long as the others follow linearly."""
    found = estimated(name, bent).value
    known, _ = profiled(bent, **{name: PLACES})
    assert known.max() > 5.0
    assert_close(found, known, 0.02, 0.01)


def test_without_holding_the_parameter_the_height_is_another():
    """It would follow against its own move: the direction that is held matters."""
    found = estimated("t", "", held=0.0).value
    known, _ = profiled("", t=PLACES)
    assert np.max(np.abs(found - known)) > 0.5


def test_heights_of_pairs_are_those_of_profile_fits():
    objective, _, at, _ = known_minimum("ab")
    (_, one, cost, held), (second, other, more, _) = (parts(n, "ab") for n in "ab")
    both = jnp.stack([held, held_direction(at, second, held[:, None])], axis=1)[0]
    shape = (PLACES.size, PLACES.size)
    shift, cost = one[:, None] + other[None], cost[:, None] + more[None]
    wide = jnp.broadcast_to(both, (*shape, *both.shape))
    found = heights(objective, at, shift, cost, wide).value
    known, _ = profiled("ab", a=PLACES, b=PLACES)
    assert_close(found, known, 0.03, 0.02)


def test_the_others_follow_to_where_profile_fits_put_them():
    _, best, at, bounds = known_minimum("a")
    moved = jnp.arange(best.params.size) == parts("a", "a")[0][0]
    following = estimated("a", "a").following
    near = jax.vmap(lambda how: follow(at, how, moved, bounds))(following)
    _, known = profiled("a", a=PLACES)
    others = ~np.asarray(moved)
    way = np.asarray(known - best.params)[:, others]
    left = np.asarray(near - known)[:, others]
    assert np.abs(way).max() > 0.3
    assert np.abs(left).max() < 0.1 * np.abs(way).max()


def test_a_parameter_on_its_bound_leaves_it_where_that_is_lower():
    """Where the systematic takes events away, the signal makes up for them."""
    mu = {"name": "mu", "bounds": [[0.0, 10.0]]}
    tilt = histosys("tilt", [70.0, 100.0, 90.0], [110.0, 100.0, 104.0])
    samples = [sample("s", [9.0, 1.0, 4.0], MU), sample("b", [90.0, 100.0, 95.0], tilt)]
    model, data = make(workspace({"SR": samples}, {"SR": [88, 100, 94]}, mu))
    own, index = model.parameters, jnp.array([model.parameters.position("tilt")])
    best = fit(model, data, settings=ALONE).raise_if_failed()
    assert best.params[model.poi] == 0.0
    objective = Objective(model.anonymous(), data.anonymous())
    bounds = Box(jnp.asarray(own.lower), jnp.asarray(own.upper))
    at = look_around(objective, best.params, bounds, jnp.zeros(2, bool))
    grid = jnp.array([[-1.5, -0.7, 0.7, 1.5]])
    shift = moved_rates(at, index, grid) - at.derivatives.rates
    cost = constraint_cost(objective, index, grid)
    cost = cost - constraint_cost(objective, index, best.params[index][:, None])
    held = held_direction(at, index, jnp.zeros((1, 0, at.root.size)))
    wide = jnp.broadcast_to(held, (*grid.shape, *held.shape))
    found = heights(objective, at, shift, cost, wide)
    known = profile(model, data, {"tilt": grid[0]}, settings=ALONE).fits
    lowest = np.asarray(known.deviance - best.deviance)
    assert_close(found.value[0], lowest, 0.02, 0.01)
    assert_close(found.following.inward[0], known.params[:, model.poi], 0.1, 0.05)
    assert known.params[0, model.poi] > 1.0
    assert known.params[3, model.poi] == 0.0


def test_holding_the_direction_of_one_parameter_is_holding_it():
    _, best, at, _ = known_minimum("a")
    one = jnp.arange(best.params.size) == parts("a", "a")[0][0]
    along, together = held_along(at, 3.0 * one), held_together(at, one)
    assert_close(along.still, together.still, 1e-6, 1e-9)  # by a difference near zero
    assert_close(along.directions, together.directions, 1e-9, 1e-12)


def test_parameters_that_are_held_along_a_direction_follow_across_it():
    """As if the rows of the directions had been projected."""
    _, best, at, _ = known_minimum("a")
    direction = jnp.linspace(-1.0, 1.0, best.params.size)
    unit = direction * jnp.sqrt(at.inverse)
    unit = unit / jnp.linalg.norm(unit)
    rows = at.directions - jnp.outer(unit, unit @ at.directions)
    known = np.linalg.inv(np.eye(at.root.size) + np.asarray(rows.T @ rows))
    rest = held_along(at, direction)
    assert_close(rest.still, known, 1e-8, 1e-10)
    assert_close(rest.directions, rows, 1e-9, 1e-12)
    assert np.max(np.abs(known - np.asarray(at.still))) > 1e-3
