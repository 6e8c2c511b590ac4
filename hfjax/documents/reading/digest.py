"""The digest that ties a patchset to the workspace it was made for."""

import contextlib
import hashlib
import json
from typing import Any

from hfjax.errors import DigestError, unknown_name

_OF_ANY_LENGTH = frozenset({"shake_128", "shake_256"})
"""Algorithms of Python's that have no digest of one length."""


def digest(document: Any, algorithm: str = "sha256") -> str:
    """Return the digest of a JSON document.

    The hash of the UTF-8 text that `json.dumps` gives with sorted keys. The order of
    lists counts, and so does the kind of a number: 5 and 5.0 give different digests.

    Args:
        document: dict, list, str, int, float, bool or None.
        algorithm: a name that Python's `hashlib` knows.

    Returns:
        The digest as hexadecimal digits.

    Raises:
        UnknownNameError: There is no such algorithm.
        DigestError: The document cannot be written as JSON in UTF-8.

    >>> digest({"c": 1.0, "a": 2.0, "b": 3.0})[:16]
    'a38f6093800189b7'
    >>> digest({"a": 5.0})[:8], digest({"a": 5})[:8]
    ('11067c1a', 'a93286b8')
    """
    try:
        text = json.dumps(document, sort_keys=True, ensure_ascii=False)
        content = text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        message = f"there is no digest of what is not JSON in UTF-8: {error}"
        raise DigestError(message) from error
    return _new_hash(algorithm, content).hexdigest()


def _new_hash(algorithm: str, content: bytes) -> Any:
    with contextlib.suppress(ValueError):  # not known, or not by this OpenSSL
        found = hashlib.new(algorithm, content, usedforsecurity=False)
        if found.digest_size:
            return found
    known = sorted(hashlib.algorithms_guaranteed - _OF_ANY_LENGTH)
    error = unknown_name("hash algorithm", algorithm, known, "hashlib")
    raise error
