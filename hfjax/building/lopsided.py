"""Which nuisance parameters may give a likelihood several valleys.

A systematic whose variations lie on one side of the nominal, or whose factor bends
steeply, moves the rates along a curve: data beside it can be met at two places. How far
the data must lie for that, in standard deviations of the counts, is found when a model
is built; most parameters never get there.
"""

import dataclasses

import numpy as np
from jaxtyping import Float, Int

from hfjax.model.curves import (
    MIDDLE,
    PLACES,
    SIDE,
    Curves,
    Moving,
    Still,
    of_products,
    padded_rows,
    products_left,
)
from hfjax.model.valley_sources import Lopsided

DISTANCES = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0)
"""Distances of data from the rates, in standard deviations, that are thought of."""
CURVED = 0.02
"""Least bending of the rates, in standard deviations, that is looked into."""
PARTNER = 1.0
"""Bending from which on a parameter may make up for a lopsided one that is moved far,
and not as straight as all others do."""
ROOM = 8
"""Lopsided parameters are padded to a multiple of this: models share programs."""
NOTHING = 1e-14
"""Part of the square of a curve below which it does not extend in a direction."""

_UNIT = 3  # position in SIDE of about one standard deviation
_FAR = 1e3  # standard deviations

Planes = Float[np.ndarray, "lopsided 2 bin"]


def fill_lopsided(moving: Moving) -> Lopsided:
    """Find the parameters that may make valleys, those that need least for it first.

    Args:
        moving: systematics of a model.
    """
    bend = bending(moving.flat)
    bent = bend > CURVED
    least = np.full(bend.size, np.inf)
    least[bent] = least_distances(moving.flat[bent])
    unseen = np.flatnonzero(bent & np.isinf(least))
    if unseen.size:
        left = what_is_left(moving, unseen)
        least[unseen] = least_distances(left)
    if np.any(np.isfinite(least)):
        least = np.where(np.isinf(least) & (bend >= PARTNER), DISTANCES[-1], least)
    order = np.argsort(least, kind="stable")[: np.isfinite(least).sum()]
    rise, plane, curve = moving.each(_shape, order)
    behind = moving.model.parameters.init.size
    found = Lopsided(
        index=moving.index[order],
        rise=rise,
        plane=plane,
        curve=curve,
        stiff=stiffness(moving, order, plane),
    )
    return padded(found, -(-order.size // ROOM) * ROOM, behind)


def _shape(curves: Curves) -> tuple[np.ndarray, ...]:
    """How far a unit of each moves the rates, its plane, and the curve in that."""
    sides = [np.linalg.norm(side[:, _UNIT], axis=1) for side in _sides(curves)]
    plane = planes(curves)
    rise = np.maximum(*sides) / SIDE[_UNIT]
    return rise, plane, curves @ np.swapaxes(plane, 1, 2)


def padded(own: Lopsided, number: int, behind: int) -> Lopsided:
    """Pad lopsided parameters with some that do not exist.

    Args:
        own: lopsided parameters, as NumPy arrays.
        number: how many there are to be.
        behind: position of those that do not exist, which is the number of parameters.
    """
    index = np.append(own.index, np.full(number - len(own.index), behind, np.int32))
    return dataclasses.replace(padded_rows(own, number), index=index)


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
    moving: Moving,
    order: np.ndarray,
    plane: Planes,
) -> Float[np.ndarray, "lopsided 2 2"]:
    """What is left of a change of the rates once all other parameters follow.

    ``T' (1 + J C J')^-1 T`` in units of standard deviations, for ``T`` in the plane of
    each parameter, at the initial values.

    Args:
        moving: systematics of a model.
        order: which of them are lopsided.
        plane: their planes.
    """
    if not order.size:
        return np.einsum("jkb,jlb->jkl", plane, plane)
    still = moving.still()
    return products_left(plane, still, still.moved[moving.index[order]])


def what_is_left(
    moving: Moving,
    chosen: np.ndarray,
) -> Float[np.ndarray, "chosen place place"]:
    """Curves once all other parameters follow, but not the parameter of interest.

    What is straight in a curve may be made up for by others, and what bends may not.

    Args:
        moving: systematics of a model.
        chosen: which of them are asked for.

    Returns:
        Curves whose products are those of `stiffness`, in fewer dimensions than bins.
    """
    still = moving.still(held=int(moving.model.poi))
    parts = [
        _left_of_curves(moving.curves(part), still, moving.index[part])
        for part in moving.parts(chosen)
    ]
    return of_products(np.concatenate(parts))


def _left_of_curves(
    curves: Curves, still: Still, index: Int[np.ndarray, " parameter"]
) -> Float[np.ndarray, "parameter place place"]:
    """Products of curves once others follow, by the few directions that they span."""
    values, vectors = np.linalg.eigh(curves @ np.swapaxes(curves, 1, 2))
    most = values[:, -1:]
    spans = values > NOTHING * most
    count = max(int(np.max(spans.sum(axis=1), initial=1)), 1)
    values, vectors = values[:, -count:], vectors[..., -count:]
    spans = spans[:, -count:]
    root = np.sqrt(np.where(spans, values, 1.0))
    unit = np.swapaxes(vectors * (spans / root)[:, None], 1, 2) @ curves
    parts = products_left(unit, still, still.moved[index])
    along = vectors * (root * spans)[:, None]
    return along @ parts @ np.swapaxes(along, 1, 2)


def _sides(curves: Curves) -> tuple[np.ndarray, np.ndarray]:
    """Curves above zero, and below zero as far from it."""
    return curves[:, MIDDLE + 1 :], curves[:, MIDDLE - 1 :: -1]


def bending(curves: Curves) -> Float[np.ndarray, " parameter"]:
    """How far each curve is from a straight line, in standard deviations."""
    up, down = _sides(curves)
    even = np.linalg.norm(up + down, axis=2)[:, : 2 * _UNIT + 1]
    odd = 0.5 * (up - down) / np.array(SIDE)[:, None]
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
    sides = len(SIDE)
    sums = chords[:, :sides, None] + chords[:, None, sides:]
    sums = _unit(sums).reshape(len(curves), sides**2, curves.shape[2])
    bends = _unit(up + down)
    towards = [chords, sums, bends, -bends]
    along = np.concatenate(towards, axis=1) @ np.moveaxis(np.diff(curves, axis=1), 1, 2)
    own = np.diff(np.sum(curves**2, axis=2) + PLACES**2)[:, None]
    own, along = (np.ascontiguousarray(np.moveaxis(x, 2, 0)) for x in (own, along))
    least, falls = np.full(len(curves), np.inf), np.empty_like(along)
    for distance in reversed(DISTANCES):
        np.subtract(own, np.multiply(2.0 * distance, along, out=falls), out=falls)
        dips = (falls[:-1] < -1e-9) & (falls[1:] > 1e-9)
        least[(dips.sum(axis=0, dtype=np.int8) > 1).any(axis=1)] = distance
    return least
