"""Combine two workspaces into one: their channels, observations and measurements."""

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from hfjax.documents.workspace.channel import Channel
from hfjax.documents.workspace.measurement import Measurement
from hfjax.documents.workspace.workspace import Workspace, format_version
from hfjax.errors import EditError, SpecificationError, unknown_name

Resolve = Callable[[str, Any, Any], Any]
"""Makes one record of two of a kind and name, of which the first is preferred."""


class Join(StrEnum):
    """What becomes of a name that both workspaces have.

    Attributes:
        NONE: It is refused.
        OUTER: It is refused unless it means the same in both.
        LEFT: What the first workspace has wins.
        RIGHT: What the second workspace has wins, and goes first.
    """

    NONE = "none"
    OUTER = "outer"
    LEFT = "left outer"
    RIGHT = "right outer"


def combine(
    left: Workspace,
    right: Workspace,
    join: str = "none",
    merge_channels: bool = False,
) -> Workspace:
    """Return one workspace with the channels, observations and measurements of two.

    Modifiers of one name in both share their parameters from then on: a luminosity and
    every other uncertainty of the same name are fully correlated. Rename what has
    nothing to do with its namesake before: `shared_parameters` lists the names. The
    result states the extended version of the format if its measurements use it.

    Args:
        left: the first workspace.
        right: the second workspace.
        join: what to do with channels, observations and measurements that both have:
            "none" refuses them; "outer" takes those that are the same in both, and
            joins the parameters of measurements with the same parameter of interest;
            "left outer" and "right outer" prefer one workspace, with a warning.
        merge_channels: bring the samples of channels that both have together; the
            preferred workspace (for "outer" the first) wins where both have a sample.

    Warns:
        UserWarning: Something was left out in favour of its namesake that differs.

    Raises:
        EditError: There is no such join, it refuses a name, or what comes out is no
            workspace.

    >>> from hfjax.documents.workspace.workspace import Observation, Sample
    >>> def region(name, measurement):
    ...     channel = Channel(name, (Sample("top", (4,)),))
    ...     return Workspace((channel,), (measurement,), (Observation(name, (4,)),))
    >>> search = Measurement("search", "mu")
    >>> both = combine(region("SR", search), region("CR", search), "outer")
    >>> both.channel_names, both.measurement_names
    (('SR', 'CR'), ('search',))
    >>> combine(region("SR", search), region("CR", search))
    Traceback (most recent call last):
    ...
    hfjax.errors.EditError: both workspaces have a measurement 'search': rename one or \
use another join
    """
    join = _checked(join, merge_channels)
    first, second = (right, left) if join is Join.RIGHT else (left, right)
    resolve = _RESOLVE[join]
    channel = _merged if merge_channels else resolve
    measurement = _united if join is Join.OUTER else resolve
    try:
        channels = _joined("channel", first.channels, second.channels, channel)
        measurements = _joined(
            "measurement", first.measurements, second.measurements, measurement
        )
        return Workspace(
            channels,
            measurements,
            _joined("observation", first.observations, second.observations, resolve),
            format_version(measurements),
        )
    except SpecificationError as error:
        message = f"the two workspaces do not fit together: {error}"
        raise EditError(message) from error


def shared_parameters(left: Workspace, right: Workspace) -> tuple[str, ...]:
    """Return the names of parameters that two workspaces share once combined, sorted.

    Args:
        left: a workspace.
        right: another one.

    >>> from hfjax.documents.workspace.workspace import Modifier, Observation, Sample
    >>> top = Sample("top", (4,), (Modifier("lumi", "lumi"),))
    >>> observations = (Observation("SR", (4,)),)
    >>> ws = Workspace((Channel("SR", (top,)),), (Measurement("m"),), observations)
    >>> shared_parameters(ws, ws)
    ('lumi',)
    """
    first, second = ({name for name, _ in ws.modifiers} for ws in (left, right))
    return tuple(sorted(first & second))


def _checked(join: str, merge: bool) -> Join:
    if join not in tuple(Join):
        error = unknown_name("join", join, tuple(Join))
        raise error
    if merge and join == Join.NONE:
        message = "the join 'none' merges no channels: use 'outer' or another"
        raise EditError(message)
    return Join(join)


def _joined(
    kind: str, first: Sequence[Any], second: Sequence[Any], resolve: Resolve
) -> tuple[Any, ...]:
    """All records of the first, and those of the second whose names are new."""
    found = {record.name: record for record in first}
    for record in second:
        known = found.get(record.name)
        new = record if known is None else resolve(kind, known, record)
        found[record.name] = new
    return tuple(found.values())


def _refused(kind: str, first: Any, second: Any) -> Any:
    del second
    message = (
        f"both workspaces have a {kind} {first.name!r}: rename one or use another join"
    )
    raise EditError(message)


def _same(kind: str, first: Any, second: Any) -> Any:
    if first == second:
        return first
    message = (
        f"{kind} {first.name!r} is not the same in both workspaces: rename one, or "
        f"prefer one with {str(Join.LEFT)!r} or {str(Join.RIGHT)!r}"
    )
    raise EditError(message)


def _preferred(kind: str, first: Any, second: Any) -> Any:
    if first != second:
        message = f"{kind} {first.name!r} differs: only the preferred one is kept"
        warnings.warn(message, stacklevel=4)
    return first


def _merged(kind: str, first: Channel, second: Channel) -> Channel:
    of = f"in {kind} {first.name!r}, sample"
    samples = _joined(of, first.samples, second.samples, _preferred)
    return dataclasses.replace(first, samples=samples)


def _united(kind: str, first: Measurement, second: Measurement) -> Measurement:
    if first.poi != second.poi:
        message = (
            f"{kind} {first.name!r} has the parameter of interest {first.poi!r} in one "
            f"workspace and {second.poi!r} in the other: rename one of the measurements"
        )
        raise EditError(message)
    of = f"in {kind} {first.name!r}, parameter"
    parameters = _joined(of, first.parameters, second.parameters, _same)
    return dataclasses.replace(first, parameters=parameters)


_RESOLVE: dict[Join, Resolve] = {
    Join.NONE: _refused,
    Join.OUTER: _same,
    Join.LEFT: _preferred,
    Join.RIGHT: _preferred,
}
