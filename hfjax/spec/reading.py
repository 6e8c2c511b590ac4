"""Read JSON from a file, from standard input or from an open file."""

import contextlib
import gc
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from hfjax.errors import SpecificationError


@runtime_checkable
class Readable(Protocol):
    """An open file, of text or of bytes."""

    def read(self) -> str | bytes:
        """Return all of its content."""
        ...


Source = str | os.PathLike[str] | Readable
"""Where a document is read from: a path, "-" for standard input, or an open file."""


def source_name(source: Source) -> str:
    """Return what to call a source in messages.

    >>> source_name("-"), source_name("BkgOnly.json")
    ('standard input', 'BkgOnly.json')
    """
    if isinstance(source, (str, os.PathLike)):
        return "standard input" if source == "-" else os.fspath(source)
    return str(getattr(source, "name", "the open file"))


def read_json(source: Source) -> Any:
    """Read one JSON document.

    NaN and Infinity are read as Python writes them.

    Args:
        source: a path, "-" for standard input, or an open file.

    Returns:
        The document: dict, list, str, int, float, bool or None.

    Raises:
        SpecificationError: It cannot be read, is not UTF-8 text or not JSON.

    >>> import io
    >>> read_json(io.StringIO('{"a": [1, 2.0]}'))
    {'a': [1, 2.0]}
    """
    try:
        return _parse(_decode(_read(source)))  # no name keeps what was read alive
    except SpecificationError as error:
        raise error.inside(source_name(source)) from None


def read_text(source: Source) -> str:
    """Read UTF-8 text.

    Args:
        source: a path, "-" for standard input, or an open file.

    Raises:
        SpecificationError: It cannot be read or is not UTF-8 text.

    >>> import io
    >>> read_text(io.BytesIO(b"m_parent,SR[0]"))
    'm_parent,SR[0]'
    """
    try:
        return _decode(_read(source))
    except SpecificationError as error:
        raise error.inside(source_name(source)) from None


def parse_json(content: str | bytes) -> Any:
    """Make a document of the text of one JSON document, or of its UTF-8 bytes.

    Raises:
        SpecificationError: It is not UTF-8 text or not JSON.

    >>> parse_json(b'{"a": [1, 2.0]}')
    {'a': [1, 2.0]}
    """
    return _parse(_decode(content))


def _read(source: Source) -> str | bytes:
    try:
        if source == "-":
            return getattr(sys.stdin, "buffer", sys.stdin).read()
        if isinstance(source, (str, os.PathLike)):
            return Path(source).read_bytes()
        return source.read()
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
    except UnicodeDecodeError as error:
        message = _wrong_encoding(error)
    except (AttributeError, ValueError) as error:  # closed files, null bytes in names
        message = f"cannot be read: {error}"
    raise SpecificationError(message)


def _decode(content: str | bytes) -> str:
    try:
        return content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = _wrong_encoding(error)
    raise SpecificationError(message)


def _wrong_encoding(error: UnicodeDecodeError) -> str:
    return (
        f"not UTF-8 text: byte {error.object[error.start]:#04x} at position "
        f"{error.start}; unpack the file if it is compressed, or convert it to UTF-8"
    )


@contextlib.contextmanager
def _no_collections() -> Iterator[None]:
    """Let no garbage be looked for: a document has no cycles, and millions of parts.

    Looking for it takes longer than reading a large patchset does.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _parse(content: str) -> Any:
    if not content or content.isspace():
        message = "empty: there is no JSON document in it"
        raise SpecificationError(message)
    try:
        with _no_collections():
            return json.loads(content)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        message = f"not JSON: {error.msg} at {place}"
    except RecursionError:
        message = "not read: its lists and objects are nested too deeply"
    except ValueError as error:  # a whole number of thousands of digits
        message = f"not read: {error}"
    raise SpecificationError(message)
