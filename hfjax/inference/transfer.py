"""What a fit of one model says about the parameters of another, by their names.

A parameter of both models is known as well as the fit knows it, with its correlations
to the others; any other one is what it is before any fit. A component of a staterror or
shapesys is that of a bin of a channel, whatever its number: the numbers of two models
differ where one has more channels.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from hfjax.fitting.covariance_result import CovarianceResult
from hfjax.model.model import Model
from hfjax.model.nominal import Values, nominal_parameters

Covariance = Float[np.ndarray, "par par"]


class Believed(NamedTuple):
    """Parameters, and how well they are known.

    Attributes:
        params: values.
        covariance: of those whose uncertainty is known; 0 of others.
        loose: those without a finite uncertainty.
        prior: names of those that no fit tells.
    """

    params: Values
    covariance: Covariance
    loose: np.ndarray
    prior: tuple[str, ...]


def before_fit(model: Model) -> Believed:
    """Parameters before any fit, as their constraint terms have them.

    Args:
        model: a single one.
    """
    nominal = nominal_parameters(model)
    none = np.zeros(nominal.values.size, bool)
    covariance = np.diag(nominal.widths**2)
    return Believed(nominal.values, covariance, none, model.parameters.names)


def after_fit(model: Model, fitted: Model, found: CovarianceResult) -> Believed:
    """Parameters as a fit of another model, or of the same, has them.

    Args:
        model: whose parameters are wanted.
        fitted: that was fitted.
        found: of its fit.

    Example:
        >>> import hfjax
        >>> search = hfjax.uncorrelated_background([3.0], [50.0], [5.0], [53.0])
        >>> model, data = hfjax.build(search)
        >>> found = hfjax.covariance(model, data, hfjax.fit(model, data))
        >>> after_fit(model, model, found).params.round(6).tolist()
        [1.0, 1.0]
    """
    params, covariance, _, _ = before_fit(model)
    own, others = _identities(model), _identities(fitted)
    shared = [name for name in own if name in others]
    here = np.array([own[name] for name in shared], int)
    there = np.array([others[name] for name in shared], int)
    params[here] = np.asarray(found.params)[there]
    covariance[here], covariance[:, here] = 0.0, 0.0
    known = np.asarray(found.covariance)[np.ix_(there, there)]
    covariance[np.ix_(here, here)] = np.where(np.isfinite(known), known, 0.0)
    loose = np.zeros(params.size, bool)
    loose[here] = ~np.isfinite(np.asarray(found.uncertainties)[there])
    names = model.parameters.names
    prior = tuple(names[i] for i in sorted(set(range(params.size)) - {*here.tolist()}))
    return Believed(params, covariance, loose, prior)


def _identities(model: Model) -> dict[tuple[str | int, ...], int]:
    """The position of each parameter, by what it is the same as in other models."""
    found: dict[tuple[str | int, ...], int] = {
        (name,): i for i, name in enumerate(model.parameters.names)
    }
    sources = model.sources
    if sources is None:
        return found
    own = model.parameters.sets
    sets = {each.start + i: each for each in own for i in range(each.size)}
    bins = [(name, k) for name, size in model.names.channel_bins for k in range(size)]
    pairs = zip(np.asarray(sources.parameter), np.asarray(sources.cell), strict=True)
    for position, cell in {(int(p), int(c) % len(bins)) for p, c in pairs}:
        each = sets[position]
        found.pop((each.names[position - each.start],), None)
        found[(each.name, *bins[cell])] = position
    return found


def directions(covariance: Covariance) -> np.ndarray:
    """Vectors whose squares add up to a covariance, one in each row.

    Args:
        covariance: of parameters, zero where one has no uncertainty.

    Example:
        >>> found = directions(np.array([[4.0, 0.0], [0.0, 0.0]]))
        >>> found.round(6).tolist()
        [[2.0, 0.0]]
    """
    widths = np.sqrt(np.diagonal(covariance))
    moves = np.flatnonzero(widths > 0.0)
    unit = widths[moves]
    scaled = covariance[np.ix_(moves, moves)] / unit / unit[:, None]
    found = np.zeros((moves.size, widths.size))
    if not (scaled - np.diag(np.diagonal(scaled))).any():  # as before any fit
        found[np.arange(moves.size), moves] = unit
        return found
    curvatures, vectors = np.linalg.eigh(scaled)
    found[:, moves] = (vectors * np.sqrt(np.maximum(curvatures, 0.0))).T * unit
    return found
