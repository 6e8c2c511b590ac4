"""Lanes, and how many programs run side by side."""

import os

import jax.numpy as jnp

from hfjax.compiled.lanes import map_lanes, workers


def test_only_cores_that_the_process_may_use_count(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert workers() == 3


def test_without_word_of_the_system_all_cores_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert workers() == 1


def test_lanes_behind_the_count_are_not_run():
    found = map_lanes(lambda i: jnp.sqrt(1.0 * i), jnp.array([4, 9, -1]), jnp.int32(2))
    assert found[:2].tolist() == [2.0, 3.0]
