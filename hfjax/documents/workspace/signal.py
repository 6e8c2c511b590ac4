"""Signals by the names of channels.

Nobody who has a signal's yields should need to know at which position of a document a
channel is: everything is addressed by name, and a channel in which a signal gives
nothing is left out.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hfjax.documents.reading.json_values import (
    Malformed,
    Number,
    members,
    number,
    number_or_text,
    numbers,
    text,
)
from hfjax.documents.reading.schema import SIGNALS, judged
from hfjax.documents.workspace.channel import Modifier
from hfjax.documents.workspace.histogram import (
    contents,
    is_histogram,
    plain,
    uncertainties,
)
from hfjax.errors import SpecificationError

_SIGNAL = frozenset({"channels"})
_OPTIONAL = frozenset({"name", "values", "cross_section", "lumi", "normsys"})
_CHANNEL = frozenset({"data"})
_SYSTEMATICS = frozenset({"staterror", "normsys", "histosys"})
_FACTORS = frozenset({"lo", "hi"})
_SHAPES = frozenset({"lo_data", "hi_data"})


@dataclass(frozen=True, slots=True)
class ChannelSignal:
    """A signal in one channel.

    Attributes:
        data: Expected events, one number a bin.
        modifiers: What may change them here, besides what the signal has everywhere.
        staterror: Their Monte Carlo uncertainties in events, one a bin; None if they
            have none.
        staterror_name: The name of these; "" for the staterror of the channel.
    """

    data: tuple[Number, ...]
    modifiers: tuple[Modifier, ...] = ()
    staterror: tuple[Number, ...] | None = None
    staterror_name: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """What a new process gives in each channel, by name; nothing in all others.

    Attributes:
        name: The name of its sample, and of its patch in a patchset.
        channels: What it gives in each channel.
        modifiers: What may change its events in all channels; those of a channel with
            the same name and type replace them there.
        values: Where it is in the plane of signals: a number or text for each label.
        cross_section: The cross section that its events were multiplied by, if any.

    >>> signal = Signal.parse({
    ...     "values": {"m_parent": 600, "m_lsp": 240},
    ...     "channels": {"SR": [1.5, 2.5], "CR": {"data": [0.5], "staterror": [0.1]}},
    ...     "normsys": {"cross_section": 0.08},
    ... })
    >>> signal.name, signal.channels["SR"].data
    ('m_parent_600_m_lsp_240', (1.5, 2.5))
    >>> signal.modifiers[0].data
    {'lo': 0.92, 'hi': 1.08}
    """

    name: str
    channels: Mapping[str, ChannelSignal]
    modifiers: tuple[Modifier, ...] = ()
    values: Mapping[str, Number | str] = field(default_factory=dict)
    cross_section: Number | None = None

    @classmethod
    def parse(cls, document: Any) -> "Signal":
        """Make a signal of a JSON object, in which arrays and histograms are welcome.

        - `channels`: `{name: events}`, one number a bin, or `{name: {"data": events,
          "staterror": ..., "normsys": ..., "histosys": ...}}`. The variances of a
          histogram become its staterror.
        - `staterror`: uncertainties in events, one a bin, which join the staterror that
          the channel has; `{name: uncertainties}` names another one.
        - `normsys`, in a channel or beside `channels` for all of them: `{name: 0.08}`
          for 8 %, or `{name: {"lo": 0.9, "hi": 1.2}}`.
        - `histosys`: `{name: {"lo_data": events, "hi_data": events}}`.
        - `lumi`: true if the uncertainty of the luminosity applies.
        - `cross_section`: all events are multiplied by it. They then are those of a
          cross section of one, in the same unit: for one in pb, acceptance times
          efficiency times the integrated luminosity in 1/pb.
        - `values`: `{label: number or text}`, which patchsets need.
        - `name`: made of the values if it is absent.

        Raises:
            SpecificationError: The object is not this, or a number is not finite.
        """
        document = _plain_signal(document)
        try:
            return judged(lambda table: cls.parse_strictly(*table), [document], SIGNALS)
        except SpecificationError as error:
            pointer = error.pointer.removeprefix("/0")
            raise SpecificationError(error.args[0], pointer) from None

    @classmethod
    def parse_strictly(cls, document: Any) -> "Signal":
        """Make a signal of a JSON object, as `parse` does, without its messages.

        Raises:
            SpecificationError: A number is not finite, or makes no sense.
            Malformed: The object is not what the schema asks.
        """
        members(document, _SIGNAL, _OPTIONAL)
        values = _open(document.get("values", {}))
        found = map(number_or_text, values.values())
        numeric = [value for value in found if not isinstance(value, str)]
        name = text(document.get("name", _name(values)))
        try:
            _refuse_infinite(numeric)
            channels = _parse_channels(document["channels"])
            modifiers = _lumi(document.get("lumi", False))
            modifiers += _normsys(document.get("normsys", {}))
            if "cross_section" in document:
                channels = _multiplied(channels, number(document["cross_section"]))
        except SpecificationError as error:
            where = f"signal {name!r}"
            raise error.inside(where) from None
        return cls(name, channels, modifiers, values, document.get("cross_section"))


def _plain_signal(document: Any) -> Any:
    """Return a signal with lists in place of its arrays and histograms."""
    if not isinstance(document, Mapping):
        return plain(document)
    channels = document.get("channels")
    if isinstance(channels, Mapping):
        found = {key: _plain_channel(key, value) for key, value in channels.items()}
        document = {**document, "channels": found}
    return plain(dict(document))


def _plain_channel(name: Any, value: Any) -> Any:
    if not is_histogram(value):
        return value
    what = f"channel {name!r}"
    errors = uncertainties(value, what)
    found = {"data": contents(value, what)}
    return found if errors is None else {**found, "staterror": errors}


def _parse_channels(value: Any) -> dict[str, ChannelSignal]:
    if not _open(value):
        raise Malformed
    found = {}
    for name, channel in value.items():
        try:
            found[name] = _parse_channel(channel)
        except SpecificationError as error:
            where = f"channel {name!r}"
            raise error.inside(where) from None
    return found


def _parse_channel(value: Any) -> ChannelSignal:
    if isinstance(value, list):
        return ChannelSignal(_finite(value))
    members(value, _CHANNEL, _SYSTEMATICS)
    modifiers = _normsys(value.get("normsys", {}))
    modifiers += _histosys(value.get("histosys", {}))
    data, found = _finite(value["data"]), value.get("staterror")
    if isinstance(found, dict) and len(found) == 1:
        ((name, errors),) = found.items()
        return ChannelSignal(data, modifiers, _finite(errors), name)
    errors = None if "staterror" not in value else _finite(found)
    return ChannelSignal(data, modifiers, errors)


def _lumi(value: Any) -> tuple[Modifier, ...]:
    if not isinstance(value, bool):
        raise Malformed
    return (Modifier("lumi", "lumi"),) if value else ()


def _normsys(value: Any) -> tuple[Modifier, ...]:
    found = []
    for name, data in _open(value).items():
        if not isinstance(data, dict):
            data = _symmetric(name, number(data))
        lo, hi = (number(members(data, _FACTORS)[key]) for key in ("lo", "hi"))
        _refuse_infinite((lo, hi))
        found.append(Modifier(name, "normsys", {"lo": lo, "hi": hi}))
    return tuple(found)


def _symmetric(name: str, uncertainty: Number) -> dict[str, Number]:
    if not abs(uncertainty) < 1:
        message = (
            f"normsys {name!r} is {uncertainty}: one number is a relative uncertainty, "
            'such as 0.08; give factors as {"lo": ..., "hi": ...}'
        )
        raise SpecificationError(message)
    lo, hi = (float(f"{1 + sign * uncertainty:.15g}") for sign in (-1, 1))
    return {"lo": lo, "hi": hi}


def _histosys(value: Any) -> tuple[Modifier, ...]:
    found = []
    for name, data in _open(value).items():
        members(data, _SHAPES)
        shapes = {key: _finite(data[key]) for key in ("lo_data", "hi_data")}
        found.append(Modifier(name, "histosys", shapes))
    return tuple(found)


def _multiplied(
    channels: Mapping[str, ChannelSignal], factor: Number
) -> dict[str, ChannelSignal]:
    """Multiply all that is in events: data, staterror and histosys."""
    _refuse_infinite((factor,))

    def times(values: tuple[Number, ...]) -> tuple[Number, ...]:
        return _finite([value * factor for value in values])

    def modified(modifier: Modifier) -> Modifier:
        if modifier.type != "histosys":
            return modifier
        data = {key: times(values) for key, values in modifier.data.items()}
        return dataclasses.replace(modifier, data=data)

    return {
        name: dataclasses.replace(
            found,
            data=times(found.data),
            modifiers=tuple(map(modified, found.modifiers)),
            staterror=None if found.staterror is None else times(found.staterror),
        )
        for name, found in channels.items()
    }


def _open(value: Any) -> dict[str, Any]:
    """Return an object with any keys."""
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return value
    raise Malformed


def _finite(value: Any) -> tuple[Number, ...]:
    found = numbers(value)
    _refuse_infinite(found)
    return found


def _refuse_infinite(values: Iterable[Number]) -> None:
    for value in values:
        if not math.isfinite(value):
            message = f"{value} is not a finite number"
            raise SpecificationError(message)


def _name(values: Mapping[str, Number | str]) -> str:
    """Name a signal after its values, with nothing but what names of patches allow."""
    parts = [f"{label}_{value}" for label, value in values.items()]
    found = "_".join(parts).replace("-", "m").replace(".", "p").replace("+", "")
    found = "".join(c if c.isascii() and c.isalnum() else "_" for c in found)
    return found or "signal"
