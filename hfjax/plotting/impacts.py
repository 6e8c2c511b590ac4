"""Impacts: the nuisance parameters with the largest ones, with their pulls."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.artist import Artist
from matplotlib.axes import Axes

from hfjax.errors import DataError
from hfjax.plotting.canvas import (
    FAILED_SHAPE,
    POINT,
    POINT_SHAPE,
    Canvas,
    Picture,
    symbol,
)
from hfjax.plotting.mathtext import check_text
from hfjax.plotting.settings import PlotSettings, take_only
from hfjax.results.expression import fulfilling
from hfjax.results.impacts_record import Impact, ImpactsRecord, Sides
from hfjax.results.written import Dumped

MOST = 20
"""Most parameters in one picture, unless more are asked for."""
DOWN, UP = "#f2b661", "#7fb2e0"
"""Colours of the impacts of a parameter that is moved down, and up."""

_TAKEN = ("select", "xlabel", "title", "text", "most")
_ZERO = 1e-9  # part of an uncertainty: a value that is none but for rounding
_LEAST = 1.6  # pulls that the axis across has at least
_ROOM = 1.12  # of the axis beyond the longest bar
_HEIGHT = {"prefit": 0.78, "postfit": 0.62}  # of bars, in rows
_WIDTH, _LETTER = 4.2, 0.08  # of a new figure: the frame, and a letter beside it
_MARK = POINT_SHAPE | {
    "color": "black",
    "markersize": 4.5,
    "zorder": 4,
    "label": "Pull",
}


class _Row(NamedTuple):
    """A nuisance parameter in the picture."""

    name: str
    impact: Impact
    height: int

    @property
    def text(self) -> str:
        """Its best fit with its uncertainty."""
        value, width = self.impact.value, self.impact.uncertainty
        if value is None:
            return ""
        value = value if abs(value) > _ZERO * (width or 1.0) else 0.0
        return f"{value:#.3g}" + (f" ± {width:#.2g}" if width else "")

    @property
    def failed(self) -> bool:
        """Whether a fit has not done what was asked."""
        bad = {"lower_minimum", "fits_failed"}
        return any(bad & set(pair) for pair in self.impact.status.values())


def draw_impacts(
    result: ImpactsRecord | Dumped,
    settings: PlotSettings = PlotSettings(),
    *,
    axes: Axes | None = None,
) -> Picture:
    """Draw the largest impacts, largest on top, and the pulls of their parameters.

    Bars are impacts, on the axis above: filled post-fit, outlined pre-fit, one colour
    for a parameter that is moved up and one for down. Points are pulls with their
    uncertainties, on the axis below; what has no constraint term has none. Beside each
    parameter is its best fit.

    Args:
        result: An `ImpactsResult`, or what `load_result` reads.
        settings: What is shown and written: `select`, a condition on `name`, `pull` and
            `impact`, the larger post-fit one; `most`, how many (20 by default);
            `xlabel` of the axis above, `title` and `text`.
        axes: Where to draw; by default a new figure.

    Returns:
        The figure and its axes; `picture.write(path)` writes the file.

    Raises:
        DataError: No impact is known or selected, or a setting does not apply.

    Example:
        >>> status = {"prefit": ("found",) * 2, "postfit": ("found",) * 2}
        >>> jes = Impact(0.1, 0.9, 1.0, 0.1, 0.9, (-0.2, 0.2), (-0.1, 0.1), status)
        >>> record = ImpactsRecord("mu", 1.0, 0.5, "fits", {"JES": jes}, {})
        >>> figure, axes = draw_impacts(record)
        >>> [label.get_text() for label in axes.get_yticklabels()]
        ['JES']
    """
    record = ImpactsRecord.of(result)
    take_only(settings, _TAKEN, "impacts")
    names = _selected(record, settings)
    most = MOST if settings.most is None else settings.most
    shown = names[:most]
    heights = range(len(shown))[::-1]
    rows = [_Row(n, record.impacts[n], h) for n, h in zip(shown, heights, strict=True)]
    width = _WIDTH + _LETTER * max(len(row.name) + len(row.text) for row in rows)
    canvas = Canvas(axes, height=2.7 + 0.3 * len(rows), width=width)
    with canvas.style():
        scale = _set_limits(canvas, rows)
        canvas.keys += _draw_pulls(canvas.axes, rows)
        canvas.keys += _draw_bars(canvas.axes, rows, scale)
        _name_rows(canvas.axes, rows)
        _name_impacts(canvas.axes, record, settings, scale)
        below = r"Pull $(\hat{\theta} - \theta_0)\,/\,\Delta\theta$"
        canvas.axes.set_xlabel(below, loc="right")
        count = f"{len(shown)} of {len(record.impacts)} parameters"
        canvas.add_legend(count if len(shown) < len(record.impacts) else "", settings)
    return canvas.picture


def _selected(record: ImpactsRecord, settings: PlotSettings) -> list[str]:
    """Names of the nuisance parameters that are selected, the largest impact first.

    Raises:
        DataError: No impact is known, or none is selected.
    """
    if not any(each.size for each in record.impacts.values()):
        message = (
            f"no impact on {record.parameter} is known that is not zero: see their "
            "statuses, and whether it stands at a bound"
        )
        raise DataError(message)
    if settings.select is None:
        return list(record.ranking)
    points = [
        (name, (each.pull or 0.0, each.size)) for name, each in record.impacts.items()
    ]
    chosen = set(fulfilling(settings.select, ("pull", "impact"), points))
    if not chosen:
        message = f"no parameter fulfils '{settings.select}'"
        raise DataError(message)
    return [name for name in record.ranking if name in chosen]


def _known(sides: Sides) -> list[float]:
    return [each for each in sides if each is not None]


def _set_limits(canvas: Canvas, rows: Sequence[_Row]) -> float:
    """Set the limits of the axes; how many pulls a unit of impact is long."""
    ends = [
        abs(row.impact.pull) + (row.impact.constraint or 0.0)
        for row in rows
        if row.impact.pull is not None
    ]
    widest = max([_LEAST, *(_ROOM * end for end in ends)])
    canvas.limit((-widest, widest), (-0.7, len(rows) - 0.3))
    sizes = [
        abs(each)
        for row in rows
        for each in _known(row.impact.prefit) + _known(row.impact.postfit)
    ]
    longest = max(sizes, default=0.0) or 1.0
    return widest / (_ROOM * longest)


def _draw_pulls(axes: Axes, rows: Sequence[_Row]) -> list[Artist]:
    """Draw the pulls with their uncertainties over lines at -1, 0 and 1."""
    up = [-0.5, len(rows) - 0.5]
    for place, style in ((-1.0, "dashed"), (0.0, "solid"), (1.0, "dashed")):
        axes.plot([place] * 2, up, color=POINT, lw=0.8, ls=style, zorder=0.5)
    pulled = [row for row in rows if row.impact.pull is not None]
    for row in pulled:
        place, width = row.impact.pull or 0.0, row.impact.constraint or 0.0
        bar = [place - width, place + width]
        axes.plot(bar, [row.height] * 2, color="black", lw=1.2, zorder=3)
    places = [row.impact.pull or 0.0 for row in pulled]
    heights = [row.height for row in pulled]
    keys: list[Artist] = []
    if pulled:
        keys += axes.plot(places, heights, **_MARK)
    if failed := [row.height for row in rows if row.failed]:
        shape: dict[str, Any] = FAILED_SHAPE | {"zorder": 5, "label": "No result"}
        keys += axes.plot([0.0] * len(failed), failed, **shape)
    return keys


def _draw_bars(axes: Axes, rows: Sequence[_Row], scale: float) -> list[Artist]:
    """Draw the impacts; what the legend shows of them."""
    keys: dict[tuple[str, int], Artist] = {}
    for row in rows:
        for kind in _HEIGHT:
            impacts = getattr(row.impact, kind)
            longest_first = sorted((0, 1), key=lambda i: -abs(impacts[i] or 0.0))
            for i in longest_first:
                if impacts[i]:
                    found = _draw_bar(axes, scale * impacts[i], row.height, (kind, i))
                    keys.setdefault((kind, i), found)
    order = [("postfit", 1), ("postfit", 0), ("prefit", 1), ("prefit", 0)]
    return [keys[each] for each in order if each in keys]


def _draw_bar(axes: Axes, length: float, height: int, which: tuple[str, int]) -> Artist:
    """Draw one impact from zero on."""
    kind, side = which
    color = (DOWN, UP)[side]
    thick = _HEIGHT[kind]
    fill = {"facecolor": color, "edgecolor": "none", "zorder": 1.0}
    line = {"facecolor": "none", "edgecolor": _darker(color), "zorder": 2.0}
    shape: dict[str, Any] = (fill if kind == "postfit" else line) | {"linewidth": 1.0}
    word = {"prefit": "Pre-fit", "postfit": "Post-fit"}[kind]
    label = rf"{word}, ${'-+'[side]}1\sigma$"
    place, tall = min(length, 0.0), height - thick / 2
    return axes.broken_barh([(place, abs(length))], (tall, thick), **shape, label=label)


def _darker(color: str) -> str:
    """The same colour with less light, for outlines.

    >>> _darker("#f0f0f0")
    '#9c9c9c'
    """
    parts = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{int(0.65 * part):02x}" for part in parts)


def _name_rows(axes: Axes, rows: Sequence[_Row]) -> None:
    """Write the names on the left, and best fits on the right."""
    heights = [row.height for row in rows]
    axes.set_yticks(heights, [row.name.replace("$", r"\$") for row in rows])
    right = axes.secondary_yaxis("right")
    right.set_yticks(heights, [row.text for row in rows])
    for each in (axes, right):
        each.tick_params(axis="y", which="both", length=0, labelsize=9)


def _name_impacts(
    axes: Axes, record: ImpactsRecord, settings: PlotSettings, scale: float
) -> None:
    """Give the impacts an axis of their own, above."""
    axes.tick_params(axis="x", which="both", top=False)
    scales: Any = (lambda pull: pull / scale, lambda impact: impact * scale)
    top = axes.secondary_xaxis("top", functions=scales)
    name = settings.xlabel or rf"$\Delta$ {symbol(record.parameter)}"
    top.set_xlabel(check_text(name), loc="right")
    if settings.title is not None:
        axes.set_title(check_text(settings.title), loc="left")
