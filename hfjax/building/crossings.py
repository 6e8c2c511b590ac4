"""Where normsys polynomials cross zero: places that fits look into."""

from collections.abc import Iterator

import numpy as np

from hfjax.model.modifiers import NormSys
from hfjax.model.settings import ModelSettings
from hfjax.model.valley_sources import Crossings

MAX_CROSSINGS = 12
"""Most crossings that a fit looks into: those of the largest undershoots."""


def fill_crossings(normsys: NormSys, settings: ModelSettings) -> Crossings:
    """Find where polynomials of code 4 cross zero, deepest first, each value once."""
    found: dict[tuple[int, float], tuple[float, float]] = {}
    if settings.normsys == "code4":
        for index, value, depth in _crossings(normsys):
            key = (index, round(value, 6))
            found[key] = min((depth, value), found.get(key, (np.inf, value)))
    deepest = sorted(found, key=found.__getitem__)[:MAX_CROSSINGS]
    index = np.array([key[0] for key in deepest], np.int32)
    return Crossings(index, np.array([found[key][1] for key in deepest], float))


def _crossings(normsys: NormSys) -> Iterator[tuple[int, float, float]]:
    """Yield parameter, crossing and lowest value of every polynomial that crosses.

    Variations between exp(-0.5) and exp(0.5) never make one cross.
    """
    largest = np.maximum(np.abs(normsys.log_hi), np.abs(normsys.log_lo))
    extreme = largest > 0.5
    ascending = np.insert(normsys.coefficients[:, extreme], 0, 1.0, axis=0)
    grid = np.linspace(-1.0, 1.0, 101)
    lowest = np.polynomial.polynomial.polyval(grid, ascending).min(axis=1)
    crosses = (-np.inf < lowest) & (lowest <= 0.0)  # NaN beyond what numbers hold
    rows = normsys.modifier[extreme]
    for own in np.flatnonzero(crosses):
        index, powers = int(normsys.index[rows[own]]), ascending[:, own]
        for root in np.polynomial.polynomial.polyroots(powers):
            if abs(root.imag) < 1e-9 and abs(root.real) < 1.0:
                value = _polished(float(root.real), powers)
                yield index, value, float(lowest[own])


def _polished(root: float, ascending: np.ndarray) -> float:
    """Bring a root to its last digits by Newton's method; products amplify errors."""
    slope = np.polynomial.polynomial.polyder(ascending)
    for _ in range(3):
        value = np.polynomial.polynomial.polyval(root, ascending)
        root -= float(value / np.polynomial.polynomial.polyval(root, slope))
    return root
