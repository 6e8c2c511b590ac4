"""The exclusion contour of a scan in the plane of two labels.

What is interpolated between the points is the significance

    z = Phi^-1(1 - CLs),

which is close to linear in the signal's strength, and not CLs itself, which falls by
orders of magnitude from one point to the next and would push the contour to the
wrong place. A point is excluded at level alpha where z > Phi^-1(1 - alpha).
"""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.tri import (
    LinearTriInterpolator,
    TriAnalyzer,
    Triangulation,
    UniformTriRefiner,
)

from hfjax.errors import DataError, unknown_name
from hfjax.scan.records import ScanPoint, ScanResult

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
OBSERVED, EXPECTED, BAND = "#a3122a", "#1d3557", "#f6d77a"
POINT, FAILED = "#6b7280", "#d95f02"

_MINUS_ONE, _MEDIAN, _PLUS_ONE = 1, 2, 3  # positions in CLs_exp
_SMALLEST_CLS = 1e-300  # 37 standard deviations: keeps z finite where CLs underflows
_SUBDIVISIONS = 4  # every triangle is filled as 4**4 smaller ones
_COLLINEAR = 1e-9  # width over length of a cloud of points that is a line


@dataclass(frozen=True)
class Plane:
    """The scan's points with a result, in the plane of two labels.

    Attributes:
        triangulation: Delaunay triangles of the points.
        observed: Significance at each point, observed CLs.
        expected: The same for CLs_exp, `[5, point]`.
    """

    triangulation: Triangulation
    observed: np.ndarray
    expected: np.ndarray


def significance(CLs: float) -> float:
    """The one-sided significance Phi^-1(1 - CLs), in standard deviations.

    Example:
        >>> round(significance(0.05), 4)
        1.6449
    """
    clipped = min(max(CLs, _SMALLEST_CLS), 1 - 1e-16)
    return -NormalDist().inv_cdf(clipped)


def exclusion_labels(
    result: ScanResult, labels: Sequence[str] | None = None
) -> tuple[str, str]:
    """The two labels that span the plane.

    Args:
        result: The scan.
        labels: The two labels wanted; by default the first two whose values differ
            between points.

    Raises:
        DataError: The scan has fewer than two labels.
        UnknownNameError: A wanted label is not among the scan's.

    Warns:
        UserWarning: The points differ in other labels as well.
    """
    if len(result.labels) < 2:
        message = (
            f"an exclusion contour needs two labels, and this scan has "
            f"{len(result.labels)} ({', '.join(result.labels) or 'none'}): "
            "leave the plot out"
        )
        raise DataError(message)
    across, up = labels or sorted(result.labels, key=lambda x: _constant(result, x))[:2]
    for name in (across, up):
        if name not in result.labels:
            error = unknown_name("label", name, result.labels, "the scan")
            raise error
    _warn_of_mixture(result, (across, up))
    return across, up


def check_plane(result: ScanResult, labels: Sequence[str] | None = None) -> None:
    """Check that the points span a plane, whatever their CLs.

    Before a scan, this tells whether its result can be drawn.

    Raises:
        DataError: They do not; the message says why.
    """
    across, up = exclusion_labels(result, labels)
    points = [point for point in result if point.converged]
    _check_spread(*coordinates(result, points, (across, up)), (across, up))


def exclusion_plane(result: ScanResult, labels: tuple[str, str]) -> Plane:
    """Triangulate the points with a result and turn their CLs into significances.

    Raises:
        DataError: The points cannot be triangulated; the message says why.
    """
    points = [point for point in result if point.converged]
    x, y = coordinates(result, points, labels)
    triangulation = _triangulate(x, y, labels)
    observed = [_significance_of(point.CLs_obs) for point in points]
    expected = [[_significance_of(value) for value in p.CLs_exp] for p in points]
    return Plane(triangulation, np.array(observed), np.array(expected).T)


def coordinates(
    result: ScanResult, points: Sequence[ScanPoint], labels: tuple[str, str]
) -> tuple[np.ndarray, np.ndarray]:
    """The points' values of two labels.

    Raises:
        DataError: A value is a string.
    """
    across, up = (result.labels.index(label) for label in labels)
    for point in points:
        for at in (across, up):
            if isinstance(point.values[at], str):
                message = (
                    f"point {point.name!r} has {point.values[at]!r} for "
                    f"{result.labels[at]!r}: only numbers can be drawn in a plane"
                )
                raise DataError(message)
    values = [(point.values[across], point.values[up]) for point in points]
    pairs = np.array(values, dtype=float).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def draw_exclusion(
    result: ScanResult,
    *,
    labels: Sequence[str] | None = None,
    level: float = 0.05,
    axes: Axes | None = None,
) -> Axes:
    """Draw observed and expected exclusion contours with the band and the points.

    Args:
        result: The scan.
        labels: The labels across and up; by default the first two.
        level: A point is excluded where CLs is below it (0.05: 95% confidence level).
        axes: Where to draw; by default a new figure of its own.

    Returns:
        The axes, for titles and units; `axes.figure.savefig(...)` writes the file.

    Raises:
        DataError: Fewer than two labels, fewer than three points with a result, or
            points on one line.
    """
    across, up = exclusion_labels(result, labels)
    plane = exclusion_plane(result, (across, up))
    threshold = significance(level)
    with mpl.rc_context(STYLE):
        axes = axes or _figure().add_subplot()
        keys = [
            *_draw_contours(axes, plane, threshold),
            *_draw_band(axes, plane, threshold),
            *_draw_points(axes, result, (across, up), level),
        ]
        _decorate(axes, (across, up), level, keys)
    return axes


def write_exclusion(result: ScanResult, path: str | Path) -> None:
    """Draw the exclusion contour into a file; the suffix says the format."""
    figure = _figure()
    with mpl.rc_context(STYLE):
        draw_exclusion(result, axes=figure.add_subplot())
        figure.savefig(path)


def _figure() -> Figure:
    return Figure(figsize=(6.4, 5.4), layout="constrained")


def _constant(result: ScanResult, label: str) -> bool:
    """Whether all points have one value for a label."""
    at = result.labels.index(label)
    return len({point.values[at] for point in result}) <= 1


def _warn_of_mixture(result: ScanResult, labels: tuple[str, str]) -> None:
    others = [name for name in result.labels if name not in labels]
    varying = [name for name in others if not _constant(result, name)]
    if varying:
        message = (
            f"the plane of {labels[0]!r} and {labels[1]!r} mixes points that differ in "
            f"{', '.join(map(repr, varying))}: select those of one slice"
        )
        warnings.warn(message, stacklevel=3)


def _significance_of(CLs: float | None) -> float:
    return float("nan") if CLs is None else significance(CLs)


def _triangulate(
    x: np.ndarray, y: np.ndarray, labels: tuple[str, str]
) -> Triangulation:
    """Delaunay triangles, made where both labels have unit spread."""
    _check_spread(x, y, labels)
    scaled = Triangulation(*(_unit_spread(value) for value in (x, y)))
    triangulation = Triangulation(x, y, scaled.triangles)
    # Slivers along the edge of the plane join points that are far apart.
    triangulation.set_mask(TriAnalyzer(scaled).get_flat_tri_mask(0.01))
    return triangulation


def _unit_spread(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / (values.std() or 1.0)


def _check_spread(x: np.ndarray, y: np.ndarray, labels: tuple[str, str]) -> None:
    plane = f"the plane of {labels[0]!r} and {labels[1]!r}"
    way_out = "scan more points, or leave the plot out"
    if len(x) < 3:
        message = f"{len(x)} points with a result are too few for {plane}: {way_out}"
        raise DataError(message)
    distinct = {pair: at for at, pair in enumerate(zip(x, y, strict=True))}
    if len(distinct) < len(x):
        message = (
            f"several points share one place in {plane}: select points that differ "
            "there, or draw other labels"
        )
        raise DataError(message)
    spread = np.column_stack([_unit_spread(x), _unit_spread(y)])
    widths = np.linalg.svd(spread, compute_uv=False)
    if widths[1] <= _COLLINEAR * widths[0]:
        message = f"all points with a result lie on one line in {plane}: {way_out}"
        raise DataError(message)


def _draw_points(
    axes: Axes, result: ScanResult, labels: tuple[str, str], level: float
) -> list[Line2D]:
    """Mark what happened at each point: excluded, not excluded, no result."""
    tested = [point for point in result if point.converged]
    groups: tuple[tuple[str, Sequence[ScanPoint], dict[str, Any]], ...] = (
        ("Excluded", [p for p in tested if p.excluded(level)], {"marker": "o"}),
        (
            "Not excluded",
            [p for p in tested if not p.excluded(level)],
            {"marker": "o", "markerfacecolor": "white"},
        ),
        (
            "No result",
            result.failed,
            {"marker": "X", "color": FAILED, "markersize": 7, "markeredgewidth": 0},
        ),
    )
    shape: dict[str, Any] = {"linestyle": "none", "color": POINT, "zorder": 4}
    shape |= {"markersize": 3.6, "markeredgewidth": 0.9}
    keys: list[Line2D] = []
    for name, points, marker in groups:
        if points:
            x, y = coordinates(result, points, labels)
            keys += axes.plot(x, y, **shape | marker, label=name)
    return keys


def _draw_band(axes: Axes, plane: Plane, threshold: float) -> list[Patch]:
    """Fill between the contours of CLs_exp at -1 and +1 standard deviations."""
    refiner = UniformTriRefiner(plane.triangulation)
    inside = []
    for value in (
        plane.expected[_MINUS_ONE] - threshold,
        threshold - plane.expected[_PLUS_ONE],
    ):
        linear = LinearTriInterpolator(plane.triangulation, value)
        fine, refined = refiner.refine_field(value, linear, subdiv=_SUBDIVISIONS)
        inside.append(np.asarray(refined))
    both = np.minimum(*inside)
    if both.max() <= 0:
        return []
    axes.tricontourf(fine, both, levels=[0, np.inf], colors=[BAND], zorder=1)
    return [Patch(color=BAND, label=r"Expected $\pm1\sigma$")]


def _draw_contours(axes: Axes, plane: Plane, threshold: float) -> list[Line2D]:
    """Draw the observed and the median expected contour, where there is one."""
    lines = (
        ("Observed", plane.observed, OBSERVED, "solid", 2.0),
        ("Expected", plane.expected[_MEDIAN], EXPECTED, "dashed", 1.6),
    )
    keys = []
    for name, z, color, style, width in lines:
        if z.min() < threshold < z.max():
            axes.tricontour(
                plane.triangulation,
                z,
                levels=[threshold],
                colors=[color],
                linestyles=[style],
                linewidths=[width],
                zorder=3,
            )
        else:
            name = f"{name}: {'all' if z.min() >= threshold else 'nothing'} excluded"
        shape = {"color": color, "linestyle": style, "linewidth": width}
        keys.append(Line2D([], [], **shape, label=name))
    return keys


def _decorate(
    axes: Axes, labels: tuple[str, str], level: float, keys: list[Line2D | Patch]
) -> None:
    axes.set_xlabel(_mathtext(labels[0]), loc="right")
    axes.set_ylabel(_mathtext(labels[1]), loc="top")
    axes.use_sticky_edges = False  # or points on the edge of the plane are cut in half
    axes.margins(0.04)
    legend = axes.legend(
        handles=keys,
        title=f"Exclusion at {100 * (1 - level):g}% CL",
        loc="lower left",
        bbox_to_anchor=(-0.012, 1.0),  # above the axes, where it hides no point
        ncols=2,
        alignment="left",
        frameon=False,
    )
    legend.get_title().set_fontsize(STYLE["axes.labelsize"])


def _mathtext(label: str) -> str:
    r"""Set `m_parent` as m with an index; other labels as they are.

    Example:
        >>> _mathtext("m_parent"), _mathtext("lifetime_ns")
        ('$m_{\\mathrm{parent}}$', 'lifetime_ns')
    """
    match = re.fullmatch(r"([A-Za-z])_([A-Za-z0-9]+)", label)
    return rf"${match[1]}_{{\mathrm{{{match[2]}}}}}$" if match else label
