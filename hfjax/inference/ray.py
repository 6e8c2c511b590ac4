"""Where a likelihood has fallen to a level, along a ray.

Some parameters are held on the ray, all others refitted. The root of the rise of the
deviance is nearly a straight line in the distance from the best fit, on which a secant
needs few fits. The search is bracketed: an end is between the farthest place that is
too low and the nearest that is too high.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float, Int

from hfjax.arrays import Array, Params, Scalar, ScalarBool, ScalarInt
from hfjax.compiled.lanes import map_lanes
from hfjax.fitting.best_fit import best_fit
from hfjax.fitting.objective import Objective
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.intervals_result import IntervalStatus
from hfjax.inference.test_state import CONSISTENCY

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


class Ray(NamedTuple):
    """A ray in the space of some parameters, or many on a leading axis.

    Attributes:
        positions: of the parameters that are held.
        origin: their values where it begins.
        direction: how far each of them goes in a unit of distance.
        sigma: distance in which the deviance rises by about 1.
        far: distance of the first bound.
        rise: of the deviance that is looked for.
    """

    positions: Int[Array, "*ray held"]
    origin: Float[Array, "*ray held"]
    direction: Float[Array, "*ray held"]
    sigma: Float[Array, "*ray"]
    far: Float[Array, "*ray"]
    rise: Float[Array, "*ray"]


class Best(NamedTuple):
    """The best fit.

    Attributes:
        params: its parameters.
        deviance: the lowest.
        code: value of its `FitStatus`.
    """

    params: Params
    deviance: Scalar
    code: ScalarInt


class _Search(NamedTuple):
    """State of the search for an end, in distances from where the ray begins.

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
    """Ends that were found.

    Attributes:
        at: distance from where the ray begins.
        rise: of the deviance.
        code: value of the `IntervalStatus`.
        fits: so many.
    """

    at: Float[Array, "*ray"]
    rise: Float[Array, "*ray"]
    code: Int[Array, "*ray"]
    fits: Int[Array, "*ray"]


def find_rays(
    objective: Objective,
    best: Best,
    rays: Ray,
    count: int | ScalarInt,
    settings: FitSettings,
) -> Found:
    """Find the ends of many rays, in lanes; where there is none, no numbers.

    Args:
        objective: the deviance.
        best: what the deviance rises from; if that fit failed, there are no ends.
        rays: on a leading axis.
        count: number of rays that count; what is behind them may be anything.
        settings: of all fits.
    """
    failed = best.code != FitStatus.CONVERGED

    def one(i: ScalarInt) -> Found:
        ray = jax.tree.map(lambda leaf: leaf[i], rays)
        return _end(objective, best, ray, settings)

    count = jnp.where(failed, 0, count).astype(jnp.int32)
    found = map_lanes(one, jnp.arange(rays.far.size), count)
    code = jnp.where(failed, IntervalStatus.FITS_FAILED, found.code).astype(jnp.int32)
    unknown = code >= IntervalStatus.NOT_REACHED
    at, rise = (jnp.where(unknown, jnp.nan, x) for x in (found.at, found.rise))
    return Found(at, rise, code, found.fits)


def _end(objective: Objective, best: Best, ray: Ray, settings: FitSettings) -> Found:
    """Find where the deviance has risen as far as one ray asks, or its bound."""
    own, none = objective.model.parameters, jnp.zeros_like(ray.rise)
    held = jnp.asarray(own.fixed).at[ray.positions].set(True)

    def run(s: _Search) -> _Search:
        x = _next(s, ray)
        values = _place(objective, ray, x)
        start = jnp.asarray(s.params).at[ray.positions].set(values)
        found = best_fit(objective, start[None], held, settings)
        gradient = jax.grad(objective.value)(found.params)[ray.positions]
        slope = 2.0 * jnp.sum(ray.direction * gradient)
        given = found.deviance - best.deviance, slope
        return _narrowed(s, x, given, found, ray.rise)

    count = jnp.int32(0)
    begin = _Search(
        *(none, jnp.full_like(ray.rise, jnp.inf), none, none, 1.0 / ray.sigma),
        *(jnp.asarray(best.params), count, count, jnp.array(False)),
    )
    end = jax.lax.while_loop(lambda s: _goes_on(s, ray), run, begin)
    at_bound = end.low >= ray.far
    return Found(
        jnp.where(at_bound, ray.far, end.at),
        end.rise,
        _code(end, at_bound, ray.rise),
        end.fits,
    )


def _place(objective: Objective, ray: Ray, distance: Scalar) -> Float[Array, " held"]:
    """Values of the held parameters at a distance, inside their bounds."""
    own = objective.model.parameters
    values = ray.origin + ray.direction * distance
    lower, upper = (jnp.asarray(end)[ray.positions] for end in (own.lower, own.upper))
    return jnp.clip(values, lower, upper)


def _is_found(s: _Search, rise: Scalar) -> ScalarBool:
    return jnp.abs(s.rise - rise) < PRECISION


def _goes_on(s: _Search, ray: Ray) -> ScalarBool:
    room = s.high - s.low > 4.0 * jnp.finfo(s.low.dtype).eps * (s.low + ray.sigma)
    able = (s.fits < MOST_FITS) & (s.failures < MOST_FAILURES) & ~s.below
    return able & room & (s.low < ray.far) & ~_is_found(s, ray.rise)


def _next(s: _Search, ray: Ray) -> Scalar:
    """What to try next: Newton's step for the root of the rise, in a bracket."""
    newton = s.at + (jnp.sqrt(ray.rise) - jnp.sqrt(s.rise)) / s.slope
    least, most = (times * s.low for times in STRETCH)
    newton = jnp.where(jnp.isfinite(newton) & (newton > 0.0), newton, most)
    beyond = jnp.where(s.low > 0.0, jnp.clip(newton, least, most), newton)
    part = (newton - s.low) / (s.high - s.low)
    halves = (s.fits % HALVES == HALVES - 1) | (s.failures > 0)
    part = jnp.where(halves, 0.5, jnp.clip(part, EDGE, 1.0 - EDGE))
    inside = s.low + part * (s.high - s.low)
    return jnp.minimum(jnp.where(jnp.isinf(s.high), beyond, inside), ray.far)


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
