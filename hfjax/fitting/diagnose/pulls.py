"""Pulls of a fit: how far it is from what the auxiliary measurements say."""

from collections.abc import Iterable, Iterator

import jax
import numpy as np

from hfjax.arrays import Array, Params
from hfjax.fitting.covariance_result import CovarianceResult
from hfjax.fitting.result import FitResult
from hfjax.model.constraints import PoissonConstraints
from hfjax.model.data import Data
from hfjax.model.model import Model


def pulls(model: Model, data: Data, result: FitResult) -> dict[str, Array]:
    """Pulls of the parameters that have a constraint term and could move, by name.

    ``(theta_hat - theta_0) / width`` with the auxiliary datum and the width of the
    constraint term: of a Poisson term ``(beta tau - a) / sqrt(a)`` with its datum
    ``a``, of a log-normal one the difference of logarithms.

    Args:
        model: the model that was fitted, with names.
        data: what it was fitted to.
        result: of `fit`, `fixed_poi_fit` or `hypotest`; a single one.

    Returns:
        One number for each component, shape ``(size,)``; NaN for those that are fixed
        or have no constraint term. Parameters without any pull are left out.

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([3.0], [50.0], [5.0], [62.0])
        >>> model, data = hfjax.build(search)
        >>> found = hfjax.fixed_poi_fit(model, data, 0.0)
        >>> hfjax.pulls(model, data, found)["uncorr_bkguncrt"].round(3).tolist()
        [0.8]
    """
    model, data, params = jax.tree.map(np.asarray, (model, data, result.params))
    return _named(model, _terms(model, data, params), model.parameters.fixed)


def pull_uncertainties(
    model: Model, data: Data, found: CovarianceResult
) -> dict[str, Array]:
    """Uncertainties of the pulls of parameters that could move, by name.

    Those of the parameters times ``d pull / d theta``: below 1 where the data say more
    than the auxiliary measurement does by itself.

    Args:
        model: the model that was fitted, with names.
        data: what it was fitted to.
        found: of `covariance`; a single one.

    Returns:
        One number for each component, shape ``(size,)``; NaN for those that could not
        move or have no constraint term. Parameters without any are left out.

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([3.0], [50.0], [5.0], [62.0])
        >>> model, data = hfjax.build(search)
        >>> held = hfjax.fixed_poi_fit(model, data, 0.0)
        >>> found = hfjax.covariance(model, data, held, fixed=["mu"])
        >>> pull_uncertainties(model, data, found)["uncorr_bkguncrt"].round(3).tolist()
        [0.849]
    """
    model, data, found = jax.tree.map(np.asarray, (model, data, found))
    slopes = _slopes(model, data, found.params)
    widths = ((index, each * found.uncertainties[index]) for index, each in slopes)
    return _named(model, widths, found.fixed | found.on_bound)


def prefit_uncertainties(model: Model, data: Data) -> np.ndarray:
    """Widths of the constraint terms, in units of the parameters.

    The ``width`` of a Gaussian term, ``sqrt(a) / tau`` of a Poisson term with its datum
    ``a``, ``width a / scale`` of a log-normal one.

    Args:
        model: a model with known values.
        data: with the auxiliary data.

    Returns:
        One for each parameter, shape ``(par,)``; NaN where there is no term, or what is
        fixed.

    Example:
        >>> import hfjax
        >>> model, data = hfjax.build(
        ...     hfjax.uncorrelated_background([3.0], [50.0], [5.0], [62.0])
        ... )
        >>> prefit_uncertainties(model, data).tolist()  # of mu none
        [nan, 0.1]
    """
    model, data = jax.tree.map(np.asarray, (model, data))
    fixed = model.parameters.fixed
    found = np.full(fixed.shape, np.nan)
    for terms in model.constraints:
        each = terms.deviation(np.maximum(data.aux[terms.position], 0.0))
        usable = terms.present & (each > 0.0)
        found[terms.index[usable]] = each[usable]
    return np.where(fixed, np.nan, found)


def _named(
    model: Model, values: Iterable[tuple[Array, Array]], fixed: Array
) -> dict[str, Array]:
    """What there is of the parameters of each kind of constraint terms, by name."""
    found = np.full(fixed.shape, np.nan)
    for index, each in values:
        found[index] = each
    found[fixed] = np.nan
    named = model.parameters.unpack(found)
    return {name: each for name, each in named.items() if np.isfinite(each).any()}


def _slopes(model: Model, data: Data, params: Params) -> Iterator[tuple[Array, Array]]:
    """The parameters of each kind of constraint terms, and how their pulls rise.

    Pulls of Poisson terms are in units of what the datum says, others at the fit.
    """
    for terms in model.constraints:
        counts = isinstance(terms, PoissonConstraints)
        datum = data.aux[terms.position] if counts else terms.expected(params)
        width = terms.deviation(np.maximum(datum, 0.0) if counts else datum)
        known = terms.present & (width != 0.0)
        yield terms.index, 1.0 / np.where(known, width, np.nan)


def _terms(model: Model, data: Data, params: Params) -> Iterator[tuple[Array, Array]]:
    """The parameters of each kind of constraint terms, and their pulls."""
    poisson = model.poisson
    for terms in model.constraints:
        if not isinstance(terms, PoissonConstraints):
            own = terms.pulls(params, data.aux)
            yield terms.index, np.where(terms.present, own, np.nan)
    count = data.aux[poisson.position]
    known = poisson.present & (count > 0.0)
    width = np.sqrt(np.where(known, count, 1.0))
    found = (poisson.expected(params) - count) / width
    yield poisson.index, np.where(known, found, np.nan)
