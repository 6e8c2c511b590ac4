"""Constraint terms of parameters: of which kind, how wide, and where they are centred.

The kind is that of the modifiers' type unless the measurement names another, which is
an extension of the format; `schemas/README.md` has the whole table. With ``beta``,
which is 1 where nothing is pulled, and its relative uncertainty ``rel``:

    normal     a ~ Normal(theta, sigma)
    poisson    a ~ Poisson(tau beta),  tau = 1 / rel^2; gamma is the same likelihood
    lognormal  ln a ~ Normal(ln beta, ln(1 + rel))
    none       no term and no auxiliary datum

``beta`` is ``1 + rel alpha`` of an interpolation parameter, ``lambda / L0`` of lumi,
and ``gamma`` of staterror and shapesys.
"""

import contextlib
import dataclasses
import math

from hfjax.documents.parameters.parameter_group import Numbers, ParameterGroup
from hfjax.documents.reading.json_values import Number
from hfjax.documents.workspace.measurement import ParameterConfig
from hfjax.errors import ModelError

LEAST = 1e-10
"""Least ``beta`` of a constraint term that needs it to be positive."""

_KINDS = {"normal": "normal", "poisson": "poisson", "gamma": "poisson"}
_KINDS |= {"lognormal": "lognormal", "none": ""}
_KEYS = {"normal": "sigmas", "poisson": "factors", "lognormal": "sigmas", "": None}
_INTERPOLATED = ("histosys", "normsys")


def constrained(group: ParameterGroup, config: ParameterConfig) -> ParameterGroup:
    """Give parameters the constraint terms that a measurement asks for.

    Args:
        group: parameters with the constraint terms of their type, and their bounds.
        config: what the measurement says about them.

    Raises:
        ModelError: the kind does not exist for these modifiers, a key belongs to
            another kind, a value is impossible, or the bounds leave no positive beta.

    Example:
        >>> bounds = ((-5.0, 5.0),)
        >>> jes = ParameterGroup(
        ...     "jes", "normsys", True, (0,), bounds, (False,), "normal", (0,), (1,)
        ... )
        >>> found = constrained(jes, ParameterConfig("jes", sigmas=(0.25,),
        ...     constraint="gamma"))
        >>> found.constraint, found.auxdata, found.widths, found.bounds
        ('poisson', (16.0,), (16.0,), ((-3.9999999996, 5.0),))
    """
    group = _with_threshold(group, config.threshold)
    kind = _KINDS[config.constraint] if config.constraint else group.constraint
    _refuse_kind(group, config.constraint)
    _refuse_keys(group, kind, config)
    if not kind:
        return dataclasses.replace(group, constraint="", auxdata=(), widths=())
    if kind == group.constraint:
        return _as_the_type_has_it(group, config)
    return _of_another_kind(group, kind, config)


def setting(
    group: ParameterGroup, key: str, given: Numbers | None, default: Numbers
) -> Numbers:
    """Return what a measurement gives for each parameter, or the defaults.

    Raises:
        ModelError: there is not one value for each parameter.
    """
    if given is None:
        return default
    if len(given) != group.size:
        message = (
            f"the measurement gives {len(given)} {key} for parameter {group.name!r}, "
            f"which has {group.size}: give one for each"
        )
        raise ModelError(message)
    return tuple(float(value) for value in given)


def _with_threshold(group: ParameterGroup, threshold: Number | None) -> ParameterGroup:
    """Fix the bins of a staterror whose relative uncertainty is below a threshold."""
    if threshold is None:
        return group
    if group.kind != "staterror":
        message = (
            f"the measurement sets 'threshold' of parameter {group.name!r}, which a "
            f"{group.kind} does not have: remove it"
        )
        raise ModelError(message)
    small = [width < threshold for width in group.widths]
    fixed = tuple(a or b for a, b in zip(group.fixed, small, strict=True))
    widths = tuple(
        1.0 if off else w for off, w in zip(small, group.widths, strict=True)
    )
    return dataclasses.replace(group, fixed=fixed, widths=widths)


def _refuse_kind(group: ParameterGroup, name: str | None) -> None:
    """Refuse constraint terms of what the type leaves free."""
    if not group.constraint and name not in (None, "none"):
        message = (
            f"the measurement sets the constraint of parameter {group.name!r} to "
            f"{name!r}, but a {group.kind} has no uncertainty that says how wide: "
            "remove it"
        )
        raise ModelError(message)


def _refuse_keys(group: ParameterGroup, kind: str, config: ParameterConfig) -> None:
    """Refuse settings that the constraint terms do not have."""
    own = {_KEYS[kind], "auxdata"} if kind else set()
    if kind == "poisson" and group.scalar:
        own.add("sigmas")  # they say what beta is
    named = f" with a {config.constraint!r} constraint" if config.constraint else ""
    for key in ("sigmas", "factors", "auxdata"):
        if getattr(config, key) is not None and key not in own:
            message = (
                f"the measurement sets {key!r} of parameter {group.name!r}, which a "
                f"{group.kind}{named} does not have: remove it"
            )
            raise ModelError(message)


def _as_the_type_has_it(
    group: ParameterGroup, config: ParameterConfig
) -> ParameterGroup:
    """Terms of the kind that plain documents have, with other centres and widths."""
    own = "sigmas" if group.constraint == "normal" else "factors"
    default = group.auxdata or group.inits
    auxdata = setting(group, "auxdata", config.auxdata, default)
    widths = setting(group, own, getattr(config, own), group.widths)
    if own == "sigmas":
        widths = _constant_where_known(group, widths)
    _require_positive(group, own, widths)
    if group.constraint == "poisson":
        _require_positive(group, "auxdata", auxdata, or_zero=True)
    return dataclasses.replace(group, auxdata=auxdata, widths=widths)


def _constant_where_known(group: ParameterGroup, widths: Numbers) -> Numbers:
    """Give fixed parameters without uncertainty a term that is a constant.

    It is that of bins without uncertainty; ROOT has no term then.
    """
    return tuple(
        1.0 if fixed and width == 0 else width
        for fixed, width in zip(group.fixed, widths, strict=True)
    )


def _of_another_kind(
    group: ParameterGroup, kind: str, config: ParameterConfig
) -> ParameterGroup:
    """Terms of a kind that only extended documents have for this type."""
    group = _with_beta(group, config)
    auxdata = (1.0,) * group.size
    if kind == "lognormal":
        widths = tuple(math.log1p(width) for width in group.widths)
    elif kind == "poisson":
        auxdata = tuple(_inverse(group, width, 2) for width in group.widths)
        widths = setting(group, "factors", config.factors, auxdata)
        _require_positive(group, "factors", widths)
    else:
        widths = group.widths
    if group.kind != "lumi":  # whose auxdata say what beta is
        auxdata = setting(group, "auxdata", config.auxdata, auxdata)
    if kind != "normal":
        _require_positive(group, "auxdata", auxdata, or_zero=kind == "poisson")
        group = _with_positive_beta(group)
    return dataclasses.replace(group, constraint=kind, auxdata=auxdata, widths=widths)


def _with_beta(group: ParameterGroup, config: ParameterConfig) -> ParameterGroup:
    """Say what beta is, with its relative uncertainties as widths.

    ``beta = scale (theta + shift)``.
    """
    if group.kind == "lumi":
        (nominal,) = setting(group, "auxdata", config.auxdata, ())
        (width,) = setting(group, "sigmas", config.sigmas, ())
        _require_positive(group, "auxdata", (nominal,))
        _require_positive(group, "sigmas", (width,))
        scale = _inverse(group, nominal)
        return dataclasses.replace(group, widths=(width / nominal,), scale=scale)
    default = group.widths
    if group.kind == "shapesys":
        default = tuple(tau**-0.5 for tau in default)
    widths = setting(group, "sigmas", config.sigmas, default)
    _require_positive(group, "sigmas", widths)
    if group.kind in _INTERPOLATED:
        (width,) = widths
        shift = _inverse(group, width)
        return dataclasses.replace(group, widths=widths, scale=width, shift=shift)
    return dataclasses.replace(group, widths=widths)


def _inverse(group: ParameterGroup, value: float, power: int = 1) -> float:
    """Return `1 / value^power`, which has to be a number that a float can hold."""
    with contextlib.suppress(OverflowError):
        found = value**-power
        if found < math.inf:
            return found
    message = (
        f"{value:g} of parameter {group.name!r} is too small for its constraint: "
        "correct it in the measurement, or set `fixed` if the parameter is known"
    )
    raise ModelError(message)


def _with_positive_beta(group: ParameterGroup) -> ParameterGroup:
    """Raise lower bounds to where beta is `LEAST`."""
    least = LEAST / group.scale - group.shift
    for low, high in group.bounds:
        if high < least:
            message = (
                f"bounds {[low, high]} of parameter {group.name!r} leave no room where "
                f"its constraint is defined, above {least:g}: raise the upper one in "
                "the measurement"
            )
            raise ModelError(message)
    bounds = tuple((max(low, least), high) for low, high in group.bounds)
    return dataclasses.replace(group, bounds=bounds)


def _require_positive(
    group: ParameterGroup, key: str, values: Numbers, or_zero: bool = False
) -> None:
    """Refuse values that are not positive, or not even zero."""
    if min(values) > 0 or (or_zero and min(values) == 0):
        return
    rule = "must not be negative" if or_zero else "must be positive"
    message = (
        f"{key} {list(values)} of parameter {group.name!r} {rule}: correct them in the "
        "measurement, or set `fixed` if the parameter is known"
    )
    raise ModelError(message)
