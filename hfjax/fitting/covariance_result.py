"""Uncertainties of a best fit, with its parameters by name."""

import copy
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float

from hfjax.arrays import Array, Params, ParamsMask, Scalar, ScalarInt
from hfjax.compiled.canonical import cut, cut_square
from hfjax.errors import FitError
from hfjax.fitting.result import (
    SHOWN,
    Codes,
    Sets,
    all_by_name,
    by_name,
    check_names,
    single_names,
)
from hfjax.html_table import html_table
from hfjax.model.model import Model
from hfjax.model.parameters import position_of
from hfjax.record import Record, Status, is_single, json_numbers, refuse_batch


class CovarianceStatus(Status):
    """What is known of the uncertainties of a fit; larger is worse."""

    KNOWN = 0
    FLAT = 1
    NO_MINIMUM = 2
    FIT_FAILED = 3

    @property
    def sentence(self) -> str:
        """What happened, and what to try.

        Example:
            >>> CovarianceStatus.KNOWN.sentence
            'all uncertainties are known'
        """
        return _SENTENCES[self]


_SENTENCES = {
    CovarianceStatus.KNOWN: "all uncertainties are known",
    CovarianceStatus.FLAT: (
        "the likelihood does not change along some direction, and the parameters in it "
        "have no finite uncertainty: hold one of each direction, or remove it"
    ),
    CovarianceStatus.NO_MINIMUM: (
        "the likelihood rises along some direction, so that this is no minimum: name "
        "all parameters that the fit held, and take the data that it was fitted to"
    ),
    CovarianceStatus.FIT_FAILED: (
        "the fit did not converge, and where it ended has no uncertainties: see the "
        "status of the fit"
    ),
}


class CovarianceResult(Record):
    """Uncertainties of a best fit: standard deviations, as the exact Hessian has them.

    `found["mu"]` is the uncertainty of a parameter, `found["gamma[1]"]` of a component,
    and `found["gamma"]` of all of them.

    Attributes:
        params: the best fit.
        uncertainties: standard deviations, in units of the parameters. Zero of what
            could not move, because it was fixed or stands at a bound; infinite of what
            is in a flat direction; NaN where there is no minimum.
        covariance: zero in what could not move; in flat directions NaN, and infinite on
            the diagonal.
        correlation: one on the diagonal of what could move and is not flat, zero in
            what could not, NaN in flat directions.
        fixed: what the fit held.
        on_bound: what else stands at a bound, where the likelihood is no parabola.
        code: the value of its `CovarianceStatus`, which `status` gives.
        flat: names of the parameters of each flat direction, those that move most
            first; of a single result of a model with names.
        sets: names and positions of the parameters; none where the model has none.
        poi: name of the parameter of interest, which is shown first.

    Example:
        >>> import hfjax
        >>> signal, bkg, uncertainty = [12.0, 11.0], [50.0, 52.0], [3.0, 7.0]
        >>> search = hfjax.uncorrelated_background(signal, bkg, uncertainty, [62, 63])
        >>> model, data = hfjax.build(search)
        >>> found = hfjax.covariance(model, data, hfjax.fit(model, data))
        >>> found
        CovarianceResult: known, 3 of 3 parameters could move
          mu                   1 ± 0.567182
          uncorr_bkguncrt[0]   1 ± 0.0586635
          uncorr_bkguncrt[1]   1 ± 0.113792
        >>> round(float(found["uncorr_bkguncrt[1]"]), 4)
        0.1138
    """

    params: Params
    uncertainties: Params
    covariance: Float[Array, "par par"]
    correlation: Float[Array, "par par"]
    fixed: ParamsMask
    on_bound: Bool[Array, " par"]
    code: ScalarInt
    flat: tuple[tuple[str, ...], ...] = eqx.field(static=True, default=())
    sets: Sets = eqx.field(static=True, default=())
    poi: str | None = eqx.field(static=True, default=None)

    def __getitem__(self, name: str) -> Array:
        """Uncertainty of a parameter, or of all components of one that has several.

        Args:
            name: of a parameter, or of a component: ``gamma[1]``.

        Raises:
            UnknownNameError: there is no such parameter; close names are given.
            ParameterError: the fit was one of a model without names.
        """
        return by_name(self.uncertainties, self.sets, name)

    @property
    def uncertainties_by_name(self) -> dict[str, Array]:
        """Uncertainties of all parameters, in the order of the model."""
        return all_by_name(self.uncertainties, self.sets)

    def correlation_of(self, one: str, other: str) -> Scalar:
        """Correlation of two parameters.

        Args:
            one: name of a parameter, or of a component: ``gamma[1]``.
            other: another one.

        Raises:
            UnknownNameError: there is no such parameter; close names are given.
            ParameterError: it has several components; or the fit was one of a model
                without names.
        """
        return self.correlation[..., self._position(one), self._position(other)]

    def _position(self, name: str) -> int:
        check_names(self.sets, name)
        return position_of(self.sets, name, "the fit")

    @property
    def at_bounds(self) -> dict[str, float]:
        """Parameters that stand at a bound, with its value; of a single result."""
        marked = np.flatnonzero(self.on_bound)
        names, params = self._names(), np.asarray(self.params)
        return {names[i]: float(params[i]) for i in marked}

    @property
    def status(self) -> CovarianceStatus | Codes:
        """What is known: a `CovarianceStatus`; codes, of a batch or inside ``jit``."""
        return CovarianceStatus(int(self.code)) if is_single(self) else self.code

    def raise_if_failed(self) -> "CovarianceResult":
        """Return the result itself, or raise if an uncertainty is not known.

        Raises:
            FitError: what happened, and what to try.
        """
        status = CovarianceStatus(int(self.code))
        if status is not CovarianceStatus.KNOWN:
            raise FitError(status.sentence)
        return self

    def with_names(self, model: Model) -> "CovarianceResult":
        """The same, or a batch, with the names of a model, and its parameters alone."""
        named = copy.copy(self)  # what makes a new one checks that it is no batch
        size = model.parameters.init.shape[-1]
        for vector in ("params", "uncertainties", "fixed", "on_bound"):
            object.__setattr__(named, vector, cut(getattr(self, vector), size))
        for matrix in ("covariance", "correlation"):
            object.__setattr__(named, matrix, cut_square(getattr(self, matrix), size))
        object.__setattr__(named, "sets", model.parameters.sets)
        object.__setattr__(named, "poi", model.names.poi)
        return named

    def with_flat(self, flat: tuple[tuple[str, ...], ...]) -> "CovarianceResult":
        """The same with the names of its flat directions."""
        named = copy.copy(self)
        object.__setattr__(named, "flat", flat)
        return named

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON values: uncertainties by name, and matrices of what moved.

        Raises:
            ArgumentError: it is a batch, or inside ``jit`` or ``vmap``.
        """
        refuse_batch(self)
        status = CovarianceStatus(int(self.code))
        named = self.uncertainties_by_name
        lists = {name: json_numbers(np.ravel(each)) for name, each in named.items()}
        nameless = self.uncertainties.size > 0 and not self.sets
        names = self._names()
        return {
            "uncertainties": json_numbers(self.uncertainties) if nameless else lists,
            "correlations": self.matrix("correlation"),
            "covariance": self.matrix("covariance"),
            "at_bounds": self.at_bounds,
            "fixed": [names[i] for i in np.flatnonzero(self.fixed)],
            "flat": [list(names) for names in self.flat],
            "status": str(status),
            "message": "" if status is CovarianceStatus.KNOWN else status.sentence,
        }

    def matrix(self, which: str) -> dict[str, Any]:
        """A matrix as JSON values, of the parameters that could move.

        Args:
            which: "correlation" or "covariance".
        """
        moves = np.flatnonzero(~(np.asarray(self.fixed) | np.asarray(self.on_bound)))
        names = self._names()
        values = np.asarray(getattr(self, which))[np.ix_(moves, moves)]
        return {"names": [names[i] for i in moves], "values": json_numbers(values)}

    def __repr__(self) -> str:
        """The values by name; of a batch, and inside ``jit``, the shapes."""
        if not is_single(self):
            return eqx.tree_pformat(self)
        rows = self._rows()
        width = max((len(row[0]) for row in rows[:SHOWN]), default=0)
        lines = [_line(*row, width) for row in rows[:SHOWN]]
        if len(rows) > SHOWN:
            more = f"  and {len(rows) - SHOWN} more: `uncertainties_by_name` has all"
            lines.append(more)
        return "\n".join([self._head(), *lines])

    def _repr_html_(self) -> str | None:
        """All parameters in a table, for notebooks; None of a batch."""
        if not is_single(self):
            return None
        columns = ["parameter", "value", "uncertainty", ""]
        return html_table(self._head(), columns, self._rows())

    def _head(self) -> str:
        held = np.asarray(self.fixed) | np.asarray(self.on_bound)
        state = CovarianceStatus(int(self.code))
        moved = f"{held.size - held.sum()} of {held.size} parameters could move"
        return f"CovarianceResult: {state}, {moved}"

    def _rows(self) -> list[tuple[str, float, float, str]]:
        """Names, values, uncertainties and notes, the parameter of interest first."""
        columns = [np.asarray(x).tolist() for x in (self.params, self.uncertainties)]
        masks = (self.fixed, self.on_bound, np.isinf(self.uncertainties))
        notes = [
            next((n for n, on in zip(_NOTES, flags, strict=True) if on), "")
            for flags in zip(*(np.asarray(mask) for mask in masks), strict=True)
        ]
        rows = list(zip(self._names(), *columns, notes, strict=True))
        return sorted(rows, key=lambda row: row[0] != self.poi)

    def _names(self) -> list[str]:
        numbered = [f"parameter[{i}]" for i in range(np.shape(self.params)[-1])]
        return single_names(self.sets) or numbered


_NOTES = ("fixed", "at bound", "flat")


def _line(name: str, value: float, uncertainty: float, note: str, width: int) -> str:
    return f"  {name:{width}}  {value: .6g} ± {uncertainty:.6g}  {note}".rstrip()
