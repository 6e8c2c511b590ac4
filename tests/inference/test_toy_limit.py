"""Limits by toys are those of exact enumeration, within their statistical errors."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from scipy.optimize import brentq

from hfjax.building.build import build
from hfjax.documents.reading.schema import validate
from hfjax.errors import ArgumentError, FitError, MissingPOIError, ParameterError
from hfjax.inference import toy_limit as rules
from hfjax.inference.limit_result import LimitStatus
from hfjax.inference.limits import upper_limit
from hfjax.inference.toy_limit import toy_limit
from hfjax.inference.toy_settings import ToySettings
from hfjax.inference.toys import toys
from hfjax.plotting.limit import draw_limit
from hfjax.results.load import load_result
from hfjax.results.toy_limit_record import ToyLimitRecord
from tests.reference.toys import counting_p_value
from tests.toys import some_toy_limits
from tests.workspaces import HELLO, MU, make, one_sample, sample, shapesys, workspace

Z = 4.5
"""Errors that a limit may be away from what is right."""
N = 500


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, [51, 48]))


@pytest.fixture(scope="module")
def found(hello):
    return toy_limit(*hello, N, key=3)


def exact_limit(count, signal=4.0, background=5.0):
    """Where the exact CLs of a count is 0.05."""

    def above(mu):
        rates = background + mu * signal, background
        tails = [counting_p_value(r, signal, background, count, mu) for r in rates]
        return tails[0] / tails[1] - 0.05

    return brentq(above, 0.3, 6.0)


@pytest.mark.slow
@pytest.mark.parametrize("observed", [1, 8])
def test_limits_are_those_of_exact_enumeration(observed):
    """Of one bin without uncertainties: the band is that of quantiles of counts."""
    samples = [sample("signal", [4.0], MU), sample("bkg", [5.0])]
    model, data = make(workspace({"SR": samples}, {"SR": [observed]}))
    found = toy_limit(model, data, 3000, key=observed).raise_if_failed()
    known = [exact_limit(count) for count in (observed, 1, 3, 5, 7, 10)]
    limits = np.append(found.observed, found.expected)
    errors = np.append(found.observed_error, found.expected_error)
    assert np.all(errors < 0.2 * limits)
    assert np.all(np.abs(limits - known) < Z * errors)


@pytest.mark.slow
def test_each_value_has_the_toys_of_a_test_with_the_same_key(hello, found):
    """So equal keys give equal limits."""
    values = np.asarray(found.curve.values)
    assert np.all(np.diff(values) > 0.0)
    for i in (0, values.size // 2):
        alone = toys(*hello, float(values[i]), N, 3)
        assert found.curve.CLs_obs[i] == alone.CLs_obs
        assert found.curve.CLs_obs_error[i] == alone.CLs_error
        np.testing.assert_array_equal(found.curve.CLs_exp[i], alone.CLs_exp)
    again = toy_limit(*hello, N, jax.random.key(3))
    assert again.dump()["limit_exp"] == found.dump()["limit_exp"]
    assert toy_limit(*hello, N, 4).observed != found.observed


@pytest.mark.slow
def test_limits_are_near_the_asymptotic_ones(hello, found):
    assert found.converged
    known = upper_limit(*hello)
    assert abs(found.observed - known.observed) < Z * found.observed_error
    away = np.abs(found.expected - known.expected)
    assert np.all(away < Z * found.expected_error)
    assert found.mu_hat == known.mu_hat
    assert found.settings["test_stat"] == "qtilde"
    assert "poi_value" not in found.settings


@pytest.mark.slow
def test_limits_beyond_the_bound_of_the_parameter_are_found():
    """A signal of a hundredth, and a bound of 10."""
    signal, *others = HELLO
    model, data = build(shapesys([0.01 * s for s in signal], *others, [51, 48]))
    found = toy_limit(model, data, 200, key=1).raise_if_failed()
    known = float(upper_limit(model, data).observed)
    assert float(found.observed) > 10.0
    assert abs(found.observed - known) < Z * found.observed_error


@pytest.mark.slow
def test_values_beyond_are_added_where_a_limit_is_not_between(hello, monkeypatch):
    monkeypatch.setattr(rules, "AROUND", (1.4, 0.8))
    told = []
    settings = ToySettings(progress=lambda done, total: told.append((done, total)))
    found = toy_limit(*hello, 100, 1, settings)
    assert set(found.statuses) == {LimitStatus.FOUND}
    assert told[-1] == (100 * found.curve.values.size,) * 2
    monkeypatch.setattr(rules, "MOST_MORE", 0)
    short = toy_limit(*hello, 100, 1)
    assert short.curve.values.size < found.curve.values.size
    assert short.statuses[1] is LimitStatus.OUTSIDE_VALUES
    assert np.isnan(short.expected[0])
    with pytest.raises(FitError, match=r"expected -2 sigma.* limit: CLs does not"):
        short.raise_if_failed()


@pytest.mark.slow
def test_without_signal_nothing_is_drawn():
    model, data = build(shapesys([0.0, 0.0], *HELLO[1:], [51, 48]))
    found = toy_limit(model, data, 100, key=1)
    assert set(found.statuses) == {LimitStatus.NOT_REACHED}
    assert found.curve.values.size == 0
    validate(found.dump(), "toy-limit-result-1.0.0.json")


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"shard": (1, 2)}, "shard is for those of one"),
        ({"keep": Path("toys.npz")}, "keep is for those of one"),
        ({"test_stat": "q0"}, "sets no upper limits"),
    ],
)
def test_settings_that_make_no_limit_are_refused(hello, settings, match):
    with pytest.raises((ParameterError, ArgumentError), match=match):
        toy_limit(*hello, 100, 1, ToySettings(**settings))


def test_what_is_no_question_is_refused(hello):
    with pytest.raises(ParameterError, match="0 toys"):
        toy_limit(*hello, 0, 1)
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        toy_limit(*hello, 100, 1, level=1.5)
    with pytest.raises(MissingPOIError):
        toy_limit(*make(one_sample()), 100, 1)
    with pytest.raises(ArgumentError, match="outside of jit"):
        jax.jit(lambda model: toy_limit(model, hello[1], 9, 1).observed)(hello[0])


def test_limits_are_read_as_they_were_written(tmp_path):
    found = some_toy_limits()
    found.write(tmp_path / "limit.json")
    record = load_result(tmp_path / "limit.json")
    assert isinstance(record, ToyLimitRecord)
    assert record == ToyLimitRecord.of(found)
    assert record.dump() == json.loads((tmp_path / "limit.json").read_text())
    assert (record.observed, record.observed_error) == (1.29, 0.03)
    assert record.converged
    assert record.converged == found.converged
    assert repr(record).endswith("observed 1.29 ± 0.03, expected 1.4 ± 0.04")
    assert "observed 1.29 ± 0.03" in repr(found)
    labels = [t.get_text() for t in draw_limit(record).axes.get_legend().get_texts()]
    assert labels[-2] == r"Observed limit: 1.29 $\pm$ 0.03"


def test_lost_toys_are_told():
    found = some_toy_limits(lost=2)
    assert not found.converged
    assert "2 of 6000 toys have no statistic" in found.message
    with pytest.raises(FitError, match="2 of 6000"):
        found.raise_if_failed()
    assert found.to_dict()["curve"]["lost"] == [2, 0, 0, 0, 0, 0]
