"""Which values `hfjax profile` holds parameters at: asked for, or around the fit."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import typer

import hfjax
from hfjax.cli.options import number

HINT = "--parameter"
WIDTH = 3.0
"""Half of a range that is not given, in uncertainties."""
FAR = 0.9973002039367398
"""Probability within so many standard deviations."""
MOST = {1: 31, 2: 21}
"""Values of each parameter where their number is not given, by how many there are."""


class Wanted(NamedTuple):
    """A parameter to hold.

    Attributes:
        name: of the parameter, or of a component.
        values: the ones asked for; none if they are to be around the best fit.
    """

    name: str
    values: tuple[float, ...] = ()


def wanted(texts: Sequence[str]) -> list[Wanted]:
    """Read which parameters to hold, and where.

    Raises:
        typer.BadParameter: one is not NAME or NAME=LOW:HIGH:NUMBER, or there are more
            than two, or one is there twice.

    Example:
        >>> wanted(["mu=0:2:3", "gamma[1]"])
        [Wanted(name='mu', values=(0.0, 1.0, 2.0)), Wanted(name='gamma[1]', values=())]
    """
    found = [_wanted(text) for text in texts]
    names = [each.name for each in found]
    if len(set(names)) < len(names) or len(names) not in MOST:
        message = f"{', '.join(names)}: give one parameter, or two different ones"
        raise typer.BadParameter(message, param_hint=HINT)
    return found


def _wanted(text: str) -> Wanted:
    name, sign, given = text.rpartition("=")
    if not sign:
        return Wanted(text)
    parts = given.split(":")
    if not name or len(parts) != 3:
        message = f"'{text}' is not NAME or NAME=LOW:HIGH:NUMBER, such as mu=0:2:21"
        raise typer.BadParameter(message, param_hint=HINT)
    try:
        low, high, count = map(number, parts)
    except typer.BadParameter as error:
        message = f"{name}: {error}"
        raise typer.BadParameter(message, param_hint=HINT) from None
    if not (low < high and count >= 2 and count == int(count)):
        message = f"'{text}': LOW has to be below HIGH, and NUMBER be 2 or more"
        raise typer.BadParameter(message, param_hint=HINT)
    return Wanted(name, evenly(low, high, int(count)))


def evenly(low: float, high: float, count: int) -> tuple[float, ...]:
    """So many values from one to another, both included.

    >>> evenly(0.0, 1.0, 3)
    (0.0, 0.5, 1.0)
    """
    parts = [i / (count - 1) for i in range(count)]
    return tuple(low * (1.0 - part) + high * part for part in parts)


def around(
    model: Any, data: Any, fit: Any, names: Sequence[str], settings: Any
) -> dict[str, tuple[float, float]]:
    """Ranges of 3 uncertainties on both sides of a best fit, inside the bounds.

    Where a parameter has no uncertainty, at a bound, the profile interval is taken.

    Args:
        model: the model.
        data: what it was fitted to.
        fit: its best fit.
        names: of the parameters.
        settings: of fits.

    Raises:
        typer.BadParameter: the data say nothing about one of them.
    """
    known = hfjax.covariance(model, data, fit, run=settings.run)
    own, found = model.parameters, {}
    for name in names:
        i = model.single_parameter(name)
        best, sigma = float(fit.params[i]), float(known.uncertainties[i])
        if math.isfinite(sigma) and sigma > 0:
            low, high = best - WIDTH * sigma, best + WIDTH * sigma
            bounds = float(own.lower[i]), float(own.upper[i])
            found[name] = max(low, bounds[0]), min(high, bounds[1])
        else:
            found[name] = _searched(model, data, name, settings)
    return found


def _searched(model: Any, data: Any, name: str, settings: Any) -> tuple[float, float]:
    """The profile interval of 3 standard deviations."""
    ends = hfjax.intervals(model, data, [name], level=FAR, settings=settings)
    worst = max(ends.statuses(name))
    if worst >= hfjax.IntervalStatus.NOT_REACHED:
        message = (
            f"no range of {name} is known, as {worst.sentence}: give one, "
            f"'{name}=LOW:HIGH:NUMBER'"
        )
        raise typer.BadParameter(message, param_hint=HINT)
    low, high = ends[name].tolist()
    return low, high
