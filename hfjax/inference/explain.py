"""What happened in a fit or a test, in words, with the names of fits and bins."""

from typing import NamedTuple

import numpy as np

from hfjax.compiled.program import Run, run_directly
from hfjax.fitting.diagnose.advice import IN_PYTHON, Advice
from hfjax.fitting.diagnose.explanation import explain_fit
from hfjax.fitting.diagnose.valley_report import valley_report
from hfjax.fitting.result import FitResult
from hfjax.inference.test_result import HypotestResult
from hfjax.inference.test_state import ASIMOV, BACKGROUND, FIXED, FREE
from hfjax.model.data import Data
from hfjax.model.model import Model


class NamedFit(NamedTuple):
    """A fit of a test, and what it is called.

    Attributes:
        label: in words, such as ``the fit at mu = 0``.
        fit: its result.
        data: what it was fitted to.
        held: whether the parameter of interest was held.
    """

    label: str
    fit: FitResult
    data: Data
    held: bool


def explain(
    model: Model,
    data: Data,
    result: FitResult | HypotestResult,
    *,
    which: str = "the fit",
    advice: Advice = IN_PYTHON,
    run: Run = run_directly,
) -> str:
    """Say what happened in a fit or a test: which fit, in which bins, what to do.

    Args:
        model: the model that was fitted, with names: of a result with ``fixed=``, what
            `Model.with_fixed` makes of the same values.
        data: observed data.
        result: of `fit`, `fixed_poi_fit` or `hypotest`; a single one.
        which: what to call a single fit.
        advice: what can be done where the message is read.
        run: calls a compiled program, as in `FitSettings`.

    Returns:
        One line: the failure, or that all converged, and what is to be known of other
        valleys.

    Raises:
        DataError: the data have the wrong shape.

    Example:
        >>> import hfjax
        >>> workspace = hfjax.uncorrelated_background([3.0], [0.0], [0.0], [9.0])
        >>> model, data = hfjax.build(workspace)
        >>> explain(model, data, hfjax.hypotest(model, data)).split(":")[0]
        'the fit at mu = 0 is impossible'
    """
    model.check_data(data)
    if isinstance(result, FitResult):
        return _explained(model, [NamedFit(which, result, data, False)], advice, run)
    fits = list(fits_by_name(model, data, result).values())
    return _explained(model, fits, advice, run)


def _explained(model: Model, fits: list[NamedFit], advice: Advice, run: Run) -> str:
    worst = max(fits, key=lambda each: int(each.fit.code))
    if not worst.fit.converged:
        return explain_fit(model, worst.data, worst.fit, worst.label, advice, run)
    one = f"{worst.label} converged"
    told = [one if len(fits) == 1 else "all fits converged"]
    for each in fits:
        if sentence := valley_report(model, each.fit, run).sentence:
            told.append(f"{each.label}: {sentence}")
    return "; ".join(told)


def fit_labels(name: str | None, poi: float, asimov_poi: float) -> dict[int, str]:
    """What the fits of a test are called, by their position in it.

    Args:
        name: of the parameter of interest.
        poi: tested value.
        asimov_poi: value that the Asimov data are made with.

    Example:
        >>> list(fit_labels("mu", 1.0, 0.0).values())[:3]
        ['the fit at mu = 0', 'the fit at mu = 1', 'the free fit']
    """
    return {
        BACKGROUND: f"the fit at {name} = {asimov_poi:g}",
        FIXED: f"the fit at {name} = {poi:g}",
        FREE: "the free fit",
        ASIMOV: f"the fit of the Asimov data at {name} = {poi:g}",
    }


def fits_by_name(
    model: Model, data: Data, result: HypotestResult
) -> dict[str, NamedFit]:
    """The fits of a test by key: background, fixed, free and asimov, as they are done.

    Args:
        model: the model that was tested, with names.
        data: observed data.
        result: of `hypotest`.

    Example:
        >>> import hfjax
        >>> workspace = hfjax.uncorrelated_background([3.0], [5.0], [1.0], [9.0])
        >>> model, data = hfjax.build(workspace)
        >>> fits = fits_by_name(model, data, hfjax.hypotest(model, data))
        >>> [name for name, each in fits.items() if each.held]
        ['background', 'fixed', 'asimov']
    """
    asimov_poi = float(np.asarray(result.background.params)[int(model.poi)])
    labels = fit_labels(model.poi_name, float(result.poi_value), asimov_poi)
    asimov = result.asimov_data
    return {
        "background": NamedFit(labels[BACKGROUND], result.background, data, True),
        "fixed": NamedFit(labels[FIXED], result.fixed, data, True),
        "free": NamedFit(labels[FREE], result.free, data, False),
        "asimov": NamedFit(labels[ASIMOV], result.asimov_fixed, asimov, True),
    }
