"""What all pictures of scans share: their style, axes, points and legends."""

import re
from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hfjax.plotting.plane import coordinates
from hfjax.results.scan import ScanPoint, ScanResult

STYLE: dict[Any, Any] = {
    "font.size": 11,
    "axes.labelsize": 13,
    "axes.linewidth": 0.9,
    "legend.fontsize": 10,
    "mathtext.fontset": "dejavusans",
    "savefig.dpi": 200,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
}
POINT, FAILED = "#6b7280", "#d95f02"


def new_figure() -> Figure:
    """An empty figure in the size of a column, in a constrained layout."""
    return Figure(figsize=(6.4, 5.4), layout="constrained")


def axes_of_figure(axes: Axes | None) -> Axes:
    """The axes that are given, or those of a new figure."""
    return axes or new_figure().add_subplot()


Marks = Sequence[tuple[str, Sequence[ScanPoint], dict[str, Any]]]
"""Names of kinds of points, the points, and how they are marked."""


def mark_points(
    axes: Axes, result: ScanResult, labels: tuple[str, str], marks: Marks
) -> list[Artist]:
    """Mark the points of each kind, and those without a result.

    Returns:
        What the legend shows.
    """
    shape: dict[str, Any] = {"linestyle": "none", "color": POINT, "zorder": 4}
    shape |= {"marker": "o", "markersize": 3.6, "markeredgewidth": 0.9}
    failed = {"marker": "X", "color": FAILED, "markersize": 7, "markeredgewidth": 0}
    keys: list[Artist] = []
    for name, points, own in (*marks, ("No result", result.failed, failed)):
        if points:
            x, y = coordinates(result, points, labels)
            keys += axes.plot(x, y, **shape | own, label=name)
    return keys


def decorate(
    axes: Axes,
    labels: tuple[str, str],
    title: str,
    keys: Sequence[Artist],
    columns: int = 2,
) -> None:
    """Name the axes, and put a legend with a title above them."""
    axes.set_xlabel(mathtext(labels[0]), loc="right")
    axes.set_ylabel(mathtext(labels[1]), loc="top")
    axes.use_sticky_edges = False  # or points on the edge of the plane are cut in half
    axes.margins(0.04)
    legend = axes.legend(
        handles=list(keys),
        title=title,
        loc="lower left",
        bbox_to_anchor=(-0.012, 1.0),  # above the axes, where it hides no point
        ncols=columns,
        alignment="left",
        frameon=False,
    )
    legend.get_title().set_fontsize(STYLE["axes.labelsize"])


def poi_symbol(result: ScanResult) -> str:
    r"""What the parameter of interest of a scan is called in a picture.

    >>> poi_symbol(ScanResult((), ()))
    '$\\mu$'
    """
    poi = result.provenance.settings.get("poi")
    return r"$\mu$" if poi in (None, "mu") else mathtext(poi)


def mathtext(label: str) -> str:
    r"""Set `m_parent` as m with an index; other labels as they are.

    Example:
        >>> mathtext("m_parent"), mathtext("lifetime_ns")
        ('$m_{\\mathrm{parent}}$', 'lifetime_ns')
    """
    match = re.fullmatch(r"([A-Za-z])_([A-Za-z0-9]+)", label)
    return rf"${match[1]}_{{\mathrm{{{match[2]}}}}}$" if match else label
