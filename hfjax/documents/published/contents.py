"""List the workspaces and patchsets in an archive, and which belong together."""

import contextlib
import gzip
import io
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.published.archive import (
    ArchiveMember,
    chunks,
    naming,
    open_archive,
    read_member,
    refusing_broken,
    too_large,
)
from hfjax.documents.published.archive_limits import Allowance, ArchiveLimits, exceeded
from hfjax.documents.reading.digest import digest
from hfjax.documents.reading.json_files import parse_json, refuse_special
from hfjax.documents.reading.json_values import DIGESTS
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import ArchiveError, HfjaxError, unknown_name

_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".zip")
_DEEPEST = 3  # archives inside one another

Digests = dict[str, str]
"""By algorithm: a workspace's own digests, or those of a patchset's workspace."""


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document of an archive.

    Attributes:
        name: Its path; an archive inside an archive is like a folder.
        kind: "workspace", "patchset", "patch" (a JSON patch) or "other".
        size: Its bytes when unpacked.
        digest: The digest of the document, by sha256; "" if it cannot be read.
        channels: Number of channels of a workspace.
        patches: Number of patches of a patchset.
        workspaces: Names of the workspaces that a patchset is made for, by digest.
        problem: Why it is not what it looks like; "" if nothing is wrong.
    """

    name: str
    kind: str
    size: int
    digest: str = ""
    channels: int | None = None
    patches: int | None = None
    workspaces: tuple[str, ...] | None = None
    problem: str = ""

    def dump(self) -> dict[str, Any]:
        """Return the JSON object, without what does not apply.

        >>> Document("notes.json", "other", 120, "44136fa3").dump()
        {'name': 'notes.json', 'kind': 'other', 'size': 120, 'digest': '44136fa3'}
        """
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        if self.workspaces is not None:
            values["workspaces"] = list(self.workspaces)
        return {key: v for key, v in values.items() if v is not None and v != ""}


@dataclass(frozen=True, slots=True)
class ArchiveContents:
    """What is in an archive, or in a folder.

    Attributes:
        documents: The JSON documents, in the order of the archive.
        others: The paths of all other files.
    """

    documents: tuple[Document, ...]
    others: tuple[str, ...]


def list_contents(
    path: str | os.PathLike[str], limits: ArchiveLimits = ArchiveLimits()
) -> ArchiveContents:
    """List the documents in an archive or a folder, and in archives inside it.

    Args:
        path: a tar or zip archive, or a folder.
        limits: what an archive may unpack to.

    Raises:
        ArchiveError: It cannot be read, is no archive or an unsafe one.

    >>> import tempfile, hfjax
    >>> search = hfjax.uncorrelated_background([3.0], [5.0], [1.0], [9.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     search.write(f"{folder}/search.json")
    ...     found = list_contents(folder)
    >>> [(document.name, document.kind) for document in found.documents]
    [('search.json', 'workspace')]
    """
    documents: dict[str, Document] = {}
    digests: dict[str, Digests] = {}
    others = []
    with naming(f"'{path}'"):
        for member in _files(Path(path), limits):
            name = member.name
            if _is_json(name):
                documents[name], digests[name] = _described(member, limits)
            else:
                others.append(name)
    matched = [_matched(documents[name], documents, digests) for name in documents]
    return ArchiveContents(tuple(matched), tuple(others))


def extract_document(
    path: str | os.PathLike[str], name: str, limits: ArchiveLimits = ArchiveLimits()
) -> bytes:
    """Return one file of an archive or a folder as it is; a .json.gz unpacked.

    Args:
        path: a tar or zip archive, or a folder.
        name: the file's path, as `list_contents` gives it.
        limits: what an archive may unpack to.

    Raises:
        UnknownNameError: There is no such file.
        ArchiveError: It cannot be read, is no archive or an unsafe one.
    """
    names = []
    with naming(f"'{path}'"):
        for member in _files(Path(path), limits):
            if member.name == name:
                return read_member(member, limits.document)
            names.append(member.name)
    error = unknown_name("file", name, names, f"'{path}'")
    raise error


def _files(path: Path, limits: ArchiveLimits) -> Iterator[ArchiveMember]:
    """Yield all files; each can be read until the next is asked for."""
    with refusing_broken():
        if path.is_dir():
            yield from _files_of_folder(path, limits)
            return
        refuse_special(path)
        with path.open("rb") as file:
            allowance = Allowance(limits, path.stat().st_size)
            yield from _files_of_archive(file, "", allowance)


def _files_of_folder(folder: Path, limits: ArchiveLimits) -> Iterator[ArchiveMember]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(paths) > limits.members:
        what = f"has more than {limits.members} files"
        raise exceeded(what, "members")
    for path in paths:
        name, size = path.relative_to(folder).as_posix(), path.stat().st_size
        member = ArchiveMember(name, size, partial(path.open, "rb"))
        yield from _expanded(member, Allowance(limits, size), depth=0)


def _files_of_archive(
    file: io.BufferedIOBase, folder: str, allowance: Allowance, depth: int = 1
) -> Iterator[ArchiveMember]:
    with open_archive(file, allowance) as members:
        for found in members:
            member = ArchiveMember(folder + found.name, found.size, found.open)
            yield from _expanded(member, allowance, depth)


def _expanded(
    member: ArchiveMember, allowance: Allowance, depth: int
) -> Iterator[ArchiveMember]:
    """Yield a file, or the files in it if it is an archive itself."""
    if member.name.endswith(".json.gz"):
        yield _decompressed(member, allowance)
    elif not member.name.endswith(_ARCHIVES):
        yield member
    elif depth == _DEEPEST:
        message = f"has more than {_DEEPEST} archives inside one another"
        raise ArchiveError(message)
    else:
        with naming(f"has the member {member.name!r}, which"), _copied(member) as file:
            folder = f"{member.name}/"
            yield from _files_of_archive(file, folder, allowance, depth + 1)


@contextlib.contextmanager
def _copied(member: ArchiveMember) -> Iterator[Any]:
    """Give a file of an archive as a temporary file."""
    with tempfile.TemporaryFile() as file:
        with refusing_broken(), member.open() as source:
            for chunk in chunks(source):
                file.write(chunk)
        file.seek(0)
        yield file


def _decompressed(member: ArchiveMember, allowance: Allowance) -> ArchiveMember:
    """Give a compressed document as it is when decompressed."""
    limit = allowance.limits.document
    most = min(limit, allowance.bytes_left)
    with naming(f"has the member {member.name!r}, which"), refusing_broken():
        with member.open() as source, gzip.open(source) as document:
            content = document.read(most + 1)
        if len(content) > limit:
            raise too_large(limit)
        allowance.spend(len(content))
    return ArchiveMember(member.name, len(content), partial(io.BytesIO, content))


def _is_json(name: str) -> bool:
    """Whether a file should be a document; those that start with ._ are macOS's."""
    base = name.rpartition("/")[2]
    return base.endswith((".json", ".json.gz")) and not base.startswith("._")


def _described(
    member: ArchiveMember, limits: ArchiveLimits
) -> tuple[Document, Digests]:
    """Tell what a document is, with digests to match it by."""
    plain = Document(member.name, "other", member.size)
    try:
        content = parse_json(read_member(member, limits.document))
        plain = replace(plain, kind=_kind(content), digest=digest(content))
        details, digests = _details(plain.kind, content)
        return replace(plain, **details), digests
    except HfjaxError as error:
        return replace(plain, problem=str(error)), {}


def _kind(content: Any) -> str:
    """Tell what a document should be by its keys."""
    if isinstance(content, list):
        is_patch = content and isinstance(content[0], dict) and "op" in content[0]
        return "patch" if is_patch else "other"
    keys = content.keys() if isinstance(content, dict) else set()
    if "patches" in keys:
        return "patchset"
    return "workspace" if {"channels", "measurements"} <= keys else "other"


def _details(kind: str, content: Any) -> tuple[dict[str, Any], Digests]:
    if kind == "patchset":
        patchset = PatchSet.parse(content)
        return {"patches": len(patchset)}, patchset.digests
    if kind == "workspace":
        channels = len(Workspace.parse(content).channels)
        return {"channels": channels}, {name: digest(content, name) for name in DIGESTS}
    return {}, {}


def _matched(
    document: Document, documents: dict[str, Document], digests: dict[str, Digests]
) -> Document:
    """Add to a patchset the workspaces that it is made for."""
    expected = digests[document.name]
    if document.kind != "patchset" or not expected:
        return document
    names = [
        name
        for name, found in documents.items()
        if found.kind == "workspace"
        and all(digests[name].get(k) == v.lower() for k, v in expected.items())
    ]
    return replace(document, workspaces=tuple(names))
