"""Interpolation codes against the slow reference, and what must hold at the seams."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from hfjax.model.interpolation import (
    ADDITIVE_BASES,
    MULTIPLICATIVE_EDGES,
    code4_coefficients,
    derivatives,
    polynomial,
    polynomial_derivatives,
    safe_log,
)
from hfjax.model.modifiers import NormSys
from tests.reference import interpolation as slow

SEAMS = [-1.0, 0.0, 1.0, math.nextafter(1, 0), math.nextafter(-1, -2)]
ALPHA = st.one_of(st.floats(-5, 5), st.sampled_from(SEAMS))
YIELD = st.floats(-10, 1000)
FACTOR = st.floats(0.01, 5)
NOMINAL = 10.0

relaxed = settings(deadline=None)  # the first example compiles

each_additive = pytest.mark.parametrize("code", list(ADDITIVE_BASES))
each_multiplicative = pytest.mark.parametrize("code", list(MULTIPLICATIVE_EDGES))
each_side = pytest.mark.parametrize("side", [-1.0, 1.0])


@functools.partial(jax.jit, static_argnums=0)
def shift(code, alpha, lo, hi):
    """What one histosys adds to a yield."""
    alpha = jnp.asarray(alpha, float)
    odd, even = (hi - lo) / 2, (hi + lo) / 2 - NOMINAL
    return odd * alpha + even * ADDITIVE_BASES[code](alpha)


def normsys(code, lo, hi):
    """One normsys of one sample in one channel."""
    hi, lo = np.array([float(hi)]), np.array([float(lo)])
    first, cell = np.zeros(1, np.int32), np.zeros((1, 1, 1), np.int32)
    coefficients = code4_coefficients(hi, lo)
    logs = safe_log(hi), safe_log(lo)
    places = first, first, first, cell, cell
    return NormSys(*places, coefficients, *logs, code, False)


@jax.jit
def factor(modifier, alpha):
    """Its factor; one compilation for each code."""
    return modifier.factor(jnp.asarray(alpha, float)[None])[0, 0]


slope = jax.jit(jax.grad(factor, 1))
bend = jax.jit(jax.grad(jax.grad(factor, 1), 1))


# -- against the reference, everywhere --------------------------------------------


@each_additive
@relaxed
@given(alpha=ALPHA, lo=YIELD, hi=YIELD)
def test_additive_codes_agree_with_the_reference(code, alpha, lo, hi):
    found = shift(code, alpha, lo, hi)
    known = slow.ADDITIVE[code](alpha, lo, NOMINAL, hi)
    # Terms of the size of (hi, lo, nominal) * alpha cancel: a few ulp of the largest.
    size = (1 + abs(alpha)) * max(abs(lo), abs(hi), NOMINAL)
    assert float(found) == pytest.approx(known, rel=1e-12, abs=1e-12 * size)


@each_multiplicative
@relaxed
@given(alpha=ALPHA, lo=FACTOR, hi=FACTOR)
def test_multiplicative_codes_agree_with_the_reference(code, alpha, lo, hi):
    found = factor(normsys(code, lo, hi), alpha)
    # the reference solves for the coefficients of code 4: 1e-12, where terms cancel
    known = slow.MULTIPLICATIVE[code](alpha, lo, hi)
    assert float(found) == pytest.approx(known, rel=1e-11, abs=1e-11)


@relaxed
@given(lo=FACTOR, hi=FACTOR)
def test_code4_coefficients_solve_the_matching_equations(lo, hi):
    found = code4_coefficients(np.array(hi), np.array(lo))
    known = slow.code4_coefficients(lo, hi)
    np.testing.assert_allclose(found, known, rtol=1e-11, atol=1e-10)


# -- values of pyhf 0.7.6, nominal 10 ---------------------------------------------

ALPHAS = (-2.0, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 2.0)
CODE4 = (6.4, 8, 8.922758384262899, 10, 10.653005984783917, 11.382825993648467)
CODE4P = (6, 8, 8.9482421875, 10, 10.681198120117188, 11.4482421875)


def test_code4_values():
    found = [10 * float(factor(normsys("code4", 0.8, 1.3), a)) for a in ALPHAS]
    np.testing.assert_allclose(found, [*CODE4, 13, 16.9], rtol=1e-12)


def test_code4p_values():
    found = [10 + float(shift("code4p", a, 8, 13)) for a in ALPHAS]
    np.testing.assert_allclose(found, [*CODE4P, 13, 16], rtol=1e-12)


# -- seams ------------------------------------------------------------------------


@each_multiplicative
@pytest.mark.parametrize(("lo", "hi"), [(0.8, 1.3), (1.2, 0.7), (0.2, 4.0), (0, 1.5)])
def test_t16_factors_at_the_variations_are_the_variations(code, lo, hi):
    modifier = normsys(code, lo, hi)
    found = [float(factor(modifier, alpha)) for alpha in (-1.0, 0.0, 1.0)]
    np.testing.assert_allclose(found, [lo, 1.0, hi], rtol=1e-12, atol=1e-15)


@each_additive
def test_t16_shifts_at_the_variations_are_the_variations(code):
    found = [float(shift(code, a, 7.0, 15.0)) for a in (-1.0, 0.0, 1.0)]
    assert found == [-3.0, 0.0, 5.0]


@each_side
@pytest.mark.parametrize(("lo", "hi"), [(0.8, 1.3), (1.2, 0.7), (0.2, 4.0)])
def test_t16_code4_has_two_continuous_derivatives(side, lo, hi):
    modifier, step = normsys("code4", lo, hi), 1e-9
    for function in (factor, slope, bend):
        inside, at, outside = (
            float(function(modifier, side * x)) for x in (1 - step, 1, 1 + step)
        )
        # a step of 1e-9 in alpha changes each by 1e-9 of the next derivative
        assert inside == pytest.approx(at, rel=1e-6)
        assert outside == pytest.approx(at, rel=1e-6)


@each_side
@pytest.mark.parametrize(("code", "orders"), [("code2", 2), ("code4p", 3)])
def test_t16_additive_codes_are_smooth(code, orders, side):
    def moved(x):
        return derivatives(lambda a: shift(code, a, 7.0, 15.0), jnp.array(side * x))

    for before, at, after in list(
        zip(*map(moved, (1 - 1e-9, 1.0, 1 + 1e-9)), strict=True)
    )[:orders]:
        assert float(before) == pytest.approx(float(at), abs=1e-7)
        assert float(after) == pytest.approx(float(at), abs=1e-7)


@each_multiplicative
@each_side
def test_t16_gradient_of_factors_at_the_seams(code, side):
    lo, hi = 0.8, 1.3
    known = hi * math.log(hi) if side > 0 else -lo * math.log(lo)
    assert float(slope(normsys(code, lo, hi), side)) == pytest.approx(known, rel=1e-12)


@each_additive
@pytest.mark.parametrize("alpha", [-1.0, 0.0, 1.0])
def test_t16_gradient_of_shifts_at_the_seams(code, alpha):
    """The derivative; where code 0 has a kink, that of one side."""
    step = 1e-6
    found = float(jax.grad(lambda a: shift(code, a, 7.0, 15.0))(alpha))
    at, up, down = (
        float(shift(code, alpha + s, 7.0, 15.0)) for s in (0.0, step, -step)
    )
    sides = [(at - down) / step, (up - at) / step]
    assert min(sides) - 1e-5 < found < max(sides) + 1e-5


def test_t16_code2_is_continuous_as_in_root():
    """pyhf 0.7.6 jumps at |alpha| = 1: from 1.0 to 0.001 with these numbers."""
    below, above = (float(shift("code2", a, 9.0, 11.0)) for a in (1.0, 1.001))
    assert below == 1.0
    assert above == pytest.approx(1.001, abs=1e-12)


# -- variations at zero -----------------------------------------------------------


@each_multiplicative
@pytest.mark.parametrize(("lo", "hi"), [(0.0, 1.3), (1.3, 0.0), (0.0, 0.0)])
@pytest.mark.parametrize("alpha", [-5.0, -1.0, -0.999, 0.0, 0.5, 1.0, 5.0])
def test_t1_a_variation_of_zero_is_finite(code, lo, hi, alpha):
    modifier = normsys(code, lo, hi)
    known = slow.MULTIPLICATIVE[code](alpha, lo, hi)
    assert float(factor(modifier, alpha)) == pytest.approx(known, rel=1e-11, abs=1e-12)
    assert math.isfinite(slope(modifier, alpha))
    assert math.isfinite(bend(modifier, alpha))


@relaxed
@given(alpha=st.floats(-0.99, 0.99), lo=st.sampled_from([0.0, 0.7]))
def test_t1_gradients_between_the_variations(alpha, lo):
    modifier, step = normsys("code4", lo, 1.3), 1e-5
    up, down = (float(factor(modifier, alpha + s)) for s in (step, -step))
    found = float(slope(modifier, alpha))
    # central differences: 1e-10 * third derivative, and rounding of 1e-16 / 1e-5
    assert found == pytest.approx((up - down) / (2 * step), rel=1e-7, abs=1e-7)


# -- pieces -----------------------------------------------------------------------


def test_derivatives_of_a_polynomial_are_those_of_automatic_differentiation():
    coefficients = code4_coefficients(np.array([1.3, 0.0]), np.array([0.7, 2.0]))
    alpha = jnp.array([0.3, -0.8])
    found = polynomial_derivatives(alpha, coefficients)
    known = derivatives(lambda a: polynomial(a, coefficients), alpha)
    np.testing.assert_allclose(np.stack(found), np.stack(known), rtol=1e-12)


def test_logarithm_of_zero_is_finite_and_its_exponential_is_zero():
    (found,) = safe_log(np.array([0.0]))
    assert math.isfinite(found)
    assert math.exp(found) == 0.0
