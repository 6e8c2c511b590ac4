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

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from hfjax.arrays import Array
from hfjax.model.curves import (
    Moving,
    Still,
    padded_rows,
    products_left,
    scaling_factor,
)
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
"""Factors of a surge that are moved, the steepest; all are padded to a multiple."""
STEEPEST = 10.0
"""Logarithm from which on factors count as equally steep; that of zero is far more."""

_EXPONENTS = np.linspace(1.0, 15.0, 141)


def fill_surges(moving: Moving) -> Surges:
    """Find the samples that may surge, those that need least for it first.

    Args:
        moving: systematics of a model.
    """
    model = moving.model
    init, bins = np.asarray(model.parameters.init), np.asarray(model.bin_channel)
    fixed = np.asarray(model.parameters.fixed)
    block = model.block
    nominal = np.asarray(scaling_factor(block, init) * block.nominal)
    total = np.sum(nominal, axis=0)
    steep = _steep(block.normsys, fixed)
    if not np.any(steep.surges):
        return no_surges(bins.size)
    still = moving.still(held=int(model.poi))
    found = _surges(block.normsys, steep, nominal, (total, bins), still)
    return padded_surges(found, room_of(found), init.size)


def no_surges(bins: int) -> Surges:
    """No sample may surge."""
    none, nowhere = np.zeros(0), np.zeros(0, np.int32)
    factors = nowhere, nowhere, np.zeros((6, 0)), none, none, none
    return Surges(*factors, np.zeros((0, bins)), none, none)


def room_of(own: Surges) -> tuple[int, int]:
    """How many surges and factors there are, padded."""
    sizes = (own.size.size, ROOM), (own.index.size, FACTORS)
    surges, factors = (-(-size // room) * room for size, room in sizes)
    return surges, factors


def padded_surges(own: Surges, room: tuple[int, int], parameters: int) -> Surges:
    """Pad with surges that raise nothing, and factors of none.

    Args:
        own: surges, as NumPy arrays.
        room: how many surges and how many factors there are to be.
        parameters: how many the model has.
    """
    surges, factors = room
    exists = own.member < own.size.size
    index = np.where(exists, own.index, parameters).astype(np.int32)
    member = np.where(exists, own.member, surges).astype(np.int32)

    def filled(leaf: Array, value: int = 0) -> np.ndarray:
        room = [(0, 0)] * (leaf.ndim - 1) + [(0, factors - leaf.shape[-1])]
        return np.pad(np.asarray(leaf), room, constant_values=value)

    return Surges(
        filled(index, parameters),
        filled(member, surges),
        filled(own.coefficients),
        *(filled(leaf) for leaf in (own.log_hi, own.log_lo, own.edge)),
        *(padded_rows(leaf, surges) for leaf in (own.along, own.size, own.stiff)),
    )


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
) -> Surges:
    """Samples that may surge, those first for which data must lie least far away."""
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
    least = _least_distances(size * np.sqrt(stiff), steep.total[sample, where])
    least[~np.any(rates > 0.0, axis=1)] = np.inf
    near = np.argsort(least, kind="stable")[: np.sum(least <= LARGEST_DISTANCE)][:MOST]
    if not near.size:
        return no_surges(total.size)
    table = normsys.table[:, sample[near], where[near]].T
    acting = [np.where(steep.moves, own, nothing) for own in table]
    factors = [_factors(normsys, own) for own in acting]
    member = np.repeat(np.arange(near.size), [own[0].size for own in factors])
    index, *rest = (np.concatenate(own, -1) for own in zip(*factors, strict=True))
    each = along[near], size[near], stiff[near]
    leaves: list[np.ndarray] = [member.astype(np.int32), *rest, *each]
    return Surges(index, *leaves)


def _factors(
    normsys: NormSys, which: Int[np.ndarray, " modifier"]
) -> tuple[np.ndarray, ...]:
    """The steepest factors of some that act on a sample in a channel."""
    acting = np.flatnonzero(which < normsys.log_hi.size)
    sides = normsys.log_hi, normsys.log_lo
    logs = [np.nan_to_num(log[which[acting]]) for log in sides]
    steep = np.minimum(np.max(np.abs(logs), axis=0), STEEPEST)
    order = np.argsort(-steep, kind="stable")[:FACTORS]
    acting = acting[order]
    coefficients = np.nan_to_num(normsys.coefficients[:, which[acting]])
    high, low = (log[order] for log in logs)
    edge = np.full(acting.shape, normsys.edge, coefficients.dtype)
    index = np.asarray(normsys.index[acting], np.int32)
    return index, coefficients, high, low, edge


def _least_distances(
    size: Float[np.ndarray, " cell"], steep: Float[np.ndarray, " cell"]
) -> Float[np.ndarray, " cell"]:
    """How far data must lie for two best fits; infinite where there never are."""
    size, steep = size[:, None], steep[:, None]
    grown = size * np.exp(_EXPONENTS)
    two = ((steep * grown) ** 2 < _EXPONENTS - 1.0) & (FARTHEST * steep > _EXPONENTS)
    with np.errstate(divide="ignore", invalid="ignore"):  # where nothing is
        distance = grown - size + _EXPONENTS / (steep**2 * grown)
    return np.min(np.where(two, distance, np.inf), axis=1)
