"""Derivatives of best fits, by the implicit function theorem.

At a minimum the gradient ``g(x, theta)`` of the objective is zero in the free
parameters, whatever it depends on otherwise, ``x``: data, yields, widths, held values.
Hence

    dtheta_free = -H_ff^-1 (dg_f/dx dx + H_fh dtheta_held),

with the exact Hessian ``H``; held parameters move with their values, those on a bound
with the bound. The lowest value moves as if the free parameters stood still. No step of
a minimizer is differentiated, and nothing is computed where no derivative is asked for.

At a kink there are two derivatives, of which one is given: a parameter exactly on its
bound moves with the bound; a fit that may change its valley stays in it.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from hfjax.arrays import Params, ParamsMask, Scalar, ScalarBool
from hfjax.fitting.objective import Objective
from hfjax.fitting.result import FitResult
from hfjax.fitting.spectrum import among
from hfjax.fitting.status import FitStatus
from hfjax.model.data import Data
from hfjax.model.model import Model


class Ends(NamedTuple):
    """What of a fit has derivatives.

    Attributes:
        params: parameters at the minimum.
        deviance: deviance there.
        twice_nll: ``-2 ln L`` there.
    """

    params: Params
    deviance: Scalar
    twice_nll: Scalar


def constant(tree: Any) -> Any:
    """A pytree that has no derivatives.

    Example:
        >>> float(jax.grad(lambda x: x * constant(x))(3.0))
        3.0
    """
    return jax.lax.stop_gradient(tree)


def with_derivatives(
    result: FitResult, objective: Objective, start: Params, fixed: ParamsMask
) -> FitResult:
    """Give a best fit the derivatives of its parameters and of its lowest value.

    Those of a fit that has not converged are NaN.

    Args:
        result: of the fit; a constant.
        objective: what was minimized.
        start: where it started; the values of what it held.
        fixed: what it held.
    """
    found = Ends(result.params, result.deviance, result.twice_nll)
    ok = result.code == FitStatus.CONVERGED
    found = _implicit(objective, jnp.asarray(start), fixed, ok, constant(found))
    return dataclasses.replace(result, **found._asdict())


@jax.custom_jvp
def _implicit(
    objective: Objective, start: Params, fixed: ParamsMask, ok: ScalarBool, found: Ends
) -> Ends:
    """What was found, as a function of what it depends on."""
    del objective, start, fixed, ok
    return found


@_implicit.defjvp
def _implicit_jvp(
    primals: tuple[Objective, Params, ParamsMask, ScalarBool, Ends],
    tangents: tuple[Any, ...],
) -> tuple[Ends, Ends]:
    objective, _, fixed, ok, _ = primals
    objective_dot, start_dot, *_ = tangents
    found = _implicit(*primals)  # not the constant: derivatives have derivatives
    params, own = found.params, objective.model.parameters
    low, high = params <= own.lower, params >= own.upper
    bounds_dot = objective_dot.model.parameters
    at_bound = jnp.where(low, bounds_dot.lower, jnp.where(high, bounds_dot.upper, 0.0))
    held_dot = jnp.where(fixed, start_dot, at_bound)
    free = ~(jnp.asarray(fixed) | low | high)
    force = jax.jvp(_gradient, (objective, params), (objective_dot, held_dot))[1]
    params_dot = held_dot - solved(objective, params, force, free)
    dots = (objective_dot, held_dot)  # free ones change nothing at a minimum
    half = jax.jvp(Objective.value, (objective, params), dots)[1]
    offset = jax.jvp(Objective.offset, (objective,), (objective_dot,))[1]
    known = jnp.where(ok, 1.0, jnp.nan)
    dots = Ends(params_dot, 2.0 * half, 2.0 * (half + offset))
    return found, jax.tree.map(lambda dot: known * dot, dots)


def _gradient(objective: Objective, params: Params) -> Params:
    return jax.grad(objective.value)(params)


def solved(
    objective: Objective, params: Params, force: Params, free: ParamsMask
) -> Params:
    """Solve ``H x = force`` with the exact Hessian in the free parameters.

    Args:
        objective: half a deviance.
        params: where its Hessian is taken.
        force: right side; zero is taken where a parameter is not free.
        free: parameters that move; those that change nothing do not.

    Returns:
        The solution, zero where a parameter does not move.
    """
    hessian = objective.hessian(params)
    moves = free & jnp.any(hessian != 0.0, axis=1)
    return jnp.linalg.solve(among(hessian, moves), jnp.where(moves, force, 0.0))


@jax.custom_jvp
def expected_at(model: Model, params: Params, data: Data) -> Data:
    """Asimov data that are known, as a function of what they depend on.

    Args:
        model: a model; names are not needed.
        params: parameters that the data are expected at.
        data: the data; a constant.
    """
    del model, params
    return data


@expected_at.defjvp
def _expected_at_jvp(
    primals: tuple[Model, Params, Data], tangents: tuple[Any, Any, Any]
) -> tuple[Data, Data]:
    model, params, _ = primals
    dot = jax.jvp(Model.expected_data, (model, params), tangents[:2])[1]
    return expected_at(*primals), dot
