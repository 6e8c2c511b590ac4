"""Find the parts of a model that act through a parameter."""

import numpy as np

from hfjax.arrays import Array
from hfjax.building.layout import Layout
from hfjax.model.constraints import (
    GaussianConstraints,
    LogNormalConstraints,
    PoissonConstraints,
)
from hfjax.model.lookup import Lookup
from hfjax.model.sample_block import SampleBlock

Terms = tuple[GaussianConstraints, PoissonConstraints, LogNormalConstraints]


def fill_lookup(block: SampleBlock, terms: Terms, layout: Layout) -> Lookup:
    """Invert the positions that modifiers and constraint terms tell.

    Args:
        block: samples with their modifiers.
        terms: constraint terms of each kind.
        layout: positions of channels and parameters.
    """
    gaussian, poisson, lognormal = (inverse(each.index, layout.size) for each in terms)
    return Lookup(
        histosys=inverse(block.histosys.index, layout.factors),
        normsys=inverse(block.normsys.index, layout.factors),
        gaussian=gaussian,
        poisson=poisson,
        lognormal=lognormal,
        bins=_bins(layout),
    )


def inverse(index: Array, size: int) -> np.ndarray:
    """Where each of so many positions stands in an index; its length if nowhere.

    Example:
        >>> inverse(np.array([2, 0, 4]), 4).tolist()  # 4 is behind the last position
        [1, 3, 0, 3]
    """
    own = np.asarray(index)
    found = np.full(size, own.size, np.int32)
    inside = np.flatnonzero(own < size)
    found[own[inside]] = inside
    return found


def _bins(layout: Layout) -> np.ndarray:
    """Bins of each channel; the number of all bins behind the last."""
    widest = max((width for _, width in layout.channels.values()), default=0)
    found = np.full((len(layout.channels), widest), layout.bins, np.int32)
    for row, (start, width) in enumerate(layout.channels.values()):
        found[row, :width] = np.arange(start, start + width)
    return found
