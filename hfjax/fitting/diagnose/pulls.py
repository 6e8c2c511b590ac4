"""Pulls of a fit: how far it is from what the auxiliary measurements say."""

from collections.abc import Iterator

import jax
import numpy as np

from hfjax.arrays import Array, Params
from hfjax.fitting.result import FitResult
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
    found = np.full(np.shape(result.params), np.nan)
    model, data, params = jax.tree.map(np.asarray, (model, data, result.params))
    for index, values in _terms(model, data, params):
        found[index] = values
    found[model.parameters.fixed] = np.nan
    named = model.parameters.unpack(found)
    return {name: each for name, each in named.items() if np.isfinite(each).any()}


def _terms(model: Model, data: Data, params: Params) -> Iterator[tuple[Array, Array]]:
    """The parameters of each kind of constraint terms, and their pulls."""
    for terms in (model.gaussian, model.lognormal):
        yield (
            terms.index,
            np.where(terms.present, terms.pulls(params, data.aux), np.nan),
        )
    poisson = model.poisson
    count = data.aux[poisson.position]
    known = poisson.present & (count > 0.0)
    width = np.sqrt(np.where(known, count, 1.0))
    found = (poisson.expected(params) - count) / width
    yield poisson.index, np.where(known, found, np.nan)
