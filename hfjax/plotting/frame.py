"""A plane of two axes: contours, points, forbidden region and legend in one frame."""

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes

from hfjax.plotting.canvas import (
    Canvas,
    Mark,
    Picture,
    mark_points,
    plane_names,
    prepare_plane,
)
from hfjax.plotting.coordinates import Coordinates
from hfjax.plotting.forbidden import draw_forbidden
from hfjax.plotting.settings import PlotSettings

Contours = Callable[[Axes], list[Any]]
"""Draws contours into axes, and returns what the legend shows of them."""


def draw_frame(
    found: Coordinates,
    settings: PlotSettings,
    axes: Axes | None,
    contours: Contours,
    kinds: Sequence[Mark],
    heading: str,
) -> Picture:
    """Draw contours in the plane of two axes, and what goes with them.

    Args:
        found: The points along the axes.
        settings: What is shown, and what is written.
        axes: Where to draw; by default a new figure.
        contours: Draws the contours.
        kinds: The kinds of points that are marked.
        heading: The heading of the legend.
    """
    canvas = Canvas(axes)
    with canvas.style():
        prepare_plane(canvas, found)
        forbidden = []
        if settings.forbidden:
            forbidden = draw_forbidden(canvas.axes, found, settings.forbidden)
        canvas.keys += contours(canvas.axes)
        if settings.points:
            canvas.keys += mark_points(canvas.axes, found, kinds)
        canvas.keys += forbidden
        canvas.name_axes(plane_names(found, settings), settings)
        canvas.add_legend(heading, settings)
    return canvas.picture
