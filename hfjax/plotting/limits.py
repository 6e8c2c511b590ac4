"""Upper limits of a scan: where they are below 1 in a plane, or against one label.

Between points, ``-ln(limit)`` is interpolated: where the parameter of interest is the
strength of the signal, it is above zero where the signal is excluded.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from hfjax.errors import DataError
from hfjax.plotting.canvas import (
    Canvas,
    Mark,
    Picture,
    keep_whole,
    limits,
    poi_symbol,
)
from hfjax.plotting.coordinates import Coordinates, axis_text, check_spread, locate
from hfjax.plotting.curve import draw_bands, interpolated, mark_observed, name_line
from hfjax.plotting.exclusion import draw_contours
from hfjax.plotting.frame import draw_frame
from hfjax.plotting.legend import FREE
from hfjax.plotting.mathtext import check_text
from hfjax.plotting.plane import significance_plane
from hfjax.plotting.settings import PlotSettings
from hfjax.plotting.significance import significances
from hfjax.results.limits_scan import LimitsScanResult
from hfjax.results.scan import LEVEL

_RIM: dict[str, Any] = {"color": "black", "markersize": 6.0, "markeredgewidth": 0.0}
_SIZE = 4.6**2  # of a coloured point in its rim
_LARGEST = 700.0  # -ln of the smallest limit that is drawn
_ROOM = 2.0  # of the axis of limits beyond the lines, as a factor


def draw_limits(
    result: LimitsScanResult,
    settings: PlotSettings = PlotSettings(),
    *,
    axes: Axes | None = None,
) -> Picture:
    r"""Draw contours where limits are 1, with their band, and points in their colours.

    The colours are the observed limits: how many times the signal's cross-section is
    excluded. Where one label varies, or one is asked for, limits are drawn against it.

    Args:
        result: The limits of a scan.
        settings: What is shown, and what is written.
        axes: Where to draw; by default a new figure. Axes that are given keep their
            limits, names, title and legend.

    Returns:
        The figure and its axes; `picture.write(path)` writes the file.

    Raises:
        DataError: Another level than that of the limits, no label that varies, points
            that differ in a further label, too few points with all limits, or points
            on one line.

    Example:
        >>> from hfjax.results.limits_scan import LimitPoint
        >>> masses, band = [(300, 0), (300, 100), (400, 0)], (0.4, 0.6, 0.8, 1.1, 1.6)
        >>> points = [
        ...     LimitPoint(str(m), m, limit, band)
        ...     for m, limit in zip(masses, (0.5, 1.2, 2.0))
        ... ]
        >>> result = LimitsScanResult(("m_parent", "m_lsp"), tuple(points))
        >>> picture = draw_limits(result)
        >>> picture.axes.get_legend().get_title().get_text()
        'Upper limit on $\\mu$ is 1 at 95% CL'
    """
    if settings.level not in (LEVEL, result.level):
        message = (
            f"the limits are those of a level of {result.level:g}: find them anew for "
            f"{settings.level:g}"
        )
        raise DataError(message)
    found = locate(result, settings)
    name = f"pper limit on {poi_symbol(result)}"
    confidence = f"at {100.0 * (1.0 - result.level):g}% CL"
    if len(found.names) == 1:
        return _draw_curve(found, settings, axes, f"U{name} {confidence}")
    plane = significance_plane(found, [0.0])

    def contours(where: Axes) -> list[Any]:
        if settings.points:
            _colour_points(where, found, f"Observed u{name}")
        return draw_contours(where, plane, 0.0, settings.two_sigma)

    kinds = [Mark("Tested", found.tested, _RIM)]
    heading = f"U{name} is 1 {confidence}"
    return draw_frame(found, settings, axes, contours, kinds, heading)


def _observed(found: Coordinates) -> np.ndarray:
    """The observed limits of points that have all."""
    return np.exp(-significances(found.result)[0])


def _colour_points(axes: Axes, found: Coordinates, name: str) -> None:
    """Draw points in the colours of their observed limits, and what those mean."""
    observed = _observed(found)
    norm = LogNorm(observed.min(), observed.max()) if np.ptp(observed) else None
    places = found.values[:, found.tested]
    shape: dict[str, Any] = {"s": _SIZE, "cmap": "viridis", "linewidths": 0}
    points = axes.scatter(*places, c=observed, norm=norm, zorder=2.7, **shape)
    points.set_gid(FREE)  # its rim is there for the legend to see
    keep_whole(axes, points)
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.colorbar(points, ax=axes, label=name, pad=0.02)


def _draw_curve(
    found: Coordinates, settings: PlotSettings, axes: Axes | None, name: str
) -> Picture:
    """Draw observed and expected limits against what is along the one axis.

    Raises:
        DataError: A forbidden region is asked for, or there are too few points.
    """
    if settings.forbidden:
        message = "a forbidden region needs two axes: give two, or do without it"
        raise DataError(message)
    check_spread(found, found.tested)
    canvas = Canvas(axes)
    places, z = interpolated(found, _LARGEST)
    values = np.exp(-z)
    with canvas.style():
        canvas.keys += draw_bands(canvas.axes, places, values, "black")
        if settings.points:
            canvas.keys += mark_observed(canvas.axes, found, _observed(found))
        if found.log[0]:
            canvas.axes.set_xscale("log")
        canvas.axes.set_yscale("log")
        up = min(values.min(), 1.0) / _ROOM, max(values.max(), 1.0) * _ROOM
        canvas.limit(limits(found.values[0], found.log[0], margin=0.0), up)
        name_line(canvas.axes, 1.0, "y", "excluded below")
        given = check_text(settings.ylabel) if settings.ylabel else name
        canvas.name_axes((axis_text(found, 0, settings), given), settings)
        canvas.add_legend("", settings)
    return canvas.picture
