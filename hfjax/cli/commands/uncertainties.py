"""What is said where `hfjax fit` knows no uncertainty."""

from typing import Any

import hfjax
from hfjax.cli.streams import complain
from hfjax.tables.parts import listed

_MOST_NAMED = 6


def tell_uncertainties(found: Any, quiet: bool) -> None:
    """Say of which parameters no uncertainty is known, and why.

    Args:
        found: of `hfjax.covariance`.
        quiet: whether messages are not wanted.
    """
    if quiet:
        return
    if found.status is hfjax.CovarianceStatus.FLAT:
        directions = "; ".join(listed(names, _MOST_NAMED) for names in found.flat)
        complain(f"uncertainties: {found.status.sentence}: {directions}")
    elif found.status is not hfjax.CovarianceStatus.KNOWN:
        complain(f"uncertainties: {found.status.sentence}")


def tell_intervals(found: Any, quiet: bool) -> None:
    """Say which parameters have no interval, and why.

    Args:
        found: of `hfjax.intervals`.
        quiet: whether messages are not wanted.
    """
    lacking: dict[Any, list[str]] = {}
    for name in found.names:
        worst = max(found.statuses(name))
        if worst >= hfjax.IntervalStatus.NOT_REACHED:
            lacking.setdefault(worst, []).append(name)
    for status, names in lacking.items():
        if not quiet:
            complain(f"intervals: {listed(names, _MOST_NAMED)}: {status.sentence}")
