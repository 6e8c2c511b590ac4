"""One step of the minimizer: a truncated Newton step inside a trust region and a box.

The quadratic model ``m(p) = g.p + p.H.p / 2`` is minimized by conjugate gradients on
exact Hessian products (Steihaug 1983), preconditioned with the Fisher matrix

    M = C + J diag(w) J',

a diagonal plus a matrix of rank ``n_bins``, inverted in the smaller space of bins
(Woodbury). Steps are measured in the norm of ``M``: in standard deviations. Parameters
that a step would carry over a bound are put on it, and the rest is minimized again.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from hfjax.arrays import Array, Params, ParamsMask, Scalar, ScalarBool, ScalarInt
from hfjax.fit.objective import Expansion

Linear = Callable[[Array], Array]

MAX_PRODUCTS = 80
"""Hessian products after which conjugate gradients are cut off."""
MAX_ROUNDS = 6
"""How often a step is minimized again after parameters have met their bounds."""
MIN_CURVATURE = 1e-8
"""Least curvature of an unconstrained parameter, relative to its Fisher information."""


class Step(NamedTuple):
    """A proposed step.

    Attributes:
        move: change of the parameters, inside the box.
        gain: decrease that the quadratic model promises.
        length: length in the norm of the Fisher matrix.
        bounded: the step was cut by the trust region or by negative curvature.
        correction: bending of the step along the curvature of the rates.
    """

    move: Params
    gain: Scalar
    length: Scalar
    bounded: ScalarBool
    correction: Params


class Preconditioner(NamedTuple):
    """The Fisher matrix ``diag(curvature) + factor factor'``."""

    curvature: Params
    factor: Array

    def norm(self, vector: Params) -> Scalar:
        """Length of a vector, in standard deviations."""
        return jnp.sqrt(
            vector @ (self.curvature * vector) + jnp.sum((vector @ self.factor) ** 2)
        )

    def diagonal(self) -> Params:
        """Diagonal of the matrix."""
        return self.curvature + jnp.sum(self.factor**2, axis=1)

    def inverse(self, free: ParamsMask) -> Linear:
        """The inverse on the free parameters, zero on the others."""
        inverse = jnp.where(free, 1.0 / self.curvature, 0.0)
        scaled = inverse[:, None] * self.factor
        bins = self.factor.shape[1]
        small = jnp.eye(bins, dtype=inverse.dtype) + self.factor.T @ scaled
        root = jnp.linalg.cholesky(small)

        def solve(vector: Params) -> Params:
            first = inverse * vector
            middle = jax.scipy.linalg.cho_solve((root, True), self.factor.T @ first)
            return first - scaled @ middle

        return solve


def fisher(at: Expansion) -> Preconditioner:
    """Fisher matrix of an expansion, positive definite by construction."""
    jacobian = at.rates.jacobian
    floor = MIN_CURVATURE * ((jacobian * jacobian) @ at.fisher_weight)
    tiny = jnp.finfo(floor.dtype).tiny
    curvature = at.prior + jnp.maximum(at.diagonal, 0.0) + floor + tiny**0.5
    return Preconditioner(curvature, jacobian * jnp.sqrt(at.weight))


class _Conjugate(NamedTuple):
    """State of conjugate gradients; names as in Steihaug's paper."""

    move: Params
    residual: Params
    direction: Params
    square: Scalar
    move_square: Scalar
    overlap: Scalar
    direction_square: Scalar
    bounded: ScalarBool
    products: ScalarInt


def conjugate_gradients(
    hessian: Linear,
    inverse: Linear,
    gradient: Params,
    start: Params,
    free: ParamsMask,
    radius: Scalar,
) -> tuple[Params, ScalarBool]:
    """Minimize the quadratic model from ``start`` over the free parameters.

    Stops where the preconditioned residual has fallen by a factor that tightens as the
    minimum comes near (superlinear convergence), at the radius, or on negative
    curvature, which is followed to the radius.

    Returns:
        The step, and whether radius or negative curvature cut it.
    """
    residual = -(gradient + hessian(start)) * free
    direction = inverse(residual)
    square = residual @ direction
    goal = square * jnp.minimum(0.01, square)
    zero = jnp.zeros_like(square)
    state = _Conjugate(
        start,
        residual,
        direction,
        square,
        zero,
        zero,
        square,
        jnp.array(False),
        jnp.array(0),
    )

    def unfinished(s: _Conjugate) -> ScalarBool:
        return ~s.bounded & (s.products < MAX_PRODUCTS) & (s.square > goal)

    def advance(s: _Conjugate) -> _Conjugate:
        return _advance(s, hessian(s.direction) * free, inverse, radius)

    end = jax.lax.while_loop(unfinished, advance, state)
    return end.move, end.bounded


def _advance(
    s: _Conjugate, product: Params, inverse: Linear, radius: Scalar
) -> _Conjugate:
    curvature = s.direction @ product
    negative = curvature <= 1e-14 * s.direction_square
    length = s.square / jnp.where(negative, 1.0, curvature)
    reached = s.move_square + length * (2 * s.overlap + length * s.direction_square)
    bounded = negative | (reached >= radius**2)
    room = jnp.maximum(radius**2 - s.move_square, 0.0)
    reach = jnp.sqrt(s.overlap**2 + s.direction_square * room) - s.overlap
    length = jnp.where(bounded, reach / s.direction_square, length)
    residual = s.residual - length * product
    turned = inverse(residual)
    square = residual @ turned
    ratio = square / s.square
    overlap = s.overlap + length * s.direction_square
    return _Conjugate(
        move=s.move + length * s.direction,
        residual=residual,
        direction=turned + ratio * s.direction,
        square=square,
        move_square=s.move_square + length * (s.overlap + overlap),
        overlap=ratio * overlap,
        direction_square=square + ratio**2 * s.direction_square,
        bounded=bounded,
        products=s.products + 1,
    )


class _Round(NamedTuple):
    """State of the search for the parameters that a step puts on their bounds."""

    move: Params
    free: ParamsMask
    bounded: ScalarBool
    crossed: ScalarBool
    rounds: ScalarInt


def newton_step(
    at: Expansion,
    params: Params,
    box: tuple[Params, Params],
    free: ParamsMask,
    radius: Scalar,
) -> Step:
    """Propose a step from ``params`` that stays inside the box.

    Args:
        at: expansion of the objective at ``params``.
        params: current parameters.
        box: lower and upper bounds.
        free: parameters that may move.
        radius: longest step, in standard deviations.
    """
    metric = fisher(at)
    lower, upper = box[0] - params, box[1] - params

    def again(s: _Round) -> _Round:
        move, bounded = conjugate_gradients(
            at.hessian_product,
            metric.inverse(s.free),
            at.gradient,
            s.move,
            s.free,
            radius,
        )
        over = s.free & ((move < lower) | (move > upper))
        move = jnp.clip(move, lower, upper)
        free = s.free & ~over
        return _Round(move, free, s.bounded | bounded, jnp.any(over), s.rounds + 1)

    start = _Round(
        jnp.zeros_like(params), free, jnp.array(False), jnp.array(True), jnp.array(0)
    )
    end = jax.lax.while_loop(
        lambda s: s.crossed & (s.rounds < MAX_ROUNDS), again, start
    )
    steep = _steepest(at, metric, (lower, upper), free, radius)
    gain, steep_gain = _gain(at, end.move), _gain(at, steep)
    poor = ~(gain > 0.1 * steep_gain)
    move = jnp.where(poor, steep, end.move)
    return Step(
        move=move,
        gain=jnp.where(poor, steep_gain, gain),
        length=metric.norm(move),
        bounded=end.bounded | poor,
        correction=_bend(at, metric, params, move, end.free),
    )


def _gain(at: Expansion, move: Params) -> Scalar:
    return -(at.gradient @ move + 0.5 * move @ at.hessian_product(move))


def _steepest(
    at: Expansion,
    metric: Preconditioner,
    room: tuple[Params, Params],
    free: ParamsMask,
    radius: Scalar,
) -> Params:
    """Projected steepest descent, each parameter in its own standard deviations."""
    scale = metric.diagonal()
    direction = jnp.where(free, -at.gradient / scale, 0.0)
    length = jnp.sqrt(jnp.sum(scale * direction**2))
    cut = jnp.minimum(1.0, radius / jnp.where(length > 0.0, length, 1.0))
    return jnp.clip(cut * direction, *room)


def _bend(
    at: Expansion,
    metric: Preconditioner,
    params: Params,
    move: Params,
    free: ParamsMask,
) -> Params:
    """Second-order correction of a step, for valleys that bend.

    The rates' second derivative along the step, by a finite difference, is what the
    linear model of the rates misses; half of it is taken back (geodesic acceleration,
    Transtrum and Sethna, arXiv:1201.5885).
    """
    small = 0.1
    moved = at.rates.model.expected_rates(params + small * move).sum(axis=0)
    slope = (moved - at.rates.rates) / small
    curve = 2.0 / small * (slope - move @ at.rates.jacobian)
    pull = at.rates.jacobian @ (at.weight * curve)
    return -0.5 * metric.inverse(free)(jnp.where(free, pull, 0.0))
