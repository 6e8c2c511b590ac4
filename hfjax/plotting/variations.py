"""Variations: what a systematic does to a sample, up and down, and in relation."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import matplotlib as mpl
import numpy as np

from hfjax.errors import DataError, check_kind, unknown_name
from hfjax.model.model import Model
from hfjax.model.nominal import nominal_parameters
from hfjax.plotting.canvas import STYLE, Picture
from hfjax.plotting.mathtext import check_text
from hfjax.plotting.panels import bin_edges
from hfjax.plotting.ratio_frames import RatioFrame, new_frames, number_bins, steps
from hfjax.plotting.settings import PlotSettings, take_only

_TAKEN = ("xlabel", "ylabel", "title", "text", "log")
_LINES = {
    "Up": ("#bd1f01", "solid"),
    "Down": ("#3f90da", "dashed"),
    "Nominal": ("black", "solid"),
}
_ROOM, _NARROW = 1.3, 0.01  # past the largest ratio, and how far from 1 at least
_DECADES = 1e-3  # of the largest bin, where a logarithmic axis begins


class Variations(NamedTuple):
    """Events of a sample in each bin of a channel."""

    nominal: np.ndarray
    up: np.ndarray
    down: np.ndarray


def draw_variations(
    model: Model,
    parameter: str,
    channel: str,
    sample: str,
    settings: PlotSettings = PlotSettings(),
    *,
    edges: Sequence[float] | None = None,
) -> Picture:
    """Draw what a parameter does to a sample of a channel, at plus and minus 1 sigma.

    The others are at their nominal values; sigma is the width of the constraint term.
    Below are the ratios to the nominal events.

    Args:
        model: As `hfjax.build` makes it.
        parameter: Its name, or that of a component: `gamma[1]`.
        channel: Name of a channel.
        sample: Name of a sample in it.
        settings: What is written: `xlabel`, `ylabel`, `title`, `text`; and `log`.
        edges: Edges of the bins, which are numbered without.

    Returns:
        The figure and the axes of the events.

    Raises:
        UnknownNameError: There is no such parameter, channel or sample.
        DataError: The parameter has no width, or changes nothing there; or edges do not
            rise, or are not one more than the bins; or a setting does not apply.

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
    found = _variations(model, parameter, channel, sample)
    known = bin_edges(edges, found.nominal.size, channel)
    with mpl.rc_context(STYLE):
        (frame,) = new_frames(1)
        _draw(frame, found, known, settings.log)
        across = settings.xlabel or ("Bin" if edges is None else channel)
        frame.ratio.set_xlabel(check_text(across), loc="right")
        if edges is None:
            number_bins(frame.ratio, 0.5 * (known[1:] + known[:-1]))
        up = check_text(settings.ylabel or "Events / bin")
        frame.canvas.name_axes(("", up), replace(settings, xlabel=None))
        heading = f"{parameter}\n{sample}, {channel}".replace("$", r"\$")
        frame.canvas.add_legend(heading, settings)
    return frame.canvas.picture


def _draw(frame: RatioFrame, found: Variations, edges: np.ndarray, log: bool) -> None:
    """Draw the events, and their ratios to the nominal ones."""
    canvas, ratio = frame
    highest = float(np.concatenate(found).max())
    top = highest if highest > 0.0 else 1.0
    if log:
        canvas.axes.set_yscale("log")
    up = (_DECADES * top, 2.0 * top) if log else (0.0, 1.1 * top)
    canvas.limit((float(edges[0]), float(edges[-1])), up)
    some = np.where(found.nominal != 0.0, found.nominal, np.nan)
    parts = zip(_LINES.items(), (found.up, found.down, found.nominal), strict=True)
    for (name, (colour, style)), values in parts:
        shape = {"color": colour, "linestyle": style, "linewidth": 1.5}
        canvas.keys += canvas.axes.plot(*steps(edges, values), label=name, **shape)
        ratio.plot(*steps(edges, values / some), **shape)
    ratio.set_ylim(_reach(found))
    ratio.set_ylabel("Var. / nom.", fontsize=11)


def _variations(model: Model, parameter: str, channel: str, sample: str) -> Variations:
    """Events with a parameter at its nominal value, and one width above and below.

    Raises:
        UnknownNameError: a name is none.
        DataError: there is no width, or nothing changes.
    """
    names = dict(model.names.channel_bins)
    known = {"channel": (channel, names), "sample": (sample, model.names.samples)}
    for kind, (name, others) in known.items():
        if name not in others:
            error = unknown_name(kind, name, others, "the model")
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
    start = sum(names[each] for each in [*names][: [*names].index(channel)])
    bins, row = slice(start, start + names[channel]), model.names.samples.index(sample)
    centre, up, down = (
        np.asarray(model.expected_rates(nominal.values + side * width))[row, bins]
        for side in (0.0, 1.0, -1.0)
    )
    if (up == centre).all() and (down == centre).all():
        message = f"{parameter!r} does not change sample {sample!r} of {channel!r}"
        raise DataError(message)
    return Variations(centre, up, down)


def _reach(found: Variations) -> tuple[float, float]:
    """Limits of the ratio, around 1."""
    some = found.nominal != 0.0
    ratios = np.stack([found.up, found.down])[:, some] / found.nominal[some]
    half = max(_ROOM * float(np.abs(ratios - 1.0).max(initial=0.0)), _NARROW)
    return 1.0 - half, 1.0 + half
