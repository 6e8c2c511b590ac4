"""How far two tools' answers for one point are apart."""

from collections.abc import Iterable, Sequence
from math import inf, isfinite
from typing import Any, NamedTuple

Point = dict[str, Any]

TINY = 1e-12
"""Observed CLs below this are not compared: likelihoods have several valleys there."""


class Worst(NamedTuple):
    """The largest difference over the points, and the point it belongs to."""

    value: float
    point: str

    def __str__(self) -> str:
        """The value and the point, as a table shows them."""
        return f"{self.value:.1e} ({self.point})" if self.point else "-"


def relative(ours: float | None, theirs: float | None) -> float:
    """Relative difference; infinite if either is missing or no number.

    >>> relative(1.0, 1.5)
    0.5
    """
    if ours is None or theirs is None or not (isfinite(ours) and isfinite(theirs)):
        return inf
    return 0.0 if ours == theirs else abs(ours - theirs) / abs(ours or theirs)


def cls_obs(ours: Point, theirs: Point) -> float:
    """Relative difference of the observed CLs."""
    return relative(ours["CLs_obs"], theirs["CLs_obs"])


def cls_exp(ours: Point, theirs: Point) -> float:
    """Largest relative difference of the five expected CLs."""
    pairs = zip(_band(ours), _band(theirs), strict=True)
    return max(relative(a, b) for a, b in pairs)


def _band(point: Point) -> Sequence[float | None]:
    return point.get("CLs_exp") or [None] * 5


def excess(ours: Point, theirs: Point) -> float:
    """By how much 2NLL of their worst fit is above ours; negative: all are below.

    The difference of largest size counts, over the fits that both report.
    """
    mine, other = ours.get("twice_nll") or {}, theirs.get("twice_nll") or {}
    differences = [other[fit] - mine[fit] for fit in mine if fit in other]
    return max(differences, key=abs, default=0.0)


def worst(values: Iterable[tuple[str, float]]) -> Worst:
    """The value of largest size, with its point.

    >>> worst([("a", 1e-9), ("b", -1e-3)])
    Worst(value=-0.001, point='b')
    """
    found = max(values, key=lambda item: abs(item[1]), default=("", 0.0))
    return Worst(found[1], found[0])
