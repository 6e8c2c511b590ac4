"""What fits tell of other valleys, of bounds and edges, and of why they failed."""

import dataclasses

import jax.numpy as jnp
import pytest

from hfjax.compiled.program import run_directly
from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.fitting.diagnose.advice import Advice
from hfjax.fitting.diagnose.bins import bin_place, edge_bins, impossible_bins
from hfjax.fitting.diagnose.ending import FitEnding, fit_ending
from hfjax.fitting.diagnose.explanation import End, explain_end, explain_status
from hfjax.fitting.diagnose.valley_report import ValleyReport, valley_report
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.explain import explain
from hfjax.inference.hypotest import hypotest
from hfjax.model.names import Names
from tests.fitting.valleys.models import LOWER, NOTHING, PASSED, valleys
from tests.workspaces import MU, make, sample, workspace

GRID = 2e-3
"""How far a minimum on a grid may be above the minimum, in -2 ln L."""


def fitted(document, **how):
    model, data = make(document)
    return model, fit(model, data, **how).raise_if_failed()


@pytest.mark.slow
def test_a_lower_valley_is_told_with_what_moved():
    model, result = fitted(LOWER)
    (best, height), (initial, higher) = valleys(LOWER)
    report = valley_report(model, result)
    assert float(result.twice_nll) == pytest.approx(height, abs=GRID)
    assert report.lower_by == pytest.approx(higher - height, abs=GRID)
    (moved,) = report.moved
    assert moved.name == "a"
    assert moved.initial == pytest.approx(initial, abs=0.01)
    assert moved.best == pytest.approx(best, abs=0.01)
    assert report.passed is None
    assert report.unphysical is None
    assert "0.841 lower in -2 ln L" in report.sentence
    assert "a at -0.971 instead of 0.957" in report.sentence


@pytest.mark.slow
def test_nothing_is_told_where_the_initial_values_lead_to_the_best():
    model, data = make(LOWER)
    result = fit(model.with_start({"a": -1.0}), data)
    assert result.converged
    assert valley_report(model, result) == ValleyReport()
    assert ValleyReport().sentence == ""


@pytest.mark.slow
def test_a_lower_unphysical_minimum_is_told():
    model, result = fitted(PASSED)
    (where, lower), (best, height) = valleys(PASSED)
    report = valley_report(model, result)
    assert float(result.twice_nll) == pytest.approx(height, abs=GRID)
    assert report.lower_by == 0.0
    assert report.passed_by == pytest.approx(height - lower, abs=GRID)
    assert report.passed is not None
    assert (report.passed.sample, report.passed.channel) == ("t", "SR")
    assert report.passed.bin == 1
    assert report.passed.rate == pytest.approx(10.0 + 25.0 * where, abs=0.3)
    assert "passed over as unphysical: sample 't' has -1" in report.sentence
    assert float(result.params[0]) == pytest.approx(best, abs=0.01)


def test_that_no_physical_minimum_was_found_is_told():
    model, result = fitted(NOTHING)
    ((where, height),) = valleys(NOTHING)
    report = valley_report(model, result)
    assert float(result.twice_nll) == pytest.approx(height, abs=GRID)
    assert report.unphysical is not None
    assert report.unphysical.rate == pytest.approx(10.0 + 90.0 * where, abs=0.5)
    assert report.passed is None
    assert report.sentence.startswith("no physical minimum was found: sample 't' has")


def test_a_fit_that_failed_tells_of_no_valley():
    model, data = make(LOWER)
    result = fit(model, data)
    failed = dataclasses.replace(result, code=jnp.int32(FitStatus.STALLED))
    assert valley_report(model, result).lower_by > 0.5
    assert valley_report(model, failed) == ValleyReport()
    assert fit_ending(model, data, failed) == FitEnding()


# -- bounds and edges ----------------------------------------------------------------

NAMES = Names(channels=("A", "B", "C"), bins=(2, 1, 3))


@pytest.mark.parametrize(
    ("position", "place"), [(0, ("A", 0)), (1, ("A", 1)), (2, ("B", 0)), (5, ("C", 2))]
)
def test_the_place_of_a_bin(position, place):
    assert bin_place(NAMES, position) == place


@pytest.fixture(scope="module")
def counted():
    """A bin of signal alone, one of background alone, and one that nothing fills."""
    samples = [sample("s", [3.0, 0.0, 0.0], MU), sample("b", [0.0, 2.0, 0.0])]
    channels = {"A": [sample("c", [1.0])], "SR": samples}
    return make(workspace(channels, {"A": [0], "SR": [0] * 3}))


def test_a_bin_that_a_fit_has_emptied_is_at_the_edge(counted):
    model, data = counted
    one, none = jnp.array([1.0]), jnp.array([0.0])
    (found,) = edge_bins(model, data, none, one)
    assert (found.channel, found.bin, found.events, found.rate) == ("SR", 0, 0.0, 0.0)
    assert edge_bins(model, data, one, one) == ()
    assert edge_bins(model, data, none, none) == ()


@pytest.mark.slow
def test_a_held_signal_of_zero_is_no_edge(counted):
    model, data = counted
    held = fit_ending(model, data, fixed_poi_fit(model, data, 0.0), held=True)
    assert held == FitEnding()
    free = fit_ending(model, data, fit(model, data))
    assert free.at_bounds == {"mu": 0.0}
    assert free.dump()["at_edge"] == [{"channel": "SR", "bin": 0}]


def test_bins_that_make_the_likelihood_zero(counted):
    model, data = counted
    events = dataclasses.replace(data, main=jnp.array([0.0, 4.0, 1.0, 0.0]))
    (found,) = impossible_bins(model, events, jnp.array([0.0]))
    assert (found.place, found.events) == ("bin 0 of channel 'SR'", 4.0)
    (found,) = impossible_bins(model, data, jnp.array([-1.0]))
    assert (found.place, found.rate) == ("bin 0 of channel 'SR'", -3.0)


# -- why a fit failed ----------------------------------------------------------------


def told(counted, events, mu, advice):
    model, data = counted
    data = dataclasses.replace(data, main=jnp.array(events))
    end = End(FitStatus.NOT_FINITE, jnp.array([mu]))
    return explain_end(model, data, end, "the fit at mu = 0", advice, run_directly)


def test_a_bin_that_only_the_signal_fills_is_told(counted):
    line = told(counted, [0.0, 4.0, 1.0, 0.0], 0.0, Advice(start="--start"))
    assert line.startswith(
        "the fit at mu = 0 is impossible: bin 0 of channel 'SR' has 4"
    )
    assert "mu = 1 gives 3 in bin 0" in line
    assert "--start" not in line


def test_a_bin_that_nothing_fills_is_told(counted):
    line = told(counted, [0.0, 1.0, 1.0, 2.0], 1.0, Advice(start="--start"))
    assert "bin 2 of channel 'SR' has 2 events and an expected rate of 0" in line
    assert line.endswith("check the templates, or start elsewhere with --start")
    assert told(counted, [0.0, 1.0, 1.0, 2.0], 1.0, Advice()).endswith("the templates")


@pytest.mark.parametrize("status", FitStatus)
def test_every_status_names_the_fit_and_only_what_can_be_done(status):
    line = explain_status(status, "the free fit", Advice())
    assert line.startswith("the free fit")
    assert not any(word in line for word in ("FitSettings", "with_start", "--"))


@pytest.mark.slow
def test_a_message_in_python_names_what_python_has():
    model, data = make(LOWER)
    failed = fit(model, data, settings=FitSettings(max_steps=1))
    line = explain(model, data, failed, which="the free fit")
    assert line.startswith("the free fit used all its steps")
    assert "FitSettings(max_steps=...)" in line


@pytest.mark.slow
def test_a_test_without_background_is_explained(counted):
    model, data = counted
    data = dataclasses.replace(data, main=jnp.array([1.0, 24.0, 2.0, 0.0]))
    result = hypotest(model, data)
    line = explain(model, data, result)
    assert line.startswith(
        "the fit at mu = 0 is impossible: bin 0 of channel 'SR' has 24"
    )
    assert int(result.worst) == 0
    assert result.worst_params.tolist() == [0.0]
    fine = explain(model, data, fit(model, data))
    assert fine == "the fit converged"
