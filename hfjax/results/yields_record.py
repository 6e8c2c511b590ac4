"""Expected events with uncertainties that were written to a file."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

from hfjax.errors import DataError, unknown_name
from hfjax.results.written import Number, WrittenRecord


@dataclass(frozen=True)
class EventsRecord:
    """Expected events in a channel.

    Attributes:
        values: in each bin.
        uncertainties: of these, standard deviations; None where one is not known.
        sum: in all bins together.
        sum_uncertainty: of the sum, with what bins have in common.
    """

    values: tuple[Number, ...]
    uncertainties: tuple[Number, ...]
    sum: Number
    sum_uncertainty: Number

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "EventsRecord":
        """Events from JSON values, which a schema has accepted."""
        return cls(
            tuple(document["values"]),
            tuple(document["uncertainties"]),
            document["sum"],
            document["sum_uncertainty"],
        )

    def to_dict(self) -> dict[str, Any]:
        """The events as JSON values."""
        return {
            "values": list(self.values),
            "uncertainties": list(self.uncertainties),
            "sum": self.sum,
            "sum_uncertainty": self.sum_uncertainty,
        }


Rows = Mapping[str, EventsRecord]


@dataclass(frozen=True)
class ChannelRecord:
    """Expected events in a channel, and what was observed there.

    Attributes:
        data: observed events in each bin; None without data.
        total: of all samples together.
        samples: of each sample that may have events here.
        groups: of each group of samples.
    """

    data: tuple[Number, ...] | None
    total: EventsRecord
    samples: Rows
    groups: Rows

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "ChannelRecord":
        """A channel from JSON values, which a schema has accepted."""
        data = document["data"]
        return cls(
            None if data is None else tuple(data),
            EventsRecord.parse(document["total"]),
            _rows(document["samples"]),
            _rows(document["groups"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """The channel as JSON values."""
        return {
            "data": None if self.data is None else list(self.data),
            "total": self.total.to_dict(),
            "samples": {name: each.to_dict() for name, each in self.samples.items()},
            "groups": {name: each.to_dict() for name, each in self.groups.items()},
        }


def _rows(document: Mapping[str, Any]) -> Rows:
    return {name: EventsRecord.parse(each) for name, each in document.items()}


def _channels(document: Mapping[str, Any]) -> dict[str, ChannelRecord]:
    return {name: ChannelRecord.parse(each) for name, each in document.items()}


def _groups(document: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(members) for name, members in document.items()}


@dataclass(frozen=True, repr=False)
class YieldsRecord(WrittenRecord):
    """Expected events of each channel as they are in a file.

    `found["SR"]` are all events of a channel, `found["SR", "top"]` those of a sample or
    group there.

    Attributes:
        channels: of each channel, by name.
        groups: samples of each group.
        prediction: "pre-fit", "post-fit" or "extrapolated".
        prior: names of the parameters that are as they are before any fit.
        status: what is known of the uncertainties of the parameters.
        message: what is not known, and why; empty if all is.
        provenance: versions, digests, settings and times.

    Example:
        >>> top = EventsRecord((5.0, 3.0), (1.0, 1.0), 8.0, 1.8)
        >>> region = ChannelRecord((6.0, 2.0), top, {"top": top}, {})
        >>> found = YieldsRecord({"SR": region}, {}, "pre-fit", (), "known", "")
        >>> found, found["SR", "top"].sum
        (YieldsRecord: pre-fit, 1 channels, 8.0)
    """

    SCHEMA: ClassVar[str] = "yields-result-1.0.0.json"
    KEYS: ClassVar[Mapping[str, str]] = {"channels": "yields"}
    READERS: ClassVar[Mapping[str, Any]] = {"channels": _channels, "groups": _groups}

    channels: Mapping[str, ChannelRecord]
    groups: Mapping[str, tuple[str, ...]]
    prediction: str
    prior: tuple[str, ...]
    status: str
    message: str

    def channel(self, name: str) -> ChannelRecord:
        """All that is known of a channel.

        Raises:
            UnknownNameError: there is none of this name; close names are given.
        """
        if name not in self.channels:
            error = unknown_name("channel", name, self.channels, "the yields")
            raise error
        return self.channels[name]

    def __getitem__(self, name: str | tuple[str, str]) -> EventsRecord:
        """Events of a channel, or of a sample or group in one.

        Raises:
            UnknownNameError: there is no such channel, or nothing of this name in it.
        """
        if isinstance(name, str):
            return self.channel(name).total
        channel, row = name
        found = self.channel(channel)
        known = {**found.samples, **found.groups}
        if row not in known:
            error = unknown_name("sample or group", row, known, f"channel {channel!r}")
            raise error
        return known[row]

    def stack(self, channel: str) -> dict[str, EventsRecord]:
        """The groups in a channel, and samples that are in none: they add up to all.

        Raises:
            DataError: a sample is in two groups.
        """
        members = [name for each in self.groups.values() for name in each]
        twice = sorted({name for name in members if members.count(name) > 1})
        if twice:
            message = f"sample {twice[0]!r} is in two groups, and would count twice"
            raise DataError(message)
        own = self.channel(channel)
        alone = {n: each for n, each in own.samples.items() if n not in members}
        return {**own.groups, **alone}

    def select(self, channels: Iterable[str]) -> "YieldsRecord":
        """The same of some channels, in this order.

        Raises:
            UnknownNameError: there is no such channel; close names are given.
        """
        kept = {name: self.channel(name) for name in channels}
        rest = (self.groups, self.prediction, self.prior, self.status, self.message)
        return YieldsRecord(kept, *rest, provenance=self.provenance)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row for each channel, bin and sample or group, for tables.

        `bin` is "all" in rows of sums, `sample` is "total" or "data" in rows of these.
        """
        return [row for name in self.channels for row in self._rows(name)]

    def _rows(self, channel: str) -> Iterator[dict[str, Any]]:
        """Rows of one channel: sums first."""
        own = self.channel(channel)
        named = {**self.stack(channel), "total": own.total}
        for name, each in named.items():
            yield _row(channel, "all", name, each.sum, each.sum_uncertainty)
        if own.data is not None:
            yield _row(channel, "all", "data", observed_sum(own.data), None)
        for k in range(len(own.total.values)):
            for name, each in named.items():
                value, uncertainty = each.values[k], each.uncertainties[k]
                yield _row(channel, k, name, value, uncertainty)
            if own.data is not None:
                yield _row(channel, k, "data", own.data[k], None)

    def histogram(
        self, channel: str, row: str | None = None, edges: Iterable[float] | None = None
    ) -> Any:
        """Events of a channel as a histogram of the package hist.

        Args:
            channel: its name.
            row: a sample or group in it; all together by default.
            edges: of its bins; 0, 1, 2, ... by default.

        Returns:
            A `hist.Hist` whose variances are squared uncertainties, without what bins
            have in common.

        Raises:
            UnknownNameError: there is no such channel, sample or group.
            DataError: hist is not installed; or edges do not rise, or are not one more
                than the bins.
        """
        try:
            import hist
        except ImportError:
            message = "hist is missing: install it with: pip install hist"
            raise DataError(message) from None
        events = self[channel] if row is None else self[channel, row]
        count = len(events.values)
        given = list(range(count + 1) if edges is None else edges)
        if len(given) != count + 1 or any(b <= a for a, b in pairwise(given)):
            message = f"edges of {count} bins are {count + 1} rising numbers"
            raise DataError(message)
        axis = hist.axis.Variable(given, name=channel)
        found = hist.Hist(axis, storage=hist.storage.Weight(), name=row or "total")
        values = [_number(each) for each in events.values]
        variances = [_number(each) ** 2 for each in events.uncertainties]
        found[...] = list(zip(values, variances, strict=True))
        return found

    def __repr__(self) -> str:
        """How many channels there are."""
        return f"YieldsRecord: {self.prediction}, {len(self.channels)} channels"


def _row(
    channel: str, position: int | str, name: str, value: Number, uncertainty: Number
) -> dict[str, Any]:
    return {
        "channel": channel,
        "bin": position,
        "sample": name,
        "events": value,
        "uncertainty": uncertainty,
    }


def _number(value: Number) -> float:
    return float("nan") if value is None else value


def observed_sum(data: tuple[Number, ...]) -> Number:
    """All observed events; None where a count is not known.

    >>> observed_sum((2.0, 3.0)), observed_sum((2.0, None))
    (5.0, None)
    """
    known = [each for each in data if each is not None]
    return sum(known) if len(known) == len(data) else None
