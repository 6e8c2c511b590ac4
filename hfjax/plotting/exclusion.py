"""The exclusion contour of a scan in the plane of two labels.

A point is excluded at level alpha where z > Phi^-1(1 - alpha); see
`hfjax.plotting.plane`.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.tri import LinearTriInterpolator, UniformTriRefiner

from hfjax.errors import DataError
from hfjax.plotting.canvas import (
    STYLE,
    Marks,
    axes_of_figure,
    decorate,
    mark_points,
    new_figure,
    poi_symbol,
)
from hfjax.plotting.plane import Plane, plane_labels, significance, significance_plane
from hfjax.results.scan import LEVEL, ScanResult

OBSERVED, EXPECTED, BAND = "#a3122a", "#1d3557", "#f6d77a"

_MINUS_ONE, _PLUS_ONE = 1, 3  # positions in CLs_exp
_SUBDIVISIONS = 4  # every triangle is filled as 4**4 smaller ones


def draw_exclusion(
    result: ScanResult,
    *,
    labels: Sequence[str] | None = None,
    level: float = LEVEL,
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
        DataError: Results of q0, fewer than two labels, points that differ in a third
            label, fewer than three points with a result, or points on one line.
    """
    if result.discovery:
        message = (
            "q0 tests the background alone and excludes no signal: draw_discovery "
            "draws its significances"
        )
        raise DataError(message)
    across, up = plane_labels(result, labels)
    plane = significance_plane(result, (across, up))
    threshold = significance(level)
    with mpl.rc_context(STYLE):
        axes = axes_of_figure(axes)
        keys: list[Artist] = [
            *_draw_contours(axes, plane, threshold),
            *_draw_band(axes, plane, threshold),
            *mark_points(axes, result, (across, up), _marks(result, level)),
        ]
        decorate(axes, (across, up), _title(result, level), keys)
    return axes


def write_exclusion(result: ScanResult, path: str | Path) -> None:
    """Draw the exclusion contour into a file; the suffix says the format."""
    figure = new_figure()
    with mpl.rc_context(STYLE):
        draw_exclusion(result, axes=figure.add_subplot())
        figure.savefig(path)


def _title(result: ScanResult, level: float) -> str:
    r"""What is excluded, where that is not the signal in its own strength.

    >>> from hfjax.results.scan import Provenance
    >>> origin = Provenance(settings={"test_poi": 2.0})
    >>> print(_title(ScanResult(("m", "n"), (), origin), 0.05))
    Exclusion of $\mu$ = 2 at 95% CL
    """
    tested = result.provenance.settings.get("test_poi")
    poi = result.provenance.settings.get("poi")
    plain = tested in (None, 1) and poi is None
    value = 1 if tested is None else tested
    of = "" if plain else f" of {poi_symbol(result)} = {value:g}"
    return f"Exclusion{of} at {100 * (1 - level):g}% CL"


def _marks(result: ScanResult, level: float) -> Marks:
    """Which points are excluded and which are not."""
    tested = [point for point in result if point.converged]
    return (
        ("Excluded", [p for p in tested if p.excluded(level)], {}),
        (
            "Not excluded",
            [p for p in tested if not p.excluded(level)],
            {"markerfacecolor": "white"},
        ),
    )


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
        ("Expected", plane.median, EXPECTED, "dashed", 1.6),
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
