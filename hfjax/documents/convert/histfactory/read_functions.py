"""Read functions of HistFactory XML: normfactors that ROOT computes from others.

A `Function` has a name, an expression as ROOT's formulas have it, and dependents with
their values and ranges, such as `SigXsecOverSM[0,3]`. ROOT makes these variables before
all others, so what is said of them here holds, whatever a NormFactor says.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hfjax.documents.convert.histfactory.inputs import Object
from hfjax.documents.convert.root_names import parameter_name
from hfjax.documents.convert.xml import XmlElement
from hfjax.documents.reading.expression import spelled
from hfjax.documents.workspace.expression import parse_expression
from hfjax.errors import SpecificationError

TAGS = ("Function", "PreprocessFunction")
"""The names of elements that are functions."""

_DEPENDENT = re.compile(r"\s*([^\s,\[\]]+)\s*(?:\[([^\]]*)\])?\s*(?:,|$)")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<place>@\d+|x\[\d+\])|(?P<word>[A-Za-z_]\w*(?:::\w+)*)|(?P<sign>\*\*|\S))"
)
_CALLS = {"fabs": "abs", "power": "pow"}
_PI = {"pi", "TMath::Pi"}


@dataclass(frozen=True, slots=True)
class Functions:
    """What functions say of parameters.

    Attributes:
        expressions: The expression of each parameter that a function gives.
        dependents: Settings of parameters that stand in brackets behind their names.
    """

    expressions: dict[str, str] = field(default_factory=dict)
    dependents: dict[str, Object] = field(default_factory=dict)


def read_functions(
    elements: Iterable[XmlElement], kinds: Mapping[str, frozenset[str]]
) -> Functions:
    """Read functions.

    Args:
        elements: the functions.
        kinds: the types of the modifiers of each parameter set.

    Raises:
        SpecificationError: A function is of something else than a normfactor, needs
            parameters of bins, or has what an expression cannot have.

    >>> element = XmlElement("Function", {
    ...     "Name": "k", "Expression": "pow(mu, 2)", "Dependents": "mu[1,0,3]"})
    >>> found = read_functions([element], {})
    >>> found.expressions
    {'k': '((mu)**(2))'}
    >>> found.dependents["mu"]
    {'name': 'mu', 'inits': [1.0], 'bounds': [[0.0, 3.0]]}
    """
    found = Functions()
    for element in elements:
        name = parameter_name(element.need("Name"), kinds).name
        if kinds.get(name, frozenset({"normfactor"})) != {"normfactor"}:
            element.refuse(f"only a NormFactor can be a function, and {name!r} is none")
        names = _dependents(element, kinds, found.dependents)
        found.expressions.setdefault(name, _expression(element, names))
    return found


def _dependents(
    element: XmlElement,
    kinds: Mapping[str, frozenset[str]],
    settings: dict[str, Object],
) -> dict[str, str]:
    """The parameters that a function needs, by what it calls them."""
    text = element.need("Dependents").strip()
    if not re.fullmatch(f"(?:{_DEPENDENT.pattern})+", text):
        element.refuse(f"Dependents={text!r} is no list such as 'mu[1,0,3],f'")
    names: dict[str, str] = {}
    for index, match in enumerate(_DEPENDENT.finditer(text)):
        name = _scalar(element, match[1], kinds)
        if match[2] is not None:
            settings.setdefault(name, {"name": name} | _bracket(element, match[2]))
        names |= {match[1]: name, f"@{index}": name, f"x[{index}]": name}
    return names


def _scalar(
    element: XmlElement, root_name: str, kinds: Mapping[str, frozenset[str]]
) -> str:
    found = parameter_name(root_name, kinds)
    of_bins = {"shapefactor", "shapesys", "staterror"}
    if found.component is not None or kinds.get(found.name, frozenset()) & of_bins:
        element.refuse(f"{root_name!r} is of bins, which no expression can have")
    return found.name


def _bracket(element: XmlElement, text: str) -> Object:
    """What stands in brackets: a constant, a range, or a value and a range."""
    try:
        numbers = [float(each) for each in text.split(",")]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 3 or not all(map(math.isfinite, numbers)):
        element.refuse(f"[{text}] is neither a value, a range, nor a value and a range")
    if len(numbers) == 1:
        (value,) = numbers
        bounds = [[min(value, 0.0), max(value, 10.0)]]
        return {"inits": [value], "bounds": bounds, "fixed": True}
    low, high = numbers[-2:]
    value = numbers[0] if len(numbers) == 3 else 0.5 * (low + high)
    return {"inits": [value], "bounds": [[low, high]]}


def _expression(element: XmlElement, names: Mapping[str, str]) -> str:
    """The expression in the words of a workspace."""
    text = element.need("Expression")
    tokens = [(m.lastgroup or "", m[m.lastgroup or 0]) for m in _TOKEN.finditer(text)]
    try:
        return parse_expression(_Translation(element, names, tokens).all()).text
    except RecursionError:
        element.refuse("its Expression is nested too deeply: make it of several")
    except SpecificationError as error:
        element.refuse(f"Expression={text!r}: {error}")


class _Translation:
    """Turns the tokens of a formula of ROOT into the text of an expression."""

    def __init__(
        self,
        element: XmlElement,
        names: Mapping[str, str],
        tokens: list[tuple[str, str]],
    ) -> None:
        self.element = element
        self.names = names
        self.rest = tokens[::-1]

    def all(self) -> str:
        """Translate everything; what closes nothing stays, for the parser to refuse."""
        found = ""
        while self.rest:
            found += self._until_end()
            found += self.rest.pop()[1] if self.rest else ""
        return found

    def _until_end(self) -> str:
        """Translate up to a comma or a closing parenthesis outside of all others."""
        parts: list[str] = []
        while self.rest and self.rest[-1][1] not in (",", ")"):
            kind, token = self.rest.pop()
            if kind == "word" and self.rest and self.rest[-1][1] == "(":
                parts.append(self._call(token))
            elif token == "(":
                parts.append(f"({self._until_end()}{self._close()}")
            elif kind in ("word", "place"):
                parts.append(self._name(token))
            else:
                parts.append({"^": "**"}.get(token, token))
        return " ".join(parts)

    def _close(self) -> str:
        return self.rest.pop()[1] if self.rest else ""

    def _call(self, function: str) -> str:
        self.rest.pop()
        arguments = [self._until_end()]
        while self.rest and self.rest[-1][1] == ",":
            self.rest.pop()
            arguments.append(self._until_end())
        end = self._close()
        if function in _PI:
            return repr(math.pi)
        plain = function.rpartition("::")[2].lower()
        plain = _CALLS.get(plain, plain)
        if plain == "pow" and len(arguments) == 2:
            return f"(({arguments[0]})**({arguments[1]}){end}"
        return f"{plain}({', '.join(arguments)}{end}"

    def _name(self, word: str) -> str:
        if word in _PI:
            return repr(math.pi)
        if word not in self.names:
            self.element.refuse(
                f"{word!r} of the Expression is not among its Dependents: add it there"
            )
        return spelled(self.names[word])
