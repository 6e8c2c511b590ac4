"""Parameters that act in one bin alone, such as the gammas of statistical uncertainty.

They couple to others through the rate of their bin only, so that fits eliminate them
bin by bin where the parameters that are left are fewer than bins.
"""

import equinox as eqx
import numpy as np
from jaxtyping import Int

from hfjax.arrays import Array
from hfjax.model.lookup import inverse


class LocalParameters(eqx.Module):
    """Parameters that act in one bin alone, and the others.

    Attributes:
        index: position of each in a slot of its bin; the number of parameters in an
            empty slot.
        others: positions of the parameters that act in several bins; the number of
            parameters if padded.
        row: where each parameter stands among the others; their number if nowhere.
        slot: in which slot each parameter stands; their number if in none.
        bin: in which bin it stands there.
    """

    index: Int[Array, "slot bin"]
    others: Int[Array, " row"]
    row: Int[Array, " par"]
    slot: Int[Array, " par"]
    bin: Int[Array, " par"]


def local_parameters(
    index: np.ndarray, others: np.ndarray, size: int
) -> LocalParameters:
    """Find each of so many parameters in the slots or among the others.

    Args:
        index: as in `LocalParameters`.
        others: likewise.
        size: number of parameters.

    Example:
        >>> found = local_parameters(np.array([[3, 0]]), np.array([2]), 3)
        >>> found.row.tolist(), found.slot.tolist(), found.bin.tolist()
        ([1, 1, 0], [0, 1, 1], [1, 0, 0])
    """
    # behind the last place is the first bin of a slot that is not there
    slot, bin_ = np.divmod(inverse(index.ravel(), size), index.shape[1])
    row = inverse(others, size)
    return LocalParameters(index, others, row, slot, bin_)
