"""Conditions on the labels and names of points, and numbers made of labels.

A condition is written as in Python, such as `m_parent>300 and m_lsp<50` or
`name=='C1N2_650_0'`, and so is a number, such as `m_parent - m_lsp`. Only comparisons,
`and`, `or`, `not`, arithmetic, numbers, strings and the names of the labels mean
something; it is read as a syntax tree and never run as a program.
"""

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from hfjax.errors import DataError
from hfjax.results.scan import ScanResult, Value

Values = Mapping[str, Any]
Named = tuple[str, Iterable[Value]]
"""The name of a point or patch, and its values."""

_COMPARISONS: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, whole: item in whole,
    ast.NotIn: lambda item, whole: item not in whole,
}
_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_SIGNS: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


def fulfilling(
    condition: str, labels: Iterable[str], points: Iterable[Named]
) -> tuple[str, ...]:
    """Return the names of the points that fulfil a condition, in their order.

    Args:
        condition: The condition; it may use the labels, and `name`.
        labels: The labels.
        points: Names and values, in the order of the labels.

    Raises:
        DataError: It is no condition, uses an unknown name, or cannot be computed for a
            point.

    Example:
        >>> points = [("low", (300, 50)), ("high", (900, 50))]
        >>> labels = ("m_parent", "m_lsp")
        >>> fulfilling("m_parent - m_lsp > 300 and m_lsp < 100", labels, points)
        ('high',)
        >>> fulfilling("name in ('low', 'medium')", labels, points)
        ('low',)
    """
    tree, names = _parse(condition, "condition"), tuple(labels)
    found = []
    for name, values in points:
        named = dict(zip(names, values, strict=True)) | {"name": name}
        if _holds(tree, named, condition):
            found.append(name)
    return tuple(found)


def selected(result: ScanResult, condition: str | None) -> ScanResult:
    """Return a result with the points that fulfil a condition; all without one.

    Raises:
        DataError: It is no condition of this result, or no point fulfils it.
    """
    if condition is None:
        return result
    pairs = [(point.name, point.values) for point in result]
    names = set(fulfilling(condition, result.labels, pairs))
    if not names:
        message = (
            f"no point fulfils '{condition}': the labels are "
            f"{', '.join(map(repr, result.labels))}"
        )
        raise DataError(message)
    return replace(result, points=tuple(p for p in result if p.name in names))


def numbers(text: str, result: ScanResult) -> tuple[float, ...]:
    """Return the number that an expression of labels is at each point of a scan.

    Args:
        text: One label, whatever characters it has, or an expression.
        result: The scan.

    Raises:
        DataError: It cannot be read, uses an unknown name, or is no finite number at a
            point.

    Example:
        >>> from hfjax.results.scan import ScanPoint
        >>> result = ScanResult(("m_parent", "m_lsp"), (ScanPoint("a", (300, 50)),))
        >>> numbers("m_parent - m_lsp", result), numbers("m_lsp", result)
        ((250.0,), (50.0,))
    """
    if text in result.labels:
        tree: ast.expr = ast.Name(text)
    else:
        tree = _parse(text, "expression")
    found = []
    for point in result:
        values = dict(zip(result.labels, point.values, strict=True))
        found.append(_finite(tree, values, f"{text!r} at point {point.name!r}"))
    return tuple(found)


def _finite(tree: ast.expr, values: Values, what: str) -> float:
    try:
        value = _value(tree, values)
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        number = float(value) if plain else math.nan
    except (TypeError, ArithmeticError, RecursionError) as error:
        message = f"{what} is no number: {error}"
        raise DataError(message) from None
    if math.isfinite(number):
        return number
    message = f"{what} is {value!r}: only finite numbers can be drawn"
    raise DataError(message)


def _parse(text: str, kind: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        message = f"'{text}' is no {kind}: {error.msg} at {error.offset}"
    except (ValueError, MemoryError, RecursionError) as error:
        message = f"the {kind} cannot be read: {error}"
    raise DataError(message)


def _holds(tree: ast.expr, values: Values, condition: str) -> bool:
    try:
        result = _value(tree, values)
    except (TypeError, ZeroDivisionError, OverflowError, RecursionError) as error:
        message = f"'{condition}' has no value for {values['name']!r}: {error}"
        raise DataError(message) from None
    if isinstance(result, bool):
        return result
    message = f"'{condition}' is no condition: compare it with something"
    raise DataError(message)


def _value(node: ast.expr, values: Values) -> Any:
    """The value of a syntax tree for one patch."""
    match node:
        case ast.Constant(value=found) if type(found) in (int, float, str):
            return found
        case ast.Name(id=name):
            return _named(name, values)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return [_value(item, values) for item in items]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _truth(operand, values)
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _SIGNS:
            return _SIGNS[type(sign)](_number(operand, values))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _ARITHMETIC[type(op)](_number(left, values), _number(right, values))
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_truth(part, values) for part in parts)
        case ast.BoolOp(op=ast.Or(), values=parts):
            return any(_truth(part, values) for part in parts)
        case ast.Compare(left=left, ops=ops, comparators=rest) if _known(ops):
            return _chain(left, ops, rest, values)
    message = (
        f"'{ast.unparse(node)}' is not allowed: use comparisons, 'and', 'or', 'not', "
        "numbers, strings and the names of labels"
    )
    raise DataError(message)


def _known(ops: list[ast.cmpop]) -> bool:
    return all(type(op) in _COMPARISONS for op in ops)


def _chain(
    left: ast.expr, ops: list[ast.cmpop], rest: list[ast.expr], values: Values
) -> bool:
    operands = [_value(item, values) for item in (left, *rest)]
    pairs = zip(operands[:-1], ops, operands[1:], strict=True)
    return all(_COMPARISONS[type(op)](a, b) for a, op, b in pairs)


def _named(name: str, values: Values) -> Any:
    if name in values:
        return values[name]
    message = f"unknown name '{name}': choose of {', '.join(values)}"
    raise DataError(message)


def _truth(node: ast.expr, values: Values) -> bool:
    value = _value(node, values)
    if isinstance(value, bool):
        return value
    message = f"'{ast.unparse(node)}' is neither true nor false"
    raise TypeError(message)


def _number(node: ast.expr, values: Values) -> int | float:
    """The value of a node that has to be a number: strings cannot be multiplied."""
    value = _value(node, values)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    message = f"'{ast.unparse(node)}' is no number"
    raise TypeError(message)
