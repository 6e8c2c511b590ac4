"""Toys of a goodness of fit: each lane draws data at the best fit, and fits them."""

import dataclasses
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, UInt32

from hfjax.arrays import Array, Params, ScalarInt
from hfjax.compiled.canonical import canonical, pad_vector
from hfjax.compiled.lanes import map_lanes, one_by_one, workers
from hfjax.compiled.program import Program
from hfjax.fitting.best_fit import best_fit
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.toy_draws import draw_toy
from hfjax.inference.toy_lanes import ACCELERATOR_TOYS, CPU_TOYS, MORE_STEPS
from hfjax.model.data import Data
from hfjax.model.model import Model

TRUTH_TOLERANCE = 1e-6
"""How far a best fit may be above the parameters that its toy was drawn at."""

FIRST = 4
"""Toys of the first call, which compiles the program."""
PIECES = 4
"""Calls for each core after that, so that all end at about one time."""

Numbers = Int[np.ndarray, " toy"]


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
    numbers = np.arange(count, dtype=np.int32)
    found = _all(functools.partial(_called, shared, settings, False), numbers)
    failed = np.flatnonzero(found.code)
    if failed.size:
        again = functools.partial(_called, shared, settings, True)
        more = _all(again, numbers[failed])
        for old, new in zip(found, more, strict=True):
            old[failed] = new
    converged = found.code == FitStatus.CONVERGED
    return Deviances(np.where(converged, found.deviance, np.nan), found.code)


def _all(job: Callable[[Numbers], Deviances], numbers: Numbers) -> Deviances:
    """Toys of all numbers, on all cores once the first of them have compiled."""
    first, size = (FIRST, CPU_TOYS) if one_by_one() else (ACCELERATOR_TOYS,) * 2
    rest = numbers[first:]
    each = min(size, max(1, -(-rest.size // (PIECES * workers()))))
    pool = ThreadPoolExecutor(workers())
    try:  # all that takes long is in threads: Python hears of Ctrl-C while it waits
        found = [pool.submit(job, numbers[:first]).result()]
        pieces = (rest[k : k + each] for k in range(0, rest.size, each))
        found += [each.result() for each in [pool.submit(job, p) for p in pieces]]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return Deviances(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _called(
    shared: _Shared, settings: FitSettings, again: bool, numbers: Numbers
) -> Deviances:
    """Toys of some numbers in one call of the program."""
    if again:
        steps = MORE_STEPS * settings.max_steps
        settings = dataclasses.replace(settings, max_steps=steps)
    size = CPU_TOYS if one_by_one() else ACCELERATOR_TOYS
    arguments = shared, np.resize(numbers, size), np.int32(numbers.size)
    static = {"settings": settings, "again": again}
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

    def fitted(number: ScalarInt) -> Deviances:
        return _fit_lane(shared, number, settings, again)

    return map_lanes(fitted, numbers, count)


def _fit_lane(
    shared: _Shared, number: ScalarInt, settings: FitSettings, again: bool
) -> Deviances:
    """One toy. A fit that ends above its truth has not converged."""
    model, truth = shared.model, jnp.asarray(shared.truth)
    key = jax.random.wrap_key_data(jnp.asarray(shared.words), impl="threefry2x32")
    key = jax.random.fold_in(key, number)
    toy = draw_toy(model, shared.data, key, truth, jnp.asarray(True))
    objective, init = Objective(model, toy), jnp.asarray(model.parameters.init)
    starts = jnp.stack([init, truth, 0.5 * (init + truth)] if again else [init])
    found = best_fit(objective, starts, jnp.asarray(model.parameters.fixed), settings)
    above = found.deviance > objective.deviance(truth) + TRUTH_TOLERANCE
    lost = jnp.where(above & found.physical, FitStatus.INCONSISTENT, found.code)
    return Deviances(found.deviance, jnp.maximum(found.code, lost).astype(jnp.int32))
