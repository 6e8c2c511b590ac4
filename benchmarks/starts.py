"""Where fits are started from to look for minima that a search has missed."""

import numpy as np

from hfjax.model.model import Model

PULLS = (-3.0, -1.5, 1.5, 3.0)
"""Values at which each nuisance parameter is put, alone."""
WIDTH = 1.5
"""Standard deviation of random starts, in those of the constraint terms."""
SPREAD = 0.5
"""The same of the logarithm of a factor without a constraint."""


def scales(model: Model) -> np.ndarray:
    """Width of each parameter's constraint term; NaN for those without any."""
    found = np.full(np.size(model.parameters.init), np.nan)
    gaussian = model.gaussian
    real = np.asarray(gaussian.index) < found.size
    found[np.asarray(gaussian.index)[real]] = np.asarray(gaussian.width)[real]
    poisson = model.poisson
    real = np.asarray(poisson.index) < found.size
    factor = np.asarray(poisson.factor)[real]
    # a rate of factor counts, so that its relative width is the inverse root
    found[np.asarray(poisson.index)[real]] = 1.0 / np.sqrt(np.maximum(factor, 1e-12))
    return found


def random_starts(
    model: Model, fixed: np.ndarray, number: int, random: np.random.Generator
) -> np.ndarray:
    """Starts of chance: nuisance parameters about their initial values, factors too.

    Args:
        model: a model.
        fixed: parameters that stay at their initial values.
        number: how many starts.
        random: where chance comes from.
    """
    own = model.parameters
    init, lower, upper = map(np.asarray, (own.init, own.lower, own.upper))
    width = scales(model)
    noise = random.normal(size=(number, init.size))
    constrained = init + WIDTH * np.nan_to_num(width) * noise
    factors = np.where(init == 0.0, 1.0, init) * np.exp(SPREAD * noise)
    starts = np.where(np.isnan(width), factors, constrained)
    return np.where(fixed, init, np.clip(starts, lower, upper))


def single_starts(model: Model, fixed: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Starts at which one nuisance parameter alone is elsewhere than at a base.

    Args:
        model: a model.
        fixed: parameters that stay where they are.
        base: values of all parameters.
    """
    own = model.parameters
    lower, upper = np.asarray(own.lower), np.asarray(own.upper)
    width = scales(model)
    moving = np.flatnonzero(np.isfinite(width) & ~fixed & (lower < 0.0))
    starts = np.tile(base, (moving.size * len(PULLS), 1))
    rows = np.arange(len(starts)).reshape(moving.size, len(PULLS))
    starts[rows, moving[:, None]] = np.asarray(PULLS) * width[moving][:, None]
    return np.clip(starts, np.minimum(lower, base), np.maximum(upper, base))
