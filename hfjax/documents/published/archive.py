"""Read archives that others have made, trusting nothing that is written in them.

Names must stay below the folder that is unpacked into, and only files and folders are
accepted, never links or devices. An archive that breaks a rule is refused whole.
"""

import bz2
import contextlib
import gzip
import io
import os
import re
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from hfjax.documents.published.archive_limits import Allowance, exceeded
from hfjax.errors import ArchiveError

_CHUNK = 1 << 20
_TAR_HEADER = 1 << 20  # the largest that is read, bytes
_ZIP_ENTRY = 512  # of a zip archive's directory, bytes a member
_TAR_OVERHEAD = 2048  # headers and padding, bytes a member
_BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error),
    *(EOFError, OSError, ValueError, LookupError, RuntimeError, OverflowError),
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ELSEWHERE = re.compile(r"\\|^[A-Za-z]:")
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """A file in an archive.

    Attributes:
        name: Its path inside the archive, with "/" between folders.
        size: Its bytes when unpacked.
        open: Opens it for reading.
    """

    name: str
    size: int
    open: Callable[[], io.BufferedIOBase]


@contextlib.contextmanager
def open_archive(
    file: io.BufferedIOBase, allowance: Allowance
) -> Iterator[tuple[ArchiveMember, ...]]:
    """Give the files in an archive, all of whose members have been checked.

    Args:
        file: a tar archive, as it is or compressed by gzip or bzip2, or a zip archive.
        allowance: what the archive may unpack to; it is spent.

    Raises:
        ArchiveError: It is no archive, is broken, or one of its members is unsafe.
    """
    kind = archive_kind(file)
    members = _zip_members if kind == "zip" else _tar_members
    with contextlib.ExitStack() as stack:
        with refusing_broken():
            if kind in ("gzip", "bzip2"):
                file = stack.enter_context(_inflated(file, kind, allowance))
            found = _checked(members(file, stack, allowance), allowance)
        yield found


def archive_kind(file: io.BufferedIOBase) -> str:
    """Tell by its first bytes what an archive is: tar, gzip, bzip2 or zip.

    Raises:
        ArchiveError: It is none of these.

    >>> import io
    >>> archive_kind(io.BytesIO(b"PK..."))
    'zip'
    >>> archive_kind(io.BytesIO(b"<!doctype html>..."))
    Traceback (most recent call last):
    ...
    hfjax.errors.ArchiveError: is a web page, no archive: give the address of the file \
itself, such as the DOI of a resource, which ends in /r2
    """
    start = file.read(512)
    file.seek(0)
    for kind, magic in (("gzip", b"\x1f\x8b"), ("bzip2", b"BZh"), ("zip", b"PK")):
        if start.startswith(magic):
            return kind
    if start[257:262] == b"ustar" or _is_old_tar(start):
        return "tar"
    raise ArchiveError(_no_archive(start))


def read_member(member: ArchiveMember, limit: int) -> bytes:
    """Return the content of a file in an archive.

    Raises:
        ArchiveError: It is larger than the limit on a document, or broken.
    """
    if member.size > limit:
        raise too_large(limit)
    with refusing_broken(), member.open() as source:
        return b"".join(chunks(source))


def too_large(limit: int) -> ArchiveError:
    """Return the error for a document that is larger than one may be."""
    return exceeded(f"has more than {limit} bytes", "document")


def chunks(source: io.BufferedIOBase) -> Iterator[bytes]:
    """Yield the content of a file piece by piece."""
    while chunk := source.read(_CHUNK):
        yield chunk


@contextlib.contextmanager
def refusing_broken() -> Iterator[None]:
    """Turn what reading a broken archive raises into one kind of error."""
    try:
        yield
    except _BROKEN as error:
        reason = getattr(error, "strerror", None) or str(error) or "it is cut off"
        message = f"cannot be unpacked: {reason}"
        raise ArchiveError(message) from error


@contextlib.contextmanager
def naming(subject: str) -> Iterator[None]:
    """Put what an error is about before its message.

    >>> with naming("'a.tar'"):
    ...     raise ArchiveError("is empty, no archive")
    Traceback (most recent call last):
    ...
    hfjax.errors.ArchiveError: 'a.tar' is empty, no archive
    """
    try:
        yield
    except ArchiveError as error:
        message = f"{subject} {error}"
        raise ArchiveError(message) from error


class _Bounded:
    """A file of which nothing is read at once that is larger than a limit.

    How long headers are, such as a tar archive's long names and a zip archive's
    directory, is whatever the maker of the archive wrote.
    """

    def __init__(self, file: io.BufferedIOBase, limit: int) -> None:
        self._file, self._limit = file, limit
        self._size = file.seek(0, os.SEEK_END)
        file.seek(0)
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self._size - self._file.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > self._limit:
            message = f"has a header of {wanted} bytes: nothing is unpacked"
            raise ArchiveError(message)
        return self._file.read(wanted)


@contextlib.contextmanager
def _inflated(
    file: io.BufferedIOBase, kind: str, allowance: Allowance
) -> Iterator[io.BufferedIOBase]:
    """Give what a compressed file contains, as a temporary file."""
    limit = allowance.bytes_left + _TAR_OVERHEAD * allowance.limits.members
    with tempfile.TemporaryFile() as target:
        opened: Any = gzip.open if kind == "gzip" else bz2.open
        with opened(file) as source:
            for chunk in chunks(source):
                target.write(chunk)
                if target.tell() > limit:
                    raise allowance.too_large()
        target.seek(0)
        yield target


_ArchiveMembers = Iterator[tuple[ArchiveMember, bool]]
"""Members, and whether they are files; the others are folders."""


def _zip_members(
    file: io.BufferedIOBase, stack: contextlib.ExitStack, allowance: Allowance
) -> _ArchiveMembers:
    largest = max(_CHUNK, _ZIP_ENTRY * allowance.limits.members)
    bounded: Any = _Bounded(file, largest)
    archive = stack.enter_context(zipfile.ZipFile(bounded))
    for info in archive.infolist():
        # the name as it is written, which the package alters in part
        name = info.orig_filename
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _refused(name, "is neither a file nor a folder")
        if info.flag_bits & 1:
            raise _refused(name, "is encrypted")
        if info.compress_type not in _ZIP_METHODS:
            raise _refused(name, "is compressed by an uncommon method")
        open_it: Any = partial(archive.open, info)
        yield ArchiveMember(name, info.file_size, open_it), not info.is_dir()


def _tar_members(
    file: io.BufferedIOBase, stack: contextlib.ExitStack, allowance: Allowance
) -> _ArchiveMembers:
    del allowance  # the bytes of a tar archive's files are all in it
    bounded: Any = _Bounded(file, _TAR_HEADER)
    archive = stack.enter_context(tarfile.TarFile(fileobj=bounded))
    for info in archive:
        if info.issparse() or not (info.isreg() or info.isdir()):
            raise _refused(info.name, "is neither a file nor a folder")
        open_it: Any = partial(archive.extractfile, info)
        yield ArchiveMember(info.name, info.size, open_it), info.isreg()


def _checked(
    members: _ArchiveMembers, allowance: Allowance
) -> tuple[ArchiveMember, ...]:
    """Check names and sizes; give the files, with their names in one form."""
    found: dict[str, ArchiveMember] = {}
    for member, is_file in members:
        allowance.spend(member.size if is_file else 0)
        name = _safe_name(member)
        if not is_file:
            continue
        if not name or name in found:
            raise _refused(member.name, "is there twice" if name else "has no name")
        found[name] = ArchiveMember(name, member.size, member.open)
    for name in found:
        if any(str(folder) in found for folder in PurePosixPath(name).parents):
            raise _refused(name, "is inside of a file")
    return tuple(found.values())


def _safe_name(member: ArchiveMember) -> str:
    name = member.name
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or _ELSEWHERE.search(name):
        raise _refused(name, "would be unpacked outside of its folder")
    if _CONTROL.search(name):
        raise _refused(name, "has a control character in its name")
    if member.size < 0:
        raise _refused(name, "has a negative size")
    return "/".join(parts)


def _is_old_tar(start: bytes) -> bool:
    """Whether a block is the header of a tar archive from before there was a magic."""
    try:
        tarfile.TarInfo.frombuf(start, tarfile.ENCODING, "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def _no_archive(start: bytes) -> str:
    if not start:
        return "is empty, no archive"
    if start.startswith(b"\xfd7zXZ"):
        return "is compressed with xz: unpack it with another program first"
    head = start.lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return (
            "is a web page, no archive: give the address of the file itself, such as "
            "the DOI of a resource, which ends in /r2"
        )
    if head.startswith((b"{", b"[")):
        return "is a JSON document, no archive: it can be read as it is"
    return "is neither a tar nor a zip archive"


def _refused(name: str, reason: str) -> ArchiveError:
    message = f"has the member {name[:200]!r}, which {reason}: nothing is unpacked"
    return ArchiveError(message)
