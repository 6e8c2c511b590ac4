"""Execution of a scan: a compiled function of every point of a batch.

What takes long is called side by side, points in few calls, so that progress is seen
and an interrupted scan has what was done.
"""

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, Generic, NamedTuple, TypeVar

import jax
import numpy as np

from hfjax.building.align import SignalPoint
from hfjax.building.points import ScanBatch, ScanGroup
from hfjax.compiled.calls import in_calls, side_by_side
from hfjax.compiled.canonical import rung
from hfjax.compiled.lanes import lanes_per_call, one_by_one, workers
from hfjax.compiled.program import Program
from hfjax.errors import ParameterError
from hfjax.inference.test_statistics import TestStatistic
from hfjax.results.limits_scan import Scanned
from hfjax.results.point_table import NOT_RUN
from hfjax.scanning.bounds import out_of_bounds
from hfjax.scanning.chunk import canonical_lanes, chunk_of

CPU_CHUNK, DEVICE_CHUNK = 4, 256
"""Most points that one call takes on a CPU, and for each device of an accelerator."""
NO_MODEL = "no_model"
"""Status of a point whose patch leaves no model that can be tested."""
OUT_OF_BOUNDS = "out_of_bounds"
"""Status of a point whose parameter of interest cannot have the tested value."""

Progress = Callable[[int, int], None]
Record = TypeVar("Record")
Run = Callable[[Sequence[int]], Any]
"""Calls the compiled program for points of a group, by their positions."""

_INTERRUPTED: dict[str, Any] = {
    "status": NOT_RUN,
    "message": "the scan was interrupted before this point was tested: scan it again",
}


class ScanInterrupted(KeyboardInterrupt):
    """A scan that was interrupted, such as by Ctrl-C, with what it had found.

    Attributes:
        result: all points; those not tested by then have the status ``not_run``.

    Example:
        >>> from hfjax.results.scan import ScanPoint, ScanResult
        >>> done = ScanPoint("a", (300, 0), 0.04, (0.1, 0.2, 0.3, 0.4, 0.5))
        >>> other = ScanPoint("b", (400, 0), status=NOT_RUN, message="scan it again")
        >>> try:
        ...     raise ScanInterrupted(ScanResult(("m", "m_lsp"), (done, other)))
        ... except ScanInterrupted as interruption:
        ...     print(interruption, [p.name for p in interruption.result.tested])
        1 of 2 points were tested ['a']
    """

    def __init__(self, result: Scanned) -> None:
        self.result = result
        super().__init__(f"{len(result.tested)} of {len(result)} points were tested")


class LaneProgram(NamedTuple):
    """What is computed at each point.

    Attributes:
        function: made by `jax.jit`, of lanes, positions, how many count, and `values`.
        values: numbers that are the same for all points.
        static: what the compiled code depends on.
        run: calls a compiled program, as in `FitSettings`.
    """

    function: Callable[..., Any]
    values: tuple[float, ...]
    static: Mapping[str, Hashable]
    run: Callable[[Program], Any]


@dataclasses.dataclass
class Execution(Generic[Record]):
    """A scan while it runs.

    Attributes:
        batch: all points.
        kind: makes the record of a point without a result.
        progress: called with the number of points done and of all.
        found: records of the points that are done, by name.
        seconds: wall-clock time by stage.
    """

    batch: ScanBatch
    kind: Callable[..., Record]
    progress: Callable[[int, int], None]
    found: dict[str, Record] = dataclasses.field(default_factory=dict)
    seconds: dict[str, float] = dataclasses.field(
        default_factory=lambda: {"compile": 0.0, "fit": 0.0}
    )

    def leave_out(self, test_stat: TestStatistic, poi_value: float) -> None:
        """Record what is wrong with points that cannot be tested.

        Args:
            test_stat: the test statistic, which compares with another value.
            poi_value: the tested value.

        Raises:
            ParameterError: the bounds of no point have the value.
        """
        for name, values in self.batch.order:
            if why := self.batch.failures.get(name):
                self.found[name] = self._without(name, values, NO_MODEL, why)
        outside = out_of_bounds(self.batch.groups, test_stat, poi_value)
        members = [m for group in self.batch.groups for m in group.members]
        if outside and len(outside) == len(members):
            raise ParameterError(next(iter(outside.values())))
        for m in members:
            if why := outside.get(m.name):
                self.found[m.name] = self._without(m.name, m.values, OUT_OF_BOUNDS, why)

    def _without(
        self, name: str, values: tuple[Any, ...], status: str, message: str
    ) -> Record:
        return self.kind(name, values, status=status, message=message)

    def run(
        self,
        program: LaneProgram,
        record: Callable[[ScanGroup, SignalPoint, Any], Record],
    ) -> None:
        """Compute and record all points that have no record yet.

        Args:
            program: what is computed.
            record: makes the record of a point of a group of what was computed.

        Raises:
            KeyboardInterrupt: by Ctrl-C; what was found by then is kept.
        """
        with side_by_side() as pool:
            for group in self.batch.groups:
                self._run_group(group, program, record, pool)

    def _run_group(
        self,
        group: ScanGroup,
        program: LaneProgram,
        record: Callable[[ScanGroup, SignalPoint, Any], Record],
        pool: Executor,
    ) -> None:
        members = enumerate(group.members)
        chosen = [i for i, member in members if member.name not in self.found]
        if not chosen:
            return
        with self._timed("compile"):
            run = pool.submit(compile_chunk, group, program).result()
        with self._timed("fit"):
            for member, numbers in computed_members(group, chosen, run, pool):
                self.found[member.name] = record(group, member, numbers)
                self.progress(len(self.found), len(self.batch))

    @contextlib.contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - begin

    @property
    def points(self) -> tuple[Record, ...]:
        """All points in the order of the patchset; those without a record not run."""
        return tuple(
            self.found.get(name) or self._without(name, values, **_INTERRUPTED)
            for name, values in self.batch.order
        )


def silent(done: int, total: int) -> None:
    """Show no progress."""
    del done, total


def compile_chunk(group: ScanGroup, program: LaneProgram) -> Run:
    """Compile the program that takes some points of a group.

    Args:
        group: the points.
        program: what is computed.

    Returns:
        A function of the positions of the points.
    """
    kind = group.template.parameters.init.dtype
    values = tuple(np.asarray(value, kind) for value in program.values)
    lanes = canonical_lanes(group.lanes)
    size = CPU_CHUNK if one_by_one() else rung(chunk_size(group))
    every = np.arange(size, dtype=np.int32)

    def run(positions: Sequence[int]) -> Any:
        chunk = chunk_of(lanes, positions or [0], size)
        arguments = (chunk, every, np.int32(len(positions)), *values)
        return program.run(Program(program.function, arguments, program.static))

    jax.block_until_ready(run([]))
    return run


def chunk_size(group: ScanGroup) -> int:
    """Points that one call takes: few, so that cores and progress share.

    Args:
        group: the points.
    """
    share = math.ceil(len(group.members) / workers())
    return min(lanes_per_call(CPU_CHUNK, DEVICE_CHUNK), share)


def computed_members(
    group: ScanGroup, chosen: Sequence[int], run: Run, pool: Executor
) -> Iterator[tuple[SignalPoint, Any]]:
    """Compute points of a group, and yield them as they are done.

    Args:
        group: the points.
        chosen: positions of those to compute.
        run: of `compile_chunk`.
        pool: where the program is called.
    """

    def compute(some: Sequence[int]) -> tuple[Sequence[int], Any]:
        return some, jax.tree.map(np.asarray, run(some))

    for some, numbers in in_calls(compute, chosen, chunk_size(group), pool):
        for i, position in enumerate(some):
            point = jax.tree.map(lambda leaf, i=i: leaf[i], numbers)
            yield group.members[position], point
