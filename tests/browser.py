"""Pages of HTML in a browser without a window."""

import asyncio
import json
import re
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import websocket_connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SECONDS = 120

SELECT = """
const ready = setInterval(() => {
  const [plot] = window.Bokeh ? Bokeh.documents : [];
  if (!plot) return;
  clearInterval(ready);
  for (const model of plot._all_models.values()) {
    if (model.type === "ColumnDataSource" && "numbers" in Object.fromEntries(
        model.data instanceof Map ? model.data : Object.entries(model.data))) {
      model.selected.indices = [%d];
    }
  }
}, 50);
"""
"""Chooses a point of a signal grid, as a click on it does."""
_LISTEN = """<script>
window.addEventListener("error", (e) => document.documentElement.dataset.error =
  (document.documentElement.dataset.error || "") + e.message + "|");
for (const kind of ["error", "warn"]) console[kind] = (...words) =>
  document.documentElement.dataset.error =
    (document.documentElement.dataset.error || "") + words.join(" ") + "|";
</script>"""


class _Links(HTMLParser):
    """Collects what the elements of a page load or point to."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, _tag, attrs):
        """Keep the attributes that are addresses."""
        self.found += [value for name, value in attrs if name in ("src", "href")]


def links(page: str) -> list[str]:
    """What elements of a page load or point to, but for what is inside it."""
    parser = _Links()
    parser.feed(page)
    return [each for each in parser.found if not each.startswith(("#", "data:"))]


class Seen(NamedTuple):
    """What a browser has made of a page.

    Attributes:
        page: its elements after all scripts.
        errors: errors and warnings of the console.
    """

    page: str
    errors: list[str]


def _program() -> str:
    """The browser; skips the test where there is none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    return program


def browsed(path: Path, script: str = "") -> Seen:
    """Open a copy of a page in Chromium, and run a script in it.

    Skips the test where there is no Chromium.
    """
    program = _program()
    copy = path.with_name(f"copy_of_{path.name}")
    text = path.read_text("utf-8").replace("<head>", f"<head>{_LISTEN}", 1)
    end = text.rindex("</body>")
    copy.write_text(f"{text[:end]}<script>{script}</script>{text[end:]}", "utf-8")
    home = f"--user-data-dir={path.parent / 'browser'}"
    quiet = ("--headless=new", "--no-sandbox", "--disable-gpu", home)
    command = [program, *quiet, "--virtual-time-budget=8000", "--dump-dom"]
    done = subprocess.run(
        [*command, copy.as_uri()], capture_output=True, timeout=SECONDS, check=True
    )
    page = done.stdout.decode("utf-8")
    found = re.search(r'<html[^>]* data-error="([^"]*)"', page)
    return Seen(page, found[1].rstrip("|").split("|") if found else [])


PLACE = """
(() => {
  const [plot] = window.Bokeh ? Bokeh.index.roots : [];
  if (!plot || !plot.has_finished()) return null;
  plot.el.scrollIntoView();
  const frame = plot.canvas_view.el.getBoundingClientRect();
  for (const each of plot.model.renderers) {
    const data = each.data_source.data;
    const columns = Object.fromEntries(
      data instanceof Map ? data : Object.entries(data));
    if ("numbers" in columns) {
      return [frame.left + plot.frame.x_scale.compute(columns.x[%d]),
              frame.top + plot.frame.y_scale.compute(columns.y[%d])];
    }
  }
  return null;
})()
"""
"""Where on the screen a point of a signal grid is, once it is drawn."""
NUMBERS = "document.querySelector('.point-numbers').innerHTML"


def clicked(path: Path, position: int) -> str:
    """Open a page in Chromium, and click a point of its signal grid with the mouse.

    The browser is told by its DevTools protocol to press and release the left button
    where the point is.

    Args:
        path: of the page.
        position: of the point in the scan.

    Returns:
        HTML of the numbers that the page shows then.
    """
    home = path.parent / f"browser_{position}"
    quiet = (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--window-size=1200,900",
    )
    listen = ("--remote-debugging-port=0", "--remote-allow-origins=*")
    command = [_program(), *quiet, *listen, f"--user-data-dir={home}", path.as_uri()]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as browser:
        try:
            return asyncio.run(_clicked(home / "DevToolsActivePort", position))
        finally:
            browser.terminate()


async def _clicked(port: Path, position: int) -> str:
    number = await _until(lambda: _asked(port), "a browser that listens")
    pages = AsyncHTTPClient().fetch(f"http://127.0.0.1:{number}/json/list")
    (page,) = [p for p in json.loads((await pages).body) if p["type"] == "page"]
    line = await websocket_connect(page["webSocketDebuggerUrl"])
    try:
        place = await _until(
            lambda: _evaluated(line, PLACE % (position, position)), "a grid"
        )
        before = await _evaluated(line, NUMBERS)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            button = "none" if kind == "mouseMoved" else "left"
            at = {"x": place[0], "y": place[1], "button": button, "clickCount": 1}
            await _told(line, "Input.dispatchMouseEvent", {"type": kind, **at})
        changed = f"({NUMBERS}) === {json.dumps(before)} ? null : {NUMBERS}"
        return await _until(lambda: _evaluated(line, changed), "numbers of a point")
    finally:
        line.close()


async def _asked(port: Path) -> int | None:
    """Which port the browser listens at; None as long as it has not said so."""
    lines = port.read_text("utf-8").splitlines() if port.exists() else []
    return int(lines[0]) if len(lines) > 1 else None


async def _until(ask: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Ask until there is an answer."""
    end = time.monotonic() + SECONDS
    while (found := await ask()) is None:
        assert time.monotonic() < end, f"there is no {what}"
        await asyncio.sleep(0.1)
    return found


async def _told(line: Any, method: str, options: dict[str, Any]) -> dict[str, Any]:
    """Tell the browser something; what it answers."""
    await line.write_message(json.dumps({"id": 1, "method": method, "params": options}))
    while "id" not in (answer := json.loads(await line.read_message())):
        pass
    assert "error" not in answer, answer
    return answer["result"]


async def _evaluated(line: Any, script: str) -> Any:
    """What a script gives in the page."""
    asked = {"expression": script, "returnByValue": True}
    answer = await _told(line, "Runtime.evaluate", asked)
    assert "exceptionDetails" not in answer, answer
    return answer["result"].get("value")
