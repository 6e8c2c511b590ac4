"""What all records of written results share."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

Number = float | None
"""A number; None for one that was not finite."""


@runtime_checkable
class Dumped(Protocol):
    """A result that can be written, such as a `FitResult`."""

    def dump(self) -> dict[str, Any]:
        """The result as JSON values, with its provenance."""
        ...


def components(name: str, count: int) -> tuple[str, ...]:
    """Names of the components of a parameter; one alone has the parameter's.

    >>> components("mu", 1), components("gamma", 2)
    (('mu',), ('gamma[0]', 'gamma[1]'))
    """
    return (name,) if count == 1 else tuple(f"{name}[{i}]" for i in range(count))


def flat(table: Mapping[str, Any]) -> dict[str, Any]:
    """What is there for each component of each parameter, by its name.

    >>> flat({"mu": [0.5], "gamma": [1.0, None]})
    {'mu': 0.5, 'gamma[0]': 1.0, 'gamma[1]': None}
    """
    return {
        name: value
        for each, values in table.items()
        for name, value in zip(components(each, len(values)), values, strict=True)
    }
