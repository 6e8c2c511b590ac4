"""Results of commands on one model, as tables."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hfjax.results.scan import CONVERGED, LEVEL, MEDIAN
from hfjax.results.written import NOMINAL
from hfjax.tables.parts import Document, Parts, facts, figure, line, table, title

BAND = ("-2 sigma", "-1 sigma", "median", "+1 sigma", "+2 sigma")
"""Of the lines of an expected band."""
_FITTED = {"parameter": "left", "value": "right", "uncertainty": "right", "": "left"}
_CORRELATED = {"parameter": "left", "and": "left", "correlation": "right"}
_ROUNDING = 1e-8
"""Part of its uncertainty below which a value is no more than rounding."""
_MOST_CORRELATED = 10
STYLES = {True: "bold green", False: "bold red"}
"""Of what has a result, and of what has none."""


@dataclass(frozen=True)
class Fitted:
    """What the tables of a fit show besides its result.

    Attributes:
        names: the parameters' names, component by component, in their order.
        fixed: those of them that the measurement fixes.
        poi: the parameter of interest; None if there is none.
        held: whether it was held.
    """

    names: tuple[str, ...]
    fixed: frozenset[str]
    poi: str | None
    held: bool

    def parts(self, document: Document) -> Parts:
        """The tables of a fit: parameters first, so that a terminal ends with status.

        Args:
            document: the result of `hfjax fit`.
        """
        yield table(_FITTED, self._rows(document))
        if "correlations" in document:
            yield title("largest correlations")
            yield table(_CORRELATED, _largest(document["correlations"]))
        yield title("best fit")
        rows = {"-2 ln L": _precise(document["twice_nll"])}
        if self.poi is not None:
            rows[self.poi] = self._with_uncertainty(self.poi, document)
        yield facts(rows)
        yield _status(document)

    def _values(self, document: Document, key: str) -> dict[str, float | None]:
        found = [x for each in document.get(key, {}).values() for x in each]
        return dict(zip(self.names, found or [None] * len(self.names), strict=True))

    def _with_uncertainty(self, name: str, document: Document) -> str:
        value = figure(self._values(document, "mle_parameters")[name])
        width = self._values(document, "uncertainties")[name]
        return f"{value} ± {figure(width)}" if width else value

    def _rows(self, document: Document) -> Iterable[tuple[Any, ...]]:
        widths = self._values(document, "uncertainties")
        for name, value in self._values(document, "mle_parameters").items():
            note = line(self._note(name, document), "yellow")
            width = figure(widths[name] or None)
            value = _beside(value, widths[name])
            yield name, figure(value), _interval(name, document) or width, note
        for name, (value,) in document.get("derived_parameters", {}).items():
            yield name, figure(value), "", "derived"

    def _note(self, name: str, document: Document) -> str:
        """What matters of a parameter besides its value."""
        if name == self.poi and self.held:
            return "held"
        if name in self.fixed:
            return "fixed"
        at = "at bound" if name in document["at_bounds"] else ""
        flat = document.get("uncertainty_status") == "flat"
        flat = flat and self._values(document, "uncertainties")[name] is None
        parts = ["POI" if name == self.poi else "", at, "flat" if flat else ""]
        return ", ".join(filter(None, parts))


def fitted_tables(model: Any, poi: str | None, held: bool) -> Fitted:
    """What the tables of a fit show besides its result.

    Args:
        model: that was fitted.
        poi: its parameter of interest; None if there is none.
        held: whether that was held.
    """
    own = model.parameters
    pairs = zip(own.names, own.fixed.tolist(), strict=True)  # at once, not one by one
    fixed = frozenset(name for name, flag in pairs if flag)
    return Fitted(own.names, fixed, poi, held)


def _beside(value: float | None, width: float | None) -> float | None:
    """A value; zero where that is all it is within its uncertainty."""
    tiny = value and width and abs(value) < _ROUNDING * width
    return 0.0 if tiny else value


def _interval(name: str, document: Document) -> str:
    """How far a profile interval reaches below and above the best fit."""
    found = document.get("intervals", {}).get(name)
    if found is None or "fixed" in found["status"]:
        return ""
    ends = (
        "?" if end is None else f"{end - found['value']:+.3g}" for end in found["ends"]
    )
    return " ".join(ends)


def _largest(correlations: Document) -> list[tuple[str, str, str]]:
    """Pairs of parameters with the largest correlations, and these."""
    names, values = correlations["names"], correlations["values"]
    pairs = [
        (names[i], names[j], values[i][j])
        for i in range(len(names))
        for j in range(i)
        if values[i][j] is not None
    ]
    pairs.sort(key=lambda pair: -abs(pair[2]))
    return [(b, a, f"{value:.3f}") for a, b, value in pairs[:_MOST_CORRELATED]]


def cls_parts(document: Document, what: str) -> Parts:
    """The tables of a test; there are no numbers of one that failed.

    Args:
        document: the result of `hfjax cls`.
        what: what was tested, in a few words.
    """
    yield heading(document, what)
    if document["status"] == CONVERGED:
        discovery = "p0" in document
        yield line("")
        yield _band(document, ("p0", "Z") if discovery else ("CLs",))
        yield line("")
        yield facts(_discovery(document) if discovery else _exclusion(document))
    yield _status(document)


def heading(document: Document, what: str) -> Any:
    """What a table shows, and whether its band is of the nominal Asimov data.

    Args:
        document: the result.
        what: what it shows, in a few words.
    """
    nominal = document.get("band") == NOMINAL
    return line(f"{what}, expected before any fit" if nominal else what, "bold")


def toys_parts(document: Document, what: str) -> Parts:
    """The tables of a test with toys: what they say, and how many they are.

    Args:
        document: the result of `hfjax toys`.
        what: what was tested, in a few words.
    """
    yield line(what, "bold")
    yield line("")
    key = "p0" if "p0" in document else "CLs"
    columns = {"": "left", "observed": "right", **dict.fromkeys(BAND, "right")}
    rows = []
    for name, suffix in ((key, ""), ("+-", "_error")):
        observed = document[f"CLs_obs{suffix}"]
        shown = map(short, (observed, *document[f"CLs_exp{suffix}"]))
        rows.append((name, *shown))
    yield table(columns, rows)
    yield line("")
    toys, failed = document["toys"], document["failures"]
    lost = sum(count for each in failed.values() for count in each.values())
    yield facts(
        {
            **({"Z": short(document["Z"])} if "Z" in document else {}),
            "CLsb": _with_error(document, "CLsb"),
            "CLb": _with_error(document, "CLb"),
            "q": short(document["q"]),
            "mu_hat": short(document["mu_hat"]),
            "toys": f"{toys['signal']} signal, {toys['background']} background",
            "failed": str(lost),
        }
    )


def _with_error(document: Document, key: str) -> str:
    return f"{short(document[key])} ± {short(document[f'{key}_error'])}"


def profile_parts(document: Document) -> Parts:
    """The table of a profile likelihood: a line for each point.

    Args:
        document: the result of `hfjax profile`.
    """
    names, free = document["names"], document["free"]
    columns = dict.fromkeys([*names, "-2 Delta ln L"], "right")
    points = itertools.product(*document["values"])
    rises = zip(points, _in_a_row(document["delta"]), strict=True)
    statuses = _in_a_row(document["status"])
    yield table(
        {**columns, "": "left"},
        (
            (*map(five, point), five(rise), lacking(status, CONVERGED))
            for (point, rise), status in zip(rises, statuses, strict=True)
        ),
    )
    yield line("")
    yield facts({"-2 ln L of the best fit": _precise(free["twice_nll"])})


def contour_parts(document: Document) -> Parts:
    """The table of contours: how far each reaches in both parameters.

    Args:
        document: the result of `hfjax contour`.
    """
    names = document["names"]
    columns = dict.fromkeys(["level", "-2 Delta ln L", *names, "points"], "right")
    rows = []
    for curve in document["contours"]:
        reach = map(_reach, zip(*curve["points"], strict=True))
        lost = sum(status not in ("found", "at_bound") for status in curve["status"])
        bound = curve["status"].count("at_bound")
        counts = {"at a bound": bound, "unknown": lost}
        note = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        level, rise = f"{curve['level']:.4g}", f"{curve['rise']:.4g}"
        rows.append((level, rise, *reach, str(len(curve["points"])), note))
    yield table({**columns, "": "left"}, rows)
    yield line("")
    best = zip(names, map(five, document["values"]), strict=True)
    yield facts({f"best fit of {name}": value for name, value in best})


def _reach(values: Iterable[float | None]) -> str:
    """From the least to the largest.

    >>> _reach([0.5, None, -1.0])
    '-1 to 0.5'
    """
    known = [value for value in values if value is not None]
    return f"{min(known):.5g} to {max(known):.5g}" if known else "-"


def _in_a_row(table: Any) -> list[Any]:
    """What is in lists in lists.

    >>> _in_a_row([[1, 2], [3, None]])
    [1, 2, 3, None]
    """
    if not isinstance(table, list):
        return [table]
    return [value for part in table for value in _in_a_row(part)]


def significance_parts(document: Document, what: str) -> Parts:
    """The table of p0 and Z; there are no numbers where a fit failed.

    Args:
        document: the result of `hfjax significance`.
        what: what is to be discovered, in a few words.
    """
    yield heading(document, what)
    if document["status"] == CONVERGED:
        yield line("")
        yield _band(document, ("p0", "Z"))
        yield line("")
        yield facts(_statistics(document))
    yield _status(document)


def five(value: float | None) -> str:
    """A number with five digits.

    >>> five(1.2345678), five(None)
    ('1.2346', '-')
    """
    return "-" if value is None else f"{value:.5g}"


def lacking(status: str, good: str = "found") -> Any:
    """A status that tells of something missing; nothing where all is well."""
    return "" if status == good else line(status, STYLES[False])


def _band(document: Document, keys: Iterable[str]) -> Any:
    """Observed and expected values, with what each of the band means."""
    columns = {"": "left", "observed": "right", **dict.fromkeys(BAND, "right")}
    rows = []
    for key in keys:
        observed = document.get(f"{key}_obs", document.get(key))
        expected = document[f"{key}_exp"]
        rows.append((key, short(observed), *map(short, expected)))
    return table(columns, rows)


def _exclusion(document: Document) -> dict[str, str]:
    observed, expected = document["CLs_obs"], document["CLs_exp"][MEDIAN]
    return {
        f"excluded at {1 - LEVEL:.0%}": f"observed: {_excluded(observed)}, "
        f"expected: {_excluded(expected)}",
        "CLsb": f"{short(document['CLsb'])}  (p-value with the signal)",
        "CLb": f"{short(document['CLb'])}  (CLs = CLsb / CLb)",
        **_statistics(document),
    }


def _discovery(document: Document) -> dict[str, str]:
    return {
        "p0": f"{short(document['p0'])}  (p-value of the background alone)",
        "Z": f"{short(document['Z'])}  (its significance in standard deviations)",
        **_statistics(document),
    }


def _statistics(document: Document) -> dict[str, str]:
    return {
        "q": short(document["q"]),
        "q expected": f"{short(document['q_asimov'])}  (of Asimov data)",
        "mu_hat": f"{short(document['mu_hat'])}  (best fit of the tested parameter)",
    }


def _excluded(value: float | None) -> str:
    if value is None:
        return "-"
    return "yes" if value < LEVEL else "no"


def short(value: float | None) -> str:
    """A number with three digits.

    >>> short(1.2345678), short(None)
    ('1.23', '-')
    """
    return "-" if value is None else f"{value:.3g}"


def _precise(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _status(document: Document) -> Any:
    """How the fits ended; why they did not converge is told on standard error."""
    style = STYLES[document["status"] == CONVERGED]
    return line(f"{document['status']} after {document['steps']} steps", style)
