"""Which samples several systematics together may raise many times over.

Where many normsys factors act on a sample in a channel, its rate grows along their
common direction as ``exp(L t)``, with ``L`` the root of the sum of squares of their
logarithms: a sample of a quarter of an event may fill a control region at less than one
standard deviation of each. No parameter alone gets there, nor do two.

With the change ``A (exp(x) - 1)`` of the rates, ``x = L t``, once all other parameters
follow, data at the distance ``d`` have two best fits only where

    x - 1 > (A L exp(x))^2,    d = A (exp(x) - 1) + x / (L^2 A exp(x)).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from hfjax.model.curves import (
    Moving,
    Still,
    padded_rows,
    products_left,
    scaling_factor,
    standing_still,
    variations,
)
from hfjax.model.lopsided import MOST_BINS
from hfjax.model.model import Model
from hfjax.model.modifiers import NormSys
from hfjax.model.valley_sources import Surges

FILLED = (0.08, 0.2, 0.4, 0.7, 1.0, 1.5)
"""Parts of a bin's rate that the sample adds at the places that are looked at."""
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

_LARGEST, _LEAST = 100.0, 1e-300  # exponent, and factor
_EXPONENTS = np.linspace(1.0, 15.0, 141)
_STEPS = np.linspace(0.0, FARTHEST, 141)


class _Surge(NamedTuple):
    """A sample in a channel.

    Attributes:
        least: how far data must lie for two best fits.
        direction: of the parameters.
        places: distances along it.
        along: direction of the change of the rates.
        curve: the change at the places.
        stiff: what is left of its square.
    """

    least: float
    direction: Float[np.ndarray, " par"]
    places: Float[np.ndarray, " place"]
    along: Float[np.ndarray, " bin"]
    curve: Float[np.ndarray, " place"]
    stiff: float


def fill_surges(model: Model, aux: np.ndarray, moving: Moving) -> Surges:
    """Find the samples that may surge, those that need least for it first.

    Args:
        model: a model of NumPy arrays.
        aux: nominal auxiliary data.
        moving: its systematics.
    """
    init, bins = np.asarray(model.parameters.init), np.asarray(model.bin_channel)
    fixed = np.asarray(model.parameters.fixed)
    nominal = [np.asarray(scaling_factor(b, init) * b.nominal) for b in model.blocks]
    total = np.sum(np.concatenate(nominal), axis=0)
    steep = [_steep(block.normsys, fixed) for block in model.blocks]
    some = any(np.any(each.surges) for each in steep)
    if not some or bins.size > MOST_BINS:
        return no_surges(init.size, bins.size)
    still = standing_still(model, aux, moving, held=int(model.poi))
    blocks = zip(model.blocks, nominal, steep, strict=True)
    found = [
        surge
        for block, rates, own in blocks
        for surge in _surges(block.normsys, own, rates, (total, bins), still)
    ]
    found = sorted(found, key=lambda surge: surge.least)[:MOST]
    if not found:
        return no_surges(init.size, bins.size)
    stacked = Surges(*(np.array(leaf) for leaf in list(zip(*found, strict=True))[1:]))
    return padded_rows(stacked, -(-len(found) // ROOM) * ROOM)


def no_surges(parameters: int, bins: int) -> Surges:
    """No sample may surge."""
    places = len(FILLED)
    shapes = [(0, parameters), (0, places), (0, bins), (0, places), (0,)]
    return Surges(*(np.zeros(shape) for shape in shapes))


class _Steep(NamedTuple):
    """How steeply each modifier raises each sample in each channel.

    Attributes:
        growth: logarithm of the factor, at +1 or -1.
        sign: the side on which it grows.
        total: root of the sum of squares.
        surges: where several modifiers matter, or one is as steep.
    """

    growth: Float[np.ndarray, "modifier sample channel"]
    sign: Float[np.ndarray, "modifier sample channel"]
    total: Float[np.ndarray, "sample channel"]
    surges: Bool[np.ndarray, "sample channel"]


def _steep(normsys: NormSys, fixed: np.ndarray) -> _Steep:
    high, low = (np.append(log, 0.0) for log in (normsys.log_hi, normsys.log_lo))
    up, down = high[normsys.table], low[normsys.table]
    moves = ~fixed[normsys.index][:, None, None]
    growth = np.where(moves, np.fmax(np.fmax(up, down), 0.0), 0.0)  # NaN is none
    total = np.sqrt(np.sum(growth**2, axis=0))
    most = np.max(growth, axis=0, initial=0.0)
    surges = (total > TOGETHER * most) | (total > STEEP)
    return _Steep(growth, np.where(up >= down, 1.0, -1.0), total, surges)


def _surges(
    normsys: NormSys,
    steep: _Steep,
    nominal: Float[np.ndarray, "sample bin"],
    bins: tuple[Float[np.ndarray, " bin"], Int[np.ndarray, " bin"]],
    still: Still,
) -> Iterator[_Surge]:
    """Samples of a block that may surge."""
    total, channel = bins
    for sample, where in np.argwhere(steep.surges):
        rates = np.where(channel == where, nominal[sample], 0.0)
        if not np.any(rates > 0.0):
            continue
        own = steep.growth[:, sample, where]
        direction = np.zeros(len(still.moved))
        side = steep.sign[:, sample, where] / steep.total[sample, where]
        direction[normsys.index] = own * side
        change = rates / np.sqrt(np.maximum(total, 1.0))
        size = np.linalg.norm(change)
        along, moved = change / size, direction @ still.moved
        stiff = float(products_left(along[None, None], still, moved[None])[0, 0, 0])
        least = _least_distance(
            size * np.sqrt(stiff), float(steep.total[sample, where])
        )
        if least <= LARGEST_DISTANCE:
            chosen = np.flatnonzero(own)
            cell = np.asarray(normsys.table)[chosen, sample, where]
            alpha = _STEPS * direction[normsys.index[chosen], None]
            logs = np.log(np.maximum(variations(normsys, cell, alpha), _LEAST))
            factor = np.exp(np.minimum(np.sum(logs, axis=0), _LARGEST))
            filled = float(np.max(rates / np.maximum(total, 1.0)))
            places = _places(factor, filled)
            curve = size * (np.interp(places, _STEPS, factor) - 1.0)
            yield _Surge(least, direction, places, along, curve, stiff)


def _least_distance(size: float, steep: float) -> float:
    """How far data must lie for two best fits; infinite where there never are."""
    grown = size * np.exp(_EXPONENTS)
    two = ((steep * grown) ** 2 < _EXPONENTS - 1.0) & (FARTHEST * steep > _EXPONENTS)
    distance = grown - size + _EXPONENTS / (steep**2 * grown)
    return float(np.min(np.where(two, distance, np.inf)))


def _places(factor: np.ndarray, filled: float) -> Float[np.ndarray, " place"]:
    """Where the sample adds given parts of its bin's rate."""
    added = np.maximum.accumulate(filled * (factor - 1.0))
    rises = np.append(True, np.diff(added) > 0.0)
    return np.interp(FILLED, added[rises], _STEPS[rises])
