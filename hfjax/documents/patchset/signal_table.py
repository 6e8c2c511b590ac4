"""Tables of signals: CSV as spreadsheets write it, or JSON.

A CSV table has one row for each signal and these columns, in any order:

- one column for each label, such as `m_parent`;
- `SR_low[0]`, `SR_low[1]`, ...: the events in the bins of a channel, from bin 0 on.
  Leave all bins of a channel empty where the signal gives nothing, or leave the channel
  out of the table;
- `staterror:SR_low[0]`, ...: their Monte Carlo uncertainties in events, which join the
  staterror that the channel has;
- `normsys:NAME`: a relative uncertainty on all events, 0.08 for 8 %; or the factors
  `normsys:NAME:lo` and `normsys:NAME:hi`;
- `histosys:NAME:lo:SR_low[0]`, `histosys:NAME:hi:SR_low[0]`, ...: the events at one
  standard deviation down and up, in all bins of a channel;
- `cross_section`: all events of the row are multiplied by it. They then are those of a
  cross section of one, in the same unit: for one in pb, acceptance times efficiency
  times the integrated luminosity in 1/pb;
- `lumi`: true or false, whether the luminosity's uncertainty applies;
- `name`: the name of the patch, made of the labels and values if there is no such
  column.

A signal lacks what its cells leave empty. A JSON table is a list of objects as
`hfjax.Signal.parse` takes them, which can say all of this for each channel.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hfjax.documents.patchset.make import BELOW_ZERO, refuse_negative
from hfjax.documents.reading.json_files import Source, naming, parse_json, read_text
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.signal import Signal
from hfjax.errors import SpecificationError, UnknownNameError, unknown_name

_BIN = re.compile(r"(.+)\[(\d+)\]")
_SHAPE = re.compile(r"histosys:(.+):(lo|hi):(.+)\[(\d+)\]")
_FACTOR = re.compile(r"normsys:(.+):(lo|hi)")
_FORMS = ("CHANNEL[0]", "staterror:CHANNEL[0]", "normsys:NAME", "normsys:NAME:lo")
_TRUTH = {"true": True, "1": True, "false": False, "0": False}

Place = tuple[str, ...]
"""Keys on the way to a value in the JSON object of a signal."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of a table says.

    Attributes:
        heading: Its heading.
        place: Where its values go in the JSON object of a signal.
        read: Makes a value of a cell.
        bin: The bin whose number it has; None for one value.
    """

    heading: str
    place: Place
    read: Callable[[str], Any]
    bin: int | None = None


def read_signals(
    source: Source, labels: Sequence[str] = (), *, negative: bool = True
) -> tuple[Signal, ...]:
    r"""Read a table of signals.

    Args:
        source: a path, "-" for standard input, or an open file: CSV or JSON.
        labels: the columns of a CSV table that say where a signal is, such as masses;
            a JSON table names them itself.
        negative: whether signals may take events away, as interference does.

    Raises:
        SpecificationError: It cannot be read, is no table of signals, or has events
            below zero where they are not allowed; names line and column of a CSV table.
        UnknownNameError: It has a column that means nothing, or no column of a label.

    >>> table = "m_parent,m_lsp,SR[0],SR[1],normsys:radiation\n600,240,1.5,0.5,0.1"
    >>> (signal,) = read_signals(io.StringIO(table), ["m_parent", "m_lsp"])
    >>> signal.name, signal.channels["SR"].data
    ('m_parent_600_m_lsp_240', (1.5, 0.5))
    """
    content = read_text(source)
    with naming(source):
        if content.lstrip()[:1] in ("[", "{"):
            signals = _from_json(parse_json(content))
        else:
            signals = _from_csv(content, labels, negative)
        if not negative:
            refuse_negative(signals)
        return signals


def _from_json(document: Any) -> tuple[Signal, ...]:
    if not isinstance(document, list) or not document:
        message = "a table is a list of signals, one at least"
        raise SpecificationError(message)
    signals = []
    for index, item in enumerate(document):
        try:
            signals.append(Signal.parse(item))
        except SpecificationError as error:
            raise SpecificationError(
                error.args[0], f"/{index}{error.pointer}"
            ) from None
    return tuple(signals)


def _from_csv(
    content: str, labels: Sequence[str], negative: bool
) -> tuple[Signal, ...]:
    reader = csv.reader(io.StringIO(content, newline=None), strict=True)
    try:
        rows = [(reader.line_num, [c.strip() for c in row]) for row in reader if row]
    except csv.Error as error:
        message = f"line {reader.line_num}: {error}"
        raise SpecificationError(message) from None
    rows = [(line, row) for line, row in rows if any(row)]
    if len(rows) < 2:
        message = "a table has a line of headings, and a line for each signal"
        raise SpecificationError(message)
    columns = _columns(rows[0][1], labels)
    if not negative:
        columns = [_without_negative(column) for column in columns]
    values = dict.fromkeys(labels)  # in this order, whatever that of the columns
    return tuple([_signal(line, row, columns, values) for line, row in rows[1:]])


def _columns(headings: Sequence[str], labels: Sequence[str]) -> list[Column]:
    """Tell what the columns mean; each bin of a channel needs one."""
    if len(headings) == 1 and re.search(r"[;\t]", headings[0]):
        message = "there is one column only: separate columns by commas"
        raise SpecificationError(message)
    for label in labels:
        if label not in headings:
            error = unknown_name("column", label, headings, "the table")
            raise error
    columns = [_column(heading, labels) for heading in headings]
    bins: dict[Place, list[int | None]] = {}
    for column in columns:
        bins.setdefault(column.place, []).append(column.bin)
    for column in columns:
        _check_bins(column, bins[column.place])
        if column.place[:2] in bins and len(column.place) == 3:
            message = f"column {column.heading!r} and 'normsys:{column.place[1]}' clash"
            raise SpecificationError(message)
    return columns


def _column(heading: str, labels: Sequence[str]) -> Column:
    if heading in labels:
        return Column(heading, ("values", heading), _value_of_label)
    if heading in _SINGLE:
        return Column(heading, (heading,), _SINGLE[heading])
    if found := _SHAPE.fullmatch(heading):
        name, side, channel, index = found.groups()
        place = ("channels", channel, "histosys", name, f"{side}_data")
        return Column(heading, place, _number, int(index))
    if found := _FACTOR.fullmatch(heading):
        return Column(heading, ("normsys", *found.groups()), _number)
    kind, _, name = heading.partition(":")
    if kind == "normsys" and name:
        return Column(heading, ("normsys", name), _number)
    found = _BIN.fullmatch(name if kind == "staterror" else heading)
    if found and kind != "histosys":
        key = "staterror" if kind == "staterror" else "data"
        return Column(heading, ("channels", found[1], key), _number, int(found[2]))
    known = [*labels, *_SINGLE, *_FORMS]
    hint = unknown_name("meaning of a column", heading, known, "the table")
    message = f"{hint}; what says where a signal is, is named by --labels"
    raise UnknownNameError(message)


def _without_negative(column: Column) -> Column:
    """The same column; if it has events, one that refuses those below zero."""
    return replace(column, read=_events) if column.place[-1] == "data" else column


def _check_bins(column: Column, bins: Sequence[int | None]) -> None:
    if len(set(bins)) < len(bins):
        message = f"column {column.heading!r} is there twice"
        raise SpecificationError(message)
    if column.bin is not None and column.bin >= len(bins):
        first = next(index for index in range(len(bins) + 1) if index not in bins)
        message = (
            f"column {column.heading!r} is there, but none for bin {first}: bins are "
            "counted from 0"
        )
        raise SpecificationError(message)


def _signal(
    line: int, row: Sequence[str], columns: Sequence[Column], values: dict[str, None]
) -> Signal:
    """Make a signal of a line of the table."""
    try:
        if len(row) != len(columns):
            message = f"{len(row)} cells for {len(columns)} columns"
            raise SpecificationError(message)
        document = _document(row, columns, {"values": dict(values)})
        return Signal.parse(document)
    except SpecificationError as error:
        where = f"line {line}"
        raise error.inside(where) from None


def _document(
    row: Sequence[str], columns: Sequence[Column], document: dict[str, Any]
) -> dict[str, Any]:
    """Complete the JSON object of a signal with what its cells do not leave empty."""
    cells = list(zip(columns, row, strict=True))
    filled = {column.place for column, cell in cells if cell}
    for column, cell in sorted(cells, key=lambda pair: pair[0].bin or 0):
        if column.place in filled:
            _set(document, column, _value(column, cell))
        elif column.place[0] == "values":
            message = f"column {column.heading!r} is empty: give every signal a value"
            raise SpecificationError(message)
    if "channels" not in document:
        message = "no channel has events: write 0 where the signal gives none"
        raise SpecificationError(message)
    return document


def _value(column: Column, cell: str) -> Any:
    if not cell:
        message = f"column {column.heading!r} is empty, while other bins are not"
        raise SpecificationError(message)
    try:
        return column.read(cell)
    except ValueError as error:
        message = f"column {column.heading!r}: {error}"
        raise SpecificationError(message) from None


def _set(document: dict[str, Any], column: Column, value: Any) -> None:
    *way, last = column.place
    for key in way:
        document = document.setdefault(key, {})
    if column.bin is None:
        document[last] = value
    else:
        document.setdefault(last, []).append(value)


def _number(cell: str) -> Number:
    if re.fullmatch(r"[+-]?\d{1,15}", cell):
        return int(cell)
    try:
        value = float(cell) if "_" not in cell else math.nan
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return value
    message = f"{cell!r} is not a finite number"
    raise ValueError(message)


def _events(cell: str) -> Number:
    value = _number(cell)
    if value >= 0:
        return value
    message = f"{cell} {BELOW_ZERO}"
    raise ValueError(message)


def _value_of_label(cell: str) -> Number | str:
    try:
        return _number(cell)
    except ValueError:
        return cell


def _truth(cell: str) -> bool:
    if cell.lower() in _TRUTH:
        return _TRUTH[cell.lower()]
    message = f"{cell!r} is neither true nor false"
    raise ValueError(message)


_SINGLE: dict[str, Callable[[str], Any]] = {
    "name": str,
    "cross_section": _number,
    "lumi": _truth,
}
