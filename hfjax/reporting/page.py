"""A page of HTML that needs no other file: its sections, and pictures in it."""

import base64
import io
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, NamedTuple

from hfjax.errors import FitError, HfjaxError

_FORMS = {"svg": "image/svg+xml", "png": "image/png"}
_PIXELS = 96  # of an inch, in a page
_LARGE = 500_000  # bytes of a picture from which another form is tried
_CSS = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff;
  max-width: 72rem; margin: 0 auto; padding: 1rem 1.5rem 3rem; }
h1 { font-size: 1.6rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .8rem; padding-bottom: .2rem;
  border-bottom: 2px solid #a3122a; }
h3 { font-size: 1rem; margin: 1.3rem 0 .4rem; overflow-wrap: anywhere; }
nav ol { columns: 2; padding-left: 1.4rem; max-width: 40rem; }
a { color: #8c1024; }
table { border-collapse: collapse; margin: .4rem 0 1rem;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; overflow-wrap: anywhere; }
th, td { padding: .12rem .9rem .12rem 0; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
th { font-weight: 600; border-bottom: 1px solid #9ca3af; overflow-wrap: normal; }
tr + tr td { border-top: 1px solid #ececec; }
.right { text-align: right; white-space: nowrap; }
.dim { color: #5b6470; }
td.dim { white-space: nowrap; }
.bad { color: #b00020; font-weight: 600; }
.warn { color: #8a5a00; }
.good { color: #1d6b35; font-weight: 600; }
.missing { background: #f6f1e3; border-left: 4px solid #b58900; padding: .5rem .8rem; }
img { max-width: 100%; height: auto; display: block; margin: .8rem 0; }
.point-numbers { min-width: 18rem; border: 1px solid #d1d5db; padding: .6rem .9rem; }
.columns { columns: 16rem; }
.columns h3 { break-after: avoid; }
.columns h3:first-child { margin-top: 0; }
.columns table { break-inside: avoid; }
summary { cursor: pointer; font-weight: 600; margin: .6rem 0; }
footer { margin-top: 3rem; color: #5b6470; font-size: .85rem; }
@media print { h2, h3 { break-after: avoid; } img, tr { break-inside: avoid; }
  body { max-width: none; padding: 0; } }
"""


class Section(NamedTuple):
    """A part of a page with a title.

    Attributes:
        title: what it is about.
        body: HTML.
        failed: whether a fit for it did not converge.
    """

    title: str
    body: str
    failed: bool = False

    @property
    def anchor(self) -> str:
        """What links to it are made with.

        >>> Section("Goodness of fit", "").anchor
        'goodness-of-fit'
        """
        return re.sub(r"\W+", "-", self.title.lower())


def section(title: str, make: Callable[[], str | Section]) -> Section:
    """A section, or a sentence that says why there is nothing in it.

    Args:
        title: what it is about.
        make: makes its body, or all of it.

    Example:
        >>> def fails():
        ...     raise FitError("the fit stalled")
        >>> section("Best fit", fails)
        Section(title='Best fit', body='<p class="missing">The fit stalled.</p>', \
failed=True)
    """
    try:
        made = make()
    except HfjaxError as error:
        return Section(title, missing(str(error)), isinstance(error, FitError))
    return made if isinstance(made, Section) else Section(title, made)


def missing(why: str) -> str:
    """Why something is not in the page, as a sentence.

    >>> missing("there is no signal")
    '<p class="missing">There is no signal.</p>'
    """
    return f'<p class="missing">{escape(why[:1].upper() + why[1:].rstrip("."))}.</p>'


def folded(summary: str, body: str, shown: bool = False) -> str:
    """What is shown after a click on its summary; at once if it is `shown`."""
    opened = " open" if shown else ""
    return f"<details{opened}><summary>{escape(summary)}</summary>{body}</details>"


def embedded(picture: Any, words: str) -> str:
    """A picture inside the page: SVG, or PNG where that is smaller by far.

    Args:
        picture: of `hfjax.plotting`.
        words: what it shows, for those who do not see it.
    """
    form, content = "svg", _content(picture, "svg")
    if len(content) > _LARGE:  # to draw it twice takes time
        other = _content(picture, "png")
        form, content = min((form, content), ("png", other), key=lambda f: len(f[1]))
    data = base64.b64encode(content).decode("ascii")
    width = round(_PIXELS * picture.axes.get_figure(root=True).get_figwidth())
    source = f"data:{_FORMS[form]};base64,{data}"
    return f'<img src="{source}" width="{width}" alt="{escape(words)}">'


def _content(picture: Any, form: str) -> bytes:
    target = io.BytesIO()
    picture.write(target, form)
    return target.getvalue()


def page(title: str, sections: Sequence[Section], scripts: str, footer: str) -> str:
    """The whole page.

    Args:
        title: of the page; it is escaped.
        sections: in their order.
        scripts: HTML of scripts, at the end of the page.
        footer: HTML below everything.
    """
    links = "\n".join(
        f'<li><a href="#{each.anchor}">{escape(each.title)}</a></li>'
        for each in sections
    )
    bodies = "\n".join(
        f'<section id="{each.anchor}"><h2>{escape(each.title)}</h2>\n{each.body}\n'
        "</section>"
        for each in sections
    )
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{_CSS}</style></head>
<body><h1>{escape(title)}</h1>
<nav aria-label="Contents"><ol>
{links}
</ol></nav>
<main>
{bodies}
</main>
<footer>{footer}</footer>
{scripts}</body></html>
"""
