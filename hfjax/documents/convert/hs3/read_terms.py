"""Constraint terms of HS3 documents: what a distribution says about a parameter."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from hfjax.documents.convert.hs3.columns import Term
from hfjax.documents.convert.hs3.document import HS3Document, Placed, Value, entry
from hfjax.documents.reading.json_values import Number, items, number, text
from hfjax.errors import SpecificationError

TYPES = {
    "Gauss": "normal",
    "Poisson": "poisson",
    "LogNormal": "lognormal",
    "Lognormal": "lognormal",
    "Const": "const",
}
"""Kinds of constraint terms that HS3 names instead of a distribution."""

BARLOW_BEESTON = "barlow_beeston_lite_poisson_constraint_dist"
"""The type of a distribution with the Poisson terms of the staterrors of a channel."""

_WIDEST = 100.0
"""The largest width of a log-normal term; its exponential is still a number."""

_LOG = re.compile(r"\s*log\(\s*([^()\s]+)\s*\)\s*")


class Reference(NamedTuple):
    """How a modifier says what constrains a parameter.

    Attributes:
        kind: a kind of `TYPES`, or "" where a distribution is named.
        distribution: its name.
        pointer: JSON pointer to the modifier.
    """

    kind: str
    distribution: str
    pointer: str


class Affine(NamedTuple):
    """A function of one parameter: ``slope theta + offset``."""

    slope: float
    offset: float


def read_term(
    document: HS3Document, found: Placed, parameter: str, values: Mapping[str, Value]
) -> Term:
    """Read a distribution as the constraint term of a parameter.

    Args:
        document: where functions are looked up.
        found: the distribution.
        parameter: the parameter that it should constrain.
        values: values of constants, such as auxiliary data.

    Raises:
        SpecificationError: It constrains something else, is of a type that hfjax does
            not read, or names what has no value.
        Malformed: The form is wrong.
    """
    read = _READERS.get(found.type)
    if read is None:
        message = (
            f"constraint {found.name!r} of parameter {parameter!r} is a "
            f"{found.type!r}, and hfjax reads only {sorted(_READERS)}"
        )
        raise SpecificationError(message, found.pointer)
    return read(_Scope(document, found, parameter, values))


def constrains_several(found: Placed) -> bool:
    """Whether a distribution is of a type with the terms of several parameters."""
    return found.type == BARLOW_BEESTON


def constrained_parameters(found: Placed) -> tuple[str, ...]:
    """Return the names that stand in a distribution, of which it constrains one."""
    places = [found.content.get(key) for key in ("x", "mean", "mu")]
    names = places[0] if isinstance(places[0], list) else [places[0]]
    return tuple(name for name in [*names, *places[1:]] if isinstance(name, str))


class _Scope(NamedTuple):
    """A distribution, the parameter that it constrains, and what names mean in it."""

    document: HS3Document
    found: Placed
    parameter: str
    values: Mapping[str, Value]

    def number(self, value: Any) -> Number:
        """Return a number, or the value of the constant of a name."""
        if not isinstance(value, str):
            return number(value)
        if value in self.values and value != self.parameter:
            return self.values[value].value
        message = (
            f"{self.found.name!r}, which constrains {self.parameter!r}, needs a value "
            f"of {value!r}, and no parameter point of the analysis has it"
        )
        raise SpecificationError(message, self.found.pointer)

    def affine(self, value: Any, inside: tuple[str, ...] = ()) -> Affine:
        """Return a name or number as a function of the parameter.

        Args:
            value: the name or number.
            inside: names of functions that it is an argument of.
        """
        if value == self.parameter:
            return Affine(1.0, 0.0)
        function = (
            self.document.functions.get(value) if isinstance(value, str) else None
        )
        if function is None:
            return Affine(0.0, self.number(value))
        combine = {"product": ("factors", _times), "sum": ("summands", _plus)}
        if function.type not in combine or function.name in inside:
            raise self.unreadable(function)
        key, join = combine[function.type]
        inside = (*inside, function.name)
        arguments = items(entry(function.content, key))
        found = [self.affine(argument, inside) for argument in arguments]
        total = found[0]
        for each in found[1:]:
            total = join(total, each)
            if total is None:
                raise self.unreadable(function)
        return total

    def unreadable(self, function: Placed) -> SpecificationError:
        """Return the error for a function that is not affine in the parameter."""
        message = (
            f"function {function.name!r} of type {function.type!r}, which constraint "
            f"{self.found.name!r} of {self.parameter!r} needs, is not one that hfjax "
            "reads: a product or sum of the parameter and constants"
        )
        return SpecificationError(message, function.pointer)

    def wrong(self) -> SpecificationError:
        """Return the error for a distribution that constrains something else."""
        message = (
            f"distribution {self.found.name!r} is named as the constraint of "
            f"{self.parameter!r}, which is not what it is about: it has "
            f"{list(constrained_parameters(self.found))}"
        )
        return SpecificationError(message, self.found.pointer)


def _plus(a: Affine, b: Affine) -> Affine:
    return Affine(a.slope + b.slope, a.offset + b.offset)


def _times(a: Affine, b: Affine) -> Affine | None:
    if a.slope and b.slope:
        return None
    return Affine(a.slope * b.offset + a.offset * b.slope, a.offset * b.offset)


def _gaussian(scope: _Scope) -> Term:
    """A Gaussian: of the datum around the parameter, or the other way round."""
    content = scope.found.content
    ends = [entry(content, "x"), entry(content, "mean")]
    if scope.parameter not in ends:
        raise scope.wrong()
    ends.remove(scope.parameter)
    return Term("normal", scope.number(ends[0]), scope.number(entry(content, "sigma")))


def _poisson(scope: _Scope) -> Term:
    mean = scope.affine(entry(scope.found.content, "mean"))
    if not mean.slope > 0:
        raise scope.wrong()
    datum = scope.number(entry(scope.found.content, "x"))
    shift = mean.offset / mean.slope
    if shift == 0:
        return Term("poisson", datum, mean.slope)
    return Term("poisson", datum, mean.offset, 1 / shift, shift)


def _barlow_beeston(scope: _Scope) -> Term:
    """A Poisson term of each of several factors: of `expected` events, times it."""
    content = scope.found.content
    names, expected = (items(entry(content, key)) for key in ("x", "expected"))
    if len(names) != len(expected):
        message = (
            f"distribution {scope.found.name!r} has {len(names)} in x and "
            f"{len(expected)} in expected: they need as many"
        )
        raise SpecificationError(message, scope.found.pointer)
    if names.count(scope.parameter) != 1:
        raise scope.wrong()
    events = scope.number(expected[names.index(scope.parameter)])
    return Term("poisson", events, events) if events else Term("", 0.0, 0.0)


def _lognormal(scope: _Scope) -> Term:
    content = scope.found.content
    mu = entry(content, "mu")
    function = scope.document.functions.get(mu) if isinstance(mu, str) else None
    if function is None or function.type != "generic_function":
        raise scope.wrong()
    match = _LOG.fullmatch(text(entry(function.content, "expression")))
    if match is None:
        raise scope.unreadable(function)
    beta = scope.affine(match[1])
    if not beta.slope > 0:
        raise scope.wrong()
    datum, width = (
        scope.number(entry(content, "x")),
        scope.number(entry(content, "sigma")),
    )
    if not 0 < width <= _WIDEST:
        message = (
            f"{scope.found.name!r} has a sigma of {width:g}: it is the logarithm of 1 "
            "and a relative uncertainty"
        )
        raise SpecificationError(message, scope.found.pointer)
    shift = beta.offset / beta.slope
    return Term("lognormal", datum, width, beta.slope, shift)


def _uniform(scope: _Scope) -> Term:
    if scope.parameter not in constrained_parameters(scope.found):
        raise scope.wrong()
    return Term("")


_READERS = {
    "gaussian_dist": _gaussian,
    "normal_dist": _gaussian,
    "poisson_dist": _poisson,
    BARLOW_BEESTON: _barlow_beeston,
    "lognormal_dist": _lognormal,
    "uniform_dist": _uniform,
}
