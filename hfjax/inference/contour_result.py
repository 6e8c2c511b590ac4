"""What a search for contours returns."""

from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from hfjax.arrays import Array
from hfjax.errors import FitError
from hfjax.fitting.result import FitResult
from hfjax.html_table import html_table
from hfjax.inference.intervals_result import IntervalStatus
from hfjax.record import Record, json_numbers


class ContourResult(Record):
    """Contours of the profile likelihood in the plane of two parameters.

    `found.points[0]` is the curve of the first level, a pair of values in each row,
    counterclockwise; its last point is joined to its first.

    Attributes:
        names: of the two parameters.
        values: their best fit.
        levels: probability inside each curve.
        rises: how far the deviance rises to each, above the best fit.
        points: of each curve, both parameters; NaN where there is none.
        codes: the value of the `IntervalStatus` of each point.
        delta: how far the deviance has risen at each point; less than asked for at a
            bound.
        free: the best fit of all parameters.
    """

    names: tuple[str, str] = eqx.field(static=True)
    values: Float[np.ndarray, "2"]
    levels: tuple[float, ...] = eqx.field(static=True)
    rises: tuple[float, ...] = eqx.field(static=True)
    points: tuple[Float[np.ndarray, "_ 2"], ...]
    codes: tuple[Int[np.ndarray, " _"], ...]
    delta: tuple[Float[np.ndarray, " _"], ...]
    free: FitResult

    @property
    def statuses(self) -> tuple[tuple[IntervalStatus, ...], ...]:
        """How the search for each point of each curve ended."""
        return tuple(tuple(map(IntervalStatus, c.tolist())) for c in self.codes)

    @property
    def converged(self) -> bool:
        """Whether every point is known: found, or at a bound."""
        return self._worst < IntervalStatus.NOT_REACHED

    @property
    def _worst(self) -> IntervalStatus:
        return max(status for each in self.statuses for status in each)

    def raise_if_failed(self) -> "ContourResult":
        """Return the result itself, or raise if a point is not known.

        Raises:
            FitError: how many, and why.
        """
        if not self.converged:
            raise FitError(self.message)
        return self

    @property
    def message(self) -> str:
        """How many points are not known, and why; empty if all are."""
        if self.converged:
            return ""
        every = [status for each in self.statuses for status in each]
        lost = sum(status >= IntervalStatus.NOT_REACHED for status in every)
        return f"{lost} of {len(every)} points have no result: {self._worst.sentence}"

    def to_dict(self) -> dict[str, Any]:
        """The curves as JSON values, None where there is no point."""
        rows = zip(
            self.levels,
            self.rises,
            self.points,
            self.delta,
            self.statuses,
            strict=True,
        )
        return {
            "names": list(self.names),
            "values": json_numbers(self.values),
            "contours": [
                {
                    "level": level,
                    "rise": rise,
                    "points": json_numbers(points),
                    "delta": json_numbers(delta),
                    "status": list(map(str, statuses)),
                }
                for level, rise, points, delta, statuses in rows
            ],
            "message": self.message,
            "free": self.free.to_dict(),
        }

    def __repr__(self) -> str:
        """The extent of each curve."""
        x, y = self.names
        rows = [
            f"  {level}: {x} in {across}, {y} in {up}, {note}"
            for level, across, up, note in self._rows()
        ]
        return "\n".join([self._head(), *rows])

    def _repr_html_(self) -> str:
        """The extent of each curve in a table, for notebooks."""
        columns = ["level", *self.names, "points"]
        return html_table(self._head(), columns, self._rows())

    def _head(self) -> str:
        x, y = self.values.tolist()
        one, other = self.names
        return f"ContourResult: best fit {one} = {x:.6g}, {other} = {y:.6g}"

    def _rows(self) -> list[tuple[str, str, str, str]]:
        """Levels, extents, and how many points there are, at a bound and in all."""
        return [
            (f"{level:.4g}", _extent(x), _extent(y), _count(codes))
            for level, (x, y), codes in zip(
                self.levels, (each.T for each in self.points), self.codes, strict=True
            )
        ]


def _extent(values: Array) -> str:
    """The least and the largest number."""
    known = np.asarray(values)[np.isfinite(values)]
    return f"[{known.min():.6g}, {known.max():.6g}]" if known.size else "nothing"


def _count(codes: Array) -> str:
    bound = int(np.sum(np.asarray(codes) == IntervalStatus.AT_BOUND))
    lost = int(np.sum(np.asarray(codes) >= IntervalStatus.NOT_REACHED))
    parts = [f"{bound} at a bound"] * (bound > 0) + [f"{lost} unknown"] * (lost > 0)
    return ", ".join([f"{codes.size} points", *parts])
