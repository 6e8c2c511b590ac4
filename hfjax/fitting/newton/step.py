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
from hfjax.fitting.box import Box
from hfjax.fitting.newton.metric import Inverse, Metric
from hfjax.fitting.objective import Expansion

Linear = Callable[[Array], Array]

MAX_PRODUCTS = 80
"""Hessian products after which conjugate gradients are cut off."""
MAX_ROUNDS = 6
"""How often a step is minimized again after parameters have met their bounds."""
SIDEWAYS = 0.02
"""Length of a step off a saddle, in standard deviations of its parameter."""
SADDLE = -1e-3
"""Curvature of a parameter, relative to its Fisher information, below which a point at
rest is no minimum."""


class Step(NamedTuple):
    """A proposed step.

    Attributes:
        move: change of the parameters, inside the box.
        gain: decrease that the quadratic model promises.
        length: length in the norm of the Fisher matrix.
        bounded: the step was cut by the trust region or by negative curvature.
        scoring: the whole Fisher-scoring step, whatever the radius and the bounds.
        metric: Fisher matrix, which measures lengths.
        inverse: inverse of the metric on the free parameters.
    """

    move: Params
    gain: Scalar
    length: Scalar
    bounded: ScalarBool
    scoring: Params
    metric: Metric
    inverse: Inverse


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
    start: tuple[Params, Params],
    free: ParamsMask,
    radius: Scalar,
) -> tuple[Params, ScalarBool]:
    """Minimize the quadratic model over the free parameters.

    Stops where the preconditioned residual has fallen by a factor that tightens as the
    minimum comes near (superlinear convergence), at the radius, or on negative
    curvature, which is followed to the radius.

    Args:
        hessian: product with the Hessian.
        inverse: product with the inverse of the metric, zero where not free.
        start: a step, and the negative gradient of the model there.
        free: parameters that may move.
        radius: longest move from the start, in the norm of the metric.

    Returns:
        The step, and whether radius or negative curvature cut it.
    """
    move, residual = start[0], start[1] * free
    direction = inverse(residual)
    square = residual @ direction
    goal = square * jnp.minimum(0.01, square)
    zero = jnp.zeros_like(square)
    state = _Conjugate(
        move=move,
        residual=residual,
        direction=direction,
        square=square,
        move_square=zero,
        overlap=zero,
        direction_square=square,
        bounded=jnp.array(False),
        products=jnp.int32(0),
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
    product: Params
    free: ParamsMask
    inverse: Inverse
    bounded: ScalarBool
    crossed: ScalarBool
    rounds: ScalarInt


def newton_step(
    at: Expansion,
    metric: Metric,
    params: Params,
    box: Box,
    free: ParamsMask,
    radius: Scalar,
) -> Step:
    """Propose a step from ``params`` that stays inside the box.

    Args:
        at: expansion of the objective at ``params``.
        metric: its Fisher matrix.
        params: current parameters.
        box: lower and upper bounds.
        free: parameters that may move.
        radius: longest step, in standard deviations.
    """
    room = Box(box.lower - params, box.upper - params)
    none = jnp.zeros_like(params)
    first = metric.inverse(free)
    start = _Round(
        none, none, free, first, jnp.array(False), jnp.array(True), jnp.int32(0)
    )
    end = jax.lax.while_loop(
        lambda s: s.crossed & (s.rounds < MAX_ROUNDS),
        lambda s: _round(s, at, metric, room, radius),
        start,
    )
    gain = -(at.gradient @ end.move + 0.5 * end.move @ end.product)
    move, gain, poor = _or_steepest(
        at, metric, room, radius, Proposal(end.move, gain, free)
    )
    return Step(
        move=move,
        gain=gain,
        length=metric.norm(move),
        bounded=end.bounded | poor,
        scoring=-first(jnp.where(free, at.gradient, 0.0)),
        metric=metric,
        inverse=first,
    )


def _round(
    s: _Round,
    at: Expansion,
    metric: Metric,
    room: Box,
    radius: Scalar,
) -> _Round:
    """Minimize, put what crosses a bound on it, and free the rest for another round."""
    start = s.move, -(at.gradient + s.product)
    move, bounded = conjugate_gradients(
        at.hessian_product, s.inverse, start, s.free, radius
    )
    over = s.free & ((move < room.lower) | (move > room.upper))
    crossed = jnp.any(over)
    free = s.free & ~over
    move = jnp.clip(move, *room)
    inverse = jax.lax.cond(crossed, metric.inverse, lambda _: s.inverse, free)
    return _Round(
        move=move,
        product=at.hessian_product(move),
        free=free,
        inverse=inverse,
        bounded=s.bounded | bounded,
        crossed=crossed,
        rounds=s.rounds + 1,
    )


def off_saddle(
    at: Expansion,
    step: Step,
    params: Params,
    box: Box,
    free: ParamsMask,
) -> tuple[Step, ScalarBool]:
    """Propose a step off a point at rest where one parameter alone bends downwards.

    A rate that is even in a parameter, as with equal variations up and down, has no
    gradient at zero, also where both sides are lower.

    Args:
        at: expansion of the objective at ``params``.
        step: a step that hardly moves.
        params: a point at rest.
        box: lower and upper bounds.
        free: parameters that may move.

    Returns:
        A step along that parameter, or the same where there is none; and whether there
        is one.
    """
    if params.size == 0:
        return step, jnp.array(False)
    scale = step.metric.diagonal()
    curvature = jnp.where(free, scale + jnp.minimum(at.own_curvature, 0.0), scale)
    which = jnp.argmin(curvature / scale)
    length = SIDEWAYS / jnp.sqrt(scale[which])
    length = jnp.where(params[which] + length > box.upper[which], -length, length)
    move = jnp.zeros_like(params).at[which].set(length)
    saddle = curvature[which] < SADDLE * scale[which]
    aside = step._replace(
        move=jnp.where(saddle, move, step.move),
        gain=jnp.where(saddle, -0.5 * curvature[which] * length**2, step.gain),
        length=jnp.where(saddle, step.metric.norm(move), step.length),
        bounded=step.bounded | saddle,
    )
    return aside, saddle


class Proposal(NamedTuple):
    """A step as bounds have left it.

    Attributes:
        move: change of the parameters.
        gain: decrease that the quadratic model promises.
        free: parameters that may move.
    """

    move: Params
    gain: Scalar
    free: ParamsMask


def _or_steepest(
    at: Expansion,
    metric: Metric,
    room: Box,
    radius: Scalar,
    proposal: Proposal,
) -> tuple[Params, Scalar, ScalarBool]:
    """Fall back on steepest descent where bounds have spoilt a step.

    Projected steepest descent, each parameter in units of its own standard deviation,
    always leads down if it is short enough.
    """
    move, gain, free = proposal
    scale = metric.diagonal()
    direction = jnp.where(free, -at.gradient / scale, 0.0)
    length = jnp.sqrt(jnp.sum(scale * direction**2))
    cut = jnp.minimum(1.0, radius / jnp.where(length > 0.0, length, 1.0))
    steep = jnp.clip(cut * direction, *room)
    promise = -at.gradient @ steep
    doubtful = ~(gain >= 0.02 * promise)

    def compare(_: None) -> tuple[Params, Scalar, ScalarBool]:
        other = promise - 0.5 * steep @ at.hessian_product(steep)
        poor = ~(gain >= 0.1 * other)
        return jnp.where(poor, steep, move), jnp.where(poor, other, gain), poor

    return jax.lax.cond(
        doubtful, compare, lambda _: (move, gain, jnp.array(False)), None
    )
