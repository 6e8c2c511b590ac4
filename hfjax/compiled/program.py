"""Calls of compiled functions as values: whoever calls them may keep the programs."""

import dataclasses
from collections.abc import Callable, Hashable, Mapping
from typing import Any

MOST_PROGRAMS = 16
"""Programs that are kept. On CPUs each of a large fit takes 3,000 memory maps of the
65,530 that Linux grants a process, which the next one beyond them would abort."""

_called: set[Callable[..., Any]] = set()


@dataclasses.dataclass(frozen=True)
class Program:
    """A compiled function and what it is called with.

    Attributes:
        function: made by `jax.jit`.
        arguments: pytrees of arrays.
        static: what the compiled code depends on, beside the arrays' shapes.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> power = jax.jit(lambda x, n: x**n, static_argnames="n")
        >>> float(Program(power, (jnp.array(3.0),), {"n": 2})())
        9.0
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    static: Mapping[str, Hashable]

    def __call__(self) -> Any:
        """Call the function; JAX compiles it unless it did so before."""
        _called.add(self.function)
        if sum(each._cache_size() for each in _called) >= MOST_PROGRAMS:
            forget_programs()
        return self.function(*self.arguments, **self.static)


def forget_programs() -> None:
    """Forget all that programs have compiled: they are compiled again when called."""
    for each in _called:
        each.clear_cache()


Run = Callable[[Program], Any]
"""A way to call programs."""


def run_directly(program: Program) -> Any:
    """Leave it to JAX what is compiled and kept."""
    return program()
