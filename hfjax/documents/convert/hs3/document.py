"""The parts of an HS3 document, looked up by name.

Only the form is read here, strictly: whoever catches `Malformed` lets the schema find
the place and the words. What the parts mean is for the modules beside this one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hfjax.documents.reading.json_values import Malformed, Number, items, number, text
from hfjax.errors import SpecificationError, unknown_name

Object = Mapping[str, Any]
"""A JSON object; keys that are not known are left alone."""

DEFAULT_DOMAIN = "default_domain"
"""The domain of what an analysis has no bounds for, as ROOT writes it."""

DEFAULT_VALUES = "default_values"
"""The parameter point of what an analysis has no values for, as ROOT writes it."""

_INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class Placed:
    """A named object of a document.

    Attributes:
        name: Its name.
        content: The object.
        pointer: JSON pointer to it.
    """

    name: str
    content: Object
    pointer: str

    @property
    def type(self) -> str:
        """What it is; "" if it does not say."""
        return text(self.content.get("type", ""))


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Distributions, each with its data, and the constraints that go with them all."""

    name: str
    distributions: tuple[str, ...]
    data: tuple[str, ...]
    constraints: tuple[str, ...]
    pointer: str


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a parameter, and whether fits leave it."""

    value: Number
    const: bool


@dataclass(frozen=True, slots=True)
class Analysis:
    """A likelihood, what is wanted from it, and where it is looked at.

    Attributes:
        name: The name.
        likelihood: Name of the likelihood.
        pois: Names of the parameters of interest.
        bounds: Bounds by parameter, of the analysis' own domains and the default one.
        values: Values by parameter, of its own and of the default parameter point.
        pointer: JSON pointer to it.
        prior: Whether it has a prior distribution.
    """

    name: str
    likelihood: str
    pois: tuple[str, ...]
    bounds: Mapping[str, tuple[Number, Number]]
    values: Mapping[str, Value]
    pointer: str
    prior: bool = False


@dataclass(frozen=True, slots=True)
class HS3Document:
    """An HS3 document.

    Attributes:
        distributions: By name, as functions and data.
        functions: What distributions are made of.
        data: Observed data.
        likelihoods: By name.
        analyses: In the order of the document; where there is none, each likelihood
            is taken for one without a parameter of interest.
        stated: What hfjax itself has left in the document.
        metadata: Who has made it, and with what.
    """

    distributions: Mapping[str, Placed]
    functions: Mapping[str, Placed]
    data: Mapping[str, Placed]
    likelihoods: Mapping[str, Likelihood]
    analyses: tuple[Analysis, ...]
    stated: Object
    metadata: Object

    def distribution(self, name: str, pointer: str) -> Placed:
        """Return the distribution of a name that something at a pointer asks for."""
        return _found("distribution", self.distributions, name, pointer)

    def datum(self, name: str, pointer: str) -> Placed:
        """Return the data of a name that something at a pointer asks for."""
        return _found("data", self.data, name, pointer)


def parse_document(document: Any) -> HS3Document:
    """Make records of a JSON document.

    Raises:
        Malformed: The form is wrong.
        SpecificationError: The version is not known, names are not unique, or something
            that is named does not exist.
    """
    document = entries(document)
    metadata = entries(entry(document, "metadata"))
    _check_version(text(entry(metadata, "hs3_version")))
    likelihoods = {
        found.name: _likelihood(found) for found in _placed(document, "likelihoods")
    }
    points = {
        found.name: _values(found) for found in _placed(document, "parameter_points")
    }
    domains = {found.name: _bounds(found) for found in _placed(document, "domains")}
    analyses = [
        _analysis(found, domains, points) for found in _placed(document, "analyses")
    ]
    named = {key: {f.name: f for f in _placed(document, key)} for key in _LISTS}
    return HS3Document(
        **named,
        likelihoods=likelihoods,
        analyses=tuple(analyses) or _without_analyses(likelihoods, domains, points),
        stated=_stated(document),
        metadata=metadata,
    )


_LISTS = ("distributions", "functions", "data")


def entries(value: Any) -> Object:
    """Return an object."""
    if isinstance(value, dict):
        return value
    raise Malformed


def entry(content: Object, key: str) -> Any:
    """Return what an object has to have under a key."""
    if key in content:
        return content[key]
    raise Malformed


def texts(value: Any) -> tuple[str, ...]:
    """Return a list of strings as a tuple."""
    return tuple(map(text, items(value, 0)))


def _check_version(version: str) -> None:
    if version.split(".")[0] != "0":
        message = (
            f"HS3 version {version!r} is not known: hfjax reads the versions before 1, "
            "as ROOT since 6.30 writes them"
        )
        raise SpecificationError(message, "/metadata/hs3_version")


def _placed(document: Object, key: str) -> Iterator[Placed]:
    """Yield the objects of a list, each name once."""
    seen: set[str] = set()
    for index, item in enumerate(items(document.get(key, []), 0)):
        found = Placed(text(entry(entries(item), "name")), item, f"/{key}/{index}")
        if found.name in seen:
            message = f"{key} has the name {found.name!r} twice: rename one"
            raise SpecificationError(message, found.pointer)
        seen.add(found.name)
        yield found


def _likelihood(found: Placed) -> Likelihood:
    distributions = texts(entry(found.content, "distributions"))
    data = tuple(items(entry(found.content, "data"), 0))
    aux = texts(found.content.get("aux_distributions", []))
    if len(data) != len(distributions):
        message = (
            f"likelihood {found.name!r} has {len(distributions)} distributions and "
            f"{len(data)} data: give one for each"
        )
        raise SpecificationError(message, found.pointer)
    return Likelihood(found.name, distributions, texts(list(data)), aux, found.pointer)


def _values(found: Placed) -> dict[str, Value]:
    parameters = map(entries, items(entry(found.content, "parameters"), 0))
    return {
        text(entry(each, "name")): Value(
            number(entry(each, "value")), _flag(each.get("const", False))
        )
        for each in parameters
    }


def _flag(value: Any) -> bool:
    """A truth value; ROOT also writes 1."""
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    raise Malformed


def _bounds(found: Placed) -> dict[str, tuple[Number, Number]]:
    """Bounds of a product domain; an end that is not there is infinite."""
    axes = map(entries, items(found.content.get("axes", []), 0))
    return {
        text(entry(axis, "name")): (
            number(axis.get("min", -_INFINITE)),
            number(axis.get("max", _INFINITE)),
        )
        for axis in axes
        if not axis.get("const", False)
    }


Domains = Mapping[str, dict[str, tuple[Number, Number]]]
Points = Mapping[str, dict[str, Value]]


def _analysis(found: Placed, domains: Domains, points: Points) -> Analysis:
    content = found.content
    bounds = dict(domains.get(DEFAULT_DOMAIN, {}))
    for index, name in enumerate(texts(content.get("domains", []))):
        place = f"{found.pointer}/domains/{index}"
        bounds |= _found("domain", domains, name, place)
    values = dict(points.get(DEFAULT_VALUES, {}))
    if "init" in content:
        name = text(content["init"])
        values |= _found("parameter point", points, name, f"{found.pointer}/init")
    pois = texts(content.get("parameters_of_interest", []))
    likelihood = text(entry(content, "likelihood"))
    prior = content.get("prior") is not None
    return Analysis(found.name, likelihood, pois, bounds, values, found.pointer, prior)


def _without_analyses(
    likelihoods: Mapping[str, Likelihood], domains: Domains, points: Points
) -> tuple[Analysis, ...]:
    bounds = domains.get(DEFAULT_DOMAIN, {})
    values = points.get(DEFAULT_VALUES, {})
    return tuple(
        Analysis(name, name, (), bounds, values, each.pointer)
        for name, each in likelihoods.items()
    )


def _stated(document: Object) -> Object:
    return entries(entries(document.get("misc", {})).get("hfjax", {}))


def _found(kind: str, named: Mapping[str, Any], name: str, pointer: str) -> Any:
    if name in named:
        return named[name]
    message = str(unknown_name(kind, name, named, "the document"))
    raise SpecificationError(message, pointer)
