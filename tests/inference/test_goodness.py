"""Goodness of fit: closed forms, degrees of freedom, toys, and what is not known."""

import dataclasses
import json

import numpy as np
import pytest
from scipy.stats import chi2, kstest

import hfjax
from hfjax.documents.reading.schema import validate
from hfjax.errors import ArgumentError, FitError, ParameterError
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.inference.goodness import goodness_of_fit, held_deviance
from hfjax.inference.goodness_result import GoodnessStatus
from hfjax.results.goodness_record import GoodnessOfFitRecord
from hfjax.results.load import load_result
from tests.workspaces import (
    HELLO,
    MU,
    extended,
    make,
    modifier,
    normsys,
    sample,
    shapesys,
    workspace,
)

COUNTS, EVENTS = np.array([30.0, 52.0, 41.0]), np.array([36.0, 44.0, 40.0])
K = modifier("normfactor", "k")


def fixed_rates(*modifiers, observed=COUNTS):
    return make(
        workspace(
            {"SR": [sample("b", EVENTS.tolist(), *modifiers)]},
            {"SR": list(map(float, observed))},
        )
    )


def deviance(counts, rates):
    """2 sum (nu - n + n ln(n / nu)) of Poisson counts."""
    some = np.where(counts > 0.0, counts, 1.0)
    return float(2.0 * np.sum(rates - counts + counts * np.log(some / rates)))


def numbers(found):
    return int(found.bins), int(found.auxiliary), int(found.parameters)


# -- closed forms ------------------------------------------------------------------


def test_without_parameters_it_is_the_deviance_of_the_counts():
    """T26: there need not be any auxiliary data."""
    found = goodness_of_fit(*fixed_rates())
    expected = deviance(COUNTS, EVENTS)
    assert float(found.statistic) == pytest.approx(expected, rel=1e-12)
    assert numbers(found) == (3, 0, 0)
    assert float(found.p_value) == pytest.approx(chi2.sf(expected, 3), rel=1e-10)
    assert float(found.fewest) == 36.0
    assert found.raise_if_failed() is found


def test_a_free_factor_takes_one_degree_of_freedom():
    found = goodness_of_fit(*fixed_rates(K))
    expected = deviance(COUNTS, EVENTS * COUNTS.sum() / EVENTS.sum())
    assert float(found.statistic) == pytest.approx(expected, rel=1e-9)
    assert numbers(found) == (3, 0, 1)


def test_a_constrained_parameter_brings_its_datum_along():
    found = goodness_of_fit(*fixed_rates(normsys("x", 1 / 1.1, 1.1)))
    assert numbers(found) == (3, 1, 1)
    alpha = float(found.free["x"])
    expected = deviance(COUNTS, EVENTS * 1.1**alpha) + alpha**2
    assert float(found.statistic) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["poisson", "lognormal"])
def test_the_saturated_model_has_other_terms_at_their_own_maxima_too(kind):
    document = workspace(
        {"SR": [sample("b", EVENTS.tolist(), normsys("x", 0.9, 1.1))]},
        {"SR": EVENTS.tolist()},
    )
    entry = {"name": "x", "constraint": kind, "sigmas": [0.2]}
    found = goodness_of_fit(*make(extended(document, entry)))
    assert float(found.statistic) == pytest.approx(0.0, abs=1e-12)
    assert numbers(found) == (3, 1, 1)


# -- degrees of freedom ------------------------------------------------------------


def test_what_is_held_is_no_part_of_it():
    """T26: degrees of freedom are without what is fixed, and so is the statistic."""
    model, data = fixed_rates(K, normsys("x", 1 / 1.1, 1.1))
    found = goodness_of_fit(model, data, fixed={"k": 1.1, "x": 0.5})
    assert numbers(found) == (3, 0, 0)
    expected = deviance(COUNTS, EVENTS * 1.1 * model_factor(model))
    assert float(found.statistic) == pytest.approx(expected, rel=1e-12)
    held = model.with_fixed({"k": 1.1, "x": 0.5})
    assert held_deviance(held, data) == 0.25
    other = goodness_of_fit(held, data)
    assert float(other.statistic) == float(found.statistic)


def model_factor(model):
    params = model.parameters.pack({"x": 0.5})
    return float(model.expected_data(params).main[0]) / EVENTS[0]


def test_a_parameter_at_its_bound_does_not_count():
    samples = [sample("s", [1.0, 5.0, 2.0], MU), sample("b", EVENTS.tolist())]
    document = workspace({"SR": samples}, {"SR": [30.0, 30.0, 35.0]})
    found = goodness_of_fit(*make(document))
    assert float(found.free["mu"]) == pytest.approx(0.0, abs=1e-8)
    assert numbers(found) == (3, 0, 0)


@pytest.mark.slow
def test_what_data_cannot_tell_apart_counts_once():
    found = goodness_of_fit(*fixed_rates(K, modifier("normfactor", "l")))
    assert numbers(found) == (3, 0, 1)


def test_bins_that_expect_nothing_do_not_count():
    document = workspace(
        {"SR": [sample("b", [36.0, 0.0, 40.0])]}, {"SR": [30.0, 0.0, 41.0]}
    )
    found = goodness_of_fit(*make(document))
    assert numbers(found) == (2, 0, 0)


def test_without_a_degree_of_freedom_there_is_no_p_value():
    free = modifier("shapefactor", "free")
    found = goodness_of_fit(*fixed_rates(free))
    assert found.status is GoodnessStatus.NO_FREEDOM
    assert np.isnan(float(found.p_value))
    document = found.dump()
    validate(document, "goodness-result-1.0.0.json")
    assert document["p_value"] is None
    assert document["message"].startswith("there are no more data than parameters")
    with pytest.raises(FitError, match="no more data than parameters"):
        found.raise_if_failed()


# -- toys --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hello():
    return hfjax.build(shapesys(*HELLO, [51.0, 75.0]))


@pytest.mark.slow
def test_toys_agree_with_many_events_and_are_the_same_again(hello):
    found = goodness_of_fit(*hello, toys=600, key=3)
    value, error = found.toys
    assert abs(value - float(found.p_value)) < 4.0 * error
    assert found.failures == {}
    again = goodness_of_fit(*hello, toys=20, key=3)
    np.testing.assert_array_equal(again.toy_statistics, found.toy_statistics[:20])
    assert f"600 toys: {value:.4g}" in repr(found)


@pytest.mark.slow
def test_a_toy_is_fitted_as_data_are():
    """The statistic of toys that have no parameters is their deviance."""
    found = goodness_of_fit(*fixed_rates(), toys=400, key=0)
    value, error = found.toys
    assert abs(value - float(found.p_value)) < 4.0 * error


@pytest.mark.slow
def test_toys_that_fail_are_counted_by_reason(hello):
    found = goodness_of_fit(*hello, toys=8)
    codes = np.array(found.toy_codes)
    codes[:3] = FitStatus.STALLED
    lost = dataclasses.replace(found, toy_codes=codes)
    assert lost.failures == {"stalled": 3}
    assert not lost.converged
    assert lost.to_dict()["toys"]["failures"] == {"stalled": 3}


def test_a_fit_that_failed_draws_no_toys(hello):
    found = goodness_of_fit(*hello, toys=5, settings=FitSettings(max_steps=1))
    assert found.status is GoodnessStatus.FIT_FAILED
    assert found.toy_codes.size == 0
    assert found.to_dict()["toys"] is None
    assert not found.converged


MANY = 5.0
"""A factor inside the bounds of k that makes chi2 near enough."""


@pytest.mark.long
@pytest.mark.parametrize("held", [{}, {"k": MANY}])
def test_p_is_uniform_over_2000_data_sets(held):
    """Of a model with a constrained parameter, and one that is free or held."""
    model, data = fixed_rates(K, normsys("x", 0.9, 1.1), observed=MANY * EVENTS)
    found = goodness_of_fit(model, data, fixed=held, toys=2000, key=5)
    assert int(found.degrees_of_freedom) == 2 + len(held)
    p = chi2.sf(np.asarray(found.toy_statistics), int(found.degrees_of_freedom))
    assert found.failures == {}
    assert kstest(p, "uniform").pvalue > 0.01


@pytest.mark.long
def test_p_is_uniform_where_a_parameter_is_at_its_bound_half_of_the_times():
    samples = [sample("s", [5.0, 20.0, 8.0], MU), sample("b", (MANY * EVENTS).tolist())]
    model, data = make(workspace({"SR": samples}, {"SR": (MANY * EVENTS).tolist()}))
    draws = np.random.default_rng(4).poisson(MANY * EVENTS, (600, 3)).astype(float)
    found = [goodness_of_fit(model, data.with_counts({"SR": n})) for n in draws]
    degrees = [int(each.degrees_of_freedom) for each in found]
    assert set(degrees) == {2, 3}
    assert 200 < degrees.count(3) < 400
    assert kstest([float(each.p_value) for each in found], "uniform").pvalue > 0.01


# -- files and refusals ------------------------------------------------------------


@pytest.mark.slow
def test_it_is_written_as_its_schema_says_and_read_again(hello, tmp_path):
    found = goodness_of_fit(*hello, toys=8, key=1)
    found.write(tmp_path / "gof.json")
    document = json.loads((tmp_path / "gof.json").read_text())
    validate(document, "goodness-result-1.0.0.json")
    record = load_result(tmp_path / "gof.json")
    assert isinstance(record, GoodnessOfFitRecord)
    assert record.dump() == document
    assert record.toys is not None
    assert record.toys.number == 8
    assert record.fit["mu"] == float(found.free["mu"])
    assert "1 degrees of freedom" in repr(record)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"toys": -1}, ParameterError, "-1 toys: draw 1 to"),
        ({"toys": 5, "key": "a"}, ArgumentError, "the key of toys is none"),
        ({"fixed": {"mu": 99.0}}, ParameterError, "mu"),
    ],
)
def test_what_is_no_question_is_refused(hello, given, error, words):
    with pytest.raises(error, match=words):
        goodness_of_fit(*hello, **given)
