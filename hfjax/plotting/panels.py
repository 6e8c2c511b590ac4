"""Expected events as they are drawn: a panel for each channel, one for single bins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from hfjax.errors import DataError
from hfjax.results.written import Number
from hfjax.results.yields_record import EventsRecord, YieldsRecord

Values = Float[np.ndarray, " bin"]


@dataclass(frozen=True)
class Panel:
    """What is drawn in one frame.

    Attributes:
        name: of its channel; empty where it has several.
        edges: of the bins.
        stack: events of each sample or group.
        total: events of all of them.
        uncertainty: of that; NaN where it is not known.
        data: observed events; None without data.
        names: of the bins, where they are those of channels.
        numbered: whether bins are numbered.
        title: above the frame, where there are several.
    """

    name: str
    edges: np.ndarray
    stack: Mapping[str, Values]
    total: Values
    uncertainty: Values
    data: Values | None
    names: tuple[str, ...] = ()
    numbered: bool = True
    title: str = ""

    @property
    def centres(self) -> np.ndarray:
        """Where points are drawn."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    @property
    def xlabel(self) -> str:
        """What is written along the axis across."""
        return self.title if self.names else "Bin" if self.numbered else self.name


def panels_of(
    record: YieldsRecord, edges: Mapping[str, Sequence[float]]
) -> list[Panel]:
    """The panels of all channels of a record, those of one bin together.

    Args:
        record: of the yields.
        edges: of the bins of some channels, by name.

    Raises:
        DataError: there are no numbers; edges are of no channel, do not rise, or are
            not one more than the bins.
        UnknownNameError: there is no such channel.
    """
    for name in edges:
        record.channel(name)
    if any(None in each.total.values for each in record.channels.values()):
        message = f"these yields have no numbers to draw: {record.status}"
        raise DataError(message + (f": {record.message}" if record.message else ""))
    single = [
        name
        for name, each in record.channels.items()
        if len(each.total.values) == 1 and name not in edges
    ]
    joined = single if len(single) > 1 else []
    several = len(record.channels) - len(joined) + bool(joined) > 1
    panels = []
    for name in record.channels:
        if name not in joined:
            panels.append(_panel(record, name, edges.get(name), several))
        elif name == joined[0]:
            panels.append(_regions(record, joined, several))
    return panels


def _panel(
    record: YieldsRecord, name: str, edges: Sequence[float] | None, several: bool
) -> Panel:
    """The panel of one channel."""
    own = record.channel(name)
    count = len(own.total.values)
    known = bin_edges(edges, count, name)
    return Panel(
        name=name,
        edges=known,
        stack={n: _values(each.values) for n, each in record.stack(name).items()},
        total=_values(own.total.values),
        uncertainty=_values(own.total.uncertainties),
        data=None if own.data is None else _values(own.data),
        numbered=edges is None,
        title=name if several else "",
    )


def bin_edges(edges: Sequence[float] | None, count: int, channel: str) -> np.ndarray:
    """Edges of the bins of a channel; around their numbers where none are given.

    Args:
        edges: that are given.
        count: how many bins there are.
        channel: their channel.

    Raises:
        DataError: they do not rise, or are not one more than the bins.

    Example:
        >>> bin_edges(None, 2, "SR").tolist()
        [0.5, 1.5, 2.5]
    """
    known = np.arange(count + 1) + 0.5 if edges is None else np.asarray(edges, float)
    if known.size != count + 1 or not (np.diff(known) > 0.0).all():
        message = (
            f"the edges of channel {channel!r} have to be {count + 1} rising numbers, "
            "one more than its bins"
        )
        raise DataError(message)
    return known


def _regions(record: YieldsRecord, names: Sequence[str], several: bool) -> Panel:
    """The panel of channels that have one bin each."""
    stacks = [record.stack(name) for name in names]
    own = [record.channel(name) for name in names]
    rows = dict.fromkeys(name for each in stacks for name in each)
    data = [each.data for each in own if each.data is not None]
    return Panel(
        name="",
        edges=np.arange(len(names) + 1) + 0.5,
        stack={row: _first([each.get(row) for each in stacks]) for row in rows},
        total=_first([each.total for each in own]),
        uncertainty=_values([each.total.uncertainties[0] for each in own]),
        data=_values([each[0] for each in data]) if len(data) == len(own) else None,
        names=tuple(names),
        title=" " if several else "",  # so that frames beside it are as high
    )


def _first(events: Sequence[EventsRecord | None]) -> Values:
    """Events in the only bin of each channel; none where a sample is not."""
    return _values([0.0 if each is None else each.values[0] for each in events])


def _values(numbers: Sequence[Number]) -> Values:
    return np.array([np.nan if each is None else each for each in numbers], float)
