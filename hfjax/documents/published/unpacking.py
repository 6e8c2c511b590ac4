"""Unpack archives into folders that are either complete or not there."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hfjax.documents.published.archive import (
    ArchiveMember,
    archive_kind,
    chunks,
    naming,
    open_archive,
    refusing_broken,
)
from hfjax.documents.published.archive_limits import Allowance, ArchiveLimits
from hfjax.errors import ArchiveError


def unpack(
    path: Path,
    folder: Path,
    limits: ArchiveLimits = ArchiveLimits(),
    name: str = "",
) -> tuple[str, ...]:
    """Unpack an archive into a folder, in which nothing appears before all is unpacked.

    The only folder at the top of a zip archive is left out, as pyhf does.

    Args:
        path: the archive: tar, as it is or compressed by gzip or bzip2, or zip.
        folder: a new folder, or an empty one.
        limits: what the archive may unpack to.
        name: what to call the archive in messages, if not by its path.

    Returns:
        The paths of the files inside the folder, sorted.

    Raises:
        ArchiveError: It is no archive, is broken, or one of its members is unsafe; or
            the folder is not empty.
    """
    check_folder(folder)
    with (
        tempfile.TemporaryDirectory(prefix=".hfjax-", dir=folder.parent) as temporary,
        archive_members(path, limits, name) as members,
        naming(name or f"'{path}'"),
        refusing_broken(),
    ):
        placed = _placed(path, members)
        content = Path(temporary) / "content"
        content.mkdir()
        for name, member in placed.items():
            _write(member, content / name)
        _move(content, folder)
    return tuple(sorted(placed))


@contextlib.contextmanager
def archive_members(
    path: Path, limits: ArchiveLimits = ArchiveLimits(), name: str = ""
) -> Iterator[tuple[ArchiveMember, ...]]:
    """Give the files in an archive, all of whose members have been checked.

    Raises:
        ArchiveError: It is no archive, is broken, or one of its members is unsafe.
    """
    with contextlib.ExitStack() as stack:
        with naming(name or f"'{path}'"), refusing_broken():
            file = stack.enter_context(path.open("rb"))
            allowance = Allowance(limits, path.stat().st_size)
            members = stack.enter_context(open_archive(file, allowance))
        yield members


def check_folder(folder: Path) -> None:
    """Check that an archive can be unpacked into a folder.

    Raises:
        ArchiveError: It is not empty, or the folder it is in does not exist.
    """
    if not folder.parent.is_dir():
        message = f"folder '{folder.parent}' does not exist: make it first"
        raise ArchiveError(message)
    there = folder.exists() or folder.is_symlink()  # which may lead nowhere
    if there and not (folder.is_dir() and not any(folder.iterdir())):
        message = f"'{folder}' is there already: give a new folder, or empty it first"
        raise ArchiveError(message)


def _placed(path: Path, members: tuple[ArchiveMember, ...]) -> dict[str, ArchiveMember]:
    """Give the files by the path at which they are unpacked."""
    found = {m.name: m for m in members if not m.name.startswith("__MACOSX/")}
    tops = {name.partition("/")[0] for name in found}
    with path.open("rb") as file:
        is_zip = archive_kind(file) == "zip"
    if not found:
        message = "has no files: nothing is unpacked"
        raise ArchiveError(message)
    if is_zip and len(tops) == 1 and all("/" in name for name in found):
        return {name.partition("/")[2]: member for name, member in found.items()}
    return found


def _write(member: ArchiveMember, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with member.open() as source, path.open("xb") as target:
        for chunk in chunks(source):
            target.write(chunk)


def _move(content: Path, folder: Path) -> None:
    if not folder.exists():
        content.rename(folder)
        return
    for child in content.iterdir():  # an empty folder, whose owner may be another
        child.rename(folder / child.name)
