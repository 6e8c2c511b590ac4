"""What all pictures of scans share: their style, axes and points."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.transforms import Bbox, TransformedBbox

from hfjax.plotting.coordinates import Coordinates, axis_text
from hfjax.plotting.legend import place_legend
from hfjax.plotting.mathtext import check_text, mathtext
from hfjax.plotting.settings import PlotSettings
from hfjax.results.limits_scan import Scanned

STYLE: dict[Any, Any] = {
    "font.size": 11,
    "axes.labelsize": 13,
    "axes.linewidth": 0.9,
    "legend.fontsize": 10,
    "mathtext.fontset": "dejavusans",
    "pdf.fonttype": 42,  # whole fonts, as journals ask for
    "savefig.dpi": 200,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
}
POINT, FAILED = "#6b7280", "#d95f02"
POINT_SHAPE: dict[str, Any] = {
    "linestyle": "none",
    "color": POINT,
    "marker": "o",
    "markersize": 3.2,
    "markeredgewidth": 0.8,
    "zorder": 2.5,
}
FAILED_SHAPE = POINT_SHAPE | {
    "marker": "X",
    "color": FAILED,
    "markersize": 7,
    "markeredgewidth": 0,
}
"""How points are marked, and those without a result."""
OBSERVED, EXPECTED = "#a3122a", "#111111"
ONE_SIGMA, TWO_SIGMA = "#74b065", "#f6d77a"
"""Green and yellow that differ in lightness as well, for all eyes."""


class Picture(NamedTuple):
    """A figure and the axes in it that are drawn into."""

    figure: Figure | SubFigure
    axes: Axes

    def write(self, path: Any, form: str | None = None) -> None:
        """Write the figure to a path or an open file.

        Args:
            path: Where to; the suffix of a path says the format.
            form: The format, such as "pdf", if no suffix says so.
        """
        figure = self.axes.get_figure(root=True)
        assert figure is not None
        with mpl.rc_context(STYLE), _laid_out(figure):
            figure.savefig(Path(path) if isinstance(path, str) else path, format=form)


@contextlib.contextmanager
def _laid_out(figure: Figure) -> Iterator[None]:
    """Lay a figure out once, for as long as it is written.

    `Figure.savefig` draws all of it for that, and draws it again.
    """
    engine = figure.get_layout_engine()
    if engine is None:
        yield
        return
    engine.execute(figure)
    figure.set_layout_engine(None)
    try:
        yield
    finally:
        figure.set_layout_engine(engine)


class Canvas:
    """Axes that are drawn into, and what is to be in their legend.

    Args:
        axes: Axes that are given, which keep their style, limits, title, names and
            legends; by default those of a new figure.
        height: Of a new figure, in inches.
        width: Of a new figure, in inches.
    """

    def __init__(
        self, axes: Axes | None, height: float = 5.2, width: float = 6.4
    ) -> None:
        self.own = axes is None
        with self.style():
            figure = Figure(figsize=(width, height), layout="constrained")
            self.axes = figure.add_subplot() if axes is None else axes
        if self.own:
            leave_out_spines(self.axes)
        self.keys: list[Any] = []
        self._autoscaled = self.axes.get_autoscalex_on(), self.axes.get_autoscaley_on()
        self._before = self._limits() if self.axes.has_data() else None
        self.axes.set_autoscale_on(False)

    def _limits(self) -> tuple[tuple[float, float], tuple[float, float]]:
        return self.axes.get_xlim(), self.axes.get_ylim()

    @contextlib.contextmanager
    def style(self) -> Iterator[None]:
        """The style of own figures while one is drawn."""
        with mpl.rc_context(STYLE if self.own else {}):
            yield

    @property
    def picture(self) -> Picture:
        """The figure and its axes."""
        figure = self.axes.figure
        assert figure is not None
        return Picture(figure, self.axes)

    def name_axes(self, names: Sequence[str], settings: PlotSettings) -> None:
        """Write the names of the axes and the title, where there are none yet."""
        axes = self.axes
        with self.style():
            if settings.xlabel or not axes.get_xlabel():
                axes.set_xlabel(names[0], loc="right")
            if settings.ylabel or not axes.get_ylabel():
                axes.set_ylabel(names[1], loc="top")
            if settings.title is not None:
                axes.set_title(check_text(settings.title), loc="left")

    def limit(self, across: tuple[float, float], up: tuple[float, float]) -> None:
        """Set the limits of axes that have none by hand, around what is there too."""
        before = self._before or (across, up)
        for i, (wanted, old) in enumerate(zip((across, up), before, strict=True)):
            if self._autoscaled[i]:
                ends = min(wanted[0], old[0]), max(wanted[1], old[1])
                (self.axes.set_ylim if i else self.axes.set_xlim)(ends)

    def add_legend(self, heading: str, settings: PlotSettings) -> None:
        """Put text, a heading and the legend where there is room in the frame."""
        given = (*settings.text, *heading.splitlines())
        lines = [check_text(line) for line in given if line]
        with self.style():
            place_legend(self.axes, self.keys, "\n".join(lines), self._autoscaled[1])
        self._limits()  # before they are scaled anew
        self.axes.set_autoscalex_on(self._autoscaled[0])
        self.axes.set_autoscaley_on(self._autoscaled[1])


def leave_out_spines(axes: Axes) -> None:
    """Lay out axes by what is around their frame: to measure that too takes long."""
    for spine in axes.spines.values():
        spine.set_in_layout(False)


def prepare_plane(canvas: Canvas, found: Coordinates) -> None:
    """Set scales and limits of axes so that all points are in them."""
    for axis, log in zip("xy", found.log, strict=True):
        if log:
            canvas.axes.set(**{f"{axis}scale": "log"})
    pairs = zip(found.values, found.log, strict=True)
    canvas.limit(*(limits(row, log) for row, log in pairs))


def limits(values: np.ndarray, log: bool, margin: float = 0.04) -> tuple[float, float]:
    """Where an axis begins and ends: past the values, but not below 0 for that.

    >>> limits(np.array([0.0, 100.0]), log=False)
    (0.0, 104.0)
    """
    low, high = float(values.min()), float(values.max())
    if log:
        room = (high / low) ** margin
        return low / room, high * room
    room = margin * (high - low)
    below = low - room
    return (0.0 if low >= 0 > below else below), high + room


class Mark(NamedTuple):
    """A kind of points: its name, which points, and how they are marked."""

    name: str
    which: np.ndarray
    shape: dict[str, Any]


def mark_points(axes: Axes, found: Coordinates, kinds: Sequence[Mark]) -> list[Artist]:
    """Mark the points of each kind, and those without a result.

    Returns:
        What the legend shows.
    """
    keys: list[Artist] = []
    for name, which, own in (*kinds, Mark("No result", ~found.tested, FAILED_SHAPE)):
        if which.any():
            keys += axes.plot(*found.values[:, which], **POINT_SHAPE | own, label=name)
            keep_whole(axes, keys[-1])
    return keys


def keep_whole(axes: Axes, points: Artist) -> None:
    """Let no point on the frame be cut in half; those outside are not drawn."""
    around = Bbox([[0.0, 0.0], [1.0, 1.0]]).padded(0.015)
    points.set_clip_box(TransformedBbox(around, axes.transAxes))


def plane_names(found: Coordinates, settings: PlotSettings) -> tuple[str, str]:
    """What is written along the axes of a plane."""
    return axis_text(found, 0, settings), axis_text(found, 1, settings)


def poi_symbol(result: Scanned) -> str:
    r"""What the parameter of interest of a scan is called in a picture.

    >>> from hfjax.results.scan import ScanResult
    >>> poi_symbol(ScanResult((), ()))
    '$\\mu$'
    """
    return symbol(result.provenance.settings.get("poi"))


def symbol(poi: str | None) -> str:
    r"""What a parameter of interest is called in a picture; mu where no name is known.

    >>> symbol("k_t"), symbol("coupling")
    ('$k_{\\mathrm{t}}$', 'coupling')
    """
    return r"$\mu$" if poi in (None, "mu") else check_text(mathtext(poi))
