"""What a fit is asked for, checked before it begins where the values are known.

Inside ``jit`` and ``vmap`` they are not: there `hfjax.fitting.refusal` makes of the
same faults a status.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from hfjax.arrays import Array
from hfjax.errors import DataError, ParameterError, check_kind, outside_bounds
from hfjax.fitting.refusal import usable_terms
from hfjax.fitting.status import FitSettings
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.parameters import Value
from hfjax.model.tracing import is_known

BY_NAME = 'give values by name, such as {"JES": 0.0}'


def check_start(model: Model, start: Array, *, poi: bool = False) -> None:
    """Refuse a start that no fit of a model can have.

    Args:
        model: a model whose bounds are known.
        start: a value for each parameter.
        poi: the fit holds the parameter of interest, wherever the start has it.

    Raises:
        ParameterError: a value is NaN, or outside its bounds; or one differs that the
            measurement fixes.
    """
    own = model.parameters
    fixed, init, lower, upper = map(
        np.asarray, (own.fixed, own.init, own.lower, own.upper)
    )
    inside = (start >= lower) & (start <= upper)
    fits = np.where(fixed, start == init, inside)
    if poi:
        fits[model.poi] = True
    for i in np.flatnonzero(~fits):
        name, value = parameter_name(model, int(i)), float(start[i])
        if not fixed[i]:
            remedy = "take a value inside, or widen them in the measurement"
            raise outside_bounds(
                name, value, (float(lower[i]), float(upper[i])), remedy
            )
        message = (
            f"a start with {name} = {value:g}, which the measurement fixes at "
            f"{init[i]:g}: leave it there, or remove `fixed` in the measurement"
        )
        raise ParameterError(message)


def check_inputs(model: Any, data: Any, settings: Any) -> None:
    """Refuse what is no model with data of its own, or no settings of fits.

    Args:
        model: the first argument of a public function.
        data: the second.
        settings: of the fits.

    Raises:
        ArgumentError: one of them is something else.
        DataError: the data have the wrong shape, or are no counts.
    """
    how = "the model comes first and its data second, as hfjax.build makes them"
    counts = "model.data({...}) makes others of counts by channel"
    check_kind("model", model, Model, how)
    check_kind("data", data, Data, f"{how}; {counts}")
    check_settings(settings)
    model.check_data(data)
    check_counts(model, data)


def holding(model: Model, fixed: Mapping[str, Value]) -> Model:
    """The same model with parameters that all fits hold; also inside ``jit``.

    Args:
        model: a model.
        fixed: values to hold parameters at, by name; nothing of no values.

    Raises:
        ArgumentError: the values are not given by name.
        UnknownNameError: there is no parameter to hold of a name.
        ParameterError: as `Model.with_fixed` says.
    """
    check_kind("fixed", fixed, Mapping, BY_NAME, "dict")
    if is_known((model.parameters.init, dict(fixed))) and not model.is_traced:
        return model.with_fixed(fixed)
    own = model.parameters
    held = own.fixed | model.held(fixed)
    parameters = dataclasses.replace(own, init=own.pack(fixed), fixed=held)
    return dataclasses.replace(model, parameters=parameters)


def check_settings(settings: Any) -> None:
    """Refuse what are no settings of fits.

    Raises:
        ArgumentError: they are something else.
    """
    how = "FitSettings(max_steps=1000) takes what is to differ from the usual"
    check_kind("settings", settings, FitSettings, how)


def check_counts(model: Model, data: Data) -> None:
    """Refuse data that no measurement gives; nothing is done where they are not known.

    Args:
        model: a model.
        data: data of its shape.

    Raises:
        DataError: a count is negative or no number, with its channel and bin; or an
            auxiliary datum is none, with its parameter.
    """
    terms = (model.bin_present, model.constraints)
    if np.ndim(model.poi) > 0 or not is_known((terms, data)):
        return
    (present, constraints), data = jax.tree.map(np.asarray, (terms, data))
    bins, aux = usable_terms(present, constraints, data)
    for i in np.flatnonzero(~np.asarray(bins)):
        message = (
            f"{data.main[i]:g} events in {bin_name(model, int(i))}: counts are finite "
            "numbers that are not negative; correct the data"
        )
        raise DataError(message)
    for own, usable in zip(constraints, aux, strict=True):
        for k in np.flatnonzero(~np.asarray(usable)):
            name, value = (
                parameter_name(model, int(own.index[k])),
                data.aux[own.position[k]],
            )
            message = (
                f"the auxiliary datum of {name} is {value:g}, which its constraint "
                "term cannot give: correct the data"
            )
            raise DataError(message)


def parameter_name(model: Model, position: int) -> str:
    """Name of a parameter, or its position where the model has no names."""
    names = model.parameters.names
    return names[position] if names else f"parameter {position}"


def bin_name(model: Model, position: int) -> str:
    """Where a bin is: its channel and its position there, both from zero."""
    for channel, size in zip(model.names.channels, model.names.bins, strict=True):
        if position < size:
            return f"bin {position} of channel {channel!r}"
        position -= size
    return f"bin {position}"
