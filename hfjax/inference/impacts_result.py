"""What a search for impacts returns."""

from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from hfjax.arrays import Array, Scalar, ScalarInt
from hfjax.errors import FitError, unknown_name
from hfjax.fitting.result import FitResult
from hfjax.html_table import html_table
from hfjax.record import Record, Status, json_numbers

KINDS = ("prefit", "postfit")
"""Which uncertainty a nuisance parameter is moved by."""

Each = Float[Array, " nuisance"]
Sides = Float[Array, "nuisance side"]
"""With the nuisance parameter moved down and up."""
Codes = Int[Array, "nuisance kind side"]


class ImpactStatus(Status):
    """Why an impact is what it is; from `UNCONSTRAINED` on there is none."""

    FOUND = 0
    CUT = 1
    AT_BOUND = 2
    FIXED = 3
    OTHER_VALLEY = 4
    UNCONSTRAINED = 5
    NO_UNCERTAINTY = 6
    LOWER_MINIMUM = 7
    FITS_FAILED = 8

    @property
    def sentence(self) -> str:
        """What it means, and what to try.

        Example:
            >>> ImpactStatus.CUT.sentence
            'the bound of the nuisance parameter comes first: it is held there'
        """
        return _SENTENCES[self]


_SENTENCES = {
    ImpactStatus.FOUND: "all others are fitted with the nuisance parameter held",
    ImpactStatus.CUT: "the bound of the nuisance parameter comes first: it is held "
    "there",
    ImpactStatus.AT_BOUND: "with the nuisance parameter held, the parameter ends at a "
    "bound of its own: the impact is the distance to that",
    ImpactStatus.FIXED: "the nuisance parameter is held in all fits and has no impact",
    ImpactStatus.OTHER_VALLEY: "with the nuisance parameter held, the fit ends in "
    "another valley of the likelihood than the best fit, and the impact is the "
    'distance to it: FitSettings(valleys="initial") stays in the valley',
    ImpactStatus.UNCONSTRAINED: "no constraint term says how far the nuisance "
    "parameter may move before the fit",
    ImpactStatus.NO_UNCERTAINTY: "no finite uncertainty is known: a parameter stands "
    "at its bound, or data do not tell it from others",
    ImpactStatus.LOWER_MINIMUM: "with the nuisance parameter held a minimum is lower "
    "than the best fit: start there with Model.with_start",
    ImpactStatus.FITS_FAILED: "the fit did not converge: allow more steps with "
    "FitSettings(max_steps=...)",
}


class ImpactsResult(Record):
    """Impacts of nuisance parameters on another parameter.

    `found["JES"]` are the post-fit impacts of one, with it moved down and up.

    Attributes:
        parameter: name of the parameter whose shift the impacts are.
        names: of the nuisance parameters, components one by one.
        method: "fits" or "covariance".
        value: best fit of the parameter.
        uncertainty: its standard deviation; zero where it stands at a bound.
        values: best fit of the nuisance parameters.
        uncertainties: standard deviations after the fit, as of `hfjax.covariance`.
        prefit_uncertainties: widths of the constraint terms; NaN where there is none.
        pulls: ``(theta_hat - theta_0) / width``, as `hfjax.pulls` has them.
        constraints: uncertainties of the pulls, which are post-fit over pre-fit
            uncertainties; as `hfjax.pull_uncertainties` has them.
        prefit: shift of the parameter with a nuisance parameter held at its best fit
            less, and plus, its pre-fit uncertainty; NaN where there is none.
        postfit: the same with the post-fit uncertainty.
        codes: the value of the `ImpactStatus` of each, pre-fit and post-fit, down
            and up.
        free: the best fit of all parameters.
    """

    parameter: str = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)
    method: str = eqx.field(static=True)
    value: Scalar
    uncertainty: Scalar
    values: Each
    uncertainties: Each
    prefit_uncertainties: Each
    pulls: Each
    constraints: Each
    prefit: Sides
    postfit: Sides
    codes: Codes
    free: FitResult

    @property
    def code(self) -> ScalarInt:
        """The value of the worst `ImpactStatus`."""
        return np.asarray(np.asarray(self.codes).max(initial=0), np.int32)

    def __getitem__(self, name: str) -> Array:
        """The post-fit impacts of a nuisance parameter, with it moved down and up.

        Raises:
            UnknownNameError: no impact of it was asked for; close names are given.
        """
        return self.postfit[self._position(name)]

    def statuses(self, name: str) -> dict[str, tuple[ImpactStatus, ImpactStatus]]:
        """How the impacts of a nuisance parameter were found: "prefit" and "postfit".

        Raises:
            UnknownNameError: no impact of it was asked for; close names are given.
        """
        own = np.asarray(self.codes)[self._position(name)]
        return {
            kind: (ImpactStatus(int(down)), ImpactStatus(int(up)))
            for kind, (down, up) in zip(KINDS, own, strict=True)
        }

    def _position(self, name: str) -> int:
        if name not in self.names:
            error = unknown_name("impact", name, self.names)
            raise error
        return self.names.index(name)

    @property
    def ranking(self) -> tuple[str, ...]:
        """Names of the nuisance parameters, the largest post-fit impact first."""
        size = np.nan_to_num(np.abs(np.asarray(self.postfit))).max(axis=1, initial=0.0)
        return tuple(self.names[i] for i in np.argsort(-size, kind="stable"))

    @property
    def converged(self) -> bool:
        """Whether all fits converged, none of them below the best fit."""
        return int(self.code) < ImpactStatus.LOWER_MINIMUM

    def raise_if_failed(self) -> "ImpactsResult":
        """Return the result itself, or raise if a fit has not done what was asked.

        Raises:
            FitError: with which nuisance parameter held, and why.
        """
        for name in self.names:
            worst = max(max(pair) for pair in self.statuses(name).values())
            if worst >= ImpactStatus.LOWER_MINIMUM:
                message = f"there is no impact of {name}: {worst.sentence}"
                raise FitError(message)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The impacts as JSON values by name, None where there is none."""
        return {
            "parameter": self.parameter,
            "value": json_numbers(self.value),
            "uncertainty": json_numbers(self.uncertainty),
            "method": self.method,
            "impacts": {name: self._entry(name) for name in self.names},
            "free": self.free.to_dict(),
        }

    def _entry(self, name: str) -> dict[str, Any]:
        i, statuses = self._position(name), self.statuses(name)
        columns = {
            "value": self.values,
            "uncertainty": self.uncertainties,
            "prefit_uncertainty": self.prefit_uncertainties,
            "pull": self.pulls,
            "constraint": self.constraints,
            "prefit": self.prefit,
            "postfit": self.postfit,
        }
        numbers = {key: json_numbers(each[i]) for key, each in columns.items()}
        status = {kind: list(map(str, pair)) for kind, pair in statuses.items()}
        return numbers | {"status": status}

    def __repr__(self) -> str:
        """The largest impacts, largest first."""
        rows = self._rows()[:_SHOWN]
        width = max((len(row[0]) for row in rows), default=0)
        lines = [f"  {name:{width}}  {down} {up}" for name, _, down, up in rows]
        more = len(self.names) - len(rows)
        rest = [f"  and {more} more: `ranking` has all names"] if more else []
        return "\n".join([self._head(), *lines, *rest])

    def _repr_html_(self) -> str:
        """All impacts in a table, largest first, for notebooks."""
        columns = ["parameter", "pull", "impact down", "impact up"]
        return html_table(self._head(), columns, self._rows())

    def _head(self) -> str:
        value, width = float(self.value), float(self.uncertainty)
        count = f"{len(self.names)} nuisance parameters"
        shown = f"{self.parameter} = {value:.6g} ± {width:.6g}"
        return f"ImpactsResult: {shown}, {count}, post-fit impacts"

    def _rows(self) -> list[tuple[str, float, str, str]]:
        """Names, pulls and post-fit impacts, largest first."""
        rows = []
        for name in self.ranking:
            pull = float(self.pulls[self._position(name)])
            down, up = map(_shown, self[name], self.statuses(name)["postfit"])
            rows.append((name, pull, down, up))
        return rows


_SHOWN = 20


def _shown(impact: float, status: ImpactStatus) -> str:
    note = "" if status is ImpactStatus.FOUND else f" {status}"
    return f"{impact:+.4g}{note}"
