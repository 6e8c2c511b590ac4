"""Where CLs of toys crosses a level, with its statistical error; in plain NumPy."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from hfjax.inference.limit_result import LimitStatus

Tested = Float[np.ndarray, " value"]


class Crossing(NamedTuple):
    """A limit.

    Attributes:
        limit: tested value at which CLs is at the level; NaN where there is none.
        error: one standard deviation.
        code: value of its `LimitStatus`.
    """

    limit: float
    error: float
    code: int


def crossing(values: Tested, CLs: Tested, errors: Tested, level: float) -> Crossing:
    """The value at which one curve crosses a level, behind the last that is above.

    ``h = sqrt(-2 ln CLs)`` is interpolated by a straight line. Where no toy with the
    signal is as far as the data, CLs is taken to be its error, or half the level if
    that is less. The error of ``h`` is ``dCLs / (CLs h)``, interpolated alike, as the
    toys of all values share their random numbers; that of the limit is this over the
    slope of the four values around it.

    Args:
        values: that were tested, ascending.
        CLs: of each; NaN where it is not known.
        errors: their statistical errors.
        level: of CLs.

    Example:
        >>> three, CLs = np.array([1.0, 2.0, 3.0]), np.exp([-0.5, -2.0, -4.5])
        >>> found = crossing(three, CLs, 0.1 * CLs, float(np.exp(-3.125)))
        >>> round(found.limit, 9), round(found.error, 9)
        (2.5, 0.041666667)
    """
    known = np.isfinite(CLs)
    values, CLs, errors = values[known], CLs[known], errors[known]
    above = np.flatnonzero(CLs >= level)
    if values.size < 2:
        return Crossing(np.nan, np.nan, int(LimitStatus.FITS_FAILED))
    if not above.size or above[-1] == values.size - 1:
        return Crossing(np.nan, np.nan, int(LimitStatus.OUTSIDE_VALUES))
    size = np.where(CLs > 0.0, CLs, np.minimum(errors, 0.5 * level))
    heights = np.sqrt(-2.0 * np.log(np.minimum(size, 1.0)))
    relative = errors / size
    widths = relative / np.maximum(heights, relative)
    last = int(above[-1])
    near = slice(last, last + 2)
    low, high = heights[near]
    part = (np.sqrt(-2.0 * np.log(level)) - low) / (high - low)
    limit, width = (
        float(np.interp(part, [0.0, 1.0], each[near])) for each in (values, widths)
    )
    error = width / _slope(values, heights, last)
    return Crossing(limit, error, int(LimitStatus.FOUND))


def _slope(values: Tested, heights: Tested, last: int) -> float:
    """Slope at a crossing behind a value, of four values: that of two is noise.

    Where noise makes it none, that of the two.
    """
    ends = [max(last - 1, 0), min(last + 2, values.size - 1)]
    of_four, of_two = (
        float(np.diff(heights[each])[0] / np.diff(values[each])[0])
        for each in (ends, [last, last + 1])
    )
    return of_four if of_four > 0.0 else of_two
