"""Conditions on the labels and names of points, and numbers made of labels.

A condition is written as in Python, such as `m_parent>300 and m_lsp<50` or
`name=='C1N2_650_0'`, and so is a number, such as `m_parent - m_lsp`; see
`hfjax.documents.reading.expression`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hfjax.documents.reading.expression import Expression, read_expression
from hfjax.documents.reading.expression_tree import Tree, tree_value
from hfjax.errors import DataError, SpecificationError, close_names
from hfjax.results.point_table import Own, PointTable, Value

Named = tuple[str, Iterable[Value]]
"""The name of a point or patch, and its values."""


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
    names = tuple(labels)
    tree = _tree(condition, (*names, "name"), condition=True)
    found = []
    for name, values in points:
        named = dict(zip(names, values, strict=True)) | {"name": name}
        holds = _value(condition, tree, named, name)
        if not isinstance(holds, bool):
            message = f"'{condition}' is no condition: compare it with something"
            raise DataError(message)
        found += [name] if holds else []
    return tuple(found)


def selected(result: Own, condition: str | None) -> Own:
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


def numbers(text: str, result: PointTable[Any]) -> tuple[float, ...]:
    """Return the number that an expression of labels is at each point of a scan.

    Args:
        text: One label, whatever characters it has, or an expression.
        result: The scan.

    Raises:
        DataError: It cannot be read, uses an unknown name, or is no finite number at a
            point.

    Example:
        >>> from hfjax.results.scan import ScanPoint, ScanResult
        >>> result = ScanResult(("m_parent", "m_lsp"), (ScanPoint("a", (300, 50)),))
        >>> numbers("m_parent - m_lsp", result), numbers("m_lsp", result)
        ((250.0,), (50.0,))
    """
    known = text in result.labels
    tree = text if known else _tree(text, result.labels)
    found = []
    for point in result:
        values = dict(zip(result.labels, point.values, strict=True))
        value = _value(text, tree, values, point.name)
        if not isinstance(value, int | float) or not math.isfinite(value):
            message = (
                f"{text!r} at point {point.name!r} is {value!r}: only finite numbers "
                "can be drawn"
            )
            raise DataError(message)
        found.append(float(value))
    return tuple(found)


def labels_in(text: str, result: PointTable[Any]) -> tuple[str, ...]:
    """Return the labels that an expression is made of.

    Args:
        text: One label, whatever characters it has, or an expression.
        result: The scan.

    Raises:
        DataError: It cannot be read.

    Example:
        >>> from hfjax.results.scan import ScanResult
        >>> labels_in("m_parent - m_lsp", ScanResult(("m_parent", "m_lsp", "n"), ()))
        ('m_parent', 'm_lsp')
    """
    return (text,) if text in result.labels else _read(text).names


def _read(text: str, condition: bool = False) -> Expression:
    try:
        return read_expression(text, "labels", condition=condition)
    except SpecificationError as error:
        raise DataError(str(error)) from None


def _tree(text: str, names: Sequence[str], condition: bool = False) -> Tree:
    """Read a text of some names.

    Raises:
        DataError: It cannot be read, or has another name in it.
    """
    found = _read(text, condition)
    for name in found.names:
        if name not in names:
            near = " or ".join(map(repr, close_names(name, names)))
            known = f"choose of {', '.join(names)}"
            hint = f"did you mean {near}?" if near else known
            message = f"unknown name {name!r}: {hint}"
            raise DataError(message)
    return found.tree


def _value(text: str, tree: Tree, values: Mapping[str, Any], point: str) -> Any:
    try:
        return tree_value(tree, values)
    except (TypeError, ValueError, ArithmeticError) as error:
        message = f"'{text}' has no value for {point!r}: {error}"
        raise DataError(message) from None
