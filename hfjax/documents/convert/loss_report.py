"""What a conversion between JSON, HistFactory XML and HS3 could not carry.

A *loss* is something that one document says and the other does not. A *note* is what
was taken where the first left something open, or where ROOT would read it otherwise.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from hfjax.documents.reading.json_files import Source, naming, read_json
from hfjax.documents.reading.json_values import Number
from hfjax.documents.reading.schema import validate
from hfjax.errors import SpecificationError

SCHEMA = "loss-report-1.0.0.json"
"""The JSON Schema of the report, in `schemas/`."""

_NONE = "none for the likelihood"

LOSSES: dict[str, tuple[str, str]] = {
    "additional-data": (
        "a workspace has one observation for each channel",
        "the data set is not there; the first one of the channel is",
    ),
    "analysis": (
        "a workspace has one set of observations and channels",
        "none for the likelihood: the measurement is not there",
    ),
    "asimov-data": ("a workspace has observed data only", "the data set is not there"),
    "attribute": ("HistFactory has no such attribute here", "it has no effect"),
    "auxdata": (
        "HistFactory XML has no auxiliary data but the luminosity",
        "the constraint term is centred at its default",
    ),
    "bin-range": (
        "all measurements of a workspace share one-dimensional channels",
        "all bins are kept",
    ),
    "bounds": (
        "HistFactory XML has bounds of a NormFactor only, for all measurements",
        "ROOT gives the parameter its own range, or that of the first measurement; "
        "hfjax, which leaves the bounds in the file for itself, reads them",
    ),
    "conflict": (
        "a workspace has one value and range of a parameter",
        "the first one is kept, as ROOT does",
    ),
    "constraint": (
        "HistFactory XML has Gaussian and Poisson terms of bins, and Gamma, LogNormal "
        "and Uniform ones of systematics",
        "the likelihood has the default constraint term",
    ),
    "dimensions": (
        "channels of a workspace have one dimension",
        "none for the likelihood: the bins follow one another in ROOT's order",
    ),
    "expression": (
        "the format has no parameters that are functions of others",
        "the parameter is free: the likelihood is another one",
    ),
    "extension": (
        "a plain workspace of version 1.0.0 cannot say it",
        "the likelihood has the default constraint term, and no threshold",
    ),
    "factors": (
        "HistFactory XML has no factors of Poisson constraint terms",
        "the constraint term has its default factor",
    ),
    "histofactor": ("HistFactory itself ignores it", "it has no effect"),
    "inits": (
        "their number is not that of the parameters",
        "the parameters start at their default",
    ),
    "lumi": (
        "HistFactory XML has one luminosity, with a relative uncertainty",
        "the luminosity is 1 with no uncertainty",
    ),
    "measurement": (
        "HistFactory XML says it once for all measurements",
        "what the first measurement says holds for all",
    ),
    "metadata": ("a workspace has no place for it", _NONE),
    "name": (
        "HistFactory separates names in a text by blanks",
        "what is said of the parameter is not there",
    ),
    "observation": ("a channel of that name does not exist", _NONE),
    "part-constant": (
        "a workspace fixes all components of a parameter, or none",
        "none is fixed",
    ),
    "poi": (
        "a measurement of a workspace has one parameter of interest",
        "the first one is kept",
    ),
    "prior": ("a workspace has no place for it", _NONE),
    "relative-uncertainty": (
        "HistFactory takes the uncertainty relative to the sample's events",
        "none for the likelihood: such a bin of a shapesys has no constraint term",
    ),
    "sigmas": (
        "HistFactory XML has no widths but relative uncertainties of Gamma and "
        "LogNormal terms and of the luminosity",
        "the constraint term has its default width",
    ),
    "staterror": (
        "HistFactory has one staterror in a channel",
        "the likelihood lacks the modifier",
    ),
    "staterror-name": (
        "HistFactory names a staterror after its channel",
        "none for the likelihood: the parameters are called staterror_<channel>",
    ),
    "switched-off": (
        "ROOT leaves out the OverallSys of the name and keeps its HistoSys; a "
        "workspace has one parameter for both",
        "the OverallSys has its effect: the likelihood is another one",
    ),
    "unknown-bins": (
        "no modifier has the parameter, so how many bins it has is not known",
        _NONE,
    ),
    "unused-parameter": ("no modifier has the parameter", _NONE),
}
"""Every kind of loss: why, and what follows."""

NOTES: dict[str, tuple[str, str]] = {
    "activate": ("StatError without Activate is inactive, as in ROOT", "no staterror"),
    "bin-range": (
        "all bins are kept, as ROOT and pyhf do whatever BinLow and BinHigh are",
        "--select-bins takes only those bins",
    ),
    "composed": (
        "modifiers of one type and name on a sample are one: factors are multiplied, "
        "shifts added",
        "none for shifts; the product of factors is interpolated inside one standard "
        "deviation, which differs from the product of interpolated factors: by 1e-3 at "
        "most for two of 20 %, by more for larger ones",
    ),
    "constraint-term": (
        "it is the term of a HistoSys as well; one of another parameter is not read",
        "ROOT knows the term for an OverallSys only",
    ),
    "edges": (
        "the edges of the channel's first sample are taken",
        "none for the likelihood",
    ),
    "function-setting": (
        "a function gives the parameter",
        "the setting has no effect, as in ROOT",
    ),
    "lumi-known": (
        "a luminosity without uncertainty is fixed",
        "ROOT lets it float without a constraint unless a ParamSetting fixes it; pyhf "
        "has no likelihood",
    ),
    "normalize-by-theory": (
        "a sample that does not say it has no lumi modifier, as in pyhf",
        "ROOT scales the sample with Lumi; --root-defaults reads it so",
    ),
    "normfactor-const": (
        "Const of a NormFactor fixes it, as in pyhf",
        "current versions of ROOT ignore it",
    ),
    "path": (
        "the histogram is not in the folder that HistoPath names, but at the top",
        "ROOT would not find it",
    ),
    "range": (
        "HistFactory XML has the range of a NormFactor only, once for all measurements",
        "ROOT takes its own range; hfjax reads that of the workspace, which it leaves "
        "in the file where it would come back as another one",
    ),
    "shapesys-constraint": (
        "a ShapeSys that does not say it has Poisson constraint terms, as in pyhf",
        "ROOT takes Gaussian ones; --root-defaults reads it so",
    ),
    "staterror-constraint": (
        "a channel that does not say it has Gaussian staterrors, as in pyhf",
        "ROOT takes Poisson ones since 6.22; --root-defaults reads it so",
    ),
    "staterror-threshold": (
        "a channel that does not say it has staterrors in all bins, as in pyhf",
        "ROOT leaves those below 0.05 away; --root-defaults reads it so",
    ),
    "no-poi": ("the measurement has no parameter of interest", "ROOT asks for one"),
    "switched-off": (
        "ROOT leaves the OverallSys out; its parameter is fixed where it has no effect",
        "only a constant",
    ),
    "unknown-parameter": ("no modifier has the parameter", _NONE),
}
"""Every kind of note: what was taken, and what follows."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One loss or note.

    Attributes:
        kind: One of `LOSSES` or `NOTES`.
        place: Where: file, line and element of XML, or a JSON pointer.
        what: What is lost, or not said.
        why: The reason, or what was taken instead.
        consequence: What follows for the likelihood.
    """

    kind: str
    place: str
    what: str
    why: str
    consequence: str


@dataclass(frozen=True, slots=True)
class LossReport:
    """What a conversion lost and what it assumed.

    Attributes:
        direction: From what to what: "json", "xml" and "hs3" with a 2 between them.
        losses: What the one document says and the other does not.
        notes: What was taken where something was left open.
        binning: The edges of the bins of each channel, which JSON has no place for.
    """

    direction: str
    losses: tuple[Remark, ...] = ()
    notes: tuple[Remark, ...] = ()
    binning: dict[str, tuple[Number, ...]] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        """Return the JSON object, as `schemas/loss-report-1.0.0.json` describes it.

        >>> LossReport("json2xml").dump()
        {'direction': 'json2xml', 'losses': [], 'notes': [], 'binning': {}}
        """
        return {
            "direction": self.direction,
            "losses": [asdict(remark) for remark in self.losses],
            "notes": [asdict(remark) for remark in self.notes],
            "binning": {name: list(edges) for name, edges in self.binning.items()},
        }

    def summary(self) -> tuple[str, ...]:
        """Return one line for each kind of loss, then one for each kind of note.

        >>> lost = Remark("bounds", "/a", "[-1, 1] of jes", *LOSSES["bounds"])
        >>> LossReport("json2xml", (lost,)).summary()
        ('lost bounds: [-1, 1] of jes at /a',)
        """
        return (*_lines("lost", self.losses), *_lines("note on", self.notes))

    def refuse_losses(self) -> None:
        """Refuse a conversion that loses anything.

        Raises:
            SpecificationError: There is a loss; the message has the first of them.
        """
        if self.losses:
            more = len(self.losses) - 1
            rest = f", and {more} more" if more else ""
            first = _lines("lost", self.losses[:1])[0]
            message = f"the conversion would lose something: {first}{rest}"
            raise SpecificationError(message)


class Remarks:
    """Collects losses and notes during a conversion.

    >>> remarks = Remarks()
    >>> remarks.lost("bounds", "/measurements/0/config/parameters/2", "[-1, 1] of jes")
    >>> remarks.report("json2xml").losses[0].consequence
    'ROOT gives the parameter its own range, or that of the first measurement; hfjax, \
which leaves the bounds in the file for itself, reads them'
    """

    def __init__(self) -> None:
        self._losses: list[Remark] = []
        self._notes: list[Remark] = []

    def lost(self, kind: str, place: str, what: str) -> None:
        """Keep a loss, of a kind that `LOSSES` has."""
        self._losses.append(Remark(kind, place, what, *LOSSES[kind]))

    def noted(self, kind: str, place: str, what: str) -> None:
        """Keep a note, of a kind that `NOTES` has."""
        self._notes.append(Remark(kind, place, what, *NOTES[kind]))

    def report(
        self, direction: str, binning: dict[str, tuple[Number, ...]] | None = None
    ) -> LossReport:
        """Return what was collected, each remark once."""
        losses = tuple(dict.fromkeys(self._losses))
        notes = tuple(dict.fromkeys(self._notes))
        return LossReport(direction, losses, notes, binning or {})


def load_binning(source: Source) -> dict[str, tuple[Number, ...]]:
    """Read the edges of the bins of channels from a report of `hfjax xml2json`.

    Raises:
        SpecificationError: It cannot be read, or is no such report.

    >>> import io, json
    >>> report = LossReport("xml2json", binning={"SR": (0, 50, 100)})
    >>> load_binning(io.StringIO(json.dumps(report.dump())))
    {'SR': (0, 50, 100)}
    """
    document = read_json(source)
    with naming(source):
        validate(document, SCHEMA)
    return {name: tuple(edges) for name, edges in document["binning"].items()}


def _lines(word: str, remarks: tuple[Remark, ...]) -> list[str]:
    counts = Counter(remark.kind for remark in remarks)
    first = {remark.kind: remark for remark in reversed(remarks)}
    return [
        f"{word} {kind}{f' ({count} times)' if count > 1 else ''}: "
        f"{first[kind].what} at {first[kind].place}"
        for kind, count in counts.items()
    ]
