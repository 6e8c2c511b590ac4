"""Which parameters act in one bin alone."""

import numpy as np

from hfjax.model.local_parameters import LocalParameters, local_parameters
from hfjax.model.model import Model

FEW_BINS = 8
"""Most bins whose Fisher matrix is always inverted in the space of bins."""


def fill_local(model: Model) -> LocalParameters | None:
    """Find the parameters that fits eliminate bin by bin.

    Args:
        model: with arrays that are known; its expressions, if any, make all parameters
            act as they please.

    Returns:
        None where it does not pay: where the others are no fewer than bins.
    """
    bins = model.bin_channel.size
    if bins <= FEW_BINS or model.derivation is not None:
        return None
    size, block = model.parameters.init.size, model.block
    first, last = _extent(np.asarray(block.scaling.index), size)
    interpolated = np.zeros(size + 1, bool)
    for index in (block.histosys.index, block.normsys.index):
        interpolated[np.asarray(index)] = True
    single = (first == last) & ~interpolated[:size]
    others = np.flatnonzero(((last >= 0) | interpolated[:size]) & ~single)
    if others.size >= bins:
        return None
    positions = np.flatnonzero(single)
    slots = _slots(positions, first[positions], (bins, size))
    return local_parameters(slots, others.astype(np.int32), size)


def _extent(index: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last bin in which each parameter scales a sample; none: -1 is last."""
    bins = index.shape[-1]
    first, last = np.full(size + 1, bins), np.full(size + 1, -1)
    where = np.broadcast_to(np.arange(bins), index.shape)
    np.minimum.at(first, index, where)
    np.maximum.at(last, index, where)
    return first[:size], last[:size]


def _slots(
    positions: np.ndarray, bins: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """Parameters in slots of their bins.

    Args:
        positions: of the parameters.
        bins: of each.
        shape: number of bins, and of parameters, which stands in an empty slot.
    """
    count, empty = shape
    order = np.argsort(bins, kind="stable")
    sorted_bins = bins[order]
    slot = np.arange(order.size) - np.searchsorted(sorted_bins, sorted_bins)
    index = np.full((slot.max(initial=-1) + 1, count), empty, np.int32)
    index[slot, sorted_bins] = positions[order]
    return index


def padded_local(
    local: LocalParameters, like: tuple[int, int], empty: int
) -> LocalParameters:
    """The same in arrays of given sizes.

    Args:
        local: of one point.
        like: numbers of slots and of others.
        empty: the number of parameters.
    """
    slots, others = like
    more = ((0, slots - local.index.shape[0]), (0, 0)), (0, others - local.others.size)
    index = np.pad(np.asarray(local.index), more[0], constant_values=empty)
    rows = np.pad(np.asarray(local.others), more[1], constant_values=empty)
    return local_parameters(index, rows, empty)
