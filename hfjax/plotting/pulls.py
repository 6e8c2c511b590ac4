"""A best fit: pulls of its parameters, or their values between bounds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from hfjax.errors import DataError
from hfjax.plotting.canvas import (
    ONE_SIGMA,
    POINT,
    POINT_SHAPE,
    TWO_SIGMA,
    Canvas,
    Picture,
)
from hfjax.plotting.mathtext import check_text
from hfjax.plotting.settings import PlotSettings, take_only
from hfjax.results.expression import fulfilling
from hfjax.results.fit_record import FitRecord
from hfjax.results.intervals_record import IntervalsRecord
from hfjax.results.written import Dumped, Number, flat

MOST = 60
"""Most parameters in one picture, unless more are asked for."""

_TAKEN = ("select", "xlabel", "title", "text", "most")
_ZERO = 1e-9  # a value that is none but for rounding
_LEAST = 2.5  # pulls that the axis across has at least
_LEAST_WIDTH, _WIDTH, _LETTER = 6.4, 3.6, 0.08  # of a figure, in all and for a letter
_MARK = POINT_SHAPE | {
    "color": "black",
    "markersize": 5,
    "zorder": 3,
    "label": "Best fit",
}


_Reach = tuple[Number, Number] | None
"""How far an uncertainty reaches below and above, neither negative; None if unknown."""


class _Row(NamedTuple):
    """A parameter in the picture."""

    name: str
    value: float
    pull: float | None
    bounds: tuple[Number, Number]
    reach: _Reach = None
    pull_reach: _Reach = None

    @property
    def text(self) -> str:
        """Its value, and what it may be if nothing else says where it is."""
        value = self.value if abs(self.value) > _ZERO else 0.0
        if self.reach:
            return f"{value:#.3g} {_reach_text(*self.reach)}"
        ends = [end for end in self.bounds if end is not None]
        inside = f" in [{ends[0]:g}, {ends[-1]:g}]" if len(ends) == 2 else ""
        return f"{value:#.3g}" + (inside if self.pull is None else "")


def _reach_text(below: Number, above: Number) -> str:
    """An uncertainty beside a value; no formula, which would take longer to draw.

    >>> _reach_text(0.25, 0.25), _reach_text(0.25, None)
    ('± 0.25', '\N{MINUS SIGN}0.25 +?')
    """
    if below is not None and below == above:
        return f"± {above:#.2g}"
    low, high = ("?" if end is None else f"{end:#.2g}" for end in (below, above))
    return f"\N{MINUS SIGN}{low} +{high}"


def draw_fit(
    result: FitRecord | IntervalsRecord | Dumped,
    settings: PlotSettings = PlotSettings(),
    *,
    pulls: Any = None,
    uncertainties: Any = None,
    pull_uncertainties: Any = None,
    axes: Axes | None = None,
) -> Picture:
    """Draw the pulls of a fit's parameters; their values where no pulls are known.

    Beside each parameter is its value with its uncertainty, where that is not known and
    there is no constraint term with its bounds. Of more than 60 parameters, those with
    the largest pulls are drawn. Error bars are profile intervals where these are known,
    standard deviations elsewhere; in units of pulls, one below 1 is of a parameter that
    the data constrain.

    Args:
        result: A `FitResult`, an `IntervalsResult`, or what `load_result` reads.
        settings: What is shown and written: `select`, a condition on `name`, `value`
            and `pull`, `most`, `xlabel`, `title` and `text`.
        pulls: Those of a `FitResult`, as `hfjax.pulls` finds them; files of
            `hfjax fit` have them, and the others below.
        uncertainties: Those of the values, as
            `hfjax.covariance(model, data, fit).uncertainties_by_name` has them.
        pull_uncertainties: Those of the pulls, as `hfjax.pull_uncertainties` finds
            them; drawn as error bars.
        axes: Where to draw; by default a new figure.

    Returns:
        The figure and its axes; `picture.write(path)` writes the file.

    Raises:
        DataError: The fit has no result, no parameter is selected, or a setting does
            not apply.

    Example:
        >>> from hfjax.results.fit_record import FitRecord
        >>> fit = FitRecord({"mu": 0.5, "JES": 0.2}, pulls={"JES": 0.2})
        >>> figure, axes = draw_fit(fit)
        >>> [label.get_text() for label in axes.get_yticklabels()]
        ['mu', 'JES']
    """
    found = {
        "pulls": pulls,
        "uncertainties": uncertainties,
        "pull_uncertainties": pull_uncertainties,
    }
    given = {key: _finite(each) for key, each in found.items() if each is not None}
    record = replace(_record(result), **given)
    take_only(settings, _TAKEN, "a fit")
    most = MOST if settings.most is None else settings.most
    rows, heading = _shown(_rows(record, settings), most)
    letters = max(len(row.name) + len(row.text) for row in rows)
    width = max(_LEAST_WIDTH, _WIDTH + _LETTER * letters)
    canvas = Canvas(axes, height=1.9 + 0.24 * len(rows), width=width)
    with canvas.style():
        pulled = any(row.pull is not None for row in rows)
        _set_limits(canvas, rows, pulled)
        draw = _draw_pulls if pulled else _draw_values
        canvas.keys += draw(canvas.axes, rows)
        pull = r"Pull $(\hat{\theta} - \theta_0)\,/\,\Delta\theta$"
        name = settings.xlabel or (pull if pulled else r"Best fit $\hat{\theta}$")
        canvas.name_axes((check_text(name), ""), settings)
        canvas.add_legend(heading, settings)
    return canvas.picture


def _record(result: FitRecord | IntervalsRecord | Dumped) -> FitRecord:
    """A fit; of intervals their own, with its intervals."""
    if isinstance(result, FitRecord | IntervalsRecord):
        return result if isinstance(result, FitRecord) else result.fit
    document = result.dump()
    if "intervals" in document and "mle_parameters" not in document:
        return IntervalsRecord.parse(document).fit
    return FitRecord.parse(document)


def _finite(values: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of single parameters; one alone may be no list."""
    single = flat({name: np.ravel(each) for name, each in values.items()})
    return {name: float(each) for name, each in single.items() if math.isfinite(each)}


def _rows(record: FitRecord, settings: PlotSettings) -> list[_Row]:
    """The parameters that are selected, in their order.

    Raises:
        DataError: The fit has no result, or none is selected.
    """
    if not record.converged or None in record.values.values():
        message = f"the fit has no result to draw: {record.status}: {record.message}"
        raise DataError(message)
    if not record.values:
        message = "the fit has no parameters, and there is nothing to draw"
        raise DataError(message)
    nothing = (None, None)
    rows = [
        _Row(
            name,
            value,
            record.pulls.get(name),
            record.bounds.get(name, nothing),
            *_reaches(record, name, value),
        )
        for name, value in record.values.items()
        if value is not None
    ]
    if settings.select is None:
        return rows
    points = [(row.name, (row.value, row.pull or 0.0)) for row in rows]
    chosen = set(fulfilling(settings.select, ("value", "pull"), points))
    if not chosen:
        message = f"no parameter fulfils '{settings.select}'"
        raise DataError(message)
    return [row for row in rows if row.name in chosen]


def _reaches(record: FitRecord, name: str, value: float) -> tuple[_Reach, _Reach]:
    """How far the uncertainty of a parameter reaches, and that of its pull."""
    width = record.uncertainties.get(name) or 0.0
    pull_width = record.pull_uncertainties.get(name) or 0.0
    interval = record.intervals.get(name)
    if interval is None or interval.ends == (value, value):
        own, pulled = ((each, each) if each else None for each in (width, pull_width))
        return own, pulled
    low, high = interval.ends
    below = None if low is None else value - low
    above = None if high is None else high - value
    if not width or not pull_width:
        return (below, above), None
    slope = pull_width / width  # of the pull, with the parameter
    scaled = [None if end is None else slope * end for end in (below, above)]
    return (below, above), (scaled[0], scaled[1])


def _shown(rows: Sequence[_Row], most: int) -> tuple[list[_Row], str]:
    """Not more rows than a picture has room for, and what is said of the others."""
    if len(rows) <= most:
        return list(rows), ""
    order = sorted(range(len(rows)), key=lambda i: -abs(rows[i].pull or 0.0))
    kept = [rows[i] for i in sorted(order[:most])]
    return kept, f"{most} of {len(rows)} parameters"


def _set_limits(canvas: Canvas, rows: Sequence[_Row], pulled: bool) -> None:
    """Give each parameter a line, its name on the left and its value on the right."""
    bars = [
        (row.pull, row.pull_reach) if pulled else (row.value, row.reach) for row in rows
    ]
    known = [
        end for place, reach in bars if place is not None for end in _ends(place, reach)
    ]
    widest = max(_LEAST, 1.15 * max(map(abs, known)))
    room = 0.1 * (max(known) - min(known)) or 1.0
    across = (-widest, widest) if pulled else (min(known) - room, max(known) + room)
    canvas.limit(across, (-0.7, len(rows) - 0.3))
    axes, heights = canvas.axes, _heights(rows)
    axes.set_yticks(heights, [row.name.replace("$", r"\$") for row in rows])
    right = axes.secondary_yaxis("right")
    right.set_yticks(heights, [row.text for row in rows])
    for each in (axes, right):
        each.tick_params(axis="y", which="both", length=0, labelsize=9)


def _heights(rows: Sequence[_Row]) -> list[int]:
    """Where the lines are, the first one on top."""
    return list(range(len(rows)))[::-1]


def _draw_pulls(axes: Axes, rows: Sequence[_Row]) -> list[Line2D]:
    """Draw the pulls over the widths of the constraint terms."""
    up = [-0.5, len(rows) - 0.5]
    for sigma, color in ((2, TWO_SIGMA), (1, ONE_SIGMA)):
        axes.fill_betweenx(up, -sigma, sigma, color=color, linewidth=0, zorder=0.5)
    axes.plot([0.0, 0.0], up, color=POINT, linewidth=0.9, zorder=1)
    pairs = zip(rows, _heights(rows), strict=True)
    pulled = [(row, height) for row, height in pairs if row.pull is not None]
    places = [row.pull or 0.0 for row, _ in pulled]
    for place, (row, height) in zip(places, pulled, strict=True):
        _draw_bar(axes, place, row.pull_reach, height)
    return axes.plot(places, [height for _, height in pulled], **_MARK)


def _draw_values(axes: Axes, rows: Sequence[_Row]) -> list[Line2D]:
    """Draw the values, and lines between the bounds."""
    for row, height in zip(rows, _heights(rows), strict=True):
        ends = [end for end in row.bounds if end is not None]
        if row.reach:
            _draw_bar(axes, row.value, row.reach, height)
        elif len(ends) == 2:
            axes.plot(ends, [height] * 2, color=POINT, linewidth=1.0, zorder=1)
    values = [row.value for row in rows]
    return axes.plot(values, _heights(rows), **_MARK)


def _draw_bar(axes: Axes, place: float, reach: _Reach, height: int) -> None:
    """Draw an uncertainty, if there is one."""
    if reach:
        ends = _ends(place, reach)
        axes.plot(ends, [height] * 2, color="black", linewidth=1.2, zorder=2)


def _ends(place: float, reach: _Reach) -> tuple[float, float]:
    """Where an error bar begins and ends: at its place where nothing is known."""
    below, above = reach or (0.0, 0.0)
    return place - (below or 0.0), place + (above or 0.0)
