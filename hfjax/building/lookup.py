"""Find the parts of a model that act through a parameter."""

import numpy as np

from hfjax.building.layout import Layout
from hfjax.model.constraints import (
    GaussianConstraints,
    LogNormalConstraints,
    PoissonConstraints,
)
from hfjax.model.lookup import Lookup, inverse
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


def _bins(layout: Layout) -> np.ndarray:
    """Bins of each channel; the number of all bins behind the last."""
    widest = max((width for _, width in layout.channels.values()), default=0)
    found = np.full((len(layout.channels), widest), layout.bins, np.int32)
    for row, (start, width) in enumerate(layout.channels.values()):
        found[row, :width] = np.arange(start, start + width)
    return found
