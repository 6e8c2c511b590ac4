"""Samples that systematics turn negative, turned back by the factors that scale them.

A rare sample that two steep systematics may turn negative, whose number is free and is
measured in a control region. The lowest physical minimum has a little less than none of
it, and the systematics raise that: what the bounds of the factor allow.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.fitting.best_fit import fixed_poi_fit
from hfjax.fitting.box import Box, Domain
from hfjax.fitting.status import FitSettings
from hfjax.fitting.valleys.physical import is_physical
from hfjax.fitting.valleys.reversal import (
    A_LITTLE,
    REACH,
    SCATTER,
    SCATTERED,
    may_turn,
    other_sides,
    reversed_factors,
    scattered_starts,
    turned_by,
    turning_slope,
)
from tests.workspaces import MU, make, modifier, normsys, sample, shapesys, workspace

pytestmark = pytest.mark.slow

LOWEST_PHYSICAL = 21.34493009746489
"""By L-BFGS-B from 150 starts, and Nelder-Mead, in `tests.reference.histfactory`."""
UNPHYSICAL = 20.434348349929238
STEEP = [(0.02, 50.0), (0.03, 30.0), (0.3, 3.0), (0.4, 2.5)]


@pytest.fixture(scope="module")
def turning():
    free = modifier("normfactor", "k")
    systematics = [normsys(f"s{i}", *sides) for i, sides in enumerate(STEEP)]
    control = [
        sample("rare", [10.0], free),
        sample("other", [15.0], normsys("o", 0.8, 1.2)),
    ]
    region = [
        sample("signal", [6.0], MU),
        sample("rare", [0.1], free, *systematics),
        sample("other", [3.0], normsys("p", 0.7, 1.3)),
    ]
    wide = {"name": "k", "bounds": [[-5, 10]], "inits": [1.0]}
    seen = {"CR": [20], "SR": [2]}
    return make(workspace({"CR": control, "SR": region}, seen, wide))


def test_the_physical_minimum_beyond_zero_is_found(turning):
    model, data = turning
    found = fixed_poi_fit(model, data, 1.0)
    assert found.converged
    assert found.physical
    assert float(found.twice_nll) == pytest.approx(LOWEST_PHYSICAL, abs=1e-8)
    assert float(found.params[model.parameters.position("k")]) < 0.0
    passed = float(found.passed + found.twice_nll - found.deviance)
    assert passed == pytest.approx(UNPHYSICAL, abs=1e-8)


def test_any_valley_is_the_unphysical_one(turning):
    model, data = turning
    found = fixed_poi_fit(model, data, 1.0, settings=FitSettings(valleys="any"))
    assert float(found.twice_nll) == pytest.approx(UNPHYSICAL, abs=1e-8)
    assert not is_physical(model, found.params)


def test_only_free_factors_of_turned_samples_turn_back(turning):
    model, data = turning
    own = model.parameters
    found = fixed_poi_fit(model, data, 1.0, settings=FitSettings(valleys="any"))
    slope = turning_slope(model, found.params)
    turned = np.asarray(turned_by(model, slope, own.fixed))
    assert np.flatnonzero(turned).tolist() == [own.position("k")]
    assert not turned_by(model, slope, jnp.ones_like(own.fixed)).any()
    assert not turned_by(model, turning_slope(model, own.init), own.fixed).any()


@pytest.mark.parametrize(("lower", "known"), [(-5.0, A_LITTLE * 2.0), (0.0, 0.0)])
def test_they_are_held_at_a_little_of_the_other_sign_or_on_their_bound(lower, known):
    bounds = Box(jnp.array([lower, -5.0]), jnp.array([10.0, 5.0]))
    domain = Domain(bounds, jnp.zeros(2, bool))
    moved = reversed_factors(jnp.array([2.0, 1.0]), jnp.array([True, False]), domain)
    assert moved.tolist() == pytest.approx([known, 1.0])


def test_other_starts_are_on_the_other_side_of_the_initial_values(turning):
    """First those that turn the sample, then all that may make valleys."""
    model, data = turning
    own = model.parameters
    settings = FitSettings(valleys="any")
    params = fixed_poi_fit(model, data, 1.0, settings=settings).params
    domain = Domain(Box(own.lower, own.upper), own.fixed)
    first, second = other_sides(model, params, turning_slope(model, params), domain)
    moved = np.flatnonzero(first != params)
    names = {own.names[i] for i in moved}
    assert names
    assert names <= {"s0", "s1", "s2", "s3", "k"}  # those of the rare sample
    other = 2.0 * np.asarray(own.init) - np.asarray(params)
    assert np.asarray(first)[moved] == pytest.approx(other[moved])
    assert np.asarray(second) == pytest.approx(np.asarray(params))  # none is lopsided


def test_all_lopsided_systematics_change_sides(turning):
    model, _ = turning
    index = jnp.array([model.parameters.position("o")], jnp.int32)
    lopsided = eqx.tree_at(lambda m: m.lopsided.index, model, index)
    own = model.parameters
    params = jnp.asarray(own.init) + 0.5
    domain = Domain(Box(own.lower, own.upper), own.fixed)
    second = other_sides(lopsided, params, jnp.zeros_like(params), domain)[1]
    moved = np.flatnonzero(second != params)
    assert [own.names[i] for i in moved] == ["o"]
    assert second[moved] == pytest.approx(-0.5)


def test_only_histosys_and_normsys_turn_samples(turning):
    assert may_turn(turning[0])
    assert not may_turn(build(shapesys([1.0], [9.0], [2.0], [9.0]))[0])


def test_scattered_starts_fill_their_ranges_and_keep_to_the_box(turning):
    model, _ = turning
    own = model.parameters
    init, held = np.asarray(own.init), own.position("o")
    fixed = jnp.asarray(own.fixed).at[held].set(True)
    domain = Domain(Box(own.lower, own.upper), fixed)
    end = jnp.asarray(init) + 0.25
    starts = np.asarray(scattered_starts(model, end, domain))
    assert len(starts) == SCATTERED
    assert (starts[:, held] == init[held] + 0.25).all()
    assert (starts >= own.lower).all()
    assert (starts <= own.upper).all()
    apart = np.delete(starts - init, held, axis=1) / REACH[:, None]
    parts = (2.0 * np.arange(SCATTERED) + 1.0) / SCATTERED - 1.0
    inside = ~np.isin(np.delete(own.names, held), ["mu", "k"])
    every = np.sort(apart, axis=0)[:, inside] / SCATTER[0]
    assert every == pytest.approx(np.tile(parts[:, None], inside.sum()))
    distinct = np.abs(starts[:, None] - starts).max(axis=2) + np.eye(SCATTERED)
    assert (distinct > 0.3).all()
