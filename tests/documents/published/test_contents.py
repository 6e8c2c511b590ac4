import gzip
import json
import re

import pytest

from hfjax.documents.published.archive_limits import ArchiveLimits
from hfjax.documents.published.contents import extract_document, list_contents
from hfjax.documents.reading.digest import digest
from hfjax.errors import ArchiveError, UnknownNameError
from tests import workspaces
from tests.documents.published import archives

WORKSPACE = json.dumps(workspaces.two_bins(), indent=2).encode()
OTHER_WORKSPACE = json.dumps(workspaces.all_modifiers()).encode()
OPERATION = {"op": "remove", "path": "/channels/0"}
PATCHSET = json.dumps(
    workspaces.patchset(
        [workspaces.patch("a", 1, []), workspaces.patch("b", 2, [OPERATION])]
    )
).encode()
PATCH = json.dumps([OPERATION]).encode()
FILES = {
    "README.md": b"# A search",
    "SR/BkgOnly.json": WORKSPACE,
    "SR/patchset.json": PATCHSET,
    "Other.json": OTHER_WORKSPACE,
}


@pytest.fixture
def archive(tmp_path):
    def write(files, pack=archives.tar):
        path = tmp_path / "archive"
        path.write_bytes(pack(files))
        return path

    return write


def listed(path, limits=ArchiveLimits()):
    return [document.dump() for document in list_contents(path, limits).documents]


@pytest.mark.parametrize("pack", [archives.tar, archives.zipped])
def test_workspaces_and_patchsets_are_listed_and_matched(archive, pack):
    contents = list_contents(archive(FILES, pack))
    assert contents.others == ("README.md",)
    assert [document.dump() for document in contents.documents] == [
        {
            "name": "SR/BkgOnly.json",
            "kind": "workspace",
            "size": len(WORKSPACE),
            "digest": digest(workspaces.two_bins()),
            "channels": 1,
        },
        {
            "name": "SR/patchset.json",
            "kind": "patchset",
            "size": len(PATCHSET),
            "digest": digest(json.loads(PATCHSET)),
            "patches": 2,
            "workspaces": ["SR/BkgOnly.json"],
        },
        {
            "name": "Other.json",
            "kind": "workspace",
            "size": len(OTHER_WORKSPACE),
            "digest": digest(workspaces.all_modifiers()),
            "channels": 1,
        },
    ]


def test_folder_is_listed_in_the_order_of_names(tmp_path):
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "loop").symlink_to(tmp_path)
    names = [document["name"] for document in listed(tmp_path)]
    assert names == ["Other.json", "SR/BkgOnly.json", "SR/patchset.json"]
    assert list_contents(tmp_path).others == ("README.md",)
    with pytest.raises(ArchiveError, match="more than 2 files"):
        list_contents(tmp_path, ArchiveLimits(members=2))


def test_archives_and_compressed_documents_inside_are_opened(archive, tmp_path):
    inner = archives.tar({"BkgOnly.json.gz": gzip.compress(WORKSPACE)}, "gz")
    files = {"regions/SRA.tar.gz": inner, "patchset.json": PATCHSET}
    found = listed(archive(files, archives.zipped))
    assert [document["name"] for document in found] == [
        "regions/SRA.tar.gz/BkgOnly.json.gz",
        "patchset.json",
    ]
    assert found[1]["workspaces"] == ["regions/SRA.tar.gz/BkgOnly.json.gz"]
    assert found[0]["size"] == len(WORKSPACE)
    name = "regions/SRA.tar.gz/BkgOnly.json.gz"
    assert extract_document(tmp_path / "archive", name) == WORKSPACE


@pytest.mark.parametrize(
    ("content", "kind", "problem"),
    [
        (PATCH, "patch", ""),
        (b"[]", "other", ""),
        (b'{"a": 1}', "other", ""),
        (b"", "other", "empty: there is no JSON document in it"),
        (b'{"channels"', "other", "not JSON: .* at line 1"),
        (b"\xff\xfe{}", "other", "not UTF-8 text"),
        (b'{"patches": [], "metadata": {}}', "patchset", "'version' is a req"),
        (b'{"channels": [], "measurements": []}', "workspace", "'observations' is a"),
        (b'{"a": "\\ud800"}', "other", "no digest of what is not JSON in UTF-8"),
        (b"[" * 100_000, "other", "nested too deeply"),
    ],
)
def test_what_is_wrong_with_a_document_is_said(archive, content, kind, problem):
    (found,) = list_contents(archive({"a.json": content})).documents
    assert found.kind == kind
    assert re.search(problem, found.problem)
    assert bool(problem) == bool(found.problem)


def test_patchset_without_its_workspace_says_that_there_is_none(archive):
    (found,) = listed(archive({"patchset.json": PATCHSET}))
    assert found["workspaces"] == []


def test_files_of_macos_are_no_documents(archive):
    contents = list_contents(archive({"._BkgOnly.json": b"\0", "a/._b.json": b"\0"}))
    assert contents.documents == ()
    assert contents.others == ("._BkgOnly.json", "a/._b.json")


def test_document_is_extracted_as_it_is(archive):
    path = archive(FILES)
    assert extract_document(path, "SR/BkgOnly.json") == WORKSPACE
    with pytest.raises(UnknownNameError, match=r"mean 'SR/BkgOnly\.json'"):
        extract_document(path, "SR/BkgOnly")


@pytest.mark.parametrize("name", archives.HOSTILE)
def test_hostile_archive_is_refused(archive, name):
    content, words = archives.HOSTILE[name]
    with pytest.raises(ArchiveError, match=f"archive' .*{words}"):
        list_contents(archive(content, bytes))


@pytest.mark.parametrize("name", archives.HOSTILE)
def test_hostile_archive_inside_is_refused(archive, name):
    content, words = archives.HOSTILE[name]
    path = archive({"inner.zip": content})
    with pytest.raises(ArchiveError, match=f"the member 'inner.zip', which .*{words}"):
        list_contents(path)


def test_bombs_inside_share_one_allowance(archive):
    bomb = gzip.compress(bytes(12 << 20))
    files = {f"{i}.json.gz": bomb for i in range(3)}
    with pytest.raises(ArchiveError, match=r"'1\.json\.gz', which unpacks to more"):
        list_contents(archive(files))


def test_archives_inside_archives_end_somewhere(archive):
    content = archives.tar({"a.json": b"{}"})
    for _ in range(4):
        content = archives.tar({"a.tar": content})
    with pytest.raises(ArchiveError, match="more than 3 archives inside one another"):
        list_contents(archive(content, bytes))


def test_document_that_is_too_large_for_memory_is_said(archive):
    path = archive({"a.json": b"[1]" + b" " * 100, "b.json": b"[1]"})
    large, small = list_contents(path, ArchiveLimits(document=50)).documents
    assert "has more than 50 bytes: if you trust it, raise" in large.problem
    assert small.problem == ""
    with pytest.raises(ArchiveError, match="more than 50 bytes"):
        extract_document(path, "a.json", ArchiveLimits(document=50))
    path = archive({"a.json.gz": gzip.compress(b"[1]" + b" " * 100)})
    with pytest.raises(ArchiveError, match="raise --max-document"):
        list_contents(path, ArchiveLimits(document=50))


def test_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ArchiveError, match=r"none\.tar' cannot be .*No such file"):
        list_contents(tmp_path / "none.tar")


@pytest.mark.parametrize("name", ["staus", "sleptons", "offshell"])
def test_published_patchset_is_matched(archive, data_dir, name):
    folder = data_dir / "likelihoods" / name
    files = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    found = {document["name"]: document for document in listed(archive(files))}
    assert found["patchset.json"]["workspaces"] == ["BkgOnly.json"]
    assert found["BkgOnly.json"]["channels"] > 1
