"""A matrix whose rows and columns have names, as it is in a file."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hfjax.errors import SpecificationError, unknown_name
from hfjax.results.written import Number, name_among


@dataclass(frozen=True)
class NamedMatrix:
    """A matrix of parameters, such as of their correlations.

    Attributes:
        names: of its rows, which are those of its columns.
        values: its rows; None for a number that is not finite.

    Example:
        >>> found = NamedMatrix(("mu", "JES"), ((1.0, -0.3), (-0.3, 1.0)))
        >>> found["mu", "JES"]
        -0.3
    """

    names: tuple[str, ...]
    values: tuple[tuple[Number, ...], ...]

    def __getitem__(self, pair: tuple[str, str]) -> Number:
        """The number of two parameters.

        Raises:
            UnknownNameError: there is no such parameter; close names are given.
        """
        row, column = map(self._position, pair)
        return self.values[row][column]

    def _position(self, name: str) -> int:
        known = name_among(name, self.names)
        if known not in self.names:
            error = unknown_name("parameter", name, self.names, "the matrix")
            raise error
        return self.names.index(known)

    def named_as(self, names: Container[str]) -> "NamedMatrix":
        """The same, with the names that its parameters have among others."""
        return replace(self, names=tuple(name_among(n, names) for n in self.names))

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "NamedMatrix":
        """A matrix from its JSON values, which a schema has accepted.

        Raises:
            SpecificationError: it has not one row and one column for each name.
        """
        names, rows = tuple(document["names"]), tuple(map(tuple, document["values"]))
        if any(len(each) != len(names) for each in (rows, *rows)):
            message = f"a matrix has not {len(names)} rows and columns, one for a name"
            raise SpecificationError(message)
        return cls(names, rows)

    def to_dict(self) -> dict[str, Any]:
        """The matrix as JSON values."""
        return {"names": list(self.names), "values": [list(row) for row in self.values]}

    def __repr__(self) -> str:
        """How many parameters it has."""
        return f"NamedMatrix of {len(self.names)} parameters"
