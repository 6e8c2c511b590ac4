"""Execution of a scan: every point of a batch tested in a few compiled programs."""

import functools
import math
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from hfjax.arrays import Array, Scalar, ScalarInt
from hfjax.fit.program import Program
from hfjax.fit.status import FitSettings
from hfjax.infer.hypotest import asymptotic_test, check_poi_values
from hfjax.infer.test_statistics import TestStatistic, qmu_tilde
from hfjax.model.model import Data, Model
from hfjax.scan.align import Member
from hfjax.scan.plan import ScanBatch, ScanGroup
from hfjax.scan.point import PointNumbers, scan_point
from hfjax.scan.records import Provenance, ScanPoint, ScanResult

CPU_CHUNK = 4
"""Most points that one call of the compiled program tests on a CPU."""
NO_MODEL = "no_model"
"""Status of a point whose patch leaves no model that can be tested."""

Lanes = tuple[tuple[Model, Data], tuple[Model, Data]]
"""Leaves that all points share, and stacked leaves; see `ScanGroup`."""
Progress = Callable[[int, int], None]


def scan(
    batch: ScanBatch,
    poi: float = 1.0,
    *,
    test_stat: TestStatistic = qmu_tilde,
    settings: FitSettings = FitSettings(),
    progress: Progress | None = None,
) -> ScanResult:
    """Test one value of the parameter of interest at all points of a batch.

    Args:
        batch: of `build_scan`.
        poi: value to test.
        test_stat: of `hfjax.infer.test_statistics`.
        settings: minimizer, steps and tolerance of all fits.
        progress: called with the number of points done and of all.

    Returns:
        One record a point, in the order of the patchset. A point without a model, or
        whose fits did not converge, says why and has no numbers.
    """
    begin = time.perf_counter()
    report = progress or _silent
    found = {
        name: ScanPoint(name, values, status=NO_MODEL, message=batch.failures[name])
        for name, values in batch.order
        if name in batch.failures
    }
    tested = 0.0 if test_stat.discovery else poi
    seconds = {"compile": 0.0, "fit": 0.0}
    for group in batch.groups:
        check_poi_values(group.template, test_stat, tested)
        run = compile_chunk(group, tested, test_stat, settings)
        seconds["compile"] += time.perf_counter() - begin
        for member, numbers in tested_members(group, run):
            found[member.name] = scan_point(member.name, member.values, numbers)
            report(len(found), len(batch))
        seconds["fit"] += time.perf_counter() - begin - sum(seconds.values())
    points = tuple(found[name] for name, _ in batch.order)
    return ScanResult(batch.labels, points, Provenance(seconds=seconds))


def _silent(done: int, total: int) -> None:
    del done, total


Run = Callable[[Int[Array, " chunk"], int], PointNumbers]


def compile_chunk(
    group: ScanGroup, poi: float, test_stat: TestStatistic, settings: FitSettings
) -> Run:
    """Compile the program that tests some points of a group.

    Returns:
        A function of the positions of the points and their number.
    """
    on_cpu = jax.default_backend() == "cpu"
    test = _one_by_one if on_cpu else _all_at_once
    value = jnp.asarray(poi, group.template.parameters.init.dtype)
    size = chunk_size(group)
    lanes = (group.shared, group.stacked)
    static = {"test_stat": test_stat, "settings": settings}

    def run(positions: Int[Array, " chunk"], count: int) -> PointNumbers:
        arguments = (lanes, positions, jnp.int32(count), value)
        return settings.run(Program(test, arguments, static))

    if on_cpu:
        jax.block_until_ready(run(jnp.zeros(size, jnp.int32), 0))
    return run


def chunk_size(group: ScanGroup) -> int:
    """Points that one call tests: few on a CPU, so that cores and progress share."""
    total = len(group.members)
    if jax.default_backend() == "cpu":
        return min(CPU_CHUNK, math.ceil(total / _workers()))
    return total


def tested_members(group: ScanGroup, run: Run) -> Iterator[tuple[Member, PointNumbers]]:
    """Test all points of a group on all cores, and yield them as they are done."""
    size, total = chunk_size(group), len(group.members)

    def test(start: int) -> tuple[int, PointNumbers]:
        count = min(size, total - start)
        positions = (start + np.arange(size)) % total
        numbers = run(jnp.asarray(positions, jnp.int32), count)
        return start, jax.tree.map(np.asarray, numbers)

    with ThreadPoolExecutor(_workers()) as pool:
        jobs = [pool.submit(test, start) for start in range(0, total, size)]
        for job in as_completed(jobs):
            start, numbers = job.result()
            for i in range(min(size, total - start)):
                point = jax.tree.map(lambda leaf, i=i: leaf[i], numbers)
                yield group.members[start + i], point


def _workers() -> int:
    return (os.cpu_count() or 1) if jax.default_backend() == "cpu" else 1


@functools.partial(jax.jit, static_argnames=("test_stat", "settings"))
def _one_by_one(
    lanes: Lanes,
    positions: Int[Array, " chunk"],
    count: ScalarInt,
    poi: Scalar,
    test_stat: TestStatistic,
    settings: FitSettings,
) -> PointNumbers:
    """Test points one after the other: on CPUs a batch waits for its slowest lane."""

    def test(i: ScalarInt, done: PointNumbers) -> PointNumbers:
        one = _test_point(lanes, positions[i], poi, test_stat, settings)
        return jax.tree.map(lambda all_, value: all_.at[i].set(value), done, one)

    kinds = jax.eval_shape(
        lambda: _test_point(lanes, positions[0], poi, test_stat, settings)
    )
    blank = jax.tree.map(
        lambda kind: jnp.zeros((positions.size, *kind.shape), kind.dtype), kinds
    )
    return jax.lax.fori_loop(0, count, test, blank)


@functools.partial(jax.jit, static_argnames=("test_stat", "settings"))
def _all_at_once(
    lanes: Lanes,
    positions: Int[Array, " chunk"],
    count: ScalarInt,
    poi: Scalar,
    test_stat: TestStatistic,
    settings: FitSettings,
) -> PointNumbers:
    """Test points in one batch, for accelerators."""
    del count
    return jax.vmap(lambda i: _test_point(lanes, i, poi, test_stat, settings))(
        positions
    )


def _test_point(
    lanes: Lanes,
    position: ScalarInt,
    poi: Scalar,
    test_stat: TestStatistic,
    settings: FitSettings,
) -> PointNumbers:
    shared, stacked = lanes
    own = jax.tree.map(lambda leaf: leaf[position], stacked)
    model, data = eqx.combine(shared, own)
    result = asymptotic_test(model, data, poi, test_stat, "normal", settings)
    return PointNumbers(*(getattr(result, name) for name in PointNumbers._fields))
