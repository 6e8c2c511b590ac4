"""Uncertainties by source: a closed form, shifted data, what adds up, and refusals."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.reading.schema import validate
from hfjax.errors import ArgumentError, FitError, ParameterError, UnknownNameError
from hfjax.fitting.best_fit import fit
from hfjax.fitting.covariance import covariance
from hfjax.fitting.status import FitSettings
from hfjax.inference.breakdown import MAIN, OTHERS, TEMPLATES, uncertainty_breakdown
from hfjax.inference.breakdown_result import BreakdownStatus
from hfjax.results.breakdown_record import BreakdownRecord
from hfjax.results.load import load_result
from tests.assertions import assert_close
from tests.likelihoods import load_likelihood
from tests.reference.impacts import breakdown_by_shifts
from tests.reference.interpolation import code4
from tests.workspaces import (
    HELLO,
    MU,
    all_kinds,
    extended,
    make,
    modifier,
    normsys,
    sample,
    shapesys,
    workspace,
)

pytestmark = pytest.mark.slow

SIGNAL, BACKGROUND, DELTA, OBSERVED = 12.0, 50.0, 4.0, 65.0
LO, HI = 0.9, 1.15


@pytest.fixture(scope="module")
def excess():
    return build(shapesys(*HELLO, [62.0, 63.0]))


@pytest.fixture(scope="module")
def kinds():
    return make(all_kinds())


@pytest.fixture(scope="module")
def counting():
    """One bin: a signal, and a background with a staterror and a normsys."""
    stat, norm = modifier("staterror", "stat", [DELTA]), normsys("norm", LO, HI)
    samples = [sample("s", [SIGNAL], MU), sample("b", [BACKGROUND], stat, norm)]
    return make(workspace({"SR": samples}, {"SR": [OBSERVED]}))


def test_one_bin_has_a_closed_form(counting):
    """mu = (n - b gamma kappa(alpha)) / s, with the auxiliary data 1 and 0.

    So d mu / d n = 1 / s, d mu / d a_gamma = -b / s and d mu / d a_alpha = -b kappa'(0)
    / s, whose standard deviations are sqrt(n), delta / b and 1.
    """
    found = uncertainty_breakdown(*counting)
    slope = (code4(1e-4, LO, HI) - code4(-1e-4, LO, HI)) / 2e-4
    parts = [OBSERVED**0.5, -DELTA, -BACKGROUND * slope]
    known = np.array(parts) / SIGNAL
    assert found.groups == (MAIN, TEMPLATES, OTHERS)
    assert_close(found.contributions, np.abs(known), 1e-7)
    assert_close(found.data["SR"], known[:1], 1e-7)
    auxiliary = {name: float(each) for name, each in found.data.auxiliary.items()}
    assert auxiliary == pytest.approx({"stat[0]": known[1], "norm": known[2]}, rel=1e-7)
    assert_close(found.total, math.hypot(*known), 1e-7)
    assert_close(found.uncertainty, found.total, 1e-7)
    assert_close(found["systematics"], known[2] * np.sign(known[2]), 1e-7)


def test_parts_are_those_of_shifted_data(kinds):
    """Of free normfactors, shapefactors, luminosity, normsys, gammas of both kinds."""
    model, data = kinds
    found = uncertainty_breakdown(model, data)
    main, aux = breakdown_by_shifts(model, data, "mu")
    assert_close(found.main, main, 1e-4, 1e-6)
    assert_close(found.aux, aux, 1e-4, 1e-6)
    assert_close(found.total**2, np.sum(main**2) + np.sum(aux**2), 1e-4)


def test_parts_are_derivatives_of_the_best_fit(kinds):
    model, data = kinds
    found = uncertainty_breakdown(model, data)

    def mu(data):
        return fit(model, data).params[model.poi]

    slopes = jax.grad(mu)(jax.tree.map(jnp.asarray, data))
    rates = model.expected_data(found.free.params).main
    assert_close(found.main, slopes.main * np.sqrt(rates), 1e-6, 1e-12)


def test_a_bin_without_events_has_its_part():
    """One event more there moves the signal as one elsewhere does."""
    model, data = build(shapesys([12.0, 2.0], [5.0, 0.5], [2.0, 0.2], [20.0, 0.0]))
    found = uncertainty_breakdown(model, data)
    rates = np.asarray(model.expected_data(found.free.params).main)
    step = 1e-4
    ends = [fit(model, data.with_counts({"SR": [20.0, n]}))["mu"] for n in (0.0, step)]
    known = float(ends[1] - ends[0]) / step * rates[1] ** 0.5
    assert_close(found.main[1], known, 1e-3)


def test_parts_add_up_to_the_sandwich_and_for_asimov_data_to_the_hessian(kinds):
    """H^-1 J H^-1 with the exact Hessian; J is H where data are what is expected."""
    model, data = kinds
    found = uncertainty_breakdown(model, data, groups={"x": ["xsec", "tilt"]})
    assert_close(found.total**2, np.sum(found.contributions**2), 1e-12)
    best = fit(model, data)
    whole = np.asarray(covariance(model, data, best).covariance)
    nll = jax.jacrev(lambda p, d: -model.logpdf(p, d), 0)
    mixed = jax.jacfwd(nll, 1)(best.params, jax.tree.map(jnp.asarray, data))
    expected = model.expected_data(best.params)
    variance = np.ones(np.shape(data.aux))
    for terms in (model.gaussian, model.poisson):
        size = getattr(terms, "width", None)
        own = np.asarray(expected.aux)[terms.position] if size is None else size**2
        variance[np.asarray(terms.position)] = own
    score = np.hstack([mixed.main, mixed.aux])
    meat = score @ np.diag([*expected.main, *variance]) @ score.T
    sandwich = (whole @ meat @ whole)[model.poi, model.poi]
    assert_close(found.total, sandwich**0.5, 1e-6)
    assert found.total != pytest.approx(float(found.uncertainty), rel=1e-3)
    asimov = uncertainty_breakdown(model, expected)
    assert_close(asimov.total, asimov.uncertainty, 1e-6)


def test_groups_take_their_parameters_from_the_others(kinds):
    plain = uncertainty_breakdown(*kinds)
    found = uncertainty_breakdown(*kinds, groups={"theory": ["xs*"], "s": ["stat_SR"]})
    assert found.groups == (MAIN, "theory", "s", TEMPLATES, OTHERS)
    assert_close(found.total, plain.total, 1e-12)
    whole = {name: float(plain[name]) ** 2 for name in plain.groups}
    parts = {name: float(found[name]) ** 2 for name in found.groups}
    assert parts[MAIN] == pytest.approx(whole[MAIN])
    assert parts["theory"] + parts[OTHERS] == pytest.approx(whole[OTHERS])
    assert parts["s"] + parts[TEMPLATES] == pytest.approx(whole[TEMPLATES])
    (xsec,) = (v for n, v in found.data.auxiliary.items() if n == "xsec")
    assert parts["theory"] == pytest.approx(float(xsec) ** 2)
    everything = ["stat_SR", "fake", "lumi", "tilt", "xsec", "acceptance"]
    alone = uncertainty_breakdown(*kinds, groups={"all": everything})
    assert alone.groups == (MAIN, "all")


def test_logarithmic_terms_have_the_width_of_the_logarithm():
    """ln a ~ Normal(ln beta, width): d mu / d ln a times the width."""
    norm = normsys("norm", 0.9, 1.1)
    samples = [sample("s", [12.0], MU), sample("b", [50.0], norm)]
    document = workspace({"SR": samples}, {"SR": [62.0]})
    settings = {"name": "norm", "constraint": "lognormal", "sigmas": [0.2]}
    model, data = make(extended(document, settings))
    found = uncertainty_breakdown(model, data)
    step = 1e-4
    width = float(model.lognormal.width[0])
    ends = [
        fit(model, data.with_auxiliary({"norm": math.exp(sign * step * width)}))["mu"]
        for sign in (-1.0, 1.0)
    ]
    assert_close(found.aux[0], float(ends[1] - ends[0]) / (2.0 * step), 1e-6)
    assert_close(found.total, found.uncertainty, 1e-6)


def test_a_parameter_at_its_bound_has_no_sources():
    """T24 of other tools: bounds are physics."""
    found = uncertainty_breakdown(*build(shapesys(*HELLO, [41.0, 38.0])))
    assert found.status is BreakdownStatus.AT_BOUND
    assert np.isnan(found.total)
    assert found.to_dict()["groups"] == {MAIN: None, TEMPLATES: None}
    with pytest.raises(FitError, match="stands at its bound"):
        found.raise_if_failed()


def test_what_data_do_not_tell_apart_has_no_sources_but_others_have():
    """Two normfactors on one background: their product is all that is known."""
    both = [modifier("normfactor", name) for name in ("k", "l")]
    samples = [sample("s", [12.0, 1.0], MU), sample("b", [50.0, 70.0], *both)]
    model, data = make(workspace({"SR": samples}, {"SR": [66.0, 78.0]}))
    assert uncertainty_breakdown(model, data, "k").status is BreakdownStatus.FLAT
    found = uncertainty_breakdown(model, data)
    known = uncertainty_breakdown(model.with_fixed({"l": 1.0}), data)
    assert_close(found.total, known.total, 1e-6)


def test_a_fit_that_fails_has_no_sources():
    far = build(shapesys(*HELLO, [162.0, 63.0]))
    found = uncertainty_breakdown(*far, settings=FitSettings(max_steps=1))
    assert found.status is BreakdownStatus.FIT_FAILED
    assert not found.converged


def test_fixed_parameters_contribute_nothing(excess):
    model, data = excess
    held = model.with_fixed({"gamma": [1.0, 1.0]})
    found = uncertainty_breakdown(held, data)
    assert found.groups == (MAIN,)
    assert_close(found.aux, [0.0, 0.0], 0.0, 1e-15)
    assert_close(found.total, found[MAIN], 1e-12)


def test_a_breakdown_is_read_as_it_was_written(excess, tmp_path):
    found = uncertainty_breakdown(*excess)
    found.write(tmp_path / "breakdown.json")
    record = load_result(tmp_path / "breakdown.json")
    assert isinstance(record, BreakdownRecord)
    assert record == BreakdownRecord.of(found)
    assert record.dump() == found.dump()
    validate(record.dump(), BreakdownRecord.SCHEMA)
    assert record[MAIN] == float(found[MAIN])
    assert MAIN in repr(found)
    assert MAIN in found._repr_html_()
    for each in (found, record):
        with pytest.raises(UnknownNameError, match="no group named 'jets'"):
            each["jets"]


@pytest.mark.parametrize(
    ("groups", "error", "words"),
    [
        ({"a": ["gam"]}, UnknownNameError, "did you mean 'gamma'"),
        ({"a": ["mu"]}, ParameterError, "group 'a' has auxiliary data"),
        ({"a": ["gamma"], "b": ["gamma[1]"]}, ParameterError, "groups 'a' and 'b'"),
        ({MAIN: ["gamma"]}, ArgumentError, "give yours another name"),
        ({"a": "gamma"}, ArgumentError, "has to be a list of names"),
    ],
)
def test_what_is_no_group_is_refused(excess, groups, error, words):
    with pytest.raises(error, match=words):
        uncertainty_breakdown(*excess, groups=groups)


@pytest.mark.long
def test_parts_add_up_in_a_published_search(data_dir):
    background, patchset = load_likelihood("staus", data_dir)
    model, data = build(background, patch=patchset["TStauStau_160_1"])
    found = uncertainty_breakdown(model, data)
    assert_close(found.total**2, np.sum(found.contributions**2), 1e-9)
    expected = model.expected_data(found.free.params)
    asimov = uncertainty_breakdown(model, expected)
    assert_close(asimov.total, asimov.uncertainty, 1e-6)
