"""Archives for the tests: honest ones, and ones that are up to no good."""

import gzip
import io
import tarfile
import zipfile

Files = dict[str, bytes]


def tar(files: Files, compression: str = "") -> bytes:
    """A tar archive; compression is "", "gz" or "bz2"."""
    with io.BytesIO() as target:
        mode = f"w:{compression}" if compression else "w"
        with tarfile.open(fileobj=target, mode=mode) as archive:
            for name, content in files.items():
                archive.addfile(info(name, len(content)), io.BytesIO(content))
        return target.getvalue()


def info(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    """The header of a member of a tar archive."""
    found = tarfile.TarInfo(name)
    found.size, found.type, found.linkname = size, kind, "../../target"
    return found


def tar_with(*members: tarfile.TarInfo) -> bytes:
    """A tar archive with an honest file and these members, which are empty."""
    with io.BytesIO() as target:
        with tarfile.open(fileobj=target, mode="w") as archive:
            archive.addfile(info("good.json", 2), io.BytesIO(b"{}"))
            for member in members:
                archive.addfile(member)
        return target.getvalue()


def zipped(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    with io.BytesIO() as target:
        with zipfile.ZipFile(target, "w", method) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return target.getvalue()


def zip_with_mode(name: str, mode: int) -> bytes:
    """A zip archive whose member has a Unix file mode, such as a link's."""
    with io.BytesIO() as target:
        with zipfile.ZipFile(target, "w") as archive:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, "../../target")
        return target.getvalue()


def encrypted_zip() -> bytes:
    """A zip archive whose member says that it is encrypted."""
    content = bytearray(zipped({"secret.json": b"{}"}))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + offset] |= 1
    return bytes(content)


def long_header(size: int) -> bytes:
    """A tar archive whose member's name has so many bytes."""
    header = info("././@LongLink", size, tarfile.GNUTYPE_LONGNAME)
    padding = bytes(-size % 512)
    name = b"a" * size
    return header.tobuf(tarfile.GNU_FORMAT) + name + padding + tar({"a": b"b"})


HOSTILE = {
    "tar: up": (tar({"../evil.json": b"{}"}), "outside of its folder"),
    "tar: up and down": (tar({"a/../../evil.json": b"{}"}), "outside of its folder"),
    "tar: absolute": (tar({"/tmp/evil.json": b"{}"}), "outside of its folder"),
    "tar: backslash": (tar({"..\\evil.json": b"{}"}), "outside of its folder"),
    "tar: drive": (tar({"C:evil.json": b"{}"}), "outside of its folder"),
    "tar: control": (tar({"a\x1b[2J.json": b"{}"}), "control character in its name"),
    "tar: symbolic link": (tar_with(info("link", 0, tarfile.SYMTYPE)), "neither a"),
    "tar: hard link": (tar_with(info("link", 0, tarfile.LNKTYPE)), "neither a file"),
    "tar: device": (tar_with(info("null", 0, tarfile.CHRTYPE)), "neither a file"),
    "tar: block device": (tar_with(info("disk", 0, tarfile.BLKTYPE)), "neither a file"),
    "tar: pipe": (tar_with(info("pipe", 0, tarfile.FIFOTYPE)), "neither a file"),
    "tar: twice": (tar_with(info("./good.json")), "is there twice"),
    "tar: file as folder": (tar_with(info("good.json/a/b")), "inside of a file"),
    "tar: no name": (tar_with(info("./")), "has no name"),
    "tar: folder up": (tar_with(info("../up", 0, tarfile.DIRTYPE)), "outside of its"),
    "tar: huge header": (long_header(2 << 20), "has a header of 20971"),
    "zip: up": (zipped({"../evil.json": b"{}"}), "outside of its folder"),
    "zip: absolute": (zipped({"/tmp/evil.json": b"{}"}), "outside of its folder"),
    "zip: backslash": (zipped({"..\\evil.json": b"{}"}), "outside of its folder"),
    "zip: symbolic link": (zip_with_mode("link", 0o120777), "neither a file"),
    "zip: device": (zip_with_mode("null", 0o020666), "neither a file nor a folder"),
    "zip: encrypted": (encrypted_zip(), "is encrypted"),
    "zip: uncommon": (zipped({"a": b"b"}, zipfile.ZIP_LZMA), "uncommon method"),
    "tar bomb": (tar({"a.json": bytes(40 << 20)}, "gz"), "200 times its own size"),
    "zip bomb": (zipped({"a.json": bytes(40 << 20)}), "200 times its own size"),
    "gzip, no tar": (gzip.compress(b"no archive" * 100), "cannot be unpacked"),
    "empty": (b"", "is empty"),
    "web page": (b"\n<!DOCTYPE html><html>...", "is a web page, no archive"),
    "document": (b'{"channels": []}', "is a JSON document"),
    "xz": (b"\xfd7zXZ\x00...", "is compressed with xz"),
    "text": (b"neither", "is neither a tar nor a zip archive"),
    "tar, cut off": (
        tar({"a.json": b"1" * 2000})[:1500],
        "be unpacked: unexpected end",
    ),
    "gzip, cut off": (tar({"a.json": b"1" * 2000}, "gz")[:60], "cannot be unpacked"),
    "zip, cut off": (zipped({"a.json": b"1" * 2000})[:60], "cannot be unpacked"),
}
"""Archives that are refused, and words of the reason."""
