"""Where HistFactory XML finds its histograms, and what else a channel is read with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hfjax.documents.convert.loss_report import Remarks
from hfjax.documents.convert.root_histograms import Histogram, RootFiles
from hfjax.documents.convert.xml import XmlElement
from hfjax.errors import SpecificationError

Object = dict[str, Any]
"""A JSON object."""

_KINDS = {"Gaussian": "normal", "Gauss": "normal"} | {
    "Poisson": "poisson",
    "Pois": "poisson",
}


DEFAULTS: dict[str, tuple[Any, Any]] = {
    "normalize-by-theory": (False, True),
    "shapesys-constraint": ("poisson", "normal"),
    "staterror-constraint": ("normal", "poisson"),
    "staterror-threshold": (0.0, 0.05),
}
"""What is not stated, as pyhf reads it and as ROOT does, by the kind of the note."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where histograms are looked for.

    Attributes:
        file: The ROOT file, as the XML names it.
        path: The folder in it.
    """

    file: str = ""
    path: str = ""

    def within(self, element: XmlElement) -> "Location":
        """Return where an element looks, which inherits what it does not say."""
        path = element.attributes.get("HistoPath", self.path)
        return located(element.get("InputFile", self.file), path)


def located(file: str, path: str) -> Location:
    """Return where histograms are; a path may begin with a file, as ROOT knows it.

    >>> located("", "data.root:/SR/")
    Location(file='data.root', path='/SR/')
    """
    inner, colon, folder = path.partition(".root:")
    return Location(f"{inner}.root", folder) if colon else Location(file, path)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a channel is read with.

    Attributes:
        files: The open ROOT files.
        resolve: Makes a path of a file's name in the XML.
        remarks: Gets what is lost or assumed.
        bins: First bin and bin after the last that are read; None for all.
        root_defaults: Whether what is not stated is read as ROOT does.
    """

    files: RootFiles
    resolve: Callable[[str], Path]
    remarks: Remarks
    bins: tuple[int, int | None] | None = None
    root_defaults: bool = False

    def histogram(self, element: XmlElement, name: str, where: Location) -> Histogram:
        """Read a histogram that an element names.

        Raises:
            SpecificationError: No file is named, or the histogram cannot be read.
        """
        if not where.file:
            element.refuse("no InputFile is named here or in what this is in")
        folder = where.path.strip("/")
        places = [f"{folder}/{name}" if folder else name, name]
        try:
            found, place = self.files.read(self.resolve(where.file), places)
        except SpecificationError as error:
            element.refuse(str(error))
        if place != places[0]:
            what = f"{name!r} is not in folder {folder!r} of {where.file}"
            self.remarks.noted("path", element.place, what)
        return self._selected(element, name, found)

    def default(self, element: XmlElement, kind: str, attribute: str) -> Any:
        """Return what an attribute means that is not stated, and note that.

        Args:
            element: the element without the attribute.
            kind: the kind of the note, one of `DEFAULTS`.
            attribute: its name.
        """
        plain, root = DEFAULTS[kind]
        if not self.root_defaults:
            self.remarks.noted(kind, element.place, f"no {attribute}")
        return root if self.root_defaults else plain

    def _selected(self, element: XmlElement, name: str, found: Histogram) -> Histogram:
        if len(found.edges) > 1:
            shape = " x ".join(str(len(axis) - 1) for axis in found.edges)
            what = f"{name!r} has {shape} bins"
            self.remarks.lost("dimensions", element.place, what)
            return found
        if self.bins is None:
            return found
        cut = found.cut(*self.bins)
        if not cut.values:
            low, high = self.bins
            message = (
                f"BinLow={low} and BinHigh={high} leave nothing of {name!r}, which has "
                f"{len(found.values)} bins: correct or remove them"
            )
            element.refuse(message)
        return cut


def constraint_kind(element: XmlElement) -> str:
    """Return the kind of constraint terms that an element's ConstraintType names.

    Raises:
        SpecificationError: There is no such kind.

    >>> constraint_kind(XmlElement("ShapeSys", {"ConstraintType": "Gauss"}))
    'normal'
    """
    text = element.need("ConstraintType")
    if text not in _KINDS:
        element.refuse(f"ConstraintType={text!r} is neither Gaussian nor Poisson")
    return _KINDS[text]
