"""Programs are called, and not kept without end."""

import itertools

import jax
import jax.numpy as jnp
import pytest

from hfjax.compiled.program import MOST_PROGRAMS, Program, forget_programs, run_directly


@pytest.fixture
def doubled():
    """Doubles so many ones, a program for each number, and says if it was compiled."""
    forget_programs()
    traced = []

    @jax.jit
    def double(x):
        traced.append(x.size)
        return 2.0 * x

    def run(n):
        traced.clear()
        found = run_directly(Program(double, (jnp.ones(n),), {}))
        assert jnp.array_equal(found, jnp.full(n, 2.0))
        return traced == [n]

    return run


@pytest.mark.slow
def test_no_more_programs_are_kept_than_a_process_has_room_for(doubled):
    sizes = range(1, 3 * MOST_PROGRAMS)
    assert all(doubled(n) for n in sizes)
    kept = itertools.takewhile(lambda n: not doubled(n), reversed(sizes))
    assert 0 < len(list(kept)) <= MOST_PROGRAMS


def test_few_programs_are_kept(doubled):
    known = [True, True, True, False, False, False]
    assert [doubled(n) for n in [1, 2, 3, 1, 2, 3]] == known
