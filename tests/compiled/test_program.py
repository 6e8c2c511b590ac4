"""Programs are called, and not kept without end."""

import jax
import jax.numpy as jnp
import pytest

from hfjax.compiled.program import MOST_PROGRAMS, Program, forget_programs, run_directly


@pytest.fixture
def doubled():
    forget_programs()
    return jax.jit(lambda x: 2.0 * x)


def test_a_program_is_a_call(doubled):
    assert run_directly(Program(doubled, (jnp.array(3.0),), {})) == 6.0


def test_no_more_programs_are_kept_than_a_process_has_room_for(doubled):
    """Each shape is a program of its own; all have the right values."""
    for n in range(1, 3 * MOST_PROGRAMS):
        assert jnp.sum(Program(doubled, (jnp.ones(n),), {})()) == 2.0 * n
        assert doubled._cache_size() <= MOST_PROGRAMS


def test_few_programs_are_kept(doubled):
    for n in [1, 2, 3, 1, 2, 3]:
        Program(doubled, (jnp.ones(n),), {})()
    assert doubled._cache_size() == 3
