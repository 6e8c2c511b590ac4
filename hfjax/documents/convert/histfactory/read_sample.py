"""Read a sample of HistFactory XML: its histogram and its modifiers."""

from typing import Any

from hfjax.documents.convert.histfactory.inputs import (
    Inputs,
    Location,
    Object,
    constraint_kind,
    located,
)
from hfjax.documents.convert.root_names import STATERROR
from hfjax.documents.convert.xml import XmlElement


class SampleReader:
    """Reads a sample: its modifiers, and the settings of parameters in them.

    Attributes:
        element: The Sample.
        inputs: What it is read with.
        where: Where it looks for histograms.
        channel: The name of its channel.
        nominal: Its histogram.
        settings: Settings of parameters, filled by `document`.
    """

    def __init__(
        self, element: XmlElement, inputs: Inputs, where: Location, channel: str
    ) -> None:
        self.element = element
        self.inputs = inputs
        self.where = where.within(element)
        self.channel = channel
        self.settings: list[Object] = []
        name = element.need("HistoName")
        self.nominal = inputs.histogram(element, name, self.where)

    def document(self) -> Object:
        """Return the sample as a JSON object.

        Raises:
            SpecificationError: Something is missing, or not what it should be.
        """
        readers = {
            "NormFactor": self._normfactor,
            "OverallSys": self._normsys,
            "HistoSys": self._histosys,
            "ShapeSys": self._shapesys,
            "ShapeFactor": self._shapefactor,
            "StatError": self._staterror,
        }
        found = [readers[each.tag](each) for each in self.element.all(*readers)]
        return {
            "name": self.element.need("Name"),
            "data": list(self.nominal.values),
            "modifiers": [*self._lumi(), *filter(None, found)],
        }

    def _lumi(self) -> list[Object]:
        if self.element.get("NormalizeByTheory"):
            scaled = self.element.truth("NormalizeByTheory", False)
        else:
            kind = "normalize-by-theory"
            scaled = self.inputs.default(self.element, kind, "NormalizeByTheory")
        return [_modifier("lumi", "lumi")] if scaled else []

    def _normfactor(self, element: XmlElement) -> Object:
        low, high = element.number("Low"), element.number("High")
        found = {"name": element.need("Name"), "bounds": [[low, high]]}
        found["inits"] = [element.number("Val")]
        if element.get("Const"):
            found["fixed"] = element.truth("Const", False)
            if found["fixed"]:
                self.inputs.remarks.noted("normfactor-const", element.place, "Const")
        self.settings.append(found)
        return _modifier("normfactor", element.need("Name"))

    def _normsys(self, element: XmlElement) -> Object:
        data = {"lo": element.number("Low"), "hi": element.number("High")}
        return _modifier("normsys", element.need("Name"), data)

    def _histosys(self, element: XmlElement) -> Object:
        low, high = self._variation(element, "Low"), self._variation(element, "High")
        data = {"lo_data": low, "hi_data": high}
        return _modifier("histosys", element.need("Name"), data)

    def _variation(self, element: XmlElement, side: str) -> list[float]:
        file = element.get("InputFile", self.where.file)
        file = element.get(f"InputFile{side}", file)
        file = element.get(f"HistoFile{side}", file)
        path = element.attributes.get(f"HistoPath{side}", self.where.path)
        name = element.need(f"HistoName{side}")
        found = self.inputs.histogram(element, name, located(file, path))
        return list(found.values)

    def _relative(self, element: XmlElement, where: Location) -> list[float]:
        """Uncertainties of a histogram that has them relative to the nominal."""
        name = element.need("HistoName")
        found = self.inputs.histogram(element, name, where).values
        nominal = self.nominal.values
        if len(found) != len(nominal):
            element.refuse(
                f"{name!r} has {len(found)} bins, its sample has {len(nominal)}"
            )
        return [n * relative for n, relative in zip(nominal, found, strict=True)]

    def _shapesys(self, element: XmlElement) -> Object:
        if element.get("ConstraintType"):
            kind = constraint_kind(element)
        else:
            default = self.inputs.default
            kind = default(element, "shapesys-constraint", "ConstraintType")
        if kind != "poisson":
            self.settings.append({"name": element.need("Name"), "constraint": kind})
        data = self._relative(element, self.where.within(element))
        return _modifier("shapesys", element.need("Name"), data)

    def _shapefactor(self, element: XmlElement) -> Object:
        found: Object = {"name": element.need("Name")}
        if name := element.get("HistoName"):
            shape = self.inputs.histogram(element, name, self.where.within(element))
            found["inits"] = list(shape.values)
        if element.truth("Const", False):
            found["fixed"] = True
        if len(found) > 1:
            self.settings.append(found)
        return _modifier("shapefactor", element.need("Name"))

    def _staterror(self, element: XmlElement) -> Object | None:
        if not element.get("Activate"):
            self.inputs.remarks.noted("activate", element.place, "no Activate")
        if not element.truth("Activate", False):
            return None
        data = list(self.nominal.errors)
        if element.get("HistoName"):
            file = element.get("HistoFile", self.where.file)
            file = element.get("InputFile", file)
            where = located(file, element.get("HistoPath", self.where.path))
            data = self._relative(element, where)
        return _modifier("staterror", STATERROR + self.channel, data)


def _modifier(kind: str, name: str, data: Any = None) -> Object:
    return {"name": name, "type": kind, "data": data}
