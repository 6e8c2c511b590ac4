"""What an expression means: a tree of operations on numbers and names."""

import functools
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hfjax.spec.strict import Number


class Operation(NamedTuple):
    """An operation on parts of an expression.

    Attributes:
        symbol: ``+`` or ``*`` of two or more, ``/`` or ``**`` of two, ``negative`` of
            one, or the name of a function.
        operands: what it is done with.
    """

    symbol: str
    operands: tuple["Tree", ...]


Tree = float | str | Operation
"""A number, the name of a parameter, or an operation on such."""

Operations = Mapping[str, Callable[..., Any]]
"""What the symbols of operations do."""


def evaluate(tree: Tree, values: Mapping[str, Any], operations: Operations) -> Any:
    """Compute an expression.

    Args:
        tree: the expression.
        values: numbers, or arrays, by the names in it.
        operations: what its symbols do; all but ``+`` and ``*`` take one or two
            arguments, min and max any number.

    >>> tree = Operation("**", ("mu", 2.0))
    >>> evaluate(tree, {"mu": 3.0}, {"**": pow})
    9.0
    """
    if isinstance(tree, str):
        return values[tree]
    if not isinstance(tree, Operation):
        return tree
    operands = [evaluate(part, values, operations) for part in tree.operands]
    function = operations[tree.symbol]
    if tree.symbol in ("+", "*"):
        return functools.reduce(function, operands)
    return function(*operands)


NUMBERS: Operations = {
    "+": operator.add,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "negative": operator.neg,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "abs": abs,
    "min": min,
    "max": max,
}
"""The operations on Python's numbers."""


def finite_value(tree: Tree, values: Mapping[str, Number]) -> float:
    """Compute an expression of numbers; NaN where it has no value that is finite.

    >>> finite_value(Operation("log", ("mu",)), {"mu": 0.0})
    nan
    """
    try:
        found = evaluate(tree, values, NUMBERS)
    except (ArithmeticError, ValueError):
        return math.nan
    real = isinstance(found, int | float) and math.isfinite(found)
    return float(found) if real else math.nan
