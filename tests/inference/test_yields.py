"""Yields with uncertainties: closed forms, loops, other channels, refusals."""

import dataclasses
import json

import numpy as np
import pytest

import hfjax
from hfjax.documents.reading.schema import validate
from hfjax.errors import ArgumentError, FitError, ParameterError, UnknownNameError
from hfjax.fitting.best_fit import fit
from hfjax.fitting.covariance import covariance
from hfjax.fitting.covariance_result import CovarianceStatus
from hfjax.inference.yields import yields
from tests.reference.histfactory import HistFactory
from tests.reference.yields import standard_deviations
from tests.workspaces import (
    MU,
    all_kinds,
    make,
    modifier,
    normsys,
    one_sample,
    sample,
    workspace,
)


@pytest.fixture(scope="module")
def built():
    """All kinds of modifiers: the document, the model and its data."""
    document = all_kinds()
    model, data = make(document)
    return document, model.with_fixed({"mu": 1.0}), data


@pytest.fixture(scope="module")
def fitted(built):
    """The same with a fit that converged."""
    return *built, fit(*built[1:]).raise_if_failed()


# -- closed forms ------------------------------------------------------------------


def test_one_bin_with_a_normsys_and_a_staterror():
    """10 f(alpha) gamma with gamma = 1 +- 0.2: code 4 has the slope ln(hi) at zero."""
    stat = modifier("staterror", "stat", [2.0])
    model, data = make(one_sample(normsys("JES", 1 / 1.1, 1.1), stat))
    found = yields(model, data)["SR"]
    assert found.sum == 10.0
    expected = np.hypot(10.0 * np.log(1.1), 2.0)
    assert found.sum_uncertainty == pytest.approx(expected, rel=1e-8)
    assert found.uncertainties.tolist() == [found.sum_uncertainty]


def test_a_free_factor_leads_to_the_data_with_their_root():
    model, data = make(one_sample(modifier("normfactor", "k"), observed=(9.0,)))
    found = yields(model, data, fit(model, data))["SR"]
    assert found.sum == pytest.approx(9.0, rel=1e-9)
    assert found.sum_uncertainty == pytest.approx(3.0, rel=1e-9)


def test_sums_know_what_bins_and_samples_have_in_common():
    """T29: a shared normsys adds up linearly, staterrors of bins in quadrature."""
    stat = modifier("staterror", "stat", [3.0, 4.0])
    one = sample("one", [10.0, 20.0], normsys("x", 1 / 1.1, 1.1))
    other = sample("other", [40.0, 30.0], normsys("x", 1.1, 1 / 1.1))
    steady = sample("steady", [50.0, 50.0], stat)
    document = workspace({"SR": [one, other, steady]}, {"SR": [100.0, 100.0]})
    found = yields(*make(document), groups={"both": ["one", "other"]})
    slope = np.log(1.1)
    assert found["SR", "one"].sum_uncertainty == pytest.approx(30.0 * slope)
    both = found["SR", "both"]
    np.testing.assert_allclose(both.uncertainties, [30.0 * slope, 10.0 * slope])
    assert both.sum_uncertainty == pytest.approx(40.0 * slope)
    assert found["SR", "steady"].sum_uncertainty == pytest.approx(5.0)
    assert found["SR"].sum_uncertainty == pytest.approx(np.hypot(40.0 * slope, 5.0))


# -- loops -------------------------------------------------------------------------


def by_row(reference):
    """Rates of each sample, and of all, as a function of the parameters."""

    def rates(params):
        each = reference.expected_rates(params)
        return np.concatenate([each, each.sum(axis=0, keepdims=True)])

    return rates


def assert_as_loops(found, reference, params, matrix):
    expected = standard_deviations(by_row(reference), params, matrix)
    np.testing.assert_allclose(found.values, by_row(reference)(params), rtol=1e-9)
    np.testing.assert_allclose(found.uncertainties, expected, rtol=1e-5, atol=1e-8)
    bins = [size for _, size in found.channels]
    starts = np.cumsum([0, *bins[:-1]])

    def sums(at):
        return np.add.reduceat(by_row(reference)(at), starts, axis=1)

    expected = standard_deviations(sums, params, matrix)
    np.testing.assert_allclose(found.sum_uncertainties, expected, rtol=1e-5, atol=1e-8)


def test_before_a_fit_as_loops_have_it(built):
    document, model, data = built
    reference = HistFactory(document)
    widths = {"tilt": 1.0, "xsec": 1.0, "acceptance": 1.0, "lumi": 0.02}
    widths |= {"fake[0]": 1 / 4, "fake[2]": 2 / 3}
    sums = [22.0, 27.0]
    errors = [np.hypot(2.0, 0.5), np.hypot(1.0, 0.5)]
    widths |= {f"stat_SR[{i}]": errors[i] / sums[i] for i in range(2)}
    each = np.array([widths.get(name, 0.0) for name in model.parameters.names])
    found = yields(model, data)
    assert_as_loops(found, reference, reference.init, np.diag(each**2))
    assert (found.prediction, found.status) == ("pre-fit", CovarianceStatus.KNOWN)


@pytest.mark.slow
def test_after_a_fit_as_loops_have_it(fitted):
    document, model, data, result = fitted
    found = yields(model, data, result)
    matrix = covariance(model, data, result).covariance
    assert_as_loops(found, HistFactory(document), result.params, np.asarray(matrix))
    assert found.prediction == "post-fit"
    assert found.prior == ()


@pytest.mark.slow
def test_uncertainties_may_be_given_instead_of_the_fit(fitted):
    _, model, data, result = fitted
    one = yields(model, data, result)
    other = yields(model, data, covariance(model, data, result))
    np.testing.assert_array_equal(one.uncertainties, other.uncertainties)


# -- other channels ----------------------------------------------------------------

JES, STAT = normsys("JES", 0.85, 1.2), modifier("staterror", "stat", [3.0, 2.0])
K = modifier("normfactor", "k")


def regions():
    """Control regions that tell k and JES, and one more region that only follows.

    Its name is before theirs, so that gammas of one staterror have other numbers.
    """
    own = [normsys("iso", 0.9, 1.15), modifier("shapesys", "g", [1.5, 1.0])]
    return workspace(
        {
            "A_SR": [
                sample("top", [12.0, 6.0], K, JES, STAT),
                sample("fakes", [5.0, 3.0], *own),
            ],
            "CR": [
                sample("top", [90.0, 40.0], K, JES, STAT),
                sample("fakes", [6.0, 9.0], normsys("JES", 1.1, 0.9)),
            ],
            "CR_fakes": [sample("fakes", [30.0], normsys("JES", 1.3, 0.8))],
        },
        {"A_SR": [15.0, 14.0], "CR": [112.0, 51.0], "CR_fakes": [25.0]},
    )


@pytest.fixture(scope="module")
def predicted():
    """All regions, predicted by a fit of the control regions alone."""
    document = regions()
    joint, data = make(document)
    part = hfjax.select(hfjax.Workspace.parse(document), channels=["CR.*"])
    fitted = hfjax.build(part)
    result = fit(*fitted).raise_if_failed()
    return joint, data, fitted, result, yields(joint, data, result, fitted=fitted)


@pytest.mark.slow
def test_a_fit_of_control_regions_predicts_as_the_joint_model_without_other_data(
    predicted,
):
    """T10: gammas of one name in two channels are those of their bins."""
    joint, data, *_, found = predicted
    names = [name for name, size in joint.names.channel_bins for _ in range(size)]
    present = np.array([name.startswith("CR") for name in names])
    without = dataclasses.replace(joint, bin_present=present)
    expected = yields(without, data, fit(without, data))
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-7)
    np.testing.assert_allclose(found.uncertainties, expected.uncertainties, rtol=1e-6)
    np.testing.assert_allclose(
        found.sum_uncertainties, expected.sum_uncertainties, rtol=1e-6
    )
    assert found.prediction == "extrapolated"
    assert found.prior == ("iso", "g[0]", "g[1]", "stat[0]", "stat[1]")


@pytest.mark.slow
def test_a_prediction_says_more_than_before_the_fit(predicted):
    joint, data, *_, found = predicted
    before, after = yields(joint, data)["A_SR"], found["A_SR"]
    assert after.sum_uncertainty != before.sum_uncertainty
    top = found["A_SR", "top"]
    assert top.sum == pytest.approx(before.sum - 8.0, rel=0.5)


@pytest.mark.slow
def test_a_fit_of_another_model_is_not_taken_for_this_one(predicted):
    joint, data, _, result, _ = predicted
    with pytest.raises(ParameterError, match=r"fitted=\(model, data\)"):
        yields(joint, data, result)


# -- what is not known -------------------------------------------------------------


@pytest.mark.slow
def test_flat_directions_leave_what_does_not_depend_on_them():
    two = [sample(n, [9.0], modifier("normfactor", f"k_{n}")) for n in "ab"]
    other = sample("c", [4.0], normsys("x", 0.9, 1.1))
    document = workspace({"SR": [*two], "CR": [other]}, {"SR": [20.0], "CR": [5.0]})
    model, data = make(document)
    found = yields(model, data, fit(model, data))
    assert found.status is CovarianceStatus.FLAT
    assert np.isnan(found["SR", "a"].sum_uncertainty)
    assert found["CR"].sum_uncertainty > 0.0
    assert found.to_dict()["yields"]["SR"]["total"]["sum_uncertainty"] is None
    with pytest.raises(FitError, match="does not change along some direction"):
        found.raise_if_failed()


@pytest.mark.slow
def test_a_fit_that_failed_has_no_yields(built):
    _, model, data = built
    settings = hfjax.FitSettings(max_steps=1)
    found = yields(model, data, fit(model, data, settings=settings))
    assert found.status is CovarianceStatus.FIT_FAILED
    assert not found.converged
    assert np.isnan(found.values).all()
    assert found.to_dict()["yields"]["CR"]["total"]["sum"] is None


# -- names, files, refusals --------------------------------------------------------


def test_yields_are_found_by_name(built):
    _, model, data = built
    found = yields(model, data, groups={"all": ["signal", "top", "fakes"]})
    for name in ("SR", "CR"):
        one, other = found[name], found[name, "all"]
        np.testing.assert_allclose(one.values, other.values)
        np.testing.assert_allclose(one.uncertainties, other.uncertainties)
        assert found.counts(name).tolist() == data[name].tolist()
    with pytest.raises(UnknownNameError, match="no sample or group named 'fakes'"):
        found["CR", "fakes"]
    with pytest.raises(UnknownNameError, match="did you mean 'SR'"):
        found["SR1"]
    assert repr(found).splitlines()[0] == "YieldsResult: pre-fit, known"
    assert "<th>channel</th>" in found._repr_html_()


@pytest.mark.slow
def test_yields_are_written_as_their_schema_says(fitted, tmp_path):
    _, model, data, result = fitted
    found = yields(model, data, result, groups={"bkg": ["top", "fakes"]})
    found.write(tmp_path / "yields.json")
    document = json.loads((tmp_path / "yields.json").read_text())
    validate(document, "yields-result-1.0.0.json")
    region = document["yields"]["SR"]
    assert region["data"] == [25.0, 24.0, 47.0]
    assert region["groups"]["bkg"]["sum"] == found["SR", "bkg"].sum
    assert list(region["samples"]) == ["fakes", "signal", "top"]
    assert document["groups"] == {"bkg": ["top", "fakes"]}


@pytest.mark.parametrize(
    ("groups", "error", "words"),
    [
        ({"all": ["tops"]}, UnknownNameError, "no sample named 'tops'"),
        ({"top": ["top"]}, ArgumentError, "has the name of a sample"),
        ({"all": "top"}, ArgumentError, "give samples by the name of a group"),
    ],
)
def test_what_is_no_group_is_refused(built, groups, error, words):
    _, model, data = built
    with pytest.raises(error, match=words):
        yields(model, data, groups=groups)


def test_a_channel_without_a_sample_does_not_show_it():
    document = workspace(
        {"SR": [sample("s", [3.0], MU)], "CR": [sample("b", [5.0])]},
        {"SR": [4.0], "CR": [5.0]},
    )
    found = yields(*make(document)).to_dict()["yields"]
    assert {name: list(each["samples"]) for name, each in found.items()} == {
        "SR": ["s"],
        "CR": ["b"],
    }


# -- a published likelihood --------------------------------------------------------

CABINETRY = {
    "CR2lHFe": (116.8497, 9.6621),
    "CR2lHFmu": (196.9103, 12.4715),
    "CR2lttV": (450.9472, 17.076),
    "CR3lHFe": (158.6068, 9.832),
    "CR3lHFmu": (259.3357, 13.9288),
    "CR3lttW": (263.7871, 13.5312),
    "CR3lttZ": (370.5611, 17.0773),
    "SR2ldec": (1858.8234, 37.7088),
    "SR2lprod": (1714.095, 35.7448),
    "SR3ldec": (1059.314, 27.7272),
    "SR3lprod": (881.1157, 27.5911),
}
"""Events and uncertainties after a fit of the tHu measurement, by cabinetry 0.6.0: its
uncertainties are of differences at plus and minus one standard deviation."""


@pytest.mark.long
def test_a_published_measurement_has_the_events_of_others_and_its_goodness(data_dir):
    path = data_dir / "likelihoods" / "tHu" / "workspace.json"
    model, data = hfjax.build(hfjax.Workspace.load(path))
    settings = hfjax.FitSettings(valleys="initial")
    good = hfjax.goodness_of_fit(model, data, settings=settings)
    found = yields(model, data, good.free)
    for name, (events, uncertainty) in CABINETRY.items():
        assert found[name].sum == pytest.approx(events, rel=1e-4)
        assert found[name].sum_uncertainty == pytest.approx(uncertainty, rel=0.04)
    assert float(good.p_value) == pytest.approx(0.8071788, abs=1e-5)
