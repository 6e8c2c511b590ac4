"""Which minima are physical: samples turned negative, and by what."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.workspace.workspace import Workspace
from hfjax.fitting.best_fit import fit
from hfjax.fitting.status import FitSettings
from hfjax.fitting.valleys.physical import (
    TURNED_EVENTS,
    TURNED_PART,
    is_better,
    is_physical,
    unphysical_rates,
)
from hfjax.model.settings import ModelSettings
from tests.assertions import assert_close
from tests.workspaces import histosys, make, modifier, normsys, sample, workspace

K = {"name": "k", "bounds": [[-10.0, 10.0]]}


def model_of(odd, rest: float, **settings):
    """A bin with an odd sample beside a plain one of so many events."""
    samples = [odd, sample("rest", [rest])]
    counts = {"SR": [max(1.0, rest)]}
    parsed = Workspace.parse(workspace({"SR": samples}, counts, K, poi=""))
    model, _ = build(parsed, settings=ModelSettings(**settings))
    return model


def turned(model, **values: float) -> list[float]:
    """Unphysical events of the odd sample and the other, at values of parameters."""
    params = jnp.asarray(model.parameters.pack(values))
    found = np.asarray(unphysical_rates(model, params))
    assert bool(is_physical(model, params)) == (not found.any())
    (odd,) = (model.names.samples.index(name) for name in ("odd",))
    return [float(found[odd, 0]), float(found[1 - odd, 0])]


FACTOR = modifier("normfactor", "k")


def test_a_sample_that_is_negative_by_nominal_is_meant_so():
    model = model_of(sample("odd", [-20.0]), 50.0)
    assert turned(model) == [0.0, 0.0]


def test_a_sample_that_a_normfactor_makes_negative_is_meant_so():
    model = model_of(sample("odd", [10.0], FACTOR), 50.0)
    assert turned(model, k=-2.0) == [0.0, 0.0]


def test_a_normsys_polynomial_below_zero_is_no_physics():
    """Code 4 of factors 0.01 and 30 is negative from -0.85 to -0.30."""
    model = model_of(sample("odd", [100.0], normsys("a", 0.01, 30.0)), 100.0)
    rate, other = turned(model, a=-0.6)
    factor = float(model.expected_rates(model.parameters.pack({"a": -0.6}))[0, 0])
    assert rate == pytest.approx(factor, rel=1e-12)
    assert rate < -10.0
    assert other == 0.0
    assert turned(model, a=-0.2) == turned(model, a=-0.9) == [0.0, 0.0]


def test_a_product_of_two_negative_polynomials_has_turned_nothing():
    both = normsys("a", 0.01, 30.0), normsys("b", 0.01, 30.0)
    model = model_of(sample("odd", [100.0], *both), 100.0)
    assert turned(model, a=-0.6, b=-0.6) == [0.0, 0.0]
    assert turned(model, a=-0.6)[0] < 0.0


def test_a_normfactor_does_not_undo_what_a_normsys_has_turned():
    odd = sample("odd", [100.0], normsys("a", 0.01, 30.0), FACTOR)
    rate, _ = turned(model_of(odd, 100.0), a=-0.6, k=-1.0)
    assert rate > 10.0


def test_a_histosys_beyond_zero_is_no_physics():
    """20 events that lose 8 for each unit: at 4 units they are -12 of 38."""
    model = model_of(sample("odd", [20.0], histosys("a", [28.0], [12.0])), 50.0)
    assert turned(model, a=4.0) == [pytest.approx(-12.0, rel=1e-12), 0.0]
    assert turned(model, a=2.4) == [0.0, 0.0]


def test_a_negative_sample_that_a_histosys_makes_positive_is_turned():
    model = model_of(sample("odd", [-20.0], histosys("a", [-28.0], [-12.0])), 50.0)
    assert turned(model, a=4.0) == [pytest.approx(12.0, rel=1e-12), 0.0]


@pytest.mark.parametrize(("part", "physical"), [(0.98, True), (1.02, False)])
def test_a_tenth_of_a_bin_may_be_missing(part, physical):
    """``-x`` of ``rest - x`` events is the allowed part at ``x = rest / 11``."""
    missing = part * 55.0 * TURNED_PART / (1.0 + TURNED_PART)
    model = model_of(sample("odd", [10.0], histosys("a", [20.0], [0.0])), 55.0)
    rate, _ = turned(model, a=1.0 + missing / 10.0)
    assert (rate == 0.0) == physical
    assert missing > TURNED_EVENTS


@pytest.mark.parametrize(("part", "physical"), [(0.98, True), (1.02, False)])
def test_a_tenth_of_an_event_may_be_missing(part, physical):
    """Whatever part of its bin that is: here most of it."""
    missing = part * TURNED_EVENTS
    model = model_of(sample("odd", [0.2], histosys("a", [0.4], [0.0])), 0.15)
    rate, _ = turned(model, a=1.0 + missing / 0.2)
    assert (rate == 0.0) == physical
    assert missing > TURNED_PART * 0.15


def test_products_that_are_kept_positive_turn_nothing():
    odd = sample("odd", [100.0], normsys("a", 0.01, 30.0))
    model = model_of(odd, 100.0, positive=True)
    assert turned(model, a=-0.6) == [0.0, 0.0]


# -- which minimum is chosen -------------------------------------------------------


LEFT = (-1030.0 + math.sqrt(1030.0**2 - 4.0 * 30.0 * 1500.0)) / 60.0
"""``a = -30 (1 - 80 / nu)``, ``nu = 130 + 30 a``."""
RIGHT = (230.0 - math.sqrt(230.0**2 - 4.0 * 10.0 * 500.0)) / 20.0
"""``a = 10 (1 - 80 / nu)``, ``nu = 130 - 10 a``."""


def two_ways_down():
    """Fewer events than expected, and a systematic that takes some on both sides.

    Most of them where the odd sample is negative, at -1.5; at 2.4 it is positive.
    """
    odd = sample("odd", [30.0], histosys("a", [0.0], [20.0]))
    channels = {"SR": [sample("b", [100.0]), odd]}
    return make(workspace(channels, {"SR": [80]}, poi=""))


@pytest.mark.slow
def test_the_lowest_is_physical_and_says_what_it_passed_over():
    model, data = two_ways_down()
    lowest, anything = (
        fit(model, data, settings=FitSettings(valleys=valleys)).raise_if_failed()
        for valleys in ("lowest", "any")
    )
    assert float(lowest.params[0]) == pytest.approx(RIGHT, abs=1e-6)
    assert is_physical(model, lowest.params)
    assert lowest.physical
    assert float(anything.params[0]) == pytest.approx(LEFT, abs=1e-6)
    assert not is_physical(model, anything.params)
    assert anything.deviance < lowest.deviance - 1.0
    assert_close(lowest.passed, anything.deviance, 0, 1e-8)
    assert_close(lowest.passed_params, anything.params, 0, 1e-5)


@pytest.mark.slow
def test_nothing_was_passed_over_where_all_is_physical():
    channels = {"SR": [sample("b", [100.0], normsys("a", 0.9, 1.1))]}
    found = fit(*make(workspace(channels, {"SR": [90]}, poi="")))
    assert found.physical
    assert found.passed == np.inf
    assert_close(found.initial, found.deviance, 0, 1e-10)
    assert_close(found.initial_params, found.params, 0, 1e-7)


# -- which of two minima is preferred ----------------------------------------------


@pytest.mark.parametrize(
    ("new", "old", "preferred"),
    [
        ((9.0, True), (4.0, False), True),
        ((31.0, True), (4.0, False), False),
        ((5.5, False), (950.0, True), True),
        ((4.0, False), (9.0, True), False),
        ((410.0, True), (350.0, False), True),
        ((3.0, True), (4.0, True), True),
        ((5.0, True), (4.0, True), False),
        ((4.0, True), (np.inf, False), True),
        ((3.0, True), (4.0, False), True),
    ],
)
def test_a_physical_minimum_that_is_far_above_is_no_alternative(new, old, preferred):
    """Toys of staus have one at a deviance of 950 beside an unphysical one at 5.5."""
    (value, physical), (known, was) = new, old
    found = is_better(
        (jnp.array(value), jnp.array(physical)),
        (jnp.array(known), jnp.array(was)),
        jnp.array(value < known),
    )
    assert bool(found) == preferred
