"""Some points of a scan at a time, in arrays of canonical sizes."""

from collections.abc import Sequence

import equinox as eqx
import jax
import numpy as np

from hfjax.building.points import Lanes
from hfjax.compiled.canonical import block_sizes, model_sizes, padded


def canonical_lanes(lanes: Lanes) -> Lanes:
    """All points in arrays of canonical sizes; what differs between them in NumPy's.

    Args:
        lanes: models and data of all points.
    """
    whole, _ = eqx.combine(lanes.shared, lanes.stacked)
    sizes = model_sizes(whole)
    background = padded(lanes.background, sizes | block_sizes(lanes.background))
    shared, stacked = (
        (padded(model, sizes), padded(data, sizes))
        for model, data in (lanes.shared, lanes.stacked)
    )
    background, shared = jax.device_put((background, shared))
    return Lanes(background, shared, jax.tree.map(np.asarray, stacked))


def chunk_of(lanes: Lanes, positions: Sequence[int], size: int) -> Lanes:
    """Some of the points; behind them, up to a size, any.

    Args:
        lanes: of `canonical_lanes`.
        positions: of the points.
        size: how many there are to be.
    """
    chosen = np.resize(positions, size)
    return lanes._replace(
        stacked=jax.tree.map(lambda leaf: leaf[chosen], lanes.stacked)
    )
