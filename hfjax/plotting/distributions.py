"""Distributions: expected events of samples, stacked, with the data and their ratio."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from scipy.special import gammaincinv

from hfjax.plotting.canvas import STYLE, Picture, keep_whole
from hfjax.plotting.mathtext import check_text
from hfjax.plotting.panels import Panel, panels_of
from hfjax.plotting.ratio_frames import (
    RatioFrame,
    add_legend_above,
    name_bins,
    new_frames,
    number_bins,
    steps,
)
from hfjax.plotting.settings import PlotSettings, take_only
from hfjax.results.written import Dumped
from hfjax.results.yields_record import YieldsRecord

MOST = 10
"""Most samples in one picture, unless more are asked for; the others are one."""

_TAKEN = ("xlabel", "ylabel", "title", "text", "log", "most")
_COLOURS = (
    *("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"),
    *("#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"),
)
"""Ten that all eyes tell apart: M. A. Petroff, arXiv:2107.02270."""
_OTHERS_COLOUR = "#d1d5db"
_BAND: dict[str, Any] = {
    "facecolor": "none",
    "edgecolor": "#4b5563",
    "hatch": "/////",
    "linewidth": 0.0,
}
_POINT: dict[str, Any] = {"color": "black", "marker": "o", "markersize": 4, "zorder": 5}
_DECADES = 1e-3  # of the largest bin, where a logarithmic axis begins
_SIGMA = 0.8413447460685429  # probability below +1 standard deviation
_NARROW, _WIDE = 0.25, 1.0  # how far a ratio's axis reaches from 1, least and most

NO_EDGES: Mapping[str, Sequence[float]] = MappingProxyType({})
"""No edges of bins."""


def draw_distributions(
    result: YieldsRecord | Dumped,
    settings: PlotSettings = PlotSettings(),
    *,
    channels: Iterable[str] | None = None,
    edges: Mapping[str, Sequence[float]] = NO_EDGES,
) -> Picture:
    """Draw the expected events of samples, stacked, with the data and their ratio.

    Each channel has a panel; channels of one bin share one, with their names below.
    The hatched band is the uncertainty of all expected events. Data have Garwood's
    central intervals at 68.3 % of a Poisson mean: of no events from 0 to 1.84. The
    largest sample is on top; of more than ten, the smallest are drawn as one.

    Args:
        result: A `YieldsResult`, or what `load_result` reads.
        settings: What is shown and written: `log`, `most`, `xlabel`, `ylabel`, `title`
            and `text`.
        channels: Names of those that are drawn, in this order; all by default.
        edges: Edges of the bins by the names of channels; bins are numbered without.

    Returns:
        The figure and the axes of its first panel.

    Raises:
        UnknownNameError: There is no such channel.
        DataError: The fit has no result, a sample is in two groups, edges do not rise
            or are not one more than the bins, or a setting does not apply.

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([9.0], [50.0], [3.0], [52.0])
        >>> figure, axes = draw_distributions(hfjax.yields(*hfjax.build(search)))
        >>> [text.get_text() for text in axes.get_legend().get_texts()]
        ['Data', 'background', 'signal', 'Uncertainty']
    """
    take_only(settings, _TAKEN, "distributions")
    record = YieldsRecord.of(result)
    record = record if channels is None else record.select(channels)
    panels = panels_of(record, edges)
    colours = _colours(panels, MOST if settings.most is None else settings.most)
    only = panels[0].name if len(panels) == 1 else ""
    heading = ", ".join(filter(None, (record.prediction.capitalize(), only)))
    with mpl.rc_context(STYLE):
        frames = new_frames(len(panels))
        for panel, frame in zip(panels, frames, strict=True):
            _draw_panel(panel, frame, colours, settings)
        _add_legend(frames, colours, settings, heading)
    return frames[0].canvas.picture


class Colours(NamedTuple):
    """Colours of the samples that are drawn by themselves, and the name of the others.

    Attributes:
        named: of each sample, the smallest first.
        others: what the others are called together; empty if there are none.
    """

    named: Mapping[str, str]
    others: str


def _colours(panels: Sequence[Panel], most: int) -> Colours:
    """Which samples are drawn by themselves, and how."""
    sums: dict[str, float] = {}
    for panel in panels:
        for name, values in panel.stack.items():
            sums[name] = sums.get(name, 0.0) + float(np.sum(np.abs(values)))
    order = sorted(sums, key=lambda name: sums[name])
    left = 0 if len(order) <= most else len(order) - most + 1
    alone, count = order[left:], len(_COLOURS)
    named = {n: _COLOURS[i % count] for i, n in enumerate(reversed(alone))}
    others = f"{left} smaller samples" if left else ""
    return Colours({name: named[name] for name in alone}, others)


def _draw_panel(
    panel: Panel, frame: RatioFrame, colours: Colours, settings: PlotSettings
) -> None:
    """Draw one panel, without its legend."""
    interval = None if panel.data is None else poisson_interval(panel.data)
    top, main = _top(panel, interval), frame.canvas.axes
    if settings.log:
        main.set_yscale("log")
    up = (_DECADES * top, 2.0 * top) if settings.log else (0.0, 1.1 * top)
    frame.canvas.limit((float(panel.edges[0]), float(panel.edges[-1])), up)
    _draw_stack(main, panel, colours)
    _draw_data(main, panel, interval)
    _draw_ratio(frame.ratio, panel, interval)
    _name_axes(panel, main, frame.ratio, settings)


def _top(panel: Panel, interval: "Interval | None") -> float:
    """The highest that is drawn."""
    values = [panel.total + np.nan_to_num(panel.uncertainty)]
    values += [] if interval is None else [interval.high]
    highest = float(np.nanmax(np.concatenate(values), initial=0.0))
    return highest if highest > 0.0 else 1.0


class Interval(NamedTuple):
    """Ends of intervals of Poisson means."""

    low: np.ndarray
    high: np.ndarray


def poisson_interval(counts: np.ndarray) -> Interval:
    """Central intervals of Poisson means at 68.3 %; of no events one from 0.

    F. Garwood, Biometrika 28 (1936) 437. Counts may be expected ones.

    Args:
        counts: in each bin.

    Example:
        >>> found = poisson_interval(np.array([0.0, 4.0]))
        >>> found.low.round(3).tolist(), found.high.round(3).tolist()
        ([0.0, 2.086], [1.841, 7.163])
    """
    some = counts > 0.0
    low = gammaincinv(np.where(some, counts, 1.0), 1.0 - _SIGMA)
    return Interval(np.where(some, low, 0.0), gammaincinv(counts + 1.0, _SIGMA))


def _draw_stack(axes: Axes, panel: Panel, colours: Colours) -> None:
    """Draw the samples from below, and the uncertainty of all."""
    at, total = steps(panel.edges, panel.total)
    below = np.zeros(at.size)
    for name, colour, values in _parts(panel, colours):
        above = below + steps(panel.edges, values)[1]
        shape = {"color": colour, "linewidth": 0, "zorder": 1}
        axes.fill_between(at, below, above, label=name, **shape)
        below = above
    _, width = steps(panel.edges, panel.uncertainty)
    axes.plot(at, total, color="black", linewidth=0.9, zorder=2)
    low, high = total - width, total + width
    axes.fill_between(at, low, high, label="Uncertainty", zorder=3, **_BAND)


def _parts(panel: Panel, colours: Colours) -> Iterator[tuple[str, str, np.ndarray]]:
    """Name, colour and events of what is drawn, from below."""
    rest = [v for n, v in panel.stack.items() if n not in colours.named]
    if rest:
        yield colours.others, _OTHERS_COLOUR, np.sum(rest, axis=0)
    for name, colour in colours.named.items():
        if name in panel.stack:
            yield name, colour, panel.stack[name]


def _draw_data(axes: Axes, panel: Panel, interval: Interval | None) -> None:
    """Draw the counts with their intervals; on a logarithmic axis zero is below."""
    if interval is None or panel.data is None:
        return
    at = panel.centres
    ends = np.stack([interval.low, interval.high])
    axes.plot(np.stack([at, at]), ends, color="black", linewidth=1.1, zorder=4.9)
    for points in axes.plot(at, panel.data, linestyle="none", label="Data", **_POINT):
        keep_whole(axes, points)


def _draw_ratio(axes: Axes, panel: Panel, interval: Interval | None) -> None:
    """Draw data over prediction, and the uncertainty of the prediction around 1."""
    some = np.where(panel.total > 0.0, panel.total, np.nan)
    at, width = steps(panel.edges, panel.uncertainty / some)
    axes.fill_between(at, 1.0 - width, 1.0 + width, zorder=1, **_BAND)
    axes.axhline(1.0, color="black", linewidth=0.9, zorder=2)
    reach = [np.abs(width)]
    if interval is not None and panel.data is not None:
        ratio = panel.data / some
        ends = np.stack([interval.low, interval.high]) / some
        reach.append(np.abs(ends - 1.0).ravel())
        places = np.stack([panel.centres, panel.centres])
        axes.plot(places, ends, color="black", linewidth=1.1, zorder=4.9)
        for points in axes.plot(panel.centres, ratio, linestyle="none", **_POINT):
            keep_whole(axes, points)
    known = np.concatenate(reach)
    known = known[np.isfinite(known)]
    half = float(np.clip(1.15 * known.max(initial=0.0), _NARROW, _WIDE))
    axes.set_ylim(1.0 - half, 1.0 + half)
    if interval is not None and panel.data is not None:
        _mark_beyond(axes, panel.centres, panel.data / some, half)


def _mark_beyond(axes: Axes, at: np.ndarray, ratio: np.ndarray, half: float) -> None:
    """Mark ratios that are above the axis by triangles at its end."""
    above = ratio > 1.0 + half
    shape = {"linestyle": "none", "color": "black", "marker": "^", "zorder": 5}
    end = np.full(int(above.sum()), 1.0 + 0.88 * half)
    axes.plot(at[above], end, markersize=5, **shape)


def _name_axes(panel: Panel, main: Axes, ratio: Axes, settings: PlotSettings) -> None:
    """Write the names of the axes and of the bins, and of the channel above."""
    main.set_ylabel(check_text(settings.ylabel or "Events / bin"), loc="top")
    ratio.set_ylabel("Data / pred.", fontsize=11)
    ratio.set_xlabel(check_text(settings.xlabel or panel.xlabel), loc="right")
    if panel.title:
        title = panel.title.replace("$", r"\$")
        main.set_title(title, loc="left", y=1.0)  # no search for its place
    if panel.names:
        name_bins((main, ratio), panel.centres, panel.names)
    elif panel.numbered:
        for axes in (main, ratio):
            number_bins(axes, panel.centres)


def _add_legend(
    frames: Sequence[RatioFrame], colours: Colours, settings: PlotSettings, heading: str
) -> None:
    """Write title, text and legend: inside of one panel, above several."""
    first = frames[0].canvas
    known: dict[str, Any] = {}
    for frame in frames:
        handles, labels = frame.canvas.axes.get_legend_handles_labels()
        known |= dict(zip(labels, handles, strict=True))
    names = ["Data", *reversed([*colours.named]), colours.others, "Uncertainty"]
    first.keys = [known[name] for name in names if name in known]
    if len(frames) == 1:
        first.name_axes(("", ""), settings)
        first.add_legend(heading, settings)
        return
    lines = "   ".join(check_text(line) for line in [*settings.text, heading])
    add_legend_above(frames, first.keys, lines, settings.title)
