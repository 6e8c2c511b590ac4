"""A legend in the frame of a picture, where it covers nothing that is drawn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection, PathCollection
from matplotlib.legend import Legend
from matplotlib.legend_handler import HandlerTuple
from matplotlib.transforms import Bbox

_CORNERS = ("upper left", "upper right", "lower right", "lower left")
_PAD = 0.03  # of the axes between a legend and what is drawn
_MOST = 0.7  # of the axes that a legend above all points may take


def place_legend(axes: Axes, keys: Sequence[Any], heading: str) -> None:
    """Put a legend into a corner without points and lines, or above all of them.

    Args:
        axes: Where to; an earlier legend stays.
        keys: The entries: artists, or pairs of artists that are one.
        heading: The text above the entries.
    """
    earlier = axes.get_legend()
    if earlier is not None:
        axes.add_artist(earlier)
    names = [(key[-1] if isinstance(key, tuple) else key).get_label() for key in keys]
    legend = axes.legend(
        handles=list(keys),
        labels=names,
        title=heading,
        loc=_CORNERS[0],
        alignment="left",
        frameon=False,
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0)},
        borderaxespad=0.8,
    )
    _settle(axes, legend, [] if earlier is None else [earlier])


def _settle(axes: Axes, legend: Legend, others: Sequence[Legend]) -> None:
    """Move a legend to the first corner that is free, or make room above."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    taken = np.vstack([_drawn(axes), *(_outline(axes, other) for other in others)])
    for corner in _CORNERS:
        legend.set_loc(corner)
        if not _covered(_bbox(axes, legend), taken):
            return
    legend.set_loc(_CORNERS[0])
    if axes.get_autoscaley_on() or not others:
        _make_room(axes, _bbox(axes, legend).height, float(taken[:, 1].max()))


def _make_room(axes: Axes, height: float, highest: float) -> None:
    """Raise the upper limit until a height of the axes is free above all points."""
    share = min(height + 3 * _PAD, _MOST)
    stretch = max(min(highest, 1.0) / (1 - share), 1.0)
    shown = axes.transAxes + axes.transData.inverted()
    axes.set_ylim(top=float(shown.transform((0.0, stretch))[1]))


def _bbox(axes: Axes, legend: Legend) -> Bbox:
    """Where a legend is, in parts of the axes."""
    return legend.get_window_extent().transformed(axes.transAxes.inverted())


def _outline(axes: Axes, legend: Legend) -> np.ndarray:
    """Places all over a legend."""
    box = _bbox(axes, legend)
    steps = np.meshgrid(
        *(np.linspace(*ends, 30) for ends in (box.intervalx, box.intervaly))
    )
    return np.column_stack([step.ravel() for step in steps])


def _covered(box: Bbox, taken: np.ndarray) -> bool:
    inside = (taken > box.min - _PAD) & (taken < box.max + _PAD)
    return bool(inside.all(axis=1).any())


def _drawn(axes: Axes) -> np.ndarray:
    """Places of lines, points and fillings of axes, in parts of the axes."""
    back = axes.transAxes.inverted()
    places = [np.empty((0, 2))]
    for line in axes.lines:
        path = line.get_transform().transform_path(line.get_path())
        places.append(back.transform(_dense(path.vertices)))
    for found in axes.collections:
        if isinstance(found, Collection) and not isinstance(found, PathCollection):
            move = found.get_transform()
            vertices = [move.transform_path(p).vertices for p in found.get_paths()]
            places += [back.transform(v) for v in vertices if len(v)]
    every = np.vstack(places)
    return every[np.isfinite(every).all(axis=1)]


def _dense(vertices: np.ndarray) -> np.ndarray:
    """The vertices of a line and places between them."""
    if len(vertices) < 2:
        return np.asarray(vertices)
    steps = np.linspace(0, 1, 20, endpoint=False)[:, None, None]
    between = vertices[:-1] + steps * np.diff(vertices, axis=0)
    return np.vstack([between.reshape(-1, 2), vertices[-1:]])
