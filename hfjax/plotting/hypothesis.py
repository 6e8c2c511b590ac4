"""One hypothesis test: its CLs, or p0, in the band that is expected."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from hfjax.errors import DataError
from hfjax.plotting.canvas import (
    EXPECTED,
    ONE_SIGMA,
    POINT_SHAPE,
    TWO_SIGMA,
    Canvas,
    Picture,
    symbol,
)
from hfjax.plotting.curve import draw_level, draw_significances
from hfjax.plotting.mathtext import check_text
from hfjax.plotting.settings import PlotSettings, take_only
from hfjax.results.hypotest_record import HypotestRecord
from hfjax.results.scan import LEVEL, MEDIAN
from hfjax.results.written import Dumped

_TAKEN = ("xlabel", "title", "text", "log_x", "level")
_HEIGHT = 0.35  # half of the bar's, where rows are 1 apart
_SMALLEST = 1e-300


def draw_test(
    result: HypotestRecord | Dumped,
    settings: PlotSettings = PlotSettings(),
    *,
    axes: Axes | None = None,
) -> Picture:
    """Draw the observed CLs of a test, or p0, in the band that is expected.

    Args:
        result: A `HypotestResult`, or what `load_result` reads.
        settings: What is written; `xlabel`, `title`, `text`, `log_x` and `level`.
        axes: Where to draw; by default a new figure.

    Returns:
        The figure and its axes; `picture.write(path)` writes the file.

    Raises:
        DataError: The test has no result, or a setting does not apply.

    Example:
        >>> from hfjax.results.hypotest_record import HypotestRecord
        >>> band = (0.001, 0.005, 0.02, 0.1, 0.3)
        >>> found = HypotestRecord(1.0, CLs_obs=0.04, CLs_exp=band)
        >>> figure, axes = draw_test(found)
        >>> axes.get_legend().get_texts()[0].get_text()
        'Observed: 0.04'
    """
    record = HypotestRecord.of(result)
    take_only(settings, _TAKEN, "a test")
    if record.discovery and settings.level != LEVEL:
        message = "a level belongs to an exclusion: q0 has none"
        raise DataError(message)
    p_values = _known(record)
    canvas = Canvas(axes, height=2.9)
    with canvas.style():
        _set_limits(canvas, p_values, record.discovery or settings.log_x, settings)
        canvas.keys += draw_bar(canvas.axes, p_values)
        if record.discovery:
            draw_significances(canvas.axes, "x")
        else:
            canvas.keys.append(draw_level(canvas.axes, settings.level, "x"))
        name = settings.xlabel or ("$p_0$" if record.discovery else r"$\mathrm{CL}_s$")
        canvas.name_axes((check_text(name), ""), settings)
        canvas.add_legend(_heading(record), settings)
    return canvas.picture


def _known(record: HypotestRecord) -> list[float]:
    """The observed p-value and the five of the band.

    Raises:
        DataError: One is missing; the message says why.
    """
    values = [record.CLs_obs, *record.CLs_exp]
    known = [max(value, _SMALLEST) for value in values if value is not None]
    if not record.converged or len(known) < len(values):
        why = f"{record.status}: {record.message}" if record.message else record.status
        message = f"the test has no result to draw: {why}"
        raise DataError(message)
    return known


def _set_limits(
    canvas: Canvas, p_values: list[float], log: bool, settings: PlotSettings
) -> None:
    """Let all p-values and the level be in the frame."""
    low, high = min(p_values), max(*p_values, settings.level)
    if log:
        canvas.axes.set_xscale("log")
    across = (low / 2, 2 * high) if log else (0.0, 1.05 * high)
    frame_bar(canvas, across)


def frame_bar(canvas: Canvas, across: tuple[float, float]) -> None:
    """Set the limits of axes for one bar, which has nothing up.

    Args:
        canvas: The axes.
        across: Limits across.
    """
    canvas.limit(across, (-0.6, 0.6))
    canvas.axes.set_yticks([])
    canvas.axes.tick_params(axis="y", which="minor", left=False, right=False)


def draw_bar(axes: Axes, values: list[float]) -> list[Any]:
    """Draw the bar of a band, the median in it, and the observed value.

    Args:
        axes: Where to draw.
        values: The observed one and the five of the band.

    Returns:
        What the legend shows.
    """
    observed, *expected = values
    bands, up = [], [-_HEIGHT, _HEIGHT]
    for sigma, color in ((2, TWO_SIGMA), (1, ONE_SIGMA)):
        sides = expected[MEDIAN - sigma], expected[MEDIAN + sigma]
        axes.fill_betweenx(up, *sides, color=color, linewidth=0, zorder=1)
        bands.insert(0, Patch(color=color, label=rf"Expected $\pm{sigma}\sigma$"))
    median = expected[MEDIAN]
    shape = {"color": EXPECTED, "linestyle": "dashed", "linewidth": 1.5, "zorder": 3}
    line = axes.plot([median, median], up, **shape, label=f"Expected: {median:.3g}")
    mark = POINT_SHAPE | {"color": "black", "markersize": 7, "zorder": 3.1}
    point = axes.plot([observed], [0.0], **mark, label=f"Observed: {observed:.3g}")
    return [*point, *line, *bands]


def _heading(record: HypotestRecord) -> str:
    """What was tested."""
    poi, value = symbol(record.provenance.settings.get("poi")), record.poi_value
    if record.discovery:
        return "Discovery: $p_0$ of the background alone"
    return "" if value is None else f"Test of {poi} = {value:g}"
