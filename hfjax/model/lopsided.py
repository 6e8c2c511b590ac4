"""Which nuisance parameters may give a likelihood several valleys.

A systematic whose variations lie on one side of the nominal, or whose factor bends
steeply, moves the rates along a curve: data beside it can be met at two places. How far
the data must lie for that, in standard deviations of the counts, is found when a model
is built; most parameters never get there.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from hfjax.arrays import Array
from hfjax.model.interpolation import ADDITIVE_BASES
from hfjax.model.model import Lopsided, Model, SampleBlock
from hfjax.model.modifiers import HistoSys, NormSys

_SIDE = (0.2, 0.45, 0.8, 1.2, 1.7, 2.4, 3.2)
PLACES = np.array([*(-value for value in reversed(_SIDE)), 0.0, *_SIDE])
"""Values of a nuisance parameter at which the rates are looked at."""
DISTANCES = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0)
"""Distances of data from the rates, in standard deviations, that are thought of."""
CURVED = 0.02
"""Least bending of the rates, in standard deviations, that is looked into."""
PARTNER = 1.0
"""Bending from which on a parameter may make up for a lopsided one that is moved far,
and not as straight as all others do."""
ROOM = 8
"""Lopsided parameters are padded to a multiple of this: models share programs."""
MOST_NUMBERS = 2_000_000
"""Numbers in a table of rates, at most."""
MOST_BINS = 2000
"""Most bins for which it is worked out how other parameters follow."""

_MIDDLE = len(_SIDE)
_UNIT = 3  # position in _SIDE of about one standard deviation
_LARGEST = 300.0  # exponent
_FAR = 1e3  # standard deviations

Curves = Float[np.ndarray, "parameter place bin"]
Planes = Float[np.ndarray, "lopsided 2 bin"]


def fill_lopsided(model: Model, aux: np.ndarray) -> Lopsided:
    """Find the parameters that may make valleys, those that need least for it first.

    Args:
        model: a model without lopsided parameters yet, of NumPy arrays.
        aux: nominal auxiliary data.
    """
    blocks, own = model.blocks, model.parameters
    parts = [part for b in blocks for part in (b.histosys.index, b.normsys.index)]
    moving = np.unique(np.concatenate(parts)).astype(np.int32)
    index = moving[~own.fixed[moving]]
    curves = root_curves(blocks, model.bin_channel, own.init, index)
    bend = bending(curves)
    bent = bend > CURVED
    least = np.full(index.size, np.inf)
    least[bent] = least_distances(curves[bent])
    unseen = np.flatnonzero(bent & np.isinf(least))
    if unseen.size and model.bin_channel.size <= MOST_BINS:
        left = what_is_left(model, aux, (index, curves), unseen)
        least[unseen] = least_distances(left)
    if np.any(np.isfinite(least)):
        least = np.where(np.isinf(least) & (bend >= PARTNER), DISTANCES[-1], least)
    order = np.argsort(least, kind="stable")[: np.isfinite(least).sum()]
    chosen = curves[order]
    plane = planes(chosen)
    sides = [np.linalg.norm(side[:, _UNIT], axis=1) for side in _sides(chosen)]
    found = Lopsided(
        index=index[order],
        rise=np.maximum(*sides) / _SIDE[_UNIT],
        plane=plane,
        curve=np.einsum("jgb,jkb->jgk", chosen, plane),
        stiff=stiffness(model, aux, (index, curves), order, plane),
    )
    return padded(found, -(-order.size // ROOM) * ROOM, own.init.size)


def padded(own: Lopsided, number: int, behind: int) -> Lopsided:
    """Pad lopsided parameters with some that do not exist.

    Args:
        own: lopsided parameters, as NumPy arrays.
        number: how many there are to be.
        behind: position of those that do not exist, which is the number of parameters.
    """

    def pad(leaf: np.ndarray) -> np.ndarray:
        rows = np.zeros((number - len(leaf), *leaf.shape[1:]), leaf.dtype)
        return np.concatenate([leaf, rows])

    index = np.append(own.index, np.full(number - len(own.index), behind, np.int32))
    return dataclasses.replace(jax.tree.map(pad, own), index=index)


def no_lopsided(bins: int) -> Lopsided:
    """No parameter may make valleys."""
    none = np.zeros(0)
    return Lopsided(
        index=none.astype(np.int32),
        rise=none,
        plane=np.zeros((0, 2, bins)),
        curve=np.zeros((0, PLACES.size, 2)),
        stiff=np.zeros((0, 2, 2)),
    )


def stiffness(
    model: Model,
    aux: np.ndarray,
    known: tuple[np.ndarray, Curves],
    order: np.ndarray,
    plane: Planes,
) -> Float[np.ndarray, "lopsided 2 2"]:
    """What is left of a change of the rates once all other parameters follow.

    ``T' (1 + J C J')^-1 T`` in units of standard deviations, for ``T`` in the plane of
    each parameter, at the initial values.

    Args:
        model: the model.
        aux: nominal auxiliary data.
        known: positions of parameters and their `root_curves`.
        order: which of them are lopsided.
        plane: their planes.
    """
    if not order.size or model.bin_channel.size > MOST_BINS:
        return np.einsum("jkb,jlb->jkl", plane, plane)
    return _products(plane, _still(model, aux, known), known[0][order])


def what_is_left(
    model: Model,
    aux: np.ndarray,
    known: tuple[np.ndarray, Curves],
    chosen: np.ndarray,
) -> Float[np.ndarray, "chosen place place"]:
    """Curves once all other parameters follow, but not the parameter of interest.

    What is straight in a curve may be made up for by others, and what bends may not.

    Args:
        model: the model.
        aux: nominal auxiliary data.
        known: positions of parameters and their `root_curves`.
        chosen: which of them are asked for.

    Returns:
        Curves whose products are those of `stiffness`, in fewer dimensions than bins.
    """
    index, curves = known
    still = _still(model, aux, known, held=int(model.poi))
    products = _products(curves[chosen], still, index[chosen])
    values, vectors = np.linalg.eigh(products)
    return vectors * np.sqrt(np.maximum(values, 0.0))[:, None]


class _Still(NamedTuple):
    """How the rates stand still while all parameters follow.

    Attributes:
        moved: change of the rates by a parameter, by as much as it is free to move.
        matrix: what is left of a change.
    """

    moved: Float[np.ndarray, "parameter bin"]
    matrix: Float[np.ndarray, "bin bin"]


def _still(
    model: Model, aux: np.ndarray, known: tuple[np.ndarray, Curves], held: int = -1
) -> _Still:
    """Let all parameters follow but one, and those that are fixed."""
    index, curves = known
    slopes = np.zeros((model.parameters.init.size, model.bin_channel.size))
    scaled = _scaling_slopes(model)
    slopes[: scaled.shape[0]] += scaled
    slopes[index] += (curves[:, _MIDDLE + 1] - curves[:, _MIDDLE - 1]) / (2 * _SIDE[0])
    stays = model.parameters.fixed | (np.arange(len(slopes)) == held)
    root = np.where(stays, 0.0, 1.0 / np.sqrt(_curvature(model, aux)))
    moved = slopes * root[:, None]
    return _Still(moved, np.linalg.inv(np.eye(moved.shape[1]) + moved.T @ moved))


def _products(
    vectors: Float[np.ndarray, "chosen vector bin"], still: _Still, chosen: np.ndarray
) -> Float[np.ndarray, "chosen vector vector"]:
    """Products of changes of the rates by each parameter, which does not follow."""
    moved = still.moved[chosen]
    alone = moved @ still.matrix
    left = 1.0 - np.sum(alone * moved, axis=1)
    along = np.einsum("jkb,jb->jk", vectors, alone)
    along = along / np.sqrt(np.maximum(left, 1e-6))[:, None]
    whole = vectors @ still.matrix @ np.swapaxes(vectors, 1, 2)
    return whole + along[:, :, None] * along[:, None]


def _scaling_slopes(model: Model) -> Float[np.ndarray, "parameter bin"]:
    """Derivative of the rates in the parameters that scale them, over their roots."""
    init, bins = model.parameters.init, np.arange(model.bin_channel.size)
    slopes = np.zeros((init.size + 1, bins.size))
    total = 0.0
    for block in model.blocks:
        index = np.minimum(block.scaling.index, init.size)
        values = np.append(init, 1.0)[index]
        rates = np.prod(values, axis=0) * block.nominal
        total = total + rates.sum(axis=0)
        each = rates / np.where(values == 0.0, 1.0, values)
        np.add.at(slopes, (index, np.broadcast_to(bins, index.shape)), each)
    return slopes[:-1] / np.sqrt(np.maximum(total, 1.0))


def _curvature(model: Model, aux: np.ndarray) -> np.ndarray:
    """Second derivative of the constraint term of each parameter; tiny without one."""
    found = np.full(model.parameters.init.size, 1e-8)
    np.add.at(found, model.gaussian.index, model.gaussian.width**-2.0)
    np.add.at(found, model.poisson.index, aux[model.poisson.position])
    np.add.at(found, model.lognormal.index, model.lognormal.width**-2.0)
    return found


def root_curves(
    blocks: Sequence[SampleBlock],
    bin_channel: Array,
    init: Array,
    index: Int[np.ndarray, " parameter"],
) -> Curves:
    """Change of the rates with each parameter alone, in standard deviations.

    Differences of ``2 sqrt(nu)``, whose standard deviation is 1 whatever the rate. A
    few parameters at a time, since tables of all places and samples are large.
    """
    size = sum(block.nominal.size for block in blocks) * PLACES.size
    step = max(1, MOST_NUMBERS // max(size, 1))
    parts = [index[i : i + step] for i in range(0, max(index.size, 1), step)]
    curves = [_root_curves(blocks, bin_channel, init, part) for part in parts]
    return np.concatenate(curves)


def _root_curves(
    blocks: Sequence[SampleBlock], bin_channel: Array, init: Array, index: np.ndarray
) -> Curves:
    rates, change = 0.0, 0.0
    for block in blocks:
        scaling = np.append(init, np.ones(block.scaling.index.max(initial=0) + 1))
        factor = np.prod(scaling[np.minimum(block.scaling.index, init.size)], axis=0)
        shift = _shifts(block.histosys, index)
        normsys = _factors(block.normsys, index)[..., bin_channel]
        moved = normsys * (block.nominal + shift) - block.nominal
        rates = rates + (factor * block.nominal).sum(axis=0)
        change = change + (factor * moved).sum(axis=2)
    roots = 2.0 * np.sqrt(np.clip(rates + change, 0.0, _FAR**4))
    return roots - roots[:, _MIDDLE : _MIDDLE + 1]


def _rows(own: Array, index: np.ndarray) -> np.ndarray:
    """Row of each parameter in a list of positions; their number if it has none."""
    rows = np.full(max(own.max(initial=0), index.max(initial=0)) + 1, own.size)
    rows[own] = np.arange(own.size)
    return rows[index]


def _shifts(
    histosys: HistoSys, index: np.ndarray
) -> Float[np.ndarray, "parameter place sample bin"]:
    rows = _rows(histosys.index, index)
    odd, even = (
        np.concatenate([part, np.zeros((1, *part.shape[1:]))])[rows, None]
        for part in (histosys.odd, histosys.even)
    )
    basis = ADDITIVE_BASES[histosys.code](PLACES)
    return PLACES[:, None, None] * odd + basis[:, None, None] * even


def _factors(
    normsys: NormSys, index: np.ndarray
) -> Float[np.ndarray, "parameter place sample channel"]:
    rows, empty = _rows(normsys.index, index), normsys.log_hi.size
    nowhere = np.full((1, *normsys.table.shape[1:]), empty)
    table = np.concatenate([normsys.table, nowhere])[rows]
    values = np.concatenate([_variations(normsys), np.ones((1, PLACES.size))])
    return np.moveaxis(values[table], -1, 1)


def _variations(normsys: NormSys) -> Float[np.ndarray, "variation place"]:
    """Factor of each variation."""
    log_hi, log_lo = normsys.log_hi[:, None], normsys.log_lo[:, None]
    steep = np.where(PLACES > 0.0, PLACES * log_hi, -PLACES * log_lo)
    powers = PLACES ** np.arange(1, 7)[:, None]
    smooth = 1.0 + np.nan_to_num(normsys.coefficients).T @ powers
    inside = np.abs(PLACES) < normsys.edge
    return np.where(inside, smooth, np.exp(np.minimum(steep, _LARGEST)))


def _sides(curves: Curves) -> tuple[np.ndarray, np.ndarray]:
    """Curves above zero, and below zero as far from it."""
    return curves[:, _MIDDLE + 1 :], curves[:, _MIDDLE - 1 :: -1]


def bending(curves: Curves) -> Float[np.ndarray, " parameter"]:
    """How far each curve is from a straight line, in standard deviations."""
    up, down = _sides(curves)
    even = np.linalg.norm(up + down, axis=2)[:, : 2 * _UNIT + 1]
    odd = 0.5 * (up - down) / np.array(_SIDE)[:, None]
    twist = np.linalg.norm(odd[:, 2 * _UNIT] - odd[:, _UNIT], axis=1)
    return np.maximum(0.5 * even.max(axis=1, initial=0.0), twist)


def planes(curves: Curves) -> Planes:
    """Directions of unit length along which each curve rises and bends."""
    up, down = _sides(curves)
    rise = _unit(up[:, _UNIT] - down[:, _UNIT])
    bend = up[:, _UNIT] + down[:, _UNIT]
    across = bend - np.sum(bend * rise, axis=1, keepdims=True) * rise
    return np.stack([rise, _unit(across)], axis=1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def least_distances(curves: Curves) -> Float[np.ndarray, " parameter"]:
    """How far data must lie from the rates for two best fits of one parameter alone.

    Data are put at `DISTANCES` in the directions of chords, of sums of a chord on each
    side, and of what bends; ``|curve - data|^2 + alpha^2`` may have several minima.

    Returns:
        The least distance at which it has; infinite where it has at none.
    """
    curves = np.clip(curves, -_FAR, _FAR)
    up, down = _sides(curves)
    chords = _unit(np.concatenate([up, down], axis=1))
    sides = len(_SIDE)
    sums = chords[:, :sides, None] + chords[:, None, sides:]
    sums = _unit(sums).reshape(len(curves), sides**2, curves.shape[2])
    bends = _unit(up + down)
    towards = [chords, sums, bends, -bends]
    along = np.concatenate(towards, axis=1) @ np.moveaxis(curves, 1, 2)
    own = (np.sum(curves**2, axis=2) + PLACES**2)[:, None]
    least = np.full(len(curves), np.inf)
    for distance in reversed(DISTANCES):
        falls = np.diff(own - 2.0 * distance * along, axis=2)
        dips = (falls[..., :-1] < -1e-9) & (falls[..., 1:] > 1e-9)
        least[(dips.sum(axis=2) > 1).any(axis=1)] = distance
    return least
