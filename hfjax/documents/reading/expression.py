"""Expressions and conditions: arithmetic as Python writes it, and comparisons.

A text is read by Python's own parser and by nothing else: numbers, names, ``+ - * /
**``, a minus sign and a few functions are taken over, in conditions comparisons, lists,
texts, ``and``, ``or`` and ``not`` too; all else is refused by name, and nothing is ever
run.
"""

import ast
import itertools
import keyword
import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from hfjax.documents.reading.expression_tree import (
    COMPARISONS,
    Operation,
    Tree,
    finite_value,
)
from hfjax.documents.reading.json_values import Number
from hfjax.errors import SpecificationError, unknown_name

MAX_DEPTH = 50
"""How deep an expression may be nested."""

MAX_SHOWN = 80
"""Most characters of an expression in a message."""

FUNCTIONS = {"sqrt": 1, "exp": 1, "log": 1, "abs": 1, "min": 2, "max": 2}
"""The functions, and how many arguments each has; of min and max, the fewest."""

_SYMBOLS = {ast.Div: "/", ast.Pow: "**"}


class NamePlace(NamedTuple):
    """Where a name stands in the text of an expression, its quotes included."""

    start: int
    end: int
    name: str


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that has been read.

    Attributes:
        text: As it is written, without blanks at its ends.
        tree: What it means.
        places: The names in it and where they stand, from left to right.

    >>> read_expression("mu * (1 - f)").value({"mu": 2.0, "f": 0.25})
    1.5
    """

    text: str
    tree: Tree
    places: tuple[NamePlace, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names in it, each once.

        >>> read_expression("mu - 'k-factor' * mu").names
        ('mu', 'k-factor')
        """
        return tuple(dict.fromkeys(place.name for place in self.places))

    def value(self, values: Mapping[str, Number]) -> float:
        """Return its value; NaN where it has none that is finite.

        >>> read_expression("sqrt(mu)").value({"mu": -1.0})
        nan
        """
        return finite_value(self.tree, values)

    def renamed(self, names: Mapping[str, str]) -> str:
        """Return its text with other names, which differ from all that stay.

        >>> read_expression("mu**2 + f").renamed({"mu": "mu SIG"})
        "'mu SIG'**2 + f"
        """
        text = self.text
        for place in reversed(self.places):
            if place.name in names:
                new = spelled(names[place.name])
                text = f"{text[: place.start]}{new}{text[place.end :]}"
        return text


def spelled(name: str) -> str:
    """Return a name as an expression has it: in quotes if it is no plain word.

    >>> spelled("mu"), spelled("k-factor"), spelled("lambda")
    ('mu', "'k-factor'", "'lambda'")
    """
    plain = name.isidentifier() and not keyword.iskeyword(name)
    return name if plain else repr(name)


def read_expression(
    text: str, names: str = "parameters", *, condition: bool = False
) -> Expression:
    """Read an expression, or a condition.

    Args:
        text: such as "mu**2", "sqrt(mu)" or "mu * (1 - f)".
        names: what its names are names of.
        condition: whether it may compare; what is in quotes is then a text, no name.

    Raises:
        SpecificationError: It is too deep, cannot be read, or has something in it that
            it may not have.

    >>> read_expression("mu**2").tree
    Operation(symbol='**', operands=('mu', 2.0))
    """
    return _Reader(text.strip(), names, condition).expression()


class _Reader:
    """Turns Python's syntax tree into our own, and refuses what is not allowed."""

    def __init__(self, text: str, names: str, condition: bool) -> None:
        self._text, self._names, self._condition = text, names, condition
        self._line = re.sub(r"\s", " ", text)
        self._places: list[NamePlace] = []
        self._quoted: list[tuple[int, int]] = []

    def expression(self) -> Expression:
        """Read the whole text."""
        tree = self._tree(self._syntax(), 0)
        rest = list(self._line)
        for start, end in (*self._quoted, *(place[:2] for place in self._places)):
            rest[start:end] = " " * (end - start)
        if "#" in rest:
            self._refuse_token("#")
        return Expression(self._text, tree, tuple(sorted(self._places)))

    def _refuse(self, what: str, remedy: str) -> NoReturn:
        shown = _short(self._line, MAX_SHOWN)
        kind = "condition" if self._condition else "expression"
        message = f"the {kind} {shown} {what}: {remedy}"
        raise SpecificationError(message) from None

    def _refuse_depth(self) -> NoReturn:
        self._refuse("is nested too deeply", f"introduce {self._names} for its parts")

    def _refuse_token(self, token: str) -> NoReturn:
        what = f"has {_short(token, MAX_SHOWN // 2)} in it"
        remedy = (
            f"numbers, names of {self._names}, + - * / ** and {', '.join(FUNCTIONS)}"
        )
        if self._condition:
            remedy = f"a condition may have comparisons, and, or, not, texts, {remedy}"
        else:
            quotes = "a name with other characters goes in quotes"
            remedy = f"an expression may have {remedy}; {quotes}"
        self._refuse(what, "write a power as **" if token == "^" else remedy)

    def _syntax(self) -> ast.expr:
        """Let Python read the text."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # a doubtful text is refused
                return ast.parse(self._line, mode="eval").body
        except SyntaxError as error:
            place = f" at character {error.offset}" if error.offset else ""
            self._refuse(f"cannot be read{place}", str(error.msg))
        except (ValueError, Warning) as error:
            self._refuse("cannot be read", str(error))
        except (RecursionError, MemoryError):
            self._refuse_depth()

    def _segment(self, node: ast.expr) -> str:
        return ast.get_source_segment(self._line, node) or ""

    def _tree(self, node: ast.expr, depth: int) -> Tree:
        if depth > MAX_DEPTH:
            self._refuse_depth()
        if self._condition and (found := self._logic(node, depth)):
            return found
        if isinstance(node, ast.BinOp):
            return self._folded(self._binary(node, depth))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self._tree(node.operand, depth + 1)
            return self._folded(Operation("negative", (inner,)))
        if isinstance(node, ast.UnaryOp):
            sign = ast.unparse(ast.UnaryOp(node.op, ast.Name("a")))[:-1].strip()
            self._refuse_token("+ before a term" if sign == "+" else sign)
        if isinstance(node, ast.Call):
            return self._folded(self._call(node, depth))
        return self._leaf(node)

    def _trees(self, nodes: Sequence[ast.expr], depth: int) -> tuple[Tree, ...]:
        return tuple([self._tree(node, depth + 1) for node in nodes])

    def _logic(self, node: ast.expr, depth: int) -> Operation | None:
        """What only a condition may have; None for all else."""
        match node:
            case ast.Constant(value=str(text)):
                self._quoted.append(self._ends(node))
                return Operation("text", (text,))
            case ast.BoolOp(op=op, values=parts):
                return Operation(type(op).__name__, self._trees(parts, depth))
            case ast.UnaryOp(op=ast.Not(), operand=part):
                return Operation("Not", self._trees([part], depth))
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return Operation("List", self._trees(parts, depth))
            case ast.Compare(left=left, ops=ops, comparators=rest):
                symbols = [type(op).__name__ for op in ops]
                if COMPARISONS.keys() >= set(symbols):
                    pairs = itertools.pairwise(self._trees([left, *rest], depth))
                    found = map(Operation, symbols, pairs)
                    return Operation("And", tuple(found))
        return None

    def _binary(self, node: ast.BinOp, depth: int) -> Operation:
        if isinstance(node.op, ast.Add | ast.Sub):
            return Operation("+", tuple(self._terms(node, depth + 1)))
        if isinstance(node.op, ast.Mult):
            parts = _chain(node, ast.Mult)
            return Operation("*", self._trees([part for part, _ in parts], depth))
        if type(node.op) not in _SYMBOLS:
            sides = ast.Name("a"), ast.Name("b")
            self._refuse_token(
                ast.unparse(ast.BinOp(sides[0], node.op, sides[1]))[2:-2]
            )
        pair = self._trees([node.left, node.right], depth)
        return Operation(_SYMBOLS[type(node.op)], pair)

    def _terms(self, node: ast.BinOp, depth: int) -> Iterator[Tree]:
        """The terms of a sum, as many as it has: a difference adds the negative."""
        for part, before in _chain(node, ast.Add | ast.Sub):
            term = self._tree(part, depth)
            negative = isinstance(before, ast.Sub)
            yield self._folded(Operation("negative", (term,))) if negative else term

    def _call(self, node: ast.Call, depth: int) -> Operation:
        if not isinstance(node.func, ast.Name) or node.keywords:
            self._refuse_token(self._segment(node))
        name, count = node.func.id, len(node.args)
        if name not in FUNCTIONS:
            self._refuse(
                "cannot be read", str(unknown_name("function", name, FUNCTIONS))
            )
        least = FUNCTIONS[name]
        if count < least or (count > 1 and least == 1):
            wanted = "one argument" if least == 1 else "two arguments or more"
            self._refuse(f"gives {name} {count}", f"{name} takes {wanted}")
        return Operation(name, self._trees(node.args, depth))

    def _leaf(self, node: ast.expr) -> Tree:
        """A number, or a name, which may be in quotes."""
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(node, ast.Name):
            # as it is written: Python's parser changes some letters
            return self._name(node, self._segment(node))
        if isinstance(value, str):
            return self._name(node, value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._refuse_token(self._segment(node))
        return self._number(node, value)

    def _name(self, node: ast.expr, name: str) -> str:
        if not name:
            self._refuse_token("an empty name")
        self._places.append(NamePlace(*self._ends(node), name))
        return name

    def _ends(self, node: ast.expr) -> tuple[int, int]:
        """Where a part begins and ends."""
        line = self._line.encode()  # whose bytes Python counts
        start, end = line[: node.col_offset], line[: node.end_col_offset]
        return len(start.decode()), len(end.decode())

    def _number(self, node: ast.expr, value: Number) -> float:
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
        if math.isinf(found):
            what = f"has {_short(self._segment(node), MAX_SHOWN // 2)} in it"
            self._refuse(what, "that is too large a number")
        return found

    def _folded(self, operation: Operation) -> Tree:
        """The value of an operation on numbers only, which has to be a number."""
        if any(isinstance(part, str | Operation) for part in operation.operands):
            return operation
        value = finite_value(operation, {})
        if math.isnan(value):
            numbers = ", ".join(f"{part:g}" for part in operation.operands)
            what = f"has {operation.symbol} of {numbers} in it"
            self._refuse(what, "that is no finite number")
        return value


def _short(text: str, limit: int) -> str:
    """A text in quotes, its middle left out if it is long."""
    half = limit // 2 - 2
    return repr(text if len(text) <= limit else f"{text[:half]}...{text[-half:]}")


def _chain(node: ast.expr, kind: Any) -> list[tuple[ast.expr, ast.operator | None]]:
    """The parts of ``a + b - c``, or ``a * b * c``, each with what stands before it."""
    parts: list[tuple[ast.expr, ast.operator | None]] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, kind):
        parts.append((node.right, node.op))
        node = node.left
    return [(node, None), *reversed(parts)]
