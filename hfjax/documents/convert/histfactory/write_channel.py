"""Write a channel as HistFactory XML, and its histograms."""

import math
from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement

from hfjax.documents.convert.histfactory.export import Export, decimal, relative_to
from hfjax.documents.convert.root_names import STATERROR
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.channel import Channel, Modifier, Sample

_TYPES = {"normal": "Gaussian", "poisson": "Poisson", "gamma": "Poisson"}


class ChannelWriter:
    """Writes a channel.

    Attributes:
        export: What is written, and what is kept on the way.
        channel: The channel.
        pointer: JSON pointer to it.
    """

    def __init__(self, export: Export, channel: Channel, pointer: str) -> None:
        self.export = export
        self.channel = channel
        self.pointer = pointer
        self._staterror = export.staterrors.get(channel.name)

    def element(self, data_file: str) -> Element:
        """Return the Channel, and keep its histograms.

        Args:
            data_file: the ROOT file, as the XML names it.
        """
        attributes = {"Name": self.channel.name, "InputFile": data_file}
        root = Element("Channel", attributes | {"HistoPath": ""})
        observed = self.export.workspace.observation(self.channel.name).data
        SubElement(root, "Data", {"HistoName": self._keep("data", observed)})
        root.extend(self._staterror_config())
        for index, sample in enumerate(self.channel.samples):
            root.append(self._sample(sample, f"{self.pointer}/samples/{index}"))
        return root

    def _keep(
        self, label: str, values: Sequence[Number], errors: Sequence[Number] = ()
    ) -> str:
        return self.export.keep_histogram(self.channel, label, values, errors)

    def _staterror_config(self) -> Iterable[Element]:
        if self._staterror is None:
            return
        if self._staterror != STATERROR + self.channel.name:
            what = f"the name {self._staterror!r} in channel {self.channel.name!r}"
            self.export.remarks.lost("staterror-name", self.pointer, what)
        config = self.export.first.parameter(self._staterror)
        threshold = config.threshold if config and config.threshold else 0.0
        kind = self.export.parameters[self._staterror].constraint(config)
        attributes = {"RelErrorThreshold": decimal(threshold, self.pointer)}
        attributes["ConstraintType"] = _TYPES.get(kind, "Gaussian")
        yield Element("StatErrorConfig", attributes)

    def _sample(self, sample: Sample, pointer: str) -> Element:
        errors: tuple[Number, ...] = ()
        scaled = any(modifier.type == "lumi" for modifier in sample.modifiers)
        children = []
        for index, modifier in enumerate(sample.modifiers):
            place = f"{pointer}/modifiers/{index}"
            if modifier.type == "staterror" and modifier.name == self._staterror:
                errors = modifier.data
            children += self._modifier(modifier, sample, place)
        attributes = {
            "Name": sample.name,
            "HistoName": self._keep(sample.name, sample.data, errors),
            "NormalizeByTheory": str(scaled),
        }
        element = Element("Sample", attributes)
        element.extend(children)
        return element

    def _modifier(
        self, modifier: Modifier, sample: Sample, pointer: str
    ) -> list[Element]:
        """The element of a modifier, without its name; none for lumi."""
        writers = {
            "histosys": self._histosys,
            "lumi": _nothing,
            "normfactor": self._normfactor,
            "normsys": _normsys,
            "shapefactor": _shapefactor,
            "shapesys": self._shapesys,
            "staterror": self._staterror_element,
        }
        elements = writers[modifier.type](modifier, sample, pointer)
        for element in elements:
            if element.tag != "StatError":  # which is named after its channel
                element.set("Name", modifier.name)
        return elements

    def _staterror_element(
        self, modifier: Modifier, sample: Sample, pointer: str
    ) -> list[Element]:
        """A StatError, whose uncertainties are those of the sample's histogram."""
        del sample
        if modifier.name == self._staterror:
            return [Element("StatError", {"Activate": "True"})]
        self.export.remarks.lost("staterror", pointer, f"staterror {modifier.name!r}")
        return []

    def _histosys(
        self, modifier: Modifier, sample: Sample, pointer: str
    ) -> list[Element]:
        del pointer
        label = f"{sample.name}_{modifier.name}"
        low = self._keep(f"{label}_low", modifier.data["lo_data"])
        high = self._keep(f"{label}_high", modifier.data["hi_data"])
        return [Element("HistoSys", {"HistoNameLow": low, "HistoNameHigh": high})]

    def _normfactor(
        self, modifier: Modifier, sample: Sample, pointer: str
    ) -> list[Element]:
        del sample
        parameter = self.export.parameters[modifier.name]
        config = self.export.first.parameter(modifier.name)
        low, high = parameter.bounds(config)[0]
        numbers = {"Val": parameter.inits(config)[0], "Low": low, "High": high}
        attributes = {key: decimal(value, pointer) for key, value in numbers.items()}
        return [Element("NormFactor", attributes)]

    def _shapesys(
        self, modifier: Modifier, sample: Sample, pointer: str
    ) -> list[Element]:
        config = self.export.first.parameter(modifier.name)
        kind = self.export.parameters[modifier.name].constraint(config)
        relative = self._relative(modifier, sample, f"{pointer}/data")
        attributes = {
            "HistoName": self._keep(f"{sample.name}_{modifier.name}", relative),
            "ConstraintType": _TYPES.get(kind, "Poisson"),
        }
        return [Element("ShapeSys", attributes)]

    def _relative(
        self, modifier: Modifier, sample: Sample, pointer: str
    ) -> list[float]:
        """The uncertainties of a sample's bins relative to their events."""
        found = []
        pairs = zip(modifier.data, sample.data, strict=True)
        for index, (value, base) in enumerate(pairs):
            found.append(relative_to(value, base))
            if not math.isclose(found[-1] * base, value, rel_tol=1e-12):
                what = f"uncertainty {value} of {base} events"
                place = f"{pointer}/{index}"
                self.export.remarks.lost("relative-uncertainty", place, what)
        return found


def _normsys(modifier: Modifier, sample: Sample, pointer: str) -> list[Element]:
    del sample
    low, high = (decimal(modifier.data[key], pointer) for key in ("lo", "hi"))
    return [Element("OverallSys", {"Low": low, "High": high})]


def _shapefactor(modifier: Modifier, sample: Sample, pointer: str) -> list[Element]:
    del modifier, sample, pointer
    return [Element("ShapeFactor")]


def _nothing(modifier: Modifier, sample: Sample, pointer: str) -> list[Element]:
    """A lumi modifier is an attribute of its sample."""
    del modifier, sample, pointer
    return []
