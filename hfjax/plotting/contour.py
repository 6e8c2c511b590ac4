"""Contours of the profile likelihood in the plane of two parameters."""

import itertools

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from hfjax.errors import DataError
from hfjax.plotting.canvas import OBSERVED, Canvas, Picture, keep_whole, limits
from hfjax.plotting.coordinates import unit_text
from hfjax.plotting.mathtext import check_text, mathtext
from hfjax.plotting.settings import PlotSettings, take_only
from hfjax.results.contour_record import ContourRecord, Curve
from hfjax.results.written import Dumped

_TAKEN = ("xlabel", "ylabel", "units", "title", "text")
_STYLES = ("solid", "dashed", "dotted", "dashdot")


def draw_contour(
    result: ContourRecord | Dumped,
    settings: PlotSettings = PlotSettings(),
    *,
    axes: Axes | None = None,
) -> Picture:
    """Draw contours of the profile likelihood, and the best fit.

    Args:
        result: A `ContourResult`, or what `load_result` reads.
        settings: What is written: `xlabel`, `ylabel`, `units`, `title` and `text`.
        axes: Where to draw; by default a new figure.

    Returns:
        The figure and its axes; `picture.write(path)` writes the file.

    Raises:
        DataError: No point of the curves is known, or a setting does not apply.

    Example:
        >>> points = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))
        >>> curves = (Curve(0.68, 2.28, points, ("found",) * 4),)
        >>> record = ContourRecord(("x", "y"), (0.0, 0.0), curves)
        >>> figure, axes = draw_contour(record)
        >>> [text.get_text() for text in axes.get_legend().get_texts()]
        ['68% CL', 'Best fit']
    """
    record = ContourRecord.of(result)
    take_only(settings, _TAKEN, "contours")
    closed = [_closed(curve) for curve in record.contours]
    known = _known(closed)
    canvas = Canvas(axes)
    words = zip(record.names, (settings.xlabel, settings.ylabel), strict=True)
    names = [
        check_text((given or mathtext(name)) + unit_text(settings, i))
        for i, (name, given) in enumerate(words)
    ]
    with canvas.style():
        canvas.limit(*(limits(column, log=False) for column in known))
        canvas.keys += _draw(canvas.axes, record, closed)
        canvas.name_axes(names, settings)
        canvas.add_legend("", settings)
    return canvas.picture


def _closed(curve: Curve) -> np.ndarray:
    """The points of a curve, the first at its end again; NaN where there is none.

    >>> points = (1.0, 0.0), (0.0, None)
    >>> _closed(Curve(0.68, 2.28, points, ("found", "jumps"))).tolist()
    [[1.0, 0.0], [0.0, nan], [1.0, 0.0]]
    """
    points = np.array(curve.points, float).reshape(-1, 2)
    return np.concatenate([points, points[:1]])


def _known(closed: list[np.ndarray]) -> np.ndarray:
    """The values of all points that are known, of one parameter in each row.

    Raises:
        DataError: There is none.
    """
    points = np.concatenate(closed)
    known = points[np.isfinite(points).all(axis=1)].T
    if not known.size:
        message = "no point of the contours is known: their fits did not converge"
        raise DataError(message)
    return known


def _draw(axes: Axes, record: ContourRecord, closed: list[np.ndarray]) -> list[Line2D]:
    """Draw the curves and the best fit."""
    keys: list[Line2D] = []
    styles = itertools.cycle(_STYLES)
    for curve, points, style in zip(record.contours, closed, styles, strict=False):
        shape = {"color": OBSERVED, "linestyle": style, "linewidth": 1.8}
        keys += axes.plot(*points.T, **shape, label=f"{100 * curve.level:.4g}% CL")
    x, y = record.values
    if x is not None and y is not None:
        keys += axes.plot(x, y, "k+", ms=10, label="Best fit")
        keep_whole(axes, keys[-1])
    return keys
