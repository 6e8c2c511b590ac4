"""What a test is of: a model, its data, and where the Asimov data come from."""

from typing import NamedTuple

import jax.numpy as jnp

from hfjax.arrays import Params, Scalar
from hfjax.compiled.canonical import canonical
from hfjax.fitting.status import NOMINAL, OBSERVED_PROFILE, FitSettings
from hfjax.model.constraints import Aux
from hfjax.model.data import Data
from hfjax.model.model import Model
from hfjax.model.nominal import nominal_values


class Subject(NamedTuple):
    """A model without names, its data, and where the Asimov data come from.

    Attributes:
        model: of any size.
        data: observed data.
        nominal: auxiliary data at which those before any fit are expected; None where a
            fit to the observed data says what is expected.
    """

    model: Model
    data: Data
    nominal: Aux | None = None

    @property
    def band(self) -> str:
        """What the expected band is of; see `FitSettings.expected`."""
        return OBSERVED_PROFILE if self.nominal is None else NOMINAL

    def truth(self, asimov_poi: Scalar) -> Params | None:
        """Parameters of the Asimov data before any fit; None where a fit says them.

        Args:
            asimov_poi: the parameter of interest among them.
        """
        if self.nominal is None:
            return None
        values = nominal_values(self.model, self.nominal)
        return jnp.asarray(values).at[self.model.poi].set(asimov_poi)


def subject_of(model: Model, data: Data, settings: FitSettings) -> Subject:
    """A model and its data in canonical sizes, with what the settings ask for.

    Args:
        model: with its names.
        data: observed data.
        settings: say where the Asimov data come from.
    """
    own, its_data = canonical(model, data)
    if settings.expected != NOMINAL:
        return Subject(own, its_data)
    known = data if model.sources is None else model.with_nominal_auxiliary(data)
    return Subject(own, its_data, canonical(model, known)[1].aux)


def point_subject(model: Model, data: Data, settings: FitSettings) -> Subject:
    """The same of one point of a batch, whose auxiliary data are the nominal ones.

    Args:
        model: of the point.
        data: its data, as the batch was built with.
        settings: say where the Asimov data come from.
    """
    nominal = data.aux if settings.expected == NOMINAL else None
    return Subject(model, data, nominal)
