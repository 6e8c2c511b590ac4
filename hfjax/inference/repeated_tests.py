"""Tests of many values of one parameter of interest, each from those before it.

The best fit, the fit without signal and the Asimov data are the same for all values:
they are found once. What is held at the tested value starts where the nearest value
that was tested has ended.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from hfjax.arrays import Array, Scalar, ScalarInt
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.hypotest import conclusion
from hfjax.inference.subject import Subject
from hfjax.inference.test_fits import run_fits
from hfjax.inference.test_result import HypotestResult
from hfjax.inference.test_state import ASIMOV, FIXED, FREE, STAGES, Earlier
from hfjax.inference.test_statistics import TestStatistic
from hfjax.model.data import Data
from hfjax.model.model import Model

Curves = Float[Array, " curve"]
"""Numbers for the observed curve of CLs, and the five expected ones."""


class PastTests(NamedTuple):
    """What is kept of tests of other values.

    Attributes:
        count: of tests that are kept.
        values: that were tested; infinite where there is none.
        ends: of the fits held there, to the observed and to the Asimov data.
        done: the fits of the last test.
        asimov: its Asimov data.
    """

    count: ScalarInt
    values: Float[Array, " test"]
    ends: Float[Array, "test 2 par"]
    done: FitResult
    asimov: Data


def no_past(subject: Subject, room: int, settings: FitSettings) -> PastTests:
    """Before the first test.

    Args:
        subject: what is tested.
        room: most tests that are kept.
        settings: of all fits.
    """
    init = jnp.asarray(subject.model.parameters.init)
    zero = jnp.zeros((), init.dtype)
    kinds = jax.eval_shape(lambda: run_fits(subject, zero, zero, settings))
    fits = jax.tree.map(lambda kind: jnp.zeros(kind.shape, kind.dtype), kinds)
    done = jax.tree.map(lambda leaf: jnp.stack([leaf] * STAGES), fits.free)
    ends = jnp.zeros((room, 2, init.size), init.dtype)
    far = jnp.full(room, jnp.inf, init.dtype)
    return PastTests(jnp.int32(0), far, ends, done, fits.asimov_data)


def remembered(past: PastTests, found: HypotestResult) -> PastTests:
    """Keep a test; one that has failed is forgotten.

    Args:
        past: tests so far.
        found: of another value.
    """
    fits = found.background, found.fixed, found.free, found.asimov_fixed
    done = jax.tree.map(lambda *leaves: jnp.stack(leaves), *fits)
    held = jnp.stack([found.fixed.params, found.asimov_fixed.params])
    kept = PastTests(
        past.count + 1,
        jnp.asarray(past.values).at[past.count].set(found.poi_value),
        jnp.asarray(past.ends).at[past.count].set(held),
        done,
        found.asimov_data,
    )
    ok = found.code == FitStatus.CONVERGED
    return jax.tree.map(lambda new, old: jnp.where(ok, new, old), kept, past)


def repeated_test(
    subject: Subject,
    value: Scalar,
    test_stat: TestStatistic,
    settings: FitSettings,
    past: PastTests | None,
) -> HypotestResult:
    """Test a value, with the upper bound of the parameter moved to it if need be.

    Args:
        subject: what is tested.
        value: the value.
        test_stat: for upper limits.
        settings: of all fits.
        past: tests of other values of the same model and data, if there are any.
    """
    model = subject.model
    earlier = None if past is None else _nearest(model, past, value)
    own = model.parameters
    upper = jnp.asarray(own.upper)
    wide = upper.at[model.poi].set(jnp.maximum(upper[model.poi], value))
    subject = subject._replace(
        model=eqx.tree_at(lambda m: m.parameters.upper, model, wide)
    )
    asimov = jnp.full_like(value, test_stat.asimov_poi)
    fits = run_fits(subject, value, asimov, settings, earlier)
    return conclusion(subject, fits, value, asimov, test_stat)


def curves_of(found: HypotestResult) -> Curves:
    """CLs of all curves: observed, and expected at -2 to +2 standard deviations.

    Args:
        found: a test.
    """
    return jnp.append(found.CLs_obs, found.CLs_exp)


def height(CLs: Array) -> Array:
    """``sqrt(-2 ln CLs)``, which is infinite where CLs is zero: nearly straight in mu.

    Args:
        CLs: of any shape.
    """
    return jnp.sqrt(jnp.maximum(-2.0 * jnp.log(CLs), 0.0))


def _nearest(model: Model, past: PastTests, value: Scalar) -> Earlier:
    """What a test takes from those of other values.

    A best fit at the upper bound is not that of a test for which the bound is moved.
    """
    which = jnp.argmin(jnp.abs(past.values - value))
    starts = (
        jnp.asarray(past.done.params)
        .at[jnp.array([FIXED, ASIMOV])]
        .set(past.ends[which])
    )
    done = eqx.tree_at(lambda fits: fits.params, past.done, starts)
    inside = past.done.params[FREE, model.poi] < model.parameters.upper[model.poi]
    return Earlier(done, past.asimov, (past.count > 0) & inside)
