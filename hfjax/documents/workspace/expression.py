"""Expressions of workspaces: normfactors as functions of other parameters."""

import functools
from collections.abc import Mapping

from hfjax.documents.reading.expression import (
    MAX_DEPTH,
    Expression,
    read_expression,
)
from hfjax.errors import SpecificationError

MAX_LENGTH = 4000
"""Most characters of an expression."""


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
    found = read_expression(text)
    if not found.names:
        message = (
            f"the expression {found.text!r} has no parameter in it: give inits and "
            "`fixed`"
        )
        raise SpecificationError(message)
    return found


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
