"""What the grid of a scan shows: CLs, significances of a discovery, or limits."""

from collections.abc import Callable, Iterator, Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

from hfjax.errors import DataError
from hfjax.plotting.canvas import EXPECTED, OBSERVED
from hfjax.plotting.discovery import COLORS
from hfjax.plotting.significance import significance
from hfjax.results.limits_scan import LimitPoint, LimitsScanResult, Scanned
from hfjax.results.scan import LEVEL, MEDIAN, ScanPoint
from hfjax.results.written import Number

SIGMAS = ("-2 sigma", "-1 sigma", "median", "+1 sigma", "+2 sigma")
"""Of an expected band."""
EVIDENCE = 3.0
"""Significance from which a point is marked."""
_NORMAL = NormalDist()
_LINES: dict[str, dict[str, Any]] = {
    "Observed": {"line_color": OBSERVED, "line_width": 2.5},
    "Expected": {"line_color": EXPECTED, "line_width": 2, "line_dash": "dashed"},
    "Expected, 1 sigma": {"line_color": EXPECTED, "line_dash": "dotted"},
}
_SOLID, _DASHED = {"line_width": 2.5}, {"line_width": 1.6, "line_dash": "dashed"}


class Contour(NamedTuple):
    """A contour in the plane, or what is drawn against one label.

    Attributes:
        name: in the legend.
        row: of the significances that it is of: the observed one, or 1 + position in
            the expected band.
        height: where it is in the plane, as `hfjax.plotting.significance` has it.
        style: how Bokeh draws it.
    """

    name: str
    row: int
    height: float
    style: dict[str, Any]


class GridKind(NamedTuple):
    """What is shown of points.

    Attributes:
        axis: name of what is observed.
        log: whether that has a logarithmic axis.
        names: of points that are marked, and of the others.
        is_marked: whether a point is.
        numbers: what is observed, and the expected band.
        rows: of the table of a point: names and values.
        contours: in the plane.
        lines: values of what is observed at which there are lines, against one label.
    """

    axis: str
    log: bool
    names: tuple[str, str]
    is_marked: Callable[[Any], bool]
    numbers: Callable[[Any], tuple[Number, ...]]
    rows: Callable[[Any], Iterator[tuple[str, Any]]]
    contours: Sequence[Contour]
    lines: tuple[float, ...]

    @property
    def curves(self) -> list[Contour]:
        """What is drawn against one label: the expected values."""
        return [each for each in _around(0.0) if each.row]


def grid_kind(result: Scanned, level: float) -> GridKind:
    """What is shown of the points of a scan.

    Args:
        result: the scan.
        level: CLs below which a point is excluded.

    Raises:
        DataError: the level is none of q0, or not that of the limits.
    """
    if isinstance(result, LimitsScanResult):
        return _limits(result, level)
    return _discovery(level) if result.discovery else _exclusion(level)


def _exclusion(level: float) -> GridKind:
    def rows(point: ScanPoint) -> Iterator[tuple[str, Any]]:
        if point.converged:
            yield f"excluded (CLs < {level:g})", _yes(point.excluded(level))
        yield from _band("CLs", (point.CLs_obs, *point.CLs_exp))
        yield from _others(point, ("CLsb", "CLb", "q", "q_asimov", "mu_hat"))

    return GridKind(
        axis="CLs",
        log=False,
        names=("Excluded", "Not excluded"),
        is_marked=lambda point: point.excluded(level),
        numbers=lambda point: (point.CLs_obs, *point.CLs_exp),
        rows=rows,
        contours=_around(significance(level)),
        lines=(level,),
    )


def _discovery(level: float) -> GridKind:
    """Significances of p0.

    Raises:
        DataError: a level of exclusion is given.
    """
    if level != LEVEL:
        message = "a level belongs to an exclusion: q0 has none"
        raise DataError(message)

    def rows(point: ScanPoint) -> Iterator[tuple[str, Any]]:
        yield from _band("Z", (point.Z, *point.Z_exp))
        yield from _band("p0", (point.p0, *point.p0_exp))
        yield from _others(point, ("q", "q_asimov", "mu_hat"))

    return GridKind(
        axis="p0",
        log=True,
        names=(f"Z above {EVIDENCE:g}", f"Z up to {EVIDENCE:g}"),
        is_marked=lambda point: (point.Z or 0.0) > EVIDENCE,
        numbers=lambda point: (point.p0, *point.p0_exp),
        rows=rows,
        contours=[
            Contour(f"{name} Z = {z}", row, float(z), style | {"line_color": color})
            for name, row, style in (
                ("Observed", 0, _SOLID),
                ("Expected", 1 + MEDIAN, _DASHED),
            )
            for z, color in COLORS.items()
        ],
        lines=tuple(_NORMAL.cdf(-z) for z in COLORS),
    )


def _limits(result: LimitsScanResult, level: float) -> GridKind:
    """Upper limits.

    Raises:
        DataError: they are those of another level.
    """
    if level not in (LEVEL, result.level):
        message = (
            f"the limits are those of a level of {result.level:g}: find them anew for "
            f"{level:g}"
        )
        raise DataError(message)

    def rows(point: LimitPoint) -> Iterator[tuple[str, Any]]:
        if point.limit_obs is not None:
            yield "excluded (limit < 1)", _yes(point.excluded())
        yield from _band("limit", (point.limit_obs, *point.limit_exp))
        yield "mu_hat", point.mu_hat

    poi = result.provenance.settings.get("poi") or "mu"
    return GridKind(
        axis=f"Upper limit on {poi}",
        log=True,
        names=("Excluded", "Not excluded"),
        is_marked=lambda point: point.excluded(),
        numbers=lambda point: (point.limit_obs, *point.limit_exp),
        rows=rows,
        contours=_around(0.0),
        lines=(1.0,),
    )


def _around(height: float) -> list[Contour]:
    """Observed, expected, and what is expected at one standard deviation."""
    rows = {"Observed": (0,), "Expected": (3,), "Expected, 1 sigma": (2, 4)}
    return [
        Contour(name, row, height, _LINES[name])
        for name, those in rows.items()
        for row in those
    ]


def _band(name: str, values: Sequence[Number]) -> Iterator[tuple[str, Number]]:
    """What is observed and expected, each in a row."""
    yield f"{name} observed", values[0]
    for sigma, value in zip(SIGMAS, values[1:], strict=True):
        yield f"{name} expected, {sigma}", value


def _others(point: ScanPoint, names: Sequence[str]) -> Iterator[tuple[str, Number]]:
    for name in names:
        yield name, getattr(point, name)


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"
