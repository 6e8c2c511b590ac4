"""The significances of a scan for discovery, in a plane or against one label.

Z is that of p0, the p-value of the background alone: Phi(-Z) = p0. The expected one is
that of the signal in its own strength, mu = 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.tri import Triangulation

from hfjax.errors import DataError
from hfjax.plotting.canvas import (
    Mark,
    Picture,
    poi_symbol,
)
from hfjax.plotting.coordinates import locate
from hfjax.plotting.curve import draw_curve
from hfjax.plotting.frame import draw_frame
from hfjax.plotting.plane import significance_plane
from hfjax.plotting.settings import PlotSettings
from hfjax.results.scan import LEVEL, ScanResult

COLORS = {1: "#f0a35e", 2: "#e0664d", 3: "#bb3754", 4: "#7d1d6a", 5: "#2f0f5c"}
"""Contours that are drawn, by their significance; the darker the more."""
_OBSERVED, _EXPECTED = ("solid", 2.0), ("dashed", 1.4)  # styles and widths of lines


def draw_discovery(
    result: ScanResult,
    settings: PlotSettings = PlotSettings(),
    *,
    axes: Axes | None = None,
) -> Picture:
    """Draw observed and expected contours of the significance of p0, and the points.

    Where one label varies, or one is asked for, p0 is drawn against it.

    Args:
        result: A scan with the test statistic q0.
        settings: What is shown, and what is written.
        axes: Where to draw; by default a new figure. Axes that are given keep their
            limits, names, title and legend.

    Returns:
        The figure and its axes; `picture.write(path)` writes the file.

    Raises:
        DataError: Results of another test statistic, no label that varies, points that
            differ in a further label, too few points with a result, or points on one
            line.

    Example:
        >>> from hfjax.results.scan import ScanPoint
        >>> masses, band = [(300, 0), (300, 100), (400, 0)], (0.01,) * 5
        >>> tests = [
        ...     ScanPoint(str(m), m, 0.02, band, q=q, q_asimov=2.0, discovery=True)
        ...     for m, q in zip(masses, (0.4, 4.2, 4.2))
        ... ]
        >>> picture = draw_discovery(ScanResult(("m_parent", "m_lsp"), tuple(tests)))
        >>> picture.axes.get_legend().get_title().get_text()
        'Discovery: significance $Z$ of $p_0$'
    """
    if not result.discovery:
        message = "only q0 has significances of a discovery: draw_exclusion draws CLs"
        raise DataError(message)
    if settings.two_sigma or settings.level != LEVEL:
        message = "a level and a band of 2 sigma belong to an exclusion: q0 has none"
        raise DataError(message)
    found = locate(result, settings)
    if len(found.names) == 1:
        return draw_curve(found, settings, axes, discovery=True)
    plane = significance_plane(found, [float(level) for level in COLORS])
    name = f"Expected for {poi_symbol(result)} = 1"
    lines = (
        _Line("Observed", plane.observed, plane.at_points[0], *_OBSERVED),
        _Line(name, plane.median, plane.at_points[1], *_EXPECTED),
    )

    def contours(where: Axes) -> list[Any]:
        for line in lines:
            line.draw(where, plane.triangulation)
        levels = sorted({level for line in lines for level in line.reached})
        return [*(line.key() for line in lines), *_level_keys(levels)]

    kinds = [Mark("Tested", found.tested, {})]
    heading = "Discovery: significance $Z$ of $p_0$"
    return draw_frame(found, settings, axes, contours, kinds, heading)


def write_discovery(
    result: ScanResult,
    path: Any,
    settings: PlotSettings = PlotSettings(),
    form: str | None = None,
) -> None:
    """Draw the significances into a file.

    Args:
        result: the points, tested with q0.
        path: the file; its suffix says the format.
        settings: what is drawn, and how.
        form: the format, whatever the suffix.

    Raises:
        DataError: The points cannot be drawn; the message says why.

    Example:
        >>> import io
        >>> from hfjax.results.scan import ScanPoint
        >>> points = tuple(
        ...     ScanPoint(f"{m}", (m,), 0.1, (0.1,) * 5, q=2.0 * m, q_asimov=2.0,
        ...               discovery=True)
        ...     for m in (1, 2, 4, 6)
        ... )
        >>> picture = io.BytesIO()
        >>> write_discovery(ScanResult(("mass",), points), picture, form="svg")
        >>> b"<svg" in picture.getvalue()
        True
    """
    draw_discovery(result, settings).write(path, form)


@dataclass(frozen=True)
class _Line:
    """Contours of one kind: their name, the significances, and how they are drawn."""

    name: str
    z: np.ndarray
    tested: np.ndarray
    style: str
    width: float

    @property
    def reached(self) -> list[int]:
        """The levels that the significances pass."""
        lowest, highest = self.tested.min(), self.tested.max()
        return [level for level in COLORS if lowest < level < highest]

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
        lowest, highest = self.tested.min(), self.tested.max()
        between = rf": ${lowest:.2f} \leq Z \leq {highest:.2f}$"
        label = self.name if self.reached else self.name + between
        shape: dict[str, Any] = {"linestyle": self.style, "linewidth": self.width}
        return Line2D([], [], color="black", **shape, label=label)


def _level_keys(levels: Sequence[int]) -> list[Line2D]:
    return [
        Line2D([], [], color=COLORS[level], linewidth=2.0, label=f"$Z = {level}$")
        for level in levels
    ]
