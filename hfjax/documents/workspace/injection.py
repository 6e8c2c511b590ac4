"""The samples that a signal brings to the channels of a workspace."""

from collections.abc import Sequence

from hfjax.documents.reading.records import names
from hfjax.documents.workspace.channel import Channel, Modifier, Sample
from hfjax.documents.workspace.measurement import Measurement
from hfjax.documents.workspace.signal import ChannelSignal, Signal
from hfjax.errors import SpecificationError, unknown_name


def signal_samples(
    channels: Sequence[Channel], signal: Signal, poi: str
) -> dict[int, Sample]:
    """Make the samples of a signal.

    Args:
        channels: the channels of a workspace.
        signal: what the signal gives in them.
        poi: the name of the normfactor that is the strength of the signal.

    Returns:
        The sample for each position among the channels at which there is one.

    Raises:
        UnknownNameError: The signal is in a channel that does not exist.
        SpecificationError: It has another number of bins than the channel, the name of
            one of its samples, or a staterror that could join several.

    >>> top = Sample("top", (7.0, 4.0), (Modifier("mc", "staterror", (0.4, 0.3)),))
    >>> channels = [Channel("CR", (Sample("top", (50,)),)), Channel("SR", (top,))]
    >>> events = {"data": [2.0, 1.0], "staterror": [0.2, 0.1]}
    >>> signal = Signal.parse({"channels": {"SR": events}})
    >>> samples = signal_samples(channels, signal, "mu")
    >>> [(index, sample.name) for index, sample in samples.items()]
    [(1, 'signal')]
    >>> [(modifier.name, modifier.type) for modifier in samples[1].modifiers]
    [('mu', 'normfactor'), ('mc', 'staterror')]
    """
    for name in signal.channels:
        if name not in names(channels):
            where = f"the workspace, where signal {signal.name!r} should be"
            error = unknown_name("channel", name, names(channels), where)
            raise error
    found = {}
    for index, channel in enumerate(channels):
        if channel.name in signal.channels:
            try:
                found[index] = _sample(channel, signal, poi)
            except SpecificationError as error:
                where = f"signal {signal.name!r}, channel {channel.name!r}"
                raise error.inside(where) from None
    return found


def signal_strength(measurements: Sequence[Measurement], poi: str | None) -> str:
    """Return the name of a signal's strength: the parameter of interest.

    Args:
        measurements: the measurements of a workspace.
        poi: the name, if it is known already.

    Raises:
        SpecificationError: It is not known, and the measurements name none or several.

    >>> signal_strength([Measurement("search", "mu")], None)
    'mu'
    """
    if poi:
        return poi
    known = sorted({measurement.poi for measurement in measurements} - {""})
    if len(known) == 1:
        return known[0]
    said = f"name {', '.join(map(repr, known))}" if known else "name none"
    message = (
        f"the measurements {said}: give the parameter of interest that is the "
        "signal's strength"
    )
    raise SpecificationError(message, "/measurements")


def _sample(channel: Channel, signal: Signal, poi: str) -> Sample:
    found = signal.channels[channel.name]
    if signal.name in channel.sample_names:
        message = "there is a sample of this name already: rename the signal"
        raise SpecificationError(message)
    if len(found.data) != channel.bins:
        message = f"{len(found.data)} numbers for the channel's {channel.bins} bins"
        raise SpecificationError(message)
    own = {(modifier.name, modifier.type) for modifier in found.modifiers}
    common = [m for m in signal.modifiers if (m.name, m.type) not in own]
    strength = Modifier(poi, "normfactor")
    modifiers = (strength, *common, *found.modifiers, *_staterror(channel, found))
    return Sample(signal.name, found.data, modifiers)


def _staterror(channel: Channel, found: ChannelSignal) -> tuple[Modifier, ...]:
    if found.staterror is None:
        return ()
    name = found.staterror_name or _staterror_name(channel)
    return (Modifier(name, "staterror", found.staterror),)


def _staterror_name(channel: Channel) -> str:
    """Return the name of a channel's staterror, which every sample in it shares."""
    modifiers = [m for sample in channel.samples for m in sample.modifiers]
    known = sorted({m.name for m in modifiers if m.type == "staterror"})
    if len(known) > 1:
        message = (
            f"there are the staterrors {', '.join(known)}: say which one is joined, as "
            '{"staterror": {name: uncertainties}}'
        )
        raise SpecificationError(message)
    return known[0] if known else f"staterror_{channel.name}"
