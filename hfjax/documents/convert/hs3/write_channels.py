"""Channels as HS3 distributions of type `histfactory_dist`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hfjax.documents.convert.hs3.columns import Column
from hfjax.documents.convert.hs3.names import LUMI, MODEL
from hfjax.documents.convert.hs3.shape_errors import ShapeSysValues, relative
from hfjax.documents.convert.hs3.write_terms import Component, WrittenTerms
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.channel import Channel, Modifier, Sample
from hfjax.errors import ModelError, SpecificationError

_TYPES = {"normal": "Gauss", "poisson": "Poisson", "lognormal": "LogNormal"}


@dataclass(frozen=True, slots=True)
class ChannelWriter:
    """Writes channels.

    Attributes:
        columns: The parameter sets.
        terms: Their constraint terms.
        shapesys: What vals of a shapesys are to be.
        binning: Edges of the bins of channels, where they are known.
    """

    columns: dict[str, Column]
    terms: WrittenTerms
    shapesys: ShapeSysValues = ShapeSysValues.RELATIVE
    binning: Mapping[str, Sequence[Number]] = field(default_factory=dict)

    def channel(self, channel: Channel) -> Component:
        """Write a channel.

        Raises:
            ModelError: It has staterrors of different names.
        """
        document: Component = {
            "name": MODEL + channel.name,
            "type": "histfactory_dist",
            "axes": self.axes(channel.name, channel.bins),
            "samples": [self._sample(channel, sample) for sample in channel.samples],
        }
        if (column := self._staterror(channel)) is not None:
            threshold = column.threshold or 0.0
            kind = _both_keys(_TYPES.get(column.kind))
            document["staterror"] = {**kind, "relThreshold": threshold}
        return document

    def axes(self, channel: str, bins: int) -> list[Component]:
        """Write the axis of a channel: of its edges, or of bins of width 1."""
        axis: Component = {"name": f"obs_x_{channel}"}
        edges = self.binning.get(channel)
        if edges is None:
            return [axis | {"min": 0.0, "max": float(bins), "nbins": bins}]
        if len(edges) != bins + 1:
            message = f"channel {channel!r} has {bins} bins and {len(edges)} edges"
            raise SpecificationError(message)
        return [axis | {"edges": list(edges)}]

    def _staterror(self, channel: Channel) -> Column | None:
        """The staterror of a channel, of which HS3 has one at most."""
        modifiers = [m for sample in channel.samples for m in sample.modifiers]
        names = {m.name: None for m in modifiers if m.type == "staterror"}
        if len(names) > 1:
            message = (
                f"channel {channel.name!r} has the staterrors {[*names]}, and HS3 has "
                "one for all samples of a channel: give them one name"
            )
            raise ModelError(message)
        return self.columns[next(iter(names))] if names else None

    def _sample(self, channel: Channel, sample: Sample) -> Component:
        data: Component = {"contents": list(sample.data)}
        for modifier in sample.modifiers:
            if modifier.type == "staterror":
                data["errors"] = list(modifier.data)
        modifiers = [self._modifier(channel, sample, each) for each in sample.modifiers]
        return {"name": sample.name, "data": data, "modifiers": modifiers}

    def _modifier(
        self, channel: Channel, sample: Sample, modifier: Modifier
    ) -> Component:
        document: Component = {"name": modifier.name, "type": modifier.type}
        if modifier.type == "lumi":
            document = {"name": LUMI, "type": "normfactor"}
        column = self.columns[modifier.name]
        if column.groups[0].scalar:
            return document | self._scalar(modifier, column)
        start = column.groups[0].offsets[channel.name]
        names = column.names[start : start + channel.bins]
        document["parameters"] = list(names)
        if modifier.type != "shapefactor":
            document |= self._constraints(modifier, column, names)
        if modifier.type == "shapesys":
            vals = list(modifier.data)
            if self.shapesys is ShapeSysValues.RELATIVE:
                vals = list(map(relative, modifier.data, sample.data))
            document["data"] = {"vals": vals, "uncertainties": list(modifier.data)}
        return document

    def _scalar(self, modifier: Modifier, column: Column) -> Component:
        """Parameter, constraint and data of a modifier with a single parameter."""
        (parameter,) = column.names
        document: Component = {"parameter": parameter}
        if column.kind == "normal" and modifier.type != "lumi":
            document["constraint"] = "Gauss"
        if parameter in self.terms.names:
            document["constraint_name"] = self.terms.names[parameter]
        if modifier.type == "normsys":
            document["data"] = {key: modifier.data[key] for key in ("lo", "hi")}
        elif modifier.type == "histosys":
            shapes = {key: list(modifier.data[f"{key}_data"]) for key in ("lo", "hi")}
            document["data"] = {key: {"contents": shapes[key]} for key in shapes}
        return document

    def _constraints(
        self, modifier: Modifier, column: Column, names: Sequence[str]
    ) -> Component:
        """The kind of the terms of bins, and the terms if they are written."""
        document = _both_keys(_TYPES.get(column.kind))
        terms = [self.terms.names.get(name) for name in names]
        if any(terms) or modifier.type == "shapesys" or not column.kind:
            document["constraints"] = terms
        return document


def _both_keys(kind: str | None) -> Component:
    """A kind of constraint: ROOT 6.30 reads the first key, 6.34 the second."""
    return {"constraint": kind, "constraint_type": kind} if kind else {}
