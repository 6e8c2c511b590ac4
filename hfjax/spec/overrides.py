"""Settings of a measurement: what replaces the defaults of parameters."""

import dataclasses

from hfjax.errors import ModelError
from hfjax.spec.measurement import ParameterConfig
from hfjax.spec.parameter_group import Numbers, ParameterGroup


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
    if group.kind == "lumi":
        config = _complete_lumi(group, config)
    if config is None:
        return group
    changes = {
        "inits": _setting(group, "inits", config.inits, group.inits),
        "bounds": _bounds(group, config),
        "fixed": group.fixed if not config.fixed else (True,) * group.size,
    }
    changes |= _constraint_settings(group, config)
    return dataclasses.replace(group, **changes)


def _constraint_settings(group: ParameterGroup, config: ParameterConfig) -> dict:
    """Auxiliary data and widths; refuse keys that the constraint does not know."""
    own = {"normal": "sigmas", "poisson": "factors"}.get(group.constraint)
    for key in ("sigmas", "factors", "auxdata"):
        allowed = key == own or (key == "auxdata" and own is not None)
        if getattr(config, key) is not None and not allowed:
            message = (
                f"the measurement sets {key!r} of parameter {group.name!r}, which a "
                f"{group.kind} does not have: remove it"
            )
            raise ModelError(message)
    if own is None:
        return {}
    default = group.auxdata or group.inits
    auxdata = _setting(group, "auxdata", config.auxdata, default)
    widths = _setting(group, own, getattr(config, own), group.widths)
    if min(widths) <= 0:
        raise _impossible(group, own, widths, "must be positive")
    if group.constraint == "poisson" and min(auxdata) < 0:
        raise _impossible(group, "auxdata", auxdata, "must not be negative")
    return {"auxdata": auxdata, "widths": widths}


def _impossible(
    group: ParameterGroup, key: str, values: Numbers, rule: str
) -> ModelError:
    message = (
        f"{key} {list(values)} of parameter {group.name!r} {rule}: correct them in the "
        "measurement, or set `fixed` if the parameter is known"
    )
    return ModelError(message)


def _setting(
    group: ParameterGroup, key: str, given: Numbers | None, default: Numbers
) -> Numbers:
    if given is None:
        return default
    if len(given) != group.size:
        message = (
            f"the measurement gives {len(given)} {key} for parameter {group.name!r}, "
            f"which has {group.size}: give one for each"
        )
        raise ModelError(message)
    return tuple(float(value) for value in given)


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
    _setting(group, "bounds", tuple(pair[0] for pair in config.bounds), ())
    return tuple((float(low), float(high)) for low, high in config.bounds)


def outside_bounds(name: str, value: float, low: float, high: float) -> ModelError:
    """Make the error for a parameter that starts outside of its bounds.

    >>> print(outside_bounds("mu", 11.0, 0.0, 10.0))
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
    missing = [k for k in needed if config is None or getattr(config, k) is None]
    if config is None or missing:
        message = (
            f"parameter {group.name!r} of the lumi modifiers has no {missing} in the "
            "measurement: add an entry with inits, bounds, auxdata and sigmas to its "
            "config/parameters"
        )
        raise ModelError(message)
    return config
