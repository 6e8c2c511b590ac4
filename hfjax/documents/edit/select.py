"""Select the parts of a workspace whose names match regular expressions."""

import re
from collections.abc import Collection, Iterable

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
    kept = {
        kind: set(names_matching(kind, patterns, names))
        for kind, patterns, names in (
            ("sample", samples, workspace.sample_names),
            ("modifier", modifiers, known),
            ("channel", channels, workspace.channel_names),
            ("measurement", measurements, workspace.measurement_names),
        )
    }
    rules = Rules(
        channel=lambda name: name in kept["channel"],
        sample=lambda _, name: name in kept["sample"],
        modifier=lambda _channel, _sample, found: found.name in kept["modifier"],
        parameter=lambda name: name not in known or name in kept["modifier"],
        measurement=lambda name: name in kept["measurement"],
    )
    return keep_parts(workspace, rules)


def names_matching(
    kind: str, patterns: Iterable[str], names: Collection[str]
) -> tuple[str, ...]:
    """Names that match regular expressions as a whole, in the order of these.

    Args:
        kind: what they are names of, such as "channel".
        patterns: the expressions; where there is none, all names match.
        names: those that there are.

    Raises:
        UnknownNameError: No name matches an expression.
        EditError: An expression cannot be read.

    Example:
        >>> names_matching("channel", ["S.*", "CR"], ["CR", "VR", "SR"])
        ('SR', 'CR')
    """
    expressions = [_expression(kind, pattern) for pattern in patterns]
    found = [] if expressions else list(names)
    for expression in expressions:
        matching = [name for name in names if expression.fullmatch(name)]
        if not matching:
            near = close_names(expression.pattern, names) or tuple(names)[:10]
            message = (
                f"no {kind} of the workspace matches {expression.pattern!r} as a "
                f"whole: there are {', '.join(map(repr, near)) or 'none at all'}"
            )
            raise UnknownNameError(message)
        found += matching
    return tuple(dict.fromkeys(found))


def _expression(kind: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        message = f"{pattern!r} is no regular expression for a {kind}: {error}"
        raise EditError(message) from None
