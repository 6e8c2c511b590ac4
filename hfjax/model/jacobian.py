"""Derivative of each bin's rate in each parameter, without the zeros of large models.

Dense rows, one for each parameter; or, where a model tells its `LocalParameters`, rows
of the others and one number for each parameter that acts in one bin alone.
"""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from hfjax.arrays import Array, Params, Rates
from hfjax.model.local_parameters import LocalParameters
from hfjax.model.lookup import read

Rows = Float[Array, "row bin"]


class Jacobian(eqx.Module):
    """``J_jb = d nu_b / d theta_j``.

    Attributes:
        rows: one row for each parameter, or for each of the others.
        local: derivative in the parameter of each local slot; None where there is none.
        places: which parameters these are; None where rows are those of all.
        size: number of parameters, where rows are not those of all.

    Example:
        >>> jacobian = Jacobian(jnp.array([[1.0, 2.0], [0.0, 3.0]]))
        >>> jacobian.pushed(jnp.array([1.0, 1.0])).tolist()
        [1.0, 5.0]
        >>> jacobian.pulled(jnp.array([1.0, 1.0])).tolist()
        [3.0, 3.0]
    """

    rows: Rows
    local: Float[Array, "slot bin"] | None = None
    places: LocalParameters | None = None
    size: int = eqx.field(static=True, default=0)

    @property
    def count(self) -> int:
        """Number of parameters."""
        return self.rows.shape[0] if self.places is None else self.size

    def pushed(self, vector: Params) -> Rates:
        """Change of the rates along a direction: ``J' v``."""
        if self.places is None or self.local is None:
            return vector @ self.rows
        own = read(vector, self.places.index) * self.local
        return read(vector, self.places.others) @ self.rows + jnp.sum(own, axis=0)

    def pulled(self, bins: Rates) -> Params:
        """Gradient of a weighted sum of the rates: ``J w``."""
        if self.places is None or self.local is None:
            return self.rows @ bins
        return by_parameter(self.places, self.rows @ bins, self.local * bins)

    def row_sums(self) -> Params:
        """Sum of each row."""
        sums = jnp.sum(self.rows, axis=1)
        if self.places is None or self.local is None:
            return sums
        return by_parameter(self.places, sums, self.local)

    def squares(self) -> "Jacobian":
        """Each derivative squared."""
        local = None if self.local is None else self.local**2
        return dataclasses.replace(self, rows=self.rows**2, local=local)

    def scaled(self, bins: Rates) -> "Jacobian":
        """Columns times a factor for each bin."""
        local = None if self.local is None else self.local * bins
        return dataclasses.replace(self, rows=self.rows * bins, local=local)

    def matrix(self) -> Rows:
        """All rows in one matrix."""
        if self.places is None:
            return self.rows
        bins = jnp.arange(self.rows.shape[1])
        full = jnp.zeros((self.size, bins.size), self.rows.dtype)
        full = full.at[self.places.others].add(self.rows, mode="drop")
        return full.at[self.places.index, bins].add(self.local, mode="drop")


def by_parameter(
    places: LocalParameters,
    others: Float[Array, " row"],
    local: Float[Array, "slot bin"],
    idle: Params | float = 0.0,
) -> Params:
    """A vector of all parameters.

    Args:
        places: which parameters the parts are of.
        others: values of those that act in several bins.
        local: values of those that act in one.
        idle: values of those that act in none.
    """
    slots, bins = local.shape
    own = read(local.reshape(-1), places.slot * bins + places.bin)
    found = read(others, places.row) + own
    acts = (places.row < others.size) | (places.slot < slots)
    return jnp.where(acts, found, idle)
