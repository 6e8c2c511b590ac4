"""Profile likelihood ratios: a curve of one parameter, contours of two.

Between the points of a curve, the root of -2 Delta ln L with the sign of the distance
to the best fit is interpolated, which is close to linear.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from scipy.interpolate import PchipInterpolator, RegularGridInterpolator

from hfjax.errors import DataError
from hfjax.plotting.canvas import (
    FAILED_SHAPE,
    OBSERVED,
    POINT_SHAPE,
    Canvas,
    Picture,
    keep_whole,
    limits,
)
from hfjax.plotting.coordinates import unit_text
from hfjax.plotting.curve import name_line
from hfjax.plotting.mathtext import check_text, mathtext
from hfjax.plotting.settings import PlotSettings, take_only
from hfjax.results.profile_record import ProfileRecord
from hfjax.results.written import Dumped

CONTOURS = {"68.3% CL": 2.295749, "95.4% CL": 6.180074}
"""-2 Delta ln L of two parameters at 1 and 2 standard deviations: -2 ln(1 - p)."""

_TAKEN = ("xlabel", "ylabel", "units", "title", "text", "points")
_HIGHEST = 10.0  # that a curve is drawn to
_STEPS = 300
_DELTA = r"$-2\,\Delta\ln L$"


def draw_profile(
    result: ProfileRecord | Dumped,
    settings: PlotSettings = PlotSettings(),
    *,
    axes: Axes | None = None,
) -> Picture:
    r"""Draw -2 Delta ln L against a parameter, or its contours in the plane of two.

    A curve has lines at 1 and 4, which are 1 and 2 standard deviations; contours of two
    parameters are at 2.30 and 6.18, at 68.3 % and 95.4 % confidence level.

    Args:
        result: A `ProfileResult`, or what `load_result` reads.
        settings: What is written: `xlabel`, `ylabel`, `units`, `title`, `text`, and
            whether `points` are marked.
        axes: Where to draw; by default a new figure.

    Returns:
        The figure and its axes; `picture.write(path)` writes the file.

    Raises:
        DataError: There are too few points, or more than two parameters, or a setting
            does not apply.

    Example:
        >>> from hfjax.results.fit_record import FitRecord
        >>> values, delta = (0.0, 0.5, 1.0, 2.0), [4.0, 1.0, 0.0, 4.0]
        >>> free = FitRecord({"mu": 1.0})
        >>> figure, axes = draw_profile(ProfileRecord(("mu",), (values,), delta, free))
        >>> [text.get_text() for text in axes.texts]
        ['$1\\sigma$', '$2\\sigma$']
    """
    record = ProfileRecord.of(result)
    take_only(settings, _TAKEN, "a profile")
    _check(record)
    canvas = Canvas(axes)
    names = [
        check_text((given or mathtext(name)) + unit_text(settings, i))
        for i, (name, given) in enumerate(
            zip(record.names, (settings.xlabel, settings.ylabel), strict=False)
        )
    ]
    with canvas.style():
        if len(names) == 1:
            names.append(check_text(settings.ylabel or _DELTA))
            canvas.keys += _draw_curve(canvas, record, settings.points)
        else:
            canvas.keys += _draw_contours(canvas, record, settings.points)
        canvas.name_axes(names, settings)
        canvas.add_legend("", settings)
    return canvas.picture


def _check(record: ProfileRecord) -> None:
    """Refuse a profile that no curve or contour can be drawn of.

    Raises:
        DataError: It has too many axes, or too few points with a result.
    """
    if len(record.names) > 2:
        message = (
            f"a profile of {len(record.names)} parameters cannot be drawn: hold one or "
            "two"
        )
        raise DataError(message)
    known = np.isfinite(_delta(record))
    if known.sum() < 3 or min(map(len, record.values)) < 2:
        message = (
            f"{int(known.sum())} points with a result are too few for a profile: give "
            "more values"
        )
        raise DataError(message)
    if known.ndim == 2 and not known.all():
        message = (
            f"{int((~known).sum())} points of the plane have no result, so that no "
            "contours can be drawn: profile fewer values, or allow more steps"
        )
        raise DataError(message)


def _delta(record: ProfileRecord) -> np.ndarray:
    """The table of a profile; NaN where a fit did not converge."""
    return np.array(record.delta, float)


def _draw_curve(canvas: Canvas, record: ProfileRecord, points: bool) -> list[Line2D]:
    """Draw the curve through the points, and lines at 1 and 4."""
    axes, x = canvas.axes, np.array(record.values[0])
    delta = _delta(record)
    highest = min(1.1 * float(np.nanmax(delta)), _HIGHEST)
    canvas.limit(limits(x, log=False, margin=0.0), (0.0, max(highest, 4.6)))
    for sigma in (1, 2):
        name_line(axes, float(sigma**2), "y", rf"${sigma}\sigma$")
    places, curve = _interpolated(record)
    shape = {"color": OBSERVED, "linewidth": 1.8, "zorder": 3}
    keys = axes.plot(places, curve, **shape, label="Profile likelihood")
    ok = np.isfinite(delta)
    if points:
        mark = POINT_SHAPE | {"color": "black", "zorder": 3.2}
        keep_whole(axes, *axes.plot(x[ok], delta[ok], **mark))
    if not ok.all():
        bottom = {"transform": axes.get_xaxis_transform(), "label": "No result"}
        keys += axes.plot(x[~ok], np.full(sum(~ok), 0.03), **FAILED_SHAPE | bottom)
    return keys


def _interpolated(record: ProfileRecord) -> tuple[np.ndarray, np.ndarray]:
    """Many places along the axis, and -2 Delta ln L there."""
    table = _delta(record)
    ok = np.isfinite(table)
    x, delta = np.array(record.values[0])[ok], table[ok]
    steps = np.union1d(np.linspace(x.min(), x.max(), _STEPS), x)
    lowest = float(x[delta.argmin()]) if record.best is None else record.best[0]
    if record.best is not None:
        x, delta = np.append(x, lowest), np.append(delta, 0.0)
    x, kept = np.unique(x, return_index=True)
    root = np.sign(x - lowest) * np.sqrt(delta[kept])
    return steps, PchipInterpolator(x, root)(steps) ** 2


def _draw_contours(canvas: Canvas, record: ProfileRecord, points: bool) -> list[Line2D]:
    """Draw the contours of two parameters, and where the best fit is."""
    axes = canvas.axes
    canvas.limit(*(limits(np.array(v), False, 0.0) for v in record.values))
    x, y, delta = _refined(record)
    keys: list[Line2D] = []
    for (name, level), style in zip(CONTOURS.items(), ("solid", "dashed"), strict=True):
        shape = {"colors": [OBSERVED], "linestyles": [style], "linewidths": [1.8]}
        if delta.min() < level < delta.max():
            axes.contour(x, y, delta.T, levels=[level], **shape)
            line = {"color": OBSERVED, "linestyle": style, "linewidth": 1.8}
            keys.append(Line2D([], [], **line, label=name))
    if points:
        mesh = np.meshgrid(*record.values)
        small: dict[str, Any] = POINT_SHAPE | {"markersize": 1.6}
        across, up = (each.ravel() for each in mesh)
        keep_whole(axes, *axes.plot(across, up, **small))
    if record.best is not None:
        x_best, y_best = record.best
        keys += axes.plot(x_best, y_best, "k+", ms=10, label="Best fit")
    return keys


def _refined(record: ProfileRecord) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A fine grid, and -2 Delta ln L there."""
    axes = [np.unique(axis, return_index=True) for axis in record.values]
    values = [axis for axis, _ in axes]
    table = _delta(record)[np.ix_(*(order for _, order in axes))]
    method = "cubic" if min(map(len, values)) >= 4 else "linear"
    x, y = (np.linspace(axis[0], axis[-1], _STEPS) for axis in values)
    mesh = np.meshgrid(x, y, indexing="ij")
    found = RegularGridInterpolator(values, table, method)(tuple(mesh))
    return x, y, found
