"""Logarithms of normal tails against decimal arithmetic, from 0 to 1000 sigma."""

import decimal
from decimal import Decimal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.inference.normal_tail import (
    CHEBYSHEV,
    log_mills_ratio,
    log_normal_tail,
    log_tail_ratio,
)
from tests.reference.asymptotics import PI, continued_fraction, upper_tail

POINTS = (*np.linspace(-8, 8, 41), 0.1, 12.3, 19.9, 20.1, 38.6, 44.7, 100.0, 1000.0)


@pytest.fixture(autouse=True)
def _wide_decimals():
    with decimal.localcontext() as context:
        context.prec, context.Emin, context.Emax = 50, -(10**9), 10**9
        yield


def exact_mills(x):
    if x < 4:
        return upper_tail(x) * (2 * PI).sqrt() * (x * x / 2).exp()
    return 1 / continued_fraction(x)


@pytest.mark.parametrize("x", [x for x in POINTS if x >= 0])
def test_mills_ratio_to_rounding(x):
    exact = exact_mills(Decimal(float(x))).ln()
    found = float(log_mills_ratio(jnp.asarray(x)))
    assert found == pytest.approx(float(exact), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("x", POINTS)
def test_log_tail_to_rounding(x):
    exact = float(upper_tail(Decimal(float(x))).ln())
    # abs: for x < 0 the tail is nearly 1, its logarithm nearly 0, but relatively exact
    assert float(log_normal_tail(jnp.asarray(x))) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("x", [-3.0, -0.1, 0.0, 0.1, 2.0, 30.0, 300.0])
@pytest.mark.parametrize("shift", [0.0, 1e-9, 0.3, 2.0, 40.0])
def test_tail_ratio(x, shift):
    above, below = upper_tail(Decimal(x) + Decimal(shift)), upper_tail(Decimal(x))
    exact = float((above / below).ln())
    got = float(log_tail_ratio(jnp.asarray(x), jnp.asarray(shift)))
    # The ratio itself to 1e-12 where it is a normal float64 (log above -708).
    assert got == pytest.approx(exact, rel=1e-13, abs=1e-12)


@pytest.mark.parametrize("x", [-30.0, -5.0, -1e-3, 0.0, 1e-3, 5.0, 50.0, 500.0])
def test_slopes_are_minus_the_inverse_mills_ratio(x):
    tail = upper_tail(Decimal(x))
    density = (-Decimal(x) * Decimal(x) / 2).exp() / (2 * PI).sqrt()
    exact = -float(density / tail)
    assert float(jax.grad(log_normal_tail)(x)) == pytest.approx(exact, rel=1e-11)
    assert jnp.isfinite(jax.grad(jax.grad(log_normal_tail))(x))


def test_both_sides_have_finite_slopes_at_zero_distance():
    slopes = jax.grad(log_tail_ratio, argnums=(0, 1))(0.0, 0.0)
    np.testing.assert_allclose(slopes, (0.0, -np.sqrt(2 / np.pi)), rtol=1e-12)


def cosine(x):
    """Cosine of a decimal number, by its series."""
    term = total = Decimal(1)
    for k in range(2, 400, 2):
        term *= -x * x / (k * (k - 1))
        total += term
    return total


@pytest.mark.long
def test_the_chebyshev_coefficients_computed_anew():
    n = 48
    cosines = [cosine(PI * i / (2 * n)) for i in range(4 * n)]
    values = []
    for j in range(n):
        t = cosines[2 * j + 1]
        x = 5 * (1 + t) / (1 - t)
        values.append((1 + x) * exact_mills(x))
    for m, coefficient in enumerate(CHEBYSHEV):
        anew = sum(values[j] * cosines[m * (2 * j + 1) % (4 * n)] for j in range(n)) / (
            n if m == 0 else Decimal(n) / 2
        )
        assert float(anew) == pytest.approx(coefficient, rel=1e-11, abs=1e-17)
