"""What a fit returns, with its parameters by name."""

import copy
from typing import Any, TypeVar

import equinox as eqx
import numpy as np
from jaxtyping import Int

from hfjax.arrays import Array, Params, Scalar, ScalarBool, ScalarInt
from hfjax.compiled.canonical import cut
from hfjax.errors import FitError, ParameterError
from hfjax.fitting.status import FitStatus
from hfjax.html_table import html_table
from hfjax.model.model import Model
from hfjax.model.parameters import ParameterSet, find_set, single_position
from hfjax.model.tracing import is_known
from hfjax.record import Record, is_single, json_numbers, refuse_batch

Codes = Int[Array, "..."]
"""Values of `FitStatus`."""
SHOWN = 20
"""Parameters that are shown of a fit, at most."""


Own = TypeVar("Own", bound="FittedRecord")


class FittedRecord(Record):
    """A result made of fits, with the worst of their codes."""

    code: eqx.AbstractVar[ScalarInt]

    @property
    def status(self) -> FitStatus | Codes:
        """The worst `FitStatus` of its fits; codes, of a batch or inside ``jit``."""
        return status_of(self)

    @property
    def converged(self) -> bool:
        """Whether all fits converged; of a single result outside of ``jit``."""
        return int(self.code) == FitStatus.CONVERGED

    def raise_if_failed(self: Own) -> Own:
        """Return the result itself, or raise if a fit did not converge.

        Raises:
            FitError: what happened, and what to try; `hfjax.explain` says more.
        """
        if not self.converged:
            raise FitError(FitStatus(int(self.code)).sentence)
        return self


class FitResult(FittedRecord):
    """A best fit.

    `fit["mu"]` is the value of a parameter, `fit["gamma[1]"]` of a component, and
    `fit["gamma"]` of all of them.

    Attributes:
        params: parameter values, in the order of the model's parameters.
        twice_nll: ``-2 ln L`` there, all constants included.
        deviance: the same less its value for a saturated model; differences of it keep
            their digits where ``twice_nll`` is large.
        code: the value of its `FitStatus`, which `status` gives.
        edm: estimated distance to the minimum, in units of -2 ln L.
        projected_gradient: largest derivative of ``-ln L`` in a parameter that could
            still move.
        steps: steps taken.
        initial: deviance where the initial values lead; that of the fit if their valley
            is the lowest.
        initial_params: parameters there.
        passed: deviance of the lowest unphysical minimum that was passed over; infinite
            if there was none below the best fit.
        passed_params: parameters there.
        physical: whether the best fit is; if not, no physical minimum was found.
        sets: names and positions of the parameters; none where the model has none.
        poi: name of the parameter of interest, which is shown first.

    Example:
        >>> import hfjax
        >>> signal, bkg, uncertainty = [12.0, 11.0], [50.0, 52.0], [3.0, 7.0]
        >>> search = hfjax.uncorrelated_background(signal, bkg, uncertainty, [62, 63])
        >>> found = hfjax.fit(*hfjax.build(search))
        >>> round(float(found["mu"]), 6)
        1.0
        >>> found["uncorr_bkguncrt"].round(6).tolist()
        [1.0, 1.0]
    """

    params: Params
    twice_nll: Scalar
    deviance: Scalar
    code: ScalarInt
    edm: Scalar
    projected_gradient: Scalar
    steps: ScalarInt
    initial: Scalar
    initial_params: Params
    passed: Scalar
    passed_params: Params
    physical: ScalarBool
    sets: tuple[ParameterSet, ...] = eqx.field(static=True, default=())
    poi: str | None = eqx.field(static=True, default=None)

    def __getitem__(self, name: str) -> Array:
        """Value of a parameter, or of all components of one that has several.

        Args:
            name: of a parameter, or of a component: ``gamma[1]``.

        Raises:
            UnknownNameError: there is no such parameter; close names are given.
            ParameterError: the fit was one of a model without names.
        """
        return by_name(self.params, self.sets, name)

    @property
    def parameters(self) -> dict[str, Array]:
        """Values of all parameters by name, in the order of the model."""
        return all_by_name(self.params, self.sets)

    def with_names(self, model: Model) -> "FitResult":
        """The same, or a batch, with the names of a model, and its parameters alone."""
        named = copy.copy(self)  # what makes a new one checks that it is no batch
        size = model.parameters.init.shape[-1]
        for vector in ("params", "initial_params", "passed_params"):
            object.__setattr__(named, vector, cut(getattr(self, vector), size))
        object.__setattr__(named, "sets", model.parameters.sets)
        object.__setattr__(named, "poi", model.names.poi)
        return named

    def to_dict(self) -> dict[str, Any]:
        """The fit as JSON values; parameters by name, as lists of their components.

        Raises:
            ArgumentError: it is a batch, or inside ``jit`` or ``vmap``.
        """
        refuse_batch(self)
        status = FitStatus(int(self.code))
        named = {n: json_numbers(np.ravel(v)) for n, v in self.parameters.items()}
        nameless = self.params.size > 0 and not self.sets
        return {
            "mle_parameters": json_numbers(self.params) if nameless else named,
            "twice_nll": json_numbers(self.twice_nll),
            "status": str(status),
            "message": "" if status is FitStatus.CONVERGED else status.sentence,
            "edm": json_numbers(self.edm),
            "steps": int(self.steps),
            "physical": bool(self.physical),
        }

    def __repr__(self) -> str:
        """The values by name; of a batch, and inside ``jit``, the shapes."""
        if not is_single(self):
            return eqx.tree_pformat(self)
        head = self._head()
        pairs = self._pairs()
        width = max((len(name) for name, _ in pairs[:SHOWN]), default=0)
        rows = [f"  {name:{width}}  {value: .6g}" for name, value in pairs[:SHOWN]]
        more = np.size(self.params) - len(rows)
        if more:
            rows.append(f"  and {more} more: `parameters` has all by name")
        return "\n".join([head, *rows])

    def _repr_html_(self) -> str | None:
        """All parameters in a table, for notebooks; None of a batch."""
        if not is_single(self):
            return None
        return html_table(self._head(), ["parameter", "value"], self._pairs())

    def _pairs(self) -> list[tuple[str, float]]:
        """Names and values of the parameters, the parameter of interest first."""
        values = np.asarray(self.params).tolist()
        pairs = list(zip(single_names(self.sets), values, strict=bool(self.sets)))
        return sorted(pairs, key=lambda pair: pair[0] != self.poi)

    def _head(self) -> str:
        steps, twice_nll = int(self.steps), float(self.twice_nll)
        head = f"FitResult: {FitStatus(int(self.code))} after {steps} steps, "
        head += f"-2 ln L = {twice_nll:.10g}"
        return head if bool(self.physical) else f"{head}, not physical"


def status_of(result: Any) -> FitStatus | Codes:
    """The `FitStatus` of a single result; the codes of a batch, or inside ``jit``."""
    return FitStatus(int(result.code)) if is_single(result) else result.code


Sets = tuple[ParameterSet, ...]


def by_name(vector: Array, sets: Sets, name: str) -> Array:
    """What a vector of parameters has for one, or for all components of one.

    Args:
        vector: parameters on the last axis.
        sets: their names and positions.
        name: of a parameter, or of a component: ``gamma[1]``.

    Raises:
        UnknownNameError: there is no such parameter; close names are given.
        ParameterError: there are no names.

    Example:
        >>> float(by_name(np.array([0.5]), (ParameterSet("mu", 0, 1, True),), "mu"))
        0.5
    """
    check_names(sets, name)
    single = single_position(sets, name)
    if single is not None:
        return vector[..., single]
    return _values(vector, find_set(sets, name, "the fit"))


def check_names(sets: Sets, name: str) -> None:
    """Refuse to look up a name where there are none.

    Raises:
        ParameterError: says what to do.
    """
    if not sets:
        message = (
            f"the fit does not know where {name!r} is: its model has no names, as "
            "those of `Model.anonymous` and `build_scan`; fit a model as "
            "hfjax.build makes it, or take a value of `params` by its position"
        )
        raise ParameterError(message)


def all_by_name(vector: Array, sets: Sets) -> dict[str, Array]:
    """What a vector of parameters has for each, by name.

    >>> all_by_name(np.array([0.5]), (ParameterSet("mu", 0, 1, True),))["mu"].tolist()
    0.5
    """
    if is_known(vector):  # or a program would be compiled for each kind of slice
        vector = np.asarray(vector)
    return {each.name: _values(vector, each) for each in sets}


def _values(vector: Array, each: ParameterSet) -> Array:
    part = vector[..., each.start : each.start + each.size]
    return part[..., 0] if each.scalar else part


def single_names(sets: Sets) -> list[str]:
    """Names of all single parameters, in order.

    >>> single_names((ParameterSet("gamma", 0, 2, False),))
    ['gamma[0]', 'gamma[1]']
    """
    return [name for each in sets for name in each.names]
