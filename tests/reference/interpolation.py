"""The interpolation codes of HistFactory, one number at a time.

Written from the formulas (K. Cranmer et al., CERN-OPEN-2012-016, section 4.1, and
the RooFit code for code 2 and for zero or negative factors), for tests only: plain
Python floats, no vectorisation, nothing shared with the library.

Additive codes return the *change* of the yield, multiplicative ones the factor.
"""

import math

import numpy as np


def code0(alpha: float, lo: float, nominal: float, hi: float) -> float:
    """Piecewise linear, additive: alpha d+ for alpha > 0, else alpha d-."""
    if alpha > 0:
        return alpha * (hi - nominal)
    return alpha * (nominal - lo)


def code2(alpha: float, lo: float, nominal: float, hi: float) -> float:
    """Quadratic inside [-1, 1], linear outside, continuous as in ROOT; additive.

    a = (hi + lo)/2 - nominal, b = (hi - lo)/2; inside a alpha^2 + b alpha, outside
    the tangent of the parabola at +-1, through its value there.
    """
    a = (hi + lo) / 2 - nominal
    b = (hi - lo) / 2
    if alpha > 1:
        return (b + 2 * a) * (alpha - 1) + (hi - nominal)
    if alpha < -1:
        return (b - 2 * a) * (alpha + 1) - (nominal - lo)
    return a * alpha**2 + b * alpha


def code4p(alpha: float, lo: float, nominal: float, hi: float) -> float:
    """Sixth-degree polynomial inside [-1, 1], linear outside; additive.

    S alpha + A alpha^2 (15 - 10 alpha^2 + 3 alpha^4) with S = (d+ + d-)/2 and
    A = (d+ - d-)/16.
    """
    up = hi - nominal
    down = nominal - lo
    if alpha > 1:
        return alpha * up
    if alpha < -1:
        return alpha * down
    a = (up - down) / 16
    polynomial = alpha**2 * (15 - 10 * alpha**2 + 3 * alpha**4)
    return (up + down) / 2 * alpha + a * polynomial


def power(base: float, exponent: float) -> float:
    """``base ** exponent`` as C's ``pow``: NaN for a negative base, 0 for 0."""
    if base < 0 and exponent != int(exponent):
        return math.nan
    return float(base**exponent)


def code1(alpha: float, lo: float, hi: float) -> float:
    """Piecewise exponential, multiplicative: hi^alpha or lo^(-alpha)."""
    if alpha > 0:
        return power(hi, alpha)
    return power(lo, -alpha)


def code4(alpha: float, lo: float, hi: float) -> float:
    """Exponential outside [-1, 1], sixth-degree polynomial inside; multiplicative.

    The six coefficients are the solution of six equations: value, first and second
    derivative of 1 + sum_i a_i alpha^i equal those of hi^alpha at +1 and of
    lo^(-alpha) at -1. The logarithm of a factor at or below zero is taken as zero
    (ROOT, ``MathFuncs.h``), so that lo = 0 gives a finite polynomial.
    """
    if alpha >= 1:
        return power(hi, alpha)
    if alpha <= -1:
        return power(lo, -alpha)
    coefficients = code4_coefficients(lo, hi)
    return 1 + sum(a * alpha**i for i, a in enumerate(coefficients, start=1))


def code4_coefficients(lo: float, hi: float) -> list[float]:
    """a_1 ... a_6 of code 4, by solving the six matching equations."""
    log_hi = math.log(hi) if hi > 0 else 0.0
    log_lo = math.log(lo) if lo > 0 else 0.0
    rows, values = [], []
    for at, factor, slope in ((1, hi, log_hi), (-1, lo, -log_lo)):
        rows.append([float(at**i) for i in range(1, 7)])
        values.append(factor - 1)
        rows.append([float(i * at ** (i - 1)) for i in range(1, 7)])
        values.append(factor * slope)
        rows.append([float(i * (i - 1) * at**i) for i in range(1, 7)])
        values.append(factor * slope**2)
    return [float(a) for a in np.linalg.solve(np.array(rows), np.array(values))]


ADDITIVE = {"code0": code0, "code2": code2, "code4p": code4p}
MULTIPLICATIVE = {"code1": code1, "code4": code4}
