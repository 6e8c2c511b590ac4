"""Toys of small models in batches: most fits end in a few steps of all side by side.

Those that do not, and models with several valleys, are fitted one by one.
"""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from hfjax.arrays import Array, Params, ScalarInt
from hfjax.compiled.lanes import in_turn, map_lanes, one_by_one
from hfjax.fitting.newton.descend import Minimum
from hfjax.fitting.newton.together import descend_together
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.fitting.valleys.candidates import has_valleys
from hfjax.fitting.valleys.physical import is_physical
from hfjax.inference.toy_fits import FREE, Ends, Hypothesis, ToyFits, kept
from hfjax.model.data import Data
from hfjax.model.model import Model

LANES = 64
"""Toys of a batch: as many as make a call of a kernel cheap."""
LIGHT = 1024
"""Largest model of a batch: parameters times bins times samples."""

Found = TypeVar("Found")
Good = Bool[Array, " lane"]


Batch = tuple[Found, Good]
"""What is found of some toys, and for which of them it is good."""


def suits(model: Model, settings: FitSettings) -> bool:
    """Whether toys of a model are worth fitting in batches.

    Args:
        model: of any size.
        settings: of all fits.
    """
    cells = model.block.nominal.size * model.parameters.init.size
    plain = settings.minimizer == "newton" and model.derivation is None
    return one_by_one() and plain and cells <= LIGHT and not has_valleys(model)


def in_batches(
    batch: Callable[[Int[Array, " lane"]], Batch[Found]],
    single: Callable[[ScalarInt], Found],
    positions: Int[Array, " lane"],
    count: ScalarInt,
) -> Found:
    """Draw and fit toys in batches; and one by one those that these are not good for.

    Args:
        batch: draws and fits the toys of `LANES` positions.
        single: draws and fits one.
        positions: of the toys; a multiple of `LANES`.
        count: number of toys that count.
    """
    parts = in_turn(batch, positions.reshape(-1, LANES), -(-count // LANES))
    done, good = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), parts)
    lanes = jnp.arange(good.size)
    wanted = ~good & (lanes < count)
    order, left = jnp.argsort(~wanted), jnp.sum(wanted, dtype=jnp.int32)
    more = map_lanes(single, positions[order], left)
    places = jnp.where(lanes < left, order, lanes.size)
    return jax.tree.map(lambda a, b: a.at[places].set(b, mode="drop"), done, more)


def fit_batch(
    model: Model,
    data: Data,
    starts: Float[Array, "lane par"],
    fixed: Bool[Array, " par"],
    settings: FitSettings,
) -> Batch[Minimum]:
    """Fit data sets side by side; good minima are physical, found within the steps.

    Args:
        model: that `suits`.
        data: data sets on a leading axis.
        starts: where each fit starts.
        fixed: parameters that all of them hold.
        settings: of all fits.
    """
    found = descend_together(model, data, starts, fixed, settings.tolerance)

    def physical(params: Params) -> Array:
        return is_physical(model, params)

    converged = found.status == FitStatus.CONVERGED
    good = converged & (found.steps <= settings.max_steps)
    return found, good & jax.vmap(physical)(found.params)


def tested_batch(
    model: Model, data: Data, hypothesis: Hypothesis, settings: FitSettings
) -> Batch[ToyFits]:
    """Fit a batch of toys: held at the tested value and where needed at zero, free.

    Args:
        model: that `suits`.
        data: toys on a leading axis.
        hypothesis: what is tested.
        settings: of all fits.
    """
    own, poi = jnp.asarray(model.parameters.fixed), model.poi
    shape = data.main.shape[0], own.size
    init = jnp.broadcast_to(jnp.asarray(model.parameters.init), shape)

    def fit(starts: Float[Array, "lane par"], fixed: Array) -> Batch[Minimum]:
        return fit_batch(model, data, starts, fixed, settings)

    value, holds = hypothesis.poi_value, own.at[poi].set(True)
    held = fit(init.at[:, poi].set(value), holds)
    zero = jax.lax.cond(
        hypothesis.needs_zero,
        lambda: fit(init.at[:, poi].set(0.0), holds),
        lambda: held,
    )
    (at_value, _), (at_zero, _) = held, zero
    lower = (at_zero.value < at_value.value)[:, None]
    free = fit(jnp.where(lower, at_zero.params, at_value.params), own)
    parts = held, zero, free
    fits, each = jax.tree.map(lambda *leaves: jnp.stack(leaves, axis=1), *parts)
    needed = jnp.array([True, False, True]) | hypothesis.needs_zero
    nothing = jnp.full_like(fits.value, jnp.inf)
    mu_hat = fits.params[:, FREE, poi]
    ends = Ends(2.0 * fits.value, fits.status, each, nothing, mu_hat)
    found = jax.vmap(lambda one: kept(one, needed))(ends)
    return found, jnp.all(each, axis=1) & (found.code == FitStatus.CONVERGED)
