"""Products of factors with zeros among them, empty slots, and ROOT's positive rule."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hfjax.model.interpolation import code4_coefficients, safe_log
from hfjax.model.modifiers import (
    HistoSys,
    NormSys,
    Scaling,
    exclusive_product,
    product,
)

WITHOUT_ZEROS = (2.0, -3.0, 0.5, 7.0)
each_number_of_zeros = pytest.mark.parametrize("zeros", [0, 1, 2, 3])


def factors_with(zeros):
    """All ways to put so many zeros into four factors."""
    for places in itertools.combinations(range(4), zeros):
        factors = np.array(WITHOUT_ZEROS)
        factors[list(places)] = 0.0
        yield factors


def product_without(factors, *left_out):
    """The product of all factors but these, by a loop."""
    found = 1.0
    for i, factor in enumerate(factors):
        found *= 1.0 if i in left_out else factor
    return found


def gradient_of_product(factors):
    return [product_without(factors, i) for i in range(4)]


def hessian_of_product(factors):
    return [
        [0.0 if i == j else product_without(factors, i, j) for j in range(4)]
        for i in range(4)
    ]


@each_number_of_zeros
def test_product_and_its_derivatives(zeros):
    value = jax.jit(product)
    gradients = [jax.jit(mode(product)) for mode in (jax.grad, jax.jacfwd)]
    hessian = jax.jit(jax.hessian(product))
    for factors in factors_with(zeros):
        assert float(value(factors)) == pytest.approx(product_without(factors))
        for gradient in gradients:
            known = gradient_of_product(factors)
            np.testing.assert_allclose(gradient(factors), known, rtol=1e-15)
        known = hessian_of_product(factors)
        np.testing.assert_allclose(hessian(factors), known, rtol=1e-14, atol=1e-14)


@each_number_of_zeros
def test_exclusive_product_and_its_derivative(zeros):
    value, jacobian = jax.jit(exclusive_product), jax.jit(jax.jacfwd(exclusive_product))
    backward = jax.jit(jax.jacrev(exclusive_product))
    for factors in factors_with(zeros):
        known = gradient_of_product(factors)
        np.testing.assert_allclose(value(factors), known, rtol=1e-15)
        known = hessian_of_product(factors)
        np.testing.assert_allclose(jacobian(factors), known, rtol=1e-14, atol=1e-14)
        np.testing.assert_allclose(backward(factors), known, rtol=1e-14, atol=1e-14)


def test_products_run_over_the_first_axis_only():
    factors = jnp.array([[0.0, 2.0, 1.0], [3.0, 0.0, 1.0]])
    assert product(factors).tolist() == [0.0, 0.0, 1.0]
    assert exclusive_product(factors).tolist() == [[3.0, 0.0, 1.0], [0.0, 2.0, 1.0]]


@pytest.mark.parametrize("function", [product, exclusive_product])
def test_no_factors_at_all(function):
    empty = jnp.zeros((0, 2))
    found = function(empty)
    assert found.tolist() == ([1.0, 1.0] if function is product else [])


@pytest.mark.slow
def test_tiny_factors_do_not_underflow_in_derivatives():
    """Gammas at their lower bound of 1e-10."""
    factors = jnp.full(4, 1e-10)
    np.testing.assert_allclose(jax.grad(product)(factors), 1e-30, rtol=1e-14)
    off = jax.hessian(product)(factors)[0, 1]
    assert float(off) == pytest.approx(1e-20, rel=1e-14)


def norm_systems(variations, code="code4", positive=False):
    """Normsys in one cell, and an empty slot; parameter i steers modifier i."""
    hi, lo = (np.array([pair[side] for pair in variations]) for side in (1, 0))
    modifier = np.arange(len(variations), dtype=np.int32)
    slot = np.arange(len(variations) + 1, dtype=np.int32).reshape(-1, 1, 1)
    return NormSys(
        index=modifier,
        modifier=modifier,
        slot=slot,
        cell=np.zeros_like(modifier),
        table=slot[:-1],
        coefficients=code4_coefficients(hi, lo),
        log_hi=safe_log(hi),
        log_lo=safe_log(lo),
        code=code,
        positive=positive,
    )


DEEP = (0.0, 20.0)
"""A variation whose polynomial is negative at -0.7."""


def test_factors_multiply_and_empty_slots_change_nothing():
    one, two = norm_systems([(0.8, 1.3)]), norm_systems([(0.9, 1.1)])
    both = norm_systems([(0.8, 1.3), (0.9, 1.1)])
    for alpha, beta in [(0.4, -0.7), (1.6, -0.3), (-2.0, 3.0), (1.0, -1.0)]:
        known = one.factor(jnp.array([alpha])) * two.factor(jnp.array([beta]))
        found = both.factor(jnp.array([alpha, beta]))
        np.testing.assert_allclose(found, known, rtol=1e-15)


def test_factor_of_no_normsys_is_one():
    assert norm_systems([]).factor(jnp.zeros(0)).tolist() == [[1.0]]


def test_negative_products_stand_as_in_pyhf():
    alpha = jnp.array([-0.7])
    assert float(norm_systems([DEEP]).factor(alpha)[0, 0]) < -0.01


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_positive_products_by_the_rule_of_root(dtype):
    """At or below zero: the smallest positive number, of either precision."""
    alpha = jnp.array([-0.7], dtype)
    modifier = norm_systems([DEEP], positive=True)
    modifier = jax.tree.map(
        lambda x: x.astype(dtype) if x.dtype == np.float64 else x, modifier
    )
    (found,) = modifier.factor(alpha)[0]
    assert float(found) == np.finfo(dtype).tiny
    gradient = jax.grad(lambda x: modifier.factor(x)[0, 0])(alpha)
    assert gradient.tolist() == [0.0]


def test_positive_rule_leaves_positive_products_alone():
    for alpha in (-0.2, 0.0, 0.5, 1.0, 3.0):
        params = jnp.array([alpha])
        held = norm_systems([DEEP], positive=True).factor(params)
        assert held == norm_systems([DEEP]).factor(params)


def test_exponents_are_added_where_factors_would_overflow():
    """1e400 1e-375 is a number, though the first factor is none."""
    modifier = norm_systems([(1.0, 1e200), (1e-250, 1.0), (1.0, 1.0)])
    found = modifier.factor(jnp.array([2.0, -1.5, 0.0]))
    assert float(found[0, 0]) == pytest.approx(1e25, rel=1e-10)


def test_shifts_add_up():
    odd = np.array([1.0, 2.0]).reshape(2, 1, 1)
    even = np.array([0.5, 0.25]).reshape(2, 1, 1)
    found = HistoSys(np.array([1, 0], np.int32), odd, even, "code0")
    delta = found.delta(jnp.array([-1.0, 2.0]))
    assert delta.tolist() == [[2.0 * 1.0 + 2.0 * 0.5 - 1.0 * 2.0 + 1.0 * 0.25]]


def test_gradients_copy_no_variations():
    """With the model as an argument: a copy takes longer than ten evaluations."""
    cells = (40, 6, 50)
    histosys = HistoSys(np.arange(40), jnp.ones(cells), jnp.ones(cells), "code4p")
    gradient = jax.grad(lambda params, own: jnp.sum(own.delta(params) ** 2))
    lowered = jax.jit(gradient).lower(jnp.ones(40), histosys)
    memory = lowered.compile().memory_analysis()
    assert memory.temp_size_in_bytes < 0.25 * histosys.odd.nbytes


def test_scaling_by_parameters_and_empty_slots():
    index = np.array([[[0, 2]], [[1, 2]]], np.int32)
    params = jnp.array([3.0, 5.0])
    assert Scaling(index).factor(params).tolist() == [[15.0, 1.0]]
