"""Likelihood scans: best fits with some parameters held on a grid."""

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from hfjax.arrays import Array, Params, ScalarBool, ScalarInt
from hfjax.compiled.canonical import canonical
from hfjax.compiled.lanes import map_lanes, one_by_one
from hfjax.compiled.program import Program
from hfjax.errors import FitError, ParameterError, outside_bounds
from hfjax.fitting.best_fit import NOTHING, best_fit
from hfjax.fitting.checks import check_inputs, holding
from hfjax.fitting.implicit import constant, with_derivatives
from hfjax.fitting.objective import Objective
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.fitting.valleys.candidates import is_near, valley_marks
from hfjax.fitting.valleys.found import Told
from hfjax.html_table import html_table
from hfjax.inference.test_state import CONSISTENCY
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.parameters import Value
from hfjax.model.tracing import is_known
from hfjax.record import Record, is_single, json_numbers, refuse_batch

Grid = Mapping[str, Sequence[float] | Array]
"""Values of parameters, by their names."""

Points = Float[Array, "point held"]
Positions = Int[Array, " held"]


class ProfileResult(Record):
    """A likelihood scan; arrays have one axis for each parameter that was held.

    Attributes:
        names: parameters that were held, in the order of the axes.
        values: values of each.
        delta: ``2NLL`` of the best fit at each point less that of the free fit, never
            negative; NaN where one of the two did not converge.
        status: worst `FitStatus` of both. A point below the free fit, by more than
            rounding, is a failure of its own.
        fits: best fits at the points, with all other parameters.
        free: fit of all parameters.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    values: tuple[Array, ...]
    delta: Float[Array, "..."]
    status: Int[Array, "..."]
    fits: FitResult
    free: FitResult

    @property
    def converged(self) -> bool:
        """Whether all fits converged."""
        return bool(np.all(np.asarray(self.status) == FitStatus.CONVERGED))

    def raise_if_failed(self) -> "ProfileResult":
        """Return the result itself, or raise if a fit did not converge.

        Raises:
            FitError: what happened at the worst point, and what to try.
        """
        if not self.converged:
            raise FitError(FitStatus(int(np.max(self.status))).sentence)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The scan as JSON values: names, values, and a table of `delta` and statuses.

        Raises:
            ArgumentError: it is a batch, or inside ``jit`` or ``vmap``.
        """
        refuse_batch(self.free)
        codes = np.asarray(self.status)
        names = np.array([str(status) for status in FitStatus])
        return {
            "names": list(self.names),
            "values": [json_numbers(axis) for axis in self.values],
            "delta": json_numbers(self.delta),
            "status": names[codes].tolist(),
            "free": self.free.to_dict(),
        }

    def __repr__(self) -> str:
        """The curve, or the size of the table; inside ``jit`` the shapes."""
        if not is_single(self.free) or len(self.values) != 1:
            return eqx.tree_pformat(self)
        state = "converged" if self.converged else "not all converged"
        head = f"ProfileResult: {self.names[0]}, {self.delta.size} values, {state}"
        pairs = zip(self.values[0], self.delta, strict=True)
        rows = [f"  {float(v):<10.6g} {float(d):.6g}" for v, d in list(pairs)[:20]]
        columns = f"  {self.names[0]:<10} -2 Delta ln L"
        return "\n".join([head, columns, *rows])

    def _repr_html_(self) -> str | None:
        """A table of all points, for notebooks; None inside ``jit`` and of batches."""
        if not is_single(self.free):
            return None
        mesh = np.meshgrid(*self.values, indexing="ij")
        table = np.stack([*mesh, self.delta], axis=-1)
        state = "converged" if self.converged else "not all converged"
        columns = [*self.names, "-2 Delta ln L"]
        rows = table.reshape(-1, len(columns)).tolist()
        return html_table(f"ProfileResult: {state}", columns, rows)


def profile(
    model: Model,
    data: Data,
    grid: Grid,
    *,
    fixed: Mapping[str, Value] = NOTHING,
    settings: FitSettings = FitSettings(),
) -> ProfileResult:
    """Scan the profile likelihood ratio over a grid of one or more parameters.

    ``-2 ln lambda(mu) = 2NLL(mu, theta_hathat) - 2NLL(mu_hat, theta_hat)`` at all
    combinations of the values: one compiled program fits them all. On a CPU each fit
    starts where its neighbour ended, or at the free fit if that is better there; on
    accelerators all run at once from the free fit. The free fit is repeated from the
    lowest point, so that none lies below it.

    Args:
        model: a model; a parameter of interest is not needed.
        data: observed, Asimov or toy data.
        grid: values to hold parameters at, by name; ``gamma[1]`` is a component.
        fixed: values that all fits hold other parameters at, by name, as in `fit`.
        settings: minimizer, steps and tolerance of all fits.

    Returns:
        The scan; look at its ``status``.

    Raises:
        UnknownNameError: there is no such parameter; close names are given.
        ParameterError: a parameter is fixed, has several components or is given by an
            expression; or its values are no finite numbers inside its bounds.
        DataError: the data have the wrong shape, or are no counts.

    Source:
        Cowan, Cranmer, Gross, Vitells, arXiv:1007.1727, eq. 7.

    Example:
        >>> import hfjax
        >>> mu = {"name": "mu", "type": "normfactor", "data": None}
        >>> signal = {"name": "signal", "data": [10.0], "modifiers": [mu]}
        >>> config = {"poi": "mu", "parameters": []}
        >>> workspace = {
        ...     "channels": [{"name": "SR", "samples": [signal]}],
        ...     "observations": [{"name": "SR", "data": [10.0]}],
        ...     "measurements": [{"name": "search", "config": config}],
        ...     "version": "1.0.0",
        ... }
        >>> model, data = hfjax.build(hfjax.Workspace.parse(workspace))
        >>> scan = hfjax.profile(model, data, {"mu": [0.5, 1.0, 2.0]})
        >>> [round(delta, 4) for delta in scan.delta.tolist()]
        [3.8629, 0.0, 6.1371]
    """
    check_inputs(model, data, settings)
    model = holding(model, fixed)
    positions = held_positions(model, grid)
    places = zip(grid, positions, grid.values(), strict=True)
    values = [_checked(model, *place) for place in places]
    shape = tuple(value.size for value in values)
    order = _serpentine(shape)
    mesh = np.meshgrid(*values, indexing="ij")
    points = np.stack([axis.ravel()[order] for axis in mesh], axis=1)
    dtype = model.parameters.init.dtype
    own, known = canonical(model, jax.tree.map(lambda d: d.astype(dtype), data))
    arguments = (
        Objective(own, known),
        points.astype(dtype),
        np.array(positions, np.int32),
    )
    fit_all = _along_neighbours if one_by_one() else _all_at_once
    free, fits = settings.run(Program(fit_all, arguments, {"settings": settings}))
    if is_known((free, fits)):  # or a program would be compiled for each array
        free, fits = jax.tree.map(np.asarray, (free, fits))
    back = np.argsort(order)
    fits = jax.tree.map(lambda f: f[back].reshape(*shape, *f.shape[1:]), fits)
    fits, free = (each.with_names(model) for each in (fits, free))
    axes = tuple(value.astype(dtype) for value in values)
    return _result(tuple(grid), axes, fits, free)


def held_positions(model: Model, names: Collection[str]) -> list[int]:
    """Where parameters to hold stand, each of them free and once.

    Args:
        model: a model.
        names: of the parameters or components.

    Raises:
        UnknownNameError: there is no such parameter; close names are given.
        ParameterError: there is none, or one twice; or one is fixed, has several
            components or is given by an expression.
    """
    if not names:
        message = "a scan needs a parameter to hold: give its values, by its name"
        raise ParameterError(message)
    positions = [model.single_parameter(name) for name in names]
    if len(set(positions)) < len(positions):
        given = " and ".join(map(repr, names))
        message = f"{given} name one parameter twice: leave one of them out"
        raise ParameterError(message)
    if not model.is_traced:
        for name, position in zip(names, positions, strict=True):
            if np.asarray(model.parameters.fixed)[position]:
                message = (
                    f"parameter {name!r} is fixed, so that there is nothing to compare "
                    "other values with: remove `fixed` in the measurement"
                )
                raise ParameterError(message)
    return positions


def _checked(
    model: Model, name: str, position: int, given: Sequence[float] | Array
) -> np.ndarray:
    """The values of a parameter, which have to be finite and inside its bounds."""
    if not is_known(given):
        message = (
            f"the values of {name!r} are traced, and a scan needs to know them: keep "
            "them out of jax.jit, or use jax.vmap with fixed_poi_fit"
        )
        raise ParameterError(message)
    values = np.asarray(given, float)
    if values.ndim != 1 or not values.size or not np.all(np.isfinite(values)):
        message = f"the values of {name!r} are no list of finite numbers: {given!r}"
        raise ParameterError(message)
    if not model.is_traced:
        own = model.parameters
        low, high = (float(np.asarray(b)[position]) for b in (own.lower, own.upper))
        for value in values[(values < low) | (values > high)]:
            remedy = "scan values inside, or widen them in the measurement"
            raise outside_bounds(name, value, (low, high), remedy)
    return values


def _serpentine(shape: tuple[int, ...]) -> np.ndarray:
    """An order of the points of a grid in which each is a neighbour of the last.

    >>> _serpentine((2, 3)).tolist()
    [0, 1, 2, 5, 4, 3]
    """
    order = np.arange(shape[-1])
    for size in reversed(shape[:-1]):
        rows = [order if i % 2 == 0 else order[::-1] for i in range(size)]
        order = np.concatenate([i * order.size + row for i, row in enumerate(rows)])
    return order


def _result(
    names: tuple[str, ...],
    values: tuple[Array, ...],
    fits: FitResult,
    free: FitResult,
) -> ProfileResult:
    """Compare the points with the free fit."""
    array = np if is_known((free, fits)) else jnp
    below = fits.deviance < free.deviance - CONSISTENCY
    own = array.where(below, array.int32(FitStatus.INCONSISTENT), fits.code)
    status = array.maximum(own, free.code)
    delta = array.maximum(0.0, fits.deviance - free.deviance)
    known = delta * array.where(status == FitStatus.CONVERGED, 1.0, array.nan)
    return ProfileResult(names, values, known, status, fits, free)


@functools.partial(jax.jit, static_argnames="settings")
def _along_neighbours(
    objective: Objective, points: Points, positions: Positions, settings: FitSettings
) -> tuple[FitResult, FitResult]:
    """Fit one point after the other, between two free fits; one loop for all.

    On the way back, points whose neighbour has ended in another valley try that.

    Returns:
        The free fit, and the fits of the points.
    """
    given, (objective, points) = objective, constant((objective, points))
    own, count = objective.model.parameters, points.shape[0]
    held = jnp.asarray(own.fixed).at[positions].set(True)

    def at_point(i: ScalarInt, params: Params) -> Params:
        point = points[jnp.clip(i - 1, 0, count - 1)]
        return jnp.asarray(params).at[positions].set(point)

    def start(i: ScalarInt, back: ScalarBool, done: FitResult) -> Params:
        near = at_point(i, done.params[jnp.maximum(i - 1, 0)])
        free = at_point(i, done.params[0])
        better = objective.value(near) <= objective.value(free)
        warm = jnp.where(back, done.params[i], jnp.where(better, near, free))
        again = done.params[_lowest(done.deviance[:-1])]
        return jnp.where(i == 0, own.init, jnp.where(i > count, again, warm))

    def stage(turn: ScalarInt, done: FitResult) -> FitResult:
        back = (turn > count) & (turn <= 2 * count)
        i = jnp.where(back, 2 * count + 1 - turn, jnp.minimum(turn, count + 1))
        inner = (i > 0) & (i <= count)
        beside = jnp.clip(jnp.where(back, i + 1, i - 1), 0, count)
        told = at_point(i, done.params[beside])
        refused = jnp.any(jnp.isnan(done.params[i]))
        marks = [valley_marks(objective.model, at) for at in (done.params[i], told)]
        new = ~refused & ~is_near(*marks)
        one = jax.tree.map(lambda leaf: leaf[i], done)
        fit = jax.lax.cond(
            ~back | new,
            lambda: best_fit(
                objective,
                start(i, back, done)[None],
                jnp.where(inner, held, own.fixed),
                settings,
                Told(jnp.where(inner, told, jnp.nan)[None], looks=~back),
            ),
            lambda: one,
        )
        return jax.tree.map(lambda all_, one: all_.at[i].set(one), done, fit)

    kinds = jax.eval_shape(
        lambda: best_fit(objective, own.init[None], own.fixed, settings)
    )
    blank = jax.tree.map(lambda k: jnp.zeros((count + 2, *k.shape), k.dtype), kinds)
    done = jax.lax.fori_loop(0, 2 * count + 2, stage, blank)
    free, fits = (
        jax.tree.map(lambda leaf, part=part: leaf[part], done)
        for part in (-1, slice(1, -1))
    )
    return _differentiable(given, points, positions, (free, fits))


def _differentiable(
    objective: Objective,
    points: Points,
    positions: Positions,
    found: tuple[FitResult, FitResult],
) -> tuple[FitResult, FitResult]:
    """The free fit and those of points with their derivatives."""
    free, fits = found
    init = jnp.asarray(objective.model.parameters.init)
    fixed = jnp.asarray(objective.model.parameters.fixed)
    held = fixed.at[positions].set(True)

    def one(fit: FitResult, point: Float[Array, " held"]) -> FitResult:
        return with_derivatives(fit, objective, init.at[positions].set(point), held)

    free = with_derivatives(free, objective, init, fixed)
    return free, jax.vmap(one)(fits, points)


@functools.partial(jax.jit, static_argnames="settings")
def _all_at_once(
    objective: Objective, points: Points, positions: Positions, settings: FitSettings
) -> tuple[FitResult, FitResult]:
    """Fit all points from the free fit, for accelerators."""
    given, (objective, points) = objective, constant((objective, points))
    own = objective.model.parameters
    fixed = jnp.asarray(own.fixed)
    held = fixed.at[positions].set(True)
    first = best_fit(objective, own.init[None], fixed, settings)

    def fit(i: ScalarInt) -> FitResult:
        start = jnp.asarray(first.params).at[positions].set(points[i])
        return best_fit(objective, start[None], held, settings)

    count = points.shape[0]
    fits = map_lanes(fit, jnp.arange(count), jnp.int32(count))
    both = jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first, fits)
    again = both.params[_lowest(both.deviance)]
    free = best_fit(objective, again[None], fixed, settings)
    return _differentiable(given, points, positions, (free, fits))


def _lowest(deviance: Float[Array, " fit"]) -> ScalarInt:
    return jnp.argmin(jnp.where(jnp.isnan(deviance), jnp.inf, deviance))
