"""Calls of compiled functions as values: whoever calls them may keep the programs."""

import dataclasses
import functools
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from hfjax.compiled.devices import lane_devices, on_cpu

MOST_PROGRAMS = 16
"""Programs that are kept. On CPUs each of a large fit takes 3,000 memory maps of the
65,530 that Linux grants a process, which the next one beyond them would abort."""

_LOOPS = "simplify-while-loops", "while-loop-invariant-code-motion"
"""Passes of XLA that copy a whole program to look at each of its loops."""
_SUMS = "tree_reduction_rewriter"
"""One that writes each sum as two, which pays where sums are long."""
LARGE = 1_000_000
"""Numbers of an argument from which on sums are long."""


def is_large(arguments: Any) -> bool:
    """Whether any array of a pytree is large.

    Example:
        >>> is_large([np.zeros(3), np.zeros((1001, 1000))])
        True
    """
    return any(getattr(leaf, "size", 1) > LARGE for leaf in jax.tree.leaves(arguments))


def cpu_options(*, large: bool) -> dict[str, Any]:
    """How XLA compiles for CPUs.

    Large programs of many small kernels take half of the time that they took, and run
    about as fast.

    Args:
        large: whether arguments are.

    Example:
        >>> cpu_options(large=False)["xla_backend_optimization_level"]
        1
    """
    passes = _LOOPS if large else (_SUMS, *_LOOPS)
    return {
        "xla_cpu_use_fusion_emitters": False,
        "xla_backend_optimization_level": 1,
        "xla_disable_hlo_passes": ",".join(passes),
    }


Tree = TypeVar("Tree")

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
        if sum(each._cache_size() for each in _called) >= MOST_PROGRAMS:
            forget_programs()
        if on_cpu():
            try:
                large = is_large(self.arguments)
                return self._call(_for_cpus(self.function, tuple(self.static), large))
            except ValueError as error:
                if "compiler_options" not in str(error):
                    raise
        # else a part of another program, which is compiled as its own options say
        return self._call(self.function)

    def _call(self, function: Callable[..., Any]) -> Any:
        _called.add(function)
        try:
            found = function(*self.arguments, **self.static)
        except ValueError as error:
            if "incompatible devices" not in str(error):
                raise
            # lanes go to all devices, and arguments that are bound to one do not
            found = function(*_unbound(self.arguments), **self.static)
        return found if len(lane_devices()) == 1 else _unbound(found, unless=1)


def _unbound(tree: Tree, unless: int = 0) -> Tree:
    """Arrays that later programs may have on any device.

    Args:
        tree: arrays, or what is traced.
        unless: that are on at most so many devices.
    """

    def free(leaf: Any) -> Any:
        known = isinstance(leaf, jax.Array) and not isinstance(leaf, Tracer)
        if known and len(leaf.sharding.device_set) > unless:
            return jnp.asarray(np.asarray(leaf))
        return leaf

    return jax.tree.map(free, tree)


@functools.cache
def _for_cpus(
    function: Callable[..., Any], static: tuple[str, ...], large: bool
) -> Callable[..., Any]:
    """The same function, compiled with the options for CPUs."""
    whole = function.__wrapped__  # pyright: ignore[reportFunctionMemberAccess]
    options = cpu_options(large=large)
    return jax.jit(whole, static_argnames=static, compiler_options=options)


def forget_programs() -> None:
    """Forget all that programs have compiled: they are compiled again when called."""
    for each in _called:
        each.clear_cache()


Run = Callable[[Program], Any]
"""A way to call programs."""


def run_directly(program: Program) -> Any:
    """Leave it to JAX what is compiled and kept."""
    return program()
