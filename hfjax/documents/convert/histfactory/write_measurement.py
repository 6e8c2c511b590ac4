"""Write a measurement as HistFactory XML."""

from xml.etree.ElementTree import Element, SubElement

from hfjax.documents.convert.histfactory.export import (
    Export,
    ExportedParameter,
    decimal,
    relative_to,
)
from hfjax.documents.convert.histfactory.write_ranges import write_ranges
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.measurement import Measurement, ParameterConfig

_TERMS = {
    "gamma": "Gamma",
    "poisson": "Gamma",
    "lognormal": "LogNormal",
    "none": "Uniform",
}
_INTERPOLATED = ("normsys", "histosys")
_OF_BINS = ("shapesys", "staterror")
_BIN_TERMS = ("normal", "poisson", "gamma")


class MeasurementWriter:
    """Writes a measurement.

    Attributes:
        export: What is written, and what is kept on the way.
        measurement: The measurement.
        pointer: JSON pointer to it.
    """

    def __init__(self, export: Export, measurement: Measurement, pointer: str) -> None:
        self.export = export
        self.measurement = measurement
        self.pointer = pointer
        self._constant: list[str] = []
        self._values: dict[float, list[str]] = {}
        self._terms: dict[tuple[str, float], list[str]] = {}

    def element(self) -> Element:
        """Return the Measurement."""
        root = Element("Measurement", {"Name": self.measurement.name} | self._lumi())
        root.set("ExportOnly", "True")
        SubElement(root, "POI").text = self._poi()
        ranges = write_ranges(self.export, self.measurement, self.pointer)
        self.export.ranges[self.measurement.name] = ranges
        for index, config in enumerate(self.measurement.parameters):
            self._entry(config, f"{self.pointer}/config/parameters/{index}")
        self._shared_settings()
        if self._constant:
            _names(root, "ParamSetting", {"Const": "True"}, self._constant)
        for value, names in self._values.items():
            _names(root, "ParamSetting", {"Val": decimal(value, self.pointer)}, names)
        for (kind, relative), names in self._terms.items():
            attributes = {"Type": kind}
            attributes["RelativeUncertainty"] = decimal(relative, self.pointer)
            _names(root, "ConstraintTerm", attributes, names)
        return root

    def _lost(self, kind: str, pointer: str, what: str) -> None:
        self.export.remarks.lost(kind, pointer, what)

    def _poi(self) -> str:
        poi = self.measurement.poi
        if not poi:
            self.export.remarks.noted("no-poi", self.pointer, "no poi")
        return poi

    def _lumi(self) -> dict[str, str]:
        """The luminosity; constant at 1 where the measurement has none."""
        config = self.measurement.parameter("lumi")
        nominal, sigma = (config.auxdata, config.sigmas) if config else (None, None)
        if nominal and sigma and nominal[0] > 0:
            relative = relative_to(sigma[0], nominal[0])
            lumi = decimal(nominal[0], self.pointer)
            return {"Lumi": lumi, "LumiRelErr": decimal(relative, self.pointer)}
        parameter = self.export.parameters.get("lumi")
        if parameter is not None and parameter.kind == "lumi":
            self._lost("lumi", self.pointer, f"auxdata {nominal}, sigmas {sigma}")
        if parameter is None or parameter.kind == "lumi":
            self._constant.append("Lumi")
        return {"Lumi": "1.0", "LumiRelErr": "0.0"}

    def _entry(self, config: ParameterConfig, pointer: str) -> None:
        parameter = self.export.parameters.get(config.name)
        if config.expression is not None:
            what = f"{config.expression!r} of {config.name!r}"
            self._lost("expression", f"{pointer}/expression", what)
        elif config.name == "lumi" and (parameter is None or parameter.kind == "lumi"):
            self._lumi_entry(config, pointer)
        elif parameter is None:
            what = f"settings of {config.name!r}"
            self._lost("unused-parameter", pointer, what)
        elif config.name != "".join(config.name.split()):
            self._lost("name", pointer, f"settings of {config.name!r}")
        else:
            self._state(config, parameter, pointer)
            self._constraint(config, parameter, pointer)

    def _lumi_entry(self, config: ParameterConfig, pointer: str) -> None:
        parameter = ExportedParameter("lumi", frozenset({"lumi"}), {})
        if config.fixed and "Lumi" not in self._constant:
            self._constant.append("Lumi")
        lumi = (config.auxdata or (1.0,))[0]
        if config.inits is not None and config.inits[0] != lumi:
            self._values.setdefault(float(config.inits[0]), []).append("Lumi")
        if parameter.constraint(config) != "normal":
            what = f"{config.constraint} of 'lumi'"
            self._lost("constraint", f"{pointer}/constraint", what)
        self._check_list(config, "factors", None, pointer)

    def _state(
        self, config: ParameterConfig, parameter: ExportedParameter, pointer: str
    ) -> None:
        """Which parameters are constant, and where those that are not free start."""
        names = parameter.root_names
        if config.fixed:
            self._constant += names
        if config.inits is None or parameter.kind == "normfactor":
            return
        if len(config.inits) != len(names):
            what = f"{len(config.inits)} inits of {config.name!r}"
            self._lost("inits", f"{pointer}/inits", what)
            return
        for name, value in zip(names, config.inits, strict=True):
            if value != parameter.value:
                self._values.setdefault(float(value), []).append(name)

    def _check_list(
        self,
        config: ParameterConfig,
        key: str,
        default: tuple[Number, ...] | None,
        pointer: str,
    ) -> None:
        values = getattr(config, key)
        if values is not None and values != default:
            self._lost(key, f"{pointer}/{key}", f"{list(values)} of {config.name!r}")

    def _constraint(
        self, config: ParameterConfig, parameter: ExportedParameter, pointer: str
    ) -> None:
        kind = parameter.constraint(config)
        size = len(parameter.root_names)
        centre = {"normal": parameter.value, "lognormal": 1.0}.get(kind)
        auxdata = None if centre is None else (centre,) * size
        self._check_list(config, "auxdata", auxdata, pointer)
        self._check_list(config, "factors", None, pointer)
        if parameter.kind in _INTERPOLATED and kind != "normal":
            relative = float((config.sigmas or (1.0,))[0])
            term = (_TERMS[kind], 1.0 if kind == "none" else relative)
            self._terms.setdefault(term, []).append(config.name)
            if "histosys" in parameter.kinds and kind != "none":
                what = f"{kind} of {config.name!r}, a histosys"
                self.export.remarks.noted("constraint-term", pointer, what)
            return
        sigmas = (1.0,) if parameter.kind in _INTERPOLATED else None
        self._check_list(config, "sigmas", sigmas, pointer)
        if parameter.kind in _OF_BINS and kind not in _BIN_TERMS:
            what = f"{kind} of {config.name!r}"
            self._lost("constraint", f"{pointer}/constraint", what)

    def _shared_settings(self) -> None:
        """What the channels' files say for all measurements, and this one otherwise."""
        first = self.export.first
        for name, parameter in self.export.parameters.items():
            own, told = self.measurement.parameter(name), first.parameter(name)
            if parameter.kind == "normfactor":
                value, written = parameter.inits(own)[0], parameter.inits(told)[0]
                if value != written:
                    self._values.setdefault(float(value), []).append(name)
            elif parameter.kind in _OF_BINS:
                stated = [
                    (parameter.constraint(one), one.threshold or 0 if one else 0)
                    for one in (own, told)
                ]
                if stated[0] != stated[1]:
                    what = f"constraint and threshold of {name!r}"
                    self._lost("measurement", self.pointer, what)


def _names(
    root: Element, tag: str, attributes: dict[str, str], names: list[str]
) -> None:
    SubElement(root, tag, attributes).text = " ".join(names)
