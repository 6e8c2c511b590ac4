"""Samples that several systematics raise together: where, and how far, by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.surges import FACTORS, MOST, ROOM
from hfjax.fitting.valleys.surges import surge_sizes
from tests.reference.interpolation import MULTIPLICATIVE
from tests.workspaces import MU, make, modifier, normsys, sample, workspace

THREE = (5.0, 4.0, 6.0)
FREE = modifier("normfactor", "k")


def surges(*modifiers, rare=0.25, more=(), normsys_code="code1", settings=()):
    """Surges of a model with a rare sample of these systematics, and its names."""
    control = [sample("multijet", [52.0], FREE), sample("other", [20.0 - rare])]
    control += [sample("rare", [rare], *modifiers), *more]
    region = [sample("signal", [8.0], MU), sample("multijet", [4.5], FREE)]
    document = workspace({"CR": control, "SR": region}, None, *settings, poi="mu")
    model, _ = make(document, normsys=normsys_code)
    return jax.tree.map(np.asarray, model.surges), model.parameters.names


def each(*factors):
    """A systematic for each factor."""
    return [normsys(f"s{i}", 1.0 / f, f) for i, f in enumerate(factors)]


def test_the_steepest_factors_come_first():
    own, names = surges(*each(5.0, 1.0 / 4.0, 6.0))
    found = [names[i] for i in own.index[own.member == 0]]
    assert found == ["s2", "s0", "s1"]
    assert own.log_hi[:3] == pytest.approx(np.log([6.0, 5.0, 0.25]))
    assert own.log_lo[:3] == pytest.approx(-np.log([6.0, 5.0, 0.25]))
    assert own.index.shape == (FACTORS,)
    assert own.size.shape == (ROOM,)


def test_sizes_are_in_standard_deviations_of_the_counts():
    """A quarter of an event among 72, at the initial values and away from them."""
    own, names = surges(*each(*THREE))
    assert own.along[0] == pytest.approx([1.0, 0.0])
    assert own.size[0] == pytest.approx(0.25 / np.sqrt(72.0))
    params = jnp.zeros(len(names)).at[names.index("s2")].set(1.5)
    sizes = np.asarray(surge_sizes(own, params))
    assert sizes[0] == pytest.approx(0.25 / np.sqrt(72.0) * 6.0**1.5)
    assert not sizes[1:].any()


@pytest.mark.parametrize("code", ["code1", "code4"])
@pytest.mark.parametrize("alpha", [-1.7, -0.4, 0.0, 0.6, 2.5])
def test_sizes_follow_the_interpolation_code(code, alpha):
    """A factor of 10 up and of 1 down, three times."""
    sides = [normsys(f"s{i}", 1.0, 10.0) for i in range(3)]
    own, names = surges(*sides, normsys_code=code)
    params = jnp.where(jnp.array([n.startswith("s") for n in names]), alpha, 0.0)
    factor = MULTIPLICATIVE[code](alpha, 1.0, 10.0) ** 3
    known = 0.25 / np.sqrt(72.0) * factor
    assert np.asarray(surge_sizes(own, params))[0] == pytest.approx(known, rel=1e-9)


def test_what_the_free_factor_makes_up_for_is_not_stiff():
    """The signal is held: the 4.5 events of the other region are what is left."""
    own, _ = surges(*each(*THREE))
    left = (4.5 * np.sqrt(72.0) / 52.0) ** 2 / 12.5
    assert own.stiff[0] == pytest.approx(left / (1.0 + left), rel=0.02)


@pytest.mark.parametrize(
    ("modifiers", "rare"),
    [
        (each(1.2, 1.3, 1.1), 0.25),  # not steep
        (each(5.0), 0.25),  # alone, and not too steep for a grid
        (each(*THREE), 15.0),  # large: it grows nearly straight
    ],
    ids=["not steep", "alone", "large"],
)
def test_others_do_not_surge(modifiers, rare):
    own, _ = surges(*modifiers, rare=rare)
    assert own.stiff.size == 0


def test_one_systematic_alone_surges_if_it_is_too_steep_for_a_grid():
    own, _ = surges(*each(44.0))
    assert own.size[0] > 0.0


def test_fixed_parameters_take_no_part():
    fixed = {"name": "s1", "fixed": True}
    own, names = surges(*each(*THREE), settings=(fixed,))
    found = [names[i] for i in own.index[own.member == 0]]
    assert found == ["s2", "s0"]


def test_few_are_kept_and_padded():
    more = [
        sample(f"r{i}", [0.1 + 0.01 * i], *each(5.0, 4.0 + 0.1 * i)) for i in range(9)
    ]
    own, _ = surges(*each(*THREE), more=more)
    assert own.stiff.size == MOST
    assert np.all(own.size > 0.0)
    one, names = surges(*each(*THREE))
    assert one.stiff.size == ROOM
    assert not one.size[1:].any()
    assert np.all(one.index[one.member == ROOM] == len(names))
    assert np.sum(one.member == 0) == len(THREE)
