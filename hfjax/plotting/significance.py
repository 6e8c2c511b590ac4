"""Significances of a scan's points, which are what is interpolated between them.

What is interpolated is a significance, such as

    z = Phi^-1(1 - CLs),

which is close to linear in the signal's strength, and not CLs itself, which falls by
orders of magnitude from one point to the next and would push the contour to the
wrong place. Of limits it is

    z = -ln(limit),

which is above zero where the signal is excluded.
"""

import math
from statistics import NormalDist

import numpy as np

from hfjax.results.limits_scan import LimitPoint, Scanned
from hfjax.results.scan import ScanPoint

_SMALLEST_CLS = 1e-300  # 37 standard deviations: keeps z finite where CLs underflows


def significance(CLs: float) -> float:
    """The one-sided significance Phi^-1(1 - CLs), in standard deviations.

    Example:
        >>> round(significance(0.05), 4)
        1.6449
    """
    clipped = min(max(CLs, _SMALLEST_CLS), 1 - 1e-16)
    return -NormalDist().inv_cdf(clipped)


def significances(result: Scanned) -> np.ndarray:
    """The significances of the points with a result, `[6, point]`.

    Returns:
        The observed ones and those of the expected band in the order of CLs_exp: of
        exclusion, or for q0 of discovery; of limits ``-ln(limit)``.
    """
    rows = [_row(point) for point in result if has_significances(point)]
    return np.array(rows, float).reshape(-1, 6).T


def has_significances(point: ScanPoint | LimitPoint) -> bool:
    """Whether a point has a result, all of it finite numbers."""
    return point.converged and None not in _row(point)


def _row(point: ScanPoint | LimitPoint) -> list[float | None]:
    if isinstance(point, LimitPoint):
        limits = (point.limit_obs, *point.limit_exp)
        return [None if not limit else -math.log(limit) for limit in limits]
    if point.discovery:
        return [point.Z, *point.Z_exp]
    values = (point.CLs_obs, *point.CLs_exp)
    return [None if CLs is None else significance(CLs) for CLs in values]
