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


class Conjugate(NamedTuple):
    """State of conjugate gradients; names as in Steihaug's paper.

    Attributes:
        move: the step so far.
        product: its product with the Hessian.
        residual: negative gradient of the model there.
        direction: to follow next.
        square: preconditioned square of the residual.
        goal: where that is small enough.
        move_square: length of what has been added to the step, squared.
        overlap: of that and the direction.
        direction_square: length of the direction, squared.
        bounded: radius or negative curvature have cut the step.
        measures: the direction is the step itself, whose product is not known yet.
        products: products with the Hessian so far.
    """

    move: Params
    product: Params
    residual: Params
    direction: Params
    square: Scalar
    goal: Scalar
    move_square: Scalar
    overlap: Scalar
    direction_square: Scalar
    bounded: ScalarBool
    measures: ScalarBool
    products: ScalarInt


def from_move(move: Params) -> Conjugate:
    """Begin at a step, whose product with the Hessian is the first to be made.

    So that this stands once in a compiled fit.
    """
    none, zero = jnp.zeros_like(move), jnp.zeros((), move.dtype)
    return Conjugate(
        move=move,
        product=none,
        residual=none,
        direction=move,
        square=jnp.full_like(zero, jnp.inf),
        goal=zero,
        move_square=zero,
        overlap=zero,
        direction_square=zero,
        bounded=jnp.array(False),
        measures=jnp.array(True),
        products=jnp.int32(0),
    )


def from_rest(gradient: Params, inverse: Linear, free: ParamsMask) -> Conjugate:
    """Begin without a step.

    Args:
        gradient: of the model.
        inverse: product with the inverse of the metric, zero where not free.
        free: parameters that may move.
    """
    residual = -gradient * free
    direction = inverse(residual)
    square = residual @ direction
    return from_move(jnp.zeros_like(gradient))._replace(
        residual=residual,
        direction=direction,
        square=square,
        goal=goal_of(square),
        direction_square=square,
        measures=jnp.array(False),
    )


def goal_of(square: Scalar) -> Scalar:
    """Where a residual is small enough: it tightens as the minimum comes near."""
    return square * jnp.minimum(0.01, square)


class Quadratic(NamedTuple):
    """A quadratic model, and how it is minimized.

    Attributes:
        gradient: at no step.
        hessian: product with the Hessian.
        inverse: product with the inverse of the metric, zero where not free.
        free: parameters that may move.
        radius: longest move from the start, in the norm of the metric.
    """

    gradient: Params
    hessian: Linear
    inverse: Linear
    free: ParamsMask
    radius: Scalar


def conjugate_gradients(
    model: Quadratic, begin: Conjugate, most: ScalarInt | int = MAX_PRODUCTS
) -> Conjugate:
    """Minimize a quadratic model over the free parameters.

    Stops where the preconditioned residual has fallen by a factor that tightens as the
    minimum comes near (superlinear convergence), at the radius, or on negative
    curvature, which is followed to the radius.

    Args:
        model: what is minimized.
        begin: of `from_move` or `from_rest`.
        most: products with the Hessian after which they are cut off.
    """

    def unfinished(s: Conjugate) -> ScalarBool:
        return ~s.bounded & (s.products < most) & (s.square > s.goal)

    return jax.lax.while_loop(unfinished, lambda s: _advance(model, s), begin)


def _advance(model: Quadratic, s: Conjugate) -> Conjugate:
    product = model.hessian(s.direction)
    curvature = s.direction @ (product * model.free)
    negative = curvature <= 1e-14 * s.direction_square
    length = s.square / jnp.where(negative, 1.0, curvature)
    reached = s.move_square + length * (2 * s.overlap + length * s.direction_square)
    bounded = negative | (reached >= model.radius**2)
    room = jnp.maximum(model.radius**2 - s.move_square, 0.0)
    reach = jnp.sqrt(s.overlap**2 + s.direction_square * room) - s.overlap
    length = jnp.where(bounded, reach / s.direction_square, length)
    length = jnp.where(s.measures, 0.0, length)
    whole = jnp.where(s.measures, product, s.product + length * product)
    fresh = -(model.gradient + product) * model.free
    less = s.residual - length * product * model.free
    residual = jnp.where(s.measures, fresh, less)
    turned = model.inverse(residual)
    square = residual @ turned
    ratio = jnp.where(s.measures, 0.0, square / s.square)
    overlap = s.overlap + length * s.direction_square
    return Conjugate(
        move=s.move + length * s.direction,
        product=whole,
        residual=residual,
        direction=turned + ratio * s.direction,
        square=square,
        goal=jnp.where(s.measures, goal_of(square), s.goal),
        move_square=s.move_square + length * (s.overlap + overlap),
        overlap=ratio * overlap,
        direction_square=square + ratio**2 * s.direction_square,
        bounded=bounded & ~s.measures,
        measures=jnp.array(False),
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
        lambda s: s.crossed & (s.rounds <= MAX_ROUNDS),
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
    """Minimize, put what crosses a bound on it, and free the rest for another round.

    The last one only looks what the quadratic model says of the step as it is.
    """
    model = Quadratic(at.gradient, at.hessian_product, s.inverse, s.free, radius)
    most = jnp.where(s.rounds < MAX_ROUNDS, MAX_PRODUCTS + 1, 1)
    found = conjugate_gradients(model, from_move(s.move), most)
    over = s.free & ((found.move < room.lower) | (found.move > room.upper))
    crossed = jnp.any(over)
    free = s.free & ~over
    inverse = jax.lax.cond(crossed, metric.inverse, lambda _: s.inverse, free)
    return _Round(
        move=jnp.clip(found.move, *room),
        product=found.product,
        free=free,
        inverse=inverse,
        bounded=s.bounded | found.bounded,
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
    other = promise - 0.5 * metric.norm(steep) ** 2
    poor = ~(gain >= 0.02 * promise) & ~(gain >= 0.1 * other)
    return jnp.where(poor, steep, move), jnp.where(poor, other, gain), poor
