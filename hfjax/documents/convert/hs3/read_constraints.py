"""Settings that give parameters the constraint terms that an HS3 document has."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from hfjax.documents.convert.hs3.columns import Term, term
from hfjax.documents.convert.hs3.document import Analysis
from hfjax.documents.convert.hs3.read_modifiers import ModifierReader
from hfjax.documents.parameters.overrides import configured
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.measurement import ParameterConfig
from hfjax.errors import ModelError, SpecificationError

Settings = dict[str, Any]
"""Keys of a `ParameterConfig`, and its name."""

_WIDTHS = {"normal": "sigmas", "poisson": "factors", "lognormal": "sigmas"}


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """What an HS3 document says of one parameter's constraint.

    Attributes:
        kind: Kind of the term, "" for none; "const" of a parameter that is fixed.
        term: The term; None where only its kind is said.
    """

    kind: str
    term: Term | None = None


def lumi_settings(reader: ModifierReader, analysis: Analysis) -> ParameterConfig | None:
    """Return the settings of the luminosity, which has no defaults; None without one.

    Raises:
        SpecificationError: Its constraint is one that hfjax does not read.
    """
    use = next((use for use in reader.uses if use.name == "lumi"), None)
    if use is None or use.node.type != "normfactor":
        return None
    (parameter,) = use.node.parameters
    said = _said(reader, parameter, "normal")
    found = said.term or Term(said.kind, 1.0, 1.0)
    nominal, sigma = _luminosity(found)
    value = analysis.values.get(parameter)
    settings: Settings = {"inits": (value.value if value else nominal,)}
    room = (nominal - 5.0 * sigma, nominal + 5.0 * sigma)
    settings["bounds"] = (analysis.bounds.get(parameter, room),)
    if found.kind:
        settings |= {"auxdata": (nominal,), "sigmas": (sigma,)}
    if found.kind != "normal":
        settings["constraint"] = found.kind or "none"
    return ParameterConfig("lumi", **settings)


def _luminosity(found: Term) -> tuple[Number, Number]:
    """Nominal luminosity and its uncertainty.

    A Poisson term's datum is ``tau``, its width the slope ``tau / nominal``.
    """
    if found.kind == "poisson":
        if not found.datum > 0:
            message = (
                f"the luminosity's datum is {found.datum:g}: it has to be positive"
            )
            raise SpecificationError(message)
        nominal = found.datum / found.width
        return nominal, nominal * found.datum**-0.5
    if found.kind == "lognormal":
        nominal = 1.0 / found.scale
        return nominal, nominal * math.expm1(found.width)
    return (found.datum, found.width) if found.kind else (1.0, 1.0)


def constraint_settings(
    reader: ModifierReader,
    group: ParameterGroup,
    names: Sequence[str],
    threshold: Number | None,
) -> Settings:
    """Return the settings of a parameter set that make its constraint terms.

    Args:
        reader: knows what constrains the parameters, and values of constants.
        group: the set as its type has it.
        names: what HS3 calls its components.
        threshold: of a staterror: below which bins are fixed; None for none.

    Raises:
        SpecificationError: hfjax has no such terms.
    """
    settings: Settings = {} if threshold is None else {"threshold": threshold}
    if group.kind == "lumi":
        return settings
    said = [_said(reader, name, group.constraint) for name in names]
    empty = configured(group, ParameterConfig(group.name, **settings)).fixed
    kind = _kind(dataclasses.replace(group, fixed=empty), said, names)
    if kind != group.constraint:
        settings["constraint"] = kind or "none"
    terms = [each.term if each.kind else None for each in said]
    found = next((each for each in terms if each is not None), None)
    if not kind or found is None:
        return settings
    if group.scalar and kind != "normal":
        settings["sigmas"] = (1.0 / found.shift if found.shift else 1.0,)
    settings |= _differing(group, settings, kind, terms)
    _check(group, settings, terms, names)
    return settings


def _said(reader: ModifierReader, parameter: str, default: str) -> Said:
    """What the document says of a parameter's constraint."""
    reference = reader.references.get(parameter)
    if reference is None:
        return Said(default)
    if not reference.distribution:
        return Said("" if reference.kind == "none" else reference.kind)
    found = reader.term(parameter, reference.distribution, reference.pointer)
    return Said(found.kind, found)


def _kind(group: ParameterGroup, said: list[Said], names: Sequence[str]) -> str:
    """The one kind of all components, but for bins without a term that are fixed."""
    kinds = {each.kind for each in said}
    if len(kinds) > 1 or kinds == {"const"}:
        pairs = zip(said, group.fixed, strict=True)
        kinds = {each.kind for each, fixed in pairs if each.kind or not fixed}
    if len(kinds) > 1:
        message = (
            f"the parameters {names[0]!r} to {names[-1]!r} have constraints of the "
            f"kinds {sorted(kinds)}, and hfjax has one kind for all of them"
        )
        raise SpecificationError(message)
    kind = kinds.pop() if kinds else group.constraint
    if kind == "const":
        return ""
    if group.scalar and kind != group.constraint and not any(s.term for s in said):
        message = (
            f"parameter {names[0]!r} has a {kind} constraint and no distribution that "
            "says how wide it is: name one"
        )
        raise SpecificationError(message)
    return kind


def _differing(
    group: ParameterGroup, settings: Settings, kind: str, terms: Sequence[Term | None]
) -> Settings:
    """Auxiliary data and widths that are not what they are without being set."""
    base = configured(group, ParameterConfig(group.name, **settings))
    pairs = list(zip(terms, base.auxdata, base.widths, strict=True))
    data = [found.datum if found else datum for found, datum, _ in pairs]
    widths = [found.width if found else width for found, _, width in pairs]
    changes: Settings = {}
    if not close(data, base.auxdata):
        changes["auxdata"] = tuple(data)
    if not close(widths, base.widths) and not (group.scalar and kind == "lognormal"):
        relative = map(math.expm1, widths) if kind == "lognormal" else widths
        changes[_WIDTHS[kind]] = tuple(relative)
    return changes


def _check(
    group: ParameterGroup,
    settings: Settings,
    terms: Sequence[Term | None],
    names: Sequence[str],
) -> None:
    """Refuse terms that no settings make."""
    try:
        made = configured(group, ParameterConfig(group.name, **settings))
    except ModelError as error:
        message = f"the constraint of {names[0]!r}: {error}"
        raise SpecificationError(message) from None
    for index, found in enumerate(terms):
        ours = term(made, index)
        if found is not None and not (
            found.kind == ours.kind and close(found[1:], ours[1:], 1e-9)
        ):
            message = (
                f"the constraint of {names[index]!r}, {_shown(found)}, is not one that "
                f"hfjax has; the nearest is {_shown(ours)}"
            )
            raise SpecificationError(message)


def _shown(found: Term) -> str:
    numbers = ", ".join(f"{value:g}" for value in found[1:])
    return f"{found.kind or 'none'} ({numbers})"


def close(a: Sequence[Number], b: Sequence[Number], tolerance: float = 1e-12) -> bool:
    """Whether numbers are equal but for rounding."""
    return len(a) == len(b) and all(
        math.isclose(x, y, rel_tol=tolerance) for x, y in zip(a, b, strict=True)
    )
