"""Likelihood scans over a grid: closed forms, slow loops of fits, refusals."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.errors import DataError, ParameterError, UnknownNameError
from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.fitting.objective import Objective
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.profile import profile
from tests.assertions import no_compilation
from tests.model.expressions import one_bin
from tests.workspaces import (
    HELLO,
    MU,
    all_kinds,
    given,
    make,
    modifier,
    normsys,
    sample,
    shapesys,
    workspace,
)


def two_factors():
    """A signal and a background factor, each with a bin of its own beside a common."""
    k = modifier("normfactor", "k")
    samples = [
        sample("signal", [10.0, 0.0, 6.0], MU),
        sample("bkg", [0.0, 40.0, 20.0], k),
    ]
    return make(workspace({"SR": samples}, {"SR": [13.0, 36.0, 25.0]}))


def deviance(counts, rates):
    pairs = zip(counts, rates, strict=True)
    return sum(2 * (nu - n + n * math.log(n / nu)) for n, nu in pairs)


def rates(mu, k):
    return 10 * mu, 40 * k, 6 * mu + 20 * k


def held_fit(model, data, held):
    """A fit with some parameters held, as a loop over a grid would do it."""
    fixed = np.array(model.parameters.fixed)
    init = model.parameters.pack(held)
    for name in held:
        fixed[model.parameters.position(name)] = True
    parameters = dataclasses.replace(model.parameters, fixed=fixed, init=init)
    return fit(dataclasses.replace(model, parameters=parameters), data)


# -- what a scan says --------------------------------------------------------------


@pytest.mark.slow
def test_two_parameters_are_a_closed_form():
    """Nothing is left to fit on the grid: 2NLL is that of the rates themselves."""
    model, data = two_factors()
    grid = {"mu": [0.5, 1.0, 1.7], "k": [0.6, 0.9, 1.0, 1.4]}
    found = profile(model, data, grid)
    k, mu = map(float, found.free.params)  # in the order of the samples
    lowest = deviance(data.main.tolist(), rates(mu, k))
    known = [
        [deviance(data.main.tolist(), rates(mu, k)) - lowest for k in grid["k"]]
        for mu in grid["mu"]
    ]
    np.testing.assert_allclose(found.delta, known, rtol=1e-9, atol=1e-9)
    assert found.names == ("mu", "k")
    assert [axis.tolist() for axis in found.values] == list(grid.values())
    assert found.status.tolist() == [[0] * 4] * 3
    assert found.fits.params.shape == (3, 4, 2)
    assert found.fits.params[2, 1].tolist() == [0.9, 1.7]


@pytest.mark.slow
def test_one_parameter_profiles_the_others():
    """The gamma of a bin with an auxiliary count is the root of a square equation."""
    signal, background, uncertainty, observed = [10.0], [50.0], [7.0], [57.0]
    model, data = build(shapesys(signal, background, uncertainty, observed))
    tau = (50.0 / 7.0) ** 2
    found = profile(model, data, {"mu": [0.0, 0.7, 2.0]})
    for i, mu in enumerate([0.0, 0.7, 2.0]):
        # 50 (1 - n / nu) + tau (1 - 1 / gamma) = 0, nu = 10 mu + 50 gamma
        a, b = 50 * (50 + tau), (50 + tau) * 10 * mu - 50 * 57 - 50 * tau
        gamma = (-b + math.sqrt(b * b + 4 * a * tau * 10 * mu)) / (2 * a)
        known = deviance([57.0, tau], [10 * mu + 50 * gamma, tau * gamma])
        assert float(found.delta[i]) == pytest.approx(known, rel=1e-8)
        assert float(found.fits.params[i, 1]) == pytest.approx(gamma, rel=1e-8)
    assert float(found.free.params[0]) == pytest.approx(0.7, rel=1e-8)


@pytest.mark.slow
def test_a_scan_is_a_slow_loop_of_fits():
    """A nuisance parameter and the parameter of interest of a model of all types."""
    model, data = make(all_kinds())
    grid = {"xsec": np.linspace(-1.5, 1.5, 3), "mu": np.linspace(0.0, 3.0, 4)}
    found = profile(model, data, grid)
    free = fit(model, data)
    assert float(found.free.deviance) == pytest.approx(float(free.deviance), abs=1e-9)
    for i, xsec in enumerate(grid["xsec"]):
        for j, mu in enumerate(grid["mu"]):
            known = held_fit(model, data, {"mu": mu, "xsec": xsec})
            assert float(found.fits.deviance[i, j]) == pytest.approx(
                float(known.deviance), abs=1e-8
            )
            np.testing.assert_allclose(found.fits.params[i, j], known.params, atol=2e-5)
    np.testing.assert_allclose(
        found.delta, found.fits.deviance - free.deviance, atol=1e-8
    )


@pytest.mark.slow
def test_a_component_is_held_by_its_name():
    model, data = build(shapesys(*HELLO, [51.0, 48.0]))
    found = profile(model, data, {"gamma[1]": [0.8, 1.0]})
    known = [held_fit(model, data, {"gamma[1]": x}).deviance for x in (0.8, 1.0)]
    np.testing.assert_allclose(found.fits.deviance, known, atol=1e-9)


@pytest.mark.slow
def test_a_model_of_expressions_is_scanned():
    """``20 k + 4 mu + 50`` with ``k = mu f``: f is fitted where it can be."""
    names = {"name": "f", "bounds": [[-1, 1]]}, given("k", "mu * f")
    model, data = make(one_bin(*names, observed=60.0))
    found = profile(model, data, {"mu": [0.2, 0.5, 5.0]})
    nu = [50 + 0.8 + 20 * 0.2, 60.0, 60.0]  # f at its bound 1, at 0.8, at -0.1
    known = [deviance([60.0], [x]) for x in nu]
    np.testing.assert_allclose(found.delta, known, rtol=1e-8, atol=1e-9)
    factors = [model.derived_parameters(p)["k"] for p in found.fits.params]
    np.testing.assert_allclose(factors, [0.2, 0.4, -0.5], rtol=1e-7)


@pytest.mark.slow
def test_no_point_lies_below_the_free_fit():
    """A free fit that is stuck on a hill is repeated from the lowest point."""
    settings = FitSettings(valleys="initial")
    mu = {"name": "mu", "inits": [0.0]}
    model, data = make(one_bin(mu, given("k", "mu**2"), observed=60.0, linear=0.0))
    assert float(fit(model, data, settings=settings).params[0]) == 0.0
    grid = {"mu": [0.5, 0.7, 1.0]}
    found = profile(model, data, grid, settings=settings)
    assert float(found.free.params[0]) == pytest.approx(math.sqrt(0.5), rel=1e-9)
    known = [deviance([60.0], [50 + 20 * x * x]) for x in grid["mu"]]
    np.testing.assert_allclose(found.delta, known, rtol=1e-8)


@pytest.mark.slow
def test_any_number_of_parameters():
    model, data = build(shapesys(*HELLO, [51.0, 48.0]))
    grid = {"mu": [0.0, 1.0], "gamma[0]": [1.0], "gamma[1]": [0.9, 1.0, 1.1]}
    found = profile(model, data, grid)
    assert found.delta.shape == (2, 1, 3)
    point = jnp.array([1.0, 1.0, 0.9])
    known = Objective(model, data).deviance(point) - found.free.deviance
    assert float(found.delta[1, 0, 0]) == pytest.approx(float(known), rel=1e-10)


def test_a_scan_in_one_parameter_is_that_of_the_parameter_of_interest():
    model, data = build(shapesys(*HELLO, [51.0, 48.0]))
    found = profile(model, data, {"mu": [0.3, 1.0]})
    known = [fixed_poi_fit(model, data, x).deviance for x in (0.3, 1.0)]
    np.testing.assert_allclose(found.fits.deviance, known, atol=1e-9)
    other = profile(model.with_poi("gamma[0]"), data, {"mu": [0.3, 1.0]})
    np.testing.assert_allclose(found.delta, other.delta, atol=1e-9)


# -- failures and programs ---------------------------------------------------------


@pytest.mark.slow
def test_a_failed_fit_has_no_number():
    model, data = make(all_kinds())
    settings = FitSettings(max_steps=1)
    found = profile(model, data, {"mu": [0.0, 2.0]}, settings=settings)
    assert found.status.tolist() == [FitStatus.MAX_STEPS] * 2
    assert np.isnan(found.delta).all()


@pytest.mark.slow
def test_a_point_without_a_likelihood_fails_alone():
    """No signal and no background, where events are observed."""
    model, data = make(workspace({"SR": [sample("s", [5.0], MU)]}, {"SR": [4.0]}))
    found = profile(model, data, {"mu": [0.0, 0.8, 1.0]})
    ok, bad = FitStatus.CONVERGED, FitStatus.NOT_FINITE
    assert found.status.tolist() == [bad, ok, ok]
    assert math.isnan(found.delta[0])
    assert float(found.delta[1]) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.slow
def test_other_values_and_other_parameters_compile_nothing(caplog):
    model, data = build(shapesys(*HELLO, [51.0, 48.0]))
    profile(model, data, {"mu": [0.3, 1.0], "gamma[0]": [0.9, 1.0]})
    with no_compilation(caplog):
        profile(model, data, {"gamma[1]": [0.8, 0.7], "mu": [1.3, 2.0]})


def test_settings_run_the_program():
    programs = []

    def run(program):
        programs.append(program)
        return program()

    model, data = build(shapesys(*HELLO, [51.0, 48.0]))
    profile(model, data, {"mu": [0.3]}, settings=FitSettings(run=run))
    assert len(programs) == 1


@pytest.mark.slow
def test_a_scan_of_toys_in_one_call():
    """The data may be a batch, as everywhere."""
    model, data = build(shapesys(*HELLO, [51.0, 48.0]))
    batch = jax.tree.map(lambda d: jnp.stack([d, 1.1 * d]), data)
    found = jax.vmap(lambda d: profile(model, d, {"mu": [0.3, 1.0]}).delta)(batch)
    known = profile(model, data, {"mu": [0.3, 1.0]}).delta
    np.testing.assert_allclose(found[0], known, atol=1e-8)


# -- what is refused ---------------------------------------------------------------

BAD = {
    "none": ({}, "needs a parameter to hold"),
    "several": ({"gamma": [1.0]}, "has 2 components: name one of them, such as"),
    "unknown": ({"mu": [1.0], "one": [1.0]}, None),
    "plane": ({"mu": np.ones((1, 1))}, "are no list of finite numbers"),
    "empty": ({"mu": []}, "are no list of finite numbers"),
    "infinite": ({"mu": [0.0, math.inf]}, "no list of finite numbers"),
    "outside": ({"mu": [0.0, 11.0]}, r"mu = 11 is outside its bounds \[0, 10\]"),
}


@pytest.mark.parametrize(("grid", "words"), BAD.values(), ids=BAD)
def test_grids_that_make_no_sense(grid, words):
    model, data = build(shapesys(*HELLO, [51.0, 48.0]))
    error = ParameterError if words else UnknownNameError
    with pytest.raises(error, match=words or "no parameter named 'one'"):
        profile(model, data, grid)


def test_one_parameter_under_two_names():
    free = modifier("shapefactor", "f")
    model, data = make(workspace({"SR": [sample("s", [5.0], MU, free)]}, {"SR": [4]}))
    with pytest.raises(
        ParameterError, match="'f' and 'f\\[0\\]' name one parameter twice"
    ):
        profile(model, data, {"f": [1.0], "f[0]": [1.0]})


def test_a_fixed_parameter_is_refused():
    fixed = {"name": "mu", "fixed": True}
    samples = [sample("s", [5.0], MU, normsys("a", 0.9, 1.1))]
    model, data = make(workspace({"SR": samples}, {"SR": [4]}, fixed))
    with pytest.raises(ParameterError, match="'mu' is fixed, so that there is nothing"):
        profile(model, data, {"mu": [1.0]})


def test_a_derived_parameter_is_refused():
    model, data = make(one_bin(given("k", "mu**2"), observed=60.0))
    with pytest.raises(ParameterError, match="'k' is given by an expression, so that"):
        profile(model, data, {"k": [1.0]})


def test_data_of_another_model_are_refused():
    model, _ = build(shapesys(*HELLO, [51.0, 48.0]))
    _, data = make(workspace({"SR": [sample("s", [5.0], MU)]}, {"SR": [4]}))
    with pytest.raises(DataError, match="main data of shape"):
        profile(model, data, {"mu": [1.0]})
