"""Parameters that act in one bin alone, such as the gammas of statistical uncertainty.

They couple to others through the rate of their bin only, so that fits eliminate them
bin by bin where the parameters that are left are fewer than bins.
"""

import equinox as eqx
from jaxtyping import Int

from hfjax.arrays import Array


class LocalParameters(eqx.Module):
    """Parameters that act in one bin alone, and the others.

    Attributes:
        index: position of each in a slot of its bin; the number of parameters in an
            empty slot.
        others: positions of the parameters that act in several bins; the number of
            parameters if padded.
    """

    index: Int[Array, "slot bin"]
    others: Int[Array, " row"]
