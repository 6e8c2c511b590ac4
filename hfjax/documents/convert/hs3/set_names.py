"""Names of parameter sets for the parameters of an HS3 document.

HS3 correlates modifiers by the names of their parameters, hfjax by the names of the
modifiers: modifiers of one name share their parameters.
"""

from collections.abc import Hashable, Iterable

from hfjax.documents.convert.hs3.modifiers import ChannelNode, ModifierNode, SampleNode
from hfjax.documents.convert.hs3.names import ALPHA, gamma_stem
from hfjax.documents.convert.root_names import STATERROR

_GENERIC = ("", "staterror", "mcstat", "shapesys", "shapefactor")
"""Names that ROOT gives to modifiers of several channels that share nothing."""


class SetNames:
    """Gives every parameter, or row of parameters of bins, a name that no other has."""

    def __init__(self) -> None:
        self._names: dict[Hashable, str] = {}

    def scalar(self, parameter: str, kind: str) -> str:
        """Name a single parameter, without ROOT's prefix where that is free.

        >>> names = SetNames()
        >>> names.scalar("mu", "normfactor"), names.scalar("alpha_mu", "normsys")
        ('mu', 'alpha_mu')
        >>> names.scalar("alpha_tilt", "histosys"), names.scalar("Lumi", "lumi")
        ('tilt', 'lumi')
        """
        proposals = [parameter]
        if kind == "lumi":
            proposals = ["lumi"]
        elif kind != "normfactor" and parameter != ALPHA:
            proposals = [parameter.removeprefix(ALPHA), parameter]
        return self._name(parameter, proposals)

    def row(
        self,
        modifier: ModifierNode,
        kind: str,
        channel: ChannelNode,
        sample: SampleNode,
    ) -> str:
        """Name parameters of bins; those of a staterror after ROOT's or its channel."""
        stem = gamma_stem(modifier.parameters)
        if stem is not None:
            own = stem == modifier.name or kind != "staterror"
            if not own and stem == f"stat_{channel.name}":
                stem = STATERROR + channel.name
            return self._name((kind, stem), [stem])
        name = modifier.name
        if name in _GENERIC:
            name = f"{kind}_{channel.name}"
        longer = [f"{name}_{channel.name}", f"{name}_{channel.name}_{sample.name}"]
        return self._name((kind, modifier.parameters), [name, *longer])

    def _name(self, key: Hashable, proposals: Iterable[str]) -> str:
        if key not in self._names:
            taken = set(self._names.values())
            names = list(proposals)
            while names[0] in taken:
                names = names[1:] or [f"{names[0]}_"]
            self._names[key] = names[0]
        return self._names[key]
