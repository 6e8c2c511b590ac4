"""What is chosen of a model by name: its parameter of interest, starts, held values."""

import dataclasses
from collections.abc import Mapping
from typing import TypeVar

import equinox as eqx
import jax
import numpy as np

from hfjax.arrays import ScalarInt
from hfjax.errors import derived_poi
from hfjax.model.names import Names
from hfjax.model.parameters import Parameters, Value
from hfjax.model.start import start_values

M = TypeVar("M", bound="Chosen")


class Chosen(eqx.Module):
    """The part of a model that says what is fitted, from where, and what is held.

    Attributes:
        parameters: names, initial values, bounds and fixed flags.
        poi: position of the parameter of interest, -1 where there is none.
        names: what the axes stand for.
    """

    parameters: eqx.AbstractVar[Parameters]
    poi: eqx.AbstractVar[ScalarInt]
    names: eqx.AbstractVar[Names]

    def with_poi(self: M, name: str) -> M:
        """The same model with another parameter of interest, which costs nothing.

        Only a position changes: compiled programs serve both models. Any parameter that
        is one number will do. One with a constraint term is measured twice, by the main
        data and by its auxiliary measurement: fits and tests use both, so that they are
        about the combination, with the Asimov data's auxiliary data at their best fit.

        Args:
            name: name of a parameter, or of a component: ``gamma[1]``.

        Raises:
            UnknownNameError: there is no such parameter; close names are given.
            ParameterError: it has several components, or an expression gives it.
        """
        position = np.int32(self.single_parameter(name))
        names = dataclasses.replace(self.names, poi=name)
        return dataclasses.replace(self, poi=jax.device_put(position), names=names)

    def with_start(self: M, values: Mapping[str, Value]) -> M:
        """The same model with other initial values, which all fits start from.

        Args:
            values: by name of a parameter (``mu``, ``gamma[1]``) or set (``gamma``).

        Raises:
            UnknownNameError: there is no such parameter; close names are given.
            ParameterError: the measurement fixes it, an expression gives it, or the
                value is out of its bounds.
        """
        if not values:
            return self
        start = jax.device_put(
            start_values(self.parameters, values, self.names.derived)
        )
        parameters = dataclasses.replace(self.parameters, init=start)
        return dataclasses.replace(self, parameters=parameters)

    def with_fixed(self: M, values: Mapping[str, Value]) -> M:
        """The same model with parameters that all fits keep at these values.

        Args:
            values: by name of a parameter (``mu``, ``gamma[1]``) or set (``gamma``).

        Raises:
            UnknownNameError: there is no such parameter; close names are given.
            ParameterError: the measurement fixes it, an expression gives it, or the
                value is out of its bounds.

        Example:
            >>> import hfjax
            >>> workspace = hfjax.uncorrelated_background([3.0], [5.0], [1.0], [9.0])
            >>> model, data = hfjax.build(workspace)
            >>> float(hfjax.fit(model.with_fixed({"mu": 0.5}), data)["mu"])
            0.5
        """
        if not values:
            return self
        own = self.with_start(values).parameters
        fixed = jax.device_put(np.asarray(own.fixed) | self.held(values))
        parameters = dataclasses.replace(own, fixed=fixed)
        return dataclasses.replace(self, parameters=parameters)

    def single_parameter(self, name: str) -> int:
        """Position of a parameter that fits may hold at a value; see `with_poi`.

        Raises:
            UnknownNameError: there is no such parameter; close names are given.
            ParameterError: it has several components, or an expression gives it.
        """
        if name in self.names.derived:
            raise derived_poi(name)
        return self.parameters.position(name)

    def held(self, values: Mapping[str, Value]) -> np.ndarray:
        """Which parameters have one of these names; for fits that hold them.

        Raises:
            UnknownNameError: there is no such parameter; close names are given.
            ParameterError: an expression gives it.
        """
        mask = np.zeros(np.shape(self.parameters.init)[-1], bool)
        for name in values:
            if name in self.names.derived:
                raise derived_poi(name)
            mask[self.parameters.positions(name)] = True
        return mask
