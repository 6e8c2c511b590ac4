"""Frames of two axes: events, and below them their ratio to something."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import NullLocator

from hfjax.plotting.canvas import Canvas, leave_out_spines
from hfjax.plotting.mathtext import check_text

_SIZE, _SMALLER = (6.4, 6.0), (4.7, 4.7)  # of one frame, and of each of several
_ACROSS = 3  # frames in a row, at most
_HEIGHTS = (3.0, 1.0)  # of events and of their ratio
_MOST_TICKS = 10
_LONG = 40  # letters of names that fit side by side
_COLUMNS = 6  # of the legend above several frames


class RatioFrame(NamedTuple):
    """Where events are drawn, and below them their ratio."""

    canvas: Canvas
    ratio: Axes


def new_frames(count: int) -> list[RatioFrame]:
    """A new figure with frames side by side, and below one another from the fourth on.

    Args:
        count: how many.

    Example:
        >>> (frame,) = new_frames(1)
        >>> len(frame.canvas.picture.figure.axes)
        2
    """
    across = min(count, _ACROSS)
    down = -(-count // across)
    width, height = _SIZE if count == 1 else _SMALLER
    layout = ConstrainedLayoutEngine(hspace=0.0, h_pad=0.03)
    figure = Figure(figsize=(across * width, down * height), layout=layout)
    grid = figure.add_gridspec(down, across)
    found = []
    for i in range(count):
        place = grid[i // across, i % across]
        inner = place.subgridspec(2, 1, height_ratios=_HEIGHTS, hspace=0.0)
        main = figure.add_subplot(inner[0])
        ratio = figure.add_subplot(inner[1], sharex=main)
        main.tick_params(labelbottom=False)
        for axes in (main, ratio):
            leave_out_spines(axes)
            if count > _ACROSS:  # minor ticks take as long as all else
                axes.yaxis.set_minor_locator(NullLocator())
        found.append(RatioFrame(Canvas(main), ratio))
    return found


def add_legend_above(
    frames: Sequence[RatioFrame], keys: Sequence[Any], heading: str, title: str | None
) -> None:
    """Write a legend and a title above several frames.

    Args:
        frames: of one figure.
        keys: the entries.
        heading: the text above the entries.
        title: above all; None for none.
    """
    lines = [heading] if title is None else [check_text(title), heading]
    place = {"loc": "outside upper center", "frameon": False, "ncols": _COLUMNS}
    figure = frames[0].canvas.picture.figure
    legend = figure.legend(handles=keys, title="\n".join(lines), **place)
    legend.get_title().set_multialignment("center")


def number_bins(axes: Axes, centres: np.ndarray) -> None:
    """Give bins numbers: of many, only every second, third and so on.

    Args:
        axes: whose axis across it is.
        centres: of the bins, which are their numbers.
    """
    axes.set_xticks(centres[:: -(-centres.size // _MOST_TICKS)])
    axes.xaxis.set_minor_locator(NullLocator())


def name_bins(axes: Sequence[Axes], centres: np.ndarray, names: Sequence[str]) -> None:
    """Give bins names, which are turned where they are long together.

    Args:
        axes: events, and below them their ratio, which has the names.
        centres: of the bins.
        names: of the bins.
    """
    for each in axes:
        each.tick_params(axis="x", which="both", length=0)
    shown = [name.replace("$", r"\$") for name in names]
    turned = len("".join(shown)) > _LONG
    axes[-1].set_xticks(centres, shown, rotation=90 if turned else 0)


def steps(edges: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The corners of a histogram from the left.

    Example:
        >>> at, up = steps(np.array([0.0, 1.0, 3.0]), np.array([5.0, 2.0]))
        >>> at.tolist(), up.tolist()
        ([0.0, 1.0, 1.0, 3.0], [5.0, 5.0, 2.0, 2.0])
    """
    return np.repeat(edges, 2)[1:-1], np.repeat(values, 2)
