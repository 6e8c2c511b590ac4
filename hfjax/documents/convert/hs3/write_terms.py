"""Constraint terms as HS3 distributions, and the functions that they need."""

from dataclasses import dataclass, field
from typing import Any

from hfjax.documents.convert.hs3.columns import Column, Term
from hfjax.documents.convert.hs3.names import LUMI, constraint_name, nominal_name
from hfjax.documents.reading.json_values import Number

Component = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WrittenTerms:
    """The constraint terms of a document.

    Attributes:
        names: of each parameter that has a term: the name of its distribution.
        distributions: the terms.
        functions: what their means are made of.
        constants: for each measurement, values of named constants.
    """

    constants: list[dict[str, Number]]
    names: dict[str, str] = field(default_factory=dict)
    distributions: list[Component] = field(default_factory=list)
    functions: list[Component] = field(default_factory=list)


def write_terms(columns: dict[str, Column], measurements: int) -> WrittenTerms:
    """Write the constraint terms of all parameters.

    Those of a staterror are left out where the sample's errors say the same.
    """
    written = WrittenTerms([{} for _ in range(measurements)])
    for column in columns.values():
        implied = column.kind in ("normal", "poisson") and not column.overridden
        if column.groups[0].kind == "staterror" and implied:
            continue
        for index, name in enumerate(column.names):
            _write(written, name, column.terms(index), column.groups[0].kind)
    return written


def _write(written: WrittenTerms, name: str, terms: list[Term], kind: str) -> None:
    """Add the term of one parameter."""
    distribution: Component = {"name": constraint_name(name)}
    if not terms[0].kind:
        if kind not in ("normsys", "histosys", "lumi"):
            return  # nothing that could be taken for a constraint
        distribution |= {"type": "uniform_dist", "x": [name]}
    else:
        datum = _named(written, nominal_name(name), [each.datum for each in terms])
        distribution |= _DISTRIBUTIONS[terms[0].kind](written, name, datum, terms)
    written.names[name] = distribution["name"]
    written.distributions.append(distribution)


def _gaussian(
    written: WrittenTerms, name: str, datum: str, terms: list[Term]
) -> Component:
    """A Gaussian; ROOT has its arguments in this order."""
    width = _constant(written, f"{name}_sigma", [each.width for each in terms])
    x, mean = (datum, name) if name.startswith("gamma_") else (name, datum)
    return {"type": "gaussian_dist", "x": x, "mean": mean, "sigma": width}


def _poisson(
    written: WrittenTerms, name: str, datum: str, terms: list[Term]
) -> Component:
    tau = _constant(written, f"{name}_tau", [each.width for each in terms])
    mean = f"{name}_poisMean"
    beta = _beta(written, name, terms)
    written.functions.append({"name": mean, "type": "product", "factors": [beta, tau]})
    return {"type": "poisson_dist", "x": datum, "mean": mean}


def _lognormal(
    written: WrittenTerms, name: str, datum: str, terms: list[Term]
) -> Component:
    width = _constant(written, f"{name}_sigma", [each.width for each in terms])
    mean = f"{name}_logMean"
    expression = f"log({_beta(written, name, terms)})"
    function = {"name": mean, "type": "generic_function", "expression": expression}
    written.functions.append(function)
    return {"type": "lognormal_dist", "x": datum, "mu": mean, "sigma": width}


_DISTRIBUTIONS = {"normal": _gaussian, "poisson": _poisson, "lognormal": _lognormal}


def _beta(written: WrittenTerms, name: str, terms: list[Term]) -> str:
    """Name what is 1 where nothing is pulled: ``scale (theta + shift)``."""
    if all(each.scale == 1 and each.shift == 0 for each in terms):
        return name
    shifted = name
    if name != LUMI:
        shifted = f"{name}_shifted"
        shift = _constant(written, f"{name}_shift", [each.shift for each in terms])
        summands = [name, shift]
        written.functions.append({"name": shifted, "type": "sum", "summands": summands})
    scale = _constant(written, f"{name}_scale", [each.scale for each in terms])
    beta = f"{name}_beta"
    factors = [shifted, scale]
    written.functions.append({"name": beta, "type": "product", "factors": factors})
    return beta


def _constant(written: WrittenTerms, name: str, values: list[Number]) -> str | Number:
    """A number; or the name of a constant, where measurements disagree."""
    if all(value == values[0] for value in values):
        return values[0]
    return _named(written, name, values)


def _named(written: WrittenTerms, name: str, values: list[Number]) -> str:
    for constants, value in zip(written.constants, values, strict=True):
        constants[name] = value
    return name
