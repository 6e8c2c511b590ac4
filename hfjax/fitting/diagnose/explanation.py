"""Why a fit failed: which one, in which bins, and what can be done about it."""

from typing import NamedTuple

import numpy as np

from hfjax.arrays import Params
from hfjax.compiled.program import Run, run_directly
from hfjax.fitting.diagnose.advice import IN_PYTHON, Advice
from hfjax.fitting.diagnose.bins import Bin, bin_rates, impossible_bins
from hfjax.fitting.result import FitResult
from hfjax.fitting.status import FitStatus
from hfjax.model.data import Data
from hfjax.model.model import Model


class End(NamedTuple):
    """How a fit ended, and where.

    Attributes:
        status: how.
        params: where.
    """

    status: FitStatus
    params: Params


MOST_BINS = 3
"""Most bins that are named."""


def explain_fit(
    model: Model,
    data: Data,
    result: FitResult,
    which: str = "the fit",
    advice: Advice = IN_PYTHON,
    run: Run = run_directly,
) -> str:
    """Say how a fit ended: which one, in which bins, and what can be done.

    Args:
        model: the model that was fitted, with names.
        data: what it was fitted to.
        result: the fit.
        which: what to call it.
        advice: what can be done where the message is read.
        run: calls a compiled program, as in `FitSettings`.

    Returns:
        One line.

    Example:
        >>> import hfjax
        >>> workspace = hfjax.uncorrelated_background([3.0], [0.0], [0.0], [9.0])
        >>> model, data = hfjax.build(workspace)
        >>> result = hfjax.fixed_poi_fit(model, data, 0.0)
        >>> print(explain_fit(model, data, result).split(": ")[1].split(";")[0])
        bin 0 of channel 'singlechannel' has 9 events and an expected rate of 0
    """
    end = End(FitStatus(int(result.code)), result.params)
    return explain_end(model, data, end, which, advice, run)


def explain_end(
    model: Model, data: Data, end: End, which: str, advice: Advice, run: Run
) -> str:
    """Say how a fit ended of which status and parameters are known.

    Args:
        model: the model that was fitted, with names.
        data: what it was fitted to.
        end: status, and where the fit ended.
        which: what to call it.
        advice: what can be done where the message is read.
        run: calls a compiled program, as in `FitSettings`.
    """
    status, params = end
    if status is not FitStatus.NOT_FINITE:
        return explain_status(status, which, advice)
    bins = impossible_bins(model, data, params, run)
    if not bins:
        return explain_status(status, which, advice)
    return f"{which} is impossible: {_told(bins)}; " + (
        _signal_only(model, params, bins, run)
        or f"check the templates{_elsewhere(advice)}"
    )


def explain_status(status: FitStatus, which: str, advice: Advice = IN_PYTHON) -> str:
    """Say how a fit ended of which no more than its status is known.

    Args:
        status: of the fit.
        which: what to call it.
        advice: what can be done where the message is read.

    Example:
        >>> explain_status(FitStatus.CONVERGED, "the free fit")
        'the free fit converged'
    """
    positive = f", or build with {advice.positive}" if advice.positive else ""
    more = f": allow more with {advice.steps}" if advice.steps else ""
    start = _elsewhere(advice)
    told = {
        FitStatus.CONVERGED: f"{which} converged",
        FitStatus.STALLED: (
            f"{which} stalled: no step lowers the likelihood although its gradient is "
            "not zero, as in a valley narrower than floating point resolves; look for "
            f"extreme normsys factors{positive}"
        ),
        FitStatus.MAX_STEPS: (
            f"{which} used all its steps without converging{more}{positive}"
        ),
        FitStatus.INCONSISTENT: (
            f"{which} ended above what the end of another fit of the test proves "
            f"possible{start}"
        ),
        FitStatus.NOT_FINITE: (
            f"{which} is impossible: the likelihood is zero where it starts, and no "
            f"step leads out; check the templates{start}"
        ),
    }
    return told.get(status) or f"{which}: {status.sentence}"


def _told(bins: tuple[Bin, ...]) -> str:
    told = ", ".join(
        f"{b.place} has {b.events:g} events and an expected rate of {b.rate:.3g}"
        for b in bins[:MOST_BINS]
    )
    more = len(bins) - MOST_BINS
    return f"{told}, and {more} more bins" if more > 0 else told


def _elsewhere(advice: Advice) -> str:
    return f", or start elsewhere with {advice.start}" if advice.start else ""


def _signal_only(model: Model, params: Params, bins: tuple[Bin, ...], run: Run) -> str:
    """What to do about bins that only a signal fills; empty where that is not so."""
    params = np.array(params)
    if model.poi < 0 or params[model.poi] != 0.0:
        return ""
    params[model.poi] = 1.0
    filled = bin_rates(model, params, run)[bins[0].position]
    if not filled > 0.0:
        return ""
    return (
        f"{model.poi_name} = 1 gives {filled:.3g} in {bins[0].place}, which nothing "
        "else fills: give it a background, or leave it out"
    )
