"""Variations: what a systematic does to samples, up and down, and in relation."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.backends.backend_pdf import PdfPages

from hfjax.arrays import Array
from hfjax.errors import ArgumentError, DataError, check_kind, unknown_name
from hfjax.model.model import Model
from hfjax.model.name_patterns import chosen, matching
from hfjax.model.nominal import nominal_parameters
from hfjax.plotting.canvas import STYLE, Picture
from hfjax.plotting.mathtext import check_text
from hfjax.plotting.panels import bin_edges
from hfjax.plotting.ratio_frames import (
    RatioFrame,
    add_legend_above,
    name_bins,
    new_frames,
    number_bins,
    steps,
)
from hfjax.plotting.settings import PlotSettings, take_only

_TAKEN = ("xlabel", "ylabel", "title", "text", "log")
_LINES = {
    "Up": ("#bd1f01", "solid"),
    "Down": ("#3f90da", "dashed"),
    "Nominal": ("black", "solid"),
}
_ROOM, _NARROW = 1.3, 0.01  # past the largest ratio, and how far from 1 at least
_DECADES = 1e-3  # of the largest bin, where a logarithmic axis begins
_ALL = "all samples"
_LEAST = 1e-12  # part of the events of a bin that is a change


class Variations(NamedTuple):
    """Events in each bin, of a sample or of all."""

    nominal: np.ndarray
    up: np.ndarray
    down: np.ndarray

    @property
    def changes(self) -> bool:
        """Whether anything differs, but for rounding."""
        sides = np.stack([self.up, self.down])
        return bool((np.abs(sides - self.nominal) > _LEAST * self.nominal).any())


class _Panel(NamedTuple):
    """What is drawn in one frame; names of bins where they are those of channels."""

    name: str
    found: Variations
    edges: np.ndarray
    names: tuple[str, ...] = ()


def draw_variations(
    model: Model,
    parameter: str,
    channel: str | Sequence[str] | None = None,
    sample: str | None = None,
    settings: PlotSettings = PlotSettings(),
    *,
    edges: Sequence[float] | None = None,
) -> Picture:
    """Draw what a parameter does to events, at plus and minus 1 sigma.

    The others are at their nominal values; sigma is the width of the constraint term.
    Below are the ratios to the nominal events. Each channel has a panel; channels of
    one bin share one, with their names below.

    Args:
        model: As `hfjax.build` makes it.
        parameter: Its name, or that of a component: `gamma[1]`.
        channel: Name of a channel, or several; of these, or of all by default, those
            are drawn in which something changes.
        sample: Name of a sample; all samples together by default.
        settings: What is written: `xlabel`, `ylabel`, `title`, `text`; and `log`.
        edges: Edges of the bins of the one channel, which are numbered without.

    Returns:
        The figure and the axes of the events, in its first panel.

    Raises:
        UnknownNameError: There is no such parameter, channel or sample.
        DataError: The parameter has no width, or changes nothing there; or edges do not
            rise, or are not one more than the bins; or a setting does not apply.
        ArgumentError: There are edges of several channels.

    Example:
        >>> import hfjax
        >>> mu, jes = hfjax.normfactor("mu"), hfjax.normsys("JES", 0.9, 1.1)
        >>> region = hfjax.channel("SR", hfjax.sample("top", [50.0, 30.0], mu, jes))
        >>> model, _ = hfjax.build(hfjax.workspace([region], {"SR": [52, 33]}))
        >>> figure, axes = draw_variations(model, "JES", "SR", "top")
        >>> [text.get_text() for text in axes.get_legend().get_texts()]
        ['Up', 'Down', 'Nominal']
    """
    check_kind("model", model, Model, "hfjax.build makes it of a workspace")
    take_only(settings, _TAKEN, "variations")
    if edges is not None and not isinstance(channel, str):
        message = "edges are those of one channel: name it"
        raise ArgumentError(message)
    wanted = [channel] if isinstance(channel, str) else channel
    found = _variations(model, parameter, _channels(model, wanted), sample)
    panels = _panels(found, edges)
    with mpl.rc_context(STYLE):
        frames = new_frames(len(panels))
        for panel, frame in zip(panels, frames, strict=True):
            _draw(panel, frame, settings, numbered=edges is None)
        title = f"{parameter}\n{sample or _ALL}".replace("$", r"\$")
        _add_legend(panels, frames, settings, title)
    return frames[0].canvas.picture


def write_variations(
    model: Model,
    path: Any,
    parameters: Iterable[str],
    *,
    channels: Iterable[str] | None = None,
    samples: Iterable[str] | None = None,
    settings: PlotSettings = PlotSettings(),
) -> tuple[str, ...]:
    """Draw variations into a file, a page for each parameter and sample.

    Parameters without a constraint term, and pages on which nothing changes, are left
    out.

    Args:
        model: As `hfjax.build` makes it.
        path: The file; its suffix says the format. Several pages need a PDF.
        parameters: Names, or patterns such as `JES_*`.
        channels: The same of channels; all by default.
        samples: The same of samples, each on its own page; by default all samples are
            drawn together.
        settings: What is written, as `draw_variations` takes it.

    Returns:
        The parameters that are drawn, in the order of the pages.

    Raises:
        UnknownNameError: A pattern means nothing; close names are given.
        DataError: Nothing changes; or there are several pages, and no PDF.

    Example:
        >>> import hfjax, tempfile
        >>> jes = [hfjax.normsys(f"JES_{i}", 0.9, 1.1) for i in (1, 2)]
        >>> top = hfjax.sample("top", [50.0, 30.0], hfjax.normfactor("mu"), *jes)
        >>> search = hfjax.workspace([hfjax.channel("SR", top)], {"SR": [52, 33]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_variations(hfjax.build(search)[0], f"{folder}/a.pdf", ["JES_*"])
        ('JES_1', 'JES_2')
    """
    check_kind("model", model, Model, "hfjax.build makes it of a workspace")
    take_only(settings, _TAKEN, "variations")
    names = chosen([n for n, _ in model.names.channel_bins], channels, "channel")
    rows = [None] if samples is None else chosen(model.names.samples, samples, "sample")
    pages = _pages(model, parameters, names, rows)
    form = Path(str(path)).suffix[1:].lower()
    if len(pages) > 1 and form != "pdf":
        message = f"{len(pages)} pages need a PDF: give a file whose suffix is .pdf"
        raise DataError(message)
    if form != "pdf":
        draw_variations(model, *pages[0], settings).write(path)
        return (pages[0][0],)
    with mpl.rc_context(STYLE), PdfPages(path) as file:
        for page in pages:
            draw_variations(model, *page, settings).write(file, "pdf")
    return tuple(parameter for parameter, _, _ in pages)


def _pages(
    model: Model,
    patterns: Iterable[str],
    channels: Sequence[str],
    samples: Sequence[str | None],
) -> list[tuple[str, Sequence[str], str | None]]:
    """Parameter, channels and sample of each page on which something changes.

    Raises:
        UnknownNameError: A pattern means nothing.
        DataError: There is none; says why of the last one.
    """
    if not np.any(nominal_parameters(model).widths):
        message = (
            "there is nothing to draw: the model has no systematics, which are "
            "parameters with a constraint term that are not fixed"
        )
        raise DataError(message)
    found, why = [], ""
    systematics = matching(model.parameters.sets, patterns)
    wanted = {"systematic": systematics, "channel": channels, "sample": samples}
    for kind, named in wanted.items():
        if not len(named):
            message = f"there is nothing to draw: no {kind} is named; '*' names all"
            raise DataError(message)
    for position in systematics:
        name = model.parameters.names[position]
        for sample in samples:
            try:
                _variations(model, name, channels, sample)
            except DataError as error:
                why = str(error)
            else:
                found.append((name, channels, sample))
    if not found:
        message = f"there is nothing to draw: {why}"
        raise DataError(message)
    return found


def _channels(model: Model, wanted: Sequence[str] | None) -> Sequence[str]:
    """Names of channels, those that are wanted.

    Raises:
        UnknownNameError: There is no such channel.
    """
    known = [name for name, _ in model.names.channel_bins]
    for name in wanted or ():
        if name not in known:
            error = unknown_name("channel", name, known, "the model")
            raise error
    return known if wanted is None else wanted


def _panels(
    found: Mapping[str, Variations], edges: Sequence[float] | None
) -> list[_Panel]:
    """A panel for each channel, and one for all those of one bin."""
    single = [name for name, each in found.items() if each.nominal.size == 1]
    joined = single if len(single) > 1 else []
    panels = [
        _Panel(name, each, bin_edges(edges, each.nominal.size, name))
        for name, each in found.items()
        if name not in joined
    ]
    if joined:
        parts = zip(*(found[name] for name in joined), strict=True)
        whole = Variations(*(np.concatenate(part) for part in parts))
        known = bin_edges(None, len(joined), "")
        panels.append(_Panel("", whole, known, tuple(joined)))
    return panels


def _add_legend(
    panels: Sequence[_Panel],
    frames: Sequence[RatioFrame],
    settings: PlotSettings,
    heading: str,
) -> None:
    """Write title, text and legend: inside of one panel, above several."""
    first = frames[0].canvas
    if len(frames) == 1:
        if settings.title is not None:
            first.axes.set_title(check_text(settings.title), loc="left")
        name = panels[0].name.replace("$", r"\$")
        first.add_legend(", ".join(filter(None, (heading, name))), settings)
        return
    lines = [check_text(line) for line in settings.text] + heading.split("\n")
    add_legend_above(frames, first.keys, "   ".join(lines), settings.title)


def _draw(
    panel: _Panel, frame: RatioFrame, settings: PlotSettings, numbered: bool
) -> None:
    """Draw the events, and their ratios to the nominal ones."""
    (canvas, ratio), (name, found, edges, names) = frame, panel
    highest = float(np.concatenate(found).max())
    top = highest if highest > 0.0 else 1.0
    if settings.log:
        canvas.axes.set_yscale("log")
    up = (_DECADES * top, 2.0 * top) if settings.log else (0.0, 1.1 * top)
    canvas.limit((float(edges[0]), float(edges[-1])), up)
    some = np.where(found.nominal != 0.0, found.nominal, np.nan)
    parts = zip(_LINES.items(), (found.up, found.down, found.nominal), strict=True)
    for (label, (colour, style)), values in parts:
        shape = {"color": colour, "linestyle": style, "linewidth": 1.5}
        canvas.keys += canvas.axes.plot(*steps(edges, values), label=label, **shape)
        ratio.plot(*steps(edges, values / some), **shape)
    ratio.set_ylim(_reach(found))
    _name_axes(panel, frame, settings, numbered)
    if len(ratio.figure.axes) > 2:  # so that frames side by side are as high
        title = name.replace("$", r"\$") or " "
        canvas.axes.set_title(title, loc="left", y=1.0)
    if names:
        centres = 0.5 * (edges[1:] + edges[:-1])
        name_bins((canvas.axes, ratio), centres, names)


def _name_axes(
    panel: _Panel, frame: RatioFrame, settings: PlotSettings, numbered: bool
) -> None:
    """Write the names of the axes, and the numbers of bins."""
    up = check_text(settings.ylabel or "Events / bin")
    frame.canvas.axes.set_ylabel(up, loc="top")
    frame.ratio.set_ylabel("Var. / nom.", fontsize=11)
    own = " " if panel.names else "Bin" if numbered else panel.name
    frame.ratio.set_xlabel(check_text(settings.xlabel or own), loc="right")
    if numbered and not panel.names:
        number_bins(frame.ratio, 0.5 * (panel.edges[1:] + panel.edges[:-1]))


@jax.jit
def _rates(
    model: Model, places: Float[Array, "point par"]
) -> Float[Array, "point sample bin"]:
    """Rates of all samples at some places, `[place, sample, bin]`."""
    return jax.vmap(model.expected_rates)(places)


def _variations(
    model: Model, parameter: str, channels: Sequence[str], sample: str | None
) -> dict[str, Variations]:
    """Events with a parameter at its nominal value, and one width above and below.

    Raises:
        UnknownNameError: a name is none.
        DataError: there is no width, or nothing changes.
    """
    if sample is not None and sample not in model.names.samples:
        error = unknown_name("sample", sample, model.names.samples, "the model")
        raise error
    position, nominal = model.single_parameter(parameter), nominal_parameters(model)
    width = np.zeros_like(nominal.values)
    width[position] = nominal.widths[position]
    if width[position] == 0.0:
        message = (
            f"parameter {parameter!r} has no constraint term, or is fixed, so that "
            "there is no up and down"
        )
        raise DataError(message)
    places = np.stack([nominal.values + side * width for side in (0.0, 1.0, -1.0)])
    rates = np.asarray(_rates(model.anonymous(), places))
    row = None if sample is None else model.names.samples.index(sample)
    events = rates.sum(axis=1) if row is None else rates[:, row]
    names, bins = zip(*model.names.channel_bins, strict=True)
    split = np.split(events, np.cumsum(bins)[:-1], axis=1)
    each = {name: Variations(*part) for name, part in zip(names, split, strict=True)}
    found = {name: each[name] for name in channels if each[name].changes}
    if not found:
        where = ", ".join(map(repr, channels))
        what = "any sample" if sample is None else f"sample {sample!r}"
        message = f"{parameter!r} does not change {what} of {where}"
        raise DataError(message)
    return found


def _reach(found: Variations) -> tuple[float, float]:
    """Limits of the ratio, around 1."""
    some = found.nominal != 0.0
    ratios = np.stack([found.up, found.down])[:, some] / found.nominal[some]
    half = max(_ROOM * float(np.abs(ratios - 1.0).max(initial=0.0)), _NARROW)
    return 1.0 - half, 1.0 + half
