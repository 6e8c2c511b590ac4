"""Select patches with a condition on their values and names.

A condition is written as in Python, such as `m_parent>300 and m_lsp<50` or
`name=='C1N2_650_0'`. Only comparisons, `and`, `or`, `not`, arithmetic, numbers, strings
and the names of the labels mean something; it is read as a syntax tree and never run as
a program.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import typer

from hfjax.documents.patchset.patchset import PatchSet

Values = Mapping[str, Any]

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


def select(patchset: PatchSet, condition: str) -> tuple[str, ...]:
    """Return the names of the patches that fulfil a condition, in their order.

    Args:
        patchset: the patches; a condition may use its labels, and `name`.
        condition: the condition.

    Raises:
        typer.BadParameter: It is no condition, uses an unknown name, cannot be computed
            for a patch, or no patch fulfils it.

    Example:
        >>> from hfjax.documents.patchset.patchset import Patch
        >>> patches = (Patch("low", (300, 50), ()), Patch("high", (900, 50), ()))
        >>> patchset = PatchSet(("m_parent", "m_lsp"), {}, {}, "a plane", patches)
        >>> select(patchset, "m_parent - m_lsp > 300 and m_lsp < 100")
        ('high',)
        >>> select(patchset, "name in ('low', 'medium')")
        ('low',)
    """
    tree = _parse(condition)
    found = []
    for patch in patchset:
        values = dict(zip(patchset.labels, patch.values, strict=True))
        if _holds(tree, values | {"name": patch.name}, condition):
            found.append(patch.name)
    if not found:
        message = (
            f"no patch fulfils '{condition}': see names and values with "
            "'hfjax patchset inspect'"
        )
        raise typer.BadParameter(message, param_hint="--select")
    return tuple(found)


def _parse(condition: str) -> ast.expr:
    try:
        return ast.parse(condition.strip(), mode="eval").body
    except SyntaxError as error:
        message = f"'{condition}' is no condition: {error.msg} at {error.offset}"
    except (ValueError, MemoryError, RecursionError) as error:
        message = f"the condition cannot be read: {error}"
    raise typer.BadParameter(message, param_hint="--select")


def _holds(tree: ast.expr, values: Values, condition: str) -> bool:
    try:
        result = _value(tree, values)
    except (TypeError, ZeroDivisionError, OverflowError, RecursionError) as error:
        message = f"'{condition}' has no value for patch {values['name']!r}: {error}"
        raise typer.BadParameter(message, param_hint="--select") from None
    if isinstance(result, bool):
        return result
    message = f"'{condition}' is no condition: compare it with something"
    raise typer.BadParameter(message, param_hint="--select")


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
    raise typer.BadParameter(message, param_hint="--select")


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
    raise typer.BadParameter(message, param_hint="--select")


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
