"""The uncertainty of a parameter by its sources: main and auxiliary data.

Data are independent of one another, and a best fit is a function of all of them. So its
variance is a sum over data, and parts of it add up in quadrature, however parameters
are correlated.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Int

from hfjax.arrays import Params, ParamsMask, Rates, ScalarInt
from hfjax.compiled.canonical import canonical, pad_vector
from hfjax.compiled.program import Program, Run
from hfjax.errors import ArgumentError, ParameterError, check_kind
from hfjax.fitting.best_fit import fit
from hfjax.fitting.checks import check_inputs
from hfjax.fitting.covariance import covariance
from hfjax.fitting.covariance_result import CovarianceResult, CovarianceStatus
from hfjax.fitting.objective import Objective
from hfjax.fitting.spectrum import inverse, spectrum
from hfjax.fitting.status import FitSettings
from hfjax.inference.breakdown_result import BreakdownResult, BreakdownStatus
from hfjax.inference.impacts import target_position
from hfjax.model.constraints import Aux
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.name_patterns import matching

MAIN, TEMPLATES, OTHERS = "data statistics", "MC statistics", "systematics"
"""Groups that are there anyway: main data, auxiliary data of parameters of bins, and
what is in no other group."""
EXAMPLE = 'give lists of patterns by the name of a group, {"jets": ["JES_*"]}'

Groups = Mapping[str, Sequence[str]]
"""Patterns of names of parameters, by the name of the group."""
NO_GROUPS: Groups = MappingProxyType({})
Owner = Int[np.ndarray, " par"]
"""Position of the group of each parameter."""


def uncertainty_breakdown(
    model: Model,
    data: Data,
    parameter: str | None = None,
    *,
    groups: Groups = NO_GROUPS,
    settings: FitSettings = FitSettings(),
) -> BreakdownResult:
    """Break the uncertainty of a parameter down by its sources.

    Each datum ``x_k`` contributes ``(d mu_hat / d x_k) sigma_k``, its own standard
    deviation times the shift of the best fit that it leads to. Squares add up to

        total^2 = sum_k (d mu_hat / d x_k)^2 sigma_k^2 = (H^-1 J H^-1)_mu,mu

    with the exact Hessian ``H`` of ``-ln L`` and ``J = sum_k sigma_k^2 g_k g_k'``,
    ``g_k = d2 ln L / dtheta dx_k``. Variances are those that the best fit expects: the
    rate ``nu`` of a bin, ``width^2`` of a Gaussian auxiliary datum, ``tau gamma`` of a
    Poisson one, ``width^2`` of the logarithm of a log-normal one. ``J`` is then what
    ``H`` is expected to be: for Asimov data of the best fit, ``total`` is the standard
    deviation of `covariance`. For others that differs, and is given as ``uncertainty``.

    Parameters without a constraint term have no auxiliary datum: what is known of them
    comes from the main data, and is in "data statistics".

    Args:
        model: a model. `Model.with_fixed` holds parameters.
        data: observed, Asimov or toy data.
        parameter: name of the parameter, or of a component; the parameter of interest
            by default.
        groups: names of parameters, or patterns such as ``JES_*``, by the name of a
            group. What they leave is "MC statistics", of parameters of bins (staterror
            and shapesys), and "systematics"; main data are "data statistics".
        settings: minimizer, steps and tolerance of the fit.

    Returns:
        The part of each group and of each datum, and their total; look at its
        ``status``. There are no derivatives.

    Raises:
        UnknownNameError: there is no such parameter; close names are given.
        MissingPOIError: the model has no parameter of interest, and none is named.
        ParameterError: the parameter is fixed, has several components or is given by
            an expression; a parameter is in two groups; or no parameter of a group has
            auxiliary data.
        ArgumentError: the groups are no lists by name, or one has the name of a group
            that is there anyway; or it is inside ``jit`` or ``vmap``.
        DataError: the data have the wrong shape, or are no counts.

    Source:
        A. Pinto et al., Eur. Phys. J. C 84 (2024) 593, arXiv:2307.04007.

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([12.0], [50.0], [5.0], [62.0])
        >>> found = hfjax.uncertainty_breakdown(*hfjax.build(search))
        >>> found  # sqrt(62) / 12 and 5 / 12
        BreakdownResult: mu = 1 ± 0.777282
          data statistics  0.656167
          MC statistics    0.416667
    """
    check_inputs(model, data, settings)
    target = target_position(model, data, parameter)
    names, owner = _owners(model, groups)
    free = fit(model, data, settings=settings)
    found = covariance(model, data, free, run=settings.run)
    status = _status(found, target)
    parts = _contributions(model, data, found, target, settings.run)
    if status is not BreakdownStatus.KNOWN:
        parts = jax.tree.map(lambda leaf: np.full_like(leaf, np.nan), parts)
    squares = _squares(model, parts, owner, len(names))
    kept = [i for i in range(len(names)) if i == 0 or np.any(owner == i)]
    return BreakdownResult(
        parameter=model.parameters.names[target],
        groups=tuple(names[i] for i in kept),
        contributions=np.sqrt(squares[kept]),
        total=np.asarray(np.sqrt(squares.sum())),
        uncertainty=np.asarray(found.uncertainties)[target, ...],
        value=np.asarray(free.params)[target, ...],
        data=model.named(parts),
        code=np.asarray(status, np.int32),
        free=free,
    )


def _owners(model: Model, groups: Groups) -> tuple[list[str], Owner]:
    """Names of the groups, and which of them each auxiliary datum is in.

    Parameters that are fixed, or have no auxiliary datum, are in none: -1.
    """
    check_kind("groups", groups, Mapping, EXAMPLE, "dict")
    names = [MAIN, *groups, TEMPLATES, OTHERS]
    given = set(names[1:-2])
    if taken := given & {MAIN, TEMPLATES, OTHERS}:
        message = (
            f"{min(taken)!r} is a group that is there anyway: give yours another name"
        )
        raise ArgumentError(message)
    own, able = model.parameters, _constrained(model)
    owner = np.full(able.shape, len(names) - 1)
    for each in own.sets:
        if not each.scalar:
            owner[each.start : each.start + each.size] = len(names) - 2
    taken_by = np.zeros(able.shape, int)
    for i, (name, patterns) in enumerate(groups.items(), 1):
        members = _members(model, name, patterns)
        for k in members[taken_by[members] > 0]:
            message = (
                f"parameter {own.names[k]!r} is in the groups "
                f"{names[taken_by[k]]!r} and {name!r}: leave it out of one"
            )
            raise ParameterError(message)
        owner[members] = taken_by[members] = i
    return names, np.where(able, owner, -1)


def _members(model: Model, name: str, patterns: Sequence[str]) -> np.ndarray:
    """Positions of the parameters of a group, of which one has auxiliary data."""
    check_kind(f"group {name!r}", patterns, (list, tuple), EXAMPLE, "list of names")
    members = np.array(matching(model.parameters.sets, patterns), int)
    if not _constrained(model)[members].any():
        message = (
            f"no parameter of the group {name!r} has auxiliary data and can move: what "
            f"is known of them comes from the main data, and is in {MAIN!r}"
        )
        raise ParameterError(message)
    return members


def _constrained(model: Model) -> Bool[np.ndarray, " par"]:
    """Which parameters can move and have a constraint term."""
    found = np.zeros(model.parameters.init.shape, bool)
    for terms in model.constraints:
        found[np.asarray(terms.index)[np.asarray(terms.present)]] = True
    return found & ~np.asarray(model.parameters.fixed)


def _status(found: CovarianceResult, target: int) -> BreakdownStatus:
    """Whether the uncertainty of the parameter is known."""
    if int(found.code) >= CovarianceStatus.NO_MINIMUM:
        failed = int(found.code) == CovarianceStatus.FIT_FAILED
        return BreakdownStatus.FIT_FAILED if failed else BreakdownStatus.NO_MINIMUM
    if np.asarray(found.on_bound)[target]:
        return BreakdownStatus.AT_BOUND
    known = np.isfinite(np.asarray(found.uncertainties)[target])
    return BreakdownStatus.KNOWN if known else BreakdownStatus.FLAT


def _contributions(
    model: Model, data: Data, found: CovarianceResult, target: int, run: Run
) -> Data:
    """What each datum contributes, with its sign; without names."""
    free = ~(np.asarray(found.fixed) | np.asarray(found.on_bound))
    own, known = canonical(model, data, found.params)
    params, mask = pad_vector(found.params, own, 0.0), pad_vector(free, own, False)
    arguments = Objective(own, known), params, mask, np.int32(target)
    main, aux = run(Program(move_by_data, arguments, {}))
    return Data(np.asarray(main)[: data.main.size], np.asarray(aux)[: data.aux.size])


@jax.jit
def move_by_data(
    objective: Objective, params: Params, free: ParamsMask, target: ScalarInt
) -> tuple[Rates, Aux]:
    """Find by how much each datum moves a parameter, by one standard deviation of it.

    Of main data ``V_mu . dnu / sqrt(nu)``, with the row ``V_mu`` of ``H^-1``; of
    auxiliary data ``V_mu,theta`` over the width of the term at the best fit.
    """
    model = objective.model
    row = jnp.where(free, inverse(spectrum(objective, params, free))[target], 0.0)
    rates, along = jax.jvp(objective.rates, (params,), (row,))
    some = model.bin_present & (rates > 0.0)
    main = jnp.where(some, along / jnp.sqrt(jnp.where(some, rates, 1.0)), 0.0)
    aux = jnp.zeros_like(objective.data.aux)
    for terms in model.constraints:
        width = terms.deviation(jnp.maximum(terms.expected(params), 1e-100))
        moved = jnp.where(terms.present, row[terms.index] / width, 0.0)
        aux = aux.at[terms.position].set(moved)
    return main, aux


def _squares(model: Model, parts: Data, owner: Owner, groups: int) -> np.ndarray:
    """Sums of squares over each group; the first has the main data."""
    sums = np.zeros(groups)
    sums[0] = np.sum(parts.main**2)
    for terms in model.constraints:
        of, squares = owner[terms.index], parts.aux[terms.position] ** 2
        np.add.at(sums, of[of >= 0], squares[of >= 0])
    return sums
