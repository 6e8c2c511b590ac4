"""What an archive may unpack to, and what is left of that."""

from dataclasses import dataclass

from hfjax.errors import ArchiveError

_HARMLESS = 16 << 20


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What an archive, with all archives inside it, may unpack to.

    Attributes:
        unpacked: Bytes of all files together.
        members: Number of files and folders.
        ratio: How many times the archive's own size the files may have; not asked of
            archives that unpack to less than 16 MiB. Published patchsets have 5 to 10,
            bombs 1,000 and more.
        document: Bytes of one document that is read into memory.
    """

    unpacked: int = 2 << 30
    members: int = 10_000
    ratio: float = 200.0
    document: int = 128 << 20


class Allowance:
    """What is left of the limits, for an archive and all archives inside it.

    Args:
        limits: what the archive may unpack to.
        packed: bytes of the archive itself.

    >>> allowance = Allowance(ArchiveLimits(unpacked=1000), packed=500)
    >>> allowance.spend(900)
    >>> allowance.bytes_left
    100
    >>> allowance.spend(900)
    Traceback (most recent call last):
    ...
    hfjax.errors.ArchiveError: unpacks to more than 1000 bytes: if you trust it, raise \
--max-unpacked
    """

    def __init__(self, limits: ArchiveLimits, packed: int) -> None:
        in_proportion = max(_HARMLESS, int(limits.ratio * packed))
        self.limits = limits
        self.bytes_left = min(limits.unpacked, in_proportion)
        self._members_left = limits.members
        self._bound_by_ratio = in_proportion < limits.unpacked

    def spend(self, size: int) -> None:
        """Count one member and its bytes.

        Raises:
            ArchiveError: They are more than the limits allow.
        """
        self._members_left -= 1
        if self._members_left < 0:
            what = f"has more than {self.limits.members} members"
            raise exceeded(what, "members")
        if size > self.bytes_left:
            raise self.too_large()
        self.bytes_left -= size

    def too_large(self) -> ArchiveError:
        """Return the error that says which limit on bytes is exceeded."""
        if self._bound_by_ratio:
            what = f"unpacks to more than {self.limits.ratio:g} times its own size"
            return exceeded(what, "ratio")
        return exceeded(
            f"unpacks to more than {self.limits.unpacked} bytes", "unpacked"
        )


def exceeded(what: str, limit: str) -> ArchiveError:
    """Return the error for a limit that is exceeded, with the option that raises it."""
    return ArchiveError(f"{what}: if you trust it, raise --max-{limit}")
