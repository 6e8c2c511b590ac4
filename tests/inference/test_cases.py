"""Small inputs after public reports of wrong results, and what is right.

The values are closed forms, or minima that several minimizers found from many starts,
with as many digits as are known.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.workspace.workspace import Workspace
from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.fitting.status import FitStatus
from hfjax.inference.hypotest import hypotest


class Case(NamedTuple):
    """What is right of a test at mu = 1, by name, and the unit of its last digit."""

    name: str
    known: dict[str, float]
    digit: float


CASES = (
    Case("start_histosys_fills_bin", {"CLs_obs": 0.379843}, 1e-6),
    Case("edge_one_bin", {"CLs_obs": 0.0191175266}, 1e-10),
    Case("edge_extrapolated", {"CLs_obs": 0.110733}, 1e-6),
    Case("edge_background_free", {"CLs_obs": 0.00329762}, 1e-8),
    Case("edge_background_free", {"free": 9.33356}, 1e-5),
    Case("edge_shapefactor", {"free": 213.78840}, 1e-5),
    Case("edge_shapefactor", {"mu_hat": -0.124888}, 1e-6),
    Case("curved_abcd", {"free": 14.696495, "CLs_obs": 0.159967}, 1e-6),
    Case("valley_coupled_histosys", {"free": 26.5638, "fixed": 28.4784}, 1e-4),
)
"""Results of hypothesis tests."""

READ: dict[str, Callable] = {
    "CLs_obs": lambda found: found.CLs_obs,
    "mu_hat": lambda found: found.mu_hat,
    "free": lambda found: found.free.twice_nll,
    "fixed": lambda found: found.fixed.twice_nll,
}


def each_case() -> list:
    """Cases as parameters of a test."""
    return [
        pytest.param(
            case,
            id=f"{case.name} {' '.join(case.known)}",
        )
        for case in CASES
    ]


def load(cases_dir, name):
    """Model and data of a case."""
    return build(Workspace.load(cases_dir / f"{name}.json"))


@pytest.mark.slow
@pytest.mark.parametrize("case", each_case())
def test_small_inputs(case, cases_dir):
    found = hypotest(*load(cases_dir, case.name))
    assert found.status == FitStatus.CONVERGED
    numbers = {name: float(READ[name](found)) for name in case.known}
    assert numbers == pytest.approx(case.known, rel=0, abs=0.6 * case.digit)


@pytest.mark.slow
def test_a_bin_without_events_ends_where_its_rate_is_zero(cases_dir):
    model, data = load(cases_dir, "edge_extrapolated")
    found = fit(model, data).raise_if_failed()
    alpha = float(model.parameters.unpack(found.params)["a"][0])
    assert alpha == pytest.approx(-1.25, abs=1e-6)


def test_the_other_valley_of_a_coupled_histosys(cases_dir):
    model, data = load(cases_dir, "valley_coupled_histosys")
    found = fixed_poi_fit(model, data, 1.0).raise_if_failed()
    alpha = float(model.parameters.unpack(found.params)["coupled_histosys"][0])
    assert alpha == pytest.approx(-0.455, abs=6e-4)


@pytest.mark.slow
def test_a_fit_may_start_where_the_signal_is_zero(cases_dir):
    """Without a signal the first bin is empty, and four events were seen in it."""
    model, data = load(cases_dir, "start_poi_zero")
    found = fit(model, data).raise_if_failed()
    mu = float(model.parameters.unpack(found.params)["mu"][0])
    assert mu == pytest.approx(0.752005, abs=6e-7)
    assert float(found.twice_nll) == pytest.approx(10.169645, abs=6e-7)
    tested = hypotest(model, data)
    assert np.isnan(tested.CLs_obs)
    assert tested.status == FitStatus.NOT_FINITE
    assert tested.background.status == FitStatus.NOT_FINITE


@pytest.mark.slow
def test_a_fit_may_start_where_a_negative_signal_takes_all(cases_dir):
    model, data = load(cases_dir, "start_negative_poi")
    found = fixed_poi_fit(model, data, 1.0).raise_if_failed()
    assert float(found.twice_nll) == pytest.approx(0.417867, abs=6e-7)


def test_a_signal_that_is_all_there_is_cannot_be_absent(cases_dir):
    tested = hypotest(*load(cases_dir, "signal_only"))
    assert np.isnan(tested.CLs_obs)
    assert tested.background.status == FitStatus.NOT_FINITE
    assert tested.free.status == tested.fixed.status == FitStatus.CONVERGED


def test_a_component_of_a_shapefactor_is_a_parameter_of_interest(cases_dir):
    model, data = load(cases_dir, "poi_is_shapefactor")
    found = hypotest(model.with_poi("sf[0]"), data)
    assert found.status == FitStatus.CONVERGED
    assert float(found.CLs_obs) == pytest.approx(0.80538247626, abs=1e-9)
