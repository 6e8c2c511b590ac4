"""Calls side by side."""

import threading

import numpy as np
import pytest

from hfjax.compiled.calls import in_calls, side_by_side


@pytest.mark.parametrize("size", [1, 3, 10, 11])
def test_each_item_is_in_one_call(size):
    items = np.arange(10)
    with side_by_side() as pool:
        parts = list(in_calls(lambda some: some, items, size, pool))
    assert sorted(np.concatenate(parts)) == items.tolist()
    assert max(map(len, parts)) == min(size, 10)


def test_nothing_is_called_for_nothing():
    with side_by_side() as pool:
        assert not list(in_calls(len, [], 3, pool))


def test_an_interruption_waits_for_no_call():
    """What was done is there; calls that have not begun never do."""
    released, begun, ended, seen = threading.Event(), [], [], []

    def call(some):
        begun.append(some)
        if some != [0]:
            released.wait(60.0)
            ended.append(some)
        return some

    def interrupted():
        with side_by_side() as pool:
            for part in in_calls(call, list(range(200)), 1, pool):
                seen.append(part)
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (seen, ended) == ([[0]], [])
    released.set()
    assert len(begun) < 200
