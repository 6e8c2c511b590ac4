"""Download published likelihoods, completely or not at all."""

import hashlib
import io
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hfjax.documents.published.archive_limits import ArchiveLimits
from hfjax.documents.published.connection import (
    ORIGINS,
    Connection,
    Transient,
    allowed,
    connect,
)
from hfjax.documents.published.unpacking import archive_members, check_folder, unpack
from hfjax.errors import DownloadError

_DOI = re.compile(r"(?:doi:)?(10\.\d{4,9}/\S+)", re.IGNORECASE)

Progress = Callable[[int, int | None], None]
"""Is told how many bytes have come, and of how many if that is known."""


@dataclass(frozen=True, slots=True)
class DownloadSettings:
    """How a download is made.

    Attributes:
        force: Whether any host may be asked, not only those of `origins`.
        compress: Whether the archive is kept as it is, not unpacked.
        attempts: How often a download is tried in all.
        timeout: Seconds without an answer after which an attempt has failed.
        duration: Seconds after which an attempt has failed.
        largest: Bytes of the largest archive.
        wait: Seconds before the second attempt; twice as long before each further one.
        longest_wait: Seconds that a host may ask to be left alone between attempts.
        origins: Hosts, with "https://" before their names, that may be asked.
        sleep: What waits.
    """

    force: bool = False
    compress: bool = False
    attempts: int = 5
    timeout: float = 30.0
    duration: float = 3600.0
    largest: int = 1 << 30
    wait: float = 1.0
    longest_wait: float = 120.0
    origins: frozenset[str] = ORIGINS
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Download:
    """What was downloaded.

    Attributes:
        url: The address that was asked for.
        source: The address that the archive came from in the end.
        path: The folder it was unpacked into, or the archive that was kept.
        sha256: The checksum of the archive.
        size: Its bytes.
        files: The paths of the files in it, sorted.
    """

    url: str
    source: str
    path: Path
    sha256: str
    size: int
    files: tuple[str, ...]


def download(
    address: str,
    target: str | os.PathLike[str],
    settings: DownloadSettings = DownloadSettings(),
    limits: ArchiveLimits = ArchiveLimits(),
    progress: Progress | None = None,
) -> Download:
    """Download an archive of likelihoods and unpack it.

    What arrives is written to a hidden temporary folder beside the target; the target
    appears when all of it has arrived, is an archive and is unpacked. On any failure
    nothing is left.

    Args:
        address: a URL, or a DOI such as 10.17182/hepdata.89408.v1/r2.
        target: a new or empty folder; with `settings.compress`, the file for the
            archive.
        settings: which hosts may be asked, and how patiently.
        limits: what the archive may unpack to.
        progress: is told how much has come.

    Raises:
        DownloadError: The address is not allowed, the download failed, or the target
            cannot be written.
        ArchiveError: What came is no archive or an unsafe one, or the target is not
            empty.
    """
    target = Path(target)
    url = allowed(url_of(address), settings.origins, settings.force)
    _check_target(target, settings)
    try:
        with tempfile.TemporaryDirectory(prefix=".hfjax-", dir=target.parent) as folder:
            part = Path(folder) / "archive.part"
            source, sha256 = _fetched(url, part, settings, progress)
            size = part.stat().st_size
            files = _kept(part, target, settings, limits, source)
    except OSError as error:
        message = f"'{target}' cannot be written: {error.strerror or error}"
        raise DownloadError(message) from error
    return Download(url, source, target, sha256, size, files)


def url_of(address: str) -> str:
    """Return the URL that a DOI stands for; a URL stays as it is.

    >>> url_of("10.17182/hepdata.89408.v1/r2")
    'https://doi.org/10.17182/hepdata.89408.v1/r2'
    >>> url_of("https://www.hepdata.net/record/resource/997020?view=true")
    'https://www.hepdata.net/record/resource/997020?view=true'
    """
    found = _DOI.fullmatch(address.strip())
    if found:
        return f"https://doi.org/{quote(found[1], safe='/;()')}"
    return address.strip()


def _check_target(target: Path, settings: DownloadSettings) -> None:
    if not settings.compress:
        check_folder(target)
    elif target.is_dir() or not target.parent.is_dir():
        message = f"'{target}' is no file in a folder that exists: give one"
        raise DownloadError(message)


def _kept(
    part: Path,
    target: Path,
    settings: DownloadSettings,
    limits: ArchiveLimits,
    source: str,
) -> tuple[str, ...]:
    """Unpack what came, or keep it, once it is known to be an archive."""
    name = f"what came from {source}"
    if not settings.compress:
        return unpack(part, target, limits, name)
    with archive_members(part, limits, name) as members:
        names = sorted(member.name for member in members)
    part.replace(target)
    return tuple(names)


def _fetched(
    url: str, path: Path, settings: DownloadSettings, progress: Progress | None
) -> tuple[str, str]:
    """Save what a URL gives; try again where that may help.

    Returns:
        The address that it came from in the end, and its checksum.
    """
    for attempt in range(1, settings.attempts + 1):
        try:
            with (
                connect(url, settings.origins, settings.force, settings.timeout) as got,
                path.open("wb") as file,
            ):
                return got.source, _saved(got, file, settings, progress)
        except Transient as failure:
            _wait(url, failure, attempt, settings)
    message = f"{url} was not asked for: allow one attempt at least"
    raise DownloadError(message)


def _wait(
    url: str, failure: Transient, attempt: int, settings: DownloadSettings
) -> None:
    """Wait before the next attempt, or give up."""
    waiting = min(settings.wait * 2 ** (attempt - 1), settings.longest_wait)
    if failure.wait is not None:
        waiting = failure.wait
    if attempt < settings.attempts and waiting <= settings.longest_wait:
        settings.sleep(waiting)
        return
    times = "once" if attempt == 1 else f"{attempt} times"
    asked = f", and asks for {waiting:g} seconds" if attempt < settings.attempts else ""
    message = f"{url} was tried {times}: {failure}{asked}; try again later"
    raise DownloadError(message) from failure


def _saved(
    got: Connection,
    file: io.BufferedIOBase,
    settings: DownloadSettings,
    progress: Progress | None,
) -> str:
    """Write what comes to a file; give its checksum."""
    checksum, size = hashlib.sha256(), 0
    for chunk in _in_time(got.chunks, settings.duration):
        size += len(chunk)
        _check_size(max(size, got.size or 0), settings.largest)
        checksum.update(chunk)
        file.write(chunk)
        if progress is not None:
            progress(size, got.size)
    if got.size is not None and size != got.size:
        message = f"the connection was cut off after {size} of {got.size} bytes"
        raise Transient(message)
    return checksum.hexdigest()


def _check_size(size: int, largest: int) -> None:
    if size > largest:
        message = (
            f"the archive has more than {largest} bytes: if you trust it, raise "
            "--max-size"
        )
        raise DownloadError(message)


def _in_time(chunks: Iterator[bytes], duration: float) -> Iterator[Any]:
    end = time.monotonic() + duration
    for chunk in chunks:
        if time.monotonic() > end:
            message = f"the download takes more than {duration:g} seconds"
            raise Transient(message)
        yield chunk
