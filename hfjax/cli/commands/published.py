"""Commands on published archives, none of which needs JAX: download, open."""

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from hfjax.cli.options import OutputOption, number, takes
from hfjax.cli.streams import say, talks, write_bytes, write_json
from hfjax.documents.published.archive_limits import ArchiveLimits
from hfjax.documents.published.contents import extract_document, list_contents
from hfjax.documents.published.hepdata import (
    Download,
    DownloadSettings,
    Progress,
    download as download_archive,
)

_LIMITS, _SETTINGS = ArchiveLimits(), DownloadSettings()
_MIB = 1 << 20


def positive(text: str | float) -> float:
    """Read a finite number above zero.

    Raises:
        typer.BadParameter: It is none.

    Example:
        >>> positive("0.5")
        0.5
    """
    value = number(text)
    if value > 0:
        return value
    message = f"'{text}' is not above zero"
    raise typer.BadParameter(message)


@dataclass(frozen=True)
class LimitOptions:
    """What an archive may unpack to; sizes are in MiB."""

    max_unpacked: Annotated[
        int, typer.Option(min=1, help="MiB that all files may have together.")
    ] = _LIMITS.unpacked // _MIB
    max_members: Annotated[
        int, typer.Option(min=1, help="Files and folders that there may be.")
    ] = _LIMITS.members
    max_ratio: Annotated[
        float,
        typer.Option(
            parser=positive,
            metavar="NUMBER",
            help="How many times the archive's own size the files may have.",
        ),
    ] = _LIMITS.ratio

    def in_bytes(self) -> ArchiveLimits:
        """The limits as `hfjax.documents` takes them."""
        unpacked = self.max_unpacked * _MIB
        return ArchiveLimits(unpacked, self.max_members, self.max_ratio)


@dataclass(frozen=True, kw_only=True)
class DownloadOptions:
    """Options of `hfjax download`."""

    address: Annotated[
        str,
        typer.Argument(
            metavar="URL|DOI",
            help="Address of the archive, or its DOI: 10.17182/hepdata.89408.v1/r2.",
        ),
    ]
    directory: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="New or empty folder for the files; with --compress, file for the "
            "archive.",
        ),
    ]
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List the files as well.")
    ] = False
    force: Annotated[
        bool,
        typer.Option(
            "--force", "-f", help="Ask any host, not only HEPData's and doi.org."
        ),
    ] = False
    compress: Annotated[
        bool,
        typer.Option("--compress", "-c", help="Keep the archive, do not unpack it."),
    ] = False
    max_size: Annotated[
        int, typer.Option(min=1, help="MiB that the archive may have.")
    ] = _SETTINGS.largest // _MIB
    attempts: Annotated[
        int, typer.Option(min=1, help="How often to try, waiting longer each time.")
    ] = _SETTINGS.attempts
    timeout: Annotated[
        float,
        typer.Option(
            parser=positive, metavar="NUMBER", help="Seconds to wait for any answer."
        ),
    ] = _SETTINGS.timeout
    limits: LimitOptions
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no messages.")
    ] = False
    output: OutputOption = None


@dataclass(frozen=True, kw_only=True)
class OpenOptions:
    """Options of `hfjax open`."""

    archive: Annotated[
        Path, typer.Argument(metavar="ARCHIVE", help="tar or zip archive, or a folder.")
    ]
    extract: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Write this one file, as it is."),
    ] = None
    max_document: Annotated[
        int, typer.Option(min=1, help="MiB that one document may have.")
    ] = _LIMITS.document // _MIB
    limits: LimitOptions
    output: OutputOption = None


@takes(DownloadOptions)
def download(options: DownloadOptions) -> None:
    """Download an archive of likelihoods, such as one of HEPData, and unpack it.

    Example: hfjax download 10.17182/hepdata.89408.v1/r2 likelihoods

    DIR appears when all has arrived, has been checked and is unpacked. Compare
    the checksum that is shown with one that you trust.
    """
    settings = DownloadSettings(
        force=options.force,
        compress=options.compress,
        attempts=options.attempts,
        timeout=options.timeout,
        largest=options.max_size * _MIB,
    )
    limits = options.limits.in_bytes()
    with byte_bar(options.quiet) as progress:
        found = download_archive(
            options.address, options.directory, settings, limits, progress
        )
    write_json(described(found, options.verbose), options.output)
    say(f"{len(found.files)} files are in {found.path}", options.quiet)


@takes(OpenOptions)
def open(options: OpenOptions) -> None:
    """List the workspaces and patchsets in an archive, and which belong together.

    hfjax open likelihoods.tar.gz
    hfjax open likelihoods.tar.gz --extract RegionA/BkgOnly.json -o BkgOnly.json

    Archives and compressed documents inside the archive are opened as well.
    """
    largest = options.max_document * _MIB
    limits = dataclasses.replace(options.limits.in_bytes(), document=largest)
    if options.extract is not None:
        content = extract_document(options.archive, options.extract, limits)
        write_bytes(content, options.output)
        return
    contents = list_contents(options.archive, limits)
    found = {
        "archive": str(options.archive),
        "documents": [document.dump() for document in contents.documents],
        "others": list(contents.others),
    }
    write_json(found, options.output)


def described(found: Download, verbose: bool) -> dict[str, Any]:
    """What was downloaded, as JSON values; the files' names only if asked for."""
    document = dataclasses.asdict(found) | {"path": str(found.path)}
    files = list(document.pop("files"))
    return document | ({"files": files} if verbose else {})


@contextlib.contextmanager
def byte_bar(quiet: bool) -> Iterator[Progress | None]:
    """Show how many bytes have come on standard error, where messages are wanted."""
    if not talks(quiet):
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress as Bar,
        TransferSpeedColumn,
    )

    columns = ("download", BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("download", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
