"""Samples that several systematics raise together: where, and how far, by hand."""

import jax
import numpy as np
import pytest

from hfjax.model.surges import FILLED, MOST, ROOM
from tests.model.workspaces import MU, make, modifier, normsys, sample, workspace
from tests.reference.interpolation import MULTIPLICATIVE

FACTORS = (5.0, 4.0, 6.0)
STEEP = float(np.linalg.norm(np.log(FACTORS)))
FREE = modifier("normfactor", "k")


def surges(*modifiers, rare=0.25, more=(), normsys_code="code1", settings=()):
    """Surges of a model with a rare sample of these systematics, and its names."""
    control = [sample("multijet", [52.0], FREE), sample("other", [20.0 - rare])]
    control += [sample("rare", [rare], *modifiers), *more]
    region = [sample("signal", [8.0], MU), sample("multijet", [4.5], FREE)]
    document = workspace({"CR": control, "SR": region}, *settings, poi="mu")
    model, _ = make(document, normsys=normsys_code)
    return jax.tree.map(np.asarray, model.surges), model.parameters.names


def each(*factors):
    """A systematic for each factor."""
    return [normsys(f"s{i}", 1.0 / f, f) for i, f in enumerate(factors)]


def test_the_direction_is_that_of_the_logarithms():
    own, names = surges(*each(5.0, 1.0 / 4.0, 6.0))
    signs = np.array([1.0, -1.0, 1.0])
    known = dict(zip(("s0", "s1", "s2"), signs * np.log(FACTORS) / STEEP, strict=True))
    direction = dict(zip(names, own.direction[0].tolist(), strict=True))
    assert {n: direction[n] for n in known} == pytest.approx(known, rel=1e-12)
    assert all(direction[n] == 0.0 for n in set(names) - set(known))


def test_at_its_places_the_sample_adds_parts_of_the_rate_of_its_bin():
    """Of the 72 events there; exactly so where the factor is exponential."""
    own, _ = surges(*each(*FACTORS))
    places = np.log(1.0 + np.array(FILLED) * 72.0 / 0.25) / STEEP
    assert own.places[0] == pytest.approx(places, rel=1e-3)
    assert own.curve[0] == pytest.approx(np.array(FILLED) * np.sqrt(72.0), rel=1e-2)
    assert own.along[0] == pytest.approx([1.0, 0.0])


def test_polynomials_are_followed_where_the_code_has_them():
    """A factor of 10 up and of 1 down: within one unit the code is no exponential."""
    sides = [normsys(f"s{i}", 1.0, 10.0) for i in range(3)]
    own, _ = surges(*sides, normsys_code="code4")
    code = MULTIPLICATIVE["code4"]
    factor = [code(t / np.sqrt(3.0), 1.0, 10.0) ** 3 for t in own.places[0]]
    added = 0.25 * (np.array(factor) - 1.0) / 72.0
    assert added == pytest.approx(FILLED, rel=1e-2)
    exact, _ = surges(*sides)
    assert np.max(np.abs(own.places[0] - exact.places[0])) > 1e-2


def test_what_the_free_factor_makes_up_for_is_not_stiff():
    """The signal is held: the 4.5 events of the other region are what is left."""
    own, _ = surges(*each(*FACTORS))
    left = (4.5 * np.sqrt(72.0) / 52.0) ** 2 / 12.5
    assert own.stiff[0] == pytest.approx(left / (1.0 + left), rel=0.02)


@pytest.mark.parametrize(
    ("modifiers", "rare"),
    [
        (each(1.2, 1.3, 1.1), 0.25),  # not steep
        (each(5.0), 0.25),  # alone, and not too steep for a grid
        (each(*FACTORS), 15.0),  # large: it grows nearly straight
    ],
    ids=["not steep", "alone", "large"],
)
def test_others_do_not_surge(modifiers, rare):
    own, _ = surges(*modifiers, rare=rare)
    assert own.stiff.size == 0


def test_one_systematic_alone_surges_if_it_is_too_steep_for_a_grid():
    own, _ = surges(*each(44.0))
    assert own.places[0, -1] > 0.0


def test_fixed_parameters_take_no_part():
    fixed = {"name": "s1", "fixed": True}
    own, names = surges(*each(*FACTORS), settings=(fixed,))
    direction = dict(zip(names, own.direction[0].tolist(), strict=True))
    assert direction["s1"] == 0.0
    assert direction["s2"] == pytest.approx(
        np.log(6.0) / np.hypot(np.log(5.0), np.log(6.0))
    )


def test_few_are_kept_and_padded():
    more = [
        sample(f"r{i}", [0.1 + 0.01 * i], *each(5.0, 4.0 + 0.1 * i)) for i in range(9)
    ]
    own, _ = surges(*each(*FACTORS), more=more)
    assert own.stiff.size == MOST
    assert np.all(own.places[:, -1] > 0.0)
    one, _ = surges(*each(*FACTORS))
    assert one.stiff.size == ROOM
    assert not one.direction[1:].any()
    assert not one.places[1:].any()
