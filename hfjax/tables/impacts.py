"""The result of `impacts`, as tables for people."""

from collections.abc import Sequence
from typing import Any

from hfjax.tables.parts import Document, Parts, facts, figure, line, table, title

_COLUMNS = {
    "parameter": "left",
    "best fit": "right",
    "pull": "right",
    "post -": "right",
    "post +": "right",
    "pre -": "right",
    "pre +": "right",
    "": "left",
}
_PLAIN = {"found", "unconstrained"}
_BAD = {"lower_minimum", "fits_failed"}


def impact_parts(document: Document, top: int) -> Parts:
    """The tables of impacts: the largest ones, and the uncertainty by its sources.

    Args:
        document: the result of `hfjax impacts`.
        top: nuisance parameters in the table, at most.
    """
    found = document["impacts"]
    names = sorted(found, key=lambda name: -_size(found[name]["postfit"]))
    name = document["parameter"]
    yield line(f"post-fit and pre-fit impacts on {name}", "bold")
    yield line("")
    yield table(_COLUMNS, (_row(each, found[each]) for each in names[:top]))
    if len(names) > top:
        yield line(f"and {len(names) - top} more: --top {len(names)}", "dim")
    yield title(f"uncertainty of {name} by source")
    sources = document["breakdown"]
    rows = sources["groups"] | {"total": sources["total"]}
    yield facts({key: _four(value) for key, value in rows.items()})
    yield line("")
    width = document["uncertainty"]
    yield facts({name: f"{figure(document['value'])} ± {_four(width)}"})


def _size(sides: Sequence[float | None]) -> float:
    """The larger one of two impacts.

    >>> _size([-0.2, None])
    0.2
    """
    return max(abs(each or 0.0) for each in sides)


def _row(name: str, impact: Document) -> tuple[Any, ...]:
    """A nuisance parameter with its impacts, and what is to be known of them."""
    pull, sides = impact["pull"], [*impact["postfit"], *impact["prefit"]]
    shown = "-" if pull is None else f"{pull:+.3f}"
    statuses = [each for pair in impact["status"].values() for each in pair]
    notes = list(dict.fromkeys(each for each in statuses if each not in _PLAIN))
    style = "bold red" if _BAD & set(notes) else "yellow"
    note = line(", ".join(notes).replace("_", " "), style)
    return name, _with_width(impact), shown, *map(_signed, sides), note


def _with_width(impact: Document) -> str:
    width = impact["uncertainty"]
    return figure(impact["value"]) + (f" ± {_four(width)}" if width else "")


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3g}"


def _four(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
