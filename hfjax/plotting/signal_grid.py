"""The points of a scan in a page of HTML: a click on one shows its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.tri import Triangulation

from hfjax.errors import DataError
from hfjax.html_table import html_table
from hfjax.plotting.canvas import FAILED, OBSERVED, POINT
from hfjax.plotting.coordinates import Coordinates, locate, unit_text
from hfjax.plotting.grid_kinds import Contour, GridKind, grid_kind
from hfjax.plotting.plane import significance_plane
from hfjax.plotting.settings import PlotSettings, take_only
from hfjax.results.limits_scan import Scanned
from hfjax.results.point_table import Point
from hfjax.results.scan import MEDIAN
from hfjax.results.written import shown

if TYPE_CHECKING:  # bokeh is loaded where a grid is drawn
    from bokeh.models import ColumnDataSource

_TAKEN = ("axes", "select", "xlabel", "ylabel", "units", "log", "log_x", "level")
_CLICK = "Click a point: its numbers are shown here."
_NO_RESULT = "No result"
_WIDTH, _HEIGHT = 620, 500  # of the frame, in pixels
_COLUMNS = 5  # of the legend
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
        result: the points that are drawn.
        body: HTML of the picture, and of the place for the numbers of a point.
        script: JavaScript that draws it, once Bokeh's is there.
        lacking: why there are no contours; empty where there are some.
    """

    result: Scanned
    body: str
    script: str
    lacking: str = ""

    @property
    def scripts(self) -> str:
        """HTML of all scripts that the picture needs, Bokeh's own among them."""
        from bokeh.resources import Resources

        own = Resources(mode="inline", components=["bokeh"]).render_js()
        return f"{own}\n<script>{self.script}</script>"

    def write(self, path: str | Path) -> None:
        """Write a page with the picture alone, which needs no other file."""
        head = '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        title = "<title>Signal grid</title></head>"
        inside = f'<body style="{_STYLE}">{self.body}{self.scripts}</body></html>\n'
        Path(path).write_text(head + title + inside, encoding="utf-8")


def draw_signal_grid(
    result: Scanned, settings: PlotSettings = PlotSettings()
) -> SignalGrid:
    """Draw a scan for a page of HTML: contours, and points that show their numbers.

    A click on a point shows its labels, its status, what is observed and expected, and
    what that is made of; the pointer on it shows the most important of these. Contours
    are those of `draw_exclusion`, where limits are 1 those of `draw_limits`, and for q0
    those of `draw_discovery`; the thin ones are the expected one at -1 and +1 standard
    deviations. Where one label varies, CLs, the limit or p0 is drawn against it. Axes
    have the names of the labels, whose units are in them or in the settings.

    Args:
        result: A scan, with any test statistic or for limits.
        settings: What is shown and written: `axes`, `select`, `xlabel`, `ylabel`,
            `units`, `log`, `log_x` and `level`.

    Returns:
        The picture; `grid.write("grid.html")` writes a page.

    Raises:
        DataError: No label that varies, points that differ in a further label, a level
            that is not that of the limits, or a setting does not apply.

    Example:
        >>> from hfjax.results.scan import ScanPoint, ScanResult
        >>> points = tuple(
        ...     ScanPoint(f"m_{m}", (m, n), 0.001 * m, (0.01, 0.02, 0.03, 0.05, 0.1))
        ...     for m, n in ((20, 0), (40, 10), (60, 0), (80, 30))
        ... )
        >>> grid = draw_signal_grid(ScanResult(("m_parent", "m_lsp"), points))
        >>> "m_parent" in grid.script, grid.lacking
        (True, '')
    """
    from bokeh.embed import components
    from bokeh.util.serialization import make_id

    take_only(settings, _TAKEN, "a signal grid")
    found, kind = locate(result, settings), grid_kind(result, settings.level)
    frame, lacking = _frame(found, kind, settings), ""
    if len(found.names) == 1:
        _draw_curve(frame, found, kind)
    else:
        lacking = _draw_contours(frame, found, kind.contours)
    place = f"point-{make_id()}"
    _add_points(frame, _source(found, kind), kind.axis, place)
    script, picture = components(frame, wrap_script=False)
    numbers = f'<div class="point-numbers" id="{place}">{_CLICK}</div>'
    body = f'<div style="{_BESIDE}"><div>{picture}</div>{numbers}</div>'
    return SignalGrid(found.result, body, _inside_script(script), lacking)


def _inside_script(text: str) -> str:
    r"""JavaScript whose strings cannot end the element it is in.

    >>> _inside_script("'</script>'")
    "'<\\/script>'"
    """
    return text.replace("</", r"<\/").replace("<!--", r"<\!--")


def _frame(found: Coordinates, kind: GridKind, settings: PlotSettings) -> Any:
    """An empty frame with its axes."""
    from bokeh.plotting import figure

    single = len(found.names) == 1
    names = [*found.names, kind.axis][:2]
    words = zip(names, (settings.xlabel, settings.ylabel), strict=True)
    x, y = (
        (given or name) + ("" if single and i else unit_text(settings, i))
        for i, (name, given) in enumerate(words)
    )
    log_y = settings.log or kind.log if single else found.log[1]
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


def _source(found: Coordinates, kind: GridKind) -> "ColumnDataSource":
    """What is drawn and shown of each point."""
    from bokeh.models import ColumnDataSource

    points: Any = found.result.points  # of which kind, only `kind` knows
    numbers = [kind.numbers(point) for point in points]
    observed = np.array([each[0] for each in numbers], float)
    names = [_name(point, kind) for point in points]
    labels = found.result.labels
    columns = {
        "x": found.values[0],
        "y": found.values[1] if len(found.names) > 1 else observed,
        "kind": names,
        "fill": [_fill(name, kind) for name in names],
        "line": [FAILED if name == _NO_RESULT else POINT for name in names],
        "marker": ["x" if name == _NO_RESULT else "circle" for name in names],
        "name": list(found.result.names),
        "observed": [shown(each[0]) for each in numbers],
        "expected": [shown(each[1 + MEDIAN]) for each in numbers],
        "numbers": [_numbers(point, labels, kind) for point in points],
    }
    return ColumnDataSource(columns)


def _name(point: Point, kind: GridKind) -> str:
    """What the legend calls a point."""
    marked, other = kind.names
    if not point.converged:
        return _NO_RESULT
    return marked if kind.is_marked(point) else other


def _fill(name: str, kind: GridKind) -> str:
    colours = dict(zip(kind.names, (POINT, "white"), strict=True))
    return colours.get(name, FAILED)


def _numbers(point: Point, labels: tuple[str, ...], kind: GridKind) -> str:
    """The table of a point."""
    rows = [*zip(labels, point.values, strict=True), ("status", point.status)]
    rows += [
        (name, value if isinstance(value, str) else shown(value))
        for name, value in kind.rows(point)
    ]
    note = f"<p>{escape(point.message)}</p>" if point.message else ""
    return html_table(point.name, ("", "value"), rows) + note


def _add_points(
    frame: Any, source: "ColumnDataSource", observed: str, place: str
) -> None:
    """Mark the points, and say what a click and the pointer do."""
    from bokeh.models import CustomJS, HoverTool, TapTool

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
    tips = [("point", "@name"), (observed, "@observed"), ("expected", "@expected")]
    frame.add_tools(HoverTool(renderers=[points], tooltips=tips))
    tap = TapTool(renderers=[points])
    frame.add_tools(tap)
    frame.toolbar.active_tap = tap
    given = {"source": source, "id": place, "nothing": _CLICK}
    source.selected.js_on_change("indices", CustomJS(args=given, code=_SHOW))
    frame.add_layout(frame.legend[0], "above")
    frame.legend[0].orientation = "horizontal"
    frame.legend[0].ncols = _COLUMNS
    frame.legend[0].border_line_color = None


def _draw_contours(frame: Any, found: Coordinates, contours: Sequence[Contour]) -> str:
    """Draw contours of significances.

    Returns:
        Why there are none; empty where there are some.
    """
    try:
        plane = significance_plane(found, [each.height for each in contours])
    except DataError as error:
        return str(error)
    heights = [plane.observed, *plane.expected]
    drawn = [
        _draw_lines(frame, _places(plane.triangulation, heights[each.row], each), each)
        for each in contours
    ]
    return "" if any(drawn) else "no contour: all points are on one side of each"


def _places(
    triangulation: Triangulation, heights: np.ndarray, contour: Contour
) -> list[np.ndarray]:
    """The lines on which a significance has a value, each `[point, axis]`."""
    if not heights.min() < contour.height < heights.max():
        return []
    axes = Figure().add_subplot()
    found = axes.tricontour(triangulation, heights, levels=[contour.height])
    return list(found.allsegs[0])


def _draw_lines(frame: Any, lines: list[np.ndarray], contour: Contour) -> bool:
    """Draw lines under one name of the legend; say whether there are any."""
    across, up = ([line[:, axis] for line in lines] for axis in (0, 1))
    if lines:
        frame.multi_line(across, up, legend_label=contour.name, **contour.style)
    return bool(lines)


def _draw_curve(frame: Any, found: Coordinates, kind: GridKind) -> None:
    """Draw what is expected against one label, and the values that matter."""
    from bokeh.models import Span

    order = np.argsort(found.values[0])
    points: Any = [found.result.points[i] for i in order]
    values = np.array([kind.numbers(point) for point in points], float)
    for each in kind.curves:
        line = np.column_stack([found.values[0][order], values[:, each.row]])
        _draw_lines(frame, [line], each)
    style: dict[str, Any] = {"line_color": POINT, "line_dash": "dotdash"}
    for value in kind.lines:
        frame.add_layout(Span(location=value, dimension="width", **style))
