"""What an expression means: a tree of operations on numbers and names."""

import functools
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from hfjax.documents.reading.json_values import Number


class Operation(NamedTuple):
    """An operation on parts of an expression.

    Attributes:
        symbol: ``+`` or ``*`` of two or more, ``/`` or ``**`` of two, ``negative`` of
            one, the name of a function; of a condition one of `COMPARISONS` or `LOGIC`,
            or ``text``, whose operand it is.
        operands: what it is done with.
    """

    symbol: str
    operands: tuple["Tree", ...]


Tree = float | str | Operation
"""A number, a name, or an operation on such."""

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

COMPARISONS: Mapping[str, Callable[..., Any]] = {
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
    "In": lambda item, whole: item in whole,
    "NotIn": lambda item, whole: item not in whole,
    "List": lambda *items: items,
}
"""What conditions do with numbers and texts, by Python's names."""

LOGIC: Mapping[str, Callable[[Iterator[bool]], bool]] = {
    "And": all,
    "Or": any,
    "Not": lambda parts: not next(parts),
}
"""What they do with what is true or false; no more of it than is needed."""


def finite_value(tree: Tree, values: Mapping[str, Number]) -> float:
    """Compute an expression of numbers; NaN where it has no value that is finite.

    >>> finite_value(Operation("log", ("mu",)), {"mu": 0.0})
    nan
    """
    try:
        found = tree_value(tree, values)
    except (ArithmeticError, ValueError):
        return math.nan
    real = isinstance(found, int | float) and math.isfinite(found)
    return float(found) if real else math.nan


def tree_value(tree: Tree, values: Mapping[str, Any]) -> Any:
    """Compute an expression or a condition.

    Args:
        tree: what is to be computed.
        values: of each name in it; numbers, and of a condition texts as well.

    Raises:
        ArithmeticError: It has no value, such as where it divides by zero.
        ValueError: The same, of a function such as log.
        TypeError: It computes with what is no number, or is true of what is not.

    >>> heavy, light = Operation("Gt", ("m", 300.0)), Operation("Lt", ("m", 500.0))
    >>> tree_value(Operation("And", (heavy, light)), {"m": 400})
    True
    """
    if isinstance(tree, str):
        return values[tree]
    if not isinstance(tree, Operation):
        return tree
    symbol, parts = tree
    if symbol == "text":
        return parts[0]
    if symbol in LOGIC:
        return LOGIC[symbol](_operand(part, values, truth=True) for part in parts)
    if symbol in COMPARISONS:
        return COMPARISONS[symbol](*(tree_value(part, values) for part in parts))
    operands = [_operand(part, values) for part in parts]
    if symbol in ("+", "*"):
        return functools.reduce(NUMBERS[symbol], operands)
    return NUMBERS[symbol](*operands)


def _operand(tree: Tree, values: Mapping[str, Any], truth: bool = False) -> Any:
    """The value of what has to be a number, or true or false."""
    found = tree_value(tree, values)
    if isinstance(found, bool) == truth and not isinstance(found, str | tuple):
        return found
    shown = repr(tree if isinstance(tree, str) else found)
    message = f"{shown} is {'neither true nor false' if truth else 'no number'}"
    raise TypeError(message)
