"""The elements and attributes of HistFactory XML, and a check against them."""

from hfjax.documents.convert.histfactory.read_functions import TAGS
from hfjax.documents.convert.loss_report import Remarks
from hfjax.documents.convert.xml import XmlElement

_LOCATION = ("InputFile", "HistoPath", "HistoName")

ELEMENTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Combination": (
        ("OutputFilePrefix", "Mode"),
        (*TAGS, "Input", "Measurement"),
    ),
    "Input": ((), ()),
    "Measurement": (
        *(("Name", "Lumi", "LumiRelErr", "BinLow", "BinHigh", "Mode", "ExportOnly"),),
        ("POI", "ParamSetting", "ConstraintTerm", "Asimov", *TAGS),
    ),
    **dict.fromkeys(TAGS, (("Name", "Expression", "Dependents"), ())),
    "POI": ((), ()),
    "ParamSetting": (("Val", "Const"), ()),
    "ConstraintTerm": (("Type", "RelativeUncertainty"), ()),
    "Asimov": (("Name", "FixParams"), ()),
    "Channel": (("Name", *_LOCATION), ("Data", "StatErrorConfig", "Sample")),
    "Data": (("Name", *_LOCATION), ()),
    "StatErrorConfig": (("RelErrorThreshold", "ConstraintType"), ()),
    "Sample": (
        ("Name", "NormalizeByTheory", *_LOCATION),
        (
            *("NormFactor", "OverallSys", "HistoSys", "HistoFactor"),
            *("ShapeSys", "ShapeFactor", "StatError"),
        ),
    ),
    "NormFactor": (("Name", "Val", "Low", "High", "Const"), ()),
    "OverallSys": (("Name", "Low", "High"), ()),
    "HistoSys": (
        (
            *("Name", "InputFile"),
            *("HistoFileLow", "InputFileLow", "HistoPathLow", "HistoNameLow"),
            *("HistoFileHigh", "InputFileHigh", "HistoPathHigh", "HistoNameHigh"),
        ),
        (),
    ),
    "ShapeSys": (("Name", "ConstraintType", *_LOCATION), ()),
    "ShapeFactor": (("Name", "Const", *_LOCATION), ()),
    "StatError": (("Activate", "HistoFile", *_LOCATION), ()),
}
"""Of each element that is read: its attributes, and the elements it may have in it."""


def check_elements(element: XmlElement, remarks: Remarks) -> None:
    """Check an element and all in it against the elements that are known.

    Args:
        element: an outermost element.
        remarks: gets what has no effect: unknown attributes, HistoFactor elements.

    Raises:
        UnknownNameError: An element is not known where it is.
    """
    attributes, inside = ELEMENTS[element.tag]
    for name in element.attributes:
        if name not in attributes:
            remarks.lost("attribute", element.place, f"attribute {name}")
    element.refuse_unknown(inside)
    for child in element.children:
        if child.tag == "HistoFactor":
            remarks.lost("histofactor", child.place, "the HistoFactor")
        else:
            check_elements(child, remarks)
