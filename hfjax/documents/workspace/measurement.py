"""Measurements: the parameter of interest and the settings of parameters."""

from dataclasses import dataclass
from typing import Any

from hfjax.documents.reading.json_values import (
    Malformed,
    Number,
    items,
    members,
    number,
    numbers,
    text,
)
from hfjax.documents.reading.records import parse_each, refuse_duplicates
from hfjax.documents.workspace.expression import (
    Expression,
    evaluation_order,
    parse_expression,
)
from hfjax.errors import SpecificationError

_LISTS = ("inits", "auxdata", "factors", "sigmas")
CONSTRAINTS = ("normal", "poisson", "lognormal", "gamma", "none")
"""Kinds of constraint terms that a parameter's `constraint` may name."""

EXTENSION = ("constraint", "threshold", "expression")
"""Keys of a parameter that only the extended version of the format knows."""

_PARAMETER = frozenset({"name"})
_SETTINGS = frozenset({*_LISTS, *EXTENSION, "bounds", "fixed"})
_MEASUREMENT = frozenset({"name", "config"})
_CONFIG = frozenset({"poi", "parameters"})


@dataclass(frozen=True, slots=True)
class ParameterConfig:
    """What a measurement says about one parameter set; None where it says nothing.

    Attributes:
        name: The name of the parameter set.
        inits: Initial values, one a component, as all that follow.
        bounds: Pairs of lower and upper bound.
        auxdata: Auxiliary data, at which the constraint terms are centred.
        factors: Factors of the rates of Poisson constraint terms.
        sigmas: Widths of Gaussian constraint terms, in units of the parameter;
            relative uncertainties where an interpolation parameter has another kind.
        fixed: Whether all components are fixed at their initial values.
        constraint: Kind of the constraint terms, one of `CONSTRAINTS`; an extension.
        threshold: Relative uncertainty below which a bin of a staterror is fixed at 1;
            an extension.
        expression: What gives a normfactor as a function of other parameters, instead
            of any other setting; an extension.
    """

    name: str
    inits: tuple[Number, ...] | None = None
    bounds: tuple[tuple[Number, ...], ...] | None = None
    auxdata: tuple[Number, ...] | None = None
    factors: tuple[Number, ...] | None = None
    sigmas: tuple[Number, ...] | None = None
    fixed: bool | None = None
    constraint: str | None = None
    threshold: Number | None = None
    expression: str | None = None

    def __post_init__(self) -> None:
        for index, pair in enumerate(self.bounds or ()):
            if len(pair) != 2:
                message = f"bounds are pairs of lower and upper bound, not {list(pair)}"
                raise SpecificationError(message, f"/bounds/{index}")
        if self.threshold is not None and not self.threshold >= 0:
            message = f"a threshold is a number that is not negative: {self.threshold}"
            raise SpecificationError(message, "/threshold")
        if self.constraint is not None and self.constraint not in CONSTRAINTS:
            message = f"a constraint is one of {CONSTRAINTS}, not {self.constraint!r}"
            raise SpecificationError(message, "/constraint")
        if self.expression is not None:
            _check_expression(self)

    @property
    def extension(self) -> tuple[str, ...]:
        """The keys it has that only the extended version of the format knows.

        >>> ParameterConfig("top", sigmas=(0.1,), constraint="gamma").extension
        ('constraint',)
        """
        return tuple(key for key in EXTENSION if getattr(self, key) is not None)

    def dump(self) -> dict[str, Any]:
        """Return the JSON object, without the keys that were absent.

        >>> ParameterConfig("lumi", inits=(1,), bounds=((0.5, 1.5),)).dump()
        {'name': 'lumi', 'inits': [1], 'bounds': [[0.5, 1.5]]}
        """
        lists = {key: getattr(self, key) for key in _LISTS}
        document: dict[str, Any] = {"name": self.name}
        document |= {k: list(v) for k, v in lists.items() if v is not None}
        if self.bounds is not None:
            document["bounds"] = [list(pair) for pair in self.bounds]
        for key in ("fixed", *EXTENSION):
            if getattr(self, key) is not None:
                document[key] = getattr(self, key)
        return document


@dataclass(frozen=True, slots=True)
class Measurement:
    """A parameter of interest and settings of parameters.

    Both may name parameters that no modifier brings: in a published background-only
    workspace, the patches bring them.

    Attributes:
        name: The measurement's name.
        poi: The name of the parameter of interest; "" if there is none.
        parameters: Settings, each parameter set once.
    """

    name: str
    poi: str = ""
    parameters: tuple[ParameterConfig, ...] = ()

    def __post_init__(self) -> None:
        refuse_duplicates("parameter", self.parameters, "/config/parameters")
        _check_expressions(self)

    @property
    def expressions(self) -> dict[str, Expression]:
        """The expressions that give parameters, by their names.

        >>> square = ParameterConfig("k", expression="mu**2")
        >>> Measurement("search", "mu", (square,)).expressions["k"].names
        ('mu',)
        """
        return {
            found.name: parse_expression(found.expression)
            for found in self.parameters
            if found.expression is not None
        }

    def parameter(self, name: str) -> ParameterConfig | None:
        """Return what this measurement says about a parameter set; None if nothing.

        >>> Measurement("search", "mu").parameter("lumi") is None
        True
        """
        return next((found for found in self.parameters if found.name == name), None)

    def dump(self) -> dict[str, Any]:
        """Return the JSON object.

        >>> Measurement("search", "mu").dump()
        {'name': 'search', 'config': {'poi': 'mu', 'parameters': []}}
        """
        parameters = [parameter.dump() for parameter in self.parameters]
        config = {"poi": self.poi, "parameters": parameters}
        return {"name": self.name, "config": config}


def _check_expression(config: ParameterConfig) -> None:
    """Refuse an expression that cannot be read, or stands beside other settings."""
    try:
        parse_expression(config.expression or "")
    except SpecificationError as error:
        raise SpecificationError(error.args[0], "/expression") from None
    for key in (*_LISTS, "bounds", "fixed", "constraint", "threshold"):
        if getattr(config, key) is not None:
            message = (
                f"a parameter with an expression has no {key} of its own: remove one "
                "of the two"
            )
            raise SpecificationError(message, f"/{key}")


def _check_expressions(measurement: Measurement) -> None:
    """Refuse expressions that need themselves, and one of what is tested."""
    expressions = measurement.expressions
    if measurement.poi in expressions:
        text = expressions[measurement.poi].text
        message = (
            f"the parameter of interest {measurement.poi!r} is given by the expression "
            f"{text!r}, so that no value of it can be tested: name one of the "
            "parameters in it"
        )
        raise SpecificationError(message, "/config/poi")
    try:
        evaluation_order(expressions)
    except SpecificationError as error:
        outer = error.inside("its config", "/config/parameters")
        raise outer from None


def parse_measurement(value: Any) -> Measurement:
    """Make a measurement of a JSON object; a measurement stays the same object."""
    if isinstance(value, Measurement):
        return value
    members(value, _MEASUREMENT)
    config = members(value["config"], _CONFIG)
    try:
        parameters = parse_each(config, "parameters", _parse_parameter, least=0)
    except SpecificationError as error:
        outer = error.inside("its config", "/config")
        raise outer from None
    return Measurement(text(value["name"]), text(config["poi"]), parameters)


def _parse_parameter(value: Any) -> ParameterConfig:
    members(value, _PARAMETER, _SETTINGS)
    lists = {key: numbers(value[key]) for key in _LISTS if key in value}
    bounds = tuple(map(_pair, items(value["bounds"]))) if "bounds" in value else None
    fixed = value.get("fixed")
    if "fixed" in value and not isinstance(fixed, bool):
        raise Malformed
    return ParameterConfig(
        text(value["name"]), bounds=bounds, fixed=fixed, **lists, **_extension(value)
    )


def _extension(value: dict[str, Any]) -> dict[str, Any]:
    """Return what only the extended version of the format knows."""
    found = {key: value[key] for key in EXTENSION if key in value}
    if "constraint" in found and text(found["constraint"]) not in CONSTRAINTS:
        raise Malformed
    if "threshold" in found and number(found["threshold"]) < 0:
        raise Malformed
    if "expression" in found:
        text(found["expression"])
    return found


def _pair(value: Any) -> tuple[Number, ...]:
    return numbers(value) if items(value, 0) else ()
