"""The compiled program of toys: each lane draws one and fits it.

Each toy has a number, and a key that only the key of all and this number make. So it
is the same whichever call draws it, beside whatever others, on however many cores.
"""

import dataclasses
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, UInt32

from hfjax.arrays import Array, Params, Scalar, ScalarBool, ScalarInt
from hfjax.compiled.canonical import canonical, pad_vector
from hfjax.compiled.lanes import lanes_per_call, map_lanes
from hfjax.compiled.program import Program
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.fitting.valleys.found import Starts
from hfjax.inference.test_result import HypotestResult
from hfjax.inference.test_statistics import TestStatistic
from hfjax.inference.toy_batch import Batch, in_batches, suits, tested_batch
from hfjax.inference.toy_draws import draw_toy, key_of
from hfjax.inference.toy_fits import FREE, HELD, ZERO, Hypothesis, ToyFits, toy_fits
from hfjax.inference.toy_settings import ToySettings
from hfjax.model.data import Data
from hfjax.model.model import Model

CPU_TOYS, DEVICE_TOYS = 256, 2048
"""Most toys of each hypothesis in one call: on a CPU, and for each accelerator."""
MORE_STEPS = 10
"""How many times the steps stragglers get."""
OBSERVED = -1
"""Position of the observed data among lanes."""

Positions = Int[np.ndarray, " lane"]


class _Shared(NamedTuple):
    """What all lanes share.

    Attributes:
        model: of canonical sizes.
        data: observed data.
        truths: parameters where each sample of toys is drawn, signal first.
        words: of the random key.
        auxiliary: whether auxiliary data are drawn.
        hypothesis: what is tested.
    """

    model: Model
    data: Data
    truths: Float[Array, "hypothesis par"]
    words: UInt32[Array, " word"]
    auxiliary: ScalarBool
    hypothesis: Hypothesis


class ToyNumbers(NamedTuple):
    """What is found of some toys; see `ToysResult`."""

    q: np.ndarray
    mu_hat: np.ndarray
    codes: np.ndarray
    retried: np.ndarray


@dataclasses.dataclass(frozen=True)
class ToyLanes:
    """The compiled program of all toys.

    Attributes:
        shared: what all lanes share.
        settings: of the toys.
        truths_code: worst status of the fits that say where toys are drawn.
    """

    shared: _Shared
    settings: ToySettings
    truths_code: FitStatus

    @property
    def size(self) -> int:
        """Lanes of a call, always the same: another number is another program."""
        return 2 * most_toys()

    def test(self, positions: Positions) -> ToyNumbers:
        """Draw and fit at some positions; those that fail once more.

        Args:
            positions: twice the number of a toy with the signal, one more for that of
                the background; `OBSERVED` for the data.
        """
        found = self._called(positions, again=False)
        failed = np.flatnonzero(found.codes)
        if failed.size:
            more = self._called(positions[failed], again=True)
            for old, new in zip(found, more, strict=True):
                old[failed] = new
        return found

    def _called(self, positions: Positions, again: bool) -> ToyNumbers:
        fits = fit_settings(self.settings.fits, again)
        count = positions.size
        padded = np.resize(positions.astype(np.int32), self.size)
        arguments = (self.shared, padded, np.int32(count))
        static = {"settings": fits, "again": again}
        done = fits.run(Program(_test_lanes, arguments, static))
        ok = np.asarray(done.code) == FitStatus.CONVERGED
        q = np.where(ok, self._statistics(done), np.nan)
        q, mu_hat, codes = (
            np.array(leaf)[:count] for leaf in (q, done.mu_hat, done.code)
        )
        return ToyNumbers(q, mu_hat, codes, np.full(count, again))

    def _statistics(self, done: ToyFits) -> np.ndarray:
        deviance = np.asarray(done.deviance)
        held, zero, free = (deviance[:, k] for k in (HELD, ZERO, FREE))
        if not self.shared.hypothesis.needs_zero:
            zero = held  # of q0 it is; of others it is not asked for
        fits = np.asarray(done.mu_hat), held, free, zero
        value = self.shared.hypothesis.poi_value
        return np.asarray(_statistics_of(self.settings.statistic, value, *fits))


@functools.partial(jax.jit, static_argnums=0)
def _statistics_of(
    statistic: TestStatistic, value: Scalar, *fits: Float[Array, " lane"]
) -> Float[Array, " lane"]:
    return jax.vmap(statistic, (None, 0, 0, 0, 0))(value, *fits)


def most_toys() -> int:
    """Most toys of each hypothesis in one call of a program."""
    return lanes_per_call(CPU_TOYS, DEVICE_TOYS)


def toy_lanes(
    model: Model,
    data: Data,
    test: HypotestResult,
    words: UInt32[np.ndarray, " word"],
    settings: ToySettings,
) -> ToyLanes:
    """Prepare all lanes, drawn where the held fits of a test have ended.

    Args:
        model: a model.
        data: observed data.
        test: of the observed data.
        words: of the random key.
        settings: of the toys.
    """
    own, its_data = canonical(model, data)
    ends = np.stack([np.asarray(f.params) for f in (test.fixed, test.background)])
    statistic, lower = settings.statistic, np.asarray(model.parameters.lower)
    needs_zero = statistic.bounded and lower[model.poi] < 0.0
    value = np.asarray(test.poi_value)
    shared = _Shared(
        model=own,
        data=jax.tree.map(lambda leaf: np.asarray(leaf, value.dtype), its_data),
        truths=pad_vector(ends, own, 0.0),
        words=words,
        auxiliary=np.asarray(settings.auxiliary == "drawn"),
        hypothesis=Hypothesis(value, np.asarray(needs_zero)),
    )
    worst = max(int(test.fixed.code), int(test.background.code))
    return ToyLanes(shared, settings, FitStatus(worst))


@functools.partial(jax.jit, static_argnames=("settings", "again"))
def _test_lanes(
    shared: _Shared,
    positions: Int[Array, " lane"],
    count: ScalarInt,
    settings: FitSettings,
    again: bool,
) -> ToyFits:
    """Draw and fit the first toys of some positions."""

    def test(position: ScalarInt) -> ToyFits:
        starts = starts_of(shared.model, shared.truths[position % 2], again)
        data = _data_of(shared, position)
        return toy_fits(shared.model, data, shared.hypothesis, starts, settings)

    if again or not suits(shared.model, settings):
        return map_lanes(test, positions, count)

    def batch(some: Int[Array, " lane"]) -> Batch[ToyFits]:
        drawn = jax.vmap(functools.partial(_data_of, shared))(some)
        return tested_batch(shared.model, drawn, shared.hypothesis, settings)

    return in_batches(batch, test, positions, count)


def _data_of(shared: _Shared, position: ScalarInt) -> Data:
    """One toy: even positions have the signal, odd ones the background."""
    model, truth = shared.model, shared.truths[position % 2]
    key = jax.random.fold_in(key_of(shared.words), position // 2)
    key = jax.random.fold_in(key, position % 2)
    toy = draw_toy(model, shared.data, key, truth, shared.auxiliary)
    observed = position == OBSERVED
    return jax.tree.map(lambda a, b: jnp.where(observed, a, b), shared.data, toy)


def starts_of(model: Model, truth: Params, again: bool) -> Starts:
    """Where fits of a toy start; a second time also where it was drawn, and half way.

    Args:
        model: of any size.
        truth: parameters where the toy was drawn.
        again: whether a fit of it has failed before.
    """
    init = jnp.asarray(model.parameters.init)
    return jnp.stack([init, truth, 0.5 * (init + truth)] if again else [init])


def fit_settings(settings: FitSettings, again: bool) -> FitSettings:
    """Settings of the fits of toys; a second time with more steps.

    Args:
        settings: that are asked for.
        again: whether a fit has failed before.
    """
    times = MORE_STEPS if again else 1
    return dataclasses.replace(settings, max_steps=times * settings.max_steps)
