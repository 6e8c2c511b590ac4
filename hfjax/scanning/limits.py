"""Upper limits at all points of a batch."""

import functools
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Int

from hfjax.arrays import Array, Band, Scalar, ScalarInt
from hfjax.building.align import SignalPoint
from hfjax.building.points import Lanes, ScanBatch, ScanGroup, lane
from hfjax.compiled.lanes import map_lanes
from hfjax.errors import check_kind, check_level
from hfjax.fitting.checks import check_settings
from hfjax.fitting.status import FitSettings
from hfjax.inference.limit_result import LimitResult, LimitStatus
from hfjax.inference.limits import LEVEL_REMEDY, find_limits, limit_statistic
from hfjax.inference.subject import point_subject
from hfjax.inference.test_statistics import TestStatistic, qmu_tilde
from hfjax.provenance import Provenance
from hfjax.results.limits_scan import LimitPoint, LimitsScanResult
from hfjax.scanning.execution import (
    Execution,
    LaneProgram,
    Progress,
    ScanInterrupted,
    silent,
)


class LimitNumbers(NamedTuple):
    """What is kept of the limits of a point; see `LimitResult`."""

    observed: Scalar
    expected: Band
    codes: Int[Array, " curve"]
    mu_hat: Scalar
    tests: ScalarInt
    steps: ScalarInt


def scan_limits(
    batch: ScanBatch,
    *,
    level: float = 0.05,
    test_stat: TestStatistic | str = qmu_tilde,
    settings: FitSettings = FitSettings(),
    progress: Progress | None = None,
) -> LimitsScanResult:
    """Find the upper limits on the parameter of interest at all points of a batch.

    ``CLs(mu) = level`` at the six limits of each point, as `upper_limit` finds them for
    one. Where the parameter is the strength of the signal, a point is excluded where
    its limit is below 1.

    Args:
        batch: of `build_scan`.
        level: of CLs, between 0 and 1.
        test_stat: for upper limits, "qtilde" or "q".
        settings: minimizer, steps and tolerance of all fits.
        progress: called with the number of points done and of all.

    Returns:
        One record a point, in the order of the patchset, with a status for each limit.
        A point without a model, or whose parameter cannot be zero, says why and has no
        limits.

    Raises:
        ParameterError: the parameter of no point can be zero.
        ArgumentError: the batch, the level or the settings are something else, or the
            test statistic is none for upper limits.
        ScanInterrupted: by Ctrl-C; it has the points that are done.

    Source:
        A. L. Read, J. Phys. G 28 (2002) 2693; Cowan, Cranmer, Gross, Vitells,
        arXiv:1007.1727.

    Example:
        >>> import hfjax
        >>> top = hfjax.channel("SR", hfjax.sample("top", [9.0]))
        >>> search = hfjax.workspace([top], {"SR": [8]}, poi="mu")
        >>> signals = [
        ...     {"values": {"mass": mass}, "channels": {"SR": [8 / mass]}}
        ...     for mass in (1, 4)
        ... ]
        >>> patchset = hfjax.make_patchset(search, signals)
        >>> result = hfjax.scan_limits(hfjax.build_scan(search, patchset))
        >>> [(point.name, round(point.limit_obs, 4)) for point in result]
        [('mass_1', 0.8005), ('mass_4', 3.202)]
    """
    check_kind("the batch", batch, ScanBatch, "hfjax.build_scan makes it")
    check_settings(settings)
    statistic = limit_statistic(test_stat)
    check_level(level, LEVEL_REMEDY)
    execution = Execution(batch, LimitPoint, progress or silent)
    execution.leave_out(statistic, statistic.asimov_poi)
    static = {"level": level, "test_stat": statistic, "settings": settings}
    program = LaneProgram(_limits_of_points, (), static, settings.run)
    told = {
        "level": level,
        "test_stat": statistic.spelling,
        "expected": settings.expected,
        "valleys": settings.valleys,
        "max_steps": settings.max_steps,
    }
    try:
        execution.run(program, _record)
    except KeyboardInterrupt:
        raise ScanInterrupted(_result(execution, told)) from None
    return _result(execution, told)


def _result(execution: Execution[LimitPoint], told: dict[str, Any]) -> LimitsScanResult:
    origin = Provenance(settings=told, seconds=execution.seconds)
    labels, points = execution.batch.labels, execution.points
    return LimitsScanResult(labels, points, origin, told["level"])


def _record(group: ScanGroup, member: SignalPoint, numbers: LimitNumbers) -> LimitPoint:
    """The record of a point; a limit that is not found is None."""
    del group
    statuses = [LimitStatus(int(code)) for code in numbers.codes]
    lacking = [s.sentence for s in statuses if s is not LimitStatus.FOUND]
    return LimitPoint(
        member.name,
        tuple(member.values),
        limit_obs=float(numbers.observed),
        limit_exp=tuple(np.asarray(numbers.expected).tolist()),
        status=str(max(statuses)),
        statuses=tuple(map(str, statuses)),
        message="; ".join(dict.fromkeys(lacking)),
        mu_hat=float(numbers.mu_hat),
        tests=int(numbers.tests),
        steps=int(numbers.steps),
    )


@functools.partial(jax.jit, static_argnames=("level", "test_stat", "settings"))
def _limits_of_points(
    lanes: Lanes,
    positions: Int[Array, " chunk"],
    count: ScalarInt,
    level: float,
    test_stat: TestStatistic,
    settings: FitSettings,
) -> LimitNumbers:
    """Find the limits of the first points of a chunk."""

    def limits(position: ScalarInt) -> LimitNumbers:
        subject = point_subject(*lane(lanes, position), settings)
        found: LimitResult = find_limits(subject, level, test_stat, settings)
        return LimitNumbers(*(getattr(found, name) for name in LimitNumbers._fields))

    return map_lanes(limits, positions, count)
