"""Expressions: normfactors as functions of other parameters.

An expression is read by Python's own parser and by nothing else: numbers, names of
parameters, ``+ - * / **``, a minus sign and a few functions are taken over, all else is
refused by name, and nothing is ever run.
"""

import ast
import functools
import keyword
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.expression_tree import Operation, Tree, finite_value
from hfjax.errors import SpecificationError, unknown_name

MAX_LENGTH, MAX_DEPTH = 4000, 50
"""Most characters of an expression, and how deep it may be nested."""

MAX_SHOWN = 80
"""Most characters of an expression in a message."""

FUNCTIONS = {"sqrt": 1, "exp": 1, "log": 1, "abs": 1, "min": 2, "max": 2}
"""The functions, and how many arguments each has; of min and max, the fewest."""

_WORDS = (
    "an expression may have numbers, names of parameters, + - * / ** and "
    f"{', '.join(FUNCTIONS)}; a name with other characters goes in quotes"
)
_SYMBOLS = {ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_FOREIGN = {
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.MatMult: "@",
    ast.BitXor: "^",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.UAdd: "+ before a term",
    ast.Invert: "~",
    ast.Not: "not",
}


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

    >>> parse_expression("mu * (1 - f)").value({"mu": 2.0, "f": 0.25})
    1.5
    """

    text: str
    tree: Tree
    places: tuple[NamePlace, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names in it, each once.

        >>> parse_expression("mu - 'k-factor' * mu").names
        ('mu', 'k-factor')
        """
        return tuple(dict.fromkeys(place.name for place in self.places))

    def value(self, values: Mapping[str, Number]) -> float:
        """Return its value; NaN where it has none that is finite.

        >>> parse_expression("sqrt(mu)").value({"mu": -1.0})
        nan
        """
        return finite_value(self.tree, values)

    def renamed(self, names: Mapping[str, str]) -> str:
        """Return its text with other names, which differ from all that stay.

        >>> parse_expression("mu**2 + f").renamed({"mu": "mu SIG"})
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


@functools.lru_cache(maxsize=1024)
def parse_expression(text: str) -> Expression:
    """Read an expression.

    Args:
        text: such as "mu**2", "sqrt(mu)" or "mu * (1 - f)".

    Raises:
        SpecificationError: It is too long or too deep, cannot be read, has no name in
            it, or has something that an expression may not have.

    >>> parse_expression("mu**2").tree
    Operation(symbol='**', operands=('mu', 2.0))
    >>> parse_expression("mu^2")
    Traceback (most recent call last):
    ...
    hfjax.errors.SpecificationError: the expression 'mu^2' has '^' in it: write a \
power as **
    """
    if len(text) > MAX_LENGTH:
        message = (
            f"an expression has {len(text)} characters, more than {MAX_LENGTH}: "
            "introduce parameters for its parts"
        )
        raise SpecificationError(message)
    return _Reader(text.strip()).expression()


def evaluation_order(expressions: Mapping[str, Expression]) -> tuple[str, ...]:
    """Return the names of parameters so that each follows those that it is made of.

    Args:
        expressions: by the name of the parameter that each gives.

    Raises:
        SpecificationError: One is made of itself; the message shows how.

    >>> square, third = map(parse_expression, ("mu**2", "mu * k2"))
    >>> evaluation_order({"k3": third, "k2": square})
    ('k2', 'k3')
    """
    done: dict[str, None] = {}

    def visit(name: str, way: tuple[str, ...]) -> None:
        if name in way:
            circle = " -> ".join([*way[way.index(name) :], name])
            message = (
                f"the expression of {name!r} needs {name!r} itself: {circle}; give one "
                "of them a value of its own"
            )
            raise SpecificationError(message)
        if len(way) >= MAX_DEPTH:
            message = (
                f"more than {MAX_DEPTH} expressions need one another: {way[0]!r} first"
            )
            raise SpecificationError(message)
        if name not in done and name in expressions:
            for needed in expressions[name].names:
                visit(needed, (*way, name))
            done[name] = None

    for name in expressions:
        visit(name, ())
    return tuple(done)


class _Reader:
    """Turns Python's syntax tree into our own, and refuses what is not allowed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = re.sub(r"\s", " ", text)
        self._places: list[NamePlace] = []

    def expression(self) -> Expression:
        """Read the whole text."""
        tree = self._tree(self._syntax(), 0)
        rest = list(self._line)
        for start, end, _ in self._places:
            rest[start:end] = " " * (end - start)
        if "#" in rest:
            self._refuse_token("#")
        if not self._places:
            self._refuse("has no parameter in it", "give inits and `fixed`")
        return Expression(self._text, tree, tuple(sorted(self._places)))

    def _refuse(self, what: str, remedy: str) -> NoReturn:
        shown = _short(self._line, MAX_SHOWN)
        message = f"the expression {shown} {what}: {remedy}"
        raise SpecificationError(message) from None

    def _refuse_depth(self) -> NoReturn:
        self._refuse("is nested too deeply", "introduce parameters for its parts")

    def _refuse_token(self, token: str) -> NoReturn:
        remedy = "write a power as **" if token == "^" else _WORDS
        self._refuse(f"has {_short(token, MAX_SHOWN // 2)} in it", remedy)

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
        if isinstance(node, ast.BinOp):
            return self._folded(self._binary(node, depth))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self._tree(node.operand, depth + 1)
            return self._folded(Operation("negative", (inner,)))
        if isinstance(node, ast.UnaryOp):
            self._refuse_token(_FOREIGN[type(node.op)])
        if isinstance(node, ast.Call):
            return self._folded(self._call(node, depth))
        return self._leaf(node)

    def _binary(self, node: ast.BinOp, depth: int) -> Operation:
        if type(node.op) in _FOREIGN:
            self._refuse_token(_FOREIGN[type(node.op)])
        if isinstance(node.op, ast.Add | ast.Sub):
            return Operation("+", tuple(self._terms(node, depth + 1)))
        if isinstance(node.op, ast.Mult):
            parts = _chain(node, ast.Mult)
            return Operation("*", tuple([self._tree(p, depth + 1) for p, _ in parts]))
        pair = (self._tree(side, depth + 1) for side in (node.left, node.right))
        return Operation(_SYMBOLS[type(node.op)], tuple(pair))

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
        operands = [self._tree(argument, depth + 1) for argument in node.args]
        return Operation(name, tuple(operands))

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
        line = self._line.encode()  # whose bytes Python counts
        ends = (node.col_offset, node.end_col_offset)
        start, end = (len(line[:place].decode()) for place in ends)
        self._places.append(NamePlace(start, end, name))
        return name

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
