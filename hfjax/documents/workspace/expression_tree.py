"""What an expression means: a tree of operations on numbers and names."""

import functools
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hfjax.documents.reading.json_values import Number


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

NUMBERS: Mapping[str, Callable[..., Any]] = {
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
"""The operations on Python's numbers; of a sum and a product, on two of them."""


def finite_value(tree: Tree, values: Mapping[str, Number]) -> float:
    """Compute an expression of numbers; NaN where it has no value that is finite.

    >>> finite_value(Operation("log", ("mu",)), {"mu": 0.0})
    nan
    """
    try:
        found = _value(tree, values)
    except (ArithmeticError, ValueError):
        return math.nan
    real = isinstance(found, int | float) and math.isfinite(found)
    return float(found) if real else math.nan


def _value(tree: Tree, values: Mapping[str, Number]) -> Any:
    if isinstance(tree, str):
        return values[tree]
    if not isinstance(tree, Operation):
        return tree
    operands = [_value(part, values) for part in tree.operands]
    function = NUMBERS[tree.symbol]
    if tree.symbol in ("+", "*"):
        return functools.reduce(function, operands)
    return function(*operands)
