"""What `yields` returns: expected events with uncertainties, by name."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float

from hfjax.arrays import Array, ScalarInt
from hfjax.errors import FitError, unknown_name
from hfjax.fitting.covariance_result import CovarianceStatus
from hfjax.html_table import html_table
from hfjax.model.data import Channels
from hfjax.record import Record, is_single, json_numbers, refuse_batch

Groups = tuple[tuple[str, tuple[str, ...]], ...]
"""Names of groups, and of their samples."""


class Events(NamedTuple):
    """Expected events in a channel.

    Attributes:
        values: in each bin.
        uncertainties: of these, standard deviations.
        sum: in all bins together.
        sum_uncertainty: of the sum, with what bins have in common.
    """

    values: Float[Array, " bin"]
    uncertainties: Float[Array, " bin"]
    sum: float
    sum_uncertainty: float


class YieldsResult(Record):
    """Expected events in each bin and channel, of samples and of groups of them.

    `found["SR"]` are all events of a channel, `found["SR", "top"]` those of a sample or
    group there, as `Events`.

    Attributes:
        channels: names of the channels, and their numbers of bins.
        rows: names of the samples and of the groups; behind them, arrays have a row of
            all samples together.
        groups: of samples, with their members.
        values: expected events in each bin.
        uncertainties: their standard deviations; NaN where they are not known.
        sums: expected events in each channel.
        sum_uncertainties: their standard deviations.
        acts: which rows have events in a channel, or may have some.
        data: observed events; NaN without data.
        code: the value of the `CovarianceStatus` of the fit; `KNOWN` before any.
        prediction: "pre-fit", "post-fit", or "extrapolated" from a fit of other
            channels.
        prior: names of the parameters that are as they are before any fit.
    """

    channels: Channels = eqx.field(static=True)
    rows: tuple[str, ...] = eqx.field(static=True)
    groups: Groups = eqx.field(static=True)
    values: Float[Array, "row bin"]
    uncertainties: Float[Array, "row bin"]
    sums: Float[Array, "row channel"]
    sum_uncertainties: Float[Array, "row channel"]
    acts: Bool[Array, "row channel"]
    data: Float[Array, " bin"]
    code: ScalarInt
    prediction: str = eqx.field(static=True)
    prior: tuple[str, ...] = eqx.field(static=True)

    def __getitem__(self, name: str | tuple[str, str]) -> Events:
        """Events of a channel, or of a sample or group in one.

        Args:
            name: of a channel, or of one and of a sample or group.

        Raises:
            UnknownNameError: there is no such channel, or nothing of this name in it.
        """
        if isinstance(name, str):
            return self._events(-1, self._channel(name))
        channel, row = name
        at = self._channel(channel)
        known = self._acting(at)
        if row not in known:
            error = unknown_name("sample or group", row, known, f"channel {channel!r}")
            raise error
        return self._events(known[row], at)

    def _acting(self, channel: int) -> dict[str, int]:
        """The rows that have events in a channel."""
        named = enumerate(self.rows)
        return {name: i for i, name in named if self.acts[i, channel]}

    def counts(self, channel: str) -> Array:
        """Observed events in each bin of a channel; NaN without data.

        Raises:
            UnknownNameError: there is no such channel; close names are given.
        """
        return self.data[self._bins(self._channel(channel))]

    def _channel(self, name: str) -> int:
        names = [each for each, _ in self.channels]
        if name not in names:
            error = unknown_name("channel", name, names, "the yields")
            raise error
        return names.index(name)

    def _bins(self, channel: int) -> slice:
        start = sum(bins for _, bins in self.channels[:channel])
        return slice(start, start + self.channels[channel][1])

    def _events(self, row: int, channel: int) -> Events:
        bins = self._bins(channel)
        return Events(
            self.values[row, bins],
            self.uncertainties[row, bins],
            float(self.sums[row, channel]),
            float(self.sum_uncertainties[row, channel]),
        )

    @property
    def status(self) -> CovarianceStatus:
        """What is known of the uncertainties of the fit; `KNOWN` before any."""
        return CovarianceStatus(int(self.code))

    @property
    def converged(self) -> bool:
        """Whether the fit has a minimum, so that there are events at all."""
        return self.status < CovarianceStatus.NO_MINIMUM

    def raise_if_failed(self) -> "YieldsResult":
        """Return the result itself, or raise if an uncertainty is not known.

        Raises:
            FitError: what happened, and what to try.
        """
        if self.status is not CovarianceStatus.KNOWN:
            raise FitError(self.status.sentence)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The yields as JSON values by name, None for what is not known.

        Raises:
            ArgumentError: it is a batch, or inside ``jit`` or ``vmap``.
        """
        refuse_batch(self)
        known = self.status is CovarianceStatus.KNOWN
        return {
            "yields": {name: self._document(i) for i, name in enumerate(self._names())},
            "groups": {name: list(members) for name, members in self.groups},
            "prediction": self.prediction,
            "prior": list(self.prior),
            "status": str(self.status),
            "message": "" if known else self.status.sentence,
        }

    def _names(self) -> list[str]:
        return [name for name, _ in self.channels]

    def _document(self, channel: int) -> dict[str, Any]:
        """One channel as JSON values."""
        counts = self.data[self._bins(channel)]
        groups = {name for name, _ in self.groups}
        rows = {n: self._row(i, channel) for n, i in self._acting(channel).items()}
        return {
            "data": None if np.isnan(counts).all() else json_numbers(counts),
            "total": self._row(-1, channel),
            "samples": {n: each for n, each in rows.items() if n not in groups},
            "groups": {n: each for n, each in rows.items() if n in groups},
        }

    def _row(self, row: int, channel: int) -> dict[str, Any]:
        """One row of one channel as JSON values."""
        events = self._events(row, channel)._asdict()
        return {key: json_numbers(each) for key, each in events.items()}

    def __repr__(self) -> str:
        """Events of each channel; of a batch, and inside ``jit``, the shapes."""
        if not is_single(self):
            return eqx.tree_pformat(self)
        rows = list(self._shown())
        width = max(len(name) for name, _, _ in rows)
        lines = [f"  {n:{width}}  {v:.6g} ± {u:.4g}" for n, v, u in rows]
        return "\n".join([self._head(), *lines])

    def _repr_html_(self) -> str | None:
        """Events of each channel in a table, for notebooks; None of a batch."""
        if not is_single(self):
            return None
        columns = ["channel", "events", "uncertainty"]
        return html_table(self._head(), columns, self._shown())

    def _head(self) -> str:
        return f"YieldsResult: {self.prediction}, {self.status}"

    def _shown(self) -> Iterator[tuple[str, float, float]]:
        for name in self._names():
            total = self[name]
            yield name, total.sum, total.sum_uncertainty
