"""Where the parts of a model are found that act through a parameter.

Modifiers and constraint terms tell the position of their parameter. Sums over them need
the other direction: with it they are read, where compilers would write one number after
the other. No position is negative, so that none is counted from the end.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, Shaped

from hfjax.arrays import Array

Found = Int[Array, " factor"]


class Lookup(eqx.Module):
    """Positions by parameter, derived ones as well; and the bins of each channel.

    Each is the number of what there is where there is none.

    Attributes:
        histosys: of the histosys of each parameter.
        normsys: of its normsys.
        gaussian: of its Gaussian constraint term.
        poisson: of its Poisson constraint term.
        lognormal: of its log-normal constraint term.
        bins: positions of the bins of each channel.
    """

    histosys: Found
    normsys: Found
    gaussian: Int[Array, " par"]
    poisson: Int[Array, " par"]
    lognormal: Int[Array, " par"]
    bins: Int[Array, "channel width"]

    def by_channel(
        self, cells: Float[Array, "sample bin"]
    ) -> Float[Array, "sample channel"]:
        """Sum over the bins of each channel.

        Example:
            >>> none = jnp.zeros(0, int)
            >>> own = Lookup(*[none] * 5, bins=jnp.array([[0, 1], [2, 3]]))
            >>> own.by_channel(jnp.array([[1.0, 2.0, 4.0]])).tolist()
            [[3.0, 4.0]]
        """
        places = jnp.asarray(cells).at[:, self.bins]
        parts = places.get(mode="fill", fill_value=0.0, wrap_negative_indices=False)
        return jnp.sum(parts, axis=2)


def read(
    values: Shaped[Array, "_ ..."], where: Int[Array, "..."], none: int | float = 0
) -> Shaped[Array, "..."]:
    """Values, or rows of them, at positions; ``none`` behind their end.

    Example:
        >>> read(jnp.array([3.0, 5.0]), jnp.array([2, 1])).tolist()
        [0.0, 5.0]
        >>> read(jnp.array([4, 7]), jnp.array([1, 2]), 9).tolist()
        [7, 9]
    """
    if not values.shape[0]:  # of which nothing can be taken
        return jnp.full((*where.shape, *values.shape[1:]), none, values.dtype)
    places = jnp.asarray(values).at[where]
    return places.get(mode="fill", fill_value=none, wrap_negative_indices=False)


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


def add_at(
    into: Float[Array, "..."],
    where: tuple[Int[Array, "..."], ...],
    values: Float[Array, "..."],
) -> Float[Array, "..."]:
    """Add values at positions; those behind the end go nowhere.

    Example:
        >>> add_at(jnp.zeros(2), (jnp.array([1, 1, 2]),), jnp.ones(3)).tolist()
        [0.0, 2.0]
    """
    places = jnp.asarray(into).at[where]
    return places.add(values, mode="drop", wrap_negative_indices=False)
