"""Profile intervals: how far from its best fit a parameter may be, others refitted."""

import functools
from collections.abc import Iterable, Mapping
from statistics import NormalDist

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from hfjax.arrays import Array, Params, Scalar
from hfjax.compiled.canonical import canonical, pad_vector
from hfjax.compiled.program import Program
from hfjax.errors import ArgumentError, check_kind, check_level
from hfjax.fitting.best_fit import NOTHING, fit
from hfjax.fitting.checks import BY_NAME, check_inputs, holding
from hfjax.fitting.covariance import covariance
from hfjax.fitting.implicit import constant
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitSettings
from hfjax.inference.intervals_result import IntervalsResult, IntervalStatus
from hfjax.inference.ray import Best, Found, Ray, find_rays
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.parameters import Value

ONE_SIGMA = 0.6826894921370859
"""Probability within one standard deviation."""


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
        Best(pad_vector(free.params, own, 0.0), free.deviance, free.code),
        pad_vector(sigma, own, 0.0),
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
    sigma: Params,
    positions: Int[Array, " held"],
    rise: Scalar,
    settings: FitSettings,
) -> Found:
    """Find both ends of each parameter, in lanes; `intervals` after its checks."""
    own = objective.model.parameters
    each, held = jnp.repeat(positions, 2), jnp.repeat(own.fixed[positions], 2)
    side = jnp.tile(jnp.array([-1.0, 1.0], rise.dtype), positions.size)
    bound = jnp.where(side < 0.0, own.lower[each], own.upper[each])
    far = jnp.where(held, 0.0, jnp.abs(bound - best.params[each]))
    first = jnp.where((sigma > 0.0) & jnp.isfinite(sigma), sigma, 1.0)[each]
    place, origin = each[:, None], best.params[each][:, None]
    asked = jnp.full_like(far, rise)
    rays = Ray(place, origin, side[:, None], first, far, asked)
    found = find_rays(objective, best, rays, far.size, settings)
    able = held & (found.code != IntervalStatus.FITS_FAILED)
    code = jnp.where(able, IntervalStatus.FIXED, found.code).astype(jnp.int32)
    return found._replace(code=code)
