"""Parameters before any fit, of each kind of constraint term."""

import numpy as np
import pytest

from hfjax.errors import ModelError
from hfjax.model.nominal import nominal_parameters
from tests.workspaces import (
    MU,
    extended,
    make,
    modifier,
    normsys,
    one_sample,
    sample,
    workspace,
)


def found(document):
    model, _ = make(document)
    nominal = nominal_parameters(model)
    names = model.parameters.names
    pairs = zip(nominal.values.tolist(), nominal.widths.tolist(), strict=True)
    return dict(zip(names, pairs, strict=True))


def test_widths_are_those_of_the_constraint_terms():
    lumi = {"name": "lumi", "auxdata": [1.1], "sigmas": [0.02], "inits": [1.0]}
    lumi["bounds"] = [[0.5, 1.5]]
    samples = [
        sample("s", [3.0], MU, modifier("lumi", "lumi")),
        sample("b", [10.0], normsys("JES", 0.9, 1.1), modifier("shapesys", "g", [2.0])),
        sample("c", [20.0], modifier("staterror", "stat", [1.0])),
    ]
    values = found(workspace({"SR": samples}, {"SR": [30.0]}, lumi))
    assert values["mu"] == (1.0, 0.0)
    assert values["lumi"] == (1.1, 0.02)
    assert values["JES"] == (0.0, 1.0)
    assert values["g[0]"] == pytest.approx((1.0, 0.2))
    assert values["stat[0]"] == pytest.approx((1.0, 0.05))


def test_where_fits_start_is_not_what_was_known_before():
    """T31: initial values of the measurement do not pollute what is expected."""
    document = one_sample(MU, normsys("JES", 0.9, 1.1))
    settings = document["measurements"][0]["config"]["parameters"]
    settings += [{"name": "JES", "inits": [0.7]}, {"name": "mu", "inits": [2.0]}]
    assert found(document) == {"mu": (2.0, 0.0), "JES": (0.0, 1.0)}


def test_what_is_held_stays_where_it_is_without_an_uncertainty():
    model, _ = make(one_sample(MU, normsys("JES", 0.9, 1.1)))
    nominal = nominal_parameters(model.with_fixed({"JES": 0.5}))
    assert nominal.values[model.parameters.position("JES")] == 0.5
    assert nominal.widths.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("kind", "width"),
    [("poisson", 1.0), ("gamma", 1.0), ("lognormal", np.log1p(0.2) / 0.2)],
)
def test_extended_terms_have_widths_in_units_of_their_parameter(kind, width):
    document = one_sample(MU, normsys("JES", 0.9, 1.1))
    entry = {"name": "JES", "constraint": kind, "sigmas": [0.2]}
    value, found_width = found(extended(document, entry))["JES"]
    assert value == pytest.approx(0.0, abs=1e-12)
    assert found_width == pytest.approx(width)


def test_a_model_without_templates_is_refused():
    model, _ = make(one_sample(MU))
    with pytest.raises(ModelError, match="does not know its templates"):
        nominal_parameters(model.anonymous())
