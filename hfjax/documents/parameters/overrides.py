"""Settings of a measurement: what replaces the defaults of parameters."""

import dataclasses

from hfjax.documents.parameters.constraints import constrained, setting
from hfjax.documents.parameters.parameter_group import ParameterGroup
from hfjax.documents.workspace.measurement import ParameterConfig
from hfjax.errors import ModelError


def configured(group: ParameterGroup, config: ParameterConfig | None) -> ParameterGroup:
    """Replace defaults by what the measurement sets, key by key.

    Args:
        group: parameters with the defaults of their type.
        config: what the measurement says about them, None if nothing.

    Raises:
        ModelError: a setting does not fit the parameters, or lumi has none.

    Example:
        >>> bounds = ((0.0, 10.0),)
        >>> mu = ParameterGroup("mu", "normfactor", True, (1,), bounds, (False,))
        >>> configured(mu, ParameterConfig("mu", bounds=((-5, 5),))).bounds
        ((-5.0, 5.0),)
    """
    if config is not None and config.expression is not None:
        message = (
            f"parameter {group.name!r} is given by the expression "
            f"{config.expression!r}: it has no value of its own"
        )
        raise ModelError(message)
    if group.kind == "lumi":
        config = _complete_lumi(group, config)
    if config is None:
        return group
    changed = dataclasses.replace(
        group,
        inits=setting(group, "inits", config.inits, group.inits),
        bounds=_bounds(group, config),
        fixed=group.fixed if not config.fixed else (True,) * group.size,
    )
    return constrained(changed, config)


def _bounds(
    group: ParameterGroup, config: ParameterConfig
) -> tuple[tuple[float, float], ...]:
    if config.bounds is None:
        return group.bounds
    for pair in config.bounds:
        if len(pair) != 2 or not pair[0] <= pair[1]:
            message = (
                f"bounds {list(pair)} of parameter {group.name!r} are no pair of a "
                "lower and a higher number: correct them in the measurement"
            )
            raise ModelError(message)
    setting(group, "bounds", tuple(pair[0] for pair in config.bounds), ())
    return tuple((float(low), float(high)) for low, high in config.bounds)


def starts_outside(name: str, value: float, low: float, high: float) -> ModelError:
    """Make the error for a parameter that starts outside of its bounds.

    >>> print(starts_outside("mu", 11.0, 0.0, 10.0))
    parameter 'mu' starts at 11, outside its bounds [0, 10]: correct inits or bounds \
in the measurement
    """
    message = (
        f"parameter {name!r} starts at {value:g}, outside its bounds [{low:g}, "
        f"{high:g}]: correct inits or bounds in the measurement"
    )
    return ModelError(message)


def _complete_lumi(
    group: ParameterGroup, config: ParameterConfig | None
) -> ParameterConfig:
    """Luminosity has no defaults: the measurement must give every value."""
    needed = ("inits", "bounds", "auxdata", "sigmas")
    if config is not None and config.constraint == "none":
        needed = ("inits", "bounds")
    missing = [k for k in needed if config is None or getattr(config, k) is None]
    if config is None or missing:
        message = (
            f"parameter {group.name!r} of the lumi modifiers has no "
            f"{', '.join(missing)} in the measurement: add an entry with inits, "
            "bounds, auxdata and sigmas to its config/parameters"
        )
        raise ModelError(message)
    return config
