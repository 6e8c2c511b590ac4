"""Upper limits are where CLs is at the level, all six of them, or say why not."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from hfjax.building.build import build
from hfjax.errors import ArgumentError, FitError, ParameterError, UnknownNameError
from hfjax.fitting.status import FitSettings
from hfjax.inference.hypotest import hypotest
from hfjax.inference.limit_result import LimitStatus
from hfjax.inference.limits import upper_limit
from hfjax.model.data import Data
from tests.assertions import assert_close
from tests.likelihoods import load_likelihood
from tests.workspaces import HELLO, MU, make, sample, shapesys, workspace


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, [51, 48]))


@pytest.fixture(scope="module")
def found(hello):
    return upper_limit(*hello)


def curves(model, data, value):
    result = hypotest(model, data, value)
    return np.append(result.CLs_obs, result.CLs_exp)


@pytest.mark.slow
def test_limits_are_those_that_everybody_knows(found):
    """Of pyhf's example, by closed forms."""
    assert found.converged
    assert_close(found.observed, 1.0115718814, 1e-9)
    known = [0.5598842551, 0.7570290235, 1.0623550007, 1.5011808271, 2.0508020218]
    assert_close(found.expected, known, 1e-9)


def test_cls_at_the_limits_is_the_level(hello, found):
    for which, value in enumerate([found.observed, *found.expected]):
        assert_close(curves(*hello, float(value))[which], 0.05, 0.0, 1e-8)
    assert_close(found.CLs, 0.05, 0.0, 1e-8)


@pytest.mark.slow
def test_limits_are_those_of_a_search_one_by_one(hello, found):
    for which, value in enumerate([found.observed, *found.expected]):

        def above(mu, which=which):
            return curves(*hello, mu)[which] - 0.05

        assert_close(value, brentq(above, 0.05, 9.0, xtol=1e-12), 1e-7)


def test_fits_that_are_done_once_are_not_repeated(found):
    """Each test takes two fits of a few steps after the first, which has four."""
    assert int(found.steps) < 6 * int(found.tests)


@pytest.mark.slow
def test_another_level(hello):
    result = upper_limit(*hello, level=0.1)
    assert_close(curves(*hello, float(result.observed))[0], 0.1, 0.0, 1e-8)
    assert float(result.observed) < 1.0115


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_limits_far_away_are_found_beyond_the_bound(found, scale):
    """The parameter's bound is 10; limits scale with one over the signal."""
    signal, *others = HELLO
    model, data = build(shapesys([scale * s for s in signal], *others, [51, 48]))
    result = upper_limit(model, data)
    assert result.converged
    assert_close(scale * result.observed, found.observed, 1e-6)
    assert_close(scale * result.expected, found.expected, 1e-6)
    assert float(result.upper_bound) >= max(10.0, float(result.expected[-1]))


def test_without_signal_there_are_no_limits():
    model, data = build(shapesys([0.0, 0.0], *HELLO[1:], [51, 48]))
    result = upper_limit(model, data)
    assert set(result.statuses) == {LimitStatus.NOT_REACHED}
    assert np.isnan(result.observed)
    with pytest.raises(FitError, match="no observed limit: CLs is above the level"):
        result.raise_if_failed()


@pytest.mark.slow
def test_fits_that_fail_are_a_reason():
    """No value has a fit that converges in one step."""
    model, data = build(shapesys(*HELLO, [51, 48]))
    result = upper_limit(model, data, settings=FitSettings(max_steps=1))
    assert set(result.statuses) == {LimitStatus.FITS_FAILED}
    assert result.to_dict()["fits"] == "max_steps"


@pytest.mark.slow
def test_other_statistics_and_held_parameters(hello):
    model, data = hello
    for options in ({"test_stat": "q"}, {"fixed": {"gamma[0]": 1.02}}):
        result = upper_limit(model, data, **options)
        at = hypotest(model, data, float(result.expected[2]), **options)
        assert_close(at.CLs_exp[2], 0.05, 0.0, 1e-8)


@pytest.mark.slow
def test_limits_under_vmap_are_those_one_by_one(hello):
    model, data = hello
    counts = jnp.array([[51.0, 48.0], [60.0, 61.0]])
    many = jax.jit(jax.vmap(lambda n: upper_limit(model, Data(n, data.aux))))(counts)
    for i, main in enumerate(counts):
        one = upper_limit(model, dataclasses.replace(data, main=main))
        assert_close(many.observed[i], one.observed, 1e-7)
        assert_close(many.expected[i], one.expected, 1e-7)


@pytest.mark.long
def test_derivatives_of_limits_are_those_of_differences(hello):
    model, data = hello

    def limits(x):
        main = jnp.array([51.0 * x, 48.0])
        result = upper_limit(model, dataclasses.replace(data, main=main))
        return jnp.append(result.observed, result.expected[2])

    step = 1e-4
    high, low = (jax.jit(limits)(1.0 + h) for h in (step, -step))
    known = (high - low) / (2.0 * step)
    assert_close(jax.jacfwd(limits)(1.0), known, 1e-4)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1])
def test_a_level_that_is_none_is_refused(hello, level):
    with pytest.raises(ArgumentError, match="level"):
        upper_limit(*hello, level=level)


@pytest.mark.parametrize("test_stat", ["q0", "t", "ttilde"])
def test_statistics_that_set_no_limits_are_refused(hello, test_stat):
    with pytest.raises(ArgumentError, match="sets no upper limits"):
        upper_limit(*hello, test_stat=test_stat)
    with pytest.raises(UnknownNameError):
        upper_limit(*hello, test_stat="qtidle")


def test_a_parameter_that_cannot_be_zero_has_no_limits():
    model, data = build(shapesys(*HELLO, [51, 48], bounds=[[0.1, 10.0]]))
    with pytest.raises(ParameterError):
        upper_limit(model, data)


def test_a_limit_is_a_record(found, tmp_path):
    found.write(tmp_path / "limit.json")
    document = json.loads((tmp_path / "limit.json").read_text())
    assert_close(document["limit_obs"], found.observed, 1e-12)
    assert document["status"] == ["found"] * 6
    assert repr(found).startswith("LimitResult: CLs = 0.05")


@pytest.mark.slow
def test_a_counting_experiment_is_right_in_closed_form():
    """No uncertainty, as many events as expected: q is -2 ln of a ratio of Poissons."""
    samples = [sample("signal", [10.0], MU), sample("bkg", [100.0])]
    model, data = make(workspace({"SR": samples}, {"SR": [100.0]}))
    result = upper_limit(model, data)

    def CLs(mu):
        rate = 100.0 + 10.0 * mu
        q = 2.0 * (rate - 100.0 - 100.0 * np.log(rate / 100.0))
        return norm.sf(np.sqrt(q)) / 0.5

    known = brentq(lambda mu: CLs(mu) - 0.05, 0.1, 9.0, xtol=1e-13)
    assert_close(result.observed, known, 1e-7)
    assert_close(result.expected[2], known, 1e-7)


@pytest.mark.long
@pytest.mark.parametrize("name", ["staus", "sbottomA"])
def test_published_likelihoods(name, data_dir):
    workspace, patches = load_likelihood(name, data_dir)
    model, data = build(workspace, patch=next(iter(patches)))
    result = upper_limit(model, data)
    assert result.converged
    for which, value in ((0, result.observed), (3, result.expected[2])):
        wide = dataclasses.replace(
            model.parameters,
            upper=jnp.asarray(model.parameters.upper).at[model.poi].set(1e3),
        )
        at = hypotest(dataclasses.replace(model, parameters=wide), data, float(value))
        assert_close(np.append(at.CLs_obs, at.CLs_exp)[which], 0.05, 0.0, 1e-6)


PYHF = {
    ("sbottomA", "T6bbHH_800_480_350", "lowest"): (
        *(0.3350898, 0.18142015, 0.25161296),
        *(0.36849192, 0.55658595, 0.83369606),
    ),
    ("staus", "TStauStau_220_1", "initial"): (
        *(0.50720266, 0.26174862, 0.36229059),
        *(0.53152538, 0.81065687, 1.2359651),
    ),
}
"""Of pyhf 0.7.6, JAX, SciPy with a tolerance of 1e-9, by `benchmarks/limits.py`."""


@pytest.mark.long
@pytest.mark.parametrize(("name", "patch", "valleys"), PYHF)
def test_limits_of_published_likelihoods_are_those_of_pyhf(
    name, patch, valleys, data_dir
):
    """In the minimum that pyhf finds: of staus, not the lowest."""
    background, patchset = load_likelihood(name, data_dir)
    model, data = build(background, patch=patchset[patch])
    found = upper_limit(model, data, settings=FitSettings(valleys=valleys))
    known = PYHF[name, patch, valleys]
    assert_close([found.observed, *found.expected], known, 1e-6)
