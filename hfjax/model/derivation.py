"""Derived parameters: factors that are functions of other parameters.

Modifiers see a longer vector than fits do: the parameters, and behind them what
expressions make of them. The chain rule leads back: with the derivatives ``E`` of the
expressions ``x(theta)``, and ``J`` those of rates in the longer vector,

    dnu/dtheta = J_theta + E' J_x
    d2nu/dtheta2 = H_theta + E' H_x E + ... + sum_k dnu/dx_k d2x_k/dtheta2.
"""

import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from hfjax.arrays import Array, Factors, Params

STEEPEST = 1e8
"""Largest derivative of an expression: the square root has an infinite one at zero."""
MAX_POWER = 64
"""Largest whole exponent that is multiplied out."""

Values = Float[Array, " derived"]


class Step(NamedTuple):
    """A step in the evaluation of expressions.

    Attributes:
        symbol: a key of `OPERATIONS`, or "number".
        operands: positions of what it is done with: the parameters that expressions
            use come first, then the results of the steps.
        number: the number.
    """

    symbol: str
    operands: tuple[int, ...] = ()
    number: float = 0.0


def _power(base: Any, exponent: Any) -> Any:
    """``base ** exponent``; whole exponents are right at zero and below."""
    if isinstance(exponent, float) and exponent in range(-MAX_POWER, MAX_POWER + 1):
        return base ** int(exponent)
    return jnp.power(base, exponent)


def _of_many(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda *operands: functools.reduce(function, operands)


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "+": _of_many(operator.add),
    "*": _of_many(operator.mul),
    "/": operator.truediv,
    "**": _power,
    "negative": operator.neg,
    "sqrt": jnp.sqrt,
    "exp": jnp.exp,
    "log": jnp.log,
    "abs": jnp.abs,
    "min": _of_many(jnp.minimum),
    "max": _of_many(jnp.maximum),
}
"""What the symbols of expressions do to arrays; of two numbers, each is one array."""


class Slopes(eqx.Module):
    """Derivatives of expressions, at given parameters, where they are finite.

    Attributes:
        index: position of the parameters that expressions use.
        first: first derivatives.
        bend: second derivatives in one parameter.
        cross: second derivatives in two parameters, zero on the diagonal.
    """

    index: Int[Array, " used"]
    first: Float[Array, "derived used"]
    bend: Float[Array, "derived used"]
    cross: Float[Array, "derived used used"]

    def jvp(self, vector: Params) -> Factors:
        """Extend a direction in parameter space to the derived parameters."""
        return jnp.concatenate([vector, self.first @ vector[self.index]])

    def vjp(self, full: Array) -> Array:
        """Lead derivatives in all factors back to the parameters; ``par`` first."""
        count = full.shape[0] - self.first.shape[0]
        own = jnp.asarray(full[:count])
        return own.at[self.index].add(self.first.T @ full[count:])


class Derivation(NamedTuple):
    """Expressions of parameters, ready to be computed: a part of the compiled code.

    Attributes:
        index: position of the parameters that expressions use.
        steps: how to compute them.
        results: positions of the derived parameters among the parameters that are used
            and the results of steps.

    Example:
        >>> square = Step("**", (0, 1))
        >>> derivation = Derivation(
        ...     (1,), (Step("number", (), 2.0), square), (2,)
        ... )
        >>> derivation.values(jnp.array([0.5, 3.0])).tolist()
        [9.0]
    """

    index: tuple[int, ...]
    steps: tuple[Step, ...]
    results: tuple[int, ...]

    def values(self, params: Params) -> Values:
        """The derived parameters."""
        return self._of_used(params[np.array(self.index)])

    def slopes(self, params: Params) -> Slopes:
        """Derivatives of the derived parameters."""
        index = np.array(self.index)
        used = params[index]
        slope = jax.jacfwd(self._of_used)
        first, second = slope(used), jax.jacfwd(slope)(used)
        known = jnp.nan_to_num(first, nan=0.0, posinf=STEEPEST, neginf=-STEEPEST)
        tame = jnp.abs(second) <= STEEPEST**2
        second = jnp.where(tame, second, 0.0)
        bend = jnp.diagonal(second, axis1=1, axis2=2)
        return Slopes(
            index=index,
            first=jnp.clip(known, -STEEPEST, STEEPEST),
            bend=bend,
            cross=second - bend[:, :, None] * jnp.eye(used.size, dtype=used.dtype),
        )

    def _of_used(self, used: Float[Array, " used"]) -> Values:
        found: list[Any] = [used[i] for i in range(used.size)]
        for step in self.steps:
            operands = [found[i] for i in step.operands]
            number = step.symbol == "number"
            found.append(step.number if number else OPERATIONS[step.symbol](*operands))
        return jnp.stack([found[i] for i in self.results])
