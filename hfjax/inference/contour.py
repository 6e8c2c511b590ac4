"""Contours of the profile likelihood in the plane of two parameters.

Points are searched along rays from the best fit. Where a bound cuts a curve, the point
in which they meet is searched along the bound.
"""

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from hfjax.arrays import ScalarInt
from hfjax.compiled.canonical import canonical, pad_vector
from hfjax.compiled.program import Program
from hfjax.errors import ArgumentError, ParameterError, check_kind, check_level
from hfjax.fitting.best_fit import fit
from hfjax.fitting.checks import check_inputs
from hfjax.fitting.covariance import covariance
from hfjax.fitting.objective import Objective
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings
from hfjax.inference.contour_result import ContourResult
from hfjax.inference.intervals import intervals
from hfjax.inference.intervals_result import IntervalStatus
from hfjax.inference.profile import held_positions
from hfjax.inference.ray import Best, Found, Ray, find_rays
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.tracing import is_known

LEVELS = (0.68, 0.95)
"""Probability inside the usual curves."""
RAYS = 64
"""From the best fit, to each curve."""
_SMALL = 1e-12  # part of a direction that is nothing but rounding

Pair = Float[np.ndarray, "2"]
Pairs = Float[np.ndarray, "ray 2"]
Square = Float[np.ndarray, "2 2"]


class _Plane(NamedTuple):
    """The plane of the two parameters.

    Attributes:
        positions: of the parameters.
        best: their best fit.
        lower: bounds.
        upper: bounds.
        metric: a root of the covariance: it makes circles of the ellipse's axes.
    """

    positions: Int[np.ndarray, "2"]
    best: Pair
    lower: Pair
    upper: Pair
    metric: Square

    @property
    def scale(self) -> Pair:
        """How far each parameter goes in a unit of distance."""
        return np.linalg.norm(self.metric, axis=1)

    def inside(self, points: Pairs) -> Pairs:
        """Points inside the bounds, and at them where rounding alone is between."""
        for bound in (self.lower, self.upper):
            near = np.abs(points - bound) <= _SMALL * self.scale
            points = np.where(near, bound, points)
        return np.clip(points, self.lower, self.upper)


class _Curve(NamedTuple):
    """Points around the best fit, counterclockwise."""

    points: Pairs
    codes: Int[np.ndarray, " ray"]
    delta: Float[np.ndarray, " ray"]


def contour(
    model: Model,
    data: Data,
    parameters: Iterable[str],
    *,
    levels: Sequence[float] = LEVELS,
    rays: int = RAYS,
    settings: FitSettings = FitSettings(),
) -> ContourResult:
    """Find closed curves of equal profile likelihood in the plane of two parameters.

    ``2NLL(x, y, others refitted) - 2NLL(best fit) = Q`` on each, with the quantile
    ``Q = -2 ln(1 - level)`` of chi2 with two degrees of freedom: 2.28 at 68 %, 5.99 at
    95 %. Each point is the root along a ray from the best fit, to 1e-8 in the deviance;
    rays are evenly spread where the covariance is a circle. At a bound a ray ends; the
    curve goes on along the bound from where it meets it, which is searched too. Of a
    region that a ray leaves and enters again, or that has several parts, the curve is
    what the rays see first.

    Args:
        model: a model; a parameter of interest is not needed. `Model.with_fixed` holds
            other parameters.
        data: observed, Asimov or toy data.
        parameters: two names; ``gamma[1]`` is a component.
        levels: probability inside each curve, between 0 and 1.
        rays: to each curve, a multiple of 4.
        settings: minimizer, steps and tolerance of all fits.

    Returns:
        The curves, with a status for each point. There are no derivatives.

    Raises:
        UnknownNameError: there is no such parameter; close names are given.
        ParameterError: there are not two parameters; or one is fixed, has several
            components or is given by an expression.
        ArgumentError: a level is no number between 0 and 1, or the number of rays no
            multiple of 4; or it is inside ``jit`` or ``vmap``.
        DataError: the data have the wrong shape, or are no counts.

    Source:
        F. James, M. Roos, Comput. Phys. Commun. 10 (1975) 343.

    Example:
        >>> import hfjax
        >>> signal, bkg, uncertainty = [12.0, 11.0], [50.0, 52.0], [3.0, 7.0]
        >>> search = hfjax.uncorrelated_background(signal, bkg, uncertainty, [62, 63])
        >>> names = "mu", "uncorr_bkguncrt[0]"
        >>> found = hfjax.contour(*hfjax.build(search), names, levels=[0.68], rays=8)
        >>> [round(value, 4) for value in found.points[0][0].tolist()]
        [1.8801, 0.9732]
    """
    check_inputs(model, data, settings)
    rises = _rises(levels, rays)
    if not is_known((model, data)):
        message = "contours are not searched inside jit or vmap: take hfjax.profile"
        raise ArgumentError(message)
    names = _two(parameters)
    positions = held_positions(model, names)
    free = fit(model, data, settings=settings)
    metric = _metric(model, data, free, names, settings)
    values, lower, upper = (
        np.asarray(each)[positions]
        for each in (free.params, model.parameters.lower, model.parameters.upper)
    )
    plane = _Plane(np.array(positions, np.int32), values, lower, upper, metric)
    own, known = canonical(model, data, free.params)
    best = Best(pad_vector(free.params, own, 0.0), free.deviance, free.code)
    lanes = _Lanes(Objective(own, known), best, rays * len(rises), settings)
    curves = _curves(lanes, plane, rises)
    return ContourResult(
        names=names,
        values=values,
        levels=tuple(map(float, levels)),
        rises=tuple(rises),
        points=tuple(curve.points for curve in curves),
        codes=tuple(curve.codes for curve in curves),
        delta=tuple(curve.delta for curve in curves),
        free=free,
    )


def _rises(levels: Sequence[float], rays: int) -> list[float]:
    """How far the deviance rises to each level."""
    check_kind("the levels", levels, Sequence, "give a list, [0.68, 0.95]")
    check_kind("the number of rays", rays, int, "give a multiple of 4")
    if not levels or rays < 8 or rays % 4:
        message = (
            f"{len(levels)} levels and {rays} rays: give one level or more, and a "
            "multiple of 4 rays, 8 or more"
        )
        raise ArgumentError(message)
    for level in levels:
        check_level(level, "0.95 for 95 %")
    return [-2.0 * math.log1p(-level) for level in levels]


def _two(parameters: Iterable[str]) -> tuple[str, str]:
    """The names of the two parameters."""
    names = (parameters,) if isinstance(parameters, str) else tuple(parameters)
    if len(names) != 2:
        given = ", ".join(names) or "none"
        message = f"a contour is one of two parameters, not of {given}: name two"
        raise ParameterError(message)
    return names


def _metric(
    model: Model,
    data: Data,
    free: FitResult,
    names: tuple[str, str],
    settings: FitSettings,
) -> Square:
    """A root of the covariance, or of what takes its place.

    A parameter at its bound has none, and one that data do not tell an infinite one:
    how far their profile interval reaches is taken then, or 1.
    """
    if not free.converged:
        return np.eye(2)
    places = [model.single_parameter(name) for name in names]
    whole = covariance(model, data, free, run=settings.run).covariance
    found = np.asarray(whole)[np.ix_(places, places)]
    sigma = np.sqrt(np.diagonal(found))
    known = np.isfinite(sigma) & (sigma > 0.0)
    if known.all() and np.linalg.det(found) > 0.0:
        return np.linalg.cholesky(found)
    if not known.all():
        lacking = [
            name for name, is_one in zip(names, known, strict=True) if not is_one
        ]
        other = intervals(model, data, lacking, settings=settings)
        reach = np.abs(np.asarray(other.ends - other.values[:, None])).max(axis=1)
        sigma[~known] = np.where(np.isfinite(reach) & (reach > 0.0), reach, 1.0)
    return np.diag(sigma)


@dataclass(frozen=True)
class _Lanes:
    """A search of rays in a fixed number of lanes.

    Attributes:
        objective: the deviance.
        best: what it rises from.
        size: number of lanes.
        settings: of all fits.
    """

    objective: Objective
    best: Best
    size: int
    settings: FitSettings

    def search(self, plane: _Plane, rays: list[Ray]) -> _Curve:
        """Find the ends of rays, so many at once as there are lanes."""
        whole = jax.tree.map(lambda *leaves: np.concatenate(leaves), _no_ray(), *rays)
        parts = range(0, max(whole.far.size, 1), self.size)
        found = [self._part(whole, slice(i, i + self.size)) for i in parts]
        ends = jax.tree.map(lambda *leaves: np.concatenate(leaves), *found)
        points = whole.origin + whole.direction * ends.at[:, None]
        return _Curve(plane.inside(points), ends.code, ends.rise)

    def _part(self, rays: Ray, part: slice) -> Found:
        """Find the ends of no more rays than there are lanes."""
        chosen = jax.tree.map(lambda leaf: leaf[part], rays)
        count = chosen.far.size
        if not count:
            none = np.zeros(0)
            return Found(none, none, none.astype(np.int32), none.astype(np.int32))
        padded = jax.tree.map(
            lambda leaf: np.resize(leaf, (self.size, *leaf.shape[1:])), chosen
        )
        arguments = self.objective, self.best, padded, np.int32(count)
        static = {"settings": self.settings}
        found = self.settings.run(Program(find_contours, arguments, static))
        return jax.tree.map(lambda leaf: np.asarray(leaf)[:count], found)


def _curves(lanes: _Lanes, plane: _Plane, rises: list[float]) -> list[_Curve]:
    """Find one curve for each rise of the deviance, with corners at bounds."""
    count = lanes.size // len(rises)
    around = [_around(plane, rise, count) for rise in rises]
    curves = _split(lanes.search(plane, around), [count] * len(rises))
    corners = [
        _corners(plane, curve, rise) for curve, rise in zip(curves, rises, strict=True)
    ]
    met = _split(
        lanes.search(plane, [corner.ray for each in corners for corner in each]),
        [len(each) for each in corners],
    )
    return list(map(_inserted, curves, met, corners))


def _no_ray() -> Ray:
    """Rays on a leading axis, of which there are none."""
    pair, one = np.zeros((0, 2)), np.zeros(0)
    return Ray(pair.astype(np.int32), pair, pair, one, one, one)


def _around(plane: _Plane, rise: float, count: int) -> Ray:
    """Rays from the best fit in all directions."""
    turn = 2.0 * math.pi * np.arange(count) / count
    unit = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    unit[np.abs(unit) < _SMALL] = 0.0  # along an axis, and along a bound
    direction = unit @ plane.metric.T
    bound = np.where(direction > 0.0, plane.upper, plane.lower)
    moves = direction != 0.0
    far = np.full(direction.shape, np.inf)
    np.divide(bound - plane.best, direction, out=far, where=moves)
    ones = np.ones(count)
    return Ray(
        positions=np.tile(plane.positions, (count, 1)),
        origin=np.tile(plane.best, (count, 1)),
        direction=direction,
        sigma=ones,
        far=np.maximum(far.min(axis=1), 0.0),
        rise=rise * ones,
    )


class _Corner(NamedTuple):
    """Where a curve meets a bound: to be searched along the bound.

    Attributes:
        after: point of the curve that is before it.
        ray: one on a leading axis.
    """

    after: int
    ray: Ray


def _corners(plane: _Plane, curve: _Curve, rise: float) -> list[_Corner]:
    """Corners between points at a bound and neighbours that are not."""
    count = curve.codes.size
    pairs = [(i, (i + 1) % count) for i in range(count)]
    rays = [
        (i, _along_bound(plane, curve, ends, rise))
        for i, j in pairs
        for ends in ((i, j), (j, i))
    ]
    return [_Corner(i, ray) for i, ray in rays if ray is not None]


def _along_bound(
    plane: _Plane, curve: _Curve, ends: tuple[int, int], rise: float
) -> Ray | None:
    """A ray along the bound that a point is at, towards its neighbour."""
    at_bound, known = IntervalStatus.AT_BOUND, IntervalStatus.NOT_REACHED
    code, next_code = curve.codes[list(ends)]
    if code != at_bound or next_code >= known:
        return None
    own, other = curve.points[list(ends)]
    scale = plane.scale
    gaps = np.minimum(np.abs(own - plane.lower), np.abs(own - plane.upper)) / scale
    wall, along = (0, 1) if gaps[0] <= gaps[1] else (1, 0)
    step = other[along] - own[along]
    if abs(other[wall] - own[wall]) <= _SMALL * scale[wall] or step == 0.0:
        return None
    direction = np.zeros((1, 2))
    direction[0, along] = math.copysign(scale[along], step)
    bound = (plane.upper if step > 0.0 else plane.lower)[along]
    far = np.array([abs(bound - own[along]) / scale[along]])
    origin, one = own[None], np.ones(1)
    return Ray(plane.positions[None], origin, direction, one, far, rise * one)


def _split(curve: _Curve, sizes: list[int]) -> list[_Curve]:
    """Parts of so many points."""
    ends = np.cumsum(sizes)[:-1]
    columns = [np.split(leaf, ends) for leaf in curve]
    return [_Curve(*leaves) for leaves in zip(*columns, strict=True)]


def _inserted(curve: _Curve, met: _Curve, corners: list[_Corner]) -> _Curve:
    """A curve with its corners."""
    places = [corner.after + 1 for corner in corners]
    if not places:
        return curve
    pairs = zip(curve, met, strict=True)
    return _Curve(*(np.insert(own, places, new, axis=0) for own, new in pairs))


@functools.partial(jax.jit, static_argnames="settings")
def find_contours(
    objective: Objective, best: Best, rays: Ray, count: ScalarInt, settings: FitSettings
) -> Found:
    """Find the ends of rays; `contour` after its checks."""
    return find_rays(objective, best, rays, count, settings)
