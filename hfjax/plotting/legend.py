"""A legend in the frame of a picture, where it covers nothing that is drawn."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.path import Path
from matplotlib.transforms import Bbox

FREE, COVERED_AT_LAST = "free", "covered at last"
"""Groups of what a legend may cover, and of what it may if there is no other place."""

_PAD = 0.02  # of the axes between a legend and what is drawn
_EDGE = 0.02  # of the axes between a legend and the frame
_CORNERS = {
    "upper left": (0.0, 1.0),
    "upper right": (1.0, 1.0),
    "lower right": (1.0, 0.0),
    "lower left": (0.0, 0.0),
}
_RAISES = (
    1.0,
    1.1,
    1.2,
    1.3,
    1.4,
    1.5,
    1.6,
    1.8,
    2.0,
    2.2,
    2.4,
)  # of the upper limit, to make room


def place_legend(axes: Axes, keys: Sequence[Any], heading: str, raises: bool) -> None:
    """Put a legend into a corner without points and lines, or above all of them.

    Args:
        axes: Where to; an earlier legend stays.
        keys: The entries: artists, or pairs of artists that are one.
        heading: The text above the entries.
        raises: Whether the upper limit may be raised where no corner is free.
    """
    earlier = axes.get_legend()
    columns = range(1, min(3, math.ceil(len(keys) / 2)) + 1)
    legends = {n: _legend(axes, keys, heading, n) for n in columns}
    _lay_out(axes)  # once: a legend inside the frame moves nothing
    sizes = {n: _size(axes, legend) for n, legend in legends.items()}
    if earlier is not None:
        axes.add_artist(earlier)
    number, corner, bare = _find_room(axes, sizes, earlier, raises)
    legend = _legend(axes, keys, heading, number)
    legend.set_loc(corner)
    if not bare:  # it lies on what it may cover
        legend.set_frame_on(True)
        legend.get_frame().set(facecolor="white", edgecolor="none", alpha=1.0)


def _find_room(
    axes: Axes, sizes: Mapping[int, np.ndarray], earlier: Legend | None, raises: bool
) -> tuple[int, Any, bool]:
    """Find where a legend covers nothing, and raise the upper limit for it.

    Args:
        axes: Where to.
        sizes: Width and height, in parts of the axes, by the number of columns.
        earlier: A legend that is there already.
        raises: Whether the upper limit may be raised.

    Returns:
        The number of columns, the corner, and whether nothing at all is under it.
    """
    heights = _RAISES if raises else ()
    tops = [top for top in (_height(axes, h) for h in heights) if math.isfinite(top)]
    for bare in (True, False):
        for top in tops or [None]:
            if top is not None:
                axes.set_ylim(top=top)
            obstacles = _Obstacles(axes, earlier, bare)
            for number, size in sizes.items():
                for corner, place in _CORNERS.items():
                    if not obstacles.under(_box(size, np.array(place))):
                        return number, corner, bare
    return max(sizes), "upper left", False


def _height(axes: Axes, height: float) -> float:
    """What is so far up, in parts of the axes; infinite past the largest number."""
    shown = axes.transAxes + axes.transData.inverted()
    with np.errstate(over="ignore"):
        return float(shown.transform((0.0, height))[1])


def _box(size: np.ndarray, corner: np.ndarray) -> Bbox:
    """Where a legend of a size is in a corner, in parts of the axes."""
    start = corner * (1 - size) + _EDGE * (1 - 2 * corner)
    return Bbox([start, start + size])


def _legend(axes: Axes, keys: Sequence[Any], heading: str, columns: int) -> Legend:
    """A legend in the upper left corner."""
    names = [(key[-1] if isinstance(key, tuple) else key).get_label() for key in keys]
    legend = axes.legend(
        handles=list(keys),
        labels=names,
        title=heading,
        loc="upper left",
        ncols=columns,
        alignment="left",
        frameon=False,
        borderaxespad=0.8,
    )
    legend.get_title().set_multialignment("left")
    return legend


def _lay_out(axes: Axes) -> None:
    """Let the axes have the place in their figure that they are drawn in."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    engine = figure.get_layout_engine()
    if engine is None:
        figure.draw_without_rendering()
    else:
        engine.execute(figure)


def _size(axes: Axes, legend: Legend) -> np.ndarray:
    return np.array(_bbox(axes, legend).size)


def _bbox(axes: Axes, legend: Legend) -> Bbox:
    """Where a legend is, in parts of the axes."""
    return legend.get_window_extent().transformed(axes.transAxes.inverted())


class _Obstacles:
    """What a legend should not cover: lines, points, fillings and an earlier legend."""

    def __init__(self, axes: Axes, legend: Legend | None, all_of_them: bool) -> None:
        free = {FREE} if all_of_them else {FREE, COVERED_AT_LAST}
        lines = [line for line in axes.lines if line.get_gid() not in free]
        self._places = [_dense(_seen(axes, line, line.get_path())) for line in lines]
        self._fills: list[Path] = []
        for each in (c for c in axes.collections if c.get_gid() not in free):
            paths = [_seen(axes, each, path) for path in each.get_paths()]
            self._places += [np.asarray(path.vertices) for path in paths]
            self._fills += paths if getattr(each, "filled", True) else []
        if legend is not None:
            corners = _bbox(axes, legend).corners()[[0, 1, 3, 2, 0]]
            self._fills.append(Path(corners, closed=True))

    def under(self, box: Bbox) -> bool:
        """Whether one of them is under a box, or next to it."""
        box = box.padded(_PAD)
        steps = [np.linspace(*ends, 12) for ends in (box.intervalx, box.intervaly)]
        grid = np.column_stack([step.ravel() for step in np.meshgrid(*steps)])
        return any(_inside(box, places) for places in self._places) or any(
            path.contains_points(grid).any() for path in self._fills
        )


def _seen(axes: Axes, artist: Any, path: Path) -> Path:
    """A path of an artist in parts of the axes."""
    move = artist.get_transform() + axes.transAxes.inverted()
    return move.transform_path(path)


def _inside(box: Bbox, places: np.ndarray) -> bool:
    return bool(((places > box.min) & (places < box.max)).all(axis=1).any())


def _dense(path: Path) -> np.ndarray:
    """The vertices of a line and places between them."""
    vertices = np.asarray(path.vertices)
    if len(vertices) < 2:
        return vertices
    steps = np.linspace(0, 1, 20, endpoint=False)[:, None, None]
    between = vertices[:-1] + steps * np.diff(vertices, axis=0)
    return np.vstack([between.reshape(-1, 2), vertices[-1:]])
