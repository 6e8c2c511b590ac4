"""Read JSON from a file, from standard input or from an open file."""

import contextlib
import errno
import json
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from hfjax.documents.reading.garbage import no_collections
from hfjax.documents.reading.json_values import TOO_DEEP
from hfjax.documents.reading.schema import pointer
from hfjax.errors import SpecificationError


@runtime_checkable
class Readable(Protocol):
    """An open file, of text or of bytes."""

    def read(self) -> str | bytes:
        """Return all of its content."""
        ...


Source = str | os.PathLike[str] | Readable
"""Where a document is read from: a path, "-" for standard input, or an open file."""

_OPEN_ALREADY = re.compile(r"/dev/(stdin|fd/\d+)|/proc/(self|\d+)/fd/\d+")


def source_name(source: Source) -> str:
    """Return what to call a source in messages.

    >>> source_name("-"), source_name("BkgOnly.json")
    ('standard input', 'BkgOnly.json')
    """
    if isinstance(source, (str, os.PathLike)):
        return "standard input" if source == "-" else os.fspath(source)
    return str(getattr(source, "name", "the open file"))


@contextlib.contextmanager
def naming(source: Source) -> Iterator[None]:
    """Let errors name the source of what is read or parsed meanwhile.

    >>> with naming("BkgOnly.json"):
    ...     raise SpecificationError("no channel", "/channels")
    Traceback (most recent call last):
    ...
    hfjax.errors.SpecificationError: BkgOnly.json: no channel (at /channels)
    """
    try:
        yield
    except SpecificationError as error:
        raise error.inside(source_name(source)) from None


def read_json(source: Source) -> Any:
    """Read one JSON document.

    NaN and Infinity are read as Python writes them.

    Args:
        source: a path, "-" for standard input, or an open file.

    Returns:
        The document: dict, list, str, int, float, bool or None.

    Raises:
        SpecificationError: It cannot be read, is not UTF-8 text, not JSON, or has an
            object in which a key is there twice.

    >>> import io
    >>> read_json(io.StringIO('{"a": [1, 2.0]}'))
    {'a': [1, 2.0]}
    """
    with naming(source):
        return _parse(_decode(_read(source)))  # no name keeps what was read alive


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
    with naming(source):
        return _decode(_read(source))


def parse_json(content: str | bytes) -> Any:
    """Make a document of the text of one JSON document, or of its UTF-8 bytes.

    Raises:
        SpecificationError: It is not UTF-8 text, not JSON, or has an object in which a
            key is there twice.

    >>> parse_json(b'{"a": [1, 2.0]}')
    {'a': [1, 2.0]}
    """
    return _parse(_decode(content))


def refuse_special(path: str | os.PathLike[str]) -> None:
    """Refuse to open what may wait forever or never end: named pipes and devices.

    What a process has open already is fine, such as /dev/stdin, and the /dev/fd/63 that
    a shell makes of `<(command)`.

    Raises:
        OSError: It is one, or does not exist.

    >>> refuse_special("/dev/zero")
    Traceback (most recent call last):
    ...
    OSError: [Errno 22] it is no regular file: '/dev/zero'
    """
    mode = os.stat(path).st_mode
    known = stat.S_ISREG(mode) or stat.S_ISDIR(mode)  # whose own error says more
    if not known and not _OPEN_ALREADY.fullmatch(os.fspath(path)):
        message = "it is no regular file"
        raise OSError(errno.EINVAL, message, os.fspath(path))


def _read(source: Source) -> str | bytes:
    try:
        if source == "-":
            return getattr(sys.stdin, "buffer", sys.stdin).read()
        if isinstance(source, (str, os.PathLike)):
            refuse_special(source)
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


class _RepeatedKeyError(Exception):
    """An object has a key twice."""


class _Pairs(list[tuple[str, Any]]):
    """The keys and values of an object, with those that are there twice."""


def _parse(content: str) -> Any:
    if not content or content.isspace():
        message = "empty: there is no JSON document in it"
        raise SpecificationError(message)
    try:
        with no_collections():
            return _values(content)
    except json.JSONDecodeError as error:
        if content.lstrip().startswith("<"):
            raise SpecificationError(_markup(content)) from None
        if columns := _columns(content):
            raise SpecificationError(_table(columns)) from None
        place = f"line {error.lineno}, column {error.colno}"
        message = f"not JSON: {error.msg.removesuffix(' at')} at {place}"
    except RecursionError:
        message = f"not read: {TOO_DEEP}"
    except ValueError:  # the one that Python's reader lets out
        digits = sys.get_int_max_str_digits()
        message = f"not read: it has a whole number of more than {digits} digits"
    raise SpecificationError(message)


def _markup(content: str) -> str:
    """Say what a text is that begins as XML does."""
    if any(key in content for key in ("HistFactory", "<Combination", "<Channel")):
        return (
            "this is HistFactory XML: make a workspace of it first, with `hfjax "
            "xml2json TOP_FILE.xml --output workspace.json`"
        )
    return "not JSON: it is XML, or a page of a web site"


def _columns(content: str) -> list[str]:
    r"""Return the headings of a table as spreadsheets write it; none of another text.

    >>> _columns("mass,SR[0]\n300,1.5\n"), _columns("one, two or three")
    (['mass', 'SR[0]'], [])
    """
    lines = content.splitlines()[:2]
    if len(lines) < 2 or lines[0].lstrip()[:1] in ("{", "["):
        return []
    for separator in ",;\t":
        heads, cells = (line.split(separator) for line in lines)
        if len(heads) == len(cells) > 1 and all(map(str.strip, heads)):
            return [head.strip() for head in heads]
    return []


def _table(columns: list[str]) -> str:
    """Say what a table is, and what is made of one."""
    shown = ", ".join(columns[:3]) + (", ..." if len(columns) > 3 else "")
    return (
        f"not JSON: it is a table with the columns {shown}; `hfjax patchset make` "
        "makes a patchset of a table of signals, and `hfjax scan` the result of that"
    )


def _values(content: str) -> Any:
    try:
        return json.loads(content, object_pairs_hook=_object)
    except _RepeatedKeyError:
        found = json.loads(content, object_pairs_hook=_Pairs)
    raise _repeated_key(found)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _RepeatedKeyError
    return found


def _repeated_key(document: Any) -> SpecificationError:
    """Say where an object of a document has a key twice."""
    unseen: list[tuple[Any, tuple[str | int, ...]]] = [(document, ())]
    while True:
        value, place = unseen.pop()
        inner = value if isinstance(value, _Pairs) else list(enumerate(value))
        keys = set()
        for key, _ in inner:
            if key in keys:
                message = f"the key {key!r} is there twice in one object: keep one"
                return SpecificationError(message, pointer((*place, key)))
            keys.add(key)
        unseen += [(v, (*place, k)) for k, v in inner if isinstance(v, list)][::-1]
