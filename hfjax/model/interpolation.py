"""Interpolation codes: how a systematic moves a template between its variations.

A systematic is known at three values of its nuisance parameter ``alpha``: -1 (``lo``),
0 (nominal) and +1 (``hi``). HistFactory's codes say what happens in between and
beyond. Additive codes (histosys) all have the form

    delta(alpha) = odd * alpha + even * h(alpha),
    odd = (hi - lo) / 2,  even = (hi + lo) / 2 - nominal,

and differ in the basis function ``h`` alone. Multiplicative codes (normsys) are
exponential in ``alpha``, code 4 with a polynomial of degree six inside [-1, 1].

Source: CERN-OPEN-2012-016 (HistFactory), section 4.1.2; ROOT's ``MathFuncs.h``.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hfjax.arrays import Array

Elementwise = Callable[[Array], Array]

# Stands for log(0): finite, so that 0 * derivative stays 0, and low enough that its
# exponential underflows to exactly 0 wherever a code extrapolates (|alpha| >= 1).
LOG_ZERO = -1e5


def basis_code0(alpha: Array) -> Array:
    """Piecewise linear: ``h = |alpha|``.

    Example:
        >>> float(basis_code0(jnp.array(-0.5)))
        0.5
    """
    return abs(alpha)


def basis_code2(alpha: Array) -> Array:
    """Parabola inside [-1, 1], linear beyond: ``alpha^2`` and ``2 |alpha| - 1``.

    Continuous with its first derivative at +-1, as in ROOT.

    Example:
        >>> float(basis_code2(jnp.array(0.5))), float(basis_code2(jnp.array(-2.0)))
        (0.25, 3.0)
    """
    outside = 2.0 * abs(alpha) - 1.0
    return _numpy_of(alpha).where(abs(alpha) > 1.0, outside, alpha * alpha)


def basis_code4p(alpha: Array) -> Array:
    """Polynomial inside [-1, 1], linear beyond.

    ``h = alpha^2 (15 - 10 alpha^2 + 3 alpha^4) / 8`` and ``|alpha|``: continuous with
    two derivatives at +-1.

    Example:
        >>> float(basis_code4p(jnp.array(0.5)))
        0.396484375
    """
    where = _numpy_of(alpha).where
    beyond = abs(alpha) > 1.0
    square = where(beyond, 1.0, alpha * alpha)
    inside = square * (15.0 - 10.0 * square + 3.0 * square * square) / 8.0
    return where(beyond, abs(alpha), inside)


def _numpy_of(alpha: Array) -> Any:
    """NumPy for its own arrays, which nothing is compiled for, else `jax.numpy`."""
    return np if isinstance(alpha, np.ndarray) else jnp


ADDITIVE_BASES: dict[str, Elementwise] = {
    "code0": basis_code0,
    "code2": basis_code2,
    "code4p": basis_code4p,
}
"""The basis function ``h`` of each additive code."""

MULTIPLICATIVE_EDGES: dict[str, float] = {"code1": 0.0, "code4": 1.0}
"""Where the exponential form of each multiplicative code begins, in ``|alpha|``."""


def safe_log(ratio: Array) -> Array:
    """Logarithm of a variation, ``LOG_ZERO`` at zero.

    Example:
        >>> safe_log(np.array([1.0, 0.0])).tolist()
        [0.0, -100000.0]
    """
    numpy, positive = _numpy_of(ratio), ratio > 0.0
    return numpy.where(positive, numpy.log(numpy.where(positive, ratio, 1.0)), LOG_ZERO)


# Rows a1..a6; columns (u - 1, d - 1, u ln u, d ln d, u ln^2 u, d ln^2 d): the inverse
# of the six matching conditions on value and two derivatives at alpha = +-1.
_CODE4_MATRIX = (
    np.array(
        [
            [15, -15, -7, 7, 1, -1],
            [24, 24, -9, -9, 1, 1],
            [-10, 10, 10, -10, -2, 2],
            [-24, -24, 14, 14, -2, -2],
            [3, -3, -3, 3, 1, -1],
            [8, 8, -5, -5, 1, 1],
        ]
    )
    / 16.0
)


def code4_coefficients(hi: Array, lo: Array) -> Array:
    """Coefficients ``a1..a6`` of code 4's polynomial, on a new first axis.

    ``f(alpha) = 1 + sum_i a_i alpha^i`` meets ``hi^alpha`` at +1 and ``lo^-alpha`` at
    -1 with value and two derivatives. A variation at zero has its logarithms set to
    zero, as in ROOT.

    Args:
        hi: factor at +1.
        lo: factor at -1.

    Returns:
        Array of shape ``(6, *hi.shape)``.

    Example:
        >>> a = code4_coefficients(np.array(1.3), np.array(0.8))
        >>> float(round(1 + sum(a[i] * 0.5 ** (i + 1) for i in range(6)), 12))
        1.138282599365
    """
    numpy = _numpy_of(hi)
    log_hi, log_lo = (numpy.where(x > 0.0, safe_log(x), 0.0) for x in (hi, lo))
    with np.errstate(over="ignore", invalid="ignore"):  # factors near 1e308
        logs = [hi * log_hi, lo * log_lo, hi * log_hi**2, lo * log_lo**2]
        columns = numpy.stack([hi - 1, lo - 1, *logs])
        return numpy.tensordot(_CODE4_MATRIX, columns, axes=1)


def polynomial(alpha: Array, coefficients: Array) -> Array:
    """``1 + sum_i a_i alpha^i`` by Horner's rule, coefficients on the first axis.

    Example:
        >>> float(polynomial(jnp.array(2.0), jnp.array([1.0, 0, 0, 0, 0, 0])))
        3.0
    """
    a1, a2, a3, a4, a5, a6 = coefficients
    high = a3 + alpha * (a4 + alpha * (a5 + alpha * a6))
    return 1.0 + alpha * (a1 + alpha * (a2 + alpha * high))


def polynomial_derivatives(
    alpha: Array, coefficients: Array
) -> tuple[Array, Array, Array]:
    """`polynomial` with its first and second derivative.

    Example:
        >>> a = jnp.array([1.0, 1.0, 0, 0, 0, 0])
        >>> [float(d) for d in polynomial_derivatives(jnp.array(2.0), a)]
        [7.0, 5.0, 2.0]
    """
    a1, a2, a3, a4, a5, a6 = coefficients
    high = 12.0 * a4 + alpha * (20.0 * a5 + alpha * 30.0 * a6)
    second = 2.0 * a2 + alpha * (6.0 * a3 + alpha * high)
    high = 3.0 * a3 + alpha * (4.0 * a4 + alpha * (5.0 * a5 + alpha * 6.0 * a6))
    first = a1 + alpha * (2.0 * a2 + alpha * high)
    return polynomial(alpha, coefficients), first, second


def derivatives(function: Elementwise, x: Array) -> tuple[Array, Array, Array]:
    """Value, first and second derivative of an elementwise function.

    Example:
        >>> [float(d) for d in derivatives(lambda x: x**3, jnp.array(2.0))]
        [8.0, 12.0, 12.0]
    """
    one = jnp.ones_like(x)

    def first(y: Array) -> tuple[Array, Array]:
        return jax.jvp(function, (y,), (one,))

    (value, slope), (_, curvature) = jax.jvp(first, (x,), (one,))
    return value, slope, curvature
