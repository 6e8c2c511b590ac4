"""p0 and Z of the data, and of a signal that is expected, are what formulae say."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from hfjax.building.build import build
from hfjax.documents.reading.schema import validate
from hfjax.errors import FitError, ParameterError
from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.hypotest import hypotest
from hfjax.inference.significance import significance
from hfjax.model.data import Data
from tests.assertions import assert_close
from tests.workspaces import HELLO, MU, make, normsys, sample, shapesys, workspace

WIDE = {"bounds": [[-5.0, 10.0]]}
EXCESS, DEFICIT = [60.0, 65.0], [45.0, 44.0]


@pytest.fixture(scope="module")
def excess():
    return build(shapesys(*HELLO, EXCESS))


def wide(observed):
    return build(shapesys(*HELLO, observed, **WIDE))


def test_p0_and_z_are_those_that_are_known(excess):
    found = significance(*excess).raise_if_failed()
    assert_close(found.p0, 0.0420613288984, 1e-9)
    assert_close(found.q, 2.98339481096, 1e-9)
    assert_close(found.mu_hat, 0.952430687797, 1e-7)
    assert_close(found.Z, np.sqrt(2.98339481096), 1e-9)


@pytest.mark.parametrize("name", ["q0: 1bin", "q0: hello"])
def test_all_tests_of_zero_of_the_oracle(name, reference_dir):
    case = json.loads((reference_dir / "oracle.json").read_text())[name]
    inputs = ("signal", "background", "uncertainty", "observed")
    found = significance(*build(shapesys(*(case[key] for key in inputs))))
    known = case["q0"]
    for ours, theirs in (("p0", "CLsb"), ("p0_exp", "CLs_exp")):
        assert_close(getattr(found, ours), known[theirs], 1e-9)
    for quantity in ("q", "q_asimov"):
        assert_close(getattr(found, quantity), known[quantity], 1e-9)
    assert_close(norm.sf(found.Z_exp), known["CLs_exp"], 1e-9)


def test_it_is_the_test_of_zero(excess):
    found, test = significance(*excess), hypotest(*excess, test_stat="q0")
    for name in ("p0", "Z", "p0_exp", "Z_exp", "q", "q_asimov"):
        assert_close(getattr(found, name), getattr(test, name), 1e-12)
    assert float(found.test.background["mu"]) == 1.0


def test_the_expected_signal_is_that_which_is_injected():
    """Asimov data at the fit to the observed data with half the signal."""
    model, data = wide(EXCESS)
    found = significance(model, data, injected=0.5)
    held = fixed_poi_fit(model, data, 0.5)
    asimov = model.expected_data(held.params)
    known = fixed_poi_fit(model, asimov, 0.0).deviance
    assert_close(found.q_asimov, known - fit(model, asimov).deviance, 1e-8)
    assert_close(found.Z_exp[2], np.sqrt(known), 1e-8)
    assert_close(found.test.asimov_data.main, asimov.main, 1e-9)
    assert_close(found.p0, significance(model, data).p0, 1e-9)


def test_a_deficit_has_no_significance_unless_it_is_signed():
    model, data = wide(DEFICIT)
    found = significance(model, data)
    assert (float(found.Z), float(found.q)) == (0.0, 0.0)
    assert_close(found.p0, 0.5, 1e-12)
    signed = significance(model, data, signed=True)
    q = fixed_poi_fit(model, data, 0.0).deviance - fit(model, data).deviance
    assert_close(signed.q, -q, 1e-9)
    assert_close(signed.Z, -np.sqrt(q), 1e-9)
    assert_close(signed.p0, norm.cdf(np.sqrt(q)), 1e-9)
    assert float(signed.mu_hat) < 0.0
    below = significance(model, data, signed=True, injected=-0.5)
    assert float(below.Z_exp[2]) < 0.0 < float(below.p0_exp[2]) - 0.5


def test_an_excess_is_the_same_signed():
    model, data = wide(EXCESS)
    found = significance(model, data, signed=True)
    assert_close(found.Z, significance(model, data).Z, 1e-12)


def test_a_parameter_that_cannot_be_negative_tells_no_deficit():
    model, data = build(shapesys(*HELLO, DEFICIT))
    assert_close(significance(model, data).p0, 0.5, 0.0, 1e-7)
    with pytest.raises(ParameterError, match="a negative lower bound"):
        significance(model, data, signed=True)
    inside = jax.jit(lambda model: significance(model, data, signed=True))(model)
    assert np.isnan(inside.Z)
    assert inside.status is FitStatus.OUT_OF_BOUNDS


@pytest.mark.parametrize("injected", [-1.0, 11.0])
def test_a_signal_out_of_bounds_is_refused(excess, injected):
    with pytest.raises(ParameterError, match="inject a signal inside"):
        significance(*excess, injected=injected)


def test_no_events_are_no_discovery():
    found = significance(*build(shapesys(*HELLO, [0.0, 0.0])))
    assert_close([found.Z, found.p0], [0.0, 0.5], 0.0, 1e-7)


@pytest.mark.slow
def test_a_counting_experiment_is_right_in_closed_form():
    samples = [sample("signal", [10.0], MU), sample("bkg", [100.0])]
    found = significance(*make(workspace({"SR": samples}, {"SR": [125.0]})))
    assert_close(found.q, 2.0 * (125.0 * np.log(1.25) - 25.0), 1e-9)
    assert_close(found.q_asimov, 2.0 * (110.0 * np.log(1.1) - 10.0), 1e-9)


@pytest.mark.slow
def test_the_lowest_of_several_valleys_counts():
    """A background that grows on both sides of its nominal."""
    samples = [
        sample("signal", [5.0], MU),
        sample("bkg", [50.0], normsys("JES", 1.5, 1.2)),
    ]
    model, data = make(workspace({"SR": samples}, {"SR": [70.0]}))
    found = significance(model, data).raise_if_failed()
    grid = np.linspace(-4.0, 4.0, 2001)
    one = jax.vmap(
        lambda a: model.logpdf(model.parameters.pack({"mu": 0.0, "JES": a}), data)
    )
    at_zero = -2.0 * float(jnp.max(one(jnp.asarray(grid))))
    assert_close(found.test.fixed.twice_nll, at_zero, 0.0, 1e-3)


@pytest.mark.slow
def test_fits_that_fail_are_no_number(excess):
    found = significance(*excess, settings=FitSettings(max_steps=1))
    assert found.status is FitStatus.MAX_STEPS
    assert np.isnan(found.p0)
    assert np.isnan(found.Z_exp).all()
    assert found.to_dict()["p0"] is None
    validate(found.dump(), "significance-result-1.0.0.json")
    with pytest.raises(FitError, match="more steps"):
        found.raise_if_failed()


@pytest.mark.slow
def test_under_jit_vmap_and_grad():
    model, data = wide(EXCESS)

    def Z(n):
        return significance(model, Data(n, data.aux), signed=True).Z

    counts = jnp.array([EXCESS, DEFICIT])
    many = jax.jit(jax.vmap(Z))(counts)
    assert_close(many[0], Z(counts[0]), 1e-9)
    assert float(many[1]) < 0.0
    step = jnp.array([1e-4, 0.0])
    known = (Z(counts[0] + step) - Z(counts[0] - step)) / 2e-4
    assert_close(jax.grad(Z)(counts[0])[0], known, 1e-5)


@pytest.mark.slow
def test_it_is_a_record(excess, tmp_path):
    found = significance(*excess)
    found.write(tmp_path / "found.json")
    document = json.loads((tmp_path / "found.json").read_text())
    validate(document, "significance-result-1.0.0.json")
    assert document["p0"] == float(found.p0)
    head, observed, _ = repr(found).splitlines()
    assert head == "SignificanceResult: converged, best fit 0.952431"
    assert observed == "  observed  p0 0.0420613, Z 1.72725"
