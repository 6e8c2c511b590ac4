"""Upper limits: CLs against the tested value, or the limits alone in a bar.

Between tested values, ln CLs is interpolated: it falls from zero as a straight line at
first and as a parabola in the end, where a significance is infinite at zero.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from scipy.interpolate import PchipInterpolator

from hfjax.errors import DataError
from hfjax.plotting.canvas import (
    EXPECTED,
    FAILED_SHAPE,
    POINT_SHAPE,
    Canvas,
    Picture,
    keep_whole,
    symbol,
)
from hfjax.plotting.curve import draw_bands, draw_level
from hfjax.plotting.hypothesis import draw_bar, frame_bar
from hfjax.plotting.mathtext import check_text
from hfjax.plotting.settings import PlotSettings, take_only
from hfjax.results.limit_record import CurveRecord, LimitRecord
from hfjax.results.scan import MEDIAN
from hfjax.results.toy_limit_record import ToyCurveRecord, ToyLimitRecord
from hfjax.results.written import Band, Dumped, Number

Limits = LimitRecord | ToyLimitRecord

_TAKEN = ("xlabel", "ylabel", "title", "text", "log", "points")
_STEPS = 600
_SMALLEST, _NOTHING = 1e-300, 1e-3
_FACES = {"Observed limit": "black", "Expected limit": "white"}
_MARK: dict[str, Any] = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 6.5,
    "markeredgecolor": EXPECTED,
    "zorder": 4,
}


def draw_limit(
    result: LimitRecord | ToyLimitRecord | Dumped,
    settings: PlotSettings = PlotSettings(),
    *,
    axes: Axes | None = None,
) -> Picture:
    """Draw an upper limit: CLs against the tested value, with its expected bands.

    The limits are where CLs crosses the level, and marked there; those of toys with
    their statistical errors, as are the tested values. Limits without a curve are drawn
    alone: the observed one in the band of the expected ones.

    Args:
        result: A `LimitResult`, with a curve by `LimitResult.with_curve` of
            `hfjax.limit_curve`, a `ToyLimitResult`, or what `load_result` reads.
        settings: What is shown and written: `xlabel`, `ylabel`, `title`, `text`, `log`,
            and whether `points` that were tested are marked.
        axes: Where to draw; by default a new figure.

    Returns:
        The figure and its axes; `picture.write(path)` writes the file.

    Raises:
        DataError: Too few tests have a result, or without a curve a limit is missing;
            or a setting does not apply.

    Example:
        >>> values = (0.5, 0.7, 1.0, 1.5, 2.0)
        >>> others = ("", (0.05,) * 6, 0.1, 10.0, 40, 160, "converged")
        >>> found = LimitRecord(0.9, values, 0.05, ("found",) * 6, *others)
        >>> figure, axes = draw_limit(found)
        >>> axes.get_legend().get_texts()[0].get_text()
        'Observed: 0.9'
    """
    record = _record(result)
    if record.curve is None:
        return _draw_alone(record, settings, axes)
    take_only(settings, _TAKEN, "a limit")
    places, CLs = _interpolated(record.curve)
    canvas = Canvas(axes)
    with canvas.style():
        canvas.keys += draw_bands(canvas.axes, places, CLs, "black")
        canvas.keys += _mark_tests(canvas.axes, record.curve, settings.points)
        canvas.keys.append(draw_level(canvas.axes, record.level))
        canvas.keys += _mark_limits(canvas.axes, record)
        if settings.log:
            canvas.axes.set_yscale("log")
        across = float(places[0]), float(places[-1])
        canvas.limit(across, (0.04 * record.level, 1.5) if settings.log else (0.0, 1.0))
        up = check_text(settings.ylabel or r"$\mathrm{CL}_s$")
        canvas.name_axes((_name(record, settings), up), settings)
        canvas.add_legend("", settings)
    return canvas.picture


def _record(result: Limits | Dumped) -> Limits:
    """The record of limits, of whatever kind they are."""
    if isinstance(result, LimitRecord | ToyLimitRecord):
        return result
    document = result.dump()
    kind = ToyLimitRecord if "limit_obs_error" in document else LimitRecord
    return kind.parse(document)


def _draw_alone(record: Limits, settings: PlotSettings, axes: Axes | None) -> Picture:
    """Draw limits without a curve.

    Raises:
        DataError: One is missing, or a setting does not apply.
    """
    take_only(settings, ("xlabel", "title", "text"), "limits without a curve")
    found = [record.observed, *record.expected]
    known = [limit for limit in found if limit is not None]
    if len(known) < len(found):
        message = (
            f"not all limits are there to draw: {record.message}; of `hfjax limit "
            "--curve` there is a picture without them"
        )
        raise DataError(message)
    canvas = Canvas(axes, height=2.9)
    with canvas.style():
        room = 0.1 * (max(known) - min(known))
        frame_bar(canvas, (min(0.0, min(known)), max(known) + room))
        canvas.keys += draw_bar(canvas.axes, known)
        canvas.name_axes((_name(record, settings), ""), settings)
        canvas.add_legend(f"{100 * (1 - record.level):g}% CL upper limits", settings)
    return canvas.picture


def _name(record: Limits, settings: PlotSettings) -> str:
    """What is written along the axis across."""
    poi = symbol(record.provenance.settings.get("poi"))
    return check_text(settings.xlabel) if settings.xlabel else poi


def _tested(curve: CurveRecord) -> tuple[np.ndarray, np.ndarray]:
    """The tested values in rising order, and CLs of each, `[6, value]`.

    Where no toy is as far as the data, CLs is next to nothing.
    """
    values = np.array(curve.poi_values, float)
    order = np.argsort(values)
    rows = _beside(curve.CLs_obs, curve.CLs_exp)
    if isinstance(curve, ToyCurveRecord):
        nothing = 0.1 * np.min(rows[rows > 0.0], initial=_NOTHING)
        rows = np.where(rows == 0.0, nothing, rows)
    return values[order], rows[order].T


def _beside(observed: Sequence[Number], expected: Sequence[Band]) -> np.ndarray:
    """Observed numbers and expected ones in columns."""
    bands = np.reshape(np.array(expected, float), (-1, 5))
    return np.column_stack([np.array(observed, float), bands])


def _interpolated(curve: CurveRecord) -> tuple[np.ndarray, np.ndarray]:
    """Many places along the axis, and CLs there, `[6, place]`.

    Raises:
        DataError: Fewer than two values have a result.
    """
    values, CLs = _tested(curve)
    ok = np.isfinite(CLs).all(axis=0)
    if len(np.unique(values[ok])) < 2:
        message = (
            f"{int(ok.sum())} of {values.size} tested values have CLs, too few for a "
            "curve: test more, or allow more steps"
        )
        raise DataError(message)
    x, first = np.unique(values[ok], return_index=True)
    logarithms = np.log(np.maximum(CLs[:, ok][:, first], _SMALLEST))
    steps = np.union1d(np.linspace(x[0], x[-1], _STEPS), x)
    return steps, np.exp(PchipInterpolator(x, logarithms, axis=1)(steps))


def _mark_tests(axes: Axes, curve: CurveRecord, points: bool) -> list[Any]:
    """Mark the tested values, and where one has no result.

    Returns:
        What the legend shows.
    """
    values, CLs = _tested(curve)
    ok = np.isfinite(CLs).all(axis=0)
    if points:
        shape = POINT_SHAPE | {"color": "black", "zorder": 3.2}
        keep_whole(axes, *axes.plot(values[ok], CLs[0][ok], **shape))
        if isinstance(curve, ToyCurveRecord):
            errors = np.array(curve.CLs_obs_error, float)
            _draw_errors(axes, values, CLs[0], errors[np.argsort(curve.poi_values)])
    failed = values[~ok]
    if not failed.size:
        return []
    bottom = {"transform": axes.get_xaxis_transform(), "label": "No result"}
    return [*axes.plot(failed, np.full(failed.size, 0.03), **FAILED_SHAPE | bottom)]


def _draw_errors(axes: Axes, x: np.ndarray, y: np.ndarray, error: np.ndarray) -> None:
    """Draw statistical errors, which reach no further down than a hundredth of CLs."""
    low = np.minimum(error, 0.99 * y)
    shape = {"linestyle": "none", "color": "black", "linewidth": 1.1, "zorder": 3.2}
    axes.errorbar(x, y, np.stack([low, error]), **shape)


def _mark_limits(axes: Axes, record: Limits) -> list[Any]:
    """Mark the observed and the median expected limit, if they are there.

    Returns:
        What the legend shows.
    """
    keys: list[Any] = []
    limits = record.observed, record.expected[MEDIAN]
    errors: tuple[Number, Number] = (None, None)
    if isinstance(record, ToyLimitRecord):
        errors = record.observed_error, record.expected_error[MEDIAN]
    for (name, face), limit, error in zip(_FACES.items(), limits, errors, strict=True):
        if limit is not None:
            label = f"{name}: {limit:.3g}"
            if error is not None:
                label += rf" $\pm$ {error:.1g}"
                reach = [limit - error, limit + error], [record.level] * 2
                axes.plot(*reach, color=EXPECTED, linewidth=1.1, zorder=3.9)
            shape: dict[str, Any] = _MARK | {"markerfacecolor": face}
            keys += axes.plot([limit], [record.level], **shape, label=label)
    return keys
