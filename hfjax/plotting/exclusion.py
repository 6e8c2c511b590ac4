"""The exclusion of a scan: contours in the plane of two labels, or CLs against one.

A point is excluded at level alpha where z > Phi^-1(1 - alpha); see
`hfjax.plotting.significance`.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from hfjax.errors import DataError
from hfjax.plotting.canvas import (
    EXPECTED,
    OBSERVED,
    ONE_SIGMA,
    TWO_SIGMA,
    Mark,
    Picture,
    poi_symbol,
)
from hfjax.plotting.coordinates import Coordinates, locate
from hfjax.plotting.curve import draw_curve
from hfjax.plotting.frame import draw_frame
from hfjax.plotting.plane import Plane, significance_plane
from hfjax.plotting.settings import PlotSettings
from hfjax.plotting.significance import significance
from hfjax.results.scan import MEDIAN, ScanResult

_BEYOND = 1e9  # higher than all significances


def draw_exclusion(
    result: ScanResult,
    settings: PlotSettings = PlotSettings(),
    *,
    axes: Axes | None = None,
) -> Picture:
    """Draw observed and expected exclusion contours with the band and the points.

    Where one label varies, or one is asked for, CLs is drawn against it.

    Args:
        result: The scan.
        settings: What is shown, and what is written.
        axes: Where to draw; by default a new figure. Axes that are given keep their
            limits, names, title and legend.

    Returns:
        The figure and its axes; `picture.write(path)` writes the file.

    Raises:
        DataError: Results of q0, no label that varies, points that differ in a further
            label, too few points with a result, or points on one line.

    Example:
        >>> from hfjax.results.scan import ScanPoint
        >>> masses, band = [(300, 0), (300, 100), (400, 0)], (0.01,) * 5
        >>> tests = [
        ...     ScanPoint(str(m), m, CLs, band)
        ...     for m, CLs in zip(masses, (0.01, 0.2, 0.2))
        ... ]
        >>> result = ScanResult(("m_parent", "m_lsp"), tuple(tests))
        >>> settings = PlotSettings(xlabel="$m$", units=("GeV",))
        >>> figure, axes = draw_exclusion(result, settings)
        >>> axes.get_xlabel()
        '$m$ [GeV]'
    """
    if result.discovery:
        message = (
            "q0 tests the background alone and excludes no signal: draw_discovery "
            "draws its significances"
        )
        raise DataError(message)
    found = locate(result, settings)
    if len(found.names) == 1:
        return draw_curve(found, settings, axes, discovery=False)
    threshold = significance(settings.level)
    plane = significance_plane(found, [threshold])

    def contours(where: Axes) -> list[Any]:
        return draw_contours(where, plane, threshold, settings.two_sigma)

    kinds = _kinds(found, settings.level)
    heading = _heading(result, settings.level)
    return draw_frame(found, settings, axes, contours, kinds, heading)


def write_exclusion(
    result: ScanResult,
    path: Any,
    settings: PlotSettings = PlotSettings(),
    form: str | None = None,
) -> None:
    """Draw the exclusion contour into a file.

    Args:
        result: the points.
        path: the file; its suffix says the format.
        settings: what is drawn, and how.
        form: the format, whatever the suffix.

    Raises:
        DataError: The points cannot be drawn; the message says why.

    Example:
        >>> import io
        >>> from hfjax.results.scan import ScanPoint
        >>> points = tuple(
        ...     ScanPoint(f"{m}", (m,), 0.01 * m, (0.01, 0.02, 0.03, 0.05, 0.1))
        ...     for m in (2, 4, 6, 8)
        ... )
        >>> picture = io.BytesIO()
        >>> write_exclusion(ScanResult(("mass",), points), picture, form="png")
        >>> picture.getvalue()[1:4]
        b'PNG'
    """
    draw_exclusion(result, settings).write(path, form)


def _heading(result: ScanResult, level: float) -> str:
    r"""What is excluded, where that is not the signal in its own strength.

    >>> from hfjax.provenance import Provenance
    >>> origin = Provenance(settings={"test_poi": 2.0})
    >>> print(_heading(ScanResult(("m", "n"), (), origin), 0.05))
    Exclusion of $\mu$ = 2 at 95% CL
    """
    tested = result.provenance.settings.get("test_poi")
    poi = result.provenance.settings.get("poi")
    plain = tested in (None, 1) and poi is None
    value = 1 if tested is None else tested
    of = "" if plain else f" of {poi_symbol(result)} = {value:g}"
    return f"Exclusion{of} at {100 * (1 - level):g}% CL"


def _kinds(found: Coordinates, level: float) -> list[Mark]:
    """Which points are excluded and which are not."""
    below = np.array([point.excluded(level) for point in found.result], bool)
    excluded, rest = found.tested & below, found.tested & ~below
    return [
        Mark("Excluded", excluded, {}),
        Mark("Not excluded", rest, {"markerfacecolor": "white"}),
    ]


def draw_contours(
    axes: Axes, plane: Plane, threshold: float, two_sigma: bool
) -> list[Any]:
    """Draw the observed and the median expected contour, and the bands around it.

    Args:
        axes: Where to draw.
        plane: What is interpolated between the points.
        threshold: Where it is on the contours; signals are excluded above.
        two_sigma: Whether the band of 2 standard deviations is drawn as well.

    Returns:
        What the legend shows.
    """
    inner = ONE_SIGMA if two_sigma else TWO_SIGMA
    outer = _draw_band(axes, plane, threshold, 2, TWO_SIGMA) if two_sigma else None
    band = _draw_band(axes, plane, threshold, 1, inner)
    observed = _draw_line(axes, plane, threshold, 0, "Observed")
    expected = _draw_line(axes, plane, threshold, 1, "Expected")
    if band is None:
        return [observed, expected]
    if expected.get_label() == "Expected":
        expected.set_label(band.get_label())
        return [observed, (band, expected), *([] if outer is None else [outer])]
    return [observed, expected, band, *([] if outer is None else [outer])]


def _draw_band(
    axes: Axes, plane: Plane, threshold: float, sigma: int, color: str
) -> Patch | None:
    """Fill between contours of CLs_exp some standard deviations to both sides."""
    above = plane.expected[MEDIAN - sigma] - threshold
    below = threshold - plane.expected[MEDIAN + sigma]
    both = np.minimum(above, below)
    if both.max() <= 0:
        return None
    order = 1 - 0.1 * sigma
    where = plane.triangulation
    axes.tricontourf(where, both, levels=[0, _BEYOND], colors=[color], zorder=order)
    return Patch(color=color, label=rf"Expected $\pm{sigma}\sigma$")


def _draw_line(
    axes: Axes, plane: Plane, threshold: float, kind: int, name: str
) -> Line2D:
    """Draw the contour of observed (0) or median expected (1) significances."""
    color, style, width = (
        (OBSERVED, "solid", 2.0) if kind == 0 else (EXPECTED, "dashed", 1.5)
    )
    z, tested = (plane.observed, plane.median)[kind], plane.at_points[kind]
    if tested.min() < threshold < tested.max():
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
        name = f"{name}: {'all' if tested.min() >= threshold else 'nothing'} excluded"
    return Line2D([], [], color=color, linestyle=style, linewidth=width, label=name)
