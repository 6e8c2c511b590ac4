"""Data sets: what was counted, and what the auxiliary measurements gave."""

import copy
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from hfjax.arrays import Array, Rates
from hfjax.errors import DataError, check_kind, unknown_name
from hfjax.model.constraints import Aux
from hfjax.model.parameters import Value
from hfjax.model.tracing import is_known

Channels = tuple[tuple[str, int], ...]
"""Names of channels and their numbers of bins, in the order of the bins."""


def _as_channels(given: Mapping[str, int] | Channels) -> Channels:
    return tuple(given.items()) if isinstance(given, Mapping) else given


def _as_array(values: Any) -> Any:
    """Lists of numbers as an array; whatever has a shape stays as it is."""
    return np.asarray(values, float) if isinstance(values, list | tuple) else values


class Data(eqx.Module):
    """A data set: counts by channel, and auxiliary data by parameter.

    `data["SR"]` are the counts of a channel, `data.auxiliary["JES"]` is an auxiliary
    datum. A model makes a data set with names: `model.data({"SR": [...], ...})`,
    `hfjax.build`, `model.expected_data`, `model.sample`. One made of arrays says which
    channels they are, and in which order, by `channels`.

    Attributes:
        main: events in each bin, channels in alphabetical order.
        aux: auxiliary data, in the order of the constrained parameters.
        channels: names of the channels and their numbers of bins, in this order; none
            where they are not known.
        constrained: names of the parameters that the auxiliary data belong to.

    Example:
        >>> data = Data(np.array([4.0, 9.0, 8.0]), np.zeros(1), {"CR": 1, "SR": 2})
        >>> data["SR"].tolist()
        [9.0, 8.0]
        >>> data.with_counts({"CR": [5.0]}).main.tolist()
        [5.0, 9.0, 8.0]
    """

    main: Rates = eqx.field(converter=_as_array)
    aux: Aux = eqx.field(converter=_as_array)
    channels: Channels = eqx.field(static=True, default=(), converter=_as_channels)
    constrained: tuple[str, ...] = eqx.field(static=True, default=())

    def __getitem__(self, channel: str) -> Array:
        """Counts of a channel.

        Raises:
            UnknownNameError: there is no such channel; close names are given.
            DataError: the data have no names.
        """
        start, bins = self._place(channel)
        return self.main[..., start : start + bins]

    @property
    def counts(self) -> dict[str, Array]:
        """Counts of all channels by name."""
        return {name: self[name] for name, _ in self.channels}

    @property
    def auxiliary(self) -> dict[str, Array]:
        """Auxiliary data by the names of their parameters: ``JES``, ``gamma[1]``."""
        return {name: self.aux[..., i] for i, name in enumerate(self.constrained)}

    def with_counts(self, counts: Mapping[str, Value]) -> "Data":
        """The same data set with other counts in some channels.

        Args:
            counts: events in each bin, by channel.

        Raises:
            UnknownNameError: there is no such channel; close names are given.
            DataError: a channel has another number of bins; or the data have no names.
        """
        parts = self.counts
        for name, values in counts.items():
            parts[name] = _counted(name, values, self._place(name)[1])
        return self._with(main=_joined(parts.values(), self.main))

    def with_auxiliary(self, values: Mapping[str, Value]) -> "Data":
        """The same data set with other auxiliary data.

        Args:
            values: by name of the parameter: ``JES``, ``gamma[1]``.

        Raises:
            UnknownNameError: no parameter with auxiliary data has this name.
        """
        parts = self.auxiliary
        for name, value in values.items():
            if name not in parts:
                where = "the auxiliary data"
                error = unknown_name("parameter", name, self.constrained, where)
                raise error
            parts[name] = (
                jnp.asarray(value) if not is_known(value) else np.asarray(value)
            )
        ones = [part.reshape(1) for part in parts.values()]
        return self._with(aux=_joined(ones, self.aux))

    def anonymous(self) -> "Data":
        """The same without names: data of equal shape share compilations."""
        return self._with(channels=(), constrained=())

    def with_names(self, channels: Channels, constrained: tuple[str, ...]) -> "Data":
        """The same, or a batch, with names."""
        return self._with(channels=channels, constrained=constrained)

    def _with(self, **changes: object) -> "Data":
        """A copy with changes; it may be a batch, whose shape no one checks."""
        changed = copy.copy(self)
        for name, value in changes.items():
            object.__setattr__(changed, name, value)
        return changed

    def _place(self, channel: str) -> tuple[int, int]:
        """Where the bins of a channel begin, and how many there are."""
        start = 0
        for name, bins in self.channels:
            if name == channel:
                return start, bins
            start += bins
        if not self.channels:
            message = (
                f"the data do not know where channel {channel!r} is: make them by "
                "model.data({...}), or give their channels in order: "
                "Data(main, aux, channels={'CR': 1, 'SR': 2})"
            )
            raise DataError(message)
        names = [name for name, _ in self.channels]
        error = unknown_name("channel", channel, names, "the data")
        raise error

    def __repr__(self) -> str:
        """Counts by channel; of a batch, and inside ``jit``, the shapes."""
        known = is_known((self.main, self.aux)) and np.ndim(self.main) == 1
        if not (known and self.channels):
            return eqx.tree_pformat(self)
        width = max(len(name) for name, _ in self.channels)
        rows = [
            f"  {name:{width}}  " + " ".join(f"{float(n):g}" for n in values)
            for name, values in self.counts.items()
        ]
        size = np.size(self.aux)
        more = [f"  and {size} auxiliary data: `auxiliary` has them by name"]
        return "\n".join(["Data", *rows, *(more if size else [])])


def data_of(
    counts: Mapping[str, Value],
    channels: Channels,
    nominal: Mapping[str, float],
) -> Data:
    """Make a data set of counts by channel; see `Model.data`.

    Args:
        counts: events in each bin, by channel.
        channels: of the model.
        nominal: all auxiliary data of the model, by parameter.
    """
    if not channels:
        message = (
            "the model has no names, as those of `Model.anonymous` and `build_scan`: "
            "make data with a model of hfjax.build"
        )
        raise DataError(message)
    names = tuple(name for name, _ in channels)
    remedy = "give a dict of counts by the names of channels"
    check_kind("what data are made of", counts, Mapping, remedy, "dict")
    for name in counts:
        if name not in names:
            error = unknown_name("channel", name, names, "the model")
            raise error
    missing = [name for name in names if name not in counts]
    if missing:
        message = (
            f"no counts for channel {missing[0]!r}: give those of all channels, "
            f"{', '.join(map(repr, names))}, or change some of a data set by its "
            "with_counts"
        )
        raise DataError(message)
    zeros = np.zeros(sum(bins for _, bins in channels))
    whole = Data(zeros, np.array([*nominal.values()], float), channels, (*nominal,))
    return whole.with_counts(counts)


def check_channels(own: Channels, data: Data) -> None:
    """Compare the channels of a model with those of data, where both are known.

    Data that do not say which channels they are of are taken in the order of the model,
    with a warning where there are several.

    Raises:
        DataError: they differ, in names, bins or order.
    """
    given, order = data.channels, _listed(own)
    if own and given and own != given:
        message = (
            f"data of the channels {_listed(given)}, in this order, for a model of "
            f"{order}: make them by their names, model.data({{...}})"
        )
        raise DataError(message)
    if len(own) > 1 and not given:
        message = (
            "data without names of channels are taken in the order of the model, "
            f"{order}: make them by their names, model.data({{...}})"
        )
        warnings.warn(message, stacklevel=5)


def _listed(channels: Channels) -> str:
    return ", ".join(f"{name!r} ({bins})" for name, bins in channels)


def _counted(channel: str, values: Value, bins: int) -> Array:
    """The counts of a channel, which has so many bins."""
    if is_known(values):
        try:
            values = np.atleast_1d(np.asarray(values, float))
        except (TypeError, ValueError):
            message = f"counts of channel {channel!r} that are no numbers: {values!r}"
            raise DataError(message) from None
    else:
        values = jnp.atleast_1d(jnp.asarray(values))
    shape = values.shape
    if shape != (bins,):
        message = (
            f"counts of shape {shape} for channel {channel!r}, which has {bins} bins: "
            "give one number for each"
        )
        raise DataError(message)
    return jnp.asarray(values)


def _joined(parts: Iterable[Array | Sequence[Value]], like: Array) -> Array:
    """Parts of a vector after one another, in NumPy where all of them are known."""
    parts = list(parts)
    if not parts:
        return like
    if is_known(parts):
        return np.concatenate([np.asarray(part) for part in parts]).astype(like.dtype)
    return jnp.concatenate([jnp.asarray(part) for part in parts]).astype(like.dtype)
