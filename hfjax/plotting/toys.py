"""Toys: how their test statistic is distributed, and where the data are."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from hfjax.errors import DataError
from hfjax.inference.toys_result import ToysResult
from hfjax.plotting.canvas import OBSERVED, Canvas, Picture, symbol
from hfjax.plotting.mathtext import check_text
from hfjax.plotting.settings import PlotSettings, take_only

BINS = 50
"""Bins of the histograms."""
STATISTICS = {
    "q": r"$q_\mu$",
    "qtilde": r"$\tilde{q}_\mu$",
    "q0": "$q_0$",
    "t": r"$t_\mu$",
    "ttilde": r"$\tilde{t}_\mu$",
}
"""What the test statistics are called."""

_TAKEN = ("xlabel", "ylabel", "title", "text")
_COLOURS = OBSERVED, "#1d5fa8"  # of the tested hypothesis and of the other
_NOTHING = 1e-12  # what stands for no toys on a logarithmic axis
_NEARLY_ALL, _STRETCH = 0.99, 1.3
_ROOM = 0.02  # of the axis across, past the last toy


def draw_toys(
    result: ToysResult,
    settings: PlotSettings = PlotSettings(),
    *,
    axes: Axes | None = None,
) -> Picture:
    r"""Draw how the test statistic of toys is distributed, and that of the data.

    Both samples are histograms of the part of their toys in each bin, on a logarithmic
    axis; the few that are far beyond the others are counted in the last bin. The tails
    that p-values are made of, from the observed value on, are shaded.

    Args:
        result: Toys with their statistics, of `hfjax.toys` or `hfjax.load_toys`.
        settings: What is written: `xlabel`, `ylabel`, `title` and `text`.
        axes: Where to draw; by default a new figure.

    Returns:
        The figure and its axes; `picture.write(path)` writes the file.

    Raises:
        DataError: A sample has no toy with a statistic, the data have none, or a
            setting does not apply.

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([9.0], [50.0], [3.0], [52.0])
        >>> result = hfjax.toys(*hfjax.build(search), 1.0, 4, 0)
        >>> figure, axes = draw_toys(result)
        >>> [text.get_text() for text in axes.get_legend().get_texts()[:2]]
        ['Toys with $\\mu$ = 1', 'Toys with $\\mu$ = 0']
    """
    take_only(settings, _TAKEN, "toys")
    samples, observed = _known(result)
    canvas = Canvas(axes)
    with canvas.style():
        canvas.axes.set_yscale("log")
        edges = np.linspace(0.0, _end(samples, observed), BINS + 1)
        parts = [_parts(q, edges) for q in samples]
        least = 0.5 / max(sample.size for sample in samples)
        canvas.limit(
            (0.0, (1 + _ROOM) * edges[-1]), (least, 2.0 * max(map(max, parts)))
        )
        for name, part, colour in zip(_names(result), parts, _COLOURS, strict=True):
            canvas.keys += _draw_histogram(canvas.axes, edges, part, colour, name)
            _shade_tail(canvas.axes, edges, part, observed, colour)
        canvas.keys.append(_draw_observed(canvas.axes, observed))
        canvas.name_axes(_axis_names(result, settings), settings)
        beyond = sum(int(np.sum(q > edges[-1])) for q in samples)
        canvas.add_legend(_heading(result, beyond), settings)
    return canvas.picture


def _known(result: ToysResult) -> tuple[tuple[np.ndarray, np.ndarray], float]:
    """The statistics of both samples, and of the data.

    Raises:
        DataError: There are none.
    """
    samples, observed = (result.q_signal, result.q_background), float(result.q_obs)
    if not all(sample.size for sample in samples) or not np.isfinite(observed):
        why = f": {result.message}" if result.message else ""
        message = f"these toys have no distributions to draw{why}"
        raise DataError(message)
    return samples, observed


def _end(samples: tuple[np.ndarray, ...], observed: float) -> float:
    """Where the last bin ends: past the data and nearly all toys, if not all."""
    largest = max(observed, *(float(q.max()) for q in samples))
    nearly = max(float(np.quantile(q, _NEARLY_ALL)) for q in samples)
    return min(largest, _STRETCH * max(observed, nearly)) or 1.0


def _parts(q: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The part of the toys in each bin; those beyond are in the last one.

    >>> _parts(np.array([0.5, 1.5, 9.0, 99.0]), np.array([0.0, 1.0, 2.0])).tolist()
    [0.25, 0.75]
    """
    return np.histogram(np.minimum(q, edges[-1]), edges)[0] / q.size


def _names(result: ToysResult) -> tuple[str, str]:
    """What the samples are: the parameter of interest in each."""
    poi, other = symbol(result.settings.get("poi")), 1.0 if result.discovery else 0.0
    values = float(result.poi_value), other
    tested, compared = (f"Toys with {poi} = {value:g}" for value in values)
    return tested, compared


def _draw_histogram(
    axes: Axes, edges: np.ndarray, part: np.ndarray, colour: str, name: str
) -> list[Any]:
    """Draw steps; where there are none, they go down below the frame."""
    places, heights = _steps(edges, part)
    shape = {"color": colour, "linewidth": 1.5, "zorder": 3}
    return axes.plot(places, heights, **shape, label=name)


def _steps(edges: np.ndarray, part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The corners of a histogram from the left; nothing is 0 on a logarithmic axis.

    On the right it ends at the bottom.

    >>> edges, part = np.array([0.0, 1.0, 2.0]), np.array([0.5, 0.0])
    >>> [each.tolist() for each in _steps(edges, part)]
    [[0.0, 1.0, 1.0, 2.0, 2.0], [0.5, 0.5, 1e-12, 1e-12, 1e-12]]
    """
    heights = np.repeat(np.maximum(part, _NOTHING), 2)
    return np.repeat(edges, 2)[1:], np.append(heights, _NOTHING)


def _shade_tail(
    axes: Axes, edges: np.ndarray, part: np.ndarray, observed: float, colour: str
) -> None:
    """Shade what is not below the observed value."""
    places, heights = _steps(edges, part)
    inside = places > observed
    places = np.append(observed, places[inside])
    first = heights[inside][:1]
    heights = np.append(first if first.size else _NOTHING, heights[inside])
    tail = axes.fill_between(
        places, _NOTHING, heights, color=colour, alpha=0.25, zorder=1
    )
    tail.set_linewidth(0)


def _draw_observed(axes: Axes, observed: float) -> Any:
    """Draw where the data are."""
    shape = {"color": "black", "linestyle": "dashed", "linewidth": 1.5, "zorder": 3.1}
    return axes.axvline(observed, **shape, label=f"Observed: {observed:.3g}")


def _axis_names(result: ToysResult, settings: PlotSettings) -> tuple[str, str]:
    """What is written along the axes."""
    name = STATISTICS.get(result.settings.get("test_stat", ""), "Test statistic")
    across = settings.xlabel or name
    return check_text(across), check_text(settings.ylabel or "Fraction of toys / bin")


def _heading(result: ToysResult, beyond: int) -> str:
    """What the toys say, and how many are not where they are drawn."""
    name = "$p_0$" if result.discovery else r"$\mathrm{CL}_s$"
    value = rf"{name} = {result.CLs_obs:.3g} $\pm$ {result.CLs_error:.1g}"
    return value + (f"\nLast bin: {beyond} toys beyond" if beyond else "")
