"""What a breakdown of an uncertainty by its sources returns."""

from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float

from hfjax.arrays import Array, Rates, Scalar, ScalarInt
from hfjax.errors import FitError, unknown_name
from hfjax.fitting.result import FitResult
from hfjax.html_table import html_table
from hfjax.model.constraints import Aux
from hfjax.model.data import Data
from hfjax.record import Record, Status, json_numbers


class BreakdownStatus(Status):
    """Whether the uncertainty of a parameter is known; if not, there is no number."""

    KNOWN = 0
    AT_BOUND = 1
    FLAT = 2
    NO_MINIMUM = 3
    FIT_FAILED = 4

    @property
    def sentence(self) -> str:
        """What happened, and what to try.

        Example:
            >>> BreakdownStatus.KNOWN.sentence
            'the uncertainty and its sources are known'
        """
        return _SENTENCES[self]


_SENTENCES = {
    BreakdownStatus.KNOWN: "the uncertainty and its sources are known",
    BreakdownStatus.AT_BOUND: "the parameter stands at its bound, where small changes "
    "of the data do not move it: widen its bounds, or see its profile",
    BreakdownStatus.FLAT: "data do not tell the parameter from others: hold one of "
    "them, or remove it",
    BreakdownStatus.NO_MINIMUM: "the likelihood rises along some direction, so that "
    "this is no minimum: start elsewhere with Model.with_start",
    BreakdownStatus.FIT_FAILED: "the fit did not converge: see the status of the fit",
}


class BreakdownResult(Record):
    """The uncertainty of a parameter by its sources.

    `found["jets"]` is the part of a group.

    Attributes:
        parameter: name of the parameter.
        groups: names of the groups.
        contributions: of each group, the root of the sum of squares of its data.
        total: the root of the sum of squares of all.
        uncertainty: standard deviation from the exact Hessian, for comparison.
        value: best fit of the parameter.
        data: by how much the parameter moves with each datum, by one standard
            deviation of that datum; with the names of channels and parameters.
        code: the value of its `BreakdownStatus`.
        free: the best fit of all parameters.
    """

    parameter: str = eqx.field(static=True)
    groups: tuple[str, ...] = eqx.field(static=True)
    contributions: Float[Array, " group"]
    total: Scalar
    uncertainty: Scalar
    value: Scalar
    data: Data
    code: ScalarInt
    free: FitResult

    @property
    def main(self) -> Rates:
        """What each bin contributes, with its sign."""
        return self.data.main

    @property
    def aux(self) -> Aux:
        """What each auxiliary datum contributes, with its sign."""
        return self.data.aux

    def __getitem__(self, group: str) -> Scalar:
        """The part of a group.

        Raises:
            UnknownNameError: there is no such group; close names are given.
        """
        if group not in self.groups:
            error = unknown_name("group", group, self.groups)
            raise error
        return self.contributions[self.groups.index(group), ...]

    @property
    def status(self) -> BreakdownStatus:
        """Whether the uncertainty is known."""
        return BreakdownStatus(int(self.code))

    @property
    def converged(self) -> bool:
        """Whether it is known."""
        return self.status is BreakdownStatus.KNOWN

    @property
    def message(self) -> str:
        """Why the uncertainty is not known; empty if it is."""
        return "" if self.converged else self.status.sentence

    def raise_if_failed(self) -> "BreakdownResult":
        """Return the result itself, or raise if the uncertainty is not known.

        Raises:
            FitError: what happened, and what to try.
        """
        if not self.converged:
            raise FitError(self.message)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The breakdown as JSON values, None for what is not known."""
        pairs = zip(self.groups, json_numbers(self.contributions), strict=True)
        main, aux = self.data.counts, self.data.auxiliary
        return {
            "parameter": self.parameter,
            "value": json_numbers(self.value),
            "groups": dict(pairs),
            "total": json_numbers(self.total),
            "uncertainty": json_numbers(self.uncertainty),
            "main": {name: json_numbers(each) for name, each in main.items()},
            "auxiliary": {name: json_numbers(each) for name, each in aux.items()},
            "status": str(self.status),
            "message": self.message,
        }

    def __repr__(self) -> str:
        """The parts of all groups."""
        width = max(map(len, self.groups))
        lines = [f"  {name:{width}}  {part:.6g}" for name, part in self._rows()]
        return "\n".join([self._head(), *lines])

    def _repr_html_(self) -> str:
        """The parts of all groups in a table, for notebooks."""
        return html_table(self._head(), ["source", "uncertainty"], self._rows())

    def _head(self) -> str:
        value, total = float(self.value), float(self.total)
        return f"BreakdownResult: {self.parameter} = {value:.6g} ± {total:.6g}"

    def _rows(self) -> list[tuple[str, float]]:
        parts = np.asarray(self.contributions).tolist()
        return list(zip(self.groups, parts, strict=True))
