"""What the writers of HistFactory XML share: parameters, histograms, remarks."""

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hfjax.documents.convert.histfactory.ranges import DEFAULTS, Stated
from hfjax.documents.convert.loss_report import Remarks
from hfjax.documents.convert.root_histograms import Histogram
from hfjax.documents.convert.root_names import STATERROR, root_names
from hfjax.documents.parameters.uses import KINDS, walk
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.measurement import Measurement, ParameterConfig
from hfjax.documents.workspace.workspace import Channel, Workspace
from hfjax.errors import SpecificationError

Bounds = tuple[tuple[Number, ...], ...]

_LUMI = (0.0, 10.0)
_DEFAULTS = {
    "histosys": (0.0, "normal"),
    "lumi": (1.0, "normal"),
    "normfactor": (1.0, "none"),
    "normsys": (0.0, "normal"),
    "shapefactor": (1.0, "none"),
    "shapesys": (1.0, "poisson"),
    "staterror": (1.0, "normal"),
}
"""Value and kind of the constraint term where a measurement says nothing."""


@dataclass(frozen=True, slots=True)
class ExportedParameter:
    """A parameter set that modifiers have.

    Attributes:
        name: Its name.
        kinds: The types of its modifiers.
        bins: The number of bins of each channel it is in.
    """

    name: str
    kinds: frozenset[str]
    bins: Mapping[str, int]

    @property
    def kind(self) -> str:
        """The type of its modifiers, the first in the order of types."""
        return min(self.kinds, key=KINDS.index)

    @property
    def root_names(self) -> tuple[str, ...]:
        """What ROOT calls its parameters."""
        return root_names(self.name, self.kind, self.bins)

    @property
    def value(self) -> float:
        """The value that they have by default."""
        return _DEFAULTS[self.kind][0]

    def bounds(self, config: ParameterConfig | None) -> Bounds:
        """Return the bounds of its parameters in a measurement."""
        if config is not None and config.bounds is not None:
            return config.bounds
        return (DEFAULTS.get(self.kind, _LUMI),) * len(self.root_names)

    def inits(self, config: ParameterConfig | None) -> tuple[Number, ...]:
        """Return the initial values of its parameters in a measurement."""
        if config is not None and config.inits is not None:
            return config.inits
        return (self.value,) * len(self.root_names)

    def constraint(self, config: ParameterConfig | None) -> str:
        """Return the kind of its constraint terms in a measurement."""
        stated = config.constraint if config is not None else None
        return stated or _DEFAULTS[self.kind][1]


def written_staterrors(workspace: Workspace) -> dict[str, str]:
    """Return the name of the one staterror that HistFactory can have in each channel.

    That is the one which is named after the channel, or else the first by name.
    """
    names: dict[str, list[str]] = {}
    for channel, _, modifier in walk(workspace):
        if modifier.type == "staterror":
            names.setdefault(channel.name, []).append(modifier.name)
    return {
        channel: STATERROR + channel if STATERROR + channel in found else min(found)
        for channel, found in names.items()
    }


def exported_parameters(
    workspace: Workspace, staterrors: Mapping[str, str]
) -> dict[str, ExportedParameter]:
    """List the parameter sets of a workspace by name.

    Args:
        workspace: any workspace.
        staterrors: the name of the staterror that is written for each channel.
    """
    kinds: dict[str, set[str]] = {}
    bins: dict[str, dict[str, int]] = {}
    for channel, _, modifier in walk(workspace):
        kinds.setdefault(modifier.name, set()).add(modifier.type)
        found = bins.setdefault(modifier.name, {})
        if modifier.type != "staterror" or modifier.name == staterrors[channel.name]:
            found[channel.name] = channel.bins
    return {
        name: ExportedParameter(name, frozenset(found), bins[name])
        for name, found in kinds.items()
    }


@dataclass(frozen=True)
class Export:
    """What is written, and what is kept on the way.

    Attributes:
        workspace: What is written.
        parameters: Its parameter sets by name.
        staterrors: The name of the staterror that is written for each channel.
        binning: The edges of the bins of channels, where they are known.
        remarks: Gets what is lost or assumed.
        histograms: Gets the histograms of the ROOT file.
        ranges: Gets the ranges that only hfjax reads, by measurement.
    """

    workspace: Workspace
    parameters: Mapping[str, ExportedParameter]
    staterrors: Mapping[str, str]
    binning: Mapping[str, tuple[Number, ...]]
    remarks: Remarks = field(default_factory=Remarks)
    histograms: dict[str, Histogram] = field(default_factory=dict)
    ranges: Stated = field(default_factory=dict)

    @property
    def first(self) -> Measurement:
        """The first measurement, which speaks for all in the channels' files."""
        return self.workspace.measurements[0]

    def keep_histogram(
        self,
        channel: Channel,
        label: str,
        values: Sequence[Number],
        errors: Sequence[Number] = (),
    ) -> str:
        """Keep a histogram for the ROOT file, and return its name there."""
        name = unused_name(f"{channel.name}_{label}", self.histograms)
        edges = self.binning.get(channel.name) or range(channel.bins + 1)
        self.histograms[name] = Histogram(
            tuple(map(float, values)),
            tuple(map(float, errors)),
            (tuple(map(float, edges)),),
        )
        return name


def unused_name(name: str, used: Collection[str]) -> str:
    """Return a name, for a file or in one, that is not yet used.

    >>> unused_name("SR/high_top", ["SR_high_top"])
    'SR_high_top_2'
    """
    plain = re.sub(r"[^A-Za-z0-9_+.-]", "_", name).lstrip(".") or "_"
    taken = {one.lower() for one in used}
    found, count = plain, 1
    while found.lower() in taken:
        count += 1
        found = f"{plain}_{count}"
    return found


def lists_of(pairs: Iterable[Sequence[Number]]) -> list[list[Number]]:
    """Return ranges as lists.

    >>> lists_of(((0, 10),))
    [[0, 10]]
    """
    return [list(pair) for pair in pairs]


def decimal(value: Number, pointer: str) -> str:
    """Return a number as an attribute of XML.

    Args:
        value: the number.
        pointer: JSON pointer to what has it, for the message.

    Raises:
        SpecificationError: It is not finite.

    >>> decimal(1, "/channels/0"), decimal(0.1, "/channels/0")
    ('1.0', '0.1')
    """
    if not math.isfinite(value):
        message = f"HistFactory XML cannot have {value}: replace it by a finite number"
        raise SpecificationError(message, pointer)
    return repr(float(value))


def relative_to(value: Number, base: Number) -> float:
    """Return what times `base` gives `value`, to the last digit where there is such.

    >>> relative_to(3.3, 1.1) * 1.1, relative_to(1.0, 0.0)
    (3.3, 0.0)
    """
    if base == 0:
        return 0.0
    ratio = value / base
    near = (ratio, math.nextafter(ratio, math.inf), math.nextafter(ratio, -math.inf))
    return next((found for found in near if found * base == value), ratio)
