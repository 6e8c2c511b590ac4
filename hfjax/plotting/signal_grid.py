"""The points of a scan in a page of HTML: a click on one shows its numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from bokeh.embed import components
from bokeh.models import ColumnDataSource, CustomJS, HoverTool, Span, TapTool
from bokeh.plotting import figure
from bokeh.resources import Resources
from bokeh.util.serialization import make_id
from matplotlib.figure import Figure

from hfjax.errors import DataError
from hfjax.html_table import html_table
from hfjax.plotting.canvas import EXPECTED, FAILED, OBSERVED, POINT
from hfjax.plotting.coordinates import Coordinates, locate, unit_text
from hfjax.plotting.plane import Plane, significance_plane
from hfjax.plotting.settings import PlotSettings, take_only
from hfjax.plotting.significance import significance
from hfjax.results.scan import MEDIAN, ScanPoint, ScanResult
from hfjax.results.written import shown

_TAKEN = ("axes", "select", "xlabel", "ylabel", "units", "log", "log_x", "level")
_SIGMAS = ("-2 sigma", "-1 sigma", "median", "+1 sigma", "+2 sigma")
_CLICK = "Click a point: its numbers are shown here."
_EXCLUDED, _OTHER, _NO_RESULT = "Excluded", "Not excluded", "No result"
_LINES: dict[str, dict[str, Any]] = {
    "Observed": {"line_color": OBSERVED, "line_width": 2.5},
    "Expected": {"line_color": EXPECTED, "line_width": 2, "line_dash": "dashed"},
    "Expected, 1 sigma": {"line_color": EXPECTED, "line_dash": "dotted"},
}
_BAND = {
    "Expected": MEDIAN,
    "Expected, 1 sigma-": MEDIAN - 1,
    "Expected, 1 sigma+": MEDIAN + 1,
}
_FILL = {_EXCLUDED: POINT, _OTHER: "white", _NO_RESULT: FAILED}
_LINE = {_EXCLUDED: POINT, _OTHER: POINT, _NO_RESULT: FAILED}
_MARKER = {_EXCLUDED: "circle", _OTHER: "circle", _NO_RESULT: "x"}
_WIDTH, _HEIGHT = 620, 500  # of the frame, in pixels
_STYLE = "font-family:sans-serif;max-width:70rem;margin:1rem auto"
_BESIDE = "display:flex;flex-wrap:wrap;gap:1rem;align-items:flex-start"
_SHOW = """
const place = document.getElementById(id);
const [first] = source.selected.indices;
if (place !== null) {
  place.innerHTML = first === undefined ? nothing : source.data.numbers[first];
}
"""


@dataclass(frozen=True)
class SignalGrid:
    """A picture of a scan for a page, in which points can be clicked.

    Attributes:
        body: HTML of the picture, and of the place for the numbers of a point.
        script: JavaScript that draws it, once Bokeh's is there.
        lacking: why there are no contours; empty where there are some.
    """

    body: str
    script: str
    lacking: str = ""

    @property
    def scripts(self) -> str:
        """HTML of all scripts that the picture needs, Bokeh's own among them."""
        own = Resources(mode="inline", components=["bokeh"]).render_js()
        return f"{own}\n<script>{self.script}</script>"

    def write(self, path: str | Path) -> None:
        """Write a page with the picture alone, which needs no other file."""
        head = '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        title = "<title>Signal grid</title></head>"
        inside = f'<body style="{_STYLE}">{self.body}{self.scripts}</body></html>\n'
        Path(path).write_text(head + title + inside, encoding="utf-8")


def draw_signal_grid(
    result: ScanResult, settings: PlotSettings = PlotSettings()
) -> SignalGrid:
    """Draw a scan for a page of HTML: contours, and points that show their numbers.

    A click on a point shows its labels, its status, CLs, observed and expected, and
    what they are made of; the pointer on it shows the most important of these. Contours
    are those of `draw_exclusion`; the thin ones are the expected one at -1 and +1
    standard deviations. Where one label varies, CLs is drawn against it.

    Args:
        result: A scan with qtilde or q.
        settings: What is shown and written: `axes`, `select`, `xlabel`, `ylabel`,
            `units`, `log`, `log_x` and `level`.

    Returns:
        The picture; `grid.write("grid.html")` writes a page.

    Raises:
        DataError: Results of q0, no label that varies, points that differ in a further
            label, or a setting does not apply.

    Example:
        >>> points = tuple(
        ...     ScanPoint(f"m_{m}", (m, n), 0.001 * m, (0.01, 0.02, 0.03, 0.05, 0.1))
        ...     for m, n in ((20, 0), (40, 10), (60, 0), (80, 30))
        ... )
        >>> grid = draw_signal_grid(ScanResult(("m_parent", "m_lsp"), points))
        >>> "m_parent" in grid.script, grid.lacking
        (True, '')
    """
    take_only(settings, _TAKEN, "a signal grid")
    if result.discovery:
        message = "q0 excludes no signal: a signal grid needs a scan with qtilde or q"
        raise DataError(message)
    found = locate(result, settings)
    source, frame = _source(found, settings.level), _frame(found, settings)
    lacking = ""
    if len(found.names) == 1:
        _draw_curve(frame, found, settings.level)
    else:
        lacking = _draw_contours(frame, found, settings.level)
    place = f"point-{make_id()}"
    _add_points(frame, source, place)
    script, picture = components(frame, wrap_script=False)
    numbers = f'<div class="point-numbers" id="{place}">{_CLICK}</div>'
    body = f'<div style="{_BESIDE}"><div>{picture}</div>{numbers}</div>'
    return SignalGrid(body, _inside_script(script), lacking)


def _inside_script(text: str) -> str:
    r"""JavaScript whose strings cannot end the element it is in.

    >>> _inside_script("'</script>'")
    "'<\\/script>'"
    """
    return text.replace("</", r"<\/").replace("<!--", r"<\!--")


def _frame(found: Coordinates, settings: PlotSettings) -> Any:
    """An empty frame with its axes."""
    single = len(found.names) == 1
    names = [*found.names, "CLs"][:2]
    words = zip(names, (settings.xlabel, settings.ylabel), strict=True)
    x, y = (
        (given or name) + ("" if single and i else unit_text(settings, i))
        for i, (name, given) in enumerate(words)
    )
    log_y = settings.log if single else found.log[1]
    frame = figure(
        width=_WIDTH,
        height=_HEIGHT,
        x_axis_type="log" if found.log[0] else "linear",
        y_axis_type="log" if log_y else "linear",
        x_axis_label=x,
        y_axis_label=y,
        tools="pan,wheel_zoom,box_zoom,reset,save",
        background_fill_color="white",
    )
    frame.toolbar.logo = None  # a link to elsewhere
    return frame


def _source(found: Coordinates, level: float) -> ColumnDataSource:
    """What is drawn and shown of each point."""
    points: Any = found.result.points  # of a scan of CLs
    kinds = [_kind(point, level) for point in points]
    across = found.values[0]
    observed = [np.nan if p.CLs_obs is None else p.CLs_obs for p in points]
    up = found.values[1] if len(found.names) > 1 else np.array(observed, float)
    columns = {
        "x": across,
        "y": up,
        "kind": kinds,
        "fill": [_FILL[kind] for kind in kinds],
        "line": [_LINE[kind] for kind in kinds],
        "marker": [_MARKER[kind] for kind in kinds],
        "name": list(found.result.names),
        "observed": [shown(point.CLs_obs) for point in points],
        "expected": [shown(point.CLs_exp[MEDIAN]) for point in points],
        "numbers": [_numbers(point, found.result.labels, level) for point in points],
    }
    return ColumnDataSource(columns)


def _kind(point: ScanPoint, level: float) -> str:
    if not point.converged:
        return _NO_RESULT
    return _EXCLUDED if point.excluded(level) else _OTHER


def _numbers(point: ScanPoint, labels: tuple[str, ...], level: float) -> str:
    """The table of a point."""
    rows = [*zip(labels, point.values, strict=True), ("status", point.status)]
    if point.converged:
        rows.append((f"excluded (CLs < {level:g})", _yes(point.excluded(level))))
    rows += [(name, shown(value)) for name, value in _results(point)]
    note = f"<p>{escape(point.message)}</p>" if point.message else ""
    return html_table(point.name, ("", "value"), rows) + note


def _results(point: ScanPoint) -> Iterator[tuple[str, float | None]]:
    yield "CLs observed", point.CLs_obs
    for name, value in zip(_SIGMAS, point.CLs_exp, strict=True):
        yield f"CLs expected, {name}", value
    for name in ("CLsb", "CLb", "q", "q_asimov", "mu_hat"):
        yield name, getattr(point, name)


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def _add_points(frame: Any, source: ColumnDataSource, place: str) -> None:
    """Mark the points, and say what a click and the pointer do."""
    points = frame.scatter(
        "x",
        "y",
        source=source,
        marker="marker",
        size=10,
        fill_color="fill",
        line_color="line",
        line_width=1.5,
        legend_group="kind",
        nonselection_alpha=1.0,
        selection_line_color=OBSERVED,
        selection_line_width=3.5,
    )
    tips = [("point", "@name"), ("CLs", "@observed"), ("expected", "@expected")]
    frame.add_tools(HoverTool(renderers=[points], tooltips=tips))
    tap = TapTool(renderers=[points])
    frame.add_tools(tap)
    frame.toolbar.active_tap = tap
    given = {"source": source, "id": place, "nothing": _CLICK}
    source.selected.js_on_change("indices", CustomJS(args=given, code=_SHOW))
    frame.add_layout(frame.legend[0], "above")
    frame.legend[0].orientation = "horizontal"
    frame.legend[0].border_line_color = None


def _draw_contours(frame: Any, found: Coordinates, level: float) -> str:
    """Draw where signals are excluded.

    Returns:
        Why there are no contours; empty where there are some.
    """
    threshold = significance(level)
    try:
        plane = significance_plane(found, [threshold])
    except DataError as error:
        return str(error)
    up, down = plane.expected[MEDIAN - 1], plane.expected[MEDIAN + 1]
    named = ("Observed", plane.observed), ("Expected", plane.median)
    around = ("Expected, 1 sigma", up), ("Expected, 1 sigma", down)
    drawn = [
        _draw_lines(frame, _contour(plane, heights, threshold), name)
        for name, heights in (*named, *around)
    ]
    return "" if any(drawn) else "no contour: all points are excluded, or none is"


def _contour(plane: Plane, heights: np.ndarray, threshold: float) -> list[np.ndarray]:
    """The lines on which a significance has a value, each `[point, axis]`."""
    if not heights.min() < threshold < heights.max():
        return []
    axes = Figure().add_subplot()
    found = axes.tricontour(plane.triangulation, heights, levels=[threshold])
    return list(found.allsegs[0])


def _draw_lines(frame: Any, lines: list[np.ndarray], name: str) -> bool:
    """Draw lines under one name of the legend; say whether there are any."""
    across, up = ([line[:, axis] for line in lines] for axis in (0, 1))
    if lines:
        frame.multi_line(across, up, legend_label=name, **_LINES[name])
    return bool(lines)


def _draw_curve(frame: Any, found: Coordinates, level: float) -> None:
    """Draw the expected CLs against one label, and the level of exclusion."""
    order = np.argsort(found.values[0])
    points: Any = [found.result.points[i] for i in order]
    for name, position in _BAND.items():
        band = [point.CLs_exp[position] for point in points]
        line = np.column_stack([found.values[0][order], np.array(band, float)])
        _draw_lines(frame, [line], name.rstrip("+-"))
    style: dict[str, Any] = {"line_color": POINT, "line_dash": "dotdash"}
    frame.add_layout(Span(location=level, dimension="width", **style))
