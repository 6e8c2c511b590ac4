"""The parameters of one name, as modifiers ask for them."""

import dataclasses
import operator
from collections.abc import Mapping

from hfjax.documents.reading.json_values import Number

Numbers = tuple[Number, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class ParameterGroup:
    """The parameters of one name.

    Attributes:
        name: name of the modifiers that use them.
        kind: type of the modifiers, the first in the order of types.
        scalar: one parameter for a whole sample, not one for each bin.
        inits: initial values.
        bounds: lower and upper bound of each.
        fixed: parameters that no fit moves.
        constraint: "normal", "poisson", "lognormal", or "" for none.
        auxdata: auxiliary data; empty without a constraint.
        widths: standard deviations ("normal"), factors tau ("poisson"), or logarithms
            of kappa ("lognormal").
        scale: what Poisson and log-normal terms see is ``scale (theta + shift)``.
        shift: see scale.
        offsets: position of the first bin of each channel, for parameters of bins.
    """

    name: str
    kind: str
    scalar: bool
    inits: Numbers
    bounds: tuple[tuple[float, float], ...]
    fixed: tuple[bool, ...]
    constraint: str = ""
    auxdata: Numbers = ()
    widths: Numbers = ()
    scale: float = 1.0
    shift: float = 0.0
    offsets: Mapping[str, int] = dataclasses.field(default_factory=dict, compare=False)

    @property
    def size(self) -> int:
        """Number of parameters."""
        return len(self.inits)

    def shares_with(self, other: "ParameterGroup") -> bool:
        """Whether another modifier of the same name may use these parameters."""
        return _SHARED(self) == _SHARED(other)


_SHARED = operator.attrgetter(
    *(
        f.name
        for f in dataclasses.fields(ParameterGroup)
        if f.compare and f.name != "kind"
    )
)
