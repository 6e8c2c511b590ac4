"""How a model follows from its templates: see `hfjax.model.templates`."""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from hfjax.building.fill import BlockShape, PlacedSample, listed_normsys
from hfjax.building.layout import Layout
from hfjax.documents.workspace.measurement import Measurement, ParameterConfig
from hfjax.model.places import NOMINAL, Place, Places, Where
from hfjax.model.templates import Sources

WITH_UNCERTAINTY = "shapesys", "staterror"


class Cells(NamedTuple):
    """Bins of a sample whose events have an uncertainty.

    Attributes:
        place: which they are.
        first: position of the first of them.
        cell: their positions, samples by bins in one row.
        parameter: position of the parameter of each.
        uncertainty: of their events.
    """

    place: Place
    first: int
    cell: np.ndarray
    parameter: np.ndarray
    uncertainty: np.ndarray


def fill_sources(
    placed: Sequence[PlacedSample],
    layout: Layout,
    shape: BlockShape,
    measurement: Measurement,
) -> Sources:
    """Note which arrays of a model follow from which templates.

    Args:
        placed: row, channel and sample.
        layout: positions of channels and parameters.
        shape: of the block of samples.
        measurement: what it sets does not follow from anything.
    """
    placed = sorted(placed, key=lambda one: one[:2])  # in whatever order they are
    cells = list(_cells(placed, layout))
    uncertainty, cell, parameter = (
        np.concatenate([getattr(c, name) for c in cells] or [np.zeros(0, kind)])
        for name, kind in (("uncertainty", float), ("cell", int), ("parameter", int))
    )
    hi, lo = _factors(placed)
    return Sources(
        varies=_varies(placed, layout, shape),
        factor_hi=hi,
        factor_lo=lo,
        uncertainty=uncertainty.astype(float),
        cell=cell.astype(np.int32),
        term=_terms(layout)[parameter.astype(int)],
        parameter=parameter.astype(np.int32),
        **_rules(layout, measurement),
        places=_places(placed, shape, cells),
    )


def _cells(placed: Sequence[PlacedSample], layout: Layout) -> Iterator[Cells]:
    """Cells of all staterror and shapesys, one modifier after the other."""
    first = 0
    for row, channel, sample in placed:
        start, width = layout.channels[channel]
        chosen = [m for m in sample.modifiers if m.type in WITH_UNCERTAINTY]
        for modifier in sorted(chosen, key=lambda m: (m.type, m.name)):
            offset = layout.groups[modifier.name].offsets[channel]
            yield Cells(
                Place(modifier.type, modifier.name, channel, sample.name),
                first,
                row * layout.bins + start + np.arange(width),
                layout.sets[modifier.name].start + offset + np.arange(width),
                np.array(modifier.data, float),
            )
            first += width


def _terms(layout: Layout) -> np.ndarray:
    """Position of each parameter's term in the auxiliary data."""
    terms, position = np.zeros(layout.size, np.int32), 0
    for name, group in layout.groups.items():
        if group.auxdata:
            start = layout.sets[name].start
            terms[start : start + group.size] = position + np.arange(group.size)
            position += group.size
    return terms


def _rules(layout: Layout, measurement: Measurement) -> dict[str, np.ndarray]:
    """What follows for each constraint term, and what the measurement has set."""
    configs = {config.name: config for config in measurement.parameters}
    wide, centred, least, aux, fixed = [], [], [], [], []
    for name, group in layout.groups.items():
        config, own = configs.get(name, ParameterConfig(name)), group.size
        follows = group.kind in WITH_UNCERTAINTY
        fixed += [bool(config.fixed)] * own if follows else group.fixed
        if not group.auxdata:
            continue
        follows = follows and config.sigmas is None
        counts = follows and group.constraint == "poisson"
        wide += [follows and config.factors is None] * own
        centred += [counts and config.auxdata is None] * own
        least += [config.threshold or 0.0] * own
        aux += group.auxdata
    return {
        "wide": np.array(wide, bool),
        "centred": np.array(centred, bool),
        "least": np.array(least, float),
        "fixed": np.array(fixed, bool),
        "aux": np.array(aux, float),
    }


def _varies(
    placed: Sequence[PlacedSample], layout: Layout, shape: BlockShape
) -> np.ndarray:
    """Where each histosys acts."""
    varies = np.zeros((len(shape.histosys), shape.samples, layout.bins), bool)
    rows = {name: i for i, name in enumerate(shape.histosys)}
    for row, channel, sample in placed:
        start, width = layout.channels[channel]
        for modifier in sample.modifiers:
            if modifier.type == "histosys":
                varies[rows[modifier.name], row, start : start + width] = True
    return varies


def _factors(placed: Sequence[PlacedSample]) -> np.ndarray:
    """Factors of all normsys, at +1 and at -1."""
    found = [m.data for _, chosen in listed_normsys(placed) for m in chosen]
    return np.array([[data[side] for data in found] for side in ("hi", "lo")], float)


def _places(
    placed: Sequence[PlacedSample], shape: BlockShape, cells: Sequence[Cells]
) -> Places:
    """Where each template stands."""
    rows = {name: i for i, name in enumerate(shape.histosys)}
    found: dict[Where, dict[tuple[str, str], int]] = {}
    for row, channel, sample in placed:
        own = found[channel, sample.name] = {(NOMINAL, ""): row}
        for modifier in sample.modifiers:
            if modifier.type == "histosys":
                own["histosys", modifier.name] = rows[modifier.name]
    for each in cells:
        found[each.place[2:]][each.place[:2]] = each.first
    position = itertools.count()
    for cell, chosen in listed_normsys(placed):
        own = found[cell.channel, cell.sample.name]
        own |= {("normsys", each.name): next(position) for each in chosen}
    return Places(found)
