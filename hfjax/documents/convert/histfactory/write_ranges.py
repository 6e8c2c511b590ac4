"""Write ranges of parameters: which ROOT changes, and which hfjax leaves for itself."""

from collections.abc import Iterator, Sequence
from typing import Any

from hfjax.documents.convert.histfactory.export import (
    Export,
    ExportedParameter,
    lists_of,
)
from hfjax.documents.convert.histfactory.ranges import (
    Range,
    read_ranges,
    relative_uncertainties,
    root_ranges,
    same_range,
    same_ranges,
)
from hfjax.documents.convert.root_names import STATERROR
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.measurement import Measurement, ParameterConfig


def write_ranges(
    export: Export, measurement: Measurement, pointer: str
) -> dict[str, list[list[Number]]]:
    """Return the ranges that the file has for hfjax, and tell which ROOT changes.

    Args:
        export: what is written; gets the remarks.
        measurement: the measurement.
        pointer: JSON pointer to it.
    """
    relatives = relative_uncertainties([c.dump() for c in export.workspace.channels])
    kept: dict[str, list[list[Number]]] = {}
    lumi = ExportedParameter("lumi", frozenset({"lumi"}), {})  # in all XML files
    for parameter in ({"lumi": lumi} | dict(export.parameters)).values():
        config = measurement.parameter(parameter.name)
        if parameter.root_names and not (config and config.expression):
            widths = _of_written_bins(export, parameter, relatives)
            found = _Ranges(export, measurement, pointer, parameter, config)
            kept |= found.compare(widths)
    return kept


def _of_written_bins(
    export: Export, parameter: ExportedParameter, relatives: dict[str, list[float]]
) -> list[float]:
    """The relative uncertainties of the bins that ROOT has, as it orders them."""
    size = len(parameter.root_names)
    found = relatives.get(parameter.name, [0.0] * size)
    if len(found) == size:
        return found
    channels = [c.dump() for c in export.workspace.channels if c.name in parameter.bins]
    return relative_uncertainties(channels)[parameter.name]


class _Ranges:
    """The ranges of a parameter set in a measurement."""

    def __init__(
        self,
        export: Export,
        measurement: Measurement,
        pointer: str,
        parameter: ExportedParameter,
        config: ParameterConfig | None,
    ) -> None:
        self.export = export
        self.measurement = measurement
        self.pointer = pointer
        self.parameter = parameter
        self.config = config

    def compare(self, relatives: Sequence[float]) -> dict[str, list[list[Number]]]:
        """Tell where ROOT's ranges are others; return those that would not come back.

        Args:
            relatives: of a set of bins, the relative uncertainty of each.
        """
        parameter = self.parameter
        if parameter.kind == "lumi" and (not self.config or not self.config.auxdata):
            return {}
        own = [(low, high) for low, high in parameter.bounds(self.config)]
        root = root_ranges(parameter.kinds, self._entry(), relatives)
        if len(own) != len(root):
            self._lost(own)
            return {}
        self._tell(own, root, relatives)
        if same_ranges(own, read_ranges(parameter.kinds, root)):
            return {}
        return dict(self._written(own))

    def _entry(self) -> dict[str, Any]:
        """What the XML says of the set."""
        parameter, first = self.parameter, self.export.first
        if parameter.kind == "normfactor":
            told = first.parameter(parameter.name)
            return {"bounds": lists_of(parameter.bounds(told))}
        entry: dict[str, Any] = {"constraint": parameter.constraint(self.config)}
        for key in ("auxdata", "sigmas"):
            if self.config and getattr(self.config, key):
                entry[key] = getattr(self.config, key)
        return entry

    def _tell(
        self, own: list[Range], root: list[Range], relatives: Sequence[float]
    ) -> None:
        """Say what ROOT makes of the ranges, of those that a fit can feel."""
        config = self.config
        threshold = (config and config.threshold) or 0.0
        fixed = [r <= 0 or r < threshold for r in relatives]
        if self.parameter.kind not in ("shapesys", "staterror"):
            fixed = [False] * len(own)
        changed = [
            index
            for index, pair in enumerate(zip(own, root, strict=True))
            if not (fixed[index] or (config and config.fixed) or same_range(*pair))
        ]
        if not changed:
            return
        default = [(low, high) for low, high in self.parameter.bounds(None)]
        if self.parameter.kind != "lumi" and not same_ranges(own, default):
            self._lost(own)
        first, name = changed[0], self.parameter.name
        shown = repr(name) if len(own) == 1 else f"bin {first} of {name!r}"
        what = f"{shown} has {_shown(own[first])}, in ROOT {_shown(root[first])}"
        if len(changed) > 1:
            what += f", and {len(changed) - 1} more bins"
        self.export.remarks.noted("range", self._place(), what)

    def _lost(self, own: list[Range]) -> None:
        what = f"{[list(pair) for pair in own]} of {self.parameter.name!r}"
        self.export.remarks.lost("bounds", self._place(), what)

    def _place(self) -> str:
        """Pointer to the bounds, or to the measurement that has none."""
        for index, config in enumerate(self.measurement.parameters):
            if config is self.config and config.bounds is not None:
                return f"{self.pointer}/config/parameters/{index}/bounds"
        return self.pointer

    def _written(self, own: list[Range]) -> Iterator[tuple[str, list[list[Number]]]]:
        """The ranges by the names that the sets have when they come back."""
        if self.parameter.kind != "staterror":
            yield self.parameter.name, lists_of(own)
            return
        start = 0
        for channel, size in sorted(self.parameter.bins.items()):
            yield STATERROR + channel, lists_of(own[start : start + size])
            start += size


def _shown(pair: Range) -> str:
    return f"[{pair[0]:g}, {pair[1]:g}]"
