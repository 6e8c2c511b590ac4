"""CLs against one label, with its expected bands, and p0 likewise.

Between the points, significances are interpolated without wiggles, and turned back.
"""

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.special import ndtr

from hfjax.errors import DataError
from hfjax.plotting.canvas import (
    EXPECTED,
    FAILED_SHAPE,
    OBSERVED,
    ONE_SIGMA,
    POINT_SHAPE,
    TWO_SIGMA,
    Canvas,
    Picture,
    keep_whole,
    limits,
    poi_symbol,
)
from hfjax.plotting.coordinates import Coordinates, axis_text, check_spread
from hfjax.plotting.mathtext import check_text
from hfjax.plotting.settings import PlotSettings
from hfjax.plotting.significance import significances
from hfjax.results.scan import MEDIAN

LEVEL = "#4b5563"
_ON_LINE = {"color": "black", "zorder": 3.2}  # marks of tested points
_STEPS = 600
_LOWEST = 1e-300  # of an axis of p-values
_MOST_LINES = 8  # of significances
_LARGEST_Z = 37.0  # beyond, no p-value is a number above 0


def draw_curve(
    found: Coordinates, settings: PlotSettings, axes: Axes | None, discovery: bool
) -> Picture:
    """Draw observed and expected CLs, or p0, against what is along the one axis.

    Args:
        found: The points along the axis.
        settings: What is shown, and what is written.
        axes: Where to draw; by default a new figure.
        discovery: Whether it is p0.

    Raises:
        DataError: A forbidden region is asked for, or there are too few points.
    """
    if settings.forbidden:
        message = "a forbidden region needs two axes: give two, or do without it"
        raise DataError(message)
    check_spread(found, found.tested)
    canvas = Canvas(axes)
    places, z = interpolated(found, _LARGEST_Z)
    p_values = ndtr(-z)
    with canvas.style():
        color = OBSERVED if discovery else "black"
        canvas.keys += draw_bands(canvas.axes, places, p_values, color)
        if settings.points:
            heights = ndtr(-np.minimum(significances(found.result)[0], _LARGEST_Z))
            canvas.keys += mark_observed(canvas.axes, found, heights)
        _set_limits(canvas, found, p_values, discovery or settings.log)
        if discovery:
            draw_significances(canvas.axes)
        else:
            canvas.keys.append(draw_level(canvas.axes, settings.level))
        _name(canvas, found, settings, discovery)
    return canvas.picture


def interpolated(found: Coordinates, largest: float) -> tuple[np.ndarray, np.ndarray]:
    """Many places along the axis, and what is interpolated there, `[6, place]`.

    Args:
        found: The points along one axis.
        largest: Where larger values are cut off.
    """
    from scipy.interpolate import PchipInterpolator  # only here, as it loads long

    x = found.scaled[0, found.tested]
    order = np.argsort(x)
    z = np.minimum(significances(found.result)[:, order], largest)
    steps = np.union1d(np.linspace(x.min(), x.max(), _STEPS), x)
    values = PchipInterpolator(x[order], z, axis=1)(steps)
    return (np.exp(steps) if found.log[0] else steps), values


def draw_bands(
    axes: Axes, places: np.ndarray, values: np.ndarray, color: str
) -> list[Any]:
    """Draw the observed line, the expected one and its bands of 1 and 2 sigma.

    Args:
        axes: Where to draw.
        places: Along the axis.
        values: Observed, and those of the expected band, `[6, place]`.
        color: Of the observed line.

    Returns:
        What the legend shows.
    """
    observed, *expected = values
    bands = []
    for sigma, filled in ((2, TWO_SIGMA), (1, ONE_SIGMA)):
        sides = expected[MEDIAN - sigma], expected[MEDIAN + sigma]
        axes.fill_between(places, *sides, color=filled, linewidth=0, zorder=1)
        bands.insert(0, Patch(color=filled, label=rf"Expected $\pm{sigma}\sigma$"))
    shape = {"color": EXPECTED, "linestyle": "dashed", "linewidth": 1.5, "zorder": 3}
    (median,) = axes.plot(places, expected[MEDIAN], **shape)
    (line,) = axes.plot(places, observed, color=color, linewidth=1.8, zorder=3.1)
    line.set_label("Observed")
    median.set_label(bands[0].get_label())
    return [line, (bands[0], median), bands[1]]


def mark_observed(axes: Axes, found: Coordinates, heights: np.ndarray) -> list[Artist]:
    """Mark the points on the observed line, and where one has no result.

    Args:
        axes: Where to draw.
        found: The points along one axis.
        heights: Of the observed line at those with a result.

    Returns:
        What the legend shows.
    """
    x, ok = found.values[0], found.tested
    (marks,) = axes.plot(x[ok], heights, **POINT_SHAPE | _ON_LINE)
    keep_whole(axes, marks)
    if ok.all():
        return []
    bottom = {"transform": axes.get_xaxis_transform(), "label": "No result"}
    return [*axes.plot(x[~ok], np.full(sum(~ok), 0.03), **FAILED_SHAPE | bottom)]


def _set_limits(
    canvas: Canvas, found: Coordinates, p_values: np.ndarray, log: bool
) -> None:
    """Let the observed and the median line be in the frame."""
    if found.log[0]:
        canvas.axes.set_xscale("log")
    if log:
        canvas.axes.set_yscale("log")
    lowest = max(float(p_values[[0, 1 + MEDIAN]].min()), _LOWEST)
    up = (min(lowest / 3, 0.01), 1.5) if log else (0.0, 1.0)
    canvas.limit(limits(found.values[0], found.log[0], margin=0.0), up)


def draw_level(axes: Axes, level: float, along: str = "y") -> Line2D:
    """Draw the line below which a signal is excluded.

    Args:
        axes: Where to draw.
        level: Of CLs.
        along: The axis that CLs is along.
    """
    name = f"{100 * (1 - level):g}% CL"
    return _line_at(axes, level, along, linewidth=1.4, label=name)


def draw_significances(axes: Axes, along: str = "y") -> None:
    """Draw lines of whole significances, named at their ends.

    Args:
        axes: Where to draw.
        along: The axis that p-values are along.
    """
    lowest = (axes.get_ylim() if along == "y" else axes.get_xlim())[0]
    reached = [z for z in range(1, int(_LARGEST_Z)) if ndtr(-z) > lowest]
    step = 1 + len(reached) // _MOST_LINES
    for z in reached[step - 1 :: step]:
        name_line(axes, float(ndtr(-z)), along, rf"${z}\sigma$")


def name_line(axes: Axes, place: float, along: str, name: str) -> None:
    """Draw a line across a frame, with a name at its end.

    Args:
        axes: Where to draw.
        place: Where the line is.
        along: The axis that the place is along.
        name: The name.
    """
    up = along == "y"
    _line_at(axes, place, along, linewidth=1.0)
    axes.annotate(
        name,
        (1.0, place) if up else (place, 0.0),
        xycoords=axes.get_yaxis_transform() if up else axes.get_xaxis_transform(),
        xytext=(-4, 1 if up else 3),
        textcoords="offset points",
        horizontalalignment="right",
        verticalalignment="bottom",
        color=LEVEL,
    )


def _line_at(axes: Axes, place: float, along: str, **shape: Any) -> Line2D:
    draw = axes.axhline if along == "y" else axes.axvline
    return draw(place, color=LEVEL, linestyle="dotted", zorder=2, **shape)


def _name(
    canvas: Canvas, found: Coordinates, settings: PlotSettings, discovery: bool
) -> None:
    """Write the names of the axes, and put the legend with its heading."""
    result = found.result
    given = check_text(settings.ylabel) if settings.ylabel else None
    name = "$p_0$" if discovery else r"$\mathrm{CL}_s$"
    canvas.name_axes((axis_text(found, 0, settings), given or name), settings)
    tested = result.provenance.settings.get("test_poi")
    other = not discovery and tested not in (None, 1)
    heading = f"{poi_symbol(result)} = {tested:g}" if other else ""
    canvas.add_legend(heading, settings)
