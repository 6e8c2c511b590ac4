"""From samples and their modifiers to stacked arrays.

The arrays of many samples are stacked into one `SampleBlock`; which modifiers act on
which cell becomes a table of indices. Everything here is NumPy and runs once.
"""

import dataclasses
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from hfjax.building.layout import Layout
from hfjax.documents.reading.expression_tree import Operation, Tree
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.workspace import Modifier, Sample
from hfjax.model.derivation import Derivation, Step
from hfjax.model.interpolation import code4_coefficients, safe_log
from hfjax.model.modifiers import HistoSys, NormSys, Scaling
from hfjax.model.sample_block import SampleBlock
from hfjax.model.settings import ModelSettings


class PlacedSample(NamedTuple):
    """A sample and where it stands.

    Attributes:
        row: its row in the arrays.
        channel: name of its channel.
        sample: the sample.
    """

    row: int
    channel: str
    sample: Sample


@dataclasses.dataclass(frozen=True)
class BlockShape:
    """Sizes that blocks must share to be stacked.

    Attributes:
        samples: rows.
        histosys: names of the histosys, in order.
        normsys: names of the normsys, in order.
        normsys_slots: slots for normsys factors.
        variations: normsys on cells, in all.
        scaling_slots: slots for factors that are parameters.
    """

    samples: int
    histosys: tuple[str, ...]
    normsys: tuple[str, ...]
    normsys_slots: int
    variations: int
    scaling_slots: int


def block_shape(placed: Sequence[PlacedSample]) -> BlockShape:
    """Smallest shape that holds the samples."""
    names: dict[str, set[str]] = {"histosys": set(), "normsys": set(), "scaling": set()}
    slots, variations = {"histosys": 0, "normsys": 0, "scaling": 0}, 0
    for _, _, sample in placed:
        kinds = [m.type if m.type in names else "scaling" for m in sample.modifiers]
        for kind in names:
            slots[kind] = max(slots[kind], kinds.count(kind))
        variations += kinds.count("normsys")
        for kind, modifier in zip(kinds, sample.modifiers, strict=True):
            names[kind].add(modifier.name)
    return BlockShape(
        samples=max((row + 1 for row, _, _ in placed), default=0),
        histosys=tuple(sorted(names["histosys"])),
        normsys=tuple(sorted(names["normsys"])),
        normsys_slots=slots["normsys"],
        variations=variations,
        scaling_slots=slots["scaling"],
    )


def fill_block(
    placed: Sequence[PlacedSample],
    layout: Layout,
    settings: ModelSettings,
    shape: BlockShape | None = None,
) -> SampleBlock:
    """Stack samples and their modifiers into arrays.

    Args:
        placed: row, channel and sample; a sample absent from a channel contributes
            zero.
        layout: positions of channels and parameters.
        settings: interpolation codes.
        shape: larger shape to pad to; empty rows and slots contribute nothing.
    """
    shape = shape or block_shape(placed)
    nominal = np.zeros((shape.samples, layout.bins))
    for row, channel, sample in placed:
        start, width = layout.channels[channel]
        nominal[row, start : start + width] = sample.data
    return SampleBlock(
        nominal=nominal,
        histosys=_fill_histosys(placed, layout, settings, shape),
        normsys=_fill_normsys(placed, layout, settings, shape),
        scaling=_fill_scaling(placed, layout, shape),
    )


def _fill_histosys(
    placed: Sequence[PlacedSample],
    layout: Layout,
    settings: ModelSettings,
    shape: BlockShape,
) -> HistoSys:
    rows = {name: i for i, name in enumerate(shape.histosys)}
    odd = np.zeros((len(rows), shape.samples, layout.bins))
    even = np.zeros_like(odd)
    for row, channel, sample in placed:
        start, width = layout.channels[channel]
        chosen = [m for m in sample.modifiers if m.type == "histosys"]
        if not chosen:
            continue
        where = np.array([rows[m.name] for m in chosen])
        hi = _stacked([m.data["hi_data"] for m in chosen], width)
        lo = _stacked([m.data["lo_data"] for m in chosen], width)
        nominal = np.array(sample.data, float)
        odd[where, row, start : start + width] = 0.5 * (hi - lo)
        even[where, row, start : start + width] = 0.5 * (hi + lo) - nominal
    index = np.array([layout.sets[name].start for name in rows], np.int32)
    return HistoSys(index, odd, even, settings.histosys)


def _stacked(rows: Iterable[Sequence[Number]], width: int) -> np.ndarray:
    """Rows of numbers as an array: packed, which takes a third of NumPy's time."""
    pack = struct.Struct(f"{width}d").pack
    return np.frombuffer(b"".join([pack(*row) for row in rows])).reshape(-1, width)


def listed_normsys(
    placed: Iterable[PlacedSample],
) -> Iterator[tuple[PlacedSample, list[Modifier]]]:
    """The normsys of each sample, all in the order of their variations and slots.

    Args:
        placed: samples in any order.
    """
    for cell in sorted(placed, key=lambda cell: cell[:2]):
        yield cell, [m for m in cell.sample.in_order if m.type == "normsys"]


def _fill_normsys(
    placed: Sequence[PlacedSample],
    layout: Layout,
    settings: ModelSettings,
    shape: BlockShape,
) -> NormSys:
    rows = {name: i for i, name in enumerate(shape.normsys)}
    room = (shape.samples, len(layout.channels))
    slots = np.full((shape.normsys_slots, *room), shape.variations, np.int32)
    table = np.full((len(rows), *room), shape.variations, np.int32)
    owner = np.full(shape.variations, len(rows), np.int32)
    where = np.zeros(shape.variations, np.int32)
    hi, lo = np.ones((2, shape.variations))
    first = 0
    for cell, chosen in listed_normsys(placed):
        place = (cell.row, layout.channel_index[cell.channel])
        own = slice(first, first + len(chosen))
        owner[own] = [rows[m.name] for m in chosen]
        where[own] = np.ravel_multi_index(place, room)
        hi[own] = [m.data["hi"] for m in chosen]
        lo[own] = [m.data["lo"] for m in chosen]
        slots[: len(chosen), *place] = np.arange(own.start, own.stop)
        table[owner[own], *place] = np.arange(own.start, own.stop)
        first = own.stop
    return NormSys(
        index=np.array([layout.sets[name].start for name in rows], np.int32),
        modifier=owner,
        cell=where,
        slot=slots,
        table=table,
        coefficients=code4_coefficients(hi, lo),
        log_hi=safe_log(hi),
        log_lo=safe_log(lo),
        code=settings.normsys,
        positive=settings.positive,
    )


def _fill_scaling(
    placed: Sequence[PlacedSample], layout: Layout, shape: BlockShape
) -> Scaling:
    index = np.full(
        (shape.scaling_slots, shape.samples, layout.bins), layout.factors, np.int32
    )
    for row, channel, sample in placed:
        start, width = layout.channels[channel]
        chosen = [m for m in sample.modifiers if m.type not in ("histosys", "normsys")]
        for slot, modifier in enumerate(sorted(chosen, key=lambda m: m.name)):
            positions = _bin_positions(modifier.name, channel, width, layout)
            index[slot, row, start : start + width] = positions
    return Scaling(index)


def _bin_positions(name: str, channel: str, width: int, layout: Layout) -> np.ndarray:
    """Parameter that scales each bin of a channel."""
    if name in layout.derived_index:
        return np.full(width, layout.derived_index[name], np.int32)
    each = layout.sets[name]
    if each.scalar:
        return np.full(width, each.start, np.int32)
    offset = layout.groups[name].offsets[channel]
    return each.start + offset + np.arange(width, dtype=np.int32)


def fill_derivation(layout: Layout) -> Derivation | None:
    """Turn expressions into steps, each part that they share once; None without any.

    Example:
        >>> fill_derivation(Layout({}, {}, {})) is None
        True
    """
    if not layout.derived:
        return None
    given = {each.name for each in layout.derived}
    used = [name for each in layout.derived for name in each.expression.names]
    free = [name for name in dict.fromkeys(used) if name not in given]
    places = {name: i for i, name in enumerate(free)}
    steps: dict[Step, int] = {}

    def place(tree: Tree) -> int:
        if isinstance(tree, str):
            return places[tree]
        if isinstance(tree, Operation):
            step = Step(tree.symbol, tuple([place(part) for part in tree.operands]))
        else:
            step = Step("number", (), tree)
        return steps.setdefault(step, len(free) + len(steps))

    for each in layout.derived:
        places[each.name] = place(each.expression.tree)
    return Derivation(
        tuple(layout.sets[name].start for name in free),
        tuple(steps),
        tuple(places[each.name] for each in layout.derived),
    )
