"""Profile intervals: how far from its best fit a parameter may be, all else refitted.

The root of the rise of the deviance is nearly a straight line in the distance from the
best fit, on which a secant needs few fits. The search is bracketed: an end is between
the farthest place that is too low and the nearest that is too high.
"""

import functools
from collections.abc import Iterable, Mapping
from statistics import NormalDist
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from hfjax.arrays import Array, Params, Scalar, ScalarBool, ScalarInt
from hfjax.compiled.canonical import canonical, pad_vector
from hfjax.compiled.lanes import map_lanes
from hfjax.compiled.program import Program
from hfjax.errors import ArgumentError, check_kind, check_level
from hfjax.fitting.best_fit import NOTHING, best_fit, fit
from hfjax.fitting.checks import BY_NAME, check_inputs, holding
from hfjax.fitting.covariance import covariance
from hfjax.fitting.implicit import constant
from hfjax.fitting.objective import Objective
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.intervals_result import IntervalsResult, IntervalStatus
from hfjax.inference.test_fits import CONSISTENCY
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.parameters import Value

ONE_SIGMA = 0.6826894921370859
"""Probability within one standard deviation."""
PRECISION = 1e-8
"""How near to what the level asks the rise of the deviance is at an end."""
MOST_FITS = 60
"""For one end, at most."""
MOST_FAILURES = 6
"""Fits of one end that fail before it is given up."""
STRETCH = 1.1, 4.0
"""The least and most times the distance so far that comes next, with nothing above."""
HALVES = 6
"""Every so many fits halve a bracket, whatever the curve."""
EDGE = 1e-3
"""Least part of a bracket that a fit is away from its ends."""


class _Lane(NamedTuple):
    """One end to find, or many on a leading axis.

    Attributes:
        position: of the parameter.
        side: -1 below, 1 above.
        sigma: where to look first, from the best fit.
        far: distance of the bound.
    """

    position: ScalarInt
    side: Scalar
    sigma: Scalar
    far: Scalar


class Best(NamedTuple):
    """The best fit.

    Attributes:
        params: its parameters.
        sigma: their standard deviations.
        deviance: the lowest.
        code: value of its `FitStatus`.
    """

    params: Params
    sigma: Params
    deviance: Scalar
    code: ScalarInt


class _Search(NamedTuple):
    """State of the search for an end, in distances from the best fit.

    Attributes:
        low: the largest where the deviance has not risen enough.
        high: the least where it has risen too far, or no fit converges.
        at: the distance that came nearest.
        rise: of the deviance there.
        slope: derivative of the root of the rise there.
        params: of the fit there, from which the next starts.
        fits: so many.
        failures: of them.
        below: whether one was lower than the best fit.
    """

    low: Scalar
    high: Scalar
    at: Scalar
    rise: Scalar
    slope: Scalar
    params: Params
    fits: ScalarInt
    failures: ScalarInt
    below: ScalarBool


class Found(NamedTuple):
    """Ends that were found, parameters and sides on one axis.

    Attributes:
        at: distance from the best fit.
        rise: of the deviance.
        code: value of the `IntervalStatus`.
        fits: so many.
    """

    at: Float[Array, "*lane"]
    rise: Float[Array, "*lane"]
    code: Int[Array, "*lane"]
    fits: Int[Array, "*lane"]


def intervals(
    model: Model,
    data: Data,
    parameters: Iterable[str] | None = None,
    *,
    level: float = ONE_SIGMA,
    fixed: Mapping[str, Value] = NOTHING,
    settings: FitSettings = FitSettings(),
) -> IntervalsResult:
    """Find profile intervals of parameters, as MINOS does.

    ``2NLL(theta_i, others refitted) - 2NLL(best fit) = Q`` at both ends, with the
    quantile ``Q`` of chi2 with one degree of freedom at the level; 1 for 68.3 %. At a
    bound of the parameter the interval ends.

    Args:
        model: a model; a parameter of interest is not needed.
        data: observed, Asimov or toy data.
        parameters: names; ``gamma[1]`` is a component. All by default.
        level: probability of the intervals, between 0 and 1.
        fixed: values that all fits hold parameters at, by name, as in `fit`.
        settings: minimizer, steps and tolerance of all fits.

    Returns:
        Both ends of each, with a status for each. There are no derivatives.

    Raises:
        UnknownNameError: there is no such parameter; close names are given.
        ParameterError: a parameter has several components or is given by an
            expression; or as `fit` says of values to hold.
        ArgumentError: the level is no number between 0 and 1, or the names are a text.
        DataError: the data have the wrong shape, or are no counts.

    Source:
        F. James, M. Roos, Comput. Phys. Commun. 10 (1975) 343; W. A. Rolke, A. M.
        Lopez, J. Conrad, Nucl. Instrum. Meth. A 551 (2005) 493.

    Example:
        >>> import hfjax
        >>> signal, bkg, uncertainty = [12.0, 11.0], [50.0, 52.0], [3.0, 7.0]
        >>> search = hfjax.uncorrelated_background(signal, bkg, uncertainty, [62, 63])
        >>> found = hfjax.intervals(*hfjax.build(search), ["mu"])
        >>> [round(end, 4) for end in found["mu"].tolist()]
        [0.4433, 1.5779]
    """
    check_inputs(model, data, settings)
    check_level(level, "0.95 for 95 %")
    model = holding(model, fixed)
    names, positions = _named(model, parameters)
    model, data = constant((model, data))
    free = fit(model, data, settings=settings)
    sigma = covariance(model, data, free, run=settings.run).uncertainties
    dtype = model.parameters.init.dtype
    rise = np.asarray(NormalDist().inv_cdf(0.5 + 0.5 * level) ** 2, dtype)
    own, known = canonical(model, data, free.params, sigma)
    arguments = (
        Objective(own, known),
        Best(
            pad_vector(free.params, own, 0.0),
            pad_vector(sigma, own, 0.0),
            free.deviance,
            free.code,
        ),
        np.array(positions, np.int32),
        rise,
    )
    found = settings.run(Program(find_ends, arguments, {"settings": settings}))
    both = jax.tree.map(lambda leaf: leaf.reshape(len(names), 2), found)
    values = free.params[np.array(positions, int)]
    return IntervalsResult(
        names=names,
        values=values,
        ends=values[:, None] + both.at * jnp.array([-1.0, 1.0], dtype),
        codes=both.code,
        delta=both.rise,
        level=jnp.asarray(level, dtype),
        free=free,
        fits=both.fits,
    )


def _named(
    model: Model, parameters: Iterable[str] | None
) -> tuple[tuple[str, ...], list[int]]:
    """Names of the parameters whose intervals are wanted, and where they stand."""
    if parameters is None:
        return model.parameters.names, list(range(model.parameters.init.size))
    check_kind("the parameters", parameters, Iterable, BY_NAME, "list of names")
    if isinstance(parameters, str):
        message = f'the parameters are one text: give a list of names, ["{parameters}"]'
        raise ArgumentError(message)
    names = tuple(dict.fromkeys(parameters))
    return names, [model.single_parameter(name) for name in names]


@functools.partial(jax.jit, static_argnames="settings")
def find_ends(
    objective: Objective,
    best: Best,
    positions: Int[Array, " held"],
    rise: Scalar,
    settings: FitSettings,
) -> Found:
    """Find both ends of each parameter, in lanes; `intervals` after its checks."""
    own, failed = objective.model.parameters, best.code != FitStatus.CONVERGED
    each, held = jnp.repeat(positions, 2), jnp.repeat(own.fixed[positions], 2)
    side = jnp.tile(jnp.array([-1.0, 1.0], rise.dtype), positions.size)
    bound = jnp.where(side < 0.0, own.lower[each], own.upper[each])
    far = jnp.where(held, 0.0, jnp.abs(bound - best.params[each]))
    sigma = best.sigma[each]
    sigma = jnp.where((sigma > 0.0) & jnp.isfinite(sigma), sigma, 1.0)
    lanes = _Lane(each, side, sigma, far)

    def one(i: ScalarInt) -> Found:
        lane = jax.tree.map(lambda leaf: leaf[i], lanes)
        return _end(objective, best, lane, rise, settings)

    count = jnp.where(failed, 0, each.size).astype(jnp.int32)
    found = map_lanes(one, jnp.arange(each.size), count)
    code = jnp.where(held, IntervalStatus.FIXED, found.code)
    code = jnp.where(failed, IntervalStatus.FITS_FAILED, code).astype(jnp.int32)
    unknown = code >= IntervalStatus.NOT_REACHED
    at, delta = (jnp.where(unknown, jnp.nan, x) for x in (found.at, found.rise))
    return Found(at, delta, code, found.fits)


def _end(
    objective: Objective, best: Best, lane: _Lane, rise: Scalar, settings: FitSettings
) -> Found:
    """Find one end."""
    own, none = objective.model.parameters, jnp.zeros_like(rise)
    held = jnp.asarray(own.fixed).at[lane.position].set(True)
    place = best.params[lane.position]

    def run(s: _Search) -> _Search:
        x = _next(s, lane, rise)
        value = jnp.clip(
            place + lane.side * x, own.lower[lane.position], own.upper[lane.position]
        )
        start = jnp.asarray(s.params).at[lane.position].set(value)
        found = best_fit(objective, start[None], held, settings)
        slope = 2.0 * lane.side * jax.grad(objective.value)(found.params)
        given = found.deviance - best.deviance, slope[lane.position]
        return _narrowed(s, x, given, found, rise)

    count = jnp.int32(0)
    begin = _Search(
        *(none, jnp.full_like(rise, jnp.inf), none, none, 1.0 / lane.sigma),
        *(jnp.asarray(best.params), count, count, jnp.array(False)),
    )
    end = jax.lax.while_loop(lambda s: _goes_on(s, lane, rise), run, begin)
    at_bound = end.low >= lane.far
    return Found(
        jnp.where(at_bound, lane.far, end.at),
        end.rise,
        _code(end, at_bound, rise),
        end.fits,
    )


def _is_found(s: _Search, rise: Scalar) -> ScalarBool:
    return jnp.abs(s.rise - rise) < PRECISION


def _goes_on(s: _Search, lane: _Lane, rise: Scalar) -> ScalarBool:
    room = s.high - s.low > 4.0 * jnp.finfo(rise.dtype).eps * (s.low + lane.sigma)
    able = (s.fits < MOST_FITS) & (s.failures < MOST_FAILURES) & ~s.below
    return able & room & (s.low < lane.far) & ~_is_found(s, rise)


def _next(s: _Search, lane: _Lane, rise: Scalar) -> Scalar:
    """What to try next: Newton's step for the root of the rise, in a bracket."""
    newton = s.at + (jnp.sqrt(rise) - jnp.sqrt(s.rise)) / s.slope
    least, most = (times * s.low for times in STRETCH)
    newton = jnp.where(jnp.isfinite(newton) & (newton > 0.0), newton, most)
    beyond = jnp.where(s.low > 0.0, jnp.clip(newton, least, most), newton)
    part = (newton - s.low) / (s.high - s.low)
    halves = (s.fits % HALVES == HALVES - 1) | (s.failures > 0)
    part = jnp.where(halves, 0.5, jnp.clip(part, EDGE, 1.0 - EDGE))
    inside = s.low + part * (s.high - s.low)
    return jnp.minimum(jnp.where(jnp.isinf(s.high), beyond, inside), lane.far)


def _narrowed(
    s: _Search, x: Scalar, given: tuple[Scalar, Scalar], fit: FitResult, rise: Scalar
) -> _Search:
    """Use a fit, its rise and the slope of that to narrow the bracket.

    Where the likelihood is zero the deviance has risen without end.
    """
    delta, slope = given
    ok = fit.code == FitStatus.CONVERGED
    wall = fit.code == FitStatus.NOT_FINITE
    raises = ok & (delta < rise)
    nearer = ok & (jnp.abs(delta - rise) < jnp.abs(s.rise - rise))
    size = jnp.maximum(delta, 0.0)
    root_slope = slope / (2.0 * jnp.sqrt(jnp.where(size > 0.0, size, 1.0)))
    return _Search(
        low=jnp.where(raises, x, s.low),
        high=jnp.where(raises, s.high, x),
        at=jnp.where(nearer, x, s.at),
        rise=jnp.where(nearer, size, s.rise),
        slope=jnp.where(nearer, root_slope, s.slope),
        params=jnp.where(nearer, fit.params, s.params),
        fits=s.fits + 1,
        failures=s.failures + ~(ok | wall),
        below=s.below | (ok & (delta < -CONSISTENCY)),
    )


def _code(s: _Search, at_bound: ScalarBool, rise: Scalar) -> ScalarInt:
    """Why the end is what it is."""
    lacking = jnp.where(
        jnp.isinf(s.high), IntervalStatus.NOT_REACHED, IntervalStatus.JUMPS
    )
    lacking = jnp.where(s.failures > 0, IntervalStatus.FITS_FAILED, lacking)
    lacking = jnp.where(at_bound, IntervalStatus.AT_BOUND, lacking)
    code = jnp.where(_is_found(s, rise), IntervalStatus.FOUND, lacking)
    code = jnp.where(s.below, IntervalStatus.LOWER_MINIMUM, code)
    return code.astype(jnp.int32)
