"""Results of scans as tables."""

from collections.abc import Sequence
from typing import Any

from hfjax.results.limits_scan import FOUND, LimitPoint, LimitsScanResult, Scanned
from hfjax.results.point_table import Value
from hfjax.results.scan import MEDIAN, ScanPoint
from hfjax.tables.parts import Parts, figure, line, table
from hfjax.tables.results import BAND, STYLES, heading, short


def scan_parts(result: Scanned) -> Parts:
    """The table of a scan: a line for each point, with its labels.

    Args:
        result: of a scan.
    """
    if isinstance(result, LimitsScanResult):
        yield from _limits_scan_parts(result)
        return
    kind = "p0" if result.discovery else "CLs"
    numbers = ["observed", "expected", "mu_hat"]
    numbers += ["Z"] if result.discovery else []
    sides = dict.fromkeys([*result.labels, *numbers], "right")
    yield heading({"band": result.band}, f"{kind} of {len(result)} points")
    yield line("")
    yield table({"name": "left", **sides, "": "left"}, map(_scan_row, result))


def _limits_scan_parts(result: LimitsScanResult) -> Parts:
    """The table of the limits of a scan: observed, and the expected band."""
    numbers = ["observed", *BAND, "mu_hat"]
    sides = dict.fromkeys([*result.labels, *numbers], "right")
    confidence = f"{100.0 * (1.0 - result.level):g}% confidence level"
    what = f"upper limits of {len(result)} points at {confidence}"
    yield heading({"band": result.band}, what)
    yield line("")
    yield table({"name": "left", **sides, "": "left"}, map(_limits_row, result))


def _limits_row(point: LimitPoint) -> tuple[Any, ...]:
    """A point with its limits; one that is excluded, or lacks one, is marked."""
    numbers = [point.limit_obs, *point.limit_exp, point.mu_hat]
    mark = "excluded" if point.excluded() else ""
    note = mark if point.status == FOUND else point.status
    style = STYLES[point.converged]
    return point.name, *_labels(point.values), *map(short, numbers), line(note, style)


def _labels(values: Sequence[Value]) -> list[str]:
    return [v if isinstance(v, str) else figure(v) for v in values]


def _scan_row(point: ScanPoint) -> tuple[Any, ...]:
    """A point with its result; one that is excluded, or has none, is marked."""
    numbers = [point.CLs_obs, point.CLs_exp[MEDIAN], point.mu_hat]
    numbers += [point.Z] if point.discovery else []
    mark = "excluded" if point.excluded() else ""
    style = STYLES[point.converged]
    note = line(mark if point.converged else point.status, style)
    return point.name, *_labels(point.values), *map(short, numbers), note
