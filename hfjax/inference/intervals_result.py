"""What a search for profile intervals returns."""

from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from hfjax.arrays import Array, Scalar, ScalarInt
from hfjax.errors import FitError, unknown_name
from hfjax.fitting.result import FitResult
from hfjax.html_table import html_table
from hfjax.record import Record, Status, is_single, json_numbers, refuse_batch

Ends = Float[Array, "parameter side"]
"""Of the intervals: below and above."""


class IntervalStatus(Status):
    """Why the end of an interval is what it is; from `NOT_REACHED` on there is none."""

    FOUND = 0
    AT_BOUND = 1
    FIXED = 2
    NOT_REACHED = 3
    JUMPS = 4
    LOWER_MINIMUM = 5
    FITS_FAILED = 6

    @property
    def sentence(self) -> str:
        """What it means, and what to try.

        Example:
            >>> IntervalStatus.FOUND.sentence
            'the deviance has risen as far as the level asks'
        """
        return _SENTENCES[self]


_SENTENCES = {
    IntervalStatus.FOUND: "the deviance has risen as far as the level asks",
    IntervalStatus.AT_BOUND: "the parameter's bound comes first",
    IntervalStatus.FIXED: "the parameter is held",
    IntervalStatus.NOT_REACHED: "the deviance does not rise that far: the data say "
    "nothing about the parameter on this side",
    IntervalStatus.JUMPS: "the deviance jumps across the level: a fit changes its "
    "valley there; hfjax.profile shows it",
    IntervalStatus.LOWER_MINIMUM: "a minimum on this side is lower than the best "
    "fit: start there with Model.with_start",
    IntervalStatus.FITS_FAILED: "fits do not converge: allow more steps with "
    "FitSettings(max_steps=...), or look with hfjax.profile",
}


class IntervalsResult(Record):
    """Profile intervals of parameters.

    `found["mu"]` are the two ends of a parameter, below and above.

    Attributes:
        names: of the parameters.
        values: their best fit.
        ends: of each interval, below and above; NaN where there is none.
        codes: the value of the `IntervalStatus` of each end.
        delta: how far the deviance has risen at each end.
        level: probability of the intervals.
        free: the best fit of all parameters.
        fits: so many fits were done for each end.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    values: Float[Array, " parameter"]
    ends: Ends
    codes: Int[Array, "parameter side"]
    delta: Ends
    level: Scalar
    free: FitResult
    fits: Int[Array, "parameter side"]

    @property
    def code(self) -> ScalarInt:
        """The value of the worst `IntervalStatus`."""
        return self.codes.max(axis=(-2, -1))

    def __getitem__(self, name: str) -> Array:
        """The two ends of a parameter, below and above.

        Raises:
            UnknownNameError: no interval of it was asked for; close names are given.
        """
        return self.ends[..., self._position(name), :]

    def statuses(self, name: str) -> tuple[IntervalStatus, IntervalStatus]:
        """How the search for the two ends of a parameter ended.

        Raises:
            UnknownNameError: no interval of it was asked for; close names are given.
            ArgumentError: it is a batch, or inside ``jit`` or ``vmap``.
        """
        refuse_batch(self)
        below, above = np.asarray(self.codes)[self._position(name)]
        return IntervalStatus(int(below)), IntervalStatus(int(above))

    def _position(self, name: str) -> int:
        if name not in self.names:
            error = unknown_name("interval", name, self.names)
            raise error
        return self.names.index(name)

    @property
    def converged(self) -> bool:
        """Whether every end is known: found, at a bound, or of what is held."""
        return int(self.code) < IntervalStatus.NOT_REACHED

    def raise_if_failed(self) -> "IntervalsResult":
        """Return the result itself, or raise if an end is not known.

        Raises:
            FitError: of which parameter, and why.
        """
        for name in self.names:
            worst = max(self.statuses(name))
            if worst >= IntervalStatus.NOT_REACHED:
                message = f"there is no interval of {name}: {worst.sentence}"
                raise FitError(message)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The intervals as JSON values by name, None where there is none.

        Raises:
            ArgumentError: it is a batch, or inside ``jit`` or ``vmap``.
        """
        refuse_batch(self)
        rows = zip(self.names, self.values, self.ends, self.delta, strict=True)
        return {
            "intervals": {
                name: {
                    "value": json_numbers(value),
                    "ends": json_numbers(ends),
                    "status": [str(status) for status in self.statuses(name)],
                    "delta": json_numbers(delta),
                }
                for name, value, ends, delta in rows
            },
            "level": json_numbers(self.level),
            "free": self.free.to_dict(),
        }

    def __repr__(self) -> str:
        """The intervals; of a batch, and inside ``jit``, the shapes."""
        if not is_single(self):
            return eqx.tree_pformat(self)
        width = max((len(name) for name in self.names), default=0)
        rows = [f"  {n:{width}}  {v:.6g} [{a}, {b}]" for n, v, a, b in self._rows()]
        return "\n".join([self._head(), *rows])

    def _repr_html_(self) -> str | None:
        """All intervals in a table, for notebooks; None of a batch."""
        if not is_single(self):
            return None
        columns = ["parameter", "value", "below", "above"]
        return html_table(self._head(), columns, self._rows())

    def _head(self) -> str:
        level, count = float(self.level), len(self.names)
        return f"IntervalsResult: {level:.4g}, {count} parameters"

    def _rows(self) -> list[tuple[str, float, str, str]]:
        """Names, best fits, and ends with what is to be known of them."""
        rows = zip(
            self.names, np.asarray(self.values), np.asarray(self.ends), strict=True
        )
        shown = []
        for name, value, ends in rows:
            below, above = map(_shown, ends, self.statuses(name))
            shown.append((name, float(value), below, above))
        return shown


def _shown(end: float, status: IntervalStatus) -> str:
    return f"{end:.6g}" + ("" if status is IntervalStatus.FOUND else f" {status}")
