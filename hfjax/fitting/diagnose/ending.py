"""Where a fit has ended: in which valley, at which bounds, at which edges."""

import dataclasses
from typing import Any

import numpy as np

from hfjax.compiled.program import Run, run_directly
from hfjax.fitting.diagnose.bins import Bin, edge_bins
from hfjax.fitting.diagnose.diagnosis import parameters_at_bounds
from hfjax.fitting.diagnose.valley_report import ValleyReport, valley_report
from hfjax.fitting.result import FitResult
from hfjax.model.data import Data
from hfjax.model.model import Model


@dataclasses.dataclass(frozen=True)
class FitEnding:
    """Where a fit has ended.

    Attributes:
        valleys: what it says of other valleys.
        at_bounds: parameters that stand at a bound, with its value, by name.
        at_edge: bins without events whose rate it has taken to zero.
    """

    valleys: ValleyReport = dataclasses.field(default_factory=ValleyReport)
    at_bounds: dict[str, float] = dataclasses.field(default_factory=dict)
    at_edge: tuple[Bin, ...] = ()

    def dump(self) -> dict[str, Any]:
        """The ending as JSON values.

        Example:
            >>> FitEnding(at_bounds={"mu": 0.0}).dump()["at_bounds"]
            {'mu': 0.0}
        """
        edges = [{"channel": each.channel, "bin": each.bin} for each in self.at_edge]
        return {
            "valleys": self.valleys.dump(),
            "at_bounds": self.at_bounds,
            "at_edge": edges,
        }


def fit_ending(
    model: Model,
    data: Data,
    result: FitResult,
    *,
    held: bool = False,
    run: Run = run_directly,
) -> FitEnding:
    """Look at where a fit has ended.

    Args:
        model: the model that was fitted, with names.
        data: what it was fitted to.
        result: of `fit`, `fixed_poi_fit` or `hypotest`; a single one.
        held: whether the parameter of interest was held.
        run: calls a compiled program, as in `FitSettings`.

    Returns:
        What is to be known; nothing of a fit that did not converge.

    Example:
        >>> import hfjax
        >>> workspace = hfjax.uncorrelated_background([3.0], [5.0], [1.0], [2.0])
        >>> model, data = hfjax.build(workspace)
        >>> fit_ending(model, data, hfjax.fit(model, data)).at_bounds
        {'mu': 0.0}
    """
    if not result.converged:
        return FitEnding()
    start = np.array(model.parameters.init)
    if held:
        start[model.poi] = np.asarray(result.params)[model.poi]
    return FitEnding(
        valleys=valley_report(model, result, run),
        at_bounds=parameters_at_bounds(model, result.params, held),
        at_edge=edge_bins(model, data, result.params, start, run),
    )
