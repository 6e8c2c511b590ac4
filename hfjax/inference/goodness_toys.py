"""Toys of a goodness of fit: each lane draws data at the best fit, and fits them."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, UInt32

from hfjax.arrays import Array, Params, Scalar, ScalarBool, ScalarInt
from hfjax.compiled.calls import side_by_side
from hfjax.compiled.canonical import canonical, pad_vector
from hfjax.compiled.lanes import map_lanes
from hfjax.compiled.program import Program
from hfjax.fitting.best_fit import best_fit
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.test_state import CONSISTENCY
from hfjax.inference.toy_batch import Batch, fit_batch, in_batches, suits
from hfjax.inference.toy_draws import draw_toy, key_of
from hfjax.inference.toy_lanes import fit_settings, most_toys, starts_of
from hfjax.inference.toy_pieces import Numbers, in_pieces
from hfjax.model.data import Data
from hfjax.model.model import Model


class Deviances(NamedTuple):
    """Deviances of toys, NaN where the fit failed, and values of `FitStatus`."""

    deviance: Float[Array, " toy"]
    code: Int[Array, " toy"]


class _Shared(NamedTuple):
    """What all lanes share."""

    model: Model
    data: Data
    truth: Params
    words: UInt32[Array, " word"]


def toy_deviances(
    model: Model,
    data: Data,
    truth: Params,
    words: UInt32[np.ndarray, " word"],
    count: int,
    settings: FitSettings,
) -> Deviances:
    """Draw toys and find the deviance of each from its best fit.

    Toys are fitted as the data are; those whose fits fail once more, with more steps
    and from where they were drawn. Equal keys give equal toys, whatever runs beside.

    Args:
        model: that was fitted, holding what the fit held.
        data: observed data, whose auxiliary data of held parameters toys keep.
        truth: parameters where they are drawn.
        words: of the random key.
        count: how many.
        settings: of all fits.
    """
    own, known = canonical(model, data)
    known = jax.tree.map(lambda leaf: np.asarray(leaf, float), known)
    shared = _Shared(own, known, pad_vector(np.asarray(truth), own, 0.0), words)
    found = Deviances(np.full(count, np.nan), np.zeros(count, np.int32))
    _fill(found, shared, np.arange(count, dtype=np.int32), settings, again=False)
    failed = np.flatnonzero(found.code).astype(np.int32)
    _fill(found, shared, failed, settings, again=True)
    converged = found.code == FitStatus.CONVERGED
    return Deviances(np.where(converged, found.deviance, np.nan), found.code)


def _fill(
    whole: Deviances,
    shared: _Shared,
    numbers: Numbers,
    settings: FitSettings,
    *,
    again: bool,
) -> None:
    """Put in what toys of some numbers have, on all cores."""

    def some(part: Numbers) -> tuple[Numbers, Deviances]:
        return part, _called(shared, part, settings, again)

    with side_by_side() as pool:
        for part, found in in_pieces(some, numbers, pool):
            whole.deviance[part], whole.code[part] = found


def _called(
    shared: _Shared, numbers: Numbers, settings: FitSettings, again: bool
) -> Deviances:
    """Toys of some numbers in one call of the program."""
    arguments = shared, np.resize(numbers, most_toys()), np.int32(numbers.size)
    static = {"settings": fit_settings(settings, again), "again": again}
    found = settings.run(Program(_fit_lanes, arguments, static))
    return Deviances(*(np.array(leaf)[: numbers.size] for leaf in found))


@functools.partial(jax.jit, static_argnames=("settings", "again"))
def _fit_lanes(
    shared: _Shared,
    numbers: Int[Array, " lane"],
    count: ScalarInt,
    settings: FitSettings,
    again: bool,
) -> Deviances:
    """Draw and fit the first toys of some numbers."""

    def single(number: ScalarInt) -> Deviances:
        return _fit_lane(shared, number, settings, again)

    if again or not suits(shared.model, settings):
        return map_lanes(single, numbers, count)
    return in_batches(
        lambda some: _fit_some(shared, some, settings), single, numbers, count
    )


def _drawn(shared: _Shared, number: ScalarInt) -> Data:
    """A toy."""
    key = jax.random.fold_in(key_of(shared.words), number)
    truth = jnp.asarray(shared.truth)
    return draw_toy(shared.model, shared.data, key, truth, jnp.asarray(True))


def _fit_some(
    shared: _Shared, numbers: Int[Array, " lane"], settings: FitSettings
) -> Batch[Deviances]:
    """Toys side by side. A fit that ends above its truth is good for nothing."""
    model, own = shared.model, shared.model.parameters
    toys = jax.vmap(lambda number: _drawn(shared, number))(numbers)
    starts = jnp.broadcast_to(jnp.asarray(own.init), (numbers.size, own.init.size))
    fits, good = fit_batch(model, toys, starts, jnp.asarray(own.fixed), settings)
    deviance = 2.0 * fits.value
    above = jax.vmap(lambda toy, one: _is_above_truth(shared, toy, one))(toys, deviance)
    good = good & ~above
    codes = jnp.full(good.shape, FitStatus.CONVERGED, jnp.int32)
    return Deviances(deviance, codes), good


def _is_above_truth(shared: _Shared, toy: Data, deviance: Scalar) -> ScalarBool:
    """Whether a fit has ended above where its toy was drawn."""
    truth = Objective(shared.model, toy).deviance(jnp.asarray(shared.truth))
    return deviance > truth + CONSISTENCY


def _fit_lane(
    shared: _Shared, number: ScalarInt, settings: FitSettings, again: bool
) -> Deviances:
    """One toy. A fit that ends above its truth has not converged."""
    model, toy = shared.model, _drawn(shared, number)
    starts = starts_of(model, jnp.asarray(shared.truth), again)
    fixed = jnp.asarray(model.parameters.fixed)
    found = best_fit(Objective(model, toy), starts, fixed, settings)
    above = _is_above_truth(shared, toy, found.deviance)
    lost = jnp.where(above & found.physical, FitStatus.INCONSISTENT, found.code)
    return Deviances(found.deviance, jnp.maximum(found.code, lost).astype(jnp.int32))
