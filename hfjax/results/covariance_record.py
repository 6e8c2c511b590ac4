"""Uncertainties of a best fit that were written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hfjax.errors import unknown_name
from hfjax.results.named_matrix import NamedMatrix
from hfjax.results.written import Number, WrittenRecord, flat

Lists = Mapping[str, tuple[Number, ...]]
"""A number for each component of each parameter."""


def read_lists(given: Any) -> dict[str, tuple[Number, ...]]:
    """Numbers of parameters by name from JSON values.

    Args:
        given: lists by name, or one list where the model had no names.

    Example:
        >>> read_lists({"mu": [0.5], "gamma": [0.1, None]})
        {'mu': (0.5,), 'gamma': (0.1, None)}
    """
    named = given if isinstance(given, dict) else {"parameter": given}
    return {name: tuple(values) for name, values in named.items()}


@dataclass(frozen=True, repr=False)
class CovarianceRecord(WrittenRecord):
    """Uncertainties of a best fit as they are in a file.

    Attributes:
        uncertainties: standard deviations of each parameter's components; zero of what
            could not move, None of what has none.
        correlations: of the parameters that could move.
        covariance: of the same.
        at_bounds: parameters that stand at a bound, with its value.
        fixed: names of those that the fit held.
        flat: names of the parameters of each flat direction.
        status: "known", or what is not.
        message: what happened and what to try; empty where all is known.
        provenance: versions, digests, settings and times.

    Example:
        >>> one = NamedMatrix(("mu",), ((1.0,),))
        >>> found = CovarianceRecord({"mu": (1.0,)}, one, one, {}, (), (), "known", "")
        >>> found, found["mu"]
        (CovarianceRecord: known, 1 of 1 parameters could move, 1.0)
    """

    SCHEMA: ClassVar[str] = "covariance-result-1.0.0.json"
    READERS: ClassVar[Mapping[str, Any]] = {
        "uncertainties": read_lists,
        "correlations": NamedMatrix.parse,
        "covariance": NamedMatrix.parse,
    }

    uncertainties: Lists
    correlations: NamedMatrix
    covariance: NamedMatrix
    at_bounds: Mapping[str, float]
    fixed: tuple[str, ...]
    flat: tuple[tuple[str, ...], ...]
    status: str
    message: str

    def __getitem__(self, name: str) -> Number:
        """The uncertainty of a parameter, or of a component: `gamma[1]`.

        Raises:
            UnknownNameError: there is none of this name; close names are given.
        """
        if name not in self.by_name:
            error = unknown_name("parameter", name, self.by_name, "the fit")
            raise error
        return self.by_name[name]

    @property
    def by_name(self) -> dict[str, Number]:
        """The uncertainties by the names of components."""
        return flat(self.uncertainties)

    def __repr__(self) -> str:
        """What is known."""
        moved, all_ = len(self.correlations.names), len(self.by_name)
        counts = f"{moved} of {all_} parameters could move"
        return f"CovarianceRecord: {self.status}, {counts}"
