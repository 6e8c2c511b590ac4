"""Impacts: closed forms, one fit after the other, bounds, valleys."""

import jax
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.reading.schema import validate
from hfjax.errors import (
    ArgumentError,
    FitError,
    MissingPOIError,
    ParameterError,
    UnknownNameError,
)
from hfjax.fitting.best_fit import fit
from hfjax.fitting.covariance import covariance
from hfjax.fitting.diagnose.pulls import pull_uncertainties, pulls
from hfjax.fitting.status import FitSettings
from hfjax.inference.impacts import impacts
from hfjax.inference.impacts_result import ImpactStatus
from hfjax.results.impacts_record import ImpactsRecord
from hfjax.results.load import load_result
from tests.assertions import assert_close
from tests.likelihoods import load_likelihood
from tests.reference.impacts import impacts_one_by_one
from tests.workspaces import (
    HELLO,
    MU,
    all_kinds,
    histosys,
    make,
    modifier,
    normsys,
    one_sample,
    sample,
    shapesys,
    workspace,
)

pytestmark = pytest.mark.slow

FOUND, CUT = ImpactStatus.FOUND, ImpactStatus.CUT
BOTH = ("prefit", "postfit")


@pytest.fixture(scope="module")
def excess():
    return build(shapesys(*HELLO, [62.0, 63.0]))


@pytest.fixture(scope="module")
def hello(excess):
    return impacts(*excess)


def counting(*settings, signal=12.0, shift=6.0, observed=62.0):
    """One bin, and a background that a systematic shifts in proportion to itself."""
    tilt = histosys("tilt", [50.0 - shift], [50.0 + shift])
    samples = [sample("s", [signal], MU), sample("b", [50.0], tilt)]
    return make(workspace({"SR": samples}, {"SR": [observed]}, *settings))


@pytest.mark.parametrize("method", ["fits", "covariance"])
def test_one_bin_has_a_closed_form(method):
    """mu = (n - b - d alpha) / s: what shifts alpha by 1 shifts mu by -d / s."""
    found = impacts(*counting(), method=method)
    assert (found.parameter, found.names) == ("mu", ("tilt",))
    for kind in (found.prefit, found.postfit):
        assert_close(kind[0], [0.5, -0.5], 1e-7)
    assert_close(found.uncertainty, np.hypot(62**0.5, 6.0) / 12.0, 1e-9)
    for numbers, known in {
        "values": 0.0,
        "uncertainties": 1.0,
        "prefit_uncertainties": 1.0,
        "pulls": 0.0,
        "constraints": 1.0,
    }.items():
        assert_close(getattr(found, numbers), [known], 1e-9, 1e-7)
    assert found.statuses("tilt") == dict.fromkeys(BOTH, (FOUND, FOUND))
    assert found.converged


def test_impacts_are_those_of_fits_one_by_one(excess, hello):
    tau = [(50.0 / 3.0) ** 2, (52.0 / 7.0) ** 2]
    widths = {f"gamma[{i}]": each**-0.5 for i, each in enumerate(tau)}
    known = impacts_one_by_one(*excess, "mu", widths)
    assert hello.names == tuple(known)
    rows = np.concatenate([hello.prefit, hello.postfit], axis=1)
    assert_close(rows, list(known.values()), 0.0, 1e-6)
    assert_close(hello.prefit_uncertainties, list(widths.values()), 1e-12)


def test_pulls_and_constraints_are_those_of_the_fit(excess, hello):
    model, data = excess
    best = fit(model, data)
    found = covariance(model, data, best)
    assert_close(hello.pulls, pulls(model, data, best)["gamma"], 0.0, 1e-12)
    known = pull_uncertainties(model, data, found)["gamma"]
    assert_close(hello.constraints, known, 1e-12)
    ratio = hello.uncertainties / hello.prefit_uncertainties
    assert_close(hello.constraints, ratio, 1e-6)
    assert_close(hello.value, best["mu"], 0.0)


def test_the_largest_impact_is_first(hello):
    assert hello.ranking == ("gamma[1]", "gamma[0]")
    assert [line.split()[0] for line in repr(hello).splitlines()[1:]] == [
        "gamma[1]",
        "gamma[0]",
    ]
    assert hello._repr_html_().index("gamma[1]") < hello._repr_html_().index("gamma[0]")


def test_impacts_are_read_as_they_were_written(hello, tmp_path):
    hello.write(tmp_path / "impacts.json")
    record = load_result(tmp_path / "impacts.json")
    assert isinstance(record, ImpactsRecord)
    assert record == ImpactsRecord.of(hello) == ImpactsRecord.of(record)
    assert record.dump() == hello.dump()
    validate(record.dump(), ImpactsRecord.SCHEMA)
    assert record["gamma[1]"] == tuple(hello["gamma[1]"].tolist())
    assert (record.ranking, record.breakdown) == (hello.ranking, None)
    for found in (hello, record):
        with pytest.raises(UnknownNameError, match=r"no impact named 'gamma\[3\]'"):
            found["gamma[3]"]


def test_any_parameter_may_be_shifted(excess):
    found = impacts(*excess, "gamma[0]", parameters=["mu"])
    (row,) = impacts_one_by_one(*excess, "gamma[0]", {"mu": None}).values()
    assert_close(found.postfit[0], row[2:], 0.0, 1e-6)
    assert np.isnan(found.prefit).all()
    unconstrained = (ImpactStatus.UNCONSTRAINED,) * 2
    assert found.statuses("mu") == {"prefit": unconstrained, "postfit": (FOUND, FOUND)}
    assert found.converged
    assert found.to_dict()["impacts"]["mu"]["prefit_uncertainty"] is None


def test_all_kinds_of_parameters_are_as_one_by_one():
    """Free normfactors and shapefactors, luminosity, normsys, gammas of both kinds."""
    model, data = make(all_kinds())
    found = impacts(model, data)
    fixed = dict(zip(model.parameters.names, model.parameters.fixed, strict=True))
    assert set(found.names) == {n for n in fixed if not fixed[n]} - {"mu"}
    widths = [None if np.isnan(w) else float(w) for w in found.prefit_uncertainties]
    pairs = dict(zip(found.names, widths, strict=True))
    known = impacts_one_by_one(model, data, "mu", pairs)
    rows = np.concatenate([found.prefit, found.postfit], axis=1)
    np.testing.assert_allclose(rows, list(known.values()), 0.0, 1e-6)
    free = {n for n, w in pairs.items() if w is None}
    assert free == {"k_fake", "free[0]"}
    assert found["xsec"][0] * found["xsec"][1] < 0.0
    assert found.converged


def test_a_background_that_grows_lowers_the_signal_and_the_other_way_round():
    """The sign of the correlation is that of the impact up."""
    model, data = counting(shift=-6.0)
    found = impacts(model, data, method="covariance")
    assert_close(found.postfit[0], [-0.5, 0.5], 1e-7)
    best = fit(model, data)
    correlation = covariance(model, data, best).correlation_of("mu", "tilt")
    assert float(correlation) > 0.0


def test_held_values_are_cut_at_the_bounds():
    """T24 of other tools: impacts leave the bounds."""
    narrow = {"name": "tilt", "bounds": [[-0.5, 3.0]]}
    found = impacts(*counting(narrow))
    assert found.statuses("tilt") == dict.fromkeys(BOTH, (CUT, FOUND))
    for kind in (found.prefit, found.postfit):
        assert_close(kind[0], [0.25, -0.5], 1e-6)
    again = impacts(*counting(narrow), method="covariance")
    assert again.statuses("tilt") == found.statuses("tilt")
    assert_close(again.postfit, found.postfit, 1e-6)


def test_a_parameter_that_ends_at_its_own_bound_is_told():
    """``mu`` is 2 / 12, and a shift of 6 events would need -4 / 12."""
    found = impacts(*counting(observed=52.0))
    ends = (FOUND, ImpactStatus.AT_BOUND)
    assert found.statuses("tilt") == {"prefit": ends, "postfit": ends}
    assert_close(found.prefit[0], [0.5, -2.0 / 12.0], 1e-6)


def test_a_nuisance_parameter_at_its_bound_moves_to_one_side_only():
    at_bound = {"name": "tilt", "inits": [0.5], "bounds": [[0.5, 3.0]]}
    model, data = counting(at_bound)
    found = impacts(model, data)
    known = found.statuses("tilt")
    assert known["prefit"] == (CUT, FOUND)
    assert set(known["postfit"]) == {ImpactStatus.NO_UNCERTAINTY}
    assert_close(found.prefit[0], [0.0, -0.5], 1e-6, 1e-7)
    assert np.isnan(found.postfit).all()
    by_covariance = impacts(model, data, method="covariance")
    assert np.isnan(by_covariance.prefit).all()
    worst = by_covariance.statuses("tilt")["prefit"]
    assert set(worst) == {ImpactStatus.NO_UNCERTAINTY}


def test_what_stands_at_its_bound_is_refitted_but_has_no_covariance():
    """A deficit: mu stays at zero, until the background is low enough."""
    model, data = counting(observed=46.0)
    found = impacts(model, data)
    assert (float(found.value), float(found.uncertainty)) == (0.0, 0.0)
    assert_close(found.prefit[0, 1], 0.0, 0.0, 1e-7)
    assert np.isnan(impacts(model, data, method="covariance").postfit).all()


def test_fixed_parameters_are_left_out_or_have_no_impact(excess):
    """T26 of other tools: fixed parameters have no covariance."""
    model, data = excess
    held = model.with_fixed({"gamma[0]": 1.1})
    assert impacts(held, data).names == ("gamma[1]",)
    found = impacts(held, data, parameters=["gamma"])
    assert found.names == ("gamma[0]", "gamma[1]")
    fixed = (ImpactStatus.FIXED,) * 2
    assert found.statuses("gamma[0]") == dict.fromkeys(BOTH, fixed)
    assert found["gamma[0]"].tolist() == [0.0, 0.0]
    assert found.converged


VALLEYS = {
    "other": ([107.0, 27.0], [96.0, 36.0], [106.0, 61.0]),
    "lower": ([87.0, 60.0], [70.0, 88.0], [85.0, 58.0]),
}


def two_valleys(which):
    """A systematic that moves events the same way on both sides."""
    hi, lo, observed = VALLEYS[which]
    shape = sample("b", [95.0, 60.0], histosys("a", hi, lo))
    samples = [sample("s", [9.0, 4.0], MU), shape]
    return make(workspace({"SR": samples}, {"SR": observed}))


def test_another_valley_is_told_and_its_distance_is_the_impact():
    model, data = two_valleys("other")
    found = impacts(model, data, "a")
    assert found.statuses("mu")["postfit"] == (FOUND, ImpactStatus.OTHER_VALLEY)
    assert abs(found["mu"][1]) > 5.0 * abs(found["mu"][0])
    value = float(found.values[0] + found.uncertainties[0])
    held = fit(model, data, fixed={"mu": value})
    assert_close(found["mu"][1], held["a"] - found.value, 0.0, 1e-6)
    stays = impacts(model, data, "a", settings=FitSettings(valleys="initial"))
    assert stays.statuses("mu")["postfit"] == (FOUND, FOUND)
    assert abs(stays["mu"][1]) < 2.0 * abs(stays["mu"][0])


def test_a_minimum_below_the_best_fit_is_told():
    """The initial values lead to the higher one of two minima."""
    model, data = two_valleys("lower")
    initial = FitSettings(valleys="initial")
    found = impacts(model, data, settings=initial)
    lower = ImpactStatus.LOWER_MINIMUM
    assert found.statuses("a")["prefit"] == (lower, FOUND)
    assert np.isnan(found.prefit[0, 0])
    assert np.isfinite(found.prefit[0, 1])
    assert not found.converged
    with pytest.raises(FitError, match="no impact of a: with the nuisance"):
        found.raise_if_failed()
    held = fit(model, data, fixed={"a": float(found.values[0]) - 1.0})
    assert float(held.deviance) < float(found.free.deviance)
    assert impacts(model, data).converged


def test_fits_that_fail_are_told(excess):
    found = impacts(*excess, settings=FitSettings(max_steps=1))
    assert set(found.codes.ravel()) == {ImpactStatus.FITS_FAILED}
    with pytest.raises(FitError, match="did not converge"):
        found.raise_if_failed()
    assert found.to_dict()["impacts"]["gamma[0]"]["postfit"] == [None, None]


def test_a_model_without_a_parameter_of_interest_names_one():
    model, data = make(one_sample(modifier("normfactor", "k"), normsys("n", 0.9, 1.1)))
    with pytest.raises(MissingPOIError):
        impacts(model, data)
    found = impacts(model, data, "k", method="covariance")
    assert (found.parameter, found.names) == ("k", ("n",))
    assert_close(found.value, 0.9, 1e-7)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"parameter": "nu"}, UnknownNameError, "no parameter named 'nu'"),
        ({"parameter": "gamma"}, ParameterError, "has 2 components"),
        ({"parameters": ["gam"]}, UnknownNameError, "did you mean 'gamma'"),
        ({"parameters": ["mu"]}, ParameterError, "no parameter beside 'mu'"),
        ({"parameters": "gamma"}, ArgumentError, r'one text: give a list .*"gamma"'),
        ({"method": "fit"}, UnknownNameError, "did you mean 'fits'"),
    ],
)
def test_what_has_no_impact_is_refused(excess, changes, error, words):
    with pytest.raises(error, match=words):
        impacts(*excess, **changes)


def test_a_fixed_parameter_is_shifted_by_nothing(excess):
    model, data = excess
    with pytest.raises(ParameterError, match="'mu' is fixed"):
        impacts(model.with_fixed({"mu": 1.0}), data)


def test_compiled_functions_are_no_place_for_impacts(excess):
    model, data = excess
    with pytest.raises(ArgumentError, match="not found inside jit or vmap"):
        jax.jit(lambda data: impacts(model, data))(data)


@pytest.mark.long
def test_impacts_of_a_published_search_are_those_of_fits_one_by_one(data_dir):
    background, patchset = load_likelihood("staus", data_dir)
    model, data = build(background, patch=patchset["TStauStau_160_1"])
    found = impacts(model, data)
    assert found.converged
    names = found.ranking[:8]
    positions = [found.names.index(name) for name in names]
    widths = np.asarray(found.prefit_uncertainties)[positions]
    pairs = zip(names, widths.tolist(), strict=True)
    wanted = {name: None if np.isnan(width) else width for name, width in pairs}
    known = impacts_one_by_one(model, data, model.poi_name, wanted)
    rows = np.concatenate([found.prefit, found.postfit], axis=1)[positions]
    np.testing.assert_allclose(rows, list(known.values()), 0.0, 1e-6)
