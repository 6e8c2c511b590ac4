"""Where other valleys are promised, as seen from a minimum."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.workspace.workspace import Workspace
from hfjax.fitting.best_fit import fixed_poi_fit
from hfjax.fitting.newton.descend import Minimum
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitSettings
from hfjax.fitting.valleys.candidates import promise
from hfjax.model.data import Data
from hfjax.model.model import Model
from tests.fitting.valleys.models import LOWER

BESIDE = 1.5
"""Value of the parameter: the other valley is at as much on the other side."""


@pytest.fixture(scope="module")
def known() -> tuple[Model, Data]:
    """A model of two valleys, and data as expected in one of them."""
    model, _ = build(Workspace.parse(LOWER))
    own = model.parameters
    params = jnp.asarray(own.init).at[own.position("a")].set(-BESIDE)
    return model, model.expected_data(params.at[own.position("mu")].set(0.5))


def promised(model: Model, data: Data, auxiliary: float) -> float:
    """The most that is promised at the minimum beside the auxiliary measurement."""
    data = dataclasses.replace(data, aux=jnp.full_like(data.aux, auxiliary))
    start = model.with_start({"a": -BESIDE}).parameters.init
    settings = FitSettings(valleys="initial")
    end = fixed_poi_fit(model, data, 0.5, start=start, settings=settings)
    assert float(end.params[model.parameters.position("a")]) < -1.0
    value, none = 0.5 * end.deviance, jnp.zeros(())
    at = Minimum(end.params, value, end.code, none, none, end.steps)
    return float(np.max(promise(Objective(model, data), at, jnp.array(1.0)).alone))


@pytest.mark.slow
def test_the_other_side_is_promised_where_both_are_as_far_from_the_measurement(known):
    assert promised(*known, 0.0) > 0.0


@pytest.mark.slow
def test_a_side_far_from_the_auxiliary_measurement_is_not(known):
    """Its constraint term alone costs ``(2 * 1.5)^2`` there."""
    assert promised(*known, -BESIDE) < 0.0
