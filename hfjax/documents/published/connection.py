"""Ask hosts that are allowed for a file, over HTTP and its redirections.

What fails for the moment only is told apart from what fails for good.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from hfjax.errors import DownloadError

ORIGINS = frozenset(
    {
        "https://doi.org",
        "https://www.hepdata.net",
        "https://data.crosscite.org",  # DOIs go through it when no web page is wanted
    }
)
"""Where published likelihoods come from, and what leads to them."""

_ACCEPT = "application/x-tar, application/zip, application/gzip"
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK = 1 << 16
_SCHEMES = ("http", "https")


class Transient(Exception):
    """A download failed for a reason that may have gone at the next attempt.

    Args:
        message: what happened.
        wait: seconds that the host asks to be left alone, if it does.
    """

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Connection:
    """An answer whose content is about to come.

    Attributes:
        source: The address that answered, after all redirections.
        size: Bytes of the content, if the host says.
        chunks: The content, as it comes.
    """

    source: str
    size: int | None
    chunks: Iterator[bytes]


def allowed(url: str, origins: frozenset[str], force: bool) -> str:
    """Return a URL that may be asked; hosts that are listed are asked over TLS.

    Raises:
        DownloadError: It is none, or its host is not listed and `force` is not set.

    >>> allowed("http://doi.org/10.17182/hepdata.89408.v1/r2", ORIGINS, force=False)
    'https://doi.org/10.17182/hepdata.89408.v1/r2'
    >>> allowed("https://a.org/b.tar", ORIGINS, force=False)
    Traceback (most recent call last):
    ...
    hfjax.errors.DownloadError: https://a.org/b.tar is not at data.crosscite.org, \
doi.org or www.hepdata.net: use --force if you trust a.org
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        message = f"{url!r} is no URL: {error}"
        raise DownloadError(message) from None
    if parts.scheme not in _SCHEMES or not host or "@" in parts.netloc:
        message = f"{url!r} is neither a DOI nor an address like https://host/path"
        raise DownloadError(message)
    if f"https://{host}" in origins and port is None:
        return urlunsplit(parts._replace(scheme="https", netloc=host))
    if force or f"{parts.scheme}://{parts.netloc.lower()}" in origins:
        return url
    *names, last = sorted(origin.partition("://")[2] for origin in origins)
    known = f"{', '.join(names)} or {last}" if names else last
    message = f"{url} is not at {known}: use --force if you trust {host}"
    raise DownloadError(message)


@contextlib.contextmanager
def connect(
    url: str, origins: frozenset[str], force: bool, timeout: float
) -> Iterator[Connection]:
    """Ask for a URL, and for what it redirects to if that is allowed as well.

    Raises:
        DownloadError: The answer is a refusal, or a redirection that is not allowed.
        Transient: There was no answer, or a host cannot answer for the moment.
    """
    with _answer(url, origins, force, timeout) as response:
        length = response.headers.get("Content-Length", "")
        size = int(length) if length.isascii() and length.isdigit() else None
        yield Connection(response.url, size, _chunks(response))


def _answer(url: str, origins: frozenset[str], force: bool, timeout: float) -> Any:
    # slow to import, and needed for downloads only
    import http.client
    import urllib.error
    import urllib.request

    headers = {"Accept": _ACCEPT, "User-Agent": "hfjax"}
    try:
        request = urllib.request.Request(url, headers=headers)
        return _opener(origins, force).open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        raise _refusal(url, error) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _no_answer(url, error) from error


def _opener(origins: frozenset[str], force: bool) -> Any:
    """Make what asks: over HTTP and nothing else, by the proxy of the environment."""
    import urllib.request

    class Redirections(urllib.request.HTTPRedirectHandler):
        def redirect_request(
            self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
        ) -> Any:
            try:
                newurl = allowed(newurl, origins, force)
            except DownloadError as error:
                fp.close()
                message = f"{req.full_url} leads elsewhere: {error}"
                raise DownloadError(message) from None
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        Redirections(),
    ):
        opener.add_handler(handler)
    return opener


def _refusal(url: str, error: Any) -> Exception:
    """Return the error for an answer that is no content."""
    what = f"the answer is {error.code} {' '.join(str(error.reason).split())}"
    if error.code in _TRANSIENT:
        return Transient(what, _retry_after(error.headers.get("Retry-After", "")))
    return DownloadError(f"{url}: {what}: check the address")


def _retry_after(value: str) -> float | None:
    """Read how many seconds a host asks for, given as such or as a date."""
    import email.utils

    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    now = datetime.now(until.tzinfo or UTC)
    return max(0.0, (until.replace(tzinfo=now.tzinfo) - now).total_seconds())


def _no_answer(url: str, error: Exception) -> Exception:
    """Return the error for a connection that failed."""
    import ssl

    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        message = f"{url}: its certificate is not valid: {reason.verify_message}"
        return DownloadError(message)
    if isinstance(error, ValueError):
        return DownloadError(f"{url!r} cannot be asked for: {error}")
    return Transient(f"no answer: {reason or type(error).__name__}")


def _chunks(response: Any) -> Iterator[bytes]:
    """Yield the content as it comes."""
    import http.client

    while True:
        try:
            chunk = response.read1(_CHUNK)
        except (OSError, http.client.HTTPException) as error:
            message = f"the connection was cut off: {error or type(error).__name__}"
            raise Transient(message) from error
        if not chunk:
            return
        yield chunk
