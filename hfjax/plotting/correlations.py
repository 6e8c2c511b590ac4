"""Correlations of the parameters of a fit, as a matrix in colours."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from hfjax.errors import DataError
from hfjax.plotting.canvas import Canvas, Picture
from hfjax.plotting.mathtext import check_text
from hfjax.plotting.settings import PlotSettings, take_only
from hfjax.results.covariance_record import CovarianceRecord
from hfjax.results.expression import fulfilling
from hfjax.results.fit_record import FitRecord
from hfjax.results.named_matrix import NamedMatrix
from hfjax.results.written import Dumped

MOST = 20
"""Most parameters in one picture, unless more are asked for."""

_TAKEN = ("select", "title", "text", "most")
_NUMBERED = 16  # parameters up to which numbers are in the cells
_CELL = 0.36  # of a new figure, in inches
_DARK = 0.6  # correlation from which numbers are white
_UNKNOWN = "#d1d5db"


def draw_correlations(
    result: FitRecord | CovarianceRecord | Dumped,
    settings: PlotSettings = PlotSettings(),
    *,
    axes: Axes | None = None,
) -> Picture:
    """Draw the correlations of the parameters of a fit as a matrix.

    Of many parameters, those are drawn whose largest correlation with another one is
    largest, in the order of the fit; of up to 16, with numbers in the cells.

    Args:
        result: A `CovarianceResult`, or what `load_result` reads of it or of
            `hfjax fit --correlations`.
        settings: What is shown and written: `most`, how many parameters; `select`, a
            condition on `name`; `title`, and `text` above the frame.
        axes: Where to draw; by default a new figure.

    Returns:
        The figure and its axes; `picture.write(path)` writes the file.

    Raises:
        DataError: The fit has no correlations, fewer than two parameters are left, or a
            setting does not apply.

    Example:
        >>> from hfjax.results.fit_record import FitRecord
        >>> matrix = NamedMatrix(("mu", "JES"), ((1.0, -0.3), (-0.3, 1.0)))
        >>> fit = FitRecord({"mu": 0.5, "JES": 0.2}, correlations=matrix)
        >>> figure, axes = draw_correlations(fit)
        >>> [text.get_text() for text in axes.texts]
        ['1.00', '-0.30', '-0.30', '1.00']
    """
    take_only(settings, _TAKEN, "correlations")
    matrix = _matrix(result)
    names, values = _selected(matrix, settings)
    size = _CELL * len(names)
    canvas = Canvas(axes, height=2.0 + size, width=3.2 + size)
    with canvas.style():
        _draw_cells(canvas, values)
        _name_rows(canvas.axes, names)
        if settings.title is not None:
            canvas.axes.set_title(check_text(settings.title), loc="left")
        if settings.text:
            lines = "\n".join(map(check_text, settings.text))
            canvas.axes.set_title(lines, loc="right", fontsize="medium")
        if len(names) < len(matrix.names):
            told = f"{len(names)} of {len(matrix.names)} parameters"
            canvas.axes.set_xlabel(told, loc="right", fontsize="medium")
    return canvas.picture


def _matrix(result: FitRecord | CovarianceRecord | Dumped) -> NamedMatrix:
    """The correlations of a fit.

    Raises:
        DataError: It has none; says what to do.
    """
    if isinstance(result, FitRecord):
        if result.correlations is None:
            message = (
                "this fit has no correlations: `hfjax fit --correlations` writes them, "
                "in Python draw what `hfjax.covariance` finds"
            )
            raise DataError(message)
        return result.correlations
    return CovarianceRecord.of(result).correlations


def _selected(
    matrix: NamedMatrix, settings: PlotSettings
) -> tuple[list[str], np.ndarray]:
    """The parameters that are drawn, in their order, and their correlations.

    Raises:
        DataError: Fewer than two are left, or fewer are asked for.
    """
    names = matrix.names
    kept = list(range(len(names)))
    if settings.select is not None:
        chosen = set(fulfilling(settings.select, (), [(name, ()) for name in names]))
        kept = [i for i in kept if names[i] in chosen]
    whole = np.array(matrix.values, float).reshape(len(names), len(names))
    values = whole[np.ix_(kept, kept)]
    most = MOST if settings.most is None else settings.most
    if min(len(kept), most) < 2:
        which = "that are left" if most >= 2 else "that are asked for"
        message = f"{min(len(kept), most)} parameters {which} have no correlations"
        raise DataError(message)
    first = np.sort(_largest_first(values)[:most])
    return [names[kept[i]] for i in first], values[np.ix_(first, first)]


def _largest_first(values: np.ndarray) -> np.ndarray:
    """The order of parameters by their largest correlation with another one.

    >>> _largest_first(np.array([[1, 0.1, 0], [0.1, 1, -0.5], [0, -0.5, 1]])).tolist()
    [1, 2, 0]
    """
    others = np.abs(np.nan_to_num(values)) * (1.0 - np.eye(len(values)))
    return np.argsort(-others.max(axis=1), kind="stable")


def _draw_cells(canvas: Canvas, values: np.ndarray) -> None:
    """Draw a square for each pair, with a number where there are few."""
    axes, size = canvas.axes, len(values)
    known = np.ma.masked_invalid(values)
    edges = np.arange(size + 1) - 0.5
    axes.set_facecolor(_UNKNOWN)
    colours: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -1.0, "vmax": 1.0}
    cells = axes.pcolormesh(edges, edges, known, **colours, rasterized=size > MOST)
    axes.set_xlim(-0.5, size - 0.5)
    axes.set_ylim(size - 0.5, -0.5)
    axes.set_aspect("equal")
    bar = axes.figure.colorbar(cells, ax=axes, shrink=0.8, aspect=30, pad=0.02)
    bar.set_label(r"Correlation $\rho$")
    if size > _NUMBERED:
        return
    for (row, column), value in np.ndenumerate(values):
        axes.text(
            *(column, row, _cell_text(value)),
            color="white" if abs(value) > _DARK else "black",
            fontsize=7.5,
            horizontalalignment="center",
            verticalalignment="center",
        )


def _cell_text(value: float) -> str:
    """A correlation in a cell.

    >>> _cell_text(-0.301), _cell_text(-0.001), _cell_text(np.nan)
    ('-0.30', '0.00', '?')
    """
    return f"{round(value, 2) + 0.0:.2f}" if np.isfinite(value) else "?"


def _name_rows(axes: Axes, names: list[str]) -> None:
    """Write the names of the parameters beside rows and below columns."""
    places = range(len(names))
    plain = [name.replace("$", r"\$") for name in names]
    axes.set_xticks(places, plain, rotation=90)
    axes.set_yticks(places, plain)
    axes.minorticks_off()
    axes.tick_params(which="both", length=0, labelsize=8 if len(names) <= 40 else 6)
