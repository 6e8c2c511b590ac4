"""Test statistics: definitions, exact values, the sign of mu_hat."""

import itertools
import json

import jax
import jax.numpy as jnp
import pytest

from hfjax.errors import UnknownNameError
from hfjax.inference.test_statistics import (
    TEST_STATISTICS,
    find_test_statistic,
    q0,
    qmu,
    qmu_tilde,
    tmu,
    tmu_tilde,
)
from tests.reference.shapesys import ShapesysModel

HELLO = ShapesysModel([12, 11], [50, 52], [3, 7])


def value(statistic, minima):
    return float(statistic(*map(jnp.asarray, minima)))


@pytest.mark.parametrize("case", ["hello", "2-bin_1-channel", "1bin_example1"])
@pytest.mark.parametrize("statistic", [qmu, qmu_tilde])
def test_exact_values(case, statistic, reference_dir):
    oracle = json.loads((reference_dir / "oracle.json").read_text())[case]
    exact = oracle[f"{statistic.spelling}, mu=1"]
    model = ShapesysModel(oracle["signal"], oracle["background"], oracle["uncertainty"])
    n, aux = oracle["observed"], model.tau
    assert value(statistic, model.minima(1.0, n, aux)) == pytest.approx(
        exact["q"], rel=1e-9
    )
    minima = model.minima(1.0, *model.asimov(0.0, n))
    assert value(statistic, minima) == pytest.approx(exact["q_asimov"], rel=1e-9)


def test_exact_q0(reference_dir):
    oracle = json.loads((reference_dir / "oracle.json").read_text())["q0: hello"]
    minima = HELLO.minima(0.0, oracle["observed"], HELLO.tau)
    assert value(q0, minima) == pytest.approx(oracle["q0"]["q"], rel=1e-9)


@pytest.mark.parametrize("lower", [-5.0, -1.0, 0.0])
@pytest.mark.parametrize("statistic", [qmu_tilde, tmu_tilde])
def test_t3_tilde_statistics_do_not_depend_on_the_lower_bound_of_the_poi(
    statistic, lower
):
    n = [40, 39]  # below the background: mu_hat is negative where it may be
    bounded = HELLO.minima(1.0, n, HELLO.tau, lower=0.0)
    minima = HELLO.minima(1.0, n, HELLO.tau, lower=lower)
    assert minima[1] <= 0.0
    # Two different sums of logarithms around 30: a few ulp of 30 in the difference.
    assert value(statistic, minima) == pytest.approx(
        value(statistic, bounded), rel=1e-11
    )


def test_t3_the_untilded_statistic_does_depend_on_it():
    n = [40, 39]
    bounded = value(qmu, HELLO.minima(1.0, n, HELLO.tau, lower=0.0))
    free = value(qmu, HELLO.minima(1.0, n, HELLO.tau, lower=-1.0))
    assert free > bounded + 0.1


def test_one_sided_statistics_are_zero_on_the_far_side():
    n = [90, 95]  # mu_hat near 3
    minima = HELLO.minima(1.0, n, HELLO.tau)
    assert minima[1] > 1.0
    assert value(qmu, minima) == value(qmu_tilde, minima) == 0.0
    assert value(tmu, minima) == value(tmu_tilde, minima) > 0.0
    below = HELLO.minima(0.0, [40, 39], HELLO.tau, lower=-1.0)
    assert value(q0, below) == 0.0


def test_rounding_below_zero_is_cut_off():
    for statistic in TEST_STATISTICS.values():
        assert value(statistic, (0.0, 0.0, 25.0 - 1e-13, 25.0, 25.0 - 1e-13)) == 0.0


def test_a_failed_fit_gives_nan_not_a_number():
    nan = float("nan")
    for statistic in (qmu, qmu_tilde, tmu, tmu_tilde):
        assert jnp.isnan(value(statistic, (1.0, 0.5, nan, 25.0, 25.5)))
        assert jnp.isnan(value(statistic, (1.0, 0.5, 26.0, nan, 25.5)))


def test_statistics_are_static_arguments_of_compiled_functions():
    compiled = jax.jit(lambda statistic, *a: statistic(*a), static_argnums=0)
    minima = HELLO.minima(1.0, [51, 48], HELLO.tau)
    for statistic in TEST_STATISTICS.values():
        found = float(compiled(statistic, *minima))
        assert found == pytest.approx(float(value(statistic, minima)), rel=1e-11)


def test_gradients_are_finite_on_both_sides_of_each_branch():
    for statistic, mu_hat in itertools.product(TEST_STATISTICS.values(), (-1.0, 0, 2)):
        slopes = jax.grad(statistic, argnums=(0, 1, 2, 3, 4))(
            1.0, float(mu_hat), 28.0, 25.0, 26.0
        )
        assert all(jnp.isfinite(slope) for slope in slopes)


def test_names_on_the_command_line():
    assert set(TEST_STATISTICS) == {"q0", "q", "qtilde", "t", "ttilde"}
    assert find_test_statistic("qtilde") is qmu_tilde
    with pytest.raises(UnknownNameError, match="did you mean 'qtilde'"):
        find_test_statistic("qtild")
