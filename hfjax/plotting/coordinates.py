"""What the axes of a picture are, and where its points are along them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from hfjax.errors import DataError
from hfjax.plotting.mathtext import check_text, expression_text, mathtext
from hfjax.plotting.settings import PlotSettings, take_only
from hfjax.plotting.significance import has_significances
from hfjax.results.expression import labels_in, numbers, selected
from hfjax.results.limits_scan import Scanned

_TAKEN = tuple(each.name for each in fields(PlotSettings) if each.name != "most")
_ON_LINE = 1e-9  # width over length of a cloud of points that is a line


@dataclass(frozen=True)
class Coordinates:
    """A scan's points along the axes of a picture.

    Attributes:
        result: The scan, with the points that are selected.
        names: The labels or expressions along the axes, one or two.
        values: The points' values, `[axis, point]`.
        log: Whether each axis is logarithmic.
    """

    result: Scanned
    names: tuple[str, ...]
    values: np.ndarray
    log: tuple[bool, ...]

    @property
    def tested(self) -> np.ndarray:
        """Which points have a result, all of it finite numbers."""
        return np.array([has_significances(point) for point in self.result], bool)

    @property
    def scaled(self) -> np.ndarray:
        """The values as they are on the axes: of a logarithmic one, logarithms."""
        rows = zip(self.values, self.log, strict=True)
        return np.array([np.log(row) if log else row for row, log in rows])

    def affine(self, values: np.ndarray) -> np.ndarray | None:
        """Return a number as a constant and a slope along each axis.

        Returns:
            None where it is no such function of what is along the axes, or more than
            three points in a plane are needed to show it.
        """
        known = np.column_stack([np.ones(len(values)), *self.values])
        found, _, rank, _ = np.linalg.lstsq(known, values)
        rest = np.sum((known @ found - values) ** 2)
        shown = len(values) > known.shape[1] == rank
        close = rest <= _ON_LINE**2 * np.sum((values - values.mean()) ** 2)
        return found if shown and close else None


def locate(result: Scanned, settings: PlotSettings) -> Coordinates:
    """Find the axes of a picture, and the selected points along them.

    Raises:
        DataError: No point is selected, none of the labels varies, an axis is no
            number, or points differ in a label that the axes do not give: no line joins
            points of different slices; or a setting does not apply.
    """
    take_only(settings, _TAKEN, "a scan")
    chosen = selected(result, settings.select)
    names = _names(chosen, settings.axes)
    values = np.array([numbers(name, chosen) for name in names], float)
    log = (settings.log_x, settings.log and len(names) > 1)[: len(names)]
    found = Coordinates(chosen, names, values, log)
    _check_positive(found)
    for name in _other_slices(found):
        raise _mixture(found, name)
    return found


def check_drawable(result: Scanned, settings: PlotSettings = PlotSettings()) -> None:
    """Check that a picture can be made of points, whatever their CLs.

    Before a scan, this tells whether its result can be drawn.

    Args:
        result: the points.
        settings: what is to be drawn.

    Raises:
        DataError: It cannot; the message says why.

    Example:
        >>> from hfjax.results.scan import ScanPoint, ScanResult
        >>> one = ScanResult(("mass",), (ScanPoint("a", (1,), 0.1, (0.1,) * 5),))
        >>> check_drawable(one)
        Traceback (most recent call last):
        ...
        hfjax.errors.DataError: a picture has one axis of labels, or two that \
differ, and not 0: the labels are 'mass'
    """
    found = locate(result, settings)
    check_spread(found, np.array([point.converged for point in found.result], bool))


def check_spread(found: Coordinates, which: np.ndarray) -> None:
    """Check that points can be joined: those with a result, or that will have one.

    Raises:
        DataError: They are too few, share a place, or are all on one line.
    """
    values = found.values[:, which]
    count, place = values.shape[1], _place(found.names)
    if count < len(values) + 1:
        number = f"{count} {'point' if count == 1 else 'points'} with a result"
        message = f"{number} are too few for {place}: scan more points, or draw none"
        raise DataError(message)
    if len(np.unique(values, axis=1).T) < count:
        message = (
            f"several points share one place in {place}: select points that differ "
            "there, or draw other labels"
        )
        raise DataError(message)
    spread = np.array([_unit_spread(row) for row in values])
    widths = np.linalg.svd(spread, compute_uv=False)
    if widths[-1] <= _ON_LINE * widths[0]:
        message = (
            f"all points with a result lie on one line in {place}: draw one of the "
            f"labels alone, or scan more points"
        )
        raise DataError(message)


def axis_text(found: Coordinates, axis: int, settings: PlotSettings) -> str:
    """What is written along an axis, with its unit.

    Raises:
        DataError: It has a formula that cannot be set, or there are more units than
            axes.
    """
    name = found.names[axis]
    given = (settings.xlabel, settings.ylabel)[axis]
    label = name in found.result.labels
    text = given or (mathtext(name) if label else expression_text(name))
    return check_text(text + unit_text(settings, axis))


def unit_text(settings: PlotSettings, axis: int) -> str:
    """The unit of an axis, in brackets.

    >>> unit_text(PlotSettings(units=("GeV",)), 1)
    ' [GeV]'
    >>> unit_text(PlotSettings(units=("GeV", "")), 1)
    ''
    """
    units = settings.units
    if len(units) > 2:
        message = f"{len(units)} units are too many: give one for both axes, or two"
        raise DataError(message)
    unit = (tuple(units) * 2)[axis] if units else ""
    return f" [{unit}]" if unit else ""


def _names(result: Scanned, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The axes that are wanted, or the first two labels that vary."""
    varied = [name for name in result.labels if not _constant(result, name)]
    if wanted is None and not varied and len(result.labels) > 1:
        varied = list(result.labels)  # one point alone: there are too few of them
    names = tuple(varied[:2] if wanted is None else wanted)
    if not 1 <= len(names) <= 2 or len(set(names)) < len(names):
        shown = ", ".join(map(repr, result.labels)) or "there are none"
        message = (
            f"a picture has one axis of labels, or two that differ, and not "
            f"{len(names)}: the labels are {shown}"
        )
        raise DataError(message)
    return names


def _constant(result: Scanned, label: str) -> bool:
    """Whether all points have one value for a label."""
    at = result.labels.index(label)
    return len({point.values[at] for point in result}) <= 1


def _check_positive(found: Coordinates) -> None:
    for name, row, log in zip(found.names, found.values, found.log, strict=True):
        for point, value in zip(found.result, row, strict=True):
            if log and value <= 0:
                message = (
                    f"{name!r} is {value:g} at point {point.name!r}: a logarithmic "
                    "axis needs values above 0; select such points, or draw a linear "
                    "one"
                )
                raise DataError(message)


def _other_slices(found: Coordinates) -> Iterator[str]:
    """Yield the labels in which points differ, and which the axes leave open.

    A mass that is fixed by the two others, such as their mean, differs and is no slice.
    As many axes as labels that vary leave none open if they are made of them all.
    """
    varied = {name for name in found.result.labels if not _constant(found.result, name)}
    made = {name for axis in found.names for name in labels_in(axis, found.result)}
    if varied <= made and len(varied) <= len(found.names):
        return
    for at, name in enumerate(found.result.labels):
        if name in found.names or name not in varied:
            continue
        values = [point.values[at] for point in found.result]
        plain = [value for value in values if not isinstance(value, str)]
        if len(plain) < len(values) or found.affine(np.array(plain, float)) is None:
            yield name


def _mixture(found: Coordinates, other: str) -> DataError:
    """Make the error for points of several slices, which names the slices."""
    labels = found.result.labels
    at = labels.index(other)
    values = list(dict.fromkeys(point.values[at] for point in found.result))
    shown = ", ".join(map(str, values[:6])) + (", ..." if len(values) > 6 else "")
    kind, others = ("contour", "two ") if len(found.names) > 1 else ("line", "")
    message = (
        f"no {kind} joins points of different slices: in {_place(found.names)} the "
        f"points differ in {other!r} ({shown}) as well; select one slice, such as "
        f"`--select '{other} == {values[0]!r}'`, or draw {others}others of the labels "
        f"{', '.join(map(repr, labels))} with `--axes` (in Python, `axes=`)"
    )
    return DataError(message)


def _place(names: tuple[str, ...]) -> str:
    """What the axes span, in a message."""
    shown = " and ".join(map(repr, names))
    return f"the plane of {shown}" if len(names) > 1 else f"a line along {shown}"


def _unit_spread(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / (values.std() or 1.0)
