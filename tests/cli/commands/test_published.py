"""`hfjax download` and `hfjax open`."""

import hashlib
import json
import re

import pytest

from hfjax.cli.commands import published
from hfjax.documents.published import connection, hepdata
from tests.documents.published import archives, server


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with server.running() as found:
        yield found


@pytest.fixture
def archive(files):
    """The background-only workspace and its patchset, as bytes of a tar.gz archive."""
    return archives.tar({path.name: path.read_bytes() for path in files}, "gz")


def test_download_unpacks_and_shows_the_checksum(hfjax, web, archive, tmp_path, files):
    web["/a"] = server.content(archive)
    shown = hfjax("download", "--force", web.at("/a"), "likelihood").json
    assert shown == {
        "url": web.at("/a"),
        "source": web.at("/a"),
        "path": "likelihood",
        "sha256": hashlib.sha256(archive).hexdigest(),
        "size": len(archive),
    }
    unpacked = tmp_path / "likelihood" / "BkgOnly.json"
    assert unpacked.read_bytes() == files[0].read_bytes()


def test_download_takes_the_options_of_pyhf(hfjax, web, archive, tmp_path):
    web["/a"] = server.content(archive)
    outcome = hfjax("download", "-f", "-v", "-c", web.at("/a"), "a.tar.gz")
    assert outcome.json["files"] == ["BkgOnly.json", "patchset.json"]
    assert (tmp_path / "a.tar.gz").read_bytes() == archive


def test_download_asks_listed_hosts_only(hfjax, web, monkeypatch, tmp_path):
    complaint = hfjax("download", web.at("/a"), "out").complaint
    assert "is not at data.crosscite.org, doi.org or www.hepdata.net" in complaint
    assert "use --force if you trust 127.0.0.1" in complaint
    asked = []

    def answer(url, origins, force, timeout):
        asked.append((url, origins, force, timeout))
        message = "no network in tests"
        raise connection.DownloadError(message)

    monkeypatch.setattr(hepdata, "connect", answer)
    doi = "10.17182/hepdata.89408.v1/r2"
    complaint = hfjax("download", doi, "out", "--timeout", "5").complaint
    assert complaint == "hfjax: no network in tests\n"
    assert asked == [(f"https://doi.org/{doi}", connection.ORIGINS, False, 5.0)]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "options", "words"),
    [
        ("/large", ("--max-size", "1"), "than 1048576 bytes: .* raise --max-size"),
        ("/large", ("--max-unpacked", "1"), "than 1048576 bytes: .* --max-unpacked"),
        ("/small", ("--max-members", "1"), "than 1 members: .* raise --max-members"),
        ("/bomb", ("--max-ratio", "5.5"), r"than 5\.5 times .* raise --max-ratio"),
    ],
)
def test_download_has_limits(hfjax, web, tmp_path, path, options, words):
    small, large = {"a": b"a", "b": b"b"}, {"a": bytes(18 << 20)}
    web["/large"] = server.content(archives.tar(large))
    web["/small"] = server.content(archives.tar(small))
    web["/bomb"] = server.content(archives.tar(large, "gz"))
    address = web.at(path)
    complaint = hfjax("download", "-f", address, "out", *options).complaint
    assert re.search(words, complaint)
    assert list(tmp_path.iterdir()) == []
    raised = options[0], "1e4" if "ratio" in options[0] else "100"
    assert hfjax("download", "-f", address, "out", *raised).code == 0


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "x"])
def test_download_refuses_limits_that_are_none(hfjax, web, value):
    for option in ("--max-ratio", "--timeout"):
        arguments = ("download", "-f", web.at("/a"), "out", option, value)
        assert option in hfjax(*arguments).complaint
    assert web.asked == []


def test_open_has_a_limit_on_documents(hfjax, tmp_path):
    (tmp_path / "a.json").write_text(" " * (1 << 20) + "[]")
    (found,) = hfjax("open", tmp_path, "--max-document", "1").json["documents"]
    assert "more than 1048576 bytes: if you trust it, raise --max-d" in found["problem"]
    assert "problem" not in hfjax("open", tmp_path).json["documents"][0]


def test_download_refuses_what_is_no_archive(hfjax, web, tmp_path):
    web["/a"] = server.content(b"<html>sorry</html>", "application/x-tar")
    complaint = hfjax("download", "-f", web.at("/a"), "out").complaint
    assert "/a is a web page, no archive: give the address of the file" in complaint
    assert list(tmp_path.iterdir()) == []


def test_download_gives_up_after_the_attempts(hfjax, web):
    web["/a"] = server.status(503)
    arguments = ("download", "-f", web.at("/a"), "out", "--attempts", "1")
    assert "was tried once: the answer is 503" in hfjax(*arguments).complaint
    assert web.asked == ["/a"]


def test_open_lists_what_belongs_together(hfjax, archive, tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(archive)
    shown = hfjax("open", "a.tar.gz").json
    assert shown["archive"] == "a.tar.gz"
    assert shown["others"] == []
    background, patchset = shown["documents"]
    assert (background["kind"], background["channels"]) == ("workspace", 1)
    assert (patchset["kind"], patchset["patches"]) == ("patchset", 3)
    assert patchset["workspaces"] == ["BkgOnly.json"]
    assert background["digest"] == hfjax("digest", "BkgOnly.json", "-j").json["sha256"]


def test_open_extracts_a_document_as_it_is(hfjax, archive, tmp_path, files):
    (tmp_path / "a.tar.gz").write_bytes(archive)
    arguments = ("open", "a.tar.gz", "--extract", "BkgOnly.json")
    text = files[0].read_text()
    assert hfjax(*arguments).stdout == text
    assert hfjax(*arguments, "-o", "copy.json").stdout == ""
    assert (tmp_path / "copy.json").read_text() == text
    complaint = hfjax("open", "a.tar.gz", "--extract", "BkgOnly").complaint
    assert "no file named 'BkgOnly' in 'a.tar.gz': did you mean 'Bkg" in complaint


def test_open_takes_a_folder(hfjax, files, tmp_path):
    shown = hfjax("open", tmp_path).json
    assert [found["name"] for found in shown["documents"]] == [p.name for p in files]


@pytest.mark.parametrize("name", archives.HOSTILE)
def test_open_refuses_hostile_archives(hfjax, tmp_path, name):
    (tmp_path / "a").write_bytes(archives.HOSTILE[name][0])
    assert hfjax("open", "a").complaint.startswith("hfjax: 'a' ")


def test_extracted_patchset_can_be_piped_on(hfjax, archive, tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(archive)
    text = hfjax("open", "a.tar.gz", "--extract", "patchset.json").stdout
    shown = hfjax("patchset", "inspect", "-", stdin=text).json
    assert len(shown["patches"]) == len(json.loads(text)["patches"])


def test_progress_is_shown_on_a_terminal_only(monkeypatch, capsys):
    for wanted in (True, False):
        monkeypatch.setattr(published, "talks", lambda _, wanted=wanted: wanted)
        with published.byte_bar(quiet=False) as progress:
            if progress is not None:
                progress(500, 1000)
                progress(1000, 1000)
        captured = capsys.readouterr()
        assert captured.out == ""
        assert ("1.0/1.0 kB" in captured.err) == wanted


def test_what_a_host_says_is_shown_and_not_obeyed(hfjax, web):
    def answer(handler):
        handler.wfile.write(b"HTTP/1.0 403 \x1b[2J\x07 no\r\n\r\n")
        handler.close_connection = True

    web["/a"] = answer
    complaint = hfjax("download", "--force", web.at("/a"), "out").complaint
    assert r"the answer is 403 \x1b[2J\x07 no" in complaint
