"""Expected events and goodness of fit, as tables for people."""

from collections.abc import Sequence
from typing import Any

from hfjax.results.written import Number
from hfjax.results.yields_record import EventsRecord, YieldsRecord, observed_sum
from hfjax.results.yields_text import rounded
from hfjax.tables.parts import Document, Parts, facts, figure, line, table, title

_ACROSS = 3
"""Bins in one table."""
_SUM = -1
"""Stands for all bins together."""
_TOTAL, _DATA = "total", "data"


def yields_parts(record: YieldsRecord, bins: bool) -> Parts:
    """The tables of yields: one of all sums of a channel, or of its bins.

    Args:
        record: the yields.
        bins: whether each bin is shown.
    """
    for name, channel in record.channels.items():
        yield title(f"{name} {record.prediction}")
        count = len(channel.total.values)
        shown = [_SUM, *(range(count) if bins else [])]
        for start in range(0, len(shown), _ACROSS):
            yield _bins_table(record, name, shown[start : start + _ACROSS])


def _bins_table(record: YieldsRecord, name: str, shown: Sequence[int]) -> Any:
    """Some bins of a channel: samples, their total, the data."""
    channel = record.channel(name)
    named = {**record.stack(name), _TOTAL: channel.total}
    rows = [(row, *(_cell(each, k) for k in shown)) for row, each in named.items()]
    if channel.data is not None:
        data = channel.data
        rows.append((_DATA, *(_observed(data, k) for k in shown)))
    heads = {_heading(k): "right" for k in shown}
    return table({"sample": "left", **heads}, rows)


def _heading(position: int) -> str:
    """What is above a column: `_SUM` is all bins together."""
    return "events" if position == _SUM else f"bin {position + 1}"


def _cell(events: EventsRecord, position: int) -> str:
    if position == _SUM:
        value, uncertainty = events.sum, events.sum_uncertainty
    else:
        value, uncertainty = events.values[position], events.uncertainties[position]
    shown, width = rounded(value, uncertainty)
    return f"{shown} ± {width}" if width else shown


def _observed(data: tuple[Number, ...], position: int) -> str:
    return figure(observed_sum(data) if position == _SUM else data[position])


def goodness_parts(document: Document) -> Parts:
    """The table of a goodness of fit.

    Args:
        document: the result of `hfjax gof`.
    """
    counts = (
        f"{document['bins']} bins + {document['auxiliary']} auxiliary data - "
        f"{document['parameters']} parameters"
    )
    yield facts(
        {
            "-2 Delta ln L": figure(document["statistic"]),
            "degrees of freedom": f"{document['degrees_of_freedom']} = {counts}",
            "p-value": figure(document["p_value"]),
            **_toys(document["toys"]),
        }
    )
    style = "bold red" if document["message"] else "bold green"
    yield line(document["status"], style)


def _toys(toys: Document | None) -> dict[str, str]:
    """What toys say."""
    if toys is None:
        return {}
    value, error = figure(toys["p_value"]), figure(toys["p_value_error"])
    return {
        "p-value of toys": f"{value} ± {error}",
        "toys": str(toys["number"]),
        "failed": str(sum(toys["failures"].values())),
    }
