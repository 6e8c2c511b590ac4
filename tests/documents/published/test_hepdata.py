import hashlib
import socket
import ssl
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from hfjax.documents.published import connection
from hfjax.documents.published.archive_limits import ArchiveLimits
from hfjax.documents.published.hepdata import DownloadSettings, download, url_of
from hfjax.errors import ArchiveError, DownloadError
from tests.documents.published import archives, server

FILES = {"BkgOnly.json": b"{}", "patchset.json": b"[]"}
ARCHIVE = archives.tar(FILES, "gz")


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with server.running() as found:
        yield found


@pytest.fixture
def fetch(web, tmp_path):
    """Download from the server, with `--force`, into a new folder."""

    def run(path, **options):
        waits = []
        chosen = {"force": True, "sleep": waits.append} | options
        settings = DownloadSettings(**chosen)
        result = download(web.at(path), tmp_path / "out", settings)
        return result, waits

    return run


def left(tmp_path):
    return sorted(path.name for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "body",
    [archives.tar(FILES), ARCHIVE, archives.zipped(FILES)],
    ids=["tar", "tar.gz", "zip"],
)
def test_archive_is_downloaded_and_unpacked(web, fetch, tmp_path, body):
    web["/a"] = server.content(body)
    result, waits = fetch("/a")
    assert result.files == ("BkgOnly.json", "patchset.json")
    assert result.sha256 == hashlib.sha256(body).hexdigest()
    assert (result.size, result.url, result.source) == (
        len(body),
        web.at("/a"),
        web.at("/a"),
    )
    assert result.path == tmp_path / "out"
    assert left(tmp_path) == ["BkgOnly.json", "out", "patchset.json"]
    assert waits == []
    assert "application/x-tar" in web.requests[0][1]["Accept"]


def test_archive_can_be_kept_compressed_and_replaces_an_older_one(web, tmp_path):
    web["/a"] = server.content(ARCHIVE)
    target = tmp_path / "likelihood.tar.gz"
    target.write_bytes(b"an older one")
    settings = DownloadSettings(force=True, compress=True)
    result = download(web.at("/a"), target, settings)
    assert target.read_bytes() == ARCHIVE
    assert result.files == ("BkgOnly.json", "patchset.json")
    assert left(tmp_path) == ["likelihood.tar.gz"]


def test_content_without_a_length_is_read_to_its_end(web, fetch):
    web["/a"] = server.content(ARCHIVE, length=-1)
    assert fetch("/a")[0].size == len(ARCHIVE)


def test_progress_is_told_bytes_and_their_total(web, tmp_path):
    body = archives.tar({"a.json": bytes(300_000)})
    web["/a"] = server.content(body)
    told = []
    settings = DownloadSettings(force=True)
    progress = lambda done, total: told.append((done, total))  # noqa: E731
    download(web.at("/a"), tmp_path / "out", settings, progress=progress)
    assert told[-1] == (len(body), len(body))
    assert len(told) > 1
    assert told == sorted(told)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (
            "10.17182/hepdata.89408.v1/r2",
            "https://doi.org/10.17182/hepdata.89408.v1/r2",
        ),
        ("doi:10.17182/hepdata.1", "https://doi.org/10.17182/hepdata.1"),
        ("DOI:10.17182/a b", "DOI:10.17182/a b"),
        ("10.17182/a?b#c", "https://doi.org/10.17182/a%3Fb%23c"),
        (
            " https://www.hepdata.net/x?view=true ",
            "https://www.hepdata.net/x?view=true",
        ),
    ],
)
def test_doi_becomes_a_url(address, url):
    assert url_of(address) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://doi.org/10.17182/hepdata.89408.v1/r2",
        "https://www.hepdata.net/record/resource/997020?view=true",
        "https://data.crosscite.org/10.17182%2Fhepdata.89408.v1%2Fr2",
    ],
)
def test_hosts_of_published_likelihoods_are_asked_over_tls(url):
    for force in (True, False):
        assert connection.allowed(url, connection.ORIGINS, force) == url
        plain = url.replace("https://", "http://")
        assert connection.allowed(plain, connection.ORIGINS, force) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a.tar",
        "https://doi.org.example.org/a.tar",
        "https://hepdata.net.example.org/",
        "https://doi.org:8443/a.tar",
        "http://127.0.0.1/a.tar",
        "https://xn--doi-7qa.org/a",
    ],
)
def test_other_hosts_need_force(url):
    with pytest.raises(DownloadError, match=r"is not at .* use --force if you trust"):
        connection.allowed(url, connection.ORIGINS, force=False)
    assert connection.allowed(url, connection.ORIGINS, force=True) == url


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://www.hepdata.net/a",
        "data:application/zip,PK",
        "//www.hepdata.net/a",
        "https://",
        "https://doi.org@example.org/",
        "https://user:secret@www.hepdata.net/",
        "https://[::1/",
        "https://www.hepdata.net:x/",
        "BkgOnly.json",
        "",
    ],
)
def test_what_is_no_web_address_is_refused_even_with_force(tmp_path, address):
    for force in (True, False):
        settings = DownloadSettings(force=force)
        with pytest.raises(DownloadError, match=r"neither a DOI nor an|is no URL"):
            download(address, tmp_path / "out", settings)
    assert left(tmp_path) == []


def test_host_that_is_not_listed_is_not_asked(web, fetch, tmp_path):
    with pytest.raises(DownloadError, match=r"is not at .* use --force if you trust"):
        fetch("/a", force=False)
    assert web.asked == []
    assert left(tmp_path) == []


def test_redirection_to_a_listed_host_is_followed(web, fetch):
    web["/doi"] = server.redirect("/landing", 303)
    web["/landing"] = server.redirect(web.at("/a"))
    web["/a"] = server.content(ARCHIVE)
    result, _ = fetch("/doi", force=False, origins=frozenset({web.url}))
    assert (result.url, result.source) == (web.at("/doi"), web.at("/a"))
    assert web.asked == ["/doi", "/landing", "/a"]


@pytest.mark.parametrize("target", ["http://{}/a", "https://localhost/a"])
def test_redirection_to_another_host_is_refused(web, fetch, tmp_path, target):
    with server.running() as other:
        target = target.format(other.url.partition("//")[2])
        web["/doi"] = server.redirect(target)
        with pytest.raises(DownloadError, match=r"/doi leads elsewhere: .* is not at"):
            fetch("/doi", force=False, origins=frozenset({web.url}))
        assert other.asked == []
    assert web.asked == ["/doi"]
    assert left(tmp_path) == []


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a"])
def test_redirection_away_from_the_web_is_refused_even_with_force(
    web, fetch, tmp_path, target
):
    web["/doi"] = server.redirect(target)
    with pytest.raises(DownloadError, match=r"answer is 302|neither a DOI nor"):
        fetch("/doi")
    assert left(tmp_path) == []


def test_endless_redirections_end(web, fetch, tmp_path):
    web["/1"] = server.redirect("/2")
    web["/2"] = server.redirect("/1")
    with pytest.raises(DownloadError, match="infinite loop"):
        fetch("/1")
    for i in range(20):
        web[f"/way/{i}"] = server.redirect(f"/way/{i + 1}")
    with pytest.raises(DownloadError, match="infinite loop"):
        fetch("/way/0")
    assert len(web.requests) < 30
    assert left(tmp_path) == []


@pytest.mark.parametrize("failure", [408, 429, 500, 502, 503, 504])
def test_failure_of_the_moment_is_tried_again_later_and_later(web, fetch, failure):
    web["/a"] = [*[server.status(failure)] * 3, server.content(ARCHIVE)]
    result, waits = fetch("/a")
    assert result.files == ("BkgOnly.json", "patchset.json")
    assert waits == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    "answer", [server.hang_up, server.garbage, server.content(ARCHIVE[:50], length=99)]
)
def test_broken_connection_is_tried_again(web, fetch, answer):
    web["/a"] = [answer, server.content(ARCHIVE)]
    assert fetch("/a")[1] == [1.0]


def test_cut_off_archive_is_never_left_looking_whole(web, fetch, tmp_path):
    web["/a"] = server.content(archives.tar(FILES), length=10**6)
    words = "was tried 3 times: the connection was cut off after 10240 of 1000000 bytes"
    with pytest.raises(DownloadError, match=words):
        fetch("/a", attempts=3)
    assert web.asked == ["/a"] * 3
    assert left(tmp_path) == []


def test_host_that_asks_for_time_gets_it(web, fetch):
    soon = datetime.now(UTC) + timedelta(seconds=30)
    web["/a"] = [
        server.status(429, Retry_After="7"),
        server.status(503, Retry_After=format_datetime(soon, usegmt=True)),
        server.status(503, Retry_After="Tue, 01 Jan 2019 00:00:00 GMT"),
        server.status(503, Retry_After="a while"),
        server.content(ARCHIVE),
    ]
    _, waits = fetch("/a")
    assert waits[0] == 7.0
    assert 20 < waits[1] <= 30
    assert waits[2:] == [0.0, 8.0]


def test_host_that_asks_for_too_much_time_is_left(web, fetch, tmp_path):
    web["/a"] = server.status(429, Retry_After="3600")
    with pytest.raises(DownloadError, match="asks for 3600 seconds; try again later"):
        fetch("/a")
    assert web.asked == ["/a"]
    assert left(tmp_path) == []


@pytest.mark.parametrize("failure", [400, 401, 403, 404, 410, 501])
def test_failure_for_good_is_not_tried_again(web, fetch, tmp_path, failure):
    web["/a"] = server.status(failure)
    with pytest.raises(DownloadError, match=f"/a: the answer is {failure} .*: check"):
        fetch("/a")
    assert web.asked == ["/a"]
    assert left(tmp_path) == []


def test_slow_host_has_a_time_limit(web, fetch, tmp_path):
    web["/hang"] = server.hang(0.5)
    with pytest.raises(DownloadError, match=r"tried 2 times: no answer: .*timed out"):
        fetch("/hang", timeout=0.1, attempts=2)
    web["/drip"] = server.drip(ARCHIVE, 0.02)
    with pytest.raises(DownloadError, match=r"download takes more than 0\.2 seconds"):
        fetch("/drip", duration=0.2, attempts=1)
    assert left(tmp_path) == []


def test_nobody_there_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/a"
        settings = DownloadSettings(force=True, attempts=2, sleep=lambda _: None)
        with pytest.raises(DownloadError, match=r"tried 2 times: no answer: .*refused"):
            download(url, tmp_path / "out", settings)
    assert left(tmp_path) == []


def test_wrong_certificate_is_not_tried_again(tmp_path, monkeypatch):
    reason = ssl.SSLCertVerificationError(1, "certificate verify failed")
    reason.verify_message = "self-signed certificate"
    asked = []

    def untrusted(_, request, **_options):
        asked.append(request.full_url)
        raise urllib.error.URLError(reason)

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", untrusted)
    words = "its certificate is not valid: self-signed certificate"
    with pytest.raises(DownloadError, match=words):
        download("https://doi.org/10.1/a", tmp_path / "out")
    assert asked == ["https://doi.org/10.1/a"]


@pytest.mark.parametrize("length", [None, -1])
def test_too_large_archive_is_not_read_to_its_end(web, fetch, tmp_path, length):
    web["/a"] = server.content(bytes(3 << 20), length=length)
    with pytest.raises(DownloadError, match=r"more than 1000000 bytes: .* --max-size"):
        fetch("/a", largest=1_000_000)
    assert web.asked == ["/a"]
    assert left(tmp_path) == []


def test_web_page_is_recognised_whatever_it_says_it_is(web, fetch, tmp_path):
    page = b"<!DOCTYPE html><html><body>HEPData</body></html>"
    web["/a"] = server.content(page, "application/x-tar")
    with pytest.raises(ArchiveError, match=r"came from http.*/a is a web page, no"):
        fetch("/a")
    web["/b"] = server.content(ARCHIVE, "text/html")
    assert fetch("/b")[0].size == len(ARCHIVE)
    assert "out" in left(tmp_path)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("name", archives.HOSTILE)
def test_hostile_archive_is_refused_and_leaves_nothing(
    web, fetch, tmp_path, name, compress
):
    body, words = archives.HOSTILE[name]
    web["/a"] = server.content(body, length=-1)
    with pytest.raises(ArchiveError, match=f"came from .*{words}"):
        fetch("/a", compress=compress)
    assert left(tmp_path) == []


def test_limits_of_the_archive_are_arguments(web, tmp_path):
    web["/a"] = server.content(ARCHIVE)
    settings = DownloadSettings(force=True)
    with pytest.raises(ArchiveError, match="more than 1 members"):
        download(web.at("/a"), tmp_path / "out", settings, ArchiveLimits(members=1))
    assert left(tmp_path) == []


def test_target_is_checked_before_anything_is_asked_for(web, fetch, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.json").write_text("{}")
    with pytest.raises(ArchiveError, match="is there already: give a new folder"):
        fetch("/a")
    with pytest.raises(DownloadError, match="is no file in a folder that exists"):
        fetch("/a", compress=True)
    settings = DownloadSettings(force=True)
    with pytest.raises(ArchiveError, match="does not exist: make it first"):
        download(web.at("/a"), tmp_path / "none" / "out", settings)
    assert web.asked == []
    assert left(tmp_path) == ["mine.json", "out"]


@pytest.mark.usefixtures("full_disk")
def test_disk_that_is_full_is_not_tried_again(web, fetch, tmp_path):
    web["/a"] = server.content(ARCHIVE)
    with pytest.raises(DownloadError, match="cannot be written: No space left on dev"):
        fetch("/a")
    assert web.asked == ["/a"]
    assert left(tmp_path) == []


def test_interrupted_download_leaves_nothing(web, tmp_path):
    def interrupt(*args):
        del args
        raise KeyboardInterrupt

    web["/a"] = server.content(ARCHIVE)
    settings = DownloadSettings(force=True)
    with pytest.raises(KeyboardInterrupt):
        download(web.at("/a"), tmp_path / "out", settings, progress=interrupt)
    assert left(tmp_path) == []


def test_no_attempt_is_no_download(fetch):
    with pytest.raises(DownloadError, match="allow one attempt at least"):
        fetch("/a", attempts=0)
