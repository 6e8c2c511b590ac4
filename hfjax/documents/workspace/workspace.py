"""Workspaces: channels with their samples, observations and measurements.

A document is parsed once into frozen records, which are looked up by name and share
whatever a patch leaves alone. What the JSON schema cannot say is checked when a record
is made: lengths that fit, names that are unique, an observation for each channel.
"""

import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hfjax.documents.reading.digest import digest
from hfjax.documents.reading.garbage import no_collections
from hfjax.documents.reading.json_files import Source, naming, read_json
from hfjax.documents.reading.json_values import DIGESTS, Malformed, members
from hfjax.documents.reading.records import find, names, parse_each, refuse_duplicates
from hfjax.documents.reading.schema import EXTENDED_WORKSPACE, WORKSPACE, judged
from hfjax.documents.workspace.channel import (
    Channel as Channel,
    Modifier as Modifier,
    Observation as Observation,
    Sample as Sample,
    parse_channel,
    parse_observation,
)
from hfjax.documents.workspace.compose import compose_document
from hfjax.documents.workspace.injection import signal_samples, signal_strength
from hfjax.documents.workspace.measurement import (
    Measurement as Measurement,
    ParameterConfig as ParameterConfig,
    parse_measurement,
)
from hfjax.documents.workspace.signal import Signal
from hfjax.errors import SpecificationError, unknown_name
from hfjax.json_text import write_document

VERSION = "1.0.0"
"""The version of the format, which plain workspaces and all patchsets state."""

EXTENDED_VERSION = "1.0.0+hfjax.1"
"""The version that a workspace states whose measurements use the extension.

It is 1.0.0 and three keys of a parameter's settings: `constraint`, `threshold` and
`expression`. What reads only 1.0.0 refuses such a document instead of misreading it.
"""

_WORKSPACE = frozenset({"channels", "measurements", "observations", "version"})


SHOWN = 8
"""Channels that are shown of a workspace, at most."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A likelihood as it is published: channels, observations and measurements.

    Attributes:
        channels: In the order of the document, each name once.
        measurements: One or more, each name once.
        observations: Each name once, one for every channel; those of other channels are
            kept, since patches remove channels and leave their observations.
        version: The version of the format, `VERSION` or `EXTENDED_VERSION`.
        composed: Which modifiers of the document were made one, in a few words each.
        read_digests: Where some were, the digests of the document before that, by
            algorithm; what is patched or edited has none.

    >>> mu = {"name": "mu", "type": "normfactor", "data": None}
    >>> signal = {"name": "signal", "data": [5], "modifiers": [mu]}
    >>> config = {"poi": "mu", "parameters": []}
    >>> document = {
    ...     "channels": [{"name": "SR", "samples": [signal]}],
    ...     "measurements": [{"name": "search", "config": config}],
    ...     "observations": [{"name": "SR", "data": [4]}],
    ...     "version": "1.0.0",
    ... }
    >>> workspace = Workspace.parse(document)
    >>> workspace.channel("SR").sample("signal").data
    (5,)
    >>> workspace.dump() == document
    True
    >>> workspace.channel("SRA")
    Traceback (most recent call last):
    ...
    hfjax.errors.UnknownNameError: no channel named 'SRA' in the workspace: did you \
mean 'SR'?
    """

    channels: tuple[Channel, ...]
    measurements: tuple[Measurement, ...]
    observations: tuple[Observation, ...]
    version: str = VERSION
    composed: tuple[str, ...] = field(default=(), repr=False, compare=False)
    read_digests: dict[str, str] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _digests: dict[str, str] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        refuse_duplicates("channel", self.channels, "/channels")
        refuse_duplicates("measurement", self.measurements, "/measurements")
        refuse_duplicates("observation", self.observations, "/observations")
        places = {found.name: i for i, found in enumerate(self.observations)}
        for index, channel in enumerate(self.channels):
            if channel.name not in places:
                raise _no_observation(channel, f"/channels/{index}")
            place = places[channel.name]
            if len(self.observations[place].data) != channel.bins:
                raise _wrong_bins(channel, self.observations[place], place)
        if self.version == VERSION:
            _refuse_extension(self.measurements)
        elif self.version != EXTENDED_VERSION:
            known = f"{VERSION!r} or {EXTENDED_VERSION!r}"
            message = f"a workspace's version is {known}, not {self.version!r}"
            raise SpecificationError(message, "/version")

    @classmethod
    def load(cls, source: Source, compose: bool = False) -> "Workspace":
        """Read a workspace from a path, from "-" (standard input) or an open file.

        Args:
            source: where it is read from.
            compose: whether to compose modifiers, as `parse` does.

        Raises:
            SpecificationError: It cannot be read, is not JSON or is no workspace.
        """
        document = read_json(source)
        with naming(source):
            return cls.parse(document, compose)

    @classmethod
    def parse(cls, document: Any, compose: bool = False) -> "Workspace":
        """Make a workspace of a JSON document.

        Args:
            document: the document, which stays as it is.
            compose: whether to make one modifier of several normsys or histosys with
                one name on one sample, which is refused otherwise; what that means is
                in `hfjax.documents.workspace.compose`. Patchsets of the document as it
                is are verified for the workspace all the same.

        Raises:
            SpecificationError: The document is not what the schema asks, lengths do not
                fit, names are not unique, or a channel has no observation.
        """
        if compose:
            return cls._parse_composed(document)
        with no_collections():
            return judged(cls.parse_strictly, document, workspace_schema(document))

    @classmethod
    def _parse_composed(cls, document: Any) -> "Workspace":
        found = compose_document(document)
        workspace = cls.parse(found.document)
        if not found.places:
            return workspace
        composed = tuple(what for _, what in found.places)
        workspace = replace(workspace, composed=composed)
        digests = {name: digest(document, name) for name in DIGESTS}
        workspace.read_digests.update(digests)
        return workspace

    @classmethod
    def parse_strictly(cls, document: Any) -> "Workspace":
        """Make a workspace of a document in which some objects may be records already.

        Raises:
            SpecificationError: Lengths do not fit, names are not unique, or a channel
                has no observation.
            Malformed: The document is not what the schema asks.
        """
        members(document, _WORKSPACE)
        if document["version"] not in (VERSION, EXTENDED_VERSION):
            raise Malformed
        return cls(
            parse_each(document, "channels", parse_channel),
            parse_each(document, "measurements", parse_measurement),
            parse_each(document, "observations", parse_observation),
            document["version"],
        )

    def dump(self) -> dict[str, Any]:
        """Return the JSON document: equal to the one that was parsed."""
        return {
            "channels": [channel.dump() for channel in self.channels],
            "measurements": [found.dump() for found in self.measurements],
            "observations": [found.dump() for found in self.observations],
            "version": self.version,
        }

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the JSON document to a file."""
        write_document(self.dump(), path)

    def __repr__(self) -> str:
        """What is in it, in a line for each kind of thing."""
        channels = ", ".join(f"{c.name} ({c.bins})" for c in self.channels[:SHOWN])
        more = len(self.channels) - SHOWN
        pois = ", ".join(f"{m.name} (poi {m.poi!r})" for m in self.measurements)
        samples, modifiers = len(self.sample_names), len(self.modifiers)
        return (
            f"Workspace: {len(self.channels)} channels with "
            f"{sum(c.bins for c in self.channels)} bins, {samples} samples, "
            f"{modifiers} modifiers\n"
            f"  channels      {channels}{f' and {more} more' if more > 0 else ''}\n"
            f"  measurements  {pois}"
        )

    def digest(self, algorithm: str = "sha256") -> str:
        """Return the digest of the document, as in patchsets; see `reading.digest`.

        It is computed once for each algorithm.
        """
        if algorithm not in self._digests:
            self._digests[algorithm] = digest(self.dump(), algorithm)
        return self._digests[algorithm]

    @property
    def channel_names(self) -> tuple[str, ...]:
        """The names of the channels, in the order of the document."""
        return names(self.channels)

    @property
    def sample_names(self) -> tuple[str, ...]:
        """The names of all samples of all channels, sorted."""
        found = {sample.name for channel in self.channels for sample in channel.samples}
        return tuple(sorted(found))

    @property
    def modifiers(self) -> tuple[tuple[str, str], ...]:
        """Name and type of all modifiers of all samples, sorted."""
        samples = [sample for channel in self.channels for sample in channel.samples]
        return tuple(sorted({(m.name, m.type) for s in samples for m in s.modifiers}))

    @property
    def measurement_names(self) -> tuple[str, ...]:
        """The names of the measurements, in the order of the document."""
        return names(self.measurements)

    def channel(self, name: str) -> Channel:
        """Return the channel of this name.

        Raises:
            UnknownNameError: There is none; close names are suggested.
        """
        return find("channel", self.channels, name, "the workspace")

    def observation(self, name: str) -> Observation:
        """Return the observation of the channel of this name.

        Raises:
            UnknownNameError: There is none; close names are suggested.
        """
        return find("observation", self.observations, name, "the workspace")

    def measurement(self, key: str | int | None = None) -> Measurement:
        """Return a measurement by name or position; the first if neither is given.

        Warns:
            UserWarning: Neither is given, and there are several.

        Raises:
            UnknownNameError: There is none of this name or at this position.
        """
        if isinstance(key, str):
            return find("measurement", self.measurements, key, "the workspace")
        if key is None and len(self.measurements) > 1:
            known = ", ".join(self.measurement_names)
            message = f"took the first of the measurements {known}: name the one meant"
            warnings.warn(message, stacklevel=2)
        if not 0 <= (key or 0) < len(self.measurements):
            known = self.measurement_names
            error = unknown_name("measurement", str(key), known, "the workspace")
            raise error
        return self.measurements[key or 0]

    def with_signal(
        self, signal: Signal | Mapping[str, Any], poi: str | None = None
    ) -> "Workspace":
        """Return the workspace with a signal added, by the names of channels.

        Channels that the signal does not name stay as they are: it gives nothing there.

        Args:
            signal: the signal, or `{channel: events}` as `Signal.parse` takes them in
                `channels`; its sample is then called "signal".
            poi: name of the normfactor that is its strength; the parameter of interest
                of the measurements by default.

        Raises:
            UnknownNameError: It names a channel that does not exist.
            SpecificationError: It has another number of bins than a channel, the name
                of a sample in it, or a strength whose name is not known.

        >>> channel = Channel("SR", (Sample("top", (7.0, 4.0)),))
        >>> search, observed = Measurement("search", "mu"), Observation("SR", (8, 3))
        >>> background = Workspace((channel,), (search,), (observed,))
        >>> background.with_signal({"SR": [2.0, 1.0]}).channel("SR").sample_names
        ('top', 'signal')
        """
        if not isinstance(signal, Signal):
            signal = Signal.parse({"channels": signal})
        strength = signal_strength(self.measurements, poi)
        samples = signal_samples(self.channels, signal, strength)
        channels = list(self.channels)
        for index, sample in samples.items():
            channel = channels[index]
            channels[index] = replace(channel, samples=(*channel.samples, sample))
        return replace(self, channels=tuple(channels))


def format_version(measurements: Iterable[Measurement]) -> str:
    """Return the version that a workspace with these measurements has to state.

    >>> format_version([Measurement("search", "mu")])
    '1.0.0'
    >>> top = ParameterConfig("top", constraint="lognormal", sigmas=(0.1,))
    >>> format_version([Measurement("search", "mu", (top,))])
    '1.0.0+hfjax.1'
    """
    parameters = [found for each in measurements for found in each.parameters]
    return EXTENDED_VERSION if any(p.extension for p in parameters) else VERSION


def workspace_schema(document: Any) -> str:
    """Return the name of the schema that judges a workspace, by its version.

    >>> workspace_schema({"version": "1.0.0+hfjax.1"})
    '1.0.0+hfjax.1/workspace.json'
    """
    version = document.get("version") if isinstance(document, dict) else VERSION
    return EXTENDED_WORKSPACE if version == EXTENDED_VERSION else WORKSPACE


def _refuse_extension(measurements: tuple[Measurement, ...]) -> None:
    """Refuse keys that the plain version of the format does not know."""
    for index, measurement in enumerate(measurements):
        for place, parameter in enumerate(measurement.parameters):
            for key in parameter.extension:
                message = (
                    f"parameter {parameter.name!r} of measurement "
                    f"{measurement.name!r} has the key {key!r}, which version "
                    f'{VERSION} of the format does not know: state "version": '
                    f'"{EXTENDED_VERSION}"'
                )
                pointer = f"/measurements/{index}/config/parameters/{place}/{key}"
                raise SpecificationError(message, pointer)


def _no_observation(channel: Channel, pointer: str) -> SpecificationError:
    message = (
        f"channel {channel.name!r} has no observation: add one with its name and "
        f'{channel.bins} numbers to "observations"'
    )
    return SpecificationError(message, pointer)


def _wrong_bins(
    channel: Channel, observation: Observation, place: int
) -> SpecificationError:
    message = (
        f"the observation of channel {channel.name!r} has {len(observation.data)} "
        f"bins, its samples have {channel.bins}"
    )
    return SpecificationError(message, f"/observations/{place}/data")
