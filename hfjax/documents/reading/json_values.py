"""Strict reading of JSON values: exactly what the schemas accept, and fast.

Walking a schema over a published workspace takes seconds; these functions take
milliseconds. They say no, but not why: whoever catches `Malformed` lets the schema find
the place and the words. A property test holds the two to the same answer.
"""

import re
import sys
from typing import Any

Number = int | float
"""A JSON number; whole numbers stay `int`, so that a document is dumped as it was."""

POINTER = re.compile(r"^(/([^/~]|~[01])*)*$")
"""The form of a JSON pointer (RFC 6901)."""

LABEL = re.compile(r"^[a-zA-Z0-9_]+$")
"""The form of the names of patches and of their labels."""

DIGESTS = {
    "md5": re.compile(r"^[a-f0-9]{32}$"),
    "sha256": re.compile(r"^[a-fA-F0-9]{64}$"),
}
"""The forms of the digests that a patchset may state."""

TOO_DEEP = "its lists and objects are nested too deeply"
"""Why Python's stack does not suffice for a document, in messages."""

_FLOATS = frozenset((float,))
_PLAIN = frozenset((int, float))
_EXACT = 2**53


class Malformed(Exception):
    """The value is not what the schema asks; only the layer `spec` sees this."""


def is_number(value: object) -> bool:
    """Whether a value is a JSON number that a float can hold.

    >>> [is_number(value) for value in (1, 2.5, float("nan"), True, "1", 10**400)]
    [True, True, True, False, False, False]
    """
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return abs(value) <= sys.float_info.max
    return isinstance(value, float)


def number(value: object) -> Number:
    """Return a number as it is."""
    if type(value) is float:  # most numbers are, and there are many
        return value
    if isinstance(value, (int, float)) and is_number(value):
        return value
    raise Malformed


def number_or_text(value: object) -> Number | str:
    """Return a number or a string as it is."""
    return value if isinstance(value, str) else number(value)


def numbers(value: object) -> tuple[Number, ...]:
    """Return a list of one or more numbers as a tuple.

    >>> numbers([1, 2.5])
    (1, 2.5)
    """
    found = items(value)
    kinds = set(map(type, found))
    if kinds == _FLOATS or (kinds <= _PLAIN and max(map(abs, found)) < _EXACT):
        return tuple(found)
    return tuple(map(number, found))


def items(value: object, least: int = 1) -> list[Any]:
    """Return a list that has at least so many items."""
    if isinstance(value, list) and len(value) >= least:
        return value
    raise Malformed


def text(value: object) -> str:
    """Return a string."""
    if isinstance(value, str):
        return value
    raise Malformed


def matching(value: object, form: re.Pattern[str]) -> str:
    """Return a string of a given form."""
    if isinstance(value, str) and form.search(value):
        return value
    raise Malformed


def members(
    value: object, required: frozenset[str], optional: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return an object that has all required keys and no unknown one.

    >>> members({"name": "SR"}, frozenset({"name"}))
    {'name': 'SR'}
    """
    if not isinstance(value, dict):
        raise Malformed
    keys = value.keys()
    if keys == required or (required <= keys and keys <= required | optional):
        return value
    raise Malformed
