"""Minimizers of jaxopt and optax behind the signature of our own.

`find_minimizer` gives a function

    minimize(objective, start, bounds, fixed, settings) -> Minimum

by its name; the objective is a negative log-likelihood, or half a deviance, as a
function of the parameters. They are here for comparison, and for objectives that
Newton's method does not like; they are slower than it and reach less. They do not
judge themselves: the estimated distance to the minimum (EDM) from the exact Hessian
where they ended says whether they converged, as it does for Newton's method.

All work in scaled parameters, each in units of 1/sqrt(its own second derivative at the
start) but at most a tenth of its range: parameters of a likelihood differ in width by
factors of a hundred.

jaxopt and optax are imported when one of their minimizers runs, and only here.
"""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from hfjax.arrays import Params, ParamsMask, Scalar, ScalarBool, ScalarInt
from hfjax.errors import unknown_name
from hfjax.fitting.box import Box
from hfjax.fitting.newton.descend import Minimum
from hfjax.fitting.others.scaled import Function, Scaled, flatness, judge, scale
from hfjax.fitting.status import FitSettings

Minimizer = Callable[[Function, Params, Box, ParamsMask, FitSettings], Minimum]

_LINE_SEARCH = 30  # halvings of a step before a direction is given up
_SUFFICIENT = 1e-4  # of the decrease that the slope promises (Armijo's rule)
_MEMORY = 20  # steps that L-BFGS remembers


def _jaxopt():
    """Import jaxopt without its announcement that it is unmaintained: it is known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import jaxopt
    return jaxopt


def jaxopt_lbfgsb(
    objective: Function,
    start: Params,
    bounds: Box,
    fixed: ParamsMask,
    settings: FitSettings,
) -> Minimum:
    """Minimize with jaxopt's LBFGSB; works under `jax.jit` and `jax.vmap`."""
    scaled = scale(objective, start, bounds, fixed)
    solver = _jaxopt().LBFGSB(
        scaled.value_and_grad,
        value_and_grad=True,
        maxiter=settings.max_steps,
        tol=flatness(settings),
        implicit_diff=False,
        linesearch="backtracking",
    )
    z, state = solver.run(jnp.zeros_like(start), bounds=(scaled.lower, scaled.upper))
    return judge(scaled, z, state.iter_num, settings)


class _Walk(eqx.Module):
    """Where a descent is.

    Attributes:
        z: the point.
        value: of the objective there.
        slope: gradient there.
        memory: what the step before leaves for the next.
        failures: steps in a row that led nowhere.
        steps: taken so far.
    """

    z: Params
    value: Scalar
    slope: Params
    memory: PyTree
    failures: ScalarInt
    steps: ScalarInt


def _walk(
    scaled: Scaled,
    advance: Callable[[_Walk], _Walk],
    memory: PyTree,
    settings: FitSettings,
) -> Minimum:
    """Advance from z = 0 until the projected gradient vanishes, or nothing helps."""
    zero = jnp.zeros_like(scaled.start)
    none = jnp.zeros((), jnp.int32)
    first = _Walk(zero, *scaled.value_and_grad(zero), memory, none, none)

    def unfinished(walk: _Walk) -> ScalarBool:
        steep = jnp.max(jnp.abs(scaled.downhill(walk.z, walk.slope)))
        more = (walk.steps < settings.max_steps) & (walk.failures < 2)
        return more & (steep > flatness(settings))

    last = jax.lax.while_loop(unfinished, advance, first)
    return judge(scaled, last.z, last.steps, settings)


def optax_lbfgs(
    objective: Function,
    start: Params,
    bounds: Box,
    fixed: ParamsMask,
    settings: FitSettings,
) -> Minimum:
    """Minimize with optax's L-BFGS on the faces of the box; `jit` and `vmap` work.

    Parameters that a bound holds are left out of a step, which is then projected on
    the box. The memory belongs to one face: it is dropped when a parameter arrives at
    a bound or leaves it, and after a step across negative curvature.

    >>> import jax.numpy as jnp
    >>> start, fixed = jnp.zeros(2), jnp.zeros(2, bool)
    >>> bounds = Box(jnp.full(2, -5.0), jnp.asarray([5.0, 0.5]))
    >>> centre = jnp.asarray([2.0, 1.0])
    >>> found = optax_lbfgs(
    ...     lambda p: jnp.sum((p - centre) ** 2), start, bounds, fixed, FitSettings()
    ... )
    >>> [round(float(p), 3) for p in found.params], int(found.status)
    ([2.0, 0.5], 0)
    """
    import optax

    scaled = scale(objective, start, bounds, fixed)
    lbfgs = optax.scale_by_lbfgs(memory_size=_MEMORY)
    memory = (lbfgs.init(jnp.zeros_like(start)), jnp.zeros((), bool))
    return _walk(scaled, partial(_lbfgs_step, scaled, lbfgs), memory, settings)


def _lbfgs_step(scaled: Scaled, lbfgs: Any, walk: _Walk) -> _Walk:
    """One step of L-BFGS on the present face, and a line search along it."""
    state, restart = walk.memory
    state = jax.tree.map(partial(jnp.where, restart), lbfgs.init(walk.z), state)
    movable = scaled.movable(walk.z, walk.slope)
    slope = jnp.where(movable, walk.slope, 0.0)
    step, state = lbfgs.update(slope, state, walk.z)
    step = jnp.where(movable, -step, 0.0)
    step = jnp.where(jnp.vdot(step, slope) < 0.0, step, -slope)
    z, found = _line_search(scaled, walk, step)
    value, slope = scaled.value_and_grad(z)
    bent = jnp.vdot(jnp.where(movable, slope - walk.slope, 0.0), z - walk.z)
    other_face = jnp.any(scaled.movable(z, slope) != movable)
    return _Walk(
        z=z,
        value=value,
        slope=slope,
        memory=(state, other_face | (bent <= 0.0) | ~found),
        failures=jnp.where(found, 0, walk.failures + 1),
        steps=walk.steps + 1,
    )


def _line_search(
    scaled: Scaled, walk: _Walk, step: Params
) -> tuple[Params, ScalarBool]:
    """Halve a step, projected on the box, until it pays as the slope promised."""

    def halve(search: tuple) -> tuple:
        tried, fraction, _, _ = search
        z = scaled.clip(walk.z + fraction * step)
        promised = jnp.vdot(walk.slope, z - walk.z)
        low = scaled.value(z) <= walk.value + _SUFFICIENT * promised
        return tried + 1, fraction / 2.0, z, low & (promised < 0.0)

    def unfinished(search: tuple) -> ScalarBool:
        tried, _, _, found = search
        return ~found & (tried < _LINE_SEARCH)

    first = (
        jnp.zeros((), jnp.int32),
        jnp.ones_like(walk.value),
        walk.z,
        jnp.zeros((), bool),
    )
    _, _, z, found = jax.lax.while_loop(unfinished, halve, first)
    return jnp.where(found, z, walk.z), found


MINIMIZERS: dict[str, Minimizer] = {
    "jaxopt-lbfgsb": jaxopt_lbfgsb,
    "optax-lbfgs": optax_lbfgs,
}
"""The minimizers of other packages by the names that settings use."""


def find_minimizer(name: str) -> Minimizer:
    """Return the minimizer of this name.

    Raises:
        UnknownNameError: there is none; close names are suggested.

    >>> find_minimizer("optax-lbfgs").__name__
    'optax_lbfgs'
    """
    if name not in MINIMIZERS:
        error = unknown_name("minimizer", name, MINIMIZERS)
        raise error
    return MINIMIZERS[name]
