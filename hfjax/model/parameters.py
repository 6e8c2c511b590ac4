"""Parameters by name: positions, initial values, bounds, and which are fixed."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from hfjax.arrays import Array, Params, ParamsMask
from hfjax.errors import ParameterError, check_kind, unknown_name
from hfjax.model.tracing import is_known

Value = int | float | Sequence[int | float] | Array
"""What a parameter may be set to: one number, or one for each of its components."""


class ParameterSet(NamedTuple):
    """The parameters of one name.

    Attributes:
        name: name of the set, shared by all modifiers that use it.
        start: position of its first parameter.
        size: number of parameters.
        scalar: one parameter for a whole sample, not one for each bin.
    """

    name: str
    start: int
    size: int
    scalar: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the single parameters: ``mu``, or ``gamma[0]``, ``gamma[1]``, ...

        Example:
            >>> ParameterSet("gamma", 3, 2, scalar=False).names
            ('gamma[0]', 'gamma[1]')
        """
        if self.scalar:
            return (self.name,)
        return tuple(f"{self.name}[{i}]" for i in range(self.size))


class Parameters(eqx.Module):
    """All parameters of a model, in pyhf's order.

    Attributes:
        init: values a fit starts from, and fixed parameters keep.
        lower: lower bounds.
        upper: upper bounds.
        fixed: parameters that every fit keeps at their initial values.
        sets: names and positions.
    """

    init: Params
    lower: Params
    upper: Params
    fixed: ParamsMask
    sets: tuple[ParameterSet, ...] = eqx.field(static=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Name of every single parameter, in order."""
        return tuple(name for each in self.sets for name in each.names)

    def find(self, name: str) -> ParameterSet:
        """Look up a parameter set by name.

        Raises:
            UnknownNameError: no set has this name; close names are given.
        """
        return find_set(self.sets, name, "the model")

    def position(self, name: str) -> int:
        """Position of a single parameter.

        Args:
            name: name of a set of one, or of a parameter: ``gamma[1]``.

        Raises:
            UnknownNameError: there is no such parameter; close names are given.
            ParameterError: a set of several has the name.

        Example:
            >>> gamma = ParameterSet("gamma", 1, 2, scalar=False)
            >>> one = np.ones(3)
            >>> mu = ParameterSet("mu", 0, 1, scalar=True)
            >>> parameters = Parameters(one, 0 * one, 2 * one, one > 1, (mu, gamma))
            >>> parameters.position("mu"), parameters.position("gamma[1]")
            (0, 2)
        """
        return position_of(self.sets, name, "the model")

    def positions(self, name: str) -> slice:
        """Positions of a parameter, or of all components of one that has several.

        Args:
            name: name of a set (``gamma``) or of a parameter (``gamma[1]``).

        Raises:
            UnknownNameError: there is no such parameter; close names are given.
        """
        single = single_position(self.sets, name)
        if single is not None:
            return slice(single, single + 1)
        each = self.find(name)
        return slice(each.start, each.start + each.size)

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse a vector that has not one value for each parameter.

        Args:
            shape: shape of the vector.

        Raises:
            ParameterError: with its shape and the number of parameters.
        """
        if shape != self.init.shape:
            message = (
                f"parameter values of shape {shape} for a model with "
                f"{self.init.shape[-1]} parameters: give one value for each, in the "
                "order of `parameters.names`, and use jax.vmap for many vectors"
            )
            raise ParameterError(message)

    def pack(self, values: Mapping[str, Value], start: Array | None = None) -> Array:
        """Put named values into one vector; what is not named keeps its initial value.

        Args:
            values: values by name of a set (``gamma``) or a parameter (``gamma[1]``).
            start: vector to take the other values from, instead of ``init``.

        Returns:
            Vector of all parameters; of NumPy, outside of ``jit`` and ``vmap``.

        Raises:
            UnknownNameError: a name is not in the model.
            ParameterError: a set gets the wrong number of values, or ``start`` has
                not one for each parameter.

        Example:
            >>> mu = ParameterSet("mu", 0, 1, scalar=True)
            >>> gamma = ParameterSet("gamma", 1, 2, scalar=False)
            >>> one = np.ones(3)
            >>> parameters = Parameters(one, 0 * one, 2 * one, one > 1, (mu, gamma))
            >>> parameters.pack({"mu": 0.5, "gamma[1]": 1.5}).tolist()
            [0.5, 1.0, 1.5]
        """
        remedy = 'give values by name, such as {"mu": 1.0}'
        check_kind("what is packed", values, Mapping, remedy, "dict")
        vector = self.init if start is None else start
        self.check(np.shape(vector))
        places = {name: self.positions(name) for name in values}
        numbers = {n: _numbers(n, values[n], place) for n, place in places.items()}
        if is_known((vector, values)):
            known = np.array(vector)
            for name, place in places.items():
                known[place] = numbers[name]
            return known
        packed = jnp.asarray(vector)
        for name, place in places.items():
            packed = packed.at[place].set(numbers[name])
        return packed

    def unpack(self, params: Array) -> dict[str, Array]:
        """Split a vector into the values of each set.

        Args:
            params: vector of all parameters, or a batch of them (parameters last).

        Returns:
            Values by name of the set, parameters on the last axis.

        Raises:
            ParameterError: there is not one value for each parameter.

        Example:
            >>> mu = ParameterSet("mu", 0, 1, scalar=True)
            >>> gamma = ParameterSet("gamma", 1, 2, scalar=False)
            >>> one = np.ones(3)
            >>> parameters = Parameters(one, 0 * one, 2 * one, one > 1, (mu, gamma))
            >>> parameters.unpack(np.array([0.5, 1.0, 1.5]))["gamma"].tolist()
            [1.0, 1.5]
        """
        self.check(np.shape(params)[-1:])
        return {s.name: params[..., s.start : s.start + s.size] for s in self.sets}


def find_set(sets: Sequence[ParameterSet], name: str, where: str) -> ParameterSet:
    """Look up a parameter set by name.

    Args:
        sets: all that there are.
        name: of one of them.
        where: what they are the parameters of, such as "the model".

    Raises:
        UnknownNameError: no set has this name; close names are given.
    """
    for each in sets:
        if each.name == name:
            return each
    error = unknown_name("parameter", name, [each.name for each in sets], where)
    raise error


def position_of(sets: Sequence[ParameterSet], name: str, where: str) -> int:
    """Position of a single parameter.

    Args:
        sets: all that there are.
        name: name of a set of one, or of a parameter: ``gamma[1]``.
        where: what they are the parameters of, such as "the model".

    Raises:
        UnknownNameError: there is no such parameter; close names are given.
        ParameterError: a set of several has the name.
    """
    single = single_position(sets, name)
    if single is not None:
        return single
    found = find_set(sets, name, where)
    if found.size > 1:
        message = (
            f"parameter {name!r} has {found.size} components: name one of them, "
            f"such as {found.names[0]!r}"
        )
        raise ParameterError(message)
    return found.start


def single_position(sets: Sequence[ParameterSet], name: str) -> int | None:
    """Position of a parameter such as ``mu`` or ``gamma[1]``; None if it is no single.

    Example:
        >>> sets = [ParameterSet("mu", 0, 1, True), ParameterSet("gamma", 1, 2, False)]
        >>> [single_position(sets, name) for name in ("mu", "gamma[1]", "gamma")]
        [0, 2, None]
    """
    for each in sets:
        if name in each.names:
            return each.start + each.names.index(name)
    return None


def _numbers(name: str, value: Value, place: slice) -> Array:
    """The values of a parameter, one for each of its components."""
    size = place.stop - place.start
    if np.size(value) == size:
        known = is_known(value)
        return (
            np.reshape(value, size) if known else jnp.reshape(jnp.asarray(value), size)
        )
    if size == 1:
        message = f"parameter {name!r} takes one value, not {np.size(value)}"
    else:
        message = (
            f"parameter {name!r} takes {size} values, not {np.size(value)}: give one "
            f"for each bin, or name single ones as {name + '[0]'!r}"
        )
    raise ParameterError(message)
