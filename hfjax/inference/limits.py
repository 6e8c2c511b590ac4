"""Upper limits: the values of the parameter of interest at which CLs falls to a level.

The observed limit and the five expected ones are roots of six curves that one test
gives at once, so that they are searched for together: each test narrows the brackets of
all. ``h = sqrt(-2 ln CLs)`` is nearly a straight line in the tested value, on which a
secant needs few steps; now and then a step halves the bracket instead, whatever the
curve. The upper bound of the parameter is moved as far as is needed.
"""

import functools
from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool

from hfjax.arrays import Array, Scalar, ScalarBool, ScalarInt
from hfjax.compiled.program import Program
from hfjax.errors import ArgumentError, check_level
from hfjax.fitting.best_fit import NOTHING
from hfjax.fitting.checks import check_inputs, holding
from hfjax.fitting.implicit import constant
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.limit_result import LimitResult, LimitStatus
from hfjax.inference.repeated_tests import (
    Curves,
    PastTests,
    curves_of,
    height,
    no_past,
    remembered,
    repeated_test,
)
from hfjax.inference.subject import Subject, subject_of
from hfjax.inference.test_result import HypotestResult
from hfjax.inference.test_statistics import (
    TestStatistic,
    find_test_statistic,
    qmu_tilde,
)
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.parameters import Value
from hfjax.model.poi import check_poi_value, require_free_poi

PRECISION = 1e-8
"""How near to the level CLs is at a limit that is found."""
MOST_TESTS = 100
"""Values that are tested, at most."""
MOST_FAILURES = 12
"""Tests without a result after which a search is given up."""
FURTHER = 1.1
"""How far beyond the place where a straight line is at the level comes next..."""
STRETCH = 1.3, 10.0
"""...and the least and most times the largest value so far."""
FIRST = 1.0
"""Value that is tested first."""
HALVES = 6
"""Every so many tests halve a bracket, whatever the curve."""
EDGE = 1e-3
"""Least part of a bracket that a test is away from its ends."""
CURVES = 6
LEVEL_REMEDY = "0.05 for a limit at 95 %"
"""What a level may be."""

_MIDDLES = 0.5 + 0.3 * np.sin(2.0 * np.arange(MOST_FAILURES + 1))
"""Parts of a bracket at which tests are tried after one has failed."""


def upper_limit(
    model: Model,
    data: Data,
    *,
    level: float = 0.05,
    test_stat: TestStatistic | str = qmu_tilde,
    fixed: Mapping[str, Value] = NOTHING,
    settings: FitSettings = FitSettings(),
) -> LimitResult:
    """Find the upper limits on the parameter of interest, observed and expected.

    ``CLs(mu) = level``, with the asymptotic formulae and the Asimov data of `hypotest`:
    the values above are excluded at a confidence level of ``1 - level``.

    Args:
        model: a model with a parameter of interest.
        data: observed data.
        level: of CLs, between 0 and 1.
        test_stat: for upper limits, "qtilde" or "q".
        fixed: values that all fits hold other parameters at, by name, as in `fit`.
        settings: minimizer, steps and tolerance of all fits.

    Returns:
        All six limits, with a status for each: one that does not exist, or whose fits
        fail, is NaN and leaves the others as they are.

    Raises:
        MissingPOIError: the model has no parameter of interest.
        ModelError: the parameter of interest is fixed.
        ParameterError: the parameter of interest cannot be zero.
        ArgumentError: the level is no number between 0 and 1, or the test statistic is
            none for upper limits.
        DataError: the data have the wrong shape, or are no counts.

    Source:
        A. L. Read, J. Phys. G 28 (2002) 2693; Cowan, Cranmer, Gross, Vitells,
        arXiv:1007.1727.

    Example:
        >>> import hfjax
        >>> signal, bkg, uncertainty = [12.0, 11.0], [50.0, 52.0], [3.0, 7.0]
        >>> search = hfjax.uncorrelated_background(signal, bkg, uncertainty, [51, 48])
        >>> limit = hfjax.upper_limit(*hfjax.build(search))
        >>> round(float(limit.observed), 4), round(float(limit.expected[2]), 4)
        (1.0116, 1.0624)
    """
    model = holding(model, fixed)
    statistic = checked_question(model, data, level, test_stat, settings)
    static = {"level": level, "test_stat": statistic, "settings": settings}
    arguments = (subject_of(model, data, settings),)
    return settings.run(Program(find_limits, arguments, static))


def checked_question(
    model: Model,
    data: Data,
    level: float,
    test_stat: TestStatistic | str,
    settings: FitSettings,
) -> TestStatistic:
    """Return the test statistic, if limits of a model can be asked for with it.

    Args:
        model: a model.
        data: observed data.
        level: of CLs.
        test_stat: the test statistic, or its name.
        settings: of all fits.

    Raises:
        MissingPOIError: the model has no parameter of interest.
        ModelError: the parameter of interest is fixed.
        ParameterError: it cannot be zero.
        ArgumentError: the level, the statistic or the settings are something else.
        DataError: the data have the wrong shape, or are no counts.
    """
    check_inputs(model, data, settings)
    require_free_poi(model)
    statistic = limit_statistic(test_stat)
    check_level(level, LEVEL_REMEDY)
    if not model.is_traced:
        check_poi_value(model, statistic.asimov_poi, "limits compare with no signal")
    return statistic


def limit_statistic(test_stat: TestStatistic | str) -> TestStatistic:
    """Return the test statistic, if it is one for upper limits.

    Args:
        test_stat: itself, or its name.

    Raises:
        ArgumentError: it is none.
    """
    found = find_test_statistic(test_stat)
    if found.discovery or found.two_sided:
        message = (
            f"the test statistic {found.spelling!r} sets no upper limits: take "
            '"qtilde" or "q"'
        )
        raise ArgumentError(message)
    return found


class _Search(NamedTuple):
    """State of the search for all limits.

    Attributes:
        low: largest value of each curve that is not excluded.
        low_height: ``h`` there.
        high: least value that is excluded; infinite where there is none yet.
        high_height: ``h`` there.
        limit: value at which CLs was nearest to the level.
        CLs: CLs there.
        before: the nearest value before that.
        before_CLs: CLs there.
        largest: value that was tested.
        tests: so many.
        failures: tests without a result.
        missed: whether the last one was such.
        steps: of the minimizer in all fits.
        worst: status of their fits.
        mu_hat: best fit of the parameter of interest.
        past: what is kept of the tests.
    """

    low: Curves
    low_height: Curves
    high: Curves
    high_height: Curves
    limit: Curves
    CLs: Curves
    before: Curves
    before_CLs: Curves
    largest: Scalar
    tests: ScalarInt
    failures: ScalarInt
    missed: ScalarBool
    steps: ScalarInt
    worst: ScalarInt
    mu_hat: Scalar
    past: PastTests


@functools.partial(jax.jit, static_argnames=("level", "test_stat", "settings"))
def find_limits(
    subject: Subject,
    level: float,
    test_stat: TestStatistic,
    settings: FitSettings,
) -> LimitResult:
    """Find the limits of a model without names; `upper_limit` after all its checks."""
    known = constant(subject)
    begin = _begin(known.model, no_past(known, MOST_TESTS, settings))

    def run(s: _Search) -> _Search:
        value = _next_value(s, level)
        found = repeated_test(known, value, test_stat, settings, s.past)
        return _narrowed(s, value, found, level)

    end = jax.lax.while_loop(lambda s: _goes_on(s, level), run, begin)
    done = _is_found(end, level)
    limits = jnp.where(done, end.limit, jnp.nan)
    limits = _implicit(subject, limits, level, test_stat, settings)
    bound = jnp.asarray(known.model.parameters.upper)[known.model.poi]
    return LimitResult(
        observed=limits[0],
        expected=limits[1:],
        level=jnp.asarray(level, limits.dtype),
        codes=_status(end, done),
        CLs=jnp.where(done, end.CLs, jnp.nan),
        mu_hat=end.mu_hat,
        upper_bound=jnp.maximum(bound, end.largest),
        tests=end.tests,
        steps=end.steps,
        fits=end.worst,
        band=subject.band,
    )


def _begin(model: Model, past: PastTests) -> _Search:
    """Before the first test: at zero, or at a lower bound above it, nothing is known.

    With no signal CLs is 1.
    """
    lower = jnp.asarray(model.parameters.lower)[model.poi]
    start = jnp.maximum(lower, 0.0)
    each, nothing = jnp.full(CURVES, start), jnp.zeros(CURVES, start.dtype)
    one = jnp.ones_like(each)
    far = jnp.full(CURVES, jnp.inf, start.dtype)
    none, count = jnp.full_like(start, jnp.nan), jnp.int32(0)
    return _Search(
        *(each, nothing, far, far, each, one, each, one),
        *(start, count, count, jnp.array(False), count),
        *(jnp.int32(FitStatus.CONVERGED), none, past),
    )


def _is_found(s: _Search, level: float) -> Bool[Array, " curve"]:
    return jnp.abs(s.CLs - level) < PRECISION


def _is_open(s: _Search, level: float) -> Bool[Array, " curve"]:
    """Which limits are not found yet, and may be: their brackets have room."""
    tiny = 4.0 * jnp.finfo(s.low.dtype).eps * s.low
    return ~_is_found(s, level) & (s.high - s.low > tiny)


def _goes_on(s: _Search, level: float) -> ScalarBool:
    able = (s.tests < MOST_TESTS) & (s.failures < MOST_FAILURES)
    return able & jnp.any(_is_open(s, level))


def _next_value(s: _Search, level: float) -> Scalar:
    """The value to test next, for the first limit that is open."""
    which = jnp.argmax(_is_open(s, level))
    low, high = s.low[which], s.high[which]
    wanted = height(jnp.asarray(level))
    one, other = (height(each[which]) for each in (s.CLs, s.before_CLs))
    slope = (s.limit[which] - s.before[which]) / (one - other)
    part = (s.limit[which] + slope * (wanted - one) - low) / (high - low)
    halves = (s.tests % HALVES == 0) | ~jnp.isfinite(part) | s.missed
    part = jnp.where(halves, jnp.asarray(_MIDDLES)[s.failures], part)
    part = jnp.where(jnp.isfinite(s.high_height[which]), part, 0.1)
    inside = low + jnp.clip(part, EDGE, 1.0 - EDGE) * (high - low)
    beyond = jnp.where(s.tests == 0, FIRST + low, _beyond(s, which, wanted))
    return jnp.where(jnp.isfinite(high), inside, beyond)


def _beyond(s: _Search, which: ScalarInt, wanted: Scalar) -> Scalar:
    """Where a straight line from zero crosses the level, and a little further."""
    low, height = s.low[which], s.low_height[which]
    line = FURTHER * low * wanted / jnp.where(height > 0.0, height, 1e-3)
    least, most = (times * jnp.maximum(s.largest, FIRST) for times in STRETCH)
    return jnp.clip(line, least, most)


def _narrowed(
    s: _Search, value: Scalar, found: HypotestResult, level: float
) -> _Search:
    """Use a test to narrow the brackets of all limits."""
    CLs = curves_of(found)
    ok = jnp.all(jnp.isfinite(CLs))
    above, below = ok & (CLs >= level), ok & (CLs < level)
    raises = above & (value >= s.low)
    lowers = below & (value <= s.high)
    nearer = ok & ~(jnp.abs(CLs - level) >= jnp.abs(s.CLs - level))
    found_height = height(CLs)
    return _Search(
        low=jnp.where(raises, value, s.low),
        low_height=jnp.where(raises, found_height, s.low_height),
        high=jnp.where(lowers, value, s.high),
        high_height=jnp.where(lowers, found_height, s.high_height),
        limit=jnp.where(nearer, value, s.limit),
        CLs=jnp.where(nearer, CLs, s.CLs),
        before=jnp.where(nearer, s.limit, s.before),
        before_CLs=jnp.where(nearer, s.CLs, s.before_CLs),
        largest=jnp.maximum(s.largest, value),
        tests=s.tests + 1,
        failures=s.failures + ~ok,
        missed=~ok,
        steps=s.steps + found.steps.astype(jnp.int32),
        worst=jnp.maximum(s.worst, jnp.where(ok, 0, found.code)),
        mu_hat=jnp.where(ok, found.mu_hat, s.mu_hat),
        past=remembered(s.past, found),
    )


def _status(s: _Search, done: Bool[Array, " curve"]) -> Array:
    """Why each limit is what it is."""
    failed = s.failures >= MOST_FAILURES
    lacking = jnp.where(
        jnp.isinf(s.high),
        LimitStatus.NOT_REACHED,
        jnp.where(s.low_height > 0.0, LimitStatus.JUMPS, LimitStatus.ALL_EXCLUDED),
    )
    lacking = jnp.where(failed, LimitStatus.FITS_FAILED, lacking)
    return jnp.where(done, LimitStatus.FOUND, lacking).astype(jnp.int32)


@functools.partial(jax.custom_jvp, nondiff_argnums=(2, 3, 4))
def _implicit(
    subject: Subject,
    limits: Curves,
    level: float,
    test_stat: TestStatistic,
    settings: FitSettings,
) -> Curves:
    """The limits, as a function of what they depend on."""
    del subject, level, test_stat, settings
    return limits


@_implicit.defjvp
def _implicit_jvp(
    level: float,
    test_stat: TestStatistic,
    settings: FitSettings,
    primals: tuple[Subject, Curves],
    tangents: tuple[Subject, Curves],
) -> tuple[Curves, Curves]:
    """``dmu = -(dCLs/dx dx) / (dCLs/dmu)`` at each limit."""
    subject, _ = primals
    limits = _implicit(*primals, level, test_stat, settings)

    def slope(which: ScalarInt) -> Scalar:
        def CLs(subject: Subject, value: Scalar) -> Scalar:
            found = repeated_test(subject, value, test_stat, settings, None)
            return curves_of(found)[which]

        value = limits[which]
        at = (subject, value)
        moved = jax.jvp(CLs, at, (tangents[0], jnp.zeros_like(value)))[1]
        along = jax.grad(CLs, 1)(*at)
        return -moved / along

    return limits, jax.lax.map(slope, jnp.arange(CURVES))
