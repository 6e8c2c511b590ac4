"""The region that no point can be in, such as masses of a decay that cannot happen."""

import re
import warnings

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from hfjax.errors import DataError
from hfjax.plotting.coordinates import Coordinates
from hfjax.plotting.legend import COVERED_AT_LAST, FREE
from hfjax.plotting.mathtext import expression_text
from hfjax.results.expression import numbers

LINE, SHADE = "#4b5563", "#e5e7eb"

_SIGNS = {">": 1, ">=": 1, "<": -1, "<=": -1, "=": 0, "==": 0}
_STEPS = 600  # of each axis, on which the line and the region are found
_RAISED = 4.0  # ranges of the axis up: a legend above the points may widen it


def draw_forbidden(axes: Axes, found: Coordinates, relation: str) -> list[Artist]:
    """Draw the line of a relation of labels, and shade its region if it has one.

    Args:
        axes: Where to draw, within its limits.
        found: The points along two axes.
        relation: Such as `m_lsp > m_parent`; with `=`, there is a line alone.

    Returns:
        What the legend shows.

    Raises:
        DataError: It is no relation, or is not linear in what is along the axes.

    Warns:
        UserWarning: It is nowhere within the limits, so that nothing is drawn of it.
    """
    left, sign, right = _sides(relation)
    x, y, excess = _excess(axes, found, left, right, relation)
    if not excess.min() < 0 < excess.max():
        message = f"the line of {relation!r} is not in this picture, and is left out"
        warnings.warn(message, UserWarning, stacklevel=2)
        return []
    if _SIGNS[sign]:
        inside = excess * _SIGNS[sign]
        shade = {"levels": [0, np.inf], "colors": [SHADE], "zorder": 0.5}
        axes.contourf(x, y, inside, **shade).set_gid(FREE)
    line = {"levels": [0], "colors": [LINE], "linewidths": [0.9], "zorder": 0.6}
    axes.contour(x, y, excess, **line).set_gid(COVERED_AT_LAST)
    name = expression_text(f"{left} {sign.replace('==', '=')} {right}")
    if _SIGNS[sign]:
        return [Patch(facecolor=SHADE, edgecolor=LINE, linewidth=0.9, label=name)]
    return [Line2D([], [], color=LINE, linewidth=0.9, label=name)]


def _sides(relation: str) -> tuple[str, str, str]:
    """What is on the left of a sign, the sign, and what is on the right.

    >>> _sides("m_lsp>= m_parent - 80")
    ('m_lsp', '>=', 'm_parent - 80')
    """
    parts = [part.strip() for part in re.split(r"([<>=]+)", relation)]
    if len(parts) == 3 and all(parts) and parts[1] in _SIGNS:
        return parts[0], parts[1], parts[2]
    message = (
        f"{relation!r} is no region, such as 'm_lsp > m_parent', and no line, such as "
        "'m_lsp = m_parent'"
    )
    raise DataError(message)


def _excess(
    axes: Axes, found: Coordinates, left: str, right: str, relation: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How much the left side is above the right one, on a grid within the limits."""
    sides = (numbers(side, found.result) for side in (left, right))
    difference = np.subtract(*(np.array(side) for side in sides))
    slopes = found.affine(difference)
    if slopes is None:
        message = (
            f"{relation!r} is no line in the plane of {' and '.join(found.names)}: "
            "use what is linear in these"
        )
        raise DataError(message)
    across, up = axes.get_xlim(), axes.get_ylim()
    x, y = np.meshgrid(
        _steps(*across, 1.0, found.log[0]), _steps(*up, _RAISED, found.log[1])
    )
    return x, y, slopes[0] + slopes[1] * x + slopes[2] * y


def _steps(start: float, end: float, ranges: float, log: bool) -> np.ndarray:
    if log:
        return np.geomspace(start, start * (end / start) ** ranges, _STEPS)
    return np.linspace(start, start + ranges * (end - start), _STEPS)
