"""A scan: one value of the parameter of interest, tested at all points of a batch."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Int

from hfjax.arrays import Array, Scalar, ScalarInt
from hfjax.building.align import SignalPoint
from hfjax.building.points import Lanes, ScanBatch, ScanGroup, lane
from hfjax.compiled.lanes import map_lanes
from hfjax.errors import check_kind
from hfjax.fitting.checks import check_settings
from hfjax.fitting.diagnose.advice import IN_PYTHON, Advice
from hfjax.fitting.status import FitSettings
from hfjax.inference.hypotest import asymptotic_test
from hfjax.inference.subject import point_subject
from hfjax.inference.test_statistics import (
    TestStatistic,
    find_test_statistic,
    qmu_tilde,
)
from hfjax.model.poi import check_single
from hfjax.provenance import Provenance
from hfjax.results.scan import ScanPoint, ScanResult
from hfjax.scanning.execution import (
    Execution,
    LaneProgram,
    Progress,
    ScanInterrupted,
    silent,
)
from hfjax.scanning.failure import Failures
from hfjax.scanning.point import PointNumbers, scan_point


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
    execution = Execution(batch, ScanPoint, progress or silent)
    execution.leave_out(test_stat, tested)
    failures = Failures(tested, test_stat, advice, settings.run)
    static = {"test_stat": test_stat, "settings": settings}
    program = LaneProgram(_test_points, (tested,), static, settings.run)

    def record(
        group: ScanGroup, member: SignalPoint, numbers: PointNumbers
    ) -> ScanPoint:
        why = failures.message(group, member, numbers)
        discovery = test_stat.discovery
        return scan_point(member.name, member.values, numbers, discovery, why)

    told = {
        "test_poi": tested,
        "test_stat": test_stat.spelling,
        "expected": settings.expected,
        "valleys": settings.valleys,
        "max_steps": settings.max_steps,
    }
    try:
        execution.run(program, record)
    except KeyboardInterrupt:
        raise ScanInterrupted(_result(execution, told)) from None
    return _result(execution, told)


def _result(execution: Execution[ScanPoint], told: dict[str, Any]) -> ScanResult:
    origin = Provenance(settings=told, seconds=execution.seconds)
    return ScanResult(execution.batch.labels, execution.points, origin)


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
    subject = point_subject(*lane(lanes, position), settings)
    asimov = jnp.full_like(poi_value, test_stat.asimov_poi)
    result = asymptotic_test(subject, poi_value, asimov, test_stat, settings)
    return PointNumbers(*(getattr(result, name) for name in PointNumbers._fields))
