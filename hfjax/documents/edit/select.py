"""Select the parts of a workspace whose names match regular expressions."""

import re
from collections.abc import Callable, Iterable, Sequence

from hfjax.documents.edit.kept_parts import Rules, keep_parts
from hfjax.documents.edit.prune import modifier_names
from hfjax.documents.workspace.workspace import Workspace
from hfjax.errors import EditError, UnknownNameError, close_names


def select(
    workspace: Workspace,
    *,
    channels: Iterable[str] = (),
    samples: Iterable[str] = (),
    modifiers: Iterable[str] = (),
    measurements: Iterable[str] = (),
) -> Workspace:
    """Return a workspace with only those parts whose names match regular expressions.

    A name has to match as a whole, and one expression of several is enough; where none
    is given, all stay. Everything else goes as `hfjax.prune` removes it: observations
    with their channels, settings of parameters with their modifiers.

    Args:
        workspace: the workspace, which stays as it is.
        channels: regular expressions for names of channels, such as "SR.*".
        samples: for names of samples, in all channels.
        modifiers: for names of modifiers, in all samples.
        measurements: for names of measurements.

    Raises:
        UnknownNameError: No name matches an expression.
        EditError: An expression cannot be read, or what is left is no workspace.

    >>> from hfjax.documents.workspace.channel import Channel, Observation, Sample
    >>> from hfjax.documents.workspace.measurement import Measurement
    >>> channels = tuple(Channel(name, (Sample("top", (4,)),)) for name in ("SR", "CR"))
    >>> observations = (Observation("SR", (4,)), Observation("CR", (5,)))
    >>> ws = Workspace(channels, (Measurement("m"),), observations)
    >>> select(ws, channels=["S.*"]).channel_names
    ('SR',)
    """
    known = modifier_names(workspace)
    sample = _matching("sample", samples, workspace.sample_names)
    modifier = _matching("modifier", modifiers, known)
    rules = Rules(
        channel=_matching("channel", channels, workspace.channel_names),
        sample=lambda _, name: sample(name),
        modifier=lambda _channel, _sample, found: modifier(found.name),
        parameter=lambda name: name not in known or modifier(name),
        measurement=_matching("measurement", measurements, workspace.measurement_names),
    )
    return keep_parts(workspace, rules)


def _matching(
    kind: str, patterns: Iterable[str], names: Sequence[str]
) -> Callable[[str], bool]:
    """Whether a name matches one of the expressions, or there is none."""
    expressions = [_expression(kind, pattern) for pattern in patterns]
    for expression in expressions:
        if not any(map(expression.fullmatch, names)):
            near = close_names(expression.pattern, names) or names[:10]
            message = (
                f"no {kind} of the workspace matches {expression.pattern!r} as a "
                f"whole: there are {', '.join(map(repr, near)) or 'none at all'}"
            )
            raise UnknownNameError(message)
    return lambda name: not expressions or any(e.fullmatch(name) for e in expressions)


def _expression(kind: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        message = f"{pattern!r} is no regular expression for a {kind}: {error}"
        raise EditError(message) from None
