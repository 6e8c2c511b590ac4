"""The plane of two axes: where a scan has points, and significances between them.

Between points, significances are interpolated smoothly, by radial basis functions and
a plane: linear ones stay as they are. Points are compared after both axes have been
turned and stretched to unit spread, so that the contour in the plane of two masses is
that in the plane of one of them and their difference. There is no extrapolation: what
is drawn ends at the outline of the points, which is not convex where none are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.tri import Triangulation, UniformTriRefiner

from hfjax.plotting.coordinates import Coordinates, check_spread
from hfjax.plotting.significance import significances
from hfjax.results.scan import MEDIAN

_LONGEST = 2.5  # an edge of the outline, in long ones of all triangles
_LONG = 0.75  # how many edges are shorter than a long one
_REACH = 6.0  # sigma from the contours beyond which significances are all the same
_PLACES = 30_000  # about as many places are interpolated at, however many points


@dataclass(frozen=True)
class Plane:
    """Significances at many places between the points of a scan.

    Attributes:
        triangulation: Small triangles that fill the outline of the points.
        observed: Observed significance at each place: of exclusion, or for q0 of
            discovery.
        expected: The expected ones, `[5, place]`, in the order of CLs_exp.
        at_points: The observed and median significances of the points themselves.
    """

    triangulation: Triangulation
    observed: np.ndarray
    expected: np.ndarray
    at_points: tuple[np.ndarray, np.ndarray]

    @property
    def median(self) -> np.ndarray:
        """The median expected significance at each place."""
        return self.expected[MEDIAN]


def significance_plane(found: Coordinates, levels: Sequence[float]) -> Plane:
    """Interpolate the significances between points with a result.

    Args:
        found: The points along two axes.
        levels: The significances of the contours that are wanted.

    Raises:
        DataError: The points cannot be triangulated; the message says why.
    """
    from scipy.interpolate import RBFInterpolator  # only here, as it loads long

    check_spread(found, found.tested)
    scaled = found.scaled[:, found.tested].T
    middle, turn = _even_spread(scaled)
    points = (scaled - middle) @ turn
    fine = _refined(_outlined(Triangulation(*points.T)))
    places = np.column_stack([fine.x, fine.y])
    values = significances(found.result)
    near = np.clip(values, min(levels) - _REACH, max(levels) + _REACH)
    smooth = RBFInterpolator(points, near.T, kernel="linear", degree=1)(places).T
    back = places @ np.linalg.inv(turn) + middle
    x, y = (np.exp(v) if log else v for v, log in zip(back.T, found.log, strict=True))
    drawn = Triangulation(x, y, fine.triangles)
    return Plane(drawn, smooth[0], smooth[1:], (values[0], values[1 + MEDIAN]))


def _even_spread(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The middle of points, and the matrix that gives them unit spread all around."""
    middle = points.mean(0)
    unit = 1 / points.std(0)
    _, widths, turn = np.linalg.svd((points - middle) * unit, full_matrices=False)
    scale = np.sqrt(len(points)) / widths
    return middle, unit[:, None] * turn.T * scale


def _refined(triangulation: Triangulation) -> Triangulation:
    """Divide triangles into smaller ones, so that contours are round."""
    count = len(triangulation.triangles)
    times = min(max(round(np.log(_PLACES / count) / np.log(4)), 1), 5)
    return UniformTriRefiner(triangulation).refine_triangulation(subdiv=times)


def _outlined(triangulation: Triangulation) -> Triangulation:
    """Leave out triangles along the edge that join points which are far apart.

    Triangles whose outer edge is long go one by one, the longest first, as long as each
    point stays in one, and the rest in one piece.
    """
    corners = triangulation.triangles
    places = np.column_stack([triangulation.x, triangulation.y])
    sides = places[corners] - places[np.roll(corners, -1, axis=1)]
    lengths = np.hypot(sides[..., 0], sides[..., 1])
    neighbors, masked = triangulation.neighbors.copy(), np.zeros(len(corners), bool)
    longest = _LONGEST * np.quantile(lengths, _LONG)
    while (gone := _outer_triangle(corners, neighbors, lengths, longest)) is not None:
        masked[gone] = True
        for other in neighbors[gone][neighbors[gone] >= 0]:
            neighbors[other][neighbors[other] == gone] = -1
        neighbors[gone], lengths[gone] = -2, 0.0
    # A mask would do, but refined triangles beside one have corners of their own.
    return Triangulation(triangulation.x, triangulation.y, corners[~masked])


def _outer_triangle(
    corners: np.ndarray, neighbors: np.ndarray, lengths: np.ndarray, longest: float
) -> int | None:
    """The triangle with the longest outer edge whose third corner is inside."""
    outer = neighbors == -1
    edge = np.unique(np.append(corners[outer], np.roll(corners, -1, axis=1)[outer]))
    inside = ~np.isin(np.roll(corners, -2, axis=1), edge)
    candidates = np.where(outer & inside, lengths, 0.0)
    best = np.unravel_index(candidates.argmax(), candidates.shape)
    return int(best[0]) if candidates[best] > longest else None
