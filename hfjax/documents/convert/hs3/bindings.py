"""Which parameter of HS3 is which component of a parameter set, and back."""

from collections.abc import Mapping, Sequence

from hfjax.documents.convert.hs3.read_modifiers import Use
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.errors import SpecificationError

Component = tuple[str, int]
"""The name of a parameter set, and a position in it."""


def bind(
    uses: Sequence[Use], groups: Mapping[str, ParameterGroup]
) -> dict[str, list[str]]:
    """Return what HS3 calls the components of each parameter set.

    Raises:
        SpecificationError: A parameter is two components, or a component two
            parameters: HS3 shares parameters between bins as hfjax cannot.
    """
    components: dict[str, Component] = {}
    parameters: dict[Component, str] = {}
    for use in uses:
        start = groups[use.name].offsets.get(use.channel, 0)
        for index, parameter in enumerate(use.node.parameters):
            component = (use.name, start + index)
            known = components.setdefault(parameter, component)
            other = parameters.setdefault(component, parameter)
            if known != component or other != parameter:
                raise _shared_otherwise(use, parameter, known, component)
    return {
        name: [parameters[name, index] for index in range(group.size)]
        for name, group in groups.items()
    }


def _shared_otherwise(
    use: Use, parameter: str, known: Component, component: Component
) -> SpecificationError:
    message = (
        f"{use.node.where} shares the parameter {parameter!r} with bins or modifiers "
        f"that have it in another place (as {known[0]}[{known[1]}] and as "
        f"{component[0]}[{component[1]}]), which hfjax has no modifier for"
    )
    return SpecificationError(message, use.node.pointer)
