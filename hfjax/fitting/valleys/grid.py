"""Nuisance parameters alone at places of a grid, all others following."""

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from hfjax.arrays import Array, Params, Scalar
from hfjax.fitting.box import Box
from hfjax.fitting.objective import Objective
from hfjax.fitting.valleys.landscape import (
    Following,
    Heights,
    LocalModel,
    constraint_cost,
    heights,
    held_direction,
    moved_rates,
)
from hfjax.model.curves import PLACES

MOST = 6
"""Most places that are fitted from, as seen from one minimum."""


class Grid(NamedTuple):
    """Parameters on their own grids, where they stand at the minimum included.

    Attributes:
        index: positions of the parameters; their number where there is none.
        places: values, ascending.
        shift: change of the rates there.
        cost: half the deviance of the constraint term, less that at the minimum.
        held: what holding the parameter changes; see `held_direction`.
    """

    index: Int[Array, " moved"]
    places: Float[Array, "moved place"]
    shift: Float[Array, "moved place bin"]
    cost: Float[Array, "moved place"]
    held: Float[Array, "moved bin"]


class Candidates(NamedTuple):
    """Places that are worth a fit; two parameters each, or one twice.

    Attributes:
        value: how high the place is.
        index: positions of the parameters that stand elsewhere.
        places: their values.
        following: how the other parameters follow.
    """

    value: Float[Array, " start"]
    index: Int[Array, "start 2"]
    places: Float[Array, "start 2"]
    following: Following


def no_candidates(params: Params, at: LocalModel) -> Candidates:
    """No place is worth a fit."""
    far = jnp.full(MOST, jnp.inf, params.dtype)
    none = jnp.full((MOST, 2), params.size, jnp.int32)
    places = jnp.zeros((MOST, 2), params.dtype)
    response = jnp.zeros((MOST, at.root.size), params.dtype)
    return Candidates(far, none, places, Following(response, jnp.zeros_like(far)))


def best_of(first: Candidates, second: Candidates) -> Candidates:
    """The lowest places of both, `MOST` of them."""
    both = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), first, second)
    order = jnp.argsort(both.value)[:MOST]
    return jax.tree.map(lambda leaf: leaf[order], both)


def grid_of(
    objective: Objective,
    at: LocalModel,
    index: Int[Array, " moved"],
    bounds: Box,
) -> Grid:
    """Look at parameters alone; one that does not exist has a grid of no change."""
    real = index < at.params.size
    chosen = jnp.where(real, index, 0)
    now = at.params[chosen]
    low, high = (jnp.asarray(bound)[chosen][:, None] for bound in bounds)
    places = jnp.broadcast_to(jnp.asarray(PLACES, now.dtype), (index.size, PLACES.size))
    places = jnp.where(real[:, None], jnp.clip(places, low, high), now[:, None])
    places = jnp.sort(jnp.concatenate([places, now[:, None]], axis=1), axis=1)
    shift = moved_rates(at, chosen, places) - at.derivatives.rates
    stays = places == now[:, None]
    cost = constraint_cost(objective, chosen, places)
    before = jnp.max(jnp.where(stays, cost, -jnp.inf), axis=1, keepdims=True)
    alone = jnp.zeros((index.size, 0, at.root.size), now.dtype)
    return Grid(
        index=index,
        places=places,
        shift=jnp.where(stays[..., None], 0.0, shift),
        cost=cost - before,
        held=held_direction(at, chosen, alone),
    )


def alone(
    objective: Objective, at: LocalModel, grid: Grid, worth: Scalar
) -> tuple[Float[Array, "moved place"], Candidates]:
    """How high single parameters are at their places, and local minima of that."""
    held = jnp.broadcast_to(
        grid.held[:, None, None], (*grid.places.shape, 1, at.root.size)
    )
    found = heights(objective, at, grid.shift, grid.cost, held)
    stays = is_here(at, grid)
    value = jnp.where(stays, 0.0, found.value)
    low = is_low(value[:, None])[:, 0] & ~stays & (value < worth)
    index = jnp.broadcast_to(grid.index[:, None], value.shape)
    return value, chosen_of(
        jnp.where(low, value, jnp.inf),
        jnp.stack([index, index], axis=-1),
        jnp.stack([grid.places, grid.places], axis=-1),
        found,
    )


def is_here(at: LocalModel, grid: Grid) -> Bool[Array, "moved place"]:
    """Which places are those of the minimum."""
    own = jnp.append(at.params, 0.0)[jnp.minimum(grid.index, at.params.size)]
    return (grid.places == own[:, None]) | (grid.index == at.params.size)[:, None]


def is_low(value: Float[Array, "table row place"]) -> Bool[Array, "table row place"]:
    """Which places of tables are no higher than their neighbours, corners included."""
    value = jnp.nan_to_num(value, nan=jnp.inf, posinf=jnp.inf)
    padded = jnp.pad(value, ((0, 0), (1, 1), (1, 1)), constant_values=jnp.inf)
    rows, places = value.shape[1:]
    low = jnp.isfinite(value)
    for i, k in itertools.product(range(3), range(3)):
        other = padded[:, i : i + rows, k : k + places]
        if (i, k) < (1, 1):
            low = low & (value <= other)
        elif (i, k) > (1, 1):  # of equal neighbours, one is enough
            low = low & (value < other)
    return low


def chosen_of(value: Array, index: Array, places: Array, found: Heights) -> Candidates:
    """The lowest of many places."""
    flat = jnp.ravel(value)
    _, where = jax.lax.top_k(-flat, min(MOST, flat.size))
    return Candidates(
        value=flat[where],
        index=index.reshape(-1, 2)[where],
        places=places.reshape(-1, 2)[where],
        following=Following(
            found.following.response.reshape(flat.size, -1)[where],
            jnp.ravel(found.following.inward)[where],
        ),
    )
