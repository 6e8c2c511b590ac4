"""Expected events in plain Python are those of the model."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hfjax.building.build import build
from hfjax.documents.check.rates import (
    code4_coefficients,
    code4_lowest,
    code4_polynomial,
    histosys_shift,
    normsys_factor,
    starting_sample,
)
from hfjax.documents.parameters.parameter_sets import parameter_groups
from hfjax.documents.workspace.workspace import Workspace
from hfjax.model.interpolation import code4_coefficients as model_coefficients
from tests.documents.check.faults import clean
from tests.reference import interpolation

FACTORS = st.one_of(st.just(0.0), st.floats(1e-3, 300.0))
ALPHAS = st.floats(-4.0, 4.0)


@given(FACTORS, FACTORS)
def test_coefficients_of_code4_are_those_of_the_model(lo, hi):
    expected = model_coefficients(np.array(hi), np.array(lo))
    scale = np.abs(expected).max()
    np.testing.assert_allclose(
        code4_coefficients(lo, hi), expected, rtol=0, atol=1e-13 * (1.0 + scale)
    )


@given(st.floats(1e-2, 50.0), st.floats(1e-2, 50.0), ALPHAS)
def test_factors_of_normsys_are_those_of_the_reference(lo, hi, alpha):
    expected = interpolation.MULTIPLICATIVE["code4"](alpha, lo, hi)
    scale = max(1.0, lo, hi) * 100
    assert normsys_factor(lo, hi, alpha) == pytest.approx(
        expected, rel=1e-12, abs=1e-13 * scale
    )


@given(*[st.floats(-10.0, 10.0)] * 3, ALPHAS)
def test_shifts_of_histosys_are_those_of_the_reference(lo, nominal, hi, alpha):
    expected = interpolation.ADDITIVE["code4p"](alpha, lo, nominal, hi)
    found = histosys_shift(lo, nominal, hi, alpha)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_factors_at_the_edges():
    assert normsys_factor(0, 2, -1.5) == 0.0
    assert normsys_factor(1, 1e300, 2) == math.inf
    assert math.isnan(normsys_factor(-0.1, 2, 0.5))
    assert normsys_factor(0.8, 1.3, 1) == 1.3
    assert normsys_factor(0.8, 1.3, -1) == 0.8


@given(FACTORS, FACTORS)
def test_the_lowest_value_is_the_lowest_of_the_polynomial(lo, hi):
    place, value = code4_lowest(lo, hi)
    coefficients = code4_coefficients(lo, hi)
    assert value == code4_polynomial(coefficients, place)
    for alpha in np.linspace(-1, 1, 21):
        assert value <= code4_polynomial(coefficients, float(alpha)) + 1e-9


VALUES = {
    "shape": (0.7,),
    "lumi": (1.01,),
    "k": (1.2,),
    "mu": (0.4,),
    "scale": (-1.6,),
    "free": (0.5, 1.5),
    "fakes_SR": (1.3, 0.9),
    "stat_CR": (0.95, 1.1),
    "stat_SR": (1.05, 0.8),
}


@pytest.mark.parametrize("moved", [None, *VALUES])
def test_rates_are_those_of_the_model(moved):
    """Where a fit starts, and with one parameter moved from there."""
    document = clean()
    document["measurements"][0]["config"]["parameters"] += [
        {"name": "k", "inits": [1.5]},
        {"name": "shape", "inits": [-0.3]},
        {"name": "scale", "inits": [0.4]},
        {"name": "free", "inits": [0.7, 1.1]},
        {"name": "stat_CR", "inits": [0.9, 1.1]},
    ]
    workspace = Workspace.parse(document)
    model, _ = build(workspace)
    named = {moved: VALUES[moved]} if moved else {}
    expected = np.asarray(model.expected_rates(model.parameters.pack(named)))
    measurement = workspace.measurement()
    groups = {g.name: g for g in parameter_groups(workspace, measurement)}
    start = 0
    for name, width in zip(model.names.channels, model.names.bins, strict=True):
        channel = workspace.channel(name)
        for sample in channel.samples:
            row = model.names.samples.index(sample.name)
            found = starting_sample(channel, sample, groups)
            rates = found.rates(moved, VALUES[moved]) if moved else found.rates()
            np.testing.assert_allclose(
                rates, expected[row, start : start + width], rtol=1e-14, atol=0
            )
        start += width
