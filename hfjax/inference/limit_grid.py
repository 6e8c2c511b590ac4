"""Upper limits from tests of given values, interpolated between them."""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hfjax.arrays import Array, Scalar, ScalarInt
from hfjax.compiled.program import Program
from hfjax.errors import ArgumentError
from hfjax.fitting.status import FitSettings
from hfjax.inference.limit_result import LimitCurve, LimitResult, LimitStatus
from hfjax.inference.limits import checked_question
from hfjax.inference.repeated_tests import (
    PastTests,
    curves_of,
    height,
    no_past,
    remembered,
    repeated_test,
)
from hfjax.inference.subject import Subject, subject_of
from hfjax.inference.test_result import HypotestResult
from hfjax.inference.test_statistics import TestStatistic, qmu_tilde
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.poi import check_poi_value

SMALLEST = 1e-300
"""CLs below which its logarithm is not a number to interpolate."""


def interpolated_limits(
    model: Model,
    data: Data,
    values: Array | Sequence[float],
    *,
    level: float = 0.05,
    test_stat: TestStatistic | str = qmu_tilde,
    settings: FitSettings = FitSettings(),
) -> LimitResult:
    """Test given values, and find the upper limits between them.

    ``sqrt(-2 ln CLs(mu))`` is nearly straight, and interpolated by a straight line
    between the last value that is not excluded and the next: right to second order in
    their distance. `upper_limit` searches for the limits themselves.

    Args:
        model: a model with a parameter of interest.
        data: observed data.
        values: to be tested: two or more, ascending.
        level: of CLs, between 0 and 1.
        test_stat: for upper limits, "qtilde" or "q".
        settings: minimizer, steps and tolerance of all fits.

    Returns:
        All six limits, and CLs at the values, as its curve. A limit that is not
        between the values is NaN, with the status ``OUTSIDE_VALUES``.

    Raises:
        MissingPOIError: the model has no parameter of interest.
        ModelError: the parameter of interest is fixed.
        ParameterError: it cannot be zero, or have the least of the values.
        ArgumentError: the values do not ascend, the level is no number between 0 and 1,
            or the test statistic is none for upper limits.
        DataError: the data have the wrong shape, or are no counts.

    Source:
        A. L. Read, J. Phys. G 28 (2002) 2693; Cowan, Cranmer, Gross, Vitells,
        arXiv:1007.1727.

    Example:
        >>> import hfjax
        >>> signal, bkg, uncertainty = [12.0, 11.0], [50.0, 52.0], [3.0, 7.0]
        >>> search = hfjax.uncorrelated_background(signal, bkg, uncertainty, [51, 48])
        >>> values = [0.4, 0.8, 1.2, 1.6, 2.0]
        >>> limit = hfjax.interpolated_limits(*hfjax.build(search), values)
        >>> round(float(limit.observed), 4), str(limit.statuses[5])
        (1.0139, 'outside_values')
    """
    statistic = checked_question(model, data, level, test_stat, settings)
    given = _checked_values(values).astype(model.parameters.init.dtype)
    if not model.is_traced:
        least = min(given[0], np.asarray(model.parameters.upper)[model.poi])
        check_poi_value(model, float(least), "give larger values")
    static = {"level": level, "test_stat": statistic, "settings": settings}
    arguments = (subject_of(model, data, settings), given)
    return settings.run(Program(grid_limits, arguments, static))


def _checked_values(values: Array | Sequence[float]) -> Array:
    """The values to test as an array.

    Raises:
        ArgumentError: they are too few, not finite, or do not ascend.
    """
    found = np.asarray(values, float)
    if found.ndim != 1 or found.size < 2 or not np.all(np.isfinite(found)):
        message = f"values {values!r}: give two finite numbers or more, in one list"
        raise ArgumentError(message)
    if not np.all(np.diff(found) > 0.0):
        message = "the values do not ascend: give each once, the smallest first"
        raise ArgumentError(message)
    return found


@functools.partial(jax.jit, static_argnames=("level", "test_stat", "settings"))
def grid_limits(
    subject: Subject,
    values: Float[Array, " value"],
    level: float,
    test_stat: TestStatistic,
    settings: FitSettings,
) -> LimitResult:
    """Test all values of a model without names; find limits between them.

    Args:
        subject: what is tested.
        values: ascending.
        level: of CLs at the limits.
        test_stat: for upper limits.
        settings: of all fits.
    """

    def test(past: PastTests, value: Scalar) -> tuple[PastTests, HypotestResult]:
        found = repeated_test(subject, value, test_stat, settings, past)
        return remembered(past, found), found

    begin = no_past(subject, values.size, settings)
    found = jax.lax.scan(test, begin, values)[1]
    curves = jax.vmap(curves_of)(found)
    crossing = functools.partial(_crossing, values, level)
    limits, codes = jax.vmap(crossing, in_axes=1)(curves)
    done = codes == LimitStatus.FOUND
    upper = jnp.asarray(subject.model.parameters.upper)[subject.model.poi]
    return LimitResult(
        observed=limits[0],
        expected=limits[1:],
        level=jnp.asarray(level, limits.dtype),
        codes=codes,
        CLs=jnp.where(done, level, jnp.nan),
        mu_hat=found.mu_hat[-1],
        upper_bound=jnp.maximum(upper, values[-1]),
        tests=jnp.int32(values.size),
        steps=jnp.sum(found.steps).astype(jnp.int32),
        fits=jnp.max(found.code),
        curve=LimitCurve(values, curves[:, 0], curves[:, 1:], found.code, subject.band),
        band=subject.band,
    )


def _crossing(
    values: Float[Array, " value"], level: float, CLs: Float[Array, " value"]
) -> tuple[Scalar, ScalarInt]:
    """The value at which one curve crosses the level, and the `LimitStatus` of it.

    It is behind the last value that is not excluded.
    """
    allowed, failed = CLs >= level, jnp.isnan(CLs)
    last = jnp.max(jnp.where(allowed, jnp.arange(values.size), -1))
    one = jnp.clip(last, 0, values.size - 2)
    ends = height(jnp.maximum(CLs[jnp.stack([one, one + 1])], SMALLEST))
    part = (height(jnp.asarray(level)) - ends[0]) / (ends[1] - ends[0])
    limit = values[one] + part * (values[one + 1] - values[one])
    inside = (last >= 0) & (last < values.size - 1)
    unknown = jnp.where(inside, failed[one + 1], jnp.any(failed))
    code = jnp.where(inside, LimitStatus.FOUND, LimitStatus.OUTSIDE_VALUES)
    code = jnp.where(unknown, LimitStatus.FITS_FAILED, code)
    found = code == LimitStatus.FOUND
    return jnp.where(found, limit, jnp.nan), code.astype(jnp.int32)
