"""Which samples several systematics together may raise many times over.

Where many normsys factors act on a sample in a channel, its rate grows along their
common direction as ``exp(L t)``, with ``L`` the root of the sum of squares of their
logarithms: a sample of a quarter of an event may fill a control region at less than one
standard deviation of each. No parameter alone gets there, nor do two. Which way each of
them goes depends on where it stands, since many factors are large on both sides.

With the change ``A (exp(x) - 1)`` of the rates, ``x = L t``, once all other parameters
follow, data at the distance ``d`` have two best fits only where

    x - 1 > (A L exp(x))^2,    d = A (exp(x) - 1) + x / (L^2 A exp(x)).
"""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from hfjax.model.curves import (
    Moving,
    Still,
    padded_rows,
    products_left,
    scaling_factor,
    standing_still,
)
from hfjax.model.model import Model
from hfjax.model.modifiers import NormSys
from hfjax.model.valley_sources import Surges

TOGETHER = 1.2
"""How much steeper all systematics together are than the steepest alone, at least."""
STEEP = 2.0
"""Logarithm of a factor from which on one alone is a surge: grids are too coarse."""
FARTHEST = 3.5
"""Largest distance along the direction, in standard deviations."""
LARGEST_DISTANCE = 10.0
"""Largest distance of data from the rates, in standard deviations."""
MOST = 8
"""Most surges of a model: those that need least."""
ROOM = 4
"""Surges are padded to a multiple of this: models share programs."""
FACTORS = 32
"""Factors of a surge that are moved: the steepest."""
STEEPEST = 10.0
"""Logarithm from which on factors count as equally steep; that of zero is far more."""

_EXPONENTS = np.linspace(1.0, 15.0, 141)


def fill_surges(model: Model, aux: np.ndarray, moving: Moving) -> Surges:
    """Find the samples that may surge, those that need least for it first.

    Args:
        model: a model of NumPy arrays.
        aux: nominal auxiliary data.
        moving: its systematics.
    """
    init, bins = np.asarray(model.parameters.init), np.asarray(model.bin_channel)
    fixed = np.asarray(model.parameters.fixed)
    block = model.block
    nominal = np.asarray(scaling_factor(block, init) * block.nominal)
    total = np.sum(nominal, axis=0)
    steep = _steep(block.normsys, fixed)
    if not np.any(steep.surges):
        return no_surges(bins.size)
    still = standing_still(model, aux, moving, held=int(model.poi))
    found = _surges(block.normsys, steep, nominal, (total, bins), still)
    found = [own for _, own in sorted(found, key=lambda surge: surge[0])[:MOST]]
    if not found:
        return no_surges(bins.size)
    stacked = jax.tree.map(lambda *rows: np.concatenate(rows), *found)
    return padded_surges(stacked, -(-len(found) // ROOM) * ROOM, init.size)


def no_surges(bins: int) -> Surges:
    """No sample may surge."""
    shapes = [(0, FACTORS)] * 2 + [(0,), (0, bins), (0,), (0,)]
    log_hi, *others = (np.zeros(shape) for shape in shapes)
    index = np.zeros((0, FACTORS), np.int32)
    return Surges(index, np.zeros((0, 6, FACTORS)), log_hi, *others)


def padded_surges(own: Surges, number: int, parameters: int) -> Surges:
    """Pad with surges that raise nothing.

    Args:
        own: surges, as NumPy arrays.
        number: how many there are to be.
        parameters: how many the model has.
    """
    padded = padded_rows(own, number)
    exists = padded.size[:, None] > 0.0
    index = np.where(exists, padded.index, parameters).astype(np.int32)
    return dataclasses.replace(padded, index=index)


class _Steep(NamedTuple):
    """How steeply each modifier raises each sample in each channel.

    Attributes:
        moves: modifiers whose parameters are not fixed.
        growth: logarithm of the factor, at +1 or -1.
        sign: the side on which it grows.
        total: root of the sum of squares.
        surges: where several modifiers matter, or one is as steep.
    """

    moves: Bool[np.ndarray, " modifier"]
    growth: Float[np.ndarray, "modifier sample channel"]
    sign: Float[np.ndarray, "modifier sample channel"]
    total: Float[np.ndarray, "sample channel"]
    surges: Bool[np.ndarray, "sample channel"]


def _steep(normsys: NormSys, fixed: np.ndarray) -> _Steep:
    high, low = (np.append(log, 0.0) for log in (normsys.log_hi, normsys.log_lo))
    up, down = high[normsys.table], low[normsys.table]
    moves = ~fixed[normsys.index]
    larger = np.fmax(np.fmax(up, down), 0.0)  # NaN is none
    growth = np.where(moves[:, None, None], larger, 0.0)
    total = np.sqrt(np.sum(growth**2, axis=0))
    most = np.max(growth, axis=0, initial=0.0)
    surges = (total > TOGETHER * most) | (total > STEEP)
    return _Steep(moves, growth, np.where(up >= down, 1.0, -1.0), total, surges)


def _surges(
    normsys: NormSys,
    steep: _Steep,
    nominal: Float[np.ndarray, "sample bin"],
    bins: tuple[Float[np.ndarray, " bin"], Int[np.ndarray, " bin"]],
    still: Still,
) -> Iterator[tuple[float, Surges]]:
    """Samples of a block that may surge, and how far data must lie for that."""
    (total, channel), nothing = bins, normsys.log_hi.size
    cells = np.argwhere(steep.surges)
    sample, where = cells.T
    rates = np.where(channel == where[:, None], nominal[sample], 0.0)
    change = rates / np.sqrt(np.maximum(total, 1.0))
    size = np.linalg.norm(change, axis=1)
    along = change / np.where(size > 0.0, size, 1.0)[:, None]
    side = steep.growth * steep.sign / np.where(steep.surges, steep.total, 1.0)
    moved = side[:, sample, where].T @ still.moved[normsys.index]
    stiff = products_left(along[:, None], still, moved)[:, 0, 0]
    for i in np.flatnonzero(np.any(rates > 0.0, axis=1)):
        steepness = float(steep.total[sample[i], where[i]])
        least = _least_distance(float(size[i] * np.sqrt(stiff[i])), steepness)
        if least <= LARGEST_DISTANCE:
            table = normsys.table[:, sample[i], where[i]]
            which = np.where(steep.moves, table, nothing)
            factors = _factors(normsys, which, len(still.moved))
            leaves = (*factors, along[i], size[i], stiff[i])
            yield least, Surges(*(np.asarray(leaf)[None] for leaf in leaves))


def _factors(
    normsys: NormSys, which: Int[np.ndarray, " modifier"], parameters: int
) -> tuple[np.ndarray, ...]:
    """The steepest factors of some that act on a sample in a channel; padded."""
    acting = np.flatnonzero(which < normsys.log_hi.size)
    sides = normsys.log_hi, normsys.log_lo
    logs = [np.nan_to_num(log[which[acting]]) for log in sides]
    steep = np.minimum(np.max(np.abs(logs), axis=0), STEEPEST)
    order = np.argsort(-steep, kind="stable")[:FACTORS]
    acting = acting[order]
    room = (0, FACTORS - acting.size)
    index = np.pad(normsys.index[acting], room, constant_values=parameters)
    chosen = which[acting]
    coefficients = np.pad(normsys.coefficients[:, chosen], ((0, 0), room))
    high, low = (np.pad(log[order], room) for log in logs)
    edge = np.asarray(normsys.edge, coefficients.dtype)
    return index.astype(np.int32), np.nan_to_num(coefficients), high, low, edge


def _least_distance(size: float, steep: float) -> float:
    """How far data must lie for two best fits; infinite where there never are."""
    grown = size * np.exp(_EXPONENTS)
    two = ((steep * grown) ** 2 < _EXPONENTS - 1.0) & (FARTHEST * steep > _EXPONENTS)
    distance = grown - size + _EXPONENTS / (steep**2 * grown)
    return float(np.min(np.where(two, distance, np.inf)))
