"""Bytes that are alive at once, counted by hand."""

import jax
import jax.numpy as jnp
import pytest

from hfjax.building.build import build
from hfjax.compiled.memory import most_bytes
from hfjax.inference.hypotest import hypotest
from tests.workspaces import HELLO, shapesys

X = jax.ShapeDtypeStruct((10,), jnp.float64)


def counted(function, *arguments):
    return most_bytes(jax.make_jaxpr(function)(*(arguments or (X,))).jaxpr)


def test_arguments_and_constants_are_not_counted():
    constant = jnp.ones((100, 10))
    assert counted(lambda x: (constant @ x)[0]) == 800 + 8
    assert counted(lambda x: x) == 0


def test_what_is_read_again_stays_and_other_things_go():
    assert counted(lambda x: jnp.sin(jnp.sin(jnp.sin(x)))) == 160
    assert counted(lambda x: (lambda a: jnp.sin(jnp.sin(a)) + a)(jnp.sin(x))) == 240


def test_what_nobody_reads_goes_at_once():
    def function(x):
        jnp.sin(x)
        jnp.cos(x)
        return jnp.tan(x)

    assert counted(function) == 80


@pytest.mark.parametrize(
    "kind", [jnp.float32, jnp.int8, jnp.bool_], ids=lambda kind: kind.__name__
)
def test_other_kinds_have_their_sizes(kind):
    assert counted(lambda x: x.T, jax.ShapeDtypeStruct((3, 5), kind)) == (
        15 * jnp.dtype(kind).itemsize
    )


def test_the_larger_branch_counts_inside_its_equation():
    def function(x):
        return jax.lax.cond(x[0] > 0.0, lambda: jnp.sum(jnp.outer(x, x)), lambda: x[1])

    small, large = counted(function), counted(lambda x: jnp.outer(x, x))
    assert large <= small <= large + 200


def test_the_body_of_a_loop_counts_inside_its_equation():
    def function(x):
        return jax.lax.fori_loop(0, 5, lambda _, y: jnp.outer(y, y) @ y, x)

    assert 800 + 80 < counted(function) < 800 + 300


@pytest.mark.slow
def test_a_test_takes_about_as_much_as_is_expected():
    """XLA fuses some of it: it takes less, but not much less."""
    model, data = build(shapesys(*HELLO, [51.0, 48.0]))

    def lane(value):
        return hypotest(model, data, value)

    def taken(lanes):
        values = jnp.ones(lanes)
        found = jax.jit(jax.vmap(lane)).lower(values).compile().memory_analysis()
        return found.temp_size_in_bytes + found.output_size_in_bytes

    each = (taken(24) - taken(8)) / 16
    expected = counted(lane, jax.ShapeDtypeStruct((), jnp.float64))
    assert 0.5 * expected < each < expected
