"""Expected events as text: numbers with fitting digits, CSV, and LaTeX."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence

from hfjax.results.written import Number
from hfjax.results.yields_record import EventsRecord, YieldsRecord, observed_sum

COLUMNS = ("channel", "bin", "sample", "events", "uncertainty")
"""Of the rows of yields."""
_SPECIAL: Mapping[str, str] = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{each: f"\\{each}" for each in "&%$#_{}"},
}
_DIGITS = 2  # of an uncertainty
_FEWEST = 1e-6  # events in which such digits are written out


def rounded(value: Number, uncertainty: Number) -> tuple[str, str]:
    """A value and its uncertainty, which has two digits, to the same decimal.

    An uncertainty that is not known, or none, is "" and the value has five digits.

    Example:
        >>> rounded(1234.567, 12.3), rounded(0.123456, 0.00345), rounded(9.876543, None)
        (('1235', '12'), ('0.1235', '0.0034'), ('9.8765', ''))
    """
    if value is None:
        return "-", ""
    if uncertainty is None or not _FEWEST < uncertainty < math.inf:
        return f"{value:.5g}", ""
    decimals = max(_DIGITS - 1 - math.floor(math.log10(uncertainty)), 0)
    return f"{value:.{decimals}f}", f"{uncertainty:.{decimals}f}"


def csv_text(record: YieldsRecord, bins: bool) -> str:
    """The rows of yields as CSV, with a heading and all digits.

    Args:
        record: the yields.
        bins: whether each bin has rows, not sums alone.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows = (row for row in record.rows if bins or row["bin"] == "all")
    writer.writerows([row[name] for name in COLUMNS] for row in rows)
    return text.getvalue()


def latex_text(record: YieldsRecord, bins: bool) -> str:
    """Yields as tables of LaTeX, which need no package.

    Args:
        record: the yields.
        bins: whether each channel has a table of its bins, not one table all sums.
    """
    if not bins:
        return _tabular(["", *record.channels], _sum_rows(record))
    tables = []
    for name, channel in record.channels.items():
        numbers = [f"bin {k + 1}" for k in range(len(channel.total.values))]
        tables.append(_tabular([name, *numbers, "sum"], _bin_rows(record, name)))
    return "\n".join(tables)


def escaped(text: str) -> str:
    r"""A name as LaTeX sets it.

    Example:
        >>> escaped("SR_1 & 50%")
        'SR\\_1 \\& 50\\%'
    """
    return "".join(_SPECIAL.get(each, each) for each in text)


Line = tuple[str, Sequence[str]]
"""The name of a row, and its cells, which are LaTeX."""


def _tabular(columns: Sequence[str], rows: Iterable[Line]) -> str:
    """A table: samples, their total, the data."""
    lines = [f"\\begin{{tabular}}{{l{'r' * (len(columns) - 1)}}}", r"\hline"]
    lines.append(" & ".join(map(escaped, columns)) + r" \\")
    lines.append(r"\hline")
    for name, cells in rows:
        lines += [r"\hline"] if name == _TOTAL else []
        lines.append(" & ".join([escaped(name), *cells]) + r" \\")
    return "\n".join([*lines, r"\hline", r"\end{tabular}", ""])


_TOTAL, _DATA = "Total", "Data"


def _cell(value: Number, uncertainty: Number) -> str:
    shown, width = rounded(value, uncertainty)
    return f"${shown} \\pm {width}$" if width else f"${shown}$"


def _sum_rows(record: YieldsRecord) -> Iterable[Line]:
    """Sums of each channel: a row for each sample or group."""
    stacks = [record.stack(name) for name in record.channels]
    for name in dict.fromkeys(name for each in stacks for name in each):
        found = [each.get(name) for each in stacks]
        yield name, [_sum_cell(each) if each else "" for each in found]
    each_channel = record.channels.values()
    yield _TOTAL, [_sum_cell(each.total) for each in each_channel]
    data = [each.data for each in each_channel]
    if any(data):
        yield _DATA, [_cell(observed_sum(each), None) if each else "" for each in data]


def _sum_cell(events: EventsRecord) -> str:
    return _cell(events.sum, events.sum_uncertainty)


def _bin_rows(record: YieldsRecord, channel: str) -> Iterable[Line]:
    """Bins of a channel: a row for each sample or group."""
    own = record.channel(channel)
    for name, each in {**record.stack(channel), _TOTAL: own.total}.items():
        cells = map(_cell, each.values, each.uncertainties)
        yield name, [*cells, _sum_cell(each)]
    if own.data is not None:
        yield _DATA, [_cell(each, None) for each in (*own.data, observed_sum(own.data))]
