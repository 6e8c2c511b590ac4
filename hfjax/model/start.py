"""Initial values by name: where all fits of a model start."""

from collections.abc import Container, Mapping

import numpy as np

from hfjax.errors import ParameterError, outside_bounds
from hfjax.model.parameters import Parameters, Value


def start_values(
    parameters: Parameters, values: Mapping[str, Value], derived: Container[str] = ()
) -> np.ndarray:
    """Initial values of all parameters, some of them replaced by name.

    Args:
        parameters: of a model.
        values: by name of a parameter (``mu``, ``gamma[1]``) or set (``gamma``).
        derived: names that expressions give.

    Raises:
        UnknownNameError: there is no such parameter; close names are given.
        ParameterError: the measurement fixes it, an expression gives it, or the value
            is out of its bounds.

    Example:
        >>> from hfjax.model.parameters import ParameterSet
        >>> one, mu = np.ones(1), ParameterSet("mu", 0, 1, scalar=True)
        >>> parameters = Parameters(one, 0 * one, 5 * one, one > 1, (mu,))
        >>> start_values(parameters, {"mu": 2.0}).tolist()
        [2.0]
    """
    for name in values:
        if name in derived:
            message = (
                f"parameter {name!r} is given by an expression, so that no fit starts "
                "with a value of it: name the parameters in the expression"
            )
            raise ParameterError(message)
    vector = np.asarray(parameters.pack(values))
    for name in values:
        for i in range(vector.size)[parameters.positions(name)]:
            _check(parameters, i, float(vector[i]))
    return vector


def _check(parameters: Parameters, i: int, value: float) -> None:
    """Refuse to start a fixed parameter elsewhere, or any out of its bounds."""
    name = parameters.names[i]
    lower, upper = (float(b[i]) for b in (parameters.lower, parameters.upper))
    if bool(parameters.fixed[i]):
        message = (
            f"the measurement fixes {name!r}, so that no fit moves it: change its "
            "value, or remove `fixed`, in the measurement"
        )
        raise ParameterError(message)
    if not lower <= value <= upper:
        remedy = "take a value inside, or widen them in the measurement"
        raise outside_bounds(name, value, (lower, upper), remedy)
