"""Execution of a scan: every point of a batch tested in a few compiled programs."""

import contextlib
import dataclasses
import functools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from hfjax.arrays import Array, Scalar, ScalarInt
from hfjax.building.align import SignalPoint
from hfjax.building.points import Lanes, ScanBatch, ScanGroup, lane
from hfjax.compiled.canonical import cut, rung
from hfjax.compiled.lanes import map_lanes, one_by_one, workers
from hfjax.compiled.program import Program
from hfjax.errors import ParameterError, check_kind
from hfjax.fitting.checks import check_settings
from hfjax.fitting.diagnose.advice import IN_PYTHON, Advice
from hfjax.fitting.status import FitSettings
from hfjax.inference.hypotest import asymptotic_test
from hfjax.inference.test_statistics import (
    TestStatistic,
    find_test_statistic,
    qmu_tilde,
)
from hfjax.model.poi import check_single
from hfjax.provenance import Provenance
from hfjax.results.scan import NOT_RUN, ScanPoint, ScanResult
from hfjax.scanning.bounds import out_of_bounds
from hfjax.scanning.chunk import canonical_lanes, chunk_of
from hfjax.scanning.failure import Failures
from hfjax.scanning.point import PointNumbers, scan_point

CPU_CHUNK = 4
"""Most points that one call of the compiled program tests on a CPU."""
NO_MODEL = "no_model"
"""Status of a point whose patch leaves no model that can be tested."""
OUT_OF_BOUNDS = "out_of_bounds"
"""Status of a point whose parameter of interest cannot have the tested value."""

Progress = Callable[[int, int], None]


class ScanInterrupted(KeyboardInterrupt):
    """A scan that was interrupted, such as by Ctrl-C, with what it had found.

    Attributes:
        result: all points; those not tested by then have the status ``not_run``.

    Example:
        >>> done = ScanPoint("a", (300, 0), 0.04, (0.1, 0.2, 0.3, 0.4, 0.5))
        >>> other = ScanPoint("b", (400, 0), status=NOT_RUN, message="scan it again")
        >>> try:
        ...     raise ScanInterrupted(ScanResult(("m", "m_lsp"), (done, other)))
        ... except ScanInterrupted as interruption:
        ...     print(interruption, [p.name for p in interruption.result.tested])
        1 of 2 points were tested ['a']
    """

    def __init__(self, result: ScanResult) -> None:
        self.result = result
        super().__init__(f"{len(result.tested)} of {len(result)} points were tested")


def scan(
    batch: ScanBatch,
    poi_value: float = 1.0,
    *,
    test_stat: TestStatistic | str = qmu_tilde,
    settings: FitSettings = FitSettings(),
    progress: Progress | None = None,
    advice: Advice = IN_PYTHON,
) -> ScanResult:
    """Test one value of the parameter of interest at all points of a batch.

    Args:
        batch: of `build_scan`.
        poi_value: value to test; q0 always tests zero.
        test_stat: of `hfjax.inference.test_statistics`, or its name, such as "qtilde".
        settings: minimizer, steps and tolerance of all fits.
        progress: called with the number of points done and of all.
        advice: what can be done where the messages of failed points are read.

    Returns:
        One record a point, in the order of the patchset. A point without a model, whose
        bounds do not have the value, or whose fits did not converge, says why and has
        no numbers.

    Raises:
        ParameterError: the value is outside the bounds of every point.
        ArgumentError: the batch, the value or the settings are something else.
        ScanInterrupted: by Ctrl-C; it has the points that were tested.

    Example:
        >>> import hfjax
        >>> top = hfjax.channel("SR", hfjax.sample("top", [9.0]))
        >>> search = hfjax.workspace([top], {"SR": [8]}, poi="mu")
        >>> signals = [
        ...     {"values": {"mass": mass}, "channels": {"SR": [8 / mass]}}
        ...     for mass in (1, 4)
        ... ]
        >>> patchset = hfjax.make_patchset(search, signals)
        >>> result = hfjax.scan(hfjax.build_scan(search, patchset))
        >>> [(point.name, round(point.CLs_obs, 4)) for point in result]
        [('mass_1', 0.0196), ('mass_4', 0.4612)]
    """
    check_kind("the batch", batch, ScanBatch, "hfjax.build_scan makes it")
    check_settings(settings)
    check_single(poi_value)
    test_stat = find_test_statistic(test_stat)
    tested = 0.0 if test_stat.discovery else float(poi_value)
    found = _without_model(batch) | _out_of_bounds(batch, test_stat, tested)
    told = {
        "test_poi": tested,
        "test_stat": test_stat.spelling,
        "valleys": settings.valleys,
        "max_steps": settings.max_steps,
    }
    failures = Failures(tested, test_stat, advice, settings.run)
    running = _Running(batch, found, told, progress or _silent, failures)
    question = {"poi_value": tested, "test_stat": test_stat, "settings": settings}
    compiled = functools.partial(compile_chunk, **question)
    # All that takes long runs in threads, and none of them is waited for: Python hears
    # of Ctrl-C where this thread waits, but not where it is in compiled code.
    pool = ThreadPoolExecutor(workers())
    try:
        for group in batch.groups:
            running.test(group, compiled, pool)
    except KeyboardInterrupt:
        raise ScanInterrupted(running.result()) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return running.result()


def _silent(done: int, total: int) -> None:
    del done, total


def _without_model(batch: ScanBatch) -> dict[str, ScanPoint]:
    return {
        name: ScanPoint(name, values, status=NO_MODEL, message=batch.failures[name])
        for name, values in batch.order
        if name in batch.failures
    }


def _out_of_bounds(
    batch: ScanBatch, test_stat: TestStatistic, poi_value: float
) -> dict[str, ScanPoint]:
    """The points whose bounds do not have the tested value.

    Raises:
        ParameterError: none has it.
    """
    outside = out_of_bounds(batch.groups, test_stat, poi_value)
    members = [member for group in batch.groups for member in group.members]
    if outside and len(outside) == len(members):
        raise ParameterError(next(iter(outside.values())))
    return {
        m.name: ScanPoint(m.name, m.values, status=OUT_OF_BOUNDS, message=why)
        for m in members
        if (why := outside.get(m.name))
    }


@dataclasses.dataclass
class _Running:
    """A scan while it runs.

    Attributes:
        batch: all points.
        found: records of the points that are done, by name.
        settings: what the provenance says of the test.
        progress: called with the number of points done and of all.
        failures: says why points have no result.
        seconds: wall-clock time by stage.
    """

    batch: ScanBatch
    found: dict[str, ScanPoint]
    settings: dict[str, Any]
    progress: Progress
    failures: Failures
    seconds: dict[str, float] = dataclasses.field(
        default_factory=lambda: {"compile": 0.0, "fit": 0.0}
    )

    def test(
        self, group: ScanGroup, compiled: Callable[[ScanGroup], "Run"], pool: Executor
    ) -> None:
        """Test the points of a group that have no record yet."""
        members = enumerate(group.members)
        chosen = [i for i, member in members if member.name not in self.found]
        if not chosen:
            return
        with self._timed("compile"):
            run = pool.submit(compiled, group).result()
        with self._timed("fit"):
            for member, numbers in tested_members(group, chosen, run, pool):
                why = self.failures.message(group, member, numbers)
                discovery = self.settings["test_stat"] == "q0"
                point = scan_point(member.name, member.values, numbers, discovery, why)
                self.found[member.name] = point
                self.progress(len(self.found), len(self.batch))

    @contextlib.contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - begin

    def result(self) -> ScanResult:
        """All points in the order of the patchset; those without a record not run."""
        points = [
            self.found.get(name) or ScanPoint(name, values, **_INTERRUPTED)
            for name, values in self.batch.order
        ]
        origin = Provenance(settings=self.settings, seconds=self.seconds)
        return ScanResult(self.batch.labels, tuple(points), origin)


_INTERRUPTED: dict[str, Any] = {
    "status": NOT_RUN,
    "message": "the scan was interrupted before this point was tested: scan it again",
}


Run = Callable[[Sequence[int]], PointNumbers]


def compile_chunk(
    group: ScanGroup, poi_value: float, test_stat: TestStatistic, settings: FitSettings
) -> Run:
    """Compile the program that tests some points of a group.

    Returns:
        A function of the positions of the points.
    """
    value = jnp.asarray(poi_value, group.template.parameters.init.dtype)
    lanes, total = canonical_lanes(group.lanes), len(group.members)
    size = CPU_CHUNK if one_by_one() else rung(total)
    every = jnp.arange(size, dtype=jnp.int32)
    parameters = group.template.parameters.init.size
    static = {"test_stat": test_stat, "settings": settings}

    def run(positions: Sequence[int]) -> PointNumbers:
        chunk = chunk_of(lanes, positions or [0], size)
        arguments = (chunk, every, jnp.int32(len(positions)), value)
        numbers = settings.run(Program(_test_points, arguments, static))
        return numbers._replace(worst_params=cut(numbers.worst_params, parameters))

    if one_by_one():
        jax.block_until_ready(run([]))
    return run


def chunk_size(group: ScanGroup) -> int:
    """Points that one call tests: few on a CPU, so that cores and progress share."""
    total = len(group.members)
    if one_by_one():
        return min(CPU_CHUNK, math.ceil(total / workers()))
    return total


def tested_members(
    group: ScanGroup, chosen: Sequence[int], run: Run, pool: Executor
) -> Iterator[tuple[SignalPoint, PointNumbers]]:
    """Test points of a group, and yield them as they are done.

    Args:
        group: the points.
        chosen: positions of those to test.
        run: of `compile_chunk`.
        pool: where the program is called.
    """
    size = chunk_size(group)

    def test(start: int) -> tuple[Sequence[int], PointNumbers]:
        some = chosen[start : start + size]
        return some, jax.tree.map(np.asarray, run(some))

    jobs = [pool.submit(test, start) for start in range(0, len(chosen), size)]
    for job in as_completed(jobs):
        some, numbers = job.result()
        for i, position in enumerate(some):
            point = jax.tree.map(lambda leaf, i=i: leaf[i], numbers)
            yield group.members[position], point


@functools.partial(jax.jit, static_argnames=("test_stat", "settings"))
def _test_points(
    lanes: Lanes,
    positions: Int[Array, " chunk"],
    count: ScalarInt,
    poi_value: Scalar,
    test_stat: TestStatistic,
    settings: FitSettings,
) -> PointNumbers:
    """Test the first points of a chunk."""

    def test(position: ScalarInt) -> PointNumbers:
        return _test_point(lanes, position, poi_value, test_stat, settings)

    return map_lanes(test, positions, count)


def _test_point(
    lanes: Lanes,
    position: ScalarInt,
    poi_value: Scalar,
    test_stat: TestStatistic,
    settings: FitSettings,
) -> PointNumbers:
    model, data = lane(lanes, position)
    asimov = jnp.full_like(poi_value, test_stat.asimov_poi)
    result = asymptotic_test(model, data, poi_value, asimov, test_stat, settings)
    return PointNumbers(*(getattr(result, name) for name in PointNumbers._fields))
