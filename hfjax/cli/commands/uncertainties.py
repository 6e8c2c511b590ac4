"""Uncertainties of `hfjax fit`: in its JSON, and of what there is none."""

from typing import Any

import hfjax
from hfjax.cli.streams import complain
from hfjax.cli.tables import Document, listed
from hfjax.json_text import finite_or_none

_MOST_NAMED = 6


def uncertainty_document(
    model: Any, data: Any, found: Any, correlations: bool
) -> Document:
    """Uncertainties of a fit as JSON values, by name, also in units of pulls.

    Args:
        model: the model that was fitted.
        data: what it was fitted to.
        found: of `hfjax.covariance`.
        correlations: whether the matrix is wanted.
    """
    pulled = hfjax.pull_uncertainties(model, data, found)
    document = {
        "uncertainties": found.to_dict()["uncertainties"],
        "uncertainty_status": str(found.status),
        "pull_uncertainties": {
            name: [finite_or_none(value) for value in each]
            for name, each in pulled.items()
        },
    }
    return document | (
        {"correlations": found.matrix("correlation")} if correlations else {}
    )


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
