"""Impacts by the definition, one fit after the other."""

import numpy as np

from hfjax.fitting.best_fit import fit
from hfjax.fitting.covariance import covariance


def impacts_one_by_one(model, data, parameter, widths):
    """Shifts of a parameter, by the nuisance parameter: before the fit, and after it.

    `widths` are those of the constraint terms by name, None where there is none; the
    result has rows of four: pre-fit down and up, post-fit down and up.
    """
    best = fit(model, data)
    after = covariance(model, data, best)
    low, high = (
        dict(zip(model.parameters.names, np.asarray(ends).tolist(), strict=True))
        for ends in (model.parameters.lower, model.parameters.upper)
    )
    found = {}
    for name, width in widths.items():
        row = []
        for size in (width, float(after[name])):
            for sign in (-1.0, 1.0):
                if size is None:
                    row.append(np.nan)
                    continue
                value = float(best[name]) + sign * size
                value = min(max(value, low[name]), high[name])
                held = fit(model, data, fixed={name: value}).raise_if_failed()
                row.append(float(held[parameter] - best[parameter]))
        found[name] = row
    return found


def breakdown_by_shifts(model, data, parameter, step=1e-3):
    """What each datum contributes, by fits to data of which one is shifted a little.

    The result is a vector of main and one of auxiliary data.
    """
    best = fit(model, data)
    expected = model.expected_data(best.params)
    widths = np.ones(np.shape(data.aux))
    for terms in model.constraints:
        size = getattr(terms, "width", None)
        at = np.asarray(terms.position)
        widths[at] = np.sqrt(np.asarray(expected.aux)[at]) if size is None else size
    parts = []
    for kind, sigma in (("main", np.sqrt(np.asarray(expected.main))), ("aux", widths)):
        own = np.asarray(getattr(data, kind), float)
        part = np.zeros(own.size)
        for i in range(own.size):
            ends = []
            for sign in (-1.0, 1.0):
                moved = own.copy()
                moved[i] += sign * step * sigma[i]
                counts = {"main": data.main, "aux": data.aux} | {kind: moved}
                shifted = type(data)(**counts, channels=data.channels)
                ends.append(float(fit(model, shifted)[parameter]))
            part[i] = (ends[1] - ends[0]) / (2.0 * step)
        parts.append(part)
    return parts
