"""Methods that can be handed to ``jax.jit`` as they are."""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

Self = TypeVar("Self")
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class pure_method(Generic[Self, Arguments, Result]):
    """A method whose bound form is hashed by the identity of its object.

    Equinox hashes a bound method by the arrays of its module, which have no hash, so
    that ``jax.jit(model.logpdf)`` would fail; with this decorator it works.

    Example:
        >>> class Double:
        ...     @pure_method
        ...     def of(self, x: float) -> float:
        ...         return 2 * x
        >>> Double().of(3.0)
        6.0
    """

    def __init__(
        self, function: Callable[Concatenate[Self, Arguments], Result]
    ) -> None:
        self.__wrapped__ = function
        self.__doc__ = function.__doc__

    def __get__(
        self, instance: Self | None, owner: Any = None
    ) -> Callable[Arguments, Result]:
        """Bind to an object; to the class, give the plain function."""
        if instance is None:
            return self.__wrapped__  # type: ignore[return-value]
        return functools.partial(self.__wrapped__, instance)
