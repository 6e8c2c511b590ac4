"""Toys: the right distributions, the same bits always, and nothing dropped silently."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.building.build import build
from hfjax.documents.reading.schema import validate
from hfjax.errors import (
    ArgumentError,
    DataError,
    MissingPOIError,
    ParameterError,
    SpecificationError,
    UnknownNameError,
)
from hfjax.fitting.status import FitSettings, FitStatus
from hfjax.fitting.valleys.candidates import has_valleys
from hfjax.inference.hypotest import hypotest
from hfjax.inference.toy_draws import draw_toy
from hfjax.inference.toy_fits import Hypothesis, toy_fits
from hfjax.inference.toy_settings import ToySettings, key_words
from hfjax.inference.toys import toys
from hfjax.inference.toys_file import load_toys, merge_toys, save_toys
from tests.assertions import assert_close
from tests.likelihoods import load_likelihood
from tests.model.extended import all_constraints
from tests.reference.toys import counting_p_value
from tests.workspaces import HELLO, MU, lopsided, make, sample, shapesys, workspace

Z = 4.5
"""Errors that a number of toys may be away from what is right."""
NUMBER = 20_000
"""Toys of which means are looked at..."""
ERRORS = 5.0 / NUMBER**0.5
"""...and how near these are, in standard deviations of one."""


@pytest.fixture(scope="module")
def hello():
    return build(shapesys(*HELLO, [51, 48]))


def counting(observed, background=5.0, bounds=(0.0, 10.0)):
    """One bin without uncertainties, in arrays of the shapes of another."""
    samples = [sample("signal", [4.0], MU), sample("bkg", [background])]
    settings = {"name": "mu", "bounds": [list(bounds)]}
    return make(workspace({"SR": samples}, {"SR": [observed]}, settings))


def same(one, other):
    """Whether two results have equal bits."""
    names = ("numbers", "q", "codes", "retried", "q_obs")
    for name in names:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.question == other.question


@pytest.mark.slow
@pytest.mark.parametrize("observed", [0, 3, 7])
def test_p_values_are_those_of_exact_enumeration(observed):
    """T20: q has a lump at zero, which counts as a whole or not at all."""
    result = toys(*counting(observed), 1.0, 20_000, observed)
    found = result.raise_if_failed().observed
    for estimate, rate in ((found.CLsb, 9.0), (found.CLb, 5.0)):
        known = counting_p_value(rate, 4.0, 5.0, observed, 1.0)
        assert abs(float(estimate.value) - known) < Z * max(float(estimate.error), 1e-9)


@pytest.mark.slow
def test_a_lower_bound_below_zero_changes_no_statistic():
    """T3: the zero of qtilde is that of its definition, not a bound."""
    results = [toys(*counting(3, bounds=(low, 10.0)), 1.0, 200, 0) for low in (0, -1)]
    np.testing.assert_allclose(results[0].q, results[1].q, atol=1e-7)
    assert np.min(results[1].mu_hat) < 0.0


@pytest.mark.slow
def test_toys_are_near_the_asymptotic_formulae(hello):
    result, formula = toys(*hello, 1.0, 4000, 1), hypotest(*hello, 1.0)
    assert result.converged
    assert abs(float(result.q_obs - formula.q)) < 1e-8
    found = result.observed
    assert abs(float(found.CLsb.value - formula.CLsb)) < 0.01
    assert abs(float(found.CLb.value - formula.CLb)) < 0.03
    assert abs(float(result.CLs_exp[2] - formula.CLs_exp[2])) < 0.03


@pytest.mark.slow
def test_chunks_shards_and_keys_of_both_kinds_give_the_same_bits(hello):
    whole = toys(*hello, 1.0, 40, jax.random.key(3))
    same(whole, toys(*hello, 1.0, 40, 3))
    parts = [toys(*hello, 1.0, 40, 3, ToySettings(shard=(i, 3))) for i in (3, 1, 2)]
    same(whole, merge_toys(parts))
    few = toys(*hello, 1.0, 7, 3)
    np.testing.assert_array_equal(few.q, whole.q[:, :7])
    assert not np.array_equal(toys(*hello, 1.0, 40, 4).q, whole.q)


def test_fixed_auxiliary_data_make_a_smaller_spread(hello):
    """T29 of other tools: both kinds of ensembles, each said in the result."""
    drawn, fixed = (
        toys(*hello, 1.0, 2000, 5, ToySettings(auxiliary=kind))
        for kind in ("drawn", "fixed")
    )
    assert fixed.settings["auxiliary"] == "fixed"
    assert not np.array_equal(drawn.q, fixed.q)
    lump = [np.mean(result.q_background == 0.0) for result in (drawn, fixed)]
    assert lump[1] != lump[0]


@pytest.mark.slow
def test_auxiliary_data_are_drawn_by_their_constraints():
    """T29: Gaussian, Poisson and log-normal ones, each with its width."""
    model, data = make(all_constraints())
    params, yes = jnp.asarray(model.parameters.init) * 1.1, jnp.array(True)
    fixed = np.asarray(model.parameters.fixed)

    def moves(terms):
        return np.asarray(terms.present) & ~fixed[terms.index]

    keys = jax.random.split(jax.random.key(1), NUMBER)
    draw = jax.jit(jax.vmap(lambda key: draw_toy(model, data, key, params, yes)))
    drawn = draw(keys)
    rates = np.asarray(model.expected_data(params).main)
    away = (np.mean(drawn.main, axis=0) - rates) / np.sqrt(rates)
    assert_close(away, 0.0, 0.0, ERRORS)
    for terms in (model.gaussian, model.lognormal):
        pulls = jax.vmap(terms.pulls, (None, 0))(params, drawn.aux)[:, moves(terms)]
        assert pulls.shape[1]
        assert_close(np.mean(pulls, axis=0), 0.0, 0.0, ERRORS)
        assert_close(np.std(pulls, axis=0), 1.0, 0.0, ERRORS)
    poisson = model.poisson
    counts = np.asarray(drawn.aux)[:, poisson.position][:, moves(poisson)]
    expected = np.asarray(poisson.expected(params))[moves(poisson)]
    assert expected.size
    away = (np.mean(counts, axis=0) - expected) / np.sqrt(expected)
    assert_close(away, 0.0, 0.0, ERRORS)
    assert_close(np.std(counts, axis=0), np.sqrt(expected), 2 * ERRORS)


@pytest.mark.slow
def test_a_toy_has_the_statistic_of_a_test_of_the_same_data():
    """With several valleys: each fit of a toy tries where the others have ended."""
    model, data = make(lopsided())
    assert has_valleys(model)
    result, observed = toys(model, data, 1.0, 20, 4), hypotest(model, data)
    yes = jnp.array(True)
    for kind, fits in enumerate((observed.fixed, observed.background)):
        for number, q in enumerate(result.q[kind]):
            key = jax.random.fold_in(jax.random.key(4), number)
            key = jax.random.fold_in(key, kind)
            toy = draw_toy(model, data, key, fits.params, yes)
            assert_close(q, hypotest(model, toy).q, 0.0, 1e-6)


@pytest.mark.long
def test_toys_whose_free_fit_is_above_an_unphysical_one_have_a_statistic(data_dir):
    """Some of staus: the held fit is lower, and unphysical or on the way to that."""
    background, patchset = load_likelihood("staus", data_dir)
    model, data = build(background, patch=patchset["TStauStau_160_1"])
    observed, yes = hypotest(model, data), jnp.array(True)
    value = jnp.asarray(1.0)
    hypothesis = Hypothesis(value, jnp.array(False))
    starts = jnp.asarray(model.parameters.init)[None]

    @jax.jit
    def fitted(number, kind, truth):
        key = jax.random.fold_in(jax.random.key(1), number)
        toy = draw_toy(model, data, jax.random.fold_in(key, kind), truth, yes)
        return toy, toy_fits(model, toy, hypothesis, starts, FitSettings())

    for kind, number in ((0, 50), (0, 106), (1, 128)):
        truth = (observed.fixed, observed.background)[kind].params
        toy, found = fitted(number, kind, truth)
        assert found.code == FitStatus.CONVERGED
        q = max(0.0, float(found.deviance[0] - found.deviance[2]))
        with warnings.catch_warnings(action="ignore"):  # data without names
            known = hypotest(model, toy)
        assert_close(q, known.q, 0.0, 1e-3)


def test_q0_compares_no_signal_with_a_signal(hello):
    model, _ = hello
    data = model.data({"SR": [60.0, 65.0]})
    result = toys(model, data, 1.0, 2000, 6, ToySettings(test_stat="q0"))
    formula = hypotest(model, data, test_stat="q0")
    assert float(result.poi_value) == 0.0
    assert abs(float(result.CLs_obs - formula.p0)) < Z * float(result.CLs_error)
    assert abs(result.Z - float(formula.Z)) < 0.2
    document = result.dump()
    validate(document, "toys-result-1.0.0.json")
    assert document["p0"] == document["CLsb"]


def test_bins_without_counts_and_without_background_have_toys():
    """T7: nothing expected is nothing drawn."""
    model, data = build(shapesys([3.0, 0.0], [0.0, 52.0], [0.0, 7.0], [0, 48]))
    result = toys(model, data, 1.0, 300, 7)
    assert result.converged
    known = np.exp(-3.0)  # of no event in a bin without background
    assert np.all(np.isfinite(result.q))
    assert abs(float(result.observed.CLsb.value) - known) < 0.1
    assert float(result.observed.CLb.value) == 1.0


def test_a_signal_of_zero_is_told_from_nothing(hello):
    """T6, T20: at mu = 0 the two samples differ by chance only."""
    result = toys(*hello, 0.0, 400, 8)
    assert abs(float(result.CLs_obs) - 1.0) < Z * float(result.CLs_error)


@pytest.mark.long
def test_stragglers_get_more_steps(hello):
    """With so few steps some fits fail at first; none does in the end."""
    few = FitSettings(max_steps=5)
    result, known = (
        toys(*hello, 1.0, 200, 9, ToySettings(fits=f)) for f in (few, FitSettings())
    )
    assert result.converged
    assert np.any(result.retried)
    np.testing.assert_allclose(result.q, known.q, atol=1e-8)


def test_failures_are_counted_by_reason_and_told(hello):
    result = toys(*hello, 1.0, 50, 10)
    codes, q = np.array(result.codes), np.array(result.q)
    codes[0, :3], codes[1, 5] = FitStatus.MAX_STEPS, FitStatus.STALLED
    q[0, :3], q[1, 5] = np.nan, np.nan
    result = dataclasses.replace(result, codes=codes, q=q)
    assert result.failures == {"signal": {"max_steps": 3}, "background": {"stalled": 1}}
    assert not result.converged
    assert "3 of 50 signal toys have no statistic (3 max_steps)" in result.message
    document = result.dump()
    validate(document, "toys-result-1.0.0.json")
    assert document["toys"] == {"signal": 47, "background": 49}
    assert "over the other 47" in repr(result)


@pytest.mark.slow
def test_data_without_a_best_fit_have_no_toys(hello):
    settings = ToySettings(fits=FitSettings(max_steps=1))
    result = toys(*hello, 1.0, 10, 0, settings)
    assert result.status is FitStatus.MAX_STEPS
    assert result.numbers.size == 0
    assert np.isnan(result.CLs_obs)
    validate(result.dump(), "toys-result-1.0.0.json")


def test_toys_are_drawn_until_an_error_is_small(hello):
    settings = ToySettings(until_error=0.016)
    result = toys(*hello, 1.0, 5000, 2, settings)
    assert result.numbers.size % 500 == 0
    assert 500 <= result.numbers.size < 5000
    assert float(result.CLs_error) <= 0.016
    same(result, toys(*hello, 1.0, result.numbers.size, 2))


def test_a_file_of_toys_is_read_back(hello, tmp_path):
    result = toys(*hello, 1.0, 20, 0)
    save_toys(result, tmp_path / "one.npz")
    again = load_toys(tmp_path / "one.npz")
    same(result, again)
    assert again.to_dict() == result.to_dict()
    save_toys(again, tmp_path / "other.npz")
    one, other = ((tmp_path / name).read_bytes() for name in ("one.npz", "other.npz"))
    assert one == other
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.npz", "other.npz"]


def test_toys_that_do_not_belong_together_are_not_merged(hello):
    result = toys(*hello, 1.0, 4, 0)
    for other in (
        toys(*hello, 1.0, 4, 1),
        toys(*hello, 2.0, 4, 0),
        toys(*hello, 1.0, 4, 0, ToySettings(auxiliary="fixed")),
        toys(*build(shapesys(*HELLO, [51, 49])), 1.0, 4, 0),
    ):
        with pytest.raises(DataError, match="do not belong together, as they differ"):
            merge_toys([result, other])
    with pytest.raises(DataError, match="4 toys are there twice, such as number 0"):
        merge_toys([result, result])
    with pytest.raises(DataError, match="no toys to merge"):
        merge_toys([])


KILLED = """
import sys
from pathlib import Path
import jax
jax.config.update("jax_enable_x64", True)
from hfjax import ToySettings, build, toys
from tests.workspaces import HELLO, shapesys
settings = ToySettings(keep=Path(sys.argv[1]))
toys(*build(shapesys(*HELLO, [51, 48])), 1.0, 10**6, 3, settings)
"""


@pytest.mark.slow
def test_toys_that_were_killed_go_on_and_have_the_same_bits(hello, tmp_path):
    """Whatever was kept at the moment of kill -9 is used, the rest is drawn."""
    path = tmp_path / "toys.npz.partial"
    running = subprocess.Popen([sys.executable, "-c", KILLED, str(path)])
    try:
        for _ in range(1200):
            if path.exists() and load_toys(path).numbers.size > 4:
                break
            assert running.poll() is None
            time.sleep(0.1)
    finally:
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    kept = load_toys(path)
    number = int(kept.numbers.max()) + 20
    drawn = []
    settings = ToySettings(keep=path, progress=lambda *told: drawn.append(told))
    result = toys(*hello, 1.0, number, 3, settings)
    assert drawn[0] == (kept.numbers.size, number)
    assert drawn[-1] == (number, number)
    same(result, toys(*hello, 1.0, number, 3))
    with pytest.raises(DataError, match="has toys of another run, remove it"):
        toys(*hello, 1.0, number, 4, settings)
    with pytest.raises(DataError, match="more than are wanted"):
        toys(*hello, 1.0, 3, 3, settings)


def test_toys_show_themselves(hello):
    result = toys(*hello, 1.0, 20, 0)
    assert repr(result).startswith(
        "ToysResult: converged, 20 + 20 toys, tested value 1"
    )
    assert "<table>" in result._repr_html_()


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((1.0, 0, 0), ParameterError, "0 toys: draw 1 to"),
        ((11.0, 5, 0), ParameterError, "mu"),
        ((1.0, 5, "seed"), ArgumentError, "the key of toys is none"),
        ((1.0, 5, -1), ArgumentError, "a seed of -1"),
        ((1.0, 5, jax.random.key(0, impl="rbg")), ArgumentError, "the key of toys"),
    ],
)
def test_what_no_toys_are_drawn_with_is_refused(hello, arguments, error, text):
    with pytest.raises(error, match=text):
        toys(*hello, *arguments)


def test_settings_that_are_none_are_refused():
    with pytest.raises(ParameterError, match="shard 3 of 2"):
        ToySettings(shard=(3, 2))
    with pytest.raises(UnknownNameError, match="auxiliary data"):
        ToySettings(auxiliary="draw")
    with pytest.raises(ParameterError, match="must be above zero"):
        ToySettings(until_error=0.0)
    with pytest.raises(ParameterError, match="of one shard cannot tell"):
        ToySettings(until_error=0.1, shard=(1, 2))
    assert key_words(jax.random.PRNGKey(5)).tolist() == [0, 5]


def test_toys_without_a_parameter_of_interest_are_refused():
    model, data = make(workspace({"SR": [sample("bkg", [5.0])]}, {"SR": [5]}))
    with pytest.raises(MissingPOIError):
        toys(model, data, 1.0, 5, 0)


def test_toys_inside_jit_are_refused(hello):
    with pytest.raises(ArgumentError, match="outside of jit"):
        jax.jit(lambda value: toys(*hello, value, 5, 0).q)(1.0)


@pytest.mark.parametrize("content", [b"", b"PK", b"no toys"])
def test_a_file_without_toys_is_refused(content, tmp_path):
    (tmp_path / "toys.npz").write_bytes(content)
    with pytest.raises(SpecificationError, match="it has no toys"):
        load_toys(tmp_path / "toys.npz")
