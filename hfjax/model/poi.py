"""The parameter of interest: that a model has one, and which values it can have."""

import numpy as np

from hfjax.arrays import Number
from hfjax.errors import (
    ParameterError,
    check_kind,
    fixed_poi,
    missing_poi,
    outside_bounds,
)
from hfjax.model.model import Model


def require_poi(model: Model, otherwise: str = "") -> None:
    """Refuse a model without a parameter of interest.

    Args:
        model: a model.
        otherwise: what else can be done about it.

    Raises:
        MissingPOIError: names the parameter that a signal must bring.
    """
    named = model.parameters.sets or model.names.channels
    without = not named and not model.is_traced and model.poi < 0
    if without or (named and model.poi_name is None):
        raise missing_poi(model.names.poi, otherwise)


def require_free_poi(model: Model) -> None:
    """Refuse a model whose parameter of interest no test can move.

    Raises:
        MissingPOIError: the model has no parameter of interest.
        ModelError: the parameter of interest is fixed.
    """
    require_poi(model)
    if not model.is_traced and np.asarray(model.parameters.fixed)[model.poi]:
        raise fixed_poi(model.poi_name)


def check_poi_value(
    model: Model,
    poi_value: Number,
    remedy: str = "test a value inside, or widen them in the measurement",
) -> None:
    """Refuse a value outside the bounds of the parameter of interest.

    Args:
        model: a model with a parameter of interest.
        poi_value: a value that fits are to hold it at.
        remedy: what the error says about the way out.

    Raises:
        ParameterError: names the bounds.
    """
    lower, upper = (
        float(np.asarray(bound)[model.poi])
        for bound in (model.parameters.lower, model.parameters.upper)
    )
    if not lower <= poi_value <= upper:
        name = model.poi_name or "the parameter of interest"
        raise outside_bounds(name, float(poi_value), (lower, upper), remedy)


def check_single(poi_value: Number) -> None:
    """Refuse several values of the parameter of interest at once.

    Raises:
        ArgumentError: it is no number.
        ParameterError: says how many are tested together.
    """
    remedy = "test one value, such as 1.0"
    what = "the value of the parameter of interest"
    check_kind(what, poi_value, Number, remedy, "number")
    if shape := np.shape(poi_value):
        message = (
            f"values of shape {shape} for the parameter of interest, which takes one: "
            "use jax.vmap for many"
        )
        raise ParameterError(message)
