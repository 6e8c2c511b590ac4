"""The points of a scan in the plane of two of its labels, and significances there.

What is interpolated between the points is a significance, such as

    z = Phi^-1(1 - CLs),

which is close to linear in the signal's strength, and not CLs itself, which falls by
orders of magnitude from one point to the next and would push the contour to the
wrong place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from matplotlib.tri import TriAnalyzer, Triangulation

from hfjax.errors import DataError, unknown_name
from hfjax.results.scan import MEDIAN, ScanPoint, ScanResult

_SMALLEST_CLS = 1e-300  # 37 standard deviations: keeps z finite where CLs underflows
_COLLINEAR = 1e-9  # width over length of a cloud of points that is a line


@dataclass(frozen=True)
class Plane:
    """The scan's points with a result, in the plane of two labels.

    Attributes:
        triangulation: Delaunay triangles of the points.
        observed: Observed significance at each point: of exclusion, or for q0 of
            discovery.
        expected: The expected ones, `[5, point]`, in the order of CLs_exp.
    """

    triangulation: Triangulation
    observed: np.ndarray
    expected: np.ndarray

    @property
    def median(self) -> np.ndarray:
        """The median expected significance at each point."""
        return self.expected[MEDIAN]


def significance(CLs: float) -> float:
    """The one-sided significance Phi^-1(1 - CLs), in standard deviations.

    Example:
        >>> round(significance(0.05), 4)
        1.6449
    """
    clipped = min(max(CLs, _SMALLEST_CLS), 1 - 1e-16)
    return -NormalDist().inv_cdf(clipped)


def plane_labels(
    result: ScanResult, labels: Sequence[str] | None = None
) -> tuple[str, str]:
    """The two labels that span the plane.

    Args:
        result: The scan.
        labels: The two labels wanted; by default the first two whose values differ
            between points.

    Raises:
        DataError: The scan has fewer than two labels, or its points differ in a further
            label that the two do not give: no contour joins points of different
            slices.
        UnknownNameError: A wanted label is not among the scan's.
    """
    if len(result.labels) < 2:
        message = (
            f"a picture needs two labels, and this scan has {len(result.labels)} "
            f"({', '.join(result.labels) or 'none'}): leave the plot out"
        )
        raise DataError(message)
    across, up = labels or sorted(result.labels, key=lambda x: _constant(result, x))[:2]
    for name in (across, up):
        if name not in result.labels:
            error = unknown_name("label", name, result.labels, "the scan")
            raise error
    for name in _other_slices(result, (across, up)):
        raise _mixture(result, (across, up), name)
    return across, up


def check_plane(result: ScanResult, labels: Sequence[str] | None = None) -> None:
    """Check that the points span a plane, whatever their CLs.

    Before a scan, this tells whether its result can be drawn.

    Raises:
        DataError: They do not; the message says why.
    """
    across, up = plane_labels(result, labels)
    points = [point for point in result if point.converged]
    _check_spread(*coordinates(result, points, (across, up)), (across, up))


def significance_plane(result: ScanResult, labels: tuple[str, str]) -> Plane:
    """Triangulate the points with a result, and give them their significances.

    Raises:
        DataError: The points cannot be triangulated; the message says why.
    """
    points = [point for point in result if point.converged]
    x, y = coordinates(result, points, labels)
    triangulation = _triangulate(x, y, labels)
    observed = [_observed(point) for point in points]
    expected = [_expected(point) for point in points]
    return Plane(triangulation, np.array(observed), np.array(expected, float).T)


def _observed(point: ScanPoint) -> float:
    given = point.Z if point.discovery else _of_CLs(point.CLs_obs)
    return float("nan") if given is None else given


def _expected(point: ScanPoint) -> list[float | None]:
    if point.discovery:
        return list(point.Z_exp)
    return [_of_CLs(value) for value in point.CLs_exp]


def _of_CLs(CLs: float | None) -> float | None:
    return None if CLs is None else significance(CLs)


def coordinates(
    result: ScanResult, points: Sequence[ScanPoint], labels: tuple[str, str]
) -> tuple[np.ndarray, np.ndarray]:
    """The points' values of two labels.

    Raises:
        DataError: A value is a string.
    """
    across, up = (result.labels.index(label) for label in labels)
    for point in points:
        for at in (across, up):
            if isinstance(point.values[at], str):
                message = (
                    f"point {point.name!r} has {point.values[at]!r} for "
                    f"{result.labels[at]!r}: only numbers can be drawn in a plane"
                )
                raise DataError(message)
    values = [(point.values[across], point.values[up]) for point in points]
    pairs = np.array(values, dtype=float).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _constant(result: ScanResult, label: str) -> bool:
    """Whether all points have one value for a label."""
    at = result.labels.index(label)
    return len({point.values[at] for point in result}) <= 1


def _other_slices(result: ScanResult, labels: tuple[str, str]) -> Iterator[str]:
    """Yield the labels in which points differ, and which the two of a plane leave open.

    A mass that is fixed by the two others, such as their mean, differs and is no slice.
    """
    for name in result.labels:
        settled = name in labels or _constant(result, name)
        if not settled and not _follows(result, labels, name):
            yield name


def _follows(result: ScanResult, labels: tuple[str, str], other: str) -> bool:
    """Whether a label is a linear function of two, as more than three points show."""
    at = [result.labels.index(name) for name in (*labels, other)]
    rows = [[point.values[i] for i in at] for point in result]
    if any(isinstance(value, str) for row in rows for value in row):
        return False
    values = np.array(rows, float)
    known = np.column_stack([np.ones(len(rows)), values[:, :2]])
    _, rest, rank, _ = np.linalg.lstsq(known, values[:, 2])
    spread = np.sum((values[:, 2] - values[:, 2].mean()) ** 2)
    shown = len(rows) > 3 and rank == 3
    return bool(shown and rest[0] <= _COLLINEAR**2 * spread)


def _mixture(result: ScanResult, labels: tuple[str, str], other: str) -> DataError:
    """Make the error for points of several slices, which names the slices."""
    at = result.labels.index(other)
    values = list(dict.fromkeys(point.values[at] for point in result))
    shown = ", ".join(map(str, values[:6])) + (", ..." if len(values) > 6 else "")
    message = (
        f"no contour joins points of different slices: in the plane of {labels[0]!r} "
        f"and {labels[1]!r} the points differ in {other!r} ({shown}) as well; scan one "
        f"slice, such as `--select '{other} == {values[0]!r}'`, or draw two others of "
        f"the labels {', '.join(map(repr, result.labels))} (in Python, `labels=`)"
    )
    return DataError(message)


def _triangulate(
    x: np.ndarray, y: np.ndarray, labels: tuple[str, str]
) -> Triangulation:
    """Delaunay triangles, made where both labels have unit spread."""
    _check_spread(x, y, labels)
    scaled = Triangulation(*(_unit_spread(value) for value in (x, y)))
    triangulation = Triangulation(x, y, scaled.triangles)
    # Slivers along the edge of the plane join points that are far apart.
    triangulation.set_mask(TriAnalyzer(scaled).get_flat_tri_mask(0.01))
    return triangulation


def _unit_spread(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / (values.std() or 1.0)


def _check_spread(x: np.ndarray, y: np.ndarray, labels: tuple[str, str]) -> None:
    plane = f"the plane of {labels[0]!r} and {labels[1]!r}"
    way_out = "scan more points, or leave the plot out"
    if len(x) < 3:
        message = f"{len(x)} points with a result are too few for {plane}: {way_out}"
        raise DataError(message)
    distinct = {pair: at for at, pair in enumerate(zip(x, y, strict=True))}
    if len(distinct) < len(x):
        message = (
            f"several points share one place in {plane}: select points that differ "
            "there, or draw other labels"
        )
        raise DataError(message)
    spread = np.column_stack([_unit_spread(x), _unit_spread(y)])
    widths = np.linalg.svd(spread, compute_uv=False)
    if widths[1] <= _COLLINEAR * widths[0]:
        message = f"all points with a result lie on one line in {plane}: {way_out}"
        raise DataError(message)
