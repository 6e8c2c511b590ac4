"""Toys of small models in batches: most fits end in a few steps of all side by side.

Those that do not, and models with several valleys, are fitted one by one.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from hfjax.arrays import Array, Params, ScalarInt
from hfjax.compiled.lanes import in_turn, one_by_one
from hfjax.fitting.newton.descend import Minimum
from hfjax.fitting.newton.together import descend_together
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.fitting.valleys.candidates import has_valleys
from hfjax.fitting.valleys.physical import is_physical
from hfjax.inference.test_state import CONSISTENCY
from hfjax.inference.toy_fits import FREE, HELD, ZERO, Hypothesis, ToyFits
from hfjax.model.data import Data
from hfjax.model.model import Model

LANES = 64
"""Toys of a batch: as many as make a call of a kernel cheap."""
LIGHT = 1024
"""Largest model of a batch: parameters times bins times samples."""

Draw = Callable[[ScalarInt], Data]
"""Draws the toy of a position."""


class _Batch(NamedTuple):
    """Fits of a batch, and which toys they are good for."""

    fits: ToyFits
    good: Bool[Array, " lane"]


def suits(model: Model, settings: FitSettings) -> bool:
    """Whether toys of a model are worth fitting in batches.

    Args:
        model: of any size.
        settings: of all fits.
    """
    cells = model.block.nominal.size * model.parameters.init.size
    plain = settings.minimizer == "newton" and model.derivation is None
    return one_by_one() and plain and cells <= LIGHT and not has_valleys(model)


def batched_toys(
    model: Model,
    draw: Draw,
    hypothesis: Hypothesis,
    settings: FitSettings,
    positions: Int[Array, " lane"],
    count: ScalarInt,
) -> _Batch:
    """Draw and fit toys in batches, one after the other.

    Args:
        model: a model that `suits`.
        draw: draws a toy.
        hypothesis: what is tested.
        settings: of all fits.
        positions: of the toys; a multiple of `LANES`.
        count: number of toys that count.
    """

    def batch(some: Int[Array, " lane"]) -> _Batch:
        return _fitted(model, jax.vmap(draw)(some), hypothesis, settings)

    found = in_turn(batch, positions.reshape(-1, LANES), -(-count // LANES))
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), found)


def _fitted(
    model: Model, data: Data, hypothesis: Hypothesis, settings: FitSettings
) -> _Batch:
    """Fit a batch of toys: held at the tested value and where needed at zero, free."""
    own, poi = jnp.asarray(model.parameters.fixed), model.poi
    shape = data.main.shape[0], own.size
    init = jnp.broadcast_to(jnp.asarray(model.parameters.init), shape)

    def fit(starts: Float[Array, "lane par"], fixed: Array) -> Minimum:
        return descend_together(model, data, starts, fixed, settings.tolerance)

    value, holds = hypothesis.poi_value, own.at[poi].set(True)
    held = fit(init.at[:, poi].set(value), holds)
    zero = jax.lax.cond(
        hypothesis.needs_zero,
        lambda: fit(init.at[:, poi].set(0.0), holds),
        lambda: held,
    )
    lower = (zero.value < held.value)[:, None]
    free = fit(jnp.where(lower, zero.params, held.params), own)
    return _judged(model, (held, zero, free), hypothesis)


def _judged(model: Model, fits: tuple[Minimum, ...], hypothesis: Hypothesis) -> _Batch:
    """What is kept, as `toy_fits` keeps it, and which toys need no other fits."""
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves, axis=1), *fits)
    needed = jnp.array([True, False, True]) | hypothesis.needs_zero
    deviance = jnp.where(needed, 2.0 * stacked.value, jnp.inf)
    good = jnp.all(stacked.status == FitStatus.CONVERGED, axis=1)

    def physical(params: Params) -> Array:
        return is_physical(model, params)

    good = good & jnp.all(jax.vmap(jax.vmap(physical))(stacked.params), axis=1)
    least = jnp.minimum(deviance[:, HELD], deviance[:, ZERO])
    good = good & (deviance[:, FREE] <= least + CONSISTENCY)
    mu_hat = stacked.params[:, FREE, model.poi]
    code = jnp.full(good.shape, FitStatus.CONVERGED, jnp.int32)
    return _Batch(ToyFits(deviance, mu_hat, code), good)
