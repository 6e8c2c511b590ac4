"""The ends of profile intervals are where the deviance has risen, or say why not."""

import json

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2

from hfjax.building.build import build
from hfjax.documents.reading.schema import validate
from hfjax.errors import ArgumentError, ParameterError, UnknownNameError
from hfjax.fitting.best_fit import fit, fixed_poi_fit
from hfjax.fitting.status import FitSettings
from hfjax.fitting.valleys.candidates import has_valleys
from hfjax.inference.intervals import intervals
from hfjax.inference.intervals_result import IntervalStatus
from hfjax.inference.profile import profile
from tests.assertions import assert_close
from tests.likelihoods import SINGLE, load_likelihood
from tests.workspaces import (
    HELLO,
    MU,
    lopsided,
    make,
    normsys,
    sample,
    shapesys,
    workspace,
)

FOUND, AT_BOUND, FIXED, *_ = IntervalStatus


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, [62.0, 63.0]))


@pytest.fixture(scope="module")
def found(hello):
    return intervals(*hello)


def counting(*modifiers, observed=10.0):
    samples = [sample("signal", [10.0], MU, *modifiers)]
    return make(workspace({"SR": samples}, {"SR": [observed]}))


@pytest.mark.slow
def test_a_count_has_the_roots_of_its_likelihood():
    found = intervals(*counting())

    def rise(mu):
        return 2.0 * (10.0 * np.log(1.0 / mu) + 10.0 * mu - 10.0) - 1.0

    known = brentq(rise, 0.1, 1.0, xtol=1e-14), brentq(rise, 1.0, 3.0, xtol=1e-14)
    assert_close(found["mu"], known, 1e-8)


@pytest.mark.slow
def test_a_constrained_parameter_alone_has_its_width():
    """With mu free, data say nothing about the other factor."""
    found = intervals(*counting(normsys("JES", 0.9, 1.1)), ["JES"])
    assert_close(found["JES"], [-1.0, 1.0], 1e-8)


@pytest.mark.slow
def test_no_events_are_bounded_below():
    """The deviance of 10 mu expected is 20 mu."""
    found = intervals(*counting(observed=0.0))
    assert found.statuses("mu") == (AT_BOUND, FOUND)
    assert_close(found["mu"], [0.0, 0.05], 1e-7, 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.5, 0.95])
def test_ends_are_those_of_a_search_one_by_one(hello, level):
    model, data = hello
    lowest, asked = fit(model, data).deviance, chi2.ppf(level, 1)

    def rise(mu):
        return float(fixed_poi_fit(model, data, mu).deviance - lowest) - asked

    (below, above), (how, _) = (
        part(intervals(model, data, ["mu"], level=level))
        for part in (lambda r: r["mu"], lambda r: r.statuses("mu"))
    )
    assert_close(above, brentq(rise, 1.0, 9.0, xtol=1e-12), 1e-7)
    if level == 0.5:
        assert_close(below, brentq(rise, 0.0, 1.0, xtol=1e-12), 1e-7)
    else:
        assert (how, float(below)) == (AT_BOUND, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a", "mu"])
def test_between_the_ends_the_deviance_has_not_risen_so_far(name):
    """Of a likelihood with several valleys: the profile knows all of them."""
    model, data = make(lopsided())
    assert has_valleys(model)
    found = intervals(model, data, [name])
    ends, best = np.asarray(found[name]), float(found.values[0])
    grid = np.concatenate(
        [np.linspace(ends[0], best, 9), np.linspace(best, ends[1], 9)]
    )
    rise = np.asarray(profile(model, data, {name: grid.tolist()}).delta)
    codes = found.statuses(name)
    for status, height in zip(codes, rise[[0, -1]], strict=True):
        assert status in (FOUND, AT_BOUND)
        assert status is AT_BOUND or abs(height - 1.0) < 1e-6
    assert np.all(rise[1:-1] < 1.0)


@pytest.mark.long
@pytest.mark.parametrize("name", ["staus", "sbottomA"])
def test_intervals_of_published_likelihoods_end_where_the_profile_has_risen(
    name, data_dir
):
    background, patchset = load_likelihood(name, data_dir)
    model, data = build(background, patch=patchset[SINGLE[name]])
    found = intervals(model, data)
    assert found.converged
    for each in found.names[::20]:
        rise = profile(model, data, {each: found[each].tolist()}).delta
        assert_close(rise, found.delta[found.names.index(each)], 0.0, 1e-6)


def test_every_parameter_is_searched(found):
    assert found.names == ("mu", "gamma[0]", "gamma[1]")
    assert found.converged
    assert_close(found.delta, np.ones((3, 2)), 0.0, 1e-6)


@pytest.mark.slow
def test_what_is_held_has_no_width(hello):
    found = intervals(*hello, ["gamma[0]", "mu"], fixed={"gamma[0]": 1.02})
    assert found.statuses("gamma[0]") == (FIXED, FIXED)
    assert found["gamma[0]"].tolist() == [1.02, 1.02]
    assert found.statuses("mu") == (FOUND, FOUND)


@pytest.mark.slow
def test_flat_directions_end_at_the_bounds():
    """Two factors of one sample: the one makes up for the other."""
    second = {"name": "nu", "type": "normfactor", "data": None}
    found = intervals(*counting(second))
    assert found.statuses("mu")[1] is AT_BOUND
    assert float(found["mu"][1]) == 10.0


@pytest.mark.slow
def test_fits_that_fail_are_a_reason(hello):
    found = intervals(*hello, ["mu"], settings=FitSettings(max_steps=1))
    assert set(found.statuses("mu")) == {IntervalStatus.FITS_FAILED}
    assert np.isnan(found["mu"]).all()
    validate(found.dump(), "intervals-result-1.0.0.json")


def test_what_is_no_question_is_refused(hello, found):
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        intervals(*hello, level=1.0)
    with pytest.raises(ArgumentError, match="one text"):
        intervals(*hello, "mu")
    with pytest.raises(UnknownNameError):
        intervals(*hello, ["nu"])
    with pytest.raises(ParameterError):
        intervals(*hello, ["gamma"])
    with pytest.raises(UnknownNameError):
        found["nu"]


def test_intervals_are_a_record(found, tmp_path):
    found.write(tmp_path / "found.json")
    document = json.loads((tmp_path / "found.json").read_text())
    validate(document, "intervals-result-1.0.0.json")
    assert document["intervals"]["mu"]["ends"] == found["mu"].tolist()
    assert repr(found).splitlines()[0] == "IntervalsResult: 0.6827, 3 parameters"
