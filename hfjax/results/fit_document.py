"""Best fits as result files have them: with bounds, pulls and uncertainties."""

from collections.abc import Iterable, Mapping
from typing import Any

from hfjax.json_text import finite_or_none


def fit_document(
    model: Any, result: Any, pulls: Mapping[str, Iterable[Any]]
) -> dict[str, Any]:
    """A best fit as JSON values, with bounds, pulls, and what expressions give.

    Args:
        model: that was fitted.
        result: a `FitResult`.
        pulls: of a fit that converged, as `hfjax.pulls` finds them.
    """
    import numpy as np  # here, as commands that need no arrays import this module

    derived = model.derived_parameters(result.params)
    given = {name: [float(value)] for name, value in derived.items()}
    own = model.parameters
    lower, upper = (own.unpack(np.asarray(ends)) for ends in (own.lower, own.upper))
    return result.to_dict() | {
        "bounds": {
            name: list(map(_numbers, zip(lower[name], upper[name], strict=True)))
            for name in lower
        },
        "pulls": _by_name(pulls),
        **({"derived_parameters": given} if given else {}),
    }


def uncertainty_document(
    found: Any, pull_uncertainties: Mapping[str, Iterable[Any]]
) -> dict[str, Any]:
    """Uncertainties of a fit as JSON values, by name, also in units of pulls.

    Args:
        found: a `CovarianceResult`.
        pull_uncertainties: as `hfjax.pull_uncertainties` finds them.
    """
    return {
        "uncertainties": found.to_dict()["uncertainties"],
        "uncertainty_status": str(found.status),
        "pull_uncertainties": _by_name(pull_uncertainties),
    }


def _by_name(values: Mapping[str, Iterable[Any]]) -> dict[str, Any]:
    return {name: _numbers(each) for name, each in values.items()}


def _numbers(values: Iterable[Any]) -> list[float | None]:
    return [finite_or_none(value) for value in values]
