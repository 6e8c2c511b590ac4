"""Asymptotic p-values: exact results, decimal arithmetic, limits and gradients."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.errors import UnknownNameError
from hfjax.inference import asymptotics
from hfjax.inference.asymptotics import asymptotic_tails
from hfjax.inference.test_statistics import TEST_STATISTICS, q0, qmu, qmu_tilde
from tests.reference import asymptotics as reference
from tests.reference.shapesys import ShapesysModel

BASES = ("normal", "clipped_normal")


compiled = jax.jit(asymptotic_tails, static_argnums=2)


def tails(q, q_asimov, statistic, base="normal"):
    statistic = dataclasses.replace(statistic, base=base)
    return compiled(jnp.asarray(q), jnp.asarray(q_asimov), statistic)


def oracle_results(reference_dir):
    oracle = json.loads((reference_dir / "oracle.json").read_text())
    for case in oracle.values():
        for key, result in case.items():
            spelling = key.split(",")[0]
            if spelling in TEST_STATISTICS:
                yield TEST_STATISTICS[spelling], result


def test_exact_results(reference_dir):
    results = list(oracle_results(reference_dir))
    assert len(results) == 10
    for statistic, exact in results:
        got = tails(exact["q"], exact["q_asimov"], statistic)
        clipped = tails(exact["q"], exact["q_asimov"], statistic, "clipped_normal")
        for name in ("CLs_obs", "CLsb", "CLb", "CLs_exp"):
            np.testing.assert_allclose(getattr(got, name), exact[name], rtol=1e-11)
        np.testing.assert_allclose(
            clipped.CLs_exp, exact["CLs_exp_clipped"], rtol=1e-11
        )
        assert clipped.CLs_obs == got.CLs_obs


@pytest.mark.parametrize("spelling", sorted(TEST_STATISTICS))
@pytest.mark.parametrize("q_asimov", [1e-6, 0.3, 4.0, 90.0, 2000.0])
@pytest.mark.parametrize("q", [0.0, 1e-8, 0.7, 4.0, 100.0, 1400.0, 2000.0, 2e4])
def test_observed_tails_against_decimal_arithmetic(q, q_asimov, spelling):
    got = tails(q, q_asimov, TEST_STATISTICS[spelling])
    exact = reference.tails(q, q_asimov, spelling)
    # Rounding only: some 1e-12 of the probability while it is a float64 at all
    # (logarithm above -745), with room for other processors' exponentials; where it is
    # not, the logarithm still is right. Two-sided ratios are differences of two.
    two_sided = TEST_STATISTICS[spelling].two_sided
    for name, log in (
        ("CLs", got.log_CLs_obs),
        ("CLsb", got.log_CLsb),
        ("CLb", got.log_CLb),
    ):
        rounding = 3e-11 if name == "CLs" and two_sided else 3e-12
        assert float(log) == pytest.approx(
            float(exact[name].ln()), rel=1e-12, abs=rounding
        )


@pytest.mark.parametrize("spelling", ["q", "qtilde", "q0"])
@pytest.mark.parametrize("q_asimov", [1e-6, 0.3, 4.0, 90.0, 2000.0])
@pytest.mark.parametrize("base", BASES)
def test_t21_bands_of_both_bases_against_decimal_arithmetic(base, q_asimov, spelling):
    got = tails(1.0, q_asimov, TEST_STATISTICS[spelling], base)
    exact = reference.band(q_asimov, spelling, clipped=base == "clipped_normal")
    logs = [float(value.ln()) for value in exact]
    np.testing.assert_allclose(got.log_CLs_exp, logs, rtol=1e-12, atol=1e-12)


def test_t21_the_base_changes_the_expected_band_only():
    normal, clipped = (tails(0.5, 1.0, qmu_tilde, base) for base in BASES)
    for name in ("CLs_obs", "CLsb"):
        one, other = (float(getattr(got, name)) for got in (normal, clipped))
        assert one == pytest.approx(other, rel=1e-11)
    np.testing.assert_allclose(normal.CLs_exp[:4], clipped.CLs_exp[:4], rtol=1e-12)
    # -2 sigma is beyond the tested signal, 1 sigma away: cut off there
    assert clipped.CLs_exp[4] == clipped.CLs_exp[3] < normal.CLs_exp[4]


def test_t21_an_unknown_base_is_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'clipped_normal'"):
        tails(1.0, 1.0, qmu, "cliped_normal")


@pytest.mark.parametrize("spelling", ["q", "qtilde", "t", "ttilde"])
@pytest.mark.parametrize("q", [0.0, 1e-13, 1e-3])
@pytest.mark.parametrize("base", BASES)
def test_t6_no_signal_to_test_gives_cls_of_one(base, q, spelling):
    got = tails(q, 0.0, TEST_STATISTICS[spelling], base)
    assert got.CLs_obs == 1.0
    np.testing.assert_array_equal(got.CLs_exp, np.ones(5))


@pytest.mark.parametrize("q_asimov", [1e-300, 1e-30, 1e-14])
def test_t6_a_vanishing_signal_approaches_it(q_asimov):
    got = tails(1e-14, q_asimov, qmu_tilde)
    assert float(got.CLs_obs) == pytest.approx(1.0, abs=2e-7)
    np.testing.assert_allclose(got.CLs_exp, np.ones(5), atol=1e-6)


@pytest.mark.parametrize("spelling", sorted(TEST_STATISTICS))
@pytest.mark.parametrize("q", [2000.0, 1e5, 1e8])
def test_t7_cls_is_finite_where_both_tails_underflow(q, spelling):
    got = tails(q, 0.01 * q, TEST_STATISTICS[spelling])
    for array in jax.tree.leaves(got):
        assert jnp.isfinite(array).all()
    assert got.CLsb == 0.0
    assert got.CLs_obs >= 0.0


def test_t7_the_ratio_keeps_its_digits_where_both_tails_underflow():
    # CLsb and CLb below 1e-400, CLs is a normal number
    got = tails(2500.0, 0.04, qmu)
    exact = reference.tails(2500.0, 0.04, "q")
    assert got.CLsb == got.CLb == 0.0
    assert float(got.CLs_obs) == pytest.approx(float(exact["CLs"]), rel=1e-11)


def test_t5_expected_limits_depend_on_the_observed_data():
    """The Asimov data are made at the fit to the data: documented, and so."""
    model = ShapesysModel([10.0, 0.0], [50.0, 100.0], [10.0, 30.0])
    medians = []
    for n in ([50.0, 100.0], [70.0, 100.0]):
        main, aux = model.asimov(0.0, n)
        q_asimov = qmu_tilde(*map(jnp.asarray, model.minima(1.0, main, aux)))
        medians.append(float(tails(0.0, q_asimov, qmu_tilde).CLs_exp[2]))
    assert medians[1] > medians[0] + 0.01
    assert "observed* data" in asymptotics.__doc__


def test_the_p_value_of_q0_takes_the_place_of_cls():
    got = tails(4.0, 9.0, q0)
    assert got.CLs_obs == got.CLsb
    assert float(got.CLs_obs) == pytest.approx(0.022750131948179195, rel=1e-12)
    assert float(got.CLb) == pytest.approx(0.8413447460685429, rel=1e-12)
    np.testing.assert_array_equal(got.CLs_exp, got.CLsb_exp)


@pytest.mark.parametrize("spelling", sorted(TEST_STATISTICS))
@pytest.mark.parametrize("q", [0.0, 0.5, 2.0, 3.0, 2000.0])
@pytest.mark.parametrize("q_asimov", [0.0, 2.0, 2000.0])
def test_gradients_are_finite(q_asimov, q, spelling):
    statistic = TEST_STATISTICS[spelling]

    def total(q, q_asimov, base):
        leaves = jax.tree.leaves(tails(q, q_asimov, statistic, base))
        return sum(jnp.sum(leaf) for leaf in leaves)

    for base in BASES:
        slopes = jax.grad(total, argnums=(0, 1))(q, q_asimov, base)
        assert all(jnp.isfinite(slope) for slope in slopes)


@pytest.mark.parametrize("spelling", sorted(TEST_STATISTICS))
@pytest.mark.parametrize(("q", "q_asimov"), [(0.5, 2.0), (5.0, 2.0), (30.0, 40.0)])
def test_gradients_are_slopes(q, q_asimov, spelling):
    statistic = TEST_STATISTICS[spelling]

    def log_cls(q, q_asimov):
        return tails(q, q_asimov, statistic).log_CLs_obs

    slopes = jax.grad(log_cls, argnums=(0, 1))(q, q_asimov)
    step = 1e-5
    numeric = (
        (log_cls(q + step, q_asimov) - log_cls(q - step, q_asimov)) / (2 * step),
        (log_cls(q, q_asimov + step) - log_cls(q, q_asimov - step)) / (2 * step),
    )
    # central differences: 1e-10 of truncation, 1e-16/1e-5 of rounding
    np.testing.assert_allclose(slopes, numeric, rtol=1e-7, atol=1e-9)


def test_a_failed_fit_gives_nan_everywhere():
    for base in BASES:
        got = tails(np.nan, np.nan, qmu_tilde, base)
        assert all(jnp.isnan(leaf).all() for leaf in jax.tree.leaves(got))


def test_points_in_a_batch_agree_with_points_alone():
    q, q_asimov = jnp.asarray([0.0, 1.0, 9.0]), jnp.asarray([0.0, 4.0, 2.0])
    batch = jax.vmap(lambda q, a: tails(q, a, qmu_tilde))(q, q_asimov)
    for i in range(3):
        alone = tails(q[i], q_asimov[i], qmu_tilde)
        np.testing.assert_allclose(batch.CLs_exp[i], alone.CLs_exp, rtol=1e-11)
        np.testing.assert_allclose(batch.CLs_obs[i], alone.CLs_obs, rtol=1e-11)
