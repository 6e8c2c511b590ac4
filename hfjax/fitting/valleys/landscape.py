"""The likelihood around a minimum, with one or two nuisance parameters elsewhere.

Where lopsided systematics move the rates ``nu`` by ``T`` bins, all other parameters
follow. As long as they act linearly, with the Jacobian ``J`` and the inverse ``C`` of
their own curvature, the best they can do is a problem in the few bins: with
``K = J' C J``, the lowest value of

    sum_b deviance(n_b, nu_b + T_b + x_b) + x' K^-1 x / 2 - g' x

over the change ``x`` of the rates; ``g = 1 - n / nu`` at the minimum. One Newton step
reaches it nearly, so that hundreds of places cost a few small matrix products.
"""

from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Float, Int

from hfjax.arrays import Array, Params, ParamsMask, Rates, ScalarInt
from hfjax.fitting.box import Box
from hfjax.fitting.newton.metric import FEW, inverse_root
from hfjax.fitting.objective import Expansion, Objective, half_deviance
from hfjax.model.constraints import (
    GaussianConstraints,
    LogNormalConstraints,
    PoissonConstraints,
)
from hfjax.model.derivatives import (
    NEAR_ZERO_POLYNOMIAL,
    ChainedDerivatives,
    RateDerivatives,
    away_from_zero,
)
from hfjax.model.lookup import read
from hfjax.model.modifiers import NormSys, inner_factor, outer_exponent

NEVER_MORE = 1e-6
"""Least part of a direction that is left when a parameter no longer follows."""
WITHIN = 0.8
"""Part of the way to a rate of zero that the Newton step may go."""

Index = Int[Array, " moved"]
Places = Float[Array, "moved place"]
Shifts = Float[Array, "moved place bin"]


class LocalModel(NamedTuple):
    """What is known at a minimum.

    Attributes:
        derivatives: of the rates.
        params: the minimum.
        inverse: inverse of the parameters' own curvature, zero where they are held.
        directions: change of the rates, in units of their uncertainty, with each
            parameter moved by the root of ``inverse``.
        root: of the weight of each bin.
        still: ``(1 + A)^-1`` with ``A`` the matrix ``K`` in units of uncertainties.
        slope: ``g`` above.
        leaver: parameter on its bound that leaves it most easily, their number where
            there is none. It follows inward only, and so apart from all others.
        inward: change of the rates as it does; zero where there is none.
    """

    derivatives: RateDerivatives
    params: Params
    inverse: Params
    directions: Float[Array, "par bin"]
    root: Rates
    still: Float[Array, "bin bin"]
    slope: Rates
    leaver: ScalarInt
    inward: Rates


class Following(NamedTuple):
    """How all other parameters follow, at places.

    Attributes:
        response: ``K^-1 x``, from which their change follows.
        inward: how far the one on its bound leaves it.
    """

    response: Float[Array, "*place bin"]
    inward: Float[Array, "*place"]


def look_around(
    objective: Objective,
    params: Params,
    bounds: Box,
    fixed: ParamsMask,
) -> LocalModel:
    """Prepare for `heights`: expand the objective at a minimum."""
    at = objective.expand(params)
    rates, present = at.rates.rates, objective.model.bin_present
    free = ~fixed & (params > bounds.lower) & (params < bounds.upper)
    weight = 0.5 * (at.weight + at.fisher_weight)
    root = jnp.sqrt(jnp.where(present & (rates > 0.0), weight, 0.0))
    jacobian = jnp.asarray(at.rates.jacobian.matrix())
    own = at.prior + jnp.maximum(at.own_curvature, 0.0)
    floor = 1e-8 * ((jacobian * jacobian) @ at.fisher_weight) + 1e-100
    inverse = jnp.where(free, 1.0 / (own + floor), 0.0)
    directions = jnp.sqrt(inverse)[:, None] * jacobian * root
    still = _inverse(jnp.eye(root.size, dtype=root.dtype) + directions.T @ directions)
    inner = at.rates
    if isinstance(inner, ChainedDerivatives):
        inner = inner.inner
    leaver, inward = _leaver(at, ~fixed & ~free, params <= bounds.lower)
    return LocalModel(
        derivatives=inner,
        params=params,
        inverse=inverse,
        directions=directions,
        root=jnp.where(root > 0.0, root, 1.0),
        still=still,
        slope=jnp.where(root > 0.0, at.rate_gradient, 0.0),
        leaver=leaver,
        inward=inward,
    )


def _leaver(
    at: Expansion, bound: ParamsMask, below: ParamsMask
) -> tuple[ScalarInt, Rates]:
    """The unconstrained parameter on its bound that gains most easily inside it."""
    jacobian = jnp.asarray(at.rates.jacobian.matrix())
    bent = (jacobian * jacobian) @ at.weight
    may = bound & (at.prior == 0.0) & (bent > 0.0)
    toll = jnp.where(may, at.gradient**2 / jnp.where(may, bent, 1.0), jnp.inf)
    leaver = jnp.argmin(toll)
    inward = jnp.where(below[leaver], 1.0, -1.0) * jacobian[leaver]
    some = jnp.any(may)
    none = jnp.int32(bound.size)
    return jnp.where(some, leaver, none), jnp.where(some, inward, 0.0)


def _inverse(matrix: Float[Array, "bin bin"]) -> Float[Array, "bin bin"]:
    if matrix.shape[0] <= FEW:
        root = inverse_root(matrix)
        return root.T @ root
    factor = jnp.linalg.cholesky(matrix)
    one = jnp.eye(matrix.shape[0], dtype=matrix.dtype)
    return jax.scipy.linalg.cho_solve((factor, True), one)


def moved_rates(at: LocalModel, index: Index, places: Places) -> Shifts:
    """Rates of the bins with each parameter alone at each of its places.

    Args:
        at: what is known at a minimum.
        index: positions of the parameters, which histosys and normsys use.
        places: their values.
    """
    now, block = at.params[index], at.derivatives.block
    samples, look = block.block, at.derivatives.model.lookup
    rates = (block.rates / block.factor)[None, None]
    histosys, normsys = samples.histosys, samples.normsys
    if histosys.index.size:
        row = read(look.histosys, index, histosys.index.size)
        odd, even = (read(part, row)[:, None] for part in (histosys.odd, histosys.even))
        basis = histosys.basis(places) - histosys.basis(now)[:, None]
        moved = (places - now[:, None])[..., None, None]
        rates = rates + moved * odd + basis[..., None, None] * even
    rates = rates * block.factor
    if normsys.index.size:
        row = read(look.normsys, index, normsys.index.size)
        which = read(normsys.table, row, normsys.log_hi.size)
        before = _factors(normsys, now[:, None, None], which)
        after = _factors(normsys, places[..., None, None], which[:, None])
        ratio = after / away_from_zero(before, NEAR_ZERO_POLYNOMIAL)[:, None]
        rates = rates * ratio[..., at.derivatives.model.bin_channel]
    return jnp.broadcast_to(jnp.sum(rates, axis=2), (*places.shape, rates.shape[-1]))


def _factors(normsys: NormSys, alpha: Array, which: Array) -> Array:
    """Factors of variations at values of their parameters; 1 for empty ones."""
    exists = which < normsys.log_hi.size
    chosen = jnp.where(exists, which, 0)
    smooth = inner_factor(alpha, normsys.coefficients[:, chosen], normsys.edge)
    logs = normsys.log_hi[chosen], normsys.log_lo[chosen]
    steep = jnp.exp(outer_exponent(alpha, logs, normsys.edge))
    return jnp.where(exists, smooth * steep, 1.0)


def constraint_cost(objective: Objective, index: Index, places: Places) -> Places:
    """Half the deviance of each parameter's own constraint term, at each place."""
    model, aux, look = objective.model, objective.data.aux, objective.model.lookup
    cost = jnp.zeros_like(places)
    if model.gaussian.index.size:
        terms, counts = _terms(model.gaussian, look.gaussian, index)
        pull = (places - aux[terms.position]) / terms.width
        cost = cost + jnp.where(counts, 0.5 * pull**2, 0.0)
    if model.poisson.index.size:
        terms, counts = _terms(model.poisson, look.poisson, index)
        rate = (places + terms.shift) * terms.factor
        own = half_deviance(jnp.broadcast_to(aux[terms.position], rate.shape), rate)
        cost = cost + jnp.where(counts, own, 0.0)
    if model.lognormal.index.size:
        terms, counts = _terms(model.lognormal, look.lognormal, index)
        beta = terms.scale * (places + terms.shift)
        ratio = jnp.where(beta > 0.0, beta / aux[terms.position], 1.0)
        own = jnp.where(beta > 0.0, 0.5 * (jnp.log(ratio) / terms.width) ** 2, jnp.inf)
        cost = cost + jnp.where(counts, own, 0.0)
    return cost


Kind = TypeVar("Kind", GaussianConstraints, PoissonConstraints, LogNormalConstraints)


def _terms(terms: Kind, found: Int[Array, " par"], index: Index) -> tuple[Kind, Array]:
    """The constraint term of each parameter, in a column, and whether it has one."""
    number = terms.index.size
    row = read(found, index, number)
    chosen = jax.tree.map(lambda leaf: leaf[jnp.minimum(row, number - 1), None], terms)
    return chosen, (row < number)[:, None] & chosen.present


class Heights(NamedTuple):
    """How high the likelihood is at places, all other parameters at their best.

    Attributes:
        value: ``-2 ln L`` less that of the minimum.
        following: how the other parameters follow.
    """

    value: Array
    following: Following


def heights(
    objective: Objective,
    at: LocalModel,
    shift: Float[Array, "*place bin"],
    cost: Array,
    held: Float[Array, "*place number bin"],
) -> Heights:
    """Estimate the profile likelihood at places.

    Args:
        objective: half a deviance.
        at: what is known at its minimum.
        shift: ``T``, change of the rates.
        cost: half the deviance of constraint terms, less that at the minimum.
        held: of the parameters that are held there; see `held_direction`.
    """
    count, before = objective.data.main, at.derivatives.rates
    counts = objective.model.bin_present
    inward = jax.lax.cond(
        at.leaver < at.params.size,
        lambda: _inward(objective, at, before + shift, held),
        lambda: jnp.zeros_like(cost),
    )
    rates = before + shift + inward[..., None] * at.inward
    force, kept = _forces(objective, at, rates, held)
    change = (kept - force) / at.root
    stiff = -0.5 * jnp.sum((kept - force) * kept, axis=-1)
    linear = jnp.sum(at.slope * change, axis=-1)
    safe = jnp.where(rates > 0.0, rates, 1.0)
    room = jnp.where(change < 0.0, -WITHIN * safe / change, 1.0)
    length = jnp.minimum(jnp.min(jnp.where(counts, room, 1.0), axis=-1), 1.0)
    there = jnp.broadcast_to(count, rates.shape)
    bins = half_deviance(there, rates + length[..., None] * change)
    main = jnp.sum(jnp.where(counts, bins, 0.0), axis=-1)
    start = jnp.sum(jnp.where(counts, half_deviance(count, before), 0.0))
    value = main - start + length * (length * stiff - linear) + cost
    response = -(length[..., None] * at.root) * kept
    return Heights(2.0 * value, Following(response, inward))


def _forces(
    objective: Objective, at: LocalModel, rates: Array, held: Array
) -> tuple[Array, Array]:
    """What pulls the rates, and what is left of that once all parameters follow."""
    safe = jnp.where(rates > 0.0, rates, 1.0)
    pull = 1.0 - objective.data.main / safe
    slope = jnp.where(objective.model.bin_present, pull, 0.0) - at.slope
    force = slope / at.root
    along = jnp.einsum("...kb,...b->...k", held, force)
    return force, force @ at.still + jnp.einsum("...kb,...k->...b", held, along)


def _inward(objective: Objective, at: LocalModel, rates: Array, held: Array) -> Array:
    """How far a parameter leaves its bound, all others following.

    The weight ``1 / nu`` at the place is that of the chord to the data.
    """
    own = at.inward * at.root
    kept = _forces(objective, at, rates, held)[1]
    slope = jnp.sum(at.inward * at.slope) + kept @ own
    safe = jnp.where(rates > 0.0, rates, jnp.inf)
    heavier = jnp.sum(at.inward**2 / safe, axis=-1) / jnp.sum(own**2)
    bent = own @ at.still @ own + jnp.sum((held @ own) ** 2, axis=-1)
    bent = bent * heavier
    return jnp.maximum(0.0, -slope / jnp.where(bent > 0.0, bent, jnp.inf))


def held_direction(
    at: LocalModel, index: Index, before: Float[Array, "moved number bin"]
) -> Float[Array, "moved bin"]:
    """What changes in `LocalModel.still` where a parameter does not follow any more.

    By the formula of Sherman and Morrison: the inverse gains the square of this.

    Args:
        at: what is known at a minimum.
        index: positions of the parameters.
        before: the same of parameters that are held already.
    """
    own = at.directions[index]
    still = own @ at.still + jnp.einsum(
        "jkb,jk->jb", before, jnp.einsum("jkb,jb->jk", before, own)
    )
    left = jnp.maximum(1.0 - jnp.sum(own * still, axis=-1), NEVER_MORE)
    return still / jnp.sqrt(left)[:, None]


def held_together(at: LocalModel, held: ParamsMask) -> LocalModel:
    """The same with several parameters that do not follow any more."""
    directions = jnp.where(held[:, None], 0.0, at.directions)
    one = jnp.eye(at.root.size, dtype=at.root.dtype)
    return at._replace(
        inverse=jnp.where(held, 0.0, at.inverse),
        directions=directions,
        still=_inverse(one + directions.T @ directions),
    )


def held_along(at: LocalModel, direction: Params) -> LocalModel:
    """The same with parameters that do not follow along a direction any more."""
    root = direction * jnp.sqrt(at.inverse)
    unit = root / jnp.maximum(jnp.linalg.norm(root), NEVER_MORE)
    own = unit @ at.directions
    alone = own @ at.still
    left = jnp.maximum(1.0 - own @ alone, NEVER_MORE)
    return at._replace(
        directions=at.directions - unit[:, None] * own,
        still=at.still + alone[:, None] * alone / left,
    )


def follow(
    at: LocalModel,
    how: Following,
    moved: ParamsMask,
    bounds: Box,
) -> Params:
    """Parameters near a place: all but the moved ones follow, inside their bounds.

    Args:
        at: what is known at a minimum.
        how: of `heights`, at the place.
        moved: parameters that are put elsewhere, and stay where they are here.
        bounds: lower and upper bound of each parameter.
    """
    root = jnp.sqrt(jnp.where(moved, 0.0, at.inverse))
    step = root * (at.directions @ (how.response / at.root))
    below = at.params <= bounds.lower
    inward = jnp.where(below, how.inward, -how.inward)
    step = step.at[at.leaver].set(inward[at.leaver], mode="drop")
    return jnp.where(moved, at.params, jnp.clip(at.params + step, *bounds))
