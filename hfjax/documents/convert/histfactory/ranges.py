"""Ranges of parameters: those of ROOT, those that are read, those that hfjax leaves.

HistFactory XML states the range of a NormFactor only. ROOT gives the others theirs:

| parameter | in ROOT | by default in a workspace |
|---|---|---|
| ShapeFactor | 0 to 1000 | 0 to 10 |
| ShapeSys, StatError, relative uncertainty `rel` | 0 to 1 + 5 rel | 1e-10 to 10 |
| OverallSys, HistoSys | -5 to 5 | -5 to 5 |
| the same with a Gamma term | -1 / rel to 9 / rel, where `beta` is 0 to 10 | -5 to 5 |
| the same with a LogNormal term, `kappa = 1 + rel` | (kappa^-5 - 1) / rel to \
(kappa^5 - 1) / rel | -5 to 5 |
| Lumi | 0 to 10 times its value | none |

Where the range of a workspace would cut that of ROOT, the one of ROOT is read. A range
that would come back as another one is in the file all the same, in a processing
instruction before its outermost element: ROOT and pyhf pass over it.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from hfjax.documents.convert.histfactory.inputs import Object
from hfjax.documents.convert.xml import XmlElement
from hfjax.documents.parameters.bin_uncertainties import relative_uncertainty
from hfjax.documents.reading.json_values import Number, is_number

Range = tuple[Number, Number]
"""The lowest and the highest value of a parameter."""

Stated = dict[str, dict[str, list[list[Number]]]]
"""By measurement and parameter set: the ranges that hfjax has left in a file."""

INSTRUCTION = "hfjax"
"""The target of the processing instruction with ranges."""

DEFAULTS: dict[str, Range] = {
    "histosys": (-5.0, 5.0),
    "normfactor": (0.0, 10.0),
    "normsys": (-5.0, 5.0),
    "shapefactor": (0.0, 10.0),
    "shapesys": (1e-10, 10.0),
    "staterror": (1e-10, 10.0),
}
"""Ranges in a workspace where a measurement says nothing."""

_SHAPEFACTOR = (0.0, 1000.0)
_DEVIATIONS = 5.0
_LARGEST = 1e50
"""The largest relative uncertainty whose fifth power is still a number."""


def gamma_range(relative: float) -> Range:
    """Return ROOT's range of a factor of a bin with a constraint term.

    Args:
        relative: its relative uncertainty; a bin without one is constant.

    >>> gamma_range(0.1), gamma_range(4.0)
    ((0.0, 1.5), (0.0, 21.0))
    """
    return (0.0, 1.0 + _DEVIATIONS * relative if relative > 0 else 10.0)


def alpha_range(constraint: str, relative: float) -> Range:
    """Return ROOT's range of a parameter that interpolates.

    Args:
        constraint: the kind of its constraint term.
        relative: the relative uncertainty of its `beta`, for the kinds that have one.

    >>> alpha_range("normal", 1.0), alpha_range("gamma", 0.25)
    ((-5.0, 5.0), (-4.0, 36.0))
    >>> low, high = alpha_range("lognormal", 1.0)
    >>> low, high
    (-0.96875, 31.0)
    """
    if constraint in ("gamma", "poisson"):
        return (-1.0 / relative, 9.0 / relative)
    if constraint == "lognormal":
        power = (1.0 + min(relative, _LARGEST)) ** _DEVIATIONS
        return ((1.0 / power - 1.0) / relative, (power - 1.0) / relative)
    return DEFAULTS["normsys"]


def root_ranges(
    kinds: frozenset[str], entry: Mapping[str, Any], relatives: Sequence[float]
) -> list[Range]:
    """Return ROOT's range of each parameter of a set.

    Args:
        kinds: the types of its modifiers.
        entry: what a measurement says of it, with the range of a normfactor, the
            `auxdata` of lumi and the `constraint` and `sigmas` of others.
        relatives: of a set of bins, the relative uncertainty of each.

    >>> root_ranges(frozenset({"shapefactor"}), {}, [0.0, 0.0])
    [(0.0, 1000.0), (0.0, 1000.0)]
    >>> root_ranges(frozenset({"lumi"}), {"auxdata": [2.0]}, [])
    [(0.0, 20.0)]
    """
    if "normfactor" in kinds:
        return [tuple(entry.get("bounds", [DEFAULTS["normfactor"]])[0])]
    if "lumi" in kinds:
        return [_lumi_range(entry["auxdata"][0])]
    if "shapefactor" in kinds:
        return [_SHAPEFACTOR] * len(relatives)
    if kinds & {"shapesys", "staterror"}:
        return list(map(gamma_range, relatives))
    # the terms of ROOT that are not Gaussian are of an OverallSys only
    kind = entry.get("constraint", "normal") if kinds == {"normsys"} else "normal"
    return [alpha_range(kind, float(entry.get("sigmas", [1.0])[0]))]


def read_ranges(kinds: frozenset[str], ranges: Sequence[Range]) -> list[Range]:
    """Return the ranges that are read for those of ROOT.

    They are those of a workspace where these cut nothing off.

    >>> read_ranges(frozenset({"staterror"}), [(0.0, 1.5), (0.0, 21.0)])
    [(1e-10, 10.0), (1e-10, 21.0)]
    """
    if kinds & {"normfactor", "lumi"}:
        return list(ranges)
    low, high = DEFAULTS[min(kinds)]
    if kinds & {"shapesys", "staterror"}:  # their terms need a positive factor
        return [(low, max(high, upper)) for _, upper in ranges]
    default = (low, high)
    return [r if r[0] < low or r[1] > high else default for r in ranges]


def add_ranges(
    document: Object,
    kinds: Mapping[str, tuple[frozenset[str], int | None]],
    stated: Stated,
    top: XmlElement,
) -> None:
    """Add the ranges that a workspace needs to have those of ROOT, or of hfjax.

    Args:
        document: a workspace that was read from XML, which is changed.
        kinds: of each parameter set the types of its modifiers, and its size.
        stated: the ranges that hfjax has left in the file.
        top: the file's outermost element, for messages.

    Raises:
        SpecificationError: The number of ranges in the file is not that of parameters.
    """
    relatives = relative_uncertainties(document["channels"])
    for measurement in document["measurements"]:
        found = measurement["config"]["parameters"]
        entries = {each["name"]: each for each in found}
        own = stated.get(measurement["name"], {})
        for name, (types, size) in kinds.items():
            entry = entries.get(name, {"name": name})
            if "expression" in entry or ("normfactor" in types and len(entry) == 1):
                continue  # what a function of another measurement needs
            of_bins = relatives.get(name, [0.0] * (size or 1))
            ranges = read_ranges(types, root_ranges(types, entry, of_bins))
            if name in own:
                ranges = _checked(own[name], name, len(ranges), top)
            _set_bounds(entry, types, ranges)
            if name not in entries and "bounds" in entry:
                found.append(entry)


def relative_uncertainties(channels: Sequence[Object]) -> dict[str, list[float]]:
    """Return the relative uncertainty of each bin of staterrors and shapesys, by name.

    Those of a staterror in several channels follow one another.

    Args:
        channels: channels as JSON objects, whose modifiers fit their samples.
    """
    found: dict[str, list[float]] = {}
    for channel in sorted(channels, key=lambda each: each["name"]):
        for name, rows in _carriers(channel).items():
            bins = [relative_uncertainty(*zip(*each, strict=True)) for each in rows]
            found.setdefault(name, []).extend(bins)
    return found


def parse_ranges(top: XmlElement) -> Stated:
    """Return the ranges that hfjax has left in a file.

    Raises:
        SpecificationError: They are not as hfjax writes them.
    """
    text = dict(top.instructions).get(INSTRUCTION)
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not (isinstance(found, dict) and all(map(_are_ranges, found.values()))):
        top.refuse(f"<?{INSTRUCTION} ...?> has no ranges of parameters: remove it")
    return found


def instruction(stated: Stated) -> str:
    """Return the processing instruction with ranges; "" if there are none.

    >>> instruction({"m": {"sf": [[0, 10]]}}).strip()
    '<?hfjax {"m": {"sf": [[0, 10]]}}?>'
    """
    kept = {name: ranges for name, ranges in stated.items() if ranges}
    # what could end the instruction, and is nowhere but in names
    text = json.dumps(kept).replace(">", "\\u003e")
    return f"<?{INSTRUCTION} {text}?>\n" if kept else ""


def same_ranges(one: Sequence[Range], other: Sequence[Range]) -> bool:
    """Whether ranges are equal up to rounding, and the least positive factor is 0.

    >>> same_ranges([(1e-10, 10)], [(0.0, 10.0)])
    True
    """
    return len(one) == len(other) and all(map(same_range, one, other))


def same_range(one: Range, other: Range) -> bool:
    """Whether two ranges are equal, as `same_ranges` says."""
    return all(
        math.isclose(a, b, rel_tol=1e-12, abs_tol=1.1e-10)
        for a, b in zip(one, other, strict=True)
    )


def _lumi_range(nominal: Number) -> Range:
    low, high = sorted((0.0, 10.0 * nominal))
    return (low, high)


def _carriers(channel: Object) -> dict[str, list[list[tuple[Number, Number]]]]:
    """By name and bin: events and uncertainty of each sample that has one."""
    found: dict[str, list[list[tuple[Number, Number]]]] = {}
    for sample in channel["samples"]:
        for modifier in sample["modifiers"]:
            if modifier["type"] in ("staterror", "shapesys"):
                rows = found.setdefault(modifier["name"], [[] for _ in sample["data"]])
                pairs = zip(sample["data"], modifier["data"], strict=False)
                for row, pair in zip(rows, pairs, strict=False):
                    row.append(pair)
    return found


def _set_bounds(
    entry: Object, kinds: frozenset[str], ranges: Sequence[Sequence[Number]]
) -> None:
    """Write ranges, unless they are those that a workspace has by itself."""
    default = DEFAULTS.get(min(kinds))
    if "normfactor" in kinds or any(tuple(each) != default for each in ranges):
        entry["bounds"] = [list(each) for each in ranges]


def _checked(
    found: list[list[Number]], name: str, size: int, top: XmlElement
) -> list[list[Number]]:
    if len(found) != size:
        top.refuse(
            f"<?{INSTRUCTION} ...?> has {len(found)} ranges of {name!r}, which has "
            f"{size} parameters: remove them"
        )
    return found


def _are_ranges(found: Any) -> bool:
    return isinstance(found, dict) and all(
        isinstance(ranges, list) and ranges and all(map(_is_range, ranges))
        for ranges in found.values()
    )


def _is_range(found: Any) -> bool:
    return (
        isinstance(found, list)
        and len(found) == 2
        and all(is_number(each) and math.isfinite(each) for each in found)
    )
