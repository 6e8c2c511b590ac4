"""What the end of one fit of a test proves of another."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from hfjax.arrays import Array, Params, Scalar, ScalarBool, ScalarInt
from hfjax.fitting.objective import Objective
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitStatus
from hfjax.fitting.valleys.candidates import is_near
from hfjax.fitting.valleys.physical import is_better, is_physical
from hfjax.inference.test_state import (
    BACKGROUND,
    CONSISTENCY,
    FIXED,
    FREE,
    STAGES,
    FitsState,
    Question,
    data_of,
)

BEYOND = 1e-3
"""Change of the parameter of interest at which it is looked where a held fit leads."""


def better(old: FitResult, new: FitResult) -> FitResult:
    """The better of two fits of the same data; what was initial stays so.

    Args:
        old: done first.
        new: from elsewhere.
    """
    ok = FitStatus.CONVERGED
    settled = (new.code == ok) & (old.code != ok)
    lower = new.deviance < old.deviance - 1e-2 * CONSISTENCY
    ends = (new.deviance, new.physical), (old.deviance, old.physical)
    better = is_better(*ends, settled | lower)
    best = jax.tree.map(lambda a, b: jnp.where(better, a, b), new, old)
    less = new.passed < old.passed
    passed = jnp.minimum(new.passed, old.passed)
    return eqx.tree_at(
        lambda r: (r.initial, r.initial_params, r.passed, r.passed_params, r.steps),
        best,
        (
            old.initial,
            old.initial_params,
            jnp.where(passed < best.deviance - 1e-2 * CONSISTENCY, passed, jnp.inf),
            jnp.where(less, new.passed_params, old.passed_params),
            new.steps,
        ),
    )


def higher(s: FitsState) -> ScalarInt:
    """Which of the two held fits has ended higher."""
    lower = s.done.deviance[FIXED] < s.done.deviance[BACKGROUND]
    return jnp.where(lower, BACKGROUND, FIXED)


def is_lower_beyond(test: Question, s: FitsState) -> ScalarBool:
    """Whether the higher held fit is lower still beyond its value, seen from the other.

    The likelihood has two minima in the parameter of interest then.
    """
    model, which = test.model, higher(s)
    value, other = test.values[which], test.values[FIXED - which]
    place = value + BEYOND * jnp.sign(value - other)
    there = jnp.asarray(s.done.params[which]).at[model.poi].set(place)
    own = model.parameters
    inside = (place >= own.lower[model.poi]) & (place <= own.upper[model.poi])
    height = Objective(model, test.data).deviance(there)
    return inside & (height < s.done.deviance[which] - 1e-2 * CONSISTENCY)


def free_is_above(done: FitResult) -> Bool[Array, " fit"]:
    """Whether the free fit has ended above one that is held."""
    held = jnp.minimum(done.deviance[BACKGROUND], done.deviance[FIXED])
    above = done.deviance[FREE] > held + CONSISTENCY
    return (jnp.arange(STAGES) == FREE) & above


def failed(done: FitResult, above: Bool[Array, " fit"]) -> FitResult:
    """No fit has converged that ends above what the end of another proves possible."""
    status = jnp.where(above, FitStatus.INCONSISTENT, 0)
    code = jnp.maximum(done.code, status.astype(jnp.int32))
    return eqx.tree_at(lambda r: r.code, done, code)


def is_proven(s: FitsState) -> Bool[Array, " fit"]:
    """Which fits have ended above what the end of another proves possible."""
    return jnp.isfinite(s.proofs[:, 0])


def find_proofs(test: Question, s: FitsState) -> Float[Array, "fit par"]:
    """For each fit, the lowest end of another if it is lower than its own; else NaN."""
    done, own = s.done, np.arange(STAGES)
    fits, ends = np.repeat(own, STAGES), np.tile(own, STAGES)
    theirs = jnp.asarray(done.params)[ends]
    held = theirs.at[:, test.model.poi].set(test.values[fits])
    theirs = jnp.where((fits == FREE)[:, None], theirs, held)
    known = jnp.all(jnp.isfinite(done.params), axis=1)
    far = known[ends] & known[fits] & ~is_near(s.marks[ends], s.marks[fits])
    far = far | (free_is_above(done)[fits] & (ends < FREE))

    def height(i: ScalarInt, there: Params) -> Scalar:
        objective = Objective(test.model, data_of(test, s.asimov, i))
        physical = is_physical(test.model, there)
        wanted = physical | (test.settings.valleys == "any") | ~done.physical[i]
        return jnp.where(wanted, objective.deviance(there), jnp.inf)

    def lowest() -> Float[Array, "fit par"]:
        heights = jax.lax.map(lambda pair: height(*pair), (jnp.array(fits), theirs))
        heights = jnp.where(far, heights, jnp.inf).reshape(STAGES, STAGES)
        which = jnp.argmin(heights, axis=1)
        least = jnp.min(heights, axis=1)
        lower = least + CONSISTENCY < done.deviance
        # a way down from there that leads to an unphysical minimum proves nothing
        lower = lower & ~(done.physical & (done.passed < least))
        found = theirs.reshape(STAGES, STAGES, -1)[own, which]
        return jnp.where(lower[:, None], found, jnp.nan)

    return jax.lax.cond(jnp.any(far), lowest, lambda: jnp.full_like(s.proofs, jnp.nan))


def is_doubtful(test: Question, s: FitsState, talks: bool) -> ScalarBool:
    """Whether a test may end otherwise if the fits of an earlier one are done anew.

    A fit has failed, or has ended where another cannot be the lowest.

    Args:
        test: what is tested.
        s: after all fits.
        talks: whether fits tell one another of their valleys.
    """
    lower = is_lower_beyond(test, s) if talks else jnp.array(False)
    doubtful = is_proven(s) | free_is_above(s.done)
    failed = s.done.code != FitStatus.CONVERGED
    return lower | jnp.any(doubtful | failed)
