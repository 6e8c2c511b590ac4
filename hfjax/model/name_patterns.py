"""Parameters, channels and samples that are meant by patterns such as ``JES_*``."""

import re
from collections.abc import Iterable, Sequence

from hfjax.errors import check_kind, unknown_name
from hfjax.model.parameters import ParameterSet


def matching(sets: Sequence[ParameterSet], patterns: Iterable[str]) -> list[int]:
    """Positions of the parameters that patterns mean, in the order of the model.

    ``*`` stands for any letters and ``?`` for one; brackets are those of components.
    The name of a parameter with several components means all of them.

    Args:
        sets: names and positions of the parameters.
        patterns: names, or names with ``*`` and ``?``.

    Raises:
        UnknownNameError: a pattern means no parameter; close names are given.

    Example:
        >>> sets = [ParameterSet("JES_1", 0, 1, True), ParameterSet("g", 1, 2, False)]
        >>> matching(sets, ["JES_*"]), matching(sets, ["g"]), matching(sets, ["*[1]"])
        ([0], [1, 2], [2])
    """
    found: set[int] = set()
    for pattern in patterns:
        means = _meaning(pattern)
        meant = {
            each.start + i
            for each in sets
            for i, name in enumerate(each.names)
            if means.fullmatch(name) or means.fullmatch(each.name)
        }
        if not meant:
            names = [each.name for each in sets]
            error = unknown_name("parameter", pattern, names, "the model")
            raise error
        found |= meant
    return sorted(found)


def chosen(
    names: Sequence[str], patterns: Iterable[str] | None, kind: str
) -> list[str]:
    """Names that patterns mean, in their order; all where there are no patterns.

    Args:
        names: of all channels or samples.
        patterns: names, or names with ``*`` and ``?``.
        kind: what they are names of.

    Raises:
        UnknownNameError: a pattern means no name; close names are given.

    Example:
        >>> chosen(["SR", "CR_1", "CR_2"], ["CR_*", "SR"], "channel")
        ['SR', 'CR_1', 'CR_2']
    """
    if patterns is None:
        return list(names)
    meant: set[str] = set()
    for pattern in patterns:
        found = {name for name in names if _meaning(pattern).fullmatch(name)}
        if not found:
            error = unknown_name(kind, pattern, names, "the model")
            raise error
        meant |= found
    return [name for name in names if name in meant]


def _meaning(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression."""
    check_kind("a name", pattern, str, 'give texts, ["JES_*"]', "text")
    escaped = re.escape(pattern)
    return re.compile(escaped.replace(r"\*", ".*").replace(r"\?", "."))
