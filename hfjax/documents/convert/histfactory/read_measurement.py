"""Read a measurement of HistFactory XML: what it says about parameters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hfjax.documents.convert.histfactory.inputs import Object
from hfjax.documents.convert.histfactory.read_functions import Functions
from hfjax.documents.convert.loss_report import Remarks
from hfjax.documents.convert.root_names import ParameterName, parameter_name
from hfjax.documents.convert.xml import XmlElement

_TERMS = {"Gamma": "gamma", "LogNormal": "lognormal", "Uniform": "none"}
_OFF = ("NoConstraint", "NoSyst")
"""What ROOT calls, in files and in its code, an OverallSys that it leaves out."""

_RELATIVE = ("gamma", "lognormal")
_OF_BINS = ("shapefactor", "shapesys", "staterror")


@dataclass(frozen=True, slots=True)
class KnownParameter:
    """A parameter set that the channels have.

    Attributes:
        kinds: The types of its modifiers.
        size: The number of its components; None for one that is not of bins.
    """

    kinds: frozenset[str]
    size: int | None


def known_parameters(channels: Iterable[Object]) -> dict[str, KnownParameter]:
    """List the parameter sets of channels.

    Args:
        channels: channels as JSON objects.
    """
    found: dict[str, KnownParameter] = {}
    for channel in channels:
        for sample in channel["samples"]:
            for modifier in sample["modifiers"]:
                size = len(sample["data"]) if modifier["type"] in _OF_BINS else None
                new = KnownParameter(frozenset((modifier["type"],)), size)
                name = modifier["name"]
                found[name] = _joined(found[name], new) if name in found else new
    return found


def with_functions(
    known: Mapping[str, KnownParameter], functions: Functions
) -> dict[str, KnownParameter]:
    """Return parameter sets, and those that only functions have.

    Args:
        known: the parameter sets that the channels have.
        functions: the functions.
    """
    names = (*functions.expressions, *functions.dependents)
    free = KnownParameter(frozenset({"normfactor"}), None)
    return dict.fromkeys(names, free) | dict(known)


def _joined(one: KnownParameter, other: KnownParameter) -> KnownParameter:
    sizes = [each.size for each in (one, other) if each.size is not None]
    return KnownParameter(one.kinds | other.kinds, max(sizes, default=None))


class MeasurementReader:
    """Reads a measurement: its parameter of interest, and settings of parameters.

    Attributes:
        element: The Measurement.
        known: The parameter sets that the channels have.
        remarks: Gets what is lost or assumed.
        entries: Settings of each parameter set, filled by `document`.
    """

    def __init__(
        self,
        element: XmlElement,
        settings: Iterable[Object],
        known: Mapping[str, KnownParameter],
        remarks: Remarks,
        functions: Functions,
    ) -> None:
        self.element = element
        self.known = known
        self.remarks = remarks
        own = {found["name"]: dict(found) for found in settings}
        for name, found in functions.dependents.items():
            own[name] = own.get(name, {}) | found
        for name, text in functions.expressions.items():
            own[name] = {"name": name, "expression": text}
        self.entries: dict[str, Object] = {"lumi": self._lumi(), **own}
        self._constant: dict[str, set[int]] = {}

    def document(self) -> Object:
        """Return the measurement as a JSON object.

        Raises:
            SpecificationError: Something is missing, or not what it should be.
        """
        for element in self.element.all("ParamSetting"):
            self._param_setting(element)
        self._fix_whole_sets()
        self._fix_known_lumi()
        for element in self.element.all("ConstraintTerm"):
            self._constraint_term(element)
        for element in self.element.all("Asimov"):
            what = f"Asimov data {element.get('Name')!r}"
            self.remarks.lost("asimov-data", element.place, what)
        config = {"poi": self._poi(), "parameters": list(self.entries.values())}
        return {"name": self.element.need("Name"), "config": config}

    def _lumi(self) -> Object:
        lumi = self.element.number("Lumi")
        relative = self.element.number("LumiRelErr")
        if relative < 0:
            self.element.refuse(f"LumiRelErr={relative:g} is negative")
        sigma = lumi * relative
        return {
            "name": "lumi",
            "auxdata": [lumi],
            "bounds": [[lumi - 5.0 * sigma, lumi + 5.0 * sigma]],
            "inits": [lumi],
            "sigmas": [sigma],
        }

    def _poi(self) -> str:
        found = self.element.all("POI")
        if not found:
            self.element.refuse("has no <POI>: add one, which may be empty")
        text = " ".join(element.text for element in found).strip()
        if not text:
            self.remarks.noted("no-poi", found[0].place, "<POI> is empty")
        names = [text] if text in self.known else text.split()
        for other in names[1:]:
            self.remarks.lost("poi", found[0].place, other)
        return names[0] if names else ""

    def _entry(self, name: str) -> Object:
        """The settings of a parameter set, which what a measurement sets go last."""
        if name != "lumi":
            self.entries[name] = self.entries.pop(name, {"name": name})
        return self.entries[name]

    def _param_setting(self, element: XmlElement) -> None:
        for root_name in element.text.split():
            found = parameter_name(root_name, self.known)
            if "expression" in self.entries.get(found.name, {}):
                self.remarks.noted("function-setting", element.place, root_name)
                continue
            size = self._size(element, root_name, found)
            if found.component is None:
                self._set_all(element, found.name, size)
            elif size is not None:
                self._set_one(element, found.name, found.component, size)

    def _size(
        self, element: XmlElement, root_name: str, found: ParameterName
    ) -> int | None:
        """How many components a set has; None if one that is not of bins."""
        known = self.known.get(found.name)
        size = known.size if known else None
        if found.component is not None and size is None:
            self.remarks.lost("unknown-bins", element.place, root_name)
        elif known is None and found.name != "lumi":
            self.remarks.noted("unknown-parameter", element.place, root_name)
        elif size is not None and (found.component or 0) >= size:
            element.refuse(f"{root_name}: its bins are 0 to {size - 1}")
        return size

    def _set_all(self, element: XmlElement, name: str, size: int | None) -> None:
        entry = self._entry(name)
        if element.get("Const"):
            entry["fixed"] = element.truth("Const", False)
        if element.get("Val"):
            entry["inits"] = [element.number("Val")] * (size or 1)

    def _set_one(
        self, element: XmlElement, name: str, component: int, size: int
    ) -> None:
        if element.truth("Const", False):
            self._constant.setdefault(name, set()).add(component)
        if element.get("Val"):
            entry = self._entry(name)
            inits = list(entry.get("inits", [1.0] * size))
            inits[component] = element.number("Val")
            entry["inits"] = inits

    def _fix_whole_sets(self) -> None:
        for name, components in self._constant.items():
            if len(components) == self.known[name].size:
                self._entry(name)["fixed"] = True
            else:
                what = f"bins {sorted(components)} of {name!r} are constant"
                self.remarks.lost("part-constant", self.element.place, what)

    def _fix_known_lumi(self) -> None:
        lumi = self.entries["lumi"]
        if self.element.number("LumiRelErr") == 0 and "fixed" not in lumi:
            lumi["fixed"] = True
            self.remarks.noted("lumi-known", self.element.place, "LumiRelErr is 0")

    def _constraint_term(self, element: XmlElement) -> None:
        if element.need("Type") in _OFF:
            for name in map(self._term_parameter, element.text.split()):
                self._switch_off(element, name)
            return
        kind = _TERMS.get(element.need("Type"))
        if kind is None:
            element.refuse(
                f"Type={element.get('Type')!r} is no kind of constraint term: there "
                f"are {', '.join((*_TERMS, *_OFF))}"
            )
        setting: Object = {"constraint": kind}
        if kind in _RELATIVE:
            relative = element.number("RelativeUncertainty")
            if relative <= 0:
                element.refuse("RelativeUncertainty is not positive")
            setting["sigmas"] = [relative]
        for name in map(self._term_parameter, element.text.split()):
            if self._takes_term(element, name, kind):
                self._entry(name).update(setting)

    def _switch_off(self, element: XmlElement, name: str) -> None:
        """Hold an OverallSys where it changes nothing, which ROOT leaves out."""
        kinds = self.known[name].kinds if name in self.known else frozenset()
        if kinds == {"normsys"}:
            entry = self._entry(name)
            entry["fixed"] = True
            entry.pop("inits", None)
            self.remarks.noted("switched-off", element.place, name)
        elif "normsys" in kinds:
            self.remarks.lost("switched-off", element.place, name)
        else:
            kind = "constraint-term" if kinds else "unknown-parameter"
            self.remarks.noted(kind, element.place, name)

    def _term_parameter(self, text: str) -> str:
        """The parameter set that a term names: ROOT leaves `alpha_` away there."""
        return text if text in self.known else text.removeprefix("alpha_")

    def _takes_term(self, element: XmlElement, name: str, kind: str) -> bool:
        known = self.known.get(name)
        if known is None:
            self.remarks.noted("unknown-parameter", element.place, name)
            return False
        others = known.kinds - {"normsys"}
        if others == {"histosys"} and kind == "none":  # Uniform, of both in ROOT
            return True
        if others:
            what = f"{name!r} is of type {', '.join(sorted(known.kinds))}"
            self.remarks.noted("constraint-term", element.place, what)
        return others <= {"histosys"}
