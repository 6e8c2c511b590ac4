"""Impacts: how far a best fit moves a parameter where another one is held elsewhere."""

import functools
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from hfjax.arrays import Array, ScalarInt
from hfjax.compiled.canonical import canonical, filled, pad_vector, rung
from hfjax.compiled.lanes import map_lanes
from hfjax.compiled.program import Program
from hfjax.errors import (
    ArgumentError,
    ParameterError,
    check_kind,
    unknown_name,
)
from hfjax.fitting.best_fit import best_fit, fit
from hfjax.fitting.checks import BY_NAME, check_inputs
from hfjax.fitting.covariance import covariance
from hfjax.fitting.covariance_result import CovarianceResult
from hfjax.fitting.diagnose.pulls import (
    prefit_uncertainties,
    pull_uncertainties,
    pulls,
)
from hfjax.fitting.objective import Objective
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.impacts_result import ImpactsResult, ImpactStatus
from hfjax.inference.test_state import CONSISTENCY
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.name_patterns import matching
from hfjax.model.poi import require_poi
from hfjax.model.tracing import is_known

METHODS = ("fits", "covariance")
"""How impacts may be found."""
_NAMED = (
    "name the parameter that is asked about (parameter=..., or `hfjax impacts "
    "--parameter NAME`)"
)
LEAST_LANES = 4
"""That programs are compiled for."""

Widths = Float[np.ndarray, "nuisance kind"]
Moves = Float[np.ndarray, "nuisance kind side"]
Codes = Int[np.ndarray, "nuisance kind side"]


class Held(NamedTuple):
    """Fits with one parameter held, on a leading axis.

    Attributes:
        position: of the parameter.
        start: where the fit begins; the parameter stays there.
    """

    position: Int[Array, " lane"]
    start: Float[Array, "lane par"]


class HeldFits(NamedTuple):
    """What such fits have found.

    Attributes:
        params: where they ended.
        deviance: there.
        initial: where the start leads.
        code: value of the `FitStatus`.
    """

    params: Float[Array, "*lane par"]
    deviance: Float[Array, "*lane"]
    initial: Float[Array, "*lane"]
    code: Int[Array, "*lane"]


def impacts(
    model: Model,
    data: Data,
    parameter: str | None = None,
    *,
    parameters: Iterable[str] | None = None,
    method: str = "fits",
    settings: FitSettings = FitSettings(),
) -> ImpactsResult:
    """Find the impact of nuisance parameters on a parameter.

    The impact of ``theta`` on ``mu`` is ``mu_hat(theta = theta_hat +- sigma) - mu_hat``
    with ``theta`` held there and all others refitted: post-fit with ``sigma`` the
    standard deviation of the best fit, pre-fit with the width of the constraint term.
    Both are around the best fit ``theta_hat``, as in cabinetry's ranking. A value
    outside the bounds of ``theta`` is cut at the bound, and told by the status. All
    these fits are one program, each starting where the covariance says that it ends.

    With "covariance", nothing is refitted: the post-fit impact is ``+- V_mu,theta /
    sigma_theta``, the pre-fit one as much larger as the width is than ``sigma_theta``.

    Args:
        model: a model. `Model.with_fixed` holds parameters in all fits.
        data: observed, Asimov or toy data.
        parameter: name of the parameter that is shifted, or of a component such as
            ``gamma[1]``; the parameter of interest by default.
        parameters: names of the nuisance parameters, or patterns such as ``JES_*``;
            all that can move by default. Those without a constraint term have a
            post-fit impact only.
        method: "fits" or "covariance".
        settings: minimizer, steps and tolerance of all fits.

    Returns:
        Both impacts of each, down and up, with a status for each of the four; pulls
        and uncertainties. There are no derivatives.

    Raises:
        UnknownNameError: there is no such parameter, or method; close names are given.
        MissingPOIError: the model has no parameter of interest, and none is named.
        ParameterError: the parameter is fixed, has several components or is given by
            an expression; or there is no nuisance parameter.
        ArgumentError: the names are a text; or it is inside ``jit`` or ``vmap``.
        DataError: the data have the wrong shape, or are no counts.

    Source:
        A. Pinto et al., Eur. Phys. J. C 84 (2024) 593, arXiv:2307.04007.

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([12.0], [50.0], [5.0], [62.0])
        >>> found = hfjax.impacts(*hfjax.build(search))
        >>> found.names
        ('uncorr_bkguncrt[0]',)
        >>> found["uncorr_bkguncrt[0]"].round(4).tolist()  # 0.1 * 50 / 12
        [0.4167, -0.4167]
    """
    check_inputs(model, data, settings)
    if method not in METHODS:
        error = unknown_name("method", method, METHODS)
        raise error
    target = target_position(model, data, parameter)
    positions = _nuisance(model, target, parameters)
    free = fit(model, data, settings=settings)
    found = covariance(model, data, free, run=settings.run)
    widths = _widths(model, data, found, positions)
    moves, cut = _moves(model, free, widths, positions)
    codes = np.maximum(_lacking(model, free, widths, positions)[..., None], cut)
    if method == "fits":
        wanted = Wanted(positions, moves, codes < ImpactStatus.FIXED)
        fits = _fitted(model, data, free, found, wanted, settings)
        shifts = fits.params[..., target] - np.asarray(free.params)[target]
        ends = np.maximum(_bounded(model, fits, free, target), _endings(fits, free))
        codes = np.where(wanted.able, np.maximum(codes, ends), codes)
    else:
        shifts = _slopes(found, target, positions)[:, None, None] * moves
        unknown = np.isnan(shifts) & (codes < ImpactStatus.FIXED)
        codes = np.where(unknown, ImpactStatus.NO_UNCERTAINTY, codes)
    shifts = np.where(codes < ImpactStatus.UNCONSTRAINED, shifts, np.nan)
    shifts = np.where(codes == ImpactStatus.FIXED, 0.0, shifts)
    names = model.parameters.names
    return ImpactsResult(
        parameter=names[target],
        names=tuple(names[i] for i in positions),
        method=method,
        value=np.asarray(free.params)[target, ...],
        uncertainty=np.asarray(found.uncertainties)[target, ...],
        values=np.asarray(free.params)[positions],
        uncertainties=np.asarray(found.uncertainties)[positions],
        prefit_uncertainties=widths[:, 0],
        pulls=_vector(model, pulls(model, data, free))[positions],
        constraints=_vector(model, pull_uncertainties(model, data, found))[positions],
        prefit=shifts[:, 0],
        postfit=shifts[:, 1],
        codes=codes.astype(np.int32),
        free=free,
    )


def target_position(model: Model, data: Data, parameter: str | None) -> int:
    """Where the parameter stands whose best fit or uncertainty is asked about.

    Args:
        model: a model.
        data: its data.
        parameter: its name; None for the parameter of interest.

    Raises:
        ArgumentError: it is inside ``jit`` or ``vmap``, or a batch.
        MissingPOIError: the model has no parameter of interest, and none is named.
        UnknownNameError: there is no such parameter; close names are given.
        ParameterError: it is fixed, has several components or is given by an
            expression.
    """
    if model.is_traced or not is_known((model, data)):
        message = (
            "impacts and uncertainties by source are not found inside jit or vmap, nor "
            "of a batch: call it for one model after the other"
        )
        raise ArgumentError(message)
    if parameter is None:
        require_poi(model, _NAMED)
        position = int(model.poi)
    else:
        check_kind("the parameter", parameter, str, 'give its name, "mu"', "name")
        position = model.single_parameter(parameter)
    if np.asarray(model.parameters.fixed)[position]:
        message = (
            f"parameter {model.parameters.names[position]!r} is fixed, so that nothing "
            "shifts it: remove `fixed` in the measurement, or name another one"
        )
        raise ParameterError(message)
    return position


def _nuisance(
    model: Model, target: int, parameters: Iterable[str] | None
) -> np.ndarray:
    """Positions of the nuisance parameters: those named, or all that can move."""
    if parameters is None:
        found = np.flatnonzero(~np.asarray(model.parameters.fixed))
    else:
        check_kind("the parameters", parameters, Iterable, BY_NAME, "list of names")
        if isinstance(parameters, str):
            message = (
                "the nuisance parameters are one text: give a list of names, "
                f'["{parameters}"]'
            )
            raise ArgumentError(message)
        found = np.array(matching(model.parameters.sets, parameters), int)
    found = found[found != target]
    if not found.size:
        name = model.parameters.names[target]
        message = f"there is no parameter beside {name!r} that could have an impact"
        raise ParameterError(message)
    return found


def _vector(model: Model, named: Mapping[str, Array]) -> np.ndarray:
    """Numbers of all parameters; NaN where none is named."""
    found = np.full(model.parameters.init.shape, np.nan)
    for name, values in named.items():
        found[model.parameters.positions(name)] = values
    return found


def _widths(
    model: Model, data: Data, found: CovarianceResult, positions: np.ndarray
) -> Widths:
    """Pre-fit and post-fit uncertainties; NaN where there is no finite one."""
    after = np.asarray(found.uncertainties)
    after = np.where(np.isfinite(after) & (after > 0.0), after, np.nan)
    both = np.stack([prefit_uncertainties(model, data), after], axis=1)
    return both[positions]


def _lacking(
    model: Model, free: FitResult, widths: Widths, positions: np.ndarray
) -> Int[np.ndarray, "nuisance kind"]:
    """Why there is no impact to look for; `ImpactStatus.FOUND` where there may be."""
    reasons = [ImpactStatus.UNCONSTRAINED, ImpactStatus.NO_UNCERTAINTY]
    codes = np.where(np.isnan(widths), reasons, ImpactStatus.FOUND)
    fixed = np.asarray(model.parameters.fixed)[positions]
    codes[fixed] = ImpactStatus.FIXED
    return codes if free.converged else np.full_like(codes, ImpactStatus.FITS_FAILED)


def _moves(
    model: Model, free: FitResult, widths: Widths, positions: np.ndarray
) -> tuple[Moves, Codes]:
    """How far the nuisance parameters are moved, and where a bound cuts that."""
    own, best = model.parameters, np.asarray(free.params)[positions]
    asked = widths[..., None] * np.array([-1.0, 1.0])
    low, high = (np.asarray(end)[positions] - best for end in (own.lower, own.upper))
    moves = np.clip(asked, low[:, None, None], high[:, None, None])
    cut = np.isfinite(asked) & (moves != asked)
    return moves, np.where(cut, ImpactStatus.CUT, ImpactStatus.FOUND)


class Wanted(NamedTuple):
    """Fits that are wanted.

    Attributes:
        positions: of the nuisance parameters.
        moves: how far they are held from their best fit.
        able: for which of these there is a fit.
    """

    positions: Int[np.ndarray, " nuisance"]
    moves: Moves
    able: Bool[np.ndarray, "nuisance kind side"]


def _fitted(
    model: Model,
    data: Data,
    free: FitResult,
    found: CovarianceResult,
    wanted: Wanted,
    settings: FitSettings,
) -> HeldFits:
    """Do all fits in lanes; NaN where none is wanted."""
    lanes, count = _lanes(model, free, found, wanted)
    own, known = canonical(model, data, lanes.start)
    lanes = lanes._replace(start=pad_vector(lanes.start, own, 0.0))
    arguments = Objective(own, known), lanes, np.int32(count)
    done = settings.run(Program(fit_held, arguments, {"settings": settings}))

    def placed(leaf: Array) -> np.ndarray:
        known = np.asarray(leaf)
        room = np.zeros((*wanted.able.shape, *known.shape[1:]), known.dtype)
        room[wanted.able] = known[:count]
        return room

    return jax.tree.map(placed, done)


def _lanes(
    model: Model, free: FitResult, found: CovarianceResult, wanted: Wanted
) -> tuple[Held, int]:
    """A lane for each fit, from where the covariance says that it ends; padded."""
    own, best = model.parameters, np.asarray(free.params)
    matrix = np.asarray(found.covariance)[wanted.positions]
    variance = matrix[np.arange(len(matrix)), wanted.positions]
    with np.errstate(invalid="ignore", divide="ignore"):
        along = np.nan_to_num(matrix / variance[:, None], posinf=0.0, neginf=0.0)
    rows = np.nonzero(wanted.able)[0]
    moves, position = wanted.moves[wanted.able], wanted.positions[rows]
    start = best + moves[:, None] * along[rows]
    start[np.arange(rows.size), position] = best[position] + moves
    start = np.clip(start, own.lower, own.upper)
    start = np.where(own.fixed, best, start).astype(best.dtype)
    size = rung(max(rows.size, 1), LEAST_LANES)  # a program needs one, if none counts
    return Held(
        filled(position.astype(np.int32), (size,), 0),
        filled(start, (size, best.size), 0.0),
    ), rows.size


@functools.partial(jax.jit, static_argnames="settings")
def fit_held(
    objective: Objective, lanes: Held, count: ScalarInt, settings: FitSettings
) -> HeldFits:
    """Fit all but one parameter, in lanes; `impacts` after its checks."""
    fixed = jnp.asarray(objective.model.parameters.fixed)

    def one(i: ScalarInt) -> HeldFits:
        held = fixed.at[lanes.position[i]].set(True)
        found = best_fit(objective, lanes.start[i][None], held, settings)
        return HeldFits(found.params, found.deviance, found.initial, found.code)

    return map_lanes(one, jnp.arange(lanes.position.size), count)


def _bounded(model: Model, fits: HeldFits, free: FitResult, target: int) -> Codes:
    """Where the parameter ends at a bound that the best fit is not at."""
    own, ends = model.parameters, fits.params[..., target]
    low, high = (float(np.asarray(end)[target]) for end in (own.lower, own.upper))
    inside = low < float(np.asarray(free.params)[target]) < high
    at_bound = inside & ((ends <= low) | (ends >= high))
    return np.where(at_bound, ImpactStatus.AT_BOUND, ImpactStatus.FOUND)


def _endings(fits: HeldFits, free: FitResult) -> Codes:
    """How fits have ended, beside the best fit of all parameters."""
    failed = fits.code != FitStatus.CONVERGED
    below = fits.deviance < float(free.deviance) - CONSISTENCY
    apart = np.abs(fits.initial - fits.deviance) > CONSISTENCY
    elsewhere = apart & np.isfinite(fits.initial)
    codes = np.where(elsewhere, ImpactStatus.OTHER_VALLEY, ImpactStatus.FOUND)
    codes = np.where(below, ImpactStatus.LOWER_MINIMUM, codes)
    return np.where(failed, ImpactStatus.FITS_FAILED, codes)


def _slopes(
    found: CovarianceResult, target: int, positions: np.ndarray
) -> Float[np.ndarray, " nuisance"]:
    """How far the parameter moves for each unit of a nuisance parameter."""
    matrix, widths = np.asarray(found.covariance), np.asarray(found.uncertainties)
    known = np.isfinite(widths) & (widths > 0.0)
    variance = np.where(known, widths, 1.0)[positions] ** 2
    able = known[positions] & known[target]
    return np.where(able, matrix[positions, target] / variance, np.nan)
