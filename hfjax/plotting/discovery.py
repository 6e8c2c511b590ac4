"""The significances of a scan for discovery in the plane of two labels.

Z is that of p0, the p-value of the background alone: Phi(-Z) = p0. The expected one is
that of the signal in its own strength, mu = 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.tri import Triangulation

from hfjax.errors import DataError
from hfjax.plotting.canvas import (
    STYLE,
    axes_of_figure,
    decorate,
    mark_points,
    new_figure,
    poi_symbol,
)
from hfjax.plotting.plane import plane_labels, significance_plane
from hfjax.results.scan import ScanResult

COLORS = {1: "#f0a35e", 2: "#e0664d", 3: "#bb3754", 4: "#7d1d6a", 5: "#2f0f5c"}
"""Contours that are drawn, by their significance; the darker the more."""
_OBSERVED, _EXPECTED = ("solid", 2.0), ("dashed", 1.4)  # styles and widths of lines


def draw_discovery(
    result: ScanResult,
    *,
    labels: Sequence[str] | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw observed and expected contours of the significance of p0, and the points.

    Args:
        result: A scan with the test statistic q0.
        labels: The labels across and up; by default the first two.
        axes: Where to draw; by default a new figure of its own.

    Returns:
        The axes, for titles and units; `axes.figure.savefig(...)` writes the file.

    Raises:
        DataError: Results of another test statistic, fewer than two labels, points that
            differ in a third label, fewer than three points with a result, or points
            on one line.

    Example:
        >>> from hfjax.results.scan import ScanPoint
        >>> masses, band = [(300, 0), (300, 100), (400, 0)], (0.01,) * 5
        >>> tests = [
        ...     ScanPoint(str(m), m, 0.02, band, q=q, q_asimov=2.0, discovery=True)
        ...     for m, q in zip(masses, (0.4, 4.2, 4.2))
        ... ]
        >>> axes = draw_discovery(ScanResult(("m_parent", "m_lsp"), tuple(tests)))
        >>> axes.get_legend().get_title().get_text()
        'Discovery: significance $Z$ of $p_0$'
    """
    if not result.discovery:
        message = "only q0 has significances of a discovery: draw_exclusion draws CLs"
        raise DataError(message)
    across, up = plane_labels(result, labels)
    plane = significance_plane(result, (across, up))
    lines = (
        _Line("Observed", plane.observed, *_OBSERVED),
        _Line(f"Expected for {poi_symbol(result)} = 1", plane.median, *_EXPECTED),
    )
    tested = [point for point in result if point.converged]
    with mpl.rc_context(STYLE):
        axes = axes_of_figure(axes)
        for line in lines:
            line.draw(axes, plane.triangulation)
        keys: list[Artist] = [line.key() for line in lines]
        keys += mark_points(axes, result, (across, up), [("Tested", tested, {})])
        levels = sorted({level for line in lines for level in line.reached})
        title = "Discovery: significance $Z$ of $p_0$"
        decorate(axes, (across, up), title, *_columns(keys, _level_keys(levels)))
    return axes


def write_discovery(result: ScanResult, path: str | Path) -> None:
    """Draw the significances into a file; the suffix says the format."""
    figure = new_figure()
    with mpl.rc_context(STYLE):
        draw_discovery(result, axes=figure.add_subplot())
        figure.savefig(path)


@dataclass(frozen=True)
class _Line:
    """Contours of one kind: their name, the significances, and how they are drawn."""

    name: str
    z: np.ndarray
    style: str
    width: float

    @property
    def reached(self) -> list[int]:
        """The levels that the significances pass."""
        return [level for level in COLORS if self.z.min() < level < self.z.max()]

    def draw(self, axes: Axes, triangulation: Triangulation) -> None:
        """Draw a contour of each level that is reached."""
        if self.reached:
            axes.tricontour(
                triangulation,
                self.z,
                levels=self.reached,
                colors=[COLORS[level] for level in self.reached],
                linestyles=[self.style],
                linewidths=[self.width],
                zorder=3,
            )

    def key(self) -> Line2D:
        """An entry of the legend, with the significances if no level is reached."""
        lowest, highest = self.z.min(), self.z.max()
        between = rf": ${lowest:.2f} \leq Z \leq {highest:.2f}$"
        label = self.name if self.reached else self.name + between
        shape: dict[str, Any] = {"linestyle": self.style, "linewidth": self.width}
        return Line2D([], [], color="black", **shape, label=label)


def _level_keys(levels: Sequence[int]) -> list[Artist]:
    return [
        Line2D([], [], color=COLORS[level], linewidth=2.0, label=f"$Z = {level}$")
        for level in levels
    ]


def _columns(first: list[Artist], more: list[Artist]) -> tuple[list[Artist], int]:
    """Fill the columns of a legend: the first one, and those of the other entries.

    Returns:
        The entries, and the number of columns.
    """
    columns = 1 + math.ceil(len(more) / len(first))
    room = columns * len(first) - len(first) - len(more)
    blank = [Line2D([], [], linestyle="none", label=" ") for _ in range(room)]
    return [*first, *more, *blank], columns
