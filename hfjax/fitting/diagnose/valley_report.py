"""What a best fit says of other valleys: which were passed by, and what for.

The likelihood of some models has several minima. Here a fit is told apart from what its
initial values lead to, and from lower minima that are not physical.
"""

import dataclasses
from typing import Any

import jax
import numpy as np

from hfjax.arrays import Params
from hfjax.compiled.program import Program, Run, run_directly
from hfjax.fitting.diagnose.bins import bin_place
from hfjax.fitting.result import FitResult
from hfjax.fitting.valleys.physical import unphysical_rates
from hfjax.model.model import Model

LEAST = 1e-6
"""Least difference in -2 ln L that is told; below it is rounding."""
MOST_MOVED = 3
"""Most parameters that are named."""
_VISIBLE = 0.1  # of the largest move


@dataclasses.dataclass(frozen=True)
class Moved:
    """A parameter that has another value than where the initial values lead.

    Attributes:
        name: of the parameter.
        initial: value where the initial values lead.
        best: value at the best fit.
    """

    name: str
    initial: float
    best: float

    @property
    def sentence(self) -> str:
        """From where to where.

        Example:
            >>> Moved("top", 0.14, 1.18).sentence
            'top at 1.18 instead of 0.14'
        """
        return f"{self.name} at {self.best:.3g} instead of {self.initial:.3g}"


@dataclasses.dataclass(frozen=True)
class Turned:
    """A sample whose rate has been turned too far by its systematics.

    Attributes:
        sample: name of the sample.
        channel: name of the channel.
        bin: position of the bin in the channel.
        rate: expected events.
    """

    sample: str
    channel: str
    bin: int
    rate: float

    @property
    def sentence(self) -> str:
        """Where, and how many events.

        Example:
            >>> Turned("top", "SR", 1, -3.2).sentence
            "sample 'top' has -3.2 events in bin 1 of channel 'SR'"
        """
        where = f"bin {self.bin} of channel {self.channel!r}"
        return f"sample {self.sample!r} has {self.rate:.3g} events in {where}"


@dataclasses.dataclass(frozen=True)
class ValleyReport:
    """What a best fit says of other valleys.

    Attributes:
        lower_by: how much lower in -2 ln L the best fit is than what the initial values
            lead to; 0 where that is the best, or is no likelihood.
        moved: parameters that moved most between the two, at most three.
        passed_by: how much lower in -2 ln L an unphysical minimum is that was passed
            over; 0 without any.
        passed: a sample that has been turned too far there.
        unphysical: the same of the best fit itself, where no physical one was found.
    """

    lower_by: float = 0.0
    moved: tuple[Moved, ...] = ()
    passed_by: float = 0.0
    passed: Turned | None = None
    unphysical: Turned | None = None

    @property
    def moves(self) -> str:
        """The parameters that moved most, and where to.

        Example:
            >>> ValleyReport(0.1, (Moved("top", 0.14, 1.18),)).moves
            'top at 1.18 instead of 0.14'
        """
        return ", ".join(m.sentence for m in self.moved)

    @property
    def sentence(self) -> str:
        """What is to be known, in one line; empty where there is nothing.

        Example:
            >>> ValleyReport(0.125, (Moved("top", 0.14, 1.18),)).sentence[:37]
            'the best fit is 0.125 lower in -2 ln '
        """
        parts = []
        if self.lower_by:
            parts.append(
                f"the best fit is {self.lower_by:.3g} lower in -2 ln L than the "
                f"minimum that the initial values lead to: {self.moves}"
            )
        if self.passed:
            parts.append(
                f"a minimum {self.passed_by:.3g} lower in -2 ln L is passed over as "
                f"unphysical: {self.passed.sentence} there"
            )
        if self.unphysical:
            parts.append(
                f"no physical minimum was found: {self.unphysical.sentence} at the best"
            )
        return "; ".join(parts)

    def dump(self) -> dict[str, Any]:
        """The report as JSON values.

        Example:
            >>> ValleyReport(0.1, (Moved("top", 0.14, 1.18),)).dump()["moved"]
            [{'name': 'top', 'from': 0.14, 'to': 1.18}]
        """
        moved = [
            {"name": each.name, "from": each.initial, "to": each.best}
            for each in self.moved
        ]
        return dataclasses.asdict(self) | {"moved": moved}


def valley_report(
    model: Model, result: FitResult, run: Run = run_directly
) -> ValleyReport:
    """Tell a best fit apart from other minima that the fit has seen.

    Args:
        model: the model that was fitted, with names.
        result: of `fit`, `fixed_poi_fit` or `hypotest`; a single one.
        run: calls a compiled program, as in `FitSettings`.

    Returns:
        The report; an empty one where the best fit is all there is, or did not
        converge.

    Example:
        >>> import hfjax
        >>> workspace = hfjax.uncorrelated_background([3.0], [5.0], [1.0], [9.0])
        >>> model, data = hfjax.build(workspace)
        >>> valley_report(model, hfjax.fit(model, data)).lower_by
        0.0
    """
    if not result.converged:
        return ValleyReport()
    by = lower_by(float(result.initial), float(result.deviance))
    moved = _moved(model, result) if by else ()
    passed = unphysical = None
    if np.isfinite(result.passed):
        passed = _turned(model, result.passed_params, run)
    if not result.physical:
        unphysical = _turned(model, result.params, run)
    passed_by = float(result.deviance - result.passed) if passed else 0.0
    return ValleyReport(by, moved, passed_by, passed, unphysical)


def lower_by(initial: float, deviance: float) -> float:
    """How much lower a best fit is than what its initial values lead to.

    Args:
        initial: deviance of the latter; infinite where that is no likelihood.
        deviance: of the best fit.

    Example:
        >>> lower_by(3.5, 3.0), lower_by(3.0 + 1e-9, 3.0), lower_by(float("inf"), 3.0)
        (0.5, 0.0, 0.0)
    """
    difference = initial - deviance
    return difference if LEAST < difference < np.inf else 0.0


def _moved(model: Model, result: FitResult) -> tuple[Moved, ...]:
    """The parameters that moved most, in units of their constraint terms."""
    first, last = np.asarray(result.initial_params), np.asarray(result.params)
    move = np.abs(last - first) / _widths(model)
    order = np.argsort(-move, kind="stable")[:MOST_MOVED]
    names, visible = model.parameters.names, _VISIBLE * move.max()
    return tuple(
        Moved(names[i], float(first[i]), float(last[i]))
        for i in order
        if move[i] >= visible
    )


def _widths(model: Model) -> np.ndarray:
    """Standard deviations of constraint terms; one where there is none."""
    widths = np.ones(model.parameters.init.size)
    normal, poisson = model.gaussian, model.poisson
    kept = np.asarray(normal.present)
    widths[np.asarray(normal.index)[kept]] = np.asarray(normal.width)[kept]
    kept = np.asarray(poisson.present)
    events = np.maximum(np.asarray(poisson.factor)[kept], 1e-12)
    widths[np.asarray(poisson.index)[kept]] = 1.0 / np.sqrt(events)
    return np.maximum(widths, 1e-12)


_unphysical = jax.jit(unphysical_rates)


def _turned(model: Model, params: Params, run: Run) -> Turned | None:
    """The sample that has been turned furthest."""
    rates = run(Program(_unphysical, (model.anonymous(), params), {}))
    sample, position = np.unravel_index(np.argmax(np.abs(rates)), np.shape(rates))
    rate = float(rates[sample, position])
    if rate == 0.0:
        return None
    channel, place = bin_place(model.names, int(position))
    return Turned(model.names.samples[sample], channel, place, rate)
