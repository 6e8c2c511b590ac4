"""Pages of HTML in a browser without a window."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import pytest

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


def browsed(path: Path, script: str = "") -> Seen:
    """Open a copy of a page in Chromium, and run a script in it.

    Skips the test where there is no Chromium.
    """
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
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
