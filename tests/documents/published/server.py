"""A local HTTP server that answers well, slowly, partly, or with something else."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """What the server answers, by path, and what it was asked for.

    A path has one answer, or several that follow one another; the last one stays.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.url = ""

    def __setitem__(self, path: str, answers: Answer | list[Answer]) -> None:
        self.answers[path] = answers if isinstance(answers, list) else [answers]

    def at(self, path: str) -> str:
        """The URL of a path."""
        return f"{self.url}{path}"

    @property
    def asked(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [path for path, _ in self.requests]


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Run a server until the block ends."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.requests.append((self.path, dict(self.headers.items())))
            answers = server.answers.get(self.path, [status(404)])
            with contextlib.suppress(ConnectionError):
                (answers.pop(0) if len(answers) > 1 else answers[0])(self)

        def log_message(self, *args: object) -> None:
            del args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        yield server
        http.shutdown()
        thread.join()


def content(
    body: bytes, kind: str = "application/x-tar", length: int | None = None
) -> Answer:
    """Answer with content, whose length may be given wrongly; -1 gives none."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        if length != -1:
            handler.send_header("Content-Length", str(length or len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def status(code: int, **headers: str) -> Answer:
    """Answer with a status and no content."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def redirect(target: str, code: int = 302) -> Answer:
    """Answer with a redirection."""
    return status(code, Location=target)


def drip(body: bytes, seconds: float) -> Answer:
    """Answer with a byte at a time."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for byte in body:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(seconds)

    return answer


def hang(seconds: float) -> Answer:
    """Answer nothing for a while."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return answer


def garbage(handler: BaseHTTPRequestHandler) -> None:
    """Answer with what is no HTTP."""
    handler.wfile.write(b"220 ready for FTP\r\n")
    handler.close_connection = True


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Answer nothing, and close the connection."""
    handler.close_connection = True
