import contextlib
import stat
import tarfile
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hfjax.documents.published.archive_limits import ArchiveLimits
from hfjax.documents.published.unpacking import archive_members, unpack
from hfjax.errors import ArchiveError
from tests.documents.published import archives

FILES = {"BkgOnly.json": b"{}", "signals/patchset.json": b"[1]", "README.md": b"hi"}


@pytest.fixture
def archive(tmp_path):
    def write(content):
        path = tmp_path / "in" / "archive"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    return write


def tree(folder):
    """Return all files below a folder with their content."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    "content",
    [
        archives.tar(FILES),
        archives.tar(FILES, "gz"),
        archives.tar(FILES, "bz2"),
        archives.zipped(FILES),
        archives.zipped(FILES, zipfile.ZIP_STORED),
    ],
    ids=["tar", "tar.gz", "tar.bz2", "zip", "stored"],
)
def test_archive_is_unpacked(archive, tmp_path, content):
    names = unpack(archive(content), tmp_path / "out")
    assert names == tuple(sorted(FILES))
    assert tree(tmp_path / "out") == FILES
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out"}


def test_tar_from_before_there_was_a_magic_is_unpacked(archive, tmp_path):
    header = bytearray(archives.info("a.json", 2).tobuf(tarfile.USTAR_FORMAT))
    header[257:265] = bytes(8)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    content = bytes(header) + b"{}".ljust(512, b"\0") + bytes(1024)
    assert unpack(archive(content), tmp_path / "out") == ("a.json",)


def test_only_folder_at_the_top_of_a_zip_archive_is_left_out_as_in_pyhf(
    archive, tmp_path
):
    inside = {f"analysis/{name}": content for name, content in FILES.items()}
    macos = {"__MACOSX/analysis/._BkgOnly.json": b"\0"}
    unpack(archive(archives.zipped(inside | macos)), tmp_path / "zip")
    assert tree(tmp_path / "zip") == FILES
    unpack(archive(archives.tar(inside)), tmp_path / "tar")
    assert tree(tmp_path / "tar") == inside


def test_empty_folder_may_be_there_already(archive, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    number = folder.stat().st_ino
    unpack(archive(archives.tar(FILES)), folder)
    assert tree(folder) == FILES
    assert folder.stat().st_ino == number


def test_what_is_there_already_is_left_alone(archive, tmp_path):
    path = archive(archives.tar(FILES))
    with pytest.raises(ArchiveError, match="is there already: give a new folder"):
        unpack(path, path.parent)
    with pytest.raises(ArchiveError, match="is there already"):
        unpack(path, path)
    assert tree(tmp_path) == {"in/archive": path.read_bytes()}
    with pytest.raises(ArchiveError, match="does not exist: make it first"):
        unpack(path, tmp_path / "none" / "out")


def test_link_that_leads_nowhere_is_there_already(archive, tmp_path):
    (tmp_path / "out").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ArchiveError, match="is there already"):
        unpack(archive(archives.tar(FILES)), tmp_path / "out")


@pytest.mark.parametrize("content", [archives.zipped({}), archives.zipped({"a/": b""})])
def test_archive_without_files_is_refused(archive, tmp_path, content):
    with pytest.raises(ArchiveError, match="has no files: nothing is unpacked"):
        unpack(archive(content), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_modes_of_an_archive_mean_nothing(archive, tmp_path):
    member = archives.info("run.json")
    member.mode = 0o6777
    unpack(archive(archives.tar_with(member)), tmp_path / "out")
    mode = (tmp_path / "out" / "run.json").stat().st_mode
    assert not mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IXUSR)
    plain = tmp_path / "plain"
    plain.mkdir()
    assert (tmp_path / "out").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("name", archives.HOSTILE)
def test_hostile_archive_is_refused_and_leaves_nothing(archive, tmp_path, name):
    content, words = archives.HOSTILE[name]
    path = archive(content)
    (tmp_path / "box").mkdir()
    before = set(tmp_path.rglob("*"))
    with pytest.raises(ArchiveError, match=words) as caught:
        unpack(path, tmp_path / "box" / "out")
    assert set(tmp_path.rglob("*")) == before
    assert not Path("/tmp/evil.json").exists()
    assert str(path) in str(caught.value)


def test_twice_in_a_zip_archive_is_refused(archive, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the package says so as well
        path = archive(b"")
        with zipfile.ZipFile(path, "w") as target:
            target.writestr("a.json", "1")
            target.writestr("./a.json", "2")
            target.writestr("a.json", "3")
    with pytest.raises(ArchiveError, match="is there twice"):
        unpack(path, tmp_path / "out")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (ArchiveLimits(unpacked=6), "unpacks to more than 6 bytes: .* raise --max-unp"),
        (ArchiveLimits(members=2), "has more than 2 members: .* raise --max-mem"),
    ],
)
def test_limits_are_arguments(archive, tmp_path, limits, words):
    for content in (archives.tar(FILES), archives.zipped(FILES)):
        with pytest.raises(ArchiveError, match=words):
            unpack(archive(content), tmp_path / "out", limits)


def test_ratio_can_be_raised_for_what_is_trusted(archive, tmp_path):
    path = archive(archives.tar({"a.json": b" " * (20 << 20)}, "gz"))
    with pytest.raises(ArchiveError, match="raise --max-ratio"):
        unpack(path, tmp_path / "out")
    unpack(path, tmp_path / "out", ArchiveLimits(ratio=2000.0))
    assert (tmp_path / "out" / "a.json").stat().st_size == 20 << 20


def test_directory_of_a_zip_archive_is_not_read_if_it_is_huge(archive):
    content = archives.zipped({f"{'a' * 500}{i}": b"" for i in range(3000)})
    limits = ArchiveLimits(members=10)
    with (
        pytest.raises(ArchiveError, match="has a header of 1"),
        archive_members(archive(content), limits),
    ):
        pass


def test_negative_size_in_a_tar_archive_is_refused(archive, tmp_path):
    member = archives.info("a.json")
    member.pax_headers = {"size": "-1024"}
    with pytest.raises(ArchiveError, match=r"negative|cannot be unpacked"):
        unpack(archive(archives.tar_with(member)), tmp_path / "out")


def test_disk_that_is_full_leaves_nothing(archive, tmp_path, request):
    path = archive(archives.tar(FILES))
    request.getfixturevalue("full_disk")
    with pytest.raises(ArchiveError, match="unpacked: No space left on device"):
        unpack(path, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"in"}


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    kind=st.sampled_from(["", "gz", "zip"]),
    places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8),
    cut=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_damaged_archive_is_unpacked_or_refused(tmp_path, kind, places, cut):
    content = archives.zipped(FILES) if kind == "zip" else archives.tar(FILES, kind)
    damaged = bytearray(content[: int(cut * len(content))])
    for place, value in places if damaged else ():
        damaged[int(place * (len(damaged) - 1))] = value
    path = tmp_path / "damaged"
    path.write_bytes(damaged)
    with contextlib.suppress(ArchiveError), archive_members(path) as members:
        for member in members:
            assert not Path(member.name).is_absolute()
            assert ".." not in member.name.split("/")
